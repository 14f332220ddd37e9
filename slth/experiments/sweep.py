"""Sweeps: a theorem drawn at every point of a grid, resumable, on one machine or many."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from slth.experiments.engines import Engine, serial
from slth.experiments.measure import Outcome, Row
from slth.experiments.points import Point, axes, key, points
from slth.experiments.store import Store
from slth.experiments.work import work
from slth.networks.target import Target
from slth.subset_sum.questions import nearest
from slth.theorems.certificate import Verdict
from slth.theorems.theorem import Theorem, verify


def sweep(
    theorem: Theorem | ModuleType,
    grid: Mapping[str, Any],
    out: str | Path | None = None,
    *,
    engine: Engine | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """One draw of the theorem's construction for every point of a grid.

    Rows that are in the folder already are not drawn again, whichever call made them; failed and lost ones are. Points
    with the same seed and trial share random numbers, so different cells are dependent; draws of one cell with
    different seeds or trials are independent.

    Args:
        theorem: a module with a construction, of this package or importable from anywhere.
        grid: a value or a list of values for some of the axes target, widths (or width and depth), target_seed,
            epsilon, delta, samples, question, assignment, law, seed, trial, inputs and device, and the theorem's own,
            such as density; see `slth.experiments.points.axes`.
        out: folder of the rows; a temporary one by default.
        engine: this process by default; see `slth.experiments.engines`.
        progress: whether a bar is shown on stderr; by default on a terminal only.

    Returns:
        One row per point, in the order of the grid: status "done", "failed" (an exception, in `error`) or "lost" (its
        worker died with it), the columns of the point, and those of `slth.experiments.measure.result` (with inputs
        those of `slth.experiments.inputs.at_inputs` too).

    Raises:
        ValueError: an axis is unknown or a value out of its range.
        OSError: the folder cannot be written, or the engine is gone; the same call resumes.

    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> rows = sweep(pensia, {"widths": (3, 2), "epsilon": 0.1, "samples": [4, 8], "seed": range(3)})
    >>> len(rows), bool((rows.lower <= rows.upper).all())
    (6, True)
    """
    table = axes(theorem, grid)
    wanted = list(points(table))
    with folder_of(out) as folder, Store(folder) as store:
        store.plan({"axes": table, "search": None})
        with bar("draws", len(wanted), progress) as advance:
            for point in wanted:
                if store.done(key(point)):
                    advance(None)
            work(wanted, store, engine or serial(), advance)
        return frame(wanted, store)


def frame(wanted: Iterable[Point], store: Store) -> pd.DataFrame:
    """The rows of points as a table; a point without a row has the status "missing"."""
    return table_of((point, store.rows.get(key(point))) for point in wanted)


def table_of(pairs: Iterable[tuple[Point, Row | None]]) -> pd.DataFrame:
    """Points and their rows as a table: one column per value of the point, per option, per result and of the run."""
    return pd.DataFrame([flat(point, line) for point, line in pairs])


def flat(point: Point, line: Row | None) -> dict[str, Any]:
    """A point and its row as one level of names.

    Options stand as `option name`, widths as 16-8-4, and an upper end that proves nothing is infinite.
    """
    values: dict[str, Any] = {"status": "missing" if line is None else line["status"]}
    widths = point["widths"]
    values |= {name: value for name, value in point.items() if name not in ("options", "widths")}
    values |= {"widths": None if widths is None else "-".join(map(str, widths))}
    values |= {f"option {name}": value for name, value in point["options"].items()}
    found = (line and line["result"]) or {}
    values |= found
    if found and found["upper"] is None:
        values["upper"] = float("inf")
    run = (line or {}).get("run", {})
    values |= {name: run.get(name) for name in ("seconds", "host", "error")}
    return values | {"key": key(point), "hash": None if line is None else line["hash"]}


@contextmanager
def bar(what: str, total: int | None, shown: bool | None) -> Iterator[Callable[[Row | None], object]]:
    """One bar on stderr; yields the function that counts a row, None for one that was there before."""
    counts = {Outcome.FAILED: 0, Outcome.LOST: 0}
    disable = None if shown is None else not shown
    with tqdm(total=total, desc=what, disable=disable, leave=False, file=sys.stderr, unit="draw") as shown_bar:

        def advance(line: Row | None) -> None:
            if line is not None and line["status"] != Outcome.DONE:
                counts[Outcome(line["status"])] += 1
                shown_bar.set_postfix({str(name): count for name, count in counts.items() if count})
            shown_bar.update(1)

        yield advance


@contextmanager
def folder_of(out: str | Path | None) -> Iterator[Path]:
    """The folder, or a temporary one."""
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory(prefix="slth-") as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Draw:
    """One source, pruned and certified.

    Attributes:
        samples: candidates per weight and side.
        seed: of the source.
        lower: attained error.
        upper: proved error.
        failed: subset sums that missed their tolerance.
        verdict: on the claim that the error is at most epsilon.
    """

    samples: int
    seed: int
    lower: float
    upper: float
    failed: int
    verdict: Verdict


def sweep_candidates(
    theorem: Theorem,
    target: Target,
    epsilon: float,
    delta: float,
    candidates: Sequence[int],
    seeds: Sequence[int],
    advance: Callable[[int], object] = lambda drawn: None,
) -> list[Draw]:
    """Prunes one source per number of candidates and seed, with the best subset for every weight.

    For a target at hand, in this process, without a folder; `sweep` does the rest.

    Args:
        theorem: a module of `slth.theorems`.
        target: the network to approximate.
        epsilon: sets the tolerance against which subset sums count as failed, > 0.
        delta: in (0, 1).
        candidates: numbers of candidates per weight and side, at most about 24 (the best of n costs 2^(n/2)).
        seeds: of the sources.
        advance: called with 1 after every draw.

    Returns:
        One row per draw, none left out, ordered by candidates, then seed.

    Raises:
        ValueError: a number is out of its range.
    """
    rows = []
    for samples in candidates:
        for seed in seeds:
            found = verify(theorem, target, epsilon, delta, seed, samples=samples, question=nearest)
            error = found.error
            rows.append(Draw(samples, seed, error.lower, error.upper, found.construction.failed, found.verdict))
            advance(1)
    return rows
