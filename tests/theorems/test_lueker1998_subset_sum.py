import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.bounds import Bound, Direction, Provenance
from slth.confidence import excess_p_value
from slth.laws import Product, Uniform
from slth.randomness import bits
from slth.subset_sum import SubsetSums, exactly
from slth.subset_sum.coverage import worst_errors
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems.lueker1998_subset_sum import expected_failure, mixture_drift, worst_error

FALSE_ALARM = 1e-6
"""A true bound is rejected with at most this probability, per test case, over the choice of the seed."""

UNIT = 2**24
UNIT_PRODUCT = 2**48
TENTHS = np.array([3, -7, 9, -2, 5])


def all_sums(samples):
    return {sum(subset) for size in range(len(samples) + 1) for subset in itertools.combinations(samples, size)}


# The statement and its constants


def test_explicit_sample_sizes():
    needed = {}
    for epsilon, delta in ((0.01, 0.1), (1e-3, 1e-3)):
        both = {"epsilon": epsilon, "delta": delta}
        general = [lueker.CANDIDATES.evaluate(R=1, m=m, **both) for m in (0.5, 0.25, 0.125)]
        needed[epsilon] = [math.ceil(x) for x in (lueker.CANDIDATES_UNIFORM.evaluate(**both), *general)]
    assert needed == {0.01: [43, 48, 102, 211], 1e-3: [75, 80, 171, 354]}


@given(st.floats(1e-9, 0.9), st.floats(1e-9, 0.9))
def test_the_short_form_is_above_the_explicit_one(epsilon, delta):
    short = 7.23 * math.log2(1 / min(epsilon, delta)) + 2.41
    assert lueker.CANDIDATES_UNIFORM.evaluate(epsilon=epsilon, delta=delta) <= short


def test_the_uniform_forms_are_the_general_ones_with_the_law_s_drift():
    drift = Uniform().drift(0.5)
    for general, uniform, values in (
        (lueker.FAILURE, lueker.FAILURE_UNIFORM, {"epsilon": 0.1, "n": 30}),
        (lueker.CANDIDATES, lueker.CANDIDATES_UNIFORM, {"epsilon": 0.1, "delta": 0.2}),
        (lueker.TOLERANCE, lueker.TOLERANCE_UNIFORM, {"delta": 0.2, "n": 30}),
    ):
        assert uniform.evaluate(**values) == pytest.approx(general.evaluate(R=0.5, m=drift, **values), rel=1e-12)


@given(st.floats(1e-6, 0.9), st.floats(1e-9, 0.9), st.floats(0.1, 2), st.floats(0.01, 0.5))
def test_failure_candidates_and_tolerance_are_one_bound_in_three_forms(epsilon, delta, window, drift):
    law = {"R": window, "m": drift}
    n = lueker.CANDIDATES.evaluate(epsilon=epsilon, delta=delta, **law)
    if n >= 0:
        assert lueker.FAILURE.evaluate(epsilon=epsilon, n=n, **law) == pytest.approx(delta, rel=1e-6)
        assert lueker.TOLERANCE.evaluate(delta=delta, n=n, **law) == pytest.approx(epsilon, rel=1e-6)


def test_counting_is_one_bound_in_two_forms():
    n = lueker.COUNTING_CANDIDATES.evaluate(R=0.5, epsilon=0.01)
    assert lueker.COUNTING_TOLERANCE.evaluate(R=0.5, n=n) == pytest.approx(0.01)


def test_the_published_form_has_no_value_for_its_constant():
    with pytest.raises(ValueError, match=r"Lueker \(1998\) gives no value for C"):
        lueker.LUEKER.evaluate(epsilon=0.1)
    assert lueker.LUEKER.provenance is Provenance.RESTATED
    assert lueker.LUEKER.evaluate(epsilon=0.5, C=7) == pytest.approx(14)


def test_every_bound_says_what_it_rests_on():
    bounds = {name: value for name, value in vars(lueker).items() if isinstance(value, Bound)}
    by_provenance = {kind: {name for name, b in bounds.items() if b.provenance is kind} for kind in Provenance}
    assert by_provenance[Provenance.RESTATED] == {"LUEKER", "LUEKER_MIXTURE"}
    assert by_provenance[Provenance.HEURISTIC] == {"MEDIAN_ERROR", "SAMPLES_FOR_90_PERCENT"}
    assert not by_provenance[Provenance.PUBLISHED]
    assert all("C" in bounds[name].symbols for name in by_provenance[Provenance.RESTATED])
    lower = {name for name, b in bounds.items() if b.direction is Direction.LOWER}
    assert lower == {"FLOOR", "COUNTING_CANDIDATES", "COUNTING_TOLERANCE"}


