"""The truth in two dimensions: every activation cell of target and ticket is visited, at any depth.

Without biases f and g are positively homogeneous, so in the plane all cells are sectors around 0 and ||f - g|| grows
along rays: it is enough to walk once around the outer edge of the domain. Along an edge every pre-activation is
piecewise linear; where it changes sign a breakpoint is set, and behind the ReLU the next layer is piecewise linear with
all breakpoints so far. Both networks pass through together as z and D (see `slth.errors.coupled`), so no digits cancel.

In l_inf the supremum is attained at a breakpoint. In l2 the difference is G x within a sector, and ||G u|| over unit u
is largest at an end or in the direction of the larger singular value, if that lies inside. With numpy object arrays of
Fractions instead of float64 the same lines are exact. This is an oracle for tests, not a proved end. Derived.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slth.errors.chain import check_chain
from slth.errors.domain import Box, Domain
from slth.gadget import EffectiveLayer
from slth.grid import PRODUCT_EXPONENT

Numbers = NDArray[Any]
"""float64, or Python Fractions in an object array."""


def plane_error(layers: Sequence[EffectiveLayer], domain: Domain) -> float:
    """sup ||f(x) - g(x)|| over a domain in the plane, for networks without biases.

    Args:
        layers: the target and the exact errors of the ticket, 2 inputs.
        domain: a ball, or a box.

    Returns:
        The supremum in float64, to about 1e-12 of itself; not rounded outward.

    Raises:
        ValueError: not 2 inputs, biases, or the layers do not chain.

    >>> from slth.errors.domain import Ball
    >>> from slth.networks.layers import Dense
    >>> unit, none = np.array([[1 << 46, 0]]), np.zeros(1, dtype=np.int64)
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5, 0.5]]), unit, 0 * unit, none)
    >>> round(plane_error([layer], Ball(2)), 12), plane_error([layer], Box.cube(2))
    (0.25, 0.25)
    """
    _check(layers, domain)
    if isinstance(domain, Box):
        corners = _corners(domain.low, domain.high)
        return float(np.abs(_walk(layers, corners)[1]).max())
    square = _corners(np.full(2, -domain.radius), np.full(2, domain.radius))
    return domain.radius * _largest_on_circle(*_walk(layers, square))


def exact_plane_error(layers: Sequence[EffectiveLayer], box: Box) -> Fraction:
    """The supremum over a box in the plane as a rational number, for small networks without biases.

    Raises:
        ValueError: not 2 inputs, biases, or the layers do not chain.

    >>> from slth.networks.layers import Dense
    >>> unit, none = np.array([[1 << 46, 0]]), np.zeros(1, dtype=np.int64)
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5, 0.5]]), unit, 0 * unit, none)
    >>> exact_plane_error([layer], Box.cube(2))
    Fraction(1, 4)
    """
    _check(layers, box)
    corners = _corners(box.low, box.high)
    exact = np.array([[Fraction(float(v)) for v in corner] for corner in corners], dtype=object)
    return max(abs(value) for value in _walk(layers, exact)[1].ravel())


def _check(layers: Sequence[EffectiveLayer], domain: Domain) -> None:
    check_chain(layers, domain)
    if domain.dimension != 2 or any(layer.target.shift.any() or layer.bias.any() for layer in layers):
        raise ValueError("cells are enumerated for 2 inputs and no biases; for others use slth.errors.splitting")


def _corners(low: Numbers, high: Numbers) -> Numbers:
    """The corners around the box and back to the first."""
    order = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]), (low[0], low[1])]
    return np.array(order)


def _walk(layers: Sequence[EffectiveLayer], corners: Numbers) -> tuple[Numbers, Numbers]:
    """Breakpoints along a closed path, (count, 2), and g - f at each, (count, outputs)."""
    exact = corners.dtype == object
    (points,) = _refined((corners,), corners)
    z, difference = points, np.zeros_like(points)
    for i, layer in enumerate(layers):
        weight, error, minus = (_numbers(m, exact).T for m in (layer.target.weight, layer.positive, layer.negative))
        if i == 0:
            difference = np.maximum(points, 0) @ error + np.minimum(points, 0) @ minus
            z = points @ weight
            continue
        for ticket in (False, True):
            points, z, difference = _refined((points, z, difference), z + difference if ticket else z, ticket)
        h = np.maximum(z, 0)
        difference = np.where(z > 0, np.maximum(difference, -z), np.maximum(z + difference, 0))
        z, difference = h @ weight, difference @ weight + (h + difference) @ error
    return points, difference


def _numbers(integers: NDArray[np.int64], exact: bool) -> Numbers:
    if exact:
        return np.vectorize(lambda v: Fraction(int(v), 1 << PRODUCT_EXPONENT), otypes=[object])(integers)
    return np.ldexp(integers.astype(np.float64), -PRODUCT_EXPONENT)


def _refined(arrays: tuple[Numbers, ...], signs: Numbers, ticket: bool = False) -> tuple[Numbers, ...]:
    """The arrays with a row wherever a column of `signs` passes through 0 between two rows.

    There z is set to 0 in that column, or for the ticket to -D: as the breakpoints of z and z + D may be much closer to
    each other than the last digit of z, an interpolated z would spoil the whole sector that starts there.
    """
    before, after = signs[:-1], signs[1:]
    segment, column = np.nonzero(((before > 0) & (after < 0)) | ((before < 0) & (after > 0)))
    if not len(segment):
        return arrays
    left, right = before[segment, column], after[segment, column]
    share = left / (left - right)
    order = np.argsort(np.concatenate([np.arange(len(signs)), segment + share]), kind="stable")
    new = [array[segment] + share[:, None] * (array[segment + 1] - array[segment]) for array in arrays]
    row = np.arange(len(segment))
    if len(new) > 1:
        new[1][row, column] = -new[2][row, column] if ticket else 0 * share
    else:
        new[0][row, column] = 0 * share
    return tuple(np.concatenate([array, extra])[order] for array, extra in zip(arrays, new, strict=True))


def _largest_on_circle(points: Numbers, values: Numbers) -> float:
    """The largest ||G u|| over unit u, with G linear between neighbouring points: (count, 2) and (count, outputs)."""
    best = 0.0
    for p, q, at_p, at_q in zip(points[:-1], points[1:], values[:-1], values[1:], strict=True):
        best = max(best, float(np.linalg.norm(at_p) / np.linalg.norm(p)))
        basis = np.stack([p, q], axis=1)
        if abs(np.linalg.det(basis)) <= 1e-14 * np.linalg.norm(p) * np.linalg.norm(q):
            continue
        inverse = np.linalg.inv(basis)
        _, lengths, directions = np.linalg.svd(np.stack([at_p, at_q], axis=1) @ inverse)
        inside = inverse @ directions[0]
        if (inside >= 0).all() or (inside <= 0).all():
            best = max(best, float(lengths[0]))
    return best
