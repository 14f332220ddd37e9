"""The network to approximate: f(x) = W_L relu(... relu(W_1 x + b_1) ...) + b_L."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike

from slth.grid import to_grid
from slth.networks.layers import Dense


@dataclass(frozen=True, eq=False)
class Target:
    """A ReLU network with weights on the grid.

    Attributes:
        layers: the linear layers; a ReLU stands between each two.
        rounding: how far the farthest weight moved when it was put on the grid, >= 0.
        scale: the network that was given is scale * this one, > 0 (see `rescaled`).

    >>> f = Target.from_floats([[[1.0, -1.0]], [[0.5]]])
    >>> f.widths, f.depth, f.parameters
    ((2, 1, 1), 2, 3)
    >>> f(torch.tensor([[3.0, 1.0]])).item()
    1.0
    """

    layers: tuple[Dense, ...]
    rounding: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a target needs at least one layer; got none")
        for i, (before, after) in enumerate(zip(self.layers, self.layers[1:], strict=False)):
            if before.outputs != after.inputs:
                raise ValueError(
                    f"layers do not chain: layer {i + 1} has {before.outputs} outputs and layer {i + 2} has "
                    f"{after.inputs} inputs; weight matrices are (outputs, inputs), first layer first"
                )

    @classmethod
    def from_floats(
        cls,
        weights: Sequence[ArrayLike],
        biases: Sequence[ArrayLike | None] | None = None,
        names: Sequence[str] | None = None,
    ) -> Target:
        """Puts weight matrices (outputs, inputs) and optional biases (outputs,) on the grid.

        Args:
            weights: one matrix per layer, first layer first.
            biases: one vector or None per layer.
            names: what to call each matrix in an error message.

        Raises:
            ValueError: no layers, shapes that do not chain, NaN or infinite values, values beyond the grid.
        """
        biases = [None] * len(weights) if biases is None else list(biases)
        if len(biases) != len(weights):
            raise ValueError(f"need one bias (or None) per layer; got {len(weights)} weights and {len(biases)} biases")
        names = [f"the weight of layer {i + 1}" for i in range(len(weights))] if names is None else names
        layers = tuple(Dense.from_floats(*layer) for layer in zip(weights, biases, names, strict=True))
        moved = [to_grid(v)[1] for v in [*weights, *biases] if v is not None]
        return cls(layers, max(moved, default=0.0))

    @property
    def widths(self) -> tuple[int, ...]:
        """Input width, hidden widths, output width."""
        return (self.layers[0].inputs, *(layer.outputs for layer in self.layers))

    @property
    def depth(self) -> int:
        return len(self.layers)

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(layer.channels.size for layer in self.layers)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """f(x) for a batch of shape (batch, inputs), in the dtype and on the device of x."""
        for i, layer in enumerate(self.layers):
            x = x if i == 0 else torch.relu(x)
            weight = torch.from_numpy(layer.matrix).to(x)
            x = x @ weight.T + torch.from_numpy(layer.shift).to(x)
        return x


def rescaled(target: Target, limits: Sequence[float]) -> Target:
    """The same network up to a positive factor, with layer i divided by limits[i].

    relu(c z) = c relu(z) for c > 0, so dividing W_i by c_i and b_i by c_1 ... c_i divides f by the product of
    all c_i. The quotients are rounded onto the grid again. `Target.rounding`, in the new units, then bounds
    how far the farthest weight is from the quotient of the weight that was given; `Target.scale` has depth
    float64 roundings.

    Args:
        target: any target.
        limits: one divisor per layer, > 0; the spectral norms, to bring every layer to norm 1.

    Raises:
        ValueError: a divisor is not positive and finite, or their number is wrong.

    >>> f = Target.from_floats([[[2.0]], [[3.0]]])
    >>> g = rescaled(f, [2.0, 3.0])
    >>> g.layers[0].matrix.item(), g.layers[1].matrix.item(), g.scale
    (1.0, 1.0, 6.0)
    """
    if len(limits) != target.depth or not all(np.isfinite(c) and c > 0 for c in limits):
        raise ValueError(f"need {target.depth} positive divisors, one per layer; got {list(limits)}")
    so_far = np.cumprod(limits)
    weights, biases = [], []
    for layer, own, all_own in zip(target.layers, limits, so_far, strict=True):
        weights.append(layer.matrix / own)
        biases.append(None if layer.bias is None else layer.shift / all_own)
    new = Target.from_floats(weights, biases)
    # A quotient of modulus at most 16 is off by depth units of 2^-49 at most: one division, depth - 1
    # products.
    divided = target.rounding / min(*limits, *so_far) + target.depth * 2.0**-49
    return Target(new.layers, new.rounding + divided, target.scale * float(so_far[-1]))
