"""Figures of sweeps: what the rows say, against any axis of the grid.

Points without a result, failed or lost, cannot be drawn: every figure says how many there are.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from numpy.typing import NDArray

from slth.plots import LOWER_COLOUR, UPPER_COLOUR, Curve
from slth.plots_axes import COLOURS, MARKERS, THEOREM, WORDS, beside, framed, grouped, on_axes, scaled, values, words


def errors(
    rows: pd.DataFrame,
    x: str,
    *,
    bound: Curve | None = None,
    quantiles: tuple[float, float] = (0.1, 0.9),
    ax: Axes | None = None,
) -> Axes:
    """The measured error against an axis of the grid: medians of both ends, with bands of quantiles.

    Args:
        rows: of `slth.sweep`, one per draw; draws with the same x are pooled.
        x: see `values`: width, depth, density, epsilon, delta, samples, candidates or any other.
        bound: a theorem's curve; dashed.
        quantiles: of the bands, 0 <= first < second <= 1.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes, the error on a logarithmic scale; the error that is asked for is a thin line. An error of 0 and an
        upper end that proves nothing (infinite) have no place there: the median of such draws is left out.

    Raises:
        ValueError: no row has a result, x is no axis, or the quantiles are out of order.

    >>> from slth.experiments.sweep import sweep
    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> rows = sweep(pensia, {"width": [2, 3], "depth": 1, "samples": 8, "seed": range(3)})
    >>> errors(rows, "width").get_ylabel()
    'largest error over the domain'
    """
    if not 0 <= quantiles[0] < quantiles[1] <= 1:
        raise ValueError(f"need two quantile levels 0 <= first < second <= 1; got {quantiles}")
    done, note = _done(rows)
    placed = np.isfinite(values(done, x))
    if not placed.any():
        raise ValueError(f"no draw has a number for {x}: there is nothing to draw")
    note += f"; {(~placed).sum()} draws without a number for {x}" * bool((~placed).any())
    done = done[placed]
    places, levels = values(done, x), (quantiles[0], 0.5, quantiles[1])
    at = np.unique(places)

    def draw(ax: Axes) -> None:
        ends = (("upper", UPPER_COLOUR, "v"), ("lower", LOWER_COLOUR, "^"))
        for name, colour, marker in ends:
            column = np.asarray(done[name], dtype=np.float64)
            low, middle, high = np.array([_quantiles(column[places == place], levels) for place in at]).T
            ax.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
            ax.plot(at, middle, color=colour, marker=marker, markersize=4, linewidth=1.7, label=WORDS[name])
        asked = np.array([np.median(done["epsilon"][places == place]) for place in at])
        ax.plot(at, asked, color="0.55", linewidth=0.8, label=r"$\varepsilon$, the error asked for")
        if bound is not None:
            ax.plot(bound.x, bound.y, color="black", linestyle=THEOREM, linewidth=1.3, label=bound.label)
        ax.set(yscale="log", xlabel=words(x), ylabel="largest error over the domain")
        scaled(ax, at)
        counts = _span(np.array([(places == place).sum() for place in at]))
        _finish(ax, f"medians and {quantiles[0]:.0%} to {quantiles[1]:.0%} bands of {counts} draws{note}")

    return on_axes(draw, ax)


def density_curve(rows: pd.DataFrame, *, bound: Curve | None = None, ax: Axes | None = None) -> Axes:
    """The density of the tickets against the overparameterisation of the source, one dot per draw.

    Args:
        rows: of `slth.sweep`.
        bound: a curve to compare with, over the overparameterisation; dashed.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes, both logarithmic. Filled dots are draws that are proved within epsilon, hollow ones are not; the line
        joins the medians of the filled. A ticket without any weight has no place there.

    Raises:
        ValueError: no row has a result, or every ticket is empty.
    """
    done, note = _done(rows)
    kept = values(done, "density") > 0
    if not kept.any():
        raise ValueError("every ticket is empty: there is no density to draw")
    note += f"; {(~kept).sum()} empty tickets" * bool((~kept).any())
    done = done[kept]
    x, y = values(done, "overparameterisation"), values(done, "density")
    good = (done["verdict"] == "holds").to_numpy(dtype=bool)

    def draw(ax: Axes) -> None:
        ax.plot(x[good], y[good], "o", color=UPPER_COLOUR, markersize=4, alpha=0.6, label="proved within epsilon")
        ax.plot(x[~good], y[~good], "o", color="0.45", markersize=4, markerfacecolor="none", label="not proved")
        at = np.unique(x[good])
        ax.plot(at, [np.median(y[good & (x == place)]) for place in at], color=UPPER_COLOUR, linewidth=1.2)
        if bound is not None:
            ax.plot(bound.x, bound.y, color="black", linestyle=THEOREM, linewidth=1.3, label=bound.label)
        ax.set(yscale="log", xlabel=WORDS["overparameterisation"], ylabel=WORDS["density"])
        scaled(ax, x)
        _finish(ax, f"{len(done)} draws{note}")

    return on_axes(draw, ax)


def phase_transition(table: pd.DataFrame, x: str, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """The success probability against an axis of the grid, with exact intervals, and 1 - delta where it is claimed.

    Args:
        table: of `slth.experiments.summaries.failures`, one row per cell.
        x: see `values`.
        by: a column, or width or depth, with a line for each of its values; without it no two rows may have the same x.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes. A theorem claims nothing where its hypotheses do not hold: there is no dashed line there.

    Raises:
        ValueError: no cell has a result, or a line has two values at one x.
    """
    known = _cells(table, "failure", x)
    groups = grouped(known, by)

    def draw(ax: Axes) -> None:
        for i, (name, own) in enumerate(groups):
            at = values(own, x)
            order = np.argsort(at, kind="stable")
            _single(at, f"phase transition{' of ' * bool(name)}{name}")
            at = beside(at, values(known, x), i, len(groups))
            colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
            good, low, high = (1 - values(own, column)[order] for column in ("failure", "failure_high", "failure_low"))
            ax.vlines(at[order], low, high, color=colour, alpha=0.45, linewidth=3)
            ax.plot(at[order], good, color=colour, marker=marker, markersize=4, linewidth=1.2, label=name or "measured")
            claimed = np.where(values(own, "claimed") < 1, 1 - values(own, "claimed"), np.nan)[order]
            if np.isfinite(claimed).any():
                ax.plot(at[order], claimed, color=colour if by else "black", linestyle=THEOREM, linewidth=1.3,
                        label=None if i else r"$1 - \delta$, claimed by the theorem")  # fmt: skip
        ax.set(ylim=(-0.03, 1.06), xlabel=words(x), ylabel="success probability")
        scaled(ax, values(known, x))
        _finish(ax, f"exact intervals; {_span(values(known, 'draws'))} draws{_missing(table)}")

    return on_axes(draw, ax)


def heat_map(table: pd.DataFrame, x: str, y: str, value: str, *, ax: Axes | None = None) -> Axes:
    """A column of a table of cells over two axes of the grid, each field with its number.

    Args:
        table: of `slth.experiments.summaries`, one row per cell.
        x: see `values`.
        y: likewise.
        value: a column such as "failure", "upper" or "density". Positive values that span a factor above 30 get a
            logarithmic scale.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes, both with one step per value of the grid; fields without a result are blank.

    Raises:
        ValueError: no cell has a finite value, or two cells fall on one field.
    """
    known = _cells(table, value, x, y)
    xs, ys, held = values(known, x), values(known, y), values(known, value)
    columns, lines = np.unique(xs), np.unique(ys)
    field = np.full((lines.size, columns.size), np.nan)
    for place in zip(np.searchsorted(lines, ys), np.searchsorted(columns, xs), held, strict=True):
        if not math.isnan(field[place[:2]]):
            raise ValueError(f"several cells have one {x} and one {y}: keep the rows of one value of the other axes")
        field[place[:2]] = place[2]

    def draw(ax: Axes) -> None:
        wide = held.min() > 0 and held.max() > 30 * held.min()
        share = value in ("failure", "proved")  # a constant field of which must not be scaled below 0
        norm = LogNorm() if wide else Normalize(0, 1) if share else None
        image = ax.imshow(field, origin="lower", aspect="auto", cmap="cividis", norm=norm)
        for (line, column), number in np.ndenumerate(field):
            if not math.isnan(number):
                dark = bool(np.asarray(image.norm(number)) < 0.5)
                ax.text(
                    column, line, f"{number:.2g}", ha="center", va="center", color="white" if dark else "black", size=9
                )
        ax.set(xlabel=words(x), ylabel=words(y))
        ax.set_xticks(range(columns.size), [f"{number:g}" for number in columns])
        ax.set_yticks(range(lines.size), [f"{number:g}" for number in lines])
        ax.figure.colorbar(image, ax=ax, label=words(value))
        ax.set_title(f"{len(known)} cells{_missing(table)}", fontsize=10.5, color="0.25", loc="left")

    return on_axes(draw, ax)


def _done(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows with a result, and what to say about the others."""
    done = rows[rows["status"] == "done"] if "status" in rows.columns else rows[:0]
    if done.empty:
        raise ValueError(f"none of {len(rows)} rows has a result: there is nothing to draw")
    lacking = len(rows) - len(done)
    return done, f"; {lacking} of {len(rows)} points without a result" if lacking else ""


