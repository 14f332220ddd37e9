"""Diffenderfer and Kailkhura 2021: weights as counts of signs, claim by claim."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from naive import distances
from scipy.stats import binom, multinomial

from slth.assignment import adaptive, block
from slth.confidence import excess_p_value
from slth.gadget import collapse
from slth.laws import Signs
from slth.networks.examples import random_target
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.networks.torch_export import to_module
from slth.subset_sum import SubsetSums
from slth.subset_sum.questions import nearest
from slth.theorems import counted_units as units
from slth.theorems import diffenderfer2021_multiprize as multiprize
from slth.theorems.certificate import Verdict
from slth.theorems.pairs import paired_source, tolerances
from slth.theorems.theorem import verify

ONE = 1 << 48


def small(seed=0, widths=(3, 4, 2)):
    return multiprize.normalised(random_target(widths, seed))


def exact_output(layers, point):
    """(W + E+) x+ - (W + E-) x-, layer by layer in Fractions."""
    x = [Fraction(v) for v in point]
    for i, layer in enumerate(layers):
        x = [max(v, Fraction(0)) for v in x] if i else x
        plus, minus = layer.target.weight + layer.positive, layer.target.weight + layer.negative
        x = [
            sum((Fraction(int(a if v >= 0 else b), ONE) * v for a, b, v in zip(p, m, x, strict=True)), Fraction(0))
            for p, m in zip(plus, minus, strict=True)
        ]
    return x


# Counting -------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=9),
    st.integers(-6 * ONE, 6 * ONE),
)
def test_counting_finds_a_nearest_subset_of_signs(signs, wanted):
    problem = SubsetSums(np.array([signs], dtype=np.int64) * ONE, np.array([wanted]))
    found = units.counted(problem, ONE // 2)
    assert abs(found.residuals[0]) == distances(problem.samples, problem.targets).min()


def test_half_a_unit_is_rounded_down_and_is_the_largest_error_where_units_suffice():
    problem = SubsetSums(np.full((3, 4), ONE), np.array([ONE // 2, 3 * ONE // 2, ONE // 2 + 1]))
    found = units.counted(problem, ONE // 2)
    assert found.sizes.tolist() == [0, 1, 1]
    assert found.residuals.tolist() == [-ONE // 2, -ONE // 2, ONE // 2 - 1]


def test_rounding_up_would_double_the_error():
    # 16 units per unit weight: the worst of 997 weights is near 1/32 by rounding, near 1/16 by rounding up
    weights = [Fraction(i, 997) for i in range(998)]
    rounded = max(abs(Fraction(round(16 * w), 16) - w) for w in weights)
    ceiled = max(abs(Fraction(math.ceil(16 * w), 16) - w) for w in weights)
    assert rounded <= Fraction(1, 32) < Fraction(19, 20) * Fraction(1, 16) < ceiled


def test_candidates_that_are_no_signs_are_refused():
    with pytest.raises(ValueError, match=r"candidates -1 and 1"):
        units.counted(SubsetSums(np.array([[ONE, ONE // 2]]), np.array([ONE])), 0)


@pytest.mark.parametrize("count", range(1, 9))
def test_no_gain_does_better_than_the_lower_bound_on_the_units(count):
    # The sums of `count` signs are the integers from -count to count. The farthest weight of [-1, 1] from a multiple of
    # the gain is half a gain away or at the end.
    def worst(gain):
        return max(gain / 2, 1 - count * gain) if count * gain <= 1 else gain / 2

    best = min(worst(Fraction(i, 1000 * (2 * count + 1))) for i in range(1, 4000))
    assert best == worst(Fraction(2, 2 * count + 1)) == Fraction(1, 2 * count + 1)
    assert multiprize.UNITS_NEEDED.evaluate(t=best) == pytest.approx(count, rel=1e-12)
    assert multiprize.UNITS.evaluate(t=best) == pytest.approx(count + 0.5, rel=1e-12)


# The ticket -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [0.9, 0.3, 0.1, 0.03])
def test_gains_are_the_smallest_powers_of_two_that_meet_the_tolerance(epsilon):
    target = small()
    for n, t in zip(units.gains(target, epsilon), tolerances(target, epsilon), strict=True):
        assert n.bit_count() == 1
        assert 1 / (2 * n) <= t
        assert n == 1 or 1 / n > t


@pytest.mark.parametrize("assignment", [block, adaptive])
def test_every_weight_is_met_up_to_half_a_gain(assignment):
    target, epsilon = small(), 0.1
    source = multiprize.source(target, epsilon, 0.1, seed=1)
    made = multiprize.construct(target, source, epsilon, assignment=assignment)
    gains = units.gains(target, epsilon)
    layers = units.effective(target, made.ticket, gains)
    assert made.failed == 0
    assert made.count == multiprize.instances(target)
    for i, (layer, n) in enumerate(zip(layers, gains, strict=True)):
        errors = np.abs([layer.positive, layer.negative] if i == 0 else layer.positive)
        assert errors.max() == made.reports[i].worst <= made.tolerances[i] == ONE // (2 * n)
        assert not ((layer.target.weight + layer.positive) % (ONE // n)).any()


def test_the_masked_network_is_the_product_of_the_gains_times_the_approximation_exactly():
    target, epsilon = small(), 0.2
    made = multiprize.construct(target, multiprize.source(target, epsilon, 0.1, seed=2), epsilon)
    gains = units.gains(target, epsilon)
    layers = units.effective(target, made.ticket, gains)
    points = np.random.default_rng(0).integers(-8, 9, (20, 3))
    outputs = to_module(made.ticket)(torch.from_numpy(points).double())
    for point, output in zip(points.tolist(), outputs.tolist(), strict=True):
        assert all(value.is_integer() for value in output)
        assert [Fraction(v) / math.prod(gains) for v in output] == exact_output(layers, point)


def test_a_weight_half_a_unit_off_attains_the_tolerance():
    # N = 4 for epsilon = 0.2 and one weight; 3/8 is half a unit from 1/4 and 1/2
    target = Target.from_floats([[[0.375]]])
    found = verify(multiprize, target, 0.2, 0.1, seed=0)
    assert units.gains(target, 0.2) == (4,)
    assert found.construction.worst_residual == 0.125
    assert found.error.lower == pytest.approx(0.125, rel=1e-12)
    assert found.error.upper == pytest.approx(0.125, rel=1e-12)


def test_dropping_a_kept_weight_shows_in_the_recomputed_error():
    target, epsilon = small(), 0.2
    made = multiprize.construct(target, multiprize.source(target, epsilon, 0.1, seed=3), epsilon)
    gains = units.gains(target, epsilon)
    before = units.effective(target, made.ticket, gains)
    masks = [mask.copy() for mask in made.ticket.masks]
    row, column = np.argwhere(masks[3])[0]
    masks[3][row, column] = False
    after = units.effective(target, Ticket(made.ticket.source, tuple(masks)), gains)
    moved = np.abs(after[1].positive - before[1].positive)
    assert moved.sum() == moved[row].max() == ONE // gains[1]
    assert (after[0].positive == before[0].positive).all()


def test_a_zero_target_needs_no_units():
    target = Target.from_floats([np.zeros((2, 3)), np.zeros((1, 2))])
    found = verify(multiprize, target, 0.1, 0.1, seed=0, samples=4)
    assert found.construction.ticket.kept == 0
    assert found.error.upper == 0


# The pool -------------------------------------------------------------------------------------------------------------


def test_the_chance_of_failure_for_one_weight_is_the_exact_one():
    # One weight, k units of one sign on either side of 2 n: a trinomial probability. 500 draws; a right implementation
    # is flagged with probability 1e-4.
    target, epsilon, samples, draws = Target.from_floats([[[1.0]]]), 0.2, 10, 500
    (k,) = units.most_units(target, units.gains(target, epsilon))
    cells = [(a, b) for a, b in itertools.product(range(k, 21), repeat=2) if a + b <= 20]
    enough = sum(multinomial.pmf([a, b, 20 - a - b], 20, [0.25, 0.25, 0.5]) for a, b in cells)
    failed = 0
    for trial in range(draws):
        source = paired_source(target, samples, 7, trial, Signs())
        failed += multiprize.construct(target, source, epsilon).failed > 0
    assert binom.cdf(failed, draws, 1 - enough) > 5e-5
    assert binom.sf(failed - 1, draws, 1 - enough) > 5e-5
    assert 1 - enough <= units.failure(target, epsilon, samples)


def test_at_the_bounds_pool_failures_are_no_more_frequent_than_delta():
    # 60 draws; at a failure probability of delta = 0.3 the test is flagged with probability below 1e-4.
    target, delta = small(widths=(2, 2)), 0.3
    verdicts = [verify(multiprize, target, 0.2, delta, seed).verdict for seed in range(60)]
    assert excess_p_value(sum(verdict is not Verdict.HOLDS for verdict in verdicts), 60, delta) > 1e-4


def test_below_two_candidates_per_unit_the_construction_fails_nearly_always():
    # At n < 2 k the units of one sign fall short of k on average; with 8 such weights, 20 draws all fail.
    target = Target.from_floats([0.5 * np.array([[1.0, 1], [1, -1]]), 0.5 * np.array([[1.0, -1], [1, 1]])])
    k = max(units.most_units(target, units.gains(target, 0.05)))
    short = [verify(multiprize, target, 0.05, 0.1, seed, samples=int(1.6 * k)) for seed in range(20)]
    assert all(found.construction.failed > 0 for found in short)
    enough = [verify(multiprize, target, 0.05, 0.1, seed).construction.failed == 0 for seed in range(20)]
    assert sum(enough) >= 13  # at delta = 0.1 fewer come up with probability below 1e-4


@given(st.integers(1, 400), st.integers(1, 10**6), st.floats(1e-9, 0.99))
def test_the_closed_form_of_the_pool_is_above_the_exact_binomial_tail(k, count, delta):
    n = math.ceil(multiprize.POOL.evaluate(k=k, I=count, delta=delta))
    assert 2 * count * binom.cdf(k - 1, 2 * n, 0.25) <= delta


def test_the_pool_is_two_candidates_per_unit_to_leading_order():
    for k in (100, 10_000, 1_000_000):
        n = multiprize.POOL.evaluate(k=k, I=100, delta=0.1)
        assert 2 * k < n < 2 * k + 12 * math.sqrt(k * math.log(2 * 100 / 0.1))


def test_the_samples_needed_are_the_fewest_and_at_most_the_closed_form():
    target, epsilon, delta = small(), 0.1, 0.1
    needed = multiprize.samples_needed(target, epsilon, delta)
    assert units.failure(target, epsilon, needed) <= delta < units.failure(target, epsilon, needed - 1)
    k = max(units.most_units(target, units.gains(target, epsilon)))
    assert needed <= multiprize.POOL.evaluate(k=k, I=multiprize.instances(target), delta=delta)


def has_units_enough(source, outputs, inputs, k):
    """The event that the bound is about: each side and sign of every weight has k units in its block."""
    entering, leaving = source.rows(0, 0, source.widths[1]) > 0, source.rows(1, 0, outputs) > 0
    block_of = np.arange(source.widths[1]) // (source.widths[1] // inputs)
    return all(
        np.count_nonzero((leaving[o] == sign) & (entering[:, j] == side) & (block_of == j)) >= k
        for o, j, sign, side in itertools.product(range(outputs), range(inputs), (True, False), (True, False))
    )


def test_a_source_with_units_enough_serves_every_target_with_no_larger_weights():
    epsilon, largest, rng = 0.2, Target.from_floats([np.full((2, 3), 0.4)]), np.random.default_rng(0)
    k = max(units.most_units(largest, units.gains(largest, epsilon)))
    sources = [multiprize.source(largest, epsilon, 0.3, seed) for seed in range(20)]
    good = [source for source in sources if has_units_enough(source, 2, 3, k)]
    assert excess_p_value(len(sources) - len(good), len(sources), 0.3) > 1e-4
    for source in good:
        for _ in range(3):
            target = Target.from_floats([rng.uniform(-0.4, 0.4, (2, 3))])
            assert units.gains(target, epsilon) == units.gains(largest, epsilon)
            assert multiprize.construct(target, source, epsilon).failed == 0


@pytest.mark.parametrize(("d", "epsilon"), list(itertools.product((2, 3, 6), (0.5, 0.2, 0.1))))
def test_the_explicit_width_is_above_the_constructions_own(d, epsilon):
    target = Target.from_floats([np.full((d, d), 1 / d)] * 2)
    capped = Target.from_floats([np.full((d, d), 1 / math.sqrt(d)), np.full((d, d), 1 / math.sqrt(d))])
    gains = units.gains(target, epsilon)  # of norm 1; the weights may reach 1/sqrt(d)
    k = max(units.most_units(capped, gains))
    n = multiprize.POOL.evaluate(k=k, I=multiprize.instances(target), delta=0.1)
    assert 2 * n * d <= multiprize.EXPLICIT.evaluate(L=2, d=d, epsilon=epsilon, delta=0.1)


def test_the_width_grows_nearly_as_one_over_epsilon():
    # A fit, not a bound: the published width is linear in 1 / epsilon, plus a logarithm that fades.
    epsilons = np.array([0.32, 0.08, 0.01])
    needed = [multiprize.samples_needed(small(), e, 0.1) for e in epsilons]
    first, second = np.diff(np.log(needed)) / np.diff(np.log(1 / epsilons))
    assert 0.3 < first < second
    assert 0.8 < second < 1.1


def test_the_published_width_needs_its_constant():
    values = {"d": 16, "L": 2, "epsilon": 0.1}
    with pytest.raises(ValueError, match="C"):
        multiprize.WIDTH.evaluate(**values)
    assert multiprize.WIDTH.evaluate(C=1, **values) == pytest.approx(2 * 64 / 0.1 + 32 * math.log(320))


# Hypotheses and refusals ----------------------------------------------------------------------------------------------


def test_hypotheses_hold_at_the_bounds_pool_and_name_what_is_short():
    target = small()
    assert all(c.holds for c in multiprize.hypotheses(target, multiprize.source(target, 0.1, 0.1, 0), 0.1, 0.1))
    short = paired_source(target, 3, 0)
    missing = [c.name for c in multiprize.hypotheses(target, short, 0.1, 0.1) if not c.holds]
    assert missing == ["law of the source", "candidates per weight and side"]


def test_a_short_pool_is_reported_as_failed_and_certified_as_it_is():
    target = small()
    found = verify(multiprize, target, 0.02, 0.1, seed=0, samples=5)
    assert found.construction.failed > 0
    assert found.verdict is Verdict.FAILS
    assert found.construction.worst_residual > found.construction.tolerances[0] / ONE


def test_progress_is_told_every_instance_once():
    seen = []
    verify(multiprize, small(), 0.2, 0.1, 0, advance=seen.append)
    assert sum(seen) == multiprize.instances(small())


def test_what_the_construction_does_not_do_is_refused():
    target = small()
    source = multiprize.source(target, 0.2, 0.1, 0)
    with pytest.raises(ValueError, match="asks no other question"):
        multiprize.construct(target, source, 0.2, nearest)
    biased = Target.from_floats([[[0.5]]], [[0.1]])
    with pytest.raises(ValueError, match="without biases"):
        multiprize.source(biased, 0.2, 0.1, 0)
    with pytest.raises(ValueError, match="use a larger epsilon"):
        multiprize.source(target, 1e-4, 0.1, 0)
    with pytest.raises(ValueError, match="too wide"):
        multiprize.construct(target, multiprize.source(target, 0.2, 0.1, 0, samples=4096), 0.2)
    with pytest.raises(ValueError, match=r"law Signs\(\)"):
        multiprize.construct(target, paired_source(target, 20, 0), 0.2)
    other = Ticket(
        paired_source(target, source.widths[1] // 6, 0), multiprize.construct(target, source, 0.2).ticket.masks
    )
    with pytest.raises(ValueError, match=r"law Signs\(\)"):
        units.effective(target, other, (4, 4))
    with pytest.raises(ValueError, match="delta"):
        multiprize.source(target, 0.2, 1.0, 0)
    with pytest.raises(ValueError, match="epsilon"):
        multiprize.source(target, math.nan, 0.1, 0, samples=5)
    with pytest.raises(ValueError, match="at least 1 candidate"):
        multiprize.source(target, 0.2, 0.1, 0, samples=0)
    with pytest.raises(ValueError, match="widths"):
        collapse(units.multiple(small(widths=(3, 2, 2)), (4, 4)), multiprize.construct(target, source, 0.2).ticket)
