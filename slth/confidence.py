"""What a number of random draws proves: exact binomial intervals, for one look or for any number of looks, tests of
claimed probabilities, quantile intervals.

Nothing here rests on a normal approximation: the stated confidence holds for every number of draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

TAIL_ERROR = 1e-9
"""Relative error that scipy's binomial tails may have: about 1e-12 for thousands of draws, 4e-10 for ten million.
Ends of binomial intervals are moved outward by as much."""


@dataclass(frozen=True)
class Interval:
    """An estimate with a confidence interval.

    Attributes:
        low: lower end; -infinity if the data give none.
        estimate: the point estimate.
        high: upper end; infinity if the data give none.
        confidence: the probability, at least, with which such an interval contains the true value.
    """

    low: float
    estimate: float
    high: float
    confidence: float


def binomial_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """The exact two-sided interval for a probability (Clopper and Pearson 1934).

    Args:
        successes: how often the event happened, 0 <= successes <= trials.
        trials: number of independent draws, >= 1.
        confidence: in (0, 1).

    Returns:
        The interval within [0, 1]; its coverage is at least the confidence, often more, and each side misses with
        probability at most (1 - confidence) / 2.

    Raises:
        TypeError: a count is not an integer.
        ValueError: a number is out of its range.

    >>> found = binomial_interval(0, 100)
    >>> found.low, round(found.high, 4)
    (0.0, 0.0362)
    """
    from scipy.special import betaincinv

    _check_counts(successes, trials)
    _check_confidence(confidence)
    misses, miss = trials - successes, (1 - confidence) / 2
    low = float(betaincinv(successes, misses + 1, miss)) * (1 - TAIL_ERROR) if successes else 0.0
    high = float(betaincinv(successes + 1, misses, 1 - miss)) * (1 + TAIL_ERROR) if misses else 1.0
    return Interval(low, successes / trials, min(1.0, high), confidence)


def anytime_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """An interval for a probability that may be looked at after every draw, and on which one may stop.

    A probability p is left out once M(p) = integral of q^s (1 - q)^(t - s) dq / (p^s (1 - p)^(t - s)) reaches
    1 / (1 - confidence), for s successes in t draws. If p is the true one, M(p) is a martingale that starts at 1, so
    this ever happens with probability at most 1 - confidence (Ville 1939; Robbins, Ann. Math. Stat. 41, 1970, 1397).

    Args:
        successes: how often the event happened so far, 0 <= successes <= trials.
        trials: number of independent draws so far, >= 1.
        confidence: in (0, 1).

    Returns:
        The interval, wider than that of `binomial_interval`. With probability at least the confidence all the
        intervals of one sequence of draws, however long, contain the true value. The ends are on the outer side by
        the error of the logarithms, which is taken to be below 1e-14 of their size.

    Raises:
        TypeError: a count is not an integer.
        ValueError: a number is out of its range.

    >>> found = anytime_interval(100, 100)
    >>> round(found.low, 4), found.high
    (0.9267, 1.0)
    """
    _check_counts(successes, trials)
    _check_confidence(confidence)
    limit, estimate = -math.log1p(-confidence) * (1 + 1e-14), successes / trials

    def end(outside: float) -> float:
        """The first value that is proved to be left out, on the way from the estimate."""
        inside = estimate
        if log_evidence(successes, trials, outside) < limit:
            return outside
        while (middle := (inside + outside) / 2) not in (inside, outside) and abs(inside - outside) > 1e-12 * inside:
            if log_evidence(successes, trials, middle) < limit:
                inside = middle
            else:
                outside = middle
        return outside

    return Interval(end(0.0), estimate, end(1.0), confidence)


def log_evidence(successes: int, trials: int, probability: float) -> float:
    """ln M(p), rounded down: how much the draws speak against p as the true probability, see `anytime_interval`.

    Args:
        successes: 0 <= successes <= trials.
        trials: number of draws so far, >= 0.
        probability: p, in [0, 1].

    Returns:
        The logarithm of an e-value: under p, whenever one stops, it reaches x with probability at most exp(-x).

    >>> log_evidence(0, 1, 0.5) < 0 == log_evidence(0, 0, 0.5)
    True
    """
    misses = trials - successes
    if (successes and probability <= 0) or (misses and probability >= 1):
        return math.inf
    # The beta integral is successes! misses! / (trials + 1)!.
    terms = [math.lgamma(successes + 1), math.lgamma(misses + 1), -math.lgamma(trials + 2)]
    terms.append(-successes * math.log(probability) if successes else 0.0)
    terms.append(-misses * math.log1p(-probability) if misses else 0.0)
    return sum(terms) - 1e-14 * sum(map(abs, terms))


def excess_p_value(failures: int, trials: int, claimed: float) -> float:
    """One-sided exact test of the claim that the failure probability is at most a number.

    Args:
        failures: how often the event happened, 0 <= failures <= trials.
        trials: number of independent draws, >= 1.
        claimed: the claimed upper bound; 1 and above claim nothing.

    Returns:
        The probability of at least so many failures if the claim holds with equality, which is the largest
        under the claim. Rejecting below a level a raises a false alarm with probability at most a.

    Raises:
        TypeError: a count is not an integer.
        ValueError: a number is out of its range.

    >>> excess_p_value(2, 2, 0.5)
    0.25
    """
    from scipy.stats import binom  # here: scipy.stats takes most of a second to import

    _check_counts(failures, trials)
    if not claimed >= 0:
        raise ValueError(f"a claimed bound on a probability is a number >= 0; got {claimed}")
    return float(binom.sf(failures - 1, trials, min(claimed, 1.0)))


def shortage_p_value(failures: int, trials: int, claimed: float) -> float:
    """One-sided exact test of the claim that the failure probability is at least a number.

    Args:
        failures: how often the event happened, 0 <= failures <= trials.
        trials: number of independent draws, >= 1.
        claimed: the claimed lower bound, at most 1; 0 and below claim nothing.

    Returns:
        The probability of at most so many failures if the claim holds with equality, which is the largest under the
        claim. Rejecting below a level a raises a false alarm with probability at most a, and shows that the failure
        probability is below the number.

    Raises:
        TypeError: a count is not an integer.
        ValueError: a number is out of its range.

    >>> shortage_p_value(0, 2, 0.5)
    0.25
    """
    from scipy.stats import binom  # here: scipy.stats takes most of a second to import

    _check_counts(failures, trials)
    if not claimed <= 1:
        raise ValueError(f"a claimed lower bound on a probability is a number <= 1; got {claimed}")
    return float(binom.cdf(failures, trials, max(claimed, 0.0)))


def quantile_interval(values: ArrayLike, level: float, confidence: float = 0.95) -> Interval:
    """An interval for a quantile whose ends are order statistics; valid for every law, continuous or not.

    The number of values at most the true quantile is binomial, so the ranks of the ends are binomial
    quantiles (David and Nagaraja, Order Statistics, section 7.1).

    Args:
        values: independent draws, shape (draws,), not NaN; infinite draws are allowed (a failed draw of an
            error).
        level: of the quantile, in (0, 1).
        confidence: in (0, 1); each side misses with probability at most (1 - confidence) / 2.

    Returns:
        The interval. The estimate is the smallest value with at least a share `level` of the values at most
        it. An end is infinite if there are too few draws for it. The confidence returned is the exact one of
        the ranks for a continuous law, at least the one that was asked for.

    Raises:
        ValueError: no values, a NaN, more than one axis, or a number out of its range.

    >>> found = quantile_interval(range(1, 101), level=0.5)
    >>> found.low, found.estimate, found.high, round(found.confidence, 4)
    (40.0, 50.0, 61.0, 0.9648)
    """
    from scipy.stats import binom  # here: scipy.stats takes most of a second to import

    _check_confidence(confidence)
    if not 0 < level < 1:
        raise ValueError(f"the level of a quantile lies strictly between 0 and 1; got {level}")
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if ordered.ndim != 1 or ordered.size == 0 or np.isnan(ordered).any():
        raise ValueError(
            f"need a list of at least one number, none NaN; got shape {ordered.shape}: count what has no value"
        )
    size, miss = ordered.size, (1 - confidence) / 2
    # B = #{values <= quantile}: the value of rank l exceeds the quantile iff B <= l - 1, that of rank u is
    # below it only if B >= u. Rank 0 and rank size + 1 stand for the infinite ends.
    counts = np.arange(size + 1)
    low_rank = int(np.searchsorted(binom.cdf(counts, size, level), miss, side="right"))
    high_rank = int(np.searchsorted(-binom.sf(counts, size, level), -miss, side="left")) + 1
    ends = [-math.inf, *ordered.tolist(), math.inf]
    covered = float(binom.cdf(high_rank - 1, size, level) - binom.cdf(low_rank - 1, size, level))
    return Interval(ends[low_rank], float(ordered[math.ceil(round(level * size, 9)) - 1]), ends[high_rank], covered)


def _check_counts(successes: int, trials: int) -> None:
    for name, count in (("successes or failures", successes), ("trials", trials)):
        if isinstance(count, bool) or not isinstance(count, int | np.integer):
            raise TypeError(f"the number of {name} must be an integer; got {count!r} of type {type(count).__name__}")
    if not (trials >= 1 and 0 <= successes <= trials):
        raise ValueError(f"need trials >= 1 and from 0 to as many successes or failures; got {successes} of {trials}")


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies strictly between 0 and 1; got {confidence}")
