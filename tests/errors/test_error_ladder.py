"""Upper ends against the truth: cells in the plane, exact rationals, worked examples and invariances."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import effective, random_layers, rational_difference

from slth.errors.averaged import averaged
from slth.errors.bracket import Effort, bracket, upper_ends
from slth.errors.cells import exact_plane_error, plane_error
from slth.errors.coupled import coupled
from slth.errors.differential import differential
from slth.errors.domain import Ball, Box
from slth.errors.exact import exact_error, one_layer_supremum
from slth.errors.interval import Lower, Upper
from slth.errors.recursion import scalar
from slth.errors.splitting import splitting
from slth.gadget import EffectiveLayer
from slth.networks.layers import Dense

CLOSE = 1 + 1e-12


TIERS = [averaged, coupled, differential]


PLANE = [Ball(2), Ball(2, 0.7), Box.cube(2), Box.cube(2, 0.0, 1.0), Box(np.array([-0.5, 0.25]), np.array([1.5, 0.75]))]


QUICK = Effort(samples=20, starts=8, steps=8, rounds=3, boxes=64)


def plane_net(seed):
    """A network of depth 2 to 8 with 2 inputs, errors of very different sizes."""
    rng = np.random.default_rng([20, seed])
    depth = 2 + seed % 7
    widths = [2, *rng.integers(1, 17, depth - 1), int(rng.integers(1, 5))]
    return random_layers(rng, widths, spread=2.0 ** -float(rng.integers(1, 44)))


def check_plane_net(seed):
    layers = plane_net(seed)
    for domain in PLANE:
        truth = plane_error(layers, domain)
        interval = bracket(layers, domain, effort=QUICK, seed=seed)
        assert interval.lower <= truth * (1 + 1e-9)
        for end in interval.ladder:
            if isinstance(end, Upper):
                assert truth * (1 - 1e-9) <= end.value, end.method


@pytest.mark.parametrize("seed", range(28))
def test_lower_truth_and_upper_are_in_order_on_every_plane_network(seed):
    check_plane_net(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_lower_truth_and_upper_are_in_order_on_thousands_of_plane_networks(part):
    for seed in range(100 + 200 * part, 300 + 200 * part):
        layers = plane_net(seed)
        for domain in PLANE:
            truth = plane_error(layers, domain)
            low = min(end.value for end in upper_ends(layers, domain))
            assert truth * (1 - 1e-9) <= low
        if seed % 10 == 0:
            check_plane_net(seed)


@pytest.mark.parametrize("seed", range(12))
def test_upper_ends_exceed_the_rational_truth_without_any_tolerance(seed):
    rng = np.random.default_rng([21, seed])
    layers = random_layers(rng, [2, *rng.integers(1, 6, 1 + seed % 3), 2], spread=2.0 ** -float(rng.integers(1, 40)))
    for box in PLANE[2:]:
        truth = exact_plane_error(layers, box)
        assert all(truth <= Fraction(end.value) for end in upper_ends(layers, box))
        split = splitting(layers, box, boxes=200, gap=1e-6)
        assert Fraction(split.lower.value) <= truth <= Fraction(split.upper.value)


@given(st.data())
def test_upper_ends_exceed_exact_errors_with_biases(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    widths = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    layers = random_layers(rng, widths, biases=data.draw(st.booleans()), spread=2.0 ** -data.draw(st.integers(0, 44)))
    low = rng.normal(size=widths[0])
    inputs = widths[0]
    boxes = [Box.cube(inputs), Box(low, low + rng.random(inputs)), Box(-abs(low), 0 * low), Box(low, low)]
    for domain in (Ball(inputs), Ball(inputs, 0.3), *boxes):
        points = list(domain.sample(3, rng))
        if isinstance(domain, Box):
            points += [np.where(rng.random(inputs) < 0.5, domain.low, domain.high) for _ in range(3)]
        bound = min(Fraction(tier(layers, domain).value) for tier in TIERS)
        for x in points:
            difference = rational_difference(layers, x)
            if isinstance(domain, Ball):
                assert sum(d * d for d in difference) <= bound**2
            else:
                assert max(map(abs, difference)) <= bound


@pytest.mark.parametrize("tier", TIERS)
def test_zero_errors_give_exactly_zero(tier):
    for biases in (False, True):
        layers = [
            EffectiveLayer(m.target, 0 * m.positive, 0 * m.negative, 0 * m.bias)
            for m in random_layers(np.random.default_rng(0), [4, 5, 3], biases=biases)
        ]
        for domain in (Ball(4), Box.cube(4), Box.cube(4, -3.0, 0.5)):
            assert tier(layers, domain).value == 0.0
    assert splitting(layers, Box.cube(4)).upper.value == 0.0


@pytest.mark.parametrize("tier", [*TIERS, scalar])
def test_errors_of_negative_inputs_count_where_the_domain_has_some_and_nowhere_else(tier):
    below, plain, behind = effective([[0.5]], 0.0, 0.125), effective([[0.5]]), effective([[0.5]], 0.0, 0.25)
    for layers, share in (([below], 1.0), ([below, plain], 0.5)):
        assert min(tier(layers, domain).value for domain in (Box.cube(1), Ball(1))) >= 0.125 * share
        assert tier(layers, Box.cube(1, 0.0, 1.0)).value == 0.0
    assert tier([plain, behind], Box.cube(1)).value == tier([plain, behind], Ball(1)).value == 0.0


@pytest.mark.parametrize("seed", range(10))
def test_one_layer_bounds_are_exact_where_they_should_be(seed):
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(1, 20))
    layer = random_layers(rng, [inputs, int(rng.integers(1, 6))], biases=bool(seed % 2))[0]
    low = rng.normal(size=inputs)
    for box in (Box.cube(inputs), Box.cube(inputs, 0.0, 1.0), Box(low, low + rng.random(inputs))):
        truth = one_layer_supremum(layer, box)
        for tier in (coupled, differential):
            assert truth <= Fraction(tier([layer], box).value) <= truth * Fraction(CLOSE)


@pytest.mark.parametrize("domain", [Ball(1), Box.cube(1), Box.cube(1, 0.0, 1.0), Ball(1, 4.0)])
@pytest.mark.parametrize("tier", TIERS)
def test_positive_scalar_chains_are_bounded_tightly(tier, domain):
    # All units on: [0, 1] leaves no doubt about a sign; the averages lose what the cuts cost, here nothing.
    layers = [effective([[0.75]], 2.0**-7, 2.0**-9), effective([[0.5]], 2.0**-6), effective([[1.5]], 2.0**-11)]
    truth = domain.reach * ((0.75 + 2**-7) * (0.5 + 2**-6) * (1.5 + 2**-11) - 0.75 * 0.5 * 1.5)
    found = tier(layers, domain).value
    assert truth <= found
    if tier is not averaged and domain.nonnegative:
        assert found <= truth * CLOSE


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("exponent", [-7, 1, 9])
def test_bounds_without_biases_scale_with_the_domain(tier, exponent):
    layers = random_layers(np.random.default_rng(1), [6, 5, 4, 3])
    factor = 2.0**exponent
    pairs = [(Ball(6), Ball(6, factor)), (Box.cube(6, -1.0, 0.5), Box.cube(6, -factor, 0.5 * factor))]
    for small, large in pairs:
        assert math.isclose(factor * tier(layers, small).value, tier(layers, large).value, rel_tol=1e-12)


@pytest.mark.parametrize("tier", TIERS)
def test_bounds_do_not_depend_on_the_order_of_hidden_units(tier):
    rng = np.random.default_rng(2)
    first, second = random_layers(rng, [5, 8, 3], biases=True)
    o = rng.permutation(8)
    shuffled = [
        EffectiveLayer(
            Dense(first.target.weight[o], first.target.bias[o]), first.positive[o], first.negative[o], first.bias[o]
        ),
        EffectiveLayer(
            Dense(second.target.weight[:, o], second.target.bias),
            second.positive[:, o], second.negative[:, o], second.bias,
        ),
    ]  # fmt: skip
    for domain in (Ball(5), Box.cube(5)):
        assert math.isclose(tier([first, second], domain).value, tier(shuffled, domain).value, rel_tol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_linear_bounds_are_never_above_coupled_intervals_nor_averages_of_a_ball_above_the_recursion(seed):
    rng = np.random.default_rng([25, seed])
    layers = random_layers(rng, [3, *rng.integers(2, 9, 3), 2], spread=2.0 ** -float(rng.integers(1, 30)))
    for domain in (Ball(3), Box.cube(3), Box.cube(3, 0.0, 1.0)):
        assert differential(layers, domain).value <= coupled(layers, domain).value * CLOSE
    assert averaged(layers, Ball(3)).value <= scalar(layers, Ball(3)).value * (1 + 1e-8)


def test_norms_of_both_signs_count_in_the_first_layer():
    # W = 0, E+ = [1, 0], E- = [0, -1]: at (1, -1)/sqrt 2 both act, so the first layer reaches sqrt 2, not 1.
    first = effective([[0.0, 0.0]], [[1.0, 0.0]], [[0.0, -1.0]])
    for tier in TIERS:
        assert tier([first], Ball(2)).value >= math.sqrt(2)
        assert tier([first, effective([[1.0]], 0.5)], Ball(2)).value >= 1.5 * math.sqrt(2) * (1 - 1e-15)
        assert tier([first], Box.cube(2)).value >= 2.0


def test_negative_inputs_play_no_part_behind_a_relu():
    rng = np.random.default_rng(3)
    first, second = random_layers(rng, [3, 4, 2])
    wild = EffectiveLayer(second.target, second.positive, second.negative * 1000, second.bias)
    for domain in (Ball(3), Box.cube(3)):
        assert upper_ends([first, second], domain) == upper_ends([first, wild], domain)


def test_every_tier_wins_somewhere():
    def winner(widths, domain, spread=2.0**-20, seed=0):
        ends = upper_ends(random_layers(np.random.default_rng(seed), widths, spread=spread), domain)
        return min(ends, key=lambda end: end.value).method

    assert winner([64, 32, 10], Ball(64)) == "averaged operators"
    assert winner([64, 32, 10], Box.cube(64)) == "averaged operators"
    assert winner([4, 16, 16, 4], Box.cube(4)) == "linear difference bounds"
    assert winner([2, 16, 4], Ball(2)) == "linear difference bounds"
    assert (
        bracket(random_layers(np.random.default_rng(0), [4, 8, 3], spread=2.0**-20), Box.cube(4, 0.0, 1.0)).upper_method
        == "splitting"
    )


def test_witnesses_attain_their_lower_ends_on_networks_with_biases():
    layers = random_layers(np.random.default_rng(4), [3, 6, 5, 2], biases=True)
    for domain in (Ball(3), Box.cube(3)):
        for end in bracket(layers, domain, effort=QUICK).ladder:
            if isinstance(end, Lower):
                assert exact_error(layers, end.witness, domain) == end.value
