"""Subset sums on the grid: every step of docs/proofs/grid_law.md as an exact test on coarse grids."""

import itertools
import math
import re
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slth.confidence import excess_p_value
from slth.laws import Product, Uniform
from slth.randomness import bits
from slth.subset_sum import SubsetSums
from slth.subset_sum.coverage import worst_errors
from slth.theorems import grid_law as law
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems.burkholz2022_depth import RAW_DRIFT
from slth.theorems.grid_law import candidates_on_grid, covered, drift_on_grid, tolerance_on_grid
from slth.theorems.lueker1998_subset_sum import worst_error
from slth.theorems.pensia2020_subset_sum import DRIFT

FALSE_ALARM = 1e-6
"""A true bound is rejected with at most this probability, per test case, over the choice of the seed."""

ROOT = Path(__file__).parents[2]

SAMPLES = st.lists(st.integers(-60, 60), max_size=6)


def test_every_test_that_the_proof_names_exists():
    files = {"G": "test_grid_law.py", "W": "test_window_process.py", "S": "test_gadhikar2023_sparse_source.py"}
    proof = (ROOT / "docs/proofs/grid_law.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b([GWS])::(test_\w+)", proof))
    assert len(named) > 15
    for letter, name in named:
        assert f"def {name}(" in (ROOT / "tests/theorems" / files[letter]).read_text(encoding="utf-8"), name


def odd_multiples(values):
    """The values of v in units of 1 / values."""
    return range(1 - values, values, 2)


def all_sums(samples):
    return {sum(subset) for size in range(len(samples) + 1) for subset in itertools.combinations(samples, size)}


def pieces(samples, window, half):
    return covered(np.array(samples, dtype=np.int64), window, half).T.tolist()


def holes(found, window):
    """What the pieces leave of the window, in order."""
    ends = [-window, *itertools.chain.from_iterable(found), window]
    return [(a, b) for a, b in zip(ends[::2], ends[1::2], strict=True) if a < b]


def length(intervals):
    return sum(b - a for a, b in intervals)


def overlap(first, second):
    return sum(max(0, min(b, d) - max(a, c)) for a, b in first for c, d in second)


# Part 1: the covered set


def in_the_set(doubled, samples, half):
    """The definition, at the point doubled / 2: within half of a sum, or between two sums at most 4 half apart."""
    sums = all_sums(samples)
    near = any(abs(doubled - 2 * s) <= 2 * half for s in sums)
    return near or any(2 * s <= doubled <= 2 * r and r - s <= 4 * half for s in sums for r in sums)


@given(st.lists(st.integers(-40, 40), max_size=4), st.integers(1, 30), st.data())
def test_the_pieces_are_those_of_the_definition(samples, window, data):
    half = data.draw(st.integers(1, window))
    found = pieces(samples, window, half)
    # The ends are integers: a point midway between two neighbours stands for all points between them.
    for doubled in range(-2 * window + 1, 2 * window, 2):
        assert any(2 * a < doubled < 2 * b for a, b in found) == in_the_set(doubled, samples, half)
    assert all(a < b for a, b in found)
    assert all(b < c for (_, b), (c, _) in itertools.pairwise(found))


@given(SAMPLES, st.integers(-60, 60), st.integers(1, 60), st.data())
def test_the_set_and_its_translate_are_in_the_next_set(samples, new, window, data):
    half = data.draw(st.integers(1, window))
    before, after = (pieces(s, window, half) for s in (samples, [*samples, new]))
    moved = [(max(a + new, -window), min(b + new, window)) for a, b in before]
    for a, b in (*before, *(pair for pair in moved if pair[0] < pair[1])):
        assert any(c <= a and b <= d for c, d in after)


@given(SAMPLES, st.integers(1, 60), st.data())
def test_a_target_without_a_sum_within_epsilon_leaves_a_hole_of_half_epsilon(samples, window, data):
    half = data.draw(st.integers(1, window))
    worst, targets = worst_error(np.array(samples, dtype=np.int64), window)
    if worst > 2 * half:
        found = holes(pieces(samples, window, half), window)
        for z in targets:
            assert overlap(found, [(z - half, z + half)]) >= half
            assert overlap(found, [(z - half, z + half)]) == overlap([(-window, window)], [(z - half, z + half)])


@given(SAMPLES, st.integers(1, 60), st.data())
def test_every_covered_target_has_a_sum_within_epsilon(samples, window, data):
    half = data.draw(st.integers(1, window))
    sums = all_sums(samples)
    for a, b in pieces(samples, window, half):
        assert all(min(abs(z - 2 * s) for s in sums) <= 4 * half for z in range(2 * a, 2 * b + 1))


