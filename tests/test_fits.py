import itertools
import math
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.confidence import Interval, quantile_interval
from slth.fits import fit_bits, fit_constant, fit_line, joint_confidence
from slth.lines import down, up

BLOCK = st.tuples(st.integers(-6, 6), st.integers(-20, 20), st.integers(0, 8))
POINTS = st.lists(BLOCK, min_size=2, max_size=6).filter(lambda rows: len({row[0] for row in rows}) > 1)


def corners(rows):
    """Corners of the set of (a, b) with low <= a x + b <= high: crossings of two of its edges that are in it."""
    edges = [(Fraction(x), Fraction(end)) for x, low, width in rows for end in (low, low + width)]
    for (x1, y1), (x2, y2) in itertools.combinations(edges, 2):
        if x1 != x2:
            a = (y1 - y2) / (x1 - x2)
            b = y1 - a * x1
            if all(low <= a * x + b <= low + width for x, low, width in rows):
                yield a, b


def fitted(rows):
    x, low, width = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return fit_line(x, low, low + width, 0.9)


@given(POINTS)
def test_slope_and_intercept_are_those_of_the_corners_of_the_feasible_set(rows):
    found, inside = fitted(rows), list(corners(rows))
    assert found.refuted == (not inside)
    assert (found.misfit > 0) == found.refuted
    if inside:
        for part, values in ((found.slope, [a for a, _ in inside]), (found.intercept, [b for _, b in inside])):
            assert Fraction(part.low) <= min(values)
            assert Fraction(part.high) >= max(values)
            assert (part.low, part.high) == pytest.approx((float(min(values)), float(max(values))), rel=1e-15, abs=0)
            assert part.low <= part.estimate <= part.high


