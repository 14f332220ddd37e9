"""Many targets over one and the same sample set: the work on the samples is done once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import tables
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.masks import WORD
from slth.subset_sum.minimise import LARGEST_SINGLE
from slth.subset_sum.problem import Status, SubsetSums
from slth.subset_sum.solve import any_within, checked_tolerances

DEFAULT_BYTES = 1 << 28
"""256 MB: the table of 24 samples takes 201 MB."""

_TABLE_ENTRY, _CELL = 12, 17
"""Bytes: a sum with a mask of 32 bits; a sum with a mask of 64 bits and a flag."""

_LEAST_BYTES = _TABLE_ENTRY << 10

_LARGEST_EXACT = 40
"""Samples up to which targets without an answer in the cells get the minimiser (about 1 ms each at 40)."""

_ROWS_AT_ONCE = 1 << 16
"""Targets for which the samples are copied, beyond that."""


@dataclass(frozen=True, eq=False)
class SharedSubsets:
    """One subset of the shared samples per target, with its residual recomputed here from the mask.

    Args:
        samples: int64 (n,), n <= 64.
        targets: int64 (m,), in the unit of the samples.
        masks: uint64 (m,); bit i is set when sample i is taken.
        status: uint8 (m,), values of `Status`. Where it is not FOUND the mask is empty.

    `residuals` is int64 (m,), sum - target: -target where nothing was found.

    Raises:
        ValueError: wrong shape or dtype, a bit beyond the last sample, or a subset stored for a target that is
            not FOUND.

    >>> SharedSubsets(np.array([3, -5, 9]), np.array([4, 5]), np.array([6, 0], np.uint64), np.array([0, 1], np.uint8))
    SharedSubsets(n=3, targets=2, found=1)
    """

    samples: NDArray[np.int64]
    targets: NDArray[np.int64]
    masks: NDArray[np.uint64]
    status: NDArray[np.uint8]
    residuals: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        shape, n = self.targets.shape, len(self.samples)
        if self.masks.dtype != np.uint64 or self.masks.shape != shape:
            raise ValueError(f"masks must be uint64 of shape {shape}; got {self.masks.dtype}, {self.masks.shape}")
        if self.status.dtype != np.uint8 or self.status.shape != shape:
            raise ValueError(f"status must be uint8 of shape {shape}; got {self.status.dtype}, {self.status.shape}")
        if n < WORD and (self.masks >> np.uint64(n)).any():
            raise ValueError(f"a mask has a bit beyond the last of {n} samples")
        if self.masks[self.status != Status.FOUND].any():
            raise ValueError("a target that is not FOUND must have an empty mask")
        object.__setattr__(self, "residuals", _sums(self.samples, self.masks) - self.targets)

    def __repr__(self) -> str:
        found = int((self.status == Status.FOUND).sum())
        return f"SharedSubsets(n={len(self.samples)}, targets={len(self.targets)}, found={found})"

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(m,): number of samples taken; 0 where nothing was found."""
        return np.bitwise_count(self.masks).astype(np.int64)


