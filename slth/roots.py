"""Where an expression takes a value: in closed form, between two numbers, or anywhere in a range."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def vectorised(expression: sympy.Expr, symbols: tuple[sympy.Symbol, ...]) -> Callable[..., Floats]:
    """The expression as a numpy function of the symbols, in float64; its arguments broadcast.

    Args:
        expression: sympy expression in no other symbols.
        symbols: the arguments, in this order.

    >>> vectorised(sympy.Integer(2) ** sympy.Symbol("x"), (sympy.Symbol("x"),))([1, -1])
    array([2. , 0.5])
    """
    compiled = sympy.lambdify(symbols, expression, modules="numpy")

    def function(*arguments: ArrayLike) -> Floats:
        # float64: numpy raises no integer to a negative power. Broadcast: Min and constants need equal
        # shapes.
        arrays = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in arguments))
        return np.broadcast_to(np.asarray(compiled(*arrays), dtype=np.float64), arrays[0].shape).copy()

    return function


def root(function: Callable[[float], Floats], name: str, low: float, high: float) -> float:
    """Where a function changes sides in a bracket, to about 1e-12 relative.

    Args:
        function: continuous, of one number.
        name: of that number, for the message.
        low: lower end of the bracket.
        high: upper end.

    Raises:
        ValueError: the bracket is empty, or the function is not finite at its ends or has the same sign there.

    >>> round(root(lambda x: np.asarray(x * x - 2), "x", 0, 2), 10)
    1.4142135624
    """
    from scipy.optimize import brentq  # here: it takes longer to import than the rest of the module

    if not low < high:
        raise ValueError(f"need low < high to look for {name}; got {low} and {high}")
    ends = [float(function(end)) for end in (low, high)]
    if not np.isfinite(ends).all() or ends[0] * ends[1] > 0:
        raise ValueError(
            f"no change of sides between {name} = {low} and {high}: the differences there are {ends[0]:g} "
            f"and {ends[1]:g}; widen or move the bracket"
        )
    return float(brentq(lambda x: float(function(x)), low, high, xtol=1e-300, rtol=1e-12))


def changes_of_sides(function: Callable[..., Floats], within: sympy.Interval) -> list[tuple[float, float]]:
    """Neighbours among 2000 points or more of a range between which the function changes its sign.

    Args:
        function: of an array.
        within: the range; what it does not contain is not looked at.

    Returns:
        Brackets, increasing. Two roots between the same neighbours are not seen.

    >>> [(low < 1 < high) for low, high in changes_of_sides(np.log, sympy.Interval.open(0, sympy.oo))]
    [True]
    """
    start, end = float(within.start), float(within.end)
    # Both scales: tolerances and probabilities lie near 0, numbers of samples far from it.
    scale = np.geomspace(1e-30, 1e30, 2000)
    even = np.linspace(start, end, 1001) if np.isfinite([start, end]).all() else scale[:0]
    points = np.unique(np.concatenate([-scale, scale, even]))
    above = points > start if within.left_open else points >= start
    points = points[above & (points < end if within.right_open else points <= end)]
    with np.errstate(all="ignore"):
        values = function(points)
    seen = np.isfinite(values) & (values != 0)  # a root that is a point itself lies between its neighbours
    points, signs = points[seen], np.sign(values[seen])
    at = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    return [(float(points[i]), float(points[i + 1])) for i in at]


def closed_forms(
    expression: sympy.Expr, level: sympy.Expr, unknown: sympy.Symbol, within: sympy.Interval
) -> list[sympy.Expr]:
    """The solutions of expression = level that sympy finds and that may lie in a range.

    Args:
        expression: contains the unknown.
        level: does not.
        unknown: to solve for.
        within: its range.

    Returns:
        Expressions, possibly none: where the unknown stands in several functions, or only LambertW would solve it.

    >>> x, y = sympy.symbols("x y", positive=True)
    >>> closed_forms(x**2, y, x, sympy.Interval(0, sympy.oo))
    [sqrt(y)]
    """
    if not _may_be_isolated(expression, unknown):
        return []
    try:
        found = sympy.solve(sympy.Eq(expression, level), unknown)
    except (NotImplementedError, TypeError, IndexError):  # the last two: sympy fails on some roots of real degree
        return []
    # A LambertW is one branch of several: which of them is meant has to be said by a bracket.
    if any(one.has(sympy.LambertW) for one in found):
        return []
    # sympy writes log(b ** p) where p log(b) reads better; b is positive wherever the bound is real.
    return [
        one.replace(
            lambda part: isinstance(part, sympy.log) and part.args[0].is_Pow,
            lambda part: part.args[0].exp * sympy.log(part.args[0].base),
        )
        for one in found
        if not (one.is_number and one.is_real and one not in within)
        and not (within.start >= 0 and _is_nonnegative(-one))
    ]


def _may_be_isolated(expression: sympy.Expr, unknown: sympy.Symbol) -> bool:
    """False where the symbol stands in and beside a function, or in two of them: sympy then searches long, in vain."""
    functions = {
        part
        for part in expression.atoms(sympy.Function, sympy.Pow)
        if unknown in (part.exp if part.is_Pow else part).free_symbols
    }
    outer = [
        part for part in functions if not any(part in other.args or other.has(part) for other in functions - {part})
    ]
    if not outer:
        return True
    rest = expression.subs({part: sympy.Dummy() for part in outer})
    return (
        len(outer) == 1
        and unknown not in rest.free_symbols
        and all(_may_be_isolated(inner, unknown) for inner in outer[0].args)
    )


def _is_nonnegative(expression: sympy.Expr) -> bool:
    """Whether a real expression is a product of factors that are: positive numbers and symbols, and roots."""
    return all(
        factor.is_nonnegative or (factor.is_Pow and factor.exp.is_Rational and factor.exp.q % 2 == 0)
        for factor in sympy.Mul.make_args(expression)
    )
