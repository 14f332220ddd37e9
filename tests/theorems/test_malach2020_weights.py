"""Malach et al. 2020, Theorem 2.1: the claims of the file, from both sides."""

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.assignment import adaptive
from slth.confidence import binomial_interval, excess_p_value
from slth.gadget import collapse
from slth.networks.examples import random_target
from slth.networks.layers import Dense
from slth.networks.source import Source
from slth.networks.target import Target
from slth.references import MALACH2020
from slth.subset_sum import SubsetSums, any_within
from slth.subset_sum.questions import any_or_nearest
from slth.theorems import malach2020_weights as malach
from slth.theorems.certificate import Verdict
from slth.theorems.matching import WINDOW, by_product, first_fit, match_pair, separately
from slth.theorems.pairs import samples_per_weight
from slth.theorems.theorem import verify

ONE = 1 << 24
FALSE_ALARM = 1e-6
TINY = Target.from_floats([[[0.5, -0.4]], [[0.9]]])  # 2-1-1


def factors(rows, draws, seed=0):
    """u and v of one input and one output, (draws, rows) each, every draw a trial of a source of its own."""
    sources = [Source(seed, (1, rows, 1), trial=trial) for trial in range(draws)]
    return (
        np.stack([s.rows(0, 0, rows)[:, 0] for s in sources]),
        np.stack([s.rows(1, 0, 1)[0] for s in sources]),
    )


# 2. Bounds ------------------------------------------------------------------------------------------------------------


def test_rows_match_the_worked_example():
    assert math.ceil(malach.ROWS.evaluate(t=0.05, I=200, delta=0.1)) == 12162


def test_rows_with_the_tolerance_of_one_neuron_are_the_restated_width():
    # epsilon / (2 d) for each factor, 2 d instances: 16 d^2 / epsilon^2 ln(2 d / delta) rows for each of d inputs
    d, epsilon, delta = 7, 0.1, 0.05
    rows = malach.ROWS.evaluate(t=epsilon / (2 * d), I=2 * d, delta=delta)
    assert d * rows == pytest.approx(malach.NEURON_WIDTH.evaluate(d=d, epsilon=epsilon, delta=delta), rel=1e-12)


def test_rows_are_the_failure_probability_solved():
    n = malach.ROWS.evaluate(t=0.1, I=50, delta=0.1)
    assert malach.FAILURE.evaluate(t=0.1, I=50, N=n) <= 0.1
    assert malach.FAILURE.evaluate(t=0.1, I=50, N=0.99 * n) > 0.1


def test_the_derived_width_is_smaller_than_the_restated_one_by_the_square_of_the_dimension():
    d, L, epsilon, delta = 20, 3, 0.1, 0.1
    t = malach.TOLERANCE.evaluate(epsilon=epsilon, L=L, d_in=d, d_out=d)
    derived = d * malach.ROWS.evaluate(t=t, I=2 * d * d * L, delta=delta)
    assert derived * d**2 == pytest.approx(malach.WIDTH.evaluate(d=d, L=L, epsilon=epsilon, delta=delta), rel=1e-12)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5), st.floats(1e-3, 1.0))
def test_factors_at_the_tolerance_give_epsilon_by_the_recursion(p, s, depth, epsilon):
    t = malach.TOLERANCE.evaluate(epsilon=epsilon, L=depth, d_in=s, d_out=p)
    assert (1 + 2 * t * math.sqrt(p * s)) ** depth - 1 <= epsilon


def test_tolerances_are_even_grid_units_below_the_bound_and_count_nonzero_weights_only():
    dense, sparse = np.full((2, 4), 0.25), np.eye(2, 4) * 0.5
    wide, narrow = (malach.factor_tolerances(Target.from_floats([w]), 0.1)[0] for w in (sparse, dense))
    assert wide == pytest.approx(2 * narrow, rel=1e-4)
    assert narrow <= malach.TOLERANCE.evaluate(epsilon=0.1, L=1, d_in=4, d_out=2) < narrow + 2**-22
    assert int(narrow * ONE) % 2 == 0


def test_an_epsilon_above_one_counts_as_one_and_a_norm_above_one_divides_it():
    assert malach.factor_tolerances(TINY, 50.0) == malach.factor_tolerances(TINY, 1.0)
    # 3 ((1 + 0.3 / 3 / 2) - 1) = 0.15 <= 0.3 / 2: the product of norms 3 keeps the error below 0.3
    (t,) = malach.factor_tolerances(Target.from_floats([[[3.0]]]), 0.3)
    assert t == pytest.approx(0.3 / 4, rel=1e-5)


