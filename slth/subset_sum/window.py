"""Subset sums by the process of the proof: keep the partial sums inside a window, one per cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import trimmed
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.masks import pack
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import checked_tolerances

LARGEST_WINDOW = 1 << 24
"""Cells of a window at most; each takes 17 bytes, in every thread."""


def trimmed_within(
    problem: SubsetSums, tolerance: int | NDArray[np.int64], *, reach: int | None = None, cell: int | None = None
) -> Subsets:
    """A subset with |sum - target| <= tolerance by a trimmed dynamic programme, for any number of samples.

    Sample after sample, every partial sum s in the window yields s + x; sums outside the window are dropped, and so is
    a sum whose cell of width h already has one. The random process behind Lueker's theorem (1998, Random Structures
    and Algorithms 12) keeps to the window [-R, R] of the targets. If it comes within e of a target, then so does some
    sum of the programme within e + n h, provided that the window is [-R - e - n h, R + e + n h]: every step of a path
    of sums is followed by a stored sum that may be h farther off. Time n window / h, memory window / h.

    Args:
        problem: m instances with any number of samples.
        tolerance: grid units, an integer >= 0 or int64 (m,).
        reach: R, grid units, >= every |target|; None takes the larger of the row's |target| and largest |sample|.
        cell: h, grid units, >= 1; None takes tolerance / (2 n), so that e is half the tolerance.

    Returns:
        One subset per row, FOUND or UNRESOLVED. A row whose target has a path of partial sums within [-R - e, R + e]
        that ends within e = tolerance - n h of it is FOUND, if n h <= tolerance.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape; reach or cell is out of range; or the window would have more
            than 2^24 cells.

    >>> trimmed_within(SubsetSums(np.arange(1, 2000, 2)[None] ** 2, np.array([123_456])), 100).status
    array([0], dtype=uint8)
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    widths = np.maximum(1, tolerances // (2 * problem.n)) if cell is None else _cells(problem, cell)
    # No partial sum is larger than all moduli together: a wider window would stay empty.
    halves = np.minimum(
        _reaches(problem, reach) + np.maximum(tolerances, problem.n * widths), np.abs(problem.samples).sum(axis=1)
    )
    cells = 2 * halves // widths + 1
    if cells.max(initial=0) > LARGEST_WINDOW:
        row = int(cells.argmax())
        raise ValueError(
            f"the window of row {row} has {cells[row]} cells of width {widths[row]}, more than {LARGEST_WINDOW}: use a "
            "larger tolerance or cell, or any_within on fewer samples"
        )
    chosen = np.zeros((problem.m, problem.n), dtype=bool)

    def solve(start: int, stop: int) -> None:
        part = slice(start, stop)
        trimmed.trimmed(
            problem.samples[part], problem.targets[part], tolerances[part], halves[part], widths[part], chosen[part]
        )

    in_pieces(solve, problem.m, 16)
    masks = pack(chosen)
    answer = Subsets(problem, masks, np.full(problem.m, Status.FOUND, dtype=np.uint8))
    status = np.where(np.abs(answer.residuals) <= tolerances, Status.FOUND, Status.UNRESOLVED).astype(np.uint8)
    masks[status != Status.FOUND] = 0
    return Subsets(problem, masks, status)


def _reaches(problem: SubsetSums, reach: int | None) -> NDArray[np.int64]:
    largest = np.abs(problem.targets)
    if reach is None:
        return np.maximum(largest, np.abs(problem.samples).max(axis=1))
    if (
        isinstance(reach, bool)
        or not isinstance(reach, int | np.integer)
        or not largest.max(initial=0) <= reach <= 1 << 61
    ):
        raise ValueError(
            f"reach must be an integer of at least the largest |target| {largest.max(initial=0)}, at most 2^61; got "
            f"{reach!r}"
        )
    return np.full(problem.m, int(reach), dtype=np.int64)


def _cells(problem: SubsetSums, cell: int) -> NDArray[np.int64]:
    if isinstance(cell, bool) or not isinstance(cell, int | np.integer) or not 1 <= cell <= (1 << 61) // problem.n:
        raise ValueError(f"cell must be an integer from 1 to 2^61 / n; got {cell!r}")
    return np.full(problem.m, int(cell), dtype=np.int64)
