"""Gadhikar, Mukherjee, Burkholz (2023): sources that are sparse before anything is pruned.

Statement.  Let every edge of the source be present with probability p, independently (an Erdos-Renyi source). Sparse
            sources whose weights are trained represent every target if they are wider by the factor
            1 / log(1 / (1 - p)); and random ones contain strong tickets. Strong form, for pairs of matrices: if the
            weights that are present are U[-1, 1] and M_2i-1 has N rows per input with N as in ROWS, then with
            probability at least 1 - delta masks exist for every target of norms at most 1 at once such that
            |f(x) - g(x)| <= epsilon in l2 for all |x| <= 1.
Kind.       upper. FACTOR is as in the abstract, its constant C is not given; COPIES, FAILURE and ROWS are derived, with
            every constant.
Source.     arXiv 2210.02412, abstract; the theorems restated from memory of the paper; check before quoting.
Uses.       lueker1998_subset_sum: a sample that is zero with probability 1 - p has p times the drift constant.
            pensia2020_subset_sum for the tolerances, grid_law.
Notation.   p -> p_edge; the paper's sparsity is 1 - p.
Departs.    Pairs of matrices (depth 2 L) instead of the paper's depth L + 1. In a pair both edges of a candidate
            have to be present, so the drift constant of a row is p^2 / 8 and the factor is 1 / p^2; where only one
            edge of a candidate is random it is 1 / p. Edges that are absent are never counted as kept. ROWS is for
            U[-1, 1]; `samples_needed` and the hypotheses are for weights on the 2^-24 grid, with `share_on_grid` for p,
            which is p if 2^8 p is a whole number (docs/proofs/grid_law.md).
Errata.     The factor 1 / log(1 / (1 - p)) belongs to trained weights; it tends to 0 as p tends to 1 and so cannot be
            the factor for strong tickets.

Derivations.  COPIES: a target edge with r copies has no present edge with probability (1 - p)^r; union over I edges.
FAILURE: a sample is an independent U[-1, 1] times an independent Bernoulli(p), so adding it covers in expectation at
least p m v (1 - v) more of the window, and the proof of the subset-sum theorem goes through with p m for m. ROWS: a row
serves an instance if its weight u has the right sign and both edges are present, with probability p^2 / 2, and then u v
has drift constant 1/4 for targets in [-1, 1]; so m = p^2 / 8 and the rate is 1 - p^2 / 16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import wraps

import numpy as np
import sympy

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.gadget import Question
from slth.grid import WEIGHT_EXPONENT
from slth.laws import Thinned
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.references import GADHIKAR2023
from slth.subset_sum import Subsets, SubsetSums
from slth.subset_sum.masks import pack
from slth.subset_sum.questions import any_or_nearest
from slth.symbols import symbol
from slth.theorems import grid_law
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.lueker1998_subset_sum import FAILURE as DENSE_FAILURE
from slth.theorems.pairs import certificate, paired_source, prune, samples_check, samples_on_grid, usual_checks
from slth.theorems.pairs import instances as instances
from slth.theorems.pairs import normalised as normalised
from slth.theorems.pairs import tolerances as tolerances

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "gadhikar2023_sparse_source"
REFERENCE = GADHIKAR2023
QUESTION = any_or_nearest

DENSITY = 0.5
"""Share of the edges that `source` makes present unless another is asked for."""


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the strong form for this target and source, each with its numbers."""
    density = source.law.density if isinstance(source.law, Thinned) else 1.0
    needed = _needed(target, epsilon, delta, density)
    return (*usual_checks(target, source, Thinned(density)), samples_check(source, needed))


# 2. Bound -------------------------------------------------------------------------------------------------------------

_delta, _p, _I, _t, _m = symbol("delta"), symbol("p_edge"), symbol("I"), symbol("t"), symbol("m")

FACTOR = Bound(
    name="width factor of sparse sources with trained weights",
    quantity=symbol("w"),
    direction=Direction.UPPER,
    expression=symbol("C") / sympy.log(1 / (1 - _p)),
    provenance=Provenance.PUBLISHED,
    reference=REFERENCE,
    note="read in the abstract; C is not given; trained weights, not strong tickets",
)

COPIES = Bound(
    name="copies that leave no target edge without a present edge",
    quantity=symbol("copies"),
    direction=Direction.UPPER,
    expression=sympy.log(_I / _delta) / sympy.log(1 / (1 - _p)),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="so many suffice for I target edges with probability 1 - delta; the values of the edges are then trained",
)

FAILURE = replace(
    DENSE_FAILURE,
    name="failure probability of thinned subset sums",
    expression=DENSE_FAILURE.expression.subs(_m, _p * _m),
    reference=REFERENCE,
    note="samples with drift constant m, each present with probability p_edge; all targets of [-R, R] at once",
)

