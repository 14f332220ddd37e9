"""The plane oracle against polygons cut in exact rationals, written apart from it."""

from fractions import Fraction

import numpy as np
import pytest
from problems import UNIT, effective, random_layers

from slth.errors.cells import exact_plane_error, plane_error
from slth.errors.coupled import coupled
from slth.errors.differential import differential
from slth.errors.domain import Ball, Box
from slth.errors.exact import exact_error, one_layer_supremum
from slth.errors.recursion import vector
from slth.errors.splitting import splitting


def parts(polygon, value):
    """The polygon, a list of rational vectors, cut where value(vertex) = 0."""
    sides = [value(v) for v in polygon]
    if all(s >= 0 for s in sides) or all(s <= 0 for s in sides):
        return [polygon]
    above, below = [], []
    for i, (v, s) in enumerate(zip(polygon, sides, strict=True)):
        w, t = polygon[(i + 1) % len(polygon)], sides[(i + 1) % len(polygon)]
        if s >= 0:
            above.append(v)
        if s <= 0:
            below.append(v)
        if s * t < 0:
            cut = [a + (b - a) * s / (s - t) for a, b in zip(v, w, strict=True)]
            above.append(cut)
            below.append(cut)
    return [above, below]


def cut_all(polygons, columns):
    for value in columns:
        polygons = [piece for polygon in polygons for piece in parts(polygon, value)]
    return polygons


def column(k):
    return lambda v: v[k]


def image(v, layer, first):
    """(z, z') of a layer at a vertex: the input itself, or the (z, z') before it."""

    def number(integer):
        return Fraction(int(integer), UNIT)

    half = len(v) // 2
    f = v if first else [max(a, Fraction(0)) for a in v[:half]]
    g = v if first else [max(a, Fraction(0)) for a in v[half:]]
    targets, tickets = [], []
    for k in range(layer.target.outputs):
        b = Fraction(0) if layer.target.bias is None else number(layer.target.bias[k])
        weights = [number(w) for w in layer.target.weight[k]]
        errors = [
            number((layer.positive if x >= 0 else layer.negative)[k, j]) if first else number(layer.positive[k, j])
            for j, x in enumerate(g)
        ]
        targets.append(sum(w * x for w, x in zip(weights, f, strict=True)) + b)
        ticket = sum((w + e) * x for w, e, x in zip(weights, errors, g, strict=True))
        tickets.append(ticket + b + number(layer.bias[k]))
    return targets + tickets


def polygon_error(layers, box):
    """sup |f - g| over a box in the plane, exactly, biases allowed."""
    (a, c), (b, d) = ([Fraction(float(v)) for v in end] for end in (box.low, box.high))
    polygons = cut_all([[[a, c], [b, c], [b, d], [a, d]]], [column(0), column(1)])
    for i, layer in enumerate(layers):
        if i:
            polygons = cut_all(polygons, [column(k) for k in range(2 * layer.target.inputs)])
        polygons = [[image(v, layer, i == 0) for v in polygon] for polygon in polygons]
    half = layers[-1].target.outputs
    return max(abs(q - p) for polygon in polygons for v in polygon for p, q in zip(v[:half], v[half:], strict=True))


BOXES = [Box.cube(2), Box.cube(2, 0.0, 1.0), Box(np.array([-0.5, 0.25]), np.array([1.5, 0.75]))]


@pytest.mark.parametrize("seed", range(6))
def test_walking_around_the_edge_finds_what_cutting_polygons_finds(seed):
    rng = np.random.default_rng([30, seed])
    layers = random_layers(rng, [2, *rng.integers(1, 5, seed % 3), 2], spread=2.0 ** -float(rng.integers(1, 40)))
    for box in BOXES:
        truth = polygon_error(layers, box)
        assert exact_plane_error(layers, box) == truth
        assert plane_error(layers, box) == pytest.approx(float(truth), rel=1e-11)


@pytest.mark.parametrize("seed", range(6))
def test_upper_ends_exceed_the_rational_truth_on_networks_with_biases(seed):
    rng = np.random.default_rng([31, seed])
    layers = random_layers(rng, [2, *rng.integers(1, 5, seed % 3), 2], biases=True, spread=2.0 ** -(1 + 5 * seed))
    for box in BOXES:
        truth = polygon_error(layers, box)
        for tier in (vector, coupled, differential):
            assert truth <= Fraction(tier(layers, box).value)
        split = splitting(layers, box, boxes=300, gap=1e-3)
        assert Fraction(split.lower.value) <= truth <= Fraction(split.upper.value)


@pytest.mark.parametrize("seed", range(10))
def test_on_a_circle_the_truth_is_above_a_fine_grid_and_close_to_it(seed):
    rng = np.random.default_rng([32, seed])
    layers = random_layers(rng, [2, *rng.integers(1, 9, seed % 4), 3], spread=2.0 ** -float(rng.integers(1, 40)))
    truth = plane_error(layers, Ball(2, 3.0))
    angles = np.linspace(0, 2 * np.pi, 400)
    points = Ball(2, 3.0).settled(3.0 * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    found = max(exact_error(layers, x, Ball(2, 3.0)) for x in points)
    assert found <= truth * (1 + 1e-10)
    assert found >= 0.99 * truth


def test_one_layer_in_the_plane_has_the_supremum_of_its_formula():
    layer = random_layers(np.random.default_rng(33), [2, 3])[0]
    for box in BOXES:
        assert exact_plane_error([layer], box) == one_layer_supremum(layer, box)


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="2 inputs"):
        plane_error([effective([[1.0]])], Ball(1))
    with pytest.raises(ValueError, match="no biases"):
        exact_plane_error([effective([[1.0, 1.0]], bias=[1.0])], Box.cube(2))
