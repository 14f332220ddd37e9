"""Figures: data in, axes out. Nothing is computed here beyond quantiles of the data that are given.

Every function draws into the axes it is given, or into those of a new figure that pyplot does not know of, so
that neither the user's current figure nor the user's settings change. `save` writes the same bytes for the
same figure.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Transform
from numpy.typing import ArrayLike, NDArray

from slth.atomic import check_writable, replacing

UPPER_COLOUR, LOWER_COLOUR, FAILED_COLOUR = "#0072B2", "#009E73", "#D55E00"
"""Blue, bluish green and vermillion of Okabe and Ito (2008): told apart with any colour vision, and in
grey."""

STYLE: dict[Any, Any] = {
    "font.family": ["cmr10", "STIXGeneral", "DejaVu Serif"],
    "font.size": 10.5,
    "mathtext.fontset": "cm",
    "axes.formatter.use_mathtext": True,
    "axes.unicode_minus": False,
}
"""Settings of the figures that this module makes; axes that it is given keep their own."""

REPRODUCIBLE: dict[Any, Any] = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "slth"}
"""Settings in force while a figure is saved."""

SUFFIXES = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Formats that `save` writes, with the metadata it leaves out: dates and versions would change the bytes."""


class Curve(NamedTuple):
    """A bound to draw beside the data.

    Attributes:
        x: candidates per weight and side, shape (points,), increasing.
        y: the bound, shape (points,), positive; infinite values are left out.
        label: what it is and where it comes from, such as "Theorem 1, explicit constants (derived)".
    """

    x: ArrayLike
    y: ArrayLike
    label: str


def error_intervals(
    candidates: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    epsilon: float,
    failed: ArrayLike | None = None,
    theorem: Curve | tuple[ArrayLike, ArrayLike, str] | None = None,
    counting: Curve | tuple[ArrayLike, ArrayLike, str] | None = None,
    quantiles: tuple[float, float] = (0.1, 0.9),
    ax: Axes | None = None,
) -> Axes:
    """Measured errors of many draws against the theorem and the counting bound, on logarithmic axes.

    One row per draw. For every number of candidates: the median proved upper end and the median attained
    lower end of the error with the interval between them filled, a light band of quantiles of each over the
    draws, and a cross for every draw in which a subset sum missed its tolerance.

    Args:
        candidates: per weight and side, shape (draws,), positive; equal values belong together.
        lower: attained error of every draw, shape (draws,), positive and finite.
        upper: proved error of every draw, shape (draws,), at least `lower` and finite.
        epsilon: the error that is asked for, > 0; a thin horizontal line.
        failed: whether a subset sum of the draw failed or stayed undecided, shape (draws,), bool or counts.
        theorem: the error that the theorem guarantees; dashed.
        counting: the error below which counting proves that no ticket goes; dotted.
        quantiles: of the light bands, 0 <= first < second <= 1.
        ax: where to draw; by default the axes of a new figure of 7 by 4.5 inches.

    Returns:
        The axes. Their frame spans the data, epsilon and the x range of the curves; a curve that leaves it is
        cut.

    Raises:
        ValueError: shapes differ, there are no draws, or a number is NaN, infinite, not positive or out of
            order.

    >>> ax = error_intervals([4, 4, 8, 8], [0.1, 0.2, 0.01, 0.02], [0.2, 0.3, 0.02, 0.03], epsilon=0.05)
    >>> ax.get_xscale(), ax.get_yscale()
    ('log', 'log')
    """
    x, low, high, crosses = _draws(candidates, lower, upper, failed)
    if not (np.isfinite(epsilon) and epsilon > 0):
        raise ValueError(f"epsilon, the error that is asked for, must be positive and finite; got {epsilon}")
    if not 0 <= quantiles[0] < quantiles[1] <= 1:
        raise ValueError(f"need two quantile levels 0 <= first < second <= 1; got {quantiles}")
    curves = {name: _curve(name, given) for name, given in (("theorem", theorem), ("counting", counting)) if given}
    if ax is None:
        with matplotlib.rc_context(STYLE):
            figure = Figure(figsize=(7, 4.5), layout="constrained")
            _draw(figure.add_subplot(), x, low, high, crosses, epsilon, curves, quantiles)
            figure.draw_without_rendering()  # matplotlib makes tick labels late: here, while the style holds
        return figure.axes[0]
    _draw(ax, x, low, high, crosses, epsilon, curves, quantiles)
    return ax


