"""The subset closest to a target, by joining two sorted lists of half sums.

The sums of each half of the samples are built sorted by doubling merges, list A is merged with target - list
B, and the closest pair of the two lists is a pair of neighbours in the merged order (Horowitz and Sahni 1974,
with a merging network in place of the two pointers). A key is four times a sum, plus one in target - B:

* neighbours come from different lists exactly when their difference is odd, and
* |4 D + 1| orders residuals D by modulus, a tie going to the sum above the target; with 2 D + 1 the
  residuals 2 and -3 would tie.

With sum |x| + |t| < 2^61 every difference of keys fits in int64. A positive offset added to every sample puts
the size of a subset in the high bits, and one join then finds the best subset of one size.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slth.subset_sum.kernels.merges import FARTHEST, LANES, SCAN, build, merge, rows_of, two_lists_and_their_merge
from slth.subset_sum.kernels.vectors import contains

Integers = NDArray[np.int64]

LARGEST_HALF = 16
"""Samples per half: two lists and their merge take 16 MB per thread. A Gray code runs over the others."""

LOW = 5
"""Samples whose 2^5 sums are compared with one number at once when a subset is located."""


@njit(cache=True, nogil=True)
def step_gray(step: int, code: int, first: int, columns: Integers, goal: Integers) -> int:
    """Flips one of the samples beyond the two halves and moves the goals; returns the new code."""
    bit = 0
    while not (step >> bit) & 1:
        bit += 1
    code ^= 1 << bit
    x = columns[(first + bit) * LANES : (first + bit + 1) * LANES]
    for w in range(LANES):
        goal[w] += -x[w] if (code >> bit) & 1 else x[w]
    return code


@njit(cache=True, nogil=True)
def locate(
    sample: Integers,
    offset: int,
    first: int,
    count: int,
    key: int,
    low: Integers,
    high: Integers,
) -> int:
    """The smallest mask over samples first .. first + count - 1 whose keys add up to `key`."""
    split = max(LOW, count // 2)
    for i in range(split):
        # A missing sample counts as zero and gets into no mask: the same sum without it comes first.
        x = 4 * (sample[first + i] + offset) if i < count else 0
        for j in range(1 << i):
            low[(1 << i) + j] = low[j] + x
    rest = max(0, count - split)
    for i in range(rest):
        x = 4 * (sample[first + split + i] + offset)
        for j in range(1 << i):
            high[(1 << i) + j] = high[j] + x
    for j in range(1 << rest):
        sought = key - high[j]
        for start in range(0, 1 << split, 1 << LOW):
            if contains(low, start // LANES, sought):
                while low[start] != sought:
                    start += 1
                return j << split | start
    return 0


@njit(cache=True, nogil=True)
def lower_neighbour(merged: Integers, first: int, gap: int, w: int) -> int:
    """The first key of lane w, from the row before `first` on, whose successor is `gap` larger."""
    i = max(first - 1, 0)
    while merged[(i + 1) * LANES + w] - merged[i * LANES + w] != gap:
        i += 1
    return merged[i * LANES + w]


@njit(cache=True, nogil=True)
def nearest(
    samples: Integers,
    targets: Integers,
    rows: Integers,
    width: int,
    offsets: Integers,
    sizes: Integers,
    tolerances: Integers,
    masks: NDArray[np.uint64],
) -> None:
    """The minimiser over the first `width` samples of each listed row, for one size after the other.

    Args:
        samples: (m, n) with n >= width.
        targets: (m,).
        rows: (r,), the rows to solve.
        width: samples used, 1 <= width <= 62.
        offsets: (r,); 0 searches subsets of every size (`sizes` is then [0]); a positive offset above twice
            sum |x| + |t| separates the sizes.
        sizes: (s,), tried in order; a row stops at the first size whose minimiser is within its tolerance.
        tolerances: (r,), in grid units; -1 never stops.
        masks: (r,), written: the minimiser at the size where the row stopped, or the best of all sizes tried.
    """
    half = min(width // 2, LARGEST_HALF)
    extra = width - 2 * half
    length = 1 << half
    a, b, merged = two_lists_and_their_merge(length)
    columns = rows_of(width)
    goal = rows_of(1)
    state = rows_of(3)
    best = np.empty(LANES, np.int64)
    best_below = np.empty(LANES, np.int64)
    best_code = np.empty(LANES, np.int64)
    best_size = np.empty(LANES, np.int64)
    is_open = np.empty(LANES, np.bool_)
    low = rows_of(1 << (max(LOW, half // 2) - 3))
    low[0] = 0
    high = np.zeros(1 << max(0, half - max(LOW, half // 2)), np.int64)
    for chunk in range(0, len(rows), LANES):
        for w in range(LANES):
            at = min(chunk + w, len(rows) - 1)
            for i in range(width):
                columns[i * LANES + w] = 4 * (samples[rows[at], i] + offsets[at])
        best[:] = FARTHEST
        is_open[:] = True
        build(columns, 0, half, a)
        build(columns, half, half, b)
        for j in range(len(sizes)):
            for w in range(LANES):
                at = min(chunk + w, len(rows) - 1)
                goal[w] = 4 * (targets[rows[at]] + sizes[j] * offsets[at]) + 1
            code = 0
            for step in range(1 << extra):
                if step:
                    code = step_gray(step, code, 2 * half, columns, goal)
                state[LANES : 2 * LANES] = best
                merge(a, b, goal, length, merged, SCAN, state)
                for w in range(LANES):
                    if is_open[w] and state[LANES + w] < best[w]:
                        best[w] = state[LANES + w]
                        best_below[w] = lower_neighbour(merged, state[2 * LANES + w], best[w], w)
                        best_code[w] = code
                        best_size[w] = sizes[j]
            left = False
            for w in range(LANES):
                is_open[w] &= (best[w] + 1) >> 2 > tolerances[min(chunk + w, len(rows) - 1)]
                left |= is_open[w]
            if not left:
                break
        for w in range(min(LANES, len(rows) - chunk)):
            row = rows[chunk + w]
            sample = samples[row]
            offset = offsets[chunk + w]
            reached = 4 * (targets[row] + best_size[w] * offset) + 1
            for i in range(extra):
                if (best_code[w] >> i) & 1:
                    reached -= columns[(2 * half + i) * LANES + w]
            one = best_below[w]
            other = one + best[w]
            if one & 1:
                one, other = other, one
            mask = locate(sample, offset, 0, half, one, low, high)
            mask |= locate(sample, offset, half, half, reached - other, low, high) << half
            masks[chunk + w] = np.uint64(mask | best_code[w] << (2 * half))
