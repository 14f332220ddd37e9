"""Coupled intervals: the ReLU of a difference, reaches over a domain, and the first layer, against exact rationals."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import effective, random_layers

from slth.errors.averaged import averaged
from slth.errors.coupled import (
    Behind,
    Boxes,
    Ranges,
    Sphere,
    behind,
    coupled,
    first_ranges,
    matrices_of,
    region_of,
    relu_change,
    sums_of,
)
from slth.errors.differential import differential
from slth.errors.domain import Box

CLOSE = 1 + 1e-12


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_relu_change_is_the_exact_value_rounded_to_its_side(z, change):
    truth = max(Fraction(z) + Fraction(change), Fraction(0)) - max(Fraction(z), Fraction(0))
    down, up = (relu_change(np.array([z]), np.array([change]), side)[0] for side in (-np.inf, np.inf))
    assert Fraction(down) <= truth <= Fraction(up)
    assert up <= np.nextafter(np.nextafter(down, np.inf), np.inf)


def test_relu_changes_of_many_sizes_are_rounded_only_where_they_are_not_exact():
    rng = np.random.default_rng(70)
    z, change = -rng.random(3000) * 2.0 ** rng.integers(-60, 3, 3000), rng.random(3000)
    z[::3], change[::3] = np.round(z[::3], 1) // 0.125 * 0.125, change[::3] // 0.125 * 0.125
    down, up = relu_change(z, change, -np.inf), relu_change(z, change, np.inf)
    for i in range(3000):
        truth = max(Fraction(z[i]) + Fraction(change[i]), Fraction(0))
        assert Fraction(down[i]) <= truth <= Fraction(up[i])
        assert (down[i] == up[i]) == (float(truth) == truth)


def test_ranges_behind_a_relu_are_rounded_to_their_sides():
    rng = np.random.default_rng(71)
    z, change = rng.normal(size=(2, 1, 1000))
    wide = np.full((1, 1000), 9.0)
    after = behind(Ranges(z, z, -wide, wide, change, change))
    for least, most, a, d in zip(after.least[0], after.most[0], z[0], change[0], strict=True):
        truth = max(Fraction(a) + Fraction(d), Fraction(0)) - max(Fraction(a), Fraction(0))
        assert Fraction(least) <= truth <= Fraction(most)


def test_sizes_are_the_larger_moduli():
    low, high = np.array([[-3.0, 1.0, -2.0]]), np.array([[1.0, 2.0, -1.0]])
    none = 0 * low
    for found in (
        Boxes(low, high),
        Ranges(none, none, none, none, low, high),
        Behind(none, none, none, none, low, high),
    ):
        sizes = found.sizes if isinstance(found, Boxes) else found.sizes()
        assert sizes.tolist() == [[3.0, 2.0, 2.0]]
    assert Sphere(0.5, 2).sizes.tolist() == [[0.5, 0.5]]


def test_reaches_keep_zeros_and_notice_underflow():
    def reach(low, high, plus, minus):
        return Boxes(np.array([[low]]), np.array([[high]])).reach_up(np.array([[[plus]]]), np.array([[[minus]]]))[0, 0]

    assert reach(-1e-200, 1.0, -1.0, -1e-200) > 0  # 1e-400 at the lower end
    assert reach(-1e-200, 1e-200, -1.0, 1.0) == reach(0.0, 1e-200, -1.0, -1.0) == 0.0
    assert reach(0.0, 1.0, -1e-200, -1e-200) == 0.0


def test_sums_keep_zeros_and_notice_underflow():
    one, small, none = np.ones((1, 1)), np.full((1, 1), 1e-200), np.zeros((1, 1))
    for parts in ([(small, (small, small))], [(small, (small, small)), (one, (one, one))]):
        low, high = sums_of(parts, -np.ones(1) * (len(parts) - 1))
        assert low[0, 0] < Fraction(1e-200) ** 2 < high[0, 0]
    low, high = sums_of([(none, (-one, one)), (one, (none, none))], np.zeros(1))
    assert (low[0, 0], high[0, 0]) == (0.0, 0.0)


@pytest.mark.parametrize("terms", [1, 1000])
def test_pads_of_reaches_and_sums_are_never_below_the_proved_terms(terms):
    ones, unit = np.ones((1, terms)), Fraction(1, 2**53)
    proved = terms * (1 + (terms + 1) * unit)
    assert Fraction(Boxes(ones, ones).reach_up(ones[None], ones[None])[0, 0]) >= proved
    square = Fraction(Sphere(1.0, terms).reach_up(ones[None], ones[None])[0, 0]) ** 2
    assert square >= proved
    for matrix in (ones, -ones):
        for ends in ((ones, ones), (-ones, -ones)):
            low, high = sums_of([(matrix, ends)], np.ones(1))
            value = Fraction(terms * matrix[0, 0] * ends[0][0, 0]) + 1
            assert Fraction(low[0, 0]) <= value - (terms + 1) ** 2 * unit
            assert Fraction(high[0, 0]) >= value + (terms + 1) ** 2 * unit


def test_layers_of_another_domain_are_refused():
    for tier in (averaged, coupled, differential):
        with pytest.raises(ValueError, match="dimension 3"):
            tier([effective([[1.0]])], Box.cube(3))


@pytest.mark.parametrize("seed", range(15))
def test_reaches_are_the_exact_suprema_rounded_up(seed):
    rng = np.random.default_rng([23, seed])
    plus, minus = rng.normal(size=(2, 1, 4, 6)) * 2.0 ** rng.integers(-20, 20, (2, 1, 4, 6))
    low = rng.normal(size=(1, 6))
    high = low + rng.random((1, 6)) * 3
    found = Boxes(low, high).reach_up(plus, minus)[0]
    for p, m, bound in zip(plus[0], minus[0], found, strict=True):
        truth = Fraction(0)
        for pj, mj, a, b in zip(p, m, low[0], high[0], strict=True):
            ends = [Fraction(pj if v >= 0 else mj) * Fraction(v) for v in (a, b)]
            truth += max(ends + [Fraction(0)] * bool(a <= 0 <= b))
        assert truth <= Fraction(bound) <= truth + Fraction(1, 10**12) * (1 + abs(truth)) * 2**20
    ball = Sphere(0.7, 6).reach_up(plus, minus)[0]
    for p, m, bound in zip(plus[0], minus[0], ball, strict=True):
        square = Fraction(0.7) ** 2 * sum(
            max(Fraction(a), -Fraction(b), Fraction(0)) ** 2 for a, b in zip(p, m, strict=True)
        )
        assert square <= Fraction(bound) ** 2 <= square * (1 + Fraction(1, 10**12))


@given(st.integers(0, 2**32))
def test_coupled_intervals_of_a_smaller_box_are_never_larger(seed):
    rng = np.random.default_rng(seed)
    layers = random_layers(rng, [4, 6, 6, 2], biases=True)
    low, width = rng.normal(size=4), rng.random(4) * 2
    inner = low + width * 0.5 * rng.random(4)
    big, small = Box(low, low + width), Box(inner, inner + (low + width - inner) * rng.random(4))
    assert coupled(layers, small).value <= coupled(layers, big).value * CLOSE


def test_the_ticket_of_signed_inputs_has_the_range_of_its_larger_side():
    # W = 1, E+ = -1/2, E- = 1: over [-1, 1] the ticket runs from -2 to 1/2.
    layer = effective([[1.0]], -0.5, 1.0)
    r = first_ranges(matrices_of([layer], Box.cube(1))[0], region_of(Box.cube(1)))
    assert (r.ticket_low[0, 0], r.ticket_high[0, 0]) == (pytest.approx(-2.0), pytest.approx(0.5))
    assert (r.least[0, 0], r.most[0, 0]) == (pytest.approx(-1.0), pytest.approx(0.0, abs=1e-200))


def test_ends_of_the_domain_with_a_kink_between_count():
    # phi(x) = x+ + x-: sup 2 at low, 0 at the kink is the least.
    layer = effective([[0.0]], 1.0, -1.0)
    box = Box(np.array([-2.0]), np.array([1.0]))
    r = first_ranges(matrices_of([layer], box)[0], region_of(box))
    assert (r.least[0, 0], r.most[0, 0]) == (pytest.approx(0.0, abs=1e-200), pytest.approx(2.0))


def test_a_bias_error_is_added_on_each_side():
    # sum max(a, -b, 0) + db and sum max(-a, b, 0) - db: 1 - 1/4 above, 1/4 below.
    layer = effective([[0.0]], 1.0, 0.0, bias_error=-0.25)
    for tier in (coupled, differential):
        assert tier([layer], Box.cube(1)).value == pytest.approx(0.75, rel=1e-12)


def test_the_better_splitting_wins_where_the_error_cancels_the_weight():
    # W + E+ = 0 in layer 2: g is 0 there, so nothing of the first error gets through.
    layers = [effective([[1.0]], 0.5, 0.5), effective([[1.0]], -1.0)]
    assert 1.0 <= coupled(layers, Box.cube(1)).value <= CLOSE
