"""Pensia et al. (2020), experiment 1 on MNIST: the published run, its repetition, and the theorem's own network.

A table, with its data in benchmarks/results/pensia_mnist.json, written by benchmarks/pensia_mnist.py; the header of the
CSV names its command and machine. "as published": every weight replaced by a subset sum of 21 candidates, no network is
pruned. "theorem": a random network of depth 4, pruned, with a proved error on the pixel cube. "control": changes of the
weights that are no tickets. The published run's own numbers are quoted from that file's docstring.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import figure
from figure import Row, must, pick
from matplotlib.axes import Axes

TITLE = "Pensia et al. (2020), experiment 1 on MNIST, as a table"
THEOREMS = "pensia2020_subset_sum"
DATA = "784-500-10 network with 97.19 % accuracy, 10,000 MNIST test images"
SECONDS = 5
SIZE = (11.5, 4.4)
RUN = "about 2 minutes: python benchmarks/pensia_mnist.py"

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
RESULTS = BENCHMARKS / "results" / "pensia_mnist.json"
WEIGHTS, ACCURACY = 397_000, 0.9719
PUBLISHED: Row = {"kept": 3_725_871, "seconds": 77_266.0}
"""On 36 cores."""


def _row(part: str, run: str, found: dict[str, Any], **more: Any) -> Row:
    keys = ("missed", "kept", "worst_residual", "accuracy", "changed_labels", "largest_error_l2", "seconds")
    row: Row = {"part": part, "run": run, "seed": 0 if part != "published" else None}
    return {**row, **{key: found.get(key) for key in keys}, "proved_lower": None, "proved_upper": None, **more}


def table(results: dict[str, Any]) -> list[Row]:
    """The rows of a JSON of benchmarks/pensia_mnist.py."""
    rows = [_row("published", "best, one draw per row", PUBLISHED)]
    rows += [_row("as published", run, one) for run, one in results["a_as_published"].items() if isinstance(one, dict)]
    for run, one in results["b_as_the_theorem_says"].items():
        sums, cube = one["subset_sums"], one["pixel_cube"]
        found = {**one["images"], **sums, "missed": sums["failed"], "kept": one["kept"], "seconds": one["seconds"]}
        rows.append(_row("theorem", run, found, proved_lower=cube["lower"], proved_upper=cube["upper"]))
    for run, one in results["c_controls"].items():
        rows.append(_row("control", run, one, proved_lower=one["lower"], proved_upper=one["upper"]))
    return rows


def simulate(quick: bool) -> list[Row]:
    """Reads the benchmark's results; the benchmark takes minutes and data of its own."""
    return table(json.loads(RESULTS.read_text(encoding="utf-8")))


def provenance() -> dict[str, str]:
    """For the header of the CSV."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {
        "source": f"benchmarks/results/{RESULTS.name}, written by: {results['command']}",
        "machine": ", ".join(str(results["machine"][key]) for key in ("processor", "cores", "date")),
    }


@cache
def _again() -> dict[str, Any]:
    sys.path.insert(0, str(BENCHMARKS))
    import pensia_mnist

    given = pensia_mnist.load_target(pensia_mnist.DATA / "pensia_fc2.npz")
    return pensia_mnist.as_published(given, *pensia_mnist.images())


def data() -> Path:
    """Where the benchmark looks for the network and the images."""
    sys.path.insert(0, str(BENCHMARKS))
    import pensia_mnist

    return pensia_mnist.DATA


def rederivable(row: Row) -> bool:
    """The part that takes seconds; the theorem's networks have 70 million weights."""
    return row["part"] == "as published"


def rederive(row: Row) -> Row:
    """Part "as published" anew, without the time it took.

    Raises:
        ValueError: another part.
    """
    if not rederivable(row):
        raise ValueError(
            f"only the rows as published are derived again; got {row['part']!r}: run benchmarks/pensia_mnist.py"
        )
    return {**_row("as published", str(row["run"]), _again()[str(row["run"])]), "seconds": row["seconds"]}


def _text(value: Any, form: str) -> str:
    return "" if value is None else format(value, form)


def _short(value: Any) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    heads = (
        "",
        "missed",
        "kept",
        "kept per\nweight",
        "accuracy",
        "labels\nchanged",
        "largest error\non the images",
        "proved error\non the pixel cube",
        "seconds",
    )
    cells = [
        [
            f"{row['part']}: {row['run']}".replace("<=", r"$\leq$"),
            _text(row["missed"], ",d"),
            _text(row["kept"], ",d"),
            _text(row["kept"] and row["kept"] / WEIGHTS, ".2f"),  # type: ignore[operator]
            _text(row["accuracy"], ".2%"),
            _text(row["changed_labels"], "d"),
            _text(row["largest_error_l2"], ".2g"),
            "" if row["proved_upper"] is None else f"[{_short(row['proved_lower'])}, {_short(row['proved_upper'])}]",
            _text(row["seconds"], ",.2g" if (row["seconds"] or 0) < 100 else ",.0f"),  # type: ignore[operator]
        ]
        for row in rows
    ]
    ax.set_axis_off()
    grid = ax.table(
        cells,
        colLabels=heads,
        loc="center",
        cellLoc="right",
        colWidths=[0.31, 0.06, 0.09, 0.07, 0.08, 0.07, 0.11, 0.13, 0.08],
    )
    grid.auto_set_font_size(False)
    grid.set_fontsize(8.5)
    grid.scale(1, 1.35)
    for (line, column), cell in grid.get_celld().items():
        cell.set_edgecolor("0.85")
        cell.set_linewidth(0.6)
        if line == 0:
            cell.set_height(cell.get_height() * 1.6)
        if column == 0:
            cell.set_text_props(ha="left")
    ax.set_title("784-500-10 network of 397,000 weights, 97.19 % accuracy", fontsize=10.5, color="0.25", loc="left")
    return ax


def check(rows: Sequence[Row]) -> list[str]:
    for sharing in ("row", "weight"):
        kept = [
            pick(rows, part="as published", run=f"{q}, one draw per {sharing}")[0]["kept"]
            for q in ("sparsest", "any", "best")
        ]
        must(kept == sorted(kept), f"sparsest, any and best keep {kept}, out of order")  # type: ignore[type-var]
    for row in pick(rows, part="as published"):
        must(row["missed"] or row["worst_residual"] <= 0.01, f"{row['run']}: none missed, yet a residual above 0.01")  # type: ignore[operator]
    for row in rows:
        if row["proved_upper"] is not None:
            must(row["proved_lower"] <= row["proved_upper"], f"{row['run']}: ends out of order")  # type: ignore[operator]
    tickets, controls = pick(rows, part="theorem"), pick(rows, part="control")
    certified: float = min(row["proved_upper"] for row in tickets)  # type: ignore[type-var, assignment]
    must(all(row["accuracy"] == ACCURACY and row["changed_labels"] == 0 for row in tickets), "a ticket changes a label")
    must(all(row["proved_upper"] > certified for row in controls), "a control passes for a ticket")  # type: ignore[operator]
    sparsest = pick(rows, part="as published", run="sparsest, one draw per row")[0]
    return [
        f"kept in the published run {PUBLISHED['kept']:,}, in its repetition {sparsest['kept']:,} (sparsest) to "
        f"{pick(rows, part='as published', run='best, one draw per row')[0]['kept']:,} (best)",
        f"all {len(tickets)} tickets keep every label; least proved error on the pixel cube {certified:.2g}",
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
