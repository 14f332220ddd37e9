"""Lueker (1998), random subset sums: n = O(log(1 / epsilon)) samples reach every target of a window at once.

Statement.  Let X_1, ..., X_n be independent with law U[-1, 1]. There is a universal constant C such that, for
            n >= C log2(2 / epsilon), with probability at least 1 - epsilon, every z in [-1/2, 1/2] has a
            subset S with |z - sum of X_i over S| <= epsilon (Corollary 2.5). The same holds for every law that
            contains a uniform one with weight p, with C depending on p (Corollary 3.3).
Kind.       upper for LUEKER and LUEKER_MIXTURE (restated, no value for C) and for FAILURE, CANDIDATES and
            TOLERANCE with their uniform forms (derived, every constant explicit); lower for FLOOR and the
            COUNTING bounds (derived); MEDIAN_ERROR, SAMPLES_FOR_90_PERCENT and `expected_failure` are heuristic.
Source.     Random Structures & Algorithms 12 (1998), 51-62, restated from memory of the paper; check before
            quoting. Later papers (arXiv 2006.07990, 2410.14754) use it like this. The proof of the derived bounds,
            docs/proofs/random_subset_sum.md, follows the covered share of da Cunha et al. (2023, arXiv
            2204.13929), with the drift constant 1/2 in place of their 1/4. Not peer reviewed.
Uses.       slth.laws for the drift constants.
Notation.   epsilon tolerance, delta failure probability, n samples, [-R, R] window of the targets, m drift
            constant of the law for the window (U[-1, 1]: 1/2 for R from 1/2 to 1), v covered share, q = E
            X^2, z one target.
Departs.    Lueker's failure probability is epsilon itself; here delta is a number of its own. Any window and
            any law with a drift constant. FAILURE, CANDIDATES and TOLERANCE with U[-1, 1] mean the continuous law; for
            random weights on the grid of 2^-24 see `slth.theorems.grid_law`.
Errata.     C has no value. Corollary 3.3 is another statement than Corollary 2.5.

Sketch of the proof.  Let A_0 = [-e, e] with e = epsilon / 2, A_t+1 = (A_t or A_t + X_t+1) within [-R, R], and v_t
the share of [-R, R] in A_t. Every point of A_t is within e of a subset sum. (1) Drift: E v_t+1 >= v_t + m v_t (1 -
v_t). (2) Potential: phi(v) = 1 / v - 1 is convex and v_t+1 - v_t <= min(v_t, 1 - v_t), so the chord gives E
phi(v_t+1) <= (1 - m / 2) phi(v_t) (`potential_factor`). (3) A failure leaves a hole of measure at least e, and Markov
gives P <= phi(v_0) / phi(1 - e / 2 R) (1 - m / 2)^n <= 8 R^2 / epsilon^2 (1 - m / 2)^n.
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

NAME = "lueker1998_subset_sum"
REFERENCE = LUEKER1998

_eps, _delta, _n, _C = symbol("epsilon"), symbol("delta"), symbol("n"), symbol("C")
_R, _m, _z, _q = symbol("R"), symbol("m"), symbol("z"), symbol("q")

LUEKER = Bound(
    name="samples by Lueker's Corollary 2.5",
    quantity=_n,
    direction=Direction.UPPER,
    expression=_C * sympy.log(2 / _eps, 2),
    provenance=Provenance.RESTATED,
    reference=LUEKER1998,
    note="suffices for all targets of [-1/2, 1/2] with probability 1 - epsilon, U[-1, 1]; no value for C is known; "
    "restated from memory of the paper; check before quoting",
)

LUEKER_MIXTURE = Bound(
    name="samples by Lueker's Corollary 3.3",
    quantity=_n,
    direction=Direction.UPPER,
    expression=_C * sympy.log(2 / _eps, 2),
    provenance=Provenance.RESTATED,
    reference=LUEKER1998,
    note="as Corollary 2.5, for laws that contain a uniform one with weight p; C depends on p; restated from memory "
    "of the paper; check before quoting",
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

FLOOR = Bound(
    name="failure probability that no sample size avoids",
    quantity=_delta,
    direction=Direction.LOWER,
    expression=sympy.Min(1, 2 * 2**-_n),
    provenance=Provenance.DERIVED,
    reference=LUEKER1998,
    note="samples of one sign leave the targets of the other; symmetric law without an atom at 0, epsilon < R",
)

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


SAMPLES_FOR_90_PERCENT = Bound(
    name="samples that succeed nine times out of ten",
    quantity=_n,
    direction=Direction.HEURISTIC,
    expression=sympy.Rational(11, 10) * sympy.log(1 / _eps, 2) + 6,
    provenance=Provenance.HEURISTIC,
    reference=LUEKER1998,
    note="rule of thumb for U[-1, 1] and all targets of [-1/2, 1/2] at once; fits measurements within 2 samples",
)


def mixture_drift(weight: Fraction, drift: Fraction) -> Fraction:
    """The drift constant p m of the mixture p U + (1 - p) Q, whatever Q is; U[-1, 1] has m = 1/2.

    The density of the mixture is at least p times that of U, and the drift of step (1) grows with the density.

    Args:
        weight: p, the weight of the law with the known drift constant, in [0, 1].
        drift: its drift constant m for the window, in [0, 1].

    Raises:
        ValueError: an argument is outside its range.

    >>> mixture_drift(Fraction(1, 2), Fraction(1, 2))
    Fraction(1, 4)
    """
    if not (0 <= weight <= 1 and 0 <= drift <= 1):
        raise ValueError(f"need a weight and a drift constant from 0 to 1; got {weight} and {drift}")
    return weight * drift


def expected_failure(n: int, epsilon: float, window: float, second_moment: float) -> float:
    """Estimates P(some target of [-window, window] has no subset sum within epsilon); HEURISTIC, proves nothing.

    Given the samples, subset sums are taken as points of a Poisson process of density rho(z) = 2^n normal(z; Z s, s^2),
    s^2 = n q / 4, with Z standard normal for the random total: E_Z of 1 - exp(-integral of rho e^(-2 epsilon rho)).
    Right within a factor of 2.2 where it is above 0.05, too small below: samples of few signs are missing from it.

    Args:
        n: number of samples, >= 1.
        epsilon: tolerance, > 0.
        window: R > 0.
        second_moment: q = E X^2 > 0 of a law that is symmetric about 0.

    Raises:
        ValueError: an argument is outside its range.

    >>> round(expected_failure(15, 2.0**-8, 0.5, 1 / 3), 4)
    0.0448
    """
    if not (n >= 1 and epsilon > 0 and window > 0 and second_moment > 0):
        raise ValueError(
            "need n >= 1 and positive epsilon, window and second moment; got "
            f"{n}, {epsilon}, {window} and {second_moment}"
        )
    spread = np.sqrt(n * second_moment) / 2
    tilts, tilt_weights = np.polynomial.hermite_e.hermegauss(80)
    nodes, node_weights = np.polynomial.legendre.leggauss(80)
    distance = window * nodes / spread - tilts[:, None]
    density = np.exp(n * np.log(2) - distance**2 / 2) / (np.sqrt(2 * np.pi) * spread)
    holes = window * (density * np.exp(-2 * epsilon * density)) @ node_weights
    return float(1 - np.exp(-holes) @ tilt_weights / tilt_weights.sum())


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
