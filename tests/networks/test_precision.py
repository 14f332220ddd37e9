"""Bits of target weights, and targets rounded to fewer."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.networks.layers import Dense
from slth.networks.precision import precision, quantised
from slth.networks.target import Target

weights = st.lists(st.integers(-(1 << 52), 1 << 52), min_size=1, max_size=6)


def one_layer(integers):
    return Target((Dense(np.array([integers])),))


@given(weights)
def test_precision_is_the_least_power_of_two_that_makes_all_weights_whole(integers):
    k = precision(one_layer(integers))
    assert all((Fraction(w, 1 << 48) * 2**k).denominator == 1 for w in integers)
    assert k == 0 or any((Fraction(w, 1 << 48) * 2 ** (k - 1)).denominator > 1 for w in integers)


@given(weights, st.integers(0, 24))
def test_rounding_goes_to_a_nearest_multiple_and_says_how_far(integers, bits):
    given_target = Target(one_layer(integers).layers, rounding=0.25)
    found = quantised(given_target, bits)
    assert precision(found) <= bits
    moves = [abs(int(a) - b) for a, b in zip(found.layers[0].weight[0], integers, strict=True)]
    assert max(moves) <= 1 << (47 - bits)
    assert found.rounding == max(moves) / 2.0**48 + 0.25


def test_biases_are_rounded_too_and_scale_stays():
    target = Target.from_floats([[[0.5]]], [[0.3]])
    found = quantised(Target(target.layers, target.rounding, scale=3.0), 1)
    assert found.layers[0].shift.item() == 0.5
    assert found.scale == 3.0
    assert precision(target) > 24
    assert precision(found) == 1


def test_a_target_on_the_grid_is_not_moved_and_zero_needs_no_bits():
    target = Target.from_floats([[[0.75, -0.5]]])
    assert (quantised(target, 2).layers[0].weight == target.layers[0].weight).all()
    assert quantised(target, 2).rounding == 0
    assert precision(Target.from_floats([[[0.0]]])) == 0
    assert precision(Target.from_floats([[[3.0]]])) == 0


@pytest.mark.parametrize("bits", [-1, 25, 2.0, True])
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises(ValueError, match="integer from 0 to 24"):
        quantised(Target.from_floats([[[0.5]]]), bits)
