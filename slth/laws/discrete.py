"""Laws on few values: signs, multiples of a power of two, and any law thinned by zeros."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slth.grid import WEIGHT_EXPONENT
from slth.laws.uniform import Uniform


@dataclass(frozen=True)
class Signs:
    """The weights -1 and 1, each with probability 1/2: a binary network.

    >>> Signs().weights(np.array([0, 2**31], dtype=np.uint32)) >> 24
    array([-1,  1])
    """

    def weights(self, bits: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The weights that the bits stand for, int64 in units of 2^-24, of the shape of the bits."""
        return (2 * (bits >> np.uint32(31)).astype(np.int64) - 1) << WEIGHT_EXPONENT

    def __str__(self) -> str:
        return "-1 or 1"

    @property
    def variance(self) -> float:
        """Of a weight."""
        return 1.0

    @property
    def symmetric(self) -> bool:
        """Whether X and -X have the same law."""
        return True


@dataclass(frozen=True)
class Dyadic:
    """The uniform law on the multiples of 2^-b from -1 to 1, zero and both ends included: a quantised network.

    Its 2^(b+1) + 1 values have equal probabilities up to 2^-32, the step of 32 bits.

    Attributes:
        precision: b, from 0 to 12, so that products are multiples of 2^-24 and small integers.

    >>> Dyadic(1).weights(np.array([0, 2**31, 2**32 - 1], dtype=np.uint32)) / 2**24
    array([-1.,  0.,  1.])
    """

    precision: int

    def __post_init__(self) -> None:
        if isinstance(self.precision, bool) or not isinstance(self.precision, int) or not 0 <= self.precision <= 12:
            raise ValueError(f"the precision b of multiples of 2^-b is an integer from 0 to 12; got {self.precision!r}")

    @property
    def largest(self) -> int:
        """M = 2^b: the values are the integers from -M to M in units of 1 / M."""
        return 1 << self.precision

    def weights(self, bits: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The weights that the bits stand for, int64 in units of 2^-24, of the shape of the bits."""
        count = np.uint64(2 * self.largest + 1)
        value = (bits.astype(np.uint64) * count >> np.uint64(32)).astype(np.int64) - self.largest
        return value << (WEIGHT_EXPONENT - self.precision)

    def __str__(self) -> str:
        return f"multiples of 2^-{self.precision} in [-1, 1]"

    @property
    def variance(self) -> float:
        """Of a weight: (M + 1) / (3 M)."""
        return (self.largest + 1) / (3 * self.largest)

    @property
    def symmetric(self) -> bool:
        """Whether X and -X have the same law."""
        return True


@dataclass(frozen=True)
class Thinned:
    """A uniform weight that is present with probability p, else zero: an edge of an Erdos-Renyi source.

    The first p 2^32 of the 2^32 bit patterns are present and spread over the uniform law; both the presence and the
    distribution function of a present weight are exact up to 2^-32 / p and the grid.

    Attributes:
        density: p in (0, 1].
        low: lower end of a present weight, see `Uniform`.
        high: upper end.

    >>> int(np.count_nonzero(Thinned(0.25).weights(np.arange(0, 2**32, 2**28, dtype=np.uint32))))
    4
    """

    density: float
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not 2.0**-20 <= self.density <= 1:
            raise ValueError(
                f"the density p of an Erdos-Renyi source, the share of edges present, must lie in [2^-20, 1]; got "
                f"{self.density}"
            )
        Uniform(self.low, self.high)

    @property
    def present(self) -> Uniform:
        """The law of a weight that is present."""
        return Uniform(self.low, self.high)

    def weights(self, bits: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The weights that the bits stand for, int64 in units of 2^-24, of the shape of the bits."""
        threshold = round(self.density * 2**32)
        kept = bits.astype(np.uint64) < threshold
        # Below the threshold, bits * 2^32 / threshold is again a number of 32 bits.
        spread = np.where(kept, (bits.astype(np.uint64) << np.uint64(32)) // np.uint64(threshold), 0)
        return np.where(kept, self.present.weights(spread.astype(np.uint32)), 0)

    def __str__(self) -> str:
        return f"{self.present}, present with probability {self.density:g}"

    @property
    def variance(self) -> float:
        """Of a weight, zeros included."""
        mean = (self.low + self.high) / 2
        return self.density * (self.present.variance + mean**2) - (self.density * mean) ** 2

    @property
    def symmetric(self) -> bool:
        """Whether X and -X have the same law."""
        return self.present.symmetric

    def drift(self, window: float) -> float:
        """p times the drift constant of a present weight: an absent one covers nothing new.

        Raises:
            ValueError: the window is not positive and finite, or the law is not symmetric about 0.

        >>> Thinned(0.5).drift(1.0)
        0.25
        """
        return self.density * self.present.drift(window)
