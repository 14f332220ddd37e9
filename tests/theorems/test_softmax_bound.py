"""How far softmax moves when its logits do: every step of docs/proofs/softmax.md.

Factors e^(e_k) that are rational squares make probabilities and bound rational, so the claim is tested exactly: the
half-range r of the errors has e^r = (t / s) where s^2 and t^2 are the smallest and largest factor.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

TOKENS = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 40)), min_size=1, max_size=6)
"""(weight before normalisation, root of the factor) of every token."""


def moved(tokens):
    """p, p' and the roots of the smallest and largest factor, as fractions."""
    total = sum(weight for weight, _ in tokens)
    p = [Fraction(weight, total) for weight, _ in tokens]
    mean = sum(share * root**2 for share, (_, root) in zip(p, tokens, strict=True))
    after = [share * root**2 / mean for share, (_, root) in zip(p, tokens, strict=True)]
    roots = [root for _, root in tokens]
    return p, after, min(roots), max(roots)


def distance(p, after):
    return sum(abs(a - b) for a, b in zip(p, after, strict=True))


def softmax(logits):
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


# A. The probabilities


@given(TOKENS)
def test_perturbed_probabilities_are_reweighted_by_the_factors(tokens):
    p, after, _, _ = moved(tokens)
    logits = np.log([float(share) for share in p])
    errors = np.log([root**2 for _, root in tokens])
    assert softmax(logits + errors) == pytest.approx([float(share) for share in after], rel=1e-12)
    mean = sum(share * root**2 for share, (_, root) in zip(p, tokens, strict=True))
    deviation = sum(share * abs(root**2 - mean) for share, (_, root) in zip(p, tokens, strict=True))
    assert distance(p, after) == deviation / mean


@given(TOKENS, st.integers(1, 9))
def test_a_common_shift_of_the_logits_changes_nothing(tokens, factor):
    shifted = [(weight, factor * root) for weight, root in tokens]
    assert moved(tokens)[1] == moved(shifted)[1]


@given(TOKENS)
def test_the_mean_deviation_is_at_most_the_chord_at_the_mean(tokens):
    p, _, s, t = moved(tokens)
    assume(s < t)
    mean = sum(share * root**2 for share, (_, root) in zip(p, tokens, strict=True))
    deviation = sum(share * abs(root**2 - mean) for share, (_, root) in zip(p, tokens, strict=True))
    assert deviation <= 2 * (t**2 - mean) * (mean - s**2) / (t**2 - s**2)


def test_the_best_mean_is_the_geometric_one():
    s, t, m = sympy.symbols("s t m", positive=True)
    gap = (t - s) ** 2 - (t**2 - m) * (m - s**2) / m
    assert sympy.simplify(gap - (m - s * t) ** 2 / m) == 0


def test_the_quotient_is_the_hyperbolic_tangent():
    r, s, t = sympy.symbols("r s t", positive=True)
    assert sympy.simplify((t - s) ** 2 / (t**2 - s**2) - (t - s) / (t + s)) == 0
    assert sympy.simplify(((sympy.exp(r) - 1) / (sympy.exp(r) + 1) - sympy.tanh(r / 2)).rewrite(sympy.exp)) == 0


@given(TOKENS)
def test_probabilities_move_by_at_most_twice_the_tangent_in_rational_numbers(tokens):
    p, after, s, t = moved(tokens)
    assert distance(p, after) <= 2 * Fraction(t - s, t + s)


@pytest.mark.parametrize("error", [1e-6, 0.01, 0.1, 0.5, 1.0, 3.0])
def test_the_bound_is_at_most_the_error_and_far_below_the_published_one(error):
    bound = 2 * math.tanh(error / 2)
    assert bound <= error
    assert bound <= math.expm1(2 * error) / 2  # of which the published one has sqrt(d) times the double


