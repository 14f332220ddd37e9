"""The random network: a law, a seed and shapes. Entries are made on demand, never stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from slth.laws import Law, Uniform
from slth.randomness import bits, check_seed, stream_number


@dataclass(frozen=True)
class Source:
    """A random ReLU network g(x) = M_K relu(M_K-1 ... relu(M_1 x)) with i.i.d. weights.

    Matrix M_i is (w_i, w_i-1). Where a layer has random biases its matrix has one more column, the biases of its
    units. Most constructions take the matrices in pairs: M_2i-1 and M_2i then stand for layer i of the target, and
    w_0, w_2, w_4, ... are the widths of the target.

    Attributes:
        seed: 0 <= seed < 2^64.
        widths: w_0, w_1, ..., w_K, from inputs to outputs.
        biased: for each matrix, whether it has a column of random biases; () stands for none.
        law: the law of every entry.
        trial: index of the draw; each trial has streams of its own.

    >>> g = Source(seed=1, widths=(2, 6, 1))
    >>> g.shapes, g.parameters
    (((6, 2), (1, 6)), 18)
    >>> bool((g.rows(0, 2, 4) == g.rows(0, 0, 6)[2:4]).all())
    True
    """

    seed: int
    widths: tuple[int, ...]
    biased: tuple[bool, ...] = ()
    law: Law = field(default_factory=Uniform)
    trial: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        stream_number(self.trial, 0)
        if not self.biased:
            object.__setattr__(self, "biased", (False,) * max(0, len(self.widths) - 1))
        if len(self.widths) < 2 or len(self.widths) != len(self.biased) + 1 or min(self.widths) < 1:
            raise ValueError(
                "a source of K matrices needs K + 1 positive widths, K at least 1, and K flags for biases; got widths "
                f"{self.widths} and flags {self.biased}"
            )

    @property
    def depth(self) -> int:
        """K: the number of matrices."""
        return len(self.biased)

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape of every matrix, the column of biases included."""
        return tuple(
            (out, inn + int(extra)) for inn, out, extra in zip(self.widths, self.widths[1:], self.biased, strict=False)
        )

    @property
    def parameters(self) -> int:
        """Number of random weights (and biases)."""
        return sum(rows * columns for rows, columns in self.shapes)

    def rows(self, matrix: int, start: int, stop: int) -> NDArray[np.int64]:
        """Rows start .. stop - 1 of a matrix, as integers in units of 2^-24.

        Args:
            matrix: index from 0 to K - 1.
            start: first row, >= 0.
            stop: one past the last row, at most the number of rows.

        Returns:
            int64, shape (stop - start, columns). The same bits whichever rows were asked for before.

        Raises:
            ValueError: no such matrix or rows.
        """
        if not 0 <= matrix < len(self.shapes):
            raise ValueError(f"the source has matrices 0 to {len(self.shapes) - 1}; got {matrix}")
        height, columns = self.shapes[matrix]
        if not 0 <= start <= stop <= height:
            raise ValueError(f"matrix {matrix} has rows 0 to {height - 1}; got the range {start} to {stop}")
        stream = stream_number(self.trial, matrix)
        drawn = self.law.weights(bits(self.seed, stream, start * columns, (stop - start) * columns))
        return drawn.reshape(stop - start, columns)

    def chunks(self, matrix: int, max_bytes: int = 1 << 26) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yields (first row, rows) through a matrix, each of at most max_bytes (but at least one row)."""
        height, columns = self.shapes[matrix]
        step = max(1, max_bytes // (8 * columns))
        for start in range(0, height, step):
            yield start, self.rows(matrix, start, min(start + step, height))
