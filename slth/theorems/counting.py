"""The number of subsets within epsilon of one target: mean, second moment, limit law, and what follows from them.

Statement.  Let X_1, ..., X_n be independent and symmetric about 0 with E X^2 = q, z a target of order 1, and N the
            number of subsets S with |sum of X_i over S - z| <= epsilon. Given X, N is about its intensity
            lambda(X) = 2^n 2 epsilon phi((z - mu) / s) / s, with mu = sum X_i / 2 and s^2 = sum X_i^2 / 4. Over the
            draws mu / s tends to a standard normal G. So N / E N tends to Y = sqrt(2) exp(-G^2 / 2) as E N grows,
            whatever the law: it never concentrates. The number N_k of subsets of one size concentrates the better the
            smaller k / n is.
Kind.       FAILURE_BY_MOMENTS (upper), FAILURE_BY_MEAN, FAILURE_BY_MEAN_OF_SIZE and ENTROPY (lower) are derived, with
            every constant, for every n; all others are heuristic: they rest on a local central limit without
            constants.
Source.     The project's own; `docs/proofs/ticket_counts.md` has every step, with the test that checks it. Second
            moments of numbers of subset sums are in Lueker (1998), those of one size in Natale et al. (2024).
Uses.       -
Notation.   N -> N_S (number of subsets), q = E X^2, z target, k size, rho = E N^2 / (E N)^2, b = mean log2 N.
Departs.    -
Errata.     N / E N tends to Y only as E N grows; P(N = 0) as a mixed Poisson law is heuristic also in the limit.
"""

from __future__ import annotations

import math

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from slth.bounds import Bound, Direction, Provenance
from slth.references import LUEKER1998, NATALE2024, Reference
from slth.symbols import symbol

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "counting"
REFERENCE = LUEKER1998

_n, _k, _q, _z = symbol("n"), symbol("k"), symbol("q"), symbol("z")
_eps, _delta, _rho, _count, _bits = symbol("epsilon"), symbol("delta"), symbol("rho"), symbol("N_S"), symbol("b")
_share = _k / _n
_entropy = -_share * sympy.log(_share, 2) - (1 - _share) * sympy.log(1 - _share, 2)
_step = sympy.Rational(1, 2**24)


def _heuristic(name: str, quantity: sympy.Symbol, value: sympy.Expr, paper: Reference, note: str) -> Bound:
    return Bound(name, quantity, Direction.HEURISTIC, value, Provenance.HEURISTIC, paper, note)


# 2. Bound -------------------------------------------------------------------------------------------------------------

_density = sympy.exp(-(_z**2) / (_n * _q)) / sympy.sqrt(sympy.pi * _n * _q)

MEAN = _heuristic(
    "mean number of subsets within epsilon",
    _count,
    2**_n * 2 * _eps * _density,
    LUEKER1998,
    "E N over the draws of X, symmetric with E X^2 = q; one target z",
)

SECOND_MOMENT = _heuristic(
    "second-moment ratio of the number of subsets",
    _rho,
    2 / sympy.sqrt(3),
    LUEKER1998,
    "limit of E N^2 / (E N)^2 as n and E N grow, z fixed; so FAILURE_BY_MOMENTS tends to 1 - sqrt(3) / 2, not to 0",
)

SECOND_MOMENT_OF_SIZE = _heuristic(
    "second-moment ratio of the number of subsets of size k",
    _rho,
    1 / sympy.sqrt(1 - _share**2),
    NATALE2024,
    "limit as n and E N_k grow at fixed k / n below 1, z fixed",
)

LOG_RATIO = 0.5 - 0.5 / math.log(2)
"""E log2 Y = -0.2213..., the distance of the mean log2 N from log2 E N."""

MEAN_BITS = _heuristic(
    "mean log2 of the number of subsets within epsilon",
    _bits,
    _n + sympy.log(2 * _eps * _density, 2) + sympy.Rational(1, 2) - 1 / (2 * sympy.log(2)),
    LUEKER1998,
    "log2 E N - 0.221 where E N is large: one bit more per candidate",
)

TOLERANCE_OF_SIZE = _heuristic(
    "tolerance that subsets of size k reach",
    _eps,
    sympy.exp(_z**2 / (2 * _k * _q)) * sympy.pi * _k * sympy.sqrt(_q * (1 - _share)) * 2 ** (-_n * _entropy),
    NATALE2024,
    "entropy law, E N_k = 1: n H(k / n) = log2(1 / 2 epsilon) + log2(2 pi k q) / 2 + log2(2 pi k (1 - k / n)) / 2",
)

FAILURE_BY_MOMENTS = Bound(
    name="failure probability by the second moment",
    quantity=_delta,
    direction=Direction.UPPER,
    expression=1 - 1 / _rho,
    provenance=Provenance.DERIVED,
    reference=LUEKER1998,
    note="P(N = 0) for any random number N >= 0 with 0 < E N^2 < infinity (Cauchy and Schwarz)",
)

FAILURE_BY_MEAN = Bound(
    name="failure probability by the mean",
    quantity=_delta,
    direction=Direction.LOWER,
    expression=1 - (2**_n - 1) * (_eps + _step),
    provenance=Provenance.DERIVED,
    reference=LUEKER1998,
    note="P(N = 0) for one target with |z| > epsilon, U[-1, 1] on its grid of 2^-24",
)

FAILURE_BY_MEAN_OF_SIZE = Bound(
    name="failure probability by the mean, subsets of size k",
    quantity=_delta,
    direction=Direction.LOWER,
    expression=1 - 2 ** (_n * _entropy) * (_eps + _step),
    provenance=Provenance.DERIVED,
    reference=NATALE2024,
    note="P(N_k = 0) for one target, U[-1, 1] on its grid of 2^-24, 0 < k < n",
)

