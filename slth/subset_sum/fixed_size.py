"""The minimiser among subsets of one size, the size standing in the high bits of the keys."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.minimise import nearest_by_size
from slth.subset_sum.problem import SubsetSums


def nearest_of_sizes(
    problem: SubsetSums, rows: NDArray[np.int64], sizes: NDArray[np.int64], tolerances: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Masks (r,) of the minimisers of the first size, in the given order, whose minimiser is within
    tolerance.

    Args:
        problem: m instances with n <= 34 samples.
        rows: (r,), the rows to solve.
        sizes: (s,), each from 0 to n.
        tolerances: (r,), grid units; -1 tries all sizes and returns the best of them.

    >>> problem = SubsetSums(np.array([[3, -5, 9]]), np.array([7]))
    >>> nearest_of_sizes(problem, np.arange(1), np.array([2]), np.array([-1]))
    array([6], dtype=uint64)
    """
    spread = np.abs(problem.samples[rows]).sum(axis=1) + np.abs(problem.targets[rows])
    # With an offset above 2 spread a subset of a wrong size is farther off than any of the right size, and a
    # key is at most 4 ((n + 1) offset + spread) < 2^63 in modulus.
    narrow = spread <= ((1 << 61) // (problem.n + 2) - 1) // 2
    masks = np.empty(len(rows), dtype=np.uint64)
    masks[narrow] = nearest_by_size(problem, rows[narrow], problem.n, 2 * spread[narrow] + 1, sizes, tolerances[narrow])
    for at in np.flatnonzero(~narrow):
        sample, target = problem.samples[rows[at]], int(problem.targets[rows[at]])
        masks[at] = nearest_of_sizes_single(sample, target, sizes, int(tolerances[at]))
    return masks


def nearest_of_sizes_single(
    sample: NDArray[np.int64], target: int, sizes: NDArray[np.int64], tolerance: int
) -> np.uint64:
    """The same for one instance whose numbers leave no room for the size: the half sums are sorted by size.

    >>> nearest_of_sizes_single(np.array([3, -5, 9]), 7, np.array([2]), -1)
    np.uint64(6)
    """
    half = len(sample) // 2
    first, second = _sums_by_size(sample[:half]), _sums_by_size(sample[half:])
    best, mask = -1, 0
    for size in sizes:
        for taken in range(max(0, int(size) - len(second) + 1), min(len(first) - 1, int(size)) + 1):
            (a, a_masks), (b, b_masks) = first[taken], second[int(size) - taken]
            right = np.minimum(np.searchsorted(b, target - a), len(b) - 1)
            for at in (np.maximum(right - 1, 0), right):
                away = np.abs(a + b[at] - target)
                i = int(away.argmin())
                if best < 0 or away[i] < best:
                    best, mask = int(away[i]), int(a_masks[i]) | int(b_masks[at[i]]) << half
        if 0 <= best <= tolerance:
            break
    return np.uint64(mask)


def _sums_by_size(sample: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Entry k: the ascending sums of the k-subsets and their masks."""
    sums = np.zeros(1, dtype=np.int64)
    for x in sample:
        sums = np.concatenate([sums, sums + x])
    sizes = np.bitwise_count(np.arange(len(sums)))
    order = np.lexsort((sums, sizes))
    cuts = np.cumsum(np.bincount(sizes))[:-1]
    return list(zip(np.split(sums[order], cuts), np.split(order, cuts), strict=True))
