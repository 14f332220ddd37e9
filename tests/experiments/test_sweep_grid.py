"""Sweeps in this process: every point has one row, calls resume, summaries say what the rows say."""

import math

import pandas as pd
import pytest

from slth.confidence import binomial_interval
from slth.experiments import status, summaries, work
from slth.experiments.cost import cost
from slth.experiments.points import axes
from slth.experiments.store import Store
from slth.experiments.sweep import sweep

GRID = {"widths": (1, 1), "epsilon": 0.1, "samples": [1, 3], "seed": range(10)}


def drawn(monkeypatch):
    """The points that are drawn from now on."""
    seen, original = [], work.measure_all
    monkeypatch.setattr(work, "measure_all", lambda chunk: seen.extend(chunk) or original(chunk))
    return seen


def test_every_point_has_one_row_in_the_order_of_the_grid(toy):
    rows = sweep(toy, GRID)
    assert list(zip(rows["samples"], rows["seed"], strict=True)) == [(n, s) for n in (1, 3) for s in range(10)]
    assert set(rows["status"]) == {"done"}
    assert rows["key"].is_unique


def test_the_same_call_draws_nothing_again_and_a_larger_grid_only_what_is_new(toy, tmp_path, monkeypatch):
    first = sweep(toy, GRID, tmp_path)
    seen = drawn(monkeypatch)
    pd.testing.assert_frame_equal(sweep(toy, GRID, tmp_path), first)
    assert seen == []
    sweep(toy, {**GRID, "seed": range(12)}, tmp_path)
    assert sorted((point["samples"], point["seed"]) for point in seen) == [(1, 10), (1, 11), (3, 10), (3, 11)]


def test_failed_rows_are_tried_again_and_do_not_stop_the_others(toy, tmp_path, monkeypatch):
    rows = sweep(toy, {**GRID, "fault": 3}, tmp_path)
    assert set(rows.loc[rows["seed"] == 3, "status"]) == {"failed"}
    assert set(rows.loc[rows["seed"] != 3, "status"]) == {"done"}
    seen = drawn(monkeypatch)
    sweep(toy, {**GRID, "fault": 3}, tmp_path)
    assert [point["seed"] for point in seen] == [3, 3]


