"""Upper ends by splitting a domain of few inputs: bound every part, split the worst parts, until the gap is small.

A bound over a box is the largest of the bounds over parts that cover it. Each part is bounded by linear difference
bounds (`slth.errors.differential`), which close as parts shrink, because units get their signs and the rest turns
linear. A child never gets a larger bound than its parent had, since what holds on the parent holds on it.

Without biases f and g are positively homogeneous, so ||f - g|| grows along rays and only the faces that rays leave
through are covered: x_j = high_j where high_j > 0 and x_j = low_j where low_j < 0. This is branch and bound over the
inputs; Wang et al. 2021 (beta-CROWN, arXiv 2103.06624) branch on units.

The parts that prove the end are kept with it, as a tree that `slth.certificates.slth_check_tight` follows: one byte per
node, a part before its two children, the axis along which it is split or 255 where it is not. A part that is bounded by
the end is not split any further in it, whatever the search did.

A ball without biases is split on the faces of the cube around it: by homogeneity the supremum over the ball of radius r
is that of r ||f - g|| / ||x|| over those faces, and on a part this is at most r times the l2 norm of the bounds of the
outputs over the least ||x||. Derived.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from slth.errors.coupled import Boxes, Matrices, exact_copy, matrices_of
from slth.errors.difference import Difference
from slth.errors.differential import Known, hidden_layers, output_bounds
from slth.errors.domain import Ball, Box, Domain
from slth.errors.exact import lower_at
from slth.errors.interval import Lower, Upper
from slth.errors.outward import STEP, TINY, Floats, inflated
from slth.errors.sampled import sizes
from slth.gadget import EffectiveLayer

MOST_BOXES = 1024
"""Parts that are bounded at once."""

MOST_ENTRIES = 1 << 21
"""Entries of the largest array of one batch."""

METHOD = "splitting"

LEAF = 255
"""A part that is not split, in the bytes of a tree. Domains of more inputs have no tree."""


@dataclass(frozen=True, eq=False)
class Front:
    """Parts of the box with proved bounds: low and high (parts, inputs), bound, axis to split and number (parts,)."""

    low: Floats
    high: Floats
    bound: Floats
    axis: np.ndarray
    number: np.ndarray

    def __len__(self) -> int:
        return len(self.bound)

    def taken(self, which: np.ndarray) -> Front:
        return Front(*(value[which] for value in vars(self).values()))

    def joined(self, other: Front) -> Front:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Front(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class Split:
    """What splitting found.

    Attributes:
        upper: the proved end, with its parts.
        lower: the best of the points met on the way, evaluated exactly.
        boxes: parts that were bounded.
        done: whether the gap was reached; if not, the boxes or the seconds ran out.
    """

    upper: Upper
    lower: Lower
    boxes: int
    done: bool


def homogeneous(layers: Sequence[EffectiveLayer]) -> bool:
    """Whether neither network has biases, so that f(tx) = t f(x) and g(tx) = t g(x) for t >= 0."""
    return not any(layer.target.shift.any() or layer.bias.any() for layer in layers)


def splitting(
    layers: Sequence[EffectiveLayer],
    domain: Domain,
    *,
    gap: float = 0.01,
    boxes: int = 1 << 16,
    seconds: float = float("inf"),
    start: Lower | None = None,
    progress: bool = False,
) -> Split:
    """Splits the domain until the upper end is within the gap of an attained error, or the effort is spent.

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        domain: where the input runs: a box, or a ball if there are no biases; beyond about 10 inputs there are too
            many parts.
        gap: stops at upper <= (1 + gap) lower, >= 0.
        boxes: stops after bounding so many parts (or few more), >= 1.
        seconds: stops after so long; then the upper end depends on the machine, but holds.
        start: an attained lower end, which spares work.
        progress: shows a bar.

    Returns:
        Both ends; the upper one holds whatever stopped the search.

    Raises:
        ValueError: an argument is out of range, there are biases on a ball, or the layers do not chain or do not fit.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> splitting([layer], Box.cube(1)).lower.value
    0.25
    """
    if not gap >= 0 or boxes < 1 or not seconds > 0:
        raise ValueError(f"splitting needs gap >= 0, boxes >= 1, seconds > 0; got {gap}, {boxes}, {seconds}")
    if isinstance(domain, Ball) and not homogeneous(layers):
        raise ValueError("a ball is split only for networks without biases: split a box around it, or use `averaged`")
    search = _Search(matrices_of(layers, domain), layers, domain, start)
    if exact_copy(layers, domain):
        return Split(Upper(0.0, METHOD), search.attained(), 0, True)
    deadline = time.monotonic() + seconds
    with tqdm(total=boxes, unit="box", disable=not progress, leave=False) as bar:
        while search.count < boxes and time.monotonic() < deadline and not search.done(gap):
            before = search.count
            search.step(gap, boxes - search.count)
            bar.update(search.count - before)
            bar.set_postfix(ratio=f"{search.upper() / max(search.value, 1e-300):.4g}")
    return Split(Upper(search.upper(), METHOD, search.tree()), search.attained(), search.count, search.done(gap))


class _Search:
    """The parts that are still open, the largest bound of those that are closed, and the best point."""

    def __init__(
        self, net: list[Matrices], layers: Sequence[EffectiveLayer], domain: Domain, start: Lower | None
    ) -> None:
        self.net, self.layers, self.domain = net, layers, domain
        self.g_minus_f = Difference(layers, "cpu")
        self.value = 0.0 if start is None else start.value
        box = Box.cube(domain.dimension) if isinstance(domain, Ball) else domain
        self.point = domain.settled(np.zeros((1, box.dimension)))[0] if start is None else start.witness
        self.closed = 0.0
        self.count = 0
        self.bounds: list[Floats] = []  # of all parts so far, by number
        self.split: dict[int, tuple[int, int]] = {}  # number of a part that was split: axis, number of its first child
        low, high = _outer_faces(net, box)
        self.roots = len(low)
        self.open = self._bounded(low, high, np.full(len(low), np.inf))

    def upper(self) -> float:
        return max(self.closed, float(self.open.bound.max(initial=0.0)))

    def done(self, gap: float) -> bool:
        return self.upper() <= self.value * (1 + gap)

    def attained(self) -> Lower:
        return lower_at(self.layers, self.point, self.domain, METHOD)

    def tree(self) -> bytes:
        """The parts that prove the upper end; empty if there are more inputs than a byte can name."""
        if self.domain.dimension > LEAF:
            return b""
        bounds, end = np.concatenate(self.bounds), self.upper()
        found, rest = bytearray(), list(range(self.roots))[::-1]
        while rest:
            number = rest.pop()
            split = bounds[number] > end
            found.append(self.split[number][0] if split else LEAF)
            if split:
                first = self.split[number][1]
                rest += [first + 1, first]
        return bytes(found)

    def step(self, gap: float, budget: int) -> None:
        """Splits the parts of largest bound."""
        keep = self.open.bound > self.value * (1 + gap)
        self.closed = max(self.closed, float(self.open.bound[~keep].max(initial=0.0)))
        self.open = self.open.taken(keep)
        rows = 2 * max(layer.units for layer in self.net)
        widest = max(layer.inputs for layer in self.net)
        count = min(MOST_BOXES, max(1, MOST_ENTRIES // (rows * widest)), max(1, budget), len(self.open))
        if not count:
            return
        order = np.argpartition(-self.open.bound, count - 1)
        chosen, rest = self.open.taken(order[:count]), self.open.taken(order[count:])
        low, high = np.repeat(chosen.low, 2, axis=0), np.repeat(chosen.high, 2, axis=0)
        left = np.arange(count)
        children = (self.count + 2 * left).tolist()
        pairs = zip(chosen.axis.tolist(), children, strict=True)
        self.split |= dict(zip(chosen.number.tolist(), pairs, strict=True))
        a, b = chosen.low[left, chosen.axis], chosen.high[left, chosen.axis]
        cut = np.where((a < 0) & (b > 0), 0.0, np.clip(a / 2 + b / 2, a, b))
        high[2 * left, chosen.axis] = cut
        low[2 * left + 1, chosen.axis] = cut
        self.open = rest.joined(self._bounded(low, high, np.repeat(chosen.bound, 2)))

    def _bounded(self, low: Floats, high: Floats, limit: Floats) -> Front:
        """The parts with their bounds, none above its limit, and the axes along which to split them."""
        if not len(low):
            return Front(low, high, limit, *np.zeros((2, 0), dtype=np.int64))
        region = Boxes(low, high)
        hidden = hidden_layers(self.net, region)
        found = output_bounds(self.net, hidden, region)
        here = np.arange(len(low))
        worst = found.bounds.argmax(axis=1)
        slope = found.slopes[here, worst]
        number = self.count + here
        self.count += len(low)
        self._see(np.where(slope > 0, high, low))
        self._see(np.clip(low / 2 + high / 2, low, high))
        widths = high - low
        axis = _axes(widths, slope, [b[here, worst] for b in found.blame], hidden)
        bound = np.minimum(self._size(found.bounds, low, high), limit)
        self.bounds.append(bound)
        return Front(low, high, bound, axis, number)

    def _size(self, bounds: Floats, low: Floats, high: Floats) -> Floats:
        """The bounds of the error over each part, (parts,), from those of all outputs and their negatives."""
        outputs = np.maximum(np.maximum(*np.split(bounds, 2, axis=1)), 0.0)
        if isinstance(self.domain, Box):
            return outputs.max(axis=1)
        terms = max(outputs.shape[1], low.shape[1])
        norm = np.sqrt(inflated((outputs * outputs).sum(axis=1) + terms * TINY, terms + 1))
        nearest = np.maximum(np.maximum(low, -high), 0.0)  # the least |x_j|; on a face one of them is 1
        least = np.sqrt((nearest * nearest).sum(axis=1)) * (1 - (terms + 4) * STEP)
        return inflated(self.domain.radius * norm / least, 5)

    def _see(self, points: Floats) -> None:
        """Keeps the best point if it beats what is attained already."""
        if isinstance(self.domain, Ball):
            points = points * (self.domain.radius / np.linalg.norm(points, axis=1, keepdims=True))
            points = self.domain.settled(points)
        with self.g_minus_f.threads_for(1):
            found = sizes(self.g_minus_f(self.g_minus_f.points(points)), self.domain.norm)
        best = int(found.argmax())
        if float(found[best]) > self.value:
            exact = lower_at(self.layers, points[best], self.domain, METHOD)
            if exact.value > self.value:
                self.value, self.point = exact.value, exact.witness


def _axes(widths: Floats, slope: Floats, blame: Sequence[Floats], hidden: Sequence[Known]) -> np.ndarray:
    """The axis along which to split each part, (parts,): where most of what open units cost comes from.

    A unit's cost is shared among the inputs as they share in the width of its range. Without open units the linear
    bound itself is steepest along the axis.
    """
    score = 1e-9 * np.abs(slope) * widths + 1e-300 * widths
    for cost, layer in zip(blame, hidden, strict=True):
        shares = np.abs(layer.slopes) * widths[:, None]
        score = score + (cost[:, :, None] * shares / np.maximum(shares.sum(axis=2, keepdims=True), 1e-300)).sum(axis=1)
    return np.where(widths > 0, score, -1.0).argmax(axis=1)


def _outer_faces(net: Sequence[Matrices], box: Box) -> tuple[Floats, Floats]:
    """Boxes, (parts, inputs) each, on whose union the supremum is attained (see the module)."""
    if any(layer.bias.any() or layer.slip.any() for layer in net):
        return box.low[None], box.high[None]
    tops, bottoms = np.flatnonzero(box.high > 0), np.flatnonzero(box.low < 0)
    parts = len(tops) + len(bottoms)
    low, high = np.tile(box.low, (max(parts, 1), 1)), np.tile(box.high, (max(parts, 1), 1))
    low[np.arange(len(tops)), tops] = box.high[tops]
    high[len(tops) + np.arange(len(bottoms)), bottoms] = box.low[bottoms]
    return low, high
