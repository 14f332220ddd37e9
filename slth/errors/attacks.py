"""Lower ends from search: many starts climb the error by its slopes. What they reach need not be the top."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from slth.errors.chain import check_chain
from slth.errors.difference import Difference, Trace
from slth.errors.domain import Box, Domain, Norm
from slth.errors.exact import lower_at
from slth.errors.interval import Lower
from slth.errors.sampled import sizes
from slth.gadget import EffectiveLayer

FIRST_STEP, LAST_STEP = 1.0, 1e-2
"""Step lengths of the exploration, relative to the width of the domain; they shrink geometrically."""

CLIMB_STEP, LONGER, SHORTER = 0.05, 1.5, 0.5
"""First step length of the climb, and its factors after a step that helped and after one that did not."""


class Best:
    """The best point that each start has seen."""

    def __init__(self, norm: Norm) -> None:
        self.norm = norm
        self.value: torch.Tensor | None = None
        self.point: torch.Tensor

    def see(self, x: torch.Tensor, difference: torch.Tensor) -> None:
        value = sizes(difference, self.norm)
        if self.value is None:
            self.value, self.point = value, x
            return
        better = value > self.value
        self.value = torch.where(better, value, self.value)
        self.point = torch.where(better[:, None], x, self.point)

    def winner(self) -> np.ndarray:
        assert self.value is not None
        return self.point[int(self.value.argmax())].cpu().numpy()


def directions(difference: torch.Tensor, norm: Norm) -> torch.Tensor:
    """What to climb, (batch, outputs): in l2 the norm itself; in l_inf one output and sign per start.

    Where there are enough starts each pair of output and sign gets some, and the pairs of large errors are
    not preferred: the worst output at the start is often not the worst at the end. Otherwise each start
    climbs its largest output.
    """
    batch, outputs = difference.shape
    if norm == "l2":
        return difference / torch.linalg.vector_norm(difference, dim=1, keepdim=True).clamp(min=1e-300)
    rows = torch.arange(batch, device=difference.device)
    chosen = torch.zeros_like(difference)
    if batch >= 2 * outputs:
        chosen[rows, rows // 2 % outputs] = (1 - 2 * (rows % 2)).to(chosen)
    else:
        largest = difference.abs().argmax(dim=1)
        chosen[rows, largest] = torch.where(difference[rows, largest] < 0, -1.0, 1.0).to(chosen)
    return chosen


def gradient_attack(
    layers: Sequence[EffectiveLayer],
    domain: Domain,
    *,
    starts: int = 64,
    steps: int = 120,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> Lower:
    """Projected gradient ascent from many starts (Madry et al. 2018, arXiv 1706.06083).

    In a ball each start steps along its normalised gradient and is put back; without biases the error is
    positively homogeneous, so its maximum is on the sphere and the starts stay there. In a box the steps are
    signs. The first half of the steps explores with shrinking lengths; the second half climbs from the best
    point of each start and takes only steps that help.

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        domain: where to search.
        starts: number of starts, >= 1.
        steps: steps of each start, >= 1.
        seed: of the random starts.
        device: where to search, in float64; the value is exact on any device.

    Returns:
        The best point seen, evaluated exactly.

    Raises:
        ValueError: starts or steps below 1, or the layers do not chain or do not fit the domain.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> gradient_attack([layer], Box.cube(1), starts=4).value
    0.25
    """
    if starts < 1 or steps < 1:
        raise ValueError(f"an attack needs starts >= 1 and steps >= 1; got {starts}, {steps}")
    check_chain(layers, domain)
    g_minus_f = Difference(layers, device)
    biased = any(layer.target.shift.any() or layer.bias.any() for layer in layers)
    move = Move(domain, homogeneous=not biased)
    x = move.onto(g_minus_f.points(domain.sample(starts, np.random.default_rng(seed))))
    best = Best(domain.norm)
    with g_minus_f.threads_for(starts):
        for step in np.geomspace(FIRST_STEP, LAST_STEP, steps - steps // 2):
            trace = g_minus_f.trace(x)
            best.see(x, trace.difference)
            x = move(x, gradient_of(g_minus_f, x, trace, directions(trace.difference, domain.norm)), float(step))
        best.see(x, g_minus_f(x))
        _climb(g_minus_f, best, move, steps // 2)
    return lower_at(layers, domain.settled(best.winner()[None])[0], domain, "gradient attack")


def _climb(g_minus_f: Difference, best: Best, move: Move, steps: int) -> None:
    """From the best point of each start, steps that grow while they help and shrink while they do not."""
    x = best.point
    trace = g_minus_f.trace(x)
    goal = directions(trace.difference, best.norm)
    value = _progress(trace.difference, goal, best.norm)
    gradient = gradient_of(g_minus_f, x, trace, goal)
    step = torch.full_like(value, CLIMB_STEP)
    for _ in range(steps):
        new = move(x, gradient, step[:, None])
        trace = g_minus_f.trace(new)
        best.see(new, trace.difference)
        if best.norm == "l2":
            goal = directions(trace.difference, best.norm)
        new_value = _progress(trace.difference, goal, best.norm)
        helps = new_value > value
        gradient = torch.where(helps[:, None], gradient_of(g_minus_f, new, trace, goal), gradient)
        x = torch.where(helps[:, None], new, x)
        value = torch.where(helps, new_value, value)
        step = torch.where(helps, LONGER * step, SHORTER * step)


def _progress(difference: torch.Tensor, goal: torch.Tensor, norm: Norm) -> torch.Tensor:
    """What a start wants to raise: the norm in l2, its own output and sign in l_inf."""
    return sizes(difference, norm) if norm == "l2" else (goal * difference).sum(dim=1)


def gradient_of(g_minus_f: Difference, x: torch.Tensor, trace: Trace, direction: torch.Tensor) -> torch.Tensor:
    """The gradient of <direction, g - f> at each point, (batch, inputs)."""
    return torch.where(x > 0, *g_minus_f.slopes(trace, direction))


class Move:
    """Steps inside a domain."""

    def __init__(self, domain: Domain, homogeneous: bool) -> None:
        self.domain = domain
        self.homogeneous = homogeneous

    def __call__(self, x: torch.Tensor, gradient: torch.Tensor, step: float | torch.Tensor) -> torch.Tensor:
        """The points x moved along the gradient by a step relative to the width of the domain."""
        if isinstance(self.domain, Box):
            width = torch.as_tensor(self.domain.high - self.domain.low, device=x.device)
            return self.onto(x + step * width * gradient.sign())
        length = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        # Long steps leave little of x and act like a power iteration; a zero gradient moves nothing.
        return self.onto(x + 4 * step * self.domain.radius * gradient / torch.where(length > 0, length, 1.0))

    def onto(self, x: torch.Tensor) -> torch.Tensor:
        """The points put back into the domain: on the sphere of a ball where the error is homogeneous."""
        if isinstance(self.domain, Box):
            ends = torch.as_tensor(np.stack([self.domain.low, self.domain.high]), device=x.device)
            return torch.minimum(torch.maximum(x, ends[0]), ends[1])
        factor = self.domain.radius / torch.linalg.vector_norm(x, dim=1, keepdim=True).clamp(min=1e-300)
        return x * (factor if self.homogeneous else factor.clamp(max=1.0))


def corner_attack(
    layers: Sequence[EffectiveLayer],
    box: Box,
    *,
    starts: int = 64,
    rounds: int = 20,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> Lower:
    """Jumps between corners: with the ReLUs frozen as they are, go to the best point of the whole box.

    With the units behind the first layer frozen, each coordinate is best at low, high, or (the error has a
    kink there) 0, and all are chosen at once. Half of the starts are the points where single first-layer
    differences are largest, the others random corners. For one layer this attains the supremum.

    Args:
        layers: the target and the exact errors of the ticket.
        box: where to search.
        starts: number of starts, >= 1.
        rounds: jumps of each start, >= 1.
        seed: of the random corners.
        device: where to search, in float64.

    Returns:
        The best point seen, evaluated exactly.

    Raises:
        TypeError: the domain is not a box.
        ValueError: starts or rounds below 1, or the layers do not chain or do not fit the box.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> corner_attack([layer], Box.cube(1), starts=1).value
    0.25
    """
    if not isinstance(box, Box):
        raise TypeError(f"the corner attack needs a box; got {box.description}: use the gradient attack")
    if starts < 1 or rounds < 1:
        raise ValueError(f"an attack needs starts >= 1 and rounds >= 1; got {starts}, {rounds}")
    check_chain(layers, box)
    g_minus_f = Difference(layers, device)
    choices = np.stack([box.low, box.high, np.clip(0.0, box.low, box.high)])
    ends = g_minus_f.points(choices)
    picks = np.random.default_rng(seed).integers(2, size=(starts, box.dimension))
    x = g_minus_f.points(np.take_along_axis(choices, picks, axis=0))
    informed = _first_layer_corners(layers[0], ends, -(-starts // 2), g_minus_f)
    x[: len(informed)] = informed
    best = Best(box.norm)
    with g_minus_f.threads_for(starts):
        for _ in range(rounds):
            trace = g_minus_f.trace(x)
            best.see(x, trace.difference)
            x = _best_corners(*g_minus_f.slopes(trace, directions(trace.difference, box.norm)), ends)
        best.see(x, g_minus_f(x))
    return lower_at(layers, best.winner(), box, "corner attack")


def _best_corners(positive: torch.Tensor, negative: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """Maximises sum_j of positive_j x_j^+ - negative_j x_j^-; ends holds low, high and the 0 moved inside."""
    gains = torch.stack([torch.where(end >= 0, positive, negative) * end for end in ends])
    return ends.gather(0, gains.argmax(dim=0))


def _first_layer_corners(layer: EffectiveLayer, ends: torch.Tensor, count: int, g_minus_f: Difference) -> torch.Tensor:
    """The points where +-(g - f)_k of the first layer is largest, for the k and signs of largest value."""
    errors = [g_minus_f.points(part) for part in (layer.plus, layer.minus)]
    shift = g_minus_f.points(layer.shift)
    signed = []
    for side in (1.0, -1.0):
        gains = torch.stack([torch.where(end >= 0, *errors) * (side * end) for end in ends])
        signed.append(gains.amax(dim=0).sum(dim=1) + side * shift)
    values, order = torch.cat(signed).sort(descending=True, stable=True)
    order = order[:count]
    unit, sign = order % len(shift), torch.where(order < len(shift), 1.0, -1.0).to(values)[:, None]
    return _best_corners(sign * errors[0][unit], sign * errors[1][unit], ends)
