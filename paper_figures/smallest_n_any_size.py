"""The smallest n that covers all targets within epsilon in nine draws of ten, subsets of any size, with all bounds.

Counting asks for log2(R / epsilon) samples, whatever the law (derived). So many suffice by the closed form ln(8 R^2 /
(epsilon^2 delta)) / -ln(1 - m / 2) and, fewer, by the worst growth of the covered share (both derived). Two heuristics:
the rule of thumb 1.1 log2(1 / epsilon) + 6 and the Poisson picture solved for n.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from functools import cache

import figure
from figure import Row, groups, must
from matplotlib.axes import Axes

from slth.confidence import quantile_interval
from slth.experiments.law_samples import second_moment
from slth.experiments.laws import covering_numbers
from slth.laws import Product, Uniform
from slth.theorems import dacunha2023_subset_sum as dacunha
from slth.theorems import lueker1998_subset_sum as lueker

TITLE = "Smallest n against epsilon, subsets of any size, with all bounds"
THEOREMS = "lueker1998_subset_sum, dacunha2023_subset_sum"
DATA = "draws U[-1, 1] and products u v, all targets of [-1/2, 1/2]"
SECONDS = 60
LAWS = {str(law): law for law in (Uniform(), Product())}
PANELS = tuple(LAWS)

WINDOW, DELTA, MOST = 0.5, 0.1, 24
WITHIN = {"heuristic_thumb": 2.0, "heuristic_poisson": 3.0}
"""In samples: the rule of thumb as stated in its file, for U[-1, 1] only; the Poisson picture as found here."""


@cache
def bounds(law: str, epsilon: float) -> Row:
    drift, moment = LAWS[law].drift(WINDOW), second_moment(LAWS[law])
    poisson = next(n for n in range(1, 200) if lueker.expected_failure(n, epsilon, WINDOW, moment) <= DELTA)
    return {
        "lower_counting": math.ceil(lueker.COUNTING_CANDIDATES.evaluate(R=WINDOW, epsilon=epsilon)),
        "upper_worst_growth": dacunha.samples_that_suffice(epsilon, DELTA, drift, WINDOW),
        "upper_closed_form": float(lueker.CANDIDATES.evaluate(R=WINDOW, m=drift, epsilon=epsilon, delta=DELTA)),
        "heuristic_thumb": float(lueker.SAMPLES_FOR_90_PERCENT.evaluate(epsilon=epsilon)),
        "heuristic_poisson": poisson,
    }


def measure(law: str, epsilon: float, seed: int) -> Row:
    """One sequence of samples: the seed is the draw."""
    found = float(covering_numbers(LAWS[law], epsilon, WINDOW, 1, MOST, seed)[0])
    return {"panel": law, "epsilon": epsilon, "seed": seed, "n": found, **bounds(law, epsilon)}


def simulate(quick: bool) -> list[Row]:
    epsilons = (0.1, 0.01) if quick else (0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
    return [measure(law, eps, seed) for law in LAWS for eps in epsilons for seed in range(40 if quick else 200)]


def rederive(row: Row) -> Row:
    return measure(row["panel"], row["epsilon"], row["seed"])  # type: ignore[arg-type]


def smallest(rows: Sequence[Row]) -> tuple[float, float, float]:
    """The 90 % quantile of n over the draws, with a 95 % interval."""
    found = quantile_interval([row["n"] for row in rows], 1 - DELTA)  # type: ignore[misc]
    return found.estimate, found.low, found.high


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    by_epsilon = groups(rows, "epsilon")
    epsilons, first = list(by_epsilon), [own[0] for own in by_epsilon.values()]
    for column, dash, shade, label in (
        ("upper_closed_form", figure.THEOREM, "black", "suffice: closed form (derived)"),
        ("upper_worst_growth", (0, ()), "black", "suffice: worst growth of the covered share (derived)"),
        ("heuristic_thumb", figure.HEURISTIC, "0.55", r"$1.1 \log_2(1/\varepsilon) + 6$ (heuristic)"),
        ("heuristic_poisson", figure.HEURISTIC, figure.COLOURS[3], "Poisson picture (heuristic)"),
        ("lower_counting", figure.COUNTING, "black", "are necessary: counting (derived)"),
    ):
        if rows[0]["panel"] == "U[-1, 1]" or column != "heuristic_thumb":
            ax.plot(epsilons, [row[column] for row in first], color=shade, linestyle=dash, linewidth=1.2, label=label)
    draws = len(next(iter(by_epsilon.values())))
    ends = [smallest(own) for own in by_epsilon.values()]
    figure.points(ax, epsilons, ends, figure.COLOURS[0], f"measured: 90 % quantile of {draws} draws")
    ax.set(xscale="log", xlabel=r"tolerance $\varepsilon$", ylabel="samples $n$")
    ax.invert_xaxis()
    ax.set_ylim(0, 1.5 * max(row["upper_closed_form"] for row in first))  # type: ignore[type-var, operator]
    return figure.finish(ax, f"samples from {rows[0]['panel']}", loc="upper left")


def check(rows: Sequence[Row]) -> list[str]:
    off, ratios = 0.0, []
    for (law, epsilon), own in groups(rows, "panel", "epsilon").items():
        first, (n, low, high) = own[0], smallest(own)
        says = f"{law}, epsilon {epsilon}: n = {n}"
        # Counting holds for every draw; what suffices bounds a quantile.
        least, enough = min(row["n"] for row in own), first["upper_worst_growth"]  # type: ignore[type-var]
        must(least >= first["lower_counting"], f"{says}, a draw covers with {least}, below counting")  # type: ignore[operator]
        must(low <= enough <= first["upper_closed_form"] + 1, f"{says}, above the bound {enough}")  # type: ignore[operator]
        ratios.append(enough / n)  # type: ignore[operator]
        for heuristic, within in WITHIN.items():
            value: float = first[heuristic]  # type: ignore[assignment]
            if law == "U[-1, 1]" or heuristic == "heuristic_poisson":
                must(low - within <= value <= high + within, f"{says}, {heuristic} says {value}")
                off = max(off, abs(value - n))
    return [
        f"{len(ratios)} smallest n between counting and bounds, which ask {min(ratios):.1f} to {max(ratios):.1f} times",
        f"heuristics within {off:.1f} samples of the measured n",
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
