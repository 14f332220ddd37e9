"""Given arrays on the grid, and integers of the grid as numbers of the caller's dtype.

Numbers go through `SubsetSums.from_floats` and come back with one rounding; what the grid moved is part of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels.sums import LIMIT_EXPONENT
from slth.subset_sum.problem import SubsetSums
from slth.subset_sum.solve import LARGEST_TOLERANCE, checked_tolerances, tolerance_on_grid
from slth.subset_sum.tensor_form import Form, on_cpu
from slth.subset_sum.vector_problem import VectorSums


@dataclass(frozen=True, eq=False)
class Grid:
    """A batch in grid integers, as numpy arrays or as tensors of one device.

    Attributes:
        samples: int64 (m, n) or (m, n, d), or (n,) if all targets share them.
        targets: int64 (m,) or (m, d).
        exponent: int64 (m,): the unit of every row is 2^-exponent; 0 for integers.
        rounding: float64 (m,), the caller's unit: no sum - target was moved by more.
        shared: whether there is only one row of samples.

    >>> Grid(np.array([[3]]), np.array([2]), np.array([0]), np.array([0.0])).part(np.array([False])).targets
    array([], dtype=int64)
    """

    samples: Any
    targets: Any
    exponent: Any
    rounding: Any
    shared: bool = False

    def part(self, rows: Any) -> Grid:
        """The rows of a boolean array or tensor (m,)."""
        samples = self.samples if self.shared else self.samples[rows]
        return replace(
            self, samples=samples, targets=self.targets[rows], exponent=self.exponent[rows],
            rounding=self.rounding[rows],
        )  # fmt: skip


def put(
    form: Form, samples: NDArray[Any], targets: NDArray[Any], *, bits: int | None = None, shared: bool = False
) -> Grid:
    """A batch on the grid. Numbers that one grid of a row can hold, such as multiples of 2^-48, are not moved.

    Args:
        form: of the arrays.
        samples: (m, n), (m, n, d) or shared (n,); any dtype of `tensor_form`.
        targets: (m,) or (m, d).
        bits: sum |samples| + |target| of a row of floats must stay below 2^bits, on a coarser grid if need be.
        shared: all targets have the same samples, and one grid.

    Raises:
        ValueError: NaN or infinity.

    >>> put(Form("float32"), np.float32([[0.5, 0.75]]), np.float32([2.0])).samples
    array([[2, 3]])
    """
    if not form.floats:
        x, t = (np.asarray(array).astype(np.int64, copy=False) for array in (samples, targets))
        return Grid(x, t, np.zeros(len(t), np.int64), np.zeros(len(t)), shared)
    if shared:
        return _put_shared(samples, targets)
    problem: Any = (VectorSums if samples.ndim == 3 else SubsetSums).from_floats(samples, targets)
    if bits is not None:
        problem = coarser(problem, bits)
    return Grid(problem.samples, problem.targets, problem.exponent, problem.rounding)


def _put_shared(samples: NDArray[Any], targets: NDArray[Any]) -> Grid:
    """One grid for shared samples and all targets, as fine as the farthest target and the finest number need."""
    values = np.concatenate([samples, targets]).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(
            f"samples and targets must be finite; {int((~np.isfinite(values)).sum())} of {len(values)} numbers are NaN "
            "or infinite"
        )
    m, n = len(targets), len(samples)
    mantissa, order = np.frexp(values[values != 0])
    bits = np.abs(np.ldexp(mantissa, 53)).astype(np.int64)
    lowest = order.astype(np.int64) - 53 + np.frexp((bits & -bits).astype(np.float64))[1] - 1
    finest = LIMIT_EXPONENT - 1 - (n + 1).bit_length() - int(order.max(initial=-(1 << 20)))
    exponent = min(-int(lowest.min()), finest) if len(order) else 0
    shifted = np.ldexp(values, exponent)
    moved = np.rint(shifted)
    inexact = (shifted != moved) | ((values != 0) & (moved == 0))
    rounding = np.ldexp(float(inexact[:n].sum() + inexact[n:].any()), -exponent - 1)
    integers = moved.astype(np.int64)
    return Grid(integers[:n], integers[n:], np.full(m, exponent), np.full(m, rounding), shared=True)


def like(array: NDArray[Any], other: Any) -> Any:
    """The array as it is beside a numpy array, or as a tensor on the device of a tensor.

    >>> like(np.array([1]), np.array([2]))
    array([1])
    """
    if isinstance(other, np.ndarray):
        return array
    import torch

    return torch.tensor(array, device=other.device)


def coarser(problem: SubsetSums, bits: int) -> SubsetSums:
    """The rows with sum |x| + |t| >= 2^bits on coarser grids, where it is less than that and half a unit per number.

    >>> coarser(SubsetSums(np.array([[1 << 40, 3]]), np.array([0]), 48), 32).samples
    array([[2147483648,          0]])
    """
    spread = np.abs(problem.samples).sum(axis=1) + np.abs(problem.targets)
    shift = np.maximum(0, np.frexp(spread.astype(np.float64))[1].astype(np.int64) - bits)
    values = np.column_stack([problem.samples, problem.targets])
    moved = values + ((np.int64(1) << shift)[:, None] >> 1) >> shift[:, None]
    exponent = problem.exponent - shift
    inexact = ((moved << shift[:, None]) != values).sum(axis=1)
    rounding = np.asarray(problem.rounding) + np.ldexp(inexact.astype(np.float64), -exponent - 1)
    return SubsetSums(
        np.ascontiguousarray(moved[:, :-1]), moved[:, -1].copy(), exponent,
        np.where(inexact > 0, np.nextafter(rounding, np.inf), np.asarray(problem.rounding)),
    )  # fmt: skip


def finer(grid: Grid, longest: float = 0.0) -> Grid:
    """The same numbers on the finest grids that hold them and a length, for questions about real numbers.

    >>> finer(Grid(np.array([[3]]), np.array([1]), np.array([0]), np.array([0.0]))).exponent
    array([56])
    """
    spread = np.abs(grid.samples).sum(axis=1) + np.abs(grid.targets)
    order = np.frexp(spread.astype(np.float64))[1].astype(np.int64)
    if longest > 0:
        order = np.maximum(order, grid.exponent + np.frexp(longest)[1])
    shift = np.maximum(0, LIMIT_EXPONENT - 2 - order)
    return replace(
        grid, samples=grid.samples << shift[:, None], targets=grid.targets << shift, exponent=grid.exponent + shift
    )  # fmt: skip


def tolerances(form: Form, grid: Grid, epsilon: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tolerances (m,) in grid units: a subset within the first is within epsilon of the caller's numbers, and a subset
    within epsilon is within the second. The first is negative where the rounding exceeds epsilon; both are equal where
    nothing was rounded.

    Raises:
        TypeError: epsilon is not an integer though the data are.
        ValueError: epsilon is negative or NaN, or has the wrong shape.

    >>> tolerances(Form("float64"), put(Form("float64"), np.array([[0.5]]), np.array([0.25])), 0.6)
    (array([2]), array([2]))
    """
    limit, m = on_cpu(epsilon), len(grid.targets)
    if not form.floats:
        allowed = checked_tolerances(limit, m)
        return allowed, allowed
    if limit.dtype.kind not in "fiu" or limit.shape not in ((), (m,)):
        raise ValueError(
            f"epsilon must be one number or one for each of the {m} rows; got {limit.dtype}, shape {limit.shape}"
        )
    exponent, rounding = on_cpu(grid.exponent), on_cpu(grid.rounding)
    allowed = np.broadcast_to(tolerance_on_grid(limit, exponent), (m,))
    used = np.minimum(np.ceil(np.ldexp(rounding, exponent)), 2.0**61).astype(np.int64)
    return allowed - used, np.minimum(allowed + used, LARGEST_TOLERANCE)