def counts(found, window):
    """Numbers of pieces and holes, and of each the number that contain an end of the window."""
    empty = holes(found, window)
    at_ends = [sum((a == -window) + (b == window) for a, b in intervals) for intervals in (found, empty)]
    return len(found), len(empty), *at_ends


@given(SAMPLES, st.integers(1, 60), st.data())
def test_pieces_and_gaps_are_at_least_epsilon_long_but_at_the_ends_of_the_window(samples, window, data):
    half = data.draw(st.integers(1, window))
    found = pieces(samples, window, half)
    for intervals in (found, holes(found, window)):
        assert all(b - a >= 2 * half for a, b in intervals if -window < a and b < window)
    inside = [(a, b) for a, b in found if a <= 0 <= b]
    assert length(inside) >= 2 * half


@given(SAMPLES, st.integers(1, 60), st.data())
def test_pieces_and_gaps_alternate(samples, window, data):
    half = data.draw(st.integers(1, window))
    found = pieces(samples, window, half)
    share, rest = (Fraction(length(i), 2 * half) for i in (found, holes(found, window)))
    K_A, K_B, p, q = counts(found, window)
    assert p + q == 2
    if K_B:
        assert K_A - K_B == p - 1 == 1 - q
        assert share + p >= K_A
        assert rest + q >= K_B
        least = min(share, rest)
        assert (least + 1) * (least + 2) >= K_A * K_B


