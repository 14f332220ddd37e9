"""Linear difference bounds: every range and every line against exact activations."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import random_layers, rational_difference

from slth.errors.coupled import Boxes, Ranges, behind, interval_ranges, matrices_of, region_of
from slth.errors.differential import (
    Lines,
    _above,
    _chord,
    _largest,
    change_lines,
    final_form,
    hidden_layers,
    reach_of,
    relu_lines,
)
from slth.errors.domain import Ball, Box
from slth.gadget import EffectiveLayer
from slth.networks.layers import Dense


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("spread", [0.5, 2.0**-4, 2.0**-20])
def test_all_ranges_hold_at_random_points(seed, spread):
    rng = np.random.default_rng([22, seed])
    layers = random_layers(rng, [3, 4, 4, 2], biases=bool(seed % 2), spread=spread)
    low = rng.normal(size=3)
    domain = Ball(3) if seed % 3 == 0 else Box(low, low + rng.random(3))
    net = matrices_of(layers, domain)
    for known, depth in zip(hidden_layers(net, region_of(domain)), (1, 2), strict=True):
        r, after = known.ranges, behind(known.ranges)
        for x in domain.sample(20, rng):
            targets, tickets = exact_activations(layers[:depth], x)
            for k, (z, ticket) in enumerate(zip(targets, tickets, strict=True)):
                assert Fraction(r.low[0, k]) <= z <= Fraction(r.high[0, k])
                assert Fraction(r.ticket_low[0, k]) <= ticket <= Fraction(r.ticket_high[0, k])
                assert Fraction(r.least[0, k]) <= ticket - z <= Fraction(r.most[0, k])
                d = max(ticket, 0) - max(z, 0)
                assert Fraction(after.least[0, k]) <= d <= Fraction(after.most[0, k])
                line = known.change
                assert d <= Fraction(line.rise[0, k]) * (ticket - z) + Fraction(line.over[0, k])
                assert d >= Fraction(line.slope[0, k]) * (ticket - z) - Fraction(line.under[0, k])


def exact_activations(layers, x):
    """Pre-activations of target and ticket behind the last layer, as Fractions."""
    stripped = [EffectiveLayer(m.target, 0 * m.positive, 0 * m.negative, 0 * m.bias) for m in layers]
    # g - f of (target 0, errors W + E) is the ticket itself.
    alone = [
        EffectiveLayer(
            Dense(0 * m.target.weight),
            m.target.weight + m.positive,
            m.target.weight + m.negative,
            m.bias if m.target.bias is None else m.bias + m.target.bias,
        )
        for m in layers
    ]
    plain = [
        EffectiveLayer(
            Dense(0 * m.target.weight), m.target.weight, m.target.weight,
            0 * m.bias if m.target.bias is None else m.target.bias,
        )
        for m in stripped
    ]  # fmt: skip
    return rational_difference(plain, x), rational_difference(alone, x)


def cases():
    ends = [-2.0, -1.0, -0.25, 0.0, 0.25, 1.0, 2.0]
    for (zl, zu), (a, b) in itertools.product(itertools.combinations_with_replacement(ends, 2), repeat=2):
        yield zl, zu, a, b


def one_unit(*ends):
    return Ranges(*(np.array([[end]]) for end in ends))


def test_the_relu_of_a_difference_is_exact_and_its_lines_hold_on_a_grid():
    for zl, zu, a, b in cases():
        z, change = np.meshgrid(np.linspace(zl, zu, 17), np.linspace(a, b, 17))
        d = np.maximum(z + change, 0) - np.maximum(z, 0)
        ranges = one_unit(zl, zu, zl + a, zu + b, a, b)
        after = behind(ranges)
        assert after.least[0, 0] == d.min()
        assert after.most[0, 0] == d.max()
        lines = change_lines(ranges)
        assert (d <= lines.rise * change + lines.over + 1e-15).all()
        assert (d >= lines.slope * change - lines.under - 1e-15).all()


def test_lines_use_what_is_known_of_the_ticket():
    # z in [-1, 1], D in [-2, 2], the ticket's unit on: d <= D; off: d <= 0. Both on: d = D.
    on, off = one_unit(-1.0, 1.0, 0.0, 1.0, -2.0, 2.0), one_unit(-1.0, 1.0, -1.0, 0.0, -2.0, 2.0)
    both = one_unit(0.0, 1.0, 0.0, 1.0, -1.0, 1.0)
    assert (change_lines(on).rise, change_lines(on).over) == (1.0, 0.0)
    assert (change_lines(off).rise, change_lines(off).over) == (0.0, 0.0)
    rising = one_unit(-1.0, 0.5, -1.0, 0.0, 0.25, 1.0)  # off, although D >= 0
    assert (change_lines(rising).rise, change_lines(rising).over) == (0.0, 0.0)
    lines = change_lines(both)
    assert (lines.rise, lines.over, lines.slope, lines.under) == (1.0, 0.0, 1.0, 0.0)


@given(st.floats(-4, 4), st.floats(0, 4), st.floats(0, 1))
def test_lines_around_relu_hold_in_rationals(low, width, share):
    high = low + width
    z = min(max(low + share * width, low), high)
    lines = relu_lines(np.array([[low]]), np.array([[high]]))
    h, at = max(Fraction(z), Fraction(0)), Fraction(z)
    assert h <= Fraction(lines.rise[0, 0]) * at + Fraction(lines.over[0, 0])
    assert h >= Fraction(lines.slope[0, 0]) * at - Fraction(lines.under[0, 0])


def test_constants_above_two_points_are_above_both_in_rationals_and_hardly_more():
    rng = np.random.default_rng(72)
    low, width, at_low, at_high, slope = rng.random((5, 400)) * 2.0 ** rng.integers(-30, 2, (5, 400))
    low, at_low, at_high = low - rng.random(400), at_low - rng.random(400), at_high - 4 * rng.random(400)
    high, slope = low + width, np.minimum(slope, 1.0)
    for a, b, p, q, s, found in zip(
        low, high, at_low, at_high, slope, _above(low, high, at_low, at_high, slope), strict=True
    ):
        wanted = max(Fraction(p) - Fraction(s) * Fraction(a), Fraction(q) - Fraction(s) * Fraction(b))
        moduli = sum(map(abs, map(Fraction, (a, b, p, q)))) / 2**52
        assert wanted + moduli <= Fraction(found) <= wanted + 9 * moduli


def test_constants_above_points_whose_products_underflow_are_above_them():
    tiny = np.array([2.0**-1000])
    assert _above(-tiny, tiny, 0 * tiny, tiny, np.array([0.5]))[0] >= 2.0**-1001


def test_slopes_of_chords_lie_in_their_range_and_a_point_has_none():
    low, high = np.array([0.0, 1.0, 0.0, 0.0, 0.0]), np.array([2.0, 1.0, 5e-324, 1.0, 1.0])
    at_low, at_high = np.array([0.0, 0.5, 0.0, 0.0, 1.0]), np.array([1.0, 0.5, 1.0, 1.5, 0.0])
    assert _chord(low, high, at_low, at_high).tolist() == [0.5, 0.0, 0.0, 1.0, 0.0]


def test_carried_forms_count_the_moduli_of_their_constants():
    one = np.ones((1, 1))
    lines = Lines(0.5 * one, 3.0 * one, 0.25 * one, 4.0 * one)
    for sign, moved, constant in ((2.0, 1.0, 6.0), (-2.0, -0.5, 8.0)):
        found = lines.carried(sign * one[None])
        assert [float(part.item()) for part in found] == [moved, constant, 8.0]
    for over, under in ((-3.0, 0.0), (0.0, -3.0)):
        assert Lines(one, over * one, one, under * one).carried(2 * one[None])[2].item() == 6.0


def test_roundings_are_covered_where_nearly_all_cancels():
    # All units are on over [0, 1], so g - f = c x; the last error of each row is chosen so that c is next to 0.
    for seed in range(30):
        first, second = random_layers(np.random.default_rng([28, seed]), [1, 30, 2], spread=2.0**-6)
        w1, e1 = abs(first.target.weight) + (1 << 43), abs(first.positive)
        w2, e2 = second.target.weight, second.positive.copy()
        through = (w1 + e1)[:, 0].astype(object)
        left_over = w2.astype(object) @ e1[:, 0].astype(object) + e2.astype(object) @ through
        e2[:, -1] -= (left_over // through[-1]).astype(np.int64)
        none = [np.zeros(30, dtype=np.int64), np.zeros(2, dtype=np.int64)]
        layers = [EffectiveLayer(Dense(w1), e1, e1, none[0]), EffectiveLayer(Dense(w2), e2, e2, none[1])]
        truth = [max(v, 0) for v in rational_difference(layers, [1.0])]
        net, region = matrices_of(layers, Box.cube(1, 0.0, 1.0)), Boxes(np.zeros((1, 1)), np.ones((1, 1)))
        linear = reach_of(final_form(net[-1]), hidden_layers(net, region), region).bounds[0, :2]
        for exact, bound in zip(truth, linear, strict=True):
            assert exact <= Fraction(bound) <= exact + Fraction(1, 10**10)


def test_variables_beyond_2_to_the_200_widen_the_pad():
    wide = Box.cube(2, -(2.0**100), 2.0**100)
    net, region = matrices_of(random_layers(np.random.default_rng(0), [2, 3, 2]), wide), region_of(wide)
    hidden = hidden_layers(net, region)
    assert _largest(hidden, region) == 2.0**200
    ranges = replace(hidden[0].ranges, high=hidden[0].ranges.high * 2.0**150)
    assert _largest([replace(hidden[0], ranges=ranges)], region) == ranges.high.max() > 2.0**200
    ranges = replace(hidden[0].ranges, low=hidden[0].ranges.low * 2.0**150)
    assert _largest([replace(hidden[0], ranges=ranges)], region) == -ranges.low.min() > 2.0**200


def test_forms_on_tiny_domains_are_bounded_from_above():
    layers = random_layers(np.random.default_rng(73), [2, 3, 2], spread=2.0**-4)
    x = np.array([2.0**-900, -(2.0**-900)])
    box = Box(-abs(x), abs(x))
    net, region = matrices_of(layers, box), region_of(box)
    bounds = reach_of(final_form(net[-1]), hidden_layers(net, region), region).bounds[0]
    truth = rational_difference(layers, x)
    assert all(Fraction(bound) >= value for bound, value in zip(bounds, [*truth, *(-v for v in truth)], strict=True))


def test_ranges_behind_the_first_layer_lie_within_the_coupled_intervals():
    for seed in range(20):
        layers = random_layers(np.random.default_rng([74, seed]), [3, 6, 6, 6, 2], biases=True, spread=0.25)
        net = matrices_of(layers, Box.cube(3))
        hidden = hidden_layers(net, region_of(Box.cube(3)))
        for before, here in itertools.pairwise(hidden):
            inner, outer = here.ranges, interval_ranges(here.layer, behind(before.ranges))
            for low, high in (("low", "high"), ("ticket_low", "ticket_high"), ("least", "most")):
                assert (getattr(inner, low) >= getattr(outer, low)).all()
                assert (getattr(inner, high) <= getattr(outer, high)).all()
