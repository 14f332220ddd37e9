"""How many subsets have a sum of at most a bound: one merge and a running count."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slth.subset_sum.kernels.joins import LARGEST_HALF, step_gray
from slth.subset_sum.kernels.merges import LANES, build, merge

Integers = NDArray[np.int64]


@njit(cache=True, nogil=True)
def _add_pairs(merged: Integers, rows: int, passed: Integers, counts: Integers) -> None:
    """Adds the number of pairs (a, b) with a <= bound - b: the keys of list A below each key of the other.

    Keys of the first list are even, those of the second odd, so there are no ties.
    """
    passed[:] = 0
    for i in range(rows):
        key = merged[i * LANES : (i + 1) * LANES]
        for w in range(LANES):
            tag = key[w] & 1
            counts[w] += passed[w] & -tag
            passed[w] += 1 - tag


@njit(cache=True, nogil=True)
def count_at_most(samples: Integers, bounds: Integers, out: Integers) -> None:
    """out[row, j] = number of subsets of the row with sum <= bounds[row, j].

    Args:
        samples: (m, n), n <= 34.
        bounds: (m, j), from the least sum - 1 to the largest sum, so that keys fit in int64.
        out: (m, j), written.
    """
    m, n = samples.shape
    half = min(n // 2, LARGEST_HALF)
    length = 1 << half
    a = np.empty(length * LANES, np.int64)
    b = np.empty(length * LANES, np.int64)
    merged = np.empty(2 * length * LANES, np.int64)
    columns = np.empty(n * LANES, np.int64)
    goal = np.empty(LANES, np.int64)
    passed = np.empty(LANES, np.int64)
    counts = np.empty(LANES, np.int64)
    for chunk in range(0, m, LANES):
        for w in range(LANES):
            for i in range(n):
                columns[i * LANES + w] = 4 * samples[min(chunk + w, m - 1), i]
        build(columns, 0, half, a)
        build(columns, half, half, b)
        for j in range(bounds.shape[1]):
            for w in range(LANES):
                goal[w] = 4 * bounds[min(chunk + w, m - 1), j] + 1
            counts[:] = 0
            code = 0
            for step in range(1 << (n - 2 * half)):
                if step:
                    code = step_gray(step, code, 2 * half, columns, goal)
                merge(a, b, goal, length, merged)
                _add_pairs(merged, 2 * length, passed, counts)
            for w in range(min(LANES, m - chunk)):
                out[chunk + w, j] = counts[w]
