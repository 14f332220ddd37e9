"""Lower ends from points: exact values, the right winner, loud refusals."""

import numpy as np
import pytest
import torch
from problems import effective, random_layers

from slth.errors.domain import Ball, Box
from slth.errors.exact import exact_error
from slth.errors.sampled import from_points, sampled, sizes


@pytest.mark.parametrize("domain", [Ball(4), Box.cube(4)])
def test_the_worst_of_the_points_wins_with_its_exact_error(domain):
    rng = np.random.default_rng(0)
    layers = random_layers(rng, [4, 6, 3], biases=True)
    points = domain.sample(57, rng)
    lower = from_points(layers, points, domain, "data", max_bytes=2000)
    values = [exact_error(layers, x, domain) for x in points]
    assert lower.value == max(values)
    assert (lower.witness == points[int(np.argmax(values))]).all()
    assert lower.method == "data"


def test_batches_of_any_size_find_the_same_point():
    layers = random_layers(np.random.default_rng(1), [4, 6, 3])
    values = {sampled(layers, Box.cube(4), 100, seed=3, max_bytes=b).value for b in (1000, 10_000, 1 << 27)}
    assert len(values) == 1


def test_samples_follow_their_seed():
    layers = random_layers(np.random.default_rng(1), [4, 6, 3])
    one, again, other = (sampled(layers, Ball(4), 20, seed=s).value for s in (1, 1, 2))
    assert one == again != other


def test_a_worst_point_outside_the_domain_is_refused():
    with pytest.raises(ValueError, match="outside"):
        from_points([effective([[1.0]], 0.5)], [[0.5], [1.5]], Ball(1))


def test_sampling_needs_a_point():
    with pytest.raises(ValueError, match="count >= 1"):
        sampled([effective([[1.0]])], Ball(1), 0)


def test_sizes_are_norms_of_rows():
    rows = torch.tensor([[3.0, -4.0], [0.0, 0.0]])
    assert sizes(rows, "l2").tolist() == [5.0, 0.0]
    assert sizes(rows, "linf").tolist() == [4.0, 0.0]
