"""The exact minimiser of |subset sum - target|."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import joins, merges, pairs
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.problem import SubsetSums

LARGEST_BATCHED = 34
"""Samples up to which whole batches are solved exactly (about 0.3 ms per instance and core at 32, 0.7 ms at 34)."""

LARGEST_SINGLE = 48
"""Samples up to which instances are solved one by one (about 3 s and 300 MB each at 48)."""


def nearest_masks(
    problem: SubsetSums, rows: NDArray[np.int64] | None = None, width: int | None = None
) -> NDArray[np.uint64]:
    """Masks (r,) of the exact minimisers over the first `width` samples of the listed rows, width <= 34.

    >>> nearest_masks(SubsetSums(np.array([[3, -5, 9]]), np.array([7])))
    array([7], dtype=uint64)
    """
    rows = np.arange(problem.m) if rows is None else rows
    zeros, never = np.zeros(len(rows), dtype=np.int64), np.full(len(rows), -1, dtype=np.int64)
    return nearest_by_size(problem, rows, width or problem.n, zeros, np.zeros(1, dtype=np.int64), never)


def nearest_by_size(
    problem: SubsetSums, rows: NDArray[np.int64], width: int, offsets: NDArray[np.int64],
    sizes: NDArray[np.int64], tolerances: NDArray[np.int64],
) -> NDArray[np.uint64]:  # fmt: skip
    """`kernels.joins.nearest` over all threads; masks (r,) of the listed rows.

    >>> problem, one = SubsetSums(np.array([[3, -5, 9]]), np.array([7])), np.ones(1, dtype=np.int64)
    >>> nearest_by_size(problem, np.arange(1), 3, 64 * one, 2 * one, -one)
    array([6], dtype=uint64)
    """
    masks = np.zeros(len(rows), dtype=np.uint64)

    def solve(start: int, stop: int) -> None:
        part = slice(start, stop)
        joins.nearest(
            problem.samples, problem.targets, rows[part], width, offsets[part], sizes, tolerances[part],
            masks[part],
        )  # fmt: skip

    in_pieces(solve, len(rows), merges.LANES)
    return masks


def nearest_single(sample: NDArray[np.int64], target: int) -> np.uint64:
    """The mask of the exact minimiser of one instance, with two sorted lists of 2^(n/2) sums; n <= 62.

    >>> nearest_single(np.array([3, -5, 9]), 7)
    np.uint64(7)
    """
    half = len(sample) // 2
    one, other = pairs.closest_pair(_sorted_sums(sample[:half]), _sorted_sums(sample[half:]), target)
    low, high = (np.zeros(1 << max(joins.LOW, len(sample) // 4 + 1), dtype=np.int64) for _ in range(2))
    mask = joins.locate(sample, 0, 0, half, 4 * one, low, high)
    return np.uint64(mask | joins.locate(sample, 0, half, len(sample) - half, 4 * other, low, high) << half)


def _sorted_sums(sample: NDArray[np.int64]) -> NDArray[np.int64]:
    sums = np.zeros(1 << len(sample), dtype=np.int64)
    for i, x in enumerate(sample):
        np.add(sums[: 1 << i], x, out=sums[1 << i : 2 << i])
    sums.sort()
    return sums
