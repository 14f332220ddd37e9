"""Upper ends by linear bounds on the difference, carried backwards through both networks (differential CROWN).

Let z, h = relu(z) belong to the target, D and d = relu(z + D) - relu(z) to the ticket's difference from it. Behind a
ReLU D_next = (W + E+) d + E+ h + e and z_next = W h + b, so a form A d + H h of one hidden layer becomes one of the
layer before as soon as d is bounded by lines in D and h by lines in z:

    h:  on [l, u] with l < 0 < u, relu(z) <= u (z - l) / (u - l), and relu(z) >= z or >= 0, whichever loses less area;
    d:  over z in [zl, zu] the largest d is a function of D alone (`slth.errors.coupled`), max(D, -zl), max(D, 0) or
        max(zu + D, 0) for zl >= 0, zl < 0 <= zu, zu < 0: convex, so its chord over the range of D bounds d. The least d
        is at least D, min(D, 0) or 0 in the same cases: concave, so its chord does too. Where the ticket's unit is on
        for certain d <= D; where it is off, d <= 0.

At the inputs the form is A (E_s x + e) + H (W x + b), one slope for x_j > 0 and one for x_j < 0, and its supremum over
the domain is exact. This is the backward pass of Zhang et al. 2018 (CROWN, arXiv 1811.00866) on D instead of on the two
outputs. Every range is met with the coupled intervals, so no bound is worse than theirs. Derived.

Rounding: a slope may be any float64 number, since the line's constant is made large enough for it. A product fl(A M) is
off by at most gamma |A| |M|, which changes the form by at most gamma |A| (|M| m), m the largest moduli of the variables
that it multiplies; this is added to the constant, and so are the roundings of all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slth.errors.coupled import (
    Matrices,
    Ranges,
    Region,
    behind,
    exact_copy,
    first_ranges,
    interval_ranges,
    matrices_of,
    meet,
    region_of,
    relu_change,
    size_of,
)
from slth.errors.domain import Domain
from slth.errors.interval import Upper
from slth.errors.outward import STEP, TINY, Floats, inflated
from slth.gadget import EffectiveLayer


@dataclass(frozen=True, eq=False)
class Lines:
    """Two lines per unit, v <= rise w + over and v >= slope w - under; each float64 (regions, units)."""

    rise: Floats
    over: Floats
    slope: Floats
    under: Floats

    def carried(self, form: Floats) -> tuple[Floats, Floats, Floats]:
        """The form (regions, rows, units) on v as one on w, its constant, and the sum of the constant's moduli."""
        rising, falling = np.maximum(form, 0.0), np.minimum(form, 0.0)
        moved = rising * self.rise[:, None] + falling * self.slope[:, None]
        constant = _times(rising, self.over) - _times(falling, self.under)
        return moved, constant, _times(np.abs(form), np.maximum(np.abs(self.over), np.abs(self.under)))


def _times(form: Floats, values: Floats) -> Floats:
    """(regions, rows, units) times (regions, units)."""
    return np.matmul(form, values[:, :, None])[:, :, 0]


def _chord(low: Floats, high: Floats, at_low: Floats, at_high: Floats) -> Floats:
    """Slopes of the chords, 0 where the range is a point or too short to divide by."""
    width = high - low
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        slope = (at_high - at_low) / width
    return np.where((width > 0) & np.isfinite(slope), np.clip(slope, 0.0, 1.0), 0.0)


def _above(low: Floats, high: Floats, at_low: Floats, at_high: Floats, slope: Floats) -> Floats:
    """Constants c with slope v + c >= at_low and at_high at the two ends, rounded up; slopes in [0, 1]."""
    pad = 4 * STEP * (np.abs(low) + np.abs(high) + np.abs(at_low) + np.abs(at_high)) + TINY
    return np.maximum(at_low - slope * low, at_high - slope * high) + pad


def relu_lines(low: Floats, high: Floats) -> Lines:
    """Lines around relu(z) over low <= z <= high."""
    h_low, h_high = np.maximum(low, 0.0), np.maximum(high, 0.0)
    rise = np.where(low >= 0, 1.0, _chord(low, high, h_low, h_high))
    over = np.where((low >= 0) | (high <= 0), 0.0, _above(low, high, h_low, h_high, rise))
    slope = np.where((low >= 0) | (high > -low), 1.0, 0.0)  # relu(z) >= z and >= 0: no constant
    return Lines(rise, over, slope, np.zeros_like(slope))


