"""What all figure scripts share: a CSV that says how it was made, rows that can be derived again, files that repeat.

A figure is a script with five names:

    TITLE, THEOREMS, DATA, SECONDS   for the table in README.md; SECONDS is the limit of the full mode on two cores
    simulate(quick)                  rows; each holds everything that is needed to derive it again
    rederive(row)                    the same row, measured anew from its own settings
    draw(rows, ax)                   draws into the axes it is given; computes shares and quantiles of rows, no more
    check(rows)                      asserts that every point lies where theory says; returns what was found, in words

and, if it has several axes, PANELS, left to right: values of the column "panel", or functions like draw.

    python paper_figures/NAME.py               simulates, checks, writes data/NAME.csv, then NAME.pdf, .svg and .png
    python paper_figures/NAME.py --quick       the same with few draws, into the folder quick/
    python paper_figures/NAME.py --draw-only   draws the CSV that is there
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import os
import sys
import time
from collections.abc import Hashable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from slth.atomic import replacing
from slth.plots import FAILED_COLOUR, LOWER_COLOUR, STYLE, UPPER_COLOUR, save
from slth.plots_axes import PlainNumbers

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

HERE = Path(__file__).parent
Value = int | float | str | None
Row = dict[str, Value]

THEOREM, COUNTING, HEURISTIC = (0, (5, 2.5)), (0, (1, 1.8)), (0, (4, 1.5, 1, 1.5))
"""Dashes: a bound that suffices, a bound that is necessary, a law that proves nothing."""

COLOURS = (UPPER_COLOUR, LOWER_COLOUR, FAILED_COLOUR, "#CC79A7", "#E69F00", "0.35")
"""Of Okabe and Ito (2008), as in `slth.plots`."""

FALSE_ALARM = 1e-6
"""Of every statistical test of a committed row: if the claim holds, a check raises so rarely."""


class Script(Protocol):
    """The shape of a figure script."""

    __file__: str
    TITLE: str
    THEOREMS: str
    DATA: str
    SECONDS: int

    def simulate(self, quick: bool) -> list[Row]: ...

    def rederive(self, row: Row) -> Row: ...

    def draw(self, rows: Sequence[Row], ax: Axes) -> Axes: ...

    def check(self, rows: Sequence[Row]) -> list[str]: ...


def name(script: Script) -> str:
    """The script's file without its suffix."""
    return Path(script.__file__).stem


def must(holds: bool, says: str) -> None:
    """Raises AssertionError with a sentence unless a claim holds; also under ``python -O``."""
    if not holds:
        raise AssertionError(says)


def pick(rows: Iterable[Row], **wanted: Value) -> list[Row]:
    """The rows with these values."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def groups(rows: Iterable[Row], *keys: str) -> dict[Any, list[Row]]:
    """Rows by the values of one or several columns, in the order in which the values first come."""
    found: dict[Hashable, list[Row]] = {}
    for row in rows:
        found.setdefault(row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys), []).append(row)
    return found


# The file ------------------------------------------------------------------------------------------------------------


def write(path: Path, rows: Sequence[Row], header: dict[str, str]) -> None:
    """Rows under a header of commented lines; floats by their shortest exact form, None as an empty field."""
    text = io.StringIO()
    for key, value in header.items():
        text.write(f"# {key}: {value}\n")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with replacing(path) as file:
        file.write(text.getvalue().encode())


def read(path: Path) -> tuple[dict[str, str], list[Row]]:
    """The header and the rows of a CSV of `write`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    header = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    rows = csv.DictReader(line for line in lines if not line.startswith("# "))
    return header, [{key: _value(text) for key, text in row.items()} for row in rows]


def _value(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None


def differences(one: Row, other: Row) -> list[str]:
    """In which columns two rows differ: whole numbers and words at all, floats by more than 1e-6 of their size.

    Integers decide what a row counts; floats are evaluated bounds and errors, whose last digits are the libraries'.
    """
    said = []
    for key in sorted(one.keys() | other.keys()):
        a, b = one.get(key), other.get(key)
        near = isinstance(a, float) and isinstance(b, float | int) and math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12)
        if not (a == b or near):
            said.append(f"{key}: {a!r} and {b!r}")
    return said


