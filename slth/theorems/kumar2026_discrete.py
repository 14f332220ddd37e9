"""Kumar, Natale (2026), discrete random subset sums: integers from -M to M, reached within Delta or exactly.

Statement.  Let X_1, X_2, ... be independent and uniform on the integers from -M to M. There are universal constants C
            and kappa such that, for n >= n_0 = C log((M + 1) / (Delta + 1)), with probability at least
            1 - 2 exp(-(n - n_0)^2 / (kappa n)) every integer z from -M to M has a subset of the first n samples whose
            sum is within Delta of z (Theorem 2).
Kind.       upper for TAIL (restated, no values for C and kappa) and for FAILURE, FAILURE_EXACT and CANDIDATES (derived,
            every constant explicit); lower for COUNTING (derived); SAMPLES_FOR_90_PERCENT, PARTITION_RANGE and
            NO_PERFECT_PARTITION are heuristic.
Source.     arXiv 2607.03860, Theorem 2, restated from its abstract and a public review; check before quoting. The proof
            of the derived bounds is docs/proofs/quantised.md, parts A and B. Not peer reviewed. The link with number
            partitioning (Borgs, Chayes, Pittel 2001; Borgs, Chayes, Mertens, Pittel 2004) is the one of Kumar and
            Natale (2025).
Uses.       lueker1998_subset_sum for the potential of the covered share.
Notation.   t -> n (samples), M largest modulus of a sample and of a target, Delta = D_1 + D_2 allowed distance, m drift
            constant of the law: 1/2 for uniform samples, products in `slth.theorems.dyadic_products`.
Departs.    The failure probability is explicit, and falls by 1 - m/2 per sample from the first sample on.
Errata.     C and kappa have no values. D_1 <= M is needed in FAILURE. Waiting for a sample that equals z is no rival:
            it takes about (2 M + 1) ln(1 / delta) samples, exponential in the bits of M.

Sketch of the proof.  Let A_0 = [-D_1, D_1] and A_t+1 = (A_t or A_t + X_t+1) within [-M, M]; every member is within D_1
of a subset sum. (1) Of the |A| |complement of A| pairs at least half are within distance M (`near_changes`), so the
covered share v has E v' >= v + v (1 - v) / 2. (2) The potential 1 / v - 1 falls by 3/4 per sample in expectation. (3) A
target that is missed leaves a hole of at least D_2 + 1 integers; Markov.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.bounds import Bound, Direction, Provenance
from slth.references import BORGS2001, KUMAR2026
from slth.subset_sum import representable
from slth.symbols import symbol

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "kumar2026_discrete"
REFERENCE = KUMAR2026

_n, _M, _m, _delta = symbol("n"), symbol("M"), symbol("m"), symbol("delta")
_Delta, _D1, _D2, _C, _kappa = symbol("Delta"), symbol("D_1"), symbol("D_2"), symbol("C"), symbol("kappa")

TAIL = Bound(
    name="failure probability by Theorem 2",
    quantity=_delta,
    direction=Direction.UPPER,
    expression=2 * sympy.exp(-(sympy.Max(0, _n - _C * sympy.log((_M + 1) / (_Delta + 1))) ** 2) / (_kappa * _n)),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="some integer of [-M, M] is not within Delta, uniform samples; no claim below n = C log((M + 1) / (Delta + "
    "1)); C and kappa have no values; restated from memory of the paper; check before quoting",
)

# 2. Bound -------------------------------------------------------------------------------------------------------------

FAILURE = Bound(
    name="failure probability within Delta = D_1 + D_2",
    quantity=_delta,
    direction=Direction.UPPER,
    expression=(2 * _M - 2 * _D1) / (2 * _D1 + 1) * (2 * _M - _D2) / (_D2 + 1) * (1 - _m / 2) ** _n,
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="P(some integer of [-M, M] is not within D_1 + D_2 of a subset sum); whole D_1 <= M, D_2 <= 2 M; samples with "
    "drift constant m, 1/2 if uniform",
)

FAILURE_EXACT = Bound(
    name="failure probability of exact sums",
    quantity=_delta,
    direction=Direction.UPPER,
    expression=4 * _M**2 * (1 - _m / 2) ** _n,
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="FAILURE with Delta = 0: P(some integer of [-M, M] is no subset sum)",
)

CANDIDATES = Bound(
    name="samples that suffice for exact sums",
    quantity=_n,
    direction=Direction.UPPER,
    expression=sympy.log(4 * _M**2 / _delta) / -sympy.log(1 - _m / 2),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="FAILURE_EXACT solved for n: all integers of [-M, M] at once with probability 1 - delta",
)

COUNTING = Bound(
    name="samples that counting asks for",
    quantity=_n,
    direction=Direction.LOWER,
    expression=sympy.log((2 * _M + 1) / (2 * _Delta + 1), 2),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="2^n sums serve 2 Delta + 1 integers each and have to serve 2 M + 1; holds for every sample, whatever its law",
)

SAMPLES_FOR_90_PERCENT = Bound(
    name="samples that succeed nine times out of ten",
    quantity=_n,
    direction=Direction.HEURISTIC,
    expression=sympy.log(2 * _M + 1, 2) + 8,
    provenance=Provenance.HEURISTIC,
    reference=REFERENCE,
    note="rule of thumb for uniform samples and exact sums, all integers of [-M, M] at once; measured for M up to 512",
)

PARTITION_RANGE = Bound(
    name="range at which perfect partitions vanish",
    quantity=_M,
    direction=Direction.HEURISTIC,
    expression=2**_n / sympy.sqrt(_n),
    provenance=Provenance.HEURISTIC,
    reference=BORGS2001,
    note="n samples uniform on 1 .. M: log2(M) / n = 1 - log2(n) / (2 n), the middle of the window of the paper, which "
    "is a limit; at finite n an estimate; restated from its abstract; check before quoting",
)

_expected = 2**_n / _M * sympy.sqrt(3 / (2 * sympy.pi * _n))

NO_PERFECT_PARTITION = Bound(
    name="chance that no partition is perfect",
    quantity=_delta,
    direction=Direction.HEURISTIC,
    expression=(sympy.exp(-_expected) + sympy.exp(-2 * _expected)) / 2,
    provenance=Provenance.HEURISTIC,
    reference=BORGS2001,
    note="n samples uniform on 1 .. M, discrepancy 0 or 1; the number of perfect partitions taken as Poisson, with the "
    "mean for even totals, twice as large for odd ones",
)

UNIFORM_DRIFT = Fraction(1, 2)
"""m for samples uniform on the integers from -M to M and targets there."""


def failure(n: int, largest: int, distance: int = 0, drift: Fraction = UNIFORM_DRIFT) -> Fraction:
    """P(some integer of [-M, M] is not within Delta of a subset sum) is at most this: FAILURE, best split, exact.

    Args:
        n: number of samples, >= 0.
        largest: M, >= 1.
        distance: Delta, >= 0; it is split as D_1 + D_2 with D_1 <= M and D_2 <= 2 M.
        drift: m of the law for the window [-M, M], in [0, 1].

    Raises:
        ValueError: a number is out of its range.

    >>> failure(47, 128) < Fraction(1, 10) < failure(46, 128)
    True
    """
    if n < 0 or largest < 1 or distance < 0 or not 0 <= drift <= 1:
        raise ValueError(
            f"need n >= 0, M >= 1, Delta >= 0 and a drift constant from 0 to 1; got {n}, {largest}, {distance}, {drift}"
        )
    if distance >= largest:
        return Fraction(0)  # the empty sum serves every target
    splits = (
        Fraction((2 * largest - 2 * first) * (2 * largest - second), (2 * first + 1) * (second + 1))
        for first, second in ((first, distance - first) for first in range(distance + 1))
    )
    return min(splits) * (1 - drift / 2) ** n


def near_changes(members: NDArray[np.bool_], reach: int) -> int:
    """J: pairs of integers within distance `reach` of which exactly one is a member.

    Step (1) of the proof: with 2 M + 1 integers and reach M, J >= |A| (2 M + 1 - |A|) / 2.

    Args:
        members: bool (2 M + 1,), or a batch (..., 2 M + 1): then the number of each is returned as an array.
        reach: largest distance, >= 0.

    >>> int(near_changes(np.array([True, True, False, False, False]), 2))
    3
    """
    distances = range(1, min(reach, members.shape[-1] - 1) + 1)
    return sum((members[..., h:] != members[..., :-h]).sum(axis=-1) for h in distances)


# 3. Measure -----------------------------------------------------------------------------------------------------------


def missed(samples: NDArray[np.int64], largest: int, distance: int = 0) -> NDArray[np.int64]:
    """How many integers from -M to M are not within Delta of a subset sum.

    Args:
        samples: int64 (m, n), sum |samples| < 2^28 in every row.
        largest: M, >= 0.
        distance: Delta, >= 0.

    Returns:
        int64 (m,), from 0 to 2 M + 1.

    Raises:
        TypeError: the samples are not int64.
        ValueError: a wrong shape or a number out of its range.

    >>> missed(np.array([[1, -2], [3, 3]]), 2), missed(np.array([[1, -2], [3, 3]]), 2, distance=1)
    (array([1, 4]), array([0, 1]))
    """
    if distance < 0:
        raise ValueError(f"the allowed distance Delta must be >= 0; got {distance}")
    reached = representable(samples, largest + distance)
    # A target is served if one of the 2 Delta + 1 integers around it is a sum.
    counts = np.pad(np.cumsum(reached, axis=1), ((0, 0), (1, 0)))
    served = counts[:, 2 * distance + 1 :] > counts[:, : 2 * largest + 1]
    return np.asarray((~served).sum(axis=1))
