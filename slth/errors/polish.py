"""Lower ends from linear programs: the best point of the piece of f and g where a point lies, then of its neighbours.

With the signs of all hidden units of target and ticket fixed as they are at x, and those of the x_j, both networks are
affine, and so are the conditions under which the signs stay. The largest output difference over that polytope is a
linear program. Its solution lies on the edge of the piece; a little further on in the direction just taken is the next
piece. Only points that raise the exactly evaluated error are kept, so nothing hangs on the solver's tolerances.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slth.errors.chain import check_chain
from slth.errors.domain import Box
from slth.errors.exact import lower_at
from slth.errors.interval import Lower
from slth.errors.outward import Floats
from slth.gadget import EffectiveLayer

METHOD = "linear programs"

BEYOND = 1e-4
"""How far past the edge of a piece the next one is looked for, relative to the step just taken."""


def polish_entries(layers: Sequence[EffectiveLayer]) -> int:
    """Entries of the constraint matrix of one linear program."""
    return 2 * layers[0].target.inputs * sum(layer.target.outputs for layer in layers[:-1])


def polished(layers: Sequence[EffectiveLayer], box: Box, start: Lower, *, rounds: int = 10) -> Lower:
    """Climbs from a point by linear programs over the pieces of f and g.

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        box: where to search.
        start: an attained lower end.
        rounds: linear programs at most, >= 1.

    Returns:
        The best point, evaluated exactly; never below the start.

    Raises:
        TypeError: the domain is not a box.
        ValueError: rounds below 1, or the layers do not chain or do not fit the box, or the start is outside.

    >>> from slth.errors.exact import lower_at
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> polished([layer], Box.cube(1), lower_at([layer], [0.5], Box.cube(1), "a guess")).value
    0.25
    """
    from scipy.optimize import linprog  # here: it takes longer to import than the rest of the module

    if not isinstance(box, Box):
        raise TypeError(f"linear programs need a box; got {box.description}: use the gradient attack")
    if rounds < 1:
        raise ValueError(f"polishing needs rounds >= 1; got {rounds}")
    check_chain(layers, box)
    best = lower_at(layers, start.witness, box, METHOD)
    inside = best.witness
    for _ in range(rounds):
        piece = _piece(layers, inside)
        difference = piece.slopes @ inside + piece.constant
        k = int(np.abs(difference).argmax())
        gain = np.copysign(1.0, difference[k]) * piece.slopes[k]
        steepest = float(np.abs(gain).max())
        if steepest == 0:
            break
        low = np.where(inside > 0, np.maximum(box.low, 0.0), box.low)
        high = np.where(inside > 0, box.high, np.minimum(box.high, 0.0))
        found = linprog(
            -gain / steepest, A_ub=piece.rows, b_ub=piece.limits, bounds=np.stack([low, high], axis=1), method="highs"
        )
        if found.x is None:
            break
        reached = lower_at(layers, box.settled(found.x[None])[0], box, METHOD)
        if reached.value <= best.value * (1 + 1e-12):
            break
        inside = box.settled((reached.witness + BEYOND * (reached.witness - inside))[None])[0]
        best = reached
    return best


class _Piece:
    """The affine piece of f and g at a point: g - f = slopes x + constant where rows x <= limits."""

    def __init__(self, rows: list[Floats], limits: list[Floats], slopes: Floats, constant: Floats) -> None:
        self.rows = np.concatenate(rows) if rows else None
        self.limits = np.concatenate(limits) if limits else None
        self.slopes, self.constant = slopes, constant


def _piece(layers: Sequence[EffectiveLayer], x: Floats) -> _Piece:
    """z = f x + c and D = g x + e, layer by layer, with the units on that are on at x."""
    f, c = layers[0].target.matrix, layers[0].target.shift
    g, e = np.where(x > 0, layers[0].plus, layers[0].minus), layers[0].shift
    rows: list[Floats] = []
    limits: list[Floats] = []
    for layer in layers[1:]:
        z = f @ x + c
        ticket = z + g @ x + e
        for value, slope, shift in ((z, f, c), (ticket, f + g, c + e)):
            side = np.where(value > 0, 1.0, -1.0)
            rows.append(-side[:, None] * slope)
            limits.append(side * shift)
        on, ticket_on = (z > 0).astype(np.float64), (ticket > 0).astype(np.float64)
        d_slope = (ticket_on - on)[:, None] * f + ticket_on[:, None] * g
        d_shift = (ticket_on - on) * c + ticket_on * e
        h_slope, h_shift = on[:, None] * f, on * c
        weight, error = layer.target.matrix, layer.plus
        f, c = weight @ h_slope, weight @ h_shift + layer.target.shift
        g, e = weight @ d_slope + error @ (h_slope + d_slope), weight @ d_shift + error @ (h_shift + d_shift)
        e = e + layer.shift
    return _Piece(rows, limits, g, e)
