"""The smallest subset within a tolerance, for small sizes: all residuals of one size after the other.

In colexicographic order the subsets with largest element i follow those with smaller ones, and they are the
first C(i, size - 1) subsets of the level below with i added. Eight residuals are computed and compared at once; those
beyond the end of a run are overwritten by the next run.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slth.subset_sum.kernels.hits import (
    first_bit,
    pair_hits_8,
    pair_hits_16,
    pair_hits_32,
    subtract,
    subtract_from,
    test,
)

Integers = NDArray[np.int64]


@njit(cache=True, nogil=True)
def _search_singles(top: int, samples: Integers, row: int, window: int, residuals: Integers, longer: int) -> int:
    """The mask of the first single sample within tolerance, or 0; all residuals are kept."""
    n = samples.shape[1]
    found = 0
    if n < 8:
        for i in range(n):
            residuals[longer + i] = top - samples[row, i]
            found |= (1 if np.uint64(residuals[longer + i]) <= np.uint64(window) else 0) << i
    else:
        for i in range(0, n, 8):
            first = min(i, n - 8)
            found |= subtract_from(top, samples, row * n + first, window, residuals, longer + first) << first
    return found & -found


@njit(cache=True, nogil=True)
def _search_pairs(residuals: Integers, singles: int, samples: Integers, row: int, window: int) -> int:
    """The mask of the first pair within tolerance, or 0. Most pairs are compared in groups of 64."""
    n = samples.shape[1]
    start = row * n
    i = 1
    if n > 8:
        hits = pair_hits_8(residuals, singles, samples, start, 1, window)
        if hits:
            return _pair(1 + (first_bit(hits) >> 3), first_bit(hits) & 7)
        i = 9
    while i < 17 and i + 4 <= n:
        hits = pair_hits_16(residuals, singles, samples, start, i, window)
        if hits:
            return _pair(i + (first_bit(hits) >> 4), first_bit(hits) & 15)
        i += 4
    while 8 < i < 32 and i + 2 <= n:
        hits = pair_hits_32(residuals, singles, samples, start, i, window)
        if hits:
            return _pair(i + (first_bit(hits) >> 5), first_bit(hits) & 31)
        i += 2
    while i < n:
        at = _first_within(residuals, singles, i, samples[row, i], window)
        if at >= 0:
            return _pair(i, at)
        i += 1
    return 0


@njit(cache=True, nogil=True)
def _pair(i: int, j: int) -> int:
    return 1 << i | 1 << j


@njit(cache=True, nogil=True)
def _first_within(residuals: Integers, start: int, count: int, x: int, window: int) -> int:
    """The first q < count with residuals[start + q] - x from 0 to window, or -1."""
    for q in range(0, count, 8):
        hits = test(residuals, start + q, x, window) & (255 >> max(0, 8 - count + q))
        if hits:
            return q + first_bit(hits)
    return -1


@njit(cache=True, nogil=True)
def _search_level(
    residuals: Integers, shorter: int, samples: Integers, row: int, size: int, binomials: Integers,
    window: int, longer: int,
) -> int:  # fmt: skip
    """The position of the first hit among the subsets of `size` samples, or -1 and all their residuals."""
    at = 0
    for i in range(size - 1, samples.shape[1]):
        count = binomials[i, size - 1]
        for q in range(0, count, 8):
            hits = subtract(residuals, shorter + q, samples[row, i], window, residuals, longer + at + q)
            hits &= 255 >> max(0, 8 - count + q)
            if hits:
                return at + q + first_bit(hits)
        at += count
    return -1


@njit(cache=True, nogil=True)
def _search_last(
    residuals: Integers, shorter: int, samples: Integers, row: int, size: int, binomials: Integers, window: int
) -> int:
    """The position of the first hit among the subsets of `size` samples, without keeping their residuals."""
    at = 0
    for i in range(size - 1, samples.shape[1]):
        count = binomials[i, size - 1]
        q = _first_within(residuals, shorter, count, samples[row, i], window)
        if q >= 0:
            return at + q
        at += count
    return -1


@njit(cache=True, nogil=True)
def _unrank(position: int, size: int, n: int, binomials: Integers) -> int:
    """The mask of the subset at a position in colexicographic order."""
    mask = 0
    top = n - 1
    for k in range(size, 0, -1):
        while binomials[top, k] > position:
            top -= 1
        position -= binomials[top, k]
        mask |= 1 << top
    return mask


@njit(cache=True, nogil=True)
def levels(
    samples: Integers, targets: Integers, tolerances: Integers, largest: int,
    binomials: Integers, masks: NDArray[np.uint64], found: NDArray[np.bool_],
) -> None:  # fmt: skip
    """The smallest subset of at most `largest` samples within tolerance, first in colexicographic order.

    Args:
        samples: (m, n).
        targets: (m,).
        tolerances: (m,), 0 <= tolerance <= 2^61.
        largest: 1 <= largest <= n.
        binomials: (n + 1, largest + 1), entry (i, j) = i choose j.
        masks: (m,), written; 0 where nothing was found.
        found: (m,), written.
    """
    n = samples.shape[1]
    room = n
    for k in range(largest):
        room = max(room, binomials[n, k])
    room = max(room, 32) + 8
    # The residuals of one size and of the next, in turns. Rows of the samples are addressed by number: a slice in this
    # loop would cost more than the search of most rows.
    residuals = np.zeros(2 * room, np.int64)
    for row in range(samples.shape[0]):
        window = 2 * tolerances[row]
        top = targets[row] + tolerances[row]
        mask = 0
        done = bool(np.uint64(top) <= np.uint64(window))
        size = 0
        while size < largest and not done:
            size += 1
            longer = room * (size & 1)
            shorter = room - longer
            at = -1
            if size == 1:
                mask = _search_singles(top, samples, row, window, residuals, longer)
            elif size == 2:
                # Most rows end with a pair: the residuals of pairs are kept only for those that do not.
                mask = _search_pairs(residuals, shorter, samples, row, window)
            elif size == largest:
                at = _search_last(residuals, shorter, samples, row, size, binomials, window)
            if mask == 0 and 1 < size < largest:
                at = _search_level(residuals, shorter, samples, row, size, binomials, window, longer)
            if at >= 0:
                mask = _unrank(at, size, n, binomials)
            done = mask != 0
        masks[row] = np.uint64(mask)
        found[row] = done
