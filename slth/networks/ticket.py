"""A ticket: a source and one mask per matrix. There is no place where a new weight could be stored."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slth.networks.source import Source


@dataclass(frozen=True, eq=False)
class Ticket:
    """A subnetwork of a source.

    Attributes:
        source: the random network.
        masks: for each matrix of the source a bool array of its shape; True keeps the weight.

    >>> g = Source(seed=1, widths=(1, 2, 1))
    >>> t = Ticket(g, (np.array([[True], [False]]), np.array([[True, False]])))
    >>> t.kept, t.density
    (2, 0.5)
    """

    source: Source
    masks: tuple[NDArray[np.bool_], ...]

    def __post_init__(self) -> None:
        shapes = tuple(mask.shape for mask in self.masks)
        if shapes != self.source.shapes or any(mask.dtype != np.bool_ for mask in self.masks):
            raise ValueError(
                f"need one bool mask per matrix of the source, of shapes {self.source.shapes}; got shapes "
                f"{shapes} of dtypes {sorted({str(mask.dtype) for mask in self.masks})}"
            )

    def weights(self, matrix: int) -> NDArray[np.int64]:
        """Mask times the random weights of one matrix, int64 in units of 2^-24."""
        kept = np.zeros(self.masks[matrix].shape, dtype=np.int64)
        for start, rows in self.source.chunks(matrix):
            window = slice(start, start + len(rows))
            np.multiply(rows, self.masks[matrix][window], out=kept[window])
        return kept

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the seed and the masks to a .safetensors file, whole or not at all; `slth.load` reads it.

        Raises:
            ValueError: the path cannot be a file, or the ticket has more than 2^32 random weights.
            OSError: the file cannot be written.
        """
        from slth.networks.files import save_ticket

        save_ticket(self, path)

    @property
    def kept(self) -> int:
        """Number of weights that the masks keep."""
        return sum(int(np.count_nonzero(mask)) for mask in self.masks)

    @property
    def density(self) -> float:
        """Kept weights over all weights of the source, in [0, 1]."""
        return self.kept / self.source.parameters

    @property
    def density_of_second_layers(self) -> float:
        """Kept weights over all weights in the second matrices of the pairs, those of the subset sums."""
        second = self.masks[1::2]
        return sum(int(np.count_nonzero(mask)) for mask in second) / sum(mask.size for mask in second)
