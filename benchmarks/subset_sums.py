"""How many subset sums per second and core, beside general solvers on the same instances in the same run?

Two families, both on the 2^-48 grid, with n = 21 candidates unless said:

* product: products of two uniform random weights from [-1, 1], targets uniform in [-1/2, 1/2];
* uniform: candidates uniform in [-0.464, 0.541], targets normal with deviation 0.0255, the range and the deviation of
  the weights of a trained 784-500-10 network on MNIST.

Six questions: the minimiser of |sum - target| (n = 21 and n = 32), any subset within 0.01, the smallest subset within
0.01, the minimiser among subsets of 10, the number of subsets within 0.01. The peers get the integer program of the
question: the minimising one is that of Pensia et al. (2020), min z with -z <= residual <= z, relative gap 1 %. numpy
is a peer for the minimiser, with one sort per instance and with all subsets. Every peer's answer is recomputed in
exact integers.

The time of a call is CPU time of the process with one thread; rounds of all solvers are interleaved and the median
over the rounds is reported. Building the models is part of a peer's call; building `SubsetSums` is timed as a row of
its own. Beside each figure of a sorting network stands its share of the limit that the compare-exchanges set, at the
rate of int64 minima and maxima measured in the same run. `--quick` leaves the integer programs out.

    python benchmarks/subset_sums.py --output benchmarks/results/subset_sums.json
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
import numpy as np
import torch
from compare_exchanges import needed, rate
from integer_programs import EPSILON, brute_force, cp_sat, gurobi, highs
from machine import machine
from numpy.typing import NDArray
from numpy_sort import one_sort

from slth.grid import PRODUCT_EXPONENT, WEIGHT_EXPONENT
from slth.subset_sum import (
    Status,
    Subsets,
    SubsetSums,
    any_within,
    best,
    solve_arrays,
    sparsest_within,
    tolerance_on_grid,
)
from slth.subset_sum.counting import count_within
from slth.subset_sum.solve import exactly

N = 21
TOLERANCE = int(tolerance_on_grid(EPSILON, PRODUCT_EXPONENT))
PEERS = (("scipy", "scipy"), ("ortools", "ortools"), ("gurobipy", "gurobipy"))
PROGRAMS = ("best", "any", "sparsest")
"""Questions with an integer program in `integer_programs`."""

ASK: dict[str, tuple[int, int, Callable[[SubsetSums], Any]]] = {
    "best": (N, 20_000, best),
    "best of 32": (32, 240, best),
    "any": (N, 400_000, lambda problem: any_within(problem, TOLERANCE)),
    "sparsest": (N, 400_000, lambda problem: sparsest_within(problem, TOLERANCE)),
    "exactly 10": (N, 20_000, lambda problem: exactly(problem, 10)),
    "count": (N, 20_000, lambda problem: count_within(problem, TOLERANCE)),
}
"""Question -> (candidates, instances per round, solver)."""

MERGES = {"best": 1, "best of 32": 1, "exactly 10": 1, "count": 2}
"""Merges of the two lists, for the limit by compare-exchanges."""

GOALS = {
    "best": {"instances_per_second_per_core": 2e5, "times_highs": 5e4},
    "best of 32": {"instances_per_second_per_core": 2e3},
    "any": {"instances_per_second_per_core": 2e7},
    "sparsest": {"instances_per_second_per_core": 1e7},
    "exactly 10": {"instances_per_second_per_core": 2e5},
    "count": {"instances_per_second_per_core": 1.5e5},
}


def product(m: int, n: int, rng: np.random.Generator) -> SubsetSums:
    """Products of odd 24-bit weights, exact on the grid."""
    top = 1 << (WEIGHT_EXPONENT - 1)
    u, v = 2 * rng.integers(-top, top, (2, m, n)) + 1
    return SubsetSums(u * v, rng.integers(-(1 << 47), (1 << 47) + 1, m))


def uniform(m: int, n: int, rng: np.random.Generator) -> SubsetSums:
    """Uniform candidates over the range of a trained layer, targets as concentrated as its weights."""
    unit = 2.0**PRODUCT_EXPONENT
    samples = rng.integers(int(-0.464 * unit), int(0.541 * unit), (m, n))
    return SubsetSums(samples, np.rint(rng.normal(0, 0.0255, m) * unit).astype(np.int64))


def solvers(question: str, quick: bool) -> dict[str, tuple[Callable[[SubsetSums], Any], int]]:
    """Name -> (solver, instances per round)."""
    _, m, ask = ASK[question]
    entries: dict[str, tuple[Callable[[SubsetSums], Any], int]] = {"slth": (ask, m)}
    if question == "best":
        entries["numpy, one sort"] = (one_sort, 2000)
        entries["numpy, all 2^21 subsets"] = (brute_force, 10)
    if quick or question not in PROGRAMS:
        return entries
    entries["HiGHS (scipy milp)"] = (highs(question), 4 if question == "best" else 40)
    entries["OR-tools CP-SAT"] = (cp_sat(question), 6 if question == "best" else 40)
    if importlib.util.find_spec("gurobipy"):
        entries["Gurobi"] = (gurobi(question), 4 if question == "best" else 40)
    return entries


def residuals_of(answer: Any, problem: SubsetSums) -> NDArray[np.int64]:
    """|sum - target| of the rows that got an answer, in exact integers."""
    if isinstance(answer, Subsets):
        return np.abs(answer.residuals[answer.status == Status.FOUND])
    rows = [i for i, chosen in enumerate(answer) if chosen is not None]
    sums = np.array([problem.samples[i][answer[i]].sum() for i in rows], dtype=np.int64)
    return np.abs(sums - problem.targets[rows])


def quality(answer: Any, problem: SubsetSums, question: str) -> tuple[float, float, float]:
    """Share answered within epsilon, median |residual|, and for `best` the median of the true minimum."""
    if question == "count":
        return float((answer > 0).mean()), float("nan"), float("nan")  # no subset, no residual
    residuals = residuals_of(answer, problem)
    share = float((residuals <= TOLERANCE).sum() / problem.m)
    middle = float(np.median(residuals)) if len(residuals) else float("nan")
    minimum = float(np.median(np.abs(best(problem).residuals))) if question == "best" else float("nan")
    return share, middle / 2.0**PRODUCT_EXPONENT, minimum / 2.0**PRODUCT_EXPONENT


def measure(
    family: Callable[..., SubsetSums], question: str, rounds: int, seed: int, quick: bool
) -> list[dict[str, Any]]:
    """One row per solver: CPU seconds per instance, median over interleaved rounds."""
    entries, n = solvers(question, quick), ASK[question][0]
    largest = max(m for _, m in entries.values())
    seconds: dict[str, list[float]] = {name: [] for name in entries}
    answered: dict[str, list[tuple[float, float, float]]] = {name: [] for name in entries}
    for r in range(rounds):
        whole = family(largest, n, np.random.default_rng((seed, r)))
        for name, (solve, m) in entries.items():
            problem = SubsetSums(whole.samples[:m], whole.targets[:m])
            start = time.process_time()
            answer = solve(problem)
            seconds[name].append((time.process_time() - start) / m)
            answered[name].append(quality(answer, problem, question))
    rows = []
    for name, (_, m) in entries.items():
        share, residual, minimum = np.median(np.array(answered[name]), axis=0).tolist()
        rows.append({
            "family": family.__name__, "question": question, "solver": name,
            "n": n, "epsilon": EPSILON, "instances_per_round": m, "rounds": rounds,
            "instances_per_second_per_core": 1 / float(np.median(seconds[name])),
            "slowest_round": 1 / max(seconds[name]), "fastest_round": 1 / min(seconds[name]),
            "share_within_epsilon": share, "median_residual": None if question == "count" else residual,
            "median_minimum_of_same_instances": minimum if question == "best" else None,
            "times_slth_faster": float(np.median(seconds[name]) / np.median(seconds["slth"])),
        })  # fmt: skip
    return rows


def goals_met(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The project's own goals beside what was measured."""
    verdicts = []
    for row in rows:
        if row["solver"] != "slth":
            continue
        same = [r for r in rows if (r["family"], r["question"]) == (row["family"], row["question"])]
        got = {"instances_per_second_per_core": row["instances_per_second_per_core"]}
        for other in same:
            if other["solver"].startswith("HiGHS"):
                got["times_highs"] = other["times_slth_faster"]
        for name, goal in GOALS[row["question"]].items():
            if name not in got:
                continue
            verdicts.append({
                "family": row["family"], "question": row["question"], "figure": name,
                "goal": goal, "measured": got[name], "met": got[name] >= goal,
            })  # fmt: skip
    return verdicts


