"""Lines and constants that fit intervals: n = a log2(1 / epsilon) + b, and n = C f, with exact confidence.

Every point of the grid comes with an interval for its true value. The parameters for which the curve passes through all
intervals are a confidence set: it contains the true ones wherever all intervals hold, if the curve is right. Nothing
else is assumed: no law of the errors, no independence of the points. If no curve passes, the form of the curve is
refuted. What comes out is a fit over the grid that was measured: no theorem gives it, and beyond the grid it says
nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from slth.confidence import Interval
from slth.lines import Line, Points, deepest, down, fit_line, line_through, over, points, up


@dataclass(frozen=True)
class FittedConstant:
    """A constant C with y = C f at every point. It is a fit, whatever bound f comes from.

    Attributes:
        value: all C that are within every interval; low above high if there is none.
        drift: the line C = c0 + c1 x that fits in its place, over the x that was given. Its slope is the drift.
        confidence: with which all intervals hold.
    """

    value: Interval
    drift: Line
    confidence: float

    @property
    def refuted(self) -> bool:
        """Whether no constant fits: C drifts over the grid, or f is wrong in another way."""
        return self.value.low > self.value.high

    def sentence(self, name: str = "x") -> str:
        """The result in words; `name` is what the drift was tested against."""
        place = f"for {name} from {self.drift.start:g} to {self.drift.stop:g}"
        if not self.refuted:
            return (
                f"fitted constant {self.value.estimate:.4g} [{self.value.low:.4g}, {self.value.high:.4g}] {place} at "
                f"confidence {self.confidence:.4g}: a fit, not a constant of any theorem"
            )
        slope = self.drift.slope
        drift = f"it drifts by [{slope.low:.3g}, {slope.high:.3g}] per unit of {name}"
        if self.drift.refuted:
            drift = "nor does one that drifts in proportion"
        return f"no constant fits {place} at confidence {self.confidence:.4g}: {drift}"


def fit_bits(epsilons: ArrayLike, low: ArrayLike, high: ArrayLike, confidence: float) -> Line:
    """The line n = ceil(a log2(1 / epsilon) + b) through intervals for the smallest n: a samples per bit.

    Args:
        epsilons: the grid, shape (points,), > 0, at least two different ones.
        low: lower ends of the intervals for the smallest n, shape (points,), such as n_low of
            `slth.experiments.search.smallest_n`.
        high: upper ends, infinite where even the largest n was not enough.
        confidence: with which all the intervals hold together, see `joint_confidence`.

    Returns:
        The line. An n that is rounded up lies up to 1 above it, which the intervals allow for.

    Raises:
        ValueError: a number is out of its range, or fewer than two places have a finite interval.

    >>> found = fit_bits([2.0**-4, 2.0**-8, 2.0**-12], [4, 8, 13], [4, 9, 13], confidence=0.95)
    >>> found.slope.low, found.slope.high, found.refuted
    (1.0, 1.25, False)
    """
    epsilon = np.asarray(epsilons, dtype=np.float64)
    if not (epsilon > 0).all():
        raise ValueError(f"every epsilon must be positive; got {epsilons!r}")
    return fit_line(-np.log2(epsilon), np.asarray(low, dtype=np.float64) - 1, high, confidence)


def fit_constant(
    f: ArrayLike, low: ArrayLike, high: ArrayLike, against: ArrayLike, confidence: float, whole: bool = True
) -> FittedConstant:
    """The constant C with n = ceil(C f) at every point, and how C drifts.

    Args:
        f: a bound with C = 1 at every point, shape (points,), finite and > 0.
        low: lower ends of the intervals for the measured quantity, shape (points,).
        high: upper ends.
        against: the grid over which C may drift, such as log2(1 / epsilon) or a width, shape (points,).
        confidence: with which all the intervals hold together.
        whole: whether the quantity is rounded up to an integer; the intervals then allow for it.

    Raises:
        ValueError: a number is out of its range, or fewer than two places have a finite interval.

    >>> found = fit_constant([4, 8, 12], [4, 8, 14], [4, 8, 14], against=[4, 8, 12], confidence=0.95)
    >>> print(found.sentence("bits"))
    no constant fits for bits from 4 to 12 at confidence 0.95: it drifts by [0.0208, 0.0521] per unit of bits
    """
    scale = np.asarray(f, dtype=np.float64)
    if not ((scale > 0) & np.isfinite(scale)).all():
        raise ValueError(f"the bound with C = 1 must be finite and positive at every point; got {f!r}")
    at = points(against, np.asarray(low, dtype=np.float64) - whole, high, confidence)
    if scale.shape != at.x.shape:
        raise ValueError(f"need one value of the bound per point; got {scale.shape} for {at.x.shape}")
    ends = [[over(end, by) for end, by in zip(side, scale, strict=True)] for side in (at.low, at.high)]
    least, most = down(max(ends[0])), up(min(ends[1]))
    centre = deepest(Points(np.zeros_like(scale), at.low, at.high), scale)[1]
    value = Interval(least, min(max(centre, least), most) if least <= most else centre, most, confidence)
    return FittedConstant(value, line_through(at, scale, confidence), confidence)


def joint_confidence(intervals: list[Interval]) -> float:
    """The confidence with which several intervals hold together, whatever their dependence; 0 if nothing is left.

    >>> round(joint_confidence([Interval(1, 2, 3, 0.99)] * 5), 4)
    0.95
    """
    return max(0.0, 1 - math.fsum(1 - interval.confidence for interval in intervals))
