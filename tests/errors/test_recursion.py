"""Upper ends: worked examples, exact cases, invariances, and the traps that a loose proof falls into."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import effective, random_layers, rational_difference

from slth.errors.domain import Ball, Box
from slth.errors.exact import one_layer_supremum
from slth.errors.recursion import Scale, _first_difference, recursion, scalar, scales, vector
from slth.gadget import EffectiveLayer
from slth.networks.layers import Dense

CLOSE = 1 + 1e-12


def uppers(layers, domain):
    return [scalar(layers, domain)] + ([vector(layers, domain)] if isinstance(domain, Box) else [])


def test_worked_example_of_three_layers():
    # (s, eta) = (1, .01), (.9, .02), (.5, .01) on the unit ball gives e_3 = .023892 and B_3 = 9/20.
    pairs = [("1", "1/100"), ("9/10", "2/100"), ("1/2", "1/100")]
    norms = [Scale(Fraction(s), Fraction(eta), Fraction(s) + Fraction(eta)) for s, eta in pairs]
    last = recursion(norms, 1.0)[-1]
    assert last.error == Fraction(5973, 250000)
    assert last.target == Fraction(9, 20)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_equal_layers_of_norm_one_give_the_form_of_the_papers(depth):
    eta = Fraction(1, 8)
    assert recursion([Scale(1.0, 0.125, 1.125)] * depth, 1.0)[-1].error == (1 + eta) ** depth - 1


@pytest.mark.parametrize("domain", [Ball(1), Box.cube(1), Box.cube(1, 0.0, 1.0), Ball(1, 4.0)])
def test_positive_scalar_chains_are_bounded_tightly(domain):
    layers = [
        effective([[0.75]], 2.0**-7, 2.0**-9),
        effective([[0.5]], 2.0**-6),
        effective([[1.5]], 2.0**-11),
    ]
    truth = domain.reach * ((0.75 + 2**-7) * (0.5 + 2**-6) * (1.5 + 2**-11) - 0.75 * 0.5 * 1.5)
    for upper in uppers(layers, domain):
        assert truth <= upper.value <= truth * CLOSE


def test_positive_scalar_chains_with_biases_are_bounded_tightly():
    layers = [effective([[0.5]], 2.0**-7, bias=[0.25], bias_error=2.0**-8), effective([[1.5]], 2.0**-6)]
    truth = 1.5 * (2**-7 + 2**-8) + 2**-6 * (0.75 + 2**-7 + 2**-8)
    for domain in (Ball(1), Box.cube(1)):
        for upper in uppers(layers, domain):
            assert truth <= upper.value <= truth * CLOSE


@pytest.mark.parametrize("seed", range(20))
def test_one_layer_vector_bound_is_the_supremum(seed):
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(1, 40))
    layer = random_layers(rng, [inputs, int(rng.integers(1, 6))], biases=bool(seed % 2))[0]
    low = rng.normal(size=inputs)
    for box in (Box.cube(inputs), Box.cube(inputs, 0.0, 1.0), Box(low, low + rng.random(inputs))):
        truth = one_layer_supremum(layer, box)
        assert truth <= Fraction(vector([layer], box).value) <= truth * Fraction(CLOSE)


@given(st.data())
def test_upper_ends_exceed_exact_errors_at_random_rational_points_and_corners(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    widths = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    layers = random_layers(rng, widths, biases=data.draw(st.booleans()), spread=2.0 ** -data.draw(st.integers(0, 44)))
    low = rng.normal(size=widths[0])
    inputs = widths[0]
    boxes = [
        Box.cube(inputs),
        Box.cube(inputs, 0.0, 1.0),
        Box(low, low + rng.random(inputs)),
        Box(-abs(low), 0 * low),
    ]
    for domain in (Ball(inputs), Ball(inputs, 0.3), *boxes):
        points = list(domain.sample(4, rng))
        if isinstance(domain, Box):
            points += [np.where(rng.random(inputs) < 0.5, domain.low, domain.high) for _ in range(4)]
        bounds = [Fraction(upper.value) for upper in uppers(layers, domain)]
        for x in points:
            difference = rational_difference(layers, x)
            largest = max(map(abs, difference))
            if isinstance(domain, Ball):
                assert sum(d * d for d in difference) <= min(bounds) ** 2
            else:
                assert largest <= min(bounds)


@pytest.mark.parametrize("domain", [Ball(4), Box.cube(4), Box.cube(4, -3.0, 0.5)])
@pytest.mark.parametrize("biases", [False, True])
def test_zero_errors_give_exactly_zero(domain, biases):
    rng = np.random.default_rng(0)
    layers = [
        EffectiveLayer(layer.target, 0 * layer.positive, 0 * layer.negative, 0 * layer.bias)
        for layer in random_layers(rng, [4, 5, 3], biases=biases)
    ]
    assert [upper.value for upper in uppers(layers, domain)] == [0.0] * len(uppers(layers, domain))


@pytest.mark.parametrize("exponent", [-7, 1, 9])
def test_bounds_without_biases_scale_with_the_domain(exponent):
    layers = random_layers(np.random.default_rng(1), [6, 5, 4, 3])
    factor = 2.0**exponent
    for small, large in (
        (Ball(6), Ball(6, factor)),
        (Box.cube(6, -1.0, 0.5), Box.cube(6, -factor, 0.5 * factor)),
    ):
        for one, other in zip(uppers(layers, small), uppers(layers, large), strict=True):
            assert math.isclose(factor * one.value, other.value, rel_tol=1e-14)


def test_bounds_do_not_depend_on_the_order_of_hidden_units():
    rng = np.random.default_rng(2)
    first, second = random_layers(rng, [5, 8, 3], biases=True)
    order = rng.permutation(8)
    shuffled = [
        EffectiveLayer(
            Dense(first.target.weight[order], first.target.bias[order]),
            first.positive[order],
            first.negative[order],
            first.bias[order],
        ),
        EffectiveLayer(
            Dense(second.target.weight[:, order], second.target.bias),
            second.positive[:, order],
            second.negative[:, order],
            second.bias,
        ),
    ]
    for domain in (Ball(5), Box.cube(5)):
        for one, other in zip(uppers([first, second], domain), uppers(shuffled, domain), strict=True):
            assert math.isclose(one.value, other.value, rel_tol=1e-9)


@given(st.integers(0, 2**32))
def test_a_smaller_box_never_gets_a_larger_bound(seed):
    rng = np.random.default_rng(seed)
    layers = random_layers(rng, [4, 6, 6, 2], biases=True)
    low, width = rng.normal(size=4), rng.random(4) * 2
    inner = low + width * 0.5 * rng.random(4)
    big, small = Box(low, low + width), Box(inner, inner + (low + width - inner) * rng.random(4))
    for one, other in zip(uppers(layers, small), uppers(layers, big), strict=True):
        assert one.value <= other.value * CLOSE


def test_both_signs_of_the_first_layer_count_on_a_ball():
    # At x = (1, -1)/sqrt 2 both errors act although E+ and E- have norm 1 each, also in the layer behind.
    first = effective([[0.0, 0.0]], [[1.0, 0.0]], [[0.0, -1.0]])
    assert math.sqrt(2) <= scalar([first], Ball(2)).value <= math.sqrt(2) * CLOSE
    behind = effective([[1.0]], 0.5)
    truth = 1.5 * math.sqrt(2)
    assert truth * (1 - 1e-15) <= scalar([first, behind], Ball(2)).value <= truth * CLOSE


def test_one_column_of_each_sign_pair_acts_at_a_time():
    # The norm of [E+, -E-] is sqrt 2, but a coordinate has only one sign: the error on the ball is 1.
    assert 1.0 <= scalar([effective([[0.0]], 1.0, 1.0)], Ball(1)).value <= CLOSE
    # On a box the larger of the two counts, not their sum.
    assert 1.0 <= scalar([effective([[0.0]], 1.0, 0.5)], Box.cube(1)).value <= CLOSE


@pytest.mark.parametrize(
    ("low", "high", "truth"), [(1.0, 2.0, 2.0), (-2.0, -1.0, 6.0), (0.0, 2.0, 2.0), (-1.0, 0.0, 3.0)]
)
def test_only_the_signs_that_the_box_allows_count(low, high, truth):
    layer = effective([[0.0]], 1.0, 3.0)
    for upper in uppers([layer], Box(np.array([low]), np.array([high]))):
        assert truth <= upper.value <= truth * CLOSE


def test_the_bias_error_is_added_on_each_side_not_in_modulus():
    layer = effective([[0.0]], 1.0, bias_error=-0.25)
    assert 0.75 <= vector([layer], Box.cube(1, 0.0, 1.0)).value <= 0.75 * CLOSE


def test_negative_inputs_play_no_part_behind_a_relu():
    rng = np.random.default_rng(3)
    first, second = random_layers(rng, [3, 4, 2])
    wild = EffectiveLayer(second.target, second.positive, second.negative * 1000, second.bias)
    for domain in (Ball(3), Box.cube(3)):
        assert uppers([first, second], domain) == uppers([first, wild], domain)


def test_the_better_splitting_wins_where_the_error_cancels_the_weight():
    # W + E+ = 0 in layer 2: g is 0 there, so nothing of the first error gets through.
    layers = [effective([[1.0]], 0.5, 0.5), effective([[1.0]], -1.0)]
    for domain in (Ball(1), Box.cube(1)):
        for upper in uppers(layers, domain):
            assert 1.0 <= upper.value <= CLOSE


def test_scales_are_norms_of_the_domain():
    layer = effective([[3.0, 4.0]], [[0.5, 0.0]], bias=[2.0], bias_error=0.25)
    ball, box = scales([layer], Ball(2))[0], scales([layer], Box.cube(2))[0]
    expected = [(5.0, 0.5, 5.5, 2.0, 2.25, 0.25), (7.0, 0.5, 7.5, 2.0, 2.25, 0.25)]
    for scale, numbers in zip((ball, box), expected, strict=True):
        found = (scale.weight, scale.error, scale.ticket, scale.bias, scale.ticket_bias, scale.bias_error)
        assert all(n <= v <= n * CLOSE for v, n in zip(found, numbers, strict=True))


def test_the_vector_recursion_needs_a_box():
    with pytest.raises(TypeError, match="box"):
        vector([effective([[1.0]])], Ball(1))


def test_layers_of_another_domain_are_refused():
    for bound in (scalar, vector):
        with pytest.raises(ValueError, match="dimension 3"):
            bound([effective([[1.0]])], Box.cube(3))


@pytest.mark.parametrize("bias_error", [0.0, -0.25])
def test_the_first_layer_is_padded_by_the_moduli_of_its_terms_though_they_cancel(bias_error):
    # At the point 1 the terms are 1, -1, 1, -1, ... without any rounding error: nothing but the pad is seen.
    signs = (-1.0) ** np.arange(1000)
    layer = effective(np.zeros((1, 1000)), signs, bias_error=bias_error)
    (found,) = _first_difference(layer, Box.cube(1000, 1.0, 1.0))
    assert Fraction(found) >= Fraction(abs(bias_error)) + (1000 + Fraction(abs(bias_error))) * Fraction(1001, 2**53)
