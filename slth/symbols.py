"""The notation: every symbol that a bound may contain, with its meaning, unit and range.

Symbols are real, so that a bound on a whole number n can be solved and drawn between whole numbers; round the
result. A symbol's name is also the keyword under which its value is given: ``bound.evaluate(epsilon=0.1,
n=20)``.
"""

from __future__ import annotations

import difflib
import numbers
from dataclasses import dataclass

import numpy as np
import sympy


@dataclass(frozen=True)
class Notation:
    """One line of the notation table.

    Attributes:
        symbol: the sympy symbol; its name is how values are passed.
        meaning: what it stands for, in the words of the rest of the package.
        unit: what it is counted in; "1" for a plain number.
        range: the real interval of its admissible values (of whole numbers too).
    """

    symbol: sympy.Symbol
    meaning: str
    unit: str
    range: sympy.Interval


def _line(name: str, meaning: str, unit: str, low: float, high: float = sympy.oo, *, open: bool = False) -> Notation:
    interval = sympy.Interval(low, high, left_open=open, right_open=open)
    # Positive where the interval allows: sympy then knows log(n), sqrt(1 / delta) and the like to be real.
    sign = {"positive": True} if low >= 0 else {"real": True}
    return Notation(sympy.Symbol(name, **sign), meaning, unit, interval)


TABLE: tuple[Notation, ...] = (
    _line(
        "epsilon",
        "approximation error: of a network over its domain, or of one subset sum",
        "1",
        0,
        open=True,
    ),
    _line("delta", "failure probability", "1", 0, 1, open=True),
    _line("n", "candidates per subset sum (samples)", "samples", 0),
    _line("k", "size of a subset", "samples", 0),
    _line("p", "pairs (X, Y) of samples of which exactly one is taken", "pairs", 0),
    _line("K", "cells of a golden-ratio ladder", "cells", 1),
    _line("N", "rows of the first matrix of a pair per input", "rows", 0),
    _line("D", "width: rows of the first matrix of a pair", "units", 0),
    _line("C", "universal constant of a published bound", "1", 0, open=True),
    _line("kappa", "universal constant in the exponent of a published bound", "1", 0, open=True),
    _line("R", "window: the targets of a subset sum are [-R, R]", "1", 0, open=True),
    _line("m", "drift constant of the law of the samples for the window", "1", 0, 1),
    _line("z", "target of one subset sum", "1", -sympy.oo),
    _line("M", "largest modulus of a sample or weight that is an integer in its own unit", "1", 0, open=True),
    _line("Delta", "distance from a target that is allowed, of integers", "1", 0),
    _line("D_1", "part of Delta that the first covered interval takes", "1", 0),
    _line("D_2", "part of Delta that the last hole takes", "1", 0),
    _line("q", "second moment of a sample, E X^2", "1", 0, open=True),
    _line("v", "covered share of the window", "1", 0, 1),
    _line("t", "tolerance of one weight", "1", 0, open=True),
    _line("I", "instances: subset sums that have to succeed together", "subset sums", 1),
    _line("c", "sides per weight: 2 for signed inputs, 1 for non-negative ones", "subset sums", 1, 2),
    _line("d", "dimension of a square layer", "units", 1),
    _line("d_in", "inputs of a layer", "units", 1),
    _line("d_out", "outputs of a layer", "units", 1),
    _line("L", "depth: number of layers of the target", "layers", 1),
    _line("P", "parameters of the source", "weights", 0),
    _line("p_edge", "share of the edges of a random network that are present", "1", 0, 1),
    _line("p_free", "share of the weights of a random network that a mask may choose", "1", 0, 1),
    _line("p_prune", "share of a matrix that is pruned at the start, for good", "1", 0, 1),
    _line("p_lock", "share of a matrix that is locked in", "1", 0, 1),
    _line("T", "bound on the sum of the locked samples of a subset sum", "1", 0),
    _line("n_s", "samples (or rows per input) that are reserved for steering", "samples", 0),
    _line("draws", "times that a weight is drawn, of which one is kept", "1", 1),
    _line("n_lock", "samples of a subset sum that are locked in", "samples", 0),
    _line("eps_p", "largest change of a weight, or of a sample, before pruning", "1", 0),
    _line("w", "factor by which a width grows", "1", 0),
    _line("c_1", "sum of the moduli of the coefficients of a member of a family", "1", 0),
    _line("e_B", "error of a network against the basis functions that it stands for", "1", 0),
    _line("kappa_2", "largest modulus of a second derivative", "1", 0),
    _line("copies", "copies of every neuron", "units", 0),
    _line("B", "fractional bits of a weight", "bits", 0),
    _line("matrices", "matrices of the source", "layers", 1),
    _line("gamma", "density: kept over total", "1", 0, 1),
    _line("s", "spectral norm of a target layer", "1", 0),
    _line("h", "angle from the target's kink line to the nearest hidden one", "rad", 0, sympy.pi / 2),
    _line("eta", "spectral norm of the effective error of a layer", "1", 0),
    _line("N_S", "number of subsets within the tolerance of one subset sum", "subsets", 0),
    _line("rho", "second-moment ratio of a random number, E N^2 / (E N)^2", "1", 1),
    _line("b", "mean log2 of the number of subsets within the tolerance, where there is one", "bits", -sympy.oo),
)
"""The whole table; a bound with any other symbol is refused."""

