"""Searches that look at few subsets: blocks of 64 for any subset, levels by size for the sparsest.

A residual r is within tolerance when, read as unsigned, r + tolerance is at most 2 tolerance: one comparison.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]

BLOCK = 6
"""Samples in a block: its 64 partial sums are 8 vectors of 8."""

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
def _search_blocks(
    sample: Integers, prefix: int, target: int, tolerance: int, sums: Integers
) -> tuple[int, int]:
    """(mask, -1) of the first hit, or (-1, samples that the next search should use; 255 when beyond reach).

    Samples past the end of a short row count as zeros. They never get into a mask: the same sum without them
    comes first.
    """
    n = len(sample)
    sums[0] = target + tolerance
    for k in range(BLOCK):
        x = sample[k] if k < prefix else 0
        for i in range(1 << k):
            sums[(1 << k) + i] = sums[i] - x
    window = np.uint64(2 * tolerance)
    moved = np.int64(0)
    code = 0
    for step in range(1 << max(0, prefix - BLOCK)):
        if step:
            bit = 0
            while not (step >> bit) & 1:
                bit += 1
            code ^= 1 << bit
            moved += sample[BLOCK + bit] if (code >> bit) & 1 else -sample[BLOCK + bit]
        hits = np.int64(0)
        for i in range(1 << BLOCK):
            hits += np.uint64(sums[i] - moved) <= window
        if hits:
            for i in range(1 << BLOCK):
                if np.uint64(sums[i] - moved) <= window:
                    return code << BLOCK | i, -1
        if step == FREE_BLOCKS:
            needed = _bits_needed(sample, target, tolerance)
            if needed < 0:
                return -1, 255
            if needed > PREFIX and prefix < n:
                return -1, min(n, max(SHORTEST_JOIN, needed + 3))
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
        of
            samples (at most 254) that the next search should use.
    """
    n = samples.shape[1]
    sums = np.empty(1 << BLOCK, np.int64)
    prefix = min(n, PREFIX)
    for row in range(samples.shape[0]):
        mask, width = _search_blocks(samples[row], prefix, targets[row], tolerances[row], sums)
        masks[row] = np.uint64(max(mask, 0))
        todo[row] = FOUND if mask >= 0 else np.uint8(min(width, 254) if width < 255 else 255)


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
def _search_level(
    sample: Integers,
    size: int,
    window: int,
    binomials: Integers,
    shorter: Integers,
    current: Integers,
    keep: bool,
) -> int:
    """Position of the first subset of `size` samples within tolerance, or -1; keeps the level on request.

    In colexicographic order the subsets with largest element i follow those with smaller ones, and they are
    the first C(i, size - 1) subsets of the level below with i added.
    """
    limit = np.uint64(window)
    position = 0
    for i in range(size - 1, len(sample)):
        count = binomials[i, size - 1]
        x = sample[i]
        hits = np.int64(0)
        if keep:
            row = current[position : position + count]
            for q in range(count):
                d = shorter[q] - x
                row[q] = d
                hits += np.uint64(d) <= limit
        else:
            for q in range(count):
                hits += np.uint64(shorter[q] - x) <= limit
        if hits:
            for q in range(count):
                if np.uint64(shorter[q] - x) <= limit:
                    return position + q
        position += count
    return -1


@njit(cache=True, nogil=True)
def levels(
    samples: Integers,
    targets: Integers,
    tolerances: Integers,
    largest: int,
    binomials: Integers,
    masks: NDArray[np.uint64],
    found: NDArray[np.bool_],
) -> None:
    """The smallest subset of at most `largest` samples within tolerance, first in colexicographic order.

    Args:
        samples: (m, n).
        targets: (m,).
        tolerances: (m,), 0 <= tolerance <= 2^61.
        largest: 0 <= largest <= n.
        binomials: (n + 1, largest + 1), entry (i, j) = i choose j.
        masks: (m,), written; 0 where nothing was found.
        found: (m,), written.
    """
    n = samples.shape[1]
    room = 1
    for k in range(largest):
        room = max(room, binomials[n, k])
    shorter = np.empty(room, np.int64)
    current = np.empty(room, np.int64)
    for row in range(samples.shape[0]):
        tolerance = tolerances[row]
        masks[row] = np.uint64(0)
        shorter[0] = targets[row] + tolerance
        found[row] = np.uint64(shorter[0]) <= np.uint64(2 * tolerance)
        if found[row]:
            continue
        for size in range(1, largest + 1):
            at = _search_level(samples[row], size, 2 * tolerance, binomials, shorter, current, size < largest)
            if at >= 0:
                masks[row] = np.uint64(_unrank(at, size, n, binomials))
                found[row] = True
                break
            shorter, current = current, shorter
