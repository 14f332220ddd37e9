"""Every question of this package for numpy arrays and torch tensors, answered in the library, device and dtype given.

The arrays are put on a grid (`tensor_units`), the question is asked of the integers, and its answer goes back with the
distance that the grid moved the numbers. torch is imported only when a tensor comes in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, signature
from typing import Any, Generic, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum import tensor_units
from slth.subset_sum.cells import golden_within
from slth.subset_sum.exact_integer import nearest_integer, represent
from slth.subset_sum.few_of_many import few_exactly, few_within, sparsest_few
from slth.subset_sum.masks import unpack
from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.problem import Status, SubsetSums
from slth.subset_sum.shared_samples import SharedSubsets, any_for_all, nearest_for_all
from slth.subset_sum.signs import Combinations, best_signs, best_ternary, signs_within, ternary_within
from slth.subset_sum.solve import any_within, best, exactly, exactly_within, sparsest_within
from slth.subset_sum.steering import Steered, steered
from slth.subset_sum.tensor_form import Array, Form, on_cpu, received
from slth.subset_sum.tensor_units import Grid
from slth.subset_sum.vector import best_vector, vector_within
from slth.subset_sum.vector_problem import VectorSubsets, VectorSums
from slth.subset_sum.window import trimmed_within

VECTORS = (best_vector, vector_within)
SHARED = (nearest_for_all, any_for_all)
SIGNED = (best_signs, signs_within, best_ternary, ternary_within)
ON_DEVICE = (best, any_within, sparsest_within, exactly, exactly_within)
QUESTIONS = (
    *ON_DEVICE, few_exactly, few_within, sparsest_few, steered, golden_within, trimmed_within, *SIGNED,
    nearest_integer, represent, *VECTORS, *SHARED,
)  # fmt: skip

PARAMETERS = {"tolerance": "epsilon", "k": "size", "largest": "size"}
"""Parameters of the questions that have another name here."""

LENGTHS = ("reach", "cell", "bound")
ROOM_FOR_SIGNS = 58
"""Samples with signs are doubled, which takes sums below 2^59."""


@dataclass(frozen=True, eq=False)
class ArrayAnswer(Generic[Array]):
    """One subset per row in the caller's library and on the caller's device; for one instance without the axis (m,).

    Attributes:
        chosen: bool (m, n); for signs and ternary choices int8 coefficients (m, n). Nothing where status is not FOUND,
            but for vectors, which show the closest subset seen where it is UNRESOLVED.
        residuals: sum - target (so -target without a subset), (m,) or (m, d) for vectors, in the dtype of the samples:
            the exact integer, rounded to nearest once. For integers int64.
        status: uint8 (m,), values of `Status`, proved for the numbers as they were given.
        units: int64, the residuals exactly: sum - target is units 2^-exponent for the numbers on the grid.
        exponent: int64 (m,), of the grid of each row; 0 for integers.
        rounding: float64 (m,): putting the row on the grid moved no sum - target by more. 0 for integers and for
            numbers that fit on one grid of 60 bits, such as multiples of 2^-48 of moderate size.
        lower_bounds: (m,), for vectors, in the dtype of the samples: no subset is closer in the sup norm, for the
            numbers as they were given. None else.
        beyond: bool (m,), for `steered`: the theorem promises nothing, see `Steered`. None else.
    """

    chosen: Array
    residuals: Array
    status: Array
    units: Array
    exponent: Array
    rounding: Array
    lower_bounds: Array | None = None
    beyond: Array | None = None


class Parts(NamedTuple):
    """What the answers of all questions have, in grid integers."""

    chosen: Any
    units: Any
    status: Any
    lower: NDArray[np.int64] | None = None
    beyond: NDArray[np.bool_] | None = None


def solve_arrays(
    samples: Array,
    targets: Array | float,
    question: Callable[..., Any] = best,
    *,
    epsilon: float | Array | None = None,
    size: int | None = None,
    reach: float | None = None,
    cell: float | None = None,
    bound: float | None = None,
    pairs: int | None = None,
    tries: int | None = None,
    max_bytes: int = 1 << 28,
) -> ArrayAnswer[Array]:
    """Asks a question of numpy arrays or torch tensors; the answer is of the same library, device and dtype.

    Arrays and CPU tensors are solved by the numba kernels. The first five questions are solved on a tensor's own
    device up to 34 samples, with the same subsets; all else is copied to the CPU and back.

    A subset that is FOUND is within epsilon for the numbers as they were given, and IMPOSSIBLE is proved for them; a
    row that the rounding leaves open is UNRESOLVED. Nearest and smallest are meant on the grid: no subset is nearer by
    more than 2 `rounding`, and no smaller one is within epsilon - 2 `rounding`.

    Args:
        samples: (m, n), or (n,) for one instance; (m, n, d) or (n, d) for vectors; (n,) for `nearest_for_all` and
            `any_for_all`. float32 or float64, or signed integers, which are not rounded at all.
        targets: (m,) or one number; (m, d) or (d,) for vectors. Of the library, device and dtype of the samples.
        question: `best`, `any_within`, `sparsest_within`, `exactly`, `exactly_within`; for many samples `few_exactly`,
            `few_within` (size 1: one element), `sparsest_few` (at most size), `steered`; `golden_within`,
            `trimmed_within`; `best_signs`, `signs_within`, `best_ternary`, `ternary_within`; for small integers
            `nearest_integer`, `represent`; for vectors `best_vector`, `vector_within`; for many targets over the same
            samples `nearest_for_all`, `any_for_all`. Their own documentation gives the limits on n and the meaning of
            the options, of which a question takes those that it has.
        epsilon: tolerance, one number or (m,): >= 0 in the unit of the samples (an integer if these are).
        size: how many samples to take (at most, for `sparsest_few`).
        reach: R in the unit of the samples, rounded up to the grid; for `golden_within` and `trimmed_within`.
        cell: width of the cells in the same unit, rounded down; for `trimmed_within`.
        bound: on |samples| in the same unit, rounded up; for `steered`.
        pairs: number of pairs, for `steered`.
        tries: bases per row, for `few_within` and `sparsest_few`.
        max_bytes: working memory on a device other than the CPU (one row takes up to 1 MB in any case), and of the
            tables for shared samples.

    Raises:
        TypeError: another library or dtype, samples and targets of different ones, another question, or an option
            that is missing or not asked for.
        ValueError: wrong shapes or devices, NaN or infinity, an epsilon below the rounding of a row, and whatever the
            question itself raises.

    >>> answer = solve_arrays(np.array([[0.5, 0.75, -2.0]]), np.array([1.0]))
    >>> answer.chosen, answer.residuals, answer.rounding
    (array([[ True,  True, False]]), array([0.25]), array([0.]))
    >>> import torch
    >>> answer = solve_arrays(torch.tensor([0.5, 0.75, -2.0]), 1.0, steered, size=1)
    >>> answer.residuals, answer.units, answer.exponent
    (tensor(-0.2500), tensor(-1), tensor(2))
    """
    if question not in QUESTIONS:
        names = ", ".join(known.__name__ for known in QUESTIONS)
        raise TypeError(f"question must be {names} of slth.subset_sum; got {question!r}")
    options = _options(question, {"epsilon": epsilon, "size": size, "reach": reach, "cell": cell, "bound": bound,
                                  "pairs": pairs, "tries": tries})  # fmt: skip
    shared = question in SHARED
    form, x, t = received(samples, targets, 3 if question in VECTORS else 2, shared)
    for name in LENGTHS:
        if name in options:
            tensor_units.length(name, options[name], 0, form)  # raises
    if form.elsewhere and question in ON_DEVICE and 1 <= x.shape[1] <= LARGEST_BATCHED:
        from slth.subset_sum import tensor_grid, tensor_questions

        grid = tensor_grid.put(form, x, t)

        def ask(part: Grid, tolerances: NDArray[np.int64] | None) -> Parts:
            limit = None if tolerances is None else tensor_units.like(tolerances, part.targets)
            return Parts(*tensor_questions.ask(part.samples, part.targets, question, limit, size, max_bytes))

    else:
        bits = ROOM_FOR_SIGNS if question in SIGNED else None
        grid = tensor_units.put(form, on_cpu(x), on_cpu(t), bits=bits, shared=shared)
        if question is golden_within and form.floats and reach is not None:
            # The edges of its cells are no multiples of anything, and its tolerance must be a unit at least.
            grid = tensor_units.finer(grid, float(on_cpu(reach)))
        ask = partial(_ask, question, form, options | ({"max_bytes": max_bytes} if shared else {}))
    parts = ask(grid, None) if epsilon is None else _within(form, grid, ask, epsilon)
    bounds = None if parts.lower is None else form.back(_below(form, grid, parts.lower))
    return ArrayAnswer(
        form.back(parts.chosen), form.back(tensor_units.as_values(form, parts.units, grid.exponent)),
        form.back(parts.status), form.back(parts.units), form.back(grid.exponent), form.back(grid.rounding),
        bounds, None if parts.beyond is None else form.back(parts.beyond),
    )  # fmt: skip


def _options(question: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, by the names that the question has for them; the tolerance is left out."""
    own = {PARAMETERS.get(name, name): found for name, found in signature(question).parameters.items()}
    for name, value in given.items():
        needed = name in own and own[name].default is Parameter.empty
        if (value is None and needed) or (value is not None and name not in own):
            verb = "needs" if needed else "takes no"
            raise TypeError(f"{question.__name__} {verb} {name}; got {value!r}")
    return {own[name].name: value for name, value in given.items() if value is not None and name != "epsilon"}


