"""The figures of one theorem's rows, and any figure as SVG that stands inside a page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from xml.etree import ElementTree

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slth import plots_searches, plots_sweeps
from slth.plots import REPRODUCIBLE, SUFFIXES
from slth.plots_axes import values
from slth.report.html import Html
from slth.report.rows import OPTION, short

AXES = ("samples", "width", "depth", "epsilon", "delta")
MOST_LINES, MOST_DOTS, MOST_FIELDS = 4, 2000, 150
SVG, LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


class Drawn(NamedTuple):
    """A figure and what it shows.

    Attributes:
        name: "error", "success", "failure", "density" or "smallest_n"; each at most once for a theorem.
        caption: in words, with the values of the axes that are held fixed.
        figure: in the style of this package.
    """

    name: str
    caption: str
    figure: Figure


def figures(rows: pd.DataFrame, cells: pd.DataFrame) -> Iterator[Drawn]:
    """The figures of a theorem's sweeps that the axes which vary give rise to; none for a single cell.

    Args:
        rows: of one theorem, one per draw.
        cells: of `slth.report.judged.judged`, one per cell.
    """
    varying = _varying(cells)
    if not varying:
        return
    main, others = varying[0], varying[1:]
    fixed, at = _fixed(rows, varying, {main})
    yield from _try("error", f"Error against {_plain(main)}{at}.", lambda: plots_sweeps.errors(fixed, main))
    by = _few(cells, others)
    kept, said = _fixed(cells, varying, {main, by})
    yield from _try("success", f"Success probability against {_plain(main)}{said}.",
                    lambda: plots_sweeps.phase_transition(kept, main, by=by))  # fmt: skip
    if others:
        kept, said = _fixed(cells, varying, {main, others[0]})
        if len(kept) <= MOST_FIELDS:
            yield from _try("failure", f"Failure probability over {_plain(main)} and {_plain(others[0])}{said}.",
                            lambda: plots_sweeps.heat_map(kept, main, others[0], "failure"))  # fmt: skip
    if main in ("samples", "epsilon", "delta") or main.startswith(OPTION):
        few = fixed[:MOST_DOTS]
        cut = f", the first {MOST_DOTS} of {len(fixed)} draws" if len(fixed) > MOST_DOTS else ""
        yield from _try("density", f"Density of the tickets against overparameterisation{at}{cut}.",
                        lambda: plots_sweeps.density_curve(few))  # fmt: skip


def searched_figures(brackets: pd.DataFrame) -> Iterator[Drawn]:
    """The figure of a theorem's searches; none for a single cell.

    Args:
        brackets: of `slth.report.judged.searched`, of one theorem.
    """
    varying = _varying(brackets) if len(brackets) else []
    if varying:
        main, by = varying[0], _few(brackets, varying[1:])
        kept, said = _fixed(brackets, varying, {main, by})
        yield from _try("smallest_n", f"Smallest number of candidates against {_plain(main)}{said}.",
                        lambda: plots_searches.smallest_n(kept, main, by=by))  # fmt: skip


def inline(figure: Figure, prefix: str, label: str) -> Html:
    """A figure as an <svg> element: the same bytes for the same figure, with identifiers of its own.

    Raises:
        ElementTree.ParseError: matplotlib wrote something that is no XML.
    """
    out = io.BytesIO()
    with matplotlib.rc_context(REPRODUCIBLE):
        figure.savefig(out, format="svg", metadata=SUFFIXES[".svg"])
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", LINK)
    root = ElementTree.fromstring(out.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for node in root.iter():
        for name, value in node.attrib.items():
            if name == "id":
                node.set(name, f"{prefix}-{value}")
            elif name == f"{{{LINK}}}href" and value.startswith("#"):
                node.set(name, f"#{prefix}-{value[1:]}")
            else:
                node.set(name, re.sub(r"url\(#", f"url(#{prefix}-", value))
    root.attrib |= {"role": "img", "aria-label": f"Figure: {label} The table has the numbers."}
    return Html(ElementTree.tostring(root, encoding="unicode"))


def _try(name: str, caption: str, draw: Callable[[], Axes]) -> Iterator[Drawn]:
    """The figure, unless the rows do not make one: the tables have their numbers anyway."""
    try:
        figure = draw().figure
    except ValueError:
        return
    assert isinstance(figure, Figure)
    yield Drawn(name, caption, figure)


def _varying(cells: pd.DataFrame) -> list[str]:
    """Axes with several values, the one with the most first."""
    options = [str(name) for name in cells.columns if str(name).startswith(OPTION)]
    counts = {}
    for name in (*AXES, *options):
        try:
            counts[name] = pd.Series(values(cells, name)).nunique()  # without what has no number, such as no samples
        except ValueError:  # a text, or targets without widths
            continue
    return sorted((name for name, count in counts.items() if count > 1), key=lambda name: -counts[name])


def _few(cells: pd.DataFrame, names: list[str]) -> str | None:
    """The first axis with few enough values for a line each."""
    return next((name for name in names if pd.Series(values(cells, name)).nunique() <= MOST_LINES), None)


def _fixed(table: pd.DataFrame, varying: list[str], free: set[str | None]) -> tuple[pd.DataFrame, str]:
    """The rows at the commonest value of every axis that is not free, and which values these are."""
    said, texts = [], ["target", "target_seed", "question", "assignment", "law"]
    for name in [*varying, *texts, *(() if free & {"width", "depth"} else ("widths",))]:
        if name in free:
            continue
        found = pd.Series(values(table, name), index=table.index) if name in varying else table[name].map(repr)
        if found.nunique(dropna=False) > 1:
            best = found.mode(dropna=False).iloc[0]
            table = table[found.isna() if best != best else found == best]
            said.append(f"{_plain(name)} {short(best)}")
    return table, f" at {', '.join(said)}" if said else ""


def _plain(name: str) -> str:
    return "candidates" if name == "samples" else name.removeprefix(OPTION).replace("_", " ")
