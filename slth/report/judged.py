"""Cells with their verdicts, and the brackets of searches with theirs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from slth.confidence import Interval
from slth.experiments import summaries
from slth.experiments.points import Point
from slth.experiments.search import Rule, Search
from slth.experiments.verdicts import verdicts_on_failures, verdicts_on_smallest_n
from slth.fits import fit_bits, joint_confidence
from slth.report.rows import OPTION, Folder, short

AXES = ("target", "widths", "target_seed", "epsilon", "delta", "samples", "question", "assignment", "law")

FAMILY_WISE_ERROR = 0.05
"""Probability, at most, that any verdict on a cell of a sweep in one report is wrong."""

MOST_WEIGHTS, MOST_DRAWS = 1 << 22, 1 << 16
"""Targets and searches beyond this are not gone through again for a report."""

SUCCESSES = {f"{rule.__module__}:{rule.__qualname__}": rule for rule in (summaries.proved, summaries.sums_met)}


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per cell of all theorems together: failures with verdicts, and medians of error and density."""
    if rows.empty:
        return rows
    table = verdicts_on_failures(summaries.failures(rows), FAMILY_WISE_ERROR)
    errors, densities = summaries.errors(rows), summaries.densities(rows)
    extra: dict[str, Any] = {f"median_{end}": errors[end].to_numpy() for end in ("lower", "upper")}
    return table.assign(**extra, median_density=densities["density"].to_numpy())


def searched(folder: Folder, known: Mapping[str, ModuleType]) -> tuple[pd.DataFrame, list[tuple[Point, str]]]:
    """The brackets of the folder's searches with verdicts, and the searches that are not evaluated, with the reason."""
    found: list[dict[str, Any]] = []
    left: list[tuple[Point, str]] = []
    for start, asked in folder.searches:
        reason = _refusal(start, asked, known)
        if not reason:
            try:
                rule = Rule(SUCCESSES[asked["success"]], asked["confidence"], asked["most"])
                row = Search(start, rule, asked["largest"]).row(folder.store)
                if row["status"] == "done":
                    found.append(row)
                    continue
                reason = f"its draws are {row['status']}"
            except (ArithmeticError, AttributeError, ImportError, KeyError, TypeError, ValueError) as fault:
                reason = f"{type(fault).__name__}: {fault}"
        left.append((start, reason))
    return (verdicts_on_smallest_n(pd.DataFrame(found)) if found else pd.DataFrame()), left


def axes_of(table: pd.DataFrame) -> list[str]:
    """The columns that are axes of the grid."""
    return [str(name) for name in table.columns if name in AXES or str(name).startswith(OPTION)]


def varies(table: pd.DataFrame, name: str) -> bool:
    """Whether an axis has several values."""
    return bool(table[name].map(repr).nunique() > 1)


def fits(brackets: pd.DataFrame) -> list[str]:
    """Where searches differ in epsilon alone, three or more: the line n = a log2(1 / epsilon) + b, in words.

    Args:
        brackets: of `searched`, of one theorem.
    """
    apart = [name for name in (*axes_of(brackets), "seed") if name != "epsilon" and varies(brackets, name)]
    one = pd.Series("", index=brackets.index)
    found = []
    for _, own in brackets.groupby([one, *(brackets[name].map(repr) for name in apart)], sort=False):
        if own["epsilon"].nunique() < 3 or not np.isfinite(own["n_high"]).sum() > 1:
            continue
        ends = zip(own["n_low"], own["n_low"], own["n_high"], own["confidence"], strict=True)
        confidence = joint_confidence([Interval(*one) for one in ends])
        line = fit_bits(own["epsilon"], own["n_low"], own["n_high"], confidence)
        place = ", ".join(f"{name.removeprefix(OPTION)} {short(own[name].iloc[0])}" for name in apart)
        words = line.sentence("log2(1/epsilon)", "smallest n")
        found.append(f"{place}: {words}. No theorem gives it.".removeprefix(": "))
    return found


def _refusal(start: Point, asked: Any, known: Mapping[str, ModuleType]) -> str:
    """Why a search is not evaluated; "" if nothing speaks against it."""
    if start["theorem"] not in known:
        return "its theorem is not known here"
    if start["target"] != "random" or math.prod(start["widths"] or (MOST_WEIGHTS, 2)) > MOST_WEIGHTS:
        return "a report makes only random targets again; the call that searched prints its result"
    if not isinstance(asked, dict) or asked.get("success") not in SUCCESSES:
        return "it counts successes by a function that is not of this package"
    numbers = type(asked.get("most")) is int and type(asked.get("confidence")) is float
    if not (numbers and 16 <= asked["most"] <= MOST_DRAWS and 0 < asked["confidence"] < 1):
        return "its rule is not of this form"
    return ""
