import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from slth.bounds import Bound, Direction, Provenance
from slth.references import DACUNHA2023, LUEKER1998
from slth.symbols import symbol

n, R, m, eps, delta, C, z, q = (symbol(name) for name in ("n", "R", "m", "epsilon", "delta", "C", "z", "q"))


def bound(quantity, expression, direction=Direction.UPPER, provenance=Provenance.DERIVED, name="a bound"):
    return Bound(name, quantity, direction, expression, provenance, DACUNHA2023)


FAILURE = bound(delta, 8 * R**2 / eps**2 * (1 - m / 2) ** n)
COUNTING = bound(n, sympy.log(R / eps, 2), Direction.LOWER)
WITH_CONSTANT = Bound("lueker", n, Direction.UPPER, C * sympy.log(2 / eps, 2), Provenance.RESTATED, LUEKER1998)
HEURISTIC = bound(eps, 2**-n * sympy.sqrt(n * q) * sympy.exp(z**2 / (n * q)), Direction.HEURISTIC, Provenance.HEURISTIC)


@given(st.floats(1e-6, 1.0), st.integers(0, 2000), st.floats(0.1, 1.0), st.floats(0.01, 0.5))
def test_evaluate_is_the_formula(tolerance, samples, window, drift):
    expected = 8 * window**2 / tolerance**2 * (1 - drift / 2) ** samples
    assert FAILURE.evaluate(epsilon=tolerance, n=samples, R=window, m=drift) == pytest.approx(expected, rel=1e-9)


def test_evaluate_of_a_large_power_is_quick_and_underflows_to_zero():
    assert FAILURE.evaluate(epsilon=0.1, n=10**9, R=Fraction(1, 2), m=Fraction(1, 2)) == 0.0


def test_evaluate_is_infinite_where_float64_overflows():
    assert FAILURE.evaluate(epsilon=1e-200, n=0, R=1, m=0.5) == math.inf


def test_minimum_of_two_symbols_has_a_value():
    both = bound(n, sympy.log(1 / sympy.Min(eps, delta)))
    assert both.evaluate(epsilon=0.2, delta=0.1) == pytest.approx(math.log(10))


def test_a_missing_value_is_named_with_its_meaning():
    with pytest.raises(ValueError, match=r"needs a value for m \(drift constant"):
        FAILURE.evaluate(epsilon=0.1, n=3, R=1)


def test_a_constant_that_the_paper_does_not_give_has_no_default():
    for ask in (
        lambda: WITH_CONSTANT.evaluate(epsilon=0.1),
        lambda: WITH_CONSTANT.lambdify("epsilon"),
        lambda: WITH_CONSTANT.crossover(COUNTING, "epsilon", 0.1, 0.5, R=1),
    ):
        with pytest.raises(ValueError, match=r"Lueker \(1998\) gives no value for C.*in sight of the reader, as C="):
            ask()
    assert WITH_CONSTANT.evaluate(epsilon=0.5, C=3) == pytest.approx(6.0)


def test_values_out_of_place_are_refused():
    with pytest.raises(ValueError, match="takes no value for C; it takes R, epsilon, m, n"):
        FAILURE.evaluate(C=1, epsilon=0.1, n=3, R=1, m=0.5)
    with pytest.raises(ValueError, match="no symbol is named 'eps'"):
        FAILURE.evaluate(eps=0.1)
    with pytest.raises(ValueError, match="must be one real number in"):
        FAILURE.evaluate(epsilon=-1, n=3, R=1, m=0.5)
    with pytest.raises(TypeError, match="must be one real number"):
        FAILURE.evaluate(epsilon="0.1", n=3, R=1, m=0.5)


def test_a_value_that_is_not_real_is_refused():
    # log2(R / epsilon) is negative for R < epsilon, and its root is not real.
    with pytest.raises(ValueError, match="has no real value"):
        bound(n, sympy.sqrt(sympy.log(R / eps))).evaluate(R=0.1, epsilon=0.5)


def test_the_inverse_of_the_inverse_is_the_bound():
    inverse = bound(n, FAILURE.solve("n"))
    for tolerance, probability in ((0.01, 0.1), (1e-3, 1e-3)):
        samples = inverse.evaluate(epsilon=tolerance, delta=probability, R=1, m=0.25)
        assert FAILURE.evaluate(epsilon=tolerance, n=samples, R=1, m=0.25) == pytest.approx(probability, rel=1e-9)


