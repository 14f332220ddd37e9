"""The smallest subset within a tolerance: levels by size, then one join per size on the shared halves."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.fixed_size import nearest_of_sizes
from slth.subset_sum.kernels import levels
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.masks import unpack
from slth.subset_sum.minimise import nearest_masks
from slth.subset_sum.problem import Status, SubsetSums

LAST_LEVEL = 4
"""Sizes enumerated level by level; C(21, 4) = 5,985 residuals cost less than one join."""


def search(problem: SubsetSums, tolerances: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Masks (m, 1) and status (m,) of the smallest subsets within tolerance; n <= 34.

    >>> search(SubsetSums(np.array([[3, 4, 7]]), np.array([7])), np.array([0]))
    (array([[4]], dtype=uint64), array([0], dtype=uint8))
    """
    masks = np.empty(problem.m, dtype=np.uint64)
    found = np.empty(problem.m, dtype=bool)
    largest = min(LAST_LEVEL, problem.n)
    binomials = np.array([[comb(i, j) for j in range(largest + 1)] for i in range(problem.n + 1)])

    def enumerate_levels(start: int, stop: int) -> None:
        part = slice(start, stop)
        levels.levels(
            problem.samples[part],
            problem.targets[part],
            tolerances[part],
            largest,
            binomials,
            masks[part],
            found[part],
        )

    in_pieces(enumerate_levels, problem.m, 256)
    status = np.where(found, Status.FOUND, Status.IMPOSSIBLE).astype(np.uint8)
    rows = np.flatnonzero(~found)
    if problem.n > LAST_LEVEL and len(rows):
        # One join over all sizes settles whether there is a subset at all.
        answers = nearest_masks(problem, rows)
        possible = np.abs(_residuals(problem, rows, answers)) <= tolerances[rows]
        rows = rows[possible]
        status[rows] = Status.FOUND
        sizes = np.arange(LAST_LEVEL + 1, problem.n + 1)
        masks[rows] = nearest_of_sizes(problem, rows, sizes, tolerances[rows])
    return masks[:, None], status


def _residuals(problem: SubsetSums, rows: NDArray[np.int64], answers: NDArray[np.uint64]) -> NDArray[np.int64]:
    chosen = unpack(answers[:, None], problem.n)
    residuals: NDArray[np.int64] = np.where(chosen, problem.samples[rows], 0).sum(axis=1) - problem.targets[rows]
    return residuals
