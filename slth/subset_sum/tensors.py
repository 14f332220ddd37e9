"""The questions of this package for numpy arrays and torch tensors: in and out of the same library, device and dtype.

torch is imported only when a tensor comes in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import (
    any_within,
    best,
    checked_tolerances,
    exactly,
    exactly_within,
    sparsest_within,
    tolerance_on_grid,
)

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar("Array", NDArray[Any], "Tensor")

Question = Callable[..., Subsets]

NEEDS_EPSILON = (any_within, sparsest_within, exactly_within)
NEEDS_SIZE = (exactly, exactly_within)
DTYPES = ("float32", "float64", "int64")


def solve_arrays(
    samples: Array,
    targets: Array,
    question: Question = best,
    *,
    epsilon: float | int | Array | None = None,
    size: int | None = None,
    max_bytes: int = 1 << 28,
) -> tuple[Array, Array, Array]:
    """One subset per row for numpy arrays or torch tensors; the answer comes back as the same library and device.

    Floats are put on a grid and solved in exact integers (`SubsetSums.from_floats`). Arrays and CPU tensors are solved
    by the numba kernels, without a copy of int64 data. Tensors on another device are solved there, up to 34 samples,
    with the same subsets as on the CPU; longer rows are copied to the CPU and back.

    Args:
        samples: (m, n), float32 or float64, or int64 grid integers.
        targets: (m,), of the library, device and dtype of the samples.
        question: `best`, `any_within`, `sparsest_within`, `exactly` or `exactly_within`.
        epsilon: tolerance of the three questions that end in within, one number or (m,): >= 0 in the unit of the
            floats, or an integer in grid units for int64 data.
        size: the number of samples to take, for `exactly` and `exactly_within`.
        max_bytes: working memory on a device other than the CPU; one row takes up to 1 MB in any case.

    Returns:
        chosen: bool (m, n); nothing where the status is not FOUND.
        residuals: (m,) of the dtype of the samples, sum - target (of what is chosen, so -target without a subset),
            rounded once, to nearest, from the exact integer; the rounding onto the grid is not in it (none for
            int64, and none for floats that span few binary orders: see `SubsetSums.from_floats`).
        status: uint8 (m,), values of `Status`.

    Raises:
        TypeError: another library or dtype, samples and targets of different ones, a question that is none of the
            five, or an epsilon or size that is missing or not asked for.
        ValueError: wrong shapes or devices, NaN or infinity, and whatever the question itself raises.

    >>> solve_arrays(np.array([[0.5, 0.75, -2.0]]), np.array([1.0]))[:2]
    (array([[ True,  True, False]]), array([0.25]))
    >>> import torch
    >>> solve_arrays(torch.tensor([[0.5, 0.75, -2.0]]), torch.tensor([1.0]), any_within, epsilon=0.5)[1:]
    (tensor([-0.5000]), tensor([0], dtype=torch.uint8))
    """
    _check_question(question, epsilon, size)
    if isinstance(samples, np.ndarray) and isinstance(targets, np.ndarray):
        return _solve_numpy(samples, targets, question, epsilon, size)
    torch = sys.modules.get("torch")  # no tensor can come from a torch that is not loaded
    if torch is None or not (isinstance(samples, torch.Tensor) and isinstance(targets, torch.Tensor)):
        raise TypeError(
            "samples and targets must both be numpy arrays or both be torch tensors; got "
            f"{type(samples).__name__} and {type(targets).__name__}: convert one of them"
        )
    _check_dtypes(samples, targets)
    x, t = cast("Tensor", samples.detach()), cast("Tensor", targets.detach())
    if x.device != t.device:
        raise ValueError(f"samples are on {x.device} and targets on {t.device}: move them to one device")
    limit = None if epsilon is None else np.asarray(epsilon.detach().cpu() if hasattr(epsilon, "detach") else epsilon)
    if x.device.type == "cpu" or x.ndim != 2 or x.shape[1] > LARGEST_BATCHED or not x.shape[1]:
        answers = _solve_numpy(x.cpu().numpy(), t.cpu().numpy(), question, limit, size)
        return tuple(torch.from_numpy(answer).to(x.device) for answer in answers)
    return cast(Any, _solve_on_device(x, t, question, limit, size, max_bytes))


def _check_question(question: Question, epsilon: object, size: object) -> None:
    if question not in (best, *NEEDS_EPSILON, exactly):
        raise TypeError(
            "question must be best, any_within, sparsest_within, exactly or exactly_within of slth.subset_sum; "
            f"got {question!r}"
        )
    for name, given, asking in (("epsilon", epsilon, NEEDS_EPSILON), ("size", size, NEEDS_SIZE)):
        if (given is not None) != (question in asking):
            raise TypeError(
                f"{question.__name__} {'needs' if question in asking else 'takes no'} {name}; got {given!r}"
            )


def _check_dtypes(samples: Any, targets: Any) -> str:
    names = [str(array.dtype).removeprefix("torch.") for array in (samples, targets)]
    if names[0] not in DTYPES or names[1] != names[0]:
        raise TypeError(
            f"samples and targets must share one dtype of {', '.join(DTYPES)}; got {names[0]} and {names[1]}: "
            "convert them"
        )
    return names[0]


def _solve_numpy(
    samples: NDArray[Any], targets: NDArray[Any], question: Question, epsilon: Any, size: int | None
) -> tuple[NDArray[np.bool_], NDArray[Any], NDArray[np.uint8]]:
    dtype = _check_dtypes(samples, targets)
    problem = SubsetSums(samples, targets) if dtype == "int64" else SubsetSums.from_floats(samples, targets)
    arguments: list[Any] = [] if size is None else [size]
    if epsilon is not None:
        arguments.append(_tolerances(epsilon, dtype, problem.m, problem.exponent, problem.rounding))
    answer = question(problem, *arguments)
    if dtype == "int64":
        return answer.chosen, answer.residuals, answer.status
    # The conversion from int64 rounds to nearest; the power of two is exact but for denormals of the dtype.
    return answer.chosen, np.ldexp(answer.residuals.astype(dtype), -np.asarray(problem.exponent)), answer.status


def _tolerances(epsilon: Any, dtype: str, m: int, exponent: Any, rounding: Any) -> NDArray[np.int64]:
    """(m,), in grid units."""
    return checked_tolerances(epsilon if dtype == "int64" else tolerance_on_grid(epsilon, exponent, rounding), m)


def _solve_on_device(
    samples: Tensor, targets: Tensor, question: Question, epsilon: Any, size: int | None, max_bytes: int
) -> tuple[Tensor, Tensor, Tensor]:
    import torch

    from slth.subset_sum import tensor_grid, tensor_questions
    from slth.subset_sum.kernels import cuda

    dtype = _check_dtypes(samples, targets)
    x, t, exponent, rounding = (
        (samples, targets, None, None) if dtype == "int64" else tensor_grid.to_grid(samples, targets)
    )
    tensor_grid.check_integers(x, t)
    m, n = x.shape
    never = torch.full_like(t, -1)
    limit = never
    if epsilon is not None:
        on_cpu = (
            (None, None) if exponent is None or rounding is None else (exponent.cpu().numpy(), rounding.cpu().numpy())
        )
        limit = torch.tensor(_tolerances(epsilon, dtype, m, *on_cpu), device=t.device)
    status = torch.zeros(m, dtype=torch.uint8, device=t.device)
    if question is best:
        masks = cuda.best(x, t, max_bytes)
    elif question is any_within:
        masks, status = tensor_questions.any_within(x, t, limit, max_bytes)
    elif question is sparsest_within:
        masks, status = tensor_questions.sparsest_within(x, t, limit, max_bytes)
    else:
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 0 <= size <= n:
            raise ValueError(f"k must be an integer from 0 to n = {n}; got {size!r}")
        masks = tensor_questions.nearest_of_sizes(x, t, [int(size)], never, max_bytes)
        if question is exactly_within:
            missed = cuda.residuals(x, t, masks).abs() > limit
            masks, status = masks.masked_fill(missed, 0), missed.to(torch.uint8) * int(Status.IMPOSSIBLE)
    residuals = cuda.residuals(x, t, masks)
    if epsilon is not None and bool(((status == Status.FOUND) & (residuals.abs() > limit)).any()):
        raise AssertionError("a stored subset misses the tolerance: please report this as a bug")
    chosen = (masks[:, None] >> torch.arange(n, device=t.device) & 1).bool()
    if exponent is None:
        return chosen, residuals, status
    # One rounding, from int64; the scaling by powers of two is exact but for denormals of the dtype.
    values = tensor_grid.scaled(residuals.to(samples.dtype).to(torch.float64), -exponent).to(samples.dtype)
    return chosen, values, status
