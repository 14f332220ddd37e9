"""Checks shared by all methods: do the layers form a network, and does the domain fit it?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from slth.errors.domain import Domain
from slth.gadget import EffectiveLayer
from slth.grid import to_float


def check_chain(layers: Sequence[EffectiveLayer], domain: Domain) -> None:
    """Raises ValueError unless the layers chain, their errors have their shapes, and the domain has their
    inputs.

    >>> from slth.errors.domain import Ball
    >>> check_chain([], Ball(2))
    Traceback (most recent call last):
    ...
    ValueError: a network needs at least one layer; got none
    """
    if not layers:
        raise ValueError("a network needs at least one layer; got none")
    width = domain.dimension
    for i, layer in enumerate(layers):
        outputs, inputs = layer.target.weight.shape
        if inputs != width:
            giver = (
                f"layer {i} has {width} outputs" if i else f"the domain ({domain.description}) has dimension {width}"
            )
            raise ValueError(f"layer {i + 1} has {inputs} inputs but {giver}: give both of one network")
        shapes = (layer.positive.shape, layer.negative.shape, layer.bias.shape)
        if shapes != ((outputs, inputs), (outputs, inputs), (outputs,)):
            raise ValueError(
                f"the errors E+, E-, e of layer {i + 1} must have shapes ({outputs}, {inputs}) twice and "
                f"({outputs},); got {shapes}"
            )
        width = outputs


def ticket_matrix(layer: EffectiveLayer) -> NDArray[np.float64]:
    """W + E+ as exact float64; added in integers, so an inexact sum is refused (ValueError), not rounded."""
    return _exact_sum(layer.target.weight, layer.positive)


def ticket_shift(layer: EffectiveLayer) -> NDArray[np.float64]:
    """b + e as exact float64, likewise."""
    return layer.shift if layer.target.bias is None else _exact_sum(layer.target.bias, layer.bias)


def _exact_sum(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    for part in (first, second):
        to_float(part)  # refuses beyond 2^53, so that the sum below cannot leave int64
    return to_float(first + second)
