"""The search engine: values against exact integers, slopes against finite differences."""

import numpy as np
import pytest
import torch
from problems import effective, random_layers, rational_difference

from slth.errors.difference import Difference
from slth.errors.domain import Box


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("spread", [0.5, 2.0**-20, 2.0**-46])
def test_differences_keep_their_digits_however_small_they_are(biases, spread):
    rng = np.random.default_rng(0)
    layers = random_layers(rng, [4, 6, 5, 3], biases=biases, spread=spread)
    points = Box.cube(4).sample(20, rng)
    truth = np.array([[float(v) for v in rational_difference(layers, x)] for x in points])
    values = Difference(layers, "cpu")(torch.from_numpy(points)).numpy()
    assert np.abs(values - truth).max() <= 1e-12 * np.abs(truth).max()


@pytest.mark.parametrize("spread", [0.5, 2.0**-12])
def test_slopes_are_the_derivative_where_there_is_one(spread):
    rng = np.random.default_rng(1)
    layers = random_layers(rng, [5, 7, 6, 3], biases=True, spread=spread)
    g_minus_f = Difference(layers, "cpu")
    x = torch.from_numpy(Box.cube(5).sample(8, rng))
    direction = torch.from_numpy(rng.normal(size=(8, 3)))
    gradient = torch.where(x > 0, *g_minus_f.slopes(g_minus_f.trace(x), direction))
    x.requires_grad_(True)
    (direction * g_minus_f(x)).sum().backward()
    assert torch.allclose(gradient, x.grad, rtol=1e-9, atol=1e-15)


def test_slopes_know_both_sides_of_zero():
    g_minus_f = Difference([effective([[1.0]], 0.25, 0.5)], "cpu")
    trace = g_minus_f.trace(torch.zeros(1, 1, dtype=torch.float64))
    positive, negative = g_minus_f.slopes(trace, torch.ones(1, 1, dtype=torch.float64))
    assert (positive.item(), negative.item()) == (0.25, 0.5)
