"""Layers of many tickets as tensors, and how much of them fits: the engine of `slth.errors.batched`.

With z the target's pre-activation and d the ticket's minus the target's, a layer gives

    z' = W relu(z) + b,    d' = (W + E) (relu(z + d) - relu(z)) + E relu(z) + e.

Points are columns: what all tickets of one target share, E relu(z), is a single product for all of them, and nothing
is copied between layers. As in `slth.errors.difference` nothing cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from slth.errors.difference import through_relu
from slth.gadget import EffectiveLayer
from slth.grid import PRODUCT_EXPONENT

CPU_POINTS, CPU_BYTES = 512, 1 << 23
"""On a CPU a product takes so many points, and tickets whose units take so much memory: more leaves the caches."""

Layers = Sequence[EffectiveLayer]


class Units(NamedTuple):
    """The target's units behind one layer, (units, points) or one for each ticket: relu(z), -z and min(z, 0)."""

    on: torch.Tensor
    minus: torch.Tensor
    below: torch.Tensor


class Stack:
    """The layers of several tickets as tensors on the device.

    Args:
        tickets: of the same widths.
        shared: whether they have one target, whose layers are there once then.
        signed: whether points have negative coordinates, which meet E-.
        like: a tensor of the type and the device to use.
    """

    def __init__(self, tickets: Sequence[Layers], shared: bool, signed: bool, like: torch.Tensor) -> None:
        def filled(found: torch.Tensor, arrays: Sequence[NDArray[np.int64]]) -> torch.Tensor:
            for place, array in zip(found, arrays, strict=True):
                place.copy_(torch.tensor(array, device=like.device))
            return found.mul_(2.0**-PRODUCT_EXPONENT)

        def column(arrays: Sequence[NDArray[np.int64]]) -> torch.Tensor | None:
            empty = like.new_empty((len(arrays), len(arrays[0])))
            return filled(empty, arrays)[:, :, None] if any(array.any() for array in arrays) else None

        self.shared, self.tickets = shared, len(tickets)
        self.weights, self.errors, self.own = [], [], []
        self.biases, self.shifts = [], []
        for i, same in enumerate(zip(*tickets, strict=True)):
            targets = [layer.target for layer in (same[:1] if shared else same)]
            outputs, inputs = targets[0].weight.shape
            sides = 2 if signed and i == 0 else 1
            errors = like.new_empty((len(same), outputs, sides * inputs))
            filled(errors[:, :, :inputs], [layer.positive for layer in same])
            if sides == 2:
                filled(errors[:, :, inputs:], [layer.negative for layer in same])
            weights = filled(like.new_empty((len(targets), outputs, inputs)), [target.weight for target in targets])
            self.weights.append(weights[0] if shared else weights)
            self.errors.append(errors)
            self.own.append(weights + errors if i else errors)
            biases = column([np.zeros(outputs, np.int64) if one.bias is None else one.bias for one in targets])
            self.biases.append(biases[0] if shared and biases is not None else biases)
            self.shifts.append(column([layer.bias for layer in same]))

    def sides(self, x: torch.Tensor) -> torch.Tensor:
        """x^+ and -x^- one below the other, or x alone where it has one sign."""
        inputs = len(x)
        if self.errors[0].shape[2] == inputs:
            return x
        found = x.new_empty((2 * inputs, x.shape[1]))
        torch.clamp(x, min=0, out=found[:inputs])
        torch.clamp(x, max=0, out=found[inputs:])
        return found

    def target(self, x: torch.Tensor, part: slice) -> list[Units]:
        """The target's hidden units at the points x, (inputs, points); of a shared target once for all tickets."""
        found = []
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = (weights if self.shared else weights[part]) @ x
            if biases is not None:
                z += biases if self.shared else biases[part]
            minus, below = -z, z.clamp(max=0)
            x = z.clamp_(min=0)
            found.append(Units(x, minus, below))
        return found

    def difference(self, sides: torch.Tensor, units: list[Units], part: slice) -> torch.Tensor:
        """g(x) - f(x), (tickets, outputs, points), from the sides of x."""
        d = self.errors[0][part] @ sides
        for i, shifts in enumerate(self.shifts):
            if i:
                on, minus, below = units[i - 1]
                through_relu(minus, below, d, out=d)
                d = (self.errors[i][part] @ on).baddbmm_(self.own[i][part], d)
            if shifts is not None:
                d += shifts[part]
        return d


@dataclass(frozen=True)
class Plan:
    """How a batch is cut.

    Attributes:
        held: tickets whose layers are on the device at a time.
        taken: tickets of one product.
        points: points of one product.
    """

    held: int
    taken: int
    points: int


@dataclass(frozen=True)
class Memory:
    """What tensors take, in bytes.

    Attributes:
        widths: of the networks.
        shared: whether the tickets have one target.
        signed: whether points have negative coordinates.
        item: bytes of a number.

    >>> Memory((64, 32, 10)).least
    109304
    """

    widths: tuple[int, ...]
    shared: bool = True
    signed: bool = True
    item: int = 8

    @property
    def fixed(self) -> int:
        """A shared target, and the conversion of a matrix."""
        edges = list(pairwise(self.widths))
        return (self._network if self.shared else 0) + 3 * 8 * max(a * b for a, b in edges)

    @property
    def ticket(self) -> int:
        """The layers of one more ticket."""
        sides = 2 if self.signed else 1
        first, *others = (a * b for a, b in pairwise(self.widths))
        own = self.item * (sides * first + 2 * sum(others) + sum(self.widths[1:]))
        return own + (0 if self.shared else self._network)

    @property
    def _network(self) -> int:
        return self.item * sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.widths))

    def point(self, tickets: int) -> int:
        """One more point, for so many tickets at once."""
        edges = list(pairwise(self.widths))
        units = 3 * sum(self.widths[1:-1]) * (1 if self.shared else tickets)
        differences = max((a + b for a, b in edges[1:]), default=self.widths[1]) + 1
        return 3 * 8 * self.widths[0] + self.item * (units + tickets * differences)

    @property
    def least(self) -> int:
        """One ticket at one point."""
        return self.fixed + self.ticket + self.point(1)


def planned(memory: Memory, count: int, max_bytes: int, on_cpu: bool) -> Plan:
    """Cuts a batch of `count` tickets so that its tensors take at most max_bytes.

    Raises:
        ValueError: one ticket at one point takes more.
    """
    if max_bytes < memory.least:
        raise ValueError(
            f"max_bytes is {max_bytes:,}, but one ticket of widths {'-'.join(map(str, memory.widths))} at one point "
            f"takes {memory.least:,} bytes: allow at least so many"
        )
    room = max_bytes - memory.fixed
    held = min(count, max(1, room // 2 // memory.ticket))
    while room - held * memory.ticket < memory.point(1):
        held //= 2
    room -= held * memory.ticket
    each = memory.point(2) - memory.point(1)
    taken = min(held, max(1, CPU_BYTES // (CPU_POINTS * each))) if on_cpu else held
    while memory.point(taken) > room:
        taken //= 2
    points = room // memory.point(taken)
    return Plan(held, taken, min(points, CPU_POINTS) if on_cpu else points)
