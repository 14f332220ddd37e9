"""Otsuka et al. (2025): partially frozen random networks contain strong lottery tickets.

Statement.  Before the search a random part of a random network is frozen: a share is pruned for good, another is locked
            in as a fixed part of every ticket. Wide enough networks still contain strong tickets, whose masks need no
            memory for frozen weights, as the pattern follows from a seed. Strong form, for pairs of matrices: let every
            entry be pruned with probability a, and those of the M_2i be locked with probability b, independently. If
            M_2i-1 has N rows per input with ROWS_FAILURE <= delta for some T and n_s, then with probability at least
            1 - delta, for every target of norms at most 1 at once, masks exist that leave all frozen entries alone and
            |f(x) - g(x)| <= epsilon in l2 for all |x| <= 1.
Kind.       upper, derived, with every constant: FAILURE (samples U[-1, 1]) and ROWS_FAILURE (pairs of matrices).
            Proof: docs/proofs/frozen.md, not peer reviewed. The paper's own bound is not restated here.
Source.     arXiv 2402.14029v3, TMLR 2025, abstract (that of version 1 names the subset-sum approximation with randomly
            frozen variables); all else restated from memory of the paper; check before quoting.
Uses.       lueker1998_subset_sum (coverage), gadhikar2023_sparse_source (nothing locked), pensia2020_subset_sum.
Notation.   a -> p_prune, b -> p_lock; T bounds the sum of the locked samples, n_s rows are reserved for steering.
Departs.    Depth 2 L by pairs. Weights are locked in second matrices only: a locked weight of a first matrix that reads
            another input than its unit's own would break the block structure. The steering of the proof walks from the
            last candidate back and stops within 1/2, so that every reserve that is large enough is one; at least 26
            candidates are left to the solver, which may also use what steering did not take.
Errata.     Locking in both matrices, see the reference.

Proof in short.  A subset sum with locked samples of sum S is one of the free samples for w - S. |S| <= T but for a rare
event (Bernstein). Samples of the sign of what is left, each at most 1, bring it within 1/2 if those of the reserve add
up to T + 1, and never beyond. The other free samples reach all of [-1/2, 1/2] at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.gadget import PairReport, Question, check_fit
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.references import OTSUKA2025_FROZEN
from slth.subset_sum.questions import any_or_nearest
from slth.symbols import symbol
from slth.theorems import gadhikar2023_sparse_source
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.frozen_pairs import prune_frozen_pair
from slth.theorems.frozen_source import FrozenSource, changed, check_shares, shares
from slth.theorems.pairs import (
    certificate,
    check_delta,
    check_size,
    on_grid,
    paired_source,
    samples_check,
    samples_per_weight,
    usual_checks,
)
from slth.theorems.pairs import instances as instances
from slth.theorems.pairs import normalised as normalised
from slth.theorems.pairs import tolerances as tolerances

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "otsuka2025_frozen"
REFERENCE = OTSUKA2025_FROZEN
QUESTION = any_or_nearest

PRUNED, LOCKED = 0.2, 0.2
"""Shares that `source` freezes unless others are asked for."""


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the strong form for this target and source, each with its numbers."""
    needed = samples_needed(target, epsilon, delta, *shares(source))
    return (*usual_checks(target, source), samples_check(source, needed))


# 2. Bound -------------------------------------------------------------------------------------------------------------

_n, _eps, _T, _n_s, _N, _t = (symbol(name) for name in ("n", "epsilon", "T", "n_s", "N", "t"))
_free = (1 - symbol("p_prune")) * (1 - symbol("p_prune") - symbol("p_lock")) / 2
_lock = (1 - symbol("p_prune")) * symbol("p_lock") / 2

FAILURE = Bound(
    name="failure probability of partially locked subset sums",
    quantity=symbol("delta"),
    direction=Direction.UPPER,
    expression=2 * sympy.exp(-(_T**2) / (2 * symbol("n_lock")))
    + 2 * sympy.exp(-2 * (_n_s / 4 - _T - 1) ** 2 / _n_s)
    + 2 / _eps**2 * sympy.Rational(3, 4) ** _n,
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="samples U[-1, 1]: n_lock locked, n_s reserved, n free ones beside them; all targets of [-1, 1] at once; any "
    "T > 0 with n_s > 4 (T + 1)",
)

ROWS_FAILURE = Bound(
    name="failure probability of pairs of partially frozen matrices",
    quantity=symbol("delta"),
    direction=Direction.UPPER,
    expression=symbol("I")
    * (
        2 * sympy.exp(-(_T**2) / (2 * (_N * _lock / 9 + _T / 3)))
        + 2 * sympy.exp(-9 * (_n_s * _free / 8 - _T - 1) ** 2 / (_n_s * _free))
        + 2 / _t**2 * (1 - 3 * _free / 16) ** (_N - _n_s)
    ),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="N rows per input, n_s of them reserved, I subset sums of tolerance t; any T > 0 with n_s p > 8 (T + 1), p = "
    "(1 - p_prune) (1 - p_prune - p_lock) / 2 the share of free rows of one sign",
)


