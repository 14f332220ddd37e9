"""Orseau, Hutter, Rivasplata (2020): a logarithmic number of neurons per weight, by golden-ratio ladders.

Statement.  If the weights of a random ReLU network are hyperbolic (density proportional to 1 / |w| between two bounds,
            random sign), then with probability at least 1 - delta some subnetwork of it is within epsilon of a target
            network on bounded inputs, with a number of neurons per target weight that is logarithmic in all variables
            but the depth. No bound on the norms and no ReLU in the target is needed (any Lipschitz activation).
Kind.       upper. CELLS, SAMPLES, BATCH, ROWS and `failure` are derived, with every constant. The paper's own
            expression was not read, so it has no `Bound`; "logarithmic in all variables but depth" is its abstract.
Source.     arXiv 2006.12156, abstract; the rest restated from memory of the paper; check before quoting.
            Proofs: docs/proofs/golden_ratio.md, not peer reviewed.
Uses.       gadget, slth.subset_sum.cells (the ladder and its greedy choice), slth.laws.LogUniform.
Notation.   g = (sqrt 5 - 1) / 2; reach R, cell j = [g^(j+2) R, g^(j+1) R]; K cells; n candidates per weight; N rows of
            M_2i-1 per input; B octaves of the law, |w| in [2^-B, 1].
Departs.    All weights of the source have one law, so a candidate is a product of two log-uniform factors, and log |u
            v| has a triangular law: the cells are not equally likely, those at both ends of the ladder are rarest. The
            rows are counted with the chances of the product (`cell_chances`), and B is chosen to make them fewest,
            about (K + 2) log2(1 / g) / 2. That is about K / 6 times the rows that candidates with a log-uniform law of
            their own would need (2 SAMPLES, for the two sides). Each weight has its own candidates; the paper's batch
            sampling is stated and measured beside it (BATCH). Targets are ReLU networks without biases on the unit
            ball, with the tolerances of Pensia et al. (2020); the reach is the largest weight.
Errata.     The law of a product of two hyperbolic weights is not hyperbolic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import sympy

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.gadget import Question
from slth.grid import PRODUCT_EXPONENT, WEIGHT_EXPONENT
from slth.laws import LogUniform
from slth.networks.source import Source
from slth.networks.target import Target
from slth.references import ORSEAU2020
from slth.subset_sum import Subsets, SubsetSums, cells_needed, golden_within
from slth.symbols import symbol
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.pairs import (
    certificate,
    check_delta,
    on_grid,
    paired_source,
    prune,
    samples_check,
    sides,
    tolerances,
    usual_checks,
)
from slth.theorems.pairs import instances as instances
from slth.theorems.pairs import normalised as normalised

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "orseau2020_logarithmic"
REFERENCE = ORSEAU2020

CELL_OCTAVES = math.log2((1 + math.sqrt(5)) / 2)
"""c = log2(1 / g): a cell spans so many factors of two."""


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the derived theorem for this target and source, each with its numbers."""
    octaves, samples = _fewest(target, epsilon, delta)
    return (*usual_checks(target, source, LogUniform(octaves)), samples_check(source, samples))


# 2. Bound -------------------------------------------------------------------------------------------------------------

_eps, _delta, _R, _K, _I = symbol("epsilon"), symbol("delta"), symbol("R"), symbol("K"), symbol("I")
_share = sympy.log(2 * _K / _delta)


def _upper(name: str, quantity: str, expression: sympy.Expr, note: str) -> Bound:
    return Bound(name, symbol(quantity), Direction.UPPER, expression, Provenance.DERIVED, REFERENCE, note)


CELLS = _upper(
    "cells of the ladder",
    "K",
    sympy.log(_R / _eps) / sympy.log(sympy.GoldenRatio),
    "with one element in each of ceil(K) cells, wherever in it, every target of [0, R] is reached within epsilon; a "
    "subset has at most so many elements",
)

