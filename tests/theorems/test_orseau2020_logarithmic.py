"""Orseau et al. 2020: the golden-ratio lemma in exact arithmetic, the law of a product, counts from both sides."""

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from slth.assignment import adaptive
from slth.confidence import binomial_interval, excess_p_value
from slth.gadget import collapse
from slth.laws import LogUniform, Uniform
from slth.networks.examples import random_target
from slth.networks.source import Source
from slth.networks.target import Target
from slth.references import ORSEAU2020
from slth.subset_sum import batch, cells_needed, golden_edges, golden_greedy
from slth.subset_sum.questions import any_or_nearest
from slth.theorems import orseau2020_logarithmic as orseau
from slth.theorems.certificate import Verdict
from slth.theorems.pairs import samples_per_weight, tolerances
from slth.theorems.theorem import verify

ONE = 1 << 48
FALSE_ALARM = 1e-6
SMALL = orseau.normalised(random_target((3, 2, 2), 0))


@total_ordering
@dataclass(frozen=True)
class Root5:
    """a + b sqrt 5 with rational a and b: exact sums, products and comparisons."""

    a: Fraction
    b: Fraction = Fraction(0)

    def __add__(self, other):
        return Root5(self.a + other.a, self.b + other.b)

    def __sub__(self, other):
        return Root5(self.a - other.a, self.b - other.b)

    def __mul__(self, other):
        return Root5(self.a * other.a + 5 * self.b * other.b, self.a * other.b + self.b * other.a)

    def __lt__(self, other):
        a, b = self.a - other.a, self.b - other.b
        if a * b >= 0:
            return a < 0 or b < 0
        return (a * a > 5 * b * b) == (a < 0)


G = Root5(Fraction(-1, 2), Fraction(1, 2))
POWERS = list(itertools.accumulate([G] * 12, Root5.__mul__, initial=Root5(Fraction(1))))


def most_left(elements):
    """The supremum over targets in [0, 1] of what the greedy choice leaves, in real numbers."""
    left = Root5(Fraction(1))
    for w in elements:
        if w <= left:
            left = max(w, left - w)
    return left


def greedy(elements, x):
    """What is left of x after each element."""
    left = [x]
    for w in elements:
        left.append(left[-1] - w if w <= left[-1] else left[-1])
    return left[1:]


def between(k, share):
    """The point of cell k at a share of the way from its lower to its upper end."""
    return POWERS[k + 2] + (POWERS[k + 1] - POWERS[k + 2]) * Root5(share)


# 1. The lemma ---------------------------------------------------------------------------------------------------------


def test_g_and_its_square_add_up_to_one():
    total = G + G * G
    assert total == POWERS[0]
    assert float(G.a) + float(G.b) * math.sqrt(5) == pytest.approx((math.sqrt(5) - 1) / 2)


def test_at_most_g_to_the_k_is_left_for_all_ends_of_all_cells():
    count = 9
    for ends in itertools.product((0, 1), repeat=count):
        elements = [between(k, Fraction(end)) for k, end in enumerate(ends)]
        assert most_left(elements) <= POWERS[count]


@given(st.lists(st.fractions(0, 1, max_denominator=1000), min_size=1, max_size=10), st.fractions(0, 1))
def test_at_most_g_to_the_k_is_left_for_any_elements_and_any_target(shares, x):
    elements = [between(k, share) for k, share in enumerate(shares)]
    for k, left in enumerate(greedy(elements, Root5(x)), start=1):
        assert Root5(Fraction(0)) <= left <= POWERS[k]
        assert left <= most_left(elements[:k])


def test_the_lemma_is_sharp_at_the_upper_and_at_the_lower_ends():
    for share in (Fraction(0), Fraction(1)):
        assert most_left([between(k, share) for k in range(9)]) == POWERS[9]


@given(st.integers(0, 8), st.sampled_from([-1, 1]), st.fractions(Fraction(1, 10**9), Fraction(1, 100)))
def test_an_element_beside_its_cell_breaks_the_lemma(k, side, by):
    """After k cells at their upper ends anything up to g^k is left; the next element must lie in its cell."""
    before = [between(j, Fraction(1)) for j in range(k)]
    beyond = between(k, Fraction(1)) + Root5(by) if side == 1 else between(k, Fraction(0)) - Root5(by)
    if beyond <= POWERS[k] and Root5(Fraction(0)) < beyond:
        assert most_left([*before, beyond]) == POWERS[k + 1] + Root5(by) > POWERS[k + 1]