@given(
    st.integers(-16, 16).map(lambda a: Fraction(a, 8)),
    st.integers(-40, 40).map(lambda b: Fraction(b, 8)),
    st.lists(st.tuples(st.integers(-6, 6), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=7),
)
def test_a_line_through_all_intervals_is_never_left_out(a, b, rows):
    if len({row[0] for row in rows}) < 2:
        return
    x = np.array([float(row[0]) for row in rows])
    true = np.array([float(a * row[0] + b) for row in rows])  # eighths: exact in float64
    found = fit_line(x, true - [row[1] for row in rows], true + [row[2] for row in rows], 0.9)
    assert not found.refuted
    assert found.slope.low <= a <= found.slope.high
    assert found.intercept.low <= b <= found.intercept.high


@given(POINTS)
def test_widened_by_the_misfit_the_intervals_let_a_line_pass_and_by_less_they_do_not(rows):
    found = fitted(rows)
    x, low, width = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    wider = fit_line(x, low - found.misfit - 1e-7, low + width + found.misfit + 1e-7, 0.9)
    assert not wider.refuted
    if found.refuted:
        less = fit_line(x, low - 0.99 * found.misfit, low + width + 0.99 * found.misfit, 0.9)
        assert less.refuted


def test_samples_per_bit_of_a_known_line_are_found_from_whole_numbers():
    bits = np.arange(2, 13)
    smallest = np.ceil(1.18 * bits + 2.3)
    found = fit_bits(2.0**-bits, smallest, smallest, 0.95)
    assert found.slope.low <= 1.18 <= found.slope.high
    assert found.intercept.low <= 2.3 <= found.intercept.high
    assert found.slope.high - found.slope.low < 0.1
    assert "fit: n = " in found.sentence("bits", "n")
    assert "not tested" in found.sentence()


def test_an_n_that_grows_with_the_square_of_the_bits_is_no_line():
    bits = np.arange(2, 13)
    found = fit_bits(2.0**-bits, bits**2, bits**2, 0.95)
    assert found.refuted
    assert found.misfit > 5
    assert "no line fits" in found.sentence()


def test_a_constant_through_the_origin_that_drifts_is_refuted_and_its_drift_bounded():
    # n = 1.1 bits + 4: the quotient n / bits falls over the grid, so it is no constant.
    bits = np.arange(2, 13)
    smallest = np.ceil(1.1 * bits + 4)
    found = fit_constant(bits, smallest, smallest, bits, 0.95)
    assert found.refuted
    assert found.drift.drifts
    assert found.sentence("bits").startswith("no constant fits")
    held = fit_constant(bits, np.ceil(1.1 * bits), np.ceil(1.1 * bits), bits, 0.95)
    assert held.value.low <= 1.1 <= held.value.high
    assert not held.drift.drifts
    assert "a fit, not a constant of any theorem" in held.sentence("bits")


def test_a_constant_is_refuted_exactly_if_no_line_of_slope_0_fits():
    rng = np.random.default_rng(0)
    for _ in range(100):
        f, low = rng.uniform(1, 9, 4), rng.integers(1, 30, 4)
        found = fit_constant(f, low, low + rng.integers(0, 20, 4), np.arange(4), 0.9, whole=False)
        assert found.refuted == found.drift.drifts


def test_rounding_up_is_allowed_for_only_where_it_was_asked_for():
    whole = fit_constant([1, 2], [3, 6], [3, 6], [1, 2], 0.9)
    real = fit_constant([1, 2], [3, 6], [3, 6], [1, 2], 0.9, whole=False)
    assert (whole.value.low, whole.value.high) == (2.5, 3.0)
    assert (real.value.low, real.value.high) == (3.0, 3.0)


def test_the_slope_contains_the_true_one_at_least_as_often_as_all_intervals_hold_by_enumeration():
    # Medians of 5 coin tosses at 3 places on a line; each place's interval has confidence 15/16 or more.
    outcomes = []
    for heads in range(6):
        values = np.array([1.0] * heads + [0.0] * (5 - heads))
        outcomes.append((math.comb(5, heads) / 32, quantile_interval(values, 0.4, 0.7)))
    truth, covered = 0.0, 0.0  # the 0.4-quantile of a fair coin is 0, at every place: slope 0
    for (p, a), (q, b), (r, c) in itertools.product(outcomes, repeat=3):
        ends = [(one.low, one.high) for one in (a, b, c)]
        if sum(map(math.isfinite, sum(ends, ()))) < 6:
            covered += p * q * r * all(low <= truth <= high for low, high in ends)
            continue
        found = fit_line([1, 2, 3], [low for low, _ in ends], [high for _, high in ends], 0.5)
        covered += p * q * r * (found.slope.low <= 0 <= found.slope.high)
    assert covered >= joint_confidence([one for _, one in outcomes[:3]])
    assert covered >= joint_confidence([a, b, c]) > 0


def test_a_point_without_an_upper_end_still_counts_from_below():
    open_end = fit_line([1, 2, 3], [1, 2, 9], [1.5, 2.5, math.inf], 0.9)
    assert open_end.refuted
    assert not fit_line([1, 2, 3], [1, 2, -math.inf], [1.5, 2.5, math.inf], 0.9).refuted


def test_joint_confidence_never_falls_below_0():
    assert joint_confidence([Interval(0, 0, 0, 0.5)] * 3) == 0.0


@pytest.mark.parametrize(
    ("x", "low", "high", "confidence", "says"),
    [
        ([1, 2], [1], [2, 3], 0.9, "shapes"),
        ([[1, 2]], [[1, 2]], [[2, 3]], 0.9, "shapes"),
        ([1, 2], [3, 1], [2, 3], 0.9, "lower ends at most"),
        ([1, math.nan], [1, 1], [2, 3], 0.9, "finite places"),
        ([1, 2], [math.nan, 1], [2, 3], 0.9, "NaN"),
        ([1, 2], [math.inf, 1], [math.inf, 3], 0.9, "lower ends"),
        ([1, 2], [1, -math.inf], [1, -math.inf], 0.9, "lower ends"),
        ([1, 1], [1, 1], [2, 3], 0.9, "two or more different"),
        ([1, 2], [1, 1], [2, math.inf], 0.9, "two or more different"),
        ([1, 2], [1, 1], [2, 3], 1.0, "confidence"),
        ([1, 2], [1, 1], [2, 3], math.nan, "confidence"),
        ([], [], [], 0.9, "two or more"),
    ],
)
def test_points_are_checked(x, low, high, confidence, says):
    with pytest.raises(ValueError, match=says):
        fit_line(x, low, high, confidence)


def test_grids_and_bounds_are_checked():
    for epsilons in ([0.0, 0.1], [math.nan, 0.1]):
        with pytest.raises(ValueError, match="epsilon"):
            fit_bits(epsilons, [1, 2], [1, 2], 0.9)
    for f in ([0, 1], [math.inf, 1], [math.nan, 1]):
        with pytest.raises(ValueError, match="bound with C = 1"):
            fit_constant(f, [1, 2], [1, 2], [1, 2], 0.9)
    with pytest.raises(ValueError, match="one value of the bound per point"):
        fit_constant([1], [1, 2], [1, 2], [1, 2], 0.9)


def test_numbers_beyond_float64_are_refused_or_given_ends_on_the_outer_side():
    with pytest.raises(ArithmeticError, match="rescale"):
        fit_line([0.0, 5e-324], [0, 0], [1e308, 1e308], 0.9)
    assert (down(Fraction(10**400)), up(Fraction(10**400))) == (sys.float_info.max, math.inf)
    assert (down(Fraction(-(10**400))), up(Fraction(-(10**400)))) == (-math.inf, -sys.float_info.max)
    assert down(Fraction(1, 3)) < Fraction(1, 3) < up(Fraction(1, 3))
