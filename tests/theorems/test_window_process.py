"""The covered share of the window: every step of docs/proofs/random_subset_sum.md as an exact test.

A subset of N cells stands for two things: a subset of N integers, and the union of N intervals of equal width that
fill the window [-1, 1]. For the union, J_a at a = r widths is (J_r - G_r / 2) widths^2, as G is linear in between.
"""

import itertools
import math
import re
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from slth.confidence import excess_p_value
from slth.grid import WEIGHT_EXPONENT
from slth.laws import Product, Uniform
from slth.randomness import bits
from slth.subset_sum import SubsetSums
from slth.subset_sum.coverage import worst_errors
from slth.theorems import dacunha2023_subset_sum as dacunha
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems.dacunha2023_subset_sum import (
    adversarial_failure,
    covered_lengths,
    failure_given_first_layer,
    samples_that_suffice,
)
from slth.theorems.lueker1998_subset_sum import potential_factor, worst_error

FALSE_ALARM = 1e-6
"""A true claim is rejected with at most this probability, per test case, over the choice of the seed."""

UNIT = 1 << WEIGHT_EXPONENT

QUICK = [pytest.param(half, marks=[pytest.mark.slow] if half > 7 else []) for half in range(1, 10)]
"""Halves M of windows of 2 M + 1 integers; all 2^(2 M + 1) subsets are looked at."""

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_proof_names_exists():
    files = {"W": "test_window_process.py", "L": "test_lueker1998_subset_sum.py", "P": "test_product_laws.py"}
    proof = (ROOT / "docs/proofs/random_subset_sum.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b([WLP])::(test_\w+)", proof))
    assert len(named) > 40
    for letter, name in named:
        assert f"def {name}(" in (ROOT / "tests/theorems" / files[letter]).read_text(encoding="utf-8"), name


# Step 1: the drift lemma, over all subsets


@lru_cache(maxsize=1)
def changes(size):
    """sizes |A|, G and J of all subsets A of `size` cells: G[h] counts pairs at distance h of which one is in A."""
    masks = np.arange(1 << size, dtype=np.uint32)
    G = np.zeros((size, len(masks)), dtype=np.int32)
    for h in range(1, size):
        G[h] = np.bitwise_count((masks ^ masks >> np.uint32(h)) & np.uint32((1 << size - h) - 1))
    return np.bitwise_count(masks).astype(np.int32), G, G.cumsum(axis=0)


def members(size, start, stop):
    """Of all subsets of `size` cells: how many cells of start .. stop - 1 are in A."""
    cells = sum(1 << i for i in range(start, stop))
    return np.bitwise_count(np.arange(1 << size, dtype=np.uint32) & np.uint32(cells)).astype(np.int32)


def test_changes_are_counted_as_in_the_definition():
    size = 5
    k, G, J = changes(size)
    for mask in range(1 << size):
        inside = [mask >> x & 1 for x in range(size)]
        pairs = [(h, x) for h in range(1, size) for x in range(size - h) if inside[x] != inside[x + h]]
        assert k[mask] == sum(inside)
        assert [sum(h == g for h, _ in pairs) for g in range(size)] == G[:, mask].tolist()
        assert [sum(h <= r for h, _ in pairs) for r in range(size)] == J[:, mask].tolist()


def test_the_drift_lemma_on_its_worked_sets():
    # In {-2..2}: {-2, -1} and {-2} attain the bound; here they are the masks 0b11 and 0b1.
    _, _, J = changes(5)
    assert J[2, 0b11] == 3 == Fraction(25, 2) * Fraction(2, 5) * Fraction(3, 5)
    assert J[2, 0b1] == 2 == Fraction(25, 2) * Fraction(1, 5) * Fraction(4, 5)


@pytest.mark.parametrize("half", QUICK)
def test_the_drift_is_at_least_half_for_every_set_and_attained(half):
    # J_M >= (2 M + 1)^2 / 2 v (1 - v), that is 2 J_M >= |A| (2 M + 1 - |A|); the left half attains it.
    size = 2 * half + 1
    k, _, J = changes(size)
    slack = 2 * J[half] - k * (size - k)
    assert slack.min() == 0 == slack[(1 << half) - 1]
    # The paper's constant 1/4 is half of this one.
    assert (4 * J[half] >= k * (size - k)).all()