def construction(rounds: int, seed: int) -> dict[str, float]:
    """Instances per second of building a problem from integers and from floats."""
    problem = product(100_000, N, np.random.default_rng(seed))
    floats = (
        np.ldexp(problem.samples.astype(np.float64), -48),
        np.ldexp(problem.targets.astype(np.float64), -48),
    )
    makers = {
        "integers": lambda: SubsetSums(problem.samples, problem.targets),
        "floats": lambda: SubsetSums.from_floats(*floats),
    }
    figures = {}
    for name, make in makers.items():
        seconds = []
        for _ in range(rounds):
            start = time.process_time()
            make()
            seconds.append(time.process_time() - start)
        figures[name] = problem.m / float(np.median(seconds))
    return figures


def cuda(rounds: int, seed: int) -> dict[str, Any] | str:
    """Instances per second of wall time on a CUDA device, tensors there before and after."""
    if not torch.cuda.is_available():
        return "not measured: no CUDA device"
    problem = product(1 << 18, N, np.random.default_rng(seed))
    tensors = [torch.from_numpy(part).cuda() for part in (problem.samples, problem.targets)]
    figures: dict[str, Any] = {"device": torch.cuda.get_device_name()}
    for name, question, epsilon in (("best", best, None), ("any", any_within, TOLERANCE)):
        seconds = []
        for _ in range(rounds + 1):  # the first round compiles
            start = time.perf_counter()
            solve_arrays(*tensors, question, epsilon=epsilon)
            torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
        figures[name] = problem.m / float(np.median(seconds[1:]))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="without the integer programs")
    arguments = parser.parse_args()
    numba.set_num_threads(1)
    rows = []
    exchanges = rate()
    for question, (n, _, ask) in ASK.items():
        ask(product(64, n, np.random.default_rng(0)))  # compiles
        for family in (product, uniform):
            rows += measure(family, question, arguments.rounds, arguments.seed, arguments.quick)
    for row in rows:
        if row["solver"] == "slth" and row["question"] in MERGES:
            limit = exchanges / needed(row["n"], MERGES[row["question"]])
            row["compare_exchange_limit_per_second"] = limit
            row["share_of_limit"] = row["instances_per_second_per_core"] / limit
        print(
            f"{row['family']:8s} {row['question']:10s} {row['solver']:24s} "
            f"{row['instances_per_second_per_core']:14,.1f} /s/core   slth x "
            f"{row['times_slth_faster']:12,.1f}"
            + (f"   median |residual| {row['median_residual']:.1e}" if row["median_residual"] is not None else "")
            + (f"   {row['share_of_limit']:.0%} of the limit" if "share_of_limit" in row else "")
        )
    report = {
        "machine": machine(),
        "peers": {
            name: version(name) if importlib.util.find_spec(module) else "not installed" for name, module in PEERS
        },
        "command": f"python benchmarks/subset_sums.py --rounds {arguments.rounds} --seed {arguments.seed}"
        + " --quick" * arguments.quick,
        "unit": "instances per second of CPU time with one thread, median of interleaved rounds",
        "compare_exchanges_per_second": exchanges,
        "rows": rows,
        "goals": goals_met(rows),
        "cuda_instances_per_second": cuda(arguments.rounds, arguments.seed),
        "building_problems_per_second_per_core": construction(arguments.rounds, arguments.seed),
    }
    for verdict in report["goals"]:
        print(verdict)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
