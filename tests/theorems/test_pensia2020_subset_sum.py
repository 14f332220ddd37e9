"""Pensia et al. 2020, Theorem 1: the claims of the file, one by one."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from slth.assignment import adaptive, block
from slth.errors import Ball
from slth.errors.recursion import Scale, recursion
from slth.gadget import collapse
from slth.networks.examples import random_target
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.torch_export import to_module
from slth.subset_sum.questions import any_or_nearest, nearest, sparsest_or_nearest
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.certificate import Check, Verdict
from slth.theorems.grid_law import candidates_on_grid
from slth.theorems.pairs import samples_per_weight
from slth.theorems.theorem import verify

QUESTIONS = (nearest, any_or_nearest, sparsest_or_nearest)


def small(seed=0, widths=(5, 4, 3)):
    return pensia.normalised(random_target(widths, seed))


def test_normalised_target_has_norms_at_most_one_and_is_the_same_function_up_to_its_scale():
    given = Target.from_floats([[[3.0, 1.0], [0.0, 2.0]], [[1.0, -4.0]]])
    new = pensia.normalised(given)
    assert all(np.linalg.norm(layer.matrix, 2) <= 1 for layer in new.layers)
    x = torch.tensor([[0.3, -0.7], [1.0, 2.0]], dtype=torch.float64)
    assert torch.allclose(new.scale * new(x), given(x), rtol=1e-11)


def test_a_target_with_norms_below_one_is_not_rescaled():
    target = Target.from_floats([[[0.5]], [[0.25]]])
    assert pensia.normalised(target) is target


def test_rescaling_keeps_networks_with_biases_the_same_up_to_their_scale():
    given = Target.from_floats([[[3.0]], [[2.0]]], [[0.5], [-0.25]])
    new = pensia.normalised(given)
    x = torch.tensor([[0.3], [-0.7]], dtype=torch.float64)
    assert torch.allclose(new.scale * new(x), given(x), rtol=1e-11)


def test_layer_errors_at_the_tolerance_give_epsilon_by_the_recursion():
    target, epsilon = small(), 0.01
    etas = [
        t * math.sqrt((2 if i == 0 else 1) * layer.weight.size)
        for i, (t, layer) in enumerate(zip(pensia.tolerances(target, epsilon), target.layers, strict=True))
    ]
    last = recursion([Scale(1.0, eta, 1.0 + eta) for eta in etas], 1.0)[-1]
    assert float(last.error) == pytest.approx(epsilon, rel=1e-12)


def test_tolerances_of_a_target_with_large_norms_still_give_epsilon():
    target, epsilon = Target.from_floats([[[3.0]], [[5.0]]]), 0.01
    t1, t2 = pensia.tolerances(target, epsilon)
    grown = (3 + t1 * math.sqrt(2)) * (5 + t2) - 15
    assert grown == pytest.approx(epsilon, rel=1e-9)


def test_tolerance_is_the_bound_of_the_same_name():
    target = small(widths=(4, 4, 4))
    expected = pensia.TOLERANCE.evaluate(epsilon=0.1, L=2, c=1, d_in=4, d_out=4)
    assert pensia.tolerances(target, 0.1)[1] == pytest.approx(expected, rel=1e-12)


def test_rows_for_a_784_500_10_network_match_the_worked_example():
    # epsilon = delta = 0.1 on 784-500-10: 583 and 504 rows per input with the tolerances of the two layers
    theta = math.sqrt(1.1) - 1
    count = 2 * 784 * 500 + 500 * 10
    first = pensia.ROWS.evaluate(I=count, t=theta / math.sqrt(2 * 784 * 500), delta=0.1)
    second = pensia.ROWS.evaluate(I=count, t=theta / math.sqrt(500 * 10), delta=0.1)
    assert (math.ceil(first), math.ceil(second)) == (583, 504)


def test_rows_and_guaranteed_tolerance_are_inverse():
    t = pensia.GUARANTEED.evaluate(I=100, N=300, delta=0.05)
    assert pensia.ROWS.evaluate(I=100, t=t, delta=0.05) == pytest.approx(300, rel=1e-12)


def test_rows_on_the_grid_are_those_of_the_grid_law_and_hardly_more_than_rows():
    values = {"I": 100, "t": 1e-4, "delta": 0.05}
    grid, continuous = pensia.ROWS_ON_GRID.evaluate(**values), pensia.ROWS.evaluate(**values)
    assert continuous < grid < continuous + 0.01
    assert math.ceil(grid) == candidates_on_grid(1e-4, 0.05 / 100, pensia.DRIFT)
    assert pensia.ROWS_ON_GRID.evaluate(**values | {"t": 8e-8}) == math.inf


def test_the_candidates_needed_are_half_the_rows_on_the_grid():
    target = small()
    for epsilon in (0.1, 1e-3, 1e-5):
        t = min(pensia.tolerances(target, epsilon))
        rows = pensia.ROWS_ON_GRID.evaluate(I=pensia.instances(target), t=t, delta=0.1)
        assert pensia.samples_needed(target, epsilon, 0.1) == math.ceil(math.ceil(rows) / 2)


def test_for_an_epsilon_near_the_grid_no_number_is_proved_and_the_hypothesis_says_so():
    target = small()
    assert pensia.samples_needed(target, 2e-6, 0.1) < math.inf
    with pytest.raises(ValueError, match="no number of candidates is proved to reach epsilon 1e-07"):
        pensia.source(target, 1e-7, 0.1, seed=0)
    given = pensia.source(target, 1e-7, 0.1, seed=0, samples=30)
    last = pensia.hypotheses(target, given, 1e-7, 0.1)[-1]
    assert (last.value, last.limit, last.holds) == (30, "no number is proved", False)


def test_the_published_width_refuses_to_be_evaluated_without_its_constant():
    values = {"d_in": 10, "d_out": 10, "L": 2, "epsilon": 0.1, "delta": 0.1}
    with pytest.raises(ValueError, match="C"):
        pensia.WIDTH.evaluate(**values)
    assert pensia.WIDTH.evaluate(C=2.0, **values) == pytest.approx(2 * 10 * math.log(200 / 0.1))


def test_guaranteed_error_at_the_needed_samples_is_at_most_epsilon():
    target = small()
    needed = pensia.samples_needed(target, 0.05, 0.1)
    assert pensia.guaranteed_error(target, needed, 0.1) <= 0.05
    assert pensia.guaranteed_error(target, needed - 10, 0.1) > 0.05
    assert pensia.guaranteed_error(target, 1, 0.1) > 1


def test_instances_count_two_per_first_weight_one_behind_and_one_per_bias():
    assert pensia.instances(small()) == 2 * 20 + 12
    with_bias = Target.from_floats([np.ones((2, 3)), np.ones((1, 2))], [np.ones(2), np.ones(1)])
    assert pensia.instances(with_bias) == 2 * 6 + 2 + 2 + 1


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("assignment", [block, adaptive])
def test_construction_solves_every_instance_and_reports_the_residuals_that_collapse_finds(question, assignment):
    target = small()
    source = pensia.source(target, 0.1, 0.1, seed=3, samples=12)
    made = pensia.construct(target, source, 0.1, question, assignment)
    assert made.count == pensia.instances(target)
    layers = collapse(target, made.ticket)
    worst = max(int(np.abs(layers[0].positive).max()), int(np.abs(layers[0].negative).max()))
    assert made.reports[0].worst == worst
    assert made.reports[1].worst == int(np.abs(layers[1].positive).max())
    missed = np.abs(np.stack([layers[0].positive, layers[0].negative])) > made.tolerances[0]
    assert made.reports[0].failed == int(missed.sum())


def test_the_theorems_promise_is_kept_at_its_own_width():
    # The bound allows failures with probability delta = 0.1 for all weights at once; measured failures are far rarer.
    target = small()
    verdicts = [verify(pensia, target, 0.05, 0.1, seed).verdict for seed in range(20)]
    # With at most 0.1 failures per draw, 9 or more of 20 would come up with probability below 1e-4.
    assert sum(verdict is not Verdict.HOLDS for verdict in verdicts) < 9


def test_hypotheses_hold_at_the_bounds_width_and_the_width_is_named_when_it_is_short():
    target = small()
    full = pensia.source(target, 0.05, 0.1, seed=0)
    assert all(check.holds for check in pensia.hypotheses(target, full, 0.05, 0.1))
    short = pensia.source(target, 0.05, 0.1, seed=0, samples=5)
    missing = [check for check in pensia.hypotheses(target, short, 0.05, 0.1) if not check.holds]
    assert [check.name for check in missing] == ["candidates per weight and side"]
    assert missing[0].value == 5 == samples_per_weight(short)
    assert missing[0].limit == samples_per_weight(full)


def test_a_norm_above_one_and_a_bias_are_violated_hypotheses_with_their_numbers():
    target = Target.from_floats([[[3.0]]], [[1.0]])
    source = pensia.source(target, 0.1, 0.1, seed=0, samples=20)
    checks = {check.name: check for check in pensia.hypotheses(target, source, 0.1, 0.1)}
    norm = checks["largest spectral norm of the target"]
    assert isinstance(norm, Check)
    assert not norm.holds
    assert norm.value == pytest.approx(3.0)
    assert not checks["target layers with a bias"].holds


def test_a_network_with_biases_is_approximated_too():
    target = Target.from_floats([[[0.5, -0.25], [0.1, 0.3]], [[0.4, -0.5]]], [[0.2, -0.1], [0.3]])
    found = verify(pensia, target, 0.01, 0.1, seed=5, samples=24, question=nearest)
    assert found.verdict is Verdict.HOLDS
    x = torch.rand(50, 2, dtype=torch.float64) - 0.5
    apart = torch.linalg.norm(to_module(found.construction.ticket)(x) - target(x), dim=1).max()
    assert float(apart) <= found.error.upper


def test_one_weight_has_its_largest_error_at_the_ends_of_the_interval():
    # depth 1, one input: sup over |x| <= 1 is attained at x = 1 or x = -1, so the interval closes
    target = Target.from_floats([[[0.3]]])
    found = verify(pensia, target, 0.5, 0.1, seed=1, samples=6, question=nearest)
    layer = collapse(target, found.construction.ticket)[0]
    exact = max(abs(layer.plus.item()), abs(layer.minus.item()))
    assert found.error.lower == pytest.approx(exact, rel=1e-9)
    assert found.error.upper == pytest.approx(exact, rel=1e-9)


def test_more_candidates_shrink_the_error_by_orders_of_magnitude():
    target = small()
    few, many = (
        np.median([verify(pensia, target, 0.1, 0.1, s, samples=n, question=nearest).error.upper for s in range(5)])
        for n in (6, 22)
    )
    assert many < few / 30


def test_the_same_seed_gives_the_same_ticket_and_another_seed_another():
    target = small()
    draw = partial(verify, pensia, target, 0.1, 0.1, samples=10)
    first, again, other = (
        draw(1).construction.ticket,
        draw(1).construction.ticket,
        draw(2).construction.ticket,
    )
    assert all((a == b).all() for a, b in zip(first.masks, again.masks, strict=True))
    assert any((a != b).any() for a, b in zip(first.masks, other.masks, strict=True))


def test_the_sparsest_question_keeps_fewest_weights():
    target = small()
    kept = {q: verify(pensia, target, 0.1, 0.1, 1, samples=14, question=q).construction.ticket.kept for q in QUESTIONS}
    assert kept[sparsest_or_nearest] <= kept[any_or_nearest]
    assert kept[sparsest_or_nearest] < kept[nearest]


def test_a_hopeless_draw_is_reported_as_failed_and_never_redrawn():
    target = small()
    found = verify(pensia, target, 1e-6, 0.1, seed=0, samples=3)
    assert found.verdict is Verdict.FAILS
    assert found.construction.failed > 0
    assert found.construction.ticket.source == pensia.source(target, 1e-6, 0.1, seed=0, samples=3)


def test_a_zero_target_needs_no_weights():
    target = Target.from_floats([np.zeros((2, 3)), np.zeros((1, 2))])
    found = verify(pensia, target, 0.1, 0.1, seed=0, samples=4)
    assert found.construction.ticket.kept == 0
    assert found.error.upper == 0


def test_progress_is_told_every_instance_once():
    target = small()
    seen = []
    verify(pensia, target, 0.1, 0.1, 0, samples=8, advance=seen.append)
    assert sum(seen) == pensia.instances(target)


@pytest.mark.parametrize(
    ("epsilon", "delta", "samples", "message"),
    [
        (0.0, 0.1, None, "epsilon"),
        (-1.0, 0.1, 5, "epsilon"),
        (math.nan, 0.1, 5, "epsilon"),
        (math.inf, 0.1, 5, "epsilon"),
        (0.1, 0.0, None, "delta"),
        (0.1, 1.0, 5, "delta"),
        (0.1, math.nan, 5, "delta"),
        (0.1, 0.1, 0, "candidate"),
    ],
)
def test_impossible_numbers_are_refused_by_name(epsilon, delta, samples, message):
    with pytest.raises(ValueError, match=message):
        verify(pensia, small(), epsilon, delta, 0, samples=samples)


def test_a_source_for_another_target_is_refused():
    target = small()
    other = pensia.source(small(widths=(5, 3, 3)), 0.1, 0.1, 0, samples=4)
    with pytest.raises(ValueError, match="widths"):
        pensia.construct(target, other, 0.1)


def test_a_source_whose_hidden_width_is_no_multiple_of_the_inputs_is_refused():
    target = Target.from_floats([np.ones((2, 3))])
    with pytest.raises(ValueError, match="multiple"):
        pensia.construct(target, Source(0, (3, 7, 2)), 0.1)


def test_a_ball_of_another_dimension_is_refused():
    target = small()
    made = pensia.construct(target, pensia.source(target, 0.1, 0.1, 0, samples=4), 0.1)
    with pytest.raises(ValueError):
        pensia.certify(target, made, 0.1, 0.1, Ball(7))


def test_a_source_beyond_memory_and_an_epsilon_below_the_grid_are_refused_before_any_work():
    target = small()
    with pytest.raises(ValueError, match="would not fit in memory"):
        verify(pensia, target, 0.1, 0.1, 0, samples=10**8)
    with pytest.raises(ValueError, match="unit of the grid"):
        verify(pensia, target, 1e-14, 0.1, 0, samples=4)
