"""The smallest subset within a tolerance, for small sizes: all residuals of one size after the other.

In colexicographic order the subsets with largest element i follow those with smaller ones, and they are the
first C(i, size - 1) subsets of the level below with i added. Eight residuals are computed and compared at once; those
beyond the end of a run are overwritten by the next run.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slth.subset_sum.kernels.hits import first_bit, subtract, subtract_from, test

Integers = NDArray[np.int64]


@njit(cache=True, nogil=True)
def _search_singles(top: int, sample: Integers, window: int, longer: Integers) -> int:
    n = len(sample)
    if n < 8:
        for i in range(n):
            longer[i] = top - sample[i]
        for i in range(n):
            if np.uint64(longer[i]) <= np.uint64(window):
                return i
        return -1
    for i in range(0, n, 8):
        first = min(i, n - 8)
        hits = subtract_from(top, sample, first, window, longer)
        if hits:
            return first + first_bit(hits)
    return -1


@njit(cache=True, nogil=True)
def _search_level(
    shorter: Integers, sample: Integers, size: int, binomials: Integers, window: int, longer: Integers
) -> int:
    """The position of the first hit among the subsets of `size` samples, or -1 and all their residuals."""
    at = 0
    for i in range(size - 1, len(sample)):
        count = binomials[i, size - 1]
        for q in range(0, count, 8):
            hits = subtract(shorter, q, sample[i], window, longer, at + q) & (255 >> max(0, 8 - count + q))
            if hits:
                return at + q + first_bit(hits)
        at += count
    return -1


@njit(cache=True, nogil=True)
def _search_last(shorter: Integers, sample: Integers, size: int, binomials: Integers, window: int) -> int:
    """The position of the first hit among the subsets of `size` samples, without keeping their residuals."""
    at = 0
    for i in range(size - 1, len(sample)):
        count = binomials[i, size - 1]
        for q in range(0, count, 8):
            hits = test(shorter, q, sample[i], window) & (255 >> max(0, 8 - count + q))
            if hits:
                return at + q + first_bit(hits)
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
    shorter = np.zeros(room + 8, np.int64)
    longer = np.zeros(room + 8, np.int64)
    for row in range(samples.shape[0]):
        window = 2 * tolerances[row]
        shorter[0] = targets[row] + tolerances[row]
        masks[row] = np.uint64(0)
        found[row] = np.uint64(shorter[0]) <= np.uint64(window)
        size = 0
        while size < largest and not found[row]:
            size += 1
            if size == 1:
                at = _search_singles(shorter[0], samples[row], window, longer)
            else:
                at = -1
                if size == 2 or size == largest:
                    # Most rows end with a pair: its residuals are kept only for those that do not.
                    at = _search_last(shorter, samples[row], size, binomials, window)
                if at < 0 and size < largest:
                    at = _search_level(shorter, samples[row], size, binomials, window, longer)
            if at >= 0:
                masks[row] = np.uint64(_unrank(at, size, n, binomials))
                found[row] = True
            shorter, longer = longer, shorter
