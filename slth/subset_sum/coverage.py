"""How well the subset sums of a row cover a whole window of targets [-R, R].

Targets are real numbers here, not only grid points: the worst one often lies in the middle between two
neighbouring sums, on half a grid unit. So the worst error and its target are given doubled, as exact integers in
units of 2^-(exponent + 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import cover, sums
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.problem import Status, SubsetSums
from slth.subset_sum.solve import checked_tolerances

MOST_SUBSETS = 1 << 28
"""Subsets per row up to which all sums are looked at (about 0.3 s per row and core at 2^28)."""

MOST_HALF_SUMS = 1 << 24
"""Sums of half the samples that are held at once: 128 MB and twice that for the bookkeeping."""

MOST_CELLS = 1 << 22
"""Cells per row of the quick cover, over all sizes: 64 MB per thread."""


@dataclass(frozen=True, eq=False)
class WorstErrors:
    """The worst error of every row over a window of targets.

    Attributes:
        problem: the rows; their own targets play no part.
        doubled_errors: int64 (m,), twice the largest distance, in grid units.
        doubled_targets: int64 (m,), twice the lowest target where it is attained, in grid units.

    >>> found = worst_errors(SubsetSums(np.array([[3, -7, 9, -2, 5]]), np.array([0]), exponent=0), 5)
    >>> found.doubled_errors, found.doubled_targets, found.fraction(0), found.values
    (array([2]), array([-10]), Fraction(1, 1), array([1.]))
    """

    problem: SubsetSums
    doubled_errors: NDArray[np.int64]
    doubled_targets: NDArray[np.int64]

    @property
    def values(self) -> NDArray[np.float64]:
        """(m,): worst errors as float64, correct to half a unit in the last place, without the `rounding`."""
        return np.ldexp(self.doubled_errors.astype(np.float64), -np.asarray(self.problem.exponent) - 1)

    def fraction(self, row: int) -> Fraction:
        """The worst error of one row, exactly, in grid units (multiply by 2^-exponent for its value)."""
        return Fraction(int(self.doubled_errors[row]), 2)


def worst_errors(problem: SubsetSums, window: int | NDArray[np.int64], k: int | None = None) -> WorstErrors:
    """The largest distance of a target in [-window, window] from its nearest subset sum, exactly.

    All sums are looked at: ascending sums of one half of the samples are shifted by every sum of the other half
    and fall into cells; the gaps between cells decide once the greatest is as wide as a cell (derived; the cells
    of mean width are the pigeonhole argument for greatest gaps). Memory is 2^(n/2) sums and 1 MB of cells per
    thread, whatever the number of subsets.

    Args:
        problem: m rows with at most 2^28 subsets each: n <= 28, or more for small k. Targets are not used.
        window: R in grid units, an integer >= 0 or int64 (m,).
        k: only subsets of exactly k samples count, 0 <= k <= n; by default all subsets.

    Returns:
        One worst error and its lowest target per row.

    Raises:
        TypeError: the window is not an integer.
        ValueError: it is negative, has the wrong shape or lets sums leave int64; k is not an integer from 0 to n;
            or a row has too many subsets.

    >>> problem = SubsetSums(np.array([[2, 4, 8]]), np.array([0]))
    >>> worst_errors(problem, 6).doubled_errors, worst_errors(problem, 6, k=1).doubled_targets
    (array([12]), array([-12]))
    """
    windows = _checked_windows(problem, window)
    size = _checked_size(problem, k)
    subsets = _subsets(problem.n, size)
    rooms = _half_sums(problem.n, size)
    if subsets > MOST_SUBSETS or max(rooms) > MOST_HALF_SUMS:
        raise ValueError(
            f"the worst error looks at every subset, at most 2^28 of them; got {subsets} (n = {problem.n}, k = {k}): "
            "keep fewer samples, or ask with covers whether one tolerance is reached"
        )
    errors, places = np.empty((2, problem.m), dtype=np.int64)

    def search(start: int, stop: int) -> None:
        part = slice(start, stop)
        cover.worst_targets(
            problem.samples[part], windows[part], size, subsets, rooms, errors[part], places[part]
        )  # fmt: skip

    in_pieces(search, problem.m, max(1, min(1024, (1 << 14) // subsets)))
    return WorstErrors(problem, errors, places)


def covers(
    problem: SubsetSums, window: int | NDArray[np.int64], tolerance: int | NDArray[np.int64], k: int | None = None
) -> NDArray[np.uint8]:
    """Whether every target in [-window, window] has a subset sum within tolerance.

    First the proofs that it cannot be: a target beyond the reach of all sums, or fewer intervals than the window
    asks for. Then the quick cover: cells of the window's neighbourhood keep the least and the greatest sum that
    falls into them, one sample after the other (a trimmed dynamic program; derived). What is still open is decided
    by `worst_errors` where the number of subsets allows it.

    Args:
        problem: m rows with any number of samples. Targets are not used.
        window: R in grid units, an integer >= 0 or int64 (m,).
        tolerance: grid units, an integer >= 0 or int64 (m,).
        k: only subsets of exactly k samples count, 0 <= k <= n; by default all subsets.

    Returns:
        uint8 (m,), values of `Status`. FOUND: proved, the window is covered. IMPOSSIBLE: proved, some target is
        not. UNRESOLVED: neither; never for rows with at most 2^28 subsets.

    Raises:
        TypeError: window or tolerance is not an integer.
        ValueError: one is negative, has the wrong shape or lets sums leave int64; or k is not an integer from 0
            to n.

    >>> problem = SubsetSums(np.array([[2, 4, -8], [1, 1, 1]]), np.array([0, 0]))
    >>> covers(problem, 6, 0), covers(problem, 6, 1)
    (array([1, 1], dtype=uint8), array([0, 1], dtype=uint8))
    """
    windows = _checked_windows(problem, window)
    size = _checked_size(problem, k)
    # No target is farther off than this, so that a larger tolerance asks nothing more.
    farthest = windows + np.abs(problem.samples).sum(axis=1)
    tolerances = np.minimum(checked_tolerances(tolerance, problem.m), farthest)
    subsets = _subsets(problem.n, size)
    status = np.full(problem.m, Status.UNRESOLVED, dtype=np.uint8)
    bottom, top = _reach(problem.samples, size)
    beyond = (top + tolerances < windows) | (bottom - tolerances > -windows)
    # 2 tolerance subsets < 2 window, in floor division because the product may leave int64.
    scarce = tolerances < -(-windows // min(subsets, 1 << 62))
    status[beyond | scarce] = Status.IMPOSSIBLE
    _cover_by_cells(problem.samples, windows, tolerances, size, status)
    left = np.flatnonzero(status == Status.UNRESOLVED)
    if len(left) and subsets <= MOST_SUBSETS and max(_half_sums(problem.n, size)) <= MOST_HALF_SUMS:
        rest = SubsetSums(problem.samples[left], np.zeros(len(left), dtype=np.int64))
        exact = worst_errors(rest, windows[left], k).doubled_errors
        status[left] = np.where(exact <= 2 * tolerances[left], Status.FOUND, Status.IMPOSSIBLE)
    return status


def _cover_by_cells(
    samples: NDArray[np.int64], windows: NDArray[np.int64], tolerances: NDArray[np.int64], size: int,
    status: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Sets the rows to FOUND that the quick cover proves."""
    shifts = np.frexp((2 * tolerances + 1).astype(np.float64))[1].astype(np.int64) - 1
    shifts -= (np.int64(1) << shifts) > 2 * tolerances + 1  # float64 may have rounded up to the next power of two
    # A sum that leaves the window by less than one sample may come back.
    ends = windows + np.abs(samples).max(axis=1)
    bases = -ends
    counts = (2 * ends >> shifts) + 1
    most = MOST_CELLS // (max(size, 0) + 1)
    narrow = counts > most
    bases[narrow] = -windows[narrow]
    counts[narrow] = (2 * windows[narrow] >> shifts[narrow]) + 1
    rows = np.flatnonzero((status == Status.UNRESOLVED) & (counts <= most))
    covered = np.empty(len(rows), dtype=bool)

    def search(start: int, stop: int) -> None:
        part = rows[start:stop]
        cover.cover(
            samples[part], windows[part], tolerances[part], bases[part], shifts[part], counts[part], size,
            covered[start:stop],
        )  # fmt: skip

    in_pieces(search, len(rows), 1)
    status[rows[covered]] = Status.FOUND


