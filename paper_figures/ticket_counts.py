"""How many subsets are within epsilon of one target: the exact count N over its mean against the law it tends to.

N / E N tends to sqrt(2) exp(-G^2 / 2) with G standard normal, whatever the law of the samples: it never concentrates
(heuristic: it rests on a local central limit without constants). One row per draw, N counted exactly.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import figure
import numpy as np
from figure import Row, groups, must
from matplotlib.axes import Axes

from slth.experiments.ticket_counts import counted, expected_count
from slth.laws import Product, Uniform
from slth.theorems.counting import SECOND_MOMENT, ratio_below

TITLE = "How many tickets: the law of the number of subsets within epsilon"
THEOREMS = "counting"
DATA = "draws U[-1, 1] and products u v, one target 0.25, epsilon 0.001"
SECONDS = 60
LAWS = {str(law): law for law in (Uniform(), Product())}
PANELS = tuple(LAWS)

EPSILON, TARGET, LARGEST, MOMENT = 1e-3, 0.25, 28, 0.15
BIAS = {"U[-1, 1]": 0.06, "U[-1, 1] times U[-1, 1]": 0.12}
"""At LARGEST samples the distribution functions differ by at most so much beyond chance, and the second-moment ratio is
within MOMENT of its limit 2 / sqrt 3. N varies like 1 / s with s^2 = sum X^2 / 4, which is not yet constant: relatively
by sqrt((E X^4 / q^2 - 1) / n) / 2, 8 % for U[-1, 1] and 14 % for products."""


def measure(law: str, n: int, seed: int) -> Row:
    """One set of samples: the seed is the draw."""
    counts, intensity = counted(LAWS[law], n, EPSILON, TARGET, 1, seed)
    return {
        "panel": law,
        "n": n,
        "epsilon": EPSILON,
        "target": TARGET,
        "seed": seed,
        "count": int(counts[0]),
        "heuristic_mean": expected_count(LAWS[law], n, EPSILON, TARGET),
        "heuristic_given_samples": float(intensity[0]),
    }


def simulate(quick: bool) -> list[Row]:
    draws = 150 if quick else 600
    return [measure(law, n, seed) for law in LAWS for n in (12, LARGEST) for seed in range(draws)]


def rederive(row: Row) -> Row:
    return measure(row["panel"], row["n"], row["seed"])  # type: ignore[arg-type]


def ratios(rows: Sequence[Row]) -> np.ndarray:
    """N / E N of every draw, ascending."""
    return np.sort([row["count"] / row["heuristic_mean"] for row in rows])  # type: ignore[operator]


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    levels = np.linspace(0.005, 2.0, 400)
    limit = [ratio_below(level) for level in levels]
    ax.plot(
        levels,
        limit,
        "k",
        linestyle=figure.HEURISTIC,
        linewidth=1.3,
        label=r"limit, $\sqrt{2}\,e^{-G^2/2}$ (heuristic)",
    )
    for (n, own), colour in zip(groups(rows, "n").items(), figure.COLOURS[1::-1], strict=True):
        values = ratios(own)
        mean: float = own[0]["heuristic_mean"]  # type: ignore[assignment]
        shown = f"{mean:.2g}" if mean < 100 else f"{float(f'{mean:.2g}'):,.0f}"
        label = rf"measured, $n = {n}$, E$N$ = {shown}, {len(own)} draws"
        ax.step(np.append(0, values), np.arange(len(values) + 1) / len(values), where="post", color=colour, label=label)
    ax.set(xlim=(0, 2), ylim=(0, 1.03), xlabel="$y$", ylabel=r"share of the draws with $N \leq y\,\mathrm{E}N$")
    return figure.finish(ax, f"samples from {rows[0]['panel']}, within {EPSILON:g} of {TARGET:g}", loc="lower right")


def check(rows: Sequence[Row]) -> list[str]:
    said = []
    for (law, n), own in groups(rows, "panel", "n").items():
        values = ratios(own)
        steps = np.arange(len(values) + 1) / len(values)
        limit = np.array([ratio_below(y) if y > 0 else 0.0 for y in values])
        distance = float(max(np.abs(steps[1:] - limit).max(), np.abs(steps[:-1] - limit).max()))
        chance = math.sqrt(
            math.log(2 / figure.FALSE_ALARM) / (2 * len(values))
        )  # Dvoretzky, Kiefer, Wolfowitz, Massart
        moment, wanted = float((values**2).mean() / values.mean() ** 2), float(SECOND_MOMENT.evaluate())
        if n == LARGEST:
            must(distance <= chance + BIAS[law], f"{law}, n {n}: distribution functions differ by {distance:.3f}")
            must(abs(moment - wanted) <= MOMENT, f"{law}, n {n}: second-moment ratio {moment:.3f}, limit {wanted:.3f}")
        said.append(
            f"{law}, n {n}: distance {distance:.3f} of the laws, second-moment ratio {moment:.3f} ({wanted:.3f})"
        )
    return said


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
