"""The laws of random subset sums, measured: the best error, the samples that are needed, how often they fail.

Every function draws its samples from `slth.randomness`, by (seed, trial), and returns frozen rows with exact
intervals. Nothing is redrawn; what stays open is counted as a failure and said to be one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slth.confidence import Interval, binomial_interval, quantile_interval
from slth.experiments.law_samples import Law, draw_samples, grid_exponent, second_moment
from slth.laws import Uniform
from slth.subset_sum import Status, SubsetSums, best, tolerance_on_grid
from slth.subset_sum.coverage import MOST_SUBSETS, covers
from slth.theorems import lueker1998_subset_sum as lueker

GRID_UNITS = 16
"""A median error below so many units of the law's grid would measure the grid."""


@dataclass(frozen=True)
class MedianRow:
    """The best error for one target, over draws of n samples.

    Attributes:
        law: of the samples, in words.
        n: number of samples.
        target: z.
        draws: independent sample sets.
        error: median of min over S of |sum - z|, with an exact interval.
        predicted: `MEDIAN_ERROR` of Lueker (1998), heuristic.
    """

    law: str
    n: int
    target: float
    draws: int
    error: Interval
    predicted: float


@dataclass(frozen=True)
class SmallestRow:
    """How many samples cover all targets of [-window, window] within epsilon, in a share of the draws.

    Attributes:
        law: of the samples, in words.
        k: size of the subsets; None for any.
        window: R.
        epsilon: tolerance.
        draws: independent sample sequences.
        level: share of the draws that is asked for, such as 0.9.
        n: the smallest n that covers in this share of the draws, with the exact interval of the quantile; infinite
            where the sequences were too short.
        success: share of the draws that n samples cover (all `most` of them if n is infinite), with an exact interval;
            n was chosen from the same draws, so the interval of n is the one to quote.
        counting: no sample set below this size can cover (derived, deterministic).
        theorem: so many samples suffice (derived); None for fixed k.
    """

    law: str
    k: int | None
    window: float
    epsilon: float
    draws: int
    level: float
    n: Interval
    success: Interval
    counting: int
    theorem: float | None


@dataclass(frozen=True)
class FailureRow:
    """How often n samples fail to cover all targets of [-window, window] within epsilon.

    Attributes:
        law: of the samples, in words.
        window: R.
        epsilon: tolerance.
        n: number of samples.
        draws: independent sample sequences; all n share them, so rows are dependent, each interval holds by itself.
        failures: draws that n samples do not cover.
        probability: of failure, with an exact interval.
        upper: `FAILURE` of Lueker (1998), at most 1 (derived): 2 / epsilon^2 (3/4)^n for U[-1, 1] and R = 1/2.
        lower: 2^(1 - n), all samples of one sign; 1 where counting proves failure (derived).
        decay: share of the draws that failed with n - 1 samples and fail with n, with an exact interval; the bounds
            decay by 1 - m/2 (3/4 for U[-1, 1], R = 1/2) and 1/2. None if none failed before.
    """

    law: str
    window: float
    epsilon: float
    n: int
    draws: int
    failures: int
    probability: Interval
    upper: float
    lower: float
    decay: Interval | None


