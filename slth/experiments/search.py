"""The smallest number of candidates that is enough: an adaptive search with exact sequential tests.

For each cell of a grid the search brackets n*, the smallest n whose success probability is at least 1 - delta.

Draws.      The draws with n candidates are the trials 0, 1, 2, ... of one seed, the hash of cell and n: independent of
            those with other n, and the same whenever they are asked for. Nothing is redrawn. Where `proved` or
            `sums_met` is asked, the errors of a draw are not searched for beyond what decides the verdict.
Test.       After m = 16, 32, 64, ... up to `most` draws, s of them successes, n is "enough" if P(Bin(m, 1 - delta) >=
            s) <= a, and "too few" if P(Bin(m, 1 - delta) <= s) <= a. If neither happens n stays "undecided". At each
            look the first is wrong with probability at most a where the success probability is below 1 - delta, the
            second where it is not; so one n is judged wrongly with probability at most (looks) a.
Search.     n = 1, 2, 4, ... up to the first that is enough or the largest; then bisection for the smallest n that is
            enough, and bisection for the largest n that is too few. At most T = 3 ceil(log2(largest)) + 4 values of n
            are judged, each with draws of its own, and a = (1 - confidence) / (T looks): with probability at least
            `confidence` no judgement is wrong.
Result.     [n_low, n_high] = [largest too few + 1, smallest enough]. If the success probability does not fall with n,
            it contains n* with probability at least `confidence`, for each cell by itself. It is wider than one value
            where some n are so near to 1 - delta that `most` draws do not tell.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from slth.confidence import excess_p_value
from slth.experiments.engines import Engine, serial
from slth.experiments.measure import VERDICT, Outcome, Row, target_of, theorem_of
from slth.experiments.points import Point, axes, key, points
from slth.experiments.store import Store
from slth.experiments.summaries import Success, proved, sums_met
from slth.experiments.sweep import bar, flat, folder_of
from slth.experiments.work import work
from slth.theorems.theorem import Theorem

FIRST_LOOK = 16


class Judgement(Enum):
    """On one number of candidates."""

    ENOUGH = "enough"
    UNDECIDED = "undecided"
    TOO_FEW = "too few"


class Unknown(Exception):
    """Rows that the search needs next.

    Attributes:
        points: to draw.
        broken: whether the rows are there, but failed or lost.
    """

    def __init__(self, points: list[Point], broken: bool) -> None:
        super().__init__(f"{len(points)} draws are missing")
        self.points = points
        self.broken = broken


@dataclass(frozen=True)
class Rule:
    """The stopping rule: see the module.

    Attributes:
        success: what counts as a success.
        confidence: of every interval, in (0, 1).
        most: draws per n, at least 16.
    """

    success: Success
    confidence: float
    most: int

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of draws at which a test is made: 16, 32, ... below `most`, and `most`."""
        doubling = itertools.takewhile(lambda m: m < self.most, (FIRST_LOOK << i for i in itertools.count()))
        return (*doubling, self.most)

    def level(self, largest: int) -> float:
        """a: the error probability of one test.

        >>> round(Rule(proved, 0.95, 64).level(1024), 6)
        0.00049
        """
        return (1 - self.confidence) / (most_judged(largest) * len(self.looks))

    def judge(self, outcomes: Callable[[int], list[bool]], largest: int, delta: float) -> Judgement:
        """The judgement on one n.

        Args:
            outcomes: the successes among the first m draws; raises `Unknown` if they are not there.
            largest: of the search.
            delta: 1 - delta is asked for.
        """
        level = self.level(largest)
        for m in self.looks:
            good = sum(outcomes(m))
            if excess_p_value(good, m, 1 - delta) <= level:
                return Judgement.ENOUGH
            if excess_p_value(m - good, m, delta) <= level:
                return Judgement.TOO_FEW
        return Judgement.UNDECIDED


