"""Upper ends by averaged operators: norms of whole products of matrices, where the recursion multiplies norms.

Two values of ReLU differ by relu(z') - relu(z) = T (z' - z) with T diagonal and entries in [0, 1]. Unrolling
D_next = (W + E+) d + E+ h + e from the first layer on, with V = W + E+,

    D_L = sum over i of  V_L T V_(L-1) T ... V_(i+1) T (E_i h_(i-1) + e_i),
    h_(i-1) = h_(i-1)(c) + T W_(i-1) T ... T W_1 (x - c)

for any centre c, with a different T in every place. Each T = (I + S) / 2 with S diagonal and entries in [-1, 1], so
norm(S) <= 1 and the product of k matrices with k - 1 such T between them is an average of 2^(k-1) products in which
every junction is either joined or cut by an S:

    norm(M_k T ... T M_1) <= 2^-(k-1) sum over all cuts of the product of the norms of the segments.

This is the average of Combettes and Pesquet 2020 (arXiv 1903.01014), never above the product of the k norms. With A_j
for the first j matrices and P_ij the product of M_i, ..., M_j, cutting last behind M_i gives

    A_j = 2^-(j-1) P_1j + sum over i < j of 2^-(j-i) A_i P_(i+1)j.

The domain is c + diag(rho) y with norm(y) <= reach: a ball as it is, and a box within the ellipsoid through its
corners, reach = sqrt(inputs). In the first layer the error acts by [E+, -E-] on (x^+ - c^+, x^- - c^-), whose l2 norm
is at most that of x - c. In l_inf the last segment counts row by row. Derived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slth.errors.coupled import (
    Boxes,
    Matrices,
    behind,
    exact_copy,
    first_ranges,
    interval_ranges,
    matrices_of,
    sums_of,
)
from slth.errors.domain import Ball, Domain
from slth.errors.interval import Upper
from slth.errors.outward import STEP, TINY, Floats, inflated, up
from slth.errors.recursion import first_error
from slth.errors.rounding import frobenius_up, spectral_up
from slth.gadget import EffectiveLayer

LONGEST = 4
"""Products of more matrices than this are bounded by two shorter ones: the norms of all would take too long."""


@dataclass(frozen=True, eq=False)
class Near:
    """A matrix that is known up to a distance: norm_F(exact - value) <= error."""

    value: Floats
    error: float = 0.0

    def __matmul__(self, other: Near) -> Near:
        inner = self.value.shape[1]
        one, two = frobenius_up(self.value), frobenius_up(other.value)
        rounding = (inner + 2) * STEP * one * two
        error = rounding + self.error * (two + other.error) + one * other.error
        exact = not one or not two
        tiny = 0.0 if exact and not error else TINY * inner * self.value.shape[0] * other.value.shape[1]
        return Near(self.value @ other.value, float(inflated(np.asarray(error), 8)) + tiny)

    def norm(self) -> float:
        """Upper bound of the spectral norm."""
        return up(spectral_up(self.value) + self.error) if self.error else spectral_up(self.value)

    def row_norms(self) -> Floats:
        """Upper bounds of the l2 norms of the rows."""
        columns = self.value.shape[1]
        squares = inflated((self.value * self.value).sum(axis=1) + columns * TINY, columns + 1)
        return inflated(np.sqrt(squares) + self.error, 3)


Chain = tuple[str, ...]


class Segments:
    """Products of consecutive matrices and their norms, each computed once.

    Args:
        parts: the matrices by name.
        by_rows: whether the last segment of a chain counts row by row.
    """

    def __init__(self, parts: dict[str, Near], by_rows: bool) -> None:
        self.parts = parts
        self.by_rows = by_rows
        self._products: dict[Chain, Near] = {}
        self._norms: dict[Chain, float] = {}

    def learn(self, names: Chain, bound: float) -> None:
        """A bound on a product that is known from elsewhere."""
        self._norms[names] = min(bound, self.norm(names))

    def product(self, names: Chain) -> Near:
        """The product of the named matrices; the last name is the leftmost factor."""
        if len(names) == 1:
            return self.parts[names[0]]
        if names not in self._products:
            self._products[names] = self.parts[names[-1]] @ self.product(names[:-1])
        return self._products[names]

    def norm(self, names: Chain) -> float:
        """The norm of a product, or of two halves of it where it is long."""
        if names not in self._norms:
            if len(names) > LONGEST:
                middle = len(names) // 2
                found = up(self.norm(names[:middle]) * self.norm(names[middle:]))
            else:
                found = self.product(names).norm()
            self._norms[names] = found
        return self._norms[names]

    def last(self, names: Chain) -> Floats:
        """The norms of the last segment of a chain: one number, or one per row."""
        if not self.by_rows:
            return np.array([self.norm(names)])
        if len(names) > LONGEST:
            return inflated(self.last(names[-1:]) * self.norm(names[:-1]), 2)
        return self.product(names).row_norms()

    def chain(self, names: Chain) -> Floats:
        """The average over all cuts (see the module), (1,) or (rows,)."""
        averages: list[float] = []
        k = len(names)
        for j in range(1, k + 1):
            whole = self.last if j == k else lambda part: np.array([self.norm(part)])
            total = 2.0 ** (1 - j) * whole(names[:j])
            for i in range(1, j):
                total = total + 2.0 ** (i - j) * averages[i - 1] * whole(names[i:j])
            bound = inflated(total, 3 * j + 3)
            averages.append(float(bound.max()))
        return bound


def averaged(layers: Sequence[EffectiveLayer], domain: Domain) -> Upper:
    """Upper end by averaged operators (see the module).

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        domain: where the input runs.

    Returns:
        A bound on ||f - g|| in the norm of the domain. The best direct bound over balls for random networks, and over
        boxes of many inputs.

    Raises:
        ValueError: the layers do not chain or do not fit the domain, or W + E is not exact in float64.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> round(averaged([layer], Ball(1)).value, 12)
    0.25
    """
    net = matrices_of(layers, domain)
    name = "averaged operators"
    if exact_copy(layers, domain):
        return Upper(0.0, name)
    segments = Segments(_parts(net, domain), by_rows=domain.norm == "linf")
    if isinstance(domain, Ball):
        segments.learn(("E0",), up(first_error(layers[0], domain) * domain.radius))
    through = [f"V{i}" for i in range(len(net))]
    total = np.zeros(1)
    for i in range(len(net)):
        inner = [f"W{j}" for j in range(i)]
        total = total + segments.chain((*inner, f"E{i}", *through[i + 1 :]))
        if f"v{i}" in segments.parts:
            total = total + segments.chain((f"v{i}", *through[i + 1 :]))
    return Upper(float(inflated(total, 2 * len(net)).max()), name)


def _parts(net: Sequence[Matrices], domain: Domain) -> dict[str, Near]:
    """W0 and E0 with diag(rho) and the reach in them, Wi, Ei, Vi, and vi = E_i h_(i-1)(c) + e_i where it is not 0."""
    if isinstance(domain, Ball):
        centre, scale = np.zeros(domain.dimension), np.full(domain.dimension, domain.radius)
    else:
        centre = np.where(domain.low == domain.high, domain.low, domain.low / 2 + domain.high / 2)
        half = np.nextafter(np.maximum(domain.high - centre, centre - domain.low), np.inf)
        half = np.where(domain.low == domain.high, 0.0, half)
        scale = inflated(half * np.sqrt(float(np.count_nonzero(half))), 2)
    parts: dict[str, Near] = {}
    for i, layer in enumerate(net):
        if i:
            parts |= {f"W{i}": Near(layer.weight), f"E{i}": Near(layer.error), f"V{i}": Near(layer.ticket)}
        else:
            first = _first_error(layer, domain)
            parts["W0"] = _scaled(layer.weight, scale)
            parts["E0"] = _scaled(first, np.resize(scale, first.shape[1]))
    for i, offset in enumerate(_offsets(net, centre)):
        if offset.value.any() or offset.error:
            parts[f"v{i}"] = offset
    return parts


def _first_error(layer: Matrices, domain: Domain) -> Floats:
    """The error that acts in the first layer: E+ or E- where all inputs have one sign, else [E+, -E-]."""
    if domain.nonnegative:
        return layer.error
    return np.concatenate([layer.error, -layer.minus], axis=1)


def _scaled(matrix: Floats, scale: Floats) -> Near:
    value = matrix * scale
    exact = bool((np.frexp(scale)[0] == 0.5).all())
    return Near(value, 0.0 if exact else up(STEP * frobenius_up(value) + value.size * TINY))


def _offsets(net: Sequence[Matrices], centre: Floats) -> list[Near]:
    """E_i h_(i-1)(c) + e_i for every layer, from ranges of a single point."""
    point = Boxes(centre[None], centre[None])
    ranges = first_ranges(net[0], point)
    found = [_between(ranges.least[0], ranges.most[0])]
    for layer in net[1:]:
        after = behind(ranges)
        low, high = sums_of([(layer.error, (after.low, after.high))], layer.slip)
        found.append(_between(low[0], high[0]))
        ranges = interval_ranges(layer, after)
    return found


def _between(low: Floats, high: Floats) -> Near:
    """The column of the middles, with the half widths as its error."""
    middle = low / 2 + high / 2
    distance = np.nextafter(np.maximum(high - middle, middle - low), np.inf)
    return Near(middle[:, None], frobenius_up(np.where(low == high, 0.0, distance)))