SAMPLES = _upper(
    "log-uniform candidates per weight",
    "n",
    2 * _K * sympy.log(_I * _K / _delta),
    "candidates with a random sign and a law that is log-uniform over the K cells suffice for I weights",
)

BATCH = _upper(
    "log-uniform candidates of a shared pool",
    "n",
    2 * _K * (_I + _share + sympy.sqrt(_share**2 + 2 * _I * _share)),
    "one pool for all weights, at most I of either sign, scanned once; candidates as in SAMPLES",
)

ROWS = _upper(
    "rows per input",
    "N",
    sympy.Rational(2, 3) * (_K + 2) ** 2 * sympy.log(_I * _K / _delta),
    "N rows per input suffice for I weights and sides with K >= 2 cells of reach 1, if both factors are log-uniform "
    "over B = (K + 2) log2(1 / g) / 2 octaves",
)


def cell_chances(octaves: int, reach: int, count: int) -> tuple[float, ...]:
    """The chance, at least, that a row gives a candidate of a wanted side and sign in each cell.

    With s = -log2 |u v|, F(s) = s^2 / (2 B^2) for s <= B, symmetric about B; side and sign are worth 1 / 4. The grid
    moves log2 of a factor by at most -log2(1 - 2^(B - 24)), which is taken off both ends of a cell, with 1e-12 for
    rounding.

    Args:
        octaves: B of both factors, from 1 to 23.
        reach: R in units of 2^-48, >= 1.
        count: number of cells.

    >>> [round(chance, 4) for chance in cell_chances(4, 1 << 48, 5)]
    [0.0113, 0.0188, 0.0264, 0.0339, 0.041]
    """
    moved = -2 * math.log2(1 - 2.0 ** (octaves - WEIGHT_EXPONENT)) + 1e-12
    top = PRODUCT_EXPONENT - math.log2(reach)
    ends = [top + j * CELL_OCTAVES for j in range(1, count + 2)]

    def below(s: float) -> float:
        s = min(max(s / octaves, 0.0), 2.0)
        return s * s / 2 if s <= 1 else 1 - (2 - s) ** 2 / 2

    return tuple(max(0.0, below(high - moved) - below(low + moved)) / 4 for low, high in pairwise(ends))


def failure(chances: Iterable[tuple[int, Sequence[float]]], rows: int) -> float:
    """At least the probability that some instance lacks an element in some cell: sum of I (1 - q)^N over the cells.

    Args:
        chances: pairs of a number of instances and the chances of their cells.
        rows: N, rows per input.

    >>> failure([(2, (0.5, 0.25))], 2)
    1.625
    """
    return math.fsum(count * math.exp(rows * math.log1p(-q)) for count, cells in chances for q in cells)


def reach_of(target: Target) -> int:
    """The reach R: the largest modulus of a weight or bias, in units of 2^-48 (1 for a target of zeros).

    >>> reach_of(Target.from_floats([[[0.5, -0.25]]])) == 1 << 47
    True
    """
    return max(1, *(int(np.abs(layer.channels).max()) for layer in target.layers))


@lru_cache(maxsize=16)
def _fewest(target: Target, epsilon: float, delta: float) -> tuple[int, int]:
    """The octaves that need fewest rows, and half those rows."""
    check_delta(delta)
    reach = reach_of(target)
    counts = [cells_needed(reach, tolerance) for tolerance in on_grid(tolerances(target, epsilon))]
    weights = [layer.channels.size + (sides(i) - 1) * layer.weight.size for i, layer in enumerate(target.layers)]
    best = (1 << 62, 1)
    for octaves in range(1, WEIGHT_EXPONENT):
        chances = [(w, cell_chances(octaves, reach, k)) for w, k in zip(weights, counts, strict=True)]
        least = min((q for _, cells in chances for q in cells), default=1.0)
        if least > 0:
            best = min(best, (_least_rows(chances, least, delta), octaves))
    if best[0] == 1 << 62:
        raise ValueError(
            f"epsilon = {epsilon} asks for {max(counts)} cells, more than products of two log-uniform weights on the "
            "grid can fill: use a larger epsilon"
        )
    return best[1], max(1, math.ceil(best[0] / 2))


