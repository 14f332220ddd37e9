"""Lueker (1998), random subset sums: n = O(log(1 / epsilon)) samples reach every target of a window at once.

Statement.  Let X_1, ..., X_n be independent with law U[-1, 1]. There is a universal constant C such that, for
            n >= C log2(2 / epsilon), with probability at least 1 - epsilon, every z in [-1/2, 1/2] has a
            subset S with |z - sum of X_i over S| <= epsilon.
Kind.       upper for LUEKER (restated, no value for C) and for FAILURE, CANDIDATES and TOLERANCE with their
            uniform forms (derived, every constant explicit); lower for the COUNTING bounds (derived,
            deterministic); MEDIAN_ERROR is heuristic.
Source.     Random Structures & Algorithms 12 (1998), 51-62, Corollary 2.5, in the form in which later papers
            use it (arXiv 2006.07990, arXiv 2410.14754); check the wording before quoting. The proof below
            follows the covered share of da Cunha et al. (2023, arXiv 2204.13929), with the drift constant 1/2
            in place of their 1/4.
Uses.       slth.laws for the drift constants.
Notation.   epsilon tolerance, delta failure probability, n samples, [-R, R] window of the targets, m drift
            constant of the law for the window (U[-1, 1]: 1/2 for R from 1/2 to 1), v covered share, q = E
            X^2, z one target.
Departs.    Lueker's failure probability is epsilon itself; here delta is a number of its own. Any window and
            any law with a drift constant. The law on the grid is within 2^-24 of the continuous one
            (weights), so subset sums of n products move by at most n 2^-23.
Errata.     C has no value. Corollary 3.3 (laws that contain a uniform one) is another statement.

Proof of the derived bounds.  Let A_0 = [-e, e] with e = epsilon / 2, A_t+1 = (A_t or A_t + X_t+1) within [-R,
R], and v_t the share of [-R, R] in A_t. Every point of A_t is within e of a subset sum.
(1) Drift: E[v_t+1 | A_t] >= v_t + m v_t (1 - v_t), for a law that is symmetric with a density k(|x| / R) / R
    that falls in |x|. Let J_a be the measure of the pairs of the window (scaled to [-1, 1]), at distance up
    to a, of which exactly one is in A. J_1 >= 2 v (1 - v) by folding [-1, 0] onto [0, 1]. G_h, its
    derivative, is subadditive, so J_a / a^2 falls and J_a >= 2 a^2 v (1 - v) for a <= 1; for a in [1, 2], J_a
    >= 2 a v (1 - v) by the same folding of the two end blocks. A density that falls is a mixture of
    indicators [x <= a], so m = integral of 2 a k(a) over [0, 1] plus integral of k(a) over [1, 2].
(2) Potential: phi(v) = 1 / v - 1 is convex and falls, and 0 <= v_t+1 - v_t <= min(v, 1 - v). The chord gives
    E phi(v_t+1) <= phi(v_t) (1 - m v / (v + min(v, 1 - v))) <= (1 - m / 2) phi(v_t)     (`potential_factor`).
(3) If every hole has measure below epsilon / 2, every target is within epsilon of a subset sum. So failure
    means phi(v_n) >= (e / 2 R) / (1 - e / 2 R), and by Markov P <= (R / e) (2 R / e) (1 - m / 2)^n = 8 R^2 /
    epsilon^2 (1 - m / 2)^n.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.bounds import Bound, Direction, Provenance
from slth.references import DACUNHA2023, LUEKER1998
from slth.symbols import symbol

# 1. Statement -----------------------------------------------------------------------------------------------

REFERENCE = LUEKER1998

_eps, _delta, _n, _C = symbol("epsilon"), symbol("delta"), symbol("n"), symbol("C")
_R, _m, _z, _q = symbol("R"), symbol("m"), symbol("z"), symbol("q")

LUEKER = Bound(
    name="samples by Lueker's corollary",
    quantity=_n,
    direction=Direction.UPPER,
    expression=_C * sympy.log(2 / _eps, 2),
    provenance=Provenance.RESTATED,
    reference=LUEKER1998,
    note="suffices for all targets of [-1/2, 1/2] with probability 1 - epsilon, U[-1, 1]; no value for C is known",
)

# 2. Bound ---------------------------------------------------------------------------------------------------

FAILURE = Bound(
    name="failure probability of the subset sums",
    quantity=_delta,
    direction=Direction.UPPER,
    expression=8 * _R**2 / _eps**2 * (1 - _m / 2) ** _n,
    provenance=Provenance.DERIVED,
    reference=DACUNHA2023,
    note="P(some target of [-R, R] has no subset sum within epsilon); samples with drift constant m for R",
)

CANDIDATES = Bound(
    name="samples that suffice",
    quantity=_n,
    direction=Direction.UPPER,
    expression=sympy.log(8 * _R**2 / (_eps**2 * _delta)) / -sympy.log(1 - _m / 2),
    provenance=Provenance.DERIVED,
    reference=DACUNHA2023,
    note="FAILURE solved for n: all targets of [-R, R] at once with probability 1 - delta",
)

TOLERANCE = Bound(
    name="tolerance that is guaranteed",
    quantity=_eps,
    direction=Direction.UPPER,
    expression=_R * sympy.sqrt(8 / _delta) * (1 - _m / 2) ** (_n / 2),
    provenance=Provenance.DERIVED,
    reference=DACUNHA2023,
    note="FAILURE solved for epsilon: the error over all targets of [-R, R] with probability 1 - delta",
)

_HALF = {"R": sympy.Rational(1, 2), "m": sympy.Rational(1, 2)}

FAILURE_UNIFORM = FAILURE.with_values(**_HALF)
"""U[-1, 1], targets in [-1/2, 1/2]: delta <= 2 / epsilon^2 (3/4)^n. There every two points of the window are
within distance 1, so the drift is exact and needs no lemma."""

CANDIDATES_UNIFORM = CANDIDATES.with_values(**_HALF)
"""U[-1, 1], targets in [-1/2, 1/2]: n <= ln(2 / (epsilon^2 delta)) / ln(4/3)."""

TOLERANCE_UNIFORM = TOLERANCE.with_values(**_HALF)
"""U[-1, 1], targets in [-1/2, 1/2]: epsilon <= sqrt(2 / delta) (3/4)^(n/2)."""

COUNTING_CANDIDATES = Bound(
    name="samples that counting asks for",
    quantity=_n,
    direction=Direction.LOWER,
    expression=sympy.log(_R / _eps, 2),
    provenance=Provenance.DERIVED,
    reference=LUEKER1998,
    note="2^n intervals of length 2 epsilon have to cover [-R, R]; holds for every sample, whatever its law",
)

COUNTING_TOLERANCE = Bound(
    name="error that counting allows",
    quantity=_eps,
    direction=Direction.LOWER,
    expression=_R * 2**-_n,
    provenance=Provenance.DERIVED,
    reference=LUEKER1998,
    note="COUNTING_CANDIDATES solved for epsilon: the largest error over [-R, R], for every sample",
)

MEDIAN_ERROR = Bound(
    name="median of the smallest error for one target",
    quantity=_eps,
    direction=Direction.HEURISTIC,
    expression=sympy.log(2) / 2 * 2**-_n * sympy.sqrt(sympy.pi * _n * _q) * sympy.exp(_z**2 / (_n * _q)),
    provenance=Provenance.HEURISTIC,
    reference=LUEKER1998,
    note="subset sums taken as 2^n independent normal values of variance n q / 2; for one target z, not for a window",
)


def potential_factor(share: Fraction, drift: Fraction) -> Fraction:
    """Bound on E phi(v') / phi(v) for one more sample, step (2) of the proof: 1 - m v / (v + min(v, 1 - v)).

    Args:
        share: covered share v, in (0, 1).
        drift: drift constant m, in [0, 1].

    Raises:
        ValueError: an argument is outside its range.

    >>> potential_factor(Fraction(3, 4), Fraction(1, 2))
    Fraction(5, 8)
    """
    if not (0 < share < 1 and 0 <= drift <= 1):
        raise ValueError(
            f"need a share strictly between 0 and 1 and a drift constant from 0 to 1; got {share} and {drift}"
        )
    return 1 - drift * share / (share + min(share, 1 - share))


# 3. Measure -------------------------------------------------------------------------------------------------

MOST_SAMPLES = 24
"""All 2^n subset sums are held at once."""


def worst_error(samples: NDArray[np.int64], window: int) -> tuple[Fraction, tuple[Fraction, ...]]:
    """The largest distance of a target in [-window, window] from the nearest subset sum, exactly.

    Args:
        samples: int64, shape (n,), n <= 24, in any unit.
        window: R in the same unit, a positive integer.

    Returns:
        The distance, and all targets at which it is attained, increasing; both in the unit of the samples.

    Raises:
        ValueError: wrong shape or dtype, too many samples, a window that is not positive, or sums that leave
            int64.

    >>> worst_error(np.array([3, -7, 9, -2, 5]), window=5)
    (Fraction(1, 1), (Fraction(-5, 1), Fraction(-3, 1), Fraction(4, 1)))
    """
    if samples.ndim != 1 or samples.dtype != np.int64:
        raise ValueError(f"samples must be int64 of shape (n,); got {samples.dtype} of shape {samples.shape}")
    if samples.size > MOST_SAMPLES:
        raise ValueError(f"all subset sums of at most {MOST_SAMPLES} samples can be held; got {samples.size} samples")
    if window <= 0 or window + sum(abs(int(x)) for x in samples) >= 1 << 61:
        raise ValueError(
            f"need window > 0 and sums below 2^61; got window {window} and samples up to {np.abs(samples).max()}"
        )
    sums = np.zeros(1, dtype=np.int64)
    for sample in samples:
        sums = np.concatenate((sums, sums + sample))
    sums = np.unique(sums)
    # The distance to the sums has its local maxima at the middles of gaps and at the ends of the window.
    # Twice it and twice the target are integers.
    middles = (sums[1:] + sums[:-1])[np.abs(sums[1:] + sums[:-1]) <= 2 * window]
    targets = np.unique(np.concatenate((middles, np.array([-2 * window, 2 * window]))))
    above = np.searchsorted(2 * sums, targets).clip(1, sums.size - 1) if sums.size > 1 else np.zeros(targets.size, int)
    distances = np.minimum(np.abs(2 * sums[above] - targets), np.abs(targets - 2 * sums[above - 1]))
    worst = int(distances.max())
    return Fraction(worst, 2), tuple(Fraction(int(target), 2) for target in targets[distances == worst])
