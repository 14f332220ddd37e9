"""Removing neurons against removing weights: the error of one ReLU neuron of two inputs against the hidden units D.

Neurons: whatever real output weights are put behind D hidden units with independent directions (so for every neuron
mask, with any rescaling), the error is at least tan(h / 2) / 2, h the angle to the nearest hidden kink (derived, proved
for each draw in integers), and at least pi / 16 D in half of the draws (derived). The dots are the best output weights,
by linear programming. Weights: subset sums of products, one per weight and side, a ReLU behind the output; the error is
proved for each ticket, and at most exponential in D (derived).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import figure
import numpy as np
from figure import Row, groups, must, pick
from matplotlib.axes import Axes

from slth.confidence import excess_p_value, quantile_interval
from slth.errors import Ball
from slth.errors.bracket import upper_ends
from slth.gadget import collapse
from slth.networks.target import Target
from slth.subset_sum.questions import nearest
from slth.theorems import ferre2026_neurons as ferre
from slth.theorems import pensia2020_subset_sum as pensia

TITLE = "Removing neurons against removing weights: error of one neuron against hidden units"
THEOREMS = "ferre2026_neurons, pensia2020_subset_sum"
DATA = "one ReLU neuron of norm 1 with two inputs, unit disk"
SECONDS = 60

ANGLE, DELTA = 1.0, 0.5
WEIGHTS = (math.cos(ANGLE), math.sin(ANGLE))
NORM_DOWN = 1 - 2.0**-40
"""Lest rounding lift the norm of the target above 1."""


def measure(pruned: str, hidden: int, seed: int) -> Row:
    row: Row = {"pruned": pruned, "hidden": hidden, "seed": seed}
    if pruned == "neurons":
        found = ferre.measure(WEIGHTS, ferre.isotropic(seed, hidden))
        half = math.pi / (16 * hidden)
        must(abs(ferre.UNITS_HALF.evaluate(epsilon=half) - hidden) < 1e-6, "UNITS_HALF solved for epsilon")
        return {**row, "error": found.error, "lower_draw": found.floor, "lower_median": half, "upper_median": None}
    target = Target.from_floats([[[NORM_DOWN * w for w in WEIGHTS]]])
    samples = hidden // 4  # two inputs, two sides
    source = pensia.source(target, 0.1, DELTA, seed, samples)
    ticket = pensia.construct(target, source, 0.1, nearest).ticket
    error = min(end.value for end in upper_ends(collapse(target, ticket), Ball(2)))
    guaranteed = pensia.guaranteed_error(target, samples, DELTA)
    return {**row, "error": error, "lower_draw": None, "lower_median": None, "upper_median": guaranteed}


def simulate(quick: bool) -> list[Row]:
    neurons = (4, 16, 64) if quick else (4, 8, 16, 32, 64, 128)
    weights = (8, 32, 64) if quick else (4, 8, 16, 24, 32, 48, 64, 80)
    seeds = range(20 if quick else 60)
    return [measure(p, d, s) for p, sizes in (("neurons", neurons), ("weights", weights)) for d in sizes for s in seeds]


def rederive(row: Row) -> Row:
    return measure(row["pruned"], row["hidden"], row["seed"])  # type: ignore[arg-type]


def middle(rows: Sequence[Row]) -> tuple[float, float, float]:
    """The median error with a 95 % interval."""
    found = quantile_interval([row["error"] for row in rows], 0.5)  # type: ignore[misc]
    return found.estimate, found.low, found.high


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    for pruned, colour, bound, label in (
        (
            "neurons",
            figure.COLOURS[2],
            "lower_median",
            r"neurons, at least $\pi / 16 D$ in half of the draws (derived)",
        ),
        ("weights", figure.COLOURS[0], "upper_median", "weights, at most this in half of the draws (derived)"),
    ):
        by_size = groups(pick(rows, pruned=pruned), "hidden")
        style = figure.COUNTING if pruned == "neurons" else figure.THEOREM
        ax.plot(list(by_size), [own[0][bound] for own in by_size.values()], color=colour, linestyle=style, label=label)
        draws = len(next(iter(by_size.values())))
        says = "best output weights" if pruned == "neurons" else "proved error of the ticket"
        ends = [middle(own) for own in by_size.values()]
        figure.points(ax, list(by_size), ends, colour, f"{pruned}: {says}, median of {draws}")
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="hidden units $D$ of the random network",
        ylabel="largest error over the unit disk",
    )
    ax.set_ylim(top=50)
    figure.plain_ticks(ax)
    return figure.finish(ax, "one ReLU neuron of norm 1, two inputs", loc="lower left")


def check(rows: Sequence[Row]) -> list[str]:
    slopes = {}
    for (pruned, hidden), own in groups(rows, "pruned", "hidden").items():
        errors = [row["error"] for row in own]
        if pruned == "neurons":
            must(all(row["lower_draw"] <= row["error"] for row in own), f"D = {hidden}: a readout beats its kink")  # type: ignore[operator]
            beyond = sum(error < own[0]["lower_median"] for error in errors)  # type: ignore[operator]
        else:
            beyond = sum(error > own[0]["upper_median"] for error in errors)  # type: ignore[operator]
        must(
            excess_p_value(beyond, len(own), DELTA) > figure.FALSE_ALARM,
            f"{pruned}, D = {hidden}: {beyond} draws beyond the bound",
        )
    for pruned, own in groups(rows, "pruned").items():
        sizes = groups(own, "hidden")
        medians = np.log2([middle(some)[0] for some in sizes.values()])
        against = np.log2(list(sizes)) if pruned == "neurons" else np.array(list(sizes))
        slopes[pruned] = float(np.polyfit(against, medians, 1)[0])
    return [
        f"neurons: median error falls like D^{slopes['neurons']:.2f} (fit)",
        f"weights: median error halves every {-1 / slopes['weights']:.1f} hidden units (fit)",
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
