"""A batch of subset-sum instances and the answers to it, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.grid import PRODUCT_EXPONENT
from slth.subset_sum.kernels import sums
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.masks import WORD, unpack


class Status(IntEnum):
    """What is known about one instance.

    >>> Status.FOUND.value, Status.IMPOSSIBLE.name
    (0, 'IMPOSSIBLE')
    """

    FOUND = 0
    """The stored subset qualifies."""
    IMPOSSIBLE = 1
    """Proved: no subset qualifies."""
    UNRESOLVED = 2
    """Nothing was found and nothing is proved."""


@dataclass(frozen=True, eq=False)
class SubsetSums:
    """m instances: choose a subset of the n samples in a row whose sum is close to the row's target.

    Args:
        samples: int64 (m, n), n >= 1, in units of 2^-exponent.
        targets: int64 (m,), same units.
        exponent: the unit of every row, or int64 (m,) with one unit per row.
        rounding: a proved bound on how far putting floats on the grid moved any (subset sum - target) of a row,
            as a float64 number or array (m,); 0 for data that lies on the grid.

    Raises:
        TypeError: the arrays are not int64.
        ValueError: wrong shapes, no samples, a rounding that is negative or not finite, or a row with
            sum |samples| + |target| >= 2^61.

    >>> problem = SubsetSums(np.array([[3, -5, 9]]), np.array([4]), exponent=4)
    >>> problem.m, problem.n
    (1, 3)
    """

    samples: NDArray[np.int64]
    targets: NDArray[np.int64]
    exponent: int | NDArray[np.int64] = PRODUCT_EXPONENT
    rounding: float | NDArray[np.float64] = 0.0

    def __post_init__(self) -> None:
        for name in ("samples", "targets"):
            object.__setattr__(self, name, checked_integers(getattr(self, name), name, "SubsetSums"))
        if self.samples.ndim != 2 or self.targets.shape != self.samples.shape[:1]:
            raise ValueError(
                f"expected samples (m, n) and targets (m,); got {self.samples.shape} and "
                f"{self.targets.shape}: give each instance one row of samples and one target"
            )
        if self.n < 1:
            raise ValueError("every instance needs at least one sample; got n = 0: add a column of samples")
        self._check_unit()
        row = int(sums.first_beyond_limit(self.samples, self.targets))
        if row >= 0:
            raise ValueError(
                f"row {row} has sum |samples| + |target| >= 2^{sums.LIMIT_EXPONENT}, where sums could "
                "overflow int64: use a coarser unit (a smaller exponent)"
            )

    def _check_unit(self) -> None:
        exponent, rounding = np.asarray(self.exponent), np.asarray(self.rounding)
        if exponent.dtype.kind not in "iu" or exponent.shape not in ((), (self.m,)):
            raise ValueError(
                f"exponent must be an integer or an integer array of shape ({self.m},); got "
                f"dtype {exponent.dtype}, shape {exponent.shape}"
            )
        if rounding.dtype.kind != "f" or rounding.shape not in ((), (self.m,)):
            raise ValueError(
                f"rounding must be a float or a float64 array of shape ({self.m},); got "
                f"dtype {rounding.dtype}, shape {rounding.shape}"
            )
        if not (np.isfinite(rounding).all() and (rounding >= 0).all()):
            raise ValueError("rounding must be finite and >= 0; it is a bound on a distance")

    @property
    def m(self) -> int:
        """Number of instances."""
        return int(self.samples.shape[0])

    @property
    def n(self) -> int:
        """Samples per instance."""
        return int(self.samples.shape[1])

    @classmethod
    def from_floats(cls, samples: ArrayLike, targets: ArrayLike) -> SubsetSums:
        """Puts every row on a power-of-two grid of its own.

        A row whose numbers are multiples of one power of two 2^-e with sum below 2^60 of them is represented
        exactly, on the coarsest such grid; so are float32 rows that span fewer than about 30 binary orders.
        Any other row gets the finest grid that fits, and `rounding` is half a unit for every number that moved.

        Args:
            samples: float32 or float64 (m, n), finite, of any magnitude.
            targets: float32 or float64 (m,), finite.

        Raises:
            TypeError: another dtype.
            ValueError: wrong shapes, NaN or infinity.

        >>> problem = SubsetSums.from_floats(np.array([[0.5, 0.75, -2.0]]), np.array([0.25]))
        >>> problem.samples, problem.exponent, problem.rounding
        (array([[ 2,  3, -8]]), array([2]), array([0.]))
        """
        samples, targets = np.asarray(samples), np.asarray(targets)
        for name, array in (("samples", samples), ("targets", targets)):
            if array.dtype not in (np.float32, np.float64):
                raise TypeError(
                    f"{name} must be float32 or float64; got {array.dtype}: integers go to SubsetSums(...) itself"
                )
        if samples.ndim != 2 or targets.shape != samples.shape[:1]:
            raise ValueError(f"expected samples (m, n) and targets (m,); got {samples.shape} and {targets.shape}")
        values = np.column_stack([samples, targets]).astype(np.float64)
        if not np.isfinite(values).all():
            bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
            raise ValueError(
                f"samples and targets must be finite; {len(bad)} of {len(values)} rows have NaN or infinity, the first "
                f"is row {bad[0]}"
            )
        exponent = _row_exponents(values)
        moved = np.rint(np.ldexp(values, exponent[:, None]))
        # A number far below the unit underflows to 0 in ldexp already, and was moved all the same.
        lost = (values != 0) & (moved == 0)
        inexact = (lost | (np.ldexp(values, exponent[:, None]) != moved)).sum(axis=1)
        return cls(
            np.ascontiguousarray(moved[:, :-1]).astype(np.int64),
            moved[:, -1].astype(np.int64),
            exponent,
            np.ldexp(inexact.astype(np.float64), -exponent - 1),
        )


def checked_integers(array: object, name: str, problem: str) -> NDArray[np.int64]:
    """The array, contiguous, if it is one of grid integers.

    Raises:
        TypeError: it is not an int64 array.

    >>> checked_integers(np.arange(4)[::2], "samples", "SubsetSums")
    array([0, 2])
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.int64:
        raise TypeError(
            f"{name} must be an int64 array of grid integers; got "
            f"{getattr(array, 'dtype', type(array).__name__)}: floats go to {problem}.from_floats"
        )
    return np.ascontiguousarray(array)


