"""Figures of the measured laws of subset sums. Rows of `slth.experiments` in, axes out; nothing is computed here.

As in `slth.plots`: every function draws into the axes it is given, or into those of a new figure that pyplot does
not know of. Dots are measured, bars are exact intervals, lines are bounds and laws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from slth.confidence import Interval
from slth.experiments.laws import FailureRow, MedianRow, SmallestRow
from slth.experiments.ticket_rows import CountRow, SizeRow
from slth.plots import FAILED_COLOUR, LOWER_COLOUR, UPPER_COLOUR
from slth.plots_axes import COUNTING, THEOREM, framed, on_axes


def median_errors(rows: Sequence[MedianRow], *, ax: Axes | None = None) -> Axes:
    """The median best error against n, with the heuristic law, on a logarithmic axis.

    Args:
        rows: of `slth.experiments.laws.median_errors`, of one law.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: no rows, or rows of several laws.

    >>> from slth.experiments import laws
    >>> median_errors(laws.median_errors(ns=[4, 6, 8], draws=50)).get_yscale()
    'log'
    """
    first = _one_law(rows)

    def draw(ax: Axes) -> None:
        n = [row.n for row in rows]
        label = r"$\frac{\ln 2}{2}\,2^{-n}\sqrt{\pi n\,\mathrm{E}X^2}\;e^{z^2/(n\,\mathrm{E}X^2)}$  (heuristic)"
        ax.plot(n, [row.predicted for row in rows], color="black", linewidth=1.3, label=label)
        _dots(ax, n, [row.error for row in rows], UPPER_COLOUR, f"measured, {first.draws} draws per n")
        ax.set(yscale="log", xlabel="samples $n$", ylabel=f"median best error for the target {first.target:g}")
        _finish(ax, f"samples from {first.law}")

    return on_axes(draw, ax)


def smallest_samples(rows: Sequence[SmallestRow], *, ax: Axes | None = None) -> Axes:
    """The smallest n that covers the window against epsilon, between the counting bound and the theorem.

    Args:
        rows: of `slth.experiments.laws.smallest_samples`, of one law, any sizes k.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes. A row whose sequences were too short is an arrow at its lower end.

    Raises:
        ValueError: no rows, or rows of several laws.

    >>> from slth.experiments import laws
    >>> smallest_samples(laws.smallest_samples(epsilons=[0.1, 0.03], draws=20, most=14)).get_xscale()
    'log'
    """
    first = _one_law(rows)

    def draw(ax: Axes) -> None:
        colours = (UPPER_COLOUR, LOWER_COLOUR, FAILED_COLOUR, "0.35")
        sizes = sorted({row.k for row in rows}, key=lambda k: k or 0)
        for i, k in enumerate(sizes):
            own = sorted((row for row in rows if row.k == k), key=lambda row: row.epsilon)
            epsilons, colour = [row.epsilon for row in own], colours[i % len(colours)]
            if k is None:
                theorem = [math.nan if row.theorem is None else row.theorem for row in own]
                ax.plot(epsilons, theorem, color="black", linestyle=THEOREM, linewidth=1.3,
                        label="suffice (theorem, derived)")  # fmt: skip
            _dots(ax, epsilons, [row.n for row in own], colour, "any subset" if k is None else f"subsets of {k}")
            ax.plot(epsilons, [row.counting for row in own], color=colour, linestyle=COUNTING, linewidth=1.3,
                    label="are necessary (counting, derived)" if i == 0 else None)  # fmt: skip
        ax.set(xscale="log", xlabel=r"tolerance $\varepsilon$", ylabel="samples $n$")
        ax.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 3.0)))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.invert_xaxis()
        ax.set_ylim(0, 1.35 * ax.get_ylim()[1])  # the legend stands above
        window = rf"$[-{first.window:g}, {first.window:g}]$"
        _finish(ax, f"cover {window} in {first.level:.0%} of {first.draws} draws; samples from {first.law}", columns=2)

    return on_axes(draw, ax)


def failure_probabilities(rows: Sequence[FailureRow], *, ax: Axes | None = None) -> Axes:
    """How often n samples leave a target uncovered, between the two bounds, on a logarithmic axis.

    Args:
        rows: of `slth.experiments.laws.failure_probabilities`, of one law.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes. Where no draw failed only the upper end of the interval is drawn.

    Raises:
        ValueError: no rows, or rows of several laws.

    >>> from slth.experiments import laws
    >>> failure_probabilities(laws.failure_probabilities(ns=[4, 6, 8], draws=50)).get_yscale()
    'log'
    """
    first = _one_law(rows)

    def draw(ax: Axes) -> None:
        n = [row.n for row in rows]
        ax.plot(n, [row.upper for row in rows], color="black", linestyle=THEOREM, linewidth=1.3,
                label="upper bound (derived)")  # fmt: skip
        ax.plot(n, [row.lower for row in rows], color="black", linestyle=COUNTING, linewidth=1.3,
                label="lower bound: all samples of one sign (derived)")  # fmt: skip
        _dots(ax, n, [row.probability for row in rows], UPPER_COLOUR, f"measured, {first.draws} draws")
        window, epsilon = f"{first.window:g}", f"{first.epsilon:g}"
        ax.set(yscale="log", xlabel="samples $n$")
        ax.set_ylabel(rf"P(a target of $[-{window}, {window}]$ is missed by ${epsilon}$)")
        ax.set_ylim(min(0.3 / first.draws, min(row.lower for row in rows if row.failures or row is first)), 1.6)
        _finish(ax, f"samples from {first.law}")

    return on_axes(draw, ax)


def count_distribution(rows: Sequence[CountRow], *, ax: Axes | None = None) -> Axes:
    """The distribution function of N / E N with its limit, that of sqrt(2) exp(-G^2 / 2).

    Args:
        rows: of `slth.experiments.ticket_counts.count_distribution`, of one law.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: no rows, or rows of several laws.

    >>> from slth.experiments import ticket_counts
    >>> count_distribution(ticket_counts.count_distribution(n=12, draws=50)).get_xlabel()
    '$y$'
    """
    first = _one_law(rows)

    def draw(ax: Axes) -> None:
        levels = [row.level for row in rows]
        limit = r"limit, $\sqrt{2}\,e^{-G^2/2}$ with $G$ normal (derived)"
        ax.plot(levels, [row.predicted for row in rows], color="black", linewidth=1.3, label=limit)
        measured = f"measured, n = {first.n}, {first.draws} draws"
        _dots(ax, levels, [row.share for row in rows], UPPER_COLOUR, measured)
        ax.set(xlim=(0, max(levels) * 1.03), ylim=(0, 1.05))
        ax.set_xlabel("$y$")
        ax.set_ylabel(r"P($N \leq y\,\mathrm{E}N$)")
        epsilon = f"{first.epsilon:g}"
        _finish(ax, rf"$N$ subsets within ${epsilon}$ of {first.target:g}; samples from {first.law}")

    return on_axes(draw, ax)


def counts_of_sizes(rows: Sequence[SizeRow], *, ax: Axes | None = None) -> Axes:
    """The mean number of subsets of every size within the tolerance, with the limit, on a logarithmic axis.

    Args:
        rows: of `slth.experiments.ticket_counts.counts_of_sizes`, of one law.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes. Sizes of which no subset was found have no dot.

    Raises:
        ValueError: no rows, or rows of several laws.

    >>> from slth.experiments import ticket_counts
    >>> counts_of_sizes(ticket_counts.counts_of_sizes(n=8, draws=20)).get_yscale()
    'log'
    """
    first = _one_law(rows)

    def draw(ax: Axes) -> None:
        found = [row for row in rows if row.mean > 0]
        ax.plot([row.k for row in rows], [row.predicted_mean for row in rows], color="black", linewidth=1.3,
                label="limit (heuristic)")  # fmt: skip
        ax.plot([row.k for row in found], [row.mean for row in found], "o", color=UPPER_COLOUR, markersize=4,
                label=f"measured, mean of {first.draws} draws")  # fmt: skip
        ax.set(yscale="log", xlabel="size $k$ of the subset", ylabel=r"subsets of size $k$, $\mathrm{E}N_k$")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        epsilon = f"{first.epsilon:g}"
        _finish(ax, rf"within ${epsilon}$ of {first.target:g}; {first.n} samples from {first.law}")

    return on_axes(draw, ax)


def _one_law(rows: Sequence[Any]) -> Any:
    if not rows:
        raise ValueError("no rows to draw: measure at least one")
    if len({row.law for row in rows}) > 1:
        raise ValueError(
            f"a figure shows one law; got {sorted({row.law for row in rows})}: draw each into axes of its own"
        )
    return rows[0]


def _dots(ax: Axes, x: Sequence[float], intervals: Sequence[Interval], colour: str, label: str) -> None:
    """Estimates with their intervals; an arrow up from the lower end where the estimate is infinite."""
    low, middle, high = (np.array([getattr(i, end) for i in intervals]) for end in ("low", "estimate", "high"))
    places, open_above = np.asarray(x, dtype=np.float64), ~np.isfinite(high)
    shown = np.isfinite(middle)
    top = np.where(open_above, np.where(shown, middle, low), high)
    ax.vlines(places, low, top, color=colour, alpha=0.45, linewidth=3, zorder=3)
    ax.plot(places[shown], middle[shown], "o", color=colour, markersize=4, zorder=4, label=label)
    up = open_above & np.isfinite(low)
    ax.plot(places[up], top[up], "^", color=colour, markersize=6, zorder=4)


def _finish(ax: Axes, title: str, columns: int = 1) -> None:
    ax.set_title(title, fontsize=10.5, color="0.25", loc="left")
    if ax.get_xscale() == "linear" and ax.get_xlabel() == "samples $n$":
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    framed(ax)
    ax.legend(frameon=False, fontsize=9.5, ncols=columns)
