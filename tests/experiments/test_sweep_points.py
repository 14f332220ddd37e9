"""Points: plain, complete, with keys that name the draw and nothing else."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slth
from slth.experiments import measure
from slth.experiments.names import law_called, law_text, theorem_module, theorem_name
from slth.experiments.points import axes, canonical, key, points
from slth.networks.target import Target
from slth.subset_sum.questions import nearest
from slth.theorems import gadhikar2023_sparse_source as sparse
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.theorem import verify

SMALL = {"widths": (2, 2), "epsilon": 0.1, "samples": 8}


def halves(widths, seed):
    """A family of targets of the tests' own."""
    return Target.from_floats([np.full((b, a), 0.5 / a) for a, b in pairwise(widths)])


def made(theorem=pensia, **grid):
    return list(points(axes(theorem, SMALL | grid)))


def test_the_points_are_the_product_of_the_axes():
    found = made(epsilon=[0.1, 0.2], samples=[4, 8, 16], seed=range(2), trial=[0, 1])
    assert len({key(point) for point in found}) == len(found) == 24
    assert [(point["seed"], point["trial"]) for point in found[:4]] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_width_and_depth_stand_for_equal_widths():
    found = list(points(axes(pensia, {"width": [2, 3], "depth": [1, 2]})))
    assert [point["widths"] for point in found] == [[2, 2], [2, 2, 2], [3, 3], [3, 3, 3]]


def test_targets_of_several_families_stand_in_one_grid(tmp_path):
    np.savez(tmp_path / "net.npz", w=np.ones((1, 2)))
    grid = {"target": ["digits", (3, 2), tmp_path / "net.npz", halves, "random"], "widths": [(2, 2), (4, 1)]}
    found = [(point["target"].partition("#")[0], point["widths"]) for point in points(axes(pensia, grid))]
    own = f"{halves.__module__}:halves"
    assert found == [
        ("digits", None),
        ("random", [3, 2]),
        (str(tmp_path / "net.npz"), None),
        (own, [2, 2]),
        (own, [4, 1]),
        ("random", [2, 2]),
        ("random", [4, 1]),
    ]


@given(st.floats(1e-6, 10), st.floats(1e-6, 0.999), st.integers(1, 10**6), st.integers(0, 2**64 - 1))
def test_a_point_survives_its_text(epsilon, delta, samples, seed):
    (point,) = made(epsilon=epsilon, delta=delta, samples=samples, seed=seed)
    again = json.loads(canonical(point))
    assert again == point
    assert key(again) == key(point)


def test_numbers_of_numpy_and_equal_integers_make_the_same_key():
    (one,) = made(epsilon=1, samples=np.int64(8), seed=np.uint64(3))
    (other,) = made(epsilon=np.float64(1.0), samples=8, seed=3)
    assert key(one) == key(other)


def test_a_draw_is_what_verify_gives():
    (point,) = made(question=nearest, seed=5)
    found = measure.draw(point)
    target = pensia.normalised(slth.random_target((2, 2), seed=0))
    alone = verify(pensia, target, 0.1, 0.05, 5, samples=8, question=nearest)
    assert measure.result(found) == measure.result(alone)


def test_a_law_replaces_that_of_the_source_and_its_hypothesis_fails():
    (point,) = made(law=slth.Thinned(0.5))
    found = measure.draw(point)
    assert found.construction.ticket.source.law == slth.Thinned(0.5)
    assert not measure.result(found)["hypotheses"]


def test_options_of_the_theorem_are_axes():
    found = made(sparse, density=[0.2, 0.8])
    weights = [measure.source_of(point).law.density for point in found]
    assert weights == [0.2, 0.8]
    with pytest.raises(ValueError, match="no axis is named 'density'; the axes of pensia2020_subset_sum are target"):
        made(density=0.5)


def test_a_function_makes_the_target():
    (point,) = made(target=halves, widths=(4, 2))
    assert measure.target_of(point).layers[0].matrix.tolist() == [[0.125] * 4] * 2


