"""Certificates for claims about many draws: a success probability, or the smallest number of candidates.

Manifest.   What is claimed and how it will be tested is fixed before the first draw: theorem, target, numbers of
            candidates, what counts as a success, the success probability claimed, draws, error probability alpha and
            the rule. The seed of every draw is a hash of all of this, so no seed can be chosen by itself. The manifest
            is the first line of the file.
Draws.      One draw is one random network with its own seed: networks are the unit of replication, not weights. Every
            draw is in the file, also one that failed. A draw without a result counts as a failure where successes
            are claimed and as a success where failures are.
Rule.       "fixed": exact binomial tests once all draws are there, undecided before. "anytime": an exact confidence
            sequence (`slth.confidence.anytime_interval`), which may be looked at after every draw and stops as soon as
            it decides; valid at every stopping time, for more draws.
Error.      At one number of candidates only one of "holds" and "violated" can be wrong; each is with probability at
            most alpha / (numbers of candidates), so any of them with probability at most alpha. The bracket of the
            smallest n assumes besides that the success probability does not fall with n.
Check.      `slth.experiments.draws.recheck` makes a random sample of the draws again.

What the hash cannot prevent: to draw for several manifests and show one. So name the digest before the run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from slth.experiments import summaries
from slth.experiments.points import Point, axes, canonical, cell, function_name, points
from slth.experiments.summaries import Success, proved
from slth.power import power
from slth.theorems.theorem import Theorem

FORMAT = "slth draws 1"
RULES = ("fixed", "anytime")
MOST_DRAWS = 1 << 24


@dataclass(frozen=True)
class Manifest:
    """What is claimed and how it is tested; see the module.

    Attributes:
        cell: all that a draw depends on but its seed and number of candidates, as canonical JSON.
        samples: numbers of candidates, rising; (None,) for what the theorem's bound asks for.
        success: name of the function of a draw's result that says whether it is a success.
        claimed: the success probability claimed, in (0, 1).
        draws: per number of candidates; with the rule "anytime" at most so many.
        alpha: probability, at most, that any verdict is wrong, in (0, 1/2).
        rule: "fixed" or "anytime".

    Raises:
        TypeError: a value has the wrong type.
        ValueError: a value is out of its range or not in its canonical form.
    """

    cell: str
    samples: tuple[int | None, ...]
    success: str
    claimed: float
    draws: int
    alpha: float
    rule: str

    def __post_init__(self) -> None:
        for name, kind in (("cell", str), ("samples", tuple), ("success", str), ("rule", str), ("draws", int)):
            if not isinstance(getattr(self, name), kind) or getattr(self, name) is True:
                raise TypeError(f"{name} of a manifest must be a {kind.__name__}; got {getattr(self, name)!r}")
        for name, limit in (("claimed", 1), ("alpha", 0.5)):
            if not isinstance(getattr(self, name), float) or not 0 < getattr(self, name) < limit:
                raise ValueError(f"{name} of a manifest lies strictly between 0 and {limit}; got {getattr(self, name)}")
        if self.rule not in RULES or not 1 <= self.draws <= MOST_DRAWS:
            raise ValueError(f"need the rule fixed or anytime and 1 to 2^24 draws; got {self.rule!r} and {self.draws}")
        _check_samples(self.samples)
        if canonical(json.loads(self.cell)) != self.cell or not isinstance(json.loads(self.cell), dict):
            raise ValueError("the cell of a manifest must be canonical JSON of an object: build it with manifest(...)")

    @property
    def digest(self) -> str:
        """The sha256 of the manifest, to be named before the run."""
        return hashlib.sha256(canonical(self.as_dict()).encode()).hexdigest()

    @property
    def level(self) -> float:
        """Probability, at most, that the verdict on one number of candidates is wrong."""
        return self.alpha / len(self.samples)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"format": FORMAT, **asdict(self), "samples": list(self.samples), "cell": json.loads(self.cell)}

    def point(self, samples: int | None, draw: int) -> Point:
        """One draw; its seed is the start of the sha256 of the digest, the number of candidates and its own number."""
        text = f"{self.digest}|{samples}|{draw}".encode()
        seed = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
        return {**json.loads(self.cell), "samples": samples, "seed": seed, "trial": 0}

    def power(self, actual: float) -> float:
        """The chance of the verdict "holds" with the rule "fixed" if successes have the probability `actual`.

        Exact, from the binomial law; for "anytime" it is not what happens.
        """
        return power(self.draws, self.claimed, actual, self.level)


def manifest(
    theorem: Theorem | ModuleType,
    grid: Mapping[str, Any],
    *,
    claimed: float | None = None,
    draws: int = 100,
    alpha: float = 0.05,
    rule: str = "fixed",
    success: Success = proved,
) -> Manifest:
    """The manifest of a claim: the theorem's construction succeeds with at least some probability.

    Args:
        theorem: a module with a construction.
        grid: as in `slth.sweep`, one value per axis, without seed and trial; several values of samples give a bracket
            of the smallest n.
        claimed: success probability, in (0, 1); by default 1 - delta.
        draws: see `Manifest`.
        alpha: see `Manifest`.
        rule: "fixed" or "anytime".
        success: `proved`, `sums_met`, or a function of a draw's result that can be imported.

    Raises:
        ValueError: an axis has several values, or a value is out of its range.

    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> plan = manifest(pensia, {"widths": (2, 1), "epsilon": 0.5, "delta": 0.2, "samples": 8}, draws=30)
    >>> plan.claimed, round(plan.power(0.99), 3)
    (0.8, 0.997)
    """
    for name in ("seed", "trial"):
        if name in grid:
            raise ValueError(f"the {name} of every draw follows from the manifest: leave that axis out")
    table = axes(theorem, grid)
    samples = tuple(sorted(table.pop("samples"), key=lambda n: -1 if n is None else n))
    found = [cell(point) for point in points(table | {"samples": [None]})]
    if len(found) != 1:
        raise ValueError(f"a claim is about one cell, and the grid has {len(found)}: give one value per axis")
    point = found[0]
    del point["samples"]
    share = 1 - point["delta"] if claimed is None else float(claimed)
    return Manifest(canonical(point), samples, function_name(success, summaries), share, draws, float(alpha), rule)


def _check_samples(samples: tuple[int | None, ...]) -> None:
    numbers = [n for n in samples if n is not None]
    for n in numbers:
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ValueError(f"numbers of candidates are integers >= 1, or None for the theorem's; got {n!r}")
    if not samples or sorted(set(numbers)) != numbers or samples.count(None) > 1 or None in samples[1:]:
        raise ValueError(f"numbers of candidates rise, None before all; got {samples}")