ENTROPY = Bound(
    name="tolerance that subsets of size k cannot pass",
    quantity=_eps,
    direction=Direction.LOWER,
    expression=(1 - _delta) * 2 ** (-_n * _entropy) - _step,
    provenance=Provenance.DERIVED,
    reference=NATALE2024,
    note="FAILURE_BY_MEAN_OF_SIZE solved for epsilon: n H(k / n) >= log2((1 - delta) / (epsilon + 2^-24))",
)

# 3. Measure -----------------------------------------------------------------------------------------------------------


def log2_intensity(samples: ArrayLike, epsilon: float, target: ArrayLike) -> NDArray[np.float64]:
    """log2 lambda(X): the number of subsets that the local central limit expects, given the samples (heuristic).

    Args:
        samples: X, shape (..., n), not all 0 in a row.
        epsilon: tolerance, > 0.
        target: z, of the leading shape of the samples, or one number.

    Returns:
        float64 of the leading shape; any n, as nothing is exponentiated.

    Raises:
        ValueError: epsilon is not positive, or a row of samples is 0.

    >>> round(float(log2_intensity([1.0] * 16, 0.5, 8.0)), 2), round(math.log2(math.comb(16, 8)), 2)
    (13.67, 13.65)
    """
    values = np.asarray(samples, dtype=np.float64)
    deviations = np.sqrt((values**2).sum(axis=-1)) / 2
    if not (epsilon > 0 and (deviations > 0).all()):
        raise ValueError(f"need epsilon > 0 and no row of zeros; got epsilon {epsilon} and samples {samples!r:.60}")
    away = (np.asarray(target) - values.sum(axis=-1) / 2) / deviations
    height = 2 * epsilon / (math.sqrt(2 * math.pi) * deviations)
    return values.shape[-1] + np.log2(height) - away**2 / (2 * math.log(2))


def mean_of_size(n: int, k: int, epsilon: float, q: float, target: float) -> float:
    """E N_k by the central limit: C(n, k) 2 epsilon (2 pi k q)^(-1/2) exp(-z^2 / (2 k q)) (heuristic).

    Args:
        n: number of samples.
        k: size, from 1 to n.
        epsilon: tolerance.
        q: E X^2 > 0.
        target: z.

    Raises:
        ValueError: k is not from 1 to n.

    >>> round(mean_of_size(18, 5, 0.01, 1 / 3, 0.25), 1)
    52.0
    """
    if not 1 <= k <= n:
        raise ValueError(f"the law of subsets of one size needs 1 <= k <= n; got k = {k}, n = {n}")
    return math.comb(n, k) * 2 * epsilon * math.exp(-(target**2) / (2 * k * q)) / math.sqrt(2 * math.pi * k * q)


def ratio_below(level: float) -> float:
    """P(Y <= level) for Y = sqrt(2) exp(-G^2 / 2): erfc(sqrt(ln(sqrt(2) / level))), and 1 from sqrt(2) on.

    Raises:
        ValueError: the level is not positive.

    >>> ratio_below(1.5), round(ratio_below(1.0), 4)
    (1.0, 0.4051)
    """
    if not level > 0:
        raise ValueError(f"the level of N / E N must be positive; got {level}")
    return math.erfc(math.sqrt(math.log(math.sqrt(2) / level))) if level < math.sqrt(2) else 1.0


def absence_chance(peak: ArrayLike, shift: ArrayLike = 0.0) -> NDArray[np.float64]:
    """E exp(-peak exp(-(shift - G)^2 / 2)): P(N = 0) if N given X were Poisson with mean lambda(X) (heuristic).

    Args:
        peak: 2^n 2 epsilon / (s sqrt(2 pi)), the intensity at the centre of the subset sums, >= 0.
        shift: z / s, how many standard deviations of a subset sum the target is away from 0.

    Returns:
        float64 of the common shape of the arguments.

    >>> absence_chance([0.0, 1.0, 100.0]).round(4)
    array([1.    , 0.5139, 0.0025])
    """
    # The trapezoidal rule on a smooth function that vanishes at both ends is exact to rounding.
    g = np.linspace(-12.0, 12.0, 4801)
    weights = np.exp(-(g**2) / 2) / math.sqrt(2 * math.pi) * (g[1] - g[0])
    away = np.asarray(shift, dtype=np.float64)[..., None] - g
    return np.asarray((weights * np.exp(-np.asarray(peak)[..., None] * np.exp(-(away**2) / 2))).sum(axis=-1))


def mixed_poisson_zero(mean: float) -> float:
    """E exp(-Y mean): P(N = 0) if N given the samples were Poisson with mean Y E N (heuristic).

    >>> round(mixed_poisson_zero(0.0), 12), round(mixed_poisson_zero(12.0), 4)
    (1.0, 0.0189)
    """
    return float(absence_chance(math.sqrt(2) * mean))


def moment_ratio(counts: ArrayLike) -> float:
    """E N^2 / (E N)^2 of observed numbers: at least 1, and 1 - 1 / ratio is at least the share of zeros, exactly.

    Raises:
        ValueError: all numbers are 0.

    >>> moment_ratio([0, 2])
    2.0
    """
    values = np.asarray(counts, dtype=np.float64)
    if not values.any():
        raise ValueError("the second-moment ratio needs a positive number; all counts are 0: take a larger epsilon")
    return float((values**2).mean() / values.mean() ** 2)