def _row_exponents(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Per row: the coarsest grid that holds it exactly, or the finest whose sums stay below 2^60."""
    mantissa, order = np.frexp(values)
    bits = np.abs(np.ldexp(mantissa, 53)).astype(np.int64)
    # bits & -bits is the lowest set bit, a power of two, whose frexp exponent is its place plus one.
    lowest = order.astype(np.int64) - 53 + np.frexp((bits & -bits).astype(np.float64))[1] - 1
    nonzero = values != 0
    top = np.where(nonzero, order, -(1 << 20)).max(axis=1, initial=-(1 << 20))
    bottom = np.where(nonzero, lowest, 1 << 20).min(axis=1, initial=1 << 20)
    # |v| < 2^top for each of the n + 1 numbers of the row, n + 1 < 2^bit_length(n + 1).
    finest = sums.LIMIT_EXPONENT - 1 - values.shape[1].bit_length() - top
    exponent = np.minimum(-bottom, finest)
    return np.where(nonzero.any(axis=1), exponent, 0).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Subsets:
    """One subset per instance of a problem, with its residual recomputed here from the mask.

    Args:
        problem: the instances.
        masks: uint64 (m, ceil(n / 64)); bit i % 64 of word i // 64 is set when sample i is taken.
        status: uint8 (m,), values of `Status`. Where it is not FOUND the mask is empty.

    `residuals` is int64 (m,), sum - target in grid units: -target where nothing was found.

    Raises:
        ValueError: wrong shape or dtype, another status, a bit beyond the last sample, or a subset stored for a row
            that is not FOUND.

    >>> problem = SubsetSums(np.array([[3, -5, 9]]), np.array([4]))
    >>> Subsets(problem, np.array([[6]], dtype=np.uint64), np.zeros(1, dtype=np.uint8)).residuals
    array([0])
    """

    problem: SubsetSums
    masks: NDArray[np.uint64]
    status: NDArray[np.uint8]
    residuals: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        m, n = self.problem.m, self.problem.n
        words = -(-n // WORD)
        if self.masks.dtype != np.uint64 or self.masks.shape != (m, words):
            raise ValueError(
                f"masks must be uint64 of shape ({m}, {words}); got {self.masks.dtype}, {self.masks.shape}"
            )
        if self.status.dtype != np.uint8 or self.status.shape != (m,):
            raise ValueError(f"status must be uint8 of shape ({m},); got {self.status.dtype}, {self.status.shape}")
        if self.status.max(initial=0) >= len(Status):
            raise ValueError(f"status must hold values of Status, 0 to {len(Status) - 1}; got {self.status.max()}")
        out = np.empty(m, dtype=np.int64)
        faults = []

        def recompute(start: int, stop: int) -> None:
            part = slice(start, stop)
            samples, targets = self.problem.samples[part], self.problem.targets[part]
            faults.append(sums.residuals(samples, targets, self.masks[part], self.status[part], out[part]))

        in_pieces(recompute, m, 1024)
        if any(fault & sums.BEYOND for fault in faults):
            raise ValueError(f"a mask has a bit beyond the last of {n} samples")
        if any(fault & sums.NOT_EMPTY for fault in faults):
            raise ValueError("a row that is not FOUND must have an empty mask")
        object.__setattr__(self, "residuals", out)

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """(m, n): sample i of the row is taken."""
        return unpack(self.masks, self.problem.n)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(m,): number of samples taken; 0 where nothing was found."""
        return np.bitwise_count(self.masks).sum(axis=1, dtype=np.int64)

    @property
    def residual_values(self) -> NDArray[np.float64]:
        """(m,): residuals as float64, correct to half a unit in the last place, without the problem's `rounding`."""
        return np.ldexp(self.residuals.astype(np.float64), -np.asarray(self.problem.exponent))

    @property
    def failed(self) -> int:
        """Number of rows that are not FOUND."""
        return int((self.status != Status.FOUND).sum())
