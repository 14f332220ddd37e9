"""Target and ticket layers made from integers, for tests that need networks with known errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slth.gadget import EffectiveLayer
from slth.networks.layers import Dense

UNIT = 1 << 48
"""One, in units of 2^-48."""


def effective(weight, positive=0, negative=0, bias=None, bias_error=0) -> EffectiveLayer:
    """The layer W, b with errors E+, E-, e given as numbers that lie on the 2^-48 grid."""
    matrix = np.atleast_2d(np.asarray(weight, dtype=np.float64))

    def grid(values, shape):
        scaled = np.broadcast_to(np.asarray(values, dtype=np.float64), shape) * UNIT
        assert (scaled == np.rint(scaled)).all(), "the numbers are not on the grid"
        return scaled.astype(np.int64)

    target = Dense(grid(matrix, matrix.shape), None if bias is None else grid(bias, matrix.shape[:1]))
    errors = (grid(positive, matrix.shape), grid(negative, matrix.shape))
    return EffectiveLayer(target, *errors, grid(bias_error, matrix.shape[:1]))


def random_layers(
    rng: np.random.Generator, widths: Sequence[int], *, biases: bool = False, spread: float = 2.0**-10
) -> list[EffectiveLayer]:
    """Layers with full-mantissa weights of order 1 / sqrt(inputs) and errors of modulus at most spread."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        limit = int(UNIT / np.sqrt(inputs))
        error = max(1, int(UNIT * spread))
        weight = rng.integers(-limit, limit, (outputs, inputs), endpoint=True)
        errors = [rng.integers(-error, error, (outputs, inputs), endpoint=True) for _ in range(2)]
        shift = rng.integers(-limit, limit, outputs) if biases else None
        slip = rng.integers(-error, error, outputs) if biases else np.zeros(outputs, dtype=np.int64)
        layers.append(EffectiveLayer(Dense(weight, shift), *errors, slip))
    return layers
