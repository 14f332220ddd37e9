"""How often does each construction reach its epsilon, at its bound's own width and below?

Writes slth/theorems/measured.json, from which `slth theorem NAME` prints. One row per theorem and number of candidates:
all draws count, failed ones too. The chance is the share of draws whose proved error is at most epsilon, with its exact
95 % interval.

    python benchmarks/theorems.py [--draws 20] [--largest 2000000] [-o FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

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


def rows(module: Any, draws: int, largest: int) -> list[dict[str, Any]]:
    """The rows of one theorem."""
    target = module.normalised(slth.random_target(WIDTHS, seed=0))
    own = module.source(target, EPSILON, DELTA, seed=0)
    found = []
    for samples in (*BELOW, None):
        if samples is None and own.parameters > largest:
            found.append({"width": "its bound's", "source weights": own.parameters, "draws": 0})
            continue
        certificates = [
            slth.verify(module, target, EPSILON, DELTA, seed, samples=samples)
            for seed in tqdm(range(draws), desc=f"{theorems.name(module)} {samples}", leave=False, disable=None)
        ]
        held = sum(one.verdict is Verdict.HOLDS for one in certificates)
        chance = binomial_interval(held, draws, 0.95)
        found.append(
            {
                "width": "its bound's" if samples is None else f"{samples} candidates",
                "source weights": certificates[0].construction.ticket.source.parameters,
                "draws": draws,
                "proved": held,
                "of them empty": sum(
                    one.verdict is Verdict.HOLDS and one.construction.ticket.kept == 0 for one in certificates
                ),
                "chance from": round(chance.low, 3),
                "chance to": round(chance.high, 3),
                "median proved error": float(f"{statistics.median(one.error.upper for one in certificates):.3g}"),
                "median kept": statistics.median(one.construction.ticket.kept for one in certificates),
            }
        )
    return found


def main() -> None:
    """Runs every construction."""
    here = Path(__file__).parents[1] / "slth" / "theorems" / FILE
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--largest", type=int, default=2_000_000, help="weights of the largest source to draw")
    parser.add_argument("-o", "--output", type=Path, default=here)
    given = parser.parse_args()
    setting = f"target {'-'.join(map(str, WIDTHS))}, epsilon {EPSILON}, delta {DELTA}"
    table = [
        {"theorem": theorems.name(module), "setting": setting} | row
        for module in theorems.CONSTRUCTIONS
        for row in rows(module, given.draws, given.largest)
    ]
    answer = {"command": f"python benchmarks/theorems.py --draws {given.draws}", **machine(), "rows": table}
    with replacing(given.output) as file:
        file.write((json.dumps(answer, indent=1) + "\n").encode())
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
