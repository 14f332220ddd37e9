"""Pensia, Rajput, Nagle, Vishwakarma, Papailiopoulos (2020), Theorem 1: a logarithmic factor is enough.

Statement.  Let f(x) = W_L relu(W_L-1 ... relu(W_1 x)) with spectral norms |W_i| <= 1, and g a random ReLU network of
            depth 2 L with i.i.d. weights U[-1, 1], where M_2i-1 has C d_i-1 log(d_i-1 d_i L / min(epsilon, delta)) rows
            and M_2i has d_i. With probability at least 1 - delta, for every such f at once, masks of g exist with
            |f(x) - g(x)| <= epsilon in l2 for all |x| <= 1.
Kind.       upper. WIDTH is restated (the constant C is not in the paper and must be supplied); ROWS and GUARANTEED
            are derived, with every constant (see `slth.theorems.lueker1998_subset_sum` for the subset sums);
            ROWS_ON_GRID and `samples_needed` are the same for weights on the 2^-24 grid (`slth.theorems.grid_law`).
Source.     arXiv 2006.07990, Theorem 1; restated from memory of the paper; check before quoting. Later papers (arXiv
            2410.14754, 2511.04217) state it alike.
Uses.       lueker1998_subset_sum, grid_law, gadget.
Notation.   l -> L (depth), n -> samples (candidates per weight and side), N = 2 n rows of M_2i-1 per input.
Departs.    A hidden unit serves the sign that its weight has, wherever in its block it stands (the paper fixes half of
            the block for each sign; all its masks stay available). Layers behind a ReLU see non-negative inputs and
            solve one subset sum per weight, not two. The tolerance of one weight is the one that the l2 recursion
            needs, ((1 + epsilon)^(1/L) - 1) / sqrt(c d_i d_i-1) with c = 2 for the first layer and 1 behind it; the
            paper's epsilon / (2 L d_i d_i-1) is smaller. Biases are weights of a constant input 1 whose random weights
            are the biases of the hidden units; the paper has none. Targets with norms above 1 enter rescaled
            (`normalised`), or with their own norms in the tolerance. The random weights of a source are on the grid of
            2^-24: ROWS and GUARANTEED are the statement, for U[-1, 1]; the widths of sources, the hypotheses and
            `guaranteed_error` are for the grid, which asks for at most one row more while tolerances are above 10^-5.
Errata.     The base of the logarithm is not stated. |W| <= 1 is needed, entries of modulus <= 1 are not enough. The
            subset sums need targets in [-1, 1], not [-1/2, 1/2].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import sympy

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.gadget import Question
from slth.networks.source import Source
from slth.networks.target import Target
from slth.references import PENSIA2020
from slth.subset_sum.questions import any_or_nearest
from slth.symbols import symbol
from slth.theorems import grid_law
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.pairs import (
    certificate,
    paired_source,
    prune,
    samples_check,
    samples_on_grid,
    sides,
    usual_checks,
)
from slth.theorems.pairs import instances as instances
from slth.theorems.pairs import normalised as normalised
from slth.theorems.pairs import tolerances as tolerances

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "pensia2020_subset_sum"
REFERENCE = PENSIA2020

QUESTION = any_or_nearest


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the theorem for this target and source, each with its numbers."""
    return (*usual_checks(target, source), samples_check(source, _needed(target, epsilon, delta)))


# 2. Bound -------------------------------------------------------------------------------------------------------------

_eps, _delta, _L, _I = symbol("epsilon"), symbol("delta"), symbol("L"), symbol("I")
_d_in, _d_out, _C, _N, _t, _c = (
    symbol("d_in"),
    symbol("d_out"),
    symbol("C"),
    symbol("N"),
    symbol("t"),
    symbol("c"),
)

WIDTH = Bound(
    name="rows of the first matrix",
    quantity=symbol("D"),
    direction=Direction.UPPER,
    expression=_C * _d_in * sympy.log(_d_in * _d_out * _L / sympy.Min(_eps, _delta)),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="width that suffices; the paper gives no value for C and no base of the logarithm (natural here)",
)

TOLERANCE = Bound(
    name="tolerance of one weight",
    quantity=_t,
    direction=Direction.UPPER,
    expression=((1 + _eps) ** (1 / _L) - 1) / sympy.sqrt(_c * _d_in * _d_out),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="errors of at most t per weight give |f - g| <= epsilon on the unit ball; c is 2 for signed inputs, else 1",
)