def test_an_interrupt_leaves_whole_rows_and_nothing_open(toy, tmp_path, monkeypatch):
    original = work.measure_all
    calls = []

    def interrupted(chunk):
        calls.append(chunk)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(chunk)

    monkeypatch.setattr(work, "measure_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep(toy, GRID, tmp_path)
    store = Store(tmp_path)
    assert len(store.rows) == sum(map(len, calls[:2]))
    assert (store.unfinished(), store.damaged, store.torn) == ([], 0, 0)
    monkeypatch.undo()
    assert set(sweep(toy, GRID, tmp_path)["status"]) == {"done"}


def test_a_torn_part_costs_its_last_row_only(toy, tmp_path, monkeypatch):
    first = sweep(toy, GRID, tmp_path)
    (part,) = tmp_path.glob("*.jsonl")
    part.write_bytes(part.read_bytes()[:-20])
    seen = drawn(monkeypatch)
    again = sweep(toy, GRID, tmp_path)
    assert len(seen) == 1
    assert list(again["hash"]) == list(first["hash"])


def test_points_that_another_writer_has_begun_come_last(toy, tmp_path, monkeypatch):
    rows = sweep(toy, {**GRID, "samples": 1}, tmp_path / "known")
    with Store(tmp_path / "rows") as other:
        other.start([rows["key"][0], rows["key"][4]])
        other.start([rows["key"][0]])
    seen = drawn(monkeypatch)
    sweep(toy, {**GRID, "samples": 1}, tmp_path / "rows")
    assert [point["seed"] for point in seen] == [1, 2, 3, 5, 6, 7, 8, 9, 4, 0]


def test_points_that_never_finish_are_lost_once_and_then_tried_again(toy, tmp_path):
    rows = sweep(toy, {**GRID, "samples": 1}, tmp_path / "known")
    with Store(tmp_path / "rows") as other:
        for _ in range(work.CAP):
            other.start([rows["key"][2]])
    assert list(sweep(toy, {**GRID, "samples": 1}, tmp_path / "rows")["status"]).count("lost") == 1
    assert set(sweep(toy, {**GRID, "samples": 1}, tmp_path / "rows")["status"]) == {"done"}


def test_failure_probabilities_are_those_of_the_rows(toy):
    grid = {**GRID, "samples": [1, 40], "seed": range(60), "delta": 0.2}
    rows = sweep(toy, grid)
    few, enough = summaries.failures(rows).to_dict("records")
    failed = int((rows.loc[rows["samples"] == 1, "verdict"] == "fails").sum())
    wanted = binomial_interval(failed, 60)
    assert (few["failures"], few["failure_low"], few["failure_high"]) == (failed, wanted.low, wanted.high)
    assert few["claimed"] == 1
    assert (enough["failures"], enough["missing"]) == (0, 0)
    assert summaries.failures(rows, summaries.sums_met)["failures"][0] == 60 - (rows["failed_sums"] == 0)[:60].sum()


def test_points_without_a_result_widen_the_interval_to_both_sides(toy):
    (found,) = summaries.failures(sweep(toy, {**GRID, "samples": 40, "fault": 3})).to_dict("records")
    assert (found["draws"], found["missing"], found["failures"]) == (9, 1, 0)
    assert found["failure_low"] == 0
    assert found["failure_high"] == binomial_interval(1, 10).high


def test_errors_and_densities_are_quantiles_of_the_rows(toy):
    rows = sweep(toy, GRID)
    for one, n in zip(summaries.errors(rows).to_dict("records"), (1, 3), strict=True):
        own = rows[rows["samples"] == n]
        assert one["lower_low"] <= one["lower"] <= one["lower_high"]
        assert one["upper"] == sorted(own["upper"])[4]
    found = summaries.densities(rows)
    assert list(found["draws"]) == [10, 10]
    assert found["proved"][0] == (rows["verdict"][:10] == "holds").mean()


def test_cells_without_any_result_have_no_numbers(toy):
    rows = sweep(toy, {**GRID, "samples": [1, 3], "seed": 3, "fault": 3})
    assert summaries.errors(rows).empty or math.isnan(summaries.errors(rows)["lower"][0])
    assert math.isnan(summaries.failures(rows)["failure"][0])
    assert math.isnan(summaries.densities(rows)["proved"][0])


def test_the_cost_is_that_of_the_rows_and_scaled_beyond_them(toy, tmp_path):
    grid = {**GRID, "nap": 0.05, "samples": [4, 8]}
    before = cost(axes(toy, grid), tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert sorted(before["from"]) == ["pilot", "scaled"]
    assert before["seconds"][1] == pytest.approx(2 * before["seconds"][0])
    sweep(toy, {**grid, "samples": 4, "seed": range(4)}, tmp_path / "rows")
    after = cost(axes(toy, grid), tmp_path / "rows")
    assert list(after["from"]) == ["rows", "scaled"]
    assert list(after["done"]) == [4, 0]
    assert after["seconds"][0] >= 0.3


def test_the_status_counts_what_is_there_and_what_is_missing(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "measure_all", lambda chunk: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        sweep(toy, GRID, tmp_path)
    assert status.progress(tmp_path)["missing"] == 20
    monkeypatch.undo()
    sweep(toy, {**GRID, "fault": 3, "samples": 1}, tmp_path)
    found = status.progress(tmp_path)
    assert (found["done"], found["failed"], found["missing"], found["open"]) == (9, 1, 20, 0)
    assert found["errors"] == {"ValueError: the seed 3 is at fault": 1}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_exports_hold_every_row(toy, tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    rows = sweep(toy, {**GRID, "fault": 3}, tmp_path / "rows")
    path = tmp_path / f"rows{suffix}"
    assert status.export(tmp_path / "rows", path) == 20
    read = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
    assert set(read["hash"]) == set(rows["hash"])
    assert read.set_index("key")["lower"].dropna().to_dict() == rows.set_index("key")["lower"].dropna().to_dict()
    with pytest.raises(ValueError, match=r"must end in \.csv or \.parquet"):
        status.export(tmp_path / "rows", tmp_path / "rows.xlsx")


def test_an_empty_folder_exports_no_rows(tmp_path):
    assert status.export(tmp_path, tmp_path / "rows.csv") == 0
