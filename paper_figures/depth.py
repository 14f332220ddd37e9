"""Depth 2 L against depth L + 1: parameters and density against epsilon for a target with two layers.

Pensia et al. put a pair of random matrices in the place of each layer, so the source has four. Burkholz keeps copies of
every hidden neuron and needs three. Both run at the width that the bound asks for (derived, every constant), and at
smaller ones until the proved error first is at most epsilon.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType

import figure
import tickets
from figure import Row, must
from matplotlib.axes import Axes

from slth.errors import Ball
from slth.errors.recursion import scalar
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.theorems import burkholz2022_depth, pensia2020_subset_sum
from slth.theorems.copies import widened
from slth.theorems.copies_errors import by_norms, over_copies

TITLE = "Depth 2 L against depth L + 1: parameters and density"
THEOREMS = "pensia2020_subset_sum, burkholz2022_depth"
DATA = "random networks of layers of norm 1 with widths 2, 2, 1"
SECONDS = 120

WIDTHS = (2, 2, 1)


def by_copies(target: Target, ticket: Ticket, epsilon: float) -> float:
    """Two recursions over copies, and the l2 recursion against the target as a network as wide as the ticket."""
    ball = Ball(target.widths[0])
    ends = by_norms(target, ticket, ball), over_copies(target, ticket, ball), scalar(widened(target, ticket), ball)
    return min(end.value for end in ends)


TWICE, ONE_MORE = "depth 2 L (Pensia et al.)", "depth L + 1 (Burkholz)"
THEOREM: dict[str, tuple[ModuleType, tickets.Proved]] = {
    TWICE: (pensia2020_subset_sum, tickets.by_pairs),
    ONE_MORE: (burkholz2022_depth, by_copies),
}
COLOURS = dict(zip(THEOREM, figure.COLOURS[::2], strict=False))


def measure(construction: str, epsilon: float, seed: int) -> Row:
    theorem, proved = THEOREM[construction]
    found = tickets.measure(theorem, tickets.unit_target(WIDTHS, seed), epsilon, seed, proved)
    return {"construction": construction, "epsilon": epsilon, "seed": seed, **found}


def simulate(quick: bool) -> list[Row]:
    epsilons, seeds = ((0.4, 0.1), range(2)) if quick else ((0.4, 0.2, 0.1, 0.05, 0.02, 0.01), range(8))
    return [measure(construction, eps, seed) for construction in THEOREM for eps in epsilons for seed in seeds]


def rederive(row: Row) -> Row:
    return measure(row["construction"], row["epsilon"], row["seed"])  # type: ignore[arg-type]


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    """Parameters."""
    tickets.sizes(rows, ax, "parameters", COLOURS)
    tickets.against_epsilon(ax)
    ax.set_ylim(top=1e6)
    return figure.finish(ax, "dashed: at the bound's width (derived); dots: least width that works", loc="upper left")


def densities(rows: Sequence[Row], ax: Axes) -> Axes:
    """Kept weights over parameters."""
    tickets.sizes(rows, ax, "density", COLOURS)
    tickets.against_epsilon(ax)
    ax.set_ylim(top=1)
    return figure.finish(ax, "dashed: at the bound's width; dots: at the least width that works", loc="upper left")


PANELS = (draw, densities)


def check(rows: Sequence[Row]) -> list[str]:
    layers = len(WIDTHS) - 1
    for row in rows:
        depth = 2 * layers if row["construction"] == TWICE else layers + 1
        must(row["depth"] == depth, f"{row['construction']}: the source has depth {row['depth']}, expected {depth}")
    finest: float = min(row["epsilon"] for row in rows)  # type: ignore[type-var, assignment]
    size = tickets.largest_first(rows, finest)
    return [
        f"parameters that the bounds ask for at epsilon {finest:g}: "
        + ", ".join(f"{name} {value:,.0f}" for name, value in size.items()),
        tickets.check_sizes(rows),
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
