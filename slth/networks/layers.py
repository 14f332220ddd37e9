"""Layers of the network to approximate, with weights on the 2^-48 grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.grid import to_float, to_grid


@dataclass(frozen=True, eq=False)
class Dense:
    """A linear layer x -> W x + b.

    Attributes:
        weight: int64, shape (outputs, inputs), in units of 2^-48.
        bias: int64, shape (outputs,), in units of 2^-48; None for a layer without bias.

    >>> Dense.from_floats([[0.5, -0.25]]).matrix
    array([[ 0.5 , -0.25]])
    """

    weight: NDArray[np.int64]
    bias: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.weight.dtype != np.int64 or self.weight.ndim != 2 or 0 in self.weight.shape:
            raise ValueError(
                "a dense layer needs an int64 weight matrix (outputs, inputs) without empty sides; got "
                f"{self.weight.dtype} of shape {self.weight.shape}: build it with Dense.from_floats"
            )
        if self.bias is not None and (self.bias.dtype != np.int64 or self.bias.shape != self.weight.shape[:1]):
            raise ValueError(
                f"the bias of a layer with {self.outputs} outputs must be int64 of shape ({self.outputs},); "
                f"got {self.bias.dtype} of shape {self.bias.shape}"
            )

    @classmethod
    def from_floats(cls, weight: ArrayLike, bias: ArrayLike | None = None, name: str = "weight") -> Dense:
        """The layer with the grid values nearest to the given numbers (see `slth.grid.to_grid`).

        Raises:
            ValueError: not a matrix, empty, NaN, infinite or too large.
        """
        if np.ndim(weight) != 2 or 0 in np.shape(weight):
            raise ValueError(
                f"{name} must be a matrix (outputs, inputs) with no empty side; got shape {np.shape(weight)}"
            )
        integers = None if bias is None else to_grid(bias, f"the bias beside {name}")[0]
        return cls(to_grid(weight, name)[0], integers)

    @property
    def outputs(self) -> int:
        return int(self.weight.shape[0])

    @property
    def inputs(self) -> int:
        return int(self.weight.shape[1])

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """The weight, exactly, as float64 of shape (outputs, inputs)."""
        return to_float(self.weight)

    @cached_property
    def shift(self) -> NDArray[np.float64]:
        """The bias, exactly, as float64 of shape (outputs,); zeros where there is none."""
        return np.zeros(self.outputs) if self.bias is None else to_float(self.bias)

    @property
    def channels(self) -> NDArray[np.int64]:
        """Weight and bias side by side, int64 (outputs, inputs or inputs + 1); a bias weighs a constant 1."""
        return self.weight if self.bias is None else np.column_stack([self.weight, self.bias])
