"""Vectors: two lists of half sums meet in a hash table of grid cells; distances are compared in exact integers.

List B is put into cells of width 2^s. A pair (a, b) with |a + b - t| <= w in every coordinate, 2 w < 2^s, has b in one
of at most two cells per coordinate around t - a, so a search of these cells misses no such pair, and what it finds
is compared exactly: a collision of the hash costs time, never an answer. When nothing lies within w the cells are
doubled; when the best pair is much closer they are made anew. Equal sums of B are kept once, so equal vectors cost no
more than others. Cells use the first three coordinates; the others are compared only.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]

HASHED = 3
"""Coordinates that make a cell: each doubles the cells to look up."""

FINER = 6
"""Cells 2^5 times wider than the best distance needs are made anew."""

_ODD = -7046029254386353131  # 2^64 / golden ratio, as a signed integer


@njit(cache=True, nogil=True)
def _half_sums(sample: Integers, first: int, count: int, sums: Integers) -> None:
    """sums[i] = the sum of the subset i of the samples first .. first + count - 1."""
    sums[0] = 0
    for i in range(count):
        for j in range(1 << i):
            for c in range(sample.shape[1]):
                sums[(1 << i) + j, c] = sums[j, c] + sample[first + i, c]


@njit(inline="always")
def _mix(key: int, cell: int) -> int:
    key = (key ^ cell) * _ODD
    return key ^ (key >> 32)


@njit(cache=True, nogil=True)
def _distinct(b: Integers, ones: Integers, by_size: bool, kept: Integers, head: Integers, following: Integers) -> int:
    """Moves the distinct entries of B (of each size, if asked) to its front, in order; kept[k] is where k came from."""
    head[:] = -1
    count = 0
    for j in range(len(b)):
        key = ones[j] if by_size else 0
        for c in range(b.shape[1]):
            key = _mix(key, b[j, c])
        at = key & (len(head) - 1)
        k = head[at]
        while k >= 0:
            same = not by_size or ones[kept[k]] == ones[j]
            for c in range(b.shape[1]):
                same &= b[k, c] == b[j, c]
            if same:
                break
            k = following[k]
        if k < 0:
            for c in range(b.shape[1]):
                b[count, c] = b[j, c]
            kept[count] = j
            following[count] = head[at]
            head[at] = count
            count += 1
    return count


@njit(cache=True, nogil=True)
def _fill(b: Integers, count: int, taken: Integers, shift: int, head: Integers, following: Integers) -> None:
    """Chains the first entries of B by cell and number taken; each chain ascends."""
    head[:] = -1
    for j in range(count - 1, -1, -1):
        key = taken[j]
        for c in range(min(b.shape[1], HASHED)):
            key = _mix(key, b[j, c] >> shift)
        at = key & (len(head) - 1)
        following[j] = head[at]
        head[at] = j


@njit(cache=True, nogil=True)
def _search(
    a: Integers, start: int, ones: Integers, b: Integers, taken: Integers, target: Integers, size: int, shift: int,
    within: int, stop: bool, head: Integers, following: Integers, aim: Integers, cells: Integers,
) -> tuple[int, int, int, int]:  # fmt: skip
    """(distance, i, j, next) of the closest pair within reach from entry `start` of A on; distance -1 without one.

    The first of several; with `stop` the first within reach. The search breaks off before entry `next` of A where
    the best distance has become so small that finer cells pay. `within` must be below 2^(shift - 1).
    """
    d = b.shape[1]
    hashed = min(d, HASHED)
    found = -1
    one = 0
    other = 0
    for i in range(start, len(a)):
        if found >= 0 and within < (1 << shift) >> FINER:
            return found, one, other, i
        left = size - ones[i] if size >= 0 else 0
        if left < 0:
            continue
        across = 0
        for c in range(d):
            aim[c] = target[c] - a[i, c]
            if c < hashed:
                cells[c] = (aim[c] - within) >> shift
                across |= (1 if (aim[c] + within) >> shift != cells[c] else 0) << c
        for corner in range(1 << hashed):
            if corner & ~across:
                continue  # within reach lies one cell only in that coordinate
            key = left
            for c in range(hashed):
                key = _mix(key, cells[c] + ((corner >> c) & 1))
            j = head[key & (len(head) - 1)]
            while j >= 0:
                away = 0 if taken[j] == left else within + 1
                for c in range(d):
                    if away > within:
                        break
                    away = max(away, abs(aim[c] - b[j, c]))
                if away <= within:
                    found = away
                    one = i
                    other = j
                    if stop or found == 0:
                        return found, one, other, len(a)
                    within = found - 1
                j = following[j]
    return found, one, other, len(a)


@njit(cache=True, nogil=True)
def _first_shift(sample: Integers, width: int, least: int) -> int:
    """The shift at which about one pair is expected, or that of the least possible distance.

    Sums are taken as normal with variance sum x^2 / 4 per coordinate; only exponents of floats are used.
    """
    d = sample.shape[1]
    log_density = width
    spread = 0
    for c in range(d):
        variance = 0.0
        for i in range(width):
            variance += 0.25 * float(sample[i, c]) * float(sample[i, c])
        if variance > 0.0:
            log_density -= (math.frexp(6.3 * variance)[1] + 1) // 2
            spread += 1
    moment = 2 - log_density // spread if spread else 0
    return max(moment, math.frexp(2.0 * float(least) + 1.0)[1] + 1, 0)


@njit(cache=True, nogil=True)
def nearest(
    samples: Integers, targets: Integers, width: int, sizes: Integers, least: Integers, tolerances: Integers,
    masks: NDArray[np.uint64], distances: Integers,
) -> None:  # fmt: skip
    """The subset of the first `width` samples whose sum is closest in the sup norm, or any within a tolerance.

    Args:
        samples: (m, n, d), n >= width; sum |x| + |t| < 2^61 in every coordinate.
        targets: (m, d).
        width: 1 <= width <= 62.
        sizes: (m,), the size of the subset, at most width; -1 for any size.
        least: (m,), >= 0, a lower bound on the distance (it sets the first cells only).
        tolerances: (m,), the first subset within it ends a row's search; -1 finds the nearest.
        masks: (m,), written; 0 where nothing is within the tolerance.
        distances: (m,), written: the distance of that subset, or -1.
    """
    d = samples.shape[2]
    half = width // 2
    a = np.empty((1 << half, d), np.int64)
    b = np.empty((1 << (width - half), d), np.int64)
    ones = np.zeros(len(b), np.int64)
    for i in range(1, len(b)):
        ones[i] = ones[i >> 1] + (i & 1)
    taken = np.zeros(len(b), np.int64)
    kept = np.empty(len(b), np.int64)
    head = np.empty(2 * len(b), np.int64)
    following = np.empty(len(b), np.int64)
    aim = np.empty(d, np.int64)
    cells = np.empty(HASHED, np.int64)
    for row in range(len(samples)):
        _half_sums(samples[row], 0, half, a)
        _half_sums(samples[row], half, width - half, b)
        count = _distinct(b, ones, sizes[row] >= 0, kept, head, following)
        if sizes[row] >= 0:
            for j in range(count):
                taken[j] = ones[kept[j]]
        else:
            taken[:] = 0
        stop = tolerances[row] >= 0
        if stop:
            shift = min(math.frexp(2.0 * float(tolerances[row]) + 1.0)[1], 62)
            within = tolerances[row]
        else:
            shift = min(_first_shift(samples[row], width, least[row]), 62)
            within = (1 << shift) // 2 - (1 if shift else 0)
        distances[row] = -1
        masks[row] = 0
        start = 0
        while start < len(a):
            _fill(b, count, taken, shift, head, following)
            found, one, other, start = _search(
                a, start, ones, b, taken, targets[row], sizes[row], shift, within, stop, head, following, aim, cells,
            )  # fmt: skip
            if found >= 0:
                distances[row] = found
                masks[row] = np.uint64(one | kept[other] << half)
                within = found - 1
                shift = math.frexp(2.0 * float(found) + 1.0)[1]
            elif distances[row] < 0 and not stop and shift < 62:
                shift += 1
                within = (1 << shift) // 2 - 1
                start = 0
