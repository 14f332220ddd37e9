"""How many subsets qualify."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import counts, halves, merges
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.problem import SubsetSums
from slth.subset_sum.solve import checked_tolerances

LARGEST_COUNTED = 40
"""Samples up to which subsets are counted (a row takes about 0.04 s and 16 MB at 40, by size 0.2 s)."""

LARGEST_VERTICAL, FEWEST_VERTICAL = 30, 16
"""The vertical merges count 64 rows for the price of 16 with two pointers, and lose their lead beyond 30 samples."""


def count_within(problem: SubsetSums, tolerance: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """The exact number of subsets with |sum - target| <= tolerance, the empty one included.

    All 2^n subsets are counted through sorted half sums, whatever the tolerance: batches of up to 30 samples by
    vertical merges, few rows or more samples by two pointers.

    Args:
        problem: m instances with n <= 40 samples.
        tolerance: grid units, an integer >= 0 or int64 (m,).

    Returns:
        int64 (m,), from 0 to 2^n.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape, or n > 40.

    >>> count_within(SubsetSums(np.array([[1, 1, 2]]), np.array([2])), 0)
    array([2])
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    _check_size(problem.n)
    if problem.n > LARGEST_VERTICAL or problem.m < FEWEST_VERTICAL:
        return count_between(problem, tolerances, by_size=False)[:, 0]
    top = np.maximum(problem.samples, 0).sum(axis=1)
    bottom = np.minimum(problem.samples, 0).sum(axis=1)
    # No sum lies outside [bottom, top]: clipping the bounds changes no count and keeps the keys in int64.
    bounds = np.empty((problem.m, 2), dtype=np.int64)
    bounds[:, 0] = np.clip(problem.targets - tolerances - 1, bottom - 1, top)
    bounds[:, 1] = np.clip(problem.targets + tolerances, bottom - 1, top)
    at_most = np.empty((problem.m, 2), dtype=np.int64)

    def count(start: int, stop: int) -> None:
        counts.count_at_most(problem.samples[start:stop], bounds[start:stop], at_most[start:stop])

    in_pieces(count, problem.m, merges.LANES)
    return at_most[:, 1] - at_most[:, 0]


def count_by_size(problem: SubsetSums, tolerance: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """The exact number of subsets of every size with |sum - target| <= tolerance.

    The sums of each half stand sorted by size, and two pointers count the pairs of every two sizes (derived).

    Args:
        problem: m instances with n <= 40 samples.
        tolerance: grid units, an integer >= 0 or int64 (m,).

    Returns:
        int64 (m, n + 1); column k is from 0 to n choose k, and every row adds up to `count_within`.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape, or n > 40.

    >>> count_by_size(SubsetSums(np.array([[1, 1, 2]]), np.array([2])), 0)
    array([[0, 1, 1, 0]])
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    _check_size(problem.n)
    return count_between(problem, tolerances, by_size=True)


def count_between(problem: SubsetSums, tolerances: NDArray[np.int64], by_size: bool) -> NDArray[np.int64]:
    """Counts (m, n + 1) by size, or (m, 1), by two pointers; n <= 48 (0.5 s and 256 MB there, in every thread).

    >>> count_between(SubsetSums(np.array([[1, 1, 2]]), np.array([2])), np.array([0]), by_size=False)
    array([[2]])
    """
    bounds = np.stack([problem.targets - tolerances, problem.targets + tolerances], axis=1)
    out = np.empty((problem.m, problem.n + 1 if by_size else 1), dtype=np.int64)

    def count(start: int, stop: int) -> None:
        halves.count_between(problem.samples[start:stop], bounds[start:stop], by_size, out[start:stop])

    in_pieces(count, problem.m, 1)
    return out


def _check_size(n: int) -> None:
    if n > LARGEST_COUNTED:
        raise ValueError(
            f"subsets are counted for n <= {LARGEST_COUNTED} samples; got n = {n}: keep {LARGEST_COUNTED} candidates"
        )
