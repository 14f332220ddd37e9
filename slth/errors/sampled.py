"""Lower ends from points that are given or drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from numpy.typing import ArrayLike

from slth.errors.batched import MAX_BYTES as MAX_BYTES
from slth.errors.batched import errors_at, random_points
from slth.errors.chain import check_chain
from slth.errors.domain import Domain, Norm
from slth.errors.interval import Lower
from slth.errors.stacks import Memory
from slth.gadget import EffectiveLayer


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
        max_bytes: memory of one batch of points, beside the layers.

    Returns:
        The error at the worst point, evaluated exactly. It says nothing about points that were not given.

    Raises:
        ValueError: the layers do not chain or do not fit the domain; the points have the wrong shape, are not
            finite, or outside the domain (the worst of them, and any with a negative coordinate where the domain has
            none); the device is not there.

    >>> import numpy as np
    >>> from slth.errors.domain import Box
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> from_points([layer], [[0.5], [-1.0]], Box.cube(1)).value
    0.125
    """
    return _worst(layers, points, domain, method, device, max_bytes)


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

    >>> import numpy as np
    >>> from slth.errors.domain import Box
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> 0.2 < sampled([layer], Box.cube(1), 100).value <= 0.25
    True
    """
    return _worst(layers, random_points(domain, count, seed), domain, "random points", device, max_bytes)


def _worst(
    layers: Sequence[EffectiveLayer],
    points: ArrayLike | Iterator[ArrayLike],
    domain: Domain,
    method: str,
    device: str | torch.device,
    max_bytes: int,
) -> Lower:
    check_chain(layers, domain)
    widths = domain.dimension, *(layer.target.outputs for layer in layers)
    room = max_bytes + Memory(widths).least
    return errors_at([layers], points, domain, method, device=device, max_bytes=room)[0].lower
