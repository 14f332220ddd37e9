"""What a folder of results holds, and its rows as one file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from slth.atomic import check_writable, replacing
from slth.experiments.measure import Outcome
from slth.experiments.points import key, points
from slth.experiments.store import Store
from slth.experiments.sweep import table_of

MOST_ERRORS = 5


def progress(folder: str | Path) -> dict[str, Any]:
    """Counts of a folder.

    Returns:
        done, failed and lost rows; open: points that were begun and have no row, under way or given up by a killed
        writer; missing: points of the planned grids that are neither (an adaptive search plans as it goes: its points
        are not among them); seconds of all draws; hosts; damaged lines, parts with a torn last line, and conflicts
        (equal points, different results); the commonest errors with their counts.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    store = Store(folder, create=False)
    counts = Counter(line["status"] for line in store.rows.values())
    planned = {key(point) for plan in store.plans if plan["search"] is None for point in points(plan["axes"])}
    unfinished = store.unfinished()
    runs = [line["run"] for line in store.rows.values()]
    errors = Counter(run["error"] for run in runs if run["error"])
    return {
        **{str(status): counts[status] for status in Outcome},
        "open": len(unfinished),
        "missing": len(planned - store.rows.keys() - set(unfinished)),
        "seconds": round(sum(run["seconds"] for run in runs), 3),
        "hosts": sorted({run["host"] for run in runs}),
        "damaged": store.damaged,
        "torn": store.torn,
        "conflicts": len(store.conflicts),
        "errors": dict(errors.most_common(MOST_ERRORS)),
    }


def rows_of(folder: str | Path) -> pd.DataFrame:
    """All rows of a folder, whichever sweep asked for them, ordered by their points.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    lines = Store(folder, create=False).rows.values()
    found = table_of((line["point"], line) for line in lines)
    if found.empty:
        return found
    order = ["theorem", "target", "widths", "target_seed", "epsilon", "delta", "samples", "seed", "trial", "key"]
    return found.sort_values(order, ignore_index=True)


def export(folder: str | Path, file: str | Path) -> int:
    """Writes the rows of a folder as .csv or .parquet.

    Returns:
        The number of rows.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: another suffix.
        ModuleNotFoundError: pyarrow is missing for Parquet.
    """
    path = check_writable(file, ".csv", ".parquet")
    rows = rows_of(folder)
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ModuleNotFoundError as fault:
            raise ModuleNotFoundError("Parquet needs pyarrow: pip install 'slth[parquet]'", name="pyarrow") from fault
        # The name ends in .partial while it is written, which pandas would take for no format at all.
        with replacing(path) as out:
            rows.to_parquet(out, engine="pyarrow", index=False)
    else:
        with replacing(path) as out:
            out.write(rows.to_csv(index=False).encode())
    return len(rows)
