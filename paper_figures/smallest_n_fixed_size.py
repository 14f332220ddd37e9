"""The smallest n of which exactly k reach every target of [-sqrt(k), sqrt(k)], against k, with all bounds.

Counting: n choose k intervals of length 2 epsilon have to cover the window (derived, every sample). For small k all
n choose k sums are looked at, which gives the smallest n exactly. For larger k the construction by pairs and steering
is run on the samples drawn: an upper end of the smallest n for every draw. So many suffice by that construction's
failure probability (derived, every constant); the published bound has a constant without a value and is not drawn.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from functools import cache

import figure
import numpy as np
from figure import Row, groups, must, pick
from matplotlib.axes import Axes

from slth.confidence import quantile_interval
from slth.experiments.law_samples import draw_samples
from slth.experiments.laws import covering_numbers
from slth.laws import Uniform
from slth.subset_sum import Status, SubsetSums, covers, tolerance_on_grid
from slth.theorems.natale2024_fixed_size import steers
from slth.theorems.natale2024_steered import least_failure

TITLE = "Smallest n against k, subsets of exactly k, with all bounds"
THEOREMS = "natale2024_fixed_size, natale2024_steered"
DATA = "draws U[-1, 1], all targets of [-sqrt(k), sqrt(k)]"
SECONDS = 60
PANELS = ("epsilon = 0.1", "epsilon = 0.01")

DELTA, GRID, ONE = 0.1, 24, 1 << 24
EXACT = {2: 160, 3: 90, 4: 50, 6: 36, 8: 29, 10: 28}
"""k, and the longest sequence of samples that is looked at."""

STEERED = (24, 32, 48, 64, 96, 128, 192, 256, 384)
WIDEST = 16
"""Samples per element of the subset up to which the derived bound is asked."""


def counting(k: int, epsilon: float) -> int:
    """The least n with enough subsets of size k."""
    return next(n for n in range(k, 1 << 40) if math.comb(n, k) * epsilon >= math.sqrt(k))


@cache
def suffices(k: int, epsilon: float) -> int | None:
    """The least n >= 2 k, up to WIDEST times k, at which the derived failure probability is at most DELTA."""
    n = np.arange(2 * k, WIDEST * k + 1)
    good = least_failure(epsilon, n, k, math.sqrt(k)) <= DELTA
    return int(n[good.argmax()]) if good.any() else None


def by_steering(k: int, epsilon: float, seed: int) -> float:
    """The n with which pairs and steering are sure of all targets, on one sequence: fewest pairs, then the pool."""
    samples = draw_samples(Uniform(), 1, WIDEST * k, seed, trial=k)
    tolerance, window = int(tolerance_on_grid(epsilon, GRID)), math.ceil(math.ldexp(math.sqrt(k), GRID))
    differences = samples[:, 0 : 2 * k : 2] - samples[:, 1 : 2 * k : 2]
    for pairs in range(1, min(k, 26) + 1):
        problem = SubsetSums(differences[:, :pairs], np.zeros(1, dtype=np.int64), GRID)
        if 2**pairs * epsilon >= 1 and covers(problem, ONE, tolerance)[0] == Status.FOUND:
            sizes = range(k + pairs, WIDEST * k + 1)
            return next((n for n in sizes if steers(samples[:, :n], k, pairs, window, ONE)[0]), math.inf)
    return math.inf


def measure(k: int, epsilon: float, seed: int) -> Row:
    exact = k in EXACT
    n = (
        covering_numbers(Uniform(), epsilon, math.sqrt(k), 1, EXACT[k], seed, k)[0]
        if exact
        else by_steering(k, epsilon, seed)
    )
    return {
        "panel": f"epsilon = {epsilon:g}",
        "epsilon": epsilon,
        "k": k,
        "seed": seed,
        "method": "all sums" if exact else "steering",
        "n": float(n),
        "lower_counting": counting(k, epsilon),
        "upper_steering": suffices(k, epsilon),
    }


def simulate(quick: bool) -> list[Row]:
    sizes = (3, 6, 8, 32, 192) if quick else (*EXACT, *STEERED)
    draws = 30 if quick else 100
    return [measure(k, eps, seed) for eps in (0.1, 0.01) for k in sizes for seed in range(draws)]


def rederive(row: Row) -> Row:
    return measure(row["k"], row["epsilon"], row["seed"])  # type: ignore[arg-type]


def smallest(rows: Sequence[Row]) -> tuple[float, float, float]:
    """The 90 % quantile of n over the draws, with a 95 % interval."""
    found = quantile_interval([row["n"] for row in rows], 1 - DELTA)  # type: ignore[misc]
    return found.estimate, found.low, found.high


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    first = [own[0] for own in groups(rows, "k").values()]
    k = [row["k"] for row in first]
    upper = [math.nan if row["upper_steering"] is None else row["upper_steering"] for row in first]
    ax.plot(k, upper, "k", linestyle=figure.THEOREM, linewidth=1.3, label="suffice: pairs and steering (derived)")
    for method, colour in zip(("all sums", "steering"), figure.COLOURS, strict=False):
        own = groups(pick(rows, method=method), "k")
        says = {"all sums": "smallest, exact", "steering": "enough by pairs and steering"}[method]
        draws = len(next(iter(own.values())))
        figure.points(ax, list(own), [smallest(some) for some in own.values()], colour, f"{says}, {draws} draws")
    ax.plot(k, [row["lower_counting"] for row in first], "k", linestyle=figure.COUNTING, linewidth=1.3,
            label="are necessary: counting (derived)")  # fmt: skip
    ax.plot(k, k, color="0.7", linewidth=0.8, label="$n = k$")
    ax.set(xscale="log", yscale="log", xlabel="size $k$ of the subsets", ylabel="samples $n$")
    window = r"all targets of $[-\sqrt{k}, \sqrt{k}]$, 90 % of the draws"
    return figure.finish(ax, rf"$\varepsilon = {rows[0]['epsilon']:g}$; {window}", loc="upper left")


def check(rows: Sequence[Row]) -> list[str]:
    above, below = [], []
    for (epsilon, k), own in groups(rows, "epsilon", "k").items():
        first, (n, low, _) = own[0], smallest(own)
        least = min(row["n"] for row in own)  # type: ignore[type-var]
        says = f"epsilon {epsilon}, k {k}: n = {n}"
        must(least >= first["lower_counting"], f"{says}, a draw covers with {least}, below counting")  # type: ignore[operator]
        above.append(n / first["lower_counting"])  # type: ignore[operator]
        if first["upper_steering"] is not None:
            must(low <= first["upper_steering"], f"{says}, above the bound {first['upper_steering']}")  # type: ignore[operator]
            below.append(first["upper_steering"] / n)  # type: ignore[operator]
    return [
        f"measured n {min(above):.1f} to {max(above):.1f} times what counting asks for",
        f"the derived bound asks for {min(below):.1f} to {max(below):.1f} times the measured n",
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