def _least_rows(chances: Sequence[tuple[int, Sequence[float]]], least: float, delta: float) -> int:
    """The smallest N with failure at most delta, by bisection; `failure` falls in N."""
    low, high = 0, 1 + math.ceil(math.log(max(1.0, failure(chances, 0)) / delta) / least)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if failure(chances, middle) <= delta else (middle + 1, high)
    return low


def octaves_needed(target: Target, epsilon: float, delta: float) -> int:
    """The octaves B of the law with which fewest rows suffice.

    Raises:
        ValueError: epsilon is not positive or too small, delta not in (0, 1).

    >>> octaves_needed(Target.from_floats([[[0.5]]]), epsilon=0.1, delta=0.1)
    3
    """
    return _fewest(target, epsilon, delta)[0]


def samples_needed(target: Target, epsilon: float, delta: float) -> int:
    """Half the rows per input that suffice with probability 1 - delta, for a source of `octaves_needed`.

    Raises:
        ValueError: as `octaves_needed`.
    """
    return _fewest(target, epsilon, delta)[1]


def worst_left(elements: Iterable[int], reach: int) -> int:
    """The most that the greedy choice leaves of any whole target from 0 to reach; elements in any cells or none.

    If what is left can be any number from 0 to r, then after an element w <= r it can be any number from 0 to the
    larger of w - 1 (w was skipped) and r - w (w was taken), and none else.

    >>> worst_left([500, 309, 191], 1000)
    190
    """
    left = reach
    for w in elements:
        if w <= left:
            left = max(w - 1, left - w)
    return left


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target, epsilon: float, delta: float, seed: int, samples: int | None = None, trial: int = 0
) -> Source:
    """The random network of twice the depth, every weight log-uniform over `octaves_needed` octaves.

    Args:
        target: fixes the widths d_i.
        epsilon: error to reach, > 0.
        delta: failure probability to allow, in (0, 1).
        seed: key of the random stream.
        samples: half the rows per input, >= 1; by default `samples_needed`.
        trial: index of the draw.

    Raises:
        ValueError: a number is out of its range.
    """
    octaves, needed = _fewest(target, epsilon, delta)
    return paired_source(target, needed if samples is None else samples, seed, trial, LogUniform(octaves))


def ladder(reach: int) -> Question:
    """The theorem's question: the greedy choice from the first candidate in each cell of a ladder.

    A row that misses its tolerance, for want of an element in some cell, gets the empty set.

    Args:
        reach: R in units of 2^-48, at least every |target|.
    """

    def golden_cells(problem: SubsetSums, tolerance: int) -> Subsets:
        return golden_within(problem, tolerance, reach)

    return golden_cells


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the source to the target: a golden-ratio ladder per weight and side.

    Args:
        target: the network to approximate.
        source: the random network, drawn once; a weight whose ladder is not full enough is counted, never redrawn.
        epsilon: sets the tolerances.
        question: the theorem's `ladder` by default; any other question finds subsets among the same candidates.
        assignment: `block` or `adaptive`.
        advance: called with the number of instances settled since the last call.

    Raises:
        ValueError: the source does not fit the target or is too large, epsilon is not positive or below the grid.
    """
    asked = ladder(reach_of(target)) if question is None else question
    return prune(target, source, tolerances(target, epsilon), asked, assignment, advance)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
) -> Certificate:
    """What is known about the ticket: proved and attained error on the domain (the unit ball by default).

    The errors are computed anew from the masks and the seed, by `slth.gadget.collapse`.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    checks = hypotheses(target, construction.ticket.source, epsilon, delta)
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort)
