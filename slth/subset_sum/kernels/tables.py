"""One sample set for many targets: a table of sums with their masks, and cells that hold one subset each."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

FARTHEST = np.int64(2**63 - 1)


@njit(cache=True, nogil=True)
def fill_table(sample: Integers, sums: Integers, masks: NDArray[np.uint32]) -> None:
    """All 2^n sums, ascending, with their masks; equal sums by ascending mask.

    The table is merged with itself plus one sample after the other, in place from the end. The masks that get the
    new bit are greater than all before, so of equal sums they come later.

    Args:
        sample: (n,), n <= 32.
        sums: (2^n,), written.
        masks: (2^n,), written.
    """
    sums[0] = 0
    masks[0] = 0
    for bit in range(len(sample)):
        x = sample[bit]
        new = np.uint32(1 << bit)
        i = (1 << bit) - 1
        j = i
        while j >= 0:
            candidate = sums[j] + x
            at = i + j + 1
            if i >= 0 and sums[i] > candidate:
                sums[at] = sums[i]
                masks[at] = masks[i]
                i -= 1
            else:
                sums[at] = candidate
                masks[at] = masks[j] | new
                j -= 1


@njit(cache=True, nogil=True)
def _first_at_least(sums: Integers, start: int, bound: int) -> int:
    """The first entry from `start` on that is at least the bound: steps of growing length, then halving."""
    size = len(sums)
    step = 1
    low = start
    high = start
    while high < size and sums[high] < bound:
        low = high + 1
        high += step
        step *= 2
    high = min(high, size)
    while low < high:
        middle = (low + high) >> 1
        if sums[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def nearest_in_table(
    sums: Integers, masks: NDArray[np.uint32], others: Integers, targets: Integers, answers: Words
) -> None:
    """The minimiser for every target: of those with the least distance the one with the sum above the target, then
    the smallest mask.

    Args:
        sums: (2^p,) of `fill_table`.
        masks: (2^p,).
        others: (r,), the samples beyond the table; all their 2^r subsets are tried.
        targets: (m,), ascending.
        answers: (m,), written.
    """
    size = len(sums)
    width = 0
    while 1 << width < size:
        width += 1
    # 2 |D| for a sum above the target, one more for a sum below.
    best = np.full(len(targets), FARTHEST)
    for code in range(1 << len(others)):
        shift = np.int64(0)
        for bit in range(len(others)):
            shift += others[bit] & -((code >> bit) & 1)
        at = 0
        for row in range(len(targets)):
            wanted = targets[row] - shift
            at = _first_at_least(sums, at, wanted)
            if at < size and 2 * (sums[at] - wanted) < best[row]:
                best[row] = 2 * (sums[at] - wanted)
                answers[row] = np.uint64(masks[at]) | np.uint64(code) << np.uint64(width)
            if at > 0 and 2 * (wanted - sums[at - 1]) + 1 < best[row]:
                below = sums[at - 1]
                best[row] = 2 * (wanted - below) + 1
                first = at - 1
                if first > 0 and sums[first - 1] == below:
                    first = _first_at_least(sums[:at], 0, below)
                answers[row] = np.uint64(masks[first]) | np.uint64(code) << np.uint64(width)


@njit(cache=True, nogil=True)
def fill_cells(sample: Integers, base: int, shift: int, sums: Integers, masks: Words, used: NDArray[np.bool_]) -> None:
    """One subset for every cell of width 2^shift that a chain of kept subsets reaches, the first one met.

    Args:
        sample: (n,), n <= 64.
        base: lower end of the first cell; all sums lie in the cells.
        sums: (cells,), written where used.
        masks: (cells,), written where used.
        used: (cells,), False on entry.
    """
    cells = len(sums)
    zero = -base >> shift
    sums[zero] = 0
    masks[zero] = 0
    used[zero] = True
    for bit in range(len(sample)):
        x = sample[bit]
        new = np.uint64(1) << np.uint64(bit)
        # Cells are read before anything of this round falls into them: no sample is taken twice.
        for step in range(cells):
            source = cells - 1 - step if x > 0 else step
            if used[source]:
                s = sums[source] + x
                cell = (s - base) >> shift
                if not used[cell]:
                    used[cell] = True
                    sums[cell] = s
                    masks[cell] = masks[source] | new


@njit(cache=True, nogil=True)
def look_up(
    base: int, shift: int, sums: Integers, masks: Words, used: NDArray[np.bool_], targets: Integers, tolerance: int,
    answers: Words, found: NDArray[np.bool_],
) -> None:  # fmt: skip
    """The subset of the target's cell, or else of a neighbouring one, if it is within tolerance.

    Args:
        targets: (m,), in the cells.
        answers: (m,), written; 0 where nothing was found.
        found: (m,), written.
    """
    for row in range(len(targets)):
        home = (targets[row] - base) >> shift
        found[row] = False
        answers[row] = np.uint64(0)
        for cell in (home, home - 1, home + 1):
            if 0 <= cell < len(sums) and used[cell] and abs(sums[cell] - targets[row]) <= tolerance:
                found[row] = True
                answers[row] = masks[cell]
                break
