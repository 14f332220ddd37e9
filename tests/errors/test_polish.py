"""Lower ends by linear programs and Frank-Wolfe steps: they climb, stay inside, and are evaluated exactly."""

import numpy as np
import pytest
from problems import effective, random_layers

from slth.errors.cells import plane_error
from slth.errors.domain import Ball, Box
from slth.errors.exact import exact_error, lower_at
from slth.errors.frank_wolfe import frank_wolfe
from slth.errors.polish import polish_entries, polished


@pytest.mark.parametrize("biases", [False, True])
def test_polishing_never_loses_and_mostly_gains(biases):
    gained = 0
    for seed in range(20):
        rng = np.random.default_rng([50, seed])
        layers = random_layers(rng, [4, 6, 5, 2], biases=biases, spread=2.0 ** -float(rng.integers(1, 40)))
        box = [Box.cube(4), Box.cube(4, 0.0, 1.0), Box(np.array([-2.0, 0.5, 0, 0]), np.array([-1.0, 1, 1, 0]))][
            seed % 3
        ]
        start = lower_at(layers, box.sample(1, rng)[0], box, "random")
        end = polished(layers, box, start)
        assert exact_error(layers, end.witness, box) == end.value >= start.value
        gained += end.value > start.value
    assert gained >= 18


def test_polishing_attains_the_supremum_of_one_piece():
    # All units on over [0, 1]^2 with W >= 0: one linear program from anywhere finds the corner.
    layers = [effective(np.eye(2), [[0.25, -0.125], [0.0, 0.125]]), effective([[1.0, 1.0]])]
    box = Box.cube(2, 0.0, 1.0)
    end = polished(layers, box, lower_at(layers, [0.5, 0.25], box, "a guess"))
    assert end.value == 0.25
    assert end.witness[0] == 1.0


def test_polishing_stops_where_nothing_slopes():
    layers = [effective([[1.0]], 0.5), effective([[1.0]])]
    box = Box(np.array([-1.0]), np.array([-0.5]))
    assert polished(layers, box, lower_at(layers, [-1.0], box, "a guess")).value == 0.0


def test_entries_are_those_of_the_constraints():
    assert polish_entries(random_layers(np.random.default_rng(0), [3, 4, 5, 2])) == 2 * 3 * 9


@pytest.mark.parametrize("seed", range(8))
def test_frank_wolfe_reaches_the_truth_in_the_plane(seed):
    layers = random_layers(np.random.default_rng([51, seed]), [2, 8, 6, 3], spread=2.0**-20)
    for ball in (Ball(2), Ball(2, 0.3)):
        end = frank_wolfe(layers, ball)
        assert 0.9 * plane_error(layers, ball) <= end.value <= plane_error(layers, ball) * (1 + 1e-9)
        assert ball.contains(end.witness)


def test_frank_wolfe_stays_inside_where_biases_pull_inwards():
    # The error is largest at the middle: |1 - |x|| on [-1, 1].
    layers = [effective([[1.0], [-1.0]], 0.0, 0.0), effective([[0.0, 0.0]], -1.0, bias=[0.0], bias_error=1.0)]
    assert frank_wolfe(layers, Ball(1)).value <= 1.0


def test_wrong_domains_and_efforts_are_refused():
    layers = [effective([[1.0]], 0.5)]
    with pytest.raises(TypeError, match="box"):
        polished(layers, Ball(1), lower_at(layers, [1.0], Ball(1), "a guess"))
    with pytest.raises(ValueError, match="rounds"):
        polished(layers, Box.cube(1), lower_at(layers, [1.0], Box.cube(1), "a guess"), rounds=0)
    with pytest.raises(TypeError, match="ball"):
        frank_wolfe(layers, Box.cube(1))
    with pytest.raises(ValueError, match="starts"):
        frank_wolfe(layers, Ball(1), starts=0)
