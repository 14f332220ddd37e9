"""Fischer, Gadhikar, Burkholz (2021): targets with biases, found in random networks with random biases.

Statement.  Let f(x) = W_L relu(... relu(W_1 x + b_1) ...) + b_L with spectral norms |W_i| <= 1 and entries of the b_i
            in [-1, 1], and g a random ReLU network of depth 2 L with weights and biases U[-1, 1], where M_2i-1 has
            C (d_i-1 + 1) log(d_i-1 d_i L / min(epsilon, delta)) rows. With probability at least 1 - delta, for every
            such f at once, masks of the weights and biases of g exist with |f(x) - g(x)| <= epsilon in l2 for all
            |x| <= 1. A bias is a subset sum too: a hidden unit that keeps its bias b > 0 and no weight computes
            relu(b) = b, a constant source, and the bias of the target is a sum of products v b.
Kind.       upper. WIDTH is restated from memory of the paper, C has no value; ROWS is derived, with every constant
            (see `slth.theorems.lueker1998_subset_sum` for the subset sums), ROWS_ON_GRID the same for weights on the
            2^-24 grid (`slth.theorems.grid_law`), by which `samples_needed` and the hypotheses go.
Source.     arXiv 2110.11150, restated from memory of the paper; check before quoting. The construction is that of its
            released code.
Uses.       pensia2020_subset_sum, for the subset sums of the weights; grid_law.
Notation.   samples candidates per weight and side, and per bias.
Departs.    Errors go through the l2 recursion with bias errors, e_i = (s_i + eta_i) e_i-1 + eta_i B_i-1 + beta_i and
            B_i = s_i B_i-1 + |b_i| (`slth.errors.recursion`), solved for the tolerance by bisection. Last layers have
            hidden units with biases too. With biases g is not homogeneous: rescaling layer i by c_i divides b_i by
            c_1 ... c_i (`normalised`), and only the whole output is multiplied back.
Errata.     The released code draws the candidates of a failing subset sum anew and counts the extra width; here a
            failed subset sum is counted as failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import sympy

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.errors.recursion import Scale, recursion
from slth.errors.rounding import frobenius_up
from slth.gadget import Question
from slth.networks.source import Source
from slth.networks.target import Target, rescaled
from slth.references import FISCHER2021
from slth.subset_sum.questions import any_or_nearest
from slth.symbols import symbol
from slth.theorems import grid_law, pensia2020_subset_sum
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.pairs import (
    SLACK,
    certificate,
    norms,
    paired_source,
    prune,
    samples_check,
    samples_on_grid,
    sides,
    usual_checks,
)
from slth.theorems.pairs import instances as instances

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "fischer2021_biases"
REFERENCE = FISCHER2021
QUESTION = any_or_nearest


def normalised(target: Target) -> Target:
    """The target, rescaled so that every spectral norm and every bias is at most 1; unchanged if all are.

    >>> target = normalised(Target.from_floats([[[3.0]], [[0.5]]], [[6.0], [0.5]]))
    >>> round(target.scale, 9), float(target.layers[0].shift[0]) <= 1
    (6.0, True)
    """
    limits: list[float] = []
    for norm, layer in zip(norms(target), target.layers, strict=True):
        largest = float(np.abs(layer.shift).max()) / math.prod(limits)
        limits.append(max(1.0, norm * (1 + SLACK) if norm > 1 else norm, largest * (1 + SLACK) if largest > 1 else 0.0))
    return target if max(limits) <= 1 else rescaled(target, limits)


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the theorem for this target and source, each with its numbers."""
    norm, _, depth, law = usual_checks(target, source)
    largest = max(float(np.abs(layer.shift).max()) for layer in target.layers)
    return (
        norm,
        Check("largest bias of the target", largest, "<=", 1.0, largest <= 1),
        depth,
        law,
        samples_check(source, _needed(target, epsilon, delta)),
    )


# 2. Bound -------------------------------------------------------------------------------------------------------------

_d_in, _d_out = symbol("d_in"), symbol("d_out")

