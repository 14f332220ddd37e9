"""Any subset within a tolerance: blocks of 64 subsets, until meeting in the middle is likely to be cheaper.

A block is 64 residuals in eight vectors, computed anew from six samples and compared without a branch. Sums crowd
around the middle of their range, so after a few blocks the samples beyond the prefix bring the target there.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slth.subset_sum.kernels.hits import block_hits, first_bit

Integers = NDArray[np.int64]

BLOCK = 6
"""Samples in a block of 2^6 subsets: 8 vectors of 8."""

UNMOVED = 4
"""Blocks around the target itself, a power of two, of a row that has samples beyond the prefix."""

FREE_BLOCKS = 8
"""Blocks tried around the moved target before the odds of the row are estimated."""

PREFIX = 12
"""At most 2^12 subsets of the prefix are enumerated; then meeting in the middle is cheaper."""

LAST_MOVER = 63
"""Samples before this one can move the target: they fit in one signed word of a mask."""

SHORTEST_JOIN = 16
"""Samples of the first meet-in-the-middle search, at least."""

FOUND = np.uint8(0)
BEYOND_REACH = np.uint8(255)


@njit(cache=True, nogil=True)
def _bits_needed(samples: Integers, row: int, target: int, tolerance: int) -> int:
    """About log2 of the number of subsets needed for one hit, or -1 when the target is beyond reach.

    The sums of random subsets have mean sum x / 2 and variance sum x^2 / 4 and are taken as normal. Only
    sums, products and exponents of floats are used, so that every machine decides alike.
    """
    positive = 0
    negative = 0
    variance = 0.0
    for i in range(samples.shape[1]):
        x = samples[row, i]
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


@njit(inline="always")
def _moved(samples: Integers, row: int, target: int) -> tuple[int, int]:
    """(mask, target left): takes samples beyond the prefix, one after the other, whenever that moves the target
    closer to half the sum of the prefix."""
    n = samples.shape[1]
    centre = 0
    for i in range(min(n, PREFIX)):
        centre += samples[row, i]
    centre >>= 1
    away = target - centre
    mask = 0
    for i in range(PREFIX, min(n, LAST_MOVER)):
        after = away - samples[row, i]
        take = abs(after) < abs(away)
        away = after if take else away
        mask |= int(take) << i
    return mask, away + centre


@njit(cache=True, nogil=True)
def _search(samples: Integers, row: int, target: int, tolerance: int) -> tuple[int, int]:
    """(mask, 0) of the first hit, or (-1, number of samples for the next search; 255 when beyond reach).

    A missing sample never gets into a mask: the same sum without it comes first. Steps below 0 are the blocks around
    the target itself; they flip the samples that the steps from 1 on flip.
    """
    n = samples.shape[1]
    x0 = samples[row, 0]
    x1 = samples[row, 1] if n > 1 else 0
    x2 = samples[row, 2] if n > 2 else 0
    x3 = samples[row, 3] if n > 3 else 0
    x4 = samples[row, 4] if n > 4 else 0
    x5 = samples[row, 5] if n > 5 else 0
    prefix = min(n, PREFIX)
    top = target + tolerance
    code = 0
    start = -UNMOVED if n > PREFIX else 0
    for step in range(start, 1 << max(0, prefix - BLOCK)):
        if step == 0 and n > PREFIX:
            mask, left = _moved(samples, row, target)
            code = mask >> BLOCK
            top = left + tolerance
        elif step > start:
            bit = first_bit(step)
            code ^= 1 << bit
            top += -samples[row, BLOCK + bit] if (code >> bit) & 1 else samples[row, BLOCK + bit]
        hits = block_hits(top, x0, x1, x2, x3, x4, x5, 2 * tolerance)
        if hits:
            return code << BLOCK | first_bit(hits), 0
        if step == FREE_BLOCKS:
            needed = _bits_needed(samples, row, target, tolerance)
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
    """Enumerates a few subsets of each row, moves its target and enumerates at most 2^12, all in blocks of 64.

    Args:
        samples: (m, n).
        targets: (m,).
        tolerances: (m,), 0 <= tolerance <= 2^61.
        masks: (m,), written: the first subset found, else 0.
        todo: (m,), written: 0 when found, 255 when the target is out of reach of all subsets, else the number
            of samples that the next search should use.
    """
    for row in range(samples.shape[0]):
        mask, width = _search(samples, row, targets[row], tolerances[row])
        masks[row] = np.uint64(max(mask, 0))
        todo[row] = np.uint8(width)