def length(name: str, value: Any, exponent: int, form: Form) -> int:
    """A length of the caller's in grid units, rounded up; a cell is rounded down, to 1 at least.

    Raises:
        TypeError: it is not an integer though the data are.
        ValueError: it is not finite.

    >>> length("reach", 0.3, 2, Form("float32")), length("cell", 0.3, 2, Form("float32"))
    (2, 1)
    """
    number = on_cpu(value)
    if number.ndim or number.dtype.kind not in ("fiu" if form.floats else "iu"):
        kind = "one number" if form.floats else "one integer, as the samples are integers"
        raise TypeError(f"{name} must be {kind}; got {value!r}")
    if not form.floats:
        return int(number)
    if not isfinite(number):
        raise ValueError(f"{name} must be finite; got {value!r}")
    units = Fraction(number.item()) * Fraction(2) ** exponent
    return max(1, floor(units)) if name == "cell" else ceil(units)


def as_values(form: Form, units: Any, exponent: Any) -> Any:
    """Grid integers (m,) or (m, d) in the caller's unit and dtype, rounded to nearest once; integers as they are.

    Where the numbers are denormal in the dtype they are rounded twice; beyond its range they are infinite.

    >>> as_values(Form("float32"), np.array([3]), np.array([2]))
    array([0.75], dtype=float32)
    """
    if not form.floats:
        return units
    exponent = exponent.reshape(-1, *[1] * (units.ndim - 1))
    if isinstance(units, np.ndarray):
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(units.astype(form.dtype), -exponent)
    import torch

    from slth.subset_sum import tensor_grid

    dtype = getattr(torch, form.dtype)
    return tensor_grid.scaled(units.to(dtype).to(torch.float64), -exponent).to(dtype)
