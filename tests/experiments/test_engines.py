"""Sweeps through every engine: the same rows; killed workers, killed drivers and poisoned points cost no neighbour."""

import os
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import pytest

from slth.experiments import engines, work
from slth.experiments.engines import Engine
from slth.experiments.store import Store
from slth.experiments.sweep import sweep
from slth.theorems import pensia2020_subset_sum as pensia

BASE = {"widths": (1, 1), "epsilon": 0.1}


def hashes(rows):
    return dict(zip(rows["key"], rows["hash"], strict=True))


@pytest.fixture(scope="module")
def two_workers():
    sys.path.insert(0, os.path.dirname(__file__))
    with engines.local(2) as engine:
        yield engine
    sys.path.remove(os.path.dirname(__file__))


def count_lines(folder):
    """Rows in the parts, each as often as it was written."""
    return sum(b'"type": "row"' in line for part in folder.glob("*.jsonl") for line in part.read_bytes().splitlines())


def test_rows_are_the_same_on_every_engine(tmp_path, two_workers):
    grid = {"widths": [(2, 2), (3, 2, 1)], "epsilon": 0.1, "samples": 8, "seed": range(2)}
    alone = sweep(pensia, grid)
    assert (alone["status"] == "done").all()
    assert hashes(sweep(pensia, grid, engine=two_workers)) == hashes(alone)
    with ThreadPoolExecutor(1) as pool:
        assert hashes(sweep(pensia, grid, engine=Engine(pool))) == hashes(alone)
    address = two_workers.executor._client.scheduler.address
    with engines.remote(address) as remote:
        assert remote.window == 4
        assert hashes(sweep(pensia, grid, engine=remote)) == hashes(alone)


def test_a_theorem_outside_the_package_is_swept_on_workers(toy, two_workers):
    grid = {**BASE, "samples": 6, "seed": range(20)}
    rows = sweep(toy, grid, engine=two_workers)
    assert (rows["status"] == "done").all()
    assert hashes(rows) == hashes(sweep(toy, grid))


@pytest.mark.slow
def test_a_poisoned_point_is_lost_and_its_neighbours_are_done(toy, tmp_path, two_workers):
    grid = {**BASE, "samples": [4, 5], "seed": range(20), "kill": 7}
    rows = sweep(toy, grid, tmp_path, engine=two_workers)
    assert set(rows.loc[rows["seed"] == 7, "status"]) == {"lost"}
    assert set(rows.loc[rows["seed"] != 7, "status"]) == {"done"}
    assert all("KilledWorker" in error for error in rows.loc[rows["seed"] == 7, "error"])
    assert count_lines(tmp_path) == 40


@pytest.mark.slow
def test_a_worker_that_is_killed_once_costs_nothing(toy, tmp_path, two_workers):
    grid = {**BASE, "samples": 4, "seed": range(20), "kill": 7, "once": str(tmp_path / "killed")}
    rows = sweep(toy, grid, tmp_path / "rows", engine=two_workers)
    assert (tmp_path / "killed").exists()
    assert (rows["status"] == "done").all()
    assert count_lines(tmp_path / "rows") == 20


@pytest.mark.slow
def test_lost_and_failed_points_are_tried_again_by_the_next_call(toy, tmp_path, two_workers, monkeypatch):
    grid = {**BASE, "samples": 4, "seed": range(6)}
    poisoned = sweep(toy, {**grid, "kill": 2, "fault": 4}, tmp_path, engine=two_workers)
    assert list(poisoned["status"]) == ["done", "done", "lost", "done", "failed", "done"]
    assert "seed 4 is at fault" in poisoned["error"][4]
    monkeypatch.setattr(toy.os, "_exit", lambda code: None)  # the cause is mended, for the serial engine
    mended = sweep(toy, {**grid, "kill": 2, "fault": 4}, tmp_path)
    assert list(mended["status"]) == ["done", "done", "done", "done", "failed", "done"]
    assert count_lines(tmp_path) == 6 + 2


def test_chunks_grow_to_a_second_and_no_further(toy, monkeypatch):
    sizes = []
    original = work.measure_all

    def counted(chunk):
        sizes.append(len(chunk))
        return original(chunk)

    monkeypatch.setattr(work, "measure_all", counted)
    sweep(toy, {**BASE, "samples": 4, "seed": range(60)})
    assert sizes[0] == 1
    assert max(sizes) > 10
    sizes.clear()
    sweep(toy, {**BASE, "samples": 4, "seed": range(4), "nap": 0.6})
    assert sizes == [1, 1, 1, 1]


def test_two_drivers_at_once_share_a_folder(toy, tmp_path):
    grid = {**BASE, "samples": list(range(1, 7)), "seed": range(40)}
    with ThreadPoolExecutor(2) as pool:
        tables = [found.result() for found in [pool.submit(sweep, toy, grid, tmp_path, progress=False) for _ in "ab"]]
    for rows in tables:
        assert (rows["status"] == "done").all()
    store = Store(tmp_path)
    assert (len(store.rows), store.conflicts, store.damaged) == (240, set(), 0)
    assert count_lines(tmp_path) <= 240 + 2 * work.LARGEST_CHUNK