def change_lines(r: Ranges) -> Lines:
    """Lines around relu(z + D) - relu(z) over the ranges of z, z + D and D."""
    a, b = r.least, r.most
    top, last = (relu_change(np.where(end >= 0, r.high, r.low), end, np.inf) for end in (a, b))
    on, off = r.ticket_low >= 0, r.ticket_high <= 0
    rise = np.where(on, 1.0, np.where(off, 0.0, _chord(a, b, top, last)))
    over = np.where(on | off, 0.0, _above(a, b, top, last, rise))
    exact = ~on & ~off & (r.low < 0) & (r.high >= 0) & (a >= 0)  # max(D, 0) = D
    rise, over = np.where(exact, 1.0, rise), np.where(exact, 0.0, over)
    bent = (r.low < 0) & (r.high >= 0) & (a < 0) & (b > 0)  # min(D, 0) bends between a and b
    zero = np.zeros_like(a)
    below = np.where(bent, _chord(a, b, a, zero), np.where((r.high >= 0) & (b <= 0), 1.0, 0.0))
    slope = np.where(r.low >= 0, 1.0, below)
    under = np.where(bent, _above(-b, -a, zero, -a, slope), 0.0)
    return Lines(rise, over, slope, under)


@dataclass(frozen=True, eq=False)
class Known:
    """One hidden layer with what is known of it over every region.

    Attributes:
        layer: its matrices.
        ranges: of its pre-activations.
        change: lines around d.
        relu: lines around h.
        sizes: the largest |d| and the largest h behind the ReLU, float64 (regions, units) each.
        cost: the largest |D| where the sign of a unit is not known, else 0, (regions, units).
        slopes: of z in the inputs, (regions or 1, units, inputs), to choose where to split.
    """

    layer: Matrices
    ranges: Ranges
    change: Lines
    relu: Lines
    sizes: tuple[Floats, Floats]
    cost: Floats
    slopes: Floats


def known(layer: Matrices, ranges: Ranges, slopes: Floats) -> Known:
    """The layer with its lines."""
    after = behind(ranges)
    open_ = (np.minimum(ranges.low, ranges.ticket_low) < 0) & (np.maximum(ranges.high, ranges.ticket_high) > 0)
    return Known(
        layer,
        ranges,
        change_lines(ranges),
        relu_lines(ranges.low, ranges.high),
        (after.sizes(), after.high),
        np.where(open_, ranges.sizes(), 0.0),
        slopes,
    )


@dataclass(frozen=True, eq=False)
class Form:
    """What is to be bounded from above: on_change @ d + on_target @ h + shift, (regions or 1, rows, units)."""

    on_change: Floats
    on_target: Floats
    shift: Floats


@dataclass(frozen=True, eq=False)
class Reach:
    """What a backward pass found.

    Attributes:
        bounds: upper bounds of the forms, (regions, rows).
        slopes: of the forms in the inputs, for x_j > 0, (regions, rows, inputs); with the next, no proof uses them.
        blame: per hidden layer what each unit of unknown sign may have cost, (regions, rows, units).
    """

    bounds: Floats
    slopes: Floats
    blame: tuple[Floats, ...] = ()


def reach_of(form: Form, hidden: Sequence[Known], region: Region) -> Reach:
    """Upper bounds of forms in the activations of the last hidden layer."""
    a, h = form.on_change, form.on_target
    constant, size = form.shift, np.abs(form.shift)
    slack = np.zeros_like(constant)  # sums of moduli times numbers of roundings
    blame: list[Floats] = []
    for i in range(len(hidden) - 1, -1, -1):
        here, layer = hidden[i], hidden[i].layer
        blame.insert(0, np.abs(a) * here.cost[:, None] + np.abs(h) * here.relu.over[:, None])
        for_d, c, s = here.change.carried(a)
        for_h, c2, s2 = here.relu.carried(h)
        constant, size = constant + c + c2, size + s + s2
        slack = slack + (layer.units + 8) * (s + s2)
        flat = np.abs(for_d), np.abs(for_h)
        if i:
            d, target = hidden[i - 1].sizes
        else:
            d, target = np.zeros_like(region.sizes), region.sizes
        errors = np.maximum(np.abs(layer.error), np.abs(layer.minus)) if not i else np.abs(layer.error)
        of_d = d @ np.abs(layer.ticket).T + target @ errors.T + np.abs(layer.slip)
        of_h = target @ np.abs(layer.weight).T + np.abs(layer.bias)
        moduli = _times(flat[0], of_d + here.ranges.sizes()) + _times(
            flat[1], of_h + np.maximum(np.abs(here.ranges.low), np.abs(here.ranges.high))
        )
        slack = slack + (2 * layer.units + 8) * moduli
        constant = constant + for_d @ layer.slip + for_h @ layer.bias
        size = size + flat[0] @ np.abs(layer.slip) + flat[1] @ np.abs(layer.bias)
        if i:
            a, h = for_d @ layer.ticket, for_d @ layer.error + for_h @ layer.weight
    plus, minus = for_d @ layer.error + for_h @ layer.weight, for_d @ layer.minus + for_h @ layer.weight
    total = region.reach_up(plus, minus)
    rows = sum(k.layer.units for k in hidden) + hidden[0].layer.inputs
    # What underflows is below 2^-960 for all entries of a variable together.
    pad = STEP * inflated(slack + (rows + 4) * (size + np.abs(total)), 8 * rows + 64) + TINY * _largest(hidden, region)
    return Reach(np.nextafter(total + constant + pad, np.inf), plus, tuple(blame))


