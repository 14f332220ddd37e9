import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.bounds import Direction, Provenance
from slth.confidence import excess_p_value
from slth.laws import Product, Uniform
from slth.randomness import bits
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems.lueker1998_subset_sum import potential_factor, worst_error

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


def test_only_the_median_is_heuristic():
    bounds = [value for value in vars(lueker).values() if hasattr(value, "provenance")]
    assert len(bounds) == 10
    assert [b for b in bounds if b.direction is Direction.HEURISTIC] == [lueker.MEDIAN_ERROR]


# The steps of the proof


def test_the_potential_falls_by_the_worked_factors():
    factors = [potential_factor(v, Fraction(1, 2)) for v in (Fraction(1, 10), Fraction(1, 2), Fraction(3, 4))]
    assert factors == [Fraction(3, 4), Fraction(3, 4), Fraction(5, 8)]


@given(st.fractions(0, 1).filter(lambda v: 0 < v < 1), st.fractions(0, 1))
def test_the_potential_falls_at_least_by_the_rate_of_the_bound(share, drift):
    assert potential_factor(share, drift) <= 1 - drift / 2


@pytest.mark.parametrize(("share", "drift"), [(0, 0.5), (1, 0.5), (0.5, -0.1), (0.5, 1.1)])
def test_the_potential_factor_refuses_what_is_no_share(share, drift):
    with pytest.raises(ValueError, match="need a share"):
        potential_factor(share, drift)


def changes(members, size, radius):
    """J_radius: pairs x < y of 0 .. size - 1 at distance up to radius of which exactly one is a member."""
    return sum((x in members) != (x + h in members) for h in range(1, radius + 1) for x in range(size - h))


def subsets_of_the_window(half):
    size = 2 * half + 1
    for mask in range(2**size):
        yield size, {x for x in range(size) if mask >> x & 1}


def test_the_drift_lemma_on_its_worked_sets():
    # In {-2..2}: {-2, -1} attains the bound, {-2} too; in 0..4 these are {0, 1} and {0}.
    assert changes({0, 1}, 5, 2) == 3 == Fraction(25, 2) * Fraction(2, 5) * Fraction(3, 5)
    assert changes({0}, 5, 2) == 2 == Fraction(25, 2) * Fraction(1, 5) * Fraction(4, 5)


@pytest.mark.parametrize("half", [1, 2, 3, 4, 5])
def test_the_drift_lemma_holds_for_every_subset_and_is_sharp(half):
    # J_M >= (2 M + 1)^2 / 2 * v (1 - v), that is 2 J_M >= |A| (2 M + 1 - |A|), in integers.
    slack = {
        2 * changes(members, size, half) - len(members) * (size - len(members))
        for size, members in subsets_of_the_window(half)
    }
    assert min(slack) == 0


@pytest.mark.parametrize("half", [2, 4])
def test_changes_grow_no_faster_than_the_square_of_the_distance(half):
    for size, members in subsets_of_the_window(half):
        counts = [changes(members, size, r) for r in range(1, half + 1)]
        ratios = [Fraction(count, r * (r + 1)) for r, count in enumerate(counts, start=1)]
        assert ratios == sorted(ratios, reverse=True)


def test_half_a_product_contains_a_uniform_law_of_weight_ln_2_over_4():
    assert Product().density(0.5) == pytest.approx(0.34657, abs=5e-6)
    assert Product().density(0.5) / 2 == pytest.approx(0.17329, abs=5e-6)


# The worst error over a window


def test_the_worked_example():
    sums = all_sums(TENTHS.tolist())
    assert (len(sums), min(sums), max(sums)) == (20, -9, 17)
    assert worst_error(TENTHS, 5) == (1, (-5, -3, 4))
    assert worst_error(TENTHS, 10) == (1, (-10, -8, -5, -3, 4))


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
        (uniform_samples, UNIT, Uniform(), 0.5, 0.25, 13, 300),
        (uniform_samples, UNIT, Uniform(), 0.5, 0.125, 18, 30),
        (uniform_samples, UNIT, Uniform(), 1.0, 0.5, 14, 200),
        (product_samples, UNIT_PRODUCT, Product(), 0.375, 0.1875, 17, 60),
    ],
)
def test_draws_fail_no_more_often_than_the_bound_says(draw, unit, law, window, epsilon, n, draws):
    claimed = lueker.FAILURE.evaluate(R=window, m=law.drift(window), epsilon=epsilon, n=n)
    assert claimed < 1, "a bound above 1 tests nothing"
    failures = sum(worst_error(row, int(window * unit))[0] > epsilon * unit for row in draw(11, draws, n))
    assert excess_p_value(failures, draws, claimed) >= FALSE_ALARM


def test_draws_of_one_sign_fail_so_the_rate_is_at_least_one_half():
    # If all samples are positive, or all negative, the targets of the other sign fail: P(fail) >= 2^(1 - n).
    n, draws = 4, 2000
    rows = uniform_samples(12, draws, n)
    failures = sum(worst_error(row, UNIT // 2)[0] > 0.49 * UNIT for row in rows)
    one_sign = sum(bool((row > 0).all() or (row < 0).all()) for row in rows)
    assert failures >= one_sign
    assert excess_p_value(draws - failures, draws, 1 - 2.0 ** (1 - n)) >= FALSE_ALARM


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