@pytest.mark.parametrize("half", QUICK)
def test_changes_grow_no_faster_than_the_square_of_the_distance(half):
    _, G, J = changes(2 * half + 1)
    for r in range(2, 2 * half + 1):
        # A change over h1 + h2 is a change over h1 or over h2; summed, J_r / (r (r + 1)) does not increase.
        assert all((G[r] <= G[h] + G[r - h]).all() for h in range(1, r))
        assert ((r - 1) * J[r] <= (r + 1) * J[r - 1]).all()


@pytest.mark.parametrize("half", QUICK)
def test_beyond_half_the_window_changes_grow_at_least_linearly_with_the_distance(half):
    # J_r >= r / 2 M |A| (2 M + 1 - |A|) for M <= r <= 2 M: the discrete form of J_a >= 2 a v (1 - v) on [1, 2].
    size = 2 * half + 1
    k, _, J = changes(size)
    for r in range(half, size):
        assert (2 * half * J[r] >= r * k * (size - k)).all()
    assert (J[2 * half] == k * (size - k)).all()


CELLS = [*range(1, 15), pytest.param(18, marks=pytest.mark.slow)]


@pytest.mark.parametrize("size", CELLS)
def test_the_drift_lemma_holds_for_every_union_of_cells_at_every_distance(size):
    k, G, J = changes(size)
    spread = k * (size - k)
    for r in range(1, size):
        twice = 2 * J[r] - G[r]
        if 2 * r <= size:
            assert (size**2 * twice >= 4 * r**2 * spread).all()
        if 2 * r >= size:
            assert (size * twice >= 2 * r * spread).all()
        if 2 * r == size:
            assert (twice - spread)[(1 << r) - 1] == 0, "half of the window attains J_1 = 2 v (1 - v)"


@pytest.mark.parametrize("half", range(1, 8))
def test_folding_the_window_gives_the_drift_lemma(half):
    # Even: J_1 = p (1 - p) + q (1 - q) + T, T the pairs u >= y with a(u) != b(y), T >= (p - q)^2 / 2; in cells.
    size = 2 * half
    _, G, J = changes(size)
    p, q = members(size, 0, half), members(size, half, size)
    masks = np.arange(1 << size, dtype=np.uint32)
    twice_T = np.zeros(1 << size, dtype=np.int32)
    for u in range(half):
        for y in range(u + 1):
            twice_T += ((masks >> u ^ masks >> half + y) & 1).astype(np.int32) * (1 if u == y else 2)
    assert (2 * J[half] - G[half] == 2 * p * (half - p) + 2 * q * (half - q) + twice_T).all()
    assert (twice_T >= (p - q) ** 2).all()


@pytest.mark.parametrize("half", range(1, 8))
def test_folding_an_odd_window_of_integers_gives_the_drift_lemma(half):
    # Halves of M + 1 and M integers with p and q members.
    size = 2 * half + 1
    _, _, J = changes(size)
    p, q = members(size, 0, half + 1), members(size, half + 1, size)
    folded = 2 * p * (half + 1 - p) + 2 * q * (half - q) + (p - q) * (p - q - 1)
    assert (folded == (p + q) * (size - p - q)).all()
    assert (2 * J[half] >= folded).all()


