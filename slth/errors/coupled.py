"""Upper ends by coupled intervals: ranges of the target's units and of the ticket's difference from them, together.

For every unit four ranges are kept: of the target's pre-activation z, of the ticket's z + D, and of the difference D
itself; of D because subtracting two ranges would lose what the networks have in common (Paulsen, Wang, Wang 2020,
ReluDiff, arXiv 2001.03662). Behind a ReLU, with h = relu(z), h' = relu(z + D), d = h' - h,

    D_next = W d + E+ h' + e = (W + E+) d + E+ h + e,

so the range of D_next is the meet of two interval sums. The ReLU is exact: r(z, D) = relu(z + D) - relu(z) rises with
D; it does not fall with z where D >= 0 and does not rise with z where D <= 0. So over z in [zl, zu], D in [Dl, Du] its
largest value is r(zu or zl, Du) and its least r(zl or zu, Dl), by the signs of Du and Dl. Without a subtraction

    r(z, D) = max(D, -z) if z >= 0, else max(z + D, 0).

In the first layer D = E_s x + e (see `slth.errors.recursion`) and a sum of one-sided slopes over the domain is exact:
coordinates of a box are best at low, high or 0, and over the ball the slopes max(p, -m, 0) add up in l2. For one layer
and a box the bound is therefore the supremum. Derived.

All arrays have a leading axis of regions, so that thousands of small boxes are bounded at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slth.errors.chain import check_chain, ticket_matrix, ticket_shift
from slth.errors.domain import Ball, Domain
from slth.errors.interval import Upper
from slth.errors.outward import TINY, Floats, inflated, signed_up
from slth.errors.rounding import frobenius_up, largest_up
from slth.gadget import EffectiveLayer
from slth.grid import to_float


@dataclass(frozen=True, eq=False)
class Boxes:
    """Many boxes at once.

    Attributes:
        low: float64 (regions, inputs).
        high: likewise.
    """

    low: Floats
    high: Floats

    @property
    def sizes(self) -> Floats:
        """The largest |x_j|, (regions, inputs)."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def reach_up(self, plus: Floats, minus: Floats) -> Floats:
        """Upper bounds of sum_j (plus_j x_j^+ - minus_j x_j^-), i.e. of the form with slopes plus for x_j > 0
        and minus for x_j < 0.

        Args:
            plus: float64 (regions or 1, forms, inputs).
            minus: likewise.

        Returns:
            float64 (regions, forms).
        """
        low, high = self.low[:, None], self.high[:, None]
        best = np.maximum(np.where(low >= 0, plus, minus) * low, np.where(high >= 0, plus, minus) * high)
        best = np.where((low <= 0) & (high >= 0), np.maximum(best, 0.0), best)
        terms = best.shape[2]
        size = np.abs(best).sum(axis=2)
        tiny = _may_underflow(plus, minus, self.low, self.high) * terms * TINY
        return signed_up(best.sum(axis=2), inflated(size, terms), terms + 2) + tiny


def _may_underflow(plus: Floats, minus: Floats, *ends: Floats) -> bool:
    """Whether a product of a slope and an end, both not 0, could be computed as 0.

    Where it cannot, an empty sum stays 0: a unit that is 0 at a corner and positive elsewhere counts as on.
    """
    least = [min(_least(a) for a in part) for part in ((plus, minus), ends)]
    return not least[0] * least[1] > TINY


def _least(values: Floats) -> float:
    sizes = np.abs(values)
    return float(np.min(sizes, where=sizes > 0, initial=1.0))


@dataclass(frozen=True, eq=False)
class Sphere:
    """One l2 ball around 0, with the interface of `Boxes` and a single region."""

    radius: float
    dimension: int

    @property
    def sizes(self) -> Floats:
        return np.full((1, self.dimension), self.radius)

    def reach_up(self, plus: Floats, minus: Floats) -> Floats:
        """As for `Boxes`: by Cauchy and Schwarz the radius times the l2 norm of the slopes max(plus, -minus, 0)."""
        slopes = np.maximum(np.maximum(plus, -minus), 0.0)
        terms = slopes.shape[2]
        square = inflated((slopes * slopes).sum(axis=2) + terms * TINY, terms + 1)
        return inflated(np.sqrt(square) * self.radius, 3)


