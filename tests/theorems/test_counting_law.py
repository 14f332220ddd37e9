"""The law of the number of subsets within epsilon: every step of docs/proofs/ticket_counts.md, exact or measured.

Derived bounds are tested exactly or by binomial tests; heuristics have to come within a stated factor of what is
measured, on fixed seeds.
"""

import itertools
import math
from fractions import Fraction

import naive
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from slth.bounds import Bound, Direction, Provenance
from slth.confidence import excess_p_value, quantile_interval
from slth.experiments.laws import covering_numbers
from slth.laws import Product, Uniform
from slth.randomness import bits
from slth.subset_sum import SubsetSums, count_by_size, count_within, exactly
from slth.theorems import counting
from slth.theorems.counting_chances import window_chance

FALSE_ALARM = 1e-6
"""A true bound is rejected with at most this probability, per test case, over the choice of the seed."""

UNIT = 2**24
QUARTER = 0.25
BOTH = pytest.mark.parametrize(("law", "unit"), [(Uniform(), 2**24), (Product(), 2**48)], ids=["uniform", "product"])


def drawn(law, draws, n, seed=0):
    left, right = (bits(seed, stream, 0, draws * n) for stream in (0, 1))
    return (law.weights(left) if isinstance(law, Uniform) else law.products(left, right)).reshape(draws, n)


def counted(law, unit, draws, n, epsilon, seed=0):
    """N and lambda(X) for the target 1/4."""
    samples = drawn(law, draws, n, seed)
    counts = count_within(SubsetSums(samples, np.full(draws, int(QUARTER * unit))), math.floor(epsilon * unit))
    return counts, 2.0 ** counting.log2_intensity(samples / unit, epsilon, QUARTER)


def mean(law, n, epsilon):
    return counting.MEAN.evaluate(n=n, q=law.variance, epsilon=epsilon, z=QUARTER)


# What is counted


