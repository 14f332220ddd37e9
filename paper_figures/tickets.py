"""What the figures of whole tickets share: one draw at the bound's width, and the least width that works on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType

import figure
from figure import Row, groups, must, pick
from matplotlib.axes import Axes

from slth.confidence import excess_p_value
from slth.errors import Ball
from slth.errors.recursion import scalar
from slth.gadget import collapse
from slth.networks.examples import random_target
from slth.networks.target import Target, rescaled
from slth.networks.ticket import Ticket
from slth.theorems.certificate import Construction
from slth.theorems.pairs import SLACK, norms

DELTA = 0.1
"""Failure probability that every bound here allows."""

Proved = Callable[[Target, Ticket, float], float]
"""The proved error of a ticket of a target on the unit ball, made for some epsilon."""


def unit_target(widths: Sequence[int], seed: int) -> Target:
    """A random target whose layers have norm 1 (up to 2^-40)."""
    drawn = random_target(widths, seed)
    return rescaled(drawn, [norm * (1 + SLACK) for norm in norms(drawn)])


def by_pairs(target: Target, ticket: Ticket, epsilon: float) -> float:
    """The l2 recursion, for tickets that collapse pair by pair; other upper ends may be smaller."""
    return scalar(collapse(target, ticket), Ball(target.widths[0])).value


def measure(theorem: ModuleType, target: Target, epsilon: float, seed: int, proved: Proved = by_pairs) -> Row:
    """The ticket at the bound's width, and the least width that works, on a grid of powers of sqrt 2.

    The sources of all widths have the same seed; None where none up to the bound's width works.
    """

    def made(samples: int | None) -> tuple[Construction, float]:
        source = theorem.source(target, epsilon, DELTA, seed, samples)
        construction = theorem.construct(target, source, epsilon)
        return construction, proved(target, construction.ticket, epsilon)

    found, error = made(None)
    row: Row = {
        "bound_samples": found.samples,
        "bound_parameters": found.ticket.source.parameters,
        "bound_kept": found.ticket.kept,
        "depth": found.ticket.source.depth,
        "failed": found.failed,
        "error": error,
        "least_samples": None,
        "least_parameters": None,
        "least_kept": None,
    }
    grid = {math.ceil(2 ** (i / 2)) for i in range(2 * found.samples.bit_length() + 2)}
    for samples in sorted({n for n in grid if n < found.samples} | {found.samples}):
        smaller, error = made(samples)
        if error <= epsilon:
            sizes = {"samples": samples, "parameters": smaller.ticket.source.parameters, "kept": smaller.ticket.kept}
            row.update({f"least_{key}": value for key, value in sizes.items()})
            break
    return row


def spread(values: Sequence[float | None]) -> tuple[float, float, float]:
    """Middle, least and largest; what never worked is infinite."""
    ordered = sorted(math.inf if value is None else value for value in values)
    return ordered[len(ordered) // 2], ordered[0], ordered[-1]


def amount(row: Row, prefix: str, quantity: str) -> float | None:
    """Parameters of the source, or the density of the ticket, at the bound's or at the least width."""
    parameters, kept = row[f"{prefix}_parameters"], row[f"{prefix}_kept"]
    return parameters if quantity == "parameters" or parameters is None else kept / parameters  # type: ignore[return-value, operator]


def sizes(rows: Sequence[Row], ax: Axes, quantity: str, colours: dict[str, str], against: str = "epsilon") -> None:
    """One quantity at the bound's width (dashed) and at the least one that works (dots), per construction."""
    for construction, colour in colours.items():
        own = groups(pick(rows, construction=construction), against)
        if own:
            bound = [spread([amount(row, "bound", quantity) for row in some])[0] for some in own.values()]
            ax.plot(list(own), bound, color=colour, linestyle=figure.THEOREM, linewidth=1.3)
            ends = [spread([amount(row, "least", quantity) for row in some]) for some in own.values()]
            figure.points(ax, list(own), ends, colour, construction)
    ax.set(yscale="log", ylabel="parameters of the source" if quantity == "parameters" else "density of the ticket")


def against_epsilon(ax: Axes) -> None:
    """A logarithmic axis of errors that get smaller to the right."""
    ax.set(xscale="log", xlabel=r"error $\varepsilon$")
    figure.plain_ticks(ax)
    ax.invert_xaxis()


def lower_curve(rows: Sequence[Row], ax: Axes, label: str, against: str = "epsilon") -> None:
    """The column lower_parameters, where it is positive."""
    shown = [(at, own[0]["lower_parameters"]) for at, own in groups(rows, against).items()]
    x, y = zip(*[(at, low) for at, low in shown if low is not None and low > 0], strict=True)  # type: ignore[operator]
    ax.plot(x, y, color="black", linestyle=figure.COUNTING, linewidth=1.3, label=label)


def check_sizes(rows: Sequence[Row], against: str = "epsilon") -> str:
    """Misses at the bound's width do not refute delta; lower bound <= least width that works <= bound's width."""
    ratios: dict[str, list[float]] = {}
    for (construction, at), own in groups(rows, "construction", against).items():
        says = f"{construction}, {against} {at}"
        missed = sum(row["error"] > row["epsilon"] for row in own)
        p_value = excess_p_value(missed, len(own), DELTA)
        must(p_value > figure.FALSE_ALARM, f"{says}: {missed} of {len(own)} draws missed at the bound's width")
        for row in own:
            bound, least, lower = (row.get(key) for key in ("bound_parameters", "least_parameters", "lower_parameters"))
            if least is not None:
                must(lower is None or least >= lower, f"{says}: a source with {least} parameters, below counting")  # type: ignore[operator]
                must(least <= bound, f"{says}: the least width is above the bound's")  # type: ignore[operator]
                ratios.setdefault(construction, []).append(bound / least)  # type: ignore[operator]
    return "bound over least parameters that work: " + ", ".join(
        f"{name} {min(found):.1f} to {max(found):.1f}" for name, found in ratios.items()
    )


def largest_first(rows: Sequence[Row], at: float, against: str = "epsilon") -> dict[str, float]:
    """Parameters at the bound's width for one setting, largest first."""
    found = groups(pick(rows, **{against: at}), "construction")
    middle = {name: spread([amount(row, "bound", "parameters") for row in own])[0] for name, own in found.items()}
    return dict(sorted(middle.items(), key=lambda item: -item[1]))
