"""A batch of vector subset-sum instances and the answers to it, in exact integers and the sup norm."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.grid import PRODUCT_EXPONENT
from slth.subset_sum.kernels import sums
from slth.subset_sum.masks import WORD, unpack
from slth.subset_sum.problem import Status, SubsetSums, checked_integers


@dataclass(frozen=True, eq=False)
class VectorSums:
    """m instances: choose a subset of n vectors whose sum is close to the target in every coordinate.

    Args:
        samples: int64 (m, n, d), n, d >= 1, in units of 2^-exponent.
        targets: int64 (m, d), same units.
        exponent: the unit of every row, or int64 (m,) with one unit per row.
        rounding: a proved bound on how far putting floats on the grid moved any coordinate of any (subset sum -
            target), as a float64 number or array (m,); 0 for data that lies on the grid.

    Raises:
        TypeError: the arrays are not int64.
        ValueError: wrong shapes, no samples or coordinates, a wrong unit or rounding, or a coordinate of a row with
            sum |samples| + |target| >= 2^61.

    >>> problem = VectorSums(np.array([[[3, 1], [-5, 2], [9, 0]]]), np.array([[4, 2]]))
    >>> problem.m, problem.n, problem.d
    (1, 3, 2)
    """

    samples: NDArray[np.int64]
    targets: NDArray[np.int64]
    exponent: int | NDArray[np.int64] = PRODUCT_EXPONENT
    rounding: float | NDArray[np.float64] = 0.0

    def __post_init__(self) -> None:
        for name in ("samples", "targets"):
            object.__setattr__(self, name, checked_integers(getattr(self, name), name, "VectorSums"))
        _check_shapes(self.samples.shape, self.targets.shape)
        if not self.n or not self.d:
            raise ValueError(f"every instance needs at least one sample and one coordinate; got {self.samples.shape}")
        # One coordinate of one row is one instance in numbers; this checks the range and the unit.
        for c in range(self.d):
            try:
                self.coordinate(c)
            except ValueError as error:
                raise ValueError(f"coordinate {c}: {error}") from None

    @property
    def m(self) -> int:
        """Number of instances."""
        return int(self.samples.shape[0])

    @property
    def n(self) -> int:
        """Vectors per instance."""
        return int(self.samples.shape[1])

    @property
    def d(self) -> int:
        """Coordinates per vector."""
        return int(self.samples.shape[2])

    def coordinate(self, c: int) -> SubsetSums:
        """The instances in numbers that coordinate c alone makes: no subset comes closer than their best.

        >>> VectorSums(np.array([[[3, 1], [-5, 2]]]), np.array([[4, 2]])).coordinate(1).samples
        array([[1, 2]])
        """
        return SubsetSums(self.samples[:, :, c], self.targets[:, c], self.exponent, self.rounding)

    @classmethod
    def from_floats(cls, samples: ArrayLike, targets: ArrayLike) -> VectorSums:
        """Puts every row on a power-of-two grid of its own, the same for all its coordinates.

        Args:
            samples: float32 or float64 (m, n, d), finite, of any magnitude.
            targets: float32 or float64 (m, d), finite.

        Raises:
            TypeError: another dtype.
            ValueError: wrong shapes, NaN or infinity.

        >>> VectorSums.from_floats(np.array([[[0.5, 0.75]]]), np.array([[0.25, 0.0]])).samples
        array([[[2, 3]]])
        """
        samples, targets = np.asarray(samples), np.asarray(targets)
        _check_shapes(samples.shape, targets.shape)
        m, n, d = samples.shape
        for name, array in (("samples", samples), ("targets", targets)):
            if array.dtype not in (np.float32, np.float64):
                raise TypeError(
                    f"{name} must be float32 or float64; got {array.dtype}: integers go to VectorSums(...) itself"
                )
        # As one long row of numbers: its grid keeps the sum of all moduli, so that of each coordinate, in range.
        row = SubsetSums.from_floats(np.concatenate([samples.reshape(m, n * d), targets], axis=1), np.zeros(m))
        return cls(
            row.samples[:, : n * d].reshape(m, n, d),
            np.ascontiguousarray(row.samples[:, n * d :]),
            row.exponent,
            row.rounding,
        )


def _check_shapes(samples: tuple[int, ...], targets: tuple[int, ...]) -> None:
    if len(samples) != 3 or targets != (samples[0], samples[2]):
        raise ValueError(
            f"expected samples (m, n, d) and targets (m, d); got {samples} and {targets}: give each instance "
            "one target vector"
        )


@dataclass(frozen=True, eq=False)
class VectorSubsets:
    """One subset per instance of a problem, with its residual recomputed here from the mask.

    Args:
        problem: the instances.
        masks: uint64 (m, ceil(n / 64)); bit i % 64 of word i // 64 is set when vector i is taken.
        status: uint8 (m,), values of `Status`. UNRESOLVED stores the closest subset seen; IMPOSSIBLE stores none.
        lower_bounds: int64 (m,), proved: no subset of the size asked for is closer, in grid units.

    `residuals` is int64 (m, d), sum - target in grid units; `distances` int64 (m,), its sup norm.

    Raises:
        ValueError: wrong shape or dtype, a bit beyond the last vector, or a subset stored for an IMPOSSIBLE row.

    >>> problem = VectorSums(np.array([[[3, 1], [-5, 2], [9, 0]]]), np.array([[4, 2]]))
    >>> answer = VectorSubsets(problem, np.array([[6]], dtype=np.uint64), np.zeros(1, np.uint8), np.zeros(1, np.int64))
    >>> answer.residuals, answer.distances
    (array([[0, 0]]), array([0]))
    """

    problem: VectorSums
    masks: NDArray[np.uint64]
    status: NDArray[np.uint8]
    lower_bounds: NDArray[np.int64]
    residuals: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        m, n = self.problem.m, self.problem.n
        for name, dtype, shape in (
            ("masks", np.uint64, (m, -(-n // WORD))),
            ("status", np.uint8, (m,)),
            ("lower_bounds", np.int64, (m,)),
        ):
            array = getattr(self, name)
            if array.dtype != dtype or array.shape != shape:
                raise ValueError(f"{name} must be {np.dtype(dtype)} of shape {shape}; got {array.dtype}, {array.shape}")
        if self.masks[self.status == Status.IMPOSSIBLE].any():
            raise ValueError("an IMPOSSIBLE row must have an empty mask")
        out = np.empty(self.problem.targets.shape, dtype=np.int64)
        for c in range(self.problem.d):
            one = self.problem.coordinate(c)
            residuals = np.empty(m, dtype=np.int64)
            if sums.residuals(one.samples, one.targets, self.masks, self.status, residuals) & sums.BEYOND:
                raise ValueError(f"a mask has a bit beyond the last of {n} vectors")
            out[:, c] = residuals
        object.__setattr__(self, "residuals", out)

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """(m, n): vector i of the row is taken."""
        return unpack(self.masks, self.problem.n)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(m,): number of vectors taken."""
        return np.bitwise_count(self.masks).sum(axis=1, dtype=np.int64)

    @property
    def distances(self) -> NDArray[np.int64]:
        """(m,): max over the coordinates of |residual|, in grid units."""
        distances: NDArray[np.int64] = np.abs(self.residuals).max(axis=1)
        return distances

    @property
    def gaps(self) -> NDArray[np.int64]:
        """(m,): distance - lower bound; the stored subset is the nearest up to this much."""
        return self.distances - self.lower_bounds

    @property
    def distance_values(self) -> NDArray[np.float64]:
        """(m,): distances as float64, correct to half a unit in the last place, without the problem's `rounding`."""
        return np.ldexp(self.distances.astype(np.float64), -np.asarray(self.problem.exponent))

    @property
    def failed(self) -> int:
        """Number of rows that are not FOUND."""
        return int((self.status != Status.FOUND).sum())
