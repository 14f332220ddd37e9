"""Lines through intervals: which slopes and intercepts are possible, in exact rational arithmetic."""

from __future__ import annotations

import itertools
import math
import sys
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.confidence import Interval


@dataclass(frozen=True)
class Points:
    """Places and the intervals for the values there.

    Attributes:
        x: places, finite floats.
        low: lower ends; -infinity if the data give none.
        high: upper ends; infinity if the data give none.
    """

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A line y = slope x + intercept through intervals.

    Attributes:
        slope: all slopes of lines through every interval; low above high if there is no line.
        intercept: likewise at x = 0.
        misfit: how far the intervals have to be widened, at both ends, for a line to pass; 0 if one does. This and the
            estimates are of a linear program, to about 1e-9.
        start: smallest x.
        stop: largest x.
        confidence: with which all intervals hold; 0 if their error probabilities add up to 1 or more.
    """

    slope: Interval
    intercept: Interval
    misfit: float
    start: float
    stop: float
    confidence: float

    @property
    def refuted(self) -> bool:
        """Whether no line passes through all intervals; wrong with probability at most 1 - confidence."""
        return self.slope.low > self.slope.high

    @property
    def drifts(self) -> bool:
        """Whether no line of slope 0 passes through all intervals; wrong with probability at most 1 - confidence."""
        return not self.slope.low <= 0 <= self.slope.high

    def sentence(self, x: str = "x", y: str = "y") -> str:
        """The result in words, with names for the axes."""
        place = f"for {x} from {self.start:g} to {self.stop:g} at confidence {self.confidence:.4g}"
        if self.refuted:
            return f"no line fits {y} {place}: the nearest misses an interval by {self.misfit:.3g}"
        parts = [f"{part.estimate:.4g} [{part.low:.4g}, {part.high:.4g}]" for part in (self.slope, self.intercept)]
        return f"fit: {y} = {parts[0]} {x} + {parts[1]} {place}; beyond that range it is not tested"


def fit_line(x: ArrayLike, low: ArrayLike, high: ArrayLike, confidence: float) -> Line:
    """The lines through all intervals: exact ends of slope and intercept, in rational arithmetic, rounded outward.

    Give residuals for `low` and `high` and another part of the grid for `x`, and the slope is a test of drift.

    Args:
        x: places, shape (points,), finite, at least two different ones.
        low: lower ends, shape (points,), below infinity.
        high: upper ends, shape (points,), above -infinity and at least `low`.
        confidence: with which all the intervals hold together.

    Raises:
        ValueError: a number is out of its range, or fewer than two places have a finite interval.

    >>> found = fit_line([0, 1, 2], [0, 1, 2], [0.5, 1.5, 2.5], confidence=0.9)
    >>> found.slope.low, found.slope.high, found.intercept.high
    (0.75, 1.25, 0.5)
    """
    at = points(x, low, high, confidence)
    return line_through(at, np.ones_like(at.x), confidence)


def line_through(at: Points, scale: NDArray[np.float64], confidence: float) -> Line:
    """The lines a x + b for which (a x + b) scale is within every interval."""
    x = [Fraction(value) for value in at.x]
    low = [over(end, by) for end, by in zip(at.low, scale, strict=True)]
    high = [over(end, by) for end, by in zip(at.high, scale, strict=True)]
    slope, intercept = _slopes(x, low, high), _intercepts(x, low, high)
    slant, level, misfit = deepest(at, scale)
    # Exact intervals decide whether a line passes; the program only says by how much none does.
    misfit = max(0.0, misfit) if slope[0] > slope[1] else 0.0
    ends = []
    for (least, most), estimate in ((slope, slant), (intercept, level)):
        inside = float(np.clip(estimate, float(least), float(most))) if least <= most else estimate
        ends.append(Interval(down(least), inside, up(most), confidence))
    return Line(ends[0], ends[1], misfit, float(at.x.min()), float(at.x.max()), confidence)


Number = Fraction | float
"""A rational number, or an infinity."""


def _slopes(x: list[Fraction], low: list[Number], high: list[Number]) -> tuple[Number, Number]:
    """Least and largest a such that some b has low <= a x + b <= high everywhere: each pair of points bounds it.

    Such a b exists iff low_i - a x_i <= high_j - a x_j for all i and j.
    """
    least: Number = -math.inf
    most: Number = math.inf
    for i, j in itertools.permutations(range(len(x)), 2):
        gap, rise = x[i] - x[j], low[i] - high[j]
        if gap > 0:
            least = max(least, rise / gap)
        elif gap < 0:
            most = min(most, rise / gap)
        elif rise > 0:
            return math.inf, -math.inf
    return least, most


def _intercepts(x: list[Fraction], low: list[Number], high: list[Number]) -> tuple[Number, Number]:
    """Least and largest b: where x is not 0, b is the slope of the line a + b / x; where it is, b itself is bounded."""
    off = [i for i, place in enumerate(x) if place != 0]
    ends = [sorted((low[i] / x[i], high[i] / x[i])) for i in off]
    least, most = _slopes([1 / x[i] for i in off], [end[0] for end in ends], [end[1] for end in ends])
    at = [i for i, place in enumerate(x) if place == 0]
    return max([least, *(low[i] for i in at)]), min([most, *(high[i] for i in at)])


def deepest(at: Points, scale: NDArray[np.float64]) -> tuple[float, float, float]:
    """(a, b, t): the line for which the intervals have to be widened least, t, below 0 where all can be narrowed."""
    from scipy.optimize import linprog  # here: it takes longer to import than the rest of the module

    columns = np.stack([at.x * scale, scale], axis=1)
    rows, ends = [], []
    for sign, side in ((1.0, at.high), (-1.0, at.low)):
        finite = np.isfinite(side)
        rows.append(np.column_stack([sign * columns[finite], np.full(finite.sum(), -1.0)]))
        ends.append(sign * side[finite])
    found = linprog([0, 0, 1], A_ub=np.concatenate(rows), b_ub=np.concatenate(ends), bounds=(None, None))
    if not found.success:
        raise ArithmeticError(f"the linear program of the line found no solution: {found.message}; rescale the numbers")
    slope, intercept, misfit = map(float, found.x)
    return slope, intercept, misfit


def points(x: ArrayLike, low: ArrayLike, high: ArrayLike, confidence: float) -> Points:
    """Places and intervals, checked: see `fit_line`."""
    place, bottom, top = (np.asarray(side, dtype=np.float64) for side in (x, low, high))
    if place.ndim != 1 or not place.shape == bottom.shape == top.shape:
        raise ValueError(
            f"need a list of places and as many lower and upper ends; got shapes {place.shape}, "
            f"{bottom.shape}, {top.shape}"
        )
    if not (
        np.isfinite(place).all() and (bottom <= top).all() and (bottom < math.inf).all() and (top > -math.inf).all()
    ):
        raise ValueError("need finite places, lower ends at most the upper ends, and no NaN: leave out empty points")
    if np.unique(place[np.isfinite(bottom) & np.isfinite(top)]).size < 2:
        raise ValueError("need finite intervals at two or more different places: allow more draws or a larger n")
    if not 0 <= confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, below 1; got {confidence}")
    return Points(place, bottom, top)


def over(end: float, by: float) -> Number:
    """The exact quotient; infinite ends stay."""
    return Fraction(float(end)) / Fraction(float(by)) if math.isfinite(end) else float(end)


def down(value: Number) -> float:
    """The largest float that is at most a value."""
    try:
        found = float(value)
    except OverflowError:
        return sys.float_info.max if value > 0 else -math.inf
    return found if found <= value else math.nextafter(found, -math.inf)


def up(value: Number) -> float:
    """The smallest float that is at least a value."""
    return -down(-value)
