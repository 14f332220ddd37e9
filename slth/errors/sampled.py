"""Lower ends from points that are given or drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike

from slth.errors.chain import check_chain
from slth.errors.difference import Difference
from slth.errors.domain import Domain, Norm, as_points
from slth.errors.exact import lower_at
from slth.errors.interval import Lower
from slth.gadget import EffectiveLayer

MAX_BYTES = 1 << 27
"""Default for the memory of one batch."""


def sizes(difference: torch.Tensor, norm: Norm) -> torch.Tensor:
    """The norm of each row.

    >>> sizes(torch.tensor([[3.0, -4.0]]), "l2"), sizes(torch.tensor([[3.0, -4.0]]), "linf")
    (tensor([5.]), tensor([4.]))
    """
    return torch.linalg.vector_norm(difference, ord=2 if norm == "l2" else torch.inf, dim=1)


def from_points(
    layers: Sequence[EffectiveLayer],
    points: ArrayLike,
    domain: Domain,
    method: str = "given points",
    *,
    device: str | torch.device = "cpu",
    max_bytes: int = MAX_BYTES,
) -> Lower:
    """The largest error at the given points, such as a data set.

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        points: (count, inputs), finite, all in the domain (see `settled` of the domain).
        domain: what the lower end is a claim about.
        method: name of the points.
        device: where the candidates are compared, in float64; the value is exact on any device.
        max_bytes: memory of one batch.

    Returns:
        The error at the worst point, evaluated exactly. It says nothing about points that were not given.

    Raises:
        ValueError: the layers do not chain or do not fit the domain; the points have the wrong shape, are not
            finite, or the worst of them is outside the domain.

    >>> from slth.errors.domain import Box
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> from_points([layer], [[0.5], [-1.0]], Box.cube(1)).value
    0.125
    """
    check_chain(layers, domain)
    array = as_points(points, domain.dimension)
    g_minus_f = Difference(layers, device)
    found = [sizes(g_minus_f(g_minus_f.points(array[p])), domain.norm) for p in g_minus_f.pieces(len(array), max_bytes)]
    return lower_at(layers, array[int(torch.cat(found).argmax())], domain, method)


def sampled(
    layers: Sequence[EffectiveLayer],
    domain: Domain,
    count: int,
    *,
    seed: int = 0,
    device: str | torch.device = "cpu",
    max_bytes: int = MAX_BYTES,
) -> Lower:
    """The largest error at random points of the domain. In many dimensions this is far below the supremum.

    Args:
        layers: the target and the exact errors of the ticket.
        domain: where the points are drawn.
        count: how many, >= 1.
        seed: of numpy's default generator; points are no source weights.
        device: as in `from_points`.
        max_bytes: as in `from_points`.

    Raises:
        ValueError: count < 1, or the layers do not chain or do not fit the domain.

    >>> from slth.errors.domain import Box
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> 0.2 < sampled([layer], Box.cube(1), 100).value <= 0.25
    True
    """
    if count < 1:
        raise ValueError(f"sampling needs count >= 1; got {count}")
    check_chain(layers, domain)
    rng = np.random.default_rng(seed)
    # Drawn in parts, so that the points themselves stay within max_bytes too.
    part = max(1, max_bytes // (16 * domain.dimension))
    lowers = [
        from_points(
            layers,
            domain.sample(min(part, count - start), rng),
            domain,
            "random points",
            device=device,
            max_bytes=max_bytes,
        )
        for start in range(0, count, part)
    ]
    return max(lowers, key=lambda end: end.value)
