"""Any subset within a tolerance: blocks of 64 subsets, until meeting in the middle is likely to be cheaper.

A residual r is within tolerance when, read as unsigned, r + tolerance is at most 2 tolerance: one comparison.
The loops over a block have a constant length and no branch, so that LLVM turns each into a few vector
instructions.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]

BLOCK = 6
"""Samples in a block of 2^6 subsets: 8 vectors of 8."""

FREE_BLOCKS = 8
"""Blocks tried before the odds of the row are estimated."""

PREFIX = 12
"""At most 2^12 subsets are enumerated; then meeting in the middle is cheaper."""

SHORTEST_JOIN = 16
"""Samples of the first meet-in-the-middle search, at least."""

FOUND = np.uint8(0)
BEYOND_REACH = np.uint8(255)


@njit(cache=True, nogil=True)
def _bits_needed(sample: Integers, target: int, tolerance: int) -> int:
    """About log2 of the number of subsets needed for one hit, or -1 when the target is beyond reach.

    The sums of random subsets have mean sum x / 2 and variance sum x^2 / 4 and are taken as normal. Only
    sums, products and exponents of floats are used, so that every machine decides alike.
    """
    positive = 0
    negative = 0
    variance = 0.0
    for x in sample:
        positive += max(x, 0)
        negative += min(x, 0)
        variance += 0.25 * float(x) * float(x)
    if target > positive + tolerance or target < negative - tolerance:
        return -1
    if variance == 0.0:
        return 0
    away = float(target) - 0.5 * float(positive + negative)
    log_inverse = 0.5 * math.frexp(6.3 * variance)[1] - math.frexp(2.0 * float(tolerance) + 1.0)[1]
    return max(0, int(log_inverse + min(0.72 * away * away / variance, 64.0)))


@njit(cache=True, nogil=True)
def _fill(sample: Integers, top: int, sums: Integers) -> None:
    """sums[i] = top - the sum of the subset i of the first six samples; missing samples count as zeros."""
    n = len(sample)
    x0 = sample[0]
    x1 = sample[1] if n > 1 else 0
    x2 = sample[2] if n > 2 else 0
    x3 = sample[3] if n > 3 else 0
    x4 = sample[4] if n > 4 else 0
    x5 = sample[5] if n > 5 else 0
    for i in range(1 << BLOCK):
        low = (x0 & -(i & 1)) + (x1 & -((i >> 1) & 1)) + (x2 & -((i >> 2) & 1))
        high = (x3 & -((i >> 3) & 1)) + (x4 & -((i >> 4) & 1)) + (x5 & -((i >> 5) & 1))
        sums[i] = top - low - high


@njit(cache=True, nogil=True)
def _first_within(sums: Integers, moved: int, window: int) -> int:
    """The first i with 0 <= sums[i] - moved <= window, or 64."""
    limit = np.uint64(window)
    first = 1 << BLOCK
    for i in range(1 << BLOCK):
        first = min(first, i if np.uint64(sums[i] - moved) <= limit else 1 << BLOCK)
    return first


@njit(cache=True, nogil=True)
def _search(sample: Integers, target: int, tolerance: int, sums: Integers) -> tuple[int, int]:
    """(mask, 0) of the first hit, or (-1, number of samples for the next search; 255 when beyond reach).

    A missing sample never gets into a mask: the same sum without it comes first.
    """
    n = len(sample)
    prefix = min(n, PREFIX)
    _fill(sample, target + tolerance, sums)
    moved = 0
    code = 0
    for step in range(1 << max(0, prefix - BLOCK)):
        if step:
            bit = 0
            while not (step >> bit) & 1:
                bit += 1
            code ^= 1 << bit
            moved += sample[BLOCK + bit] if (code >> bit) & 1 else -sample[BLOCK + bit]
        first = _first_within(sums, moved, 2 * tolerance)
        if first < 1 << BLOCK:
            return code << BLOCK | first, 0
        if step == FREE_BLOCKS:
            needed = _bits_needed(sample, target, tolerance)
            if needed < 0:
                return -1, 255
            if needed > PREFIX and prefix < n:
                return -1, min(n, max(SHORTEST_JOIN, needed + 3), 254)
    return -1, min(n, SHORTEST_JOIN)


@njit(cache=True, nogil=True)
def blocks(
    samples: Integers,
    targets: Integers,
    tolerances: Integers,
    masks: NDArray[np.uint64],
    todo: NDArray[np.uint8],
) -> None:
    """Enumerates at most 2^12 subsets of each row in blocks of 64.

    Args:
        samples: (m, n).
        targets: (m,).
        tolerances: (m,), 0 <= tolerance <= 2^61.
        masks: (m,), written: the first subset found, else 0.
        todo: (m,), written: 0 when found, 255 when the target is out of reach of all subsets, else the number
            of samples that the next search should use.
    """
    sums = np.empty(1 << BLOCK, np.int64)
    for row in range(samples.shape[0]):
        mask, width = _search(samples[row], targets[row], tolerances[row], sums)
        masks[row] = np.uint64(max(mask, 0))
        todo[row] = np.uint8(width)
