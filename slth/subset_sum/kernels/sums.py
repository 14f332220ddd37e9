"""Exact integer sums, apart from every search: the range check of a problem, the residuals of an answer."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]

LIMIT_EXPONENT = 61
"""sum |x| + |t| must stay below 2^61, so that four times any sum fits in int64."""


@njit(cache=True, nogil=True)
def first_beyond_limit(samples: Integers, targets: Integers) -> int:
    """The first row with sum |x| + |t| >= 2^61, or -1.

    Moduli are added in two parts of 32 bits, so no sum can wrap.
    """
    for row in range(samples.shape[0]):
        t = targets[row]
        whole = np.uint64(t if t >= 0 else -t)
        high = whole >> np.uint64(32)
        low = whole & np.uint64(0xFFFFFFFF)
        for i in range(samples.shape[1]):
            x = samples[row, i]
            modulus = np.uint64(x if x >= 0 else -x)
            high += modulus >> np.uint64(32)
            low += modulus & np.uint64(0xFFFFFFFF)
        if high + (low >> np.uint64(32)) >= np.uint64(1 << (LIMIT_EXPONENT - 32)):
            return row
    return -1


BEYOND, NOT_EMPTY = 1, 2
"""Faults of a mask: a bit beyond the last sample, a subset in a row that is not FOUND (status 0)."""


@njit(cache=True, nogil=True)
def residuals(
    samples: Integers, targets: Integers, masks: NDArray[np.uint64], status: NDArray[np.uint8], out: Integers
) -> int:
    """out[row] = sum of the samples in the mask - target; masks (m, ceil(n / 64)). Returns the faults of all rows."""
    n = samples.shape[1]
    words = masks.shape[1]
    outside = ~np.uint64(0) << np.uint64(n % 64) if n % 64 else np.uint64(0)
    beyond = np.uint64(0)
    not_empty = np.uint64(0)
    for row in range(samples.shape[0]):
        total = -targets[row]
        for word in range(words):
            bits = masks[row, word]
            first = 64 * word
            for i in range(min(64, n - first)):
                total += samples[row, first + i] & -np.int64((bits >> np.uint64(i)) & np.uint64(1))
            not_empty |= bits if status[row] else np.uint64(0)
        beyond |= masks[row, words - 1] & outside
        out[row] = total
    return (BEYOND if beyond else 0) | (NOT_EMPTY if not_empty else 0)


@njit(cache=True, nogil=True)
def empty_unfound(masks: NDArray[np.uint64], status: NDArray[np.uint8]) -> None:
    """Clears the masks of the rows that are not FOUND (status 0)."""
    for row in range(masks.shape[0]):
        if status[row]:
            masks[row] = np.uint64(0)


@njit(cache=True, nogil=True)
def count_misses(residuals: Integers, status: NDArray[np.uint8], tolerances: Integers) -> int:
    """How many rows are FOUND (status 0) with a residual beyond the tolerance."""
    misses = 0
    for row in range(residuals.shape[0]):
        misses += (status[row] == 0) & (abs(residuals[row]) > tolerances[row])
    return misses


@njit(inline="always")
def _ones(word: np.uint64) -> np.uint64:
    """The number of bits that are set: sums of pairs, of fours, of bytes, and the sum of the bytes."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(cache=True, nogil=True)
def tally(
    masks: NDArray[np.uint64], status: NDArray[np.uint8], residuals: Integers, by_status: Integers, sizes: Integers
) -> tuple[int, int, int]:
    """Counts rows by status, and those that are FOUND (status 0) by size.

    Args:
        masks: (m,), of up to 64 samples.
        status: (m,).
        residuals: (m,), modulus below 2^62.
        by_status: (256,), added to.
        sizes: (65,), added to.

    Returns:
        Of the moduli of the residuals that are FOUND: the largest, the sum of the upper parts and the sum of the lower
        32 bits. No sum of 2^20 of them leaves int64.
    """
    worst = 0
    high = 0
    low = 0
    for row in range(len(masks)):
        by_status[status[row]] += 1
        if status[row] == 0:
            sizes[np.int64(_ones(masks[row]))] += 1
            away = abs(residuals[row])
            worst = max(worst, away)
            high += away >> 32
            low += away & 0xFFFFFFFF
    return worst, high, low
