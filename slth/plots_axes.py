"""What the figures of this package share: axes of their own in one style, frames, and places along an axis."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation, LogLocator, NullFormatter
from numpy.typing import NDArray

from slth.plots import FAILED_COLOUR, LOWER_COLOUR, STYLE, UPPER_COLOUR

THEOREM, COUNTING = (0, (5, 2.5)), (0, (1, 1.8))
"""Dashes of a theorem's curve and of a counting bound's, as in `slth.plots`."""

COLOURS = (UPPER_COLOUR, LOWER_COLOUR, FAILED_COLOUR, "#CC79A7", "#56B4E9", "#E69F00")
"""Of several series in one figure; after Okabe and Ito (2008)."""

MARKERS = "osD^v<"
"""Of the same series, so that none is told by its colour alone."""


WORDS = {
    "candidates": "candidates per weight and side",
    "delta": r"failure probability allowed, $\delta$",
    "density": "density of the ticket (kept / total)",
    "depth": "depth of the target (layers)",
    "epsilon": r"error asked for, $\varepsilon$",
    "failure": "failure probability",
    "lower": "attained lower end of the error",
    "overparameterisation": "overparameterisation (weights of the source / of the target)",
    "samples": "candidates per weight and side",
    "upper": "proved upper end of the error",
    "width": "width of the target",
}
"""Axis labels; see `words`."""


def values(rows: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """A column of rows as numbers; width, depth and overparameterisation are worked out from other columns.

    Args:
        rows: of `slth.sweep`, or one row per cell of `slth.experiments.summaries`.
        name: a column; "width" (the largest of the widths), "depth" (how many layers) or "overparameterisation"
            (weights of the source over those of the target).

    Raises:
        ValueError: there is no such column, or it holds something that is no number.

    >>> values(pd.DataFrame({"widths": ["16-8-4", "2-2"]}), "depth").tolist()
    [2.0, 1.0]
    """
    derived = {
        "width": ("widths",),
        "depth": ("widths",),
        "overparameterisation": ("density", "kept_per_target_weight"),
    }
    needed = (name,) if name in rows.columns else derived.get(name, (name,))
    missing = [column for column in needed if column not in rows.columns]
    if missing:
        raise ValueError(
            f"the rows have no column {missing[0]!r} for {name!r}; they have {', '.join(map(str, rows.columns))}"
        )
    try:
        if name in rows.columns:
            return np.asarray(rows[name], dtype=np.float64)
        if name == "overparameterisation":
            ratio = np.asarray(rows["kept_per_target_weight"] / rows["density"], dtype=np.float64)
            return np.round(ratio, 9)  # equal ratios from different counts differ in their last bits
        widths = [[int(part) for part in text.split("-")] for text in rows["widths"]]
    except (TypeError, ValueError, AttributeError) as fault:
        raise ValueError(f"the column {needed[0]!r} holds something that is no number: {fault}") from fault
    return np.array([max(own) if name == "width" else len(own) - 1 for own in widths], dtype=np.float64)


def grouped(rows: pd.DataFrame, by: str | None) -> list[tuple[str, pd.DataFrame]]:
    """Rows by the values of a column, or of what `values` works out, each with its label; all of them without `by`.

    >>> [name for name, _ in grouped(pd.DataFrame({"widths": ["16-8-4", "2-2"]}), "depth")]
    ['depth 1', 'depth 2']
    """
    if by is None:
        return [("", rows)]
    own = rows[by] if by in rows.columns else pd.Series(values(rows, by), index=rows.index)
    name = by.removeprefix("option ").replace("_", " ")
    return [
        (f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}", part)
        for value, part in rows.groupby(own, dropna=False)
    ]


def words(name: str) -> str:
    """The label of an axis.

    >>> words("samples"), words("option density")
    ('candidates per weight and side', 'density, an option of the theorem')
    """
    option = name.removeprefix("option ")
    return WORDS.get(name, name if option == name else f"{option}, an option of the theorem")


def on_axes(draw: Callable[[Axes], None], ax: Axes | None, size: tuple[float, float] = (7, 4.5)) -> Axes:
    """Draws into the axes that are given, or into those of a new figure in the style of this package."""
    if ax is not None:
        draw(ax)
        return ax
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        ax = figure.add_subplot()
        draw(ax)
        figure.draw_without_rendering()  # matplotlib makes tick labels late: here, while the style holds
    return ax


class PlainNumbers(LogFormatterSciNotation):
    """Labels of a logarithmic axis: 0.2 instead of a product with a power of ten where the axis is short enough."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label at a place; empty at places that have none."""
        text: str = super().__call__(x, pos)
        assert self.axis is not None  # as in the call above
        low, high = self.axis.get_view_interval()
        return f"{x:g}" if text and low >= 1e-3 and high < 1e4 else text


def framed(ax: Axes) -> None:
    """Ticks, spines and grid: quiet."""
    if ax.get_yscale() == "log":
        ax.yaxis.set_major_formatter(PlainNumbers())
        ax.yaxis.set_minor_formatter(PlainNumbers())
    ax.tick_params(which="both", direction="out", color="0.5")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("0.5")
    ax.grid(which="major", color="0.92", linewidth=0.7)
    ax.set_axisbelow(True)


def beside(at: NDArray[np.float64], x: NDArray[np.float64], i: int, groups: int) -> NDArray[np.float64]:
    """Places of group i, a little apart from those of the others, lest equal values hide one another.

    Args:
        at: the group's own places.
        x: those of all groups; they decide the scale as in `scaled`.
        i: 0 to groups - 1.
        groups: how many there are; a single one stays in its place.
    """
    share = 0.012 * (i - (groups - 1) / 2)
    first, last = float(x.min()), float(x.max())
    return at * (last / first) ** share if 0 < 4 * first <= last else at + (last - first) * share


def scaled(ax: Axes, x: NDArray[np.float64]) -> None:
    """A logarithmic x axis where positive places span a factor of 4 or more; few places are the ticks themselves."""
    at = np.unique(x)
    if at[0] > 0 and at[-1] >= 4 * at[0]:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0), numticks=12))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    if at.size <= 8:
        ax.set_xticks(at, [f"{place:g}" for place in at])
        ax.set_xticks([], minor=True)