@given(st.integers(0, ONE), st.integers(1, ONE // 2))
def test_the_chance_of_a_unit_is_at_least_a_quarter_of_the_squared_tolerance_exactly(weight, half):
    """Counted over the odd integers of the law; the weight lies anywhere, the tolerance is even."""
    tolerance = 2 * half
    low, high = max(0, weight - tolerance), min(ONE, weight + tolerance)
    fitting_u = (high + 1) // 2 - low // 2  # odd integers in [low, high]
    fitting_v = ONE // 2 - (ONE - tolerance) // 2
    assert Fraction(fitting_u * fitting_v, ONE**2) >= Fraction(tolerance, 2 * ONE) ** 2


def test_the_chance_is_a_quarter_of_the_squared_tolerance_at_weight_one_from_both_sides():
    tolerance, rows, draws = ONE // 8, 256, 4000
    u, v = factors(rows, draws)
    found = first_fit(u, v, np.full(draws, 1 << 48), tolerance, separately)
    hits = int(separately(u, v, np.full((draws, 1), 1 << 48), tolerance).sum())
    inside = binomial_interval(hits, rows * draws, 1 - FALSE_ALARM)
    assert inside.low <= 1 / 256 <= inside.high
    missed = binomial_interval(int((found < 0).sum()), draws, 1 - FALSE_ALARM)
    assert missed.low <= (1 - 1 / 256) ** rows <= missed.high
    assert (1 - 1 / 256) ** rows == pytest.approx(malach.FAILURE.evaluate(I=1, t=1 / 8, N=rows))


@pytest.mark.parametrize("weight", [0.0, 0.05, 0.25, -0.6, 0.9, 1.0, -1.0])
@pytest.mark.parametrize("t", [0.05, 0.1, 0.3])
def test_the_chance_of_one_product_is_at_least_the_two_derived_ones(weight, t):
    # integral of ln(1 / |x|) / 4 over [w - t, w + t] within [-1, 1]
    def below(x):
        x = min(max(x, -1.0), 1.0)
        return x - x * math.log(abs(x)) if x else 0.0

    chance = (below(weight + t) - below(weight - t)) / 4
    assert chance >= t**2 / 8 * (1 - 1e-9)
    z = max(abs(weight), t)
    if z + t <= 1:
        assert chance >= t / 2 * math.log(1 / z)
    u, v = factors(64, 1000, seed=3)
    target = np.full((1000, 1), int(weight * (1 << 48)))
    hits = int(by_product(u, v, target, int(t * ONE)).sum())
    inside = binomial_interval(hits, u.size, 1 - FALSE_ALARM)
    assert inside.low <= chance <= inside.high


def test_product_rows_are_their_chances_solved():
    for bound, chance in ((malach.PRODUCT_ROWS_ANY, 0.1**2 / 8), (malach.PRODUCT_ROWS, 0.05 * math.log(4))):
        extra = {"z": 0.25} if "z" in bound.symbols else {}
        n = bound.evaluate(t=0.1, I=30, delta=0.1, **extra)
        assert 30 * math.exp(-chance * n) == pytest.approx(0.1)


def test_one_product_needs_far_fewer_rows_where_weights_are_small_but_half_where_they_are_one():
    small = malach.normalised(random_target((4, 4, 1), 0))
    assert malach.product_samples_needed(small, 0.5, 0.1) < malach.samples_needed(small, 0.5, 0.1) / 100
    one = Target.from_floats([[[1.0]]])
    assert malach.product_samples_needed(one, 0.1, 0.1) == pytest.approx(malach.samples_needed(one, 0.1, 0.1) / 2, 1e-3)


# 3. Construction ------------------------------------------------------------------------------------------------------

weights = st.integers(-(1 << 48), 1 << 48)
factor = st.integers(-ONE // 2, ONE // 2 - 1).map(lambda k: 2 * k + 1)


@given(factor, factor, weights, st.integers(1, ONE), st.sampled_from([1, -1]))
def test_a_unit_that_fits_serves_its_side_within_twice_the_tolerance(u, v, weight, tolerance, sign):
    if separately(*np.array([[sign * u], [sign * v], [weight]]), tolerance)[0] and weight:
        assert sign * u > 0
        assert abs(u * v - weight) <= 2 * tolerance << 24


@given(st.integers(0, 10**6), st.integers(1, ONE // 4))
def test_the_first_unit_is_the_one_that_a_loop_finds(seed, tolerance):
    rng = np.random.default_rng(seed)
    u, v = 2 * rng.integers(-ONE // 2, ONE // 2, (2, 5, 40)) + 1
    w = rng.integers(-(1 << 48), 1 << 48, 5)
    for sign in (1, -1):
        for fits in (separately, by_product):
            found = first_fit(u, v, w, tolerance, fits, sign)
            for row in range(5):
                good = (r for r in range(40) if naive(fits, sign * u[row, r], sign * v[row, r], w[row], tolerance))
                assert found[row] == next(good, -1)


def naive(fits, u, v, w, tolerance):
    """The two conditions in rational arithmetic."""
    u, v, t, w = Fraction(int(u), ONE), Fraction(int(v), ONE), Fraction(tolerance, ONE), Fraction(int(w), 1 << 48)
    if fits is by_product:
        return u > 0 and abs(u * v - w) <= t
    return u > 0 and abs(u - abs(w)) <= t and v * (1 if w > 0 else -1) >= 1 - t


def test_a_unit_in_a_later_window_is_found_too():
    u, v = np.full((2, 1, WINDOW + 5), 1)
    u[0, WINDOW + 2], v[0, WINDOW + 2] = ONE // 2 + 1, ONE - 1
    assert first_fit(u, v, np.array([1 << 47]), 16, separately).tolist() == [WINDOW + 2]


def test_closeness_without_the_sign_of_u_admits_units_of_the_other_side():
    u, v, w, t = -3, ONE - 1, 1 << 24, 8  # |w| = 2^-24 < t
    assert abs((u << 24) - w) <= t << 24
    assert not separately(*np.array([[u], [v], [w]]), t)[0]


def test_a_spare_unit_per_further_output_does_not_make_up_for_a_pool_of_their_own():
    """200 outputs, one input, all weights 1, tolerance 1/2: 133 + 199 rows with units used once, against 133 shared."""
    p, t, delta = 200, ONE // 2, 0.1
    shared = math.ceil(malach.ROWS.evaluate(t=0.5, I=2 * p, delta=delta))
    rows, draws = shared + p - 1, 30
    assert (shared, rows) == (133, 332)
    layer, failed = Dense.from_floats(np.ones((p, 1))), 0
    for trial in range(draws):
        entering = Source(7, (1, rows, p), trial=trial).rows(0, 0, rows)[:, 0]
        # Every output needs a unit of its own with u >= 1/2, whatever its v: too few are there.
        assert (entering >= ONE - t).sum() < p
        first, second, report = match_pair(layer, Source(7, (1, shared, p), trial=trial), 0, t)
        failed += second.sum() < 2 * p
        assert first.sum() <= 2 * (np.abs(entering[:shared]) >= ONE - t).sum() < p
        assert report.sizes == second.sum()
    assert excess_p_value(failed, draws, delta) > FALSE_ALARM
    assert any("spare unit" in erratum.issue for erratum in MALACH2020.errata)


@pytest.mark.parametrize("widths", [(2, 1, 1), (3, 2, 2)])
def test_the_ticket_is_what_collapse_finds_and_keeps_four_weights_per_target_weight(widths):
    target = malach.normalised(random_target(widths, 1))
    source = malach.source(target, 0.8, 0.1, seed=4)
    made = malach.construct(target, source, 0.8)
    layers = collapse(target, made.ticket)
    assert made.count == malach.instances(target)
    assert made.failed == 0
    assert made.reports[0].worst == max(int(np.abs(layers[0].positive).max()), int(np.abs(layers[0].negative).max()))
    assert made.reports[1].worst == int(np.abs(layers[1].positive).max())
    for i, (layer, within) in enumerate(zip(layers, made.tolerances, strict=True)):
        assert int(np.abs(layer.positive).max()) <= within
        sides = 2 if i == 0 else 1
        second = made.ticket.masks[2 * i + 1]
        assert second.sum() == sides * layer.target.weight.size == made.reports[i].sizes
        assert made.ticket.masks[2 * i].sum() <= second.sum()
        pair = sum(rows * columns for rows, columns in source.shapes[2 * i : 2 * i + 2])
        kept = int(second.sum() + made.ticket.masks[2 * i].sum())
        outputs, inputs = layer.target.weight.shape
        assert kept / pair <= malach.DENSITY.evaluate(d_in=inputs, d_out=outputs, P=pair)


def test_a_zero_weight_keeps_nothing_and_a_bias_has_units_of_its_own():
    target = Target.from_floats([[[0.5, 0.0]], [[0.3]]], [[0.2], None])
    source = malach.source(target, 0.8, 0.1, seed=2)
    made = malach.construct(target, source, 0.8)
    assert made.failed == 0
    assert made.count == malach.instances(target) == 2 * 2 + 1 + 1
    assert [int(mask.sum()) for mask in made.ticket.masks] == [3, 3, 1, 1]
    layer = collapse(target, made.ticket)[0]
    assert layer.positive[0, 1] == layer.negative[0, 1] == 0
    assert abs(layer.bias[0]) <= made.tolerances[0]


@pytest.mark.parametrize("question", [malach.one_product, any_or_nearest])
def test_a_question_asks_for_products_within_twice_the_tolerance(question):
    target = malach.normalised(random_target((4, 3, 2), 0))
    samples = malach.product_samples_needed(target, 0.5, 0.1)
    found = verify(malach, target, 0.5, 0.1, seed=1, samples=samples, question=question)
    assert found.verdict is Verdict.HOLDS
    assert found.construction.question == question.__name__
    assert found.construction.tolerances == tuple(int(2 * t * 2**48) for t in malach.factor_tolerances(target, 0.5))
    if question is malach.one_product:
        sides = malach.instances(target)
        assert found.construction.ticket.masks[1].sum() + found.construction.ticket.masks[3].sum() <= sides


def test_one_product_is_the_nearest_sample_and_nothing_where_that_is_nearer():
    problem = SubsetSums(np.array([[5, 90, -70]] * 4), np.array([80, 4, -69, 2]))
    answers = malach.one_product(problem, 3)
    assert answers.chosen.tolist() == [[False, True, False], [True, False, False], [False, False, True], [False] * 3]
    far = malach.one_product(SubsetSums(np.array([[500, 900]]), np.array([200])), 3)
    assert far.residuals.tolist() == [-200]


def test_a_source_that_is_too_small_is_data_and_stays_as_it_was_drawn():
    found = verify(malach, TINY, 0.01, 0.1, seed=0, samples=3)
    assert found.verdict is Verdict.FAILS
    assert found.construction.failed > 0
    assert found.construction.ticket.source == malach.source(TINY, 0.01, 0.1, seed=0, samples=3)
    missing = [check.name for check in found.hypotheses if not check.holds]
    assert missing == ["candidates per weight and side"]
    layers = collapse(TINY, found.construction.ticket)
    assert max(int(np.abs(layers[0].positive).max()), int(np.abs(layers[0].negative).max())) == (
        found.construction.reports[0].worst
    )


def test_progress_is_told_every_instance_once():
    seen = []
    verify(malach, TINY, 0.5, 0.1, 0, samples=50, advance=seen.append)
    assert sum(seen) == malach.instances(TINY)


# 4. The promise -------------------------------------------------------------------------------------------------------


def test_the_promise_is_kept_at_the_bounds_own_width():
    for seed in range(3):
        found = verify(malach, TINY, 0.5, 0.1, seed)
        assert found.verdict is Verdict.HOLDS
        assert all(check.holds for check in found.hypotheses)
        assert samples_per_weight(found.construction.ticket.source) == malach.samples_needed(TINY, 0.5, 0.1)


@pytest.mark.parametrize("question", [None, malach.one_product])
def test_failures_at_the_bounds_own_width_are_at_most_delta(question):
    epsilon, delta, draws = 0.9, 0.3, 100
    count = malach.samples_needed if question is None else malach.product_samples_needed
    samples = count(TINY, epsilon, delta)
    failed = 0
    for trial in range(draws):
        source = malach.source(TINY, epsilon, delta, seed=5, samples=samples, trial=trial)
        failed += malach.construct(TINY, source, epsilon, question).failed > 0
    assert excess_p_value(failed, draws, delta) > FALSE_ALARM


def test_a_tenth_of_the_width_fails_more_often_than_delta():
    epsilon, delta, draws = 0.9, 0.1, 100
    samples = malach.samples_needed(TINY, epsilon, delta) // 10
    sources = (malach.source(TINY, epsilon, delta, 6, samples, trial) for trial in range(draws))
    failed = sum(malach.construct(TINY, source, epsilon).failed > 0 for source in sources)
    assert binomial_interval(failed, draws, 1 - FALSE_ALARM).low > delta


def smallest_rows(fits, tolerances, largest, rows, draws=60, points=33):
    """The 90% quantile over draws of the rows with which all of a grid of weights find a unit with u > 0."""
    grid = np.rint(np.linspace(-largest, largest, points) * 2**48).astype(np.int64)
    grid = grid[grid != 0]
    found = []
    for t, n in zip(tolerances, rows, strict=True):
        u, v = factors(n, draws, seed=11)
        used = [
            first_fit(*(np.broadcast_to(x[i], (len(grid), n)) for x in (u, v)), grid, int(t * ONE), fits)
            for i in range(draws)
        ]
        ends = [np.inf if (first < 0).any() else first.max() + 1 for first in used]
        found.append(np.sort(ends)[math.ceil(0.9 * draws) - 1])
    return np.array(found)


def smallest_rows_for_subsets(tolerances, largest, draws=60, points=33):
    """The same for subset sums of the products with u > 0."""
    grid = np.rint(np.linspace(-largest, largest, points) * 2**48).astype(np.int64)
    u, v = factors(80, draws, seed=11)
    found = []
    for t in tolerances:
        ends = []
        for a, b in zip(u, v, strict=True):
            samples = np.where(a > 0, a * b, 0)
            sums = (SubsetSums(np.tile(samples[:n], (points, 1)), grid) for n in range(6, 34, 2))
            failed = (any_within(problem, int(t * 2**48)).status.any() for problem in sums)
            ends.append(6 + 2 * next(i for i, missed in enumerate(failed) if not missed))
        found.append(np.sort(ends)[math.ceil(0.9 * draws) - 1])
    return np.array(found)


@pytest.mark.slow
def test_rows_grow_with_the_square_for_two_factors_about_linearly_for_one_product_and_hardly_for_subsets():
    tolerances = np.array([0.2, 0.1, 0.05])
    slope = partial(np.polyfit, np.log(1 / tolerances), deg=1)
    separate = smallest_rows(separately, tolerances / 2, 1.0, (8000, 32000, 128000))
    product = smallest_rows(by_product, tolerances, 0.25, (400, 800, 2000))
    widest = smallest_rows(by_product, tolerances, 1.0, (4000, 16000, 64000))
    subsets = smallest_rows_for_subsets(tolerances, 0.25)
    slopes = [float(slope(y=np.log(n))[0]) for n in (separate, product, widest, subsets)]
    print("rows", separate, product, widest, subsets, "slopes", slopes)
    assert 1.6 < slopes[0] < 2.4
    assert 0.8 < slopes[1] < 1.7
    assert 1.6 < slopes[2] < 2.4
    assert slopes[3] < 0.6
    for n, t in zip(separate, tolerances, strict=True):
        assert n <= malach.ROWS.evaluate(t=t / 2, I=32, delta=0.1)
    for n, m, t in zip(product, widest, tolerances, strict=True):
        assert n <= malach.PRODUCT_ROWS.evaluate(t=t, z=0.25, I=32, delta=0.1)
        assert m <= malach.PRODUCT_ROWS_ANY.evaluate(t=t, I=32, delta=0.1)


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epsilon", "delta", "samples", "message"),
    [
        (0.0, 0.1, 5, "epsilon"),
        (math.nan, 0.1, None, "epsilon"),
        (math.inf, 0.1, 5, "epsilon"),
        (1e-8, 0.1, None, "beyond the grid"),
        (0.1, 0.0, None, "delta"),
        (0.1, 1.0, 5, "delta"),
        (0.1, 0.1, 0, "candidate"),
    ],
)
def test_impossible_numbers_are_refused_by_name(epsilon, delta, samples, message):
    with pytest.raises(ValueError, match=message):
        verify(malach, TINY, epsilon, delta, 0, samples=samples)
    if "delta" in message:
        with pytest.raises(ValueError, match=message):
            malach.product_samples_needed(TINY, epsilon, delta)


def test_sources_that_do_not_fit_and_another_assignment_are_refused():
    other = malach.source(random_target((3, 1, 1), 0), 0.5, 0.1, 0, samples=4)
    with pytest.raises(ValueError, match="widths"):
        malach.construct(TINY, other, 0.5)
    with pytest.raises(ValueError, match="multiple of its 2 channels"):
        malach.construct(TINY, Source(0, (2, 7, 1, 4, 1)), 0.5)
    with pytest.raises(ValueError, match="adaptive: use block"):
        verify(malach, TINY, 0.5, 0.1, 0, samples=4, assignment=adaptive)
    with pytest.raises(ValueError, match="would not fit in memory"):
        verify(malach, TINY, 0.001, 0.1, 0)