Region = Boxes | Sphere


def region_of(domain: Domain) -> Region:
    """The domain as a single region."""
    if isinstance(domain, Ball):
        return Sphere(domain.radius, domain.dimension)
    return Boxes(domain.low[None], domain.high[None])


class Matrices:
    """The exact float64 matrices of one layer, split by sign once for all.

    Attributes:
        weight: W.
        error: E+, the error behind a ReLU.
        ticket: W + E+.
        minus: E-, for the first layer.
        ticket_minus: W + E-, likewise.
        bias, slip, ticket_bias: b, e, b + e.
    """

    def __init__(self, layer: EffectiveLayer, first: bool) -> None:
        self.weight, self.error, self.ticket = layer.target.matrix, layer.plus, ticket_matrix(layer)
        self.minus = layer.minus if first else self.error
        self.ticket_minus = to_float(layer.target.weight + layer.negative) if first else self.ticket
        self.bias, self.slip, self.ticket_bias = layer.target.shift, layer.shift, ticket_shift(layer)
        self.units, self.inputs = self.weight.shape


def matrices_of(layers: Sequence[EffectiveLayer], domain: Domain) -> list[Matrices]:
    """The matrices of all layers.

    Raises:
        ValueError: the layers do not chain or do not fit the domain, or W + E is not exact in float64.
    """
    check_chain(layers, domain)
    return [Matrices(layer, i == 0) for i, layer in enumerate(layers)]


@dataclass(frozen=True, eq=False)
class Ranges:
    """Outer ranges over every region, each float64 (regions, units).

    Attributes:
        low, high: of the target's pre-activation z.
        ticket_low, ticket_high: of the ticket's, z + D.
        least, most: of the difference D.
    """

    low: Floats
    high: Floats
    ticket_low: Floats
    ticket_high: Floats
    least: Floats
    most: Floats

    def sizes(self) -> Floats:
        """The largest |D|."""
        return np.maximum(np.abs(self.least), np.abs(self.most))


def meet(z: tuple[Floats, Floats], ticket: tuple[Floats, Floats], difference: tuple[Floats, Floats]) -> Ranges:
    """The ranges with the ticket's also within z + D."""
    low = np.maximum(ticket[0], np.nextafter(z[0] + difference[0], -np.inf))
    high = np.minimum(ticket[1], np.nextafter(z[1] + difference[1], np.inf))
    return Ranges(*z, low, high, *difference)


def first_ranges(layer: Matrices, region: Region) -> Ranges:
    """The ranges of the first layer over every region."""

    def both(plus: Floats, minus: Floats, shift: Floats) -> tuple[Floats, Floats]:
        top, bottom = region.reach_up(plus[None], minus[None]), region.reach_up(-plus[None], -minus[None])
        return -_stepped(bottom - shift, bottom, -shift, np.inf), _stepped(top + shift, top, shift, np.inf)

    return meet(
        both(layer.weight, layer.weight, layer.bias),
        both(layer.ticket, layer.ticket_minus, layer.ticket_bias),
        both(layer.error, layer.minus, layer.slip),
    )


@dataclass(frozen=True, eq=False)
class Behind:
    """Outer ranges behind the ReLU, each float64 (regions, units): of h, of h' and of d = h' - h."""

    low: Floats
    high: Floats
    ticket_low: Floats
    ticket_high: Floats
    least: Floats
    most: Floats

    def sizes(self) -> Floats:
        """The largest |d|."""
        return np.maximum(np.abs(self.least), np.abs(self.most))


def relu_change(z: Floats, change: Floats, towards: float) -> Floats:
    """relu(z + change) - relu(z), rounded towards -inf or inf.

    >>> relu_change(np.array([-1.0, 0.25, -1.0]), np.array([1.5, -1.0, 0.5]), np.inf)
    array([ 0.5 , -0.25,  0.  ])
    """
    risen = z + change  # 0 only if it is 0 exactly, and of the right sign
    return np.where(z >= 0, np.maximum(change, -z), np.where(risen > 0, _stepped(risen, z, change, towards), 0.0))