def header(script: Script, rows: Sequence[Row], quick: bool, seconds: float) -> dict[str, str]:
    """How the rows were made."""
    seeds = sorted({int(row["seed"]) for row in rows if row.get("seed") is not None})  # type: ignore[arg-type]
    packages = ", ".join(f"{package} {version(package)}" for package in ("slth", "numpy", "numba", "torch"))
    return {
        "figure": script.TITLE,
        "command": f"python paper_figures/{name(script)}.py" + (" --quick" if quick else ""),
        "versions": f"python {sys.version.split()[0]}, {packages}",
        "seeds": f"{seeds[0]} to {seeds[-1]} ({len(seeds)})" if seeds else "none",
        "seconds": f"{seconds:.1f}",
        "cores": str(os.cpu_count()),
        **getattr(script, "provenance", dict)(),
    }


# The drawing ---------------------------------------------------------------------------------------------------------


def render(script: Script, rows: Sequence[Row]) -> Figure:
    """The figure of some rows: one axes per panel."""
    panels = getattr(script, "PANELS", (None,))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=getattr(script, "SIZE", (6.6 * len(panels), 4.6)), layout="constrained")
        for ax, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            if callable(panel):
                panel(rows, ax)
            else:
                script.draw(rows if panel is None else pick(rows, panel=panel), ax)
        figure.draw_without_rendering()
    return figure


def finish(ax: Axes, title: str, columns: int = 1, **legend: Any) -> Axes:
    """Title, spines, grid and legend as in `slth.plots`."""
    ax.set_title(title, fontsize=10.5, color="0.25", loc="left")
    ax.tick_params(which="both", direction="out", color="0.5")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("0.5")
    ax.grid(which="major", color="0.92", linewidth=0.7)
    ax.set_axisbelow(True)
    if ax.get_yscale() == "log":
        ax.yaxis.set_major_formatter(PlainNumbers())
        ax.yaxis.set_minor_formatter(PlainNumbers())
    if ax.get_xlabel() == "samples $n$" and ax.get_xscale() == "linear":
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if ax.get_legend_handles_labels()[1]:
        ax.legend(**{"frameon": False, "fontsize": 9, "ncols": columns, **legend})
    return ax


def plain_ticks(ax: Axes) -> None:
    """1, 2, 5 times powers of ten on a logarithmic x axis, as plain numbers."""
    ax.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def points(ax: Axes, x: Sequence[float], ends: Sequence[tuple[float, float, float]], colour: str, label: str) -> None:
    """Estimates (middle, low, high) as dots with bars."""
    middle, low, high = zip(*ends, strict=True)
    ax.vlines(x, low, high, color=colour, alpha=0.4, linewidth=3, zorder=3)
    ax.plot(x, middle, "o", color=colour, markersize=4, zorder=4, label=label)


# The script ----------------------------------------------------------------------------------------------------------


def produce(script: Script, quick: bool, folder: Path) -> list[str]:
    """Simulates, checks, writes and draws; what the check found, in words."""
    started = time.perf_counter()
    rows = script.simulate(quick)
    seconds = time.perf_counter() - started
    found = script.check(rows)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    write(folder / "data" / f"{name(script)}.csv", rows, header(script, rows, quick, seconds))
    paint(script, folder)
    return [*found, f"{len(rows)} rows in {seconds:.1f} s"]


def paint(script: Script, folder: Path) -> None:
    """Draws the CSV of a folder beside it."""
    figure = render(script, read(folder / "data" / f"{name(script)}.csv")[1])
    for suffix in (".pdf", ".svg", ".png"):
        save(figure, folder / f"{name(script)}{suffix}")


def main(script: Script, arguments: Sequence[str] | None = None) -> None:
    """The command line of a figure script."""
    parser = argparse.ArgumentParser(description=script.TITLE)
    parser.add_argument("--quick", action="store_true", help="few draws, into quick/; under 20 seconds")
    parser.add_argument("--draw-only", action="store_true", help="draw the CSV that is there")
    parser.add_argument("--folder", type=Path, help="where to write; by default beside the scripts")
    chosen = parser.parse_args(arguments)
    folder = chosen.folder or (HERE / "quick" if chosen.quick else HERE)
    if chosen.draw_only:
        script.check(read(folder / "data" / f"{name(script)}.csv")[1])
        paint(script, folder)
    else:
        print("\n".join(produce(script, chosen.quick, folder)))
