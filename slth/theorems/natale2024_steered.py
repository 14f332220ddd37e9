"""Subsets of a fixed size by pairs and steering: the failure probability in numbers, for any law of a certain shape.

Kind.       upper, derived, with every constant: the repair of Corollary 1 of Natale et al. (2024, arXiv 2410.14754).
            FAILURE_STEERED in `slth.theorems.natale2024_fixed_size` is its closed form for U[-1, 1].
Proof.      docs/proofs/fixed_size_subset_sum.md, not peer reviewed.
Notation.   n samples, k size of the subsets, p pairs (X, Y) of which one is taken, [-R, R] window of the targets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Pool:
    """What the proof needs of a law on [-1, 1], symmetric about 0, with a density that falls in |x|.

    Attributes:
        drift: a drift constant of X - Y for the window [-1, 1], from below.
        means: E of the largest of g samples, for g = 1, 2, ...
        variances: its variances; the first is E X^2.
    """

    drift: Fraction
    means: tuple[Fraction, ...]
    variances: tuple[Fraction, ...]


LARGEST_GROUP = 16
"""Samples of the pool per sample that steering takes, in the proof: more are not used."""

_groups = range(1, LARGEST_GROUP + 1)

UNIFORM = Pool(
    Fraction(11, 24),
    tuple(Fraction(g - 1, g + 1) for g in _groups),
    tuple(Fraction(4 * g, (g + 1) ** 2 * (g + 2)) for g in _groups),
)


def _product_pool() -> Pool:
    """Exact moments of the largest of g products u v, with distribution function 1/2 + h(x), h = (x - x ln x) / 2."""

    def integral(power: int, extra: int) -> Fraction:
        """Of x^extra h^power over [0, 1]."""
        at = power + extra + 1
        terms = (Fraction(math.perm(power, i), at ** (i + 1)) for i in range(power + 1))
        return sum(terms, Fraction(0)) / 2**power

    means, variances = [], []
    for g in range(1, LARGEST_GROUP + 1):
        even = [Fraction(2 * math.comb(g, j), 2 ** (g - j)) * integral(j, 0) for j in range(0, g + 1, 2)]
        odd = [Fraction(4 * math.comb(g, j), 2 ** (g - j)) * integral(j, 1) for j in range(1, g + 1, 2)]
        means.append(1 - sum(even, Fraction(0)))
        variances.append(1 - sum(odd, Fraction(0)) - means[-1] ** 2)
    return Pool(Fraction(69, 200), tuple(means), tuple(variances))


PRODUCTS = _product_pool()
"""Products of two U[-1, 1]. The difference of two has drift constant 0.3453... for [-1, 1]; 69/200 is below it."""


def failure(
    epsilon: ArrayLike, n: ArrayLike, k: ArrayLike, pairs: ArrayLike, window: float = 1.0, pool: Pool = UNIFORM
) -> NDArray[np.float64]:
    """P(some z of the window has no subset of k of the n samples within epsilon), an upper bound for any law of `Pool`.

    FAILURE_STEERED with Bernstein's inequality beside Hoeffding's, and with the largest of g = (n - 2 p) // (k - p)
    samples where there are more than two for each one taken.

    Args:
        epsilon: tolerance, > 0; arrays broadcast.
        n: number of samples.
        k: size, 1 <= k <= n / 2.
        pairs: p, 0 <= p <= k.
        window: R >= 0.
        pool: the law of the samples.

    Returns:
        float64 of the broadcast shape, at most 1, with a margin of 1e-9 for rounding.

    Raises:
        ValueError: a number is out of its range.

    >>> failure(0.01, 432, 216, 55, 216**0.5).round(3)
    np.float64(0.049)
    """
    eps, n, k, p = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (epsilon, n, k, pairs)))
    if not ((eps > 0) & (k >= 1) & (2 * k <= n) & (p >= 0) & (p <= k)).all() or not window >= 0:
        raise ValueError("need epsilon > 0, 1 <= k <= n / 2, 0 <= pairs <= k and window >= 0")
    means, variances = (np.array(values, dtype=np.float64) for values in (pool.means, pool.variances))
    walked = k - p
    groups = np.clip((n - 2 * p) // np.maximum(walked, 1), 1, len(means)).astype(np.int64) - 1
    reach = np.maximum(walked * means[groups] + 1 - window, 0.0)
    spread = walked * variances[groups] + p * variances[0] + (1 + means[groups]) * reach / 3
    steering = 2 * np.exp(-(reach**2) / (2 * np.minimum(k, spread)))
    coverage = np.exp(np.minimum(0.0, math.log(8) - 2 * np.log(eps) + p * math.log1p(-float(pool.drift) / 2)))
    return np.asarray(np.minimum(1.0, (coverage + steering) * (1 + 1e-9)))


def least_failure(
    epsilon: ArrayLike, n: ArrayLike, k: ArrayLike, window: float = 1.0, pool: Pool = UNIFORM
) -> NDArray[np.float64]:
    """`failure` with the best number of pairs for each entry; 1 where 2 k > n or k < 1."""
    eps, n, k = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (epsilon, n, k)))
    found = np.ones(n.shape)
    usable = (k >= 1) & (2 * k <= n)
    for p in np.unique(np.linspace(0, k.max(initial=0), 65).astype(np.int64)):
        here = usable & (k >= p)
        if here.any():
            found[here] = np.minimum(found[here], failure(eps[here], n[here], k[here], p, window, pool))
    return found


def size_that_suffices(
    epsilon: float, delta: float, window: Callable[[float], float] = math.sqrt, pool: Pool = UNIFORM
) -> int:
    """A k, by bisection, with `least_failure` <= delta for n = 2 k samples, and above it at k - 1.

    Args:
        epsilon: tolerance, > 0.
        delta: in (0, 1).
        window: half the length of the window as a function of k; by default the paper's sqrt(k).
        pool: the law of the samples.

    Raises:
        ValueError: a number is out of its range.

    >>> size_that_suffices(0.01, 0.1)
    143
    """
    if not (epsilon > 0 and 0 < delta < 1):
        raise ValueError(f"need epsilon > 0 and delta strictly between 0 and 1; got {epsilon} and {delta}")
    high = 1
    while least_failure(epsilon, 2 * high, high, window(high), pool) > delta:
        high *= 2
    low = high // 2
    while high - low > 1:
        k = (low + high) // 2
        low, high = (low, k) if least_failure(epsilon, 2 * k, k, window(k), pool) <= delta else (k, high)
    return high
