"""The smallest number of candidates that is enough, as searched for, against what the theorem asks for."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from slth.plots import Curve
from slth.plots_axes import (
    COLOURS,
    COUNTING,
    MARKERS,
    THEOREM,
    WORDS,
    beside,
    framed,
    grouped,
    on_axes,
    scaled,
    values,
    words,
)


def smallest_n(
    brackets: pd.DataFrame, x: str, *, by: str | None = None, counting: Curve | None = None, ax: Axes | None = None
) -> Axes:
    """The bracket of the smallest n that is enough against an axis of the grid, and the theorem's n.

    Args:
        brackets: of `slth.smallest_n`, one row per cell; several at one x, of other seeds, stand side by side.
        x: see `slth.plots_axes.values`: epsilon, delta, width, depth or an option of the theorem.
        by: a column, or width or depth, with a colour for each of its values.
        counting: what is necessary, if it is known; dotted.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes, n on a logarithmic scale. A bar is an interval that holds with its confidence; an arrow says that
        even the largest n tried was not enough. The theorem's n is dashed, and absent where it names none.

    Raises:
        ValueError: no search is finished, or x is no axis.

    >>> from slth.experiments.search import smallest_n as search
    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> found = search(pensia, {"widths": (1, 1), "epsilon": [0.2, 0.1], "delta": 0.5}, most=16)
    >>> smallest_n(found, "epsilon").get_yscale()
    'log'
    """
    known = brackets[np.isfinite(values(brackets, "n_low"))] if len(brackets) else brackets
    known = known[np.isfinite(values(known, x))] if len(known) else known
    if known.empty:
        raise ValueError(f"none of {len(brackets)} searches is finished and has a number for {x}: nothing to draw")
    groups = grouped(known, by)

    def draw(ax: Axes) -> None:
        for i, (name, own) in enumerate(groups):
            at, low, high = (values(own, column) for column in (x, "n_low", "n_high"))
            at = beside(at, values(known, x), i, len(groups))
            colour, marker, open_ended = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], ~np.isfinite(high)
            ax.vlines(at, low, np.where(open_ended, 2 * low, high), color=colour, alpha=0.45, linewidth=4)
            middle = np.sqrt(low * np.where(open_ended, low, high))
            label = f"measured, {name}" if name else "smallest n that is enough, measured"
            ax.plot(at, middle, marker, color=colour, markersize=4, label=label)
            ax.plot(at[open_ended], 2 * low[open_ended], "^", color=colour, markersize=6)
            named = own[own["theorem_n"].notna()]
            asked = named["theorem_n"].astype(float).groupby(values(named, x)).max()
            named_once = None if i else "n that the theorem asks for"
            ax.plot(
                asked.index, asked, color=colour if by else "black", linestyle=THEOREM, linewidth=1.3, label=named_once
            )
        if counting is not None:
            ax.plot(counting.x, counting.y, color="black", linestyle=COUNTING, linewidth=1.3, label=counting.label)
        ax.set(yscale="log", xlabel=words(x), ylabel=WORDS["samples"])
        scaled(ax, values(known, x))
        unfinished = len(brackets) - len(known)
        note = f"; {unfinished} searches are not finished" * bool(unfinished)
        confidence = values(known, "confidence").min()
        ax.set_title(f"intervals at {confidence:.4g} each{note}", fontsize=10.5, color="0.25", loc="left")
        framed(ax)
        ax.legend(frameon=False, fontsize=9.5)

    return on_axes(draw, ax)