def test_solve_with_all_values_is_a_number():
    assert float(FAILURE.solve("n", delta=0.1, epsilon=0.01, R=1, m=0.25)) == pytest.approx(101.7915468)


def test_solve_within_a_bracket_where_there_is_no_closed_form():
    root = float(HEURISTIC.solve("n", low=2, high=60, epsilon=1e-4, z=0.5, q=1 / 9))
    assert HEURISTIC.evaluate(n=root, z=0.5, q=1 / 9) == pytest.approx(1e-4, rel=1e-9)


def test_solve_refuses_what_it_cannot_decide():
    with pytest.raises(ValueError, match=r"no single closed form for n .* give low, high"):
        HEURISTIC.solve("n")
    with pytest.raises(ValueError, match="no single closed form"):
        HEURISTIC.solve("n", z=0)  # in a power and beside it: two branches of the Lambert function
    with pytest.raises(
        ValueError, match=r"changes sides at 2 places of the range of z, near -0\.5\d*, near 0\.4\d*: give low, high"
    ):
        HEURISTIC.solve("z", epsilon=HEURISTIC.evaluate(n=20, q=1, z=0.5), n=20, q=1)
    with pytest.raises(ValueError, match="changes sides at 0 places of the range of m"):
        FAILURE.solve("m", delta=0.9, epsilon=0.1, n=1, R=1)  # at least 4 for every m
    with pytest.raises(ValueError, match="can be solved for R, epsilon, m, n"):
        FAILURE.solve("C")
    with pytest.raises(ValueError, match="can be solved for"):
        FAILURE.solve("n", n=3)
    with pytest.raises(ValueError, match=r"needs a value for q"):
        HEURISTIC.solve("n", low=2, high=60, epsilon=1e-4, z=0)
    with pytest.raises(ValueError, match=r"needs a value for epsilon"):
        HEURISTIC.solve("n", low=2, high=60, z=0, q=1)
    with pytest.raises(ValueError, match="no change of sides between n = 2 and 3"):
        HEURISTIC.solve("n", low=2, high=3, epsilon=1e-4, z=0, q=1)
    with pytest.raises(ValueError, match="need low < high"):
        HEURISTIC.solve("n", low=3, high=3, epsilon=1e-4, z=0, q=1)


@pytest.mark.parametrize(
    ("expression", "name", "value"),
    [
        # sympy finds no root of x^(5/2) + x log x, and one of x^3 log x^2 only after a TypeError of its own.
        (C * (n * q ** sympy.Rational(3, 2) / eps + n * q * sympy.log(n * q / eps)), "q", 9.0),
        (64 * n**2 * q**5 * sympy.log(2 * n * q**2 / delta) / eps**2, "q", 3.0),
        (sympy.log(8 * n / (delta * eps**2)) / sympy.log(sympy.Rational(16, 15)), "delta", 0.05),
        (C * sympy.log(n / sympy.Min(eps, delta)), "epsilon", 0.01),
        # A root at one of the points that are looked at, and a pole at the end of the range.
        (sympy.log(n / delta), "delta", 0.1),
        (-sympy.log(n / delta) / sympy.log(1 - m / 2), "m", 0.25),
    ],
)
def test_with_all_other_values_every_symbol_with_one_root_is_found(expression, name, value):
    one = bound(symbol("D"), expression)
    values = {"C": 2, "n": 30, "q": 3, "epsilon": 0.1, "delta": 0.05, "m": 0.5} | {name: value}
    given = {key: of for key, of in values.items() if key in one.symbols}
    level = one.evaluate(**given)
    assert float(one.solve(name, D=level, **{k: v for k, v in given.items() if k != name})) == pytest.approx(value)


def test_where_sympy_itself_fails_the_answer_is_a_refusal_that_says_what_to_give():
    for expression in (
        C * (n * q ** sympy.Rational(3, 2) / eps + n * q * sympy.log(n * q / eps)),
        64 * n**2 * q**5 * sympy.log(2 * n * q**2 / delta) / eps**2,
    ):
        with pytest.raises(ValueError, match="no single closed form for q"):
            bound(symbol("D"), expression).solve("q")


