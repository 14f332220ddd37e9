import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import beta, binom

from slth.confidence import (
    anytime_interval,
    binomial_interval,
    excess_p_value,
    log_evidence,
    quantile_interval,
    shortage_p_value,
)


def exact_law(trials, p):
    """P(k successes) for k = 0..trials, in rational arithmetic."""
    return [math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(trials + 1)]


def exact_evidence(successes, trials, p):
    """M(p), in rational arithmetic."""
    mixture = Fraction(1, (trials + 1) * math.comb(trials, successes))
    return mixture / (p**successes * (1 - p) ** (trials - successes))


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


def test_the_binomial_interval_leaves_out_only_what_each_side_may_miss_in_exact_fractions():
    trials, confidence = 25, 0.9
    miss = Fraction(1, 20)
    for successes in range(trials + 1):
        found = binomial_interval(successes, trials, confidence)
        if successes:
            law = exact_law(trials, Fraction(found.low))
            assert Fraction(999, 1000) * miss < sum(law[successes:]) < miss
        if successes < trials:
            law = exact_law(trials, Fraction(found.high))
            assert Fraction(999, 1000) * miss < sum(law[: successes + 1]) < miss
        assert found.low <= found.estimate <= found.high


@pytest.mark.parametrize(("successes", "trials"), [(1, 10**7), (10**7 - 1, 10**7), (10**9, 2 * 10**9)])
def test_the_binomial_interval_is_outward_for_many_trials(successes, trials):
    found = binomial_interval(successes, trials)
    assert excess_p_value(successes, trials, found.low) <= 0.025 * (1 + 1e-10)
    assert shortage_p_value(successes, trials, found.high) <= 0.025 * (1 + 1e-10)
    assert excess_p_value(successes, trials, found.low * (1 + 1e-7)) > 0.025


def test_the_p_value_is_the_exact_tail():
    assert excess_p_value(3, 5, 0.5) == pytest.approx((10 + 5 + 1) / 32)
    assert excess_p_value(0, 5, 0.0) == 1.0
    assert excess_p_value(1, 5, 0.0) == 0.0
    assert excess_p_value(5, 5, 7.0) == 1.0


def test_both_p_values_agree_with_exact_fractions():
    for trials, p in ((9, Fraction(1, 8)), (60, Fraction(1, 64)), (60, Fraction(63, 64))):
        law = exact_law(trials, p)
        for k in range(trials + 1):
            assert excess_p_value(k, trials, float(p)) == pytest.approx(float(sum(law[k:])), rel=1e-11)
            assert shortage_p_value(k, trials, float(p)) == pytest.approx(float(sum(law[: k + 1])), rel=1e-11)
    assert shortage_p_value(0, 5, -1.0) == 1.0


def test_a_test_at_its_level_raises_false_alarms_at_most_so_often_by_enumeration():
    for trials, p, level in ((30, Fraction(1, 10), 0.05), (17, Fraction(1, 2), 0.01)):
        law = exact_law(trials, p)
        for p_value in (excess_p_value, shortage_p_value):
            assert sum(law[k] for k in range(trials + 1) if p_value(k, trials, float(p)) <= level) <= Fraction(level)


def test_the_evidence_is_the_exact_one_rounded_down():
    for trials in (0, 1, 7, 40):
        for successes in range(trials + 1):
            for p in (Fraction(1, 1024), Fraction(1, 3), Fraction(1, 2), Fraction(1023, 1024)):
                exact = exact_evidence(successes, trials, Fraction(float(p)))
                found = log_evidence(successes, trials, float(p))
                assert found <= math.log(exact) + 1e-15 * abs(math.log(exact))
                assert found == pytest.approx(math.log(exact), abs=1e-11)
    assert log_evidence(1, 2, 0.0) == log_evidence(1, 2, 1.0) == math.inf
    assert log_evidence(0, 2, 0.0) == pytest.approx(-math.log(3))


def test_the_ends_of_an_anytime_interval_are_left_out_in_exact_fractions_and_what_is_just_inside_is_not():
    limit = 1 / (1 - Fraction(0.9))
    for trials in (1, 5, 30):
        for successes in range(trials + 1):
            found = anytime_interval(successes, trials, 0.9)
            inside = Fraction(found.low) * Fraction(1000001, 1000000), Fraction(found.high) * Fraction(999999, 1000000)
            if successes:
                assert exact_evidence(successes, trials, Fraction(found.low)) >= limit
                assert exact_evidence(successes, trials, inside[0]) < limit
            else:
                assert found.low == 0.0
            if successes < trials and found.high < 1:
                assert exact_evidence(successes, trials, Fraction(found.high)) >= limit
                assert exact_evidence(successes, trials, inside[1]) < limit


def ever_left_out(p, draws, left_out):
    """The exact probability that, after some number of draws up to `draws`, left_out(successes, drawn) is true."""
    alive, gone = {0: 1.0}, 0.0
    for drawn in range(1, draws + 1):
        fresh = {}
        for successes, mass in alive.items():
            for more, share in ((1, p), (0, 1 - p)):
                fresh[successes + more] = fresh.get(successes + more, 0.0) + mass * share
        gone += math.fsum(mass for successes, mass in fresh.items() if left_out(successes, drawn))
        alive = {successes: mass for successes, mass in fresh.items() if not left_out(successes, drawn)}
    return gone


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5, 0.95])
def test_looking_after_every_draw_keeps_the_error_of_the_anytime_interval_and_not_that_of_the_binomial_one(p):
    # By enumeration of all paths of 120 draws, no Monte Carlo.
    assert 0 < ever_left_out(p, 120, lambda s, t: log_evidence(s, t, p) >= math.log(1 / 0.05)) <= 0.05
    peeked = ever_left_out(p, 120, lambda s, t: min(excess_p_value(s, t, p), shortage_p_value(s, t, p)) <= 0.025)
    assert peeked > 0.07


def test_the_anytime_interval_contains_the_binomial_one():
    for successes in range(0, 51, 5):
        outer, inner = anytime_interval(successes, 50), binomial_interval(successes, 50)
        assert outer.low <= inner.low <= inner.high <= outer.high


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


@pytest.mark.parametrize(
    "call",
    [
        binomial_interval,
        anytime_interval,
        lambda c, t: excess_p_value(c, t, 0.1),
        lambda c, t: shortage_p_value(c, t, 0.1),
    ],
)
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
        with pytest.raises(ValueError, match="confidence lies"):
            anytime_interval(1, 3, confidence)
    with pytest.raises(ValueError, match="level of a quantile"):
        quantile_interval([1.0], 1.0)
    for values in ([], [[1.0]], [math.nan]):
        with pytest.raises(ValueError, match="at least one number"):
            quantile_interval(values, 0.5)
    for claimed in (-0.1, math.nan):
        with pytest.raises(ValueError, match="claimed bound"):
            excess_p_value(1, 3, claimed)
    for claimed in (1.1, math.nan):
        with pytest.raises(ValueError, match="claimed lower bound"):
            shortage_p_value(1, 3, claimed)
