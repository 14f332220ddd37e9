"""Target and ticket layers made from integers, for tests that need networks with known errors."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

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
    for inputs, outputs in itertools.pairwise(widths):
        limit = int(UNIT / np.sqrt(inputs))
        error = max(1, int(UNIT * spread))
        weight = rng.integers(-limit, limit, (outputs, inputs), endpoint=True)
        errors = [rng.integers(-error, error, (outputs, inputs), endpoint=True) for _ in range(2)]
        shift = rng.integers(-limit, limit, outputs) if biases else None
        slip = rng.integers(-error, error, outputs) if biases else np.zeros(outputs, dtype=np.int64)
        layers.append(EffectiveLayer(Dense(weight, shift), *errors, slip))
    return layers


def rational_difference(layers: Sequence[EffectiveLayer], point: Sequence[float]) -> list[Fraction]:
    """g(x) - f(x) in Fractions, straight from the definitions of f and of the gadget identity."""

    def numbers(integers):
        return [Fraction(int(v), UNIT) for v in integers]

    target = ticket = [Fraction(float(v)) for v in point]
    for i, layer in enumerate(layers):
        if i:
            target, ticket = [max(v, Fraction(0)) for v in target], [max(v, Fraction(0)) for v in ticket]
        shifts = numbers(layer.target.bias) if layer.target.bias is not None else [Fraction(0)] * layer.target.outputs
        new_target, new_ticket = [], []
        for k in range(layer.target.outputs):
            w, plus, minus = (numbers(m[k]) for m in (layer.target.weight, layer.positive, layer.negative))
            slip = Fraction(int(layer.bias[k]), UNIT)
            new_target.append(sum(a * x for a, x in zip(w, target, strict=True)) + shifts[k])
            new_ticket.append(
                sum((a + e) * max(x, 0) for a, e, x in zip(w, plus, ticket, strict=True))
                - sum((a + e) * max(-x, 0) for a, e, x in zip(w, minus, ticket, strict=True))
                + shifts[k]
                + slip
            )
        target, ticket = new_target, new_ticket
    return [b - a for a, b in zip(target, ticket, strict=True)]
