"""Activations that are close to a piecewise linear function near 0, with every constant that a proof about them needs.

phi(z) = d + m_+ z^+ - m_- z^- + remainder, |remainder| <= c |z|^3 for all z, and |phi(y) - phi(z)| <= T |y - z|. A unit
v phi(u x) then is v d plus a slope on each side of 0, and sums of such units stand for any w x if m_+ + m_- is not 0
(Burkholz 2022). tanh and the sigmoid are the only curved ones here: |tanh z - z| <= |z|^3 / 3, and the sigmoid is
(1 + tanh(z / 2)) / 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from slth.assignment import Assignment, block
from slth.grid import WEIGHT_EXPONENT
from slth.networks.source import Source

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Activation:
    """One activation and its constants, all exact.

    Attributes:
        name: in words.
        function: phi on float64 arrays.
        plus: m_+, the slope above 0.
        minus: m_-, the slope below 0.
        lipschitz: T, at most 1.
        offset: d = phi(0).
        cubic: c, of the remainder.
        largest: sup |phi|.
    """

    name: str
    function: Callable[[Floats], Floats]
    plus: Fraction
    minus: Fraction
    lipschitz: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    cubic: Fraction = Fraction(0)
    largest: float = math.inf

    def __post_init__(self) -> None:
        if self.plus + self.minus == 0:
            raise ValueError(f"{self.name}: m_+ + m_- must not be 0, or sums of its units have no linear part")
        if not 0 < self.lipschitz <= 1 or max(abs(self.plus), abs(self.minus)) > self.lipschitz or self.cubic < 0:
            raise ValueError(f"{self.name}: need T in (0, 1], slopes of modulus at most T and a remainder c >= 0")

    @property
    def curved(self) -> bool:
        """Whether it is piecewise linear near 0 only."""
        return self.cubic > 0


RELU = Activation("ReLU", lambda z: np.maximum(z, 0.0), Fraction(1), Fraction(0))

TANH = Activation("tanh", np.tanh, Fraction(1), Fraction(1), cubic=Fraction(1, 3), largest=1.0)

SIGMOID = Activation(
    "sigmoid",
    lambda z: 0.5 + 0.5 * np.tanh(z / 2),
    Fraction(1, 4),
    Fraction(1, 4),
    lipschitz=Fraction(1, 4),
    offset=Fraction(1, 2),
    cubic=Fraction(1, 48),
    largest=1.0,
)


def leaky_relu(slope: Fraction) -> Activation:
    """z for z >= 0, slope * z below, for a slope in [0, 1].

    Args:
        slope: exact; Fraction(0.01) is the float, Fraction(1, 100) the number.

    Raises:
        ValueError: the slope is not in [0, 1].

    >>> float(leaky_relu(Fraction(1, 4)).function(np.array(-2.0)))
    -0.5
    """
    if not 0 <= slope <= 1:
        raise ValueError(f"the slope of a leaky ReLU must be from 0 to 1; got {slope}")
    factor = float(slope)
    return Activation(
        f"leaky ReLU with slope {slope}", lambda z: np.where(z > 0, z, factor * z), Fraction(1), Fraction(slope)
    )


def near_zero(source: Source, limit: float) -> Assignment:
    """The assignment `block` for the units whose weight u has |u| <= limit; the others read nothing.

    Small u keep u x in the near-linear range of a curved activation, and only the mask decides. The choice reads |u|
    of the first matrix; the second matrix keeps its law.

    Args:
        source: the random network.
        limit: in (0, 1].

    Raises:
        ValueError: the limit is out of its range.

    >>> near_zero(Source(1, (1, 6, 1)), 0.5)(np.ones((6, 1), dtype=bool), 6, np.zeros(1, dtype=bool))
    array([ 0,  0,  0, -1,  0, -1])
    """
    if not 0 < limit <= 1:
        raise ValueError(f"the limit of |u| must be in (0, 1]; got {limit}")

    def small(positive: NDArray[np.bool_], units: int, one_sided: NDArray[np.bool_]) -> NDArray[np.int64]:
        reads = block(positive, units, one_sided)
        weights = np.concatenate([rows for _, rows in source.chunks(0)])
        chosen = np.abs(weights[np.arange(len(reads)), reads]) <= limit * (1 << WEIGHT_EXPONENT)
        return np.where(chosen, reads, -1)

    small.__name__ = f"block of |u| <= {limit:g}"
    return small
