"""What a folder of results holds, read with suspicion: nothing that it names is imported or called.

A row counts if its key and hash fit and its point and result have the form of this version. Draws of adaptive searches
are kept apart: they stop when they have seen enough, so that fixed-number tests do not fit them.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from slth.experiments.measure import Outcome, Row
from slth.experiments.points import Point, key, points
from slth.experiments.store import Store
from slth.experiments.sweep import table_of
from slth.report.tested import Tested, tested
from slth.theorems.certificate import Verdict

MOST_POINTS = 1_000_000
"""Plans with more points are not unfolded, so that their missing points are not counted."""

RESULTS = (
    "failed_sums", "worst_residual", "candidates", "kept", "density", "kept_per_target_weight", "source_weights",
)  # fmt: skip
OPTION = "option "
"""Before the names of a theorem's own axes, lest one be taken for a result of the same name."""


@dataclass(frozen=True)
class Folder:
    """The rows of a folder.

    Attributes:
        name: of the folder.
        swept: one line per draw of a sweep, see `slth.experiments.sweep.table_of`.
        searched: likewise, of adaptive searches.
        searches: their starting points, with what was asked.
        store: for those who read searches; its rows are the ones that count.
        missing: points of sweeps that have no row.
        unfinished: those of them that were begun.
        refused: rows and plans that are not of this form.
        tested: files of draws, whose rows stand for themselves.
        runs: of every row that counts: host, versions, seconds.
    """

    name: str
    swept: pd.DataFrame
    searched: pd.DataFrame
    searches: tuple[tuple[Point, dict[str, Any]], ...]
    store: Store
    missing: int
    unfinished: int
    refused: int
    tested: tuple[Tested, ...]
    runs: tuple[dict[str, Any], ...]

    @property
    def theorems(self) -> list[str]:
        """Names of the theorems that have rows, sorted."""
        tables = (self.swept, self.searched)
        return sorted({str(name) for table in tables if len(table) for name in table["theorem"]})