def mark_interval(candidates: float, lower: float, upper: float, label: str, *, ax: Axes) -> Axes:
    """Adds one measured interval that stands apart from the sweep, such as a draw at the theorem's own width.

    Args:
        candidates: per weight and side, > 0.
        lower: attained error, > 0.
        upper: proved error, at least `lower`.
        label: short text, below the interval and to its left.
        ax: axes of `error_intervals`.

    Returns:
        The axes.

    Raises:
        ValueError: a number is not positive and finite, or the ends are out of order.

    >>> ax = error_intervals([4, 8], [0.1, 0.01], [0.2, 0.02], epsilon=0.05)
    >>> [line.get_label() for line in mark_interval(40, 0.001, 0.002, "one draw", ax=ax).lines[-2:]]
    ['marked upper end', 'marked lower end']
    """
    x, low, high, _ = _draws([candidates], [lower], [upper], None)
    bottom, top = ax.get_ylim()
    with matplotlib.rc_context(STYLE):
        ax.plot([x[0], x[0]], [low[0], high[0]], color=UPPER_COLOUR, linewidth=4, alpha=0.3, zorder=4)
        ax.plot(x, high, color=UPPER_COLOUR, marker="v", markersize=4.5, zorder=5, label="marked upper end")
        ax.plot(x, low, color=LOWER_COLOUR, marker="^", markersize=4.5, zorder=5, label="marked lower end")
        _label(ax, x[0], low[0], label, (4, -12), "right", UPPER_COLOUR, height="top")
    ax.set_ylim(min(bottom, low[0] / 8), max(top, high[0] * 6))
    return ax