def _reach(samples: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least and the greatest sum of every row."""
    if size < 0:
        return np.minimum(samples, 0).sum(axis=1), np.maximum(samples, 0).sum(axis=1)
    ascending = np.sort(samples, axis=1)
    return ascending[:, :size].sum(axis=1), ascending[:, ascending.shape[1] - size :].sum(axis=1)


def _subsets(n: int, size: int) -> int:
    return 1 << n if size < 0 else comb(n, size)


def _half_sums(n: int, size: int) -> tuple[int, int]:
    """Numbers of sums of the first n // 2 samples and of the others, of at most `size` samples each."""
    parts = (n // 2, n - n // 2)
    if size < 0:
        return 1 << parts[0], 1 << parts[1]
    first, second = (sum(comb(h, s) for s in range(min(size, h) + 1)) for h in parts)
    return first, second


def _checked_windows(problem: SubsetSums, window: int | NDArray[np.int64]) -> NDArray[np.int64]:
    array = np.asarray(window)
    if array.dtype.kind not in "iu":
        raise TypeError(f"window must be an integer in grid units; got {array.dtype}: multiply R by 2^exponent")
    if array.shape not in ((), (problem.m,)):
        raise ValueError(f"window must be one integer or an array of shape ({problem.m},); got shape {array.shape}")
    if array.size and (array.min() < 0 or array.max() >= 1 << sums.LIMIT_EXPONENT):
        raise ValueError(f"window must be from 0 to below 2^61; got {array.min()} to {array.max()}")
    windows = np.ascontiguousarray(np.broadcast_to(array.astype(np.int64), (problem.m,)))
    row = int(sums.first_beyond_limit(problem.samples, windows))
    if row >= 0:
        raise ValueError(
            f"row {row} has sum |samples| + window >= 2^{sums.LIMIT_EXPONENT}, where sums could overflow int64: use "
            "a smaller window or a coarser unit"
        )
    return windows


def _checked_size(problem: SubsetSums, k: int | None) -> int:
    """k, or -1 for any size."""
    if k is None:
        return -1
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 <= k <= problem.n:
        raise ValueError(f"k must be an integer from 0 to n = {problem.n}, or None for any size; got {k!r}")
    return int(k)
