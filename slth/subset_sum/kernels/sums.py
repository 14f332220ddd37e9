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


@njit(cache=True, nogil=True)
def residuals(samples: Integers, targets: Integers, masks: NDArray[np.uint64], out: Integers) -> None:
    """out[row] = sum of the samples in the mask - target; masks (m, ceil(n / 64))."""
    n = samples.shape[1]
    for row in range(samples.shape[0]):
        total = -targets[row]
        for word in range(masks.shape[1]):
            bits = masks[row, word]
            first = 64 * word
            for i in range(min(64, n - first)):
                total += samples[row, first + i] & -np.int64((bits >> np.uint64(i)) & np.uint64(1))
        out[row] = total
