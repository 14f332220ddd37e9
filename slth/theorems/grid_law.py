"""Random subset sums of weights on the grid: what the finite number of values costs.

Statement.  Let v_1, ..., v_n be independent and uniform on the 2^24 odd multiples of 2^-24 in (-1, 1), u_1, ..., u_n
            independent of them and of each other, |u_i| <= R, epsilon < R, X_i = u_i v_i and m <= E |u_i| / 2 R for
            every i. Some target of [-R, R] has no subset sum within epsilon with probability at most 8 R^2 / epsilon^2
            (1 - m' / 2)^n, where m' = m (1 - 2 (R + epsilon) (R + 2 epsilon) / (2^24 epsilon)^2).
Kind.       upper, derived, with every constant.
Source.     The proof is in docs/proofs/grid_law.md, not peer reviewed. It is that of docs/proofs/random_subset_sum.md,
            after da Cunha et al. (2023, arXiv 2204.13929), for a covered set without short pieces and short gaps.
Uses.       lueker1998_subset_sum: FAILURE and CANDIDATES, the same for the continuous law, with m for m'.
Notation.   m drift constant of the samples for the window [-R, R] if v were U[-1, 1]; e = epsilon / 2; values is the
            number of values of v, 2^24 in the package; r their half distance, 1 / values.
Departs.    Moving every sample to a continuous one nearby instead costs n 2^-23 of epsilon, which is more than all of
            it for small epsilon; here the price is a factor on the drift constant: 1/32 of it at epsilon = 2^-21 R, 1/8
            at 2^-22 R, half at 2^-23 R. From 1.42 2^-24 R down nothing is proved.
Errata.     -

Sketch of the proof.  Let A_t be the part of [-R, R] that is within e of a sum of X_1, ..., X_t or between two such sums
at most 2 epsilon apart. Then (A_t or A_t + X_t+1) within [-R, R] is in A_t+1; a target without a sum within epsilon
leaves a hole of measure e; all pieces of A_t and all gaps are at least epsilon long but those at the ends of the
window. How much of A_t + u s falls on the rest of the window is, in s, linear between few corners. Over an interval of
length 2 r a corner lifts the mean above the value in the middle by at most r / 4 of its height; the values of the grid
are the middles of intervals that fill [-1, 1].
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.bounds import Bound, Direction, Provenance
from slth.grid import WEIGHT_EXPONENT
from slth.references import DACUNHA2023
from slth.symbols import symbol
from slth.theorems.lueker1998_subset_sum import CANDIDATES, FAILURE, MOST_SAMPLES

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "grid_law"
REFERENCE = DACUNHA2023

VALUES = 1 << WEIGHT_EXPONENT
"""Values of a weight U[-1, 1]: the odd multiples of 2^-24."""

# 2. Bound -------------------------------------------------------------------------------------------------------------

_eps, _R, _m = symbol("epsilon"), symbol("R"), symbol("m")
_lost = 2 * (_R + _eps) * (_R + 2 * _eps) / (VALUES * _eps) ** 2
_m_on_grid = _m * (1 - _lost)

FAILURE_ON_GRID = Bound(
    name="failure probability of the subset sums on the grid",
    quantity=symbol("delta"),
    direction=Direction.UPPER,
    expression=FAILURE.expression.subs(_m, _m_on_grid),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="P(some target of [-R, R] has no subset sum within epsilon), epsilon < R; samples u v, v uniform on the 2^24 "
    "values of a weight, |u| <= R; m is the drift constant of u U[-1, 1] for R",
)

CANDIDATES_ON_GRID = Bound(
    name="samples that suffice on the grid",
    quantity=symbol("n"),
    direction=Direction.UPPER,
    expression=sympy.Piecewise((CANDIDATES.expression.subs(_m, _m_on_grid), _lost < 1), (sympy.oo, True)),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="FAILURE_ON_GRID solved for n; infinite where no number is proved, for epsilon up to 1.42 2^-24 R",
)


def drift_on_grid(drift: Fraction | float, epsilon: float, window: float = 1.0, values: int = VALUES) -> Fraction:
    """m' = m (1 - 2 (R + epsilon) (R + 2 epsilon) / (values epsilon)^2), the drift constant that is left on the grid.

    Args:
        drift: m in [0, 1], the drift constant of the samples u v with v = U[-1, 1].
        epsilon: tolerance, > 0.
        window: R > 0, finite, with |u| <= R.
        values: of v, the odd multiples of 1 / values; 2^24 for weights U[-1, 1], 2^23 for U[-1/2, 1/2] = U[-1, 1] / 2.

    Returns:
        m', exactly, for the numbers as they are stored; 0 if it is negative.

    Raises:
        ValueError: an argument is outside its range.

    >>> round(float(drift_on_grid(0.5, 2.0**-22)), 6), drift_on_grid(0.5, 2.0**-24)
    (0.4375, Fraction(0, 1))
    """
    if not (0 <= drift <= 1 and 0 < epsilon < math.inf and 0 < window < math.inf and values >= 1):
        raise ValueError(
            "need a drift constant in [0, 1], positive finite epsilon and window, and values >= 1; got "
            f"{drift}, {epsilon}, {window} and {values}"
        )
    R, eps = Fraction(window), Fraction(epsilon)
    lost = 2 * (R + eps) * (R + 2 * eps) / (values * eps) ** 2
    return Fraction(drift) * max(Fraction(0), 1 - lost)


def candidates_on_grid(
    epsilon: float, delta: float, drift: Fraction | float, window: float = 1.0, values: int = VALUES
) -> float:
    """CANDIDATES_ON_GRID as a whole number: so many samples suffice for all targets of [-window, window].

    Args:
        epsilon: tolerance, > 0. From the window on the empty subset reaches every target.
        delta: failure probability to allow, > 0; for I windows that are to be covered together, delta / I.
        drift: as in `drift_on_grid`.
        window: R > 0, finite.
        values: as in `drift_on_grid`.

    Returns:
        A whole number >= 0, or infinity if no number is proved: epsilon is too close to the grid.

    Raises:
        ValueError: an argument is outside its range.

    >>> candidates_on_grid(0.01, 0.1, 0.5), candidates_on_grid(2.0**-24, 0.1, 0.5)
    (48, inf)
    """
    left = float(drift_on_grid(drift, epsilon, window, values))
    if not delta > 0:
        raise ValueError(f"delta, the failure probability, must be positive; got {delta}")
    if left < 2.0**-52:
        return math.inf
    logarithm = math.log(8) + 2 * (math.log(window) - math.log(epsilon)) - math.log(delta)
    return max(0, math.ceil(logarithm / -math.log1p(-left / 2) * (1 + 1e-12)))


def tolerance_on_grid(
    samples: int, delta: float, drift: Fraction | float, window: float = 1.0, values: int = VALUES
) -> float:
    """The least tolerance for which so many samples suffice, by bisection; it stays above 1.41 window / values.

    Args:
        samples: n >= 0.
        delta: as in `candidates_on_grid`.
        drift: as in `drift_on_grid`, > 0.
        window: R > 0, finite.
        values: as in `drift_on_grid`.

    Returns:
        epsilon with `candidates_on_grid` <= samples, at most 1e-12 above the least such number, relatively.

    Raises:
        ValueError: an argument is outside its range.

    >>> round(tolerance_on_grid(48, 0.1, 0.5), 4)
    0.009
    """
    if not (samples >= 0 and drift > 0):
        raise ValueError(f"need samples >= 0 and a positive drift constant; got {samples} and {drift}")
    low = high = window / values
    while candidates_on_grid(high, delta, drift, window, values) > samples:
        low, high = high, 2 * high
    while high > low * (1 + 1e-12):
        middle = (low + high) / 2
        enough = candidates_on_grid(middle, delta, drift, window, values) <= samples
        low, high = (low, middle) if enough else (middle, high)
    return high


def whole(needed: float, epsilon: float) -> int:
    """The number of candidates, if there is one.

    Args:
        needed: from `candidates_on_grid`.
        epsilon: what the caller was asked for, for the message.

    Raises:
        ValueError: no number is proved.
    """
    if math.isinf(needed):
        raise ValueError(
            f"no number of candidates is proved to reach epsilon {epsilon:g}: it asks for subset sums too close to the "
            "grid of 2^-24 on which the random weights lie; use a larger epsilon, or give samples yourself"
        )
    return int(needed)


# 3. Measure -----------------------------------------------------------------------------------------------------------


def covered(samples: NDArray[np.int64], window: int, half: int) -> NDArray[np.int64]:
    """The pieces of A_n: what is within half of a subset sum, or between two that are at most 4 half apart.

    Args:
        samples: int64 (n,), n <= 24, in any unit.
        window: R in the same unit, a positive integer; the window is [-R, R].
        half: e = epsilon / 2 in the same unit, 0 < e <= R.

    Returns:
        int64 (2, pieces): lower and upper ends of closed intervals with room between them, increasing; exact.

    Raises:
        ValueError: wrong shape or dtype, too many samples, or a number outside its range.

    >>> covered(np.array([3, -9]), window=10, half=1)
    array([[-10,  -1],
           [ -5,   4]])
    """
    if samples.ndim != 1 or samples.dtype != np.int64 or samples.size > MOST_SAMPLES:
        raise ValueError(
            f"samples must be int64 of shape (n,), n <= {MOST_SAMPLES}; got {samples.dtype} of shape {samples.shape}"
        )
    if not 0 < half <= window or 4 * window + sum(abs(int(x)) for x in samples) >= 1 << 61:
        raise ValueError(f"need 0 < half <= window and sums below 2^61; got half {half} and window {window}")
    sums = np.zeros(1, dtype=np.int64)
    for sample in samples:
        sums = np.union1d(sums, sums + sample)
    breaks = np.flatnonzero(np.diff(sums) > 4 * half)
    low = sums[np.append(0, breaks + 1)] - half
    high = sums[np.append(breaks, len(sums) - 1)] + half
    pieces = np.stack((low, high)).clip(-window, window)
    return pieces[:, pieces[0] < pieces[1]]
