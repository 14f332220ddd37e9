"""How far target and ticket of copies are apart, for any Lipschitz activation: proved upper ends, sampled lower ends.

Layer i of the ticket computes M~_i h' where the copies of the target's neurons are P_i W_i h, and with E_i of
`slth.theorems.copies`

    M~_i h' - P_i W_i h = M~_i (h' - P_(i-1) h) + E_i h.

The activation is applied to both sides and is T-Lipschitz; the last layer has none.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from slth.errors import Ball, Box, Lower, Upper
from slth.errors.outward import fraction_up, inflated, matvec_up, row_sums_up, up
from slth.errors.rounding import frobenius_up, largest_up, spectral_up
from slth.grid import WEIGHT_EXPONENT, to_float
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.theorems.activations import RELU, Activation, Floats
from slth.theorems.copies import CopiedLayer, copied_layers, with_constant


def over_copies(target: Target, ticket: Ticket, domain: Ball | Box, activation: Activation = RELU) -> Upper:
    """Upper end by a recursion over vectors, one error bound per copy of a neuron, rounded outward.

    e_i = T (|M~_i| e_(i-1) + |E_i| |h_(i-1)|), without the Lipschitz constant T in the last layer. Over a box |h| is
    bounded neuron by neuron; over a ball every row of |E_i| meets the l2 norm of h.

    Raises:
        ValueError: the ticket does not fit the target or the domain.
    """
    layers, sizes = copied_layers(target, ticket, activation), _sizes(target, domain, activation)
    error, rise = _first_errors(layers[0], sizes[0], domain), fraction_up(activation.lipschitz)
    for layer, size in zip(layers[1:], sizes[1:], strict=True):
        passed = matvec_up(np.abs(layer.masked), inflated(error * rise, 1))
        error = inflated(passed + _meets(to_float(layer.error), size), 1)
    value = frobenius_up(error) if isinstance(domain, Ball) else largest_up(error)
    return Upper(value, "recursion over the copies")


def by_norms(target: Target, ticket: Ticket, domain: Ball, activation: Activation = RELU) -> Upper:
    """Upper end by the paper's recursion, e_i = T (|M~_i| e_(i-1) + |E_i| B_(i-1)) in l2, rounded outward.

    e_i bounds the l2 norm over all copies together; no factor T in the last layer.

    Raises:
        ValueError: the ticket does not fit the target or the domain.
    """
    layers, sizes = copied_layers(target, ticket, activation), _sizes(target, domain, activation)
    value = Fraction(frobenius_up(_first_errors(layers[0], sizes[0], domain)))
    for layer, size in zip(layers[1:], sizes[1:], strict=True):
        own = Fraction(spectral_up(to_float(layer.error))) * Fraction(size.item())
        value = Fraction(spectral_up(layer.masked)) * activation.lipschitz * value + own
    return Upper(fraction_up(value), "recursion with norms")


def _sizes(target: Target, domain: Ball | Box, activation: Activation) -> list[Floats]:
    """Bounds of what enters every layer of the target: one per neuron for a box, for a ball the l2 norm.

    The first is that of x; from the second on the constant is among the neurons.
    """
    if domain.dimension != target.widths[0]:
        raise ValueError(f"the target has {target.widths[0]} inputs, but the domain is {domain.description}")
    wide, ball = with_constant(target), isinstance(domain, Ball)
    reach = np.array([domain.reach]) if isinstance(domain, Ball) else np.maximum(abs(domain.low), abs(domain.high))
    found, size = [reach], reach
    if wide is not target:
        size = np.append(size, 1.0)
        size = np.array([frobenius_up(size)]) if ball else size
    rise, offset = fraction_up(activation.lipschitz), fraction_up(abs(activation.offset))
    for layer in wide.layers[:-1]:
        grown = spectral_up(layer.matrix) * size if ball else matvec_up(np.abs(layer.matrix), size)
        root = up(math.sqrt(layer.outputs)) if ball else 1.0
        size = np.minimum(inflated(grown * rise + offset * root, 4), up(activation.largest * root))
        found.append(size)
    return found


def _first_errors(layer: CopiedLayer, reach: Floats, domain: Ball | Box) -> Floats:
    """Upper bounds of the errors of layer 1, per unit. Over a ball sum K_j |x_j|^3 <= max K_j r^3, as |x_j| <= r."""
    curved, cubes = to_float(layer.curved), inflated(reach**3, 3)
    bent = inflated(curved.max(axis=1) * cubes, 1) if isinstance(domain, Ball) else matvec_up(curved, cubes)
    return inflated(_meets(to_float(layer.error), reach) + bent + to_float(layer.shift), 2)


def _meets(error: Floats, size: Floats) -> Floats:
    """Upper bounds of the rows of |E| |h|: by l2 norms where one number bounds h, else neuron by neuron.

    With one neuron the two are the same.
    """
    if len(size) > 1:
        return matvec_up(error, size)
    squares = row_sums_up(np.square(error))
    return inflated(np.sqrt(squares) * size, 3)


def target_values(target: Target, activation: Activation, x: Floats) -> Floats:
    """f(x) in float64 with the activation between the layers, (batch, inputs) -> (batch, outputs)."""
    for i, layer in enumerate(target.layers):
        x = (x if i == 0 else activation.function(x)) @ layer.matrix.T + layer.shift
    return x


def ticket_values(ticket: Ticket, activation: Activation, x: Floats) -> Floats:
    """g(x) in float64 with the activation between the matrices, (batch, inputs) -> (batch, outputs)."""
    for i, biased in enumerate(ticket.source.biased):
        weights = to_float(ticket.weights(i), WEIGHT_EXPONENT)
        x = x if i == 0 else activation.function(x)
        x = (np.column_stack([x, np.ones(len(x))]) if biased else x) @ weights.T
    return x


def attained(
    target: Target, ticket: Ticket, domain: Ball | Box, activation: Activation, count: int = 2048, seed: int = 0
) -> Lower:
    """The largest error at random points, evaluated in float64: off by its rounding, about 1e-15 of the activations.

    Args:
        target: the network to approximate.
        ticket: its masks.
        domain: where the points are drawn.
        activation: of both networks.
        count: number of points, >= 1.
        seed: of numpy's default generator.
    """
    points = domain.sample(count, np.random.default_rng(seed))
    apart = target_values(target, activation, points) - ticket_values(ticket, activation, points)
    sizes = np.linalg.norm(apart, ord=2 if isinstance(domain, Ball) else np.inf, axis=1)
    worst = int(sizes.argmax())
    return Lower(float(sizes[worst]), points[worst], "random points, evaluated in float64")
