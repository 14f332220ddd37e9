"""Vectors: descent of the sup norm by flips of one or two samples."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@njit(cache=True, nogil=True)
def _sup(residual: Integers, one: Integers, other: Integers, limit: int) -> int:
    """max |residual + one + other|, or anything >= limit once it is no better."""
    away = 0
    for c in range(len(residual)):
        away = max(away, abs(residual[c] + one[c] + other[c]))
        if away >= limit:
            break
    return away


@njit(cache=True, nogil=True)
def descend(samples: Integers, targets: Integers, swaps_only: bool, steps: int, chosen: NDArray[np.bool_]) -> None:
    """Flips the one sample or the two that bring the sum closest to the target, until no flip helps.

    Args:
        samples: (m, n, d).
        targets: (m, d).
        swaps_only: keep the size: only exchange a taken sample for one that is not.
        steps: the most flips per row.
        chosen: (m, n), the first subset; written.
    """
    m, n, d = samples.shape
    residual = np.empty(d, np.int64)
    change = np.empty((n + 1, d), np.int64)
    change[n] = 0
    for row in range(m):
        residual[:] = -targets[row]
        for i in range(n):
            sign = -1 if chosen[row, i] else 1
            for c in range(d):
                change[i, c] = sign * samples[row, i, c]
                residual[c] += samples[row, i, c] if chosen[row, i] else 0
        best = _sup(residual, change[n], change[n], 1 << 62)
        for _ in range(steps):
            one = -1
            other = -1
            for i in range(n):
                for j in range(i + 1, n + 1):  # n stands for no second flip
                    if swaps_only and (j == n or chosen[row, i] == chosen[row, j]):
                        continue
                    away = _sup(residual, change[i], change[j], best)
                    if away < best:
                        best = away
                        one = i
                        other = j
            if one < 0:
                break
            for i in (one, other):
                if i < n:
                    chosen[row, i] = not chosen[row, i]
                    for c in range(d):
                        residual[c] += change[i, c]
                        change[i, c] = -change[i, c]
