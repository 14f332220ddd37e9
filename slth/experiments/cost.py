"""What a sweep will cost, before it is begun."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from slth.experiments.measure import Row, measure, source_of
from slth.experiments.points import Axes, Point, key, points
from slth.experiments.store import Store
from slth.experiments.summaries import cells


def cost(table: Axes, folder: str | Path) -> pd.DataFrame:
    """The cells of a sweep and the seconds that one process is likely to need for them; nothing is written.

    Seconds come from rows of the cell that are in the folder. For other cells they are scaled from the nearest known
    cost per random weight, that of a pilot draw of the cheapest cell if there is none: right within a factor of
    a few, no more. Of an adaptive search this is the cost of one draw per cell and n, with the theorem's own n.

    Args:
        table: of `slth.experiments.points.axes`.
        folder: of the results; it need not exist.

    Returns:
        One row per cell: theorem, target, widths, target_seed, epsilon, delta, samples, law, the options, points, done,
        source_weights, seconds (all that remains) and from ("rows", "pilot" or "scaled").
    """
    rows: Mapping[str, Row] = Store(folder, create=False).rows if Path(folder).is_dir() else {}
    found = []
    for own in cells(points(table)).values():
        known = [rows[name] for name in map(key, own) if name in rows and rows[name]["status"] == "done"]
        seconds = median(line["run"]["seconds"] for line in known) if known else None
        found.append((own, len(known), source_of(own[0]).parameters, seconds))
    rate, pilot = _rate(found)
    return pd.DataFrame([_row(own, done, weights, seconds, rate, pilot) for own, done, weights, seconds in found])


def _rate(found: list[tuple[list[Point], int, int, float | None]]) -> tuple[float, str]:
    """Seconds per random weight and the cell whose pilot draw gave it ("" if rows did)."""
    known = [seconds / weights for _, _, weights, seconds in found if seconds is not None]
    if known:
        return median(known), ""
    own, _, weights, _ = min(found, key=lambda cell: cell[2])
    measure(own[0])  # compiles and trains what is kept
    return measure(own[0])["run"]["seconds"] / weights, key(own[0])


def _row(own: list[Point], done: int, weights: int, seconds: float | None, rate: float, pilot: str) -> dict[str, Any]:
    point = own[0]
    origin = "rows" if seconds is not None else "pilot" if key(point) == pilot else "scaled"
    each = rate * weights if seconds is None else seconds
    widths = point["widths"]
    return {
        "theorem": point["theorem"],
        "target": point["target"],
        "widths": None if widths is None else "-".join(map(str, widths)),
        **{name: point[name] for name in ("target_seed", "epsilon", "delta", "samples", "law")},
        **point["options"],
        "points": len(own),
        "done": done,
        "source_weights": weights,
        "seconds": each * (len(own) - done),
        "from": origin,
    }
