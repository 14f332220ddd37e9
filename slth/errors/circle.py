"""Sums of plane ReLU units F(x) = sum of a_i relu(<u_i, x>): their supremum over the disk, and a proved lower end.

F is homogeneous, so the supremum is attained on the circle, where F is A cos(angle - b) between neighbouring kinks:
unit i has its kinks at the two ends of the line <u_i, x> = 0. The difference of a target neuron and a neuron ticket is
such a sum.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.errors.domain import as_points, integers_of
from slth.errors.outward import fraction_down

ROOT_BITS = 64
"""Bits behind the point of an integer square root."""


def root(square: int, *, up: bool) -> Fraction:
    """The square root of an integer >= 0, rounded down or up to a multiple of 2^-64.

    >>> root(2, up=False) ** 2 < 2 < root(2, up=True) ** 2
    True
    """
    below = math.isqrt(square << 2 * ROOT_BITS)
    return Fraction(below + (up and below**2 < square << 2 * ROOT_BITS), 1 << ROOT_BITS)


def half_tangent(u: NDArray[np.object_], w: NDArray[np.object_]) -> Fraction:
    """tan(h / 2) for the angle h modulo pi between integer vectors other than 0, rounded down: sin / (1 + cos).

    Args:
        u: Python integers (2,), not all 0, in any unit.
        w: Python integers (2,), not all 0, in any unit.

    >>> half_tangent(np.array([1, 0], dtype=object), np.array([0, -3], dtype=object))
    Fraction(1, 1)
    """
    cross, dot = abs(u[0] * w[1] - u[1] * w[0]), abs(u @ w)
    return Fraction(cross) / (root(int(u @ u) * int(w @ w), up=True) + dot)


def circle_error(coefficients: ArrayLike, directions: ArrayLike) -> float:
    """sup of |sum of a_i relu(<u_i, x>)| over the unit disk; it is attained on the circle, as the sum is homogeneous.

    Between neighbouring kink rays the sum is <G, x>, so its extremes are at the rays and at +-G / |G|. No grid.

    Args:
        coefficients: a, finite (n,).
        directions: u, finite (n, 2).

    Returns:
        The supremum, in float64, to about 1e-13 n times the sum of |a_i| |u_i|; not rounded outward.

    Raises:
        ValueError: wrong shapes, NaN or infinite values.

    >>> circle_error([1.0, 1.0], [[1.0, 0.0], [-1.0, 0.0]])
    1.0
    """
    a, u = np.asarray(coefficients, dtype=np.float64), np.asarray(directions, dtype=np.float64)
    if a.ndim != 1 or u.shape != (a.size, 2) or not (np.isfinite(a).all() and np.isfinite(u).all()):
        raise ValueError(f"need finite coefficients (n,) and directions (n, 2); got shapes {a.shape} and {u.shape}")
    if not a.size:
        return 0.0
    terms, middle = a[:, None] * u, np.arctan2(u[:, 1], u[:, 0])
    # Unit i is active from middle - pi/2 to middle + pi/2; the gradient jumps by its term on the way in and out.
    rays = np.mod(np.concatenate((middle - np.pi / 2, middle + np.pi / 2)), 2 * np.pi)
    order = np.argsort(rays)
    left = rays[order]
    right = np.append(left[1:], left[0] + 2 * np.pi)
    between = (left[-1] + right[-1]) / 2
    active = u @ np.array([math.cos(between), math.sin(between)]) > 0
    gradients = terms[active].sum(axis=0) + np.cumsum(np.concatenate((terms, -terms))[order], axis=0)
    ends = np.maximum(*(np.abs((gradients * np.stack((np.cos(t), np.sin(t)), 1)).sum(1)) for t in (left, right)))
    # |<G, x>| peaks at the angle of G modulo pi: is it inside the arc?
    offset = np.mod(np.arctan2(gradients[:, 1], gradients[:, 0]) - left, np.pi)
    inside = offset < right - left
    return float(np.maximum(ends, np.where(inside, np.hypot(*gradients.T), 0.0)).max())


def isolated_floor(coefficients: ArrayLike, directions: ArrayLike) -> float:
    """sup of |sum of a_i relu(<u_i, x>)| over the unit disk is at least |a_i| |u_i| tan(h_i / 2) / 2 for every i.

    h_i is the angle modulo pi from u_i to the nearest other direction; parallel directions give 0 for each other.

    Args:
        coefficients: a, finite (n,), read as exact numbers.
        directions: u, finite (n, 2), likewise.

    Returns:
        The largest of these bounds, rounded down; 0 if there is none.

    Raises:
        ValueError: wrong shapes, NaN or infinite values.

    >>> isolated_floor([1.0, 0.5], [[1.0, 0.0], [0.0, 1.0]])
    0.5
    """
    units, exponent = integers_of(as_points(directions, 2))
    a, scale = integers_of(as_points(np.reshape(coefficients, (1, -1)), len(units))[0])
    live = [i for i, u in enumerate(units) if a[i] and u.any()]
    best = Fraction(0)
    for i in live:
        tangent = min((half_tangent(units[i], units[j]) for j in live if j != i), default=Fraction(1))
        best = max(best, abs(a[i]) * root(int(units[i] @ units[i]), up=False) * tangent / 2)
    return fraction_down(best / (1 << (exponent + scale)))


def circle_points(own: NDArray[np.float64], others: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Points of the circle: an even grid, all kink rays, and the three points of the lower bound about kink `own`.

    Between neighbours F is A cos(angle - b), so its supremum is at most its largest value at a point over
    cos(spacing / 2). The last points are those at which `slth.theorems.ferre2026_neurons.KINK` is proved.

    Args:
        own: float64 (2,), not 0.
        others: float64 (n, 2), n >= 1, no row 0.
        count: points of the even grid, >= 1.

    Returns:
        float64 (count + 2 n + 6, 2), in no order.

    >>> circle_points(np.array([1.0, 0.0]), np.array([[1.0, 1.0]]), 8).shape
    (16, 2)
    """
    line, lines = math.atan2(own[1], own[0]), np.arctan2(others[:, 1], others[:, 0])
    away = np.abs(np.mod(lines - line + np.pi / 2, np.pi) - np.pi / 2).min()
    kinks = np.concatenate((lines, line + np.array([-away, 0.0, away])))
    angles = np.concatenate((np.arange(count) * (2 * np.pi / count), kinks + np.pi / 2, kinks - np.pi / 2))
    return np.stack((np.cos(angles), np.sin(angles)), axis=1)


def least_error(
    columns: NDArray[np.float64], wanted: NDArray[np.float64], two_sided: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64]]:
    """The least t with columns @ v - wanted <= t, and >= -t in the rows that are two-sided, and the v that attains it.

    Args:
        columns: float64 (points, units): what each unit gives at each point.
        wanted: float64 (points,).
        two_sided: bool (points,).

    Raises:
        RuntimeError: the solver gave up.

    >>> round(least_error(np.ones((2, 1)), np.array([0.0, 1.0]), np.array([True, True]))[0], 6)
    0.5
    """
    from scipy.optimize import linprog  # here: it takes longer to import than the rest of the module

    rows, units = columns.shape
    signed = np.vstack((columns, -columns[two_sided]))
    system = np.column_stack((signed, np.full(len(signed), -1.0)))
    limits = np.concatenate((wanted, -wanted[two_sided]))
    bounds = [(None, None)] * units + [(0, None)]
    found = linprog(np.append(np.zeros(units), 1.0), A_ub=system, b_ub=limits, bounds=bounds, method="highs")
    if found.status != 0:
        raise RuntimeError(f"the linear program over {units} units and {rows} points was not solved: {found.message}")
    return float(found.fun), found.x[:units]