WIDTH = Bound(
    name="rows of the first matrix",
    quantity=symbol("D"),
    direction=Direction.UPPER,
    expression=symbol("C")
    * (_d_in + 1)
    * sympy.log(_d_in * _d_out * symbol("L") / sympy.Min(symbol("epsilon"), symbol("delta"))),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="width that suffices with biases; C unknown; restated from memory of the paper; check before quoting",
)

ROWS = pensia2020_subset_sum.ROWS
"""Rows per channel for I subset sums of tolerance t; a bias is one more channel with targets in [-1, 1]."""

ROWS_ON_GRID = pensia2020_subset_sum.ROWS_ON_GRID
"""The same for weights and biases on the odd multiples of 2^-24."""


def promised(target: Target, tolerances: Sequence[float]) -> float:
    """The error on the unit ball that subset sums within these tolerances guarantee, by the recursion with biases.

    Args:
        target: the network to approximate.
        tolerances: of one weight and of one bias, a number for every layer.
    """
    scales = []
    for i, (norm, layer, t) in enumerate(zip(norms(target), target.layers, tolerances, strict=True)):
        eta = t * math.sqrt(sides(i) * layer.weight.size)
        bias = 0.0 if layer.bias is None else frobenius_up(layer.shift)
        beta = 0.0 if layer.bias is None else t * math.sqrt(layer.outputs)
        scales.append(Scale(norm, eta, norm + eta, bias, bias + beta, beta))
    return float(recursion(scales, 1.0)[-1].error)


def tolerances(target: Target, epsilon: float) -> tuple[float, ...]:
    """Tolerance of one weight and of one bias in every layer, such that `promised` is at most epsilon.

    Layer i gets theta max(1, s_i) / sqrt(c d_i (d_i-1 + 1)) with the largest theta that keeps the promise.

    Raises:
        ValueError: epsilon is not positive and finite.

    >>> 0.015 < tolerances(Target.from_floats([[[0.5]]], [[0.5]]), 0.05)[0] < 0.05
    True
    """
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ValueError(f"epsilon, the approximation error, must be positive and finite; got {epsilon}")

    def spread(theta: float) -> tuple[float, ...]:
        return tuple(
            theta * max(1.0, norm) / math.sqrt(sides(i) * layer.channels.size)
            for i, (norm, layer) in enumerate(zip(norms(target), target.layers, strict=True))
        )

    low, high = 0.0, epsilon
    while promised(target, spread(high)) <= epsilon:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if promised(target, spread(middle)) <= epsilon else (low, middle)
    return spread(low)


def samples_needed(target: Target, epsilon: float, delta: float) -> int:
    """Candidates per weight and side, and per bias, that suffice with probability 1 - delta: ROWS_ON_GRID over two.

    Raises:
        ValueError: epsilon is not positive, or so small that no number is proved; delta not in (0, 1).
    """
    return grid_law.whole(_needed(target, epsilon, delta), epsilon)


def _needed(target: Target, epsilon: float, delta: float) -> float:
    return samples_on_grid(target, tolerances(target, epsilon), delta, pensia2020_subset_sum.DRIFT)


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target, epsilon: float, delta: float, seed: int, samples: int | None = None, trial: int = 0
) -> Source:
    """The random network of twice the depth, with 2 * samples hidden units per input and per constant input.

    Args and errors as in `slth.theorems.pensia2020_subset_sum.source`.
    """
    samples = samples_needed(target, epsilon, delta) if samples is None else samples
    return paired_source(target, samples, seed, trial)


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the source: a subset sum per weight and side, and one per bias over the units that keep only their bias.

    Args and errors as in `slth.theorems.pensia2020_subset_sum.construct`.
    """
    return prune(target, source, tolerances(target, epsilon), question or QUESTION, assignment, advance)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
) -> Certificate:
    """What is known about the ticket: proved and attained error on the domain (the theorem's unit ball by default).

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    checks = hypotheses(target, construction.ticket.source, epsilon, delta)
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort)