def _within(form: Form, grid: Grid, ask: Callable[..., Parts], epsilon: Any) -> Parts:
    """Asks within what is within epsilon for certain; what fails is asked again within all that may be."""
    if grid.shared and on_cpu(epsilon).ndim:
        raise ValueError(f"shared samples take one epsilon for all targets; got shape {on_cpu(epsilon).shape}")
    low, high = tensor_units.tolerances(form, grid, epsilon)
    if (low < 0).any():
        raise ValueError(
            f"epsilon is below the rounding of {int((low < 0).sum())} rows, so no subset could be certified: use a "
            "larger epsilon or data of smaller range"
        )
    parts = ask(grid, low)
    doubtful = (high > low) & (on_cpu(parts.status) == Status.IMPOSSIBLE)
    if not doubtful.any():
        return parts
    rows = tensor_units.like(doubtful, grid.targets)
    again = ask(grid.part(rows), high[doubtful])
    # UNRESOLVED comes after IMPOSSIBLE: one is added where a subset may be within epsilon.
    status = parts.status + 0
    status[rows] += again.status != Status.IMPOSSIBLE
    return parts._replace(status=status)


def _ask(
    question: Callable[..., Any], form: Form, options: dict[str, Any], grid: Grid,
    tolerances: NDArray[np.int64] | None,
) -> Parts:  # fmt: skip
    """Asks on the CPU; if an option is a length, the rows of one unit at a time."""
    lengths = [name for name in LENGTHS if name in options]
    units = np.unique(grid.exponent) if lengths else grid.exponent[:1]
    if len(units) > 1:
        groups = [(grid.exponent == unit) for unit in units]
        found = [_ask(question, form, options, grid.part(rows), None if tolerances is None else tolerances[rows])
                 for rows in groups]  # fmt: skip
        order = np.argsort(np.concatenate([np.flatnonzero(rows) for rows in groups]))
        return Parts(*(None if each[0] is None else np.concatenate(each)[order] for each in zip(*found, strict=True)))
    arguments = dict(options)
    for name in lengths:
        arguments[name] = tensor_units.length(name, options[name], int(units[0]) if len(units) else 0, form)
    if tolerances is not None:
        # Shared samples have one unit and one rounding, so one tolerance.
        arguments["tolerance"] = int(tolerances[0] if len(tolerances) else 0) if grid.shared else tolerances
    if grid.shared:
        return _parts(question(grid.samples, grid.targets, **arguments))
    problem = (VectorSums if grid.samples.ndim == 3 else SubsetSums)(grid.samples, grid.targets)
    return _parts(question(problem, **arguments))


def _parts(answer: Any) -> Parts:
    if isinstance(answer, Steered):
        return _parts(answer.answer)._replace(beyond=answer.beyond)
    if isinstance(answer, Combinations):
        return Parts(answer.coefficients, answer.residuals, answer.status)
    if isinstance(answer, SharedSubsets):
        return Parts(unpack(answer.masks[:, None], len(answer.samples)), answer.residuals, answer.status)
    lower = answer.lower_bounds if isinstance(answer, VectorSubsets) else None
    return Parts(answer.chosen, answer.residuals, answer.status, lower)


def _below(form: Form, grid: Grid, bounds: NDArray[np.int64]) -> NDArray[Any]:
    """Lower bounds (m,) on distances, less the rounding and rounded down."""
    if not form.floats:
        return bounds
    used = np.ceil(np.ldexp(grid.rounding, grid.exponent)).astype(np.int64)
    left = np.maximum(bounds - used, 0)
    values = left.astype(form.dtype)
    values = np.where(values.astype(np.int64) > left, np.nextafter(values, values.dtype.type(0)), values)
    return np.ldexp(values, -grid.exponent)
