"""The bracket: lower <= upper for hundreds of networks, the whole ladder kept."""

from dataclasses import replace

import numpy as np
import pytest
from problems import effective, random_layers

import slth.errors
from slth.errors import Ball, Box, Effort, Lower, Upper, bracket, exact_error, upper_ends

QUICK = Effort(samples=30, starts=6, steps=8, rounds=3, boxes=100)


def domains(rng, inputs):
    low = rng.normal(size=inputs)
    return [
        Ball(inputs),
        Ball(inputs, float(rng.random() + 0.1)),
        Box.cube(inputs),
        Box.cube(inputs, 0.0, 1.0),
        Box(low, low + rng.random(inputs) * 2),
    ]


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_no_lower_end_exceeds_an_upper_end(depth, biases):
    # 8 x 6 networks on 5 domains each: 240 intervals; the constructor raises where the ends cross.
    for seed in range(6):
        rng = np.random.default_rng([depth, biases, seed])
        widths = rng.integers(1, 9, depth + 1)
        spread = 2.0 ** -float(rng.integers(0, 45))
        layers = random_layers(rng, widths, biases=biases, spread=spread)
        for domain in domains(rng, int(widths[0])):
            interval = bracket(layers, domain, effort=QUICK, seed=seed)
            attained = exact_error(layers, interval.witness, domain)
            assert 0 <= attained == interval.lower <= interval.upper
            highest = max(end.value for end in interval.ladder if isinstance(end, Lower))
            assert highest <= min(end.value for end in upper_ends(layers, domain))


@pytest.mark.parametrize("seed", range(5))
def test_one_layer_over_a_box_is_known_to_twelve_digits(seed):
    rng = np.random.default_rng(seed)
    layers = random_layers(rng, [12, 5], biases=bool(seed % 2))
    for box in domains(rng, 12)[2:]:
        assert bracket(layers, box, effort=QUICK).ratio <= 1 + 1e-12


def test_the_ladder_keeps_every_method_and_the_best_pair_is_in_it():
    layers = random_layers(np.random.default_rng(0), [4, 5, 2])
    interval = bracket(layers, Box.cube(4), points=np.zeros((1, 4)), effort=QUICK)
    methods = {end.method for end in interval.ladder}
    assert methods == {
        "random points",
        "gradient attack",
        "corner attack",
        "given points",
        "linear programs",
        "splitting",
        "scalar recursion",
        "vector recursion",
        "averaged operators",
        "coupled intervals",
        "linear difference bounds",
    }
    lowers = [end for end in interval.ladder if isinstance(end, Lower)]
    uppers = [end for end in interval.ladder if isinstance(end, Upper)]
    assert interval.lower == max(end.value for end in lowers)
    assert interval.upper == min(end.value for end in uppers)
    assert (interval.norm, interval.domain) == ("linf", "[-1, 1]^4")


def test_given_points_can_only_raise_the_lower_end():
    layers = random_layers(np.random.default_rng(1), [11, 5, 2])
    least = Effort(samples=1, starts=1, steps=1, rounds=1)
    plain = bracket(layers, Ball(11), effort=least)
    better = bracket(layers, Ball(11), effort=QUICK).witness
    helped = bracket(layers, Ball(11), effort=least, points=better[None])
    assert helped.lower > plain.lower
    assert helped.lower_method == "given points"
    assert helped.upper == plain.upper


def test_equal_networks_are_at_distance_exactly_zero():
    layers = [effective(np.eye(3), bias=np.ones(3)), effective(np.eye(3))]
    for domain in (Ball(3), Box.cube(3)):
        interval = bracket(layers, domain)
        assert interval.lower == interval.upper == 0.0
        assert interval.ratio == 1.0


def test_points_outside_the_domain_are_refused():
    with pytest.raises(ValueError, match="outside"):
        bracket([effective([[1.0]], 0.5)], Ball(1), points=[[2.0]])


def test_effort_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Effort(samples=0)
    with pytest.raises(ValueError, match="above 0"):
        Effort(seconds=0.0)


def test_large_networks_get_fewer_points_so_that_the_work_is_bounded():
    large = random_layers(np.random.default_rng(2), [200, 200, 10])
    fitted = Effort().fitted(large)
    assert 8 <= fitted.starts < Effort().starts
    assert fitted.starts * fitted.steps * 42_000 <= Effort().work
    assert Effort(work=1).fitted(large).starts == 8
    assert Effort().fitted(random_layers(np.random.default_rng(2), [4, 5, 2])) == Effort()


def test_boxes_of_many_inputs_are_not_split():
    layers = random_layers(np.random.default_rng(3), [11, 3, 2])
    assert "splitting" not in {end.method for end in bracket(layers, Box.cube(11), effort=QUICK).ladder}


def test_the_public_names_exist():
    assert all(hasattr(slth.errors, name) for name in slth.errors.__all__)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.999, 1.0, 1.001, 1.1, 2.0])
def test_a_goal_ends_the_search_and_leaves_what_is_known_of_it(depth, share):
    """Around the ends that the whole effort finds the answer is the same, and with a goal there is less search."""
    shorter = []
    for seed in range(4):
        rng = np.random.default_rng([depth, seed])
        layers = random_layers(rng, rng.integers(1, 6, depth + 1), spread=2.0**-8)
        for domain in domains(rng, layers[0].target.weight.shape[1]):
            whole = bracket(layers, domain, effort=QUICK, seed=seed)
            goal = share * (whole.lower if share <= 1 else whole.upper)
            aimed = bracket(layers, domain, effort=replace(QUICK, goal=goal), seed=seed)
            assert (aimed.upper <= goal, aimed.lower > goal) == (whole.upper <= goal, whole.lower > goal)
            assert whole.lower >= aimed.lower
            assert whole.upper <= aimed.upper
            shorter.append(len(aimed.ladder) < len(whole.ladder))
    if share < 1:  # a point beyond the goal is met on the way
        assert any(shorter)


def test_a_goal_below_0_is_refused():
    with pytest.raises(ValueError, match="the goal >= 0"):
        Effort(goal=-1.0)
