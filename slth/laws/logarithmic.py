"""The log-uniform (hyperbolic) law: every scale is equally likely."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
from numpy.typing import NDArray

from slth.grid import WEIGHT_EXPONENT

_FRACTION_BITS = 31
_TABLE_BITS = (8, 8, 8, 7)
_UNIT_BITS = 30
"""Powers of two are held as integers in units of 2^-30."""


@dataclass(frozen=True)
class LogUniform:
    """A random sign times 2^(-B u) with u uniform on [0, 1): density proportional to 1 / |w| on [2^-B, 1].

    The powers are made by integer arithmetic alone, so every machine draws the same bits. The grid is within 2^-24 of
    the continuous law; no weight is zero.

    Attributes:
        octaves: B, an integer from 1 to 24: the number of factors of two between the largest and the smallest weight.

    >>> LogUniform(8).weights(np.array([0, 2**31, 2**31 - 1], dtype=np.uint32)) / 2**24
    array([-1.        ,  1.        , -0.00390625])
    """

    octaves: int

    def __post_init__(self) -> None:
        if isinstance(self.octaves, bool) or not isinstance(self.octaves, int) or not 1 <= self.octaves <= 24:
            raise ValueError(
                f"the octaves B of a log-uniform law on [2^-B, 1] are an integer from 1 to 24; got {self.octaves!r}"
            )

    def weights(self, bits: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The weights that the bits stand for, int64 in units of 2^-24, of the shape of the bits."""
        uniform = (bits & np.uint32((1 << 31) - 1)).astype(np.int64) * self.octaves
        power = np.full(bits.shape, 1 << _UNIT_BITS, dtype=np.int64)
        left = _FRACTION_BITS
        for width, table in zip(_TABLE_BITS, _tables(), strict=True):
            left -= width
            digit = (uniform >> left) & ((1 << width) - 1)
            power = (power * table[digit] + (1 << (_UNIT_BITS - 1))) >> _UNIT_BITS
        shift = (uniform >> _FRACTION_BITS) + (_UNIT_BITS - WEIGHT_EXPONENT)
        modulus = (power + (np.int64(1) << (shift - 1))) >> shift
        return np.where(bits >> np.uint32(31) == 1, modulus, -modulus)

    def __str__(self) -> str:
        return f"log-uniform on [2^-{self.octaves}, 1] with a random sign"

    @property
    def variance(self) -> float:
        """Of the continuous law: (1 - 4^-B) / (2 B ln 2)."""
        return (1 - 4.0**-self.octaves) / (2 * self.octaves * math.log(2))

    @property
    def symmetric(self) -> bool:
        """Whether X and -X have the same law."""
        return True


@cache
def _tables() -> tuple[NDArray[np.int64], ...]:
    """2^-(j / 2^s) in units of 2^-30 for the digits j of a fraction, most significant table first."""
    tables, places = [], 0
    with localcontext() as context:
        context.prec = 40
        for width in _TABLE_BITS:
            places += width
            powers = [Decimal(2) ** (_UNIT_BITS - Decimal(j) / 2**places) for j in range(1 << width)]
            tables.append(np.array([int(power.to_integral_value()) for power in powers], dtype=np.int64))
    return tuple(tables)