@given(SAMPLES, st.integers(2, 60), st.data())
def test_pieces_times_holes_are_at_most_c_lengths_over_epsilon_squared(samples, window, data):
    half = data.draw(st.integers(1, (window + 1) // 2 - 1) if window > 2 else st.just(1))
    found = pieces(samples, window, half)
    share, rest = (Fraction(length(i), 2 * half) for i in (found, holes(found, window)))
    assert share >= 1
    if rest >= Fraction(1, 2):
        epsilon = 2 * half
        c = Fraction((window + epsilon) * (window + 2 * epsilon), window**2)
        assert c * share * rest >= len(found) * len(holes(found, window))


@given(st.fractions(2, 10**6), st.fractions(0, 1))
def test_the_largest_ratio_is_c(rho, part):
    x = Fraction(1, 2) + part * (rho / 2 - Fraction(1, 2))
    assert (x + 1) * (x + 2) <= (1 + 2 / rho) * (1 + 4 / rho) * x * (rho - x)


# Part 2: the mean over the middles of equal intervals


@lru_cache(maxsize=4)
def unions(size):
    """All unions A of unit cells of a window of `size` cells, with pieces, holes and new cells at every whole lag."""
    found = []
    for mask in range(1, (1 << size) - 1):
        inside = np.array([mask >> x & 1 for x in range(size)])
        changes = int(np.abs(np.diff(inside)).sum())
        K_A = (changes + 1 + int(inside[0] == inside[-1] == 1)) // 2
        lags = np.correlate(1 - inside, inside, "full")  # index lag + size - 1
        found.append((K_A, changes + 1 - K_A, lags.tolist()))
    return found


def new_measure(lags, y):
    """|(A + y) and the rest of the window|: linear between whole lags."""
    middle, whole = len(lags) // 2, math.floor(y)

    def at(k):
        return lags[k + middle] if abs(k) <= middle else 0

    return at(whole) + (y - whole) * (at(whole + 1) - at(whole))


def means(lags, reach, values):
    """Of the new measure over v uniform on [-1, 1] and over the odd multiples of 1 / values, at lag reach * v."""
    at = [new_measure(lags, k) for k in range(-reach, reach + 1)]
    continuous = Fraction(2 * sum(at) - at[0] - at[-1], 4 * reach)
    places = [Fraction(reach * v, values) for v in odd_multiples(values)]
    return continuous, sum((new_measure(lags, y) for y in places), Fraction(0)) / values


def test_pieces_holes_and_new_cells_are_counted_as_in_the_definition():
    for mask, (K_A, K_B, lags) in enumerate(unions(5), start=1):
        inside = [mask >> x & 1 for x in range(5)]
        runs = [key for key, _ in itertools.groupby(inside)]
        assert (runs.count(1), runs.count(0)) == (K_A, K_B)
        for lag in range(-4, 5):
            new = sum(inside[x] and 0 <= x + lag < 5 and not inside[x + lag] for x in range(5))
            assert lags[lag + 4] == new


@pytest.mark.parametrize("values", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("reach", [1, 2, 7])
def test_the_mean_over_the_grid_is_near_the_mean_over_the_interval_for_every_union_of_cells(values, reach):
    largest = Fraction(0)
    for K_A, K_B, lags in unions(7):
        continuous, grid = means(lags, reach, values)
        bound = Fraction(reach * K_A * K_B, 2 * values**2)
        assert abs(continuous - grid) <= bound
        largest = max(largest, abs(continuous - grid) / bound)
    if (reach, values) == (7, 7):
        assert largest == 1  # attained


def test_some_set_grows_by_less_on_the_grid_than_under_the_continuous_law():
    # U[-1, 1] on the window [-1/2, 1/2], of 7 cells: a lower end without a correction would be false.
    less = [grid < mean for _, _, lags in unions(7) for mean, grid in [means(lags, 7, 16)]]
    assert 0 < sum(less) < len(less)


def test_the_corners_of_the_new_measure_have_heights_of_at_most_2_per_pair_and_sign():
    for K_A, K_B, lags in unions(7):
        heights = np.diff([0, 0, *lags, 0, 0], 2)
        assert heights.sum() == 0
        assert heights[heights > 0].sum() <= 2 * K_A * K_B


@given(st.lists(st.tuples(st.fractions(-1, 1), st.fractions(-5, 5)), max_size=6))
def test_a_corner_lifts_the_mean_above_the_middle_by_at_most_a_quarter_of_its_height(corners):
    # f(s) = sum of h |s - c| / 2 has corners of height h; over [-1, 1] its mean is sum of h (1 + c^2) / 4.
    mean = sum((h * (1 + c**2) / 4 for c, h in corners), Fraction(0))
    middle = sum((h * abs(c) / 2 for c, h in corners), Fraction(0))
    assert mean - middle == sum((h * (1 - abs(c)) ** 2 / 4 for c, h in corners), Fraction(0))
    assert mean - middle <= sum((h for _, h in corners if h > 0), Fraction(0)) / 4


# Part 3: the drift on the grid


def process(seed, values, window, half):
    """Covered sets of random samples u v on the grid of `values`, in units of 1 / (8 values), that still have holes."""
    rng = np.random.default_rng(seed)
    for _ in range(60):
        u = rng.integers(1, 8 * window // (8 * values) + 1, rng.integers(0, 6))
        samples = (u * rng.choice(odd_multiples(values), len(u))).tolist()
        found = pieces(samples, window, half)
        if 2 * window - length(found) >= half:
            yield samples, found


GRIDS = [(4, 1, Fraction(3, 4)), (8, 1, Fraction(3, 8)), (8, Fraction(1, 2), Fraction(3, 8)), (16, 1, Fraction(1, 4))]
"""Values of v, R and epsilon: between a sixth and nearly all of the drift is lost."""


@pytest.mark.parametrize(("values", "R", "epsilon"), GRIDS)
def test_the_drift_on_the_grid_is_at_least_m_prime_for_every_set_of_the_process(values, R, epsilon):
    unit = 8 * values  # 1 is so many units; u = k / 8 and v odd / values give u v in units
    window, half = int(R * unit), int(epsilon * unit / 2)
    tested = 0
    for samples, found in process(1, values, window, half):
        empty, v = holes(found, window), Fraction(length(found), 2 * window)
        for k in (1, 3, int(8 * R)):
            m = Fraction(k, 8) / (2 * R)
            gains = [overlap([(a + k * j, b + k * j) for a, b in found], empty) for j in odd_multiples(values)]
            mean = Fraction(sum(gains), values * 2 * window)
            assert mean >= drift_on_grid(m, epsilon, R, values) * v * (1 - v)
            after = length(pieces([*samples, k], window, half))
            assert after - length(found) >= gains[values // 2]
            tested += 1
    assert 0 < drift_on_grid(1, epsilon, R, values) < Fraction(5, 6)
    assert tested > 60


def test_the_mean_of_m_over_the_first_weights_of_the_grid_is_that_of_the_continuous_law():
    for values in (2, 8, 64):
        sizes = [Fraction(abs(j), values) for j in odd_multiples(values)]
        assert sum(sizes, Fraction(0)) / len(sizes) / 2 == Fraction(1, 4)
    assert Product(Uniform(0.0, 1.0), Uniform()).drift(1.0) == 0.25 == 2 * DRIFT
    assert Uniform().drift(1.0) == 0.5 == RAW_DRIFT


@given(st.floats(0.01, 2), st.floats(0.01, 1))
def test_the_drift_of_a_uniform_law_within_the_window_is_half_its_share(window, part):
    half = min(1.0, window * part)
    assert Uniform(-half, half).drift(window) == pytest.approx(half / (2 * window))


def test_half_the_range_is_half_of_a_grid_of_half_as_many_values():
    for first in (0, 2**13, 2**24 - 4):
        found = Uniform(-0.5, 0.5).weights(np.arange(first, first + 4, dtype=np.uint32) << np.uint32(8))
        assert found.tolist() == [first - 2**23 + k for k in (1, 1, 3, 3)]


# Part 4: the potential


@pytest.mark.parametrize(("values", "R", "epsilon"), [grid for grid in GRIDS if grid[1] == 1])
def test_the_mean_potential_falls_by_the_rate_while_a_target_can_fail(values, R, epsilon):
    unit = 2 * values
    window, half = R * unit, int(epsilon * unit / 2)
    rate = 1 - drift_on_grid(Fraction(1, 2), epsilon, R, values) / 2
    rng, tested = np.random.default_rng(3), 0
    for _ in range(60):
        samples = (2 * rng.choice(odd_multiples(values), rng.integers(0, 6))).tolist()
        v = Fraction(length(pieces(samples, window, half)), 2 * window)
        if 1 - v < Fraction(half, 2 * window):
            continue
        after = [length(pieces([*samples, 2 * j], window, half)) for j in odd_multiples(values)]
        mean = sum((Fraction(2 * window, covers) - 1 for covers in after), Fraction(0)) / values
        assert mean <= rate * (1 / v - 1)
        tested += 1
    assert tested > 20


# The bounds


@settings(max_examples=10)
@given(st.floats(1e-6, 0.9), st.floats(1e-9, 0.9), st.floats(0.5, 2), st.floats(0.01, 0.5))
def test_failure_and_candidates_are_one_bound_and_the_function_rounds_it_up(epsilon, delta, window, drift):
    values = {"epsilon": epsilon, "R": window, "m": drift}
    assume(epsilon < window)
    n = law.CANDIDATES_ON_GRID.evaluate(delta=delta, **values)
    assert law.FAILURE_ON_GRID.evaluate(n=n, **values) == pytest.approx(delta, rel=1e-6)
    m = float(drift_on_grid(drift, epsilon, window))
    assert n == pytest.approx(lueker.CANDIDATES.evaluate(R=window, m=m, epsilon=epsilon, delta=delta), rel=1e-9)
    found = candidates_on_grid(epsilon, delta, drift, window)
    assert found == int(found)
    assert n * (1 - 1e-9) <= found <= n * (1 + 1e-9) + 1


@settings(max_examples=25)
@given(st.floats(1e-5, 0.9), st.floats(1e-9, 0.9))
def test_for_tolerances_of_a_hundred_thousandth_and_more_the_grid_costs_at_most_one_candidate(epsilon, delta):
    continuous = lueker.CANDIDATES.evaluate(R=1, m=0.125, epsilon=epsilon, delta=delta)
    assert 0 <= candidates_on_grid(epsilon, delta, 0.125) - math.ceil(continuous) <= 1


def test_close_to_the_grid_more_candidates_are_asked_for_and_below_it_no_number_is_proved():
    lost = [1 - float(drift_on_grid(1.0, 2.0**-k)) for k in (21, 22, 23)]
    assert lost == pytest.approx([1 / 32, 1 / 8, 1 / 2], rel=1e-5)
    at = (2.0**-22, 2.0**-23, 1.42 * 2.0**-24, 1.41 * 2.0**-24, 2.0**-60)
    found = [candidates_on_grid(epsilon, 0.1, 0.125) for epsilon in at]
    assert sorted(found) == found
    assert [math.isfinite(n) for n in found] == [True, True, True, False, False]
    for epsilon in at[3:]:
        assert law.CANDIDATES_ON_GRID.evaluate(R=1, m=0.125, epsilon=epsilon, delta=0.1) == math.inf
        assert law.FAILURE_ON_GRID.evaluate(R=1, m=0.125, epsilon=epsilon, n=10**6) >= 1
    with pytest.raises(ValueError, match="no number of candidates is proved"):
        law.whole(math.inf, 0.001)
    assert law.whole(7.0, 0.001) == 7


@given(st.integers(20, 5000), st.floats(1e-9, 0.9), st.sampled_from([0.0625, 0.125, 0.5]))
def test_the_tolerance_is_the_least_for_which_so_many_samples_suffice(n, delta, drift):
    found = tolerance_on_grid(n, delta, drift)
    assert candidates_on_grid(found, delta, drift) <= n < candidates_on_grid(found * (1 - 1e-9), delta, drift)
    assert found >= lueker.TOLERANCE.evaluate(R=1, m=drift, delta=delta, n=n) * (1 - 1e-9)
    assert found > 2.0**-24


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: drift_on_grid(-0.1, 0.1), "drift constant in"),
        (lambda: drift_on_grid(0.5, 0.0), "positive finite epsilon"),
        (lambda: drift_on_grid(0.5, math.nan), "positive finite epsilon"),
        (lambda: drift_on_grid(0.5, 0.1, math.inf), "positive finite epsilon"),
        (lambda: drift_on_grid(0.5, 0.1, 1.0, 0), "values >= 1"),
        (lambda: candidates_on_grid(0.1, 0.0, 0.5), "delta"),
        (lambda: tolerance_on_grid(-1, 0.1, 0.5), "samples >= 0"),
        (lambda: tolerance_on_grid(5, 0.1, 0), "positive drift"),
        (lambda: covered(np.array([0.5]), 2, 1), "int64 of shape"),
        (lambda: covered(np.zeros((2, 2), dtype=np.int64), 2, 1), "int64 of shape"),
        (lambda: covered(np.zeros(25, dtype=np.int64), 2, 1), "n <= 24"),
        (lambda: covered(np.array([1]), 1, 2), "0 < half"),
        (lambda: covered(np.array([1]), 1, 0), "0 < half"),
        (lambda: covered(np.array([2**61]), 1, 1), "sums below"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Measured


def coarse(seed, stream, draws, n, values):
    """v uniform on the odd multiples of 1 / values, a power of two, in units of 1 / values."""
    return 2 * (bits(seed, stream, 0, draws * n) >> 16).astype(np.int64).reshape(draws, n) % (2 * values) + 1 - values


def test_the_bound_for_the_continuous_law_is_false_on_a_coarse_grid():
    # Odd multiples of 1/2: no sum is within 1/5 of 1/4, with any number of samples.
    rows = coarse(1, 0, 5, 20, 2)
    errors = worst_errors(SubsetSums(rows, np.zeros(5, dtype=np.int64)), 1).doubled_errors
    assert (errors / 2 >= 2 * 0.25).all()
    assert lueker.FAILURE.evaluate(R=0.5, m=0.5, epsilon=0.2, n=20) < 0.2
    assert drift_on_grid(0.5, 0.2, 0.5, 2) == 0


@pytest.mark.parametrize(
    ("values", "epsilon", "n", "draws"),
    [(8, 0.75, 14, 2000), (8, 0.5, 22, 20), (16, 0.5, 15, 1000), (32, 0.25, 20, 60)],
)
def test_weights_on_a_coarse_grid_fail_no_more_often_than_the_bound_says(values, epsilon, n, draws):
    R = 1
    m = drift_on_grid(0.5, epsilon, R, values)
    assert m < Fraction(19, 40), "without a visible loss this tests the continuous law"
    claimed = lueker.FAILURE.evaluate(R=R, m=m, epsilon=epsilon, n=n)
    assert claimed < 1, "a bound above 1 tests nothing"
    rows = coarse(4, 0, draws, n, values)
    errors = worst_errors(SubsetSums(rows, np.zeros(draws, dtype=np.int64)), int(R * values)).doubled_errors
    assert excess_p_value(int((errors > 2 * epsilon * values).sum()), draws, claimed) >= FALSE_ALARM


def test_products_of_two_weights_on_a_coarse_grid_fail_no_more_often_than_the_bound_says():
    values, R, epsilon, n, draws = 16, 1, 0.9, 20, 60
    mean = sum((Fraction(abs(j), 2 * values) for j in odd_multiples(values)), Fraction(0)) / values
    m = drift_on_grid(mean, epsilon, R, values)
    assert m < mean * Fraction(24, 25)
    claimed = lueker.FAILURE.evaluate(R=R, m=m, epsilon=epsilon, n=n)
    assert claimed < 1, "a bound above 1 tests nothing"
    rows = coarse(5, 0, draws, n, values) * coarse(5, 1, draws, n, values)
    errors = worst_errors(SubsetSums(rows, np.zeros(draws, dtype=np.int64)), int(R * values**2)).doubled_errors
    assert excess_p_value(int((errors > 2 * epsilon * values**2).sum()), draws, claimed) >= FALSE_ALARM
