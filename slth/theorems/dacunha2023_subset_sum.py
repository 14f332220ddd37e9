"""Da Cunha, d'Amore, Giroire, Lesfari, Natale, Viennot (2023): the covered share of the window, sample by sample.

Statement.  Let X_1, ..., X_n be independent with law U[-1, 1]. There are universal constants C and kappa such that,
            for n >= C log(1 / epsilon), with probability at least 1 - 2 exp(-(n - C log(1 / epsilon))^2 / (kappa n)),
            every z in [-1, 1] has a subset S with |z - sum of X_i over S| <= 2 epsilon.
Kind.       upper. DACUNHA is restated (no value for C and kappa). `adversarial_failure`, `samples_that_suffice` and
            `failure_given_first_layer` are derived, numeric and rounded outward.
Source.     ESA 2023, arXiv 2204.13929, restated from memory of the paper; check before quoting. Proofs of the derived
            bounds: docs/proofs/random_subset_sum.md, not peer reviewed.
Uses.       lueker1998_subset_sum: the closed forms FAILURE and CANDIDATES of the same process.
Notation.   v_t share of the window that is covered after t samples, m drift constant (E v_t+1 >= v_t + m v_t (1 -
            v_t)); the paper has m = 1/4, and 1/2 holds and is sharp.
Departs.    The paper cuts the growth of v_t into two phases; the bounds here follow a potential (FAILURE) or the
            worst law of v_t+1 that the drift allows (`adversarial_failure`).
Errata.     C and kappa have no value. Growing v by factors 1 + b, each with the probability 1 - 7 / (8 (1 - b)) that
            Markov gives, asks for about 171 log2(1 / 2 epsilon) samples in the first phase alone (b = 1/16); FAILURE
            asks for 4.82 log2(1 / epsilon).
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.bounds import Bound, Direction, Provenance
from slth.errors.outward import STEP, TINY, fraction_down, fraction_up, up
from slth.grid import WEIGHT_EXPONENT
from slth.references import DACUNHA2023
from slth.symbols import symbol
from slth.theorems import lueker1998_subset_sum as lueker

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "dacunha2023_subset_sum"
REFERENCE = DACUNHA2023

_n, _C, _kappa = symbol("n"), symbol("C"), symbol("kappa")

DACUNHA = Bound(
    name="failure probability by da Cunha et al.",
    quantity=symbol("delta"),
    direction=Direction.UPPER,
    expression=2 * sympy.exp(-(sympy.Max(0, _n - _C * sympy.log(1 / symbol("epsilon"))) ** 2) / (_kappa * _n)),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="some target of [-1, 1] has no subset sum within 2 epsilon, U[-1, 1]; n >= 1; no values for C and kappa are "
    "known; restated from memory of the paper; check before quoting",
)

# 2. Bound -------------------------------------------------------------------------------------------------------------

FINEST = 2.0**-24
"""Least epsilon / window that the table of covered shares resolves."""


def adversarial_failure(
    epsilon: float, drift: float, samples: int, window: float = 1.0, refinement: int = 64
) -> NDArray[np.float64]:
    """The failure probability for the worst growth of the covered share that the drift allows; a proved upper end.

    F_0(v) = 1 if v <= 1 - epsilon / 4 R, else 0, and F_t(v) is the largest mean of F_t-1(v') over the laws of v' on
    [v, min(2 v, 1)] with mean at least v + m v (1 - v). P(some target of [-R, R] fails) <= F_n(epsilon / 2 R). Every
    cell of a table of shares carries one line above all that can happen from within it, so rounding only raises F_t.
    Where the table is too coarse to beat it, the closed form `lueker1998_subset_sum.FAILURE` is returned instead.

    Args:
        epsilon: tolerance, between 2^-24 R and R.
        drift: m in (0, 1], at most the drift constant of every sample for the window.
        samples: n >= 0.
        window: R > 0, finite.
        refinement: cells per doubling of the share, >= 1; finer is smaller and takes longer.

    Returns:
        float64 (n + 1,): the bounds for 0, ..., n samples, not increasing, at most 1.

    Raises:
        ValueError: an argument is outside its range.

    >>> adversarial_failure(0.25, 0.5, 22)[[0, 10, 22]].round(2)
    array([1.  , 0.85, 0.05])
    """
    if not (math.isfinite(window) and window > 0 and FINEST <= epsilon / window < 1):
        raise ValueError(
            f"need a finite window R > 0 and 2^-24 R <= epsilon < R; got epsilon {epsilon} and window {window}: use "
            "lueker1998_subset_sum.FAILURE for a smaller epsilon; from R on the empty subset reaches every target"
        )
    if not (0 < drift <= 1 and samples >= 0 and refinement >= 1):
        raise ValueError(
            "need a drift constant in (0, 1], samples >= 0 and refinement >= 1; got "
            f"{drift}, {samples} and {refinement}"
        )
    share = Fraction(epsilon) / Fraction(window)
    shares = _shares(fraction_down(share / 2), fraction_up(1 - share / 4), refinement)
    cells = len(shares) - 2
    # Cell i is [shares[i], shares[i + 1]]. From it v' stays in columns i .. last[i], the end of which is 2 shares[i+1].
    last = np.searchsorted(shares, np.minimum(2 * shares[1 : cells + 1], 1.0)).clip(max=cells + 1)
    reach = last - np.arange(cells)
    columns = np.minimum(np.arange(cells)[:, None] + np.arange(reach.max() + 1), last[:, None])
    places = shares[columns]
    mean = (shares + drift * shares * (1 - shares))[: cells + 1]  # rises with the share, as m <= 1
    low = mean * (1 - 4 * STEP)
    left, right = np.ones(cells), np.ones(cells)
    found, closed = np.ones(samples + 1), fraction_up(8 / share**2)
    rate = fraction_up(1 - Fraction(drift) / 2)
    for t in range(samples):
        values = np.zeros(cells + 2)
        values[:cells], values[1 : cells + 1] = left, np.maximum(np.append(left[1:], 0.0), right)
        height, slope = _lines(values[columns], places, reach, (mean[:-1] + mean[1:]) / 2)
        pad = 4 * STEP * height + TINY
        left, right = (np.clip(height + pad - slope * at + pad, 0.0, 1.0) for at in (low[:-1], low[1:]))
        closed = up(closed * rate)
        found[t + 1] = min(found[t], max(left[0], right[0]), closed)
    return found


def _shares(first: float, threshold: float, refinement: int) -> NDArray[np.float64]:
    """first, ..., threshold, 1: geometric towards both ends; twice a share up to 1/2 is one, too, up to threshold."""
    steps = np.ldexp(
        np.rint(np.ldexp(2.0 ** (-np.arange(refinement) / refinement), 24)), -24
    )  # short, so 1 - x is exact
    halvings = range(math.ceil(-math.log2(min(first, 1 - threshold))) + 1)
    low = np.concatenate([np.ldexp(steps, -j) for j in halvings])
    inner = np.concatenate((low, 1 - low))
    return np.unique(np.concatenate((inner[(inner > first) & (inner < threshold)], [first, threshold, 1.0])))


def _lines(
    values: NDArray[np.float64], places: NDArray[np.float64], reach: NDArray[np.int64], means: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per row a line height - slope * place, slope >= 0, above all values up to rounding, low at means.

    Any slope gives a line above the values; the search (each step turns the chord about the mean towards the value
    that is farthest above it) only makes it low.
    """
    rows = np.arange(len(values))
    left, right = np.zeros(len(rows), dtype=np.int64), reach.copy()
    while True:
        run = places[rows, right] - places[rows, left]
        slope = np.maximum(values[rows, left] - values[rows, right], 0.0) / run
        lifted = values + slope[:, None] * places
        top = lifted.argmax(axis=1)
        height = lifted[rows, top]
        chord = np.maximum(lifted[rows, left], lifted[rows, right])
        # Every turn moves one end inwards: the search ends.
        turn = (height > chord * (1 + 8 * STEP)) & (left < top) & (top < right)
        if not turn.any():
            return height, slope
        below = places[rows, top] <= means
        left, right = np.where(turn & below, top, left), np.where(turn & ~below, top, right)


def samples_that_suffice(epsilon: float, delta: float, drift: float, window: float = 1.0, refinement: int = 64) -> int:
    """The least n with `adversarial_failure` <= delta.

    Args:
        epsilon: tolerance, between 2^-24 window and window.
        delta: failure probability to allow, in (0, 1).
        drift: as in `adversarial_failure`.
        window: R > 0, finite.
        refinement: as in `adversarial_failure`.

    Raises:
        ValueError: an argument is outside its range.

    >>> samples_that_suffice(2.0**-4, 0.1, 0.5)
    27
    """
    if not 0 < delta < 1:
        raise ValueError(f"delta, the failure probability, must lie strictly between 0 and 1; got {delta}")
    # One more than the closed form needs, for its rounding outward: delta is reached.
    enough = math.ceil(lueker.CANDIDATES.evaluate(R=window, m=drift, epsilon=epsilon, delta=delta)) + 1
    found = adversarial_failure(epsilon, drift, enough, window, refinement)
    return int(np.argmax(found <= delta))


def failure_given_first_layer(first: NDArray[np.int64], side: int, epsilon: float, window: float = 1.0) -> float:
    """P(some target of [-window, window] fails | the drawn first layer), a proved upper end rounded outward.

    The samples are u_r v_r over the rows r with the sign of the side, v_r = U[-1, 1] on the grid and independent of
    u. Given u they are uniform on [-|u_r|, |u_r|], so the bound is 8 R^2 / e^2 times the product of 1 - m_r / 2 with
    m_r = min(R / |u_r|, 1/2, |u_r| / 2 R), that is of 1 - |u_r| / 4 for R = 1; e is epsilon less the distance of the
    grid from the continuous law. It is the bound for one weight; add the bounds of weights that must succeed together.

    Args:
        first: int64 (rows,), the weights u of the rows that read one input, units of 2^-24, modulus at most 2^24.
        side: 1 for the rows with u > 0, -1 for those with u < 0.
        epsilon: tolerance of the subset sums, > 0.
        window: R > 0, finite.

    Returns:
        A number in [0, 1].

    Raises:
        TypeError: the weights are not int64.
        ValueError: wrong shape, a weight beyond modulus 1, or another argument outside its range.

    >>> round(failure_given_first_layer(np.full(40, 2**24), 1, epsilon=0.1), 5)
    0.00805
    """
    if not isinstance(first, np.ndarray) or first.dtype != np.int64:
        raise TypeError(f"first-layer weights must be an int64 array in units of 2^-24; got {type(first).__name__}")
    if first.ndim != 1 or (first < -(1 << WEIGHT_EXPONENT)).any() or (first > 1 << WEIGHT_EXPONENT).any():
        raise ValueError(f"need weights of shape (rows,) and modulus at most 2^24; got shape {first.shape}")
    if side not in (1, -1) or not (math.isfinite(window) and window > 0 and math.isfinite(epsilon) and epsilon > 0):
        raise ValueError(f"need side 1 or -1, finite epsilon > 0 and window > 0; got {side}, {epsilon} and {window}")
    R = Fraction(window)
    sizes = [Fraction(int(side * u), 1 << WEIGHT_EXPONENT) for u in first if side * u > 0]
    tolerance = Fraction(epsilon) - sum(sizes, Fraction(0)) / (1 << WEIGHT_EXPONENT)
    if tolerance <= 0:
        return 1.0
    bound = fraction_up(8 * R**2 / tolerance**2)
    for size in sizes:
        bound = up(bound * fraction_up(1 - min(R / size, Fraction(1, 2), size / (2 * R)) / 2))
    return min(bound, 1.0)


# 3. Measure -----------------------------------------------------------------------------------------------------------


def covered_lengths(samples: NDArray[np.int64], window: int, start: int) -> NDArray[np.int64]:
    """The length of A_t after every sample: A_0 = [-start, start], A_t+1 = (A_t or A_t + X_t+1) within the window.

    Args:
        samples: int64 (n,), modulus at most 2^60, in any unit.
        window: R in the same unit, at most 2^60; the window is [-R, R].
        start: e in the same unit, 0 < e <= R.

    Returns:
        int64 (n + 1,), exact; at most twice the window.

    Raises:
        ValueError: wrong shape or dtype, or a number outside its range.

    >>> covered_lengths(np.array([3, -7, 9]), window=10, start=1)
    array([ 2,  4,  8, 13])
    """
    if samples.ndim != 1 or samples.dtype != np.int64:
        raise ValueError(f"samples must be int64 of shape (n,); got {samples.dtype} of shape {samples.shape}")
    if not 0 < start <= window <= 1 << 60 or (samples < -(1 << 60)).any() or (samples > 1 << 60).any():
        raise ValueError(f"need 0 < start <= window and numbers of modulus at most 2^60; got {start} and {window}")
    low, high = np.array([-start]), np.array([start])
    lengths = [2 * start]
    for sample in samples:
        low = np.concatenate((low, low + sample)).clip(-window, window)
        high = np.concatenate((high, high + sample)).clip(-window, window)
        order = np.argsort(low)
        low, top = low[order], np.maximum.accumulate(high[order])
        first = np.flatnonzero(np.append(True, low[1:] > top[:-1]))
        low, high = low[first], top[np.append(first[1:] - 1, len(top) - 1)]
        lengths.append(int((high - low).sum()))
    return np.array(lengths, dtype=np.int64)