def test_the_midpoints_give_the_worked_example():
    elements = [between(k, Fraction(1, 2)) for k in range(8)]
    left = greedy(elements, Root5(Fraction(7, 10)))
    taken = [int(after != before) for before, after in itertools.pairwise([Root5(Fraction(7, 10)), *left])]
    assert taken == [1, 0, 1, 0, 0, 0, 0, 0]
    assert left[0] == left[1] == Root5(Fraction(1, 5))
    assert float(left[2].a) + float(left[2].b) * math.sqrt(5) == pytest.approx(0.00902, abs=5e-6)
    assert left[-1] == left[2] <= POWERS[8]


def test_the_golden_ratio_is_the_only_one_whose_intervals_tile():
    # A w is safe for what is left in [0, 1] iff max(w, 1 - w) <= r, so iff w is in [1 - r, r]. Scaled by r^k these
    # intervals tile (0, r] iff the lower end of one is the upper end of the next: 1 - r = r^2.
    r = sympy.Symbol("r", positive=True)
    assert sympy.solve(sympy.Eq(1 - r, r**2), r) == [sympy.GoldenRatio.expand(func=True) - 1]
    for ratio in (Fraction(3, 5), Fraction(5, 8)):
        gap = (1 - ratio) - ratio**2
        assert (gap > 0) == (Root5(ratio) < G)  # below g there are gaps, above it the intervals overlap


@given(st.lists(st.integers(0, 60), max_size=7), st.integers(1, 60))
def test_the_most_that_is_left_of_whole_targets_is_what_a_loop_over_all_of_them_finds(elements, reach):
    def left(x):
        for w in elements:
            x -= w if w <= x else 0
        return x

    if 0 not in elements:
        assert orseau.worst_left(elements, reach) == max(left(x) for x in range(reach + 1))


@pytest.mark.parametrize(("epsilon", "reach"), [(0.1, 1.0), (0.01, 1.0), (1e-4, 0.3), (0.02, 0.9)])
def test_the_cells_are_the_logarithm_rounded_up(epsilon, reach):
    count = cells_needed(int(reach * ONE), int(epsilon * ONE))
    assert count == math.ceil(orseau.CELLS.evaluate(R=reach, epsilon=epsilon))


def test_the_greedy_choice_leaves_target_minus_sum_exactly():
    rng = np.random.default_rng(0)
    edges = golden_edges(ONE, 20)
    elements = rng.integers(edges[2:] + 1, edges[1:-1] + 1, (200, 20))
    targets = rng.integers(0, ONE + 1, 200)
    taken, left = golden_greedy(elements, targets, ONE)
    for row in range(200):
        rest = Fraction(int(targets[row]), ONE) - sum(
            Fraction(int(w), ONE) for w, t in zip(elements[row], taken[row], strict=True) if t
        )
        assert rest == Fraction(int(left[row]), ONE)
        assert left[row] <= orseau.worst_left(elements[row].tolist(), ONE) <= edges[20]


# 2. The laws ----------------------------------------------------------------------------------------------------------


def patterns_at_least(law, weight):
    """How many of the 2^31 moduli of a log-uniform law are at least a weight (they fall in the pattern)."""
    low, high = 0, 1 << 31
    while low < high:
        middle = (low + high) // 2
        modulus = abs(int(law.weights(np.array([middle], dtype=np.uint32))[0]))
        low, high = (middle + 1, high) if modulus >= weight else (low, middle)
    return low


@pytest.mark.parametrize("octaves", [4, 8, 12])
def test_all_cells_of_one_log_uniform_factor_have_equal_mass(octaves):
    """Counted over all patterns of the law: c / B for each cell, up to what the grid can move."""
    reach = round((1 << 24) * (1 + math.sqrt(5)) / 2)  # the first cell ends at 1
    count = int(octaves / orseau.CELL_OCTAVES)
    edges = golden_edges(reach, count)
    above = [patterns_at_least(LogUniform(octaves), int(edge) + 1) for edge in edges[1:]]
    moved = -2 * math.log2(1 - 2.0 ** (octaves - 24)) / octaves
    for mass in np.diff(above) / 2**31:
        assert mass == pytest.approx(orseau.CELL_OCTAVES / octaves, abs=moved + 1e-9)


