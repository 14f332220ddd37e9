"""Kumar and Natale 2026, discrete subset sums: the claims of the file and of its proof, one by one."""

import itertools
import math
from fractions import Fraction

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.bounds import Provenance
from slth.confidence import binomial_interval, excess_p_value
from slth.subset_sum import SubsetSums, exactly, samples_for_all
from slth.theorems import kumar2026_discrete as discrete


def all_sets(size):
    """(2^size, size): every set of `size` integers."""
    return (np.arange(1 << size)[:, None] >> np.arange(size) & 1).astype(bool)


def uniform(largest, draws, n, seed=0):
    return np.random.default_rng([largest, n, seed]).integers(-largest, largest + 1, (draws, n))


# The drift ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("largest", range(1, 9))
def test_for_every_set_at_least_half_of_the_changes_are_near_and_some_set_attains_it(largest):
    size = 2 * largest + 1
    sets = all_sets(size)
    inside = sets.sum(axis=1)
    changes, least = 2 * discrete.near_changes(sets, largest), inside * (size - inside)
    assert (changes >= least).all()
    assert (changes == least)[(inside > 0) & (inside < size)].any()


@pytest.mark.parametrize("largest", range(1, 6))
def test_folding_the_upper_half_on_the_lower_counts_the_changes_for_every_set(largest):
    sets = all_sets(2 * largest + 1)
    lower, upper = sets[:, : largest + 1], sets[:, largest + 1 :]
    p, q = lower.sum(axis=1), upper.sum(axis=1)
    crossing = sum((lower[:, x] != upper[:, y]) for x in range(largest + 1) for y in range(x))
    assert (2 * crossing >= (p - q) * (p - q - 1)).all()
    total = p * (largest + 1 - p) + q * (largest - q) + crossing
    assert (discrete.near_changes(sets, largest) == total).all()


@pytest.mark.parametrize("size", [5, 8, 13])
def test_changes_within_a_distance_grow_at_most_like_a_triangle_for_every_set(size):
    sets = all_sets(size)
    by_reach = [discrete.near_changes(sets, reach) for reach in range(size)]
    for r in range(1, size - 1):
        assert (by_reach[r + 1] * r <= by_reach[r] * (r + 2)).all()


@pytest.mark.parametrize("largest", [1, 2, 3, 4])
def test_the_expected_share_and_the_expected_potential_obey_their_bounds_for_every_set(largest):
    size = 2 * largest + 1
    sets = all_sets(size)[1:-1]  # not empty, not everything
    new = np.zeros(len(sets), dtype=int)
    potentials = [Fraction(0)] * len(sets)
    for x in range(-largest, largest + 1):
        moved = np.zeros_like(sets)
        moved[:, max(0, x) : size + min(0, x)] = sets[:, max(0, -x) : size + min(0, -x)]
        covered = (sets | moved).sum(axis=1)
        new += covered - sets.sum(axis=1)
        potentials = [a + Fraction(size, int(c)) - 1 for a, c in zip(potentials, covered, strict=True)]
    assert (new == discrete.near_changes(sets, largest)).all()
    for before, grown, after in zip(sets.sum(axis=1).tolist(), new.tolist(), potentials, strict=True):
        share = Fraction(before, size)
        assert Fraction(grown, size) / size >= discrete.UNIFORM_DRIFT * share * (1 - share)
        assert after / size <= Fraction(3, 4) * (1 / share - 1)


def test_near_changes_of_the_worked_examples():
    # M = 2: {-2, -1} has J = 3 = (25/2) (2/5) (3/5); {-2} has J = 2 = (25/2) (1/5) (4/5)
    assert discrete.near_changes(np.array([True, True, False, False, False]), 2) == 3
    assert discrete.near_changes(np.array([True, False, False, False, False]), 2) == 2


# The bounds -----------------------------------------------------------------------------------------------------------


def test_forty_seven_samples_suffice_for_integers_up_to_128():
    assert math.ceil(discrete.CANDIDATES.with_values(m=Fraction(1, 2)).evaluate(M=128, delta=0.1)) == 47
    assert discrete.failure(47, 128) <= Fraction(1, 10) < discrete.failure(46, 128)


def test_the_forms_of_the_bound_agree():
    exact = discrete.FAILURE_EXACT.evaluate(M=64, m=0.5, n=50)
    assert discrete.FAILURE.evaluate(M=64, D_1=0, D_2=0, m=0.5, n=50) == pytest.approx(exact, rel=1e-12)
    assert float(discrete.failure(50, 64)) == pytest.approx(exact, rel=1e-12)
    assert discrete.CANDIDATES.evaluate(M=64, m=0.5, delta=exact) == pytest.approx(50, rel=1e-12)


