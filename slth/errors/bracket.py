"""All methods that fit, joined into one interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from numpy.typing import ArrayLike

from slth.errors.attacks import corner_attack, gradient_attack
from slth.errors.domain import Box, Domain
from slth.errors.interval import ErrorInterval, Lower, Upper, joined
from slth.errors.recursion import scalar, vector
from slth.errors.sampled import MAX_BYTES, from_points, sampled
from slth.gadget import EffectiveLayer


@dataclass(frozen=True)
class Effort:
    """How hard to search for a lower end. The upper ends do not depend on it.

    Attributes:
        samples: random points.
        starts: starts of each attack.
        steps: gradient steps of each start.
        rounds: corner jumps of each start.
        max_bytes: memory of one batch of points.

    >>> Effort(samples=10).starts
    64
    """

    samples: int = 2048
    starts: int = 64
    steps: int = 120
    rounds: int = 20
    max_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        if min(self.samples, self.starts, self.steps, self.rounds, self.max_bytes) < 1:
            raise ValueError(f"every part of the effort must be at least 1; got {self}")


def bracket(
    layers: Sequence[EffectiveLayer],
    domain: Domain,
    *,
    points: ArrayLike | None = None,
    effort: Effort = Effort(),
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> ErrorInterval:
    """How far apart target and ticket are over the domain: a proved upper and an attained lower end.

    Args:
        layers: the target and the exact errors of the ticket, from `slth.gadget.collapse`.
        domain: `Ball` (errors in l2) or `Box` (errors in l_inf).
        points: further candidates for the lower end, (count, inputs), all in the domain.
        effort: how hard to search for the lower end.
        seed: of the random points and starts.
        device: where to search; bounds and values do not depend on it.

    Returns:
        The best pair of ends, and all of them in its ladder.

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
    if min(end.value for end in uppers) == 0:
        effort = Effort(samples=1, starts=1, steps=1, rounds=1)  # the error is 0 everywhere: any point will do
    lowers: list[Lower] = [
        sampled(layers, domain, effort.samples, seed=seed, device=device, max_bytes=effort.max_bytes),
        gradient_attack(layers, domain, starts=effort.starts, steps=effort.steps, seed=seed, device=device),
    ]
    if isinstance(domain, Box):
        lowers.append(
            corner_attack(layers, domain, starts=effort.starts, rounds=effort.rounds, seed=seed, device=device)
        )
    if points is not None:
        lowers.append(from_points(layers, points, domain, device=device, max_bytes=effort.max_bytes))
    return joined(tuple(lowers), uppers, domain.norm, domain.description)


def upper_ends(layers: Sequence[EffectiveLayer], domain: Domain) -> tuple[Upper, ...]:
    """The upper ends that fit the domain, without any search.

    Raises:
        ValueError: the layers do not chain or do not fit the domain.

    >>> import numpy as np
    >>> from slth.networks.layers import Dense
    >>> zero = np.zeros((1, 1), dtype=np.int64)
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), zero, zero, zero[0])
    >>> [end.value for end in upper_ends([layer], Box.cube(1))]
    [0.0, 0.0]
    """
    return (scalar(layers, domain), vector(layers, domain)) if isinstance(domain, Box) else (scalar(layers, domain),)
