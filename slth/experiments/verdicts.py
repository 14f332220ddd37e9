"""What measurements say about a bound: it holds, it is violated, neither is shown, or it says nothing.

A bound is compared with an interval for what was measured. Several verdicts from one experiment share an error
probability: `family_wise_error` is the probability, at most, that any of them that says "holds" or "violated" is wrong.
At one place only one of the two can be wrong, so each test is made at the family-wise error over the number of places
(Bonferroni): no independence is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from slth.bounds import Direction
from slth.confidence import TAIL_ERROR, Interval, binomial_interval, excess_p_value, shortage_p_value
from slth.experiments.claims import ROUNDING, Claim
from slth.experiments.claims import claim as claim
from slth.power import bonferroni, draws_without_failure


class BoundVerdict(StrEnum):
    """On one bound at one place, from measurements."""

    HOLDS = "holds"
    """Shown there, at the stated confidence."""
    VIOLATED = "violated"
    """Its negation is shown there."""
    UNDECIDED = "undecided"
    """The measurements show neither: more draws, or sharper ends, would."""
    VACUOUS = "vacuous"
    """It says no more than counting, or the definition of the quantity, does; no measurement can tell."""


@dataclass(frozen=True)
class Finding:
    """A verdict with its evidence.

    Attributes:
        claim: what was tested.
        verdict: on it.
        measured: the interval for the quantity.
        error: probability, at most, that this verdict is wrong if it says "holds" or "violated".
        places: verdicts of the same family; the probability that any of them is wrong is at most `error` times this.
        evidence: what the interval rests on, in words, such as "3 failures in 100 draws".
        advice: what would decide it; empty if it is decided.
    """

    claim: Claim
    verdict: BoundVerdict
    measured: Interval
    error: float
    places: int = 1
    evidence: str = ""
    advice: str = ""

    @property
    def family_wise_error(self) -> float:
        """Probability, at most, that any verdict of the family is wrong."""
        return min(1.0, self.error * self.places)

    def sentence(self) -> str:
        """The verdict in words, with its error probability and where the number comes from."""
        found, parts = self.measured, [f"{self.claim.relation()} ({self.claim.origin}): {self.verdict}"]
        parts.append(f"measured {found.estimate:.4g} [{found.low:.4g}, {found.high:.4g}]")
        if self.evidence:
            parts.append(f"from {self.evidence}")
        if self.verdict in (BoundVerdict.HOLDS, BoundVerdict.VIOLATED):
            parts.append(f"wrong with probability at most {self.error:.3g}")
            if self.places > 1:
                parts.append(f"any of the {self.places} verdicts with at most {self.family_wise_error:.3g}")
        return "; ".join(parts + ([self.advice] if self.advice else []))


def judge(claim: Claim, measured: Interval, places: int = 1, evidence: str = "") -> Finding:
    """The verdict on a claim from an interval for the quantity.

    Args:
        claim: to be judged.
        measured: an interval with its confidence; 1 minus that is the error of this verdict.
        places: how many verdicts belong together.
        evidence: what the interval rests on, in words.

    Raises:
        ValueError: the interval is empty, has a NaN, or there is no place.

    >>> judge(Claim("density", Direction.UPPER, 0.5, trivial=1), Interval(0.1, 0.2, 0.3, 0.95)).verdict
    <BoundVerdict.HOLDS: 'holds'>
    """
    low, high = measured.low, measured.high
    if not low <= high or places < 1:
        raise ValueError(f"need low <= high and at least one place; got {measured} and {places}: a refuted fit is none")
    if claim.vacuous:
        verdict = BoundVerdict.VACUOUS
    else:
        verdict = _compared(claim, low, high)
    advice = "more draws would decide it" if verdict is BoundVerdict.UNDECIDED else ""
    if _impossible(claim, measured):
        advice = (
            f"measured beyond {claim.trivial:g}, which counting rules out: the interval missed, or that number is wrong"
        )
    return Finding(claim, verdict, measured, 1 - measured.confidence, places, evidence, advice)


def judge_failures(
    claims: Sequence[Claim], counts: Sequence[tuple[int, int]], family_wise_error: float = 0.05
) -> tuple[Finding, ...]:
    """Verdicts on claimed failure probabilities, one per place, by exact binomial tests.

    Args:
        claims: of failure probabilities, upper or lower bounds.
        counts: (failures, draws) at each place, the draws of one place independent.
        family_wise_error: probability, at most, that any verdict is wrong, in (0, 1).

    Raises:
        TypeError: a count is not an integer.
        ValueError: the numbers of claims and counts differ, a claim is a heuristic, or a number is out of its range.

    >>> found = judge_failures([Claim("delta", Direction.UPPER, 0.05, trivial=1)], [(0, 59)])[0]
    >>> print(found.verdict, found.measured.low)
    holds 0.0
    """
    if len(claims) != len(counts):
        raise ValueError(f"need as many counts as claims; got {len(counts)} for {len(claims)}")
    level = bonferroni(family_wise_error, len(claims))
    return tuple(
        one_test(claim, failures, failures, draws, level, len(claims))
        for claim, (failures, draws) in zip(claims, counts, strict=True)
    )


def one_test(claim: Claim, least: int, most: int, draws: int, level: float, places: int = 1) -> Finding:
    """The verdict on one claimed failure probability, where some draws may have been either.

    Args:
        claim: an upper or lower bound on a failure probability.
        least: failures that are certain.
        most: failures if every draw without a result was one.
        draws: all of them.
        level: probability, at most, that the verdict is wrong.
        places: verdicts of the family.

    Raises:
        TypeError: a count is not an integer.
        ValueError: the claim is a heuristic, or a number is out of its range.
    """
    if claim.direction is Direction.HEURISTIC:
        raise ValueError(f"{claim.name!r} is a heuristic: compare an interval with it by judge")
    if not 0 < level < 0.5:
        raise ValueError(f"the error probability of a verdict lies strictly between 0 and 1/2; got {level}")
    low = binomial_interval(least, draws, 1 - 2 * level).low
    high = binomial_interval(most, draws, 1 - 2 * level).high
    measured = Interval(low, most / draws, high, 1 - 2 * level)
    above = excess_p_value(least, draws, max(claim.value, 0.0)) * (1 + TAIL_ERROR) <= level
    below = shortage_p_value(most, draws, min(claim.value, 1.0)) * (1 + TAIL_ERROR) <= level
    upper = claim.direction is Direction.UPPER
    verdict, advice = BoundVerdict.UNDECIDED, ""
    if claim.value >= 1 if upper else claim.value <= 0:
        verdict = BoundVerdict.VACUOUS
    elif above or below:
        verdict = BoundVerdict.HOLDS if below == upper else BoundVerdict.VIOLATED
    elif upper and 0 < claim.value < 1:
        enough = f"{draws_without_failure(claim.value, level)} draws without a failure would show it"
        advice = "more draws may decide" if most else enough
    doubtful = f", {most - least} of them without a result" if most > least else ""
    evidence = f"{most} failures in {draws} draws{doubtful}"
    return Finding(claim, verdict, measured, level, places, evidence, advice)


def _impossible(claim: Claim, measured: Interval) -> bool:
    """Whether the interval is beyond what counting allows."""
    if claim.trivial is None or claim.direction is Direction.HEURISTIC:
        return False
    upper = claim.direction is Direction.UPPER
    return measured.low > claim.trivial if upper else measured.high < claim.trivial


def _compared(claim: Claim, low: float, high: float) -> BoundVerdict:
    """The verdict of an interval on a claim that is not vacuous."""
    value, margin = claim.value, abs(claim.value) * ROUNDING if math.isfinite(claim.value) else 0.0
    if claim.direction is Direction.HEURISTIC:
        ends = sorted((value / claim.factor, value * claim.factor))
        inside, outside = ends[0] <= low and high <= ends[1], high < ends[0] or low > ends[1]
    elif claim.direction is Direction.UPPER:
        inside, outside = high <= value, low > value + margin
    else:
        inside, outside = low >= value, high < value - margin
    if inside:
        return BoundVerdict.HOLDS
    return BoundVerdict.VIOLATED if outside else BoundVerdict.UNDECIDED


def verdicts_on_failures(table: pd.DataFrame, family_wise_error: float = 0.05) -> pd.DataFrame:
    """Adds verdict and sentence to the rows of `slth.experiments.summaries.failures`.

    Args:
        table: with the columns draws, missing, failures and claimed, one row per cell.
        family_wise_error: probability, at most, that any verdict of the table is wrong, in (0, 1). Cells may share
            random numbers.

    Raises:
        ValueError: the table has no rows or lacks a column, or the error is out of its range.
    """
    _need(table, "draws", "missing", "failures", "claimed")
    level, found = bonferroni(family_wise_error, len(table)), []
    for row in table.to_dict("records"):
        missing, missed = int(row["missing"]), int(row["failures"])
        asked = Claim("failure probability", Direction.UPPER, float(row["claimed"]), "delta of the theorem", 1.0)
        found.append(one_test(asked, missed, missed + missing, int(row["draws"]) + missing, level, len(table)))
    return _with(table, found)


def verdicts_on_smallest_n(table: pd.DataFrame, trivial: float | None = None) -> pd.DataFrame:
    """Adds verdict and sentence to the rows of `slth.smallest_n`: is the theorem's n enough?

    Args:
        table: with the columns n_low, n_high, theorem_n and confidence, one row per cell; each interval holds with its
            confidence by itself, so the family-wise error is at most their sum.
        trivial: an n that is known to be enough without the theorem; None if there is none.

    Raises:
        ValueError: the table has no rows or lacks a column.
    """
    _need(table, "n_low", "n_high", "theorem_n", "confidence")
    found = []
    for row in table.to_dict("records"):
        asked, low, high = row["theorem_n"], float(row["n_low"]), float(row["n_high"])
        known = asked is not None and not pd.isna(asked)
        measured = math.isfinite(low)
        value = float(asked) if known else math.inf  # an infinite n is a vacuous bound
        origin = "what the theorem asks for" if known else "the theorem names no n"
        claim = Claim("smallest n", Direction.UPPER, value, origin, trivial)
        ends = (low, low, high) if measured else (-math.inf, math.nan, math.inf)
        evidence = "exact sequential tests" if measured else "no result"
        found.append(judge(claim, Interval(*ends, float(row["confidence"])), len(table), evidence))
    return _with(table, found)


def _need(table: pd.DataFrame, *columns: str) -> None:
    missing = [name for name in columns if name not in table.columns]
    if missing or table.empty:
        raise ValueError(f"need a table with rows and the columns {', '.join(columns)}; missing: {missing or 'rows'}")


def _with(table: pd.DataFrame, found: Sequence[Finding]) -> pd.DataFrame:
    extra: dict[str, list[Any]] = {
        "verdict": [str(one.verdict) for one in found],
        "sentence": [one.sentence() for one in found],
    }
    return table.assign(**extra)