@pytest.mark.parametrize(("s", "t"), [(1, 2), (3, 4), (1, 10), (99, 100)])
def test_two_tokens_attain_the_bound_in_rational_numbers(s, t):
    # p = 1 / (1 + e^r) on the token that gains, with e^r = t / s
    p, after, _, _ = moved([(s, t), (t, s)])
    assert p[0] == 1 / (1 + Fraction(t, s))
    assert distance(p, after) == 2 * Fraction(t - s, t + s)


# B. The weighted mean of tokens


def tokens_in_ball(rng, count, dimension, radius):
    points = rng.normal(size=(count, dimension))
    return radius * points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1)


@pytest.mark.parametrize("seed", range(20))
def test_differences_of_means_are_a_share_of_a_difference_of_points_of_the_ball(seed):
    rng = np.random.default_rng(seed)
    points, centre = tokens_in_ball(rng, 6, 3, 2.0), rng.normal(size=3) * 10
    q = softmax(rng.normal(size=6)) - softmax(rng.normal(size=6))
    share = np.abs(q).sum() / 2
    assert np.maximum(q, 0).sum() == pytest.approx(share)
    apart = (q @ (points + centre)) / share
    assert np.linalg.norm(apart) <= 4 + 1e-12
    assert np.linalg.norm(q @ points) == pytest.approx(share * np.linalg.norm(apart))


@pytest.mark.parametrize("count", [2, 5, 64])
@pytest.mark.parametrize("error", [0.01, 0.3, 2.0])
def test_means_of_tokens_move_by_at_most_the_radius_times_the_bound(count, error):
    rng = np.random.default_rng(count)
    for _ in range(200):
        points = tokens_in_ball(rng, count, 3, 2.0)
        logits, errors = rng.normal(size=count), rng.uniform(-error, error, count)
        half = (errors.max() - errors.min()) / 2
        apart = (softmax(logits) - softmax(logits + errors)) @ points
        assert np.linalg.norm(apart) <= 2 * 2.0 * math.tanh(half / 2) + 1e-14


@pytest.mark.parametrize("error", [0.01, 0.3, 2.0])
def test_two_opposite_tokens_attain_it(error):
    logits = np.array([0.0, error])
    apart = softmax(logits) - softmax(logits + np.array([error, -error]))
    points = np.array([[2.0, 0.0], [-2.0, 0.0]])
    assert np.linalg.norm(apart @ points) == pytest.approx(4 * math.tanh(error / 2), rel=1e-12)


# C. One head


def head(tokens, logits, values, mask):
    return softmax(np.where(mask, tokens @ logits @ tokens.T, -np.inf)) @ tokens @ values


@pytest.mark.parametrize("count", [1, 2, 7, 40])
@pytest.mark.parametrize("size", [1e-3, 0.1, 1.0])
def test_the_error_of_a_head_is_at_most_its_bound(count, size):
    rng = np.random.default_rng(count)
    alpha = 1.5
    for _ in range(50):
        tokens = tokens_in_ball(rng, count, 4, alpha)
        mask = rng.random((count, count)) < 0.5
        mask[np.arange(count), np.arange(count)] = True
        logits, values = rng.normal(size=(4, 4)), rng.normal(size=(4, 3))
        off, lost = size * rng.normal(size=(4, 4)), size * rng.normal(size=(4, 3))
        apart = head(tokens, logits + off, values + lost, mask) - head(tokens, logits, values, mask)
        norms = [np.linalg.norm(matrix, 2) for matrix in (off, values, lost)]
        bound = 2 * alpha * math.tanh(alpha**2 * norms[0] / 2) * norms[1] + alpha * norms[2]
        assert np.linalg.norm(apart, axis=1).max() <= bound + 1e-12


def test_with_one_token_the_error_of_the_logits_plays_no_part():
    rng = np.random.default_rng(0)
    tokens, values = tokens_in_ball(rng, 1, 4, 1.0), rng.normal(size=(4, 3))
    seen = np.ones((1, 1), dtype=bool)
    far = head(tokens, 100 * rng.normal(size=(4, 4)), values, seen)
    assert np.array_equal(far, head(tokens, np.zeros((4, 4)), values, seen))
