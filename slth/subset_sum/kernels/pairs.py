"""One large instance: two sorted lists of half sums and two pointers (Horowitz and Sahni 1974)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@njit(cache=True, nogil=True)
def closest_pair(a: Integers, b: Integers, target: int) -> tuple[int, int]:
    """The pair of two ascending lists whose sum is closest to the target; the first one met on a tie."""
    i = 0
    j = len(b) - 1
    best = np.int64(2**63 - 1)
    one = a[0]
    other = b[j]
    while i < len(a) and j >= 0:
        above = a[i] + b[j] - target
        if abs(above) < best:
            best = abs(above)
            one = a[i]
            other = b[j]
        if above < 0:
            i += 1
        else:
            j -= 1
    return one, other
