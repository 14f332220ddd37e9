"""Vertical bitonic merges: eight instances side by side, one per SIMD lane, without branches or gathers.

Arrays are flat: row r of lane w is entry r * LANES + w, so that a stage of the network runs over whole vectors
(Batcher 1968). Three stages at a time are done in registers, and long runs are finished part by part, each part in
cache. No function calls itself: cached self-recursion crashes on reload (numba issue 6061). numba's cache watches
the file of the caller only: after a change here, delete the `__pycache__` beside it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slth.subset_sum.kernels.vectors import (
    double_3,
    exchange_2,
    exchange_4,
    exchange_8,
    exchange_and_count,
    exchange_and_scan,
    merge_1,
    merge_4,
    sums_1,
    sums_2,
    sums_3,
    sums_4,
)

Integers = NDArray[np.int64]

LANES = 8
"""Instances per chunk: the int64 keys of a vector of 64 bytes."""

FARTHEST = np.int64(2**63 - 1)

SORT, SCAN, COUNT = 0, 1, 2
"""What to do with sorted rows: nothing more, find the closest neighbours, count the odd keys."""

_ROWS_IN_L1 = 256
_ROWS_IN_L2 = 4096


@njit(cache=True, nogil=True)
def rows_of(count: int) -> Integers:
    """Memory for `count` rows that begins at a multiple of 64 bytes, so that no row lies across two cache lines."""
    entries = np.empty((count + 1) * LANES, np.int64)
    skip = (-entries.ctypes.data % 64) // 8
    return entries[skip : skip + count * LANES]


@njit(cache=True, nogil=True)
def two_lists_and_their_merge(length: int) -> tuple[Integers, Integers, Integers]:
    """Memory for two lists of `length` rows and for 2 * length rows, 8 at least.

    Lengths are powers of two, so the rows of one stage compete for the same places of the cache; the merged rows begin
    half a page apart from those of the lists.
    """
    apart = 32
    rows = rows_of(2 * length + apart + max(2 * length, 8))
    a = rows[: length * LANES]
    b = rows[length * LANES : 2 * length * LANES]
    return a, b, rows[(2 * length + apart) * LANES :]


@njit(cache=True, nogil=True)
def _exchange_down(keys: Integers, start: int, length: int, last: int) -> None:
    """The stages of strides length / 2, length / 4, .. last on a run; `last` = 1 sorts a bitonic run."""
    stride = length // 2
    while stride >= last:
        if stride >= 4 * last and stride != 8 * last:
            quarter = stride // 4
            for block in range(start, start + length, 2 * stride):
                for i in range(block, block + quarter):
                    exchange_8(keys, i, quarter)
            stride //= 8
        elif stride >= 2 * last:  # four stages that remain are done two by two
            half = stride // 2
            for block in range(start, start + length, 2 * stride):
                for i in range(block, block + half):
                    exchange_4(keys, i, half)
            stride //= 4
        else:
            for block in range(start, start + length, 2 * stride):
                for i in range(block, block + stride):
                    exchange_2(keys, i, stride)
            stride //= 2


@njit(cache=True, nogil=True)
def _finish(keys: Integers, start: int, length: int, look: int, state: Integers) -> None:
    """Sorts a bitonic run that fits in cache, and looks at the sorted rows while they are in registers."""
    if look == SORT:
        _exchange_down(keys, start, length, 1)
        return
    _exchange_down(keys, start, length, 8)
    if look == SCAN:
        for first in range(start, start + length, 8):
            exchange_and_scan(keys, first, state)
    else:
        for first in range(start, start + length, 8):
            exchange_and_count(keys, first, state)


@njit(cache=True, nogil=True)
def _clean(keys: Integers, start: int, length: int, look: int, state: Integers) -> None:
    """The same for long runs: wide strides first, then part by part in cache."""
    large = length
    while large > _ROWS_IN_L2:
        for block in range(start, start + length, large):
            _exchange_down(keys, block, large, large // 8)
        large //= 8
    for block in range(start, start + length, large):
        small = large
        while small > _ROWS_IN_L1:
            for inner in range(block, block + large, small):
                _exchange_down(keys, inner, small, small // 8)
            small //= 8
        for inner in range(block, block + large, small):
            _finish(keys, inner, small, look, state)


@njit(cache=True, nogil=True)
def build(columns: Integers, first: int, half: int, keys: Integers) -> None:
    """All 2^half sums of the samples first .. first + half - 1, sorted in every lane."""
    if half == 0:
        keys[:LANES] = 0
    elif half == 1:
        sums_1(columns, first, keys)
    elif half == 2:
        sums_2(columns, first, keys)
    elif half == 3:
        sums_3(columns, first, keys)
    else:
        sums_4(columns, first, keys)
    for k in range(4, half):
        length = 1 << k
        for i in range(length // 8):
            double_3(keys, i, length, columns, first + k)
        for start in range(0, 2 * length, length // 4):
            _clean(keys, start, length // 4, SORT, keys)


@njit(cache=True, nogil=True)
def _merge_short(a: Integers, b: Integers, goal: Integers, length: int, merged: Integers, look: int) -> int:
    """Sorts completely; returns the number of rows, at least 8, by a last key that has no effect on the look."""
    for i in range(length):
        merge_1(a, b, goal, i, length, merged)
    _exchange_down(merged, 0, length, 1)
    _exchange_down(merged, length, length, 1)
    for entry in range(2 * length * LANES, 8 * LANES):
        key = merged[entry - LANES]
        merged[entry] = key + (key & 1) if look == COUNT else key
    return max(2 * length, 8)


@njit(cache=True, nogil=True)
def merge(a: Integers, b: Integers, goal: Integers, length: int, merged: Integers, look: int, state: Integers) -> None:
    """Sorts a and goal - b in every lane, and looks at the sorted rows.

    Args:
        a, b: `length` ascending rows each, a power of two.
        goal: one row.
        merged: written, 2 * length rows, and 8 at least.
        look: SCAN or COUNT.
        state: three rows, kept up by `exchange_and_scan` or `exchange_and_count`.
    """
    if length < 32:
        # A sorted run is bitonic: the last stages do not change it.
        part = _merge_short(a, b, goal, length, merged, look)
        rows = part
    else:
        part = length // 4
        rows = 2 * length
        for i in range(part):
            merge_4(a, b, goal, i, part, merged)
    if look == SCAN:
        # The first row has none before it; its difference from itself is even.
        _clean(merged, 0, part, SORT, state)
        state[:LANES] = merged[:LANES]
    for start in range(0, rows, part):
        _clean(merged, start, part, look, state)
