"""Natale et al. 2024, subsets of a fixed size: the claims of the paper's lemmas, the gap, and the repair."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slth.bounds import Direction, Provenance
from slth.confidence import excess_p_value
from slth.laws import Product, Uniform
from slth.randomness import bits
from slth.references import NATALE2024
from slth.subset_sum import Status, SubsetSums, best, covers, exactly, worst_errors
from slth.theorems import natale2024_fixed_size as fixed
from slth.theorems.natale2024_steered import PRODUCTS, UNIFORM, failure, least_failure, size_that_suffices

FALSE_ALARM = 1e-6
"""A true bound is rejected with at most this probability, per test case, over the choice of the seed."""

ONE = 2**24


def uniform(seed, draws, n):
    return Uniform().weights(bits(seed, 0, 0, draws * n)).reshape(draws, n)


def products(seed, draws, n):
    """|u| v in units of 2^-48: the candidates of one side."""
    left, right = bits(seed, 0, 0, draws * n), bits(seed, 1, 0, draws * n)
    return (np.abs(Uniform().weights(left)) * Uniform().weights(right)).reshape(draws, n)


# Sum-boundedness (Lemma 1)


@given(st.integers(1, 7), st.fractions(-6, 6, max_denominator=8))
def test_the_density_of_a_sum_has_the_slope_of_the_sum_with_one_term_less(k, x):
    # f_k+1 is the mean of f_k over [x - 1, x + 1], so over a step h it rises by the integral of half the difference.
    # Between knots (integers) the sums are polynomials of degree k, so Boole's rule is exact up to k = 5.
    k = min(k, 5)
    knot = math.floor(x)
    low, high = Fraction(knot), x
    step = (high - low) / 4
    weights = (7, 32, 12, 32, 7)
    slopes = [
        (fixed.sum_density(k, low + i * step + 1) - fixed.sum_density(k, low + i * step - 1)) / 2 for i in range(5)
    ]
    risen = fixed.sum_density(k + 1, high) - fixed.sum_density(k + 1, low)
    if k > 1:  # f_1 jumps at its ends
        assert risen == step * Fraction(2, 45) * sum(w * s for w, s in zip(weights, slopes, strict=True))
    assert fixed.sum_density(k, x) == fixed.sum_density(k, -x)


def test_the_table_of_sum_boundedness():
    rows = {k: fixed.sum_boundedness(k) for k in range(1, 30)}
    lows = [round(float(rows[k][0]), 4) for k in range(1, 9)]
    assert lows == [0.5, 0.2071, 0.174, 0.1667, 0.165, 0.1628, 0.1614, 0.1605]
    assert rows[4][0] == rows[4][1] == Fraction(1, 6)
    limit = math.sqrt(3 / (2 * math.pi)) * math.exp(-1.5)
    assert all(float(low) > limit for low, _, _ in rows.values())  # measured up to 29, not proved for all k
    assert all(rows[k][1] > rows[k + 1][0] and rows[k][0] > rows[k + 1][1] for k in range(1, 29))
    # k f_k(0)^2 <= 1/2, equality at k = 2: c_u = 1 / sqrt(2), Ball's theorem on cube slices
    squares = [k * fixed.sum_density(k, Fraction(0)) ** 2 for k in range(1, 30)]
    assert max(squares) == Fraction(1, 2) == squares[1]


def test_the_density_falls_in_modulus_so_its_least_value_on_the_window_is_at_the_edge():
    for k in range(1, 8):
        values = [fixed.sum_density(k, Fraction(i, 8)) for i in range(8 * k + 9)]
        assert values == sorted(values, reverse=True)


# Counting


@pytest.mark.parametrize("n", [1, 2, 5, 12, 30])
def test_binomials_lie_between_the_two_entropy_bounds(n):
    # 2^(n H(k/n)) = n^n / (k^k (n-k)^(n-k)) is rational; pi < 355/113
    for k in range(1, n):
        power = Fraction(n**n, k**k * (n - k) ** (n - k))
        spread = k * (1 - Fraction(k, n))
        assert power**2 <= math.comb(n, k) ** 2 * 8 * spread
        assert math.comb(n, k) ** 2 * 2 * Fraction(355, 113) * spread <= power**2


@pytest.mark.parametrize(("n", "k"), [(8, 2), (10, 4), (9, 3), (14, 7)])
def test_no_sample_covers_more_than_counting_allows(n, k):
    # exact: (n choose k) 2 error >= 2 R with R^2 <= k, whatever the samples
    window = math.isqrt(k * ONE**2)
    found = worst_errors(SubsetSums(uniform(1, 40, n), np.zeros(40, dtype=np.int64)), window, k)
    assert all(math.comb(n, k) * int(doubled) >= 2 * window for doubled in found.doubled_errors)
    least = min(found.doubled_errors) / 2 / ONE
    assert n >= fixed.COUNTING.evaluate(k=k, gamma=k / n, epsilon=least)


def test_expected_hits_of_a_window_by_counting():
    assert math.comb(929, 1) * 2 * 0.01 == pytest.approx(18.58)
    assert math.comb(24, 5) * 2 * 0.01 / (2 * math.sqrt(5)) == pytest.approx(190.1, abs=0.1)


# Elementary facts about fixed sizes


@given(st.lists(st.integers(-40, 40), min_size=2, max_size=10), st.integers(-60, 60), st.data())
def test_the_complement_has_the_same_error_for_the_complementary_target(samples, target, data):
    k = data.draw(st.integers(0, len(samples)))
    row = np.array([samples])
    one = exactly(SubsetSums(row, np.array([target])), k)
    other = exactly(SubsetSums(row, np.array([sum(samples) - target])), len(samples) - k)
    assert abs(int(one.residuals[0])) == abs(int(other.residuals[0]))


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=10), st.integers(-60, 60))
def test_a_fixed_size_is_never_easier_and_the_best_size_is_the_free_optimum(samples, target):
    problem = SubsetSums(np.array([samples]), np.array([target]))
    errors = [abs(int(exactly(problem, k).residuals[0])) for k in range(len(samples) + 1)]
    assert min(errors) == abs(int(best(problem).residuals[0]))


# The published statements and the gap


def test_published_bounds_need_their_constant():
    for bound in (fixed.THEOREM_2, fixed.COROLLARY_1, fixed.COROLLARY_2):
        assert bound.provenance is Provenance.PUBLISHED
        values = {name: 0.25 for name in bound.symbols if name != "C"}
        with pytest.raises(ValueError, match="gives no value for C"):
            bound.evaluate(**values)
    assert fixed.THEOREM_2.evaluate(k=50, gamma=0.5, epsilon=0.01, C=1) == pytest.approx(math.log2(5000))
    assert fixed.COROLLARY_1.evaluate(k=50, gamma=0.5, epsilon=0.01, C=1) == pytest.approx(math.log2(5000) ** 2)


@given(st.integers(2, 10**6), st.floats(1e-9, 0.49), st.floats(1, 100))
def test_corollary_2_follows_from_corollary_1(k, epsilon, constant):
    # n H(k/n) >= 2 k for k <= n / 2, so half of n H pays for each part of log2(k / epsilon)^2
    bits_k, bits_eps = math.log2(k), math.log2(1 / epsilon)
    if k < 2 * constant * (bits_k**2 + 2 * bits_k * bits_eps):
        return
    total = max(2 * k, 2 * constant * bits_eps**2)  # the least n H(k / n) that Corollary 2 allows
    assert total >= constant * math.log2(k / epsilon) ** 2 * (1 - 1e-9)


def test_the_blocks_of_the_published_proof_are_smaller_than_the_subset_it_looks_for():
    # gamma = 1/2, epsilon = 0.01, k = 50, c_hyp = 1, c_thm = 0.3: 114 blocks of 13 samples
    found = fixed.amplification(50, 0.5, 0.01, c_hyp=1, c_thm=0.3)
    assert (found.blocks, found.size, found.sound) == (114, 13, False)
    assert any("Corollary 1" in erratum.locator for erratum in NATALE2024.errata)


@settings(max_examples=12)
@given(st.floats(1e-6, 0.49), st.floats(1, 50), st.floats(0.01, 1), st.floats(0.05, 0.5))
def test_for_every_constant_the_gap_covers_densities_above_one_over_the_number_of_blocks(epsilon, c_hyp, c_thm, gamma):
    # With n = r size samples and k = gamma n a block holds k samples only if gamma <= 1 / r.
    k = 10
    for _ in range(12):  # towards the fixed point of k = gamma n
        found = fixed.amplification(k, gamma, epsilon, c_hyp, c_thm)
        k = math.ceil(gamma * found.blocks * found.size)
    found = fixed.amplification(k, gamma, epsilon, c_hyp, c_thm)
    if gamma > 1.2 / found.blocks:
        assert not found.sound


# The repair, step by step


def test_the_differences_have_drift_eleven_twentyfourths():
    # density (2 - |x|) / 4: E[|D|; |D| <= 1] = 1/3, P(1 < |D| <= 2) = 1/4
    near = 2 * (Fraction(2, 2) - Fraction(1, 3)) / 4
    far = 2 * (Fraction(2) - Fraction(3, 2)) / 4
    assert (near, far) == (Fraction(1, 3), Fraction(1, 4))
    assert near + far / 2 == Fraction(11, 24) == UNIFORM.drift
    assert 1 - UNIFORM.drift / 2 == Fraction(37, 48)


def test_the_differences_of_products_have_at_least_the_drift_in_use():
    # E c(|X - Y|) with c(a) = a up to 1 and 1/2 beyond, from below by cells of width 1/2000
    cells = 4000
    edges = np.linspace(-1, 1, cells + 1)
    sizes = np.abs(edges)
    half = (sizes - sizes * np.log(np.where(sizes > 0, sizes, 1))) / 2
    masses = np.diff(0.5 + np.sign(edges) * half)
    apart = np.abs(np.arange(1 - cells, cells))
    low, high = np.maximum(apart - 1, 0) * 2 / cells, (apart + 1) * 2 / cells
    least = np.where(high <= 1, low, np.where(low >= 1, 0.5, np.minimum(low, 0.5)))
    drift = float(np.convolve(masses, masses[::-1]) @ least)
    assert masses.sum() == pytest.approx(1)
    assert drift - 1e-9 > float(PRODUCTS.drift)
    assert drift == pytest.approx(0.3453, abs=1e-4)


@pytest.mark.parametrize(("pool", "density"), [(UNIFORM, lambda x: 0.5 + 0 * x), (PRODUCTS, Product().density)])
@pytest.mark.parametrize("g", [1, 2, 3, 8, 16])
def test_the_moments_of_the_largest_of_a_group_are_those_of_its_law(pool, density, g):
    x = (np.arange(200_000) + 0.5) / 200_000  # midpoints of [0, 1]
    above = np.cumsum(density(x)) / len(x)
    above = 0.5 + above / (2 * above[-1])
    mean = np.mean(1 - above**g - (1 - above) ** g)
    second = np.mean(2 * x * (1 - above**g + (1 - above) ** g))
    assert mean == pytest.approx(float(pool.means[g - 1]), abs=1e-3)
    assert second - mean**2 == pytest.approx(float(pool.variances[g - 1]), abs=1e-3)


def test_every_target_between_the_ends_is_within_one_of_a_subset():
    # pool of 8, subsets of 3, all targets on half units from L - 1 to U + 1
    for seed in range(12):
        pool = np.random.default_rng(seed).integers(-20, 21, 8)
        sums = {sum(subset) for subset in itertools.combinations(pool.tolist(), 3)}
        low, high = min(sums), max(sums)
        for doubled in range(2 * (low - 20), 2 * (high + 20) + 1):
            assert min(abs(2 * s - doubled) for s in sums) <= 2 * 20


def test_the_closed_form_at_its_smallest_size_and_one_below():
    assert fixed.FAILURE.evaluate(epsilon=0.01, k=986) <= 0.1 < fixed.FAILURE.evaluate(epsilon=0.01, k=985)


def test_from_114_on_steering_has_room_for_the_paper_s_window():
    # sqrt(k) + m <= s / 4 with m = k // 8 pairs and s = k - m; in integers 16 k <= (s - 4 m)^2
    for k in range(114, 2000):
        m = k // 8
        assert (k - m) - 4 * m >= 0
        assert 16 * k <= (k - m - 4 * m) ** 2


@settings(max_examples=20)
@given(st.integers(114, 5000), st.floats(1e-6, 0.5))
def test_the_sharper_form_is_below_the_closed_one(k, epsilon):
    pairs = k // 8
    closed = fixed.FAILURE.evaluate(epsilon=epsilon, k=k)
    steered = fixed.FAILURE_STEERED.evaluate(epsilon=epsilon, k=k, p=pairs, R=math.sqrt(k))
    assert failure(epsilon, 2 * k, k, pairs, math.sqrt(k)) <= min(1, steered) * (1 + 1e-8)
    assert steered <= closed * (1 + 1e-12)


def test_one_logarithm_is_enough_143_samples_in_place_of_986():
    assert size_that_suffices(0.01, 0.1) == 143
    assert size_that_suffices(1e-6, 1e-6) < 3.5 * size_that_suffices(1e-3, 1e-3)
    assert least_failure(0.01, 286, 143, math.sqrt(143)) <= 0.1 < least_failure(0.01, 284, 142, math.sqrt(142))


def test_more_samples_for_each_one_taken_never_hurt():
    values = [float(least_failure(0.01, n, 120, math.sqrt(120))) for n in (240, 360, 480, 960, 4000)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 10


def test_the_second_moment_saturates():
    at = [fixed.MISSES_BY_MOMENTS.evaluate(n=200, k=100, z=z) for z in (10.0, 0.0)]
    assert [round(1 - x, 3) for x in at] == [0.319, 0.866]
    assert fixed.MISSES_BY_MOMENTS.direction is Direction.HEURISTIC


# Measured against the bounds


@pytest.mark.parametrize(("epsilon", "pairs", "draws"), [(0.5, 20, 200), (0.25, 26, 60)])
def test_differences_fail_no_more_often_than_the_bound_says(epsilon, pairs, draws):
    claimed = fixed.COVERAGE.evaluate(epsilon=epsilon, p=pairs)
    assert claimed < 1
    rows = uniform(3, draws, 2 * pairs)
    problem = SubsetSums(rows[:, ::2] - rows[:, 1::2], np.zeros(draws, dtype=np.int64))
    missed = np.count_nonzero(covers(problem, ONE, int(epsilon * ONE)) != Status.FOUND)
    assert excess_p_value(int(missed), draws, claimed) >= FALSE_ALARM


@pytest.mark.parametrize(("n", "k", "pairs", "window"), [(200, 100, 20, 10.0), (160, 40, 10, 12.0), (90, 45, 10, 6.0)])
def test_steering_fails_no_more_often_than_the_bound_says(n, k, pairs, window):
    # epsilon = 1e300 leaves the steering term alone
    claimed = float(failure(1e300, n, k, pairs, window))
    assert claimed < 0.9
    ready = fixed.steers(uniform(4, 500, n), k, pairs, int(window * ONE), ONE)
    assert excess_p_value(int(np.count_nonzero(~ready)), 500, claimed) >= FALSE_ALARM


@pytest.mark.parametrize(("draw", "one", "pool"), [(uniform, ONE, UNIFORM), (products, ONE**2, PRODUCTS)])
def test_at_the_bound_s_own_size_draws_fail_at_most_with_probability_delta(draw, one, pool):
    epsilon, delta, draws = 0.05, 0.1, 60
    k = size_that_suffices(epsilon, delta, lambda k: 1.0, pool)
    rows = draw(5, draws, 2 * k)
    sure = fixed.guaranteed(rows, k, k // 4, one, int(epsilon * one), one)
    assert excess_p_value(int(np.count_nonzero(~sure)), draws, delta) >= FALSE_ALARM


def test_a_guaranteed_draw_serves_every_target_of_the_window():
    n, k, pairs, tolerance = 286, 143, 24, ONE // 100
    rows = uniform(6, 12, n)
    window = math.isqrt(k * ONE**2)
    sure = fixed.guaranteed(rows, k, pairs, window, tolerance, ONE)
    assert sure.sum() >= 11
    targets = np.concatenate([np.linspace(-window, window, 9).astype(np.int64), [0, 1, window]])
    for row in rows[sure]:
        answer = fixed.construct(SubsetSums(np.tile(row, (len(targets), 1)), targets), k, tolerance, ONE, pairs)
        assert answer.answer.failed == 0
        assert (answer.answer.sizes == k).all()
        assert not answer.beyond.any()


def test_the_check_on_the_draw_is_the_reach_of_the_walk():
    rows = uniform(7, 60, 24)
    k, pairs, window = 8, 2, 3 * ONE
    ready = fixed.steers(rows, k, pairs, window, ONE)
    assert 0 < ready.sum() < 60
    for row, expected in zip(rows, ready, strict=True):
        ends = SubsetSums(np.stack([row, row]), np.array([-window, window]))
        assert fixed.construct(ends, k, ONE, ONE, pairs).beyond.any() == (not expected)


def test_the_smallest_number_of_samples_lies_between_counting_and_the_repair():
    # gamma = 1/2, epsilon = 1/4, all targets of [-sqrt(k), sqrt(k)] in at least 90 of 100 draws
    epsilon, draws = 0.25, 100
    counted = next(2 * k for k in range(1, 30) if math.comb(2 * k, k) >= math.sqrt(k) / epsilon)
    found = {}
    for k in range(2, 20):
        problem = SubsetSums(uniform(8, draws, 2 * k), np.zeros(draws, dtype=np.int64))
        found[2 * k] = np.count_nonzero(covers(problem, math.isqrt(k * ONE**2), int(epsilon * ONE), k) == Status.FOUND)
        if found[2 * k] >= 90:
            break
    smallest = max(found)
    assert found[smallest] >= 90
    assert counted <= smallest <= 2 * size_that_suffices(epsilon, 0.1)
    assert (counted, smallest) == (4, 26)


# What is refused


def test_impossible_arguments_are_refused():
    rows = uniform(9, 2, 10)
    with pytest.raises(ValueError, match="k >= 1 terms"):
        fixed.sum_density(0, Fraction(0))
    for bad in ({"epsilon": 0.0}, {"k": 0}, {"k": 6}, {"pairs": 6}, {"window": -1.0}, {"window": math.nan}):
        with pytest.raises(ValueError, match="need epsilon > 0"):
            failure(**({"epsilon": 0.1, "n": 10, "k": 5, "pairs": 2, "window": 1.0} | bad))
    for epsilon, delta in ((0.0, 0.1), (0.1, 0.0), (0.1, 1.0)):
        with pytest.raises(ValueError, match="need epsilon > 0 and delta"):
            size_that_suffices(epsilon, delta)
    with pytest.raises(ValueError, match="int64 of shape"):
        fixed.steers(rows[0], 3, 1, ONE, ONE)
    for k, pairs, window, bound in ((3, -1, 1, ONE), (1, 2, 1, ONE), (9, 2, 1, ONE), (3, 1, -1, ONE), (3, 1, 1, 1)):
        with pytest.raises(ValueError, match="need 0 <= pairs <= k"):
            fixed.steers(rows, k, pairs, window, bound)
    with pytest.raises(ValueError, match="at least one pair"):
        fixed.guaranteed(rows, 3, 0, ONE, ONE, ONE)


def test_no_room_is_a_failure_probability_of_one():
    assert least_failure(0.1, 10, [0, 6, 5]).tolist() == [1.0, 1.0, 1.0]
    assert failure(1e-300, 2000, 1000, 10) == 1