_BY_NAME = {line.symbol.name: line for line in TABLE}

LATEX = {_BY_NAME["epsilon"].symbol: r"\varepsilon"}
"""Symbols whose LaTeX form differs from sympy's."""


def notation(name: str) -> Notation:
    """The line of the table for a name.

    Args:
        name: of a symbol, such as "epsilon" or "d_in".

    Raises:
        ValueError: no symbol has this name; the message names those that come near in name or meaning.

    >>> notation("R").meaning
    'window: the targets of a subset sum are [-R, R]'
    """
    if name not in _BY_NAME:
        spelled = difflib.get_close_matches(name, _BY_NAME, n=2)
        meant = [n for n, line in _BY_NAME.items() if name and name.lower() in line.meaning.lower()]
        near = list(dict.fromkeys(spelled + meant)) or list(_BY_NAME)
        known = ", ".join(f"{n} ({_BY_NAME[n].meaning})" for n in near)
        raise ValueError(f"no symbol is named {name!r}; try {known}, or add a line to slth.symbols.TABLE")
    return _BY_NAME[name]


def symbol(name: str) -> sympy.Symbol:
    """The sympy symbol of a name; always the same object, with the table's assumptions.

    Args:
        name: of a symbol, such as "epsilon" or "d_in".

    Raises:
        ValueError: no symbol has this name.

    >>> symbol("epsilon").is_positive
    True
    """
    return notation(name).symbol


def checked_value(name: str, value: object) -> sympy.Expr:
    """A number for a symbol, as sympy takes it: whole numbers and fractions stay exact.

    Args:
        name: of a symbol.
        value: a real number (int, float, Fraction, numpy or sympy number) in the symbol's range.

    Raises:
        TypeError: the value is not a real number.
        ValueError: the value is NaN or outside the range, or no symbol has this name.

    >>> checked_value("delta", 0.25)
    0.250000000000000
    """
    line = notation(name)
    expected = f"{name} ({line.meaning}) must be one real number in {_written(line)}"
    if isinstance(value, sympy.Expr) and value.is_real and value.is_number:
        number = value
    elif isinstance(value, numbers.Real) and not isinstance(value, bool):
        # Numpy's scalars become Python's, so that float32 does not bring its few digits into sympy.
        number = sympy.sympify(value.item() if isinstance(value, np.generic) else value)
    else:
        raise TypeError(f"{expected}; got {value!r} of type {type(value).__name__}")
    if number is sympy.nan or number not in line.range:
        raise ValueError(f"{expected}; got {value}")
    return number


def _written(line: Notation) -> str:
    left, right = "(" if line.range.left_open else "[", ")" if line.range.right_open else "]"
    return f"{left}{line.range.start}, {line.range.end}{right}"
