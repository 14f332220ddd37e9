from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from slth.networks.layers import Dense
from slth.networks.target import Target, rescaled


def random_target(widths, biased, seed=0):
    rng = np.random.default_rng(seed)
    weights = [rng.uniform(-1, 1, (b, a)) for a, b in pairwise(widths)]
    return Target.from_floats(weights, [rng.uniform(-1, 1, b) if biased else None for b in widths[1:]])


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("widths", [(1, 1), (3, 5, 2), (4, 1, 6, 3)])
def test_forward_equals_torch_modules(widths, biased):
    target = random_target(widths, biased)
    parts = []
    for layer in target.layers:
        linear = nn.Linear(layer.inputs, layer.outputs, bias=biased, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer.matrix))
            if biased:
                linear.bias.copy_(torch.from_numpy(layer.shift))
        parts += [linear, nn.ReLU()]
    x = torch.randn(7, widths[0], dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(target(x), nn.Sequential(*parts[:-1])(x), rtol=1e-14, atol=1e-14)


def test_forward_keeps_the_dtype_of_its_input():
    assert random_target((2, 3, 1), True)(torch.zeros(1, 2, dtype=torch.float32)).dtype == torch.float32


def test_the_sizes_are_counted():
    target = random_target((3, 5, 2), True)
    assert (target.widths, target.depth, target.parameters) == ((3, 5, 2), 2, 5 * 4 + 2 * 6)


def test_rounding_is_the_farthest_move_of_weights_and_biases():
    assert random_target((3, 5, 2), True).rounding <= 2.0**-49
    assert Target.from_floats([[[0.5]]], [[2.0**-50]]).rounding == 2.0**-50
    assert Target.from_floats([[[2.0**-51]]], [[0.5]]).rounding == 2.0**-51


def test_misfits_are_refused():
    with pytest.raises(ValueError, match="at least one layer"):
        Target(())
    with pytest.raises(ValueError, match="layer 1 has 3 outputs and layer 2 has 2 inputs"):
        Target.from_floats([np.ones((3, 2)), np.ones((1, 2))])
    with pytest.raises(ValueError, match="2 weights and 1 biases"):
        Target.from_floats([np.ones((3, 2)), np.ones((1, 3))], [None])
    with pytest.raises(ValueError, match="the weight of layer 2 must be finite"):
        Target.from_floats([np.ones((3, 2)), np.full((1, 3), np.nan)])
    with pytest.raises(ValueError, match="fc7 must be finite"):
        Target.from_floats([np.full((1, 3), np.inf)], names=["fc7"])


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("limits", [(2.0, 0.5, 4.0), (0.3, 1.7, 0.9), (0.5, 0.5, 0.5)])
def test_rescaling_only_changes_the_factor(limits, biased):
    target = random_target((3, 4, 4, 2), biased)
    small = rescaled(target, limits)
    x = torch.randn(9, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert small.scale == pytest.approx(np.prod(limits), rel=1e-15)
    torch.testing.assert_close(small.scale * small(x), target(x), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("limits", [(0.25, 0.25), (3.0, 0.1), (1.7, 2.9)])
def test_rescaled_rounding_bounds_the_distance_to_the_exact_quotient(limits):
    rng = np.random.default_rng(3)
    weights, biases = rng.uniform(-0.3, 0.3, (2, 2, 2)), rng.uniform(-0.3, 0.3, (2, 2))
    small = rescaled(Target.from_floats(weights, biases), limits)
    exact = [Fraction(limits[0]), Fraction(limits[0]) * Fraction(limits[1])]
    moved = []
    for i, layer in enumerate(small.layers):
        given = [
            (weights[i].ravel(), Fraction(limits[i]), layer.weight.ravel()),
            (biases[i], exact[i], layer.bias),
        ]
        for values, divisor, integers in given:
            pairs = zip(values, integers, strict=True)
            moved += [abs(Fraction(v) / divisor - Fraction(int(g), 2**48)) for v, g in pairs]
    assert 0 < max(moved) <= Fraction(small.rounding)


@pytest.mark.parametrize("limits", [(1.0,), (1.0, 0.0), (1.0, -1.0), (1.0, np.inf), (np.nan, 1.0)])
def test_divisors_that_are_not_positive_are_refused(limits):
    with pytest.raises(ValueError, match="need 2 positive divisors"):
        rescaled(random_target((2, 3, 1), False), limits)


def test_layers_may_be_given_as_integers():
    layer = Dense(np.array([[1 << 48]]), np.array([-(1 << 47)]))
    assert Target((layer,))(torch.tensor([[2.0]])).item() == 1.5
