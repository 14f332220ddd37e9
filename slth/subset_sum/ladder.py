"""Any subset within a tolerance: enumerate a short prefix, then meet in the middle on longer and longer ones.

Which searches a row goes through depends on that row alone, so its answer does not depend on the batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import blocks
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.masks import pack, unpack
from slth.subset_sum.minimise import LARGEST_BATCHED, nearest_masks
from slth.subset_sum.problem import Status, SubsetSums

RUNG = 3
"""Samples added when a search fails."""

LONGEST_PREFIX = 30
"""Samples of the last prefix when n > 34: short prefixes give small subsets, so they come before the windows."""

WINDOWS = ((18, 4), (24, 4), (30, 2))
"""(width, number) of the windows of candidates that are searched when n > 34 and no prefix has an answer."""

ROWS_AT_ONCE = 1 << 14
"""Long rows are copied in parts of this many."""


def search(problem: SubsetSums, tolerances: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Masks (m, ceil(n / 64)) and status (m,) of a search for any subset within tolerance.

    >>> search(SubsetSums(np.array([[3, -5, 9]]), np.array([6])), np.array([1]))
    (array([[7]], dtype=uint64), array([0], dtype=uint8))
    """
    masks = np.zeros((problem.m, -(-problem.n // 64)), dtype=np.uint64)
    todo = np.empty(problem.m, dtype=np.uint8)

    def enumerate_blocks(start: int, stop: int) -> None:
        part = slice(start, stop)
        blocks.blocks(problem.samples[part], problem.targets[part], tolerances[part], masks[part, 0], todo[part])

    in_pieces(enumerate_blocks, problem.m, 1024)
    status = np.where(todo == blocks.FOUND, np.uint8(Status.FOUND), np.uint8(Status.UNRESOLVED))
    status[todo == blocks.BEYOND_REACH] = Status.IMPOSSIBLE
    if problem.n <= blocks.PREFIX:
        status[status == Status.UNRESOLVED] = Status.IMPOSSIBLE
    elif problem.n <= LARGEST_BATCHED:
        _climb(problem, tolerances, todo, masks, status, problem.n)
        status[status == Status.UNRESOLVED] = Status.IMPOSSIBLE  # the last prefix was the whole row
    else:
        _climb(problem, tolerances, todo, masks, status, LONGEST_PREFIX)
        _slide(problem, tolerances, masks, status)
    return masks, status


def _climb(
    problem: SubsetSums, tolerances: NDArray[np.int64], todo: NDArray[np.uint8],
    masks: NDArray[np.uint64], status: NDArray[np.uint8], longest: int,
) -> None:  # fmt: skip
    """Searches prefixes of growing length, up to the longest; what is not found stays UNRESOLVED."""
    open_rows = np.flatnonzero(status == Status.UNRESOLVED)
    widths = np.minimum(todo[open_rows].astype(np.int64), longest)
    while len(open_rows):
        width = int(widths.min())
        now = widths == width
        rows = open_rows[now]
        answers = nearest_masks(problem, rows, width)
        hit = _within(problem, rows, answers, width, tolerances)
        masks[rows[hit], 0] = answers[hit]
        status[rows[hit]] = Status.FOUND
        still = (status[open_rows] == Status.UNRESOLVED) & ~(now & (width == longest))
        widths[now] = min(width + RUNG, longest)
        open_rows, widths = open_rows[still], widths[still]


def _within(
    problem: SubsetSums,
    rows: NDArray[np.int64],
    answers: NDArray[np.uint64],
    width: int,
    tolerances: NDArray[np.int64],
) -> NDArray[np.bool_]:
    chosen = unpack(answers[:, None], width)
    sums = np.where(chosen, problem.samples[rows, :width], 0).sum(axis=1)
    within: NDArray[np.bool_] = np.abs(sums - problem.targets[rows]) <= tolerances[rows]
    return within


def _slide(
    problem: SubsetSums, tolerances: NDArray[np.int64], masks: NDArray[np.uint64], status: NDArray[np.uint8]
) -> None:
    """Searches windows of the candidates, the others being fixed so that the target comes near a window's
    centre."""
    for width, number in WINDOWS:
        for k in range(number):
            rows = np.flatnonzero(status == Status.UNRESOLVED)
            first = k * width % (problem.n - width + 1)
            window = np.arange(first, first + width)
            for start in range(0, len(rows), ROWS_AT_ONCE):
                _search_window(problem, tolerances, rows[start : start + ROWS_AT_ONCE], window, masks, status)


def _search_window(
    problem: SubsetSums, tolerances: NDArray[np.int64], rows: NDArray[np.int64], window: NDArray[np.int64],
    masks: NDArray[np.uint64], status: NDArray[np.uint8],
) -> None:  # fmt: skip
    chosen, targets = _fix_outside(problem, rows, window)
    inner = SubsetSums(problem.samples[np.ix_(rows, window)], targets)
    answers = nearest_masks(inner)
    hit = _within(inner, np.arange(len(rows)), answers, len(window), tolerances[rows])
    chosen[:, window] = unpack(answers[:, None], len(window))
    masks[rows[hit]] = pack(chosen[hit])
    status[rows[hit]] = Status.FOUND


def _fix_outside(
    problem: SubsetSums, rows: NDArray[np.int64], window: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Takes outside samples, largest first, whenever that moves the target closer to half the window's sum.

    Returns:
        chosen (r, n) with nothing inside the window, and the targets (r,) left for the window.
    """
    samples = problem.samples[rows]
    centre = samples[:, window].sum(axis=1) // 2
    away = problem.targets[rows] - centre
    samples[:, window] = 0
    chosen = np.zeros(samples.shape, dtype=bool)
    order = np.argsort(-np.abs(samples), axis=1, kind="stable")
    every = np.arange(len(rows))
    for column in order.T:
        x = samples[every, column]
        take = np.abs(away - x) < np.abs(away)
        away -= np.where(take, x, 0)
        chosen[every, column] = take
    return chosen, away + centre
