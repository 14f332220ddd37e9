"""Batches too large for memory: drawn and solved chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slth.grid import PRODUCT_EXPONENT
from slth.subset_sum.kernels import blocks, sums
from slth.subset_sum.lazy import LazySubsetSums
from slth.subset_sum.masks import WORD
from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.problem import Status, Subsets
from slth.subset_sum.solve import any_within, best, checked_tolerances

MAX_BYTES = 1 << 28
"""Memory for one chunk of instances, unless told otherwise."""

LARGEST_CHUNK = 1 << 20
"""Rows per chunk at most; more would not be faster."""

ENOUGH = 1 << 13
"""Rows that keep all threads busy."""

OPEN = np.uint8(255)
"""What `_Tally` counts for rows that are not solved yet; no value of `Status`."""

SINGLES = 8
"""Rows per chunk where `best` solves them one by one, up to 3 s each."""


@dataclass(frozen=True, eq=False)
class BulkAnswer:
    """What became of a batch.

    Attributes:
        found: rows with a subset that qualifies.
        impossible: rows proved to have none.
        unresolved: rows of which neither is known.
        sizes: int64 (n + 1,); entry k is the number of subsets found with k samples.
        worst: the largest |sum - target| among them in units of 2^-48; 0 if there are none.
        total: the sum of |sum - target| over them in units of 2^-48, exact.
        masks: (count,), uint32 for n <= 32, else uint64; bit j is set when sample j is taken. None unless kept.
        residuals: int64 (count,), sum - target in units of 2^-48. None unless kept.
        status: uint8 (count,), values of `Status`. None unless kept.
    """

    found: int
    impossible: int
    unresolved: int
    sizes: NDArray[np.int64]
    worst: int
    total: int
    masks: NDArray[np.unsignedinteger] | None = None
    residuals: NDArray[np.int64] | None = None
    status: NDArray[np.uint8] | None = None

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.found + self.impossible + self.unresolved

    @property
    def worst_residual(self) -> float:
        """The largest |sum - target| of a subset found, as a float64 next to the exact value."""
        return self.worst / 2**PRODUCT_EXPONENT

    @property
    def mean_residual(self) -> float:
        """The mean |sum - target| of the subsets found, as a float64 next to the exact value; NaN if there are
        none."""
        return self.total / (self.found << PRODUCT_EXPONENT) if self.found else float("nan")

    @property
    def mean_size(self) -> float:
        """The mean number of samples of the subsets found; NaN if there are none."""
        taken = sum(size * int(number) for size, number in enumerate(self.sizes))
        return taken / self.found if self.found else float("nan")


def solve_bulk(
    batch: LazySubsetSums,
    question: Callable[..., Subsets],
    tolerance: int | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    keep: bool = False,
    advance: Callable[[int], object] | None = None,
) -> BulkAnswer:
    """Draws and solves a batch chunk by chunk; the answers are those of the question on each row.

    About 0.16 us per instance and core for `any_within` 0.01 of 21 products, drawing included, and 5 us for `best`.

    Args:
        batch: the instances.
        question: `best`, `any_within`, `sparsest_within`, or a function of your own that maps a problem (and the
            tolerance, if there is one) to its answers.
        tolerance: in units of 2^-48, >= 0; None for a question that has none.
        max_bytes: bound on the memory of one chunk, at least 1 MiB; besides, every thread needs up to 16 MB.
        keep: whether masks, residuals and status of every row are returned: 13 bytes per row (17 for n > 32).
        advance: called with the number of rows after every chunk.

    Returns:
        Counts, sizes and residuals. They depend neither on max_bytes nor on the number of threads.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative, max_bytes is too small, or the question refuses this n.

    >>> from slth.laws import Product
    >>> batch = LazySubsetSums(Product(), seed=1, stream=0, count=2000, n=21)
    >>> answer = solve_bulk(batch, any_within, 2**48 // 100)
    >>> answer.count, answer.found > 1990, answer.worst_residual <= 0.01
    (2000, True, True)
    """
    if max_bytes < 1 << 20:
        raise ValueError(f"a chunk of instances needs max_bytes >= 2^20; got {max_bytes}")
    if tolerance is not None:
        tolerance = int(checked_tolerances(tolerance, 1)[0])
    tally = _Tally(batch, keep)
    step = rows_per_chunk(batch.n, max_bytes)
    if question is best and batch.n > LARGEST_BATCHED:
        step = min(step, SINGLES)
    left = _Open(batch, tally, step)
    for start in range(0, batch.count, step):
        stop = min(start + step, batch.count)
        if question is any_within and tolerance is not None:
            left.take(start, stop, tolerance)
        else:
            tally.add(slice(start, stop), _solved(batch, np.arange(start, stop), question, tolerance))
        if advance is not None:
            advance(stop - start)
    left.settle(tolerance)
    if tolerance is not None and question is any_within and tally.worst > tolerance:
        raise AssertionError("a stored subset misses the tolerance: please report this as a bug")
    return tally.answer()


def rows_per_chunk(n: int, max_bytes: int) -> int:
    """Instances that are drawn and solved together: 40 n + 256 bytes each cover every question.

    Long rows are slow, so their chunks are shorter: an interrupt is answered and a bar moves every few seconds.

    >>> rows_per_chunk(21, 1 << 28)
    244922
    """
    return max(1, min(max_bytes // (40 * n + 256), LARGEST_CHUNK >> max(0, min((n - 16) // 2, 10))))


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Answers for consecutive rows."""

    masks: NDArray[np.uint64]
    status: NDArray[np.uint8]
    residuals: NDArray[np.int64]


def _solved(
    batch: LazySubsetSums, rows: NDArray[np.int64], question: Callable[..., Subsets], tolerance: int | None
) -> _Chunk:
    problem = batch.problem(rows)
    answer = question(problem) if tolerance is None else question(problem, tolerance)
    return _Chunk(answer.masks[:, 0], answer.status, answer.residuals)


class _Open:
    """Rows that the first stage of `any_within` leaves: they wait until there are enough for all threads."""

    def __init__(self, batch: LazySubsetSums, tally: _Tally, most: int) -> None:
        self.batch, self.tally, self.most = batch, tally, most
        self.rows: list[NDArray[np.int64]] = []

    def take(self, start: int, stop: int, tolerance: int) -> None:
        """Counts the rows from start to stop whose subset is found at once, and keeps the others."""
        masks, todo, residuals = self.batch.enumerated(start, stop, tolerance)
        status = np.where(todo == blocks.FOUND, np.uint8(Status.FOUND), OPEN)
        self.tally.add(slice(start, stop), _Chunk(masks, status, residuals))
        left = start + np.flatnonzero(status)
        if self.waiting + len(left) > self.most:
            self.settle(tolerance)
        self.rows.append(left)
        if self.waiting >= ENOUGH:
            self.settle(tolerance)

    @property
    def waiting(self) -> int:
        return sum(map(len, self.rows))

    def settle(self, tolerance: int | None) -> None:
        """Solves what waits."""
        if self.waiting:
            rows = np.concatenate(self.rows)
            self.tally.add(rows, _solved(self.batch, rows, any_within, tolerance))
        self.rows = []


class _Tally:
    """Running counts over the chunks, in exact integers."""

    def __init__(self, batch: LazySubsetSums, keep: bool) -> None:
        self.n = batch.n
        self.by_status = np.zeros(256, dtype=np.int64)
        self.sizes = np.zeros(WORD + 1, dtype=np.int64)
        self.worst = 0
        self.total = 0
        kind = np.dtype(np.uint32 if batch.n <= 32 else np.uint64)
        self.masks = np.empty(batch.count, dtype=kind) if keep else None
        self.residuals = np.empty(batch.count, dtype=np.int64) if keep else None
        self.status = np.empty(batch.count, dtype=np.uint8) if keep else None

    def add(self, own: slice | NDArray[np.int64], chunk: _Chunk) -> None:
        for kept, new in ((self.masks, chunk.masks), (self.residuals, chunk.residuals), (self.status, chunk.status)):
            if kept is not None:
                kept[own] = new
        worst, high, low = sums.tally(chunk.masks, chunk.status, chunk.residuals, self.by_status, self.sizes)
        self.worst = max(self.worst, worst)
        self.total += (high << 32) + low

    def answer(self) -> BulkAnswer:
        found, impossible, unresolved = (int(number) for number in self.by_status[: len(Status)])
        return BulkAnswer(
            found, impossible, unresolved, self.sizes[: self.n + 1].copy(), self.worst, self.total,
            self.masks, self.residuals, self.status,
        )  # fmt: skip
