"""Laws of random weights, as frozen values: how 32 random bits become a weight on the 2^-24 grid.

Each law knows the moments and the drift constant that the subset-sum theorems ask for. The drift constant of a
symmetric law X for a window R is a number m with: if a set A covers a share v of [-R, R], then adding one sample
covers at least v + m v (1 - v) in expectation. It enters the explicit random subset-sum theorem as the rate
1 - m/2 per sample (`slth.theorems.lueker1998_subset_sum`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slth.grid import WEIGHT_EXPONENT


@dataclass(frozen=True)
class Uniform:
    """The uniform law on the odd multiples of 2^-24 between low and high.

    For [-1, 1] the 2^24 values are exactly the odd multiples of 2^-24: symmetric, never zero, exact in float32. The
    continuous law couples to it at distance 2^-24, so a subset sum of n products moves by at most n 2^-23.

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
        # The ends are put on even integers, the value is made odd, so no weight is zero and none leaves [low, high].
        low, high = (2 * round(end * 2 ** (WEIGHT_EXPONENT - 1)) for end in (self.low, self.high))
        middle = 2 * (bits >> np.uint32(8)).astype(np.int64) + 1
        return low + (middle * (high - low) >> (WEIGHT_EXPONENT + 1)) | 1

    @property
    def variance(self) -> float:
        """Of the continuous law."""
        return (self.high - self.low) ** 2 / 12
