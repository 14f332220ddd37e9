"""Many draws of one construction: how the error depends on the number of candidates per weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slth.networks.target import Target
from slth.subset_sum.questions import nearest
from slth.theorems.certificate import Verdict
from slth.theorems.theorem import Theorem, verify


@dataclass(frozen=True)
class Draw:
    """One source, pruned and certified.

    Attributes:
        samples: candidates per weight and side.
        seed: of the source.
        lower: attained error.
        upper: proved error.
        failed: subset sums that missed their tolerance.
        verdict: on the claim that the error is at most epsilon.
    """

    samples: int
    seed: int
    lower: float
    upper: float
    failed: int
    verdict: Verdict


def sweep_candidates(
    theorem: Theorem,
    target: Target,
    epsilon: float,
    delta: float,
    candidates: Sequence[int],
    seeds: Sequence[int],
    advance: Callable[[int], object] = lambda drawn: None,
) -> list[Draw]:
    """Prunes one source per number of candidates and seed, with the best subset for every weight.

    Args:
        theorem: a module of `slth.theorems`.
        target: the network to approximate.
        epsilon: sets the tolerance against which subset sums count as failed, > 0.
        delta: in (0, 1).
        candidates: numbers of candidates per weight and side, at most about 24 (the best of n costs 2^(n/2)).
        seeds: of the sources.
        advance: called with 1 after every draw.

    Returns:
        One row per draw, none left out, ordered by candidates, then seed.

    Raises:
        ValueError: a number is out of its range.
    """
    rows = []
    for samples in candidates:
        for seed in seeds:
            found = verify(theorem, target, epsilon, delta, seed, samples=samples, question=nearest)
            error = found.error
            rows.append(Draw(samples, seed, error.lower, error.upper, found.construction.failed, found.verdict))
            advance(1)
    return rows
