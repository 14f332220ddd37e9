"""The integer programs of a subset sum in general solvers: the peers of the subset-sum benchmark.

Each solver takes a batch on the 2^-48 grid and returns one boolean row per instance, or None.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from slth.subset_sum import SubsetSums

EPSILON = 0.01
CP_SAT_UNIT = 10_000_000
"""CP-SAT needs integers whose products with its bounds fit in 64 bits: values are rounded to 1e-7."""

Chosen = list[NDArray[np.bool_] | None]


def brute_force(problem: SubsetSums) -> Chosen:
    """numpy over all 2^21 subsets: the exact minimiser."""
    chosen: Chosen = []
    for x, t in zip(problem.samples, problem.targets, strict=True):
        sums = np.array([-t])
        for value in x:
            sums = np.concatenate([sums, sums + value])
        chosen.append(((int(np.abs(sums).argmin()) >> np.arange(problem.n)) & 1).astype(bool))
    return chosen


def highs(question: str) -> Callable[[SubsetSums], Chosen]:
    """HiGHS through scipy.optimize.milp."""
    minimise = question == "best"

    def solve(problem: SubsetSums) -> Chosen:
        chosen: Chosen = []
        cost = np.concatenate([np.full(problem.n, float(question == "sparsest")), np.ones(int(minimise))])
        for x, t in zip(problem.samples / 2.0**48, problem.targets / 2.0**48, strict=True):
            if minimise:
                rows = np.array([[*x, -1.0], [*x, 1.0]])
                inside = LinearConstraint(rows, [-np.inf, t], [t, np.inf])
            else:
                inside = LinearConstraint(x[None, :], [t - EPSILON], [t + EPSILON])
            answer = milp(
                cost,
                constraints=inside,
                integrality=np.array([1] * problem.n + [0] * int(minimise)),
                bounds=Bounds(np.zeros(len(cost)), np.array([1.0] * problem.n + [np.inf] * int(minimise))),
                options={"mip_rel_gap": 0.01 if minimise else 0.0},
            )
            chosen.append(None if answer.x is None else answer.x[: problem.n] > 0.5)
        return chosen

    return solve


def cp_sat(question: str) -> Callable[[SubsetSums], Chosen]:
    """OR-tools CP-SAT with one worker, values rounded to 1e-7."""
    from ortools.sat.python import cp_model

    def solve(problem: SubsetSums) -> Chosen:
        chosen: Chosen = []
        scale = CP_SAT_UNIT / 2.0**48
        samples, targets = (
            np.rint(problem.samples * scale).astype(int),
            np.rint(problem.targets * scale).astype(int),
        )
        for x, t in zip(samples.tolist(), targets.tolist(), strict=True):
            model = cp_model.CpModel()
            take = [model.new_bool_var("") for _ in range(problem.n)]
            residual = sum(v * b for v, b in zip(x, take, strict=True)) - t
            if question == "best":
                z = model.new_int_var(0, 100 * CP_SAT_UNIT, "")
                model.add(residual <= z)
                model.add(-residual <= z)
                model.minimize(z)
            else:
                slack = int(EPSILON * CP_SAT_UNIT) - problem.n
                model.add_linear_constraint(residual, -slack, slack)
                if question == "sparsest":
                    model.minimize(sum(take))
            solver = cp_model.CpSolver()
            solver.parameters.num_workers = 1
            done = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
            chosen.append(np.array([solver.value(b) for b in take], dtype=bool) if done else None)
        return chosen

    return solve


def gurobi(question: str) -> Callable[[SubsetSums], Chosen]:
    """Gurobi with one thread and the same integer programs."""
    import gurobipy

    def solve(problem: SubsetSums) -> Chosen:
        chosen: Chosen = []
        for x, t in zip(problem.samples / 2.0**48, problem.targets / 2.0**48, strict=True):
            model = gurobipy.Model()
            model.Params.OutputFlag, model.Params.Threads, model.Params.MIPGap = 0, 1, 0.01
            take = model.addMVar(problem.n, vtype=gurobipy.GRB.BINARY)
            z = model.addVar(ub=float("inf") if question == "best" else EPSILON)
            model.addConstr(x @ take - t <= z)
            model.addConstr(x @ take - t >= -z)
            model.setObjective({"best": z, "any": 0, "sparsest": take.sum()}[question])
            model.optimize()
            chosen.append(take.X > 0.5 if model.SolCount else None)
        return chosen

    return solve
