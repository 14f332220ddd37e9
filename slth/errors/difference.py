"""g - f and its slopes in torch float64, without cancellation: the search engine behind the lower ends.

The difference is carried forward itself (see `slth.errors.recursion`): evaluating f and g apart and
subtracting would lose the digits that matter once the error is small. What is found here is only a candidate;
its value is evaluated again in integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from slth.errors.precision import device_of
from slth.gadget import EffectiveLayer

SMALL_BATCH = 1 << 20
"""Points times weights below which an evaluation takes less than about a millisecond on one core."""


def through_relu(
    minus_z: torch.Tensor, below: torch.Tensor, d: torch.Tensor, out: torch.Tensor | None = None
) -> torch.Tensor:
    """relu(z + d) - relu(z) without subtracting: d stopped at -z, or what z + d rises above 0.

    Args:
        minus_z: -z.
        below: min(z, 0).
        d: of a shape that holds theirs.
        out: takes the result; may be d.

    >>> z, d = torch.tensor([2.0, 2.0, -2.0, -2.0]), torch.tensor([-1.0, -3.0, 1.0, 3.0])
    >>> through_relu(-z, z.clamp(max=0), d).tolist()
    [-1.0, -2.0, 0.0, 1.0]
    """
    return torch.maximum(d, minus_z, out=out).add_(below)


@dataclass(frozen=True, eq=False)
class Trace:
    """One evaluation.

    Attributes:
        difference: g(x) - f(x), (batch, outputs).
        active: per hidden layer, where the target's and where the ticket's units are on, bool (batch, units)
            each.
    """

    difference: torch.Tensor
    active: tuple[tuple[torch.Tensor, torch.Tensor], ...]


class Difference:
    """g - f as a function on batches of points.

    Args:
        layers: layers that chain.
        device: where to compute, in float64.

    Raises:
        ValueError: the device is not there.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> d = Difference([EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])], "cpu")
    >>> d(torch.tensor([[2.0], [-2.0]], dtype=torch.float64))
    tensor([[0.5000],
            [0.0000]], dtype=torch.float64)
    """

    def __init__(self, layers: Sequence[EffectiveLayer], device: str | torch.device) -> None:
        self.device = device_of(device)
        self._weights = [self._tensor(layer.target.matrix) for layer in layers]
        self._biases = [self._tensor(layer.target.shift) for layer in layers]
        self._errors = [self._tensor(layer.plus) for layer in layers]
        self._negative = self._tensor(layers[0].minus)
        self._shifts = [self._tensor(layer.shift) for layer in layers]
        self.outputs = len(self._shifts[-1])
        self.first_units = len(self._shifts[0])

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)

    def points(self, array: np.ndarray) -> torch.Tensor:
        """A batch of points as float64 on the device."""
        return torch.as_tensor(array, dtype=torch.float64, device=self.device)

    @contextmanager
    def threads_for(self, batch: int) -> Iterator[None]:
        """One thread while many small batches are evaluated: waking a second one costs more than it saves."""
        before = torch.get_num_threads()
        if batch * sum(weight.numel() for weight in self._weights) < SMALL_BATCH and before > 1:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """g(x) - f(x) for x of shape (batch, inputs)."""
        return self.trace(x).difference

    def trace(self, x: torch.Tensor) -> Trace:
        """g(x) - f(x) and which units are on."""
        # Below, z is the target's pre-activation and d the ticket's minus the target's.
        z = x @ self._weights[0].T + self._biases[0]
        d = x.clamp(min=0) @ self._errors[0].T + x.clamp(max=0) @ self._negative.T + self._shifts[0]
        active = []
        for i in range(1, len(self._weights)):
            active.append((z > 0, z + d > 0))
            h = z.clamp(min=0)
            d = through_relu(-z, z.clamp(max=0), d)
            z = h @ self._weights[i].T + self._biases[i]
            d = d @ self._weights[i].T + (h + d) @ self._errors[i].T + self._shifts[i]
        return Trace(d, tuple(active))

    def slopes(self, trace: Trace, direction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The slopes of <direction, g - f> in each x_j, for x_j > 0 and for x_j < 0, with the units as they
        are.

        Args:
            trace: of the points.
            direction: (batch, outputs).

        Returns:
            Two tensors (batch, inputs). The gradient at x takes its entry from the first where x_j > 0, else
            from the second.
        """
        # <direction, d> = <ticket, g's pre-activation> - <target, f's>; gap is ticket - target, kept apart
        # for its digits.
        target, gap = direction, torch.zeros_like(direction)
        for i in range(len(self._weights) - 1, 0, -1):
            on, ticket_on = trace.active[i - 1]
            back = target @ self._weights[i]
            gap = torch.where(ticket_on, gap @ self._weights[i] + (target + gap) @ self._errors[i], 0.0)
            gap = gap + (ticket_on.to(back) - on.to(back)) * back
            target = torch.where(on, back, 0.0)
        common = gap @ self._weights[0]
        ticket = target + gap
        return common + ticket @ self._errors[0], common + ticket @ self._negative
