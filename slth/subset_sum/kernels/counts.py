"""How many subsets have a sum of at most a bound: one merge and a running count."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slth.subset_sum.kernels.joins import LARGEST_HALF, step_gray
from slth.subset_sum.kernels.merges import COUNT, LANES, build, merge, rows_of, two_lists_and_their_merge

Integers = NDArray[np.int64]


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
    rows = max(2 * length, 8)
    a, b, merged = two_lists_and_their_merge(length)
    columns = rows_of(n)
    goal = rows_of(1)
    state = rows_of(3)
    steps = 1 << (n - 2 * half)
    # The keys of list A are even, those of the other odd, so there are no ties. The odd key in row p has p keys before
    # it, of which the other odd ones are no pairs; and it is counted in rows - p rows.
    pairs = rows * length - length * (length - 1) // 2
    for chunk in range(0, m, LANES):
        for w in range(LANES):
            for i in range(n):
                columns[i * LANES + w] = 4 * samples[min(chunk + w, m - 1), i]
        build(columns, 0, half, a)
        build(columns, half, half, b)
        for j in range(bounds.shape[1]):
            for w in range(LANES):
                goal[w] = 4 * bounds[min(chunk + w, m - 1), j] + 1
            state[LANES:] = 0
            code = 0
            for step in range(steps):
                if step:
                    code = step_gray(step, code, 2 * half, columns, goal)
                state[:LANES] = 0
                merge(a, b, goal, length, merged, COUNT, state)
            for w in range(min(LANES, m - chunk)):
                out[chunk + w, j] = steps * pairs - state[LANES + w]
