"""Fischer et al. 2021: targets with biases in sources with biases."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch

from slth.assignment import adaptive, block
from slth.confidence import binomial_interval, excess_p_value
from slth.errors.recursion import Scale, recursion
from slth.gadget import collapse
from slth.networks.target import Target
from slth.networks.torch_export import to_module
from slth.subset_sum.questions import nearest
from slth.theorems import fischer2021_biases as fischer
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.certificate import Verdict
from slth.theorems.theorem import verify


def biased(widths=(3, 3, 2), seed=0, size=0.5):
    rng = np.random.default_rng(seed)
    weights = [rng.uniform(-0.4, 0.4, (b, a)) for a, b in pairwise(widths)]
    return fischer.normalised(Target.from_floats(weights, [rng.uniform(-size, size, b) for b in widths[1:]]))


def test_normalised_brings_norms_and_biases_to_one_and_keeps_the_function():
    given = Target.from_floats([[[3.0, 1.0], [0.0, 2.0]], [[1.0, -4.0]]], [[9.0, -1.0], [12.0]])
    new = fischer.normalised(given)
    assert all(np.linalg.norm(layer.matrix, 2) <= 1 for layer in new.layers)
    assert all(np.abs(layer.shift).max() <= 1 for layer in new.layers)
    x = torch.tensor([[0.3, -0.7], [1.0, 2.0]], dtype=torch.float64)
    assert torch.allclose(new.scale * new(x), given(x), rtol=1e-11)
    assert fischer.normalised(new) is new


def test_a_network_with_biases_is_not_homogeneous_but_one_without_is():
    x = torch.tensor([[0.3, -0.7, 0.2]], dtype=torch.float64)
    with_biases, without = biased(), Target(tuple(type(a)(a.weight) for a in biased().layers))
    assert torch.allclose(without(2 * x), 2 * without(x))
    assert not torch.allclose(with_biases(2 * x), 2 * with_biases(x), rtol=1e-3)


def test_the_tolerances_use_up_the_error_and_not_more():
    for target in (biased(), biased((2, 4, 4, 1), 1), Target.from_floats([[[3.0]], [[5.0]]], [[2.0], [7.0]])):
        promised = fischer.promised(target, fischer.tolerances(target, 0.05))
        assert 0.05 * (1 - 1e-9) <= promised <= 0.05


def test_without_biases_the_tolerances_are_those_of_pensia():
    target = pensia.normalised(Target.from_floats([[[0.5, 0.3]], [[1.0]]]))
    norm = np.linalg.norm([0.5, 0.3])
    # pensia counts every norm as at least 1, so its tolerance is the smaller one; with norms 1 they agree
    assert norm < 1
    assert all(a >= b for a, b in zip(fischer.tolerances(target, 0.1), pensia.tolerances(target, 0.1), strict=True))
    unit = Target.from_floats([[[1.0]], [[1.0]]])
    assert fischer.tolerances(unit, 0.1) == pytest.approx(pensia.tolerances(unit, 0.1), rel=1e-9)


def test_the_recursion_with_biases_on_a_worked_example():
    steps = recursion([Scale(1.0, 0.5, 1.5, 0.25, 0.5, 0.25), Scale(0.5, 0.25, 0.75, 1.0, 1.0, 0.0)], 1.0)
    # e_1 = 1/2 + 1/4, B_1 = 5/4; e_2 = (1/2 + 1/4) 3/4 + 1/4 5/4
    assert steps[0].error == Fraction(3, 4)
    assert steps[0].target == Fraction(5, 4)
    assert steps[1].error == Fraction(3, 4) * Fraction(3, 4) + Fraction(1, 4) * Fraction(5, 4)


def test_a_unit_that_serves_a_bias_keeps_its_bias_alone_and_has_it_positive():
    target = biased()
    found = verify(fischer, target, 0.1, 0.1, seed=1, samples=20, question=nearest)
    ticket = found.construction.ticket
    for i, layer in enumerate(target.layers):
        mask, weights = ticket.masks[2 * i], ticket.weights(2 * i)
        serving = mask[:, layer.inputs]
        assert serving.any()
        assert (mask[serving, : layer.inputs] == 0).all()
        assert (weights[serving, layer.inputs] > 0).all()


def test_the_effective_bias_is_the_sum_of_products_that_were_kept():
    target = biased((2, 2, 1))
    ticket = verify(fischer, target, 0.1, 0.1, seed=2, samples=12, question=nearest).construction.ticket
    for i, (layer, effective) in enumerate(zip(target.layers, collapse(target, ticket), strict=True)):
        first, second = ticket.weights(2 * i), ticket.weights(2 * i + 1)
        constants = np.maximum(first[:, layer.inputs], 0) * ticket.masks[2 * i][:, layer.inputs]
        assert np.array_equal(second @ constants - layer.bias, effective.bias)


@pytest.mark.parametrize("assignment", [block, adaptive])
def test_the_pruned_module_is_within_the_proved_error(assignment):
    target = biased()
    found = verify(fischer, target, 0.02, 0.1, seed=5, samples=24, question=nearest, assignment=assignment)
    x = torch.rand(200, 3, dtype=torch.float64) - 0.5
    apart = torch.linalg.norm(to_module(found.construction.ticket)(x) - target(x), dim=1).max()
    assert float(apart) <= found.error.upper + 1e-12


def test_at_the_width_of_the_bound_no_more_draws_fail_than_delta_allows():
    target = Target.from_floats([[[0.9]]], [[-0.8]])
    found = [verify(fischer, target, 0.1, 0.1, seed=seed) for seed in range(25)]
    assert all(check.holds for draw in found for check in draw.hypotheses)
    # a false alarm has probability below 1e-3 if the true rate is delta
    assert excess_p_value(sum(draw.verdict is not Verdict.HOLDS for draw in found), 25, 0.1) > 1e-3


def test_far_below_the_width_of_the_bound_most_draws_fail():
    target = Target.from_floats([[[0.9]]], [[-0.8]])
    held = sum(verify(fischer, target, 0.1, 0.1, seed=seed, samples=3).verdict is Verdict.HOLDS for seed in range(25))
    assert binomial_interval(held, 25, 0.99).high < 0.9


def test_a_bias_above_one_is_a_violated_hypothesis_with_its_number():
    target = Target.from_floats([[[0.5]]], [[1.5]])
    source = fischer.source(target, 0.1, 0.1, seed=0, samples=5)
    checks = {check.name: check for check in fischer.hypotheses(target, source, 0.1, 0.1)}
    assert checks["largest bias of the target"].value == 1.5
    assert not checks["largest bias of the target"].holds


def test_the_restated_width_has_no_number_without_its_constant():
    with pytest.raises(ValueError, match="supply"):
        fischer.WIDTH.evaluate(d_in=3, d_out=3, L=2, epsilon=0.1, delta=0.1)
    wide = fischer.WIDTH.evaluate(C=1, d_in=3, d_out=3, L=2, epsilon=0.1, delta=0.1)
    assert wide == pytest.approx(4 * math.log(9 * 2 / 0.1))


def test_the_candidates_needed_are_half_the_rows_on_the_grid_or_not_proved():
    target = biased()
    for epsilon in (0.1, 1e-4):
        t = min(fischer.tolerances(target, epsilon))
        rows = fischer.ROWS_ON_GRID.evaluate(I=fischer.instances(target), t=t, delta=0.1)
        assert fischer.samples_needed(target, epsilon, 0.1) == math.ceil(math.ceil(rows) / 2)
    with pytest.raises(ValueError, match="no number of candidates is proved"):
        fischer.samples_needed(target, 1e-8, 0.1)
    given = fischer.source(target, 1e-8, 0.1, seed=0, samples=30)
    assert fischer.hypotheses(target, given, 1e-8, 0.1)[-1].limit == "no number is proved"


@pytest.mark.parametrize("epsilon", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_epsilon_is_refused(epsilon):
    with pytest.raises(ValueError, match="epsilon"):
        fischer.tolerances(biased(), epsilon)


def test_an_impossible_delta_is_refused():
    with pytest.raises(ValueError, match="delta"):
        fischer.samples_needed(biased(), 0.1, 1.0)
