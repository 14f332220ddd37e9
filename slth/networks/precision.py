"""How many bits the weights of a target have, and targets rounded to fewer."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from slth.grid import PRODUCT_EXPONENT, WEIGHT_EXPONENT
from slth.networks.layers import Dense
from slth.networks.target import Target

FINEST = WEIGHT_EXPONENT
"""Targets are rounded to multiples of 2^-24 at the finest: products of weights of 12 bits reach no finer ones."""


def precision(target: Target) -> int:
    """The least k such that every weight and bias of the target is a multiple of 2^-k, from 0 to 48.

    >>> precision(Target.from_floats([[[0.75, -0.5]]]))
    2
    """
    joined = int(
        np.bitwise_or.reduce([int(np.bitwise_or.reduce(layer.channels, axis=None)) for layer in target.layers])
    )
    return max(0, PRODUCT_EXPONENT - (joined & -joined).bit_length() + 1) if joined else 0


def quantised(target: Target, bits: int) -> Target:
    """The target with every weight and bias rounded to the nearest multiple of 2^-bits, halves upwards.

    Args:
        target: any target.
        bits: k, an integer from 0 to 24.

    Returns:
        A target whose `rounding` says how far the farthest weight moved, its moves before included.

    Raises:
        ValueError: bits is out of its range.

    >>> rounded = quantised(Target.from_floats([[[0.3, -0.74]]]), 2)
    >>> rounded.layers[0].matrix, round(rounded.rounding, 12)
    (array([[ 0.25, -0.75]]), 0.05)
    """
    if isinstance(bits, bool) or not isinstance(bits, int) or not 0 <= bits <= FINEST:
        raise ValueError(
            f"bits, the precision k of multiples of 2^-k, must be an integer from 0 to {FINEST}; got {bits!r}"
        )
    shift = PRODUCT_EXPONENT - bits

    def rounded(values: NDArray[np.int64]) -> NDArray[np.int64]:
        return (values + (1 << (shift - 1))) >> shift << shift

    layers = tuple(Dense(rounded(a.weight), None if a.bias is None else rounded(a.bias)) for a in target.layers)
    pairs = zip(layers, target.layers, strict=True)
    moved = max(int(np.abs(new.channels - old.channels).max()) for new, old in pairs)
    return Target(layers, math.ldexp(moved, -PRODUCT_EXPONENT) + target.rounding, target.scale)
