"""What has been measured about each theorem.

Writes slth/theorems/measured.json, from which `slth theorem NAME` prints.

A theorem that builds a ticket: how often does it reach its epsilon, at its bound's own width and below? One row per
number of candidates; all draws count, failed ones too. The chance is the share of draws whose proved error is at most
epsilon, with its exact 95 % interval.

A theorem that states a bound only: a measured number with its exact 99 % interval, one row for each bound on it, and
the verdict of `slth.experiments.verdicts.judge`. The measurements are in claims_on_sums.py, claims_on_networks.py and
claims_on_counts.py.

    python benchmarks/theorems.py [--only constructions|bounds] [--draws 20] [--largest 2000000] [-o FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import claims_on_counts
import claims_on_networks
import claims_on_sums
from claimed import Row
from machine import machine
from tqdm.auto import tqdm

import slth
from slth import theorems
from slth.atomic import replacing
from slth.confidence import binomial_interval
from slth.theorems.certificate import Verdict
from slth.theorems.measured import FILE

EPSILON, DELTA = 0.1, 0.1
BELOW = (4, 8, 16, 32)
"""Candidates per weight and side tried beside the number that the bound asks for."""

WIDTHS = (2, 2, 1)

CLAIMS: dict[str, Callable[[], list[Row]]] = {
    "lueker1998_subset_sum": claims_on_sums.lueker,
    "dacunha2023_subset_sum": claims_on_sums.dacunha,
    "grid_law": claims_on_sums.grid,
    "kumar2026_discrete": claims_on_sums.kumar,
    "natale2024_fixed_size": claims_on_sums.natale,
    "xiong2023_perturbation": claims_on_sums.xiong,
    "pensia2020_lower": claims_on_networks.pensia_lower,
    "malach2020_neurons": claims_on_networks.malach,
    "ferre2026_neurons": claims_on_networks.ferre,
    "counting": claims_on_counts.of_targets,
    "counting_networks": claims_on_counts.of_masks,
    "counting_chances": claims_on_counts.of_networks,
}
"""The measurements by theorem."""


def row(module: Any, samples: int | None, draws: int) -> Row:
    """How often one theorem reaches its epsilon with so many candidates, or with what its bound asks for."""
    target = module.normalised(slth.random_target(WIDTHS, seed=0))
    certificates = [
        slth.verify(module, target, EPSILON, DELTA, seed, samples=samples)
        for seed in tqdm(range(draws), desc=f"{theorems.name(module)} {samples}", leave=False, disable=None)
    ]
    held = [one for one in certificates if one.verdict is Verdict.HOLDS]
    chance = binomial_interval(len(held), draws, 0.95)
    return {
        "theorem": theorems.name(module),
        "setting": f"target {'-'.join(map(str, WIDTHS))}, epsilon {EPSILON}, delta {DELTA}",
        "width": "its bound's" if samples is None else f"{samples} candidates",
        "source weights": certificates[0].construction.ticket.source.parameters,
        "draws": draws,
        "proved": len(held),
        "of them empty": sum(one.construction.ticket.kept == 0 for one in held),
        "chance from": round(chance.low, 3),
        "chance to": round(chance.high, 3),
        "median proved error": float(f"{statistics.median(one.error.upper for one in certificates):.3g}"),
        "median kept": statistics.median(one.construction.ticket.kept for one in certificates),
    }


def rows(module: Any, draws: int, largest: int) -> list[Row]:
    """The rows of one theorem; a source of its bound that is too large to draw has its size alone."""
    found = [row(module, samples, draws) for samples in BELOW]
    target = module.normalised(slth.random_target(WIDTHS, seed=0))
    own = module.source(target, EPSILON, DELTA, seed=0)
    if own.parameters <= largest:
        return [*found, row(module, None, draws)]
    same = {key: found[0][key] for key in ("theorem", "setting")}
    return [*found, {**same, "width": "its bound's", "source weights": own.parameters, "draws": 0}]


def constructions(draws: int, largest: int) -> list[Row]:
    """The rows of the theorems that build a ticket."""
    return [one for module in theorems.CONSTRUCTIONS for one in rows(module, draws, largest)]


def bounds() -> list[Row]:
    """The rows of the theorems that state a bound only."""
    return [one for measure in tqdm(CLAIMS.values(), leave=False, disable=None) for one in measure()]


def main() -> None:
    """Runs what is asked for, and keeps the other rows as they are."""
    here = Path(__file__).parents[1] / "slth" / "theorems" / FILE
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("constructions", "bounds"), help="keep the other part as it is")
    parser.add_argument("--draws", type=int, default=20, help="per row of a construction")
    parser.add_argument("--largest", type=int, default=2_000_000, help="weights of the largest source to draw")
    parser.add_argument("-o", "--output", type=Path, default=here)
    given = parser.parse_args()
    parts = json.loads(given.output.read_text(encoding="utf-8")) if given.only and given.output.exists() else {}
    command, ran_on = "python benchmarks/theorems.py --only", machine()
    if given.only != "bounds":
        table = constructions(given.draws, given.largest)
        parts["constructions"] = {
            "command": f"{command} constructions --draws {given.draws}",
            **machine(),
            "rows": table,
        }
    if given.only != "constructions":
        parts["bounds"] = {"command": f"{command} bounds", **ran_on, "rows": bounds()}
    with replacing(given.output) as file:
        file.write((json.dumps(parts, indent=1, allow_nan=False) + "\n").encode())
    print(json.dumps(parts, indent=1))


if __name__ == "__main__":
    main()
