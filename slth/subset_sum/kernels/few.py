"""A few of many samples: all sizes rest on the closest pair of an ascending list, found with two pointers.

A larger subset is a base and a pair. Either every base is tried, each with the pairs above it, so that every subset
comes up once; or the bases are a fixed pseudo-random sequence, the same for every row, with all the pairs that avoid
them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]

FARTHEST = 2**63 - 1


@njit(cache=True, nogil=True)
def _closest_two(
    ascending: Integers, taken: NDArray[np.bool_], first: int, target: int, stop: int
) -> tuple[int, int, int]:
    """(distance, i, j): free positions first <= i < j with the sum closest to the target, or the first within stop."""
    i = first
    j = len(ascending) - 1
    best = FARTHEST
    one = -1
    other = -1
    while i < j and best > stop:
        if taken[i]:
            i += 1
        elif taken[j]:
            j -= 1
        else:
            above = ascending[i] + ascending[j] - target
            if abs(above) < best:
                best = abs(above)
                one = i
                other = j
            if above < 0:
                i += 1
            else:
                j -= 1
    return best, one, other


@njit(cache=True, nogil=True)
def _mix(step: int, draw: int) -> np.uint64:
    """64 pseudo-random bits of a pair of counters (the finaliser of splitmix64, Steele et al. 2014)."""
    z = np.uint64(step) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(draw + 1) * np.uint64(0xD1B54A32D192ED03)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def _draw_base(step: int, low: int, high: int, base: Integers, taken: NDArray[np.bool_]) -> None:
    """Distinct positions from low to high - 1, marked as taken (Floyd 1987: no draw is rejected)."""
    for draw in range(len(base)):
        last = high - len(base) + draw
        base[draw] = low + np.int64(_mix(step, draw) % np.uint64(last - low + 1))
        if taken[base[draw]]:
            base[draw] = last
        taken[base[draw]] = True


@njit(cache=True, nogil=True)
def _next_base(base: Integers, n: int) -> bool:
    """The next ascending base in lexicographic order that leaves two positions above it; False after the last."""
    last = len(base) - 1
    at = last
    while at >= 0 and base[at] == n - 3 - (last - at):
        at -= 1
    if at < 0:
        return False
    base[at] += 1
    for later in range(at + 1, last + 1):
        base[later] = base[later - 1] + 1
    return True


@njit(cache=True, nogil=True)
def _span(ascending: Integers, target: int, size: int) -> tuple[int, int]:
    """The smallest or the largest samples, as many as have a mean on the target's side of target / size.

    Bases from there leave pairs a target within reach even when the target is far from the mean of the subsets.
    """
    n = len(ascending)
    total = np.int64(0)
    for x in ascending:
        total += x
    goal = target // size
    low = 0
    high = n
    if total // n > goal:
        while high > size and total // high > goal:
            high -= 1
            total -= ascending[high]
    else:
        while n - low > size and total // (n - low) < goal:
            total -= ascending[low]
            low += 1
    return low, high


@njit(cache=True, nogil=True)
def few(
    samples: Integers, targets: Integers, tolerances: Integers, size: int, tries: int, every: bool, chosen: Integers
) -> None:
    """The best subset of `size` samples among the bases tried, or the first within tolerance.

    Args:
        samples: (m, n), n >= size.
        targets: (m,).
        tolerances: (m,), grid units; -1 never stops.
        size: at least 2.
        tries: bases per row, at least 1, unless every one is tried.
        every: try all bases; what is written is then the minimiser, or a subset within tolerance.
        chosen: (m, size), written: columns of samples.
    """
    m, n = samples.shape
    taken = np.zeros(n, np.bool_)
    base = np.empty(size - 2, np.int64)
    for row in range(m):
        order = np.argsort(samples[row], kind="mergesort")
        ascending = samples[row][order]
        best = FARTHEST
        low, high = 0, n
        if not every:
            low, high = _span(ascending, targets[row], size)
        for c in range(size - 2):
            base[c] = c
        first = 0
        step = 0
        more = True
        while more and best > tolerances[row]:
            if every:
                first = base[size - 3] + 1 if size > 2 else 0
            else:
                _draw_base(step, low, high, base, taken)
            rest = targets[row]
            for at in base:
                rest -= ascending[at]
            distance, i, j = _closest_two(ascending, taken, first, rest, tolerances[row])
            if distance < best:
                best = distance
                for c in range(size - 2):
                    chosen[row, c] = order[base[c]]
                chosen[row, size - 2] = order[i]
                chosen[row, size - 1] = order[j]
            step += 1
            if every:
                more = _next_base(base, n)
            else:
                more = step < tries
                for at in base:
                    taken[at] = False


@njit(cache=True, nogil=True)
def _disjoint(a: Integers, b: Integers, i: int, j: int) -> bool:
    return a[i] != a[j] and a[i] != b[j] and b[i] != a[j] and b[i] != b[j]


@njit(cache=True, nogil=True)
def closest_disjoint(sums: Integers, a: Integers, b: Integers, target: int) -> tuple[int, int]:
    """The two disjoint pairs whose sums add up closest to the target.

    A pair shares a sample with fewer than 2 n others, so each scan over overlapping pairs ends.

    Args:
        sums: (p,), ascending sums of pairs of distinct samples, of at least four samples.
        a: (p,), the first sample of each pair.
        b: (p,), the second one.
        target: grid units.

    Returns:
        The positions of both pairs.
    """
    best = FARTHEST
    one = 0
    other = 0
    middle = len(sums) - 1
    for i in range(len(sums)):
        if 2 * sums[i] - target >= best:
            break  # Any partner at i or above is too large, and every partner below i has had its turn.
        while middle >= 0 and sums[i] + sums[middle] > target:
            middle -= 1
        j = middle
        while j >= 0 and target - sums[i] - sums[j] < best:
            if _disjoint(a, b, i, j):
                best = target - sums[i] - sums[j]
                one = i
                other = j
                break
            j -= 1
        j = middle + 1
        while j < len(sums) and sums[i] + sums[j] - target < best:
            if _disjoint(a, b, i, j):
                best = sums[i] + sums[j] - target
                one = i
                other = j
                break
            j += 1
    return one, other
