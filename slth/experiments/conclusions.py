"""What the draws of a manifest say: a verdict at each number of candidates, and a bracket of the smallest n."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from slth.bounds import Direction
from slth.confidence import Interval, anytime_interval, log_evidence
from slth.experiments import summaries
from slth.experiments.claims import Claim
from slth.experiments.manifests import Manifest
from slth.experiments.measure import Outcome, Row
from slth.experiments.points import function_called
from slth.experiments.verdicts import BoundVerdict, Finding, one_test


@dataclass(frozen=True)
class Conclusion:
    """What the draws of a file say.

    Attributes:
        manifest: the claim.
        findings: on the failure probability, one per number of candidates.
        drawn: draws used at each of them: up to the decision.
        doubtful: those of them without a result.
        n_low: largest number of candidates that is shown to be too few, plus 1; 1 if none is.
        n_high: smallest that is shown to be enough; infinite if none is.
    """

    manifest: Manifest
    findings: tuple[Finding, ...]
    drawn: tuple[int, ...]
    doubtful: tuple[int, ...]
    n_low: int
    n_high: float

    @property
    def finished(self) -> bool:
        """Whether no draw is left to be made."""
        plan = self.manifest
        decided = (BoundVerdict.HOLDS, BoundVerdict.VIOLATED, BoundVerdict.VACUOUS)
        return all(
            drawn == plan.draws or (plan.rule == "anytime" and finding.verdict in decided)
            for drawn, finding in zip(self.drawn, self.findings, strict=True)
        )

    def sentences(self) -> list[str]:
        """The conclusion in words: one sentence per number of candidates, and one on the smallest n."""
        plan = self.manifest
        names = ["the theorem's number of" if n is None else str(n) for n in plan.samples]
        found = [f"{name} candidates: {one.sentence()}" for name, one in zip(names, self.findings, strict=True)]
        if len(plan.samples) > 1:
            if self.n_low > self.n_high:
                return [*found, "the success probability falls with n, so there is no bracket of a smallest n"]
            found.append(
                f"smallest n with success probability >= {plan.claimed:g}: {self.n_low} to {self.n_high:g}, wrong with "
                f"probability at most {plan.alpha:g}, if that probability does not fall with n"
            )
        return found


def conclude(plan: Manifest, outcomes: Mapping[int | None, Sequence[bool | None]]) -> Conclusion:
    """The conclusion from the outcomes of the draws in their order: True, False, or None for one without a result.

    Args:
        plan: the manifest.
        outcomes: for every number of candidates, the first draws, at most as many as in the manifest.

    Raises:
        ValueError: there are more draws than in the manifest.
    """
    findings, drawn, doubtful = [], [], []
    judge = _anytime if plan.rule == "anytime" else _fixed
    for n in plan.samples:
        own = list(outcomes.get(n, ()))
        if len(own) > plan.draws:
            raise ValueError(f"{len(own)} draws with {n} candidates, but the manifest has {plan.draws}")
        finding, used = judge(plan, own)
        findings.append(finding)
        drawn.append(used)
        doubtful.append(own[:used].count(None))
    judged = [(n, one.verdict) for n, one in zip(plan.samples, findings, strict=True) if n is not None]
    few = [n for n, verdict in judged if verdict is BoundVerdict.VIOLATED]
    enough = [n for n, verdict in judged if verdict is BoundVerdict.HOLDS]
    bracket = max(few, default=0) + 1, min(enough, default=math.inf)
    return Conclusion(plan, tuple(findings), tuple(drawn), tuple(doubtful), *bracket)


def concluded(plan: Manifest, rows: Mapping[tuple[int | None, int], Row]) -> Conclusion:
    """The conclusion from rows; those behind a gap do not count.

    Where a ticket that keeps no weight is a success, the empty ticket is near enough to the target whatever the random
    network: what would hold is vacuous then.
    """
    found: dict[int | None, list[bool | None]] = {}
    empty = False
    for n in plan.samples:
        own = found[n] = []
        while (n, len(own)) in rows:
            row = rows[n, len(own)]
            own.append(outcome(plan, row))
            empty |= bool(own[-1]) and row["result"]["kept"] == 0
    judged = conclude(plan, found)
    return replace(judged, findings=tuple(map(_emptied, judged.findings))) if empty else judged


def outcome(plan: Manifest, row: Row) -> bool | None:
    """Whether a draw is a success; None if it has no result."""
    success = function_called(plan.success, summaries)
    return bool(success(row["result"])) if row["status"] == Outcome.DONE else None


def _emptied(finding: Finding) -> Finding:
    if finding.verdict is not BoundVerdict.HOLDS:
        return finding
    advice = "a ticket that keeps no weight is a success, so no random network is needed: take a smaller epsilon"
    return replace(finding, verdict=BoundVerdict.VACUOUS, advice=advice)


def decision(plan: Manifest, successes: int, doubtful: int, drawn: int) -> BoundVerdict | None:
    """The verdict of the rule "anytime" right after one draw; None if there is none yet.

    Args:
        plan: the manifest.
        successes: so far.
        doubtful: draws without a result so far.
        drawn: all draws so far, >= 1.
    """
    limit = -math.log(plan.level)
    for count, above in ((successes, True), (successes + doubtful, False)):
        beside = count > plan.claimed * drawn if above else count < plan.claimed * drawn
        if beside and log_evidence(count, drawn, plan.claimed) >= limit:
            return BoundVerdict.HOLDS if above else BoundVerdict.VIOLATED
    return None


def _fixed(plan: Manifest, own: Sequence[bool | None]) -> tuple[Finding, int]:
    """Exact tests of all draws; nothing before."""
    failures, doubtful = own.count(False), own.count(None)
    if len(own) == plan.draws:
        return one_test(_claim(plan), failures, failures + doubtful, len(own), plan.level, len(plan.samples)), len(own)
    advice = f"the rule decides after {plan.draws} draws, and {len(own)} are made"
    evidence, nothing = f"{len(own)} draws", Interval(0.0, math.nan, 1.0, 1 - plan.level)
    places = len(plan.samples)
    return Finding(_claim(plan), BoundVerdict.UNDECIDED, nothing, plan.level, places, evidence, advice), len(own)


def _anytime(plan: Manifest, own: Sequence[bool | None]) -> tuple[Finding, int]:
    """The first decision on the way, or none after all draws there are."""
    verdict, successes, doubtful, drawn = None, 0, 0, 0
    for outcome in own:
        drawn, successes, doubtful = drawn + 1, successes + (outcome is True), doubtful + (outcome is None)
        if (verdict := decision(plan, successes, doubtful, drawn)) is not None:
            break
    least, most = drawn - successes - doubtful, drawn - successes
    low = anytime_interval(least, drawn, 1 - plan.level).low if drawn else 0.0
    high = anytime_interval(most, drawn, 1 - plan.level).high if drawn else 1.0
    measured = Interval(low, most / drawn if drawn else math.nan, high, 1 - plan.level)
    evidence = f"{most} failures in {drawn} draws" + (f", {doubtful} of them without a result" if doubtful else "")
    advice = "" if verdict else f"not decided by {drawn} draws of at most {plan.draws}"
    verdict = verdict or BoundVerdict.UNDECIDED
    return Finding(_claim(plan), verdict, measured, plan.level, len(plan.samples), evidence, advice), drawn


def _claim(plan: Manifest) -> Claim:
    return Claim("failure probability", Direction.UPPER, 1 - plan.claimed, "the manifest", 1.0)
