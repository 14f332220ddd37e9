"""What the rows of a sweep say, cell by cell: errors, failure probabilities, densities, beside the theorem's claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from slth.confidence import binomial_interval, excess_p_value, quantile_interval
from slth.experiments.inputs import SAMPLED
from slth.experiments.measure import RESULTS, Outcome
from slth.experiments.points import Point, cell, key
from slth.theorems.certificate import Verdict

Success = Callable[[dict[str, Any]], bool]
"""Whether a draw is a success: a function of its result, see `slth.experiments.measure.result`."""

NOT_OF_THE_CELL = {"status", "seed", "trial", "seconds", "host", "error", "key", "hash", *RESULTS, *SAMPLED}


def proved(found: dict[str, Any]) -> bool:
    """The ticket is within epsilon of the target, proved. An undecided verdict is no success."""
    return bool(found["verdict"] == Verdict.HOLDS)


def sums_met(found: dict[str, Any]) -> bool:
    """Every subset sum met its tolerance: the event that the theorems' proofs bound."""
    return bool(found["failed_sums"] == 0)


def errors(rows: pd.DataFrame, level: float = 0.5, confidence: float = 0.95) -> pd.DataFrame:
    """A quantile of the error in every cell: of its attained and of its proved ends, with exact intervals.

    Args:
        rows: of `slth.sweep`.
        level: of the quantile, in (0, 1).
        confidence: of each interval, in (0, 1).

    Returns:
        One row per cell: draws, missing (points without a result), lower and upper with _low and _high; where there
        were inputs also the quantile of what they gave, see `slth.experiments.inputs`.
    """

    def of(done: pd.DataFrame, missing: int) -> dict[str, Any]:
        found: dict[str, Any] = {"draws": len(done), "missing": missing}
        for end in ("lower", "upper"):
            found |= _quantile(end, done, level, confidence)
        for name in SAMPLED:
            if name in done and done[name].notna().any():
                found[name] = _quantile(name, done, level, confidence)[name]
        return found

    return _by_cell(rows, of)


def densities(rows: pd.DataFrame, level: float = 0.5, confidence: float = 0.95) -> pd.DataFrame:
    """A quantile of the density reached in every cell, and of the weights kept per weight of the target.

    Args:
        rows: of `slth.sweep`.
        level: of the quantile, in (0, 1).
        confidence: of each interval, in (0, 1).

    Returns:
        One row per cell: draws, missing, density and kept_per_target_weight with _low and _high, and `proved`, the
        share of the draws that are proved within epsilon.
    """

    def of(done: pd.DataFrame, missing: int) -> dict[str, Any]:
        found: dict[str, Any] = {"draws": len(done), "missing": missing}
        for name in ("density", "kept_per_target_weight"):
            found |= _quantile(name, done, level, confidence)
        return found | {"proved": _share(done, proved)}

    return _by_cell(rows, of)


def failures(rows: pd.DataFrame, success: Success = proved, confidence: float = 0.95) -> pd.DataFrame:
    """The failure probability in every cell with an exact interval, against the delta of the theorem.

    A point without a result may have been either: the interval takes it as a success at its low end and as a failure
    at its high end.

    Args:
        rows: of `slth.sweep`.
        success: what counts as a success, `proved` or `sums_met`.
        confidence: of each interval, in (0, 1).

    Returns:
        One row per cell: draws, missing, failures, failure with _low and _high, claimed (delta where every draw meets
        all hypotheses of the theorem, else 1), and the p-value of the claim (exact, one-sided).
    """

    def of(done: pd.DataFrame, missing: int) -> dict[str, Any]:
        missed = len(done) - sum(map(success, done.to_dict("records")))
        total = len(done) + missing
        found: dict[str, Any] = {"draws": len(done), "missing": missing, "failures": missed}
        found["failure"] = missed / len(done) if len(done) else float("nan")
        found["failure_low"] = binomial_interval(missed, total, confidence).low
        found["failure_high"] = binomial_interval(missed + missing, total, confidence).high
        holds = len(done) > 0 and bool(done["hypotheses"].astype(bool).all())
        claimed = float(done["delta"].iloc[0]) if holds else 1.0
        return found | {"claimed": claimed, "p_value": excess_p_value(missed, total, claimed)}

    return _by_cell(rows, of)


def _by_cell(rows: pd.DataFrame, of: Callable[[pd.DataFrame, int], dict[str, Any]]) -> pd.DataFrame:
    """One row per cell, in the order of the first rows; the columns of the point first."""
    if rows.empty:
        return pd.DataFrame()
    names = [name for name in rows.columns if name not in NOT_OF_THE_CELL]
    found = []
    for values, own in rows.groupby(names, sort=False, dropna=False):
        done = own[own["status"] == Outcome.DONE]
        values = values if isinstance(values, tuple) else (values,)
        found.append(dict(zip(names, values, strict=True)) | of(done, len(own) - len(done)))
    return pd.DataFrame(found)


def _quantile(name: str, done: pd.DataFrame, level: float, confidence: float) -> dict[str, float]:
    if done.empty:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"), float("nan"))
    found = quantile_interval(np.asarray(done[name], dtype=np.float64), level, confidence)
    return {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}


def _share(done: pd.DataFrame, success: Success) -> float:
    return float(np.mean([success(found) for found in done.to_dict("records")])) if len(done) else float("nan")


def cells(points: Iterable[Point]) -> dict[str, list[Point]]:
    """Points by the key of their cell, in order."""
    found: dict[str, list[Point]] = {}
    for point in points:
        found.setdefault(key(cell(point)), []).append(point)
    return found