def _cells(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The cells that have a finite number in all of these columns."""
    known = table
    for name in names:
        known = known[np.isfinite(values(known, name))] if len(known) else known
    if known.empty:
        raise ValueError(f"none of {len(table)} cells has a finite {' and '.join(names)}: there is nothing to draw")
    return known


def _missing(table: pd.DataFrame) -> str:
    lacking = int(table["missing"].sum()) if "missing" in table.columns else 0
    return f"; {lacking} points without a result" if lacking else ""


def _quantiles(column: NDArray[np.float64], levels: tuple[float, ...]) -> NDArray[np.float64]:
    """Order statistics, as infinite ends cannot be interpolated; what a logarithmic axis cannot show is NaN."""
    found = np.quantile(column, levels, method="inverted_cdf")
    return np.where(np.isfinite(found) & (found > 0), found, np.nan)


def _single(at: NDArray[np.float64], what: str) -> None:
    if np.unique(at).size < at.size:
        raise ValueError(f"the {what} has several cells at one place: keep one value of the other axes, or give by")


def _span(counts: NDArray[np.float64]) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low}" if low == high else f"{low} to {high}"


def _finish(ax: Axes, title: str) -> None:
    ax.set_title(title, fontsize=10.5, color="0.25", loc="left")
    framed(ax)
    ax.legend(frameon=False, fontsize=9.5)
