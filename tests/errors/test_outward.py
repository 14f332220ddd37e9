"""Outward rounding against exact rationals, on numbers with full mantissas and of very different sizes."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.errors.outward import (
    MOST_ROUNDINGS,
    affine_range,
    fraction_down,
    fraction_up,
    inflated,
    matvec_up,
    row_sums_up,
    signed_up,
    up,
)


def exact(values):
    return [Fraction(float(v)) for v in values]


def dot(row, vector):
    return sum(a * b for a, b in zip(exact(row), exact(vector), strict=True))


def wild(rng, shape):
    """Non-negative numbers with full mantissas over 60 binary orders of magnitude, some of them 0."""
    return rng.random(shape) * 2.0 ** rng.integers(-40, 20, shape) * (rng.random(shape) > 0.1)


@pytest.mark.parametrize("count", [1, 2, 7, 100, 1000])
def test_inflated_sums_are_not_below_the_exact_sums_although_plain_sums_are(count):
    rng = np.random.default_rng(count)
    short = 0
    for _ in range(30):
        values = wild(rng, count)
        truth = sum(exact(values))
        plain = np.asarray(values.sum())
        assert inflated(plain, count - 1) >= truth
        assert inflated(plain, count - 1) <= truth * (1 + Fraction(3 * count + 6, 2**52))
        short += Fraction(float(plain)) < truth
    assert short > 0 or count <= 2  # otherwise the test could not see a missing pad


def test_inflating_refuses_sums_beyond_the_a_priori_term():
    with pytest.raises(ValueError, match="too long"):
        inflated(np.ones(1), MOST_ROUNDINGS)
    with pytest.raises(ValueError, match="too long"):
        inflated(np.ones(1), 1 << 26)
    assert inflated(np.ones(1), (1 << 26) - 1) > 1


UNIT_ROUNDOFF = Fraction(1, 2**53)


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_pads_are_never_below_the_proved_terms(count):
    # On sums without any rounding error nothing but the pad is seen: gamma_k <= (k + 1) u times the moduli.
    ones, proved = np.ones(count), count * (1 + (count + 1) * UNIT_ROUNDOFF)
    for bound in (matvec_up(ones[None], ones), row_sums_up(ones[None]), inflated(np.array([float(count)]), count)):
        assert Fraction(bound[0]) >= proved
    assert Fraction(signed_up(np.zeros(1), ones[:1], count)[0]) >= (count + 4) * UNIT_ROUNDOFF
    for entry, x, shift in itertools.product([-1.0, 1.0], [-1.0, 1.0], [-3.0, 3.0]):
        lower, upper = affine_range(entry * ones[None], x * ones, x * ones, np.array([shift]))
        value, pad = count * entry * x + shift, (count + 6) * UNIT_ROUNDOFF * (count + 3)
        assert Fraction(lower[0]) <= Fraction(value) - pad
        assert Fraction(upper[0]) >= Fraction(value) + pad


def test_row_sums_up_covers_terms_that_underflowed():
    assert row_sums_up(np.array([[2.0**-970, 0.0]]))[0] >= 2.0**-970 + 2.0**-1021


def test_matvec_up_is_above_the_exact_product_and_close_to_it():
    rng = np.random.default_rng(1)
    matrix, vector = wild(rng, (40, 30)), wild(rng, 30)
    for row, bound in zip(matrix, matvec_up(matrix, vector), strict=True):
        truth = dot(row, vector)
        assert truth <= Fraction(float(bound)) <= truth * (1 + Fraction(1, 10**13))


def test_matvec_up_keeps_zeros_and_notices_underflow():
    matrix = np.array([[0.0, 3.0], [1e-200, 0.0], [0.0, 0.0]])
    bound = matvec_up(matrix, np.array([1e-200, 0.0]))
    assert bound[0] == 0
    assert bound[2] == 0
    assert Fraction(float(bound[1])) >= Fraction(1e-200) ** 2
    assert matvec_up(matrix, np.zeros(2)).max() == 0


def test_row_sums_up_covers_terms_that_were_rounded_themselves():
    rng = np.random.default_rng(2)
    left, right = wild(rng, (50, 9)), wild(rng, (50, 9))
    for a, b, bound in zip(left, right, row_sums_up(left * right), strict=True):
        assert Fraction(float(bound)) >= dot(a, b)
    assert row_sums_up(np.zeros((2, 3))).max() == 0


def test_signed_up_survives_cancellation():
    rng = np.random.default_rng(3)
    for _ in range(200):
        terms = rng.normal(size=20) * 2.0 ** rng.integers(-10, 10, 20)
        terms[10:] = -terms[:10] * (1 + rng.normal(size=10) * 1e-15)
        size = inflated(np.asarray(np.abs(terms).sum()), 19)
        bound = Fraction(float(signed_up(np.asarray(terms.sum()), size, 19)))
        truth = sum(exact(terms))
        assert truth <= bound <= truth + Fraction(float(size)) * Fraction(30, 2**52)


@pytest.mark.parametrize("signs", ["mixed", "nonnegative"])
def test_affine_range_encloses_the_exact_range_tightly(signs):
    rng = np.random.default_rng(4)
    matrix, shift = rng.normal(size=(30, 25)), rng.normal(size=30)
    low = rng.normal(size=25) if signs == "mixed" else rng.random(25)
    high = low + rng.random(25)
    lower, upper = affine_range(matrix, low, high, shift)
    for k in range(30):
        ends = [
            sorted((Fraction(w) * Fraction(a), Fraction(w) * Fraction(b)))
            for w, a, b in zip(matrix[k], low, high, strict=True)
        ]
        bottom, top = (sum(e[i] for e in ends) + Fraction(shift[k]) for i in (0, 1))
        assert Fraction(lower[k]) <= bottom
        assert top <= Fraction(upper[k])
        assert bottom - Fraction(lower[k]) < 1e-12
        assert Fraction(upper[k]) - top < 1e-12


def test_affine_range_of_zero_rows_is_exactly_zero():
    lower, upper = affine_range(np.zeros((2, 3)), -np.ones(3), np.ones(3), np.zeros(2))
    assert (lower == 0).all()
    assert (upper == 0).all()


@given(st.fractions(min_value=-(10**30), max_value=10**30))
def test_fraction_up_and_down_are_the_nearest_floats_on_their_side(value):
    above, below = fraction_up(value), fraction_down(value)
    assert Fraction(below) <= value <= Fraction(above)
    assert above in (below, up(below))


@pytest.mark.parametrize("value", [Fraction(1, 2**1080), Fraction(3, 2**1075), Fraction(0)])
def test_fraction_rounding_holds_among_subnormal_numbers(value):
    assert Fraction(fraction_down(value)) <= value <= Fraction(fraction_up(value))


def test_the_float_below_0_has_no_sign():
    assert str(fraction_down(Fraction(0))) == "0.0"
