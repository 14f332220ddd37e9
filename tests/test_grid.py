import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.grid import LARGEST_EXACT, LARGEST_WEIGHT, to_float, to_grid


@given(st.lists(st.floats(-16, 16), min_size=1, max_size=20))
def test_rounding_moves_by_at_most_half_a_unit_and_reports_exactly_how_far(values):
    integers, moved = to_grid(values)
    distances = [abs(Fraction(v) - Fraction(int(i), 2**48)) for v, i in zip(values, integers, strict=True)]
    assert max(distances) <= Fraction(1, 2**49)
    assert Fraction(moved) == max(distances)


@given(st.lists(st.integers(-LARGEST_EXACT, LARGEST_EXACT), max_size=20), st.sampled_from([24, 48]))
def test_floats_of_grid_integers_are_exact(integers, exponent):
    floats = to_float(np.array(integers, dtype=np.int64), exponent)
    assert [Fraction(x) for x in floats.tolist()] == [Fraction(i, 2**exponent) for i in integers]


@given(st.floats(2.0**-24, 16, width=32))
def test_float32_weights_are_on_the_grid_already(value):
    integers, moved = to_grid(np.float32(value))
    assert moved == 0
    assert to_float(integers) == np.float32(value)


def test_an_integer_without_exact_float_is_refused():
    for value in (LARGEST_EXACT + 1, -LARGEST_EXACT - 1):
        with pytest.raises(ValueError, match=r"exceeds 2\^53"):
            to_float(np.array([0, value]))


def test_shapes_are_kept_and_empty_arrays_pass():
    integers, moved = to_grid(np.zeros((2, 0)))
    assert integers.shape == (2, 0)
    assert moved == 0
    assert to_float(np.zeros((0, 3), dtype=np.int64)).shape == (0, 3)
    assert to_grid(np.ones((2, 3)))[0].dtype == np.int64


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_refused_by_name(value):
    with pytest.raises(ValueError, match="bias must be finite; 1 of 2"):
        to_grid([1.0, value], name="bias")


def test_values_that_are_too_large_are_refused():
    assert to_grid(LARGEST_WEIGHT)[1] == 0
    with pytest.raises(ValueError, match="at most 16; the largest is 17"):
        to_grid([1.0, -17.0])


@pytest.mark.parametrize("values", [["1"], [1j], [None], [True]])
def test_values_that_are_not_real_numbers_are_refused(values):
    with pytest.raises(ValueError, match="must be real numbers; got dtype"):
        to_grid(values)