def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Writes a figure as PNG, SVG or PDF: the same bytes for the same figure, whole or not at all.

    The bytes depend on the versions of matplotlib and of its fonts, not on the date. The file appears at
    once, by a rename within its folder.

    Args:
        figure: of any function here (``ax.figure``), or any other.
        path: ends in .png, .svg or .pdf; its folder exists. A file there is replaced.

    Returns:
        The path.

    Raises:
        ValueError, PermissionError: another suffix, or no file can be written there.
        OSError: writing failed; nothing is left behind.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Figure(), Path(folder) / "empty.svg").name
    'empty.svg'
    """
    path = check_writable(path, *SUFFIXES)
    kind = path.suffix.lower()
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns of the fixed dates in a PDF
    with replacing(path) as file, matplotlib.rc_context(REPRODUCIBLE):
        figure.savefig(file, format=kind[1:], dpi=200, metadata=SUFFIXES[kind])
    return path


def _draws(
    candidates: ArrayLike, lower: ArrayLike, upper: ArrayLike, failed: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """The columns as arrays, checked."""
    x, low, high = (np.asarray(column, dtype=np.float64) for column in (candidates, lower, upper))
    marks = np.zeros(x.shape, dtype=bool) if failed is None else np.asarray(failed).astype(bool)
    if x.ndim != 1 or x.size == 0 or not x.shape == low.shape == high.shape == marks.shape:
        raise ValueError(
            "need one entry per draw in candidates, lower, upper and failed, and at least one draw; got "
            f"shapes {x.shape}, {low.shape}, {high.shape}, {marks.shape}"
        )
    for name, column in (("candidates", x), ("lower", low), ("upper", high)):
        if not (np.isfinite(column).all() and (column > 0).all()):
            raise ValueError(
                f"{name} must be positive and finite, as the axes are logarithmic; got {column.min()} to {column.max()}"
            )
    if (low > high).any():
        first = int(np.argmax(low > high))
        raise ValueError(
            f"an attained error exceeds the proved one in draw {first}: lower {low[first]}, upper {high[first]}"
        )
    return x, low, high, marks


def _curve(name: str, given: Curve | tuple[ArrayLike, ArrayLike, str]) -> Curve:
    """A curve as arrays without its infinite points, checked."""
    x, y, label = np.asarray(given[0], dtype=np.float64), np.asarray(given[1], dtype=np.float64), given[2]
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"the {name} curve needs x and y of one equal length; got shapes {x.shape} and {y.shape}")
    if np.isnan(x).any() or np.isnan(y).any() or (x <= 0).any() or (y <= 0).any():
        raise ValueError(f"the {name} curve must be positive, without NaN, as the axes are logarithmic")
    return Curve(x[np.isfinite(y)], y[np.isfinite(y)], label)


def _draw(
    ax: Axes,
    x: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    crosses: NDArray[np.bool_],
    epsilon: float,
    curves: dict[str, Curve],
    quantiles: tuple[float, float],
) -> None:
    _frame(ax, x, low, high, epsilon, curves)
    ax.axhline(epsilon, color="0.55", linewidth=0.8, zorder=1, label="epsilon")
    beside = ax.get_yaxis_transform()
    _label(ax, 1.0, epsilon, rf"$\varepsilon = {epsilon:g}$", (-2, 3), "right", "0.35", coordinates=beside)
    _measured(ax, x, low, high, quantiles)
    if crosses.any():
        _crosses(ax, x[crosses], high[crosses], x.size)
    for name, style in (("theorem", (0, (5, 2.5))), ("counting", (0, (1, 1.8)))):
        if name in curves:
            _draw_curve(ax, curves[name], name, style)


def _frame(
    ax: Axes,
    x: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    epsilon: float,
    curves: dict[str, Curve],
) -> None:
    """Scales, limits, ticks, labels and grid."""
    bottom = min(low.min(), epsilon) / 4
    seen = [np.asarray(curve.x)[np.asarray(curve.y) >= bottom] for curve in curves.values()]
    left = min(x.min(), *(part.min(initial=np.inf) for part in seen), np.inf) / 1.1
    # The labels of the medians stand right of the data and need about two fifths of the width.
    right = max(x.max() * 3, left * (x.max() / left) ** 1.7, *(part.max(initial=0.0) * 1.15 for part in seen))
    ax.set(xscale="log", yscale="log", xlim=(left, right))
    ax.set_ylim(bottom, max(high.max(), epsilon) * 6)
    ax.set_xlabel("candidates per weight and side")
    ax.set_ylabel("largest error over the domain")
    ax.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_locator(LogLocator(10, numticks=9))
    ax.tick_params(which="both", direction="out", color="0.5")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("0.5")
    ax.grid(which="major", color="0.92", linewidth=0.7)
    ax.set_axisbelow(True)


def _measured(
    ax: Axes,
    x: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    quantiles: tuple[float, float],
) -> None:
    """Medians of both ends with the interval between them, bands of quantiles, direct labels."""
    counts = np.unique(x)
    levels = (quantiles[0], 0.5, quantiles[1])
    below, above = (np.array([np.quantile(ends[x == count], levels) for count in counts]).T for ends in (low, high))
    ax.fill_between(counts, below[1], above[1], color=UPPER_COLOUR, alpha=0.22, linewidth=0, zorder=2)
    for ends, colour, marker, name in (
        (above, UPPER_COLOUR, "v", "proved upper end"),
        (below, LOWER_COLOUR, "^", "attained lower end"),
    ):
        ax.fill_between(counts, ends[0], ends[2], color=colour, alpha=0.13, linewidth=0, zorder=2)
        ax.plot(counts, ends[1], color=colour, linewidth=1.7, marker=marker, markersize=3.6, zorder=4, label=name)
    draws = [int((x == count).sum()) for count in counts]
    number = f"{draws[0]}" if min(draws) == max(draws) else f"{min(draws)} to {max(draws)}"
    spread = f"medians and {quantiles[0]:.0%} to {quantiles[1]:.0%} bands of {number} draws"
    # At the right end, where steep curves leave room; the offsets keep the labels apart if the ends nearly
    # meet.
    _label(ax, counts[-1], above[1][-1], "proved upper end", (8, 3), "left", UPPER_COLOUR)
    _label(ax, counts[-1], below[1][-1], "attained lower end", (8, -9), "left", LOWER_COLOUR)
    _label(ax, counts[-1], below[1][-1], spread, (8, -20), "left", "0.4", size=8.5)


def _crosses(ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], draws: int) -> None:
    """One cross per failed draw, counted in the label."""
    ax.plot(x, y, "x", color=FAILED_COLOUR, markersize=3.4, markeredgewidth=0.8, zorder=5, label="failed")
    text = rf"$\times$ a subset sum missed its tolerance ({x.size} of {draws} draws)"
    _label(ax, x.min(), y[x == x.min()].max(), text, (7, 7), "left", FAILED_COLOUR)


def _draw_curve(ax: Axes, curve: Curve, name: str, style: tuple[int, tuple[float, ...]]) -> None:
    """A black curve, labelled where there is room: the theorem's on its left, another in the lower corner."""
    x, y = np.asarray(curve.x), np.asarray(curve.y)
    ax.plot(x, y, color="black", linewidth=1.3, linestyle=style, zorder=3, label=name)
    bottom, top = ax.get_ylim()
    inside = np.flatnonzero((y >= bottom) & (y <= top))
    if inside.size and name == "theorem":
        at = inside[int(0.3 * (inside.size - 1))]
        _label(ax, x[at], y[at], curve.label, (-8, 4), "right", "black", height="top")
    elif inside.size:  # below a falling curve the lower corner is free
        corner = "axes fraction"
        _label(ax, 0.0, 0.0, curve.label, (8, 8), "left", "black", height="bottom", coordinates=corner)


def _label(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    offset: tuple[float, float],
    align: str,
    colour: str,
    *,
    size: float = 10.0,
    height: str = "baseline",
    coordinates: str | Transform = "data",
) -> None:
    """Text beside a point, offset in points."""
    ax.annotate(
        text,
        (x, y),
        xycoords=coordinates,
        xytext=offset,
        textcoords="offset points",
        ha=align,
        va=height,
        multialignment=align,
        color=colour,
        fontsize=size,
        zorder=6,
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )
