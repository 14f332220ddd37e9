"""How many subsets come within epsilon of one target: exact counts against the laws of `slth.theorems.counting`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from slth.confidence import binomial_interval
from slth.experiments.law_samples import Law, draw_samples, grid_exponent, second_moment
from slth.experiments.ticket_rows import AbsenceRow, CountRow, Counts, MomentRow, SizeRow
from slth.laws import Uniform
from slth.subset_sum import SubsetSums, tolerance_on_grid
from slth.subset_sum.counting import count_by_size, count_within
from slth.theorems import counting
from slth.theorems.counting import mixed_poisson_zero, moment_ratio, ratio_below

__all__ = [
    "LEVELS",
    "AbsenceRow",
    "CountRow",
    "Counts",
    "MomentRow",
    "SizeRow",
    "absence",
    "count_distribution",
    "count_moments",
    "counted",
    "counts_of_sizes",
    "expected_count",
    "mixed_poisson_zero",
    "ratio_below",
]

LEVELS = (*(i / 20 for i in range(1, 29)), 1.41, *(i / 20 for i in range(29, 41)))
"""Values of N / E N at which the distribution is compared."""


def count_distribution(
    law: Law = Uniform(),
    n: int = 20,
    epsilon: float = 1e-3,
    target: float = 0.25,
    draws: int = 2000,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[CountRow, ...]:
    """The distribution of N / E N over the draws against that of sqrt(2) exp(-G^2 / 2).

    Args:
        law: symmetric about 0.
        n: number of samples, at most 40 (30 in bulk).
        epsilon: tolerance, > 0.
        target: z, of order 1.
        draws: sample sets.
        levels: values of N / E N, > 0.
        seed: key of the random stream.
        confidence: of the intervals, in (0, 1).

    Returns:
        One row per level; the rows share their draws.

    Raises:
        ValueError: the law is not symmetric, or a number is out of its range.

    >>> row = count_distribution(n=16, draws=400, levels=[1.0])[0]
    >>> row.share.low < row.predicted < row.share.high
    True
    """
    counts, _ = counted(law, n, epsilon, target, draws, seed)
    mean, name = expected_count(law, n, epsilon, target), str(law)
    rows = []
    for level in levels:
        share = binomial_interval(int((counts <= level * mean).sum()), draws, confidence)
        rows.append(CountRow(name, n, epsilon, target, draws, level, share, ratio_below(level)))
    return tuple(rows)


def count_moments(
    law: Law = Uniform(),
    n: int = 20,
    epsilon: float = 1e-3,
    target: float = 0.25,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[MomentRow, ...]:
    """Mean, variance, second-moment ratio and mean logarithm of N / E N, and how well lambda(X) predicts N.

    Args:
        law: symmetric about 0.
        n: number of samples, at most 40 (30 in bulk).
        epsilon: tolerance, > 0, with E N well above 1.
        target: z, of order 1.
        draws: sample sets, at least 2.
        seed: key of the random stream.

    Returns:
        Five rows. The mean logarithm is over the draws with N > 0.

    Raises:
        ValueError: the law is not symmetric, no draw has a subset within epsilon, or a number is out of its range.

    >>> [round(row.predicted, 4) for row in count_moments(n=14, draws=100)]
    [1.0, 0.1547, 0.866, -0.2213, 1.0]
    """
    counts, intensities = counted(law, n, epsilon, target, draws, seed)
    if draws < 2 or not counts.any():
        raise ValueError(
            f"no moments: {draws} draws with {int(counts.sum())} subsets within epsilon {epsilon:g}; take a larger "
            "epsilon, more samples or more draws"
        )
    ratios = counts / expected_count(law, n, epsilon, target)
    second = float(counting.SECOND_MOMENT.evaluate())
    found = (
        ("mean of N / E N", ratios.mean(), 1.0),
        ("variance of N / E N", ratios.var(ddof=1), second - 1),
        ("(E N)^2 / E N^2, a lower bound on P(N > 0)", 1 / moment_ratio(counts), 1 / second),
        ("mean of log2(N / E N)", np.log2(ratios[counts > 0]).mean(), counting.LOG_RATIO),
        ("correlation of N and lambda(X)", np.corrcoef(counts, intensities)[0, 1], 1.0),
    )
    return tuple(MomentRow(str(law), n, epsilon, target, draws, *(q, float(m), p)) for q, m, p in found)


def absence(
    law: Law = Uniform(),
    ns: Sequence[int] = tuple(range(6, 21, 2)),
    epsilon: float = 1e-3,
    target: float = 0.25,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[AbsenceRow, ...]:
    """How often no subset is within epsilon, against a mixed and a plain Poisson law, both heuristic.

    Args:
        law: symmetric about 0.
        ns: numbers of samples, at most 40 (30 in bulk).
        epsilon: tolerance, > 0 and below |z|.
        target: z, of order 1.
        draws: sample sets per n, independent of those of other n.
        seed: key of the random stream.
        confidence: of the intervals, in (0, 1).

    Returns:
        One row per n.

    Raises:
        ValueError: the law is not symmetric, or a number is out of its range.

    >>> row = absence(ns=[12], draws=500)[0]
    >>> abs(row.share.estimate - row.mixed) < abs(row.share.estimate - row.plain)
    True
    """
    rows = []
    for n in ns:
        counts, _ = counted(law, n, epsilon, target, draws, seed)
        mean = expected_count(law, n, epsilon, target)
        share = binomial_interval(int((counts == 0).sum()), draws, confidence)
        mixed, plain = mixed_poisson_zero(mean), math.exp(-mean)
        rows.append(AbsenceRow(str(law), n, epsilon, target, draws, mean, share, mixed, plain))
    return tuple(rows)


def counts_of_sizes(
    law: Law = Uniform(), n: int = 18, epsilon: float = 0.01, target: float = 0.25, draws: int = 500, seed: int = 0
) -> tuple[SizeRow, ...]:
    """Mean and second-moment ratio of the number of subsets of every size: small shares k / n concentrate best.

    Args:
        law: symmetric about 0.
        n: number of samples, at most 40.
        epsilon: tolerance, > 0.
        target: z, of order 1.
        draws: sample sets.
        seed: key of the random stream.

    Returns:
        One row per size from 1 to n.

    Raises:
        ValueError: the law is not symmetric, or a number is out of its range.

    >>> counts_of_sizes(n=10, draws=50)[4].predicted_spread
    1.1547005383792515
    """
    q = second_moment(law)
    counts = count_by_size(*_problem(law, n, epsilon, target, draws, seed)).astype(np.float64)
    rows = []
    for k in range(1, n + 1):
        mean = float(counts[:, k].mean())
        spread = float((counts[:, k] * (counts[:, k] - 1)).mean()) / mean**2 if mean else math.nan
        limit = float(counting.SECOND_MOMENT_OF_SIZE.evaluate(k=k, n=n)) if k < n else math.inf
        predicted = counting.mean_of_size(n, k, epsilon, q, target)
        rows.append(SizeRow(str(law), n, epsilon, target, draws, k, mean, predicted, spread, limit))
    return tuple(rows)


def counted(
    law: Law, n: int, epsilon: float, target: float, draws: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Exact counts N and intensities lambda(X), both (draws,).

    >>> counts, intensities = counted(Uniform(), 12, 0.01, 0.25, draws=3, seed=0)
    >>> counts.shape == intensities.shape == (3,)
    True
    """
    problem, tolerance = _problem(law, n, epsilon, target, draws, seed)
    values = np.ldexp(problem.samples.astype(np.float64), -grid_exponent(law))
    return count_within(problem, tolerance), np.exp2(counting.log2_intensity(values, epsilon, target))


def expected_count(law: Law, n: int, epsilon: float, target: float) -> float:
    """E N by `slth.theorems.counting.MEAN` (heuristic).

    >>> round(expected_count(Uniform(), 20, 1e-3, 0.25), 1)
    454.0
    """
    return float(counting.MEAN.evaluate(n=n, epsilon=epsilon, z=target, q=second_moment(law)))


def _problem(
    law: Law, n: int, epsilon: float, target: float, draws: int, seed: int
) -> tuple[SubsetSums, NDArray[np.int64]]:
    second_moment(law)  # refuses laws that are not symmetric
    exponent = grid_exponent(law)
    if not math.isfinite(target):
        raise ValueError(f"need a finite target; got {target}")
    targets = np.full(draws, round(math.ldexp(target, exponent)), dtype=np.int64)
    problem = SubsetSums(draw_samples(law, draws, n, seed, trial=n), targets, exponent)
    return problem, tolerance_on_grid(epsilon, exponent)
