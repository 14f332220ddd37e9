"""Gaps between subset sums: the worst target of a window, and cells that prove a window covered.

Both keep the least and the greatest sum of every cell of width 2^shift. Two sums of one cell differ by less than
the width, so gaps of that length or more lie between the greatest sum of a cell and the least sum of the next
cell that has any: there they are found without sorting.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slth.subset_sum.kernels.halves import sums_by_size

Integers = NDArray[np.int64]

CELLS = 1 << 16
"""Cells held at once by the search for the worst target: 1 MB, which stays in the second-level cache."""

COARSE = 3
"""The first cells are 2^3 times wider than the mean gap; the greatest gap rarely is below that."""

NOTHING = 2**63 - 1
"""Stands for a sum that does not exist. No sum has such a modulus."""


@njit(inline="always")
def _between(below: int, above: int, low: int, high: int) -> tuple[int, int]:
    """Twice the largest distance from two neighbouring sums within [low, high], and twice its place.

    The distance is a tent with its top in the middle, so the worst target is the middle moved into the window.
    """
    if below == NOTHING:
        return 2 * (above - low), 2 * low
    if above == NOTHING:
        return 2 * (high - below), 2 * high
    place = min(max(below + above, 2 * low), 2 * high)
    return min(place - 2 * below, 2 * above - place), place


@njit(cache=True, nogil=True)
def _first_at_least(ascending: Integers, start: int, stop: int, bound: int) -> int:
    while start < stop:
        middle = (start + stop) >> 1
        if ascending[middle] < bound:
            start = middle + 1
        else:
            stop = middle
    return start


@njit(cache=True, nogil=True)
def _collect(
    inner: Integers, outer: Integers, at: Integers, end: Integers, start: int, stop: int, shift: int,
    least: Integers, greatest: Integers,
) -> None:  # fmt: skip
    """Least and greatest sum of every cell of [start, stop); `at` moves on to the first sums that are not below."""
    used = ((stop - 1 - start) >> shift) + 1
    least[:used] = NOTHING
    greatest[:used] = -NOTHING
    for j in range(len(outer)):
        i = at[j]
        last = end[j]
        offset = outer[j] - start
        room = stop - start
        while i < last:
            s = inner[i] + offset
            if s >= room:
                break
            cell = s >> shift
            least[cell] = min(least[cell], s + start)
            greatest[cell] = max(greatest[cell], s + start)
            i += 1
        at[j] = i


@njit(cache=True, nogil=True)
def _worst(
    inner: Integers, outer: Integers, first: Integers, end: Integers, low: int, high: int,
    bottom: int, top: int, shift: int, at: Integers, least: Integers, greatest: Integers,
) -> tuple[int, int]:  # fmt: skip
    """Twice the worst distance and twice its lowest place, exact if the former is at least 2^shift or shift 0.

    All sums are inner[i] + outer[j] with first[j] <= i < end[j] and lie in [bottom, top].
    """
    previous = NOTHING
    for j in range(len(outer)):
        at[j] = _first_at_least(inner, first[j], end[j], low - outer[j])
        if at[j] > first[j]:
            s = inner[at[j] - 1] + outer[j]
            previous = s if previous == NOTHING else max(previous, s)
    worst = -1
    place = 0
    start = max(low, bottom)
    last = min(high, top)
    while start <= last:
        stop = last + 1 if (last - start) >> shift < CELLS else start + (CELLS << shift)
        _collect(inner, outer, at, end, start, stop, shift, least, greatest)
        for cell in range(((stop - 1 - start) >> shift) + 1):
            s = least[cell]
            if s == NOTHING:
                continue
            if previous == NOTHING or s - previous > worst:
                distance, target = _between(previous, s, low, high)
                if distance > worst:
                    worst = distance
                    place = target
            previous = greatest[cell]
        start = stop
    following = NOTHING
    for j in range(len(outer)):
        if at[j] < end[j]:
            following = min(following, inner[at[j]] + outer[j])
    if previous == NOTHING or following == NOTHING or following - previous > worst:
        distance, target = _between(previous, following, low, high)
        if distance > worst:
            worst = distance
            place = target
    return worst, place


@njit(cache=True, nogil=True)
def worst_targets(
    samples: Integers, windows: Integers, k: int, subsets: int, rooms: tuple[int, int],
    worst: Integers, places: Integers,
) -> None:  # fmt: skip
    """Twice the largest distance of a target in [-window, window] from its nearest subset sum, and its place.

    Cells of at most the mean gap are exact: `subsets` intervals as long as the greatest gap cover the window.

    Args:
        samples: (m, n).
        windows: (m,), with sum |x| + window < 2^61.
        k: size of the subsets, or -1 for any.
        subsets: number of subsets, at most 2^62.
        rooms: numbers of sums of the two parts: of the first n // 2 samples and of the others.
        worst: (m,), written.
        places: (m,), written: twice the lowest target where it is attained.
    """
    m, n = samples.shape
    half = n // 2
    outer = np.empty(rooms[0], np.int64)
    inner = np.empty(rooms[1], np.int64)
    outer_largest = min(k, half)
    inner_largest = min(k, n - half)
    outer_starts = np.empty(max(outer_largest, 0) + 2, np.int64)
    inner_starts = np.empty(max(inner_largest, 0) + 2, np.int64)
    first = np.zeros(rooms[0], np.int64)
    end = np.zeros(rooms[0], np.int64)
    at = np.empty(rooms[0], np.int64)
    least = np.empty(CELLS, np.int64)
    greatest = np.empty(CELLS, np.int64)
    for row in range(m):
        sums_by_size(samples[row, :half], outer_largest, outer, outer_starts)
        sums_by_size(samples[row, half:], inner_largest, inner, inner_starts)
        bottom = NOTHING
        top = -NOTHING
        for group in range(max(outer_largest, 0) + 1):
            rest = max(k, 0) - group
            if rest > max(inner_largest, 0):
                continue
            a, b = outer_starts[group], outer_starts[group + 1]
            first[a:b] = inner_starts[rest]
            end[a:b] = inner_starts[rest + 1]
            bottom = min(bottom, outer[a] + inner[inner_starts[rest]])
            top = max(top, outer[b - 1] + inner[inner_starts[rest + 1] - 1])
        low = -windows[row]
        high = windows[row]
        mean = max(0, min(high, top) - max(low, bottom)) // subsets
        fine = 0
        while mean >> (fine + 1):
            fine += 1
        for shift in (fine + COARSE if fine else 0, fine):
            worst[row], places[row] = _worst(
                inner, outer, first, end, low, high, bottom, top, shift, at, least, greatest
            )  # fmt: skip
            if shift == 0 or worst[row] >> shift:
                break


@njit(cache=True, nogil=True)
def _spread(
    from_least: Integers, from_greatest: Integers, least: Integers, greatest: Integers, x: int, base: int, shift: int
) -> None:
    """Adds x to the sums of all cells. In the order of the loop nothing is moved twice, even in place."""
    cells = len(least)
    for step in range(cells):
        source = cells - 1 - step if x > 0 else step
        lower = from_least[source]
        if lower == NOTHING:
            continue
        upper = from_greatest[source]
        for s in (lower + x, upper + x):
            cell = (s - base) >> shift
            if 0 <= cell < cells:
                least[cell] = min(least[cell], s)
                greatest[cell] = max(greatest[cell], s)


@njit(cache=True, nogil=True)
def _is_covered(least: Integers, greatest: Integers, low: int, high: int, tolerance: int) -> bool:
    """Whether every gap between cells leaves all targets of the window within tolerance."""
    previous = NOTHING
    for cell in range(len(least)):
        s = least[cell]
        if s == NOTHING:
            continue
        if _between(previous, s, low, high)[0] > 2 * tolerance:
            return False
        previous = greatest[cell]
        if previous >= high:
            return True
    return bool(previous != NOTHING and high - previous <= tolerance)


@njit(cache=True, nogil=True)
def cover(
    samples: Integers, windows: Integers, tolerances: Integers, bases: Integers, shifts: Integers, counts: Integers,
    k: int, covered: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Whether the sums that stay in the cells, one sample after the other, cover the window.

    Only the least and the greatest sum of a cell are kept, so a window may be covered without being found so.

    Args:
        samples: (m, n).
        windows: (m,).
        tolerances: (m,), at most 2^60.
        bases: (m,), lower end of the first cell.
        shifts: (m,), 2^shift <= 2 tolerance + 1.
        counts: (m,), number of cells.
        k: size of the subsets, or -1 for any.
        covered: (m,), written.
    """
    layers = max(k, 0) + 1
    step = 1 if k >= 0 else 0
    for row in range(samples.shape[0]):
        cells = counts[row]
        least = np.full((layers, cells), NOTHING)
        greatest = np.full((layers, cells), -NOTHING)
        zero = -bases[row] >> shifts[row]
        least[0, zero] = 0
        greatest[0, zero] = 0
        window = windows[row]
        done = _is_covered(least[layers - 1], greatest[layers - 1], -window, window, tolerances[row])
        for i in range(samples.shape[1]):
            if done:
                break
            x = samples[row, i]
            for size in range(layers - 1, step - 1, -1):
                source = size - step
                _spread(
                    least[source], greatest[source], least[size], greatest[size], x, bases[row], shifts[row]
                )  # fmt: skip
            done = _is_covered(least[layers - 1], greatest[layers - 1], -window, window, tolerances[row])
        covered[row] = done
