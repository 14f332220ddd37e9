"""The ladder of error bounds by depth: how far each proved upper end is above the true error.

Tickets of random networks with two inputs, on the square [-1, 1]^2, where the true largest error is computed from the
linear cells of target and ticket. Each method bounds the same ticket: recursions multiply norms and lose a factor per
layer; averaged operators, coupled intervals and linear bounds of the difference lose less; splitting the square into
parts comes as near as its parts are many.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

import figure
import tickets
from figure import Row, groups, must, pick
from matplotlib.axes import Axes

from slth.errors import Box
from slth.errors.averaged import averaged
from slth.errors.cells import plane_error
from slth.errors.coupled import coupled
from slth.errors.differential import differential
from slth.errors.interval import Upper
from slth.errors.recursion import scalar, vector
from slth.errors.splitting import splitting
from slth.gadget import EffectiveLayer, collapse
from slth.subset_sum.questions import nearest
from slth.theorems import pensia2020_subset_sum as pensia

TITLE = "The ladder of error bounds by depth"
THEOREMS = "pensia2020_subset_sum"
DATA = "tickets of random networks of width 6 with 2 inputs and outputs, [-1, 1]^2"
SECONDS = 120

WIDTH, SAMPLES, BOXES = 6, 10, 300
METHODS: dict[str, Callable[[Sequence[EffectiveLayer], Box], Upper]] = {
    "scalar recursion": scalar,
    "averaged operators": averaged,
    "vector recursion": vector,
    "coupled intervals": coupled,
    "linear bounds": differential,
    f"splitting, {BOXES} parts": lambda layers, box: splitting(layers, box, boxes=BOXES).upper,
}


def ticket(depth: int, seed: int) -> tuple[EffectiveLayer, ...]:
    """What a ticket of a random target computes, layer by layer."""
    target = tickets.unit_target((2, *[WIDTH] * (depth - 1), 2), seed)
    source = pensia.source(target, 0.1, tickets.DELTA, seed, SAMPLES)
    return tuple(collapse(target, pensia.construct(target, source, 0.1, nearest).ticket))


def measure(depth: int, method: str, seed: int) -> Row:
    layers, box = ticket(depth, seed), Box.cube(2)
    row: Row = {"depth": depth, "method": method, "seed": seed}
    return {**row, "true_error": plane_error(layers, box), "upper": METHODS[method](layers, box).value}


def simulate(quick: bool) -> list[Row]:
    depths, seeds = ((1, 3), range(2)) if quick else ((1, 2, 3, 4, 5, 6), range(8))
    return [measure(depth, method, seed) for method in METHODS for depth in depths for seed in seeds]


def rederive(row: Row) -> Row:
    return measure(row["depth"], row["method"], row["seed"])  # type: ignore[arg-type]


def ratios(rows: Sequence[Row]) -> tuple[float, float, float]:
    """Upper end over true error, where that is not 0: geometric mean, least, largest."""
    found = [row["upper"] / row["true_error"] for row in rows if row["true_error"]]  # type: ignore[operator]
    return math.exp(math.fsum(map(math.log, found)) / len(found)), min(found), max(found)


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    for i, (method, colour) in enumerate(zip(METHODS, figure.COLOURS[::-1], strict=True)):
        own = groups(pick(rows, method=method), "depth")
        if own:
            ends = [ratios(some) for some in own.values()]
            beside = [depth + 0.08 * (i - (len(METHODS) - 1) / 2) for depth in own]  # lest bars hide one another
            figure.points(ax, beside, ends, colour, method)
            ax.plot(beside, [end[0] for end in ends], color=colour, linewidth=1)
    ax.axhline(1, color="0.55", linewidth=0.8)
    ax.set(yscale="log", xlabel="depth $L$ of the target", ylabel="proved upper end over the true error")
    seeds = len({row["seed"] for row in rows})
    return figure.finish(ax, f"tickets of width {WIDTH}, {seeds} draws: geometric mean and range", loc="upper left")


def check(rows: Sequence[Row]) -> list[str]:
    for row in rows:
        says = f"{row['method']}, depth {row['depth']}, seed {row['seed']}"
        must(row["upper"] >= row["true_error"] * (1 - 1e-9), f"{says}: upper end {row['upper']} below the true error")  # type: ignore[operator]
    deepest: int = max(row["depth"] for row in rows if row["true_error"])  # type: ignore[type-var, assignment]
    zero = len({(row["depth"], row["seed"]) for row in rows if not row["true_error"]})
    at = {method: ratios(own)[0] for method, own in groups(pick(rows, depth=deepest), "method").items()}
    must(min(at.values()) == at[f"splitting, {BOXES} parts"], f"splitting is not the best at depth {deepest}: {at}")
    said = ", ".join(f"{method} {value:.3g}" for method, value in at.items())
    return [
        f"all {len(rows)} upper ends above the true error, which is 0 in {zero} draws",
        f"times the true error at depth {deepest}: {said}",
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
