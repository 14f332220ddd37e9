"""Fixed-size subsets when there are many samples and few are taken, n in the hundreds and more."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import few
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.masks import WORD, pack
from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import checked_tolerances, exactly, exactly_within, sparsest_within

LARGEST_MINIMISED = {0: 1 << 31, 1: 1 << 31, 2: 1 << 31, 3: 10_000, 4: 2_000}
"""Samples up to which the minimiser of each size is computed: 0.1 s for the last two."""

TRIES = 4096
"""Bases tried for a row, each with the best pair beside it: about 10 ms at n = 500 before a row is given up."""

FIRST_TRIES = 64
"""Bases tried for four samples before all sums of pairs are sorted."""


def few_exactly(problem: SubsetSums, k: int) -> Subsets:
    """The subset of exactly k samples that minimises |sum - target|, for many samples and small k or n - k.

    One sample by comparison, two by two pointers, three by two pointers above each sample, four by two disjoint pairs
    of the sorted sums of pairs; n <= 34 as `exactly`. More than half of the samples are the complement of fewer.

    Args:
        problem: m instances; n of any size for k <= 2, n <= 10,000 for k = 3, n <= 2,000 for k = 4.
        k: size of the subset, 0 <= k <= n, with k <= 4 or n - k <= 4 unless n <= 34.

    Returns:
        Every row FOUND, of size k. Of several minimisers a fixed one is returned.

    Raises:
        ValueError: k is not an integer from 0 to n, or n and k are too large.

    >>> few_exactly(SubsetSums(np.arange(0, 500, 5)[None] ** 2, np.array([50_001])), 2).residuals
    array([-1])
    """
    k = checked_size(k, problem.n)
    if problem.n <= LARGEST_BATCHED:
        return exactly(problem, k)
    if problem.n > LARGEST_MINIMISED.get(min(k, problem.n - k), 0):
        raise ValueError(
            f"the minimiser of size {k} among n = {problem.n} samples is not computed: it needs k <= 4 or n - k <= 4, "
            "with n <= 10,000 for three and n <= 2,000 for four samples; give a tolerance and use few_within"
        )
    never = np.full(problem.m, -1, dtype=np.int64)
    masks = _search(problem, np.arange(problem.m), k, never, 0)
    return Subsets(problem, masks, np.full(problem.m, Status.FOUND, dtype=np.uint8))


def few_within(problem: SubsetSums, k: int, tolerance: int | NDArray[np.int64], tries: int = TRIES) -> Subsets:
    """A subset of exactly k samples with |sum - target| <= tolerance.

    Sizes up to four are settled by the minimiser where `few_exactly` computes it. Any other size takes a fixed
    pseudo-random sequence of bases of k - 2 samples, or all bases if there are no more than `tries`, and the best
    pair beside each. Natale et al. 2024 (arXiv 2410.14754) ask this question of every weight.

    Args:
        problem: m instances with any number of samples.
        k: size of the subset, 0 <= k <= n.
        tolerance: grid units, an integer >= 0 or int64 (m,).
        tries: bases per row, >= 1.

    Returns:
        One subset of size k per row. IMPOSSIBLE is proved: all subsets were searched, or the target is beyond the k
        smallest or the k largest samples. UNRESOLVED rows ran out of tries.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape; k is not an integer from 0 to n; or tries < 1.

    >>> answer = few_within(SubsetSums(np.arange(0, 500, 5)[None] ** 2, np.array([50_001])), 6, 3)
    >>> answer.sizes, abs(answer.residuals) <= 3
    (array([6]), array([ True]))
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    k = checked_size(k, problem.n)
    if isinstance(tries, bool) or not isinstance(tries, int | np.integer) or tries < 1:
        raise ValueError(f"tries must be an integer >= 1; got {tries!r}")
    if problem.n <= LARGEST_BATCHED:
        return exactly_within(problem, k, tolerances)
    size = min(k, problem.n - k)
    every = size <= 2 or comb(problem.n, size - 2) <= tries
    minimised = problem.n <= LARGEST_MINIMISED.get(size, 0)
    masks = np.zeros((problem.m, -(-problem.n // WORD)), dtype=np.uint64)
    status = np.full(problem.m, Status.UNRESOLVED, dtype=np.uint8)
    searches = [] if every else [min(int(tries), FIRST_TRIES) if minimised else int(tries)]
    searches += [0] if every or minimised else []
    for bases in searches:
        rows = np.flatnonzero(status == Status.UNRESOLVED)
        if len(rows):
            masks[rows] = _search(problem, rows, k, tolerances[rows], bases)
            # The verdict follows from the masks, not from what a search claims.
            nearest = Subsets(problem, masks, np.full(problem.m, Status.FOUND, dtype=np.uint8))
            status[rows] = Status.UNRESOLVED if bases else Status.IMPOSSIBLE
            status[(np.abs(nearest.residuals) <= tolerances) & (nearest.sizes == k)] = Status.FOUND
    rows = np.flatnonzero(status == Status.UNRESOLVED)
    status[rows[beyond_reach(problem, rows, k, tolerances)]] = Status.IMPOSSIBLE
    masks[status != Status.FOUND] = 0
    return Subsets(problem, masks, status)


def sparsest_few(problem: SubsetSums, largest: int, tolerance: int | NDArray[np.int64], tries: int = TRIES) -> Subsets:
    """A small subset with |sum - target| <= tolerance among many samples: sizes 0, 1, 2, ... up to a cap.

    Args:
        problem: m instances with any number of samples.
        largest: the largest size allowed, 0 <= largest <= n.
        tolerance: grid units, an integer >= 0 or int64 (m,).
        tries: bases per row and size, see `few_within`.

    Returns:
        One subset per row. No smaller subset of at most four samples (three for n > 2,000, two for n > 10,000)
        qualifies, none at all for n <= 34. IMPOSSIBLE is proved: no subset of at most `largest` samples qualifies.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape; largest is not an integer from 0 to n; or tries < 1.

    >>> sparsest_few(SubsetSums(np.arange(0, 500, 5)[None] ** 2, np.array([50_001])), 5, 1).sizes
    array([2])
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    largest = checked_size(largest, problem.n)
    masks = np.zeros((problem.m, -(-problem.n // WORD)), dtype=np.uint64)
    if problem.n <= LARGEST_BATCHED:
        sparsest = sparsest_within(problem, tolerances)
        status = sparsest.status.copy()
        status[sparsest.sizes > largest] = Status.IMPOSSIBLE
        masks[:] = sparsest.masks
        masks[status != Status.FOUND] = 0
        return Subsets(problem, masks, status)
    status = np.full(problem.m, Status.IMPOSSIBLE, dtype=np.uint8)
    rows = np.arange(problem.m)
    for size in range(largest + 1):
        if not len(rows):
            break
        part = SubsetSums(problem.samples[rows], problem.targets[rows])
        answer = few_within(part, size, tolerances[rows], tries)
        masks[rows] = answer.masks
        status[rows[answer.status == Status.FOUND]] = Status.FOUND
        status[rows[answer.status == Status.UNRESOLVED]] = Status.UNRESOLVED
        rows = rows[answer.status != Status.FOUND]
    return Subsets(problem, masks, status)


def checked_size(k: int, n: int) -> int:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 <= k <= n:
        raise ValueError(f"the size of a subset must be an integer from 0 to n = {n}; got {k!r}")
    return int(k)


def _search(
    problem: SubsetSums, rows: NDArray[np.int64], k: int, tolerances: NDArray[np.int64], bases: int
) -> NDArray[np.uint64]:
    """Masks (r, words) of the nearest subsets of size k of the listed rows; all are searched when bases = 0."""
    samples, targets, size = problem.samples[rows], problem.targets[rows], k
    complement = 2 * k > problem.n
    if complement:
        # The others add up to total - target, with the residual's sign turned.
        targets, size = samples.sum(axis=1) - targets, problem.n - k
    columns = np.zeros((len(rows), size), dtype=np.int64)
    if size == 1:
        columns[:, 0] = np.abs(samples - targets[:, None]).argmin(axis=1)
    elif size == 4 and not bases and problem.n <= LARGEST_MINIMISED[4]:
        in_pieces(lambda start, stop: _four(samples, targets, columns, start, stop), len(rows), 1)
    elif size:

        def solve(start: int, stop: int) -> None:
            part = slice(start, stop)
            few.few(samples[part], targets[part], tolerances[part], size, bases, bases == 0, columns[part])

        in_pieces(solve, len(rows), 16)
    chosen = np.full(samples.shape, complement)
    np.put_along_axis(chosen, columns, not complement, axis=1)
    return pack(chosen)


def _four(
    samples: NDArray[np.int64], targets: NDArray[np.int64], columns: NDArray[np.int64], start: int, stop: int
) -> None:
    """columns[row] = the four samples nearest to the target, by the sorted sums of all pairs."""
    one, other = np.triu_indices(samples.shape[1], 1)
    for row in range(start, stop):
        ranks = np.argsort(samples[row], kind="stable")
        # Sums in the order of ascending samples come in n ascending runs, which a stable sort merges.
        a, b = ranks[one], ranks[other]
        sums = samples[row][a] + samples[row][b]
        order = np.argsort(sums, kind="stable")
        a, b = a[order], b[order]
        i, j = few.closest_disjoint(sums[order], a, b, targets[row])
        columns[row] = a[i], b[i], a[j], b[j]


def beyond_reach(
    problem: SubsetSums, rows: NDArray[np.int64], k: int, tolerances: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(r,): the target lies below the sum of the k smallest or above that of the k largest, by more than allowed."""
    ascending = np.sort(problem.samples[rows], axis=1)
    targets, tolerance = problem.targets[rows], tolerances[rows]
    below: NDArray[np.bool_] = targets + tolerance < ascending[:, :k].sum(axis=1)
    return below | (targets - tolerance > ascending[:, problem.n - k :].sum(axis=1))