def failure_bound(target: Target, samples: int, epsilon: float, pruned: float, locked: float) -> float:
    """ROWS_FAILURE with the best reserve and T of a grid, for 2 * samples rows per input; at most 1.

    Args:
        target: fixes the widths.
        samples: rows per input, over two, >= 1.
        epsilon: error to reach, > 0.
        pruned: share in [0, 1).
        locked: share in (0, 1 - pruned).

    Raises:
        ValueError: a number is out of its range.
    """
    check_shares(pruned, locked)
    free = (1 - pruned) * (1 - pruned - locked) / 2
    reserve = np.unique(np.linspace(1, 2 * samples, 129).astype(np.int64)).astype(np.float64)
    reserve = reserve[reserve * free > 8]
    if not reserve.size:
        return 1.0
    bounds = (reserve * free / 8 - 1) * np.linspace(0, 1, 65)[1:-1, None]
    t, count = min(tolerances(target, epsilon)), instances(target)
    chances = _rows_failure()(2 * samples, reserve, bounds, t, count, pruned, locked)
    return min(1.0, float(chances.min()) * (1 + 1e-9))


@cache
def _rows_failure() -> Callable[..., NDArray[np.float64]]:
    return ROWS_FAILURE.lambdify("N", "n_s", "T", "t", "I", "p_prune", "p_lock")


def samples_needed(target: Target, epsilon: float, delta: float, pruned: float = PRUNED, locked: float = LOCKED) -> int:
    """Rows per input, over two, that suffice with probability 1 - delta for all such targets at once.

    Where nothing is locked, the number for sparse sources (`slth.theorems.gadhikar2023_sparse_source`); otherwise one
    at which `failure_bound` is at most delta, by bisection.

    Raises:
        ValueError: a number is out of its range.

    >>> target = Target.from_floats([[[0.5]]])
    >>> samples_needed(target, 0.1, 0.1, 0.0, 0.0), samples_needed(target, 0.1, 0.1, 0.5, 0.0)
    (81, 330)
    """
    check_delta(delta)
    check_shares(pruned, locked)
    if locked == 0:
        return gadhikar2023_sparse_source.samples_needed(target, epsilon, delta, 1 - pruned)
    high = 16
    while failure_bound(target, high, epsilon, pruned, locked) > delta:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        fits = failure_bound(target, middle, epsilon, pruned, locked) <= delta
        low, high = (low, middle) if fits else (middle, high)
    return high


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target,
    epsilon: float,
    delta: float,
    seed: int,
    samples: int | None = None,
    trial: int = 0,
    pruned: float = PRUNED,
    locked: float = LOCKED,
) -> FrozenSource:
    """The partially frozen random network of twice the depth.

    Args:
        target: fixes the widths.
        epsilon: error to reach, > 0.
        delta: failure probability to allow, in (0, 1).
        seed: key of the random streams, those of the pattern included.
        samples: rows per input, over two; by default `samples_needed`.
        trial: index of the draw.
        pruned: share of all matrices that is pruned for good.
        locked: share of the second matrices that is locked in.

    Raises:
        ValueError: a number is out of its range.
    """
    samples = samples_needed(target, epsilon, delta, pruned, locked) if samples is None else samples
    plain = paired_source(target, samples, seed, trial)
    return FrozenSource(seed, plain.widths, plain.biased, plain.law, trial, pruned, locked)


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the free entries of the source; locked ones stay, pruned ones stay pruned.

    Args and errors as in `slth.theorems.pensia2020_subset_sum.construct`. The target of a subset sum is the weight less
    the sum of its locked samples, brought within 1/2 by `slth.theorems.frozen_pairs.steered` if there are candidates to
    spare.
    """
    started = time.perf_counter()
    check_fit(target, source)
    check_size(source)
    integers, asked = on_grid(tolerances(target, epsilon)), question or QUESTION
    masks: list[NDArray[np.bool_]] = []
    reports: list[PairReport] = []
    for i, layer in enumerate(target.layers):
        first, second, report = prune_frozen_pair(layer, source, i, asked, integers[i], assignment, advance)
        masks += [first, second]
        reports.append(report)
    name = getattr(asked, "__name__", str(asked))
    spent = time.perf_counter() - started
    samples = samples_per_weight(source)
    return Construction(
        Ticket(source, tuple(masks)), tuple(reports), integers, samples, name, assignment.__name__, spent
    )


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

    One more check is on the masks: that they leave every frozen entry alone.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    touched = changed(construction.ticket)
    untouched = Check("frozen entries that the masks change", touched, "<=", 0, touched == 0)
    checks = (*hypotheses(target, construction.ticket.source, epsilon, delta), untouched)
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort)
