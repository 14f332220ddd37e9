"""How tight is each end of the ladder, by depth, and what does it cost?

Targets are normal matrices scaled to spectral norm 1. Tickets come from blocks of candidates with the best subset each,
so a few weights with too few candidates of a sign are missed by far, as in every construction by blocks.

(a) the plane: 2-16-..-16-4, depth 1 to 8, where the truth is known. (b) 64 to 784 inputs, against the best lower end.
(c) splitting domains of 8 inputs to within 4 %. Times are CPU time with one thread after
construction, of the tiers the best of three calls; those of (c) are wall time.

    OMP_NUM_THREADS=1 python benchmarks/ladder.py --output benchmarks/results/ladder.json
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import machine
from tqdm import tqdm

from slth.errors import Ball, Box, Domain, Effort, Upper, bracket, scalar, vector
from slth.errors.averaged import averaged
from slth.errors.cells import plane_error
from slth.errors.coupled import coupled
from slth.errors.differential import differential
from slth.errors.splitting import splitting
from slth.gadget import EffectiveLayer, collapse
from slth.networks.target import Target
from slth.subset_sum import best
from slth.theorems.pairs import paired_source, prune

CANDIDATES = 14
SEEDS = 5
WIDE = ((64, 32, 10), (64, 32, 32, 10), (64, 32, 32, 32, 32, 10), (784, 128, 10), (784, 128, 128, 10), (784, 500, 10))
TIERS: dict[str, Callable[..., Upper]] = {
    "scalar recursion": scalar,
    "vector recursion": vector,
    "averaged operators": averaged,
    "coupled intervals": coupled,
    "linear difference bounds": differential,
}


def question(problem: Any, tolerance: int) -> Any:
    return best(problem)


def ticket(widths: Sequence[int], seed: int) -> tuple[EffectiveLayer, ...]:
    """The exact errors of a ticket for a random target of spectral norms 1."""
    rng = np.random.default_rng([seed, *widths])
    matrices = [rng.normal(size=(b, a)) for a, b in itertools.pairwise(widths)]
    target = Target.from_floats([m / (np.linalg.norm(m, 2) * (1 + 1e-12)) for m in matrices])
    source = paired_source(target, CANDIDATES, seed)
    return collapse(target, prune(target, source, [0.01] * target.depth, question).ticket)


def seconds_of(call: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """CPU seconds, best of some calls, and what the last one gave."""
    found, spent = None, []
    for _ in range(times):
        started = time.process_time()
        found = call()
        spent.append(time.process_time() - started)
    return min(spent), found


def domains(inputs: int) -> tuple[Domain, ...]:
    return Ball(inputs), Box.cube(inputs), Box.cube(inputs, 0.0, 1.0)


def tiers(layers: Sequence[EffectiveLayer], domain: Domain, truth: float) -> dict[str, dict[str, float]]:
    found = {}
    for name, tier in TIERS.items():
        if tier is vector and isinstance(domain, Ball):
            continue
        spent, end = seconds_of(lambda tier=tier: tier(layers, domain))
        found[name] = {"ratio": end.value / truth, "milliseconds": 1e3 * spent}
    return found


def median_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The medians of equally shaped dictionaries of numbers."""
    return {
        k: median_of([row[k] for row in rows]) if isinstance(v, dict) else float(np.median([row[k] for row in rows]))
        for k, v in rows[0].items()
    }


def plane(depth: int) -> list[dict[str, Any]]:
    """(a), medians over the seeds."""
    found = []
    nets = [ticket([2, *[16] * (depth - 1), 4], seed) for seed in range(SEEDS)]
    for domain in domains(2):
        rows = []
        for layers in nets:
            truth = plane_error(layers, domain)
            spent, interval = seconds_of(lambda layers=layers, domain=domain: bracket(layers, domain), times=1)
            row = {"truth": truth, "lower": interval.lower / truth, "upper": interval.upper / truth}
            rows.append({**row, "bracket_seconds": spent, "tiers": tiers(layers, domain, truth)})
        found.append({"depth": depth, "domain": domain.description, **median_of(rows)})
    return found


def wide(widths: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """(b), one network; the lower end of much effort stands for the truth."""
    layers = ticket(widths, seed)
    found = []
    for domain in domains(widths[0]):
        spent, interval = seconds_of(lambda domain=domain: bracket(layers, domain))
        lower = bracket(layers, domain, effort=Effort(work=1 << 31), points=interval.witness[None]).lower
        found.append(
            {
                "widths": list(widths), "domain": domain.description, "lower": lower,
                "default_lower": interval.lower / lower, "upper": interval.upper / lower,
                "lower_method": interval.lower_method, "upper_method": interval.upper_method,
                "bracket_seconds": spent, "tiers": tiers(layers, domain, lower),
            }
        )  # fmt: skip
    return found


def split(widths: Sequence[int], domain: Domain, boxes: int, seconds: float) -> dict[str, Any]:
    """(c)"""
    layers = ticket(widths, 0)
    started = time.perf_counter()
    found = splitting(layers, domain, gap=0.04, boxes=boxes, seconds=seconds)
    return {
        "widths": list(widths), "domain": domain.description, "ratio": found.upper.value / found.lower.value,
        "boxes": found.boxes, "done": found.done, "seconds": time.perf_counter() - started,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--depths", type=int, default=8)
    parser.add_argument("--wide", type=int, default=len(WIDE), help="how many of the wide networks")
    parser.add_argument("--seconds", type=float, default=60.0, help="limit of each splitting")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    averaged(ticket([2, 3, 1], 0), Ball(2))  # compiles the subset sums
    found = {
        "machine": machine(),
        "command": f"python benchmarks/ladder.py --depths {arguments.depths} --wide {arguments.wide}",
        "candidates": CANDIDATES, "seeds": SEEDS,
        "plane": [row for depth in tqdm(range(1, arguments.depths + 1), disable=None) for row in plane(depth)],
        "wide": [row for widths in tqdm(WIDE[: arguments.wide], disable=None) for row in wide(widths, 0)],
        "splitting": [
            split((8, 16, 16, 4), domain, 1 << 20, arguments.seconds)
            for domain in (Box.cube(8, 0.0, 1.0), Box.cube(8), Ball(8))
        ],
    }  # fmt: skip
    text = json.dumps(found, indent=1)
    if arguments.output:
        arguments.output.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
