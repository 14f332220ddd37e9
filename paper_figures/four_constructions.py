"""Malach, Orseau, Pensia and Natale compared on one target: parameters and density against epsilon.

A random linear map with two inputs and two outputs, scaled to norm 1. Each construction runs at the width that its
bound asks for (derived, every constant), and at smaller ones until the proved error first is at most epsilon. Counting
asks every source for d^2 log2(1 / 2 epsilon) - 1 parameters, if it is to serve all d x d maps (lower, restated).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType

import figure
import tickets
from figure import Row, must
from matplotlib.axes import Axes

from slth.theorems import (
    malach2020_weights,
    natale2024_sparse,
    orseau2020_logarithmic,
    pensia2020_lower,
    pensia2020_subset_sum,
)

TITLE = "Four constructions compared: parameters and density against epsilon"
THEOREMS = "malach2020_weights, orseau2020_logarithmic, pensia2020_subset_sum, natale2024_sparse, pensia2020_lower"
DATA = "random linear maps of norm 1 with 2 inputs and 2 outputs"
SECONDS = 120

WIDTHS = (2, 2)
THEOREM: dict[str, ModuleType] = {
    "Malach et al.": malach2020_weights,
    "Natale et al.": natale2024_sparse,
    "Orseau et al.": orseau2020_logarithmic,
    "Pensia et al.": pensia2020_subset_sum,
}
COLOURS = dict(zip(THEOREM, (*figure.COLOURS[2:4], *figure.COLOURS[1::-1]), strict=True))


def measure(construction: str, epsilon: float, seed: int) -> Row:
    return {
        "construction": construction,
        "epsilon": epsilon,
        "seed": seed,
        "lower_parameters": pensia2020_lower.PARAMETERS.evaluate(d=WIDTHS[0], epsilon=epsilon),
        **tickets.measure(THEOREM[construction], tickets.unit_target(WIDTHS, seed), epsilon, seed),
    }


def simulate(quick: bool) -> list[Row]:
    epsilons, seeds = ((0.4, 0.2), range(2)) if quick else ((0.4, 0.2, 0.1, 0.05, 0.02), range(6))
    return [measure(construction, eps, seed) for construction in THEOREM for eps in epsilons for seed in seeds]


def rederive(row: Row) -> Row:
    return measure(row["construction"], row["epsilon"], row["seed"])  # type: ignore[arg-type]


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    """Parameters."""
    tickets.sizes(rows, ax, "parameters", COLOURS)
    tickets.lower_curve(rows, ax, "are necessary (counting)")
    tickets.against_epsilon(ax)
    return figure.finish(ax, "dashed: at the bound's width (derived); dots: least width that works", loc="upper left")


def densities(rows: Sequence[Row], ax: Axes) -> Axes:
    """Kept weights over parameters."""
    tickets.sizes(rows, ax, "density", COLOURS)
    tickets.against_epsilon(ax)
    return figure.finish(ax, "dashed: at the bound's width; dots: at the least width that works", loc="lower left")


PANELS = (draw, densities)


def check(rows: Sequence[Row]) -> list[str]:
    found = tickets.check_sizes(rows)
    finest: float = min(row["epsilon"] for row in rows)  # type: ignore[type-var, assignment]
    size = tickets.largest_first(rows, finest)
    must(next(iter(size)) == "Malach et al.", f"bounds ask in the order {list(size)}")
    return [
        f"parameters that the bounds ask for at epsilon {finest:g}, largest first: "
        + ", ".join(f"{name} {value:,.0f}" for name, value in size.items()),
        found,
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
