"""Averaged operators: products with their distances, the average of hand-made chains, and what the cuts save."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from problems import effective, random_layers

from slth.errors.averaged import Near, Segments, _between, _parts, _scaled, averaged
from slth.errors.cells import plane_error
from slth.errors.coupled import matrices_of
from slth.errors.domain import Ball, Box
from slth.errors.recursion import scalar
from slth.errors.rounding import spectral_up

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


def test_distances_of_factors_add_up_to_that_of_the_product():
    found = Near(np.array([[2.0]]), 0.5) @ Near(np.array([[3.0]]), 0.25)
    assert 2.5 * 3.25 - 6.0 <= found.error <= (2.5 * 3.25 - 6.0) * CLOSE
    assert 6.0 + found.error <= found.norm() <= (6.0 + found.error) * CLOSE
    assert found.norm() <= found.row_norms()[0] <= found.norm() * CLOSE


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_a_product_carries_the_proved_rounding_term_and_zeros_carry_none(count):
    row, column, unit = np.ones((1, count)), np.ones((count, 1)), Fraction(1, 2**53)
    assert Fraction((Near(row) @ Near(column)).error) >= count * unit * count
    assert Fraction(Near(row).row_norms()[0]) ** 2 >= count * (1 + (count + 1) * unit)
    assert (Near(0 * row) @ Near(column)).error == (Near(row) @ Near(0 * column)).error == 0.0
    tiny = Near(1e-200 * row) @ Near(1e-200 * column)
    assert tiny.norm() > 0


def test_columns_scaled_by_other_numbers_than_powers_of_two_are_known_to_a_distance():
    rng = np.random.default_rng(29)
    matrix = rng.normal(size=(3, 4))
    for scale in (rng.random(4), np.array([0.5, 2.0, 0.3, 1.0])):
        near = _scaled(matrix, scale)
        squares = [
            (Fraction(a) * Fraction(s) - Fraction(v)) ** 2
            for row, values in zip(matrix, near.value, strict=True)
            for a, s, v in zip(row, scale, values, strict=True)
        ]
        assert 0 < sum(squares) <= Fraction(near.error) ** 2 < Fraction(1, 10**30)
    exact = _scaled(matrix, np.array([0.5, 2.0, 1.0, 8.0]))
    assert (exact.error, exact.norm()) == (0.0, spectral_up(matrix * [0.5, 2.0, 1.0, 8.0]))


def test_columns_scaled_by_tiny_numbers_are_known_to_a_distance_though_they_underflow():
    near = _scaled(np.full((2, 1), 0.7), np.array([3e-322]))
    lost = abs(Fraction(0.7) * Fraction(3e-322) - Fraction(near.value[0, 0]))
    assert lost > 0
    assert 2 * lost <= Fraction(near.error) < Fraction(1e-280)


def test_middles_are_known_to_the_half_widths():
    for low, high in ((np.array([1.0, -2.0]), np.array([4.0, -2.0])), (np.array([1.0]), np.array([1.0 + 2.0**-52]))):
        near = _between(low, high)
        ends = [
            [(Fraction(e) - Fraction(m)) ** 2 for e, m in zip(end, near.value[:, 0], strict=True)]
            for end in (low, high)
        ]
        reach = sum(map(max, *ends))
        assert reach <= Fraction(near.error) ** 2 <= reach * (1 + Fraction(1, 10**12))
    assert _between(high, high).error == 0.0


def test_the_centre_of_a_narrow_box_reaches_both_ends():
    box = Box(np.array([1.0]), np.array([1.0 + 2.0**-52]))
    assert _parts(matrices_of([effective([[1.0]])], box), box)["W0"].value >= 2.0**-52


def test_offsets_of_some_units_alone_count():
    layer = effective([[0.5], [0.5]], 0.0, 0.0, bias_error=[0.25, 0.0])
    for domain in (Ball(1), Box.cube(1)):
        assert 0.25 <= averaged([layer], domain).value <= 0.25 * CLOSE


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
