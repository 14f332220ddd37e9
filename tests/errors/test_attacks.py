"""Attacks: true lower ends everywhere, near the truth where the truth is known."""

import numpy as np
import pytest
import torch
from problems import effective, random_layers

from slth.errors.attacks import corner_attack, gradient_attack
from slth.errors.difference import Difference
from slth.errors.domain import Ball, Box
from slth.errors.exact import exact_error, one_layer_supremum
from slth.errors.outward import fraction_down
from slth.errors.recursion import scalar, vector
from slth.errors.sampled import sizes


def densest(layers, domain, count=50_000):
    """The error on a dense ring (circle or boundary of a square): almost the supremum without biases."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if isinstance(domain, Box):
        ring /= np.abs(ring).max(axis=1, keepdims=True)
    return float(sizes(Difference(layers, "cpu")(torch.from_numpy(ring)), domain.norm).max())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("depth", [2, 3])
def test_in_the_plane_upper_ends_exceed_the_truth_and_gradients_reach_it(seed, depth):
    layers = random_layers(np.random.default_rng(seed), [2, *[8] * (depth - 1), 3])
    for domain in (Ball(2), Box.cube(2)):
        truth = densest(layers, domain)
        found = gradient_attack(layers, domain).value
        # With signed steps in a box a start can end in a corner pocket; in the ball all of these are found.
        share = 0.9 if isinstance(domain, Box) else 0.999
        assert share * truth <= found <= scalar(layers, domain).value
        assert truth <= scalar(layers, domain).value
        if isinstance(domain, Box):
            assert truth <= vector(layers, domain).value * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_corners_attain_the_supremum_of_one_layer(seed):
    rng = np.random.default_rng(seed)
    layer = random_layers(rng, [9, 50], biases=bool(seed % 2))[0]
    low = rng.normal(size=9)
    for box in (Box.cube(9), Box.cube(9, 0.0, 1.0), Box(low, low + rng.random(9))):
        assert corner_attack([layer], box, starts=1, rounds=1).value == fraction_down(one_layer_supremum(layer, box))


def test_corners_stop_at_the_kink_at_zero():
    # g - f = -|x| + y: the largest value needs x = 0, which is no end of [-1, 1].
    layer = effective([[0.0, 0.0]], [[-1.0, 1.0]], [[1.0, 0.0]], bias_error=1.0)
    lower = corner_attack([layer], Box.cube(2), starts=1)
    assert lower.value == 2.0
    assert lower.witness.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("biases", [False, True])
def test_values_are_exact_errors_of_points_in_the_domain(biases):
    layers = random_layers(np.random.default_rng(7), [5, 6, 4], biases=biases)
    low = np.array([0.1, -0.3, -1.0, -2.0, 0.7])
    for domain in (Ball(5), Ball(5, 1e-6), Box.cube(5), Box(low, low + 0.9)):
        attacks = [gradient_attack] + ([corner_attack] if isinstance(domain, Box) else [])
        for attack in attacks:
            lower = attack(layers, domain, starts=5)
            assert lower.value == exact_error(layers, lower.witness, domain) > 0


def test_gradients_reach_the_single_worst_direction_in_many_dimensions():
    error = np.zeros((1, 200))
    error[0, 17] = 0.25
    layers = [effective(np.zeros((1, 200)), error, error)]
    assert gradient_attack(layers, Ball(200)).value >= 0.25 * (1 - 1e-9)
    assert gradient_attack(layers, Box.cube(200)).value == 0.25


def test_gradients_leave_the_sphere_where_biases_put_the_maximum_inside():
    halves = effective([[1.0], [-1.0]])
    top = effective([[0.0, 0.0]], [[-1.0, -1.0]], bias=[0.0], bias_error=1.0)  # g - f = 1 - |x|
    assert gradient_attack([halves, top], Ball(1)).value >= 0.999


def test_more_outputs_than_starts_are_climbed_from_the_largest():
    layers = random_layers(np.random.default_rng(8), [4, 5, 40])
    for attack in (gradient_attack, corner_attack):
        assert attack(layers, Box.cube(4), starts=3).value > 0


def test_zero_errors_are_attacked_without_harm():
    layers = [effective(np.eye(3)), effective(np.eye(3))]
    assert gradient_attack(layers, Ball(3), starts=2).value == 0.0
    assert corner_attack(layers, Box.cube(3), starts=2).value == 0.0


def test_attacks_follow_their_seed():
    layers = random_layers(np.random.default_rng(9), [6, 9, 3])
    for attack in (gradient_attack, corner_attack):
        one, again = (attack(layers, Box.cube(6), starts=2, seed=4).witness for _ in range(2))
        assert (one == again).all()


def test_attacks_without_starts_or_steps_are_refused():
    layers = [effective([[1.0]])]
    for options in ({"starts": 0}, {"steps": 0}):
        with pytest.raises(ValueError, match="starts >= 1"):
            gradient_attack(layers, Ball(1), **options)
    for options in ({"starts": 0}, {"rounds": 0}):
        with pytest.raises(ValueError, match="starts >= 1"):
            corner_attack(layers, Box.cube(1), **options)


def test_corners_need_a_box():
    with pytest.raises(TypeError, match="box"):
        corner_attack([effective([[1.0]])], Ball(1))
