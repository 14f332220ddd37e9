"""Tickets that hold every target neuron several times, with any Lipschitz activation: what they compute, exactly.

The source has the matrices A, M_1, ..., M_L. A and M_1 form a pair (`slth.gadget`) that stands for rho copies of every
neuron of layer 1; from then on a weight w_kj of layer i is a subset sum of the raw weights that join one copy of neuron
k to the rho copies of neuron j. With P_i the matrix that copies every neuron and M~_i the masked M_i,

    E_i = M~_i P_(i-1) - P_i W_i

is an exact integer matrix. The errors of the copies do not cancel: they pass through M~_i, not through W_i. Subtracting
E_i from the weights of the first copy of every neuron gives W'_i with W'_i P_(i-1) = P_i W_i, so the network of the
P_1 W_1, W'_2, ..., W'_L is the target itself, as wide as the ticket (`widened`). Proofs: docs/proofs/depth_plus_one.md.

A target with biases is a target without them that reads a constant 1 and hands it on (`with_constant`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from slth.errors.rounding import spectral_up
from slth.gadget import EffectiveLayer, Integers, PairReport, Question, collapse
from slth.grid import PRODUCT_EXPONENT, WEIGHT_EXPONENT, to_float
from slth.networks.layers import Dense
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.subset_sum import SubsetSums
from slth.theorems.activations import RELU, Activation, Floats

_RAISED = PRODUCT_EXPONENT - WEIGHT_EXPONENT
"""A raw weight, a multiple of 2^-24, is so many bits above the unit of the targets."""


@lru_cache(maxsize=4)
def with_constant(target: Target) -> Target:
    """The target as a network without biases whose last input, and last hidden neuron of every layer, is 1.

    >>> f = with_constant(Target.from_floats([[[0.5]], [[0.25]]], [[0.125], None]))
    >>> f.widths, f.layers[0].matrix.tolist()
    ((2, 2, 1), [[0.5, 0.125], [0.0, 1.0]])
    """
    if all(layer.bias is None for layer in target.layers):
        return target
    layers = []
    for i, layer in enumerate(target.layers):
        bias = np.zeros(layer.outputs, dtype=np.int64) if layer.bias is None else layer.bias
        rows = np.column_stack([layer.weight, bias])
        if i < target.depth - 1:
            one = np.zeros((1, rows.shape[1]), dtype=np.int64)
            one[0, -1] = 1 << PRODUCT_EXPONENT
            rows = np.vstack([rows, one])
        layers.append(Dense(rows))
    return replace(target, layers=tuple(layers))


def copies_of(target: Target, source: Source) -> tuple[int, ...]:
    """How many copies of a neuron of layer i the source has room for, for i = 1, ..., L; 1 for the last.

    Raises:
        ValueError: the source does not have the depth L + 1 or whole copies of the neurons of this target.
    """
    wide = with_constant(target)
    constant = wide.layers[0].inputs - target.layers[0].inputs
    hidden = [divmod(have, want) for have, want in zip(source.widths[2:-1], wide.widths[1:-1], strict=False)]
    biased = (bool(constant), *(False,) * target.depth)
    ends = (source.widths[0], source.widths[-1]) == (target.widths[0], target.widths[-1])
    whole = not any(rest for _, rest in hidden) and source.widths[1] % wide.widths[0] == 0
    if source.depth != target.depth + 1 or source.biased != biased or not (ends and whole):
        raise ValueError(
            f"the source has widths {source.widths} and biases {source.biased}, but the target has widths "
            f"{target.widths}{' and biases' if constant else ''}: make the source for this target"
        )
    return (*(copies for copies, _ in hidden), 1)


def first_layer(target: Target, copies: int, activation: Activation = RELU) -> Dense:
    """What the pair of A and M_1 is pruned to: P_1 W_1 / (m_+ + m_-), rounded, and its biases.

    Args:
        target: the network to approximate.
        copies: of every neuron of layer 1.
        activation: of the random network.

    Raises:
        ValueError: the target has biases and the activation computes no exact constant 1.
    """
    if with_constant(target) is not target and (activation.curved or activation.plus != 1 or activation.offset):
        raise ValueError(
            f"with {activation.name} there is no exact constant 1 to hand from layer to layer: give a target without "
            "biases"
        )
    wide, total = with_constant(target).layers[0], activation.plus + activation.minus
    inputs = target.layers[0].inputs
    weight = np.rint(wide.weight[:, :inputs] / float(total)).astype(np.int64) if total != 1 else wide.weight[:, :inputs]
    bias = np.repeat(wide.weight[:, inputs], copies) if wide.inputs > inputs else None
    return Dense(np.repeat(weight, copies, axis=0), bias)


def prune_copies(
    layer: Dense,
    source: Source,
    matrix: int,
    copies: tuple[int, int],
    question: Question,
    tolerance: int,
    advance: Callable[[int], object] = lambda solved: None,
    max_bytes: int = 1 << 26,
) -> tuple[NDArray[np.bool_], PairReport]:
    """Mask of one random matrix behind the first pair, one subset sum of raw weights per weight and copy.

    Args:
        layer: W_i, without biases.
        source: the random network.
        matrix: index of M_i in it.
        copies: of every input and of every output neuron.
        question: asked of every subset sum.
        tolerance: of one subset sum, in units of 2^-48, >= 0.
        advance: called with the number of subset sums solved since the last call.
        max_bytes: the samples of one batch take at most about this much.

    Returns:
        The mask and what happened.
    """
    entering, leaving = copies
    mask = np.zeros(source.shapes[matrix], dtype=bool)
    worst = failed = 0
    for start, rows in source.chunks(matrix, max_bytes):
        wanted = layer.weight[np.arange(start, start + len(rows)) // leaving].reshape(-1)
        answers = question(SubsetSums(rows.reshape(-1, entering) << _RAISED, wanted), tolerance)
        mask[start : start + len(rows)] = answers.chosen.reshape(rows.shape)
        missed = np.abs(answers.residuals)
        worst, failed = max(worst, int(missed.max())), failed + int(np.count_nonzero(missed > tolerance))
        advance(len(wanted))
    count = mask.size // entering
    return mask, PairReport(count, failed, int(np.count_nonzero(mask)), worst, entering, entering)


def cancel_offset(
    source: Source,
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    report: PairReport,
    question: Question,
    tolerance: int,
) -> tuple[NDArray[np.bool_], PairReport]:
    """Takes the constants phi(0) of the units out of layer 1: a subset sum per output over units that read nothing.

    A unit v phi(u x) carries v phi(0), and one without incoming weights is v phi(0): the kept v have to sum to 0.

    Args:
        source: the random network, without biases.
        first: mask of the first matrix.
        second: mask of the second.
        report: of the pair so far.
        question: asked of every subset sum.
        tolerance: of one subset sum; 2^-24 is taken if it is smaller, as raw weights come no closer.

    Returns:
        The mask of the second matrix and the report, with the new subset sums.
    """
    free, new = np.flatnonzero(~first.any(axis=1)), second.copy()
    limit, missed = max(tolerance, 1 << _RAISED), []
    for start, rows in source.chunks(1):
        window = slice(start, start + len(rows))
        wanted = -(rows * second[window]).sum(axis=1) << _RAISED
        if len(free):
            answers = question(SubsetSums(rows[:, free] << _RAISED, wanted), limit)
            new[window, free] = answers.chosen
            wanted = answers.residuals
        missed.append(np.abs(wanted))
    left = np.concatenate(missed)
    failed, worst = int(np.count_nonzero(left > limit)), int(left.max())
    return new, replace(
        report,
        count=report.count + len(left),
        failed=report.failed + failed,
        sizes=int(np.count_nonzero(new)),
        worst=max(report.worst, worst),
        fewest=min(report.fewest, len(free)),
        most=max(report.most, len(free)),
    )


def gain(masked: Integers, copies: tuple[int, int]) -> float:
    """Upper bound of the norm of the matrix of max over the copies of k of sum |M~_i| over the copies of j.

    It bounds how much the errors of the copies grow: |e_i| <= gain |e_(i-1)| + ..., where e is, per neuron, the largest
    error of its copies.

    Args:
        masked: int64, mask times random weights, in units of 2^-24.
        copies: of every input and of every output neuron.

    >>> round(gain(np.array([[1 << 23, -(1 << 23)], [0, 1 << 23]]), (2, 2)), 12)
    1.0
    """
    entering, leaving = copies
    sums = np.abs(masked).reshape(-1, leaving, masked.shape[1] // entering, entering).sum(axis=3).max(axis=1)
    return spectral_up(to_float(sums, WEIGHT_EXPONENT)) if sums.any() else 0.0


@dataclass(frozen=True, eq=False)
class CopiedLayer:
    """What is certain about one layer of the ticket.

    Attributes:
        error: |E_i| of every copy, int64 (units, neurons before) in units of 2^-48, rounded up; in layer 1 the larger
            one of the two signs of an input.
        masked: M~_i as exact float64 (units, units before); empty in layer 1, whose inputs carry no error.
        curved: K, int64 (units, inputs): the curvature of the activation adds at most K_j |x_j|^3; layer 1 only.
        shift: error of the constant part, int64 (units,); layer 1 only.
    """

    error: Integers
    masked: Floats
    curved: Integers
    shift: Integers


def first_pair(target: Target, ticket: Ticket, activation: Activation = RELU) -> EffectiveLayer:
    """What the pair of A and M_1 computes with a ReLU, against `first_layer`, from masks and seed alone; exact."""
    source, copies = ticket.source, copies_of(target, ticket.source)[0]
    pair = Source(source.seed, source.widths[:3], source.biased[:2], source.law, source.trial)
    return collapse(Target((first_layer(target, copies, activation),)), Ticket(pair, ticket.masks[:2]))[0]


def copied_layers(target: Target, ticket: Ticket, activation: Activation = RELU) -> tuple[CopiedLayer, ...]:
    """What the ticket computes, layer by layer, from masks and seed alone.

    Args:
        target: without biases, or with them for an activation that computes a constant 1 exactly.
        ticket: pruned from a source of depth L + 1.
        activation: between all layers, of target and ticket.

    Raises:
        ValueError: the ticket does not fit the target, or a unit of A keeps several weights.
    """
    wide, copies = with_constant(target), copies_of(target, ticket.source)
    layers = [_first(target, ticket, activation)]
    for i in range(1, target.depth):
        masked = ticket.weights(i + 1)
        error = np.abs(_copy_errors(wide.layers[i], masked, (copies[i - 1], copies[i])))
        layers.append(CopiedLayer(error, to_float(masked, WEIGHT_EXPONENT), 0 * error, 0 * error[:, 0]))
    return tuple(layers)


def _copy_errors(layer: Dense, masked: Integers, copies: tuple[int, int]) -> Integers:
    """E_i = M~_i P_(i-1) - P_i W_i in units of 2^-48, exact."""
    entering, leaving = copies
    sums = masked.reshape(len(masked), -1, entering).sum(axis=2) << _RAISED
    return np.asarray(sums - np.repeat(layer.weight, leaving, axis=0))


def _first(target: Target, ticket: Ticket, activation: Activation) -> CopiedLayer:
    """Layer 1, where a unit is v phi(u x) = v (d + m_+ z^+ - m_- z^-) with z = u x, up to |v| c |z|^3.

    With p = sum of u v over the units with u > 0 and q = that over u < 0, the slopes are m_+ p + m_- q for x > 0 and
    m_- p + m_+ q for x < 0; both should be w.
    """
    pair, copies = first_pair(target, ticket, activation), copies_of(target, ticket.source)[0]
    p, q = ((pair.target.weight + error).astype(object) for error in (pair.positive, pair.negative))
    wanted = np.repeat(with_constant(target).layers[0].weight[:, : target.widths[0]], copies, axis=0).astype(object)
    scale = math.lcm(activation.plus.denominator, activation.minus.denominator)
    plus, minus = int(activation.plus * scale), int(activation.minus * scale)
    missed = [abs(plus * a + minus * b - scale * wanted) for a, b in ((p, q), (q, p))]
    error = _ceiling(np.maximum(*missed), Fraction(1, scale))
    curved, shift = 0 * error, np.abs(pair.bias)
    if activation.curved:
        first, second = np.abs(ticket.weights(0)).astype(object), np.abs(ticket.weights(1)).astype(object)
        curved = _ceiling(second @ first**3, activation.cubic / (1 << 4 * WEIGHT_EXPONENT - PRODUCT_EXPONENT))
    if activation.offset:
        sums = np.abs(ticket.weights(1).sum(axis=1)).astype(object)
        shift = _ceiling(sums, abs(activation.offset) * (1 << _RAISED))
    return CopiedLayer(error, np.zeros((len(error), 0)), curved, shift)


def _ceiling(numbers: NDArray[np.object_], factor: Fraction) -> Integers:
    """The integers times the factor, rounded up, for integers >= 0."""
    return np.asarray(-(-numbers * factor.numerator // factor.denominator)).astype(np.int64)


def widened(target: Target, ticket: Ticket) -> tuple[EffectiveLayer, ...]:
    """The ticket against a ReLU network as wide as the ticket that equals the target (see the module's docstring).

    Raises:
        ValueError: the ticket does not fit the target, or a unit of A keeps several weights.
    """
    wide, copies = with_constant(target), copies_of(target, ticket.source)
    layers = [first_pair(target, ticket)]
    for i in range(1, target.depth):
        raised = ticket.weights(i + 1) << _RAISED
        placed = np.zeros_like(raised)
        placed[:, :: copies[i - 1]] = _copy_errors(wide.layers[i], ticket.weights(i + 1), (copies[i - 1], copies[i]))
        none = np.zeros(len(raised), dtype=np.int64)
        layers.append(EffectiveLayer(Dense(raised - placed), placed, placed, none))
    return tuple(layers)
