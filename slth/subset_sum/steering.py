"""Subsets of one size among very many samples: steer the size to the target, then choose inside pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.few_of_many import beyond_reach, checked_size
from slth.subset_sum.masks import pack
from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import any_within, best, checked_tolerances

MINIMISED_PAIRS = 24
"""Pairs whose best choice is computed by default when no tolerance is given: 2^24 sums, 12 us an instance."""

LARGEST_SPREAD = 1 << 61
"""The moduli of the pairs and one bound must stay below this, as those of any problem."""


@dataclass(frozen=True, eq=False)
class Steered:
    """Subsets of exactly k samples and how they came about.

    Args:
        answer: the subsets; a FOUND row has exactly k samples.
        pairs: number of pairs (X, Y) of which one is taken.
        steered: int64 (m,), grid units: the part of the target that the pairs had to supply, as a sum of
            differences X - Y. In modulus at most `unit` unless the row is in `beyond`.
        unit: int64 (m,), the bound on |samples| that was used.
        beyond: bool (m,): the target is farther than `unit` from all that steering can reach, so that the theorem
            promises nothing.
    """

    answer: Subsets
    pairs: int
    steered: NDArray[np.int64]
    unit: NDArray[np.int64]
    beyond: NDArray[np.bool_]

    def reason(self, row: int) -> str:
        """Why the row has the status it has, in a sentence."""
        status = self.answer.status[row]
        if status == Status.FOUND:
            return "found"
        if status == Status.IMPOSSIBLE:
            return "impossible: the target lies beyond the k smallest or the k largest samples"
        if self.beyond[row]:
            return "unresolved: steering ends more than one unit away from the target"
        return f"unresolved: the differences of {self.pairs} pairs have no sum within the tolerance; use more pairs"


def steered(
    problem: SubsetSums,
    k: int,
    tolerance: int | NDArray[np.int64] | None = None,
    *,
    bound: int | None = None,
    pairs: int | None = None,
) -> Steered:
    """Exactly k of n samples with a sum near the target, for n up to 10^5 and more and every k.

    The first 2 p samples form p pairs (X, Y), the rest a pool. With all Y taken, the k - p smallest of the pool are
    moved to the k - p largest, one sample by one rank at a time, and the walk stops at the step nearest to the target.
    No step is longer than 2 bound, so the target comes within one bound unless it lies outside the range of the walk.
    What is left is a subset sum of the differences X - Y: taking one exchanges Y for X and keeps the size. The steps
    are ordered by sum, hence the stop is found by bisection in prefix sums, in O(n log n) with the sort.

    Source: derived here. A repair of the amplification step of Natale et al. 2024 (arXiv 2410.14754, Corollary 1),
    one logarithm better; their law is uniform on [-1, 1], bound = 1, k >= 114, n >= 2 k, with floor(k / 8) pairs. Any
    stop within one bound serves; the nearest one leaves the differences the easiest target.

    Args:
        problem: m instances; in each, the moduli of the samples in pairs and one bound add up to less than 2^61.
        k: size of the subset, 0 <= k <= n; above n / 2 the complement is searched.
        tolerance: grid units, an integer >= 0 or int64 (m,); None asks for the best choice inside the pairs.
        bound: grid units, all |samples| <= bound; None takes the largest modulus of each row.
        pairs: p, from 0 to min(k, n - k); for p > 48 a tolerance is needed. By default half of min(k, n - k), at most
            34 with a tolerance and at most 24 without.

    Returns:
        FOUND rows have exactly k samples (and are within the tolerance, if there is one). Without a tolerance a row is
        UNRESOLVED only if the walk does not come within one bound of the target. IMPOSSIBLE is proved.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: an argument is out of its range, or the samples in pairs are too large.

    >>> samples = np.arange(1000)[None] ** 5 % 1_000_003 - 500_000
    >>> found = steered(SubsetSums(samples, np.array([12_345])), 200)
    >>> found.answer.sizes, abs(found.answer.residuals) <= 1, found.reason(0)
    (array([200]), array([ True]), 'found')
    """
    k = checked_size(k, problem.n)
    size = min(k, problem.n - k)
    tolerances = None if tolerance is None else checked_tolerances(tolerance, problem.m)
    if pairs is None:
        pairs = min(size // 2, MINIMISED_PAIRS if tolerances is None else LARGEST_BATCHED)
    elif isinstance(pairs, bool) or not isinstance(pairs, int | np.integer) or not 0 <= pairs <= size:
        raise ValueError(f"pairs must be an integer from 0 to min(k, n - k) = {size}; got {pairs!r}")
    unit = _checked_bound(problem, bound, int(pairs))
    targets = problem.targets if 2 * k <= problem.n else problem.samples.sum(axis=1) - problem.targets
    pool = np.zeros((problem.m, problem.n), dtype=bool)
    left = np.empty(problem.m, dtype=np.int64)
    for row, sample in enumerate(problem.samples):
        goal = int(targets[row]) - int(sample[1 : 2 * pairs : 2].sum())
        order = 2 * pairs + np.argsort(sample[2 * pairs :], kind="stable")
        taken, left[row] = _walk(sample[order], size - pairs, goal)
        pool[row, order[taken]] = True
    beyond = np.abs(left) > unit
    chosen = _choose_inside(problem.samples[:, : 2 * pairs], left, tolerances)
    pool[:, : 2 * pairs : 2], pool[:, 1 : 2 * pairs : 2] = chosen, ~chosen
    masks = pack(pool if 2 * k <= problem.n else ~pool)
    # The verdict follows from the masks, not from what the walk or the choice claims.
    nearest = Subsets(problem, masks, np.full(problem.m, Status.FOUND, dtype=np.uint8))
    found = ~beyond if tolerances is None else np.abs(nearest.residuals) <= tolerances
    status = np.where(found & (nearest.sizes == k), Status.FOUND, Status.UNRESOLVED).astype(np.uint8)
    if tolerances is not None:
        rows = np.flatnonzero(~found)
        status[rows[beyond_reach(problem, rows, k, tolerances)]] = Status.IMPOSSIBLE
    masks[status != Status.FOUND] = 0
    return Steered(Subsets(problem, masks, status), int(pairs), left, unit, beyond)


def _checked_bound(problem: SubsetSums, bound: int | None, pairs: int) -> NDArray[np.int64]:
    moduli = np.abs(problem.samples)
    largest: NDArray[np.int64] = moduli.max(axis=1)
    unit = largest
    if bound is not None:
        top = int(largest.max(initial=0))
        if isinstance(bound, bool) or not isinstance(bound, int | np.integer) or not top <= bound <= LARGEST_SPREAD:
            raise ValueError(f"bound must be an integer from the largest |sample| {top} to 2^61; got {bound!r}")
        unit = np.full(problem.m, int(bound), dtype=np.int64)
    spread = moduli[:, : 2 * pairs].sum(axis=1) + unit
    if (spread >= LARGEST_SPREAD).any():
        raise ValueError(
            f"the samples in pairs of row {int(spread.argmax())} and one bound add up to 2^61 or more, where sums of "
            "differences could overflow int64: use a coarser unit (a smaller exponent) or fewer pairs"
        )
    return unit


def _walk(ascending: NDArray[np.int64], size: int, goal: int) -> tuple[NDArray[np.int64], int]:
    """The step nearest to the goal of the walk from the `size` smallest to the `size` largest.

    The largest sample taken climbs to the top first, then the next one: with c of them at the top, one at position p
    and the others still at the bottom, the sum grows with (c, p) in lexicographic order.

    Returns:
        The positions taken, and goal - their sum.
    """
    count = len(ascending)
    if size == 0:
        return np.empty(0, dtype=np.int64), goal
    prefix = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(ascending)])
    done = np.arange(size)
    # The climber of stage c ends at count - 1 - c, above it the c largest, below it the size - 1 - c smallest.
    others = prefix[size - 1 - done] + prefix[count] - prefix[count - done]
    ends = others + ascending[count - 1 - done]
    stage = min(int(np.searchsorted(ends, goal)), size - 1)
    low, high = size - 1 - stage, count - 1 - stage
    at = low + int(np.searchsorted(ascending[low : high + 1], goal - others[stage]))
    at = min(at, high)
    above = int(others[stage]) + int(ascending[at]) - goal
    if at > low and goal - int(others[stage]) - int(ascending[at - 1]) <= abs(above):
        at -= 1
        above = int(others[stage]) + int(ascending[at]) - goal
    positions = np.concatenate([np.arange(low), [at], np.arange(high + 1, count)])
    return positions.astype(np.int64), -above


def _choose_inside(
    pairs: NDArray[np.int64], left: NDArray[np.int64], tolerances: NDArray[np.int64] | None
) -> NDArray[np.bool_]:
    """(m, p): X of the pair is taken, not Y."""
    differences = pairs[:, ::2] - pairs[:, 1::2]
    chosen = np.zeros(differences.shape, dtype=bool)
    # A target farther off than all differences together has no use for them: all Y stay.
    rows = np.flatnonzero(np.abs(differences).sum(axis=1) + np.abs(left) < LARGEST_SPREAD)
    if differences.shape[1]:
        inner = SubsetSums(differences[rows], left[rows])
        answer = best(inner) if tolerances is None else any_within(inner, tolerances[rows])
        chosen[rows] = answer.chosen
    return chosen
