"""The errors of many tickets at many points in few large products: a whole cell of a grid, on the CPU or a GPU.

Only targets and effective errors enter, never a random network. What is found at the points is a candidate, worked out
by `slth.errors.stacks`; its error is evaluated again in integers, so that it is a lower end on any device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from slth.errors.chain import check_chain
from slth.errors.domain import Domain, Norm, as_points
from slth.errors.exact import lower_at
from slth.errors.interval import Lower
from slth.errors.precision import device_of, full_precision
from slth.errors.stacks import Layers, Memory, Plan, Stack, planned

MAX_BYTES = 1 << 27
"""Default for the memory of one batch."""

DRAWN = 1 << 12
"""Random points that are drawn at a time: with the seed it decides which they are."""


@dataclass(frozen=True, eq=False)
class PointErrors:
    """The errors of one ticket at given points.

    Attributes:
        lower: the error at the worst of them, evaluated exactly: a lower end.
        index: which of the points that is.
        values: ||f(x) - g(x)|| at every point, (count,), rounded, in the type that was computed in. Their mean and
            quantiles are figures of the sample and bound nothing.
    """

    lower: Lower
    index: int
    values: NDArray[np.floating]


def random_points(domain: Domain, count: int, seed: int = 0) -> Iterator[NDArray[np.float64]]:
    """Random points of the domain, (count, inputs) in parts: the same for the same seed.

    Args:
        domain: where they are drawn.
        count: how many, >= 1.
        seed: of numpy's default generator; points are no source weights.

    Raises:
        ValueError: count < 1.

    >>> from slth.errors.domain import Ball
    >>> [part.shape for part in random_points(Ball(2), 5000)]
    [(4096, 2), (904, 2)]
    """
    if count < 1:
        raise ValueError(f"sampling needs count >= 1; got {count}")
    rng = np.random.default_rng(seed)
    return (domain.sample(min(DRAWN, count - start), rng) for start in range(0, count, DRAWN))


def errors_at(
    tickets: Sequence[Layers],
    points: ArrayLike | Iterator[ArrayLike],
    domain: Domain,
    method: str = "given points",
    *,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "cpu",
    max_bytes: int = MAX_BYTES,
) -> tuple[PointErrors, ...]:
    """The errors of every ticket at all points.

    Args:
        tickets: of each the target and the exact errors (from `slth.gadget.collapse`), all of the same widths; their
            targets may differ. One target for all is faster.
        points: (count, inputs), finite, all in the domain (see `settled` of the domain); or an iterator of such parts,
            such as `random_points`.
        domain: what the lower ends are a claim about; fixes the norm of the errors.
        method: name of the points.
        dtype: float64, or float32, which changes the choice of the worst point and the values, not the lower ends.
        device: where to compute; TF32 is off meanwhile.
        max_bytes: memory, beside tickets, points and values. It decides how the batch is cut, which changes the values
            by rounding at most.

    Returns:
        One per ticket, in their order.

    Raises:
        ValueError: layers that do not chain or fit the domain, tickets of several widths, points of a wrong shape, not
            finite or outside the domain (all of [0, 1]^n, else the worst), a device that is not there, too few bytes.
        ArithmeticError: an error overflows.

    >>> from slth.errors.domain import Box
    >>> from slth.gadget import EffectiveLayer
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> target = Dense.from_floats([[0.5]])
    >>> tickets = [[EffectiveLayer(target, k * unit, 0 * unit, 0 * unit[0])] for k in (1, 2)]
    >>> [(found.lower.value, found.values.tolist()) for found in errors_at(tickets, [[0.5], [-1.0]], Box.cube(1))]
    [(0.125, [0.125, 0.0]), (0.25, [0.25, 0.0])]
    """
    if dtype not in (torch.float64, torch.float32):
        raise ValueError(f"errors are computed in float64 or float32; got {dtype}")
    widths = _widths(tickets, domain)
    shared, signed = _one_target(tickets), not domain.nonnegative
    like = torch.empty(0, dtype=dtype, device=device_of(device, dtype))
    memory = Memory(widths, shared, signed, like.element_size())
    plan = planned(memory, len(tickets), max_bytes, like.device.type == "cpu")
    groups = [tickets[start : start + plan.held] for start in range(0, len(tickets), plan.held)]
    kept = Stack(groups[0], shared, signed, like) if len(groups) == 1 else None
    values: list[NDArray[np.floating]] = []
    worst: list[tuple[float, int, NDArray[np.float64]]] = [(-1.0, 0, np.empty(0))] * len(tickets)
    count = 0
    for part in points if isinstance(points, Iterator) else (points,):
        array = as_points(part, domain.dimension)
        if not signed and (array < 0).any():
            raise ValueError(f"points with negative coordinates lie outside the domain ({domain.description})")
        # No name for the stack, lest two of them be held at a time.
        found = np.concatenate(
            [_values(kept or Stack(one, shared, signed, like), array, plan, domain.norm, like) for one in groups]
        )
        if not np.isfinite(found).all():
            raise ArithmeticError(f"an error at the {method} overflows {dtype}: use float64 or a smaller domain")
        for t, i in enumerate(found.argmax(axis=1)):
            if found[t, i] > worst[t][0]:
                worst[t] = float(found[t, i]), count + int(i), array[i].copy()
        values.append(found)
        count += len(array)
    if not values:
        raise ValueError("need points; got an iterator without any")
    told = method if dtype == torch.float64 else f"{method}, chosen in float32"
    return tuple(
        PointErrors(lower_at(layers, point, domain, told), index, own)
        for layers, (_, index, point), own in zip(tickets, worst, np.concatenate(values, axis=1), strict=True)
    )


def _widths(tickets: Sequence[Layers], domain: Domain) -> tuple[int, ...]:
    """Of all tickets, checked."""
    if not tickets:
        raise ValueError("need at least one ticket; got none")
    found = []
    for layers in tickets:
        check_chain(layers, domain)
        found.append((domain.dimension, *(layer.target.outputs for layer in layers)))
        if found[-1] != found[0]:
            raise ValueError(f"tickets of one batch have the same widths; got {found[0]} and {found[-1]}: batch apart")
    return found[0]


def _one_target(tickets: Sequence[Layers]) -> bool:
    """Whether all tickets stand for the same target."""
    for same in zip(*tickets, strict=True):
        first = same[0].target
        for other in (layer.target for layer in same[1:]):
            if other is not first and not (
                np.array_equal(other.weight, first.weight) and np.array_equal(other.shift, first.shift)
            ):
                return False
    return True


def _values(
    stack: Stack, array: NDArray[np.float64], plan: Plan, norm: Norm, like: torch.Tensor
) -> NDArray[np.floating]:
    """The errors of the tickets of a stack at all points of an array, (tickets, points)."""
    found = torch.empty((stack.tickets, len(array)), dtype=like.dtype)
    with full_precision():
        for start in range(0, len(array), plan.points):
            here = slice(start, start + plan.points)
            _fill(found[:, here], stack, torch.tensor(array[here], dtype=like.dtype, device=like.device).T, plan, norm)
    return found.numpy()


def _fill(found: torch.Tensor, stack: Stack, x: torch.Tensor, plan: Plan, norm: Norm) -> None:
    """Writes the errors at the points x, (inputs, points); nothing of one product is left when the next begins."""
    sides = stack.sides(x)
    units = stack.target(x, slice(None)) if stack.shared else None
    for first in range(0, stack.tickets, plan.taken):
        part = slice(first, first + plan.taken)
        d = stack.difference(sides, stack.target(x, part) if units is None else units, part)
        # Faster than vector_norm across rows.
        found[part] = d.square_().sum(dim=1).sqrt_() if norm == "l2" else d.abs_().amax(dim=1)
        del d
