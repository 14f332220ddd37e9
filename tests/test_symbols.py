from fractions import Fraction

import numpy as np
import pytest
import sympy

from slth.symbols import TABLE, checked_value, notation, symbol


def test_names_are_unique():
    names = [line.symbol.name for line in TABLE]
    assert len(set(names)) == len(names)


def test_every_line_has_meaning_unit_and_a_range_that_fits_its_assumptions():
    for line in TABLE:
        assert line.meaning
        assert line.unit
        assert line.symbol.is_real
        assert bool(line.symbol.is_positive) == (line.range.start >= 0)


def test_a_lookup_gives_the_same_symbol_every_time():
    assert symbol("epsilon") is symbol("epsilon")
    assert notation("R").symbol == symbol("R")


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(ValueError, match=r"no symbol is named 'eps'; try .*epsilon \(approximation error"):
        symbol("eps")
    with pytest.raises(ValueError, match=r"L \(depth: number of layers"):
        symbol("depth")


def test_exact_numbers_stay_exact_and_float32_does_not_lose_digits():
    assert checked_value("R", Fraction(1, 2)) == sympy.Rational(1, 2)
    assert checked_value("R", sympy.sqrt(2)) == sympy.sqrt(2)
    assert checked_value("n", np.int64(3)) == 3
    assert float(checked_value("R", np.float32(0.1))) == float(np.float32(0.1))


@pytest.mark.parametrize("value", ["3", None, True, 1j, [1, 2], np.array([1.0, 2.0]), sympy.Symbol("x")])
def test_what_is_not_one_real_number_is_a_type_error(value):
    with pytest.raises(TypeError, match="must be one real number"):
        checked_value("n", value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delta", 0),
        ("delta", 1.0),
        ("epsilon", 0.0),
        ("n", -1),
        ("n", float("nan")),
        ("n", float("inf")),
        ("m", 1.5),
    ],
)
def test_values_outside_the_range_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name} \(.*must be one real number in"):
        checked_value(name, value)