ROWS = Bound(
    name="rows per input",
    quantity=_N,
    direction=Direction.UPPER,
    expression=sympy.log(8 * _I / (_t**2 * _delta)) / sympy.log(sympy.Rational(16, 15)),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="N rows per input suffice for I subset sums of tolerance t; each row has the right sign with probability 1/2",
)

GUARANTEED = Bound(
    name="guaranteed tolerance",
    quantity=_t,
    direction=Direction.UPPER,
    expression=sympy.sqrt(8 * _I / _delta) * sympy.Rational(15, 16) ** (_N / 2),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="ROWS solved for t: what N rows per input guarantee with probability 1 - delta",
)


DRIFT = Fraction(1, 8)
"""Drift constant of a row for targets in [-1, 1]: 1/4 for a product, half of that as half of the rows fit the sign."""

ROWS_ON_GRID = Bound(
    name="rows per input on the grid",
    quantity=_N,
    direction=Direction.UPPER,
    expression=grid_law.CANDIDATES_ON_GRID.with_values(R=1, m=DRIFT).expression.subs({_eps: _t, _delta: _delta / _I}),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="ROWS for weights on the odd multiples of 2^-24; infinite for t up to 1.42 2^-24, where no number is proved",
)


def samples_needed(target: Target, epsilon: float, delta: float) -> int:
    """Candidates per weight and side that suffice with probability 1 - delta for all such targets at once.

    That is ROWS_ON_GRID over two.

    Raises:
        ValueError: epsilon is not positive, or so small that no number is proved; delta not in (0, 1).

    >>> samples_needed(Target.from_floats([[[0.5]]]), epsilon=0.1, delta=0.1)
    81
    """
    return grid_law.whole(_needed(target, epsilon, delta), epsilon)


def _needed(target: Target, epsilon: float, delta: float) -> float:
    return samples_on_grid(target, tolerances(target, epsilon), delta, DRIFT)


def guaranteed_error(target: Target, samples: int, delta: float) -> float:
    """The error on the unit ball that a source with so many candidates guarantees with probability 1 - delta.

    The inverse of `samples_needed` for norms of at most 1: a curve to draw beside measured errors. Infinite where it
    would overflow.
    """
    t = grid_law.tolerance_on_grid(2 * samples, delta / instances(target), DRIFT)
    growth = [math.log1p(t * math.sqrt(sides(i) * layer.channels.size)) for i, layer in enumerate(target.layers)]
    return math.expm1(sum(growth)) if sum(growth) < 700 else math.inf


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target, epsilon: float, delta: float, seed: int, samples: int | None = None, trial: int = 0
) -> Source:
    """The random network of twice the depth.

    Args:
        target: fixes the widths d_i.
        epsilon: error to reach, > 0.
        delta: failure probability to allow, in (0, 1).
        seed: key of the random stream.
        samples: candidates per weight and side, >= 1; by default `samples_needed`.
        trial: index of the draw.

    Returns:
        A source with 2 * samples hidden units per input (and per constant input, for a bias) in every pair.

    Raises:
        ValueError: a number is out of its range.
    """
    samples = samples_needed(target, epsilon, delta) if samples is None else samples
    return paired_source(target, samples, seed, trial)


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the source to the target, one subset sum per weight and sign.

    Args:
        target: the network to approximate.
        source: the random network, drawn once; a failed subset sum is counted, never redrawn.
        epsilon: sets the tolerance of the subset sums.
        question: asked of every subset sum, see `slth.subset_sum.questions`; any within tolerance by default.
        assignment: `block` (the papers') or `adaptive`.
        advance: called with the number of subset sums solved since the last call.

    Returns:
        The ticket and its subset sums.

    Raises:
        ValueError: the source does not fit the target or is too large, epsilon is not positive or below the grid.
    """
    return prune(target, source, tolerances(target, epsilon), question or QUESTION, assignment, advance)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
) -> Certificate:
    """What is known about the ticket: proved and attained error on the domain (the theorem's unit ball by default).

    The errors are computed anew from the masks and the seed, by `slth.gadget.collapse`; nothing that the solver said is
    trusted.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    checks = hypotheses(target, construction.ticket.source, epsilon, delta)
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort)