@pytest.mark.parametrize("n", [1, 7, 18])
def test_counts_equal_brute_force_and_a_subset_at_the_edge_counts(n):
    samples = drawn(Uniform(), 4, n)
    problem = SubsetSums(samples, np.full(4, UNIT // 4))
    distances = np.sort(naive.distances(samples, problem.targets), axis=1)
    for rank in (0, len(distances[0]) // 2):
        edge = distances[:, rank]
        assert (count_within(problem, edge) == (distances <= edge[:, None]).sum(axis=1)).all()
        below = np.maximum(edge - 1, 0)
        assert (count_within(problem, below) == (distances <= below[:, None]).sum(axis=1)).all()


def test_sizes_add_up_and_a_wide_tolerance_leaves_the_binomials():
    problem = SubsetSums(drawn(Uniform(), 20, 16), np.full(20, UNIT // 4))
    assert (count_by_size(problem, UNIT // 100).sum(axis=1) == count_within(problem, UNIT // 100)).all()
    assert count_by_size(problem, 1 << 50).tolist() == [[math.comb(16, k) for k in range(17)]] * 20


# Steps 1 and 2: given the samples


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=7))
def test_a_random_subset_sum_has_mean_half_the_sum_and_variance_a_quarter_of_the_squares(samples):
    sums = [
        sum(x for x, take in zip(samples, mask, strict=True) if take)
        for mask in itertools.product([0, 1], repeat=len(samples))
    ]
    centre = Fraction(sum(sums), len(sums))
    assert centre == Fraction(sum(samples), 2)
    assert Fraction(sum(s * s for s in sums), len(sums)) - centre**2 == Fraction(sum(x * x for x in samples), 4)


@BOTH
def test_the_count_follows_the_intensity_of_its_samples(law, unit):
    counts, intensities = counted(law, unit, 300, 20, 1e-3)
    assert np.corrcoef(counts, intensities)[0, 1] > 0.98
    assert counts.sum() == pytest.approx(intensities.sum(), rel=0.02)


def test_the_intensity_of_equal_samples_is_near_the_binomial():
    for n, k in ((16, 8), (30, 12)):
        expected = math.log2(math.comb(n, k))
        assert counting.log2_intensity(np.ones(n), 0.5, float(k)) == pytest.approx(expected, abs=0.1)


# Step 3: over the draws


@given(st.lists(st.integers(1, 50), min_size=1, max_size=7))
def test_the_centre_lies_one_deviation_away_in_mean_square_for_every_symmetric_law(moduli):
    # Given the moduli, all signs are equally likely: E (mu / s)^2 = E (sum X)^2 / sum X^2 = 1, exactly.
    squares = [
        sum(s * x for s, x in zip(signs, moduli, strict=True)) ** 2
        for signs in itertools.product([-1, 1], repeat=len(moduli))
    ]
    assert Fraction(sum(squares), len(squares)) == sum(x * x for x in moduli)


@BOTH
def test_the_mean_count_is_within_a_twentieth_of_its_law(law, unit):
    assert counted(law, unit, 2000, 20, 1e-3)[0].mean() == pytest.approx(mean(law, 20, 1e-3), rel=0.05)


def test_the_limit_has_its_mean_second_moment_logarithm_and_distribution():
    g = np.linspace(-12, 12, 24001)
    weights = np.exp(-(g**2) / 2) / math.sqrt(2 * math.pi) * (g[1] - g[0])
    y = math.sqrt(2) * np.exp(-(g**2) / 2)
    assert (weights * y).sum() == pytest.approx(1, abs=1e-12)
    assert (weights * y**2).sum() == pytest.approx(float(counting.SECOND_MOMENT.evaluate()), abs=1e-12)
    assert (weights * np.log2(y)).sum() == pytest.approx(counting.LOG_RATIO, abs=1e-12)
    assert abs(counting.LOG_RATIO + 0.22135) < 5e-6
    for level in (0.1, 0.7, 1.0, 1.4):
        assert weights[y <= level].sum() == pytest.approx(counting.ratio_below(level), abs=2e-3)


@BOTH
def test_the_mean_logarithm_is_a_fifth_of_a_bit_below_that_of_the_mean(law, unit):
    counts, _ = counted(law, unit, 2000, 20, 1e-3)
    below = np.log2(counts[counts > 0]).mean() - math.log2(mean(law, 20, 1e-3))
    assert below == pytest.approx(counting.LOG_RATIO, abs=0.05)
    bits_law = counting.MEAN_BITS.evaluate(n=20, q=law.variance, epsilon=1e-3, z=QUARTER)
    assert bits_law == pytest.approx(math.log2(mean(law, 20, 1e-3)) + counting.LOG_RATIO, abs=1e-12)


# Steps 4 and 5: second moments


def pair_ratio(n):
    """E N (N - 1) / (E N)^2 for normal samples as epsilon -> 0, target 0: a sum over sizes and overlaps."""
    log = np.array([math.lgamma(i + 1) for i in range(n + 1)])
    total = 0.0
    for both in range(n + 1):
        rest = n - both
        i, j = np.meshgrid(np.arange(rest + 1), np.arange(rest + 1))
        i, j = (x[i + j <= rest] for x in (i, j))
        gram = (i + both) * (j + both) - both**2
        i, j, gram = i[gram > 0], j[gram > 0], gram[gram > 0]
        ways = np.exp(log[n] - log[both] - log[i] - log[j] - log[rest - i - j] - 2 * n * math.log(2))
        total += (ways / np.sqrt(gram)).sum()
    single = sum(math.comb(n, a) / math.sqrt(a) for a in range(1, n + 1)) / 2**n
    return total / single**2


def pair_ratio_of_size(n, k):
    """The same for subsets of size k."""
    ways = [math.comb(k, both) * math.comb(n - k, k - both) / math.comb(n, k) for both in range(k)]
    return sum(way / math.sqrt(1 - (both / k) ** 2) for both, way in enumerate(ways))


def test_the_second_moment_of_normal_samples_tends_to_two_over_the_root_of_three():
    limit = float(counting.SECOND_MOMENT.evaluate())
    distances = [abs(pair_ratio(n) / limit - 1) for n in (20, 40, 80)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.02


@pytest.mark.parametrize("share", [Fraction(1, 10), Fraction(1, 4), Fraction(1, 2)])
def test_the_second_moment_of_one_size_tends_to_its_limit(share):
    limit = counting.SECOND_MOMENT_OF_SIZE.evaluate(k=float(share), n=1)
    distances = [abs(pair_ratio_of_size(n, int(share * n)) / limit - 1) for n in (40, 160, 640)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.005


def test_the_two_second_moments_are_those_of_tilted_normal_intensities():
    # The intensity of subsets of share g is proportional to exp(-c G^2 / 2), c = g / (1 - g); free ones have g = 1/2.
    g, c, x = sympy.Symbol("g", positive=True), sympy.Symbol("c", positive=True), sympy.Symbol("x", real=True)
    normal = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    first, second = (
        sympy.integrate(normal * sympy.exp(-power * c * x**2 / 2), (x, -sympy.oo, sympy.oo)) for power in (1, 2)
    )
    squared = sympy.simplify(((second / first**2) ** 2).subs(c, g / (1 - g)) * (1 - g**2))
    assert squared == 1
    free = counting.SECOND_MOMENT_OF_SIZE.with_values(k=1, n=2).expression
    assert sympy.simplify(free - counting.SECOND_MOMENT.expression) == 0


def test_measured_second_moments_of_sizes_are_within_a_twentieth():
    n, draws, tolerance = 18, 2000, UNIT // 100
    counts = count_by_size(SubsetSums(drawn(Uniform(), draws, n), np.full(draws, UNIT // 4)), tolerance)
    for k in range(4, n // 2 + 1):
        values = counts[:, k].astype(np.float64)
        assert values.mean() == pytest.approx(counting.mean_of_size(n, k, 0.01, 1 / 3, QUARTER), rel=0.08)
        spread = (values * (values - 1)).mean() / values.mean() ** 2
        assert spread == pytest.approx(counting.SECOND_MOMENT_OF_SIZE.evaluate(k=k, n=n), rel=0.05)


# Step 6: failure by the second moment


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30).filter(any))
def test_the_share_of_zeros_is_at_most_what_the_second_moment_leaves(counts):
    squares = Fraction(sum(x * x for x in counts), len(counts))
    average = Fraction(sum(counts), len(counts))
    ratio = squares / average**2
    assert Fraction(counts.count(0), len(counts)) <= 1 - 1 / ratio
    assert counting.moment_ratio(counts) == pytest.approx(float(ratio), rel=1e-12)
    assert counting.FAILURE_BY_MOMENTS.evaluate(rho=max(1, ratio)) == pytest.approx(float(1 - 1 / ratio), abs=1e-12)


def test_the_second_moment_never_proves_more_than_seven_in_eight():
    limit = counting.FAILURE_BY_MOMENTS.evaluate(rho=counting.SECOND_MOMENT.evaluate())
    assert limit == pytest.approx(1 - math.sqrt(3) / 2, abs=1e-12)


# Step 7: failure by the mean, exactly


@pytest.mark.parametrize("bits_of_law", [1, 2, 3])
def test_failure_by_the_mean_holds_exactly_on_small_grids(bits_of_law):
    # All samples of odd multiples of 2^-b; the bound with 2^-b in the place of 2^-24, tolerance in whole units.
    unit, n = 2**bits_of_law, 3
    samples = np.array(list(itertools.product(range(1 - unit, unit, 2), repeat=n)))
    sums = naive.all_sums(samples)
    sizes = np.bitwise_count(np.arange(1 << n))
    for target, tolerance in itertools.product(range(-2 * unit, 2 * unit + 1), range(unit)):
        near = np.abs(sums - target) <= tolerance
        epsilon = Fraction(tolerance, unit)
        if abs(target) > tolerance:
            found = Fraction(int(near.any(axis=1).sum()), len(samples))
            assert found <= (2**n - 1) * (epsilon + Fraction(1, unit))
        for k in range(1, n + 1):
            found = Fraction(int(near[:, sizes == k].any(axis=1).sum()), len(samples))
            assert found <= math.comb(n, k) * (epsilon + Fraction(1, unit))


@given(st.integers(-40, 40), st.integers(0, 40))
def test_a_closed_interval_holds_at_most_one_odd_integer_more_than_half_its_length(centre, tolerance):
    assert sum(x % 2 for x in range(centre - tolerance, centre + tolerance + 1)) <= tolerance + 1


@pytest.mark.parametrize(("n", "epsilon"), [(5, 0.01), (8, 0.002)])
def test_draws_succeed_no_more_often_than_the_mean_allows(n, epsilon):
    counts, _ = counted(Uniform(), UNIT, 2000, n, epsilon)
    claimed = 1 - counting.FAILURE_BY_MEAN.evaluate(n=n, epsilon=epsilon)
    assert claimed < 1, "a bound above 1 tests nothing"
    assert excess_p_value(int((counts > 0).sum()), 2000, claimed) >= FALSE_ALARM


@pytest.mark.parametrize(("n", "k", "epsilon"), [(10, 2, 0.005), (8, 4, 0.002)])
def test_draws_of_one_size_succeed_no_more_often_than_the_mean_allows(n, k, epsilon):
    problem = SubsetSums(drawn(Uniform(), 2000, n), np.full(2000, UNIT // 4))
    found = int((count_by_size(problem, math.floor(epsilon * UNIT))[:, k] > 0).sum())
    claimed = 1 - counting.FAILURE_BY_MEAN_OF_SIZE.evaluate(n=n, k=k, epsilon=epsilon)
    assert claimed < 1, "a bound above 1 tests nothing"
    assert excess_p_value(found, 2000, claimed) >= FALSE_ALARM


# Step 8: the entropy law


def test_the_binomial_is_at_most_the_exponential_of_the_entropy():
    for n in range(2, 40):
        for k in range(1, n):
            assert math.comb(n, k) * k**k * (n - k) ** (n - k) <= n**n


@given(st.integers(2, 60), st.floats(0.05, 0.95), st.floats(0.01, 0.9))
@settings(max_examples=15)
def test_the_entropy_bound_is_the_failure_by_the_mean_solved_for_epsilon(n, share, delta):
    k = min(n - 1, max(1, round(share * n)))
    epsilon = counting.ENTROPY.evaluate(n=n, k=k, delta=delta)
    if epsilon > 0:
        back = counting.FAILURE_BY_MEAN_OF_SIZE.evaluate(n=n, k=k, epsilon=epsilon)
        assert back == pytest.approx(delta, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("n", "k"), [(16, 8), (24, 6), (40, 5)])
def test_the_tolerance_of_the_entropy_law_is_where_one_subset_is_expected(n, k):
    epsilon = counting.TOLERANCE_OF_SIZE.evaluate(n=n, k=k, q=1 / 3, z=QUARTER)
    assert counting.mean_of_size(n, k, epsilon, 1 / 3, QUARTER) == pytest.approx(1, rel=0.03)
    entropy = -(k / n) * math.log2(k / n) - (1 - k / n) * math.log2(1 - k / n)
    lost = 0.5 * math.log2(2 * math.pi * k / 3) + 0.5 * math.log2(2 * math.pi * k * (1 - k / n))
    needed = math.log2(1 / (2 * epsilon)) + lost + QUARTER**2 / (2 * k / 3) / math.log(2)
    assert n * entropy == pytest.approx(needed, abs=1e-9)


@pytest.mark.parametrize(("n", "k"), [(16, 8), (20, 5)])
def test_the_best_subset_of_one_size_comes_as_near_as_the_entropy_law_says_within_a_factor_of_two(n, k):
    draws = 300
    answers = exactly(SubsetSums(drawn(Uniform(), draws, n), np.full(draws, UNIT // 4)), k)
    median = np.median(np.abs(answers.residuals)) / UNIT
    # P(no subset) is exp(-1) at the tolerance of the law if the count is Poisson: the median is ln 2 of it.
    expected = math.log(2) * counting.TOLERANCE_OF_SIZE.evaluate(n=n, k=k, q=1 / 3, z=QUARTER)
    assert 0.5 * expected < median < 2 * expected
    assert median > counting.ENTROPY.evaluate(n=n, k=k, delta=0.5)


# Step 9: no subset at all


@BOTH
def test_absence_is_nearer_to_the_mixed_poisson_law_than_to_the_plain_one(law, unit):
    for n in (12, 14, 16):
        absent = (counted(law, unit, 2000, n, 1e-3)[0] == 0).mean()
        expected = mean(law, n, 1e-3)
        mixed, plain = counting.mixed_poisson_zero(expected), math.exp(-expected)
        assert abs(absent - mixed) < abs(absent - plain)


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_the_chance_of_absence_is_the_integral_and_its_series(shift):
    # E exp(-p e(G)) = 1 - p E e(G) + p^2 E e(G)^2 / 2 - ..., E e(G)^j = (1 + j)^(-1/2) exp(-j shift^2 / (2 (1 + j))).
    peak = 0.5
    series = sum(
        (-peak) ** j / math.factorial(j) * (1 + j) ** -0.5 * math.exp(-j * shift**2 / (2 * (1 + j))) for j in range(20)
    )
    assert counting.absence_chance(peak, shift) == pytest.approx(series, abs=1e-10)
    assert counting.absence_chance(0.0, shift) == pytest.approx(1, abs=1e-12)


# Step 11: all targets of a window at once


@pytest.mark.parametrize("epsilon", [2.0**-4, 2.0**-6, 2.0**-8])
def test_nine_in_ten_draws_cover_a_window_where_the_heuristic_says_within_one_sample(epsilon):
    measured = quantile_interval(covering_numbers(Uniform(), epsilon, 0.5, draws=200, most=19, seed=3), 0.9)
    predicted = next(n for n in range(1, 40) if window_chance(n, 1 / 3, epsilon, 0.5) >= 0.9)
    assert measured.low - 1 <= predicted <= measured.high + 1
    assert abs(predicted - (1.1 * math.log2(1 / epsilon) + 6)) <= 1.5


def test_a_window_chance_rises_from_none_to_one():
    chances = [window_chance(n, 1 / 3, 0.01, 0.5) for n in range(8, 40, 3)]
    assert chances == sorted(chances)
    assert chances[0] < 1e-3
    assert chances[-1] > 0.999
    for wrong in ((0, 1, 0.1, 1), (1001, 1, 0.1, 1), (5, 0, 0.1, 1), (5, 1, 0, 1), (5, 1, 0.1, 0)):
        with pytest.raises(ValueError, match="need 1 <= n <= 1000"):
            window_chance(*wrong)


# Labels and errors


def test_what_is_proved_is_derived_and_all_else_is_heuristic():
    bounds = {name: value for name, value in vars(counting).items() if isinstance(value, Bound)}
    derived = {name: b.direction for name, b in bounds.items() if b.provenance is Provenance.DERIVED}
    assert derived == {
        "FAILURE_BY_MOMENTS": Direction.UPPER,
        "FAILURE_BY_MEAN": Direction.LOWER,
        "FAILURE_BY_MEAN_OF_SIZE": Direction.LOWER,
        "ENTROPY": Direction.LOWER,
    }
    assert len(bounds) == 9
    assert all(b.provenance is Provenance.HEURISTIC for name, b in bounds.items() if name not in derived)


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="need epsilon > 0"):
        counting.log2_intensity([1.0, 2.0], 0.0, 0.5)
    with pytest.raises(ValueError, match="no row of zeros"):
        counting.log2_intensity([[1.0, 2.0], [0.0, 0.0]], 0.1, 0.5)
    for k in (0, 5):
        with pytest.raises(ValueError, match="1 <= k <= n"):
            counting.mean_of_size(4, k, 0.1, 1 / 3, 0.0)
    with pytest.raises(ValueError, match="must be positive"):
        counting.ratio_below(0.0)
    with pytest.raises(ValueError, match="all counts are 0"):
        counting.moment_ratio([0, 0])
