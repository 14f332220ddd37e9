"""Natale et al. (2024), Figure 1: overparameterisation 4 n against density k / n, confronted with measured points.

Left, a target with 16 parameters and epsilon = 0.1: all targets of [-sqrt(k), sqrt(k)] have to be within
epsilon / (2 m) at once. All sums of size k are looked at (exact), or pairs and steering are run on the samples
(enough). Right, the paper's setting, 10,000 parameters and epsilon = 0.01: one target per draw, which asks for less.
Curves: counting (lower, derived), pairs and steering (upper, derived), the paper's fixed point and the orders of Malach
et al. and Pensia et al. as it draws them, with the constant 1 in place of the ones that have no value.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import figure
import numpy as np
from figure import Row, groups, must, pick
from matplotlib.axes import Axes
from smallest_n_fixed_size import ONE, by_steering, counting

from slth.confidence import quantile_interval
from slth.experiments.law_samples import draw_samples
from slth.experiments.laws import covering_numbers
from slth.laws import Uniform
from slth.randomness import bits, stream_number
from slth.subset_sum import SubsetSums, exactly
from slth.subset_sum.few_of_many import few_exactly
from slth.theorems import natale2024_curve as curve

TITLE = "Natale et al. (2024), Figure 1: overparameterisation against density, with measured points"
THEOREMS = "natale2024_curve, natale2024_fixed_size, natale2024_steered"
DATA = "draws U[-1, 1]; 16 parameters at epsilon 0.1, 10,000 at 0.01"
SECONDS = 90
PANELS = ("all targets at once", "one target")
SETTINGS = {"all targets at once": (16, 0.1), "one target": (10_000, 0.01)}

DELTA, STEP = 0.1, 2.0**-24
COVER = {2: 400, 3: 110, 4: 60, 6: 36, 8: 29}
STEERED = (32, 48, 96, 192)
SINGLE = {2: 12_000, 3: 1500, 4: 400, 10: 34, 12: 34}
SIZES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)
DENSITIES = tuple(2.0**-i for i in range(1, 40))


def one_target(k: int, within: float, seed: int) -> float:
    """The n from which on one target, uniform on the window, has a subset of size k within the tolerance."""
    samples = draw_samples(Uniform(), 1, SINGLE[k], seed, trial=k)
    place = (int(bits(seed, stream_number(k, 1), 0, 1)[0]) + 0.5) * 2.0**-31 - 1
    target = np.array([round(place * math.sqrt(k) * ONE)])
    tolerance = math.floor(within * ONE)

    def good(n: int) -> bool:
        problem = SubsetSums(samples[:, :n], target, 24)
        found = few_exactly(problem, k) if k <= 4 else exactly(problem, k)
        return bool(abs(found.residuals[0]) <= tolerance)

    low, high = k - 1, SINGLE[k]
    if not good(high):
        return math.inf
    while high - low > 1:  # a further sample takes no subset away
        middle = (low + high) // 2
        low, high = (low, middle) if good(middle) else (middle, high)
    return high


def measure(panel: str, kind: str, k: int, seed: int) -> Row:
    """One draw; lower is what counting proves for it (for one target: at least for a share 1 - DELTA of the draws)."""
    parameters, epsilon = SETTINGS[panel]
    within = curve.tolerance(parameters, epsilon)
    if kind == "one target":
        n = one_target(k, within, seed)
        lower = next(m for m in range(k, 1 << 40) if math.comb(m, k) * (within + STEP) >= 1 - DELTA)
    else:
        lower = counting(k, within)
        covering = kind == "all sums" and covering_numbers(Uniform(), within, math.sqrt(k), 1, COVER[k], seed, k)[0]
        n = float(covering) if kind == "all sums" else by_steering(k, within, seed)
    return {
        "panel": panel,
        "kind": kind,
        "k": k,
        "seed": seed,
        "n": float(n),
        "density": None,
        "overparameterisation": None,
        "lower": lower,
    }


def lines(panel: str) -> list[Row]:
    """The curves, and the points that the paper has on them."""
    parameters, epsilon = SETTINGS[panel]
    within = curve.tolerance(parameters, epsilon)
    found = {
        "counting": curve.counting_curve(SIZES, within),
        "paper, C = 1": curve.paper_curve(SIZES, parameters, epsilon, 1.0),
        "steered": curve.steered_curve(DENSITIES, within, DELTA),
    }
    sparse, top = curve.malach_point(parameters, epsilon)
    rows = [
        (kind, d, o)
        for kind, one in found.items()
        for d, o in zip(one.density, one.overparameterisation, strict=True)
        if o < 10 * top and (d < 0.499 or kind == "steered")  # at density 1/2 a curve goes straight up
    ]
    rows.append(("Malach et al.", sparse, top))
    rows.append(("Pensia et al., C = 1", *curve.pensia_point(parameters, epsilon, 1.0)))
    blank: Row = {"panel": panel, "kind": None, "k": None, "seed": None, "n": None}
    return [
        {**blank, "kind": kind, "density": float(d), "overparameterisation": float(o), "lower": None}
        for kind, d, o in rows
    ]


def simulate(quick: bool) -> list[Row]:
    draws = 25 if quick else 100
    rows = [row for panel in PANELS for row in lines(panel)]
    wanted = [("all targets at once", "all sums", k) for k in ((3, 8) if quick else COVER)]
    wanted += [("all targets at once", "steering", k) for k in ((48,) if quick else STEERED)]
    wanted += [("one target", "one target", k) for k in ((4, 12) if quick else SINGLE)]
    return rows + [measure(*one, seed) for one in wanted for seed in range(draws)]


def rederive(row: Row) -> Row:
    if row["seed"] is None:
        return next(
            one
            for one in lines(row["panel"])
            if one["kind"] == row["kind"] and not _far(one, row)  # type: ignore[arg-type]
        )
    return measure(row["panel"], row["kind"], row["k"], row["seed"])  # type: ignore[arg-type]


def _far(one: Row, other: Row) -> bool:
    return bool(figure.differences({"density": one["density"]}, {"density": other["density"]}))


def smallest(rows: Sequence[Row]) -> tuple[float, float, float]:
    """The 90 % quantile of n over the draws, with a 95 % interval."""
    found = quantile_interval([row["n"] for row in rows], 1 - DELTA)  # type: ignore[misc]
    return found.estimate, found.low, found.high


STYLES = {
    "counting": ("black", figure.COUNTING, "counting, all targets (derived, lower)"),
    "paper, C = 1": ("0.5", figure.HEURISTIC, r"Natale et al., $c_{\mathrm{amp}} = 1$ (no value known)"),
    "steered": ("black", figure.THEOREM, "pairs and steering (derived, upper)"),
}
MEASURED = {
    "all sums": "smallest, exact",
    "steering": "enough by pairs and steering",
    "one target": "smallest for one target",
}


def draw(rows: Sequence[Row], ax: Axes) -> Axes:
    for kind, (colour, dash, label) in STYLES.items():
        own = pick(rows, kind=kind)
        places = [[row[column] for row in own] for column in ("density", "overparameterisation")]
        ax.plot(*places, color=colour, linestyle=dash, linewidth=1.3, label=label)
    for (kind, label), colour in zip(MEASURED.items(), figure.COLOURS, strict=False):
        by_k = groups(pick(rows, kind=kind), "k")
        ends = {k: smallest(own) for k, own in by_k.items()}
        ends = {k: end for k, end in ends.items() if math.isfinite(end[0])}
        if ends:
            x = [k / end[0] for k, end in ends.items()]
            y = [tuple(4 * value for value in end) for end in ends.values()]
            figure.points(ax, x, y, colour, f"{label}, {len(next(iter(by_k.values())))} draws")  # type: ignore[arg-type]
    for kind, marker in (("Malach et al.", "s"), ("Pensia et al., C = 1", "D")):
        own = pick(rows, kind=kind)[0]
        ax.plot(own["density"], own["overparameterisation"], marker, color=figure.COLOURS[3], label=f"{kind} (order)")  # type: ignore[arg-type]
    parameters, epsilon = SETTINGS[rows[0]["panel"]]  # type: ignore[index]
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=r"density $\gamma = k / n$",
        ylabel="parameters of the source over the target's, $4n$",
    )
    return figure.finish(
        ax, rf"$m_t = {parameters}$, $\varepsilon = {epsilon:g}$: {rows[0]['panel']}", loc="lower left"
    )


def check(rows: Sequence[Row]) -> list[str]:
    above, below = [], []
    for (panel, kind, k), own in groups([row for row in rows if row["seed"] is not None], "panel", "kind", "k").items():
        n, low, high = smallest(own)
        must(math.isfinite(n), f"{kind}, k = {k}: the sequences of samples are too short")
        lower: int = own[0]["lower"]  # type: ignore[assignment]
        says = f"{panel}, {kind}, k = {k}: n = {n}"
        if panel == "one target":
            must(high >= lower, f"{says}, below the bound {lower} by the mean")
        else:
            must(min(row["n"] for row in own) >= lower, f"{says}, below counting, {lower}")  # type: ignore[type-var, operator]
        above.append(n / lower)
        # On the steered curve k is the same at all densities; from that k on, 2 k samples suffice.
        steered = [row["overparameterisation"] * row["density"] / 4 for row in pick(rows, panel=panel, kind="steered")]  # type: ignore[operator]
        must(max(steered) - min(steered) < 1e-9 * max(steered), "the steered curve has one k")
        must(k < steered[0] or low <= 2 * k, f"{says}, above the steered curve, 2 k")
        if panel == "all targets at once" and k <= steered[0]:
            below.append(steered[0] / k)
    return [
        f"measured n {min(above):.1f} to {max(above):.1f} times the derived lower bounds",
        f"the derived upper curve is {min(below):.1f} to {max(below):.1f} times the measured points at their density",
    ]


if __name__ == "__main__":
    figure.main(sys.modules[__name__])