def test_the_best_split_is_the_smallest_of_the_bound_over_all_splits():
    values = [discrete.FAILURE.evaluate(M=20, D_1=a, D_2=7 - a, m=0.5, n=10) for a in range(8)]
    assert float(discrete.failure(10, 20, 7)) == pytest.approx(min(values), rel=1e-12)


def test_a_first_interval_beyond_the_window_makes_the_expression_meaningless():
    assert discrete.FAILURE.evaluate(M=2, D_1=3, D_2=0, m=0.5, n=0) < 0
    assert discrete.failure(0, 2, 3) == 0  # the empty sum serves every target
    assert (discrete.missed(np.zeros((1, 1), dtype=np.int64), 2, 3) == 0).all()


@pytest.mark.parametrize(("largest", "n"), [(1, 1), (1, 3), (1, 6), (2, 2), (2, 4), (3, 3), (3, 4)])
def test_the_exact_failure_probability_never_exceeds_the_bound(largest, n):
    values = range(-largest, largest + 1)
    samples = np.array(list(itertools.product(values, repeat=n)))
    for distance in range(largest + 1):
        failed = np.count_nonzero(discrete.missed(samples, largest, distance))
        assert Fraction(int(failed), len(samples)) <= discrete.failure(n, largest, distance)


@pytest.mark.parametrize(("largest", "distance"), [(1, 0), (8, 0), (64, 0), (64, 4), (256, 16)])
def test_at_the_bounds_own_number_of_samples_failures_stay_below_delta(largest, distance):
    claimed = Fraction(1, 10)
    n = next(n for n in range(200) if discrete.failure(n, largest, distance) <= claimed)
    failures = int(np.count_nonzero(discrete.missed(uniform(largest, 400, n), largest, distance)))
    assert excess_p_value(failures, 400, 0.1) > 1e-6  # false alarm: at most 1e-6


@pytest.mark.parametrize("n", [9, 11, 13])
def test_the_measured_failure_probability_is_below_the_bound_where_it_says_something(n):
    # M = 1: 4 (3/4)^n is .30, .17 and .095
    failures = int(np.count_nonzero(discrete.missed(uniform(1, 4000, n), 1)))
    assert excess_p_value(failures, 4000, float(discrete.failure(n, 1))) > 1e-6