def read(folder: str | Path) -> Folder:
    """Reads a folder.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    store = Store(folder, create=False)
    files = tuple(tested(store.folder))
    apart = {line["key"] for one in files if one.held for line in one.held.rows.values()}
    store.damaged -= sum(one.held is not None for one in files)  # their first lines are none of the store's
    rows = {name: line for name, line in store.rows.items() if usable(name, line)}
    refused = len(store.rows) - len(rows)
    store.rows = rows
    planned: dict[str, Point] = {}
    searches = []
    for plan in store.plans:
        try:
            table, search = plan["axes"], plan["search"]
            if math.prod(len(held) for held in table.values()) > MOST_POINTS:
                raise ValueError("too many points")
            own = {key(point): point for point in points(table)}
            if not all(fits(point) for point in own.values()):
                raise ValueError("no points of this form")
        except (AttributeError, KeyError, TypeError, ValueError):
            refused += 1
            continue
        if search is None:
            planned |= own
        else:
            searches += [(point, search) for point in own.values()]
    swept = [line for name, line in rows.items() if name in planned or not (searches or name in apart)]
    searched = [line for name, line in rows.items() if name not in planned and searches and name not in apart]
    lacking = planned.keys() - rows.keys()
    return Folder(
        store.folder.resolve().name,
        _table(swept),
        _table(searched),
        tuple(searches),
        store,
        len(lacking),
        len(lacking & set(store.unfinished())),
        refused,
        files,
        tuple(line["run"] for line in rows.values()),
    )


def of_theorem(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """The lines of one theorem, without columns that none of them uses (axes of other theorems)."""
    if rows.empty:
        return rows
    return rows[rows["theorem"] == name].dropna(axis="columns", how="all").reindex(columns=_used(rows, name))


def _used(rows: pd.DataFrame, name: str) -> list[str]:
    own = rows[rows["theorem"] == name]
    return [column for column in own.columns if not str(column).startswith("option ") or own[column].notna().any()]


def _table(lines: list[Row]) -> pd.DataFrame:
    """Rows with a result first (the columns are in their order), then by point: the same order for the same rows."""
    order = sorted(lines, key=lambda line: (line["status"] != Outcome.DONE, _order(line["point"]), line["key"]))
    return table_of((line["point"], line) for line in order)


def _order(point: Point) -> tuple[Any, ...]:
    widths, samples = point["widths"] or (), point["samples"] or 0
    own = [(name, held if isinstance(held, int | float) else 0, str(held)) for name, held in point["options"].items()]
    texts = (point["question"] or "", point["assignment"], point["law"] or "", sorted(own))
    return (point["theorem"], point["target"], tuple(widths), point["target_seed"], point["epsilon"], point["delta"],
            *texts, samples, point["seed"], point["trial"])  # fmt: skip


def usable(name: str, line: Row) -> bool:
    """Whether a row has the form of this version and the key of its point.

    >>> usable("", {"point": {"seed": 1}})
    False
    """
    try:
        point, found, run = line["point"], line["result"], line["run"]
        status = Outcome(line["status"])
        ran = math.isfinite(run["seconds"]) and isinstance(run["host"], str)
        told = run["error"] is None or isinstance(run["error"], str)
        versions = all(isinstance(version, str) for version in run["versions"].values())
        json.dumps([point, run["host"], run["error"]], ensure_ascii=False).encode()  # halves of pairs break tables
        if not (fits(point) and key(point) == name == line["key"] and ran and told and versions):
            return False
        return _result(found) if status is Outcome.DONE else found is None
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def fits(point: Any) -> bool:
    """Whether a point has every part of one, of the right type.

    Raises:
        KeyError, TypeError, AttributeError: it does not.
    """
    texts = all(isinstance(point[name], str) for name in ("theorem", "target", "assignment"))
    perhaps = all(point[name] is None or isinstance(point[name], str) for name in ("question", "law"))
    whole = all(type(point[name]) is int for name in ("target_seed", "seed", "trial"))
    samples = point["samples"] is None or type(point["samples"]) is int
    widths = point["widths"]
    shaped = widths is None or (len(widths) >= 2 and all(type(width) is int and width > 0 for width in widths))
    ranges = 0 < point["epsilon"] < math.inf and 0 < point["delta"] < 1
    plain = all(held is None or isinstance(held, bool | int | float | str) for held in point["options"].values())
    return texts and perhaps and whole and samples and shaped and ranges and plain


def _result(found: Any) -> bool:
    Verdict(found["verdict"])
    upper = found["upper"]
    ends = 0 <= found["lower"] < math.inf and (upper is None or found["lower"] <= upper)
    return ends and isinstance(found["hypotheses"], bool) and all(found[name] >= 0 for name in RESULTS)


def causes(rows: pd.DataFrame) -> Counter[str]:
    """Why draws with a result are not proved within epsilon: the first of these that applies to each."""
    found: Counter[str] = Counter()
    for row in rows[rows["status"] == Outcome.DONE].to_dict("records") if len(rows) else ():
        if row["verdict"] == Verdict.HOLDS:
            continue
        if not row["hypotheses"]:
            found["a hypothesis of the theorem does not hold (such as too few candidates)"] += 1
        elif row["failed_sums"]:
            found["a subset sum missed its tolerance"] += 1
        elif row["verdict"] == Verdict.UNDECIDED:
            found["undecided: the proved end of the error is above epsilon, the attained end is not"] += 1
        else:
            found["the error exceeds epsilon though every subset sum met its tolerance"] += 1
    return found


def faults(rows: pd.DataFrame) -> list[tuple[str, str, int, str]]:
    """Failed and lost rows by their cause: status, cause, how many, the first point with it."""
    bad = rows[rows["status"] != Outcome.DONE] if len(rows) else rows
    found: dict[tuple[str, str], list[str]] = {}
    for row in bad.to_dict("records"):
        lines = (row["error"] or "").strip().splitlines()
        place = ", ".join(f"{name} {short(row[name])}" for name in ("widths", "epsilon", "samples", "seed", "trial"))
        found.setdefault((row["status"], lines[0] if lines else "no cause is on record"), []).append(place)
    listed = [(status, cause, len(places), places[0]) for (status, cause), places in found.items()]
    return sorted(listed, key=lambda fault: -fault[2])


def short(value: Any) -> str:
    """A value of a cell in a few letters.

    >>> short(float("nan")), short(0.25), short(3.0)
    ('-', '0.25', '3')
    """
    if value is None or value != value:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