def smallest_n(
    theorem: Theorem | ModuleType,
    grid: Mapping[str, Any],
    out: str | Path | None = None,
    *,
    success: Success = proved,
    confidence: float = 0.95,
    most: int = 1024,
    largest: int | None = None,
    engine: Engine | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """For each cell of a grid, the smallest number of candidates with success probability at least 1 - delta.

    The stopping rule and its error are stated at the top of this module. Draws stand in the folder as those of
    `slth.sweep` do, and the same call resumes.

    Args:
        theorem: a module with a construction, of this package or importable from anywhere.
        grid: as in `slth.sweep`, without samples and trial; several seeds give independent searches.
        out: folder of the rows; a temporary one by default.
        success: what counts as a success: `proved`, `sums_met`, or a function of a draw's result.
        confidence: of every interval, in (0, 1).
        most: draws per n, at least 16.
        largest: the largest n that is tried; by default what the theorem's bound asks for, at least 16, or 1024 if the
            theorem does not say.
        engine: this process by default.
        progress: whether a bar is shown on stderr; by default on a terminal only.

    Returns:
        One row per cell: n_low and n_high (infinite if even the largest was not enough), theorem_n (the n that its
        bound asks for, None if it does not say), draws, judged (values of n), status ("done", or "failed" where draws
        failed or were lost).

    Raises:
        ValueError: an axis is unknown, a number is out of its range, or `most` draws can never show 1 - delta.
        OSError: the folder cannot be written, or the engine is gone; the same call resumes.

    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> found = smallest_n(pensia, {"widths": (1, 1), "epsilon": 0.2, "delta": 0.5}, most=16)
    >>> bool((found.n_low <= found.n_high).all() and (found.n_high <= found.theorem_n).all())
    True
    """
    if not (0 < confidence < 1 and most >= FIRST_LOOK):
        raise ValueError(f"need confidence in (0, 1) and most at least {FIRST_LOOK}; got {confidence} and {most}")
    for name in ("samples", "trial"):
        if name in grid:
            raise ValueError(f"the search chooses {name} by itself: leave that axis out")
    table, rule = axes(theorem, grid), Rule(success, confidence, most)
    starts = list(points(table))
    searches = [Search(point, rule, largest) for point in starts]
    with folder_of(out) as folder, Store(folder) as store:
        name = f"{success.__module__}:{success.__qualname__}"
        asked = {"success": name, "confidence": confidence, "most": most, "largest": largest}
        store.plan({"axes": table, "search": asked})
        with bar("draws", None, progress) as advance:
            tried: set[str] = set()
            while wanted := _next_round(searches, store, tried):
                tried |= {key(point) for point in wanted}
                work(wanted, store, engine or serial(), advance)
        return pd.DataFrame([one.row(store) for one in searches])


def _next_round(searches: list[Search], store: Store, tried: set[str]) -> list[Point]:
    """What the unfinished searches need; what failed in this call is not tried again."""
    found: dict[str, Point] = {}
    for one in searches:
        try:
            one.bracket(store.rows)
        except Unknown as unknown:
            needed = {key(point): point for point in unknown.points}
            if not needed.keys() & tried:
                found |= needed
    return list(found.values())


class Search:
    """The search in one cell: a function of the rows alone.

    Attributes:
        start: the point whose samples and trials are varied.
        rule: when a number of candidates is judged.
        theorem: the number that the theorem asks for; None if it does not say.
        largest: the largest that is tried.
    """

    def __init__(self, start: Point, rule: Rule, largest: int | None) -> None:
        self.start, self.rule = start, rule
        module: Any = theorem_of(start)
        needed = getattr(module, "samples_needed", None)
        known = {} if needed is None else {n: v for n, v in start["options"].items() if n in _names(needed)}
        asked = None if needed is None else needed(target_of(start), start["epsilon"], start["delta"], **known)
        self.theorem: int | None = asked
        self.largest = largest if largest is not None else max(FIRST_LOOK, asked or 1024)
        if self.largest < 1:
            raise ValueError(f"the largest number of candidates must be at least 1; got {largest}")
        best = (1 - start["delta"]) ** rule.most
        if best > rule.level(self.largest):
            needs = math.ceil(math.log(rule.level(self.largest)) / math.log1p(-start["delta"]))
            raise ValueError(
                f"even {rule.most} successes in a row do not show a probability of 1 - delta = {1 - start['delta']:g}: "
                f"allow about {needs} draws or more (most), or a larger delta"
            )

    def points(self, n: int, draws: int) -> list[Point]:
        """The first draws with n candidates."""
        fixed = {**self.start, "samples": n}
        seed = int(key({name: value for name, value in fixed.items() if name != "trial"})[:15], 16)
        effort = {"effort": VERDICT} if self.rule.success in (proved, sums_met) else {}
        return [{**fixed, "seed": seed, "trial": trial, **effort} for trial in range(draws)]

    def bracket(self, rows: Mapping[str, Row]) -> tuple[int, float, dict[int, Judgement]]:
        """(n_low, n_high, judgements), from the rows there are.

        Raises:
            Unknown: rows are missing.
        """
        judged: dict[int, Judgement] = {}

        def judge(n: int) -> Judgement:
            if n not in judged:
                outcomes = self._outcomes(n, rows)
                judged[n] = self.rule.judge(outcomes, self.largest, self.start["delta"])
            return judged[n]

        low, high = bisected(judge, self.largest)
        return low, high, judged

    def row(self, store: Store) -> dict[str, Any]:
        """The result as one level of names."""
        left_out = {"seed", "trial", "samples", "status", "key", "hash", "seconds", "host", "error"}
        own: dict[str, Any] = {name: value for name, value in flat(self.start, None).items() if name not in left_out}
        own |= {"seed": self.start["seed"], "confidence": self.rule.confidence, "theorem_n": self.theorem}
        try:
            low, high, judged = self.bracket(store.rows)
        except Unknown as unknown:
            return own | {"status": "failed" if unknown.broken else "missing", "n_low": math.nan, "n_high": math.nan}
        draws = sum(key(point) in store.rows for n in judged for point in self.points(n, self.rule.most))
        return own | {"status": "done", "n_low": low, "n_high": high, "draws": draws, "judged": len(judged)}

    def _outcomes(self, n: int, rows: Mapping[str, Row]) -> Callable[[int], list[bool]]:
        def first(draws: int) -> list[bool]:
            wanted = {key(point): point for point in self.points(n, draws)}
            missing = [name for name in wanted if name not in rows or rows[name]["status"] != Outcome.DONE]
            if missing:
                raise Unknown([wanted[name] for name in missing], any(name in rows for name in missing))
            return [self.rule.success(rows[name]["result"]) for name in wanted]

        return first


def bisected(judge: Callable[[int], Judgement], largest: int) -> tuple[int, float]:
    """(largest too few + 1, smallest enough) by doubling and two bisections.

    Args:
        judge: of each n; asked at most `most_judged` times for different n.
        largest: the largest n that is asked for.

    Returns:
        The second is infinite if no n that was tried is enough.

    >>> bisected(lambda n: Judgement.ENOUGH if n >= 11 else Judgement.TOO_FEW, 1000)
    (11, 11)
    """
    n, below = 1, 0
    while judge(n) is not Judgement.ENOUGH and n < largest:
        n, below = min(2 * n, largest), n
    high: float = n
    if judge(n) is Judgement.ENOUGH:
        enough = n
        while enough - below > 1:
            middle = (below + enough) // 2
            if judge(middle) is Judgement.ENOUGH:
                enough = middle
            else:
                below = middle
        high = enough
    else:
        high = math.inf
    few, more = 0, n + 1 if judge(n) is Judgement.TOO_FEW else int(min(n, high))
    while more - few > 1:
        middle = (few + more) // 2
        if judge(middle) is Judgement.TOO_FEW:
            few = middle
        else:
            more = middle
    return few + 1, high


def most_judged(largest: int) -> int:
    """T: how many n are judged at most.

    >>> most_judged(1024)
    34
    """
    return 3 * math.ceil(math.log2(max(2, largest))) + 4


def _names(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters)
