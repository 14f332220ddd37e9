"""Exact evaluation in Python integers: the error at a point, and the supremum over a box for one layer.

A point is its float64 numbers as they are, an integer vector times 2^-k. Each layer multiplies by integers in
units of 2^-48, so everything stays an integer in units of 2^-(k + 48 i). Nothing is rounded before the last
step, which rounds down, so that the result is an error that is attained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.errors.chain import check_chain
from slth.errors.domain import Box, Domain, as_points, integers_of, on_grid
from slth.errors.interval import Lower
from slth.errors.outward import fraction_down
from slth.gadget import EffectiveLayer
from slth.grid import PRODUCT_EXPONENT

__all__ = ["exact_difference", "exact_error", "lower_at", "on_grid", "one_layer_supremum"]

LIMB, MASK = 24, (1 << 24) - 1
MOST_COLUMNS = 1 << 14
FEW_ENTRIES = 1 << 8
"""Below so many entries Python integers are as fast."""

ROOT_BITS = 64
"""Bits of the integer root of a sum of squares, more than float64 keeps."""


def exact_product(matrix: NDArray[np.int64], vector: NDArray[np.object_]) -> NDArray[np.object_]:
    """matrix @ vector without rounding, in int64 limbs: ten times as fast as products of Python integers.

    Args:
        matrix: int64 (rows, columns), modulus below 2^63.
        vector: Python integers (columns,), of any size.

    Returns:
        Python integers (rows,).

    >>> exact_product(np.array([[1 << 62, -3]]), np.array([1 << 80, 5], dtype=object)) == (1 << 142) - 15
    array([ True])
    """
    columns = matrix.shape[1]
    longest = max((int(v).bit_length() for v in vector), default=0)
    if columns >= MOST_COLUMNS or matrix.size < FEW_ENTRIES:
        return np.asarray(matrix.astype(object) @ vector)
    # Limbs of a negative number are those of its modulus, negated: fewer than 2^14 products below 2^48 fit in int64.
    moduli, signs = np.abs(vector), np.where(vector < 0, -1, 1).astype(np.int64)
    shifts = range(0, max(longest, 1), LIMB)
    limbs = np.stack([((moduli >> s) & MASK).astype(np.int64) * signs for s in shifts], axis=1)
    sizes, sides = np.abs(matrix), np.sign(matrix)
    total = np.zeros(matrix.shape[0], dtype=object)
    for part in range(0, int(sizes.max()).bit_length(), LIMB):
        sums = (((sizes >> part) & MASK) * sides) @ limbs
        for i, shift in enumerate(shifts):
            total = total + (sums[:, i].astype(object) << (part + shift))
    return total


def exact_difference(layers: Sequence[EffectiveLayer], point: NDArray[np.float64]) -> tuple[NDArray[np.object_], int]:
    """g(x) - f(x) at a point, exactly.

    Args:
        layers: layers that chain (see `exact_error` for the checked version).
        point: finite float64 (inputs,).

    Returns:
        Python integers (outputs,) and k with g(x) - f(x) == integers * 2^-k.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> difference, k = exact_difference([layer], np.array([1.0]))
    >>> difference[0] / 2**k
    0.25
    """
    target, exponent = integers_of(point)
    ticket = target
    for i, layer in enumerate(layers):
        # In the first layer f and g read the same x, and a negative x_j meets the error E- (E- x_j = -E-
        # x_j^-).
        errors = layer.positive if i else np.where(point >= 0, layer.positive, layer.negative)
        weight = layer.target.weight
        if i:
            target, ticket = np.maximum(target, 0), np.maximum(ticket, 0)
        difference = (
            exact_product(weight, ticket - target)
            + exact_product(errors, ticket)
            + (layer.bias.astype(object) << exponent)
        )
        bias = 0 if layer.target.bias is None else layer.target.bias.astype(object) << exponent
        target = exact_product(weight, target) + bias
        ticket = target + difference
        exponent += PRODUCT_EXPONENT
    return difference, exponent


def exact_error(layers: Sequence[EffectiveLayer], point: ArrayLike, domain: Domain) -> float:
    """||f(x) - g(x)|| at a point of the domain, in the norm of the domain, exact and then rounded down.

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        point: float64 (inputs,), read as exact numbers.
        domain: must contain the point.

    Returns:
        The largest float64 that is not above the error: a true lower end.

    Raises:
        ValueError: the layers do not chain or do not fit the domain, the point has the wrong shape, is not
            finite or lies outside the domain.

    >>> from slth.errors.domain import Ball
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> exact_error([layer], [1.0], Ball(1))
    0.25
    """
    check_chain(layers, domain)
    x = as_points(np.asarray(point)[None], domain.dimension)[0]
    if not domain.contains(x):
        raise ValueError(
            f"the point lies outside the domain ({domain.description}), decided exactly: move it inside with "
            "domain.settled"
        )
    difference, exponent = exact_difference(layers, x)
    if domain.norm == "linf":
        return fraction_down(Fraction(int(np.abs(difference).max()), 1 << exponent))
    square = int((difference * difference).sum())
    spare = max(0, ROOT_BITS - square.bit_length() // 2)
    return fraction_down(Fraction(math.isqrt(square << 2 * spare), 1 << (exponent + spare)))


def lower_at(layers: Sequence[EffectiveLayer], point: ArrayLike, domain: Domain, method: str) -> Lower:
    """The lower end that a point gives, evaluated exactly (raises as `exact_error` does)."""
    witness = np.array(point, dtype=np.float64)
    return Lower(exact_error(layers, witness, domain), witness, method)


def one_layer_supremum(layer: EffectiveLayer, domain: Box) -> Fraction:
    """The supremum of ||f(x) - g(x)|| in l_inf over a box for a single layer, as a rational number.

    The coordinates separate: each is best at low, at high, or at 0 where that lies between (see
    `slth.errors.vector`).

    Raises:
        TypeError: the domain is not a box.
        ValueError: the layer does not fit the domain.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> one_layer_supremum(layer, Box.cube(1))
    Fraction(1, 4)
    """
    if not isinstance(domain, Box):
        raise TypeError(f"the supremum of one layer is exact over a box; got {domain.description}")
    check_chain([layer], domain)
    ends, exponent = integers_of(np.stack([domain.low, domain.high, np.clip(0.0, domain.low, domain.high)]))
    products = [np.where(end >= 0, layer.positive.astype(object), layer.negative.astype(object)) * end for end in ends]
    shift = layer.bias.astype(object) << exponent
    highest = np.maximum.reduce(products).sum(axis=1) + shift
    lowest = np.minimum.reduce(products).sum(axis=1) + shift
    return Fraction(int(max(highest.max(), -lowest.min())), 1 << (exponent + PRODUCT_EXPONENT))
