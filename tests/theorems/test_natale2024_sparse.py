"""Natale et al. 2024, Theorems 3 and 5: sparse tickets, their density, and the curve of the trade-off."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slth.assignment import adaptive
from slth.bounds import Direction, Provenance
from slth.confidence import excess_p_value
from slth.networks.examples import random_target
from slth.networks.target import Target
from slth.subset_sum import SubsetSums, exactly
from slth.subset_sum.exact_size import subset_size
from slth.subset_sum.questions import nearest
from slth.theorems import natale2024_curve as curve
from slth.theorems import natale2024_sparse as sparse
from slth.theorems.certificate import Verdict
from slth.theorems.natale2024_steered import size_that_suffices
from slth.theorems.theorem import Theorem, verify

FALSE_ALARM = 1e-6
QUARTER, TENTH, HALF = Fraction(1, 4), Fraction(1, 10), Fraction(1, 2)


def small(seed=0, widths=(3, 4, 2)):
    return sparse.normalised(random_target(list(widths), seed=seed))


def candidates(target, ticket):
    """Units of each sign per input, (channels, 2) per layer: those that a block assignment offers."""
    found = []
    for i, layer in enumerate(target.layers):
        rows = np.concatenate([block for _, block in ticket.source.chunks(2 * i)])
        channels = layer.channels.shape[1]
        reads = np.repeat(np.arange(channels), len(rows) // channels)
        positive = rows[np.arange(len(rows)), reads] > 0
        found.append(np.stack([np.bincount(reads[positive == s], minlength=channels) for s in (True, False)], axis=1))
    return found


# Bounds


def test_theorem_5_for_a_known_instance_and_its_consistency():
    assert sparse.THEOREM_5.evaluate(d=10, k=500, gamma=0.25, epsilon=0.01) == pytest.approx(962.04, abs=0.01)
    assert sparse.THEOREM_5.direction is Direction.LOWER
    assert sparse.THEOREM_5.evaluate(d=10, k=500, gamma=0.25, epsilon=0.01) <= 2000


def test_appendix_a_makes_sparse_tickets_pay_with_parameters():
    # d = 10, epsilon = 0.01: 563.39 bits; all kept (gamma = 1): 563.39 / log2(e) parameters
    needed = [sparse.APPENDIX_A.evaluate(d=10, epsilon=0.01, gamma=g) for g in (1.0, 0.5, 0.1, 0.01)]
    assert needed[0] * math.log2(math.e) == pytest.approx(563.39, abs=0.01)
    assert needed == sorted(needed)
    for gamma, parameters in zip((1.0, 0.5, 0.1, 0.01), needed, strict=True):
        assert gamma * parameters * math.log2(math.e / gamma) == pytest.approx(563.39, abs=0.01)
        assert math.log2(math.e / gamma) >= 1  # printed with <= in the paper


def test_the_published_bounds_need_their_constant():
    values = {"d_in": 10, "d_out": 10, "L": 2, "epsilon": 0.1, "gamma": 0.25}
    for bound, more in ((sparse.THEOREM_3, {"k": 8}), (sparse.THEOREM_3_SIMPLE, {})):
        assert bound.provenance is Provenance.PUBLISHED
        with pytest.raises(ValueError, match="gives no value for C"):
            bound.evaluate(**values, **more)
    entropy = 0.25 * 2 + 0.75 * math.log2(4 / 3)
    wanted = 2 * 3 * math.log2(2 * 2 * 100 / 0.1) ** 2 / entropy
    assert sparse.THEOREM_3_SIMPLE.evaluate(C=3, **values) == pytest.approx(wanted)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 200), st.data())
def test_the_true_density_is_at_most_the_paper_s_and_about_half_of_it_for_equal_widths(d_in, d_out, n, data):
    k = data.draw(st.integers(1, n))
    density = sparse.pair_density(d_in, d_out, n, k)
    ratio = max(Fraction(d_in, d_out), Fraction(d_out, d_in))
    assert density <= Fraction(k, n) * ratio
    equal = sparse.pair_density(d_in, d_in, n, k)
    assert float(equal) <= sparse.DENSITY.evaluate(k=k, n=n, d=d_in) * (1 + 1e-12)
    if d_in * k >= n:
        assert equal == Fraction(k, 2 * n) + Fraction(1, 2 * d_in)


def test_fewer_samples_are_needed_the_denser_the_subsets_and_the_larger_epsilon():
    target = small()
    needed = [sparse.samples_needed(target, 0.1, 0.1, share) for share in (HALF, QUARTER, TENTH)]
    assert needed == sorted(needed)
    assert needed == [397, 511, 1212]
    assert sparse.samples_needed(target, 0.01, 0.1) < 1.6 * needed[1]  # one logarithm
    for n, share in zip(needed, (HALF, QUARTER, TENTH), strict=True):
        assert sparse.failure_bound(target, n, 0.1, share) <= 0.1 < sparse.failure_bound(target, n - 1, 0.1, share)


# The question


@pytest.mark.parametrize(("n", "share"), [(1, HALF), (7, TENTH), (30, QUARTER), (60, Fraction(1, 30)), (60, QUARTER)])
@pytest.mark.parametrize("scale", [0.2, 30.0])
def test_every_answer_has_exactly_the_size_asked_for_whether_or_not_it_is_near(n, share, scale):
    rng = np.random.default_rng((n, share.denominator))
    samples = rng.integers(-(1 << 40), 1 << 40, (20, n))
    targets = (rng.uniform(-1, 1, 20) * scale * (1 << 40)).astype(np.int64)
    for tolerance in (0, 1 << 34):
        answer = sparse.exactly_k(share)(SubsetSums(samples, targets), tolerance)
        assert (answer.sizes == subset_size(share, n)).all()
        assert answer.failed == 0


@given(st.integers(1, 16), st.integers(1, 16), st.integers(0, 2**32))
def test_few_candidates_get_the_nearest_subset_of_the_size(n, tenths, seed):
    rng = np.random.default_rng(seed)
    problem = SubsetSums(rng.integers(-1000, 1000, (4, n)), rng.integers(-1000, 1000, 4))
    share = Fraction(tenths, 16)
    answer = sparse.exactly_k(share)(problem, 0)
    expected = exactly(problem, subset_size(share, n))
    assert (np.abs(answer.residuals) == np.abs(expected.residuals)).all()


def test_a_target_beyond_all_subsets_gets_the_extreme_one():
    samples = np.tile(np.arange(-50, 50), (2, 1))
    answer = sparse.exactly_k(QUARTER)(SubsetSums(samples, np.array([10**6, -(10**6)])), 5)
    assert (answer.sizes == 25).all()
    assert np.flatnonzero(answer.chosen[0]).tolist() == list(range(75, 100))
    assert np.flatnonzero(answer.chosen[1]).tolist() == list(range(25))


def test_the_nearest_steered_subset_stands_in_for_a_miss():
    rng = np.random.default_rng(3)
    problem = SubsetSums(rng.integers(-(1 << 40), 1 << 40, (3, 50)), np.zeros(3, dtype=np.int64))
    answer = sparse.exactly_k(TENTH)(problem, 0)  # no sum is 0 exactly
    assert (answer.sizes == 5).all()
    assert (np.abs(answer.residuals) < 1 << 40).all()
    assert (answer.residuals != 0).all()


@pytest.mark.parametrize("density", [0, -0.1, 1.1, math.nan])
def test_a_density_out_of_range_is_refused(density):
    with pytest.raises(ValueError, match="density of the subsets"):
        sparse.exactly_k(density)
    with pytest.raises(ValueError, match="density of the subsets"):
        sparse.samples_needed(small(), 0.1, 0.1, density)


# The construction


def test_the_module_is_a_theorem():
    module: Theorem = sparse
    assert (module.NAME, module.REFERENCE.key) == ("natale2024_sparse", "Natale2024")


@pytest.mark.parametrize(("samples", "share"), [(10, QUARTER), (24, QUARTER), (24, HALF), (60, TENTH)])
def test_every_subset_has_exactly_k_weights_and_the_ticket_the_density_of_the_formula(samples, share):
    target = small(widths=(3, 3, 3))
    found = verify(sparse, target, 0.1, 0.1, seed=1, samples=samples, question=sparse.exactly_k(share))
    ticket = found.construction.ticket
    available, sizes = candidates(target, ticket), sparse.subset_sizes(target, ticket)
    for i, layer in enumerate(target.layers):
        sides = 2 if i == 0 else 1
        wanted = np.maximum(1, available[i] * share.numerator // share.denominator)[:, :sides]
        assert (sizes[i][:, :, :sides] == wanted).all()
        assert (sizes[i][:, :, sides:] == 0).all()
        kept = layer.outputs * wanted.sum()
        assert np.count_nonzero(ticket.masks[2 * i + 1]) == kept == found.construction.reports[i].sizes
        first = np.count_nonzero(ticket.masks[2 * i])
        assert wanted.sum() <= first <= np.minimum(available[i][:, :sides], layer.outputs * wanted).sum()
        # The formula at the mean number of candidates, when every pool is read: exact up to that fluctuation.
        formula = sparse.pair_density(3, 3, samples, max(1, samples * share.numerator // share.denominator), i == 0)
        size = ticket.masks[2 * i].size + ticket.masks[2 * i + 1].size
        assert (first + kept) / size <= float(formula) * 1.35


def test_without_shared_units_the_density_is_the_formula_exactly():
    # one output: no unit is read twice, so both matrices keep k per input and side
    target = Target.from_floats([[[0.3, -0.4]]])
    made = verify(sparse, target, 0.1, 0.1, seed=2, samples=20).construction
    available = candidates(target, made.ticket)[0]
    sizes = np.maximum(1, available // 4)
    assert made.ticket.kept == 2 * sizes.sum()
    if (available == 20).all():
        assert Fraction(made.ticket.kept, made.ticket.source.parameters) == sparse.pair_density(2, 1, 20, 5)
    nominal = Fraction(2 * 2 * 2 * 5, 2 * 20 * 2 * 3)
    assert sparse.pair_density(2, 1, 20, 5) == nominal


def test_the_bound_s_own_width_keeps_the_promise():
    target, draws = small(), 20
    lost, failed = 0, 0
    for seed in range(draws):
        found = verify(sparse, target, 0.1, 0.1, seed)
        assert all(check.holds for check in found.hypotheses)
        lost += found.verdict is not Verdict.HOLDS
        failed += found.construction.failed > 0
    assert excess_p_value(lost, draws, 0.1) >= FALSE_ALARM
    assert excess_p_value(failed, draws, 0.1) >= FALSE_ALARM
    assert (lost, failed) == (0, 0)


def test_the_smallest_width_lies_between_counting_and_the_bound():
    # per instance: at n candidates a share of the draws has a subset of n / 4 within the tolerance for every weight
    target, epsilon, draws = small(), 0.1, 20
    within = min(sparse.tolerances(target, epsilon))
    counted = next(n for n in range(4, 99) if math.comb(n, subset_size(QUARTER, n)) * within >= 1)
    good = {}
    for n in range(4, 60, 4):
        sources = [sparse.source(target, epsilon, 0.1, seed, samples=n) for seed in range(draws)]
        good[n] = sum(sparse.construct(target, source, epsilon).failed == 0 for source in sources)
        if good[n] >= 18:
            break
    assert counted <= max(good) <= sparse.samples_needed(target, epsilon, 0.1)
    assert (counted, max(good)) == (12, 24)


def test_sparser_subsets_give_sparser_tickets_for_more_candidates():
    target = small(widths=(4, 5, 3))
    dense = verify(sparse, target, 0.1, 0.1, 3, samples=24, question=sparse.exactly_k(0.5))
    thin = verify(sparse, target, 0.1, 0.1, 3, samples=80, question=sparse.exactly_k(0.05))
    assert dense.verdict is thin.verdict is Verdict.HOLDS
    assert thin.construction.ticket.density < dense.construction.ticket.density / 3
    assert thin.construction.ticket.density_of_second_layers < 0.05


def test_the_certificate_names_a_question_that_the_theorem_does_not_ask():
    target = small()
    right = {c.name: c for c in verify(sparse, target, 0.1, 0.1, 1, samples=12).hypotheses}
    wrong = {c.name: c for c in verify(sparse, target, 0.1, 0.1, 1, samples=12, question=nearest).hypotheses}
    asked, uneven = "question asked of the subset sums", "inputs and sides whose subsets differ in size"
    assert (right[asked].holds, right[uneven].holds) == (True, True)
    assert (wrong[asked].holds, wrong[uneven].holds) == (False, False)
    assert wrong[asked].value == "nearest"
    assert right["candidates per weight and side"].limit == 511


def test_the_limit_follows_the_density_that_was_asked_for():
    found = verify(sparse, small(), 0.1, 0.1, 1, samples=12, question=sparse.exactly_k(0.1))
    (check,) = [c for c in found.hypotheses if c.name == "candidates per weight and side"]
    assert (check.limit, check.value, check.holds) == (1212, 12, False)
    assert found.construction.question == "exactly_k(1/10)"


def test_an_adaptive_assignment_gives_every_side_more_candidates():
    target = small()
    plain = verify(sparse, target, 0.1, 0.1, 5, samples=12)
    more = verify(sparse, target, 0.1, 0.1, 5, samples=12, assignment=adaptive)
    fewest = [min(r.fewest for r in c.construction.reports) for c in (plain, more)]
    assert fewest[1] > fewest[0]
    uneven = [c.holds for c in more.hypotheses if c.name.startswith("inputs and sides")]
    assert uneven == [True]


def test_a_bias_is_a_weight_with_a_subset_of_its_own():
    target = Target.from_floats([[[0.5, -0.25], [0.1, 0.3]]], [[0.2, -0.1]])
    found = verify(sparse, target, 0.05, 0.1, 5, samples=30)
    sizes = sparse.subset_sizes(target, found.construction.ticket)[0]
    assert sizes.shape == (2, 3, 2)
    assert (sizes[:, 2, 1] == 0).all()
    assert (sizes[:, 2, 0] > 0).all()
    assert found.verdict is Verdict.HOLDS
    assert sum(not check.holds for check in found.hypotheses) == 2  # the bias, and 30 candidates


def test_a_hopeless_draw_is_reported_as_failed_and_never_redrawn():
    target = small()
    found = verify(sparse, target, 1e-4, 0.1, seed=0, samples=3)
    assert found.verdict is Verdict.FAILS
    assert found.construction.failed > 0
    assert [c.limit for c in found.hypotheses if not c.holds] == ["no number is proved"]  # the grid is too coarse
    assert found.construction.ticket.source == sparse.source(target, 1e-4, 0.1, seed=0, samples=3)


def test_progress_is_told_every_instance_once():
    seen = []
    verify(sparse, small(), 0.1, 0.1, 0, samples=8, advance=seen.append)
    assert sum(seen) == sparse.instances(small())


def test_impossible_numbers_are_refused_by_name():
    target = small()
    for delta in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="delta"):
            sparse.source(target, 0.1, delta, 0)
    with pytest.raises(ValueError, match="epsilon"):
        verify(sparse, target, 0.0, 0.1, 0)
    with pytest.raises(ValueError, match="grid of 2\\^-24 moves"):
        sparse.samples_needed(target, 1e-5, 0.1)
    with pytest.raises(ValueError, match="would not fit in memory"):
        verify(sparse, target, 0.1, 0.1, 0, samples=10**8)


# The curve

KNOWN = {1: 2e6, 2: 2379.0, 3: 275.9, 4: 100.5, 6: 41.55, 8: 29.89, 12: 25.46}


def test_the_counting_curve_at_the_known_points():
    # 10^4 parameters, epsilon = 0.01
    within = curve.tolerance(10_000, 0.01)
    assert within == 5e-7
    found = curve.counting_curve(list(KNOWN), within)
    assert found.samples == pytest.approx(list(KNOWN.values()), rel=2e-4)
    assert found.density == pytest.approx([k / n for k, n in KNOWN.items()], rel=2e-4)
    assert found.overparameterisation == pytest.approx(4 * found.samples)
    closed = curve.counting_closed_form(list(KNOWN), within).samples
    assert closed == pytest.approx([2e6, 2378.9, 275.9, 100.5, 41.5, 29.8, 25.2], rel=2e-3)


def test_the_binomial_of_the_curve_is_that_of_the_gamma_function():
    for k, n in zip((2, 5, 12), curve.counting_curve([2, 5, 12], 5e-7).samples, strict=True):
        bits = (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)) / math.log(2)
        assert bits == pytest.approx(math.log2(math.sqrt(k) / 5e-7), rel=1e-9)


@given(st.integers(1, 40), st.floats(1e-9, 0.5))
@settings(max_examples=30)
def test_the_counting_curve_is_the_least_whole_number_by_binomials(k, within):
    n = curve.counting_curve([k], within).samples[0]
    if n < 10**9:
        assert n >= 2 * k
        assert math.comb(math.ceil(n * (1 + 1e-9)), k) >= math.sqrt(k) / within * (1 - 1e-6)
        if math.floor(n) > 2 * k:
            assert math.comb(math.ceil(n * (1 - 1e-9)) - 1, k) <= math.sqrt(k) / within * (1 + 1e-6)


def test_the_closed_form_is_near_the_exact_curve_where_the_samples_are_many():
    sizes = np.arange(1, 9)
    exact, closed = (f(sizes, 5e-7).samples for f in (curve.counting_curve, curve.counting_closed_form))
    assert closed == pytest.approx(exact, rel=5e-3)


def test_the_paper_s_curve_is_its_fixed_point_and_useless_at_the_sparse_end():
    found = curve.paper_curve([1, 4, 20, 100, 441], 10_000, 0.01, C=1.0)
    assert np.isfinite(found.samples[2:]).all()
    assert (found.samples[:2] > 1e30).all()
    for n, gamma in zip(found.samples[2:], found.density[2:], strict=True):
        entropy = -gamma * math.log2(gamma) - (1 - gamma) * math.log1p(-gamma) / math.log(2)
        assert n == pytest.approx(math.log2(2e4 * gamma * n / 0.01) ** 2 / entropy, rel=1e-9)
    assert found.density[-1] == pytest.approx(0.5, abs=1e-3)
    assert found.samples[-1] == pytest.approx(883, rel=2e-3)
    assert (np.diff(found.density) > 0).all()


def test_the_curves_keep_their_order():
    within = curve.tolerance(10_000, 0.01)
    proved = curve.steered_curve([0.1, 0.25, 0.5], within, 0.1)
    counted = curve.counting_curve(np.arange(1, 13), within)
    assert counted.samples.min() < proved.samples.min()
    for gamma, n in zip(proved.density, proved.samples, strict=True):
        # the published lower bound per weight, at the same density and size
        k = gamma * n
        entropy = -gamma * math.log2(gamma) - (1 - gamma) * math.log2(1 - gamma)
        assert n >= math.log2(math.sqrt(k) / within) / entropy
    assert proved.samples[-1] == 2 * proved.sizes[-1] == 2 * size_that_suffices(within, 0.1)
    density, parameters = curve.malach_point(10_000, 0.01)
    assert density == pytest.approx(1e-12)
    assert parameters == pytest.approx(1e12 * math.log2(1e6))
    assert density < counted.density[0]
    assert parameters > counted.overparameterisation[0]
    assert curve.pensia_point(10_000, 0.01, C=1.0) == (0.5, pytest.approx(4 * math.log2(1e6)))


def test_numbers_out_of_range_are_refused_by_the_curves():
    for sizes in ([0], [1.5], [[1, 2]], [math.inf]):
        with pytest.raises(ValueError, match="sizes must be"):
            curve.counting_curve(sizes, 0.1)
    with pytest.raises(ValueError, match="tolerance must be positive"):
        curve.counting_curve([1], 0.0)
    with pytest.raises(ValueError, match="constant C"):
        curve.paper_curve([1], 10, 0.1, C=0.0)
    for parameters, epsilon in ((0, 0.1), (10, 0.0), (10, math.inf)):
        with pytest.raises(ValueError, match="at least one parameter"):
            curve.tolerance(parameters, epsilon)
    for density in (0.0, 0.6):
        with pytest.raises(ValueError, match="densities must lie"):
            curve.steered_curve([density], 0.1, 0.1)