DRIVER = """
import signal, sys, toy
from contextlib import nullcontext
from slth.experiments import engines
from slth.experiments.sweep import sweep
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which what runs in the background ignores
    grid = {"widths": (1, 1), "epsilon": 0.1, "samples": 4, "seed": range(int(sys.argv[2])), "nap": float(sys.argv[3])}
    if len(sys.argv) > 4:
        grid["kill"] = int(sys.argv[4])
    with engines.local(2) if len(sys.argv) > 5 else nullcontext() as engine:
        rows = sweep(toy, grid, sys.argv[1], engine=engine)
    print(*rows["status"])
"""


def driver(tmp_path, *arguments):
    (tmp_path / "driver.py").write_text(DRIVER)
    return subprocess.Popen(
        [sys.executable, tmp_path / "driver.py", tmp_path / "rows", *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )


def until(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_driver_that_is_stopped_loses_at_most_its_last_chunk(toy, tmp_path, ending):
    folder = tmp_path / "rows"
    first = driver(tmp_path, 12, 0.2)
    until(lambda: folder.is_dir() and count_lines(folder) >= 3 and Store(folder).unfinished())
    first.send_signal(ending)
    first.communicate()
    before = count_lines(folder)
    store = Store(folder)
    assert before == len(store.rows) < 12
    assert store.damaged == 0
    assert bool(store.unfinished()) == (ending == signal.SIGKILL)
    grid = {**BASE, "samples": 4, "seed": range(12), "nap": 0.2}
    rows = sweep(toy, grid, folder)
    assert (rows["status"] == "done").all()
    assert count_lines(folder) == 12
    assert Store(folder).unfinished() == []


@pytest.mark.slow
def test_the_rows_of_a_killed_driver_with_workers_are_kept(toy, tmp_path):
    folder = tmp_path / "rows"
    first = driver(tmp_path, 60, 0.2, -1, "workers")
    until(lambda: folder.is_dir() and count_lines(folder) >= 4)
    first.kill()
    first.communicate()
    before = dict(Store(folder).rows)
    assert 4 <= len(before) < 60
    rows = sweep(toy, {**BASE, "samples": 4, "seed": range(60), "nap": 0.2, "kill": -1}, folder)
    assert (rows["status"] == "done").all()
    assert count_lines(folder) == 60
    assert all(Store(folder).rows[name] == line for name, line in before.items())


@pytest.mark.slow
def test_a_point_that_kills_its_driver_is_found_out_and_its_neighbours_survive(toy, tmp_path):
    codes, last = [], ""
    while not codes or codes[-1]:
        running = driver(tmp_path, 8, 0, 3)
        last = running.communicate()[0]
        codes.append(running.returncode)
        assert len(codes) < 8
    assert codes[:-1] == [9] * work.CAP
    assert last.split() == ["done"] * 3 + ["lost"] + ["done"] * 4


def test_workers_that_cannot_import_the_theorem_say_so(two_workers, tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("from slth.theorems.pensia2020_subset_sum import *\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here

    rows = sweep(only_here, {**BASE, "samples": 4}, engine=two_workers)
    assert list(rows["status"]) == ["failed"]
    assert "no module of that name can be imported" in rows["error"][0]


@pytest.mark.slow
def test_a_broken_pool_ends_the_call_and_the_next_resumes(toy, tmp_path):
    grid = {**BASE, "samples": 4, "seed": range(4), "kill": 1, "once": str(tmp_path / "killed")}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, pytest.raises(OSError, match="resumes"):
        sweep(toy, grid, tmp_path / "rows", engine=Engine(pool))
    rows = sweep(toy, grid, tmp_path / "rows")
    assert (rows["status"] == "done").all()
    assert count_lines(tmp_path / "rows") == 4


def test_two_sweeps_with_workers_do_not_warn_of_each_other(two_workers):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with engines.local(1) as beside:
            assert beside.executor.submit(divmod, 7, 2).result() == (3, 1)


def test_engines_refuse_nonsense():
    with pytest.raises(ValueError, match="at least one worker"), engines.local(0):
        pass
    with pytest.raises(ValueError, match="at least one job"), engines.slurm(0):
        pass


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_named():
    with (
        pytest.raises(OSError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:1"),
        engines.remote("tcp://127.0.0.1:1"),
    ):
        pass


@contextmanager
def fake_sbatch(folder, monkeypatch):
    """A SLURM of one machine: sbatch runs the script in the background, scancel ends it."""
    folder.mkdir()
    (folder / "sbatch").write_text(f"#!/bin/sh\nbash $1 >> {folder}/log 2>&1 &\necho Submitted batch job $!\n")
    (folder / "scancel").write_text("#!/bin/sh\nkill $1\n")
    for name in ("sbatch", "scancel"):
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    yield


@pytest.mark.slow
def test_rows_are_the_same_on_slurm(toy, tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue")
    grid = {**BASE, "samples": [4, 6], "seed": range(10)}
    with fake_sbatch(tmp_path / "bin", monkeypatch), engines.slurm(1, memory="1GB") as engine:
        rows = sweep(toy, grid, tmp_path / "rows", engine=engine)
    assert hashes(rows) == hashes(sweep(toy, grid))
