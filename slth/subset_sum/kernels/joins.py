"""Vertical bitonic merges: 64 instances side by side, one per SIMD lane, without branches or gathers.

The sums of each half of the samples are built sorted by doubling merges, list A is merged with target - list
B, and the closest pair of the two lists is a pair of neighbours in the merged order (Horowitz and Sahni 1974
with Batcher's 1968 merging network in place of the two pointers). A key is four times a sum, plus one in the
list target - B:

* neighbours come from different lists exactly when their difference is odd, and
* |4 D + 1| orders residuals D by modulus, a tie going to the subset above the target; with 2 D + 1 the
residuals 2
  and -3 would tie.

With sum |x| + |t| < 2^61 every difference of keys fits in int64. A positive `offset` is added to every
sample, so that the size of a subset stands in the high bits and one join finds the best subset of one size.

Everything that compiles into one kernel stands in this file: numba's cache watches the file of the caller
only. No function calls itself: cached self-recursion crashes on reload (numba issue 6061).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES = 64
"""Instances per vector chunk; LLVM vectorises the lane loops from 32 on."""

LARGEST_HALF = 13
"""Samples per half: two lists of 2^13 keys and their merge take 16 MB per thread; the others follow a Gray
code."""

FARTHEST = np.int64(2**63 - 1)

_ROWS_IN_L1 = 64
_ROWS_IN_L2 = 1024


@njit(inline="always")
def _exchange(keys: NDArray[np.int64], start: int, stride: int) -> None:
    low = keys[start * LANES : (start + stride) * LANES]
    high = keys[(start + stride) * LANES : (start + 2 * stride) * LANES]
    for i in range(stride * LANES):
        x = low[i]
        y = high[i]
        low[i] = min(x, y)
        high[i] = max(x, y)


@njit(inline="always")
def _exchange_twice(keys: NDArray[np.int64], start: int, stride: int) -> None:
    """The stages of stride 2 * stride and stride in one pass over memory."""
    count = stride * LANES
    first = start * LANES
    p = keys[first : first + count]
    q = keys[first + count : first + 2 * count]
    r = keys[first + 2 * count : first + 3 * count]
    s = keys[first + 3 * count : first + 4 * count]
    for i in range(count):
        p0 = p[i]
        q0 = q[i]
        r0 = r[i]
        s0 = s[i]
        p1 = min(p0, r0)
        r1 = max(p0, r0)
        q1 = min(q0, s0)
        s1 = max(q0, s0)
        p[i] = min(p1, q1)
        q[i] = max(p1, q1)
        r[i] = min(r1, s1)
        s[i] = max(r1, s1)


@njit(cache=True, nogil=True)
def _clean_in_l1(keys: NDArray[np.int64], start: int, length: int) -> None:
    stride = length // 2
    while stride >= 2:
        for block in range(start, start + length, 2 * stride):
            _exchange_twice(keys, block, stride // 2)
        stride //= 4
    if stride == 1:
        for block in range(start, start + length, 2):
            _exchange(keys, block, 1)


@njit(cache=True, nogil=True)
def _clean_in_l2(keys: NDArray[np.int64], start: int, length: int) -> None:
    stride = length // 2
    while stride >= _ROWS_IN_L1:
        for block in range(start, start + length, 2 * stride):
            _exchange_twice(keys, block, stride // 2)
        stride //= 4
    part = min(length, 2 * stride)
    for block in range(start, start + length, part):
        _clean_in_l1(keys, block, part)


@njit(cache=True, nogil=True)
def _clean(keys: NDArray[np.int64], start: int, length: int) -> None:
    """Sorts a bitonic run of `length` rows (a power of two); wide strides first, then block by block in
    cache."""
    if length < 2:
        return
    stride = length // 2
    while stride >= _ROWS_IN_L2:
        for block in range(start, start + length, 2 * stride):
            _exchange_twice(keys, block, stride // 2)
        stride //= 4
    part = min(length, 2 * stride)
    for block in range(start, start + length, part):
        _clean_in_l2(keys, block, part)


@njit(cache=True, nogil=True)
def _build(columns: NDArray[np.int64], first: int, half: int, keys: NDArray[np.int64]) -> None:
    """All 2^half sums of the samples first .. first + half - 1, sorted in every lane."""
    keys[:LANES] = 0
    for k in range(half):
        length = 1 << k
        x = columns[(first + k) * LANES : (first + k + 1) * LANES]
        # keys and keys + x are ascending: keys followed by the reverse of keys + x is bitonic. The first
        # stage of its merge reads rows i and length - 1 - i only, so it is done while the second copy is
        # written.
        for i in range((length + 1) // 2):
            j = length - 1 - i
            low_i = keys[i * LANES : (i + 1) * LANES]
            low_j = keys[j * LANES : (j + 1) * LANES]
            high_i = keys[(length + i) * LANES : (length + i + 1) * LANES]
            high_j = keys[(length + j) * LANES : (length + j + 1) * LANES]
            for w in range(LANES):
                a = low_i[w]
                b = low_j[w]
                c = a + x[w]
                d = b + x[w]
                low_i[w] = min(a, d)
                high_i[w] = max(a, d)
                low_j[w] = min(b, c)
                high_j[w] = max(b, c)
        _clean(keys, 0, length)
        _clean(keys, length, length)


@njit(cache=True, nogil=True)
def _merge(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    goal: NDArray[np.int64],
    length: int,
    merged: NDArray[np.int64],
) -> None:
    for i in range(length):
        p = a[i * LANES : (i + 1) * LANES]
        q = b[i * LANES : (i + 1) * LANES]
        low = merged[i * LANES : (i + 1) * LANES]
        high = merged[(length + i) * LANES : (length + i + 1) * LANES]
        for w in range(LANES):
            x = p[w]
            y = goal[w] - q[w]
            low[w] = min(x, y)
            high[w] = max(x, y)
    _clean(merged, 0, length)
    _clean(merged, length, length)


@njit(cache=True, nogil=True)
def _closest_neighbours(
    merged: NDArray[np.int64], rows: int, gap: NDArray[np.int64], below: NDArray[np.int64]
) -> None:
    gap[:] = FARTHEST
    for i in range(1, rows):
        u = merged[(i - 1) * LANES : i * LANES]
        v = merged[i * LANES : (i + 1) * LANES]
        for w in range(LANES):
            d = v[w] - u[w]
            d = d if d & 1 else FARTHEST
            g = gap[w]
            below[w] = u[w] if d < g else below[w]
            gap[w] = min(d, g)


@njit(cache=True, nogil=True)
def _step_gray(step: int, code: int, first: int, columns: NDArray[np.int64], goal: NDArray[np.int64]) -> int:
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
    sample: NDArray[np.int64], offset: int, first: int, count: int, key: int,
    low: NDArray[np.int64], high: NDArray[np.int64],
) -> int:  # fmt: skip
    """The smallest mask over samples first .. first + count - 1 whose keys add up to `key`."""
    split = count // 2
    low[0] = 0
    high[0] = 0
    for i in range(split):
        for j in range(1 << i):
            low[(1 << i) + j] = low[j] + 4 * (sample[first + i] + offset)
    for i in range(count - split):
        for j in range(1 << i):
            high[(1 << i) + j] = high[j] + 4 * (sample[first + split + i] + offset)
    for j in range(1 << (count - split)):
        rest = key - high[j]
        hits = 0
        for i in range(1 << split):
            hits += low[i] == rest
        if hits:
            for i in range(1 << split):
                if low[i] == rest:
                    return j << split | i
    return 0


@njit(cache=True, nogil=True)
def nearest(
    samples: NDArray[np.int64], targets: NDArray[np.int64], rows: NDArray[np.int64], width: int,
    offsets: NDArray[np.int64], sizes: NDArray[np.int64], tolerances: NDArray[np.int64], masks: NDArray[np.uint64],
) -> None:  # fmt: skip
    """The minimiser over the first `width` samples of each listed row, for one size after the other.

    Args:
        samples: (m, n) with n >= width.
        targets: (m,).
        rows: (r,), the rows to solve.
        width: samples used, 1 <= width <= 62.
        offsets: (m,); 0 searches subsets of every size (`sizes` is then [0]); a positive offset above twice
            sum |x| + |t| separates the sizes.
        sizes: (s,), tried in this order. A row stops at the first size whose minimiser is within its
        tolerance.
        tolerances: (m,), in grid units; -1 never stops.
        masks: (r,), written: the minimiser at the size where the row stopped, or else the best of all sizes
        tried.
    """
    half = min(width // 2, LARGEST_HALF)
    extra = width - 2 * half
    length = 1 << half
    a = np.empty(length * LANES, np.int64)
    b = np.empty(length * LANES, np.int64)
    merged = np.empty(2 * length * LANES, np.int64)
    columns = np.empty(width * LANES, np.int64)
    goal = np.empty(LANES, np.int64)
    gap = np.empty(LANES, np.int64)
    below = np.empty(LANES, np.int64)
    best = np.empty(LANES, np.int64)
    best_below = np.empty(LANES, np.int64)
    best_code = np.empty(LANES, np.int64)
    best_size = np.empty(LANES, np.int64)
    is_open = np.empty(LANES, np.bool_)
    low = np.empty(1 << (half // 2), np.int64)
    high = np.empty(1 << (half - half // 2), np.int64)
    for chunk in range(0, len(rows), LANES):
        for w in range(LANES):
            row = rows[min(chunk + w, len(rows) - 1)]
            for i in range(width):
                columns[i * LANES + w] = 4 * (samples[row, i] + offsets[row])
        best[:] = FARTHEST
        is_open[:] = True
        _build(columns, 0, half, a)
        _build(columns, half, half, b)
        for j in range(len(sizes)):
            for w in range(LANES):
                row = rows[min(chunk + w, len(rows) - 1)]
                goal[w] = 4 * (targets[row] + sizes[j] * offsets[row]) + 1
            code = 0
            for step in range(1 << extra):
                if step:
                    code = _step_gray(step, code, 2 * half, columns, goal)
                _merge(a, b, goal, length, merged)
                _closest_neighbours(merged, 2 * length, gap, below)
                for w in range(LANES):
                    if is_open[w] and gap[w] < best[w]:
                        best[w] = gap[w]
                        best_below[w] = below[w]
                        best_code[w] = code
                        best_size[w] = sizes[j]
            left = False
            for w in range(LANES):
                is_open[w] &= (best[w] + 1) >> 2 > tolerances[rows[min(chunk + w, len(rows) - 1)]]
                left |= is_open[w]
            if not left:
                break
        for w in range(min(LANES, len(rows) - chunk)):
            row = rows[chunk + w]
            sample = samples[row]
            offset = offsets[row]
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
