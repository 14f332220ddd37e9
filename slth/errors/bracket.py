"""All methods that fit, joined into one interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from numpy.typing import ArrayLike

from slth.errors.attacks import corner_attack, gradient_attack
from slth.errors.averaged import averaged
from slth.errors.coupled import coupled
from slth.errors.differential import differential
from slth.errors.domain import Ball, Box, Domain
from slth.errors.frank_wolfe import frank_wolfe
from slth.errors.interval import ErrorInterval, Lower, Upper, joined
from slth.errors.polish import polish_entries, polished
from slth.errors.recursion import scalar, vector
from slth.errors.sampled import MAX_BYTES, from_points, sampled
from slth.errors.splitting import homogeneous, splitting
from slth.gadget import EffectiveLayer

SPLIT_INPUTS = 10
"""Domains of up to so many inputs are split; beyond that the parts are too many to help."""

FRANK_WOLFE_STEPS = 40
"""More steps than this do not help: they shrink like 2 / k."""

POLISH_ENTRIES = 1 << 15
"""Linear programs of more entries take seconds and are left out."""


@dataclass(frozen=True)
class Effort:
    """How hard to search for a lower end, and how long to split. The other upper ends do not depend on it.

    Attributes:
        samples: random points.
        starts: starts of each attack, at most.
        steps: gradient steps of each start.
        rounds: corner jumps of each start.
        max_bytes: memory of one batch of points.
        boxes: parts into which a domain of few inputs is split.
        seconds: stops splitting after so long (then the upper end depends on the machine, but holds).
        work: points times weights that an attack, or the samples, may cost; large networks get fewer of them.
        goal: an error, >= 0: the search ends when an upper end is at most this or, if it is above 0, a lower end is
            larger. Whether the error is at most the goal is then known if the whole effort would have shown it.

    >>> Effort(samples=10).starts
    256
    """

    samples: int = 2048
    starts: int = 256
    steps: int = 120
    rounds: int = 20
    max_bytes: int = MAX_BYTES
    boxes: int = 1000
    seconds: float = math.inf
    work: int = 1 << 28
    goal: float = 0.0

    def __post_init__(self) -> None:
        whole = self.samples, self.starts, self.steps, self.rounds, self.max_bytes, self.boxes, self.work
        if min(whole) < 1 or not (self.seconds > 0 and self.goal >= 0):
            raise ValueError(f"every part must be at least 1, the seconds above 0 and the goal >= 0; got {self}")

    def fitted(self, layers: Sequence[EffectiveLayer]) -> Effort:
        """The effort with fewer samples and starts if the network is large, but at least 8 of each.

        >>> Effort(starts=4).fitted([]).starts
        4
        """
        points = self.work // max(1, sum(layer.target.weight.size for layer in layers))
        samples, starts = max(8, points), max(8, points // self.steps)
        return replace(self, samples=min(self.samples, samples), starts=min(self.starts, starts))


NONE = Effort(samples=1, starts=1, steps=1, rounds=1, boxes=1)
"""Enough where the error is known to be small enough: any point will do."""


def bracket(
    layers: Sequence[EffectiveLayer],
    domain: Domain,
    *,
    points: ArrayLike | None = None,
    effort: Effort = Effort(),
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> ErrorInterval:
    """How far apart target and ticket are over the domain: a proved upper and an attained lower end.

    Args:
        layers: the target and the exact errors of the ticket, from `slth.gadget.collapse`.
        domain: `Ball` (errors in l2) or `Box` (errors in l_inf).
        points: further candidates for the lower end, (count, inputs), all in the domain.
        effort: how hard to search for the lower end, and how long to split a box.
        seed: of the random points and starts.
        device: where to search; bounds and values do not depend on it.
        progress: shows a bar while the domain is split.

    Returns:
        The best pair of ends, and all of them in its ladder; its `ratio`, upper over lower, says how much is known.

    Raises:
        ValueError: the layers do not chain or do not fit the domain, or the points are not in the domain.
        ContradictoryBounds: a lower end exceeds an upper end, which is a bug.

    >>> import numpy as np
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> interval = bracket([layer], Box.cube(1))
    >>> interval.lower, interval.ratio < 1 + 1e-12
    (0.25, True)
    """
    uppers = upper_ends(layers, domain)
    effort = (NONE if min(end.value for end in uppers) <= effort.goal else effort).fitted(layers)
    lowers: list[Lower] = []
    if points is not None:
        lowers.append(from_points(layers, points, domain, device=device, max_bytes=effort.max_bytes))
    for end in _searched(layers, domain, effort, seed, device):
        lowers.append(end)
        if missed := 0 < effort.goal < end.value:
            break
    if not missed and domain.dimension <= SPLIT_INPUTS and _gains(layers, domain):
        best = max(lowers, key=lambda end: end.value)
        split = splitting(layers, domain, boxes=effort.boxes, seconds=effort.seconds, start=best, progress=progress)
        lowers, uppers = [*lowers, split.lower], (*uppers, split.upper)
    return joined(tuple(lowers), uppers, domain.norm, domain.description)


def _gains(layers: Sequence[EffectiveLayer], domain: Domain) -> bool:
    """Whether splitting applies and one bound is not exact already."""
    return len(layers) > 1 if isinstance(domain, Box) else homogeneous(layers)


def _searched(
    layers: Sequence[EffectiveLayer], domain: Domain, effort: Effort, seed: int, device: str | torch.device
) -> Iterator[Lower]:
    """The lower ends that search finds, the quickest first."""
    yield (one := sampled(layers, domain, effort.samples, seed=seed, device=device, max_bytes=effort.max_bytes))
    starts = effort.starts
    yield (two := gradient_attack(layers, domain, starts=starts, steps=effort.steps, seed=seed, device=device))
    if isinstance(domain, Ball):
        steps = min(effort.steps, FRANK_WOLFE_STEPS)
        yield frank_wolfe(layers, domain, starts=starts, steps=steps, seed=seed, device=device)
        return
    yield (three := corner_attack(layers, domain, starts=starts, rounds=effort.rounds, seed=seed, device=device))
    if 0 < polish_entries(layers) <= POLISH_ENTRIES:
        yield polished(layers, domain, max((one, two, three), key=lambda end: end.value))


def upper_ends(layers: Sequence[EffectiveLayer], domain: Domain) -> tuple[Upper, ...]:
    """The upper ends that fit the domain, without any search or splitting.

    Raises:
        ValueError: the layers do not chain or do not fit the domain.

    >>> import numpy as np
    >>> from slth.networks.layers import Dense
    >>> zero = np.zeros((1, 1), dtype=np.int64)
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), zero, zero, zero[0])
    >>> [end.value for end in upper_ends([layer], Box.cube(1))]
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    recursions = (
        (scalar(layers, domain), vector(layers, domain)) if isinstance(domain, Box) else (scalar(layers, domain),)
    )
    return (*recursions, averaged(layers, domain), coupled(layers, domain), differential(layers, domain))