def test_a_mixture_with_a_uniform_law_has_its_share_of_the_drift():
    assert mixture_drift(Fraction(1, 3), Fraction(1, 2)) == Fraction(1, 6)
    # P(some target fails) <= 8 / epsilon^2 (1 - p / 4)^n for p U[-1, 1] + (1 - p) anything.
    found = lueker.FAILURE.evaluate(R=1, m=mixture_drift(Fraction(1, 3), Fraction(1, 2)), epsilon=0.1, n=50)
    assert found == pytest.approx(800 * (11 / 12) ** 50, rel=1e-12)
    for weight, drift in ((-0.1, 0.5), (1.1, 0.5), (0.5, 1.5), (0.5, -1)):
        with pytest.raises(ValueError, match="need a weight and a drift constant"):
            mixture_drift(weight, drift)


# The worst error over a window


def test_the_worked_example():
    sums = all_sums(TENTHS.tolist())
    assert (len(sums), min(sums), max(sums)) == (20, -9, 17)
    assert worst_error(TENTHS, 5) == (1, (-5, -3, 4))
    assert worst_error(TENTHS, 10) == (1, (-10, -8, -5, -3, 4))


def test_sums_of_two_of_the_worked_samples_are_the_ten_known_ones():
    sums = sorted(a + b for a, b in itertools.combinations(TENTHS.tolist(), 2))
    assert sums == [-9, -4, -2, 1, 2, 3, 7, 8, 12, 14]
    problem = SubsetSums(np.tile(TENTHS, (40, 1)), np.arange(-20, 20))
    wanted = [min(abs(s - t) for s in sums) for t in range(-20, 20)]
    assert np.abs(exactly(problem, 2).residuals).tolist() == wanted


@given(st.lists(st.integers(-40, 40), max_size=7), st.integers(1, 50))
def test_the_worst_error_is_that_of_a_fine_grid(samples, window):
    # All local maxima lie on multiples of 1/2, so the grid of halves is exact.
    sums = all_sums(samples)
    distances = {Fraction(z, 2): min(abs(Fraction(z, 2) - s) for s in sums) for z in range(-2 * window, 2 * window + 1)}
    worst, targets = worst_error(np.array(samples, dtype=np.int64), window)
    assert worst == max(distances.values())
    assert list(targets) == [z for z, distance in distances.items() if distance == worst]


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=8), st.integers(1, 50))
def test_one_more_sample_never_hurts(samples, window):
    errors = [worst_error(np.array(samples[:n], dtype=np.int64), window)[0] for n in range(len(samples) + 1)]
    assert errors == sorted(errors, reverse=True)


