"""Counts, whole windows of targets and exact integers for numpy arrays and torch tensors, in the kind given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum import coverage, tensor_units
from slth.subset_sum.counting import count_by_size, count_within
from slth.subset_sum.exact_integer import representable, samples_for_all
from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.problem import Status, SubsetSums
from slth.subset_sum.tensor_form import Array, Form, on_cpu, received
from slth.subset_sum.tensor_units import Grid


@dataclass(frozen=True, eq=False)
class ArrayCounts(Generic[Array]):
    """Numbers of subsets in the caller's library and on the caller's device; one instance goes without the axis (m,).

    Attributes:
        at_least: int64 (m,), or (m, n + 1) by size: so many subsets are within epsilon.
        at_most: int64, same shape: and no more. The two differ only where a residual equals epsilon up to the rounding.
        rounding: float64 (m,): putting the row on the grid moved no sum - target by more.
    """

    at_least: Array
    at_most: Array
    rounding: Array


@dataclass(frozen=True, eq=False)
class ArrayErrors(Generic[Array]):
    """Worst errors over windows in the caller's library and on the caller's device, (m,) or () for one row.

    Attributes:
        errors: in the dtype of the samples, rounded to nearest: the largest distance of a target from its nearest
            sum, up to `rounding`. float64 for integers.
        targets: same dtype: the lowest target where it is attained.
        units: int64: the error of the numbers on the grid is exactly units 2^-exponent.
        exponent: int64, one more than that of the grid: half units, as the worst target may lie between two sums.
        rounding: float64: the error of the numbers as given differs by at most this from that on the grid.
    """

    errors: Array
    targets: Array
    units: Array
    exponent: Array
    rounding: Array


def count_arrays(
    samples: Array,
    targets: Array | float,
    question: Callable[[SubsetSums, NDArray[np.int64]], NDArray[np.int64]] = count_within,
    *,
    epsilon: float | Array,
    max_bytes: int = 1 << 28,
) -> ArrayCounts[Array]:
    """The number of subsets with |sum - target| <= epsilon, for numpy arrays or torch tensors.

    Tensors on a device other than the CPU are counted there up to 34 samples, by `count_within`.

    Args:
        samples: (m, n), or (n,) for one instance, n <= 40; float32 or float64, or signed integers.
        targets: (m,) or one number, of the same library, device and dtype.
        question: `count_within`, or `count_by_size` for the numbers of every size from 0 to n.
        epsilon: one number or (m,): >= 0 in the unit of the samples (an integer if these are).
        max_bytes: working memory on another device.

    Raises:
        TypeError: another library, dtype or question.
        ValueError: wrong shapes or devices, NaN or infinity, a negative epsilon, or n > 40.

    >>> count_arrays(np.array([0.5, 0.5, 1.0]), 1.0, epsilon=0.0).at_least
    array(2)
    >>> import torch
    >>> count_arrays(torch.tensor([[1, 1, 2]]), 2, count_by_size, epsilon=0).at_most
    tensor([[0, 1, 1, 0]])
    """
    if question not in (count_within, count_by_size):
        raise TypeError(f"question must be count_within or count_by_size of slth.subset_sum; got {question!r}")
    form, x, t = received(samples, targets)
    ask: Callable[[Grid, NDArray[np.int64]], Any]
    if form.elsewhere and question is count_within and 1 <= x.shape[1] <= LARGEST_BATCHED:
        from slth.subset_sum import tensor_grid, tensor_questions

        grid = tensor_grid.put(form, x, t)

        def ask(part: Grid, allowed: NDArray[np.int64]) -> Any:
            limit = tensor_units.like(allowed, part.targets)
            return tensor_questions.count_within(part.samples, part.targets, limit, max_bytes)
    else:
        grid = tensor_units.put(form, on_cpu(x), on_cpu(t))

        def ask(part: Grid, allowed: NDArray[np.int64]) -> Any:
            return question(SubsetSums(part.samples, part.targets), allowed)

    low, high = tensor_units.tolerances(form, grid, epsilon)
    most = ask(grid, high)
    least = most + 0
    if (high > low).any():
        rows = tensor_units.like(high > low, grid.targets)
        least[rows] = ask(grid.part(rows), np.maximum(low, 0)[high > low])
        # A tolerance below the rounding certifies no subset.
        least[tensor_units.like(low < 0, grid.targets)] = 0
    return ArrayCounts(form.back(least), form.back(most), form.back(grid.rounding))


def cover_arrays(
    samples: Array, windows: Array | float, *, epsilon: float | Array, size: int | None = None
) -> Array:  # fmt: skip
    """Whether every target in [-R, R] has a subset sum within epsilon, for numpy arrays or torch tensors.

    Args:
        samples: (m, n), or (n,) for one row; float32 or float64, or signed integers.
        windows: R >= 0, (m,) or one number, of the same library, device and dtype.
        epsilon: one number or (m,): >= 0 in the unit of the samples (an integer if these are).
        size: only subsets of exactly this many samples count, 0 to n; by default all.

    Returns:
        uint8 (m,), values of `Status`, proved for the numbers as they were given: FOUND, the window is covered;
        IMPOSSIBLE, some target is not; UNRESOLVED, neither (for at most 2^28 subsets only where the worst error equals
        epsilon up to the rounding).

    Raises:
        TypeError: another library or dtype.
        ValueError: wrong shapes or devices, NaN or infinity, a negative window or epsilon, or a size out of range.

    >>> cover_arrays(np.array([[2.0, 4.0, -8.0], [1.0, 1.0, 1.0]]), 6.0, epsilon=1.0)
    array([0, 1], dtype=uint8)
    """
    form, grid = _windows(samples, windows)
    problem = SubsetSums(grid.samples, np.zeros_like(grid.targets))
    low, high = tensor_units.tolerances(form, grid, epsilon)
    if form.floats:
        high = high + 1  # targets are real numbers, so a fraction of a unit of epsilon may decide
    status = coverage.covers(problem, grid.targets, np.maximum(low, 0), size)
    status[(low < 0) & (status == Status.FOUND)] = Status.UNRESOLVED
    rows = (high > low) & (status == Status.IMPOSSIBLE)
    if rows.any():
        part = SubsetSums(problem.samples[rows], problem.targets[rows])
        again = coverage.covers(part, grid.targets[rows], high[rows], size)
        status[rows] = np.where(again == Status.IMPOSSIBLE, Status.IMPOSSIBLE, Status.UNRESOLVED)
    covered: Array = form.back(status)
    return covered


def worst_error_arrays(samples: Array, windows: Array | float, *, size: int | None = None) -> ArrayErrors[Array]:
    """The largest distance of a target in [-R, R] from its nearest subset sum, for numpy arrays or torch tensors.

    Args:
        samples: (m, n), or (n,) for one row, with at most 2^28 subsets; float32 or float64, or signed integers.
        windows: R >= 0, (m,) or one number, of the same library, device and dtype.
        size: only subsets of exactly this many samples count, 0 to n; by default all.

    Raises:
        TypeError: another library or dtype.
        ValueError: wrong shapes or devices, NaN or infinity, a negative window, a size out of range, or too many
            subsets.

    >>> found = worst_error_arrays(np.float32([0.25, 0.5, 1.0]), 0.75)
    >>> found.errors, found.targets
    (array(0.75, dtype=float32), array(-0.75, dtype=float32))
    """
    form, grid = _windows(samples, windows)
    found = coverage.worst_errors(SubsetSums(grid.samples, np.zeros_like(grid.targets)), grid.targets, size)
    exponent = grid.exponent + 1
    halves = form if form.floats else Form("float64", form.device, form.single)
    errors, targets = (
        tensor_units.as_values(halves, doubled, exponent) for doubled in (found.doubled_errors, found.doubled_targets)
    )
    return ArrayErrors(
        form.back(errors), form.back(targets), form.back(found.doubled_errors), form.back(exponent),
        form.back(grid.rounding),
    )  # fmt: skip


def _windows(samples: Any, windows: Any) -> tuple[Form, Grid]:
    """The ends of the windows go on the grid as targets do; floats on a fine one, as worst targets lie anywhere."""
    form, x, ends = received(samples, windows)
    if (on_cpu(ends) < 0).any():
        raise ValueError(f"a window of targets [-R, R] needs R >= 0; got {on_cpu(ends).min()}")
    grid = tensor_units.put(form, on_cpu(x), on_cpu(ends))
    return form, tensor_units.finer(grid) if form.floats else grid


def integer_arrays(
    samples: Array,
    largest: int,
    question: Callable[[NDArray[np.int64], int], NDArray[Any]] = representable,
) -> Array:
    """Which integers are exact subset sums of integer arrays or tensors, or how many samples reach them all.

    Args:
        samples: signed integers (m, n), or (n,) for one row, n >= 0, with sum |samples| < 2^28 in every row.
        largest: M, from 0 to 2^24.
        question: `representable`, or `samples_for_all`.

    Returns:
        bool (m, 2 M + 1): entry z + M says whether some subset has the sum z. Or int64 (m,): the least number of
        samples, from the left, that reach every integer from -M to M, -1 where all do not. Of the library and device
        of the samples; without the first axis for one row.

    Raises:
        TypeError: another library, a dtype that is not of signed integers, or another question.
        ValueError: a wrong shape, sums out of range, or M out of range.

    >>> integer_arrays(np.array([2, -3], dtype=np.int8), 3)
    array([ True, False,  True,  True, False,  True, False])
    """
    if question not in (representable, samples_for_all):
        raise TypeError(f"question must be representable or samples_for_all of slth.subset_sum; got {question!r}")
    form, x, _ = received(samples, 0)
    if form.floats:
        raise TypeError(f"samples must be signed integers; got {form.dtype}: floats go to solve_arrays")
    found: Array = form.back(question(on_cpu(x).astype(np.int64), largest))
    return found
