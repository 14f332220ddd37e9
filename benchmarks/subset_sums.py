"""How many subset sums per second and core, beside general solvers on the same instances in the same run?

Two families with n = 21 candidates, both on the 2^-48 grid:

* product: products of two uniform random weights from [-1, 1], targets uniform in [-1/2, 1/2];
* uniform: candidates uniform in [-0.464, 0.541], targets normal with deviation 0.0255, the range and the deviation of
  the weights of a trained 784-500-10 network on MNIST.

Three questions: the minimiser of |sum - target|, any subset within 0.01, the smallest subset within 0.01. The
peers get the integer program of each question: the minimising one is that of Pensia et al. (2020), min z with
-z <= residual <= z, relative gap 1 %. Every peer's answer is recomputed in exact integers. The time of a call
is CPU time of the process with one thread; rounds of all solvers are interleaved and the median over the
rounds is reported. Building the models is part of a peer's call; building `SubsetSums` is timed as a row of
its own.

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
from integer_programs import EPSILON, brute_force, cp_sat, gurobi, highs
from machine import machine
from numpy.typing import NDArray

from slth.grid import PRODUCT_EXPONENT, WEIGHT_EXPONENT
from slth.subset_sum import Status, Subsets, SubsetSums, any_within, best, sparsest_within, tolerance_on_grid

N = 21
TOLERANCE = int(tolerance_on_grid(EPSILON, PRODUCT_EXPONENT))
PEERS = (("scipy", "scipy"), ("ortools", "ortools"), ("gurobipy", "gurobipy"))
QUESTIONS = ("best", "any", "sparsest")
GOALS = {
    "best": {"instances_per_second_per_core": 1e5, "times_highs": 5e4},
    "any": {"instances_per_second_per_core": 5e6},
    "sparsest": {"instances_per_second_per_core": 1e7},
}


def product(m: int, rng: np.random.Generator) -> SubsetSums:
    """Products of odd 24-bit weights, exact on the grid."""
    top = 1 << (WEIGHT_EXPONENT - 1)
    u, v = 2 * rng.integers(-top, top, (2, m, N)) + 1
    return SubsetSums(u * v, rng.integers(-(1 << 47), (1 << 47) + 1, m))


def uniform(m: int, rng: np.random.Generator) -> SubsetSums:
    """Uniform candidates over the range of a trained layer, targets as concentrated as its weights."""
    unit = 2.0**PRODUCT_EXPONENT
    samples = rng.integers(int(-0.464 * unit), int(0.541 * unit), (m, N))
    return SubsetSums(samples, np.rint(rng.normal(0, 0.0255, m) * unit).astype(np.int64))


ASK: dict[str, Callable[[SubsetSums], Subsets]] = {
    "best": best,
    "any": lambda problem: any_within(problem, TOLERANCE),
    "sparsest": lambda problem: sparsest_within(problem, TOLERANCE),
}


def solvers(question: str) -> dict[str, tuple[Callable[[SubsetSums], Any], int]]:
    """Name -> (solver, instances per round)."""
    entries: dict[str, tuple[Callable[[SubsetSums], Any], int]] = {
        "slth": (ASK[question], 20_000 if question == "best" else 400_000),
        "HiGHS (scipy milp)": (highs(question), 4 if question == "best" else 40),
        "OR-tools CP-SAT": (cp_sat(question), 6 if question == "best" else 40),
    }
    if question == "best":
        entries["numpy, all 2^21 subsets"] = (brute_force, 10)
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
    residuals = residuals_of(answer, problem)
    share = float((residuals <= TOLERANCE).sum() / problem.m)
    middle = float(np.median(residuals)) if len(residuals) else float("nan")
    minimum = float(np.median(np.abs(best(problem).residuals))) if question == "best" else float("nan")
    return share, middle / 2.0**PRODUCT_EXPONENT, minimum / 2.0**PRODUCT_EXPONENT


def measure(family: Callable[..., SubsetSums], question: str, rounds: int, seed: int) -> list[dict[str, Any]]:
    """One row per solver: CPU seconds per instance, median over interleaved rounds."""
    entries = solvers(question)
    largest = max(m for _, m in entries.values())
    seconds: dict[str, list[float]] = {name: [] for name in entries}
    answered: dict[str, list[tuple[float, float, float]]] = {name: [] for name in entries}
    for r in range(rounds):
        whole = family(largest, np.random.default_rng((seed, r)))
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
            "n": N, "epsilon": EPSILON, "instances_per_round": m, "rounds": rounds,
            "instances_per_second_per_core": 1 / float(np.median(seconds[name])),
            "slowest_round": 1 / max(seconds[name]), "fastest_round": 1 / min(seconds[name]),
            "share_within_epsilon": share, "median_residual": residual,
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
        highs_ratio = next(r["times_slth_faster"] for r in same if r["solver"].startswith("HiGHS"))
        got = {
            "instances_per_second_per_core": row["instances_per_second_per_core"],
            "times_highs": highs_ratio,
        }
        for name, goal in GOALS[row["question"]].items():
            verdicts.append({
                "family": row["family"], "question": row["question"], "figure": name,
                "goal": goal, "measured": got[name], "met": got[name] >= goal,
            })  # fmt: skip
    return verdicts


def construction(rounds: int, seed: int) -> dict[str, float]:
    """Instances per second of building a problem from integers and from floats."""
    problem = product(100_000, np.random.default_rng(seed))
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    numba.set_num_threads(1)
    rows = []
    for question in QUESTIONS:
        ASK[question](product(2000, np.random.default_rng(0)))  # compiles
        for family in (product, uniform):
            rows += measure(family, question, arguments.rounds, arguments.seed)
    for row in rows:
        print(
            f"{row['family']:8s} {row['question']:9s} {row['solver']:24s} "
            f"{row['instances_per_second_per_core']:14,.1f} /s/core   slth x "
            f"{row['times_slth_faster']:12,.0f}   median |residual| {row['median_residual']:.1e}"
        )
    report = {
        "machine": machine(),
        "peers": {
            name: version(name) if importlib.util.find_spec(module) else "not installed" for name, module in PEERS
        },
        "command": f"python benchmarks/subset_sums.py --rounds {arguments.rounds} --seed {arguments.seed}",
        "unit": "instances per second of CPU time with one thread, median of interleaved rounds",
        "rows": rows,
        "goals": goals_met(rows),
        "building_problems_per_second_per_core": construction(arguments.rounds, arguments.seed),
    }
    for verdict in report["goals"]:
        print(verdict)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