@given(st.lists(st.integers(-(10**6), 10**6), max_size=10), st.integers(1, 10**6))
def test_no_sample_beats_counting(samples, window):
    worst, _ = worst_error(np.array(samples, dtype=np.int64), window)
    assert worst >= Fraction(window, 2 ** len(samples))
    assert float(worst) >= lueker.COUNTING_TOLERANCE.evaluate(R=window, n=len(samples)) * (1 - 1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_two_s_complement_comes_as_near_to_counting_as_the_empty_sum_lets_it(n):
    # Sums -2^n, -2^n + 2, ..., 2^n - 2. A subset sum is 0, so no centred ladder is possible: R / (2^n - 1),
    # not R / 2^n.
    samples = np.array([*(2 << i for i in range(n - 1)), -(2**n)])
    window = 2**n - 1
    assert worst_error(samples, window)[0] == 1 == Fraction(window, 2**n - 1)


def test_samples_that_cannot_be_summed_are_refused():
    with pytest.raises(ValueError, match="int64 of shape"):
        worst_error(np.array([0.5]), 1)
    with pytest.raises(ValueError, match="int64 of shape"):
        worst_error(np.array([[1]]), 1)
    with pytest.raises(ValueError, match="at most 24 samples"):
        worst_error(np.arange(25), 1)
    for samples, window in (([1], 0), ([2**60, 2**60], 1), ([-(2**63)], 1)):
        with pytest.raises(ValueError, match="need window > 0"):
            worst_error(np.array(samples, dtype=np.int64), window)


# Measured against the bounds


def uniform_samples(seed, draws, n):
    return Uniform().weights(bits(seed, 0, 0, draws * n)).reshape(draws, n)


def product_samples(seed, draws, n):
    left, right = bits(seed, 0, 0, draws * n), bits(seed, 1, 0, draws * n)
    return Product().products(left, right).reshape(draws, n)


@pytest.mark.parametrize(
    ("draw", "unit", "law", "window", "epsilon", "n", "draws"),
    [
        (uniform_samples, UNIT, Uniform(), 0.5, 0.25, 13, 2000),
        (uniform_samples, UNIT, Uniform(), 0.5, 0.125, 18, 300),
        (uniform_samples, UNIT, Uniform(), 1.0, 0.5, 14, 2000),
        (product_samples, UNIT_PRODUCT, Product(), 0.375, 0.1875, 17, 600),
    ],
)
def test_draws_fail_no_more_often_than_the_bound_says(draw, unit, law, window, epsilon, n, draws):
    claimed = lueker.FAILURE.evaluate(R=window, m=law.drift(window), epsilon=epsilon, n=n)
    assert claimed < 1, "a bound above 1 tests nothing"
    problem = SubsetSums(draw(11, draws, n), np.zeros(draws, dtype=np.int64))
    failures = int((worst_errors(problem, int(window * unit)).doubled_errors > 2 * epsilon * unit).sum())
    assert excess_p_value(failures, draws, claimed) >= FALSE_ALARM


def mixture_samples(seed, draws, n):
    """Half U[-1, 1], half the constant 1 - 2^-24: not symmetric, and no density."""
    fair = (bits(seed, 1, 0, draws * n) >> 31).astype(bool).reshape(draws, n)
    return np.where(fair, uniform_samples(seed, draws, n), UNIT - 1)


def test_mixtures_fail_no_more_often_than_the_share_of_the_uniform_law_says():
    n, draws, epsilon = 22, 30, 0.45
    drift = mixture_drift(Fraction(1, 2), Fraction(1, 2))
    claimed = lueker.FAILURE.evaluate(R=0.5, m=drift, epsilon=epsilon, n=n)
    assert claimed < 1, "a bound above 1 tests nothing"
    problem = SubsetSums(mixture_samples(14, draws, n), np.zeros(draws, dtype=np.int64))
    failures = int((worst_errors(problem, UNIT // 2).doubled_errors > 2 * epsilon * UNIT).sum())
    assert excess_p_value(failures, draws, claimed) >= FALSE_ALARM


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_samples_of_one_sign_miss_an_end_of_the_window_for_every_epsilon_below_it(n):
    rng = np.random.default_rng(n)
    for sign in (1, -1):
        samples = sign * rng.integers(1, UNIT, n)
        assert worst_error(samples, UNIT // 2)[0] >= UNIT // 2


def test_the_floor_is_twice_the_probability_of_one_sign_and_at_most_one():
    assert [lueker.FLOOR.evaluate(n=n) for n in (0, 1, 2, 5)] == [1, 1, 0.5, 2**-4]
    signs = np.array(list(itertools.product((-1, 1), repeat=5)))
    assert lueker.FLOOR.evaluate(n=5) == np.mean(np.abs(signs.sum(axis=1)) == 5)


def test_draws_fail_at_least_as_often_as_the_floor_says_and_near_epsilon_one_half_not_much_more():
    n, draws = 6, 20000
    problem = SubsetSums(uniform_samples(12, draws, n), np.zeros(draws, dtype=np.int64))
    failures = int((worst_errors(problem, UNIT // 2).doubled_errors > int(0.99 * UNIT)).sum())
    floor = lueker.FLOOR.evaluate(n=n)
    assert excess_p_value(draws - failures, draws, 1 - floor) >= FALSE_ALARM
    assert failures < 2 * floor * draws


# Measured against the heuristics


@pytest.mark.parametrize(
    ("exponent", "window", "n"), [(5, 0.5, 9), (5, 0.5, 11), (5, 1.0, 11), (8, 0.5, 12), (8, 0.5, 14), (8, 1.0, 14)]
)
def test_the_expected_failure_is_right_within_a_factor_of_2(exponent, window, n):
    draws, epsilon = 1500, 2.0**-exponent
    problem = SubsetSums(uniform_samples(15, draws, n), np.zeros(draws, dtype=np.int64))
    failed = worst_errors(problem, int(window * UNIT)).doubled_errors > 2 * epsilon * UNIT
    estimate = expected_failure(n, epsilon, window, 1 / 3)
    assert estimate > 0.04
    assert 0.5 * estimate < failed.mean() < 2 * estimate


@pytest.mark.parametrize("exponent", [3, 5, 8])
def test_the_rule_of_thumb_for_nine_out_of_ten_is_right_within_2_samples(exponent):
    n = round(lueker.SAMPLES_FOR_90_PERCENT.evaluate(epsilon=2.0**-exponent))
    for samples, expected in ((n - 2, False), (n + 2, True)):
        problem = SubsetSums(uniform_samples(16, 400, samples), np.zeros(400, dtype=np.int64))
        failed = worst_errors(problem, UNIT // 2).doubled_errors > 2 * 2.0**-exponent * UNIT
        assert (failed.mean() < 0.1) == expected


@pytest.mark.parametrize(
    "values", [(0, 0.1, 1, 0.3), (5, 0, 1, 0.3), (5, 0.1, 0, 0.3), (5, 0.1, 1, 0), (5, math.nan, 1, 1)]
)
def test_the_expected_failure_refuses_numbers_out_of_range(values):
    with pytest.raises(ValueError, match="need n >= 1"):
        expected_failure(*values)


def test_the_median_error_of_one_target_is_near_the_heuristic():
    n, target = 14, 0.25
    nearest = []
    for row in uniform_samples(13, 200, n):
        sums = np.zeros(1, dtype=np.int64)
        for sample in row:
            sums = np.concatenate((sums, sums + sample))
        nearest.append(np.abs(sums - int(target * UNIT)).min() / UNIT)
    estimate = lueker.MEDIAN_ERROR.evaluate(n=n, q=1 / 3, z=target)
    assert 0.5 * estimate < np.median(nearest) < 2 * estimate
