"""Upper ends against slow transcriptions of their formulas: not below them, and above them by roundings only."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from problems import effective, random_layers
from slow_bounds import (
    exact,
    relu,
    slow_averaged,
    slow_behind,
    slow_first_ranges,
    slow_pad,
    slow_ranges,
    slow_reach,
    slow_scalar,
    slow_vector,
)

from slth.errors.averaged import averaged
from slth.errors.coupled import Ranges, behind, coupled, first_ranges, interval_ranges, matrices_of, region_of
from slth.errors.differential import (
    Form,
    Known,
    Lines,
    change_lines,
    differential,
    final_form,
    hidden_layers,
    output_bounds,
    reach_of,
    relu_lines,
)
from slth.errors.domain import Ball, Box
from slth.errors.recursion import Scale, first_error, recursion, scalar, scales, vector


def domains(rng, inputs):
    low = rng.normal(size=inputs)
    low[0] = high = 0.25  # a side of no width
    wide = low + rng.random(inputs) * 2
    wide[0] = high
    return [
        Ball(inputs), Ball(inputs, 0.3), Box.cube(inputs), Box.cube(inputs, 0.0, 1.0), Box.cube(inputs, -1.0, 0.0),
        Box(low, wide),
    ]  # fmt: skip


def networks(key, depths=(1, 2, 3, 4)):
    for seed, depth in enumerate(itertools.chain(depths, depths)):
        rng = np.random.default_rng([key, seed])
        spread = 2.0 ** -float(rng.integers(0, 30))
        widths = rng.integers(2, 6, depth + 1)
        layers = random_layers(rng, widths, biases=seed >= len(depths), spread=spread)
        yield from ((layers, domain) for domain in domains(rng, int(widths[0])))


def boxes(key, depths=(1, 2, 3, 4)):
    return ((layers, domain) for layers, domain in networks(key, depths) if isinstance(domain, Box))


def test_the_vector_recursion_is_its_formula():
    for layers, box in boxes(60):
        truth = slow_vector(layers, box)
        assert truth <= Fraction(vector(layers, box).value) <= truth * (1 + Fraction(1, 10**13)) + Fraction(1, 10**15)


def test_the_scalar_recursion_is_its_formula():
    for layers, domain in networks(61):
        truth = slow_scalar(layers, domain)
        assert truth * (1 - 1e-13) <= scalar(layers, domain).value <= truth * (1 + 1e-8)


def test_both_ways_through_a_layer_and_to_the_ticket_count_in_the_recursion():
    # e_2 by W: 2 + 3 * 3 = 11, by W + E+: 3 + 3 * 2 = 9; the ticket: through * 3 = 9 or B + e = 4 + 9 = 13.
    half = Scale(2.0, 1.0, 3.0)
    first, second, third = recursion([half, Scale(2.0, 3.0, 3.0), Scale(0.0, 1.0, 1.0)], 1.0)
    assert (first.error, first.target, first.ticket) == (1, 2, 3)
    assert (second.error, second.target, second.ticket) == (9, 4, 9)
    assert third.error == 9
    # By its own norms the ticket reaches 2 * 3 + 5 = 11, beside the target 2 + 4; W + E+ is at most s + eta = 2.
    assert recursion([half, Scale(1.0, 1.0, 2.0, ticket_bias=5.0)], 1.0)[-1].ticket == 6
    assert recursion([Scale(1.0, 1.0, 9.0, bias=5.0, ticket_bias=1.0)], 1.0)[-1].ticket == 3


def test_a_layer_without_biases_adds_none():
    found = Scale(1.0, 1.0, 2.0)
    assert (found.bias, found.ticket_bias, found.bias_error) == (0.0, 0.0, 0.0)


def test_the_norms_of_a_layer_whose_errors_are_zero_are_those_of_the_target():
    layer = effective([[3.0, 4.0], [0.0, 1.0]])
    for domain in (Ball(2), Box.cube(2)):
        assert first_error(layer, domain) == 0
        first, second = scales([layer, layer], domain)
        assert first.weight <= second.ticket <= first.weight * (1 + 1e-15)


def check_ranges(found, wanted, rounding):
    """Each range holds the wanted one, up to `rounding` of the largest number, and is no wider than roundings."""
    for i, (ends, truth) in enumerate(zip(vars(found).values(), wanted, strict=True)):
        gaps = (exact(ends[0]) - truth) * (1 if i % 2 else -1)
        size = max(1, *map(abs, truth))
        assert -rounding * size <= min(gaps)
        assert max(gaps) <= size * Fraction(1, 10**13)


def test_coupled_intervals_are_their_formula_in_every_layer():
    for layers, domain in networks(62):
        net, rounding = matrices_of(layers, domain), 0 if isinstance(domain, Box) else Fraction(1, 10**14)
        found, wanted = first_ranges(net[0], region_of(domain)), slow_first_ranges(layers[0], domain)
        check_ranges(found, wanted, rounding)
        for matrices, layer in zip(net[1:], layers[1:], strict=True):
            after, wanted = behind(found), slow_behind(*wanted)
            check_ranges(after, wanted, rounding)
            found, wanted = interval_ranges(matrices, after), slow_ranges(layer, *wanted)
            check_ranges(found, wanted, rounding)
        outputs = np.maximum(abs(wanted[4]), abs(wanted[5])).astype(np.float64)
        size = np.linalg.norm(outputs) if isinstance(domain, Ball) else outputs.max()
        assert size * (1 - 1e-14) <= coupled(layers, domain).value <= size * (1 + 1e-11) + 1e-13


def test_averaged_operators_are_the_average_over_all_cuts():
    for layers, domain in networks(63):
        truth = slow_averaged(layers, domain, 4)
        assert truth * (1 - 1e-12) <= averaged(layers, domain).value <= truth * (1 + 1e-7)


@pytest.mark.parametrize("depth", [5, 6, 9])
def test_averages_of_long_chains_are_between_those_of_all_products_and_of_all_factors(depth):
    rng = np.random.default_rng([64, depth])
    layers = random_layers(rng, [3] * (depth + 1), biases=True, spread=0.1)
    for domain in (Ball(3), Box.cube(3), Box.cube(3, 0.0, 1.0)):
        found = averaged(layers, domain).value
        assert slow_averaged(layers, domain, 99) * (1 - 1e-12) <= found <= slow_averaged(layers, domain, 4) * (1 + 1e-7)


def test_the_backward_pass_is_the_exact_bound_of_its_lines_and_what_roundings_may_cost():
    for layers, box in boxes(65, (2, 3, 4)):
        net, region = matrices_of(layers, box), region_of(box)
        hidden, form = hidden_layers(net, region), final_form(net[-1])
        found = reach_of(form, hidden, region).bounds[0]
        rows = zip(form.on_change[0], form.on_target[0], form.shift[0], strict=True)
        for (a, h, shift), bound in zip(rows, found, strict=True):
            truth, rounding = slow_reach(exact(a), exact(h), Fraction(shift), hidden, region, box)
            assert truth + rounding <= Fraction(bound) <= truth + Fraction(1, 10**11)


def quarters(rng, *shape):
    return rng.integers(-6, 7, shape) / 4


def known_by_hand(rng, layer):
    """A hidden layer whose ranges and lines are a few bits each, so that no sum with them is rounded."""
    ends = [quarters(rng, 1, layer.units) for _ in range(6)]
    lines = [
        Lines(abs(quarters(rng, 1, layer.units)), *(quarters(rng, 1, layer.units) for _ in range(3))) for _ in "dh"
    ]
    sizes = abs(quarters(rng, 1, layer.units)), abs(quarters(rng, 1, layer.units))
    return Known(layer, Ranges(*ends), *lines, sizes, 0 * ends[0], layer.weight[None])


@pytest.mark.parametrize("seed", range(8))
def test_where_nothing_is_rounded_the_backward_pass_adds_its_pad_and_no_more(seed):
    rng = np.random.default_rng([67, seed])
    widths = [3, 4, 2, 5][: 2 + seed % 3]
    layers = [
        effective(quarters(rng, *shape), quarters(rng, *shape), quarters(rng, *shape), *quarters(rng, 2, shape[0]))
        for shape in itertools.pairwise(widths)
        for shape in [shape[::-1]]
    ]
    low = quarters(rng, 3) - 0.5
    box = Box(low, low + abs(quarters(rng, 3)))
    net, region = matrices_of(layers, box), region_of(box)
    hidden = [known_by_hand(rng, layer) for layer in net]
    a, h = quarters(rng, 2, 1, 1, widths[-1])
    value = reach_of(Form(a, h, np.zeros((1, 1))), hidden, region).bounds
    shift = -np.round(value * 2.0**30) / 2.0**30  # then nearly nothing but the pad is left
    found = Fraction(reach_of(Form(a, h, shift), hidden, region).bounds[0, 0])
    value, pad = slow_pad(exact(a[0, 0]), exact(h[0, 0]), exact(shift)[0, 0], hidden, region)
    assert value + pad <= found <= value + pad * (1 + Fraction(1, 10**8))


def test_linear_bounds_of_a_box_are_those_of_their_rows():
    for layers, box in boxes(66, (1, 3)):
        net, region = matrices_of(layers, box), region_of(box)
        bounds = output_bounds(net, hidden_layers(net, region), region).bounds[0]
        assert differential(layers, box).value == max(bounds.max(), 0.0)


def cases():
    ends = [-2.0, -0.75, 0.0, 0.25, 1.0]
    return itertools.product(itertools.combinations_with_replacement(ends, 2), repeat=2)


def test_lines_have_the_slopes_of_the_chords_and_no_larger_constants_than_they_need():
    for (zl, zu), (a, b) in cases():
        lines, z = relu_lines(np.array([[zl]]), np.array([[zu]])), np.array([zl, zu])
        over = max(relu(z) - lines.rise[0, 0] * z)
        assert lines.over[0, 0] <= over + 1e-14
        if zl < 0 < zu:
            assert lines.rise[0, 0] == pytest.approx(zu / (zu - zl))
            assert lines.slope[0, 0] == (zu > -zl)
        ranges = unit(zl, zu, a, b)
        lines, change = change_lines(ranges), np.array([a, b])
        end = np.where(change >= 0, zu, zl)
        top = relu(end + change) - relu(end)
        bottom = change if zl >= 0 else np.minimum(change, 0) if zu >= 0 else 0 * change
        unknown = zl + a < 0 < zu + b
        assert lines.over[0, 0] <= (max(top - lines.rise[0, 0] * change) + 1e-14 if unknown else 0)
        assert lines.under[0, 0] <= max(lines.slope[0, 0] * change - bottom) + 1e-14
        if a < b and unknown:
            assert lines.rise[0, 0] == pytest.approx((top[1] - top[0]) / (b - a))
            assert lines.slope[0, 0] == pytest.approx((bottom[1] - bottom[0]) / (b - a))


def unit(zl, zu, a, b):
    return Ranges(*(np.array([[end]]) for end in (zl, zu, zl + a, zu + b, a, b)))