def test_of_two_opposite_roots_the_one_in_the_range_is_taken():
    d = symbol("d")
    assert bound(symbol("P"), d**2 * sympy.log(symbol("M") + 1)).solve("d") == sympy.sqrt(symbol("P")) / sympy.sqrt(
        sympy.log(symbol("M") + 1)
    )
    assert bound(n, R**2 / eps).solve("R") == sympy.sqrt(n) * sympy.sqrt(eps)


def test_lambdify_agrees_with_evaluate_and_broadcasts_integers():
    function = COUNTING.lambdify("R", "epsilon")
    tolerances = np.array([0.5, 0.25, 0.125])
    assert np.allclose(function(1, tolerances), [COUNTING.evaluate(R=1, epsilon=t) for t in tolerances], rtol=1e-14)
    powers = bound(eps, R * 2**-n, Direction.LOWER).with_values(R=1).lambdify("n")
    assert np.array_equal(powers(np.array([1, 2, 3])), [0.5, 0.25, 0.125])
    both = bound(n, sympy.log(1 / sympy.Min(eps, delta))).lambdify("epsilon", "delta")
    assert np.allclose(both([0.1, 0.3], 0.2), np.log([10, 5]))


def test_lambdify_of_a_constant_has_the_shape_of_its_argument():
    assert FAILURE.with_values(epsilon=1, n=0, R=1, m=0.5).lambdify("n")(np.zeros((2, 3))).tolist() == [[8.0] * 3] * 2


def test_a_symbol_called_i_is_not_the_imaginary_unit():
    assert bound(delta, symbol("I") * eps).lambdify("I", "epsilon")(2, 0.25) == 0.5


def test_with_values_keeps_fractions_exact():
    uniform = FAILURE.with_values(R=Fraction(1, 2), m=Fraction(1, 2))
    assert uniform.expression == 2 / eps**2 * sympy.Rational(3, 4) ** n
    assert uniform.symbols == ("epsilon", "n")
    assert uniform.provenance is FAILURE.provenance


def test_crossover_is_where_both_are_equal():
    at = WITH_CONSTANT.crossover(COUNTING, "epsilon", 1e-6, 0.4, C=0.9, R=1)
    assert WITH_CONSTANT.evaluate(epsilon=at, C=0.9) == pytest.approx(COUNTING.evaluate(epsilon=at, R=1))


def test_crossover_refuses_different_quantities_and_stray_values():
    with pytest.raises(ValueError, match="different quantities"):
        FAILURE.crossover(COUNTING, "n", 1, 2)
    for stray in ({"z": 1}, {"epsilon": 0.1}):
        with pytest.raises(ValueError, match="neither bound takes a value for"):
            WITH_CONSTANT.crossover(COUNTING, "epsilon", 0.1, 0.5, C=1, R=1, **stray)
    with pytest.raises(ValueError, match="no change of sides"):
        WITH_CONSTANT.crossover(COUNTING, "epsilon", 0.1, 0.5, C=3, R=1)


def test_latex_and_text_state_relation_and_source():
    assert FAILURE.latex().startswith(r"\delta \leq \frac{8 R^{2}")
    assert r"\ln{\left(\frac{R}{\varepsilon} \right)}" in COUNTING.latex()
    assert r"\approx" in HEURISTIC.latex()
    assert str(WITH_CONSTANT).endswith("[restated, Lueker (1998)]")


def test_bounds_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="no symbol is named 'foo'"):
        bound(n, sympy.Symbol("foo"))
    with pytest.raises(ValueError, match="not the table's symbol"):
        bound(n, sympy.Symbol("epsilon"))
    with pytest.raises(ValueError, match="expression in itself"):
        bound(n, n + 1)
    with pytest.raises(TypeError, match="sympy expression"):
        bound(n, 3.0)
    for direction, provenance in (
        (Direction.UPPER, Provenance.HEURISTIC),
        (Direction.HEURISTIC, Provenance.DERIVED),
    ):
        with pytest.raises(ValueError, match="proves no direction"):
            bound(n, eps, direction, provenance)


def test_exact_sympy_numbers_are_values_too():
    import sympy

    from slth.theorems.lueker1998_subset_sum import FAILURE

    exact = FAILURE.evaluate(epsilon=0.1, n=20, R=1, m=sympy.log(2) / 8)
    assert exact == pytest.approx(FAILURE.evaluate(epsilon=0.1, n=20, R=1, m=math.log(2) / 8))
