"""Domains: exact membership, samples inside, loud refusals."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.errors.domain import Ball, Box, as_points, integers_of, on_grid

floats = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(floats, min_size=1, max_size=6))
def test_integers_of_are_the_exact_values(values):
    integers, shift = integers_of(np.array(values))
    assert [Fraction(int(v), 2**shift) for v in integers] == [Fraction(v) for v in values]
    assert shift >= 0


def test_integers_of_grid_points_are_short():
    integers, shift = integers_of(np.array([0.5, -(2.0**-24), 0.0]))
    assert shift == 24
    assert list(integers) == [2**23, -1, 0]


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(-2, 2))
def test_membership_of_a_ball_is_decided_to_the_last_bit(seed, dimension, ulps):
    x = np.random.default_rng(seed).normal(size=dimension)
    x /= np.linalg.norm(x)
    for _ in range(abs(ulps)):
        x = np.nextafter(x, math.inf * np.sign(ulps) * np.sign(x))
    assert Ball(dimension).contains(x) == (sum(Fraction(float(v)) ** 2 for v in x) <= 1)


def test_membership_of_a_box_has_no_tolerance():
    box = Box(np.array([-1.0, 0.1]), np.array([1.0, 0.2]))
    assert box.contains(np.array([1.0, 0.1]))
    assert not box.contains(np.array([math.nextafter(1.0, 2.0), 0.15]))
    assert not box.contains(np.array([0.0, math.nextafter(0.1, 0.0)]))


@pytest.mark.parametrize(
    "domain", [Ball(1), Ball(3, 1e-3), Ball(500, 7.0), Box.cube(4), Box(np.array([0.1]), np.array([0.3]))]
)
def test_samples_and_settled_points_lie_inside(domain):
    rng = np.random.default_rng(0)
    points = domain.sample(200, rng)
    assert points.shape == (200, domain.dimension)
    outside = rng.normal(size=(50, domain.dimension)) * 100
    assert all(domain.contains(x) for x in (*points, *domain.settled(outside)))


def test_settling_moves_no_point_that_is_well_inside():
    inside = np.array([[0.3, 0.4]])
    assert (Ball(2).settled(inside) == inside).all()
    assert (Box.cube(2).settled(inside) == inside).all()


def test_every_second_sample_of_a_ball_is_on_the_sphere():
    lengths = np.linalg.norm(Ball(3, 2.0).sample(100, np.random.default_rng(0)), axis=1)
    assert np.allclose(lengths[::2], 2.0, rtol=1e-12)
    assert lengths[1::2].max() < 2.0


def test_points_rounded_to_the_grid_move_towards_zero():
    points = np.array([0.3, -0.3, 2.0**70, 0.0])
    rounded = on_grid(points)
    assert (np.abs(rounded) <= np.abs(points)).all()
    assert rounded[2] == 2.0**70
    assert (rounded[:2] * 2**24 == np.trunc(points[:2] * 2**24)).all()


def test_descriptions_name_the_domain():
    assert Ball(64).description == "unit l2 ball in R^64"
    assert Ball(2, 0.5).description == "l2 ball of radius 0.5 in R^2"
    assert Box.cube(3).description == "[-1, 1]^3"
    assert Box(np.array([0.0, -1.0]), np.array([1.0, 2.0])).description == "box in R^2 with ends from -1 to 2"


def test_reach_is_the_largest_norm_of_a_point():
    assert Ball(5, 3.0).reach == 3.0
    assert Box(np.array([-4.0, 0.0]), np.array([1.0, 2.0])).reach == 4.0
    assert Box.cube(2, 0, 1).nonnegative
    assert not Box.cube(2).nonnegative


def test_the_ends_of_a_box_are_copied():
    low = np.zeros(2)
    box = Box(low, np.ones(2))
    low[0] = 5.0
    assert box.low[0] == 0.0
    with pytest.raises(ValueError):
        box.low[0] = 5.0


@pytest.mark.parametrize("radius", [0.0, -1.0, math.nan, math.inf, 2.0**101])
def test_impossible_radii_are_refused(radius):
    with pytest.raises(ValueError, match="radius"):
        Ball(2, radius)


def test_impossible_dimensions_are_refused():
    with pytest.raises(ValueError, match="dimension"):
        Ball(0)
    with pytest.raises(ValueError, match="shapes"):
        Box.cube(0)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ([0.0, 1.0], [1.0, 0.5], "low <= high"),
        ([math.nan], [1.0], "NaN"),
        ([0.0], [math.inf], "NaN"),
        ([0.0], [1.0, 2.0], "shapes"),
        ([[0.0]], [[1.0]], "shapes"),
    ],
)
def test_impossible_boxes_are_refused(low, high, words):
    with pytest.raises(ValueError, match=words):
        Box(np.array(low), np.array(high))


@pytest.mark.parametrize("points", [np.zeros(2), np.zeros((1, 3)), np.zeros((0, 2)), [[math.nan, 0.0]]])
def test_points_that_are_no_points_are_refused(points):
    with pytest.raises(ValueError, match="points"):
        as_points(points, 2)


def test_a_grid_refuses_nan():
    with pytest.raises(ValueError, match="finite"):
        on_grid([math.nan])
