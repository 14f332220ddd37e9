import math

import numpy as np
import pytest
from scipy.stats import beta, binom

from slth.confidence import binomial_interval, excess_p_value, quantile_interval


def test_the_binomial_interval_is_the_one_of_beta_quantiles():
    for successes, trials in ((0, 10), (3, 10), (10, 10), (50, 1000)):
        found = binomial_interval(successes, trials, 0.9)
        low = beta.ppf(0.05, successes, trials - successes + 1) if successes else 0.0
        high = beta.ppf(0.95, successes + 1, trials - successes) if successes < trials else 1.0
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
        assert found.estimate == successes / trials


def test_the_binomial_interval_covers_at_least_as_often_as_it_says():
    trials = 12
    intervals = [binomial_interval(k, trials, 0.8) for k in range(trials + 1)]
    for p in np.linspace(0.01, 0.99, 49):
        covered = sum(binom.pmf(k, trials, p) for k, found in enumerate(intervals) if found.low <= p <= found.high)
        assert covered >= 0.8


def test_the_p_value_is_the_exact_tail():
    assert excess_p_value(3, 5, 0.5) == pytest.approx((10 + 5 + 1) / 32)
    assert excess_p_value(0, 5, 0.0) == 1.0
    assert excess_p_value(1, 5, 0.0) == 0.0
    assert excess_p_value(5, 5, 7.0) == 1.0


def test_the_quantile_interval_covers_with_exactly_the_stated_probability():
    # For uniform draws the value of rank l is at most the level iff at least l draws are.
    size, level = 20, 0.75
    found = quantile_interval(np.arange(1, size + 1), level, 0.9)
    counts = np.arange(size + 1)
    inside = (counts >= found.low) & (counts < found.high)
    assert binom.pmf(counts[inside], size, level).sum() == pytest.approx(found.confidence)
    assert found.confidence >= 0.9
    # One rank less on either side, and that side misses too often.
    assert binom.cdf(found.low, size, level) > 0.05
    assert binom.sf(found.high - 2, size, level) > 0.05


def test_the_estimate_is_the_smallest_value_with_enough_at_most_it():
    assert quantile_interval(np.arange(1, 101), 0.07).estimate == 7
    assert quantile_interval([5.0], 0.5).estimate == 5.0


def test_too_few_draws_give_infinite_ends():
    found = quantile_interval([1.0, 2.0], 0.5)
    assert (found.low, found.high, found.confidence) == (-math.inf, math.inf, 1.0)


def test_failed_draws_may_be_infinite():
    found = quantile_interval([1.0] * 50 + [math.inf] * 50, 0.9)
    assert found.estimate == math.inf


@pytest.mark.parametrize("call", [lambda c, t: binomial_interval(c, t), lambda c, t: excess_p_value(c, t, 0.1)])
def test_counts_are_checked(call):
    for successes, trials in ((-1, 3), (4, 3), (0, 0)):
        with pytest.raises(ValueError, match="need trials >= 1"):
            call(successes, trials)
    for successes, trials in ((1.0, 3), (True, 3), (1, "3")):
        with pytest.raises(TypeError, match="must be an integer"):
            call(successes, trials)


def test_levels_and_values_are_checked():
    for confidence in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="confidence lies"):
            binomial_interval(1, 3, confidence)
        with pytest.raises(ValueError, match="confidence lies"):
            quantile_interval([1.0], 0.5, confidence)
    with pytest.raises(ValueError, match="level of a quantile"):
        quantile_interval([1.0], 1.0)
    for values in ([], [[1.0]], [math.nan]):
        with pytest.raises(ValueError, match="at least one number"):
            quantile_interval(values, 0.5)
    for claimed in (-0.1, math.nan):
        with pytest.raises(ValueError, match="claimed bound"):
            excess_p_value(1, 3, claimed)
