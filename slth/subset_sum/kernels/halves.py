"""Ascending subset sums of a few samples, all together or grouped by size, and counts of pairs of them.

A list grows by one sample x through a merge of itself with itself + x, written from the end backwards, so that no
second list is needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@njit(cache=True, nogil=True)
def _merge_in(sums: Integers, own: int, count: int, other: int, moved: int, x: int) -> None:
    """Merges sums[other : other + moved] + x into the list sums[own : own + count], with room after it.

    The two lists may be the same one: an entry is read before it is written over.
    """
    i = count - 1
    j = moved - 1
    while j >= 0:
        candidate = sums[other + j] + x
        at = own + i + j + 1
        if i >= 0 and sums[own + i] > candidate:
            sums[at] = sums[own + i]
            i -= 1
        else:
            sums[at] = candidate
            j -= 1


@njit(cache=True, nogil=True)
def sums_by_size(sample: Integers, largest: int, sums: Integers, starts: Integers) -> None:
    """Ascending sums of the subsets of each size up to `largest`; -1 puts all subsets into one group.

    Args:
        sample: (h,).
        largest: -1, or from 0 to h.
        sums: written; 2^h entries, or the number of subsets of size at most `largest`.
        starts: (largest + 2,) or (2,), written: group s is sums[starts[s] : starts[s + 1]].
    """
    h = len(sample)
    sums[0] = 0
    starts[0] = 0
    if largest < 0:
        starts[1] = 1 << h
        for i in range(h):
            _merge_in(sums, 0, 1 << i, 0, 1 << i, sample[i])
        return
    binomial = 1
    for size in range(largest + 1):
        starts[size + 1] = starts[size] + binomial
        binomial = binomial * (h - size) // (size + 1)
    counts = np.zeros(largest + 1, np.int64)
    counts[0] = 1
    for i in range(h):
        for size in range(min(i + 1, largest), 0, -1):
            _merge_in(sums, starts[size], counts[size], starts[size - 1], counts[size - 1], sample[i])
            counts[size] += counts[size - 1]


@njit(cache=True, nogil=True)
def _pairs_at_most(a: Integers, b: Integers, bound: int) -> int:
    """The number of pairs of two ascending lists with sum at most the bound."""
    pairs = 0
    j = len(b)
    for x in a:
        while j > 0 and b[j - 1] > bound - x:
            j -= 1
        pairs += j
    return pairs


@njit(cache=True, nogil=True)
def count_between(samples: Integers, bounds: Integers, by_size: bool, out: Integers) -> None:
    """How many subsets have a sum in [bounds[row, 0], bounds[row, 1]].

    Args:
        samples: (m, n), n <= 48.
        bounds: (m, 2), of modulus at most 2^62.
        by_size: whether subsets are counted by size.
        out: (m, n + 1) by size, else (m, 1); written.
    """
    m, n = samples.shape
    half = n // 2
    largest = (half, n - half) if by_size else (-1, -1)
    first = np.empty(1 << half, np.int64)
    second = np.empty(1 << (n - half), np.int64)
    first_starts = np.empty(half + 2, np.int64)
    second_starts = np.empty(n - half + 2, np.int64)
    for row in range(m):
        sums_by_size(samples[row, :half], largest[0], first, first_starts)
        sums_by_size(samples[row, half:], largest[1], second, second_starts)
        out[row] = 0
        for i in range(max(largest[0], 0) + 1):
            a = first[first_starts[i] : first_starts[i + 1]]
            for j in range(max(largest[1], 0) + 1):
                b = second[second_starts[j] : second_starts[j + 1]]
                out[row, i + j] += _pairs_at_most(a, b, bounds[row, 1]) - _pairs_at_most(a, b, bounds[row, 0] - 1)