@pytest.mark.parametrize("size", range(2, 15))
def test_folding_the_two_ends_bounds_the_changes_at_large_distance(size):
    # K_a = 4 v (1 - v) - J_a <= b s - s^2 / 2 <= 2 b v (1 - v), b = 2 - a, s the measure of A in the two end blocks.
    k, G, J = changes(size)
    for r in range((size + 1) // 2, size):
        b = size - r
        s = members(size, 0, b) + members(size, size - b, size)
        twice_K = 2 * k * (size - k) - 2 * J[r] + G[r]
        assert (twice_K <= 2 * b * s - s**2).all()
        assert (size * (2 * b * s - s**2) <= 2 * b * k * (size - k)).all()


# Step 1, continued: the expected growth of the covered share, for laws


def _primitive(x):
    return x * math.log(1 / x) if x > 0 else 0.0


LAWS = {
    # Integrals of k(a) and of a k(a) over [0, x] for the density k of each law.
    "uniform": (lambda x: min(x, 1) / 2, lambda x: min(x, 1) ** 2 / 4),
    "product": (
        lambda x: (_primitive(min(x, 1)) + min(x, 1)) / 2,
        lambda x: (min(x, 1) * _primitive(min(x, 1)) + min(x, 1) ** 2 / 2) / 4,
    ),
    "triangular": (lambda x: min(x, 2) / 2 - min(x, 2) ** 2 / 8, lambda x: min(x, 2) ** 2 / 4 - min(x, 2) ** 3 / 12),
    "normal": (lambda x: norm.cdf(x) - 0.5, lambda x: norm.pdf(0) - norm.pdf(x)),
}


def drift(law, window):
    """m = E[|X|; |X| <= R] / R + P(R < |X| <= 2 R) / 2."""
    mass, moment = LAWS[law]
    return 2 * moment(window) / window + mass(2 * window) - mass(window)


def unions(seed, count, size):
    """Random unions of cells, from sparse to dense, in runs and scattered, none empty or full."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        runs = np.repeat(rng.random(size) < rng.random(), rng.integers(1, 6))[:size]
        if 0 < runs.sum() < size:
            yield runs


def new_cells(inside, lag):
    """Cells outside A whose shift by -lag lies in A: the measure that lag adds, in cells."""
    padded = np.zeros(3 * len(inside), dtype=bool)
    padded[len(inside) + lag : 2 * len(inside) + lag] = inside
    return int((padded[len(inside) : 2 * len(inside)] & ~inside).sum())


def test_new_measure_in_both_directions_is_the_number_of_changes():
    for inside in unions(1, 30, 11):
        for h in range(1, 11):
            changed = int((inside[h:] != inside[:-h]).sum())
            assert new_cells(inside, h) + new_cells(inside, -h) == changed


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("window", [0.25, 0.5, 1.0, 1.5])
def test_the_covered_share_grows_by_the_drift_of_the_law_by_quadrature_over_one_sample(law, window):
    size, (mass, moment) = 24, LAWS[law]
    width = 2 * window / size
    for inside in unions(2, 60, size):
        v = inside.mean()
        lags = [new_cells(inside, h) + new_cells(inside, -h) for h in range(size + 1)]
        growth = 0.0
        for h in range(size):
            # The new measure is linear between whole lags: integrate it against the density of the law.
            a, b = h * width, (h + 1) * width
            slope = (lags[h + 1] - lags[h]) / width
            growth += (lags[h] - slope * a) * (mass(b) - mass(a)) + slope * (moment(b) - moment(a))
        assert growth / size >= drift(law, window) * v * (1 - v) - 1e-12


def test_on_the_half_window_the_uniform_drift_is_exact():
    # R = 1/2: every two points of the window are within distance 1, so E v' = v + v (1 - v) / 2.
    for inside in unions(3, 40, 20):
        both = [new_cells(inside, h) + new_cells(inside, -h) for h in range(21)]
        # Trapezoids over the lags, density 1/2, lags of 1/20, shares in units of 20 cells.
        growth = Fraction(2 * sum(both) - both[0] - both[-1], 2) * Fraction(1, 2) / 20 / 20
        v = Fraction(int(inside.sum()), 20)
        assert growth == v * (1 - v) / 2


# Step 2: the potential


def phi(v):
    return 1 / v - 1


def test_the_potential_falls_by_the_worked_factors():
    factors = [potential_factor(v, Fraction(1, 2)) for v in (Fraction(1, 10), Fraction(1, 2), Fraction(3, 4))]
    assert factors == [Fraction(3, 4), Fraction(3, 4), Fraction(5, 8)]


SHARES = st.fractions(0, 1).filter(lambda v: 0 < v < 1)


@given(SHARES, st.fractions(0, 1))
def test_the_potential_lies_below_its_chord(v, part):
    most = min(v, 1 - v)
    assert phi(v + part * most) <= phi(v) - part * (phi(v) - phi(v + most))


@given(SHARES, st.fractions(0, 1))
def test_the_chord_at_the_drift_gives_the_factor_and_the_factor_is_at_most_the_rate(v, m):
    most = min(v, 1 - v)
    chord = phi(v) - m * v * (1 - v) / most * (phi(v) - phi(v + most))
    assert chord == phi(v) * potential_factor(v, m)
    assert potential_factor(v, m) <= 1 - m / 2
    assert v > Fraction(1, 2) or potential_factor(v, m) == 1 - m / 2


@pytest.mark.parametrize(("share", "drift"), [(0, 0.5), (1, 0.5), (0.5, -0.1), (0.5, 1.1)])
def test_the_potential_factor_refuses_what_is_no_share(share, drift):
    with pytest.raises(ValueError, match="need a share"):
        potential_factor(share, drift)


@pytest.mark.parametrize("window", [0.5, 1.0])
def test_the_mean_potential_falls_by_the_rate_for_every_union_of_cells(window):
    # U[-1, 1], m = 1/2: v' is linear in X between whole lags, and the mean of 1 / v' there is ln(v2 / v1) / (v2 - v1).
    size = 20
    for inside in unions(4, 60, size):
        v = inside.mean()
        inverse = 0.0
        reach = round(size / (2 * window))  # lags of modulus up to 1
        for lag in range(-reach, reach):
            one, two = (v + new_cells(inside, j) / size for j in (lag, lag + 1))
            inverse += 1 / one if one == two else math.log(two / one) / (two - one)
        assert inverse / (2 * reach) - 1 <= 0.75 * phi(v) + 1e-12


@pytest.mark.parametrize(("law", "rate"), [(Uniform(), 3 / 4), (Product(), 7 / 8)])
def test_the_mean_potential_decays_at_least_by_the_rate_per_sample(law, rate):
    draws, n, epsilon = 3000, 12, 0.25
    if isinstance(law, Uniform):
        rows, unit = law.weights(bits(21, 0, 0, draws * n)), UNIT
    else:
        rows, unit = law.products(bits(21, 0, 0, draws * n), bits(21, 1, 0, draws * n)), UNIT**2
    e = int(epsilon / 2 * unit)
    shares = np.array([covered_lengths(row, unit, e) for row in rows.reshape(draws, n)]) / (2 * unit)
    means, start = phi(shares).mean(axis=0), phi(shares[0, 0])
    # phi stays in [0, start]: Hoeffding's inequality, the false alarm shared among the n + 1 means.
    slack = start * math.sqrt(math.log((n + 1) / FALSE_ALARM) / (2 * draws))
    assert (means <= rate ** np.arange(n + 1) * start + slack).all()


# Step 3: from the covered share to the error


def naive_lengths(samples, window, start):
    """The same process on unit cells."""
    covered, lengths = set(range(-start, start)), [2 * start]
    for x in samples:
        covered |= {c + x for c in covered if -window <= c + x < window}
        lengths.append(len(covered))
    return lengths


@given(st.lists(st.integers(-30, 30), max_size=7), st.integers(1, 25), st.data())
def test_covered_lengths_are_those_of_unit_cells(samples, window, data):
    start = data.draw(st.integers(1, window))
    found = covered_lengths(np.array(samples, dtype=np.int64), window, start)
    assert found.tolist() == naive_lengths(samples, window, start)
    assert all(a <= b <= min(2 * a, 2 * window) for a, b in itertools.pairwise(found))


@given(st.lists(st.integers(-30, 30), max_size=8), st.integers(1, 25), st.data())
def test_the_worst_error_is_at_most_the_start_plus_what_is_uncovered(samples, window, data):
    start = data.draw(st.integers(1, window))
    row = np.array(samples, dtype=np.int64)
    uncovered = 2 * window - int(covered_lengths(row, window, start)[-1])
    assert worst_error(row, window)[0] <= start + uncovered


def test_the_process_refuses_what_it_cannot_sum():
    with pytest.raises(ValueError, match="int64 of shape"):
        covered_lengths(np.array([0.5]), 2, 1)
    for samples, window, start in (([1], 1, 2), ([1], 1, 0), ([1], 1 << 61, 1), ([1 << 61], 4, 1), ([-(2**63)], 4, 1)):
        with pytest.raises(ValueError, match="need 0 < start <= window"):
            covered_lengths(np.array(samples, dtype=np.int64), window, start)


# The worst growth that the drift allows


CASES = [(e, n) for e, n in ((2.0**-4, 27), (2.0**-7, 37))]


@pytest.mark.parametrize(("epsilon", "n"), CASES)
def test_known_sample_sizes_of_the_adversarial_bound(epsilon, n):
    # The closed form asks for 35 and 49. Coarser tables round up further: 28 and 38 with 16 cells per doubling.
    assert samples_that_suffice(epsilon, 0.1, 0.5) == n
    assert samples_that_suffice(epsilon, 0.1, 0.5, refinement=16) == n + 1


@pytest.mark.slow
def test_a_finer_table_saves_one_more_sample_at_a_thousandth():
    assert [samples_that_suffice(2.0**-10, 0.1, 0.5, refinement=q) for q in (8, 64, 128)] == [49, 47, 46]


@given(st.floats(2.0**-10, 0.9), st.sampled_from([0.5, 1.0, 1.5]), st.floats(0.05, 1.0), st.sampled_from([4, 16]))
def test_the_adversarial_bound_is_never_above_the_closed_form(part, window, m, refinement):
    epsilon = part * window
    found = adversarial_failure(epsilon, m, 40, window, refinement)
    closed = lueker.FAILURE.with_values(epsilon=epsilon, R=window, m=m).lambdify("n")(np.arange(41))
    assert (found <= closed * (1 + 1e-9)).all()
    assert (np.diff(found) <= 0).all()
    assert found.min() >= 0


def value_of_a_restricted_adversary(epsilon, m, samples, size):
    """F_n for an adversary who may move the share only among k / size and epsilon / 2: at most the true F_n."""
    shares = np.unique([*np.arange(1, size + 1) / size, epsilon / 2])
    values = (shares <= 1 - epsilon / 4).astype(float)
    history = [values[np.searchsorted(shares, epsilon / 2)]]
    for _ in range(samples):
        best = values * 0
        for i, v in enumerate(shares[:-1]):
            mean = v + m * v * (1 - v)
            near = (shares >= v) & (shares <= min(2 * v, 1))
            x, f = shares[near], values[near]
            low, high = x <= mean, x >= mean
            if not high.any():
                continue  # the grid has no admissible law from here: 0 is still at most the truth
            a, fa, b, fb = x[low][:, None], f[low][:, None], x[high][None], f[high][None]
            best[i] = np.where(a == b, fa, fa + (fb - fa) * (mean - a) / np.where(a == b, 1, b - a)).max()
        values = best
        history.append(values[np.searchsorted(shares, epsilon / 2)])
    return np.array(history)


@pytest.mark.parametrize("epsilon", [0.5, 0.25, 0.125])
@pytest.mark.parametrize("m", [0.25, 0.5])
def test_the_bound_lies_just_above_an_adversary_restricted_to_a_grid(epsilon, m):
    below = value_of_a_restricted_adversary(epsilon, m, 25, 64)
    above = adversarial_failure(epsilon, m, 25, refinement=64)
    assert (below <= above).all()
    assert (above <= 1.2 * below)[below > 0.1].all()


@pytest.mark.slow
def test_no_table_could_promise_fewer_than_27_samples_for_a_sixteenth():
    # The restricted adversary still wins with probability above 0.1 after 26 samples: 27 is the value of the game.
    assert value_of_a_restricted_adversary(2.0**-4, 0.5, 26, 384)[-1] > 0.1


@pytest.mark.parametrize("refinement", [1, 3, 8, 24])
def test_lines_lie_above_the_values_whatever_they_are(refinement):
    rng = np.random.default_rng(refinement)
    places = np.sort(rng.random((50, refinement + 2)), axis=1)
    values = rng.random(places.shape)
    means = places[:, 0] + rng.random(50) * (places[:, -1] - places[:, 0])
    height, slope = dacunha._lines(values, places, np.full(50, refinement + 1), means)
    for i in range(50):
        assert slope[i] >= 0
        exact = [Fraction(f) + Fraction(slope[i]) * Fraction(x) for f, x in zip(values[i], places[i], strict=True)]
        assert max(exact) <= Fraction(height[i]) * (1 + Fraction(1, 2**51))


@given(st.floats(2.0**-24, 0.99), st.integers(1, 20))
def test_the_table_starts_below_the_share_and_ends_above_the_threshold(epsilon, refinement):
    first, threshold = epsilon / 2, 1 - epsilon / 4
    shares = dacunha._shares(first, threshold, refinement)
    assert shares[0] == first
    assert shares[-2:].tolist() == [threshold, 1.0]
    assert (np.diff(shares) > 0).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epsilon": 1.0}, "the empty subset reaches every target"),
        ({"epsilon": 2.0**-25}, "2\\^-24 R <= epsilon"),
        ({"window": 0.0}, "finite window"),
        ({"window": math.inf}, "finite window"),
        ({"epsilon": math.nan}, "finite window"),
        ({"drift": 0.0}, "drift constant in"),
        ({"drift": 1.5}, "drift constant in"),
        ({"samples": -1}, "samples >= 0"),
        ({"refinement": 0}, "refinement >= 1"),
    ],
)
def test_the_adversarial_bound_refuses_numbers_out_of_range(values, message):
    with pytest.raises(ValueError, match=message):
        adversarial_failure(**{"epsilon": 0.25, "drift": 0.5, "samples": 3, **values})


@pytest.mark.parametrize("refinement", [1, 64])
def test_the_samples_that_suffice_are_the_first_below_delta_and_never_more_than_the_closed_form(refinement):
    for epsilon, delta, m in ((0.9, 1e-6, 0.02), (0.1, 0.1, 0.5), (0.5, 0.999, 0.5)):
        n = samples_that_suffice(epsilon, delta, m, refinement=refinement)
        found = adversarial_failure(epsilon, m, n, refinement=refinement)
        assert found[n] <= delta < found[n - 1]
        assert n <= lueker.CANDIDATES.evaluate(R=1, m=m, epsilon=epsilon, delta=delta) + 1
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        samples_that_suffice(0.5, 1.0, 0.5, refinement=refinement)


# Measured, from both sides


def measured_failures(seed, draws, n, epsilon, window):
    rows = Uniform().weights(bits(seed, 0, 0, draws * n)).reshape(draws, n)
    problem = SubsetSums(rows, np.zeros(draws, dtype=np.int64), exponent=WEIGHT_EXPONENT)
    errors = worst_errors(problem, int(window * UNIT)).doubled_errors
    return int((errors > int(2 * epsilon * UNIT)).sum())


@pytest.mark.parametrize(
    ("window", "epsilon", "n"), [(0.5, 0.49, 8), (0.5, 0.25, 12), (1.0, 0.9, 10), (1.0, 0.5, 13), (0.5, 0.125, 16)]
)
def test_failures_lie_between_the_floor_and_both_bounds(window, epsilon, n):
    draws = 4000
    failures = measured_failures(31, draws, n, epsilon, window)
    sharp = adversarial_failure(epsilon, 0.5, n, window)[-1]
    closed = lueker.FAILURE.evaluate(R=window, m=0.5, epsilon=epsilon, n=n)
    assert sharp < 1, "a bound of 1 tests nothing"
    assert excess_p_value(failures, draws, sharp) >= FALSE_ALARM
    assert excess_p_value(failures, draws, closed) >= FALSE_ALARM
    # At most this share succeeds: 1 - 2 * 2^-n.
    assert excess_p_value(draws - failures, draws, 1 - lueker.FLOOR.evaluate(n=n)) >= FALSE_ALARM


# Given the first layer


def drawn_first_layer(seed, rows):
    return Uniform().weights(bits(seed, 0, 0, rows))


def test_given_the_first_layer_the_bound_is_the_product_over_the_rows_of_the_side():
    first = drawn_first_layer(41, 120)
    for side in (1, -1):
        sizes = [Fraction(int(abs(u)), UNIT) for u in first if side * u > 0]
        tolerance = Fraction(0.25) - sum(sizes) / UNIT
        exact = 8 / tolerance**2 * math.prod(1 - u / 4 for u in sizes)
        found = failure_given_first_layer(first, side, 0.25)
        assert exact <= Fraction(found) <= exact * (1 + Fraction(1, 10**12))


@given(st.floats(0.05, 1.0), st.floats(0.2, 2.0))
def test_the_factor_of_a_row_is_the_drift_of_the_uniform_law_that_it_makes(size, window):
    u = round(size * UNIT)
    rows = np.full(200, u)
    found = failure_given_first_layer(rows, 1, 0.5, window)
    m = Uniform(-u / UNIT, u / UNIT).drift(window)
    tolerance = 0.5 - 200 * u / UNIT**2
    assert found == pytest.approx(min(1, 8 * window**2 / tolerance**2 * (1 - m / 2) ** 200), rel=1e-9)


def test_the_bound_given_the_first_layer_averages_to_the_bound_for_products():
    # E over u = U[0, 1] of the product of 1 - u / 4 is (7/8)^n, exactly; here by Gauss-Legendre, exact for lines.
    nodes, weights = np.polynomial.legendre.leggauss(2)
    factor = (weights / 2 * (1 - (nodes + 1) / 2 / 4)).sum()
    assert factor == pytest.approx(1 - Product(Uniform(0.0, 1.0), Uniform()).drift(1.0) / 2, rel=1e-14)


def test_fixed_first_layers_fail_no_more_often_than_their_bound_says():
    draws, n, epsilon = 300, 17, 0.5
    first = np.full(n, UNIT - 1) - 2 * np.arange(n) * 2**18  # from 1 down to one half
    claimed = failure_given_first_layer(first, 1, epsilon)
    assert claimed < 1
    rows = first * Uniform().weights(bits(42, 0, 0, draws * n)).reshape(draws, n)
    problem = SubsetSums(rows, np.zeros(draws, dtype=np.int64))
    errors = worst_errors(problem, UNIT**2).doubled_errors
    assert excess_p_value(int((errors > 2 * epsilon * UNIT**2).sum()), draws, claimed) >= FALSE_ALARM


def test_without_rows_of_the_side_or_below_the_grid_nothing_is_promised():
    assert failure_given_first_layer(np.array([-UNIT, -1]), 1, 0.1) == 1.0
    assert failure_given_first_layer(np.array([], dtype=np.int64), 1, 0.1) == 1.0
    assert failure_given_first_layer(np.full(1000, UNIT), 1, 2.0**-20) == 1.0


def test_first_layers_out_of_range_are_refused():
    for first in (np.array([0.5]), [1]):
        with pytest.raises(TypeError, match="int64 array in units of"):
            failure_given_first_layer(first, 1, 0.1)
    for first in (np.array([[1]]), np.array([UNIT + 1]), np.array([-(2**63)])):
        with pytest.raises(ValueError, match="modulus at most"):
            failure_given_first_layer(first, 1, 0.1)
    for side, epsilon, window in ((0, 0.1, 1.0), (1, 0.0, 1.0), (1, math.nan, 1.0), (1, 0.1, -1.0), (1, 0.1, math.inf)):
        with pytest.raises(ValueError, match="need side 1 or -1"):
            failure_given_first_layer(np.array([1]), side, epsilon, window)


# The published form


def test_the_published_form_has_no_value_for_its_constants():
    for values, missing in (({"C": 2}, "kappa"), ({"kappa": 2}, "C")):
        with pytest.raises(ValueError, match=f"needs a value for {missing}"):
            dacunha.DACUNHA.evaluate(epsilon=0.1, n=10, **values)
    found = dacunha.DACUNHA.evaluate(epsilon=math.exp(-2), n=10, C=3, kappa=2)
    assert found == pytest.approx(2 * math.exp(-(4**2) / 20))


def test_with_too_few_samples_the_published_form_claims_nothing():
    assert dacunha.DACUNHA.evaluate(epsilon=0.01, n=2, C=3, kappa=2) == 2.0


def test_growth_by_factors_asks_for_171_samples_per_bit():
    # E v' >= v (1 + 1/8) for v <= 1/2 and v' <= 2 v: P(v' >= (1 + b) v) >= p = 1 - 7 / (8 (1 - b)), by Markov.
    def samples_per_bit(b):
        return 1 / ((1 - 7 / (8 * (1 - b))) * math.log2(1 + b))

    assert 171 < samples_per_bit(1 / 16) < 172
    assert min(samples_per_bit(b) for b in np.linspace(0.001, 0.124, 500)) > 170
    explicit = lueker.CANDIDATES_UNIFORM
    slope = explicit.evaluate(epsilon=2.0**-11, delta=0.1) - explicit.evaluate(epsilon=2.0**-10, delta=0.1)
    assert slope == pytest.approx(4.82, abs=0.005)
