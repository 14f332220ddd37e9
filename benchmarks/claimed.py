"""One measured number beside what a theorem says about it, as rows of slth/theorems/measured.json."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slth import theorems
from slth.bounds import Direction
from slth.confidence import Interval, binomial_interval, quantile_interval
from slth.experiments.claims import Claim
from slth.experiments.claims import claim as claim_of
from slth.experiments.verdicts import judge

Row = dict[str, Any]

CONFIDENCE = 0.99
"""Of every interval."""

NEAR = 1.25
"""A heuristic is said to be within this factor, unless its note allows more."""

BATCHES = 9
"""Of draws, for moments: the median over them has an exact interval, from the least to the greatest."""


class Said(NamedTuple):
    """What a theorem says at one place.

    Attributes:
        label: of the bound, or of the function, in the theorem's file.
        at: its arguments.
        claim: the number with its direction.
    """

    label: str
    at: dict[str, Any]
    claim: Claim


def said(module: ModuleType, label: str, factor: float = NEAR, **at: float) -> Said:
    """A bound of a theorem file with numbers for its symbols."""
    return Said(label, at, claim_of(getattr(module, label), at, factor=factor))


def says(label: str, value: float, direction: Direction, factor: float = NEAR, **at: object) -> Said:
    """The value of a function of a theorem file."""
    return Said(label, at, Claim(label, direction, float(value), factor=factor))


def rows(module: ModuleType, measured: str, setting: str, draws: int, found: Interval, *claims: Said) -> list[Row]:
    """One row per claim on a measured number.

    Args:
        module: of the theorem.
        measured: what the number is, in words.
        setting: under which conditions, in words.
        draws: that it rests on; 1 for a number that needs none.
        found: the number. Ends that are equal to it: it is exact.
        claims: of the theorem on it.
    """
    return [
        {
            "theorem": theorems.name(module),
            "measured": measured,
            "setting": setting,
            "draws": draws,
            "value": found.estimate,
            "from": found.low,
            "to": found.high,
            "confidence": CONFIDENCE,
            "bound": one.label,
            "at": one.at,
            "kind": str(one.claim.direction),
            "factor": one.claim.factor if one.claim.direction is Direction.HEURISTIC else None,
            "claims": one.claim.value,
            "verdict": str(judge(one.claim, found).verdict),
        }
        for one in claims
    ]


def exactly(value: float) -> Interval:
    """A number without an error."""
    return Interval(float(value), float(value), float(value), 1.0)


def share(events: ArrayLike) -> Interval:
    """How often something happened, with its exact interval."""
    seen = np.asarray(events, dtype=bool)
    return binomial_interval(int(seen.sum()), seen.size, CONFIDENCE)


def quantile(values: ArrayLike, level: float) -> Interval:
    """A quantile of the draws, with its exact interval."""
    return quantile_interval(values, level, CONFIDENCE)


def median_of_batches(values: np.ndarray, statistic: Callable[[np.ndarray], float]) -> Interval:
    """The median over batches of draws of a statistic of a batch, with its exact interval."""
    return quantile([statistic(part) for part in np.split(values, BATCHES)], 0.5)


def least(sizes: Sequence[int], held: Callable[[int], Sequence[Sequence[bool]]], level: float) -> Interval:
    """The first of increasing sizes at which each of a few problems holds in a share of its draws.

    Args:
        sizes: that are tried, increasing.
        held: for a size, the draws of every problem.
        level: the share that is asked for.

    Returns:
        The lower end is the last size at which some problem is below the level by an exact interval (the first size if
        there is none, so start below), the upper end the first at which all reach it by one. All intervals hold at once
        with the confidence; the ends are for a chance that does not fall with the size.
    """
    low, estimate = float(sizes[0]), np.inf
    for size in sizes:
        problems = held(size)
        sure = 1 - (1 - CONFIDENCE) / (len(sizes) * len(problems))
        found = [binomial_interval(sum(draws), len(draws), sure) for draws in problems]
        if min(one.high for one in found) < level:
            low = float(size)
        if min(one.estimate for one in found) >= level:
            estimate = min(estimate, size)
        if min(one.low for one in found) >= level:
            return Interval(low, estimate, float(size), CONFIDENCE)
    raise ValueError(f"no size up to {sizes[-1]} is proved to hold in a share {level} of the draws: try larger ones")
