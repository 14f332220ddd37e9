"""Checks files of draws by making some of the draws again."""

from __future__ import annotations

import json
import math
import os
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from slth.experiments.conclusions import Conclusion, concluded, outcome
from slth.experiments.draw_files import Refused, read
from slth.experiments.manifests import Manifest
from slth.experiments.measure import Row, measure
from slth.experiments.points import OWN_PACKAGE
from slth.experiments.verdicts import BoundVerdict, Finding, one_test

SUCCESSES = ("proved", "sums_met")
"""What counts as a success in a file that is not trusted."""


@dataclass(frozen=True)
class Recheck:
    """A file whose sampled draws came out as they are written.

    Attributes:
        conclusion: from the rows of the file.
        sampled: (number of candidates, number of the draw) of those that were made again.
        rows: how many rows the conclusion rests on.
        seed: that chose them.
        damaged: unfinished lines, which were passed over.
        behind: rows behind a draw that is missing, which do not count; `run` writes the draws in order.
    """

    conclusion: Conclusion
    sampled: tuple[tuple[int | None, int], ...]
    rows: int
    seed: int
    damaged: int
    behind: int = 0

    def missed(self, false: int) -> Fraction:
        """The probability that a sample of this size meets none of so many false rows: C(N - false, k) / C(N, k)."""
        size = len(self.sampled)
        return Fraction(math.comb(max(0, self.rows - false), size), math.comb(self.rows, size))

    def false_rows(self, confidence: float = 0.95) -> int:
        """The largest number of false rows that such a sample passes with probability above 1 - confidence."""
        limit = 1 - Fraction(confidence)
        low, high = 0, self.rows  # missed(0) = 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.missed(middle) > limit:
                low = middle
            else:
                high = middle - 1
        return low

    def sentences(self) -> list[str]:
        """The conclusion, and what the sample shows."""
        size, worst = len(self.sampled), self.false_rows()
        found = [
            *self.conclusion.sentences(),
            f"{size} of {self.rows} draws made again (seed {self.seed}): all as written; "
            + (f"more than {worst} false rows would have been noticed with probability 0.95" if size else "no sample"),
        ]
        if self.damaged:
            found.append(f"{self.damaged} lines are no rows and do not count, as an interrupted run leaves them")
        if self.behind:
            found.append(f"{self.behind} rows stand behind a missing draw and do not count: draws were left out")
        margin = margin_of(self.conclusion)
        if margin is not None and size:
            chance = float(self.missed(margin))
            found.append(
                f"a verdict would change if {margin} rows were false; so many pass with probability {chance:.3g}"
            )
        return found


def recheck(
    file: str | os.PathLike[str],
    sample: int | None = 10,
    seed: int | None = None,
    *,
    digest: str | None = None,
    trusted: bool = False,
    tolerance: float = 0.0,
    advance: Callable[[int], object] = lambda done: None,
) -> Recheck:
    """Checks a file of draws: all hashes, and a random sample of the draws, which are made again.

    Args:
        file: written by `run`.
        sample: how many draws are made again, at most as many as there are; None for all.
        seed: chooses them; by default one that whoever made the file could not know.
        digest: of the manifest, as it was named before the run.
        trusted: whether the file may name functions, theorems and files outside this package, which then run or are
            read here.
        tolerance: largest relative difference of floats that is allowed, such as 1e-9 for a file from another kind
            of machine. Everything else must be equal.
        advance: called with 1 after every draw.

    Raises:
        Refused: anything differs. This is a ValueError.
        OSError: the file cannot be read.
        ValueError: a number is out of its range.
    """
    if (sample is not None and sample < 0) or not 0 <= tolerance < 1:
        raise ValueError(f"need a sample >= 0 and a tolerance in [0, 1); got {sample} and {tolerance}")
    held = read(Path(file))
    plan = held.manifest
    if digest is not None and digest != plan.digest:
        raise Refused(f"{file} has the manifest {plan.digest}, not {digest}")
    if not trusted:
        _refuse_foreign(plan)
    try:
        conclusion = concluded(plan, held.rows)
    except (KeyError, TypeError, AttributeError) as fault:
        raise Refused(f"{file} has a result that cannot be judged as {plan.success}: no result ({fault!r})") from fault
    places = [(n, draw) for n, used in zip(plan.samples, conclusion.drawn, strict=True) for draw in range(used)]
    seed = secrets.randbits(64) if seed is None else seed
    chosen = random.Random(seed).sample(places, len(places) if sample is None else min(sample, len(places)))
    for n, draw in chosen:
        _compare(plan, held.rows[n, draw], measure(plan.point(n, draw)), tolerance, f"draw {draw} with {n} candidates")
        advance(1)
    behind = len(held.rows) - sum(len(held.of(n)) for n in plan.samples)
    return Recheck(conclusion, tuple(chosen), len(places), seed, held.damaged, behind)


def margin_of(conclusion: Conclusion) -> int | None:
    """The smallest number of outcomes that would have to be otherwise for a decided verdict to change.

    None if nothing is decided, or with the rule "anytime", where it depends on which draws.
    """
    plan, margins = conclusion.manifest, []
    for one, drawn, doubtful in zip(conclusion.findings, conclusion.drawn, conclusion.doubtful, strict=True):

        def verdict(failures: int, one: Finding = one, drawn: int = drawn) -> BoundVerdict:
            return one_test(one.claim, failures, failures, drawn, plan.level).verdict

        if plan.rule != "fixed" or one.verdict not in (BoundVerdict.HOLDS, BoundVerdict.VIOLATED):
            continue
        failures, step = round(one.measured.estimate * drawn), 1
        if one.verdict is BoundVerdict.VIOLATED:
            failures, step = failures - doubtful, -1
        others = (changed for changed in range(1, drawn + 1) if verdict(failures + step * changed) != one.verdict)
        margins.append(next(others))
    return min(margins, default=None)


def _refuse_foreign(plan: Manifest) -> None:
    """Refuses what would run code or read files that the file names."""
    point: dict[str, Any] = json.loads(plan.cell)
    theorem = point.get("theorem")
    own = isinstance(theorem, str) and theorem.isidentifier() and _exists(OWN_PACKAGE + theorem)
    names = [str(point.get(name)) for name in ("target", "question", "assignment")]
    foreign = [name for name in names if not name.isidentifier()]
    if not own or plan.success not in SUCCESSES or foreign:
        named = ", ".join(str(name) for name in (theorem, plan.success, *names))
        raise Refused(f"the manifest names something outside slth ({named}): check it only if you trust the file")


def _exists(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def _compare(plan: Manifest, old: Row, new: Row, tolerance: float, name: str) -> None:
    """Refuses a row that comes out otherwise."""
    if old["hash"] == new["hash"]:
        return
    before, after = ({"status": row["status"]} | (row["result"] or {}) for row in (old, new))
    different = sorted(before.keys() ^ after.keys())
    for field in before.keys() & after.keys():
        a, b = before[field], after[field]
        close = type(a) is type(b) is float and math.isclose(a, b, rel_tol=tolerance, abs_tol=0.0)
        if not (close or (type(a) is type(b) and a == b)):
            different.append(field)
    if different or outcome(plan, old) != outcome(plan, new):
        shown = "; ".join(f"{field} {before.get(field)!r} written, {after.get(field)!r} now" for field in different)
        raise Refused(f"{name} comes out otherwise here: {shown or 'another outcome'}")
