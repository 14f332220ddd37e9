"""Kumar and Natale 2025: quantised tickets equal quantised targets, exactly."""

import itertools
import math
from fractions import Fraction

import naive
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from slth.assignment import adaptive, block
from slth.confidence import binomial_interval, excess_p_value
from slth.gadget import collapse
from slth.laws import Dyadic
from slth.networks.examples import random_target
from slth.networks.precision import precision
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.torch_export import to_module
from slth.subset_sum import SubsetSums
from slth.subset_sum.questions import any_or_nearest, nearest, sparsest_or_nearest
from slth.theorems import kumar2025_quantised as kumar
from slth.theorems.certificate import Verdict
from slth.theorems.kumar2026_discrete import COUNTING
from slth.theorems.pairs import paired_source
from slth.theorems.theorem import verify


def small(bits=4, widths=(3, 3, 2), seed=0):
    return kumar.quantised(random_target(widths, seed), bits)


def layer_outputs(ticket, layer, h):
    """Pair `layer` of a ticket on integers h: (hidden activations, outputs), in units of 2^-24 and 2^-48."""
    hidden = np.maximum(ticket.weights(2 * layer).astype(object) @ h, 0)
    return hidden, ticket.weights(2 * layer + 1).astype(object) @ hidden


# Equality -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 8])
def test_at_the_bounds_own_width_the_ticket_equals_the_target_and_the_error_is_zero(bits):
    target = small(bits)
    found = verify(kumar, target, 0.0, 0.1, seed=bits)
    assert all(check.holds for check in found.hypotheses)
    assert found.verdict is Verdict.HOLDS
    assert found.error.upper == 0
    assert found.construction.failed == 0
    for layer, i in zip(collapse(target, found.construction.ticket), range(2), strict=True):
        assert not layer.positive.any()
        assert i or not layer.negative.any()


def test_the_ticket_computes_the_same_integers_as_the_target_on_every_input():
    target = small(6)
    ticket = verify(kumar, target, 0.0, 0.1, seed=1, samples=40).construction.ticket
    rng = np.random.default_rng(0)
    for _ in range(50):
        h = g = rng.integers(-1000, 1001, 3).astype(object)
        for i, layer in enumerate(target.layers):
            h, g = layer.weight.astype(object) @ h, layer_outputs(ticket, i, g)[1]
            assert (h == g).all()
            h, g = np.maximum(h, 0), np.maximum(g, 0)