def nearest_for_all(
    samples: NDArray[np.int64], targets: NDArray[np.int64], max_bytes: int = DEFAULT_BYTES
) -> SharedSubsets:
    """The subset that minimises |sum - target|, exactly, for every target.

    The sums of the first p samples stand in one ascending table with their masks, and sorted targets walk through
    it once for every subset of the other samples. Up to n = 24 the table of the default size holds all sums. The
    length p is the cheapest for the number of targets.

    Args:
        samples: int64 (n,), n <= 48, in any unit.
        targets: int64 (m,), same unit, in any order.
        max_bytes: for the table, at least 12 KB (p = 10).

    Returns:
        Every target FOUND. Of several minimisers the one with the sum at or above the target, then the smallest
        mask: the answer depends on nothing but the samples and the target.

    Raises:
        TypeError: the arrays are not int64.
        ValueError: wrong shapes, no sample or more than 48, sums that could leave int64, or too few bytes.

    >>> answer = nearest_for_all(np.array([3, -5, 9]), np.array([6, 11, -5]))
    >>> answer.masks, answer.residuals
    (array([7, 5, 2], dtype=uint64), array([1, 1, 0]))
    """
    _check(samples, targets, LARGEST_SINGLE)
    longest = (max_bytes // _TABLE_ENTRY).bit_length() - 1
    if longest < min(10, len(samples)):
        raise ValueError(f"the table needs max_bytes >= {_LEAST_BYTES} (10 samples); got {max_bytes}")
    width = _table_width(len(samples), len(targets), longest)
    sums, masks = np.empty(1 << width, dtype=np.int64), np.empty(1 << width, dtype=np.uint32)
    tables.fill_table(samples[:width], sums, masks)
    order = np.argsort(targets, kind="stable")
    ascending = targets[order]
    sorted_answers = np.zeros(len(targets), dtype=np.uint64)

    def solve(start: int, stop: int) -> None:
        tables.nearest_in_table(sums, masks, samples[width:], ascending[start:stop], sorted_answers[start:stop])

    in_pieces(solve, len(targets), 64)
    answers = np.empty_like(sorted_answers)
    answers[order] = sorted_answers
    return SharedSubsets(samples, targets, answers, np.full(len(targets), Status.FOUND, dtype=np.uint8))


def any_for_all(
    samples: NDArray[np.int64], targets: NDArray[np.int64], tolerance: int, max_bytes: int = DEFAULT_BYTES
) -> SharedSubsets:
    """Some subset with |sum - target| <= tolerance for every target.

    The range of all sums is cut into cells no wider than the tolerance, and each keeps the first subset that falls
    into it; a target then reads its own cell and the two beside it. What they do not answer goes to
    `nearest_for_all`, beyond 40 samples to `any_within`.

    Args:
        samples: int64 (n,), n <= 64, in any unit.
        targets: int64 (m,), same unit, in any order.
        tolerance: in that unit, an integer >= 0.
        max_bytes: for the cells, 17 bytes each, and then for the table. If the range of the sums needs more, there
            are no cells.

    Returns:
        One subset per target. IMPOSSIBLE is proved. For n <= 40 every target ends FOUND or IMPOSSIBLE.

    Raises:
        TypeError: the arrays are not int64, or the tolerance is not an integer.
        ValueError: wrong shapes, no sample or more than 64, sums that could leave int64, or a negative tolerance.

    >>> any_for_all(np.array([3, -5, 9]), np.array([7, 5, 40]), 0).status
    array([0, 1, 1], dtype=uint8)
    """
    _check(samples, targets, WORD)
    allowed = int(checked_tolerances(tolerance, 1)[0])
    answers = np.zeros(len(targets), dtype=np.uint64)
    found = np.zeros(len(targets), dtype=bool)
    bottom, top = int(np.minimum(samples, 0).sum()), int(np.maximum(samples, 0).sum())
    shift = (allowed + 1).bit_length() - 1  # two numbers of one cell differ by at most the tolerance
    cells = (top - bottom >> shift) + 1
    if cells * _CELL <= max_bytes:
        sums, masks = np.empty(cells, dtype=np.int64), np.empty(cells, dtype=np.uint64)
        used = np.zeros(cells, dtype=bool)
        tables.fill_cells(samples, bottom, shift, sums, masks, used)

        def solve(start: int, stop: int) -> None:
            part = slice(start, stop)
            tables.look_up(bottom, shift, sums, masks, used, targets[part], allowed, answers[part], found[part])

        in_pieces(solve, len(targets), 1024)
    status = np.where(found, Status.FOUND, Status.UNRESOLVED).astype(np.uint8)
    beyond = (targets > top + allowed) | (targets < bottom - allowed)
    status[beyond] = Status.IMPOSSIBLE
    left = np.flatnonzero(status == Status.UNRESOLVED)
    if len(samples) <= _LARGEST_EXACT:
        nearest = nearest_for_all(samples, targets[left], max(max_bytes, _LEAST_BYTES))
        within = np.abs(nearest.residuals) <= allowed
        answers[left] = np.where(within, nearest.masks, 0)
        status[left] = np.where(within, Status.FOUND, Status.IMPOSSIBLE)
        left = left[:0]
    for start in range(0, len(left), _ROWS_AT_ONCE):
        rows = left[start : start + _ROWS_AT_ONCE]
        single = any_within(SubsetSums(np.tile(samples, (len(rows), 1)), targets[rows]), allowed)
        answers[rows], status[rows] = single.masks[:, 0], single.status
    answer = SharedSubsets(samples, targets, answers, status)
    if (np.abs(answer.residuals[status == Status.FOUND]) > allowed).any():
        raise AssertionError("a stored subset misses the tolerance: please report this as a bug")
    return answer


def _table_width(n: int, m: int, longest: int) -> int:
    """The cheapest number of samples in the table, at most `longest`.

    An entry of the table costs about 6 ns once, a target about 20 ns for every subset of the other samples and more
    in a table that is larger than the targets are dense.
    """
    widths = range(min(n, 10), min(n, longest, 32) + 1)
    return min(widths, key=lambda p: (6 << p) + (m << (n - p)) * (20 + 4 * max(0, p - max(1, m).bit_length())))


def _sums(samples: NDArray[np.int64], masks: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(m,): the sum of every mask, from tables of 256 sums per eight samples."""
    total = np.zeros(len(masks), dtype=np.int64)
    for first in range(0, len(samples), 8):
        part = np.zeros(1, dtype=np.int64)
        for x in samples[first : first + 8]:
            part = np.concatenate([part, part + x])
        total += part[(masks >> np.uint64(first) & np.uint64(255)).astype(np.intp)]
    return total


def _check(samples: NDArray[np.int64], targets: NDArray[np.int64], most: int) -> None:
    for name, array in (("samples", samples), ("targets", targets)):
        if not isinstance(array, np.ndarray) or array.dtype != np.int64:
            raise TypeError(
                f"{name} must be an int64 array of grid integers; got {getattr(array, 'dtype', type(array).__name__)}"
            )
    if samples.ndim != 1 or targets.ndim != 1:
        raise ValueError(
            f"expected shared samples (n,) and targets (m,); got {samples.shape} and {targets.shape}: targets with "
            "samples of their own go to SubsetSums"
        )
    if not 1 <= len(samples) <= most:
        raise ValueError(f"need from 1 to {most} shared samples; got {len(samples)}: keep {most} candidates")
    # The problem of the farthest target checks the range of all.
    ends = np.array([targets.min(), targets.max()]) if len(targets) else np.zeros(2, dtype=np.int64)
    SubsetSums(np.tile(samples, (2, 1)), ends)
