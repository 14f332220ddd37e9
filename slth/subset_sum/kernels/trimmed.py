"""The trimmed dynamic programme: one real sum per cell of a window, each with the step that made it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@njit(cache=True, nogil=True)
def trimmed(
    samples: Integers,
    targets: Integers,
    tolerances: Integers,
    halves: Integers,
    widths: Integers,
    chosen: NDArray[np.bool_],
) -> None:
    """Marks a subset within tolerance of each row, if the programme meets one.

    A sum that falls into a cell that has one is dropped, so a stored sum never changes: its step and the place of the
    sum it came from are enough to read the subset back.

    Args:
        samples: (m, n).
        targets: (m,).
        tolerances: (m,), grid units.
        halves: (m,): sums from -half to half are kept.
        widths: (m,): cell widths, >= 1.
        chosen: (m, n), all False; written.
    """
    cells = 0
    for row in range(len(samples)):
        cells = max(cells, 2 * halves[row] // widths[row] + 1)
    filled = np.empty(cells, np.bool_)
    sums = np.empty(cells, np.int64)
    steps = np.empty(cells, np.int32)
    parents = np.empty(cells, np.int32)
    for row in range(len(samples)):
        half = halves[row]
        width = widths[row]
        filled[: 2 * half // width + 1] = False
        filled[half // width] = True
        sums[0] = 0
        count = 1
        hit = 0 if abs(targets[row]) <= tolerances[row] else -1
        for step in range(samples.shape[1]):
            if hit >= 0:
                break
            x = samples[row, step]
            for at in range(count):
                total = sums[at] + x
                if abs(total) > half:
                    continue
                cell = (total + half) // width
                if not filled[cell]:
                    filled[cell] = True
                    sums[count] = total
                    steps[count] = step
                    parents[count] = at
                    if abs(total - targets[row]) <= tolerances[row]:
                        hit = count
                        break
                    count += 1
        while hit > 0:
            chosen[row, steps[hit]] = True
            hit = parents[hit]
