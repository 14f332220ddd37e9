"""Xiong et al. 2023: weights that may move a little before they are pruned."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.confidence import binomial_interval, excess_p_value
from slth.errors import Ball, bracket
from slth.gadget import collapse
from slth.laws import Uniform
from slth.networks.examples import random_target
from slth.networks.target import Target
from slth.randomness import bits, stream_number
from slth.subset_sum.questions import nearest
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems import xiong2023_perturbation as xiong

ONE = 1 << 24
"""One, in units of 2^-24."""

DEEP = pensia.normalised(random_target((3, 3, 2), 1))
BIASED = Target.from_floats([[[0.5, -0.3], [0.2, 0.7]], [[0.4, -0.6]]], [[0.25, -0.125], [0.5]])

small = st.integers(-9, 9)


# (i) Slack ------------------------------------------------------------------------------------------------------------


@given(st.lists(small, min_size=0, max_size=3), st.integers(-40, 40), st.integers(0, 4))
def test_a_subset_of_size_k_gains_exactly_k_times_the_change(subset, target, limit):
    residual = sum(subset) - target
    moves = itertools.product(range(-limit, limit + 1), repeat=len(subset))
    best = min(abs(residual + sum(move)) for move in moves)
    assert best == max(0, abs(residual) - len(subset) * limit)
    bound = xiong.SLACK.evaluate(t=max(abs(residual), 1e-9), k=len(subset), eps_p=limit)
    assert best <= bound + 1e-9
    assert bound <= best + 1e-9


@given(st.integers(-(1 << 50), 1 << 50), st.integers(0, 50), st.integers(0, 1 << 45))
def test_the_changes_take_away_all_that_the_limit_allows_and_are_equal_but_for_one(residual, size, limit):
    moved = xiong.changes(residual, size, limit)
    assert moved.shape == (size,)
    assert (np.abs(moved) <= limit).all()
    assert abs(residual + int(moved.sum())) == max(0, abs(residual) - size * limit)
    assert size == 0 or int(moved.max() - moved.min()) <= 1


@pytest.mark.parametrize(("size", "limit"), [(-1, 1), (1, -1)])
def test_negative_sizes_and_limits_are_refused(size, limit):
    with pytest.raises(ValueError, match="size >= 0 and limit >= 0"):
        xiong.changes(3, size, limit)


# (iii) The window -----------------------------------------------------------------------------------------------------


@given(st.lists(small, min_size=1, max_size=6), st.integers(1, 20), st.integers(0, 3))
def test_the_worst_error_is_that_of_a_search_over_all_subsets_and_half_units(samples, window, limit):
    subsets = [s for k in range(len(samples) + 1) for s in itertools.combinations(samples, k)]

    def error(twice):
        return min(max(Fraction(0), abs(sum(s) - Fraction(twice, 2)) - len(s) * limit) for s in subsets)

    worst = max(error(twice) for twice in range(-2 * window, 2 * window + 1))
    assert xiong.worst_error(np.array(samples, dtype=np.int64), window, limit) == worst


@given(st.lists(st.integers(-ONE, ONE), min_size=1, max_size=8), st.integers(1, ONE))
def test_without_changes_the_worst_error_is_that_of_plain_subset_sums(samples, window):
    array = np.array(samples, dtype=np.int64)
    assert xiong.worst_error(array, window, 0) == lueker.worst_error(array, window)[0]


@given(st.lists(st.integers(-ONE, ONE), min_size=1, max_size=8), st.integers(0, 1 << 20), st.integers(0, 1 << 20))
def test_larger_changes_never_hurt(samples, a, b):
    array = np.array(samples, dtype=np.int64)
    assert xiong.worst_error(array, ONE // 2, a + b) <= xiong.worst_error(array, ONE // 2, a)


def fattened_share(samples, window, start, limit):
    """Covered measure of [-window, window], step by step: A becomes A or (A + X fattened by limit); unit intervals."""
    cells = np.arange(-window, window) + 0.5
    covered = np.abs(cells) < start
    shares = [covered.mean()]
    for x in samples:
        moved = np.zeros_like(covered)
        for change in range(-limit, limit + 1):
            at = np.arange(2 * window) - x - change
            inside = (at >= 0) & (at < 2 * window)
            moved[inside] |= covered[at[inside]]
        covered |= moved
        shares.append(covered.mean())
    return np.array(shares)


@given(st.lists(st.integers(-16, 16), min_size=1, max_size=10), st.integers(0, 3))
def test_fattened_translates_cover_at_least_what_plain_ones_do(samples, limit):
    assert (fattened_share(samples, 16, 1, limit) >= fattened_share(samples, 16, 1, 0)).all()


def worst_errors(n, limit, draws):
    """(draws,) worst errors over [-1/2, 1/2] of n samples U[-1, 1] that may move by the limit."""
    drawn = Uniform().weights(bits(7, stream_number(0, n), 0, draws * n)).reshape(draws, n)
    return np.array([float(xiong.worst_error(row, ONE // 2, round(limit * ONE))) / ONE for row in drawn])


@pytest.mark.parametrize("limit", [0.0, 2.0**-8, 2.0**-5])
@pytest.mark.parametrize(("n", "epsilon"), [(12, 0.3), (14, 0.25)])
def test_perturbed_subset_sums_fail_no_more_often_than_the_bound_for_unmoved_ones(n, epsilon, limit):
    # false alarm below 1e-3
    claimed = xiong.FAILURE.evaluate(n=n, epsilon=epsilon, R=0.5, m=0.5)
    assert claimed == lueker.FAILURE_UNIFORM.evaluate(n=n, epsilon=epsilon) < 1
    failed = int((worst_errors(n, limit, 60) > epsilon).sum())
    assert excess_p_value(failed, 60, claimed) > 1e-3


# (ii) How many samples ------------------------------------------------------------------------------------------------


def samples_for_90_percent(epsilon, limit):
    return next(n for n in range(4, 20) if (worst_errors(n, limit, 40) <= epsilon).mean() >= 0.9)


@pytest.mark.parametrize("limit", [0.0, 2.0**-9, 2.0**-7, 2.0**-5])
@pytest.mark.parametrize("epsilon", [2.0**-5, 2.0**-7])
def test_the_rule_of_thumb_is_within_three_samples(epsilon, limit):
    rule = next(n for n in range(1, 60) if xiong.TOLERANCE.evaluate(n=n, eps_p=limit) <= epsilon)
    assert abs(samples_for_90_percent(epsilon, limit) - rule) <= 3


def test_the_number_of_samples_levels_off_as_the_tolerance_falls():
    # with changes of 2^-6 a tolerance of 2^-18 needs few samples more than one of 2^-6; unmoved ones need 12 more
    needed = [samples_for_90_percent(epsilon, 2.0**-6) for epsilon in (2.0**-6, 2.0**-18)]
    assert needed[1] - needed[0] <= 3
    errors = worst_errors(needed[1], 0.0, 40)
    assert binomial_interval(int((errors <= 2.0**-18).sum()), 40, 0.99).high < 0.5


# Networks -------------------------------------------------------------------------------------------------------------


def made_ticket(target, samples=8):
    source = pensia.source(target, 0.1, 0.1, seed=2, samples=samples)
    return pensia.construct(target, source, 0.1, question=nearest).ticket


@pytest.mark.parametrize("target", [DEEP, BIASED], ids=["deep", "biased"])
@pytest.mark.parametrize("limit", [0, 1 << 10, 1 << 18])
def test_moved_weights_of_second_matrices_reach_the_effective_layers_exactly(target, limit):
    # every v gets the change theta sign(u) limit with one theta per subset sum, as fractions
    ticket = made_ticket(target)
    before, after = collapse(target, ticket), xiong.perturbed(target, ticket, limit)
    for pair, (old, new) in enumerate(zip(before, after, strict=True)):
        first, second = ticket.weights(2 * pair), ticket.weights(2 * pair + 1)
        for k, j in np.ndindex(second.shape[0], first.shape[1]):
            for sign in (1, -1):
                units = np.flatnonzero((first[:, j] * sign > 0) & (second[k] != 0))
                residual = int(sum(int(first[r, j]) * int(second[k, r]) for r in units)) - weight_of(target, pair, k, j)
                room = limit * sum(abs(int(first[r, j])) for r in units)
                theta = -Fraction(residual, room) if room else Fraction(0)
                theta = max(Fraction(-1), min(Fraction(1), theta))
                moved = sum(int(first[r, j]) * (int(second[k, r]) + theta * sign * limit) for r in units)
                left = moved - weight_of(target, pair, k, j)
                assert left == error_of(new, k, j, sign, left)
                assert residual == error_of(old, k, j, sign, residual)


def weight_of(target, pair, k, j):
    return int(target.layers[pair].channels[k, j])


def error_of(layer, k, j, sign, otherwise):
    """The error of one subset sum; a bias has no negative side."""
    if j == layer.target.inputs:
        return int(layer.bias[k]) if sign > 0 else otherwise
    return int((layer.positive if sign > 0 else layer.negative)[k, j])


def test_perturbation_shrinks_the_proved_error_of_a_network():
    ticket = made_ticket(DEEP, samples=12)
    errors = [bracket(xiong.perturbed(DEEP, ticket, limit), Ball(3)) for limit in (0, 1 << 16)]
    assert errors[0].upper == bracket(collapse(DEEP, ticket), Ball(3)).upper
    assert errors[1].upper < errors[0].lower


def test_a_large_enough_change_brings_every_error_to_zero():
    layers = xiong.perturbed(DEEP, made_ticket(DEEP, samples=12), ONE)
    assert not any(layer.positive.any() for layer in layers)
    assert not layers[0].negative.any()


def test_subset_sums_that_share_a_weight_cannot_be_perturbed_one_by_one():
    # outputs 1 and 2 read one unit with u = 1/2 by v = 1, their targets are 1/2 + 1/10 and 1/2 - 1/10
    u, v, goals, limit = Fraction(1, 2), (Fraction(1), Fraction(1)), (Fraction(3, 5), Fraction(2, 5)), Fraction(1, 10)
    alone = [goal / w - u for goal, w in zip(goals, v, strict=True)]
    assert alone == [limit, -limit]  # alone, each is met exactly by a change of u within the limit

    def together(change):
        return max(abs((u + change) * w - goal) for goal, w in zip(goals, v, strict=True))

    # together, no change of the shared u takes anything away: the errors differ by 1/5 whatever it is
    assert min(together(Fraction(c, 100)) for c in range(-10, 11)) == together(Fraction(0)) == limit
    # the unshared v's halve both at once, each by |u| times its own change
    both = [abs(u * (w + sign * limit) - goal) for w, sign, goal in zip(v, (1, -1), goals, strict=True)]
    assert both == [limit / 2, limit / 2]


def test_a_negative_limit_is_refused():
    with pytest.raises(ValueError, match="must be >= 0"):
        xiong.perturbed(DEEP, made_ticket(DEEP), -1)


@pytest.mark.parametrize(
    ("samples", "window", "limit", "said"),
    [
        (np.zeros((1, 1), dtype=np.int64), 1, 0, "shape"),
        (np.zeros(2), 1, 0, "int64"),
        (np.zeros(0, dtype=np.int64), 1, 0, "n from 1"),
        (np.zeros(25, dtype=np.int64), 1, 0, "n from 1"),
        (np.zeros(2, dtype=np.int64), 0, 0, "window > 0"),
        (np.zeros(2, dtype=np.int64), 1, -1, "limit >= 0"),
        (np.array([1 << 61]), 1, 0, "below 2"),
    ],
)
def test_what_cannot_be_measured_is_refused(samples, window, limit, said):
    with pytest.raises(ValueError, match=said):
        xiong.worst_error(samples, window, limit)


# Weights that are drawn again -----------------------------------------------------------------------------------------


def missed(n, draws, epsilon, target, trials):
    """Trials in which none of n * draws numbers U[-1, 1] is within epsilon of the target."""
    drawn = Uniform().weights(bits(11, stream_number(0, n * draws), 0, trials * n * draws)).reshape(trials, n * draws)
    return int((np.abs(drawn / ONE - target) > epsilon).all(axis=1).sum())


@pytest.mark.parametrize("target", [0.3, -1.0])
@pytest.mark.parametrize(("n", "draws"), [(20, 1), (4, 5), (1, 20), (2, 20)])
def test_the_best_of_all_draws_misses_no_more_often_than_claimed(n, draws, target):
    # false alarm below 1e-3; the exact law is (1 - epsilon)^(n draws) inside and (1 - epsilon / 2)^(n draws) at an end
    epsilon, trials = 0.1, 1000
    found = missed(n, draws, epsilon, target, trials)
    claimed = math.exp(-n * draws * epsilon / 2)
    assert excess_p_value(found, trials, claimed) > 1e-3
    exact = (1 - epsilon / (1 if abs(target) < 1 else 2)) ** (n * draws)
    assert excess_p_value(found, trials, exact) > 1e-4
    assert excess_p_value(trials - found, trials, 1 - exact) > 1e-4
    assert xiong.BEST_OF.evaluate(delta=claimed, epsilon=epsilon, draws=draws) == pytest.approx(n)


def test_with_many_draws_one_weight_is_enough_and_with_one_draw_it_is_not():
    assert xiong.BEST_OF.evaluate(delta=0.01, epsilon=0.01, draws=1000) < 1
    assert missed(1, 1000, 0.01, 0.5, 200) == 0
    assert binomial_interval(missed(1, 1, 0.01, 0.5, 200), 200, 0.99).low > 0.9


def test_the_factor_of_the_paper_needs_its_constant():
    assert xiong.FACTOR.evaluate(C=2.0, eps_p=1.0) == 1.0
    with pytest.raises(ValueError, match="gives no value for C"):
        xiong.FACTOR.evaluate(eps_p=0.1)