def test_drawn_weights_fill_the_cells_equally_by_chi_square():
    octaves, draws = 8, 200_000
    source = Source(3, (1, draws, 1), law=LogUniform(octaves))
    edges = golden_edges(round((1 << 24) * (1 + math.sqrt(5)) / 2), 11)
    counts = np.histogram(np.abs(source.rows(0, 0, draws)[:, 0]), bins=edges[:0:-1] + 1)[0]
    rest = draws - counts.sum()
    share = orseau.CELL_OCTAVES / octaves
    expected = np.array([*[share] * 11, 1 - 11 * share]) * draws
    assert chisquare([*counts, rest], expected).pvalue > FALSE_ALARM


@pytest.mark.parametrize("octaves", [2, 5, 8])
@pytest.mark.parametrize("reach", [ONE, ONE // 3])
def test_cells_of_a_product_have_the_chances_of_the_triangular_law(octaves, reach):
    draws, count = 100_000, 10
    source = Source(4, (1, draws, 1), law=LogUniform(octaves))
    u, v = source.rows(0, 0, draws)[:, 0], source.rows(1, 0, 1)[0]
    edges, chances = golden_edges(reach, count), orseau.cell_chances(octaves, reach, count)
    for sign in (1, -1):
        products = sign * (u * v)[u > 0]
        counts = np.histogram(products, bins=edges[:0:-1] + 1)[0][::-1]
        for hits, chance in zip(counts, chances, strict=True):
            inside = binomial_interval(int(hits), draws, 1 - FALSE_ALARM)
            assert inside.low <= chance * (1 + 1e-3) + 1e-5
            assert chance <= inside.high


def test_cells_of_a_product_are_not_equally_likely():
    chances = orseau.cell_chances(6, ONE, 12)
    assert max(chances) > 5 * min(chances)
    assert any("triangular" in erratum.issue for erratum in ORSEAU2020.errata)


@pytest.mark.parametrize("count", [4, 10, 20])
def test_rows_rest_on_the_end_cells_of_the_best_octaves(count):
    """B = (K + 2) c / 2 is not whole; with s in units of B, the first cell has 3 c^2 / (2 B^2) and none has less."""
    octaves = (count + 2) * orseau.CELL_OCTAVES / 2

    def below(s):
        s /= octaves
        return s * s / 2 if s <= 1 else 1 - (2 - s) ** 2 / 2

    masses = [below((j + 2) * orseau.CELL_OCTAVES) - below((j + 1) * orseau.CELL_OCTAVES) for j in range(count)]
    assert min(masses) == pytest.approx(6 / (count + 2) ** 2)
    rows = orseau.ROWS.evaluate(K=count, I=50, delta=0.1)
    assert 50 * count * math.exp(-rows * min(masses) / 4) == pytest.approx(0.1)


def test_whole_octaves_and_all_cells_counted_need_fewer_rows_than_the_closed_form():
    target = Target.from_floats([np.eye(3)])
    for epsilon in (0.3, 0.1, 0.01):
        count = cells_needed(ONE, int(tolerances(target, epsilon)[0] * ONE))
        closed = orseau.ROWS.evaluate(K=count, I=orseau.instances(target), delta=0.1)
        rows = 2 * orseau.samples_needed(target, epsilon, 0.1)
        assert 0.4 * closed < rows < closed
        assert abs(orseau.octaves_needed(target, epsilon, 0.1) - (count + 2) * orseau.CELL_OCTAVES / 2) < 1.5


def test_the_rows_are_the_fewest_with_failure_at_most_delta():
    chances = [(12, orseau.cell_chances(4, ONE, 7)), (4, orseau.cell_chances(4, ONE, 5))]
    rows = orseau._least_rows(chances, min(min(q) for _, q in chances), 0.05)
    assert orseau.failure(chances, rows) <= 0.05 < orseau.failure(chances, rows - 1)


# Coupons --------------------------------------------------------------------------------------------------------------


def log_uniform_pool(rng, draws, size, count):
    """Samples with a random sign, log-uniform over the cells of reach 2^48."""
    octaves = -orseau.CELL_OCTAVES * (1 + count * rng.random((draws, size)))
    return (np.exp2(octaves) * ONE).astype(np.int64) * rng.choice([-1, 1], (draws, size))


def all_full(count, size):
    """P(all cells of one sign are met by so many samples), by inclusion and exclusion."""
    return float(sum((-1) ** i * math.comb(count, i) * (1 - Fraction(i, 2 * count)) ** size for i in range(count + 1)))


@pytest.mark.parametrize("count", [5, 10])
def test_the_coupon_collector_has_its_exact_law_and_the_bound_is_the_90_percent_point(count):
    delta, draws = 0.1, 600
    needed = math.ceil(orseau.SAMPLES.evaluate(K=count, I=1, delta=delta))
    assert needed == {5: 40, 10: 93}[count]
    pools = log_uniform_pool(np.random.default_rng(count), draws, needed, count)
    full = sum(bool((batch(pool, [False], ONE, count) >= 0).all()) for pool in pools)
    assert excess_p_value(draws - full, draws, delta) > FALSE_ALARM
    inside = binomial_interval(full, draws, 1 - FALSE_ALARM)
    assert inside.low <= all_full(count, needed) <= inside.high
    # The bound is nearly tight: with a fifth fewer samples delta is exceeded.
    assert 1 - all_full(count, needed) <= delta < 1 - all_full(count, int(0.8 * needed))


def test_a_shared_pool_needs_no_logarithm_per_weight():
    count, weights, delta, draws = 10, 200, 0.1, 40
    pool_bound = math.ceil(orseau.BATCH.evaluate(K=count, I=weights // 2, delta=delta))
    alone = weights * orseau.SAMPLES.evaluate(K=count, I=weights, delta=delta)
    assert pool_bound < alone / 10
    pools = log_uniform_pool(np.random.default_rng(7), draws, pool_bound, count)
    negative = np.arange(weights) % 2 == 1
    used, failed = [], 0
    for pool in pools:
        places = batch(pool, negative, ONE, count)
        failed += bool((places < 0).any())
        used.append(places.max() + 1)
    assert excess_p_value(failed, draws, delta) > FALSE_ALARM
    assert weights * count <= min(used)  # every sample fills one cell at most
    assert np.median(used) < 1.5 * weights * count
    assert pool_bound < 1.8 * weights * count


def test_a_pool_of_the_mean_size_fails_almost_surely():
    count, weights, draws = 10, 200, 40
    pools = log_uniform_pool(np.random.default_rng(8), draws, weights * count, count)
    full = sum(bool((batch(pool, np.arange(weights) % 2 == 1, ONE, count) >= 0).all()) for pool in pools)
    assert full == 0


# 3. Construction ------------------------------------------------------------------------------------------------------


def test_the_ticket_is_what_collapse_finds_and_each_ladder_is_short():
    source = orseau.source(SMALL, 0.1, 0.1, seed=2)
    made = orseau.construct(SMALL, source, 0.1)
    layers = collapse(SMALL, made.ticket)
    assert (made.count, made.failed) == (orseau.instances(SMALL), 0)
    assert made.question == "golden_cells"
    assert made.reports[0].worst == max(int(np.abs(layers[0].positive).max()), int(np.abs(layers[0].negative).max()))
    assert made.reports[1].worst == int(np.abs(layers[1].positive).max())
    for report, within in zip(made.reports, made.tolerances, strict=True):
        assert report.worst <= within
        assert report.sizes <= report.count * cells_needed(orseau.reach_of(SMALL), within)


def test_a_residual_never_overshoots_its_weight():
    made = orseau.construct(SMALL, orseau.source(SMALL, 0.1, 0.1, seed=2), 0.1)
    for i, layer in enumerate(collapse(SMALL, made.ticket)):
        for errors in (layer.positive, layer.negative)[: 2 if i == 0 else 1]:
            assert (errors * np.sign(layer.target.weight) <= 0).all()
            assert (np.abs(errors) <= np.abs(layer.target.weight)).all()


@pytest.mark.parametrize(("question", "assignment"), [(any_or_nearest, None), (None, adaptive)])
def test_other_questions_and_assignments_prune_the_same_source(question, assignment):
    extra = {} if assignment is None else {"assignment": assignment}
    found = verify(orseau, SMALL, 0.1, 0.1, seed=3, question=question, **extra)
    assert found.verdict is Verdict.HOLDS


def test_a_layer_of_zeros_and_biases_are_served():
    zero = Target.from_floats([np.zeros((2, 2))])
    found = verify(orseau, zero, 0.1, 0.1, seed=0)
    assert (found.construction.ticket.kept, found.error.upper) == (0, 0.0)
    biased = Target.from_floats([[[0.5, -0.2]], [[0.8]]], [[0.3], None])
    found = verify(orseau, biased, 0.1, 0.1, seed=0)
    assert found.construction.failed == 0
    assert [check.name for check in found.hypotheses if not check.holds] == ["target layers with a bias"]


def test_a_hopeless_draw_is_reported_and_another_law_is_a_violated_hypothesis():
    found = verify(orseau, SMALL, 0.01, 0.1, seed=0, samples=3)
    assert found.verdict is Verdict.FAILS
    assert found.construction.failed > 0
    assert found.construction.ticket.source == orseau.source(SMALL, 0.01, 0.1, seed=0, samples=3)
    uniform = Source(0, found.construction.ticket.source.widths, law=Uniform())
    broken = [check.name for check in orseau.hypotheses(SMALL, uniform, 0.01, 0.1) if not check.holds]
    assert broken == ["law of the source", "candidates per weight and side"]


# 4. The promise -------------------------------------------------------------------------------------------------------


def test_the_promise_is_kept_at_the_bounds_own_width():
    for seed in range(5):
        found = verify(orseau, SMALL, 0.05, 0.1, seed)
        assert found.verdict is Verdict.HOLDS
        assert all(check.holds for check in found.hypotheses)
        assert samples_per_weight(found.construction.ticket.source) == orseau.samples_needed(SMALL, 0.05, 0.1)


def empty_cells(target, epsilon, delta, samples, trial):
    """Whether some weight and side lacks an element in some cell: the event that `failure` bounds."""
    source = orseau.source(target, epsilon, delta, 5, samples, trial)
    (weight,) = target.layers[0].weight.ravel()
    count = cells_needed(orseau.reach_of(target), int(tolerances(target, epsilon)[0] * ONE))
    u, v = source.rows(0, 0, 2 * samples)[:, 0], source.rows(1, 0, 1)[0]
    return any((batch((u * v)[u * s > 0], [weight < 0], orseau.reach_of(target), count) < 0).any() for s in (1, -1))


def test_empty_cells_at_the_bounds_own_width_come_with_probability_delta_and_hardly_less():
    """One weight, both sides: the bound is the sum over cells, so the truth is at most delta and near it."""
    target, epsilon, delta, draws = Target.from_floats([[[0.7]]]), 0.05, 0.3, 400
    samples = orseau.samples_needed(target, epsilon, delta)
    failed = sum(empty_cells(target, epsilon, delta, samples, trial) for trial in range(draws))
    assert excess_p_value(failed, draws, delta) > FALSE_ALARM
    assert binomial_interval(failed, draws, 1 - FALSE_ALARM).high > delta / 2
    fewer = sum(empty_cells(target, epsilon, delta, samples // 2, trial) for trial in range(draws))
    assert binomial_interval(fewer, draws, 1 - FALSE_ALARM).low > delta


def test_failed_weights_are_rarer_than_empty_cells():
    target, epsilon, delta, draws = Target.from_floats([[[0.7]]]), 0.05, 0.3, 200
    samples = orseau.samples_needed(target, epsilon, delta)
    failed = 0
    for trial in range(draws):
        made = orseau.construct(target, orseau.source(target, epsilon, delta, 5, samples, trial), epsilon)
        failed += made.failed > 0
        assert made.failed == 0 or empty_cells(target, epsilon, delta, samples, trial)
    assert excess_p_value(failed, draws, delta) > FALSE_ALARM


@pytest.mark.parametrize(
    ("epsilon", "delta", "samples", "message"),
    [
        (0.0, 0.1, 5, "epsilon"),
        (math.nan, 0.1, None, "epsilon"),
        (1e-14, 0.1, None, "unit of the grid"),
        (1e-12, 0.1, None, "more than products of two log-uniform weights"),
        (0.1, 0.0, None, "delta"),
        (0.1, 1.0, 5, "delta"),
        (0.1, 0.1, 0, "candidate"),
    ],
)
def test_impossible_numbers_are_refused_by_name(epsilon, delta, samples, message):
    with pytest.raises(ValueError, match=message):
        verify(orseau, SMALL, epsilon, delta, 0, samples=samples)


def test_a_source_for_another_target_is_refused():
    with pytest.raises(ValueError, match="widths"):
        orseau.construct(SMALL, orseau.source(random_target((4, 2, 2), 0), 0.1, 0.1, 0, samples=4), 0.1)
