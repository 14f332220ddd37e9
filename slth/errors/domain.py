"""Domains over which two networks are compared, each with the norm in which the error is measured there.

The ends of a domain are float64 numbers taken exactly as they are, and membership of a point is decided in
integers, without a tolerance: a point outside by one last bit can turn a lower end into a false claim.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Norm = Literal["l2", "linf"]

LARGEST_END = 2.0**100
"""Domains beyond this modulus are refused, so that no bound of a reasonable network overflows."""


def integers_of(values: Floats) -> tuple[NDArray[np.object_], int]:
    """The exact values as Python integers with one common exponent.

    Args:
        values: finite float64, any shape.

    Returns:
        Python integers (object array of the same shape) and k >= 0 with values == integers * 2^-k.

    >>> integers_of(np.array([0.5, -3.0]))
    (array([1, -6], dtype=object), 1)
    """
    mantissas, exponents = np.frexp(values)
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    # Trailing zeros are dropped first: m & -m is the lowest set bit, a power of two and exact in float64.
    zeros = np.where(whole == 0, 0, np.frexp((whole & -whole).astype(np.float64))[1] - 1)
    whole, exponents = whole >> zeros, exponents - 53 + zeros
    shift = max(0, -int(np.min(exponents, where=whole != 0, initial=0)))
    raised = np.where(whole == 0, 0, exponents + shift)
    return whole.astype(object) << raised.astype(object), shift


def as_points(points: ArrayLike, dimension: int) -> Floats:
    """The points as float64 of shape (count, dimension).

    Raises:
        ValueError: wrong shape, no points, NaN or infinite values.

    >>> as_points([[0, 1]], 2)
    array([[0., 1.]])
    """
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != dimension or not len(array):
        raise ValueError(f"points must have shape (count, {dimension}) with count >= 1; got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"points must be finite; {int((~np.isfinite(array)).sum())} values are NaN or infinite")
    return array


@dataclass(frozen=True)
class Ball:
    """The l2 ball around 0; errors are measured in l2.

    Attributes:
        dimension: number of inputs, >= 1.
        radius: 0 < radius <= 2^100.

    >>> Ball(64).description, Ball(64).norm, Ball(64).nonnegative
    ('unit l2 ball in R^64', 'l2', False)
    """

    dimension: int
    radius: float = 1.0

    def __post_init__(self) -> None:
        if self.dimension < 1:
            raise ValueError(f"a ball needs dimension >= 1; got {self.dimension}")
        if not 0.0 < self.radius <= LARGEST_END:
            raise ValueError(f"a ball needs 0 < radius <= 2^100; got {self.radius}")

    @property
    def norm(self) -> Norm:
        return "l2"

    @property
    def nonnegative(self) -> bool:
        """Whether every point has only coordinates >= 0."""
        return False

    @property
    def reach(self) -> float:
        """The largest norm of a point."""
        return self.radius

    @property
    def description(self) -> str:
        return (
            "unit l2 ball" if self.radius == 1 else f"l2 ball of radius {self.radius:g}"
        ) + f" in R^{self.dimension}"

    def sample(self, count: int, rng: np.random.Generator) -> Floats:
        """Random points, (count, dimension): by turns uniform on the sphere and uniform inside."""
        points = rng.normal(size=(count, self.dimension))
        points *= self.radius / np.linalg.norm(points, axis=1, keepdims=True)
        points[1::2] *= rng.random((count // 2, 1)) ** (1 / self.dimension)
        return self.settled(points)

    def settled(self, points: Floats) -> Floats:
        """The points (count, dimension), each moved inside if it is outside or within rounding of it."""
        # A computed norm is off by less than (d + 8) 2^-53 of itself, and so is each rounding below.
        limit = self.radius * (1 - (self.dimension + 8) * 2.0**-51)
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        return points * np.where(lengths > limit, limit / np.maximum(lengths, limit), 1.0)

    def contains(self, point: Floats) -> bool:
        """Whether the point (dimension,) lies in the ball, decided exactly."""
        integers, shift = integers_of(point)
        radius = Fraction(self.radius)
        return bool(sum(v * v for v in integers) * radius.denominator**2 <= (radius.numerator << shift) ** 2)


@dataclass(frozen=True, eq=False)
class Box:
    """The points between low and high, coordinate by coordinate; errors are measured in l_inf.

    Attributes:
        low: float64 (dimension,), |low| <= 2^100.
        high: float64 (dimension,), likewise, low <= high.

    >>> Box.cube(784, 0.0, 1.0).description, Box.cube(784, 0.0, 1.0).nonnegative
    ('[0, 1]^784', True)
    """

    low: Floats
    high: Floats

    def __post_init__(self) -> None:
        low, high = (np.array(end, dtype=np.float64) for end in (self.low, self.high))
        if low.ndim != 1 or low.shape != high.shape or not low.size:
            raise ValueError(
                f"the ends of a box must be two vectors of one length; got shapes {low.shape}, {high.shape}"
            )
        if not (np.abs(low) <= LARGEST_END).all() or not (np.abs(high) <= LARGEST_END).all():
            raise ValueError("the ends of a box must be numbers of modulus at most 2^100; got NaN or larger ones")
        if (low > high).any():
            worst = int(np.flatnonzero(low > high)[0])
            raise ValueError(f"a box needs low <= high; coordinate {worst} has low {low[worst]}, high {high[worst]}")
        for name, end in (("low", low), ("high", high)):
            end.flags.writeable = False
            object.__setattr__(self, name, end)

    @classmethod
    def cube(cls, dimension: int, low: float = -1.0, high: float = 1.0) -> Box:
        """[low, high]^dimension.

        Raises:
            ValueError: dimension < 1, low > high, NaN.

        >>> Box.cube(2).description
        '[-1, 1]^2'
        """
        return cls(np.full(max(dimension, 0), float(low)), np.full(max(dimension, 0), float(high)))

    @property
    def dimension(self) -> int:
        return len(self.low)

    @property
    def norm(self) -> Norm:
        return "linf"

    @property
    def nonnegative(self) -> bool:
        """Whether every point has only coordinates >= 0."""
        return bool((self.low >= 0).all())

    @property
    def reach(self) -> float:
        """The largest norm of a point."""
        return float(np.maximum(np.abs(self.low), np.abs(self.high)).max())

    @property
    def description(self) -> str:
        low, high = float(self.low.min()), float(self.high.max())
        if (self.low == low).all() and (self.high == high).all():
            return f"[{low:g}, {high:g}]^{self.dimension}"
        return f"box in R^{self.dimension} with ends from {low:g} to {high:g}"

    def sample(self, count: int, rng: np.random.Generator) -> Floats:
        """Uniform random points, (count, dimension)."""
        return self.settled(self.low + (self.high - self.low) * rng.random((count, self.dimension)))

    def settled(self, points: Floats) -> Floats:
        """The points (count, dimension), each coordinate moved to the nearer end if it is outside."""
        return np.clip(points, self.low, self.high)

    def contains(self, point: Floats) -> bool:
        """Whether the point (dimension,) lies in the box; comparing float64 numbers is exact."""
        return bool((point >= self.low).all() and (point <= self.high).all())


Domain = Ball | Box


def on_grid(points: ArrayLike, exponent: int = 24) -> Floats:
    """The points rounded towards 0 to multiples of 2^-exponent: witnesses with short integers.

    Rounding towards 0 leaves no ball and no cube [-r, r]^d or [0, r]^d.

    Raises:
        ValueError: NaN or infinite values.

    >>> on_grid([0.75, -0.3], 1)
    array([ 0.5, -0. ])
    """
    array = np.asarray(points, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("points must be finite to be put on a grid; got NaN or infinite values")
    # Beyond 2^53 grid steps a float64 is on the grid already, and scaling it might overflow.
    fine = np.abs(array) < math.ldexp(1.0, 53 - exponent)
    return np.where(fine, np.ldexp(np.trunc(np.ldexp(np.where(fine, array, 0.0), exponent)), -exponent), array)
