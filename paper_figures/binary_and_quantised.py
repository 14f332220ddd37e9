"""Sources of signs and of few bits: parameters against the error, or against the bits of a target that is met exactly.

Left, weights -1 and 1: by counting units (Diffenderfer and Kailkhura: twice the depth, width of order 1 / epsilon) and
by registers that double (Sreenivasan et al.: depth and width logarithmic). Counting asks for d^2 log2(1 / 2 epsilon) -
1 parameters (restated). Right, Kumar and Natale: targets of k bits in sources of half as many, the proved error is 0; a
source that holds every such map has at least d^2 log2(2^(k + 1) + 1) + log2(1 - delta) parameters (derived).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType

import figure
import tickets
from figure import Row, must, pick
from matplotlib.axes import Axes

from slth.errors import Ball
from slth.errors.recursion import scalar
from slth.networks.examples import random_target
from slth.networks.precision import quantised
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.theorems import (
    counted_units,
    diffenderfer2021_multiprize,
    kumar2025_quantised,
    pensia2020_lower,
    registers,
    sreenivasan2022_binary,
)

TITLE = "Binary and quantised sources: parameters against error and against bits"
THEOREMS = "diffenderfer2021_multiprize, sreenivasan2022_binary, kumar2025_quantised, pensia2020_lower"
DATA = "random linear maps of norm 1 (right: of k bits) with 2 inputs and 2 outputs"
SECONDS = 120
PANELS = ("signs", "few bits")

WIDTHS = (2, 2)
BY_UNITS, BY_REGISTERS, EXACT = (
    "counted units (Diffenderfer and Kailkhura)",
    "registers (Sreenivasan et al.)",
    "exact (Kumar and Natale)",
)


def by_units(target: Target, ticket: Ticket, epsilon: float) -> float:
    """The l2 recursion for the ticket over the product of its gains."""
    gains = counted_units.gains(target, epsilon)
    return scalar(counted_units.effective(target, ticket, gains), Ball(target.widths[0])).value


def by_registers(target: Target, ticket: Ticket, epsilon: float) -> float:
    """The l2 recursion for the ticket over its scale."""
    return scalar(registers.effective(target, ticket), Ball(target.widths[0])).value


THEOREM: dict[str, tuple[ModuleType, tickets.Proved]] = {
    BY_UNITS: (diffenderfer2021_multiprize, by_units),
    BY_REGISTERS: (sreenivasan2022_binary, by_registers),
    EXACT: (kumar2025_quantised, tickets.by_pairs),
}
COLOURS = dict(zip(THEOREM, (figure.COLOURS[2], figure.COLOURS[0], figure.COLOURS[1]), strict=True))


def measure(construction: str, epsilon: float, bits: int | None, seed: int) -> Row:
    theorem, proved = THEOREM[construction]
    if bits is None:
        target = tickets.unit_target(WIDTHS, seed)
        lower = pensia2020_lower.PARAMETERS.evaluate(d=WIDTHS[0], epsilon=epsilon)
    else:
        target = quantised(random_target(WIDTHS, seed), bits)
        lower = kumar2025_quantised.PARAMETERS.evaluate(d=WIDTHS[0], M=2**bits, delta=tickets.DELTA)
    return {
        "panel": PANELS[bits is not None],
        "construction": construction,
        "epsilon": epsilon,
        "bits": bits,
        "seed": seed,
        "lower_parameters": lower,
        **tickets.measure(theorem, target, epsilon, seed, proved),
    }


def simulate(quick: bool) -> list[Row]:
    seeds = range(2 if quick else 6)
    errors, bits = ((0.4, 0.1), (2, 6)) if quick else ((0.4, 0.2, 0.1, 0.05, 0.02), (2, 4, 6, 8, 10))
    rows = [measure(name, eps, None, seed) for name in (BY_UNITS, BY_REGISTERS) for eps in errors for seed in seeds]
    return rows + [measure(EXACT, 0.0, k, seed) for k in bits for seed in seeds]


def rederive(row: Row) -> Row:
    return measure(row["construction"], row["epsilon"], row["bits"], row["seed"])  # type: ignore[arg-type]


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    if rows[0]["panel"] == "signs":
        tickets.sizes(rows, ax, "parameters", COLOURS)
        tickets.lower_curve(rows, ax, "are necessary (counting)")
        tickets.against_epsilon(ax)
        return figure.finish(
            ax, "weights -1 and 1; dashed: at the bound's width, dots: least that works", loc="center right"
        )
    tickets.sizes(rows, ax, "parameters", COLOURS, "bits")
    tickets.lower_curve(rows, ax, "are necessary (counting)", "bits")
    ax.set_xlabel("bits $k$ of the weights of the target")
    ax.set_ylim(top=30_000)
    return figure.finish(ax, "error 0; dashed: at the bound's width, dots: least that works", loc="upper left")


def check(rows: Sequence[Row]) -> list[str]:
    exact = pick(rows, panel="few bits")
    held = [row for row in exact if row["error"] == 0]
    must(all(row["failed"] == 0 for row in held), "a quantised ticket equals its target though subset sums missed")
    finest: float = min(row["epsilon"] for row in pick(rows, panel="signs"))  # type: ignore[type-var, assignment]
    size = tickets.largest_first(pick(rows, panel="signs"), finest)
    return [
        f"signs at epsilon {finest:g}: " + ", ".join(f"{name} {value:,.0f} parameters" for name, value in size.items()),
        tickets.check_sizes(pick(rows, panel="signs")),
        f"{len(held)} of {len(exact)} quantised tickets equal their targets; " + tickets.check_sizes(exact, "bits"),
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
