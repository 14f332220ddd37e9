"""The axis inputs: many random inputs per draw, columns that say what they are, rows that do not change without it."""

import numpy as np
import pandas as pd
import pytest
import torch

from slth.errors.difference import Difference
from slth.errors.domain import Ball
from slth.errors.exact import exact_error
from slth.errors.sampled import sizes
from slth.experiments import measure, summaries, work
from slth.experiments.inputs import SAMPLED, SEED, at_inputs
from slth.experiments.points import axes, key, points
from slth.experiments.sweep import sweep
from slth.gadget import collapse
from slth.theorems import burkholz2022_depth as burkholz
from slth.theorems import pensia2020_subset_sum as pensia

GRID = {"widths": (3, 4, 2), "epsilon": 0.1, "samples": 8, "seed": range(3)}


def made(theorem=pensia, **more):
    return list(points(axes(theorem, GRID | more)))


def test_the_columns_are_the_errors_at_the_seeded_inputs():
    (point, *_) = made(inputs=300)
    found = measure.draw(point)
    layers = collapse(found.target, found.construction.ticket)
    inputs = Ball(3).sample(300, np.random.default_rng(SEED))
    values = sizes(Difference(layers, "cpu")(torch.from_numpy(inputs)), "l2").numpy()
    told = at_inputs(found, point)
    assert told["sampled_lower"] == max(exact_error(layers, x, Ball(3)) for x in inputs)
    assert told["sampled_mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert told["sampled_q90"] == pytest.approx(np.sort(values)[269], rel=1e-12)
    assert told["sampled_q50"] <= told["sampled_q90"] <= told["sampled_q99"] <= told["sampled_lower"] * (1 + 1e-12)
    assert told["sampled_lower"] <= found.error.upper


def test_rows_and_keys_without_inputs_are_what_they_were():
    point, more = made()[0], made(inputs=10)[0]
    assert {name: more[name] for name in point} == point
    assert set(more) - set(point) == {"inputs", "device"}
    plain, rich = measure.measure(point), measure.measure(more)
    assert not set(plain["result"]) & set(SAMPLED)
    assert {name: rich["result"][name] for name in plain["result"]} == plain["result"]


def test_inputs_are_part_of_the_point_so_that_more_of_them_are_drawn_anew(tmp_path, monkeypatch):
    first = sweep(pensia, GRID | {"inputs": 50}, tmp_path)
    seen, original = [], work.measure_all
    monkeypatch.setattr(work, "measure_all", lambda chunk: seen.extend(chunk) or original(chunk))
    pd.testing.assert_frame_equal(sweep(pensia, GRID | {"inputs": 50}, tmp_path), first)
    assert seen == []
    more = sweep(pensia, GRID | {"inputs": [50, 60]}, tmp_path)
    assert [point["inputs"] for point in seen] == [60] * 3
    assert more["key"].is_unique


def test_a_row_does_not_depend_on_the_draws_beside_it():
    wanted = made(inputs=5000)
    together = [line["hash"] for line in measure.measure_all(wanted)]
    assert together == [measure.measure(point)["hash"] for point in reversed(wanted)][::-1]


def test_summaries_show_the_inputs_and_do_not_split_cells_by_them():
    rows = sweep(pensia, GRID | {"inputs": 50})
    table = summaries.errors(rows)
    assert len(table) == 1
    assert table["sampled_mean"].item() == rows["sampled_mean"].median()
    assert not set(summaries.errors(sweep(pensia, GRID)).columns) & set(SAMPLED)


def test_copies_of_a_layer_are_evaluated_too():
    (point, *_) = made(burkholz, inputs=50, widths=(2, 2), samples=None, epsilon=0.4, seed=0)
    found = measure.draw(point)
    assert 0 < at_inputs(found, point)["sampled_lower"] <= found.error.upper


def test_certificates_without_layers_fail_their_rows_with_a_sentence(toy):
    rows = sweep(toy, {"widths": (1, 1), "samples": 3, "inputs": 10})
    assert rows["status"].item() == "failed"
    assert "the certificates of toy do not hold the effective layers" in rows["error"].item()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_device_fails_rows_before_anything_is_drawn(monkeypatch):
    monkeypatch.setattr(measure, "draw", pytest.fail)
    line = measure.measure(made(inputs=10, device="cuda")[0])
    assert line["status"] == "failed"
    assert "on the device 'cuda'" in line["run"]["error"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is at hand")
def test_a_gpu_gives_the_same_lower_end():
    here, there = (measure.measure(made(inputs=2000, device=device)[0])["result"] for device in ("cpu", "cuda"))
    assert there["sampled_lower"] == pytest.approx(here["sampled_lower"], rel=1e-12)
    assert there["sampled_mean"] == pytest.approx(here["sampled_mean"], rel=1e-12)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"inputs": 0}, "inputs must be an integer from 1"),
        ({"inputs": 2.5}, "expected an integer"),
        ({"device": "cpu"}, "give the axis inputs too"),
        ({"inputs": 5, "device": "nowhere"}, "a device is named like cpu"),
        ({"inputs": 5, "device": 1.5}, "a device is named like cpu"),
    ],
)
def test_nonsense_is_refused_before_anything_is_drawn(more, message):
    with pytest.raises(ValueError, match=message):
        made(**more)


def test_several_devices_make_points_of_their_own():
    assert len({key(point) for point in made(inputs=5, device=["cpu", "cuda"], seed=0)}) == 2