def median_errors(
    law: Law = Uniform(),
    ns: Sequence[int] = tuple(range(4, 21)),
    target: float = 0.25,
    draws: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[MedianRow, ...]:
    """Median of the best error for one target against the heuristic law ln 2 / 2 * 2^-n sqrt(pi n q) e^(z^2/(n q)).

    Args:
        law: symmetric about 0.
        ns: numbers of samples, each from 1 to 34 for products, to 20 for U[-1, 1], whose grid is 2^-24.
        target: z, rounded to the grid of the samples; not 0, which the empty subset reaches.
        draws: sample sets per n, independent of those of other n.
        seed: key of the random stream.
        confidence: of the intervals, in (0, 1).

    Returns:
        One row per n.

    Raises:
        ValueError: the law is not symmetric, the target is 0 or not finite, n is so large that the error meets the
            grid of the law, or a number is out of its range.

    >>> row = median_errors(ns=[12], draws=200)[0]
    >>> row.error.low < row.predicted < row.error.high
    True
    """
    q, exponent = second_moment(law), grid_exponent(law)
    if not math.isfinite(target) or target == 0:
        raise ValueError(f"need a finite target other than 0, which the empty subset reaches; got {target}")
    rows = []
    for n in ns:
        predicted = float(lueker.MEDIAN_ERROR.evaluate(n=n, q=q, z=target))
        if math.ldexp(predicted, exponent) < GRID_UNITS:
            raise ValueError(
                f"{n} samples of {law} come within {predicted:g}, which their grid of 2^-{exponent} no "
                "longer resolves: take fewer samples, or a product law, whose grid is 2^-48"
            )
        targets = np.full(draws, round(math.ldexp(target, exponent)), dtype=np.int64)
        answer = best(SubsetSums(draw_samples(law, draws, n, seed, trial=n), targets, exponent))
        error = quantile_interval(np.abs(answer.residual_values), 0.5, confidence)
        rows.append(MedianRow(str(law), n, target, draws, error, predicted))
    return tuple(rows)


def smallest_samples(
    law: Law = Uniform(),
    epsilons: Sequence[float] = (0.1, 0.03, 0.01, 0.003),
    window: float = 0.5,
    k: int | None = None,
    level: float = 0.9,
    draws: int = 100,
    most: int | None = None,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[SmallestRow, ...]:
    """The smallest n for which a share of the draws covers all targets of [-window, window] at once.

    A further sample never uncovers a target, so every sequence of samples has one number from which on it covers,
    and the smallest n is the quantile of these numbers.

    Args:
        law: symmetric about 0.
        epsilons: tolerances, > 0.
        window: R > 0.
        k: only subsets of exactly k samples count; by default all.
        level: share of the draws that has to be covered, in (0, 1).
        draws: sequences of samples, the same for every epsilon.
        most: length of the sequences, at most 28 for any size; by default 22, or for fixed k as many as have at most
            2^22 subsets, up to 120.
        seed: key of the random stream.
        confidence: of the intervals, in (0, 1).

    Returns:
        One row per epsilon.

    Raises:
        ValueError: the law is not symmetric, or a number is out of its range.

    >>> row = smallest_samples(epsilons=[0.1], draws=40)[0]
    >>> row.counting < row.n.estimate < row.theorem
    True
    """
    if most is None:
        most = 22 if not k else max([k] + [n for n in range(k, 121) if math.comb(n, k) <= 1 << 22])
    rows = []
    for epsilon in epsilons:
        times = covering_numbers(law, epsilon, window, draws, most, seed, k)
        n = quantile_interval(times, level, confidence)
        covered = int((times <= min(n.estimate, most)).sum())
        delta = {"delta": 1 - level, "epsilon": epsilon, "R": window, "m": law.drift(window)}
        theorem = None if k is not None else max(0.0, float(lueker.CANDIDATES.evaluate(**delta)))
        success = binomial_interval(covered, draws, confidence)
        counting = _counting(window, epsilon, k)
        rows.append(SmallestRow(str(law), k, window, epsilon, draws, level, n, success, counting, theorem))
    return tuple(rows)


def failure_probabilities(
    law: Law = Uniform(),
    ns: Sequence[int] = tuple(range(2, 23)),
    epsilon: float = 0.25,
    window: float = 0.5,
    draws: int = 20_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[FailureRow, ...]:
    """How often n samples miss a target of [-window, window], between the bounds (1 - m/2)^n and 2^(1 - n).

    Args:
        law: symmetric about 0.
        ns: numbers of samples, from 1 to 28.
        epsilon: tolerance, > 0 and below the window.
        window: R > 0.
        draws: sequences of samples.
        seed: key of the random stream.
        confidence: of the intervals, in (0, 1).

    Returns:
        One row per n.

    Raises:
        ValueError: the law is not symmetric, or a number is out of its range.

    >>> row = failure_probabilities(ns=[12], draws=500)[0]
    >>> row.lower <= row.probability.high and row.probability.low <= row.upper
    True
    """
    if not 0 < epsilon < window:
        raise ValueError(f"need 0 < epsilon < window, as 0 covers [-epsilon, epsilon]; got {epsilon} and {window}")
    times = covering_numbers(law, epsilon, window, draws, max(ns), seed)
    rows = []
    for n in ns:
        failures, before = int((times > n).sum()), int((times > n - 1).sum())
        upper = float(lueker.FAILURE.evaluate(R=window, m=law.drift(window), epsilon=epsilon, n=n))
        lower = 1.0 if n < _counting(window, epsilon, None) else 2.0 ** (1 - n)
        decay = binomial_interval(failures, before, confidence) if before else None
        probability = binomial_interval(failures, draws, confidence)
        name = str(law)
        rows.append(
            FailureRow(name, window, epsilon, n, draws, failures, probability, min(1.0, upper), lower, decay)
        )  # fmt: skip
    return tuple(rows)


def covering_numbers(
    law: Law, epsilon: float, window: float, draws: int, most: int, seed: int, k: int | None = None
) -> NDArray[np.float64]:
    """For every sequence of samples the number from which on all targets of [-window, window] are covered.

    Returns:
        float64 (draws,), exact; infinite where even `most` samples do not cover.

    Raises:
        ValueError: the law is not symmetric, or a number is out of its range.

    >>> covering_numbers(Uniform(), 0.1, 0.5, draws=4, most=12, seed=0)
    array([6., 7., 5., 6.])
    """
    second_moment(law)
    if not (epsilon > 0 and 0 < window <= 2**10):
        raise ValueError(f"need epsilon > 0 and a window in (0, 1024]; got {epsilon} and {window}")
    if k is not None and not 1 <= k <= most:
        raise ValueError(f"need a size k of the subsets from 1 to most = {most}; got {k}")
    if most < 1 or (math.comb(most, k) if k else 1 << most) > MOST_SUBSETS:
        raise ValueError(
            f"need sequences of at least one sample and at most 2^28 subsets, so that every draw is decided; got "
            f"most = {most}, k = {k}: shorten the sequences"
        )
    exponent = grid_exponent(law)
    samples = draw_samples(law, most, draws, seed, trial=0).T  # longer sequences begin like shorter ones
    tolerance = int(tolerance_on_grid(epsilon, exponent))
    reach = math.ceil(math.ldexp(window, exponent))
    times = np.full(draws, np.inf)
    for n in range(k or 1, most + 1):
        left = np.flatnonzero(np.isinf(times))
        if not len(left):
            break
        prefix = SubsetSums(samples[left, :n], np.zeros(len(left), dtype=np.int64), exponent)
        times[left[covers(prefix, reach, tolerance, k) == Status.FOUND]] = n
    return times


def _counting(window: float, epsilon: float, k: int | None) -> int:
    """The smallest n whose number of intervals of length 2 epsilon is enough for the window."""
    n = k or 1
    while (math.comb(n, k) if k else 2**n) * epsilon < window:
        n += 1
    return n
