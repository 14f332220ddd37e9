"""Lower ends on a ball by the Frank-Wolfe method: each step goes towards the point that the gradient likes best.

The norm of a difference that is linear is convex, and the steps x <- (1 - s) x + s r G / |G|, s = 2 / (k + 2), of Frank
and Wolfe (1956) climb it without a step length to tune. Where f and g have no biases the points are put back on the
sphere, since the error grows along rays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from slth.errors.attacks import Best, Move, directions, gradient_of
from slth.errors.chain import check_chain
from slth.errors.difference import Difference
from slth.errors.domain import Ball
from slth.errors.exact import lower_at
from slth.errors.interval import Lower
from slth.gadget import EffectiveLayer


def frank_wolfe(
    layers: Sequence[EffectiveLayer],
    ball: Ball,
    *,
    starts: int = 64,
    steps: int = 40,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> Lower:
    """Frank-Wolfe ascent from many starts.

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        ball: where to search.
        starts: number of starts, >= 1.
        steps: steps of each start, >= 1.
        seed: of the random starts.
        device: where to search, in float64; the value is exact on any device.

    Returns:
        The best point seen, evaluated exactly. It beats the gradient attack in about half of the cases.

    Raises:
        TypeError: the domain is not a ball.
        ValueError: starts or steps below 1, or the layers do not chain or do not fit the ball.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> round(frank_wolfe([layer], Ball(1), starts=4).value, 12)
    0.25
    """
    if not isinstance(ball, Ball):
        raise TypeError(f"the Frank-Wolfe steps are for a ball; got {ball.description}: use the corner attack")
    if starts < 1 or steps < 1:
        raise ValueError(f"an attack needs starts >= 1 and steps >= 1; got {starts}, {steps}")
    check_chain(layers, ball)
    g_minus_f = Difference(layers, device)
    move = Move(ball, homogeneous=not any(layer.target.shift.any() or layer.bias.any() for layer in layers))
    x = move.onto(g_minus_f.points(ball.sample(starts, np.random.default_rng(seed))))
    best = Best(ball.norm)
    with g_minus_f.threads_for(starts):
        for k in range(steps):
            trace = g_minus_f.trace(x)
            best.see(x, trace.difference)
            gradient = gradient_of(g_minus_f, x, trace, directions(trace.difference, ball.norm))
            length = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            vertex = torch.where(length > 0, ball.radius * gradient / length.clamp(min=1e-300), x)
            share = 2 / (k + 2)
            x = move.onto((1 - share) * x + share * vertex)
        best.see(x, g_minus_f(x))
    return lower_at(layers, ball.settled(best.winner()[None])[0], ball, "Frank-Wolfe")