def _largest(hidden: Sequence[Known], region: Region) -> float:
    """At least the modulus of every variable, and 2^200."""
    ends = [end for k in hidden for end in (k.ranges.low, k.ranges.high, k.ranges.least, k.ranges.most)]
    return max(2.0**200, *(float(np.abs(end).max()) for end in (region.sizes, *ends)))


def linear_ranges(layer: Matrices, hidden: Sequence[Known], region: Region) -> Known:
    """A layer behind hidden ones: its ranges by linear bounds, met with coupled intervals."""
    found = interval_ranges(layer, behind(hidden[-1].ranges))

    def both(on_change: Floats, on_target: Floats, shift: Floats) -> tuple[Floats, Floats, Floats]:
        forms = [Form(sign * on_change[None], sign * on_target[None], sign * shift[None]) for sign in (-1.0, 1.0)]
        low, high = (reach_of(form, hidden, region) for form in forms)
        return -low.bounds, high.bounds, high.slopes

    low, high, slopes = both(np.zeros_like(layer.weight), layer.weight, layer.bias)
    least, most, _ = both(layer.ticket, layer.error, layer.slip)
    ranges = meet(
        (np.maximum(found.low, low), np.minimum(found.high, high)),
        (found.ticket_low, found.ticket_high),
        (np.maximum(found.least, least), np.minimum(found.most, most)),
    )
    return known(layer, ranges, slopes)


def final_form(layer: Matrices) -> Form:
    """The output differences and their negatives as forms, (1, 2 outputs, units)."""
    rows = [np.concatenate([part, -part])[None] for part in (layer.ticket, layer.error, layer.slip)]
    return Form(*rows)


def hidden_layers(net: Sequence[Matrices], region: Region) -> list[Known]:
    """All layers but the last, with their ranges."""
    hidden = [known(net[0], first_ranges(net[0], region), net[0].weight[None])] if len(net) > 1 else []
    for layer in net[1:-1]:
        hidden.append(linear_ranges(layer, hidden, region))
    return hidden


def output_bounds(net: Sequence[Matrices], hidden: Sequence[Known], region: Region) -> Reach:
    """Upper bounds of D_k for all outputs k, then of -D_k: rows are (2 outputs)."""
    if not hidden:
        ranges = first_ranges(net[0], region)
        bounds = np.concatenate([ranges.most, -ranges.least], axis=1)
        slopes = np.concatenate([net[0].error, -net[0].error])[None]
        return Reach(bounds, np.broadcast_to(slopes, (len(bounds), *slopes.shape[1:])))
    found = reach_of(final_form(net[-1]), hidden, region)
    last = interval_ranges(net[-1], behind(hidden[-1].ranges))
    bounds = np.minimum(found.bounds, np.concatenate([last.most, -last.least], axis=1))
    return Reach(bounds, found.slopes, found.blame)


def differential(layers: Sequence[EffectiveLayer], domain: Domain) -> Upper:
    """Upper end by linear bounds on the difference (see the module).

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        domain: where the input runs.

    Returns:
        A bound on ||f - g|| in the norm of the domain, never above that of `coupled`. The best of the direct
        bounds over boxes; over balls it wins on trained networks, whose units are mostly on or off for certain.

    Raises:
        ValueError: the layers do not chain or do not fit the domain, or W + E is not exact in float64.

    >>> from slth.errors.domain import Box
    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> round(differential([layer], Box.cube(1)).value, 12)
    0.25
    """
    net = matrices_of(layers, domain)
    if exact_copy(layers, domain):
        return Upper(0.0, "linear difference bounds")
    region = region_of(domain)
    bounds = np.maximum(output_bounds(net, hidden_layers(net, region), region).bounds[0], 0.0)
    outputs = np.maximum(*np.split(bounds, 2))
    return Upper(size_of(outputs, domain), "linear difference bounds")
