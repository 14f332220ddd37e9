"""Instances that follow from (seed, stream, row): any of them can be drawn alone, none needs to be stored."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from slth.grid import WEIGHT_EXPONENT
from slth.laws import Product, Uniform
from slth.randomness import check_seed
from slth.subset_sum.kernels import drawn
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.masks import WORD
from slth.subset_sum.problem import SubsetSums

LARGEST_TARGET = 1 << 60
"""Bound on |target| in grid units: with 64 samples below 2^48 every sum stays below 2^61."""

_BITS_PER_BLOCK = 8


@dataclass(frozen=True, eq=False)
class LazySubsetSums:
    """A description of `count` instances with n random samples each, drawn when they are needed.

    Row i owns the elements [i w, (i + 1) w) of the stream of `slth.randomness.bits` with key (seed, stream), where w
    is 2 + n for a uniform and 2 + 2 n for a product law, rounded up to a multiple of 8. Element 0 of a row makes its
    target if that is random, element 1 is not used; the samples of a uniform law are made by the elements 2, 3, ...,
    and the product j by the elements 2 + 2 j (left factor) and 3 + 2 j (right factor).

    Attributes:
        law: of the samples.
        seed: 0 <= seed < 2^64.
        stream: 0 <= stream < 2^64, see `slth.randomness.stream_number`.
        count: number of instances, >= 0.
        n: samples per instance, 1 to 64.
        targets: their law, or int64 (count,) in units of 2^-48 of modulus below 2^60; a memory map serves, as it is
            read in order.

    Raises:
        TypeError: a law of another kind, or targets of another dtype.
        ValueError: a number out of its range, or targets of another shape.

    >>> batch = LazySubsetSums(Product(), seed=1, stream=0, count=10**12, n=21)
    >>> one, many = batch.problem(np.array([7 * 10**11])), batch.problem(7 * 10**11 + np.arange(-5, 5))
    >>> bool((one.samples[0] == many.samples[5]).all())
    True
    """

    law: Uniform | Product
    seed: int
    stream: int
    count: int
    n: int
    targets: Uniform | NDArray[np.int64] = field(default_factory=lambda: Uniform(-0.5, 0.5))

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if not isinstance(self.law, Uniform | Product):
            raise TypeError(f"samples are drawn from a Uniform or a Product law; got {self.law!r}")
        if not 0 <= self.stream < 1 << 64:
            raise ValueError(f"need 0 <= stream < 2^64; got {self.stream}")
        if not 1 <= self.n <= WORD:
            raise ValueError(f"a batch drawn on demand has 1 to {WORD} samples per instance; got n = {self.n}")
        if not 0 <= self.count <= (1 << 62) // self.row_blocks:
            raise ValueError(f"need 0 <= count <= {(1 << 62) // self.row_blocks}; got {self.count}")
        if isinstance(self.targets, Uniform):
            return
        if not isinstance(self.targets, np.ndarray) or self.targets.dtype != np.int64:
            raise TypeError(
                "targets must be a Uniform law or an int64 array in units of 2^-48; got "
                f"{getattr(self.targets, 'dtype', type(self.targets).__name__)}: slth.grid.to_grid makes one of floats"
            )
        if self.targets.shape != (self.count,):
            raise ValueError(f"expected targets of shape ({self.count},), one per row; got {self.targets.shape}")

    @property
    def row_blocks(self) -> int:
        """Blocks of eight elements of the stream that a row owns."""
        return -(-(2 + self.n * (2 if isinstance(self.law, Product) else 1)) // _BITS_PER_BLOCK)

    def problem(self, rows: NDArray[np.int64]) -> SubsetSums:
        """The listed instances.

        Args:
            rows: int64 (r,), 0 <= row < count, in any order.

        Returns:
            r instances in units of 2^-48, without rounding.

        Raises:
            ValueError: a row out of range, or a given target of modulus 2^60 or more.
        """
        if rows.size:
            self._check_range(int(rows.min()), int(rows.max()))
        samples, targets = np.empty((len(rows), self.n), dtype=np.int64), np.empty(len(rows), dtype=np.int64)

        def draw(start: int, stop: int) -> None:
            part = slice(start, stop)
            drawn.draw(rows[part], *self._key(), samples[part], targets[part])

        in_pieces(draw, len(rows), drawn.TILE)
        if not isinstance(self.targets, Uniform):
            targets = _checked(self.targets[rows])
        return SubsetSums(samples, targets)

    def _key(self) -> tuple[np.uint64, np.uint64, NDArray[np.int64], int]:
        """What the kernels need to draw a row."""
        pair = (self.law.left, self.law.right) if isinstance(self.law, Product) else (self.law, self.law)
        last = self.targets if isinstance(self.targets, Uniform) else Uniform()
        law = [2 if isinstance(self.law, Product) else 1]
        for factor in (*pair, last):
            low, high = (2 * round(end * 2 ** (WEIGHT_EXPONENT - 1)) for end in (factor.low, factor.high))
            law += [low, high - low]
        return np.uint64(self.seed), np.uint64(self.stream), np.array(law, dtype=np.int64), self.row_blocks

    def enumerated(
        self, start: int, stop: int, tolerance: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64]]:
        """The subsets that the first stage of `any_within` finds, each row being solved where it is drawn.

        Args:
            start: first row.
            stop: one past the last row.
            tolerance: grid units, 0 to 2^61.

        Returns:
            Masks (r,) of the subsets, a flag (r,) that is 0 where one was found, and their residuals (r,). The other
            rows are open.

        Raises:
            ValueError: a row out of range, or a given target of modulus 2^60 or more.
        """
        self._check_range(start, stop - 1)
        given = not isinstance(self.targets, Uniform)
        targets, residuals = (np.empty(stop - start, dtype=np.int64) for _ in range(2))
        masks, todo = np.empty(stop - start, dtype=np.uint64), np.empty(stop - start, dtype=np.uint8)
        if not isinstance(self.targets, Uniform):
            targets[:] = _checked(self.targets[start:stop])

        def search(first: int, last: int) -> None:
            part = slice(first, last)
            drawn.blocks_of_drawn(
                start + first, *self._key(), self.n, given, tolerance,
                targets[part], masks[part], todo[part], residuals[part],
            )  # fmt: skip

        in_pieces(search, stop - start, 1 << 12)
        return masks, todo, residuals

    def _check_range(self, first: int, last: int) -> None:
        if first <= last and not (first >= 0 and last < self.count):
            raise ValueError(f"the batch has rows 0 to {self.count - 1}; got {first} to {last}")


def _checked(targets: NDArray[np.int64]) -> NDArray[np.int64]:
    if targets.size and not (targets.min() > -LARGEST_TARGET and targets.max() < LARGEST_TARGET):
        raise ValueError(
            f"targets must have modulus below 2^60 in units of 2^-48; got {targets.min()} to {targets.max()}"
        )
    return targets
