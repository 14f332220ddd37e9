"""Laws of random weights, as frozen values: how 32 random bits become a weight on the 2^-24 grid.

Each law knows the moments and the drift constant that the subset-sum theorems ask for. The drift constant of
a symmetric law X for a window R is a number m with: if a set A covers a share v of [-R, R], then adding one
sample covers at least v + m v (1 - v) in expectation. It enters the explicit random subset-sum theorem as the
rate 1 - m/2 per sample (`slth.theorems.lueker1998_subset_sum`), whose proof gives, for a density that falls
in |x|,

    m = E[|X|; |X| <= R] / R + P(R < |X| <= 2 R) / 2.

Moments, densities and drift constants are those of the continuous laws; the grid is within 2^-24 of them. What the
grid costs the theorem is in `slth.theorems.grid_law`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.grid import WEIGHT_EXPONENT


@dataclass(frozen=True)
class Uniform:
    """The uniform law on the odd multiples of 2^-24 between low and high.

    For [-1, 1] the 2^24 values are exactly the odd multiples of 2^-24: symmetric, never zero, exact in
    float32. The continuous law couples to it at distance 2^-24, so a subset sum of n products moves by at
    most n 2^-23.

    Attributes:
        low: lower end, at least -1.
        high: upper end, at most 1, above low.

    >>> Uniform().weights(np.array([0, 2**32 - 1], dtype=np.uint32))
    array([-16777215,  16777215])
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not -1.0 <= self.low < self.high <= 1.0:
            raise ValueError(f"need -1 <= low < high <= 1; got low {self.low}, high {self.high}")

    def weights(self, bits: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The weights that the bits stand for, int64 in units of 2^-24, of the shape of the bits."""
        # The ends are put on even integers, the value is made odd, so no weight is zero and none leaves [low,
        # high].
        low, high = (2 * round(end * 2 ** (WEIGHT_EXPONENT - 1)) for end in (self.low, self.high))
        middle = 2 * (bits >> np.uint32(8)).astype(np.int64) + 1
        return low + (middle * (high - low) >> (WEIGHT_EXPONENT + 1)) | 1

    def __str__(self) -> str:
        return f"U[{self.low:g}, {self.high:g}]"

    @property
    def variance(self) -> float:
        """Of the continuous law."""
        return (self.high - self.low) ** 2 / 12

    @property
    def symmetric(self) -> bool:
        """Whether X and -X have the same law."""
        return self.low == -self.high

    def drift(self, window: float) -> float:
        """The drift constant m of the law for targets in [-window, window]; for U[-1, 1] it is 1/2 from 1/2
        to 1.

        Args:
            window: R > 0, finite.

        Returns:
            m in (0, 1/2], a closed form evaluated in float64.

        Raises:
            ValueError: the window is not positive and finite, or the law is not symmetric about 0.

        >>> Uniform().drift(0.5), Uniform().drift(1.0), Uniform().drift(2.0)
        (0.5, 0.5, 0.25)
        """
        _check_window(window)
        if not self.symmetric:
            raise ValueError(
                f"the drift constant is known for symmetric laws; U[{self.low:g}, {self.high:g}] is not: use "
                "U[-1, 1] or a product with a symmetric factor"
            )
        # In units of the half width h: the two terms of m are r / 2 for r <= 1 and (min(2 r, 1) - r) / 2.
        ratio = window / self.high
        return min(ratio, 0.5, 0.5 / ratio)


@dataclass(frozen=True)
class Product:
    """The law of the product of two independent uniform weights, as the gadget's candidates u v have it.

    Attributes:
        left: law of u.
        right: law of v.

    >>> Product(Uniform(0.0, 1.0), Uniform()).drift(1.0)
    0.25
    """

    left: Uniform = Uniform()
    right: Uniform = Uniform()

    def products(self, left_bits: NDArray[np.uint32], right_bits: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The products that two arrays of bits stand for, int64 in units of 2^-48, of their common shape;
        exact.

        Raises:
            ValueError: the shapes differ.

        >>> bits = np.array([0, 2**32 - 1], dtype=np.uint32)
        >>> Product().products(bits, bits) == (2**24 - 1) ** 2
        array([ True,  True])
        """
        if left_bits.shape != right_bits.shape:
            raise ValueError(f"need one pair of bits per product; got shapes {left_bits.shape} and {right_bits.shape}")
        return self.left.weights(left_bits) * self.right.weights(right_bits)

    def __str__(self) -> str:
        return f"{self.left} times {self.right}"

    @property
    def variance(self) -> float:
        """Of the continuous law: E u^2 E v^2 - (E u E v)^2."""
        means = [(law.low + law.high) / 2 for law in (self.left, self.right)]
        squares = [law.variance + mean**2 for law, mean in zip((self.left, self.right), means, strict=True)]
        return squares[0] * squares[1] - (means[0] * means[1]) ** 2

    def density(self, x: ArrayLike) -> NDArray[np.float64]:
        """The density of the continuous law at x.

        Args:
            x: any shape, finite.

        Returns:
            float64 of the same shape; at 0 the limit from the right, infinite if both factors can be 0.

        Raises:
            ValueError: x has a NaN or infinite entry.

        >>> bool(np.isclose(Product().density(0.5), math.log(2) / 2))
        True
        """
        points = np.asarray(x, dtype=np.float64)
        if not np.isfinite(points).all():
            raise ValueError("the density is defined at finite x; got NaN or infinite entries")
        total = np.zeros(points.shape)
        for left_sign, p, q in _moduli(self.left):
            for right_sign, r, s in _moduli(self.right):
                side = (points >= 0) if left_sign == right_sign else (points < 0)
                total += np.where(side, _log_share(np.abs(points), p, q, r, s), 0.0)
        return total / ((self.left.high - self.left.low) * (self.right.high - self.right.low))

    def drift(self, window: float) -> float:
        """The drift constant m of the law for targets in [-window, window]; for u v on [-1, 1] it is 1/4 for
        1.

        Given u, the product with a symmetric v on [-h, h] is uniform on [-|u| h, |u| h]. m is linear in the
        density, so it is the mean over u of the drift constants of those uniform laws, which has a closed
        form.

        Args:
            window: R > 0, finite.

        Returns:
            m in (0, 1/2], a closed form evaluated in float64.

        Raises:
            ValueError: the window is not positive and finite, or neither factor is symmetric about 0.

        >>> Product().drift(0.5)
        0.375
        """
        _check_window(window)
        if not (self.left.symmetric or self.right.symmetric):
            raise ValueError(
                f"the drift constant is known if a factor is symmetric about 0; got {self.left} and "
                f"{self.right}: let one of them be U[-h, h]"
            )
        other, half = (self.left, self.right.high) if self.right.symmetric else (self.right, self.left.high)
        total = sum(_drift_integral(q * half, window) - _drift_integral(p * half, window) for _, p, q in _moduli(other))
        return total / (half * (other.high - other.low))


def _check_window(window: float) -> None:
    if not (math.isfinite(window) and window > 0):
        raise ValueError(f"the window of targets [-R, R] needs a positive finite R; got {window}")


def _moduli(law: Uniform) -> list[tuple[int, float, float]]:
    """Sign and range of the modulus of the negative and of the positive part of a uniform law."""
    parts = []
    if law.low < 0:
        parts.append((-1, max(0.0, -law.high), -law.low))
    if law.high > 0:
        parts.append((1, max(0.0, law.low), law.high))
    return parts


def _log_share(x: NDArray[np.float64], p: float, q: float, r: float, s: float) -> NDArray[np.float64]:
    """Integral of du / u over the u in [p, q] with x / u in [r, s], for x >= 0: the density of u v without
    its constant."""
    near_zero = np.maximum(x, np.finfo(np.float64).tiny)
    lower = np.maximum(p, near_zero / s)
    upper = np.minimum(q, near_zero / r) if r > 0 else np.full(x.shape, q)
    share = np.log(np.maximum(upper / lower, 1.0))
    return np.where((x == 0) & (p == 0) & (r == 0), np.inf, share)


def _drift_integral(half: float, window: float) -> float:
    """Integral over h from 0 to half of the drift constant min(R / h, 1/2, h / (2 R)) of U[-h, h]."""
    if half <= window:
        return half**2 / (4 * window)
    if half <= 2 * window:
        return window / 4 + (half - window) / 2
    return 3 * window / 4 + window * math.log(half / (2 * window))