def requantised(values, gamma_bits, limit, exponent):
    """Integers in units of 2^-exponent, rounded to multiples of 2^-gamma_bits and clipped, in that unit."""
    step = 1 << (exponent - gamma_bits)
    return np.array([max(-limit, min(limit, (int(v) + step // 2) // step)) for v in values], dtype=object)


def test_rounding_activations_behind_every_pair_changes_nothing_but_rounding_inside_a_pair_does():
    target = small(4)
    ticket = verify(kumar, target, 0.0, 0.1, seed=2, samples=40).construction.ticket
    rng, differs = np.random.default_rng(1), 0
    for _ in range(30):
        h = g = inside = rng.integers(-8, 9, 3).astype(object)  # multiples of 2^-3
        for i, layer in enumerate(target.layers):
            h = requantised(layer.weight.astype(object) @ h, 3, 16, 48 + 3)
            hidden, _ = layer_outputs(ticket, i, inside)
            rounded = requantised(hidden, 3, 16, 24 + 3)
            inside = requantised(ticket.weights(2 * i + 1).astype(object) @ rounded, 3, 16, 24 + 3)
            g = requantised(layer_outputs(ticket, i, g)[1], 3, 16, 48 + 3)
            h, g, inside = (np.maximum(values, 0) if i == 0 else values for values in (h, g, inside))
        assert (h == g).all()
        differs += bool((h != inside).any())
    assert differs > 15


def test_a_target_of_float_weights_is_rounded_and_then_equalled():
    given_target = random_target((3, 3, 2), 1)
    target = kumar.normalised(given_target)
    assert precision(target) == 8
    assert target.rounding <= 2.0**-9 + 2.0**-48
    assert verify(kumar, target, 0.0, 0.1, seed=0, samples=40).error.upper == 0


def test_normalising_divides_by_powers_of_two_and_leaves_small_grid_targets_alone():
    given_target = Target.from_floats([[[3.0, 1.25], [0.0, 2.0]], [[1.0, -4.0]]], [[9.0, -1.0], [12.0]])
    new = kumar.normalised(given_target)
    assert all(np.abs(layer.matrix).max() <= 1 and np.abs(layer.shift).max() <= 1 for layer in new.layers)
    assert math.log2(new.scale).is_integer()
    x = torch.tensor([[0.25, -0.75], [1.0, 2.0]], dtype=torch.float64)
    assert torch.equal(new.scale * new(x), given_target(x))  # powers of two: no rounding at all
    assert kumar.normalised(new) is new


def test_weights_and_biases_are_equalled_together():
    target = Target.from_floats([[[0.5, -0.25], [0.125, 1.0]], [[0.375, -0.5]]], [[0.25, -1.0], [0.75]])
    found = verify(kumar, target, 0.0, 0.1, seed=3, samples=40)
    assert found.error.upper == 0
    assert next(check.name for check in found.hypotheses if not check.holds) == "target layers with a bias"
    x = torch.rand(20, 2, dtype=torch.float64) - 0.5
    assert torch.allclose(to_module(found.construction.ticket)(x), target(x), rtol=0, atol=1e-14)


def test_a_zero_target_needs_no_weights():
    target = Target.from_floats([np.zeros((2, 3)), np.zeros((1, 2))])
    found = verify(kumar, target, 0.0, 0.1, seed=0, samples=4)
    assert found.construction.ticket.kept == 0
    assert found.error.upper == 0


def test_a_finer_source_finds_the_target_too():
    target = small(4)
    source = paired_source(target, 40, seed=0, law=Dyadic(4))
    made = kumar.construct(target, source, 0.0)
    assert made.failed == 0
    needed = [c for c in kumar.hypotheses(target, source, 0.0, 0.1) if c.name == "candidates per weight and side"]
    assert needed[0].limit > kumar.samples_needed(target, 0.0, 0.1)


# Failures are data ----------------------------------------------------------------------------------------------------


def test_a_miss_is_counted_and_the_proved_error_is_not_zero():
    target = small(4)
    found = verify(kumar, target, 0.0, 0.1, seed=0, samples=3)
    made = found.construction
    assert made.failed > 0
    assert found.verdict is Verdict.FAILS
    assert 0 < found.error.lower <= found.error.upper
    assert made.tolerances == (0, 0)
    layers = collapse(target, made.ticket)
    missed = [np.count_nonzero(layers[0].positive) + np.count_nonzero(layers[0].negative)]
    assert made.failed == missed[0] + np.count_nonzero(layers[1].positive)
    assert made.ticket.source == kumar.source(target, 0.0, 0.1, seed=0, samples=3)


def test_a_target_finer_than_the_products_is_missed_and_the_check_says_so():
    target = Target.from_floats([[[2.0**-3]]])
    source = paired_source(target, 30, seed=0, law=Dyadic(1))
    made = kumar.construct(target, source, 0.0)
    assert made.failed == 2
    assert made.worst_residual == 2.0**-3  # 0 and 1/4 are equally near
    broken = [c.name for c in kumar.hypotheses(target, source, 0.0, 0.1) if not c.holds]
    assert broken == ["bits of the target weights", "candidates per weight and side"]


def test_weights_above_one_and_another_law_are_violated_hypotheses():
    target = Target.from_floats([[[1.5]]])
    source = Source(0, (1, 400, 1))
    checks = {c.name: c for c in kumar.hypotheses(target, source, 0.0, 0.1)}
    assert not checks["largest modulus of a target weight"].holds
    assert not checks["law of the source"].holds
    assert checks["depth of the source"].holds


def test_a_target_of_48_bits_gets_the_finest_source_and_a_violated_check():
    target = random_target((2, 2), 0)
    assert kumar.source_precision(target) == 12
    source = kumar.source(target, 0.1, 0.1, seed=0, samples=4)
    assert "bits of the target weights" in [c.name for c in kumar.hypotheses(target, source, 0.1, 0.1) if not c.holds]


# The question ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [nearest, any_or_nearest, sparsest_or_nearest, kumar.exact_or_nearest])
@pytest.mark.parametrize("assignment", [block, adaptive])
def test_every_question_is_asked_with_tolerance_zero(question, assignment):
    target = small(2)
    made = kumar.construct(target, kumar.source(target, 0.5, 0.1, 0, samples=20), 0.5, question, assignment)
    assert made.question == question.__name__
    layers = collapse(target, made.ticket)
    worst = max(int(np.abs(part).max()) for part in (layers[0].positive, layers[0].negative, layers[1].positive))
    assert made.worst_residual == worst / 2.0**48
    assert (made.failed == 0) == (worst == 0)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9), st.integers(-40, 40), st.sampled_from([0, 20, 44]))
def test_the_answer_is_exact_where_possible_and_else_nearest(sample, target, shift):
    problem = SubsetSums(np.array([sample]) << shift, np.array([target]) << shift)
    least = naive.distances(problem.samples, problem.targets).min()
    assert abs(kumar.exact_or_nearest(problem, 0).residuals[0]) == least


def test_samples_of_many_bits_fall_back_to_the_first_26_candidates():
    rng = np.random.default_rng(0)
    problem = SubsetSums(rng.integers(-(1 << 47), 1 << 47, (2, 40)) | 1, np.array([1 << 47, 12345]))
    answer = kumar.exact_or_nearest(problem, 0)
    assert (answer.residuals == any_or_nearest(problem, 0).residuals).all()
    assert not answer.chosen[:, 26:].any()


# Bounds ---------------------------------------------------------------------------------------------------------------


def test_at_the_bounds_own_width_failures_stay_below_delta():
    target, delta = small(2, (2, 2)), 0.3
    failed = sum(verify(kumar, target, 0.0, delta, seed).construction.failed > 0 for seed in range(40))
    assert excess_p_value(failed, 40, delta) > 1e-4  # false alarm: at most 1e-4


def test_the_measured_width_lies_between_counting_and_the_bound():
    target, draws = small(4, (2, 2)), 30
    needed = kumar.samples_needed(target, 0.0, 0.1)
    hits = {
        samples: sum(verify(kumar, target, 0.0, 0.1, seed, samples=samples).error.upper == 0 for seed in range(draws))
        for samples in (4, 8, 16, 20, 24, 28, 32)
    }
    measured = min(samples for samples, count in hits.items() if count >= 0.9 * draws)
    assert 16 <= measured <= 32  # needed: 131
    assert binomial_interval(hits[8], draws, 0.999).high < 0.9
    # The 2 n rows of a channel have to reach every multiple of 2^-4 in [-1, 1].
    assert COUNTING.evaluate(M=16, Delta=0) <= 2 * measured <= 2 * needed


def test_rows_are_those_of_the_exact_subset_sums_with_the_drift_of_a_row():
    rows = kumar.ROWS.evaluate(M=16, I=100, delta=0.1, m=Fraction(18, 275))
    assert rows == pytest.approx(math.log(4 * 16**4 * 1000) / -math.log1p(-9 / 275), rel=1e-12)
    assert kumar.samples_needed(small(8), 0.0, 0.1) == math.ceil(
        kumar.ROWS.evaluate(M=16, I=kumar.instances(small(8)), delta=0.1, m=kumar.drift(4)) / 2
    )


def test_the_width_grows_with_the_bits_and_not_with_the_number_of_values():
    per_bit = [kumar.samples_needed(small(bits), 0.0, 0.1) / bits for bits in (4, 8, 12, 16, 24)]
    assert max(per_bit) < 4 * min(per_bit)


def test_every_d_by_d_map_costs_a_parameter_per_bit():
    # M = 1, d = 1: a source with P parameters has at most 2^P tickets, and three maps -1, 0, 1 have to be among them
    assert kumar.PARAMETERS.evaluate(d=1, M=1, delta=0.5) == pytest.approx(math.log2(1.5))
    assert kumar.PARAMETERS.evaluate(d=10, M=128, delta=0.5) == pytest.approx(100 * math.log2(257) - 1)
    # the best P parameters of one line x -> sum of kept weights x reach at most 2^P maps
    for p in (1, 2, 3):
        reached = max(
            len({-1, 0, 1} & {sum(itertools.compress(w, bits)) for bits in itertools.product((0, 1), repeat=p)})
            for w in itertools.product((-1, 0, 1), repeat=p)
        )
        assert reached <= 2**p
        delta = 1 - Fraction(reached, 3)
        if 0 < delta < 1:
            assert p >= kumar.PARAMETERS.evaluate(d=1, M=1, delta=float(delta)) - 1e-12


def test_the_source_of_the_bound_has_more_parameters_than_counting_asks_for():
    target = small(4, (3, 3))
    source = kumar.source(target, 0.0, 0.1, seed=0)
    assert source.parameters >= kumar.PARAMETERS.evaluate(d=3, M=16, delta=0.1)


@pytest.mark.parametrize("bound", [kumar.WIDTH, kumar.PUBLISHED_PARAMETERS])
def test_published_bounds_refuse_to_be_evaluated_without_their_constant(bound):
    values = {"d_in": 10} if "d_in" in bound.symbols else {"d": 10}
    with pytest.raises(ValueError, match="no value for C"):
        bound.evaluate(M=16, **values)
    assert bound.evaluate(M=16, C=2.0, **values) == pytest.approx(8 * (10 if "d_in" in bound.symbols else 100))


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epsilon", "delta", "samples", "message"),
    [
        (-1.0, 0.1, 5, "epsilon"),
        (math.nan, 0.1, 5, "epsilon"),
        (0.0, 0.0, None, "delta"),
        (0.0, 1.0, 5, "delta"),
        (0.0, 0.1, 0, "candidate"),
        (0.0, 0.1, 10**9, "would not fit in memory"),
    ],
)
def test_impossible_numbers_are_refused_by_name(epsilon, delta, samples, message):
    with pytest.raises(ValueError, match=message):
        verify(kumar, small(2), epsilon, delta, 0, samples=samples)


def test_a_source_for_another_target_is_refused():
    other = kumar.source(small(2, (3, 2, 2)), 0.0, 0.1, 0, samples=4)
    with pytest.raises(ValueError, match="widths"):
        kumar.construct(small(2), other, 0.0)


def test_progress_is_told_every_instance_once():
    target, seen = small(2), []
    verify(kumar, target, 0.0, 0.1, 0, samples=8, advance=seen.append)
    assert sum(seen) == kumar.instances(target)
