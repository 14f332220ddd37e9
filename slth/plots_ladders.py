"""Figures of one error: every method's end of it."""

from __future__ import annotations

import math

from matplotlib.axes import Axes

from slth.errors.interval import ErrorInterval, Lower
from slth.plots import LOWER_COLOUR, UPPER_COLOUR
from slth.plots_axes import framed, on_axes


def error_ladder(error: ErrorInterval, *, epsilon: float | None = None, ax: Axes | None = None) -> Axes:
    """Every method's end of one error, from the weakest to the best: proved ones on top, attained ones below.

    Args:
        error: of `slth.errors.bracket`, with its ladder.
        epsilon: the error that is asked for; a thin line.
        ax: where to draw; by default the axes of a new figure.

    Returns:
        The axes, the error on a logarithmic scale; ends of 0 have a label and no dot.

    Raises:
        ValueError: the interval has no ladder.
    """
    if not error.ladder:
        raise ValueError("this interval has no ladder: take one of slth.errors.bracket")
    ends = sorted(error.ladder, key=lambda end: (not isinstance(end, Lower), end.value))

    def draw(ax: Axes) -> None:
        ax.axvspan(max(error.lower, 1e-300), error.upper, color=UPPER_COLOUR, alpha=0.12, linewidth=0)
        for place, end in enumerate(ends):
            lower = isinstance(end, Lower)
            ax.plot([end.value or math.nan], [place], ">" if lower else "<", markersize=6,
                    color=LOWER_COLOUR if lower else UPPER_COLOUR)  # fmt: skip
        ax.set_yticks(range(len(ends)), [f"{end.method}  {end.value:.3g}" for end in ends])
        if epsilon is not None:
            ax.axvline(epsilon, color="0.55", linewidth=0.8)
            ax.annotate(
                r"$\varepsilon$", (epsilon, 1), (3, -9), ax.get_xaxis_transform(), "offset points", color="0.35"
            )
        ax.set(xscale="log", xlabel=f"error ({error.norm}) over the {error.domain}")
        ax.set_title("attained (green, right) and proved (blue, left)", fontsize=10.5, color="0.25", loc="left")
        framed(ax)

    return on_axes(draw, ax, (7, 1.4 + 0.3 * len(ends)))
