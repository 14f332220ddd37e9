"""Sources that are sparse before anything is pruned: how many candidates they need against the density of their edges.

Left, a candidate has one random edge, present with probability p, and n grows by 1 / p. Right, it has two, as in a pair
of matrices, and n grows by 1 / p^2. All targets of [-1/2, 1/2] within 0.03 in nine draws of ten. So many suffice by the
drift p m, or p^2 m (derived). The factor 1 / log(1 / (1 - p)) of trained weights is no factor for strong tickets: it
tends to 0 as p tends to 1.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import figure
import numpy as np
from figure import Row, groups, must
from matplotlib.axes import Axes

from slth.confidence import quantile_interval
from slth.experiments.law_samples import grid_exponent
from slth.laws import Product, Thinned, Uniform
from slth.randomness import bits, stream_number
from slth.subset_sum import Status, SubsetSums, covers, tolerance_on_grid
from slth.theorems import gadhikar2023_sparse_source as gadhikar
from slth.theorems import lueker1998_subset_sum as lueker

TITLE = "Erdos-Renyi sources: candidates needed against the density of edges"
THEOREMS = "gadhikar2023_sparse_source, lueker1998_subset_sum"
DATA = "draws of thinned U[-1, 1] and of products, all targets of [-1/2, 1/2] within 0.03"
SECONDS = 60
PANELS = ("one random edge", "two random edges")

EPSILON, WINDOW, DELTA, MOST, FACTOR = 0.03, 0.5, 0.1, 4096, 1.6
"""The scaling n(1) / p^edges holds within FACTOR (stated here, a heuristic: the number of present samples varies)."""


def samples(edges: int, density: float, seed: int) -> np.ndarray:
    """Thinned weights or products of two, int64 (MOST,); the seed is the draw."""
    one, two = (Thinned(density).weights(bits(seed, stream_number(0, i), 0, MOST)) for i in (0, 1))
    return one if edges == 1 else one * two


def candidates(edges: int, density: float, seed: int) -> tuple[float, int]:
    """How many candidates, absent ones included, until all targets are covered, and how many of them are present."""
    drawn = samples(edges, density, seed)
    places = np.flatnonzero(drawn)[:26]
    exponent = grid_exponent(Uniform() if edges == 1 else Product())
    tolerance, reach = int(tolerance_on_grid(EPSILON, exponent)), math.ceil(math.ldexp(WINDOW, exponent))
    for present in range(1, len(places) + 1):
        problem = SubsetSums(drawn[None, places[:present]], np.zeros(1, dtype=np.int64), exponent)
        if covers(problem, reach, tolerance)[0] == Status.FOUND:
            return float(places[present - 1] + 1), present
    return math.inf, len(places)


def measure(edges: int, density: float, seed: int) -> Row:
    n, present = candidates(edges, density, seed)
    drift = (Uniform() if edges == 1 else Product()).drift(WINDOW)
    # FAILURE <= DELTA solved for n: the closed form of dense samples with drift p^edges m.
    thinned = lueker.CANDIDATES.evaluate(R=WINDOW, epsilon=EPSILON, delta=DELTA, m=drift * density**edges)
    failure = gadhikar.FAILURE.evaluate(R=WINDOW, epsilon=EPSILON, m=drift, n=math.ceil(thinned), p_edge=density**edges)
    return {
        "panel": PANELS[edges - 1],
        "edges": edges,
        "p": density,
        "seed": seed,
        "n": n,
        "present": present,
        "lower_present": math.ceil(lueker.COUNTING_CANDIDATES.evaluate(R=WINDOW, epsilon=EPSILON)),
        "upper": float(thinned),
        "failure_at_upper": float(failure),
    }


def simulate(quick: bool) -> list[Row]:
    densities = (0.3, 0.9, 1.0) if quick else (0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
    return [measure(e, p, seed) for e in (1, 2) for p in densities for seed in range(50 if quick else 200)]


def rederive(row: Row) -> Row:
    return measure(row["edges"], row["p"], row["seed"])  # type: ignore[arg-type]


def smallest(rows: Sequence[Row]) -> tuple[float, float, float]:
    """The 90 % quantile of n over the draws, with a 95 % interval."""
    found = quantile_interval([row["n"] for row in rows], 1 - DELTA)  # type: ignore[misc]
    return found.estimate, found.low, found.high


def scaled(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """n(1) / p^edges, and n(1) / log(1 / (1 - p)) for p < 1, which is for trained weights."""
    dense = smallest([row for row in rows if row["p"] == 1.0])[0]
    densities: list[float] = list(groups(rows, "p"))
    edges: int = rows[0]["edges"]  # type: ignore[assignment]
    trained = [dense / math.log(1 / (1 - p)) if p < 1 else 0.0 for p in densities]
    return [dense / p**edges for p in densities], trained


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    by_density = groups(rows, "p")
    p, edges = list(by_density), rows[0]["edges"]
    ax.plot(p, [own[0]["upper"] for own in by_density.values()], "k", linestyle=figure.THEOREM, linewidth=1.3,
            label="suffice (derived)")  # fmt: skip
    scale, trained = scaled(rows)
    power = "p" if edges == 1 else "p^2"
    ax.plot(p, scale, color="0.45", linestyle=figure.HEURISTIC, label=rf"measured $n$ at $p = 1$, over ${power}$")
    label = r"measured $n$ at $p = 1$, over $\log(1/(1-p))$: trained weights"
    ax.plot(p[:-1], trained[:-1], color=figure.COLOURS[2], linestyle=figure.HEURISTIC, label=label)
    ends = [smallest(own) for own in by_density.values()]
    draws = len(next(iter(by_density.values())))
    figure.points(ax, p, ends, figure.COLOURS[0], f"measured, 90 % of {draws} draws")
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="density $p$ of the edges of the source",
        ylabel="candidates $n$, absent ones included",
    )
    figure.plain_ticks(ax)
    return figure.finish(ax, f"candidates with {rows[0]['panel']}", loc="upper right")


def check(rows: Sequence[Row]) -> list[str]:
    off, over = 1.0, []
    for panel, per_panel in groups(rows, "panel").items():
        by_density = groups(per_panel, "p")
        for (p, own), scale, trained in zip(by_density.items(), *scaled(per_panel), strict=True):
            n, low, high = smallest(own)
            says = f"{panel}, p = {p}: n = {n}"
            must(
                all(row["present"] >= row["lower_present"] for row in own),
                f"{says}: fewer present than counting asks for",
            )  # type: ignore[operator]
            must(own[0]["failure_at_upper"] <= DELTA * (1 + 1e-9), f"{says}: the two forms of the bound differ")  # type: ignore[operator]
            must(low <= own[0]["upper"], f"{says}, above the bound {own[0]['upper']}")  # type: ignore[operator]
            must(low / FACTOR <= scale <= high * FACTOR, f"{says}, scaling says {scale}")
            if p >= 0.9:
                must(low > trained, f"{says}: the factor of trained weights would do, {trained}")
            off, over = max(off, n / scale, scale / n), [*over, own[0]["upper"] / n]  # type: ignore[operator]
    return [
        f"measured n within a factor {off:.2f} of n(1) / p and n(1) / p^2",
        f"the derived bound asks for {min(over):.1f} to {max(over):.1f} times the measured n",
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