def _stepped(total: Floats, a: Floats, b: Floats, towards: float) -> Floats:
    """fl(a + b) moved towards the side unless it is exact."""
    part = total - a
    lost = (a - (total - part)) + (b - part)  # two-sum: exactly a + b - total
    return np.where(lost == 0, total, np.nextafter(total, towards))


def behind(r: Ranges) -> Behind:
    """The ranges behind the ReLU."""
    low, high, ticket_low, ticket_high = (np.maximum(end, 0.0) for end in (r.low, r.high, r.ticket_low, r.ticket_high))
    most = relu_change(np.where(r.most >= 0, r.high, r.low), r.most, np.inf)
    least = relu_change(np.where(r.least >= 0, r.low, r.high), r.least, -np.inf)
    return Behind(low, high, ticket_low, ticket_high, np.maximum(least, -high), np.minimum(most, ticket_high))


def interval_ranges(layer: Matrices, before: Behind) -> Ranges:
    """The ranges of a layer behind a ReLU from those before it."""
    h, ticket, d = (before.low, before.high), (before.ticket_low, before.ticket_high), (before.least, before.most)
    one = sums_of([(layer.weight, d), (layer.error, ticket)], layer.slip)
    other = sums_of([(layer.ticket, d), (layer.error, h)], layer.slip)
    return meet(
        sums_of([(layer.weight, h)], layer.bias),
        sums_of([(layer.ticket, ticket)], layer.ticket_bias),
        (np.maximum(one[0], other[0]), np.minimum(one[1], other[1])),
    )


def sums_of(parts: list[tuple[Floats, tuple[Floats, Floats]]], shift: Floats) -> tuple[Floats, Floats]:
    """Outer ranges of shift + the sum of matrix @ v over intervals of v, each (regions, units)."""
    top = bottom = shift[None]
    above = below = np.abs(shift)[None]  # the sums of the moduli behind each
    terms = 2
    tiny = 0.0
    for matrix, (low, high) in parts:
        rising, falling = np.maximum(matrix, 0.0).T, np.minimum(matrix, 0.0).T
        top, bottom = top + high @ rising + low @ falling, bottom + low @ rising + high @ falling
        above = above + np.abs(high) @ rising - np.abs(low) @ falling
        below = below + np.abs(low) @ rising - np.abs(high) @ falling
        terms += 2 * matrix.shape[1]
        tiny = tiny or _may_underflow(matrix, matrix, low, high) * TINY
    above, below = (inflated(size, terms) for size in (above, below))
    return -signed_up(-bottom, below, terms) - terms * tiny, signed_up(top, above, terms) + terms * tiny


def coupled(layers: Sequence[EffectiveLayer], domain: Domain) -> Upper:
    """Upper end by coupled intervals (see the module).

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        domain: where the input runs.

    Returns:
        A bound on ||f - g|| in the norm of the domain. It wins on nets whose last layers hold most of the error.

    Raises:
        ValueError: the layers do not chain or do not fit the domain, or W + E is not exact in float64.

    >>> from slth.errors.domain import Box
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> round(coupled([layer], Box.cube(1)).value, 12)
    0.25
    """
    net = matrices_of(layers, domain)
    if exact_copy(layers, domain):
        return Upper(0.0, "coupled intervals")
    ranges = first_ranges(net[0], region_of(domain))
    for layer in net[1:]:
        ranges = interval_ranges(layer, behind(ranges))
    return Upper(size_of(ranges.sizes()[0], domain), "coupled intervals")


def exact_copy(layers: Sequence[EffectiveLayer], domain: Domain) -> bool:
    """Whether all errors that act are 0, so that f = g."""
    read = [layers[0].negative] if not domain.nonnegative else []
    return not any(part.any() for part in [*read, *(p for layer in layers for p in (layer.positive, layer.bias))])


def size_of(outputs: Floats, domain: Domain) -> float:
    """Upper bound of the norm of a vector of which bounds of the moduli are given."""
    return frobenius_up(outputs) if isinstance(domain, Ball) else largest_up(outputs)
