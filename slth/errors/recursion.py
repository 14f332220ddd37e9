"""Upper ends by recursion over the layers: one number per layer, or one number per unit.

Let f have layers z_i = W_i h_(i-1) + b_i and let g be the ticket, with E+, E-, e as in `slth.gadget`. Behind
a ReLU all inputs are >= 0, so the difference of two pre-activations splits in two ways,

    (W + E+) h' + b + e - W h - b  =  W (h' - h) + E+ h' + e  =  (W + E+)(h' - h) + E+ h + e,

and ReLU is 1-Lipschitz in every norm used here. In the first layer h' = h = x, and the difference is E_s x +
e, where column j of E_s is that of E+ if x_j >= 0 and that of E- otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from slth.errors.chain import check_chain, ticket_matrix, ticket_shift
from slth.errors.domain import Ball, Box, Domain
from slth.errors.interval import Upper
from slth.errors.outward import (
    Floats,
    affine_range,
    fraction_up,
    inflated,
    matvec_up,
    row_sums_up,
    signed_up,
    up,
)
from slth.errors.rounding import frobenius_up, infinity_up, largest_up, spectral_up
from slth.gadget import EffectiveLayer


@dataclass(frozen=True)
class Scale:
    """The norms of one layer, all rounded up.

    Attributes:
        weight: s, of W.
        error: eta, of the error that acts on the input.
        ticket: of W + E+ (behind the first layer at most s + eta).
        bias: of b.
        ticket_bias: of b + e.
        bias_error: beta, of e.
    """

    weight: float
    error: float
    ticket: float
    bias: float = 0.0
    ticket_bias: float = 0.0
    bias_error: float = 0.0


@dataclass(frozen=True)
class Step:
    """What is known behind one layer, as exact rationals.

    Attributes:
        error: e_i, at least the norm of the difference of the activations.
        target: B_i, at least the norm of the target's activations.
        ticket: at least the norm of the ticket's activations.
    """

    error: Fraction
    target: Fraction
    ticket: Fraction


def recursion(scales: Sequence[Scale], reach: float) -> tuple[Step, ...]:
    """The scalar recursion, without rounding.

    With e_0 = 0, B_0 = reach, and B' the bound of the ticket's activations, both splittings of the difference
    are taken: e_i = min(s e + eta B', ticket e + eta B) + beta. The form of the papers, (s + eta) e + eta B, is
    never smaller. Derived; with s = 1 and equal eta it is the (1 + eta)^l - 1 of Pensia et al. 2020.

    Args:
        scales: one per layer.
        reach: largest norm of an input.

    Returns:
        One step per layer.

    >>> steps = recursion([Scale(1.0, 0.5, 1.5), Scale(0.5, 0.25, 0.75)], 1.0)
    >>> [str(s.error) for s in steps], str(steps[-1].target)
    (['1/2', '5/8'], '1/2')
    """
    steps = [Step(Fraction(0), Fraction(reach), Fraction(reach))]
    for scale in scales:
        last = steps[-1]
        s, eta, through = Fraction(scale.weight), Fraction(scale.error), Fraction(scale.ticket)
        through = min(through, s + eta)
        target = s * last.target + Fraction(scale.bias)
        error = min(s * last.error + eta * last.ticket, through * last.error + eta * last.target)
        error += Fraction(scale.bias_error)
        ticket = min(through * last.ticket + Fraction(scale.ticket_bias), target + error)
        steps.append(Step(error, target, ticket))
    return tuple(steps[1:])


def scales(layers: Sequence[EffectiveLayer], domain: Domain) -> tuple[Scale, ...]:
    """The norms that the scalar recursion needs: spectral and l2 for a ball, l_inf for a box.

    Raises:
        ValueError: the layers do not chain or do not fit the domain.

    >>> from slth.networks.layers import Dense
    >>> zero = np.zeros((1, 1), dtype=np.int64)
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), zero, zero, zero[0])
    >>> round(scales([layer], Box.cube(1))[0].weight, 14)
    0.5
    """
    check_chain(layers, domain)
    matrix_norm, vector_norm = (spectral_up, frobenius_up) if isinstance(domain, Ball) else (infinity_up, largest_up)
    found = []
    for i, layer in enumerate(layers):
        weight = matrix_norm(layer.target.matrix)
        error = matrix_norm(layer.plus) if i else first_error(layer, domain)
        found.append(
            Scale(
                weight,
                error,
                matrix_norm(ticket_matrix(layer)) if i and error else up(weight + error),
                vector_norm(layer.target.shift),
                vector_norm(ticket_shift(layer)),
                vector_norm(layer.shift),
            )
        )
    return tuple(found)


def first_error(layer: EffectiveLayer, domain: Domain) -> float:
    """At least the largest norm of E_s over all sign patterns s that the domain allows.

    In l2, |E_s x| = |[E+, -E-] (x+, x-)| and |(x+, x-)| = |x|; and the Frobenius norm of E_s takes one column
    of each pair.
    """
    if isinstance(domain, Box):
        plus, minus = np.abs(layer.plus) * (domain.high > 0), np.abs(layer.minus) * (domain.low < 0)
        return infinity_up(np.maximum(plus, minus))
    spectral = spectral_up(np.hstack([layer.plus, -layer.minus]))
    columns = [row_sums_up(np.square(part.T)) for part in (layer.plus, layer.minus)]
    total = row_sums_up(np.maximum(*columns)[None, :])
    return min(spectral, up(float(np.sqrt(total[0]))))  # of zero errors the first is 0


def scalar(layers: Sequence[EffectiveLayer], domain: Domain) -> Upper:
    """Upper end by the scalar recursion, for a ball (l2) or a box (l_inf).

    Args:
        layers: the target and the exact errors of the ticket; a ReLU stands between each two.
        domain: where the input runs.

    Returns:
        The bound, exactly 0 if all errors are 0.

    Raises:
        ValueError: the layers do not chain or do not fit the domain, or W + E is not exact in float64.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> 0.25 <= scalar([layer], Ball(1)).value < 0.25 + 1e-14
    True
    """
    return Upper(fraction_up(recursion(scales(layers, domain), domain.reach)[-1].error), "scalar recursion")


def vector(layers: Sequence[EffectiveLayer], domain: Box) -> Upper:
    """Upper end by the recursion over vectors, for a box: one error bound per unit.

    In the first layer the coordinates of x separate and the bound is the exact supremum. Later

        e <- |W + E+| e + |E+| R + |e_bias|,

    with R from intervals of the target's activations: the second of the two ways above. Unit by unit it is never worse
    than the first, as |W + E+| e + |E+| R <= |W| e + |E+| (R + e). Derived.

    Args:
        layers: the target and the exact errors of the ticket.
        domain: the box in which the input runs.

    Returns:
        A bound on the l_inf norm of f - g; for one layer the supremum itself, up to outward rounding.

    Raises:
        TypeError: the domain is not a box.
        ValueError: the layers do not chain or do not fit the domain, or W + E is not exact in float64.

    >>> from slth.networks.layers import Dense
    >>> unit = np.array([[1 << 46]])
    >>> layer = EffectiveLayer(Dense.from_floats([[0.5]]), unit, 0 * unit, 0 * unit[0])
    >>> round(vector([layer], Box.cube(1, 0.0, 2.0)).value, 12)
    0.5
    """
    if not isinstance(domain, Box):
        raise TypeError(f"the vector recursion needs a box; got {domain.description}: use the scalar recursion")
    check_chain(layers, domain)
    error = _first_difference(layers[0], domain)
    low, high = domain.low, domain.high
    for before, layer in pairwise(layers):
        low, high = (np.maximum(end, 0.0) for end in affine_range(before.target.matrix, low, high, before.target.shift))
        moved = matvec_up(np.abs(ticket_matrix(layer)), error) + matvec_up(np.abs(layer.plus), high)
        error = inflated(moved + np.abs(layer.shift), 2)
    return Upper(largest_up(error), "vector recursion")


def _first_difference(layer: EffectiveLayer, box: Box) -> Floats:
    """Upper bounds of |(g - f)_k| over the box for the first layer: the exact suprema up to rounding.

    (g - f)_k = sum_j phi_kj(x_j) + e_k with phi(x) = E+ x for x >= 0 and E- x for x < 0, so phi has its
    extremes at low, high, or 0 if that lies between.
    """
    at_low = np.where(box.low >= 0, layer.plus, layer.minus) * box.low
    at_high = np.where(box.high >= 0, layer.plus, layer.minus) * box.high
    around_zero = (box.low <= 0) & (box.high >= 0)
    ends = []
    for sign in (1.0, -1.0):
        best = np.maximum(sign * at_low, sign * at_high)
        best[:, around_zero] = np.maximum(best[:, around_zero], 0.0)
        size = inflated(row_sums_up(np.abs(best)) + np.abs(layer.shift), 1)
        ends.append(signed_up(best.sum(axis=1) + sign * layer.shift, size, best.shape[1] + 2))
    return np.maximum(*ends)
