"""Natale, Ferré, Giambartolomei, Giroire, Mallmann-Trenn (2024), random subset sums of a fixed size k.

Statement.  Let X_1, ..., X_n be i.i.d. with a sum-bounded law: the density f_k of a sum of k has c_l / sqrt(k) <=
            f_k(x) for |x| <= sqrt(k) and f_k <= c_u / sqrt(k) for all k (U[-1, 1] is one, Lemma 1). Theorem 2: for k
            <= n / 2 and n >= c_hyp log2(k / epsilon) / H(k / n), every z in [-sqrt(k), sqrt(k)] has with probability
            at least c_thm a subset of exactly k samples within epsilon. Corollary 1: for n >= c_amp log2(k /
            epsilon)^2 / H(k / n) all these z have one at once, with probability 1 - epsilon. Corollary 2: for k >= 2
            c_amp (log2(k)^2 + 2 log2(k) log2(1 / epsilon)), n >= 2 c_amp log2(1 / epsilon)^2 / H(k / n) is enough.
Kind.       upper. THEOREM_2 and COROLLARY_1, COROLLARY_2 as the paper has them (no value for c_hyp, c_thm, c_amp);
            COVERAGE, FAILURE and FAILURE_STEERED are derived, with every constant; COUNTING is a derived lower bound;
            MISSES_BY_MOMENTS is heuristic.
Source.     NeurIPS 2024, arXiv 2410.14754; check the wording before quoting. Proof of the derived bounds:
            docs/proofs/fixed_size_subset_sum.md, not peer reviewed.
Uses.       lueker1998_subset_sum (its FAILURE, for differences), subset_sum.steering; natale2024_steered has `failure`.
Notation.   c_hyp, c_amp -> C; H binary entropy in bits; k / n -> gamma; m of the proof -> p (pairs); [-R, R] window.
Departs.    FAILURE replaces Corollary 1: n >= 2 k and k of order log(1 / epsilon delta), one logarithm, delta a number
            of its own. Its construction is `slth.subset_sum.steered`. Other laws and sharper numbers are in
            `slth.theorems.natale2024_steered`. All are for the continuous law; on the grid of 2^-24 a sum of k moves
            by at most k 2^-24.
Errata.     The proof of Corollary 1 cuts the samples into r = (4 / c_thm) ln(k / epsilon) blocks and looks for a subset
            of size k inside one, so it needs k to be a share of n / r, not of n (`amplification`): the dense end gamma
            > 1 / r is not covered. For U[-1, 1] the statement survives with other constants, as FAILURE
            covers that end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.bounds import Bound, Direction, Provenance
from slth.references import NATALE2024
from slth.subset_sum import Status, Steered, SubsetSums, covers, steered
from slth.symbols import symbol

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "natale2024_fixed_size"
REFERENCE = NATALE2024

_eps, _n, _k, _C, _gamma = symbol("epsilon"), symbol("n"), symbol("k"), symbol("C"), symbol("gamma")
_delta, _p, _R, _z = symbol("delta"), symbol("p"), symbol("R"), symbol("z")
_entropy = -_gamma * sympy.log(_gamma, 2) - (1 - _gamma) * sympy.log(1 - _gamma, 2)


def sum_density(k: int, x: Fraction) -> Fraction:
    """The density at x of the sum of k independent U[-1, 1], exactly (Irwin and Hall).

    Args:
        k: number of terms, >= 1.
        x: a rational number.

    Raises:
        ValueError: k < 1.

    >>> sum_density(2, Fraction(0)), sum_density(3, Fraction(1))
    (Fraction(1, 2), Fraction(1, 4))
    """
    if k < 1:
        raise ValueError(f"a sum has k >= 1 terms; got {k}")
    y = (x + k) / 2  # the sum of k uniform numbers of [0, 1]
    if not 0 <= y <= k:
        return Fraction(0)
    terms = ((-1) ** j * math.comb(k, j) * (y - j) ** (k - 1) for j in range(math.floor(y) + 1) if y > j or k == 1)
    return sum(terms, Fraction(0)) / (2 * math.factorial(k - 1)) if k > 1 else Fraction(1, 2)


def sum_boundedness(k: int, bits: int = 30) -> tuple[Fraction, Fraction, Fraction]:
    """Lemma 1 for one k: proved ends of sqrt(k) f_k(sqrt(k)), the least on the window, and a proved top of all f_k.

    The density falls in |x|, so the ends come from rational ends of sqrt(k), 2^-bits apart.

    Args:
        k: number of terms, >= 1.
        bits: of the enclosure of sqrt(k), >= 1.

    Returns:
        Ends low <= c_l(k) <= high, and an upper end of c_u(k) = sqrt(k) f_k(0).

    Raises:
        ValueError: k < 1.

    >>> [round(float(value), 4) for value in sum_boundedness(2)]
    [0.2071, 0.2071, 0.7071]
    """
    below = math.isqrt(k << 2 * bits)
    low, high = Fraction(below, 1 << bits), Fraction(below + (below**2 < k << 2 * bits), 1 << bits)
    return low * sum_density(k, high), high * sum_density(k, low), high * sum_density(k, Fraction(0))


# 2. Bound -------------------------------------------------------------------------------------------------------------


def _published(name: str, expression: sympy.Expr, note: str) -> Bound:
    return Bound(name, _n, Direction.UPPER, expression, Provenance.PUBLISHED, REFERENCE, note)


THEOREM_2 = _published(
    "samples by Theorem 2",
    _C * sympy.log(_k / _eps, 2) / _entropy,
    "suffices for one z in [-sqrt(k), sqrt(k)] with probability c_thm > 0; gamma = k / n <= 1/2; C is c_hyp >= 1",
)

COROLLARY_1 = _published(
    "samples by Corollary 1",
    _C * sympy.log(_k / _eps, 2) ** 2 / _entropy,
    "suffices for all z in [-sqrt(k), sqrt(k)] with probability 1 - epsilon; gamma = k / n; C is c_amp = 8 c_hyp / "
    "c_thm; the published proof does not cover gamma > 1 / r, see the errata",
)

COROLLARY_2 = _published(
    "samples by Corollary 2",
    2 * _C * sympy.log(1 / _eps, 2) ** 2 / _entropy,
    "as Corollary 1, for k >= 2 C (log2(k)^2 + 2 log2(k) log2(1 / epsilon)); gamma = k / n",
)

COUNTING = Bound(
    name="samples by counting",
    quantity=_n,
    direction=Direction.LOWER,
    expression=sympy.log(sympy.sqrt(_k) / _eps, 2) / _entropy,
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="n choose k <= 2^(n H(k / n)) intervals of length 2 epsilon have to cover [-sqrt(k), sqrt(k)]; every sample",
)

COVERAGE = Bound(
    name="failure probability of the differences",
    quantity=_delta,
    direction=Direction.UPPER,
    expression=8 / _eps**2 * sympy.Rational(37, 48) ** _p,
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="P(some target of [-1, 1] has no subset sum of p differences X - Y within epsilon), X and Y U[-1, 1]",
)

_floor = sympy.floor(_k / 8)

FAILURE = Bound(
    name="failure probability of all subset sums of size k",
    quantity=_delta,
    direction=Direction.UPPER,
    expression=8 / _eps**2 * sympy.Rational(37, 48) ** _floor + 2 * sympy.exp(-(_k - _floor) / 288),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="P(some z in [-sqrt(k), sqrt(k)] has no subset of size k within epsilon), U[-1, 1], n >= 2 k, k >= 114",
)

FAILURE_STEERED = Bound(
    name="failure probability of all subset sums of size k, p pairs",
    quantity=_delta,
    direction=Direction.UPPER,
    expression=COVERAGE.expression + 2 * sympy.exp(-(sympy.Max(0, (_k - _p) / 3 + 1 - _R) ** 2) / (2 * _k)),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="P(some z in [-R, R] has no subset of size k within epsilon), U[-1, 1], n >= 2 k, any p <= k",
)

MISSES_BY_MOMENTS = Bound(
    name="failure probability by the second moment",
    quantity=_delta,
    direction=Direction.HEURISTIC,
    expression=1 - sympy.sqrt(1 - (_k / _n) ** 2) * sympy.exp(-3 * _z**2 / (_n + _k)),
    provenance=Provenance.HEURISTIC,
    reference=REFERENCE,
    note="limit of the Chebyshev step of Theorem 2 for one z, U[-1, 1]: what c_thm can be; the true value tends to 0",
)


@dataclass(frozen=True)
class Amplification:
    """The amplification step in the published proof of Corollary 1.

    Attributes:
        blocks: r, into which the samples are cut.
        size: samples per block.
        sound: whether a block holds a subset of size k at all.
    """

    blocks: int
    size: int
    sound: bool


def amplification(k: int, gamma: float, epsilon: float, c_hyp: float, c_thm: float) -> Amplification:
    """The blocks of that proof: r = ceil((4 / c_thm) ln(k / epsilon)) blocks of ceil(THEOREM_2) samples.

    Args:
        k: size of the subset.
        gamma: k / n, at most 1/2.
        epsilon: tolerance.
        c_hyp: the constant of Theorem 2, >= 1.
        c_thm: its probability, in (0, 1].

    >>> amplification(50, 0.5, 0.01, c_hyp=1, c_thm=0.3)
    Amplification(blocks=114, size=13, sound=False)
    """
    size = math.ceil(THEOREM_2.evaluate(k=k, gamma=gamma, epsilon=epsilon, C=c_hyp))
    return Amplification(math.ceil(4 / c_thm * math.log(k / epsilon)), size, k <= size)


# 3. Construction ------------------------------------------------------------------------------------------------------


def construct(problem: SubsetSums, k: int, tolerance: int, bound: int, pairs: int | None = None) -> Steered:
    """Subsets of exactly k samples by pairs and steering, the algorithm of the proof; see `slth.subset_sum.steered`.

    Args:
        problem: m instances.
        k: size, from 0 to n.
        tolerance: in units of the problem, >= 0.
        bound: 1 in these units, at least every |sample|.
        pairs: p; by default half of k, at most 34. The proof of FAILURE has k // 8.
    """
    return steered(problem, k, tolerance, bound=bound, pairs=pairs)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def steers(samples: NDArray[np.int64], k: int, pairs: int, window: int, bound: int) -> NDArray[np.bool_]:
    """Whether steering reaches every target of [-window, window] on the samples drawn: L - 1 <= z - T <= U + 1.

    T is the sum of all Y, L and U the sums of the k - p smallest and largest samples of the pool, 1 is the bound.

    Args:
        samples: int64 (m, n); the first 2 p are the pairs X, Y, X, Y, ..., the others the pool.
        k: size, pairs <= k <= n - pairs.
        pairs: p >= 0.
        window: R in the unit of the samples, >= 0.
        bound: at least every |sample|.

    Returns:
        bool (m,), exact. The integral of the steering term over the draws, in place of its bound.

    Raises:
        ValueError: wrong shape or dtype, or a number out of its range.

    >>> steers(np.array([[3, -2, -5, 4, 1, -4, 5, 2]]), k=3, pairs=1, window=5, bound=5)
    array([ True])
    """
    if samples.ndim != 2 or samples.dtype != np.int64:
        raise ValueError(f"samples must be int64 of shape (m, n); got {samples.dtype} of shape {samples.shape}")
    if not (0 <= pairs <= k <= samples.shape[1] - pairs and window >= 0 and bound >= np.abs(samples).max(initial=0)):
        raise ValueError(
            f"need 0 <= pairs <= k <= n - pairs, window >= 0 and a bound of at least every |sample|; got pairs "
            f"{pairs}, k {k}, n {samples.shape[1]}, window {window} and bound {bound}"
        )
    taken = samples[:, 1 : 2 * pairs : 2].sum(axis=1)
    pool = np.sort(samples[:, 2 * pairs :], axis=1)
    low, high = pool[:, : k - pairs].sum(axis=1), pool[:, pool.shape[1] - (k - pairs) :].sum(axis=1)
    reached: NDArray[np.bool_] = (low - bound <= -window - taken) & (window - taken <= high + bound)
    return reached


def guaranteed(
    samples: NDArray[np.int64], k: int, pairs: int, window: int, tolerance: int, bound: int
) -> NDArray[np.bool_]:
    """Whether both steps of the proof succeed on the samples drawn: then every target of the window has its subset.

    `steers`, and the differences of the pairs cover [-bound, bound] within the tolerance (`slth.subset_sum.covers`).

    Args:
        samples: as in `steers`.
        k: size.
        pairs: p >= 1.
        window: R in the unit of the samples.
        tolerance: likewise, >= 0.
        bound: at least every |sample|.

    Returns:
        bool (m,). True is proved for all targets at once; False says nothing about any one target.

    Raises:
        ValueError: as `steers`, or there is no pair.
    """
    reached = steers(samples, k, pairs, window, bound)
    if pairs < 1:
        raise ValueError("need at least one pair: without one there are no differences to cover the window")
    differences = samples[:, : 2 * pairs : 2] - samples[:, 1 : 2 * pairs : 2]
    problem = SubsetSums(differences, np.zeros(len(differences), dtype=np.int64))
    found: NDArray[np.bool_] = reached & (covers(problem, bound, tolerance) == Status.FOUND)
    return found