@pytest.mark.parametrize("largest", [1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
def test_the_samples_that_succeed_nine_times_out_of_ten_lie_between_counting_and_the_bound(largest):
    needed = samples_for_all(uniform(largest, 300, 60), largest)
    assert (needed > 0).all()
    assert needed.min() >= discrete.COUNTING.evaluate(M=largest, Delta=0)
    measured = np.sort(needed)[269]  # 270 of 300 succeed
    assert measured <= math.ceil(discrete.CANDIDATES.evaluate(M=largest, m=0.5, delta=0.1))
    assert abs(measured - discrete.SAMPLES_FOR_90_PERCENT.evaluate(M=largest)) <= 2.5


def test_counting_holds_for_every_sample_within_a_distance():
    for n, distance in itertools.product(range(1, 6), range(3)):
        served = 2 * 20 + 1 - discrete.missed(uniform(20, 200, n), 20, distance)
        assert (served <= 2**n * (2 * distance + 1)).all()
    tight = np.array([[1, 2, 4, -8]])  # all 16 integers from -8 to 7
    assert discrete.missed(tight, 8)[0] == 1
    assert discrete.COUNTING.evaluate(M=8, Delta=0) == pytest.approx(math.log2(17))


def test_waiting_for_one_sample_at_the_target_is_exponential_in_the_bits():
    waiting = math.log(10) / -math.log1p(-1 / 257)
    assert waiting > 12 * discrete.CANDIDATES.evaluate(M=128, m=0.5, delta=0.1)


def test_the_published_tail_asks_for_both_constants():
    assert discrete.TAIL.provenance is Provenance.RESTATED
    with pytest.raises(ValueError, match="no value for C"):
        discrete.TAIL.evaluate(M=64, Delta=0, n=100)
    # a fit, not the paper's constants: with C = 2 and kappa = 40 the tail is above the measured failures here
    for n in (16, 20, 24):
        failures = int(np.count_nonzero(discrete.missed(uniform(64, 300, n), 64)))
        assert failures / 300 <= discrete.TAIL.evaluate(M=64, Delta=0, n=n, C=2, kappa=40)


def test_with_too_few_samples_the_published_tail_claims_nothing():
    # 2 log 65 = 8.3: one sample never reaches all of 129 integers, so no probability below 1 may be claimed
    for n in (1, 4, 8):
        assert discrete.TAIL.evaluate(M=64, Delta=0, n=n, C=2, kappa=40) == 2


def test_samples_with_a_common_factor_never_reach_what_lies_between():
    samples = 2 * uniform(8, 50, 40)
    assert (discrete.missed(samples, 16) >= 16).all()  # the odd integers
    assert (discrete.missed(samples, 16, 1) == 0).all()


# Measuring ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=12), st.integers(0, 20), st.integers(0, 5))
def test_missed_integers_agree_with_all_subsets(sample, largest, distance):
    sums = naive.all_sums(np.array([sample]))[0]
    expected = sum(np.abs(sums - z).min() > distance for z in range(-largest, largest + 1))
    assert discrete.missed(np.array([sample]), largest, distance)[0] == expected


@pytest.mark.parametrize("numbers", [(-1, 5, 0, 0.5), (3, 0, 0, 0.5), (3, 5, -1, 0.5), (3, 5, 0, 1.5)])
def test_impossible_numbers_are_refused(numbers):
    with pytest.raises(ValueError, match="need n >= 0, M >= 1"):
        discrete.failure(*numbers)


def test_a_negative_distance_is_refused():
    with pytest.raises(ValueError, match="Delta must be >= 0"):
        discrete.missed(np.array([[1]]), 1, -1)


# Number partitioning --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_subset_with_sum_t_exists_just_where_signs_with_sum_total_minus_2_t_do(n):
    for sample in itertools.product(range(-2, 3), repeat=n):
        subsets = {sum(itertools.compress(sample, bits)) for bits in itertools.product((0, 1), repeat=n)}
        signs = {sum(s * x for s, x in zip(bits, sample, strict=True)) for bits in itertools.product((1, -1), repeat=n)}
        for t in range(-2 * n - 1, 2 * n + 2):
            assert (t in subsets) == (sum(sample) - 2 * t in signs)


def imperfect(n, largest, draws):
    """How many of the draws of n integers from 1 to M have no partition of discrepancy 0 or 1, over all subsets."""
    samples = np.random.default_rng([n, largest]).integers(1, largest + 1, (draws, n))
    totals = samples.sum(axis=1)
    return int(np.count_nonzero(np.abs(2 * naive.all_sums(samples[:, 1:]) - totals[:, None]).min(axis=1) > 1))


@pytest.mark.parametrize("step", [-2, -1, 0, 1, 2])
def test_the_chance_that_no_partition_is_perfect_is_near_the_poisson_formula(step):
    n, draws = 14, 300
    largest = round(discrete.PARTITION_RANGE.evaluate(n=n) * 2.0**step)
    found = binomial_interval(imperfect(n, largest, draws), draws, 0.9999)
    estimate = discrete.NO_PERFECT_PARTITION.evaluate(n=n, M=largest)
    assert found.low - 0.05 <= estimate <= found.high + 0.05


def test_perfect_partitions_vanish_as_the_bits_per_number_cross_one():
    # kappa = log2 M / n from 0.5 to 1.25 at n = 12, where the window's middle is .85
    missing = [imperfect(12, round(2 ** (12 * kappa)), 150) for kappa in (0.5, 0.75, 1.0, 1.25)]
    assert missing == sorted(missing)
    assert missing[0] == 0
    assert missing[-1] > 140


def test_large_subsets_of_fixed_size_are_sorted_and_halves_are_perfect():
    # sizes above n / sqrt(2): the smallest numbers already weigh more than the rest, so they are the best subset
    n, draws = 16, 100
    samples = np.random.default_rng(16).integers(1, 2**8 + 1, (draws, n))
    totals = samples.sum(axis=1)
    problem = SubsetSums(2 * samples, totals)  # residual = sum over the subset - sum over the rest
    ordered = np.sort(samples, axis=1)
    for size, sorted_share, perfect_share in ((14, 0.9, 0.0), (8, 0.0, 0.9)):
        best = np.abs(exactly(problem, size).residuals)
        by_smallest = np.abs(2 * ordered[:, :size].sum(axis=1) - totals)
        is_sorted, is_perfect = (best == by_smallest).mean(), (best <= 1).mean()
        assert abs(is_sorted - sorted_share) <= 0.1
        assert abs(is_perfect - perfect_share) <= 0.1
