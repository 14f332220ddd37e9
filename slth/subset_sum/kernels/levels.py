"""The smallest subset within a tolerance, for small sizes: all residuals of one size after the other.

In colexicographic order the subsets with largest element i follow those with smaller ones, and they are the
first C(i, size - 1) subsets of the level below with i added. A residual r is within tolerance when, read as
unsigned, r + tolerance is at most 2 tolerance. A pass over many residuals only counts hits: it vectorises.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@njit(cache=True, nogil=True)
def _first(shorter: Integers, count: int, moved: int, limit: np.uint64) -> int:
    """The first q < count with shorter[q] - moved within limit, or -1."""
    for q in range(count):
        if np.uint64(shorter[q] - moved) <= limit:
            return q
    return -1


@njit(cache=True, nogil=True)
def _search_singles(top: int, sample: Integers, limit: np.uint64, longer: Integers) -> int:
    hits = np.int64(0)
    for i in range(len(sample)):
        residual = top - sample[i]
        longer[i] = residual
        hits += np.uint64(residual) <= limit
    return _first(longer, len(sample), 0, limit) if hits else -1


@njit(cache=True, nogil=True)
def _search_level(
    shorter: Integers, sample: Integers, size: int, binomials: Integers, limit: np.uint64, longer: Integers
) -> int:
    """The position of the first hit among the subsets of `size` samples, or -1 and all their residuals."""
    at = 0
    for i in range(size - 1, len(sample)):
        count = binomials[i, size - 1]
        x = sample[i]
        hits = np.int64(0)
        kept = longer[at : at + count]
        for q in range(count):
            residual = shorter[q] - x
            kept[q] = residual
            hits += np.uint64(residual) <= limit
        if hits:
            return at + _first(shorter, count, x, limit)
        at += count
    return -1


@njit(cache=True, nogil=True)
def _search_last(shorter: Integers, sample: Integers, size: int, binomials: Integers, limit: np.uint64) -> int:
    """The position of the first hit among the subsets of `size` samples, without keeping their residuals."""
    at = 0
    for i in range(size - 1, len(sample)):
        count = binomials[i, size - 1]
        x = sample[i]
        hits = np.int64(0)
        for q in range(count):
            hits += np.uint64(shorter[q] - x) <= limit
        if hits:
            return at + _first(shorter, count, x, limit)
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
    shorter = np.empty(room, np.int64)
    longer = np.empty(room, np.int64)
    for row in range(samples.shape[0]):
        limit = np.uint64(2 * tolerances[row])
        shorter[0] = targets[row] + tolerances[row]
        masks[row] = np.uint64(0)
        found[row] = np.uint64(shorter[0]) <= limit
        size = 0
        while size < largest and not found[row]:
            size += 1
            if size == 1:
                at = _search_singles(shorter[0], samples[row], limit, longer)
            elif size < largest:
                at = _search_level(shorter, samples[row], size, binomials, limit, longer)
            else:
                at = _search_last(shorter, samples[row], size, binomials, limit)
            if at >= 0:
                masks[row] = np.uint64(_unrank(at, size, n, binomials))
                found[row] = True
            shorter, longer = longer, shorter
