"""Overparameterisation against density (Natale et al. 2024, arXiv 2410.14754, Figure 1), as arrays to plot.

Statement.  A target with m parameters and equal widths, epsilon / (2 m) per weight, n samples per instance and subsets
            of k of them: the source has 4 n times the parameters of the target, and its tickets density gamma = k / n.
Kind.       PAPER points are published with the symbol C; the counting curve is a lower end (derived, exact, per weight
            and for every sample); the steered curve is an upper end (derived, with every constant); the points of
            Malach et al. and Pensia et al. are the orders that the paper draws, without constants.
Notation.   parameters m_t, n samples per instance, k size, t = epsilon / (2 m_t) tolerance of one weight.
Departs.    The curves take U[-1, 1] samples and all targets of [-sqrt(k), sqrt(k)], as the paper's Corollary 1 does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.theorems.natale2024_steered import size_that_suffices

Floats = NDArray[np.float64]

PARAMETERS_PER_SAMPLE = 4
"""Parameters of the source over those of the target, per sample: two matrices, two sides, equal widths."""

LARGEST = 1e300
"""Numbers of samples beyond this count as infinite."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Numbers of samples for subsets of given sizes.

    Attributes:
        sizes: k, float64 (points,).
        samples: n, real numbers, infinite where there is none below 1e300.
    """

    sizes: Floats
    samples: Floats

    @property
    def density(self) -> Floats:
        """gamma = k / n."""
        return self.sizes / self.samples

    @property
    def overparameterisation(self) -> Floats:
        """Parameters of the source over those of the target, 4 n."""
        return PARAMETERS_PER_SAMPLE * self.samples


def tolerance(parameters: float, epsilon: float) -> float:
    """The paper's tolerance of one weight, epsilon / (2 m_t).

    Raises:
        ValueError: fewer than one parameter or epsilon not positive.
    """
    if not (parameters >= 1 and 0 < epsilon < math.inf):
        raise ValueError(f"need at least one parameter and a finite epsilon > 0; got {parameters} and {epsilon}")
    return epsilon / (2 * parameters)


def counting_curve(sizes: ArrayLike, within: float) -> Curve:
    """The least real n >= 2 k with n choose k >= sqrt(k) / t: no sample of fewer covers [-sqrt(k), sqrt(k)].

    For integers k the binomial of a real n is the product of (n - i) / (k - i), the ratio of gamma functions without
    their cancellation.

    Args:
        sizes: k, integers >= 1.
        within: t > 0.

    Raises:
        ValueError: a number is out of its range.

    >>> counting_curve([2, 3, 8], 5e-7).samples.round(1)
    array([2378.9,  275.9,   29.9])
    """
    sizes = _checked_sizes(sizes)
    if not within > 0:
        raise ValueError(f"the tolerance must be positive; got {within}")
    wanted = np.log(sizes) / 2 - math.log(within)

    def enough(n: Floats) -> NDArray[np.bool_]:
        factors = np.arange(int(sizes.max()))
        inside = factors < sizes[:, None]
        terms = np.where(inside, n[:, None] - factors, 1.0) / np.where(inside, sizes[:, None] - factors, 1.0)
        found: NDArray[np.bool_] = np.log(terms).sum(axis=1) >= wanted
        return found

    return Curve(sizes, _least(enough, 2 * sizes))


def counting_closed_form(sizes: ArrayLike, within: float) -> Curve:
    """The closed form n = (k! sqrt(k) / t)^(1/k) + (k - 1) / 2 of the counting curve, for n well above k.

    >>> counting_closed_form([2, 3, 8], 5e-7).samples.round(1)
    array([2378.9,  275.9,   29.8])
    """
    sizes = _checked_sizes(sizes)
    logarithms = np.array([math.lgamma(k + 1) for k in sizes]) + np.log(sizes) / 2 - math.log(within)
    return Curve(sizes, np.exp(logarithms / sizes) + (sizes - 1) / 2)


def paper_curve(sizes: ArrayLike, parameters: float, epsilon: float, C: float) -> Curve:
    """The fixed point n = C log2(2 m_t gamma n / epsilon)^2 / H(gamma) at gamma n = k; C is c_amp, which has no value.

    At gamma n = k it reads n H(k / n) = C log2(2 m_t k / epsilon)^2, whose left side rises with n: one root.

    Args:
        sizes: k, real numbers >= 1.
        parameters: m_t >= 1.
        epsilon: > 0.
        C: the constant, > 0.

    Raises:
        ValueError: a number is out of its range.

    >>> curve = paper_curve([441, 442, 500], 10_000, 0.01, C=1.0)
    >>> curve.samples.round(1), curve.density.round(3)
    (array([ 883.1,  884. , 1000. ]), array([0.499, 0.5  , 0.5  ]))
    """
    sizes = _checked_sizes(sizes, whole=False)
    if not C > 0:
        raise ValueError(f"the universal constant C must be positive; got {C}")
    wanted = C * np.log2(sizes / tolerance(parameters, epsilon)) ** 2

    def enough(n: Floats) -> NDArray[np.bool_]:
        share = sizes / n
        bits = sizes * np.log2(n / sizes) - (n - sizes) * np.log1p(-share) / math.log(2)
        found: NDArray[np.bool_] = bits >= wanted
        return found

    return Curve(sizes, _least(enough, 2 * sizes))


def steered_curve(densities: ArrayLike, within: float, delta: float) -> Curve:
    """What is proved here (`slth.theorems.natale2024_steered`): n = k / gamma, one logarithm, every constant.

    Args:
        densities: gamma in (0, 1/2].
        within: t > 0.
        delta: failure probability of one instance for all its targets, in (0, 1).

    Raises:
        ValueError: a number is out of its range.
    """
    shares = np.atleast_1d(np.asarray(densities, dtype=np.float64))
    if not ((shares > 0) & (shares <= 0.5)).all():
        raise ValueError("densities must lie in (0, 1/2]")
    sizes = np.full(shares.shape, float(size_that_suffices(within, delta)))
    return Curve(sizes, sizes / shares)


def malach_point(parameters: float, epsilon: float) -> tuple[float, float]:
    """(density, overparameterisation) of Malach et al. (2020) as the paper draws it, without constants.

    >>> malach_point(10_000, 0.01)[0]
    1e-12
    """
    ratio = 2 * tolerance(parameters, epsilon)
    return ratio**2, -math.log2(ratio) / ratio**2


def pensia_point(parameters: float, epsilon: float, C: float) -> tuple[float, float]:
    """(density, overparameterisation) of Pensia et al. (2020): half is kept, 4 C log2(m_t / epsilon)."""
    return 0.5, -PARAMETERS_PER_SAMPLE * C * math.log2(2 * tolerance(parameters, epsilon))


def _checked_sizes(sizes: ArrayLike, whole: bool = True) -> Floats:
    array = np.atleast_1d(np.asarray(sizes, dtype=np.float64))
    if not (np.isfinite(array) & (array >= 1) & ((array == np.rint(array)) | (not whole))).all() or array.ndim != 1:
        raise ValueError("sizes must be a list of numbers k >= 1, whole numbers for counting")
    return array


def _least(enough: Callable[[Floats], NDArray[np.bool_]], low: Floats) -> Floats:
    """The least n >= low, to about 1e-15 relative, with enough(n), which holds from one n on; infinite beyond 1e300."""
    bottom, top = np.log(low), np.full(low.shape, math.log(LARGEST))
    for _ in range(80):
        middle = (bottom + top) / 2
        good = enough(np.exp(middle))
        bottom, top = np.where(good, bottom, middle), np.where(good, middle, top)
    found = np.where(enough(low), low, np.exp(top))
    return np.where(enough(np.full(low.shape, LARGEST)) | enough(low), found, np.inf)