def test_a_file_that_has_changed_is_not_taken_for_the_old_one(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, w=np.ones((1, 2)))
    (point,) = points(axes(pensia, {"target": path, "samples": 8, "epsilon": 0.1}))
    assert measure.measure(point)["status"] == "done"
    measure._target.cache_clear()
    np.savez(path, w=np.zeros((1, 2)))
    line = measure.measure(point)
    assert line["status"] == "failed"
    assert "has changed since" in line["run"]["error"]


@pytest.mark.parametrize(
    "law", [slth.Uniform(-0.5, 0.5), slth.LogUniform(8), slth.Signs(), slth.Dyadic(4), slth.Thinned(0.25)]
)
def test_a_law_survives_its_text(law):
    assert law_called(law_text(law)) == law


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"epsilon": 0}, "epsilon must be positive"),
        ({"epsilon": math.nan}, "epsilon must be positive"),
        ({"epsilon": math.inf}, "epsilon must be positive"),
        ({"delta": 1}, "delta must be positive and below 1"),
        ({"samples": 0}, "samples must be an integer from 1"),
        ({"samples": 2.5}, "expected an integer; got 2.5"),
        ({"samples": True}, "expected an integer"),
        ({"seed": -1}, "seed must be"),
        ({"trial": -1}, "trial must be"),
        ({"seed": []}, "no values"),
        ({"widths": (3,)}, "at least two widths"),
        ({"widths": (3, 0)}, "at least two widths"),
        ({"width": 3}, "either widths"),
        ({"target": "digits"}, "no target of the grid takes widths"),
        ({"question": "no_such"}, "no function 'no_such' in slth.subset_sum.questions"),
        ({"assignment": "no_such"}, "no function 'no_such' in slth.assignment"),
        ({"question": "best"}, "no function 'best' in slth.subset_sum.questions"),
        ({"target": "no_such"}, "a target is random, digits, .* got 'no_such' .no function 'no_such'"),
        ({"target": "no.module:made"}, "a target is .* .No module named 'no'"),
        ({"target": "__main__:made"}, "belongs to the running script"),
        ({"law": "normal"}, "no law is named 'normal'"),
        ({"law": "thinned"}, "the law thinned takes density, low, high"),
        ({"law": slth.Product()}, "a law of a source is one of"),
        ({"question": lambda problem, tolerance: None}, "no function"),
    ],
)
def test_values_out_of_range_are_refused_before_anything_is_drawn(grid, message):
    with pytest.raises(ValueError, match=message):
        made(**grid)


def test_a_value_that_is_given_twice_is_drawn_once():
    twice = {"width": [2, 2], "depth": 1, "epsilon": [0.5, 0.1, 0.50], "seed": [0, 1, 0, 1], "samples": [8, None, 8]}
    once = {"width": 2, "depth": 1, "epsilon": [0.5, 0.1], "seed": [0, 1], "samples": [8, None]}
    assert axes(pensia, twice) == axes(pensia, once)
    thin = {"target": [(2, 2), (2, 2)], "density": [0.25, 0.25]}
    assert len(list(points(axes(sparse, thin)))) == 1


@pytest.mark.parametrize(
    ("grid", "message"),
    [({}, "need widths"), ({"depth": 2}, "needs the axis width"), ({"width": 2, "depth": 0}, "at least 1")],
)
def test_targets_without_a_shape_are_refused(grid, message):
    with pytest.raises(ValueError, match=message):
        axes(pensia, grid)


def test_options_must_be_plain():
    with pytest.raises(ValueError, match="the option density must be a finite number"):
        made(sparse, density=math.nan)


def test_theorems_are_found_by_their_names():
    assert theorem_module(theorem_name(pensia)) is pensia
    with pytest.raises(ModuleNotFoundError, match="no theorem 'no_such' in slth"):
        theorem_module("no_such")
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        theorem_module("no_such.at_all")
    with pytest.raises(ValueError, match="has no function source"):
        made(lueker)


def test_a_number_that_is_not_one_fails_the_row(monkeypatch):
    (point,) = made()
    found = measure.draw(point)
    assert measure.measure(point)["hash"] == measure.measure(point)["hash"]
    monkeypatch.setattr(type(found.construction), "worst_residual", math.nan)
    line = measure.measure(point)
    assert (line["status"], line["result"]) == ("failed", None)
    assert "worst_residual of this draw is NaN" in line["run"]["error"]