ROWS = Bound(
    name="rows per input",
    quantity=symbol("N"),
    direction=Direction.UPPER,
    expression=sympy.log(8 * _I / (_t**2 * _delta)) / -sympy.log(1 - _p**2 / 16),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="N rows per input suffice for I subset sums of tolerance t over pairs of sparse matrices",
)


def share_on_grid(density: float) -> Fraction:
    """Weight with which the law `Thinned(density)` contains the uniform law on the 2^24 values of a weight.

    Of the 2^32 patterns of bits, every value has at least floor(round(2^32 p) / 2^24).

    Args:
        density: p in [2^-20, 1].

    Returns:
        p if 2^8 p is a whole number, else a little less; 0 for p below 2^-8.

    Raises:
        ValueError: the density is out of its range.

    >>> share_on_grid(0.5), share_on_grid(0.3)
    (Fraction(1, 2), Fraction(19, 64))
    """
    patterns = round(Thinned(density).density * 2**32)
    return Fraction(patterns >> WEIGHT_EXPONENT, 1 << (32 - WEIGHT_EXPONENT))


def samples_needed(target: Target, epsilon: float, delta: float, density: float = DENSITY) -> int:
    """Candidates per weight and side that suffice with probability 1 - delta for all such targets at once.

    That is ROWS over two, for weights on the grid: with `share_on_grid` for p, and by `slth.theorems.grid_law`.

    Raises:
        ValueError: epsilon is not positive, or epsilon or the density so small that no number is proved; delta or the
            density is out of its range.

    >>> target = Target.from_floats([[[0.5]]])
    >>> samples_needed(target, 0.1, 0.1, density=1.0), samples_needed(target, 0.1, 0.1, density=0.5)
    (81, 330)
    """
    if share_on_grid(density) == 0:
        raise ValueError(
            f"no number of candidates is proved for density {density}: below 2^-8 a weight of 32 bits does not take "
            "every value of the grid; use a larger density, or give samples yourself"
        )
    return grid_law.whole(_needed(target, epsilon, delta, density), epsilon)


def _needed(target: Target, epsilon: float, delta: float, density: float) -> float:
    return samples_on_grid(target, tolerances(target, epsilon), delta, share_on_grid(density) ** 2 / 8)


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target,
    epsilon: float,
    delta: float,
    seed: int,
    samples: int | None = None,
    trial: int = 0,
    density: float = DENSITY,
) -> Source:
    """The sparse random network of twice the depth; an absent edge is a weight 0.

    Args:
        target: fixes the widths.
        epsilon: error to reach, > 0.
        delta: failure probability to allow, in (0, 1).
        seed: key of the random stream.
        samples: rows per input, over two, present or not; by default `samples_needed`.
        trial: index of the draw.
        density: p, the share of edges present.

    Raises:
        ValueError: a number is out of its range.
    """
    law = Thinned(density)
    samples = samples_needed(target, epsilon, delta, density) if samples is None else samples
    return paired_source(target, samples, seed, trial, law)


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the source as in `slth.theorems.pensia2020_subset_sum`; masks keep present edges only."""
    made = prune(target, source, tolerances(target, epsilon), _of_present(question or QUESTION), assignment, advance)
    return replace(made, ticket=without_absent(made.ticket))


def _of_present(question: Question) -> Question:
    """The question, asked of the samples that are not 0 alone: they come first, so that a search sees them."""

    @wraps(question)
    def asked(problem: SubsetSums, tolerance: int) -> Subsets:
        absent = problem.samples == 0
        order = np.argsort(absent, axis=1, kind="stable")
        most = max(1, int((~absent).sum(axis=1).max(initial=0)))
        present = np.take_along_axis(problem.samples, order[:, :most], axis=1)
        answers = question(SubsetSums(present, problem.targets), tolerance)
        chosen = np.zeros(problem.samples.shape, dtype=bool)
        np.put_along_axis(chosen, order[:, :most], answers.chosen, axis=1)
        return Subsets(problem, pack(chosen), answers.status)

    return asked


def without_absent(ticket: Ticket) -> Ticket:
    """The same network, with no mask on an edge that is absent (a weight 0).

    A hidden unit whose own edge is absent computes 0, so the edges that read it go too.
    """
    masks = [mask.copy() for mask in ticket.masks]
    for i, mask in enumerate(masks):
        for start, rows in ticket.source.chunks(i):
            mask[start : start + len(rows)] &= rows != 0
    for first, second in zip(masks[0::2], masks[1::2], strict=True):
        second[:, ~first.any(axis=1)] = False
        first[~second.any(axis=0)] = False
    return Ticket(ticket.source, tuple(masks))


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

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    checks = hypotheses(target, construction.ticket.source, epsilon, delta)
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort)
