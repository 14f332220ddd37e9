"""How long do the subset sums of a whole VGG-16 take, drawing included, one for each of its 138,357,544 weights?

Every instance has n = 21 products of two uniform random weights from [-1, 1] and a target uniform in [-1/2, 1/2], all
drawn by key and counter; nothing is stored but counts. Three questions: any subset within 0.01, the smallest one within
0.01, the minimiser. A question that is not run on all instances is run on some and marked `extrapolated`.

    python benchmarks/bulk.py --any 138357544 --output benchmarks/results/bulk.json
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import numba
from machine import machine
from tqdm import tqdm

from slth.grid import PRODUCT_EXPONENT
from slth.laws import Product
from slth.subset_sum import any_within, best, sparsest_within, tolerance_on_grid
from slth.subset_sum.bulk import solve_bulk
from slth.subset_sum.lazy import LazySubsetSums

WEIGHTS = 138_357_544
N = 21
EPSILON = 0.01
TOLERANCE = int(tolerance_on_grid(EPSILON, PRODUCT_EXPONENT))
QUESTIONS = {"any": (any_within, TOLERANCE), "sparsest": (sparsest_within, TOLERANCE), "best": (best, None)}


def measure(name: str, count: int, seed: int) -> dict[str, Any]:
    """Wall and CPU seconds of one question on `count` instances, and what became of them."""
    question, tolerance = QUESTIONS[name]
    solve_bulk(LazySubsetSums(Product(), seed, 0, 2000, N), question, tolerance)  # compiles
    batch = LazySubsetSums(Product(), seed, 1, count, N)
    with tqdm(total=count, desc=name, unit_scale=True, disable=None, leave=False) as bar:
        wall, cpu = time.perf_counter(), time.process_time()
        answer = solve_bulk(batch, question, tolerance, advance=bar.update)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "question": name, "n": N, "epsilon": None if tolerance is None else EPSILON, "instances": count,
        "wall_seconds": wall, "cpu_seconds": cpu, "cpu_microseconds_per_instance": 1e6 * cpu / count,
        "vgg16_wall_seconds": wall * WEIGHTS / count, "extrapolated": count != WEIGHTS,
        "found": answer.found, "impossible": answer.impossible, "unresolved": answer.unresolved,
        "sizes": answer.sizes.tolist(), "mean_size": answer.mean_size, "worst_residual": answer.worst_residual,
        "mean_residual": answer.mean_residual,
        "peak_memory_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--any", type=int, default=10_000_000, help="instances")
    parser.add_argument("--sparsest", type=int, default=10_000_000, help="instances")
    parser.add_argument("--best", type=int, default=1_000_000, help="instances")
    arguments = parser.parse_args()
    counts = {name: getattr(arguments, name) for name in QUESTIONS}
    rows = [measure(name, count, arguments.seed) for name, count in counts.items() if count]
    for row in rows:
        print(
            f"{row['question']:9s} {row['instances']:12,d} instances {row['wall_seconds']:7.2f} s wall "
            f"{row['cpu_seconds']:7.2f} s CPU, all of VGG-16 {row['vgg16_wall_seconds']:7.1f} s"
            f"{' (extrapolated)' if row['extrapolated'] else ''}, {row['impossible']:,} impossible"
        )
    options = " ".join(f"--{name} {count}" for name, count in counts.items())
    report = {
        "machine": machine(),
        "threads": numba.get_num_threads(),
        "command": f"python benchmarks/bulk.py {options} --seed {arguments.seed}",
        "rows": rows,
    }
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
