"""Vertical bitonic merges: 64 instances side by side, one per SIMD lane, without branches or gathers.

Arrays are flat: row r of lane w is entry r * LANES + w, so that a stage of the network runs over contiguous
memory (Batcher 1968). No function calls itself: cached self-recursion crashes on reload (numba issue 6061).
numba's cache watches the file of the caller only: after a change here, delete the `__pycache__` beside it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]

LANES = 64
"""Instances per vector chunk; LLVM vectorises the lane loops from 32 on."""

FARTHEST = np.int64(2**63 - 1)

_ROWS_IN_L1 = 64
_ROWS_IN_L2 = 1024


@njit(inline="always")
def _exchange(keys: Integers, start: int, stride: int) -> None:
    low = keys[start * LANES : (start + stride) * LANES]
    high = keys[(start + stride) * LANES : (start + 2 * stride) * LANES]
    for i in range(stride * LANES):
        x = low[i]
        y = high[i]
        low[i] = min(x, y)
        high[i] = max(x, y)


@njit(inline="always")
def _exchange_twice(keys: Integers, start: int, stride: int) -> None:
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
def _clean_in_l1(keys: Integers, start: int, length: int) -> None:
    stride = length // 2
    while stride >= 2:
        for block in range(start, start + length, 2 * stride):
            _exchange_twice(keys, block, stride // 2)
        stride //= 4
    if stride == 1:
        for block in range(start, start + length, 2):
            _exchange(keys, block, 1)


@njit(cache=True, nogil=True)
def _clean_in_l2(keys: Integers, start: int, length: int) -> None:
    stride = length // 2
    while stride >= _ROWS_IN_L1:
        for block in range(start, start + length, 2 * stride):
            _exchange_twice(keys, block, stride // 2)
        stride //= 4
    part = min(length, 2 * stride)
    for block in range(start, start + length, part):
        _clean_in_l1(keys, block, part)


@njit(cache=True, nogil=True)
def _clean(keys: Integers, start: int, length: int) -> None:
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
def build(columns: Integers, first: int, half: int, keys: Integers) -> None:
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
def merge(
    a: Integers,
    b: Integers,
    goal: Integers,
    length: int,
    merged: Integers,
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
def closest_neighbours(merged: Integers, rows: int, gap: Integers, below: Integers) -> None:
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
