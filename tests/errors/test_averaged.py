"""Averaged operators: products with their distances, the average of hand-made chains, and what the cuts save."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from problems import effective, random_layers

from slth.errors.averaged import Near, Segments, averaged
from slth.errors.cells import plane_error
from slth.errors.domain import Ball, Box
from slth.errors.recursion import scalar

CLOSE = 1 + 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_products_of_matrices_are_known_to_their_stated_distance(seed):
    rng = np.random.default_rng([24, seed])
    one, two, three = (rng.normal(size=(5, 5)) * 2.0 ** rng.integers(-10, 10, (5, 5)) for _ in range(3))
    found = Near(one) @ (Near(two) @ Near(three))
    exact = [[Fraction(v) for v in row] for row in one]
    for factor in (two, three):
        columns = [[Fraction(v) for v in column] for column in factor.T]
        exact = [[sum(a * b for a, b in zip(row, c, strict=True)) for c in columns] for row in exact]
    distance = sum(
        (a - Fraction(b)) ** 2
        for row, near in zip(exact, found.value, strict=True)
        for a, b in zip(row, near, strict=True)
    )
    assert 0 < distance <= Fraction(found.error) ** 2
    assert Fraction(found.error) < Fraction(1, 10**10) * Fraction(found.norm())


def test_a_chain_is_the_average_over_its_cuts():
    # Two matrices: (norm(BA) + norm(B) norm(A)) / 2. Here BA = 0, and relu between them lets half of it through.
    parts = {"A": Near(np.array([[1.0], [-1.0]])), "B": Near(np.array([[1.0, 1.0]]))}
    for by_rows in (False, True):
        assert Segments(parts, by_rows).chain(("A", "B"))[0] == pytest.approx(1.0)
    # relu(x) + relu(-x) = |x| attains it.


def test_chains_are_what_the_sum_over_all_cuts_gives():
    rng = np.random.default_rng(26)
    parts = {name: Near(rng.normal(size=(3, 3))) for name in "ABCD"}
    segments = Segments(parts, by_rows=False)
    total = 0.0
    for cuts in itertools.product([False, True], repeat=3):
        names, product = "A", 1.0
        for cut, name in zip(cuts, "BCD", strict=True):
            if cut:
                product *= segments.norm(tuple(names))
                names = ""
            names += name
        total += product * segments.norm(tuple(names))
    assert segments.chain(tuple("ABCD"))[0] == pytest.approx(total / 8, rel=1e-9)
    assert segments.norm(tuple("ABCDA")) <= segments.norm(("A", "B")) * segments.norm(("C", "D", "A")) * CLOSE


@pytest.mark.parametrize("depth", range(1, 8))
def test_averages_are_never_above_the_recursion_and_long_chains_hold(depth):
    layers = random_layers(np.random.default_rng([27, depth]), [2, *[6] * depth, 2], spread=2.0**-10)
    found = averaged(layers, Ball(2)).value
    assert plane_error(layers, Ball(2)) * (1 - 1e-9) <= found <= scalar(layers, Ball(2)).value * (1 + 1e-8)


def test_boxes_of_one_sign_use_one_error_and_the_sphere_through_the_corners():
    # Over [0, 1]^4 with E+ of ones the error runs from 0 to 4; centre 2 plus reach 1 times norm 2.
    layer = effective(np.zeros((1, 4)), np.ones((1, 4)), 9 * np.ones((1, 4)))
    assert averaged([layer], Box.cube(4, 0.0, 1.0)).value == pytest.approx(4.0)


def test_a_learnt_norm_only_replaces_a_larger_one():
    segments = Segments({"A": Near(np.eye(2))}, by_rows=False)
    segments.learn(("A",), 5.0)
    assert segments.norm(("A",)) < 1.1
    segments.learn(("A",), 0.5)
    assert segments.norm(("A",)) == 0.5
