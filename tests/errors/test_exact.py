"""Exact evaluation against a transcription in Fractions, and the one-layer supremum against brute force."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from problems import effective, random_layers, rational_difference

from slth.errors.domain import Ball, Box
from slth.errors.exact import exact_difference, exact_error, exact_product, lower_at, one_layer_supremum


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("biases", [False, True])
def test_exact_error_is_the_transcription_rounded_down(seed, biases):
    rng = np.random.default_rng(seed)
    widths = [3, *rng.integers(1, 5, seed % 4), 2]
    layers = random_layers(rng, widths, biases=biases, spread=2.0 ** -int(rng.integers(2, 40)))
    for domain in (Ball(3), Box.cube(3)):
        x = domain.sample(1, rng)[0]
        truth = rational_difference(layers, x)
        integers, k = exact_difference(layers, x)
        assert [Fraction(int(v), 2**k) for v in integers] == truth
        value = exact_error(layers, x, domain)
        above = Fraction(math.nextafter(value, math.inf))
        if domain.norm == "l2":
            square = sum(v * v for v in truth)
            assert Fraction(value) ** 2 <= square < above**2
        else:
            assert Fraction(value) <= max(map(abs, truth)) < above


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (40, 30), (2, 1 << 14)])
def test_products_in_limbs_are_those_of_python_integers(shape):
    rng = np.random.default_rng(shape)
    for bits in (1, 24, 49, 62):
        matrix = rng.integers(-(1 << bits), 1 << bits, shape, endpoint=bits < 62)
        for length in (1, 24, 25, 300):
            vector = np.array([int(v) * (1 << length) + int(v) for v in rng.integers(-9, 9, shape[1])], dtype=object)
            assert (exact_product(matrix, vector) == matrix.astype(object) @ vector).all()
    extreme = np.full((20, 20), -(1 << 62)), np.array([(1 << 500) - 1] * 20, dtype=object)
    assert (exact_product(*extreme) == extreme[0].astype(object) @ extreme[1]).all()
    nothing = np.zeros((20, 20), dtype=np.int64)
    assert (exact_product(nothing, extreme[1]) == 0).all()


def test_zero_points_and_zero_errors_give_zero():
    layers = random_layers(np.random.default_rng(0), [2, 3, 1])
    assert exact_error(layers, np.zeros(2), Ball(2)) == 0.0
    assert exact_error([effective([[1.0, 2.0]], bias=[0.5])], np.ones(2), Box.cube(2)) == 0.0


def test_tiny_errors_are_not_lost():
    layer = effective([[1.0]], 2.0**-48)
    assert exact_error([layer, effective([[1.0]])], [2.0**-500], Ball(1)) == 2.0**-548


def test_points_outside_by_one_last_bit_are_refused():
    layer = effective([[1.0]], 0.5)
    with pytest.raises(ValueError, match="outside the domain"):
        exact_error([layer], [math.nextafter(1.0, 2.0)], Ball(1))
    with pytest.raises(ValueError, match="outside the domain"):
        exact_error([layer], [-(2.0**-1074)], Box.cube(1, 0.0, 1.0))


@pytest.mark.parametrize("point", [[1.0, 0.0], [math.nan], 1.0])
def test_points_that_are_no_points_are_refused(point):
    with pytest.raises(ValueError):
        exact_error([effective([[1.0]])], point, Ball(1))


def test_a_lower_end_keeps_its_own_copy_of_the_witness():
    x = np.array([1.0])
    lower = lower_at([effective([[1.0]], 0.5)], x, Ball(1), "by hand")
    x[0] = 0.0
    assert (lower.value, lower.witness[0], lower.method) == (0.5, 1.0, "by hand")


@pytest.mark.parametrize("inputs", range(1, 9))
def test_one_layer_supremum_is_the_maximum_over_minus_one_zero_one(inputs):
    rng = np.random.default_rng(inputs)
    layer = random_layers(rng, [inputs, 2], biases=inputs % 2 == 0)[0]
    corners = np.array(list(product([-1, 0, 1], repeat=inputs))).astype(object)
    plus, minus = layer.positive.astype(object), layer.negative.astype(object)
    values = np.maximum(corners, 0) @ plus.T - np.maximum(-corners, 0) @ minus.T + layer.bias
    assert one_layer_supremum(layer, Box.cube(inputs)) == Fraction(int(np.abs(values).max()), 1 << 48)


def test_one_layer_supremum_on_a_general_box_is_attained_at_ends_or_zero():
    rng = np.random.default_rng(5)
    low = rng.normal(size=4)
    box = Box(low, low + rng.random(4) * 2)
    layer = random_layers(rng, [4, 3], biases=True)[0]
    choices = [sorted({lo, hi, min(max(0.0, lo), hi)}) for lo, hi in zip(box.low, box.high, strict=True)]
    best = max(max(map(abs, rational_difference([layer], x))) for x in product(*choices))
    assert one_layer_supremum(layer, box) == best


def test_the_bias_error_is_added_on_each_side_not_in_modulus():
    layer = effective([[0.0]], 1.0, 0.0, bias_error=-0.25)  # g - f = x - 1/4 on [0, 1]
    assert one_layer_supremum(layer, Box.cube(1, 0.0, 1.0)) == Fraction(3, 4)


def test_one_layer_supremum_needs_a_box():
    with pytest.raises(TypeError, match="box"):
        one_layer_supremum(effective([[1.0]]), Ball(1))
