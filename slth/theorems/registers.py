"""Sums of doubled registers: a network of signs that computes integer matrices exactly.

A layer x -> Q x with integer entries of at most B + 1 bits, x >= 0, takes B + 2 matrices of -1 and 1. Registers hold
2^t x_j and double from stage to stage, as a sum of two copies; accumulators collect Q^+ x and Q^- x bit by bit, where
Q = Q^+ - Q^-; the readout takes their difference. A logical neuron (register, accumulator or readout) stands in the
network several times, as `copies`. A copy is good if it finds an edge of the wanted sign from a good copy of each
logical neuron that it reads (two edges from a register that it doubles); it then keeps the first of them. What is not
good keeps nothing and is read by nobody. The units before the first layer read one input each and are x_j^+ or x_j^-
as the sign of that edge has it. Registers, accumulators and everything between them are sums of non-negative numbers,
so ReLU changes nothing inside a layer. Proofs: docs/proofs/binary.md, part B.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from slth.gadget import EffectiveLayer, Integers
from slth.grid import LARGEST_WEIGHT, PRODUCT_EXPONENT, WEIGHT_EXPONENT
from slth.laws import Signs
from slth.networks.layers import Dense
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket

MOST_BITS = 40
"""Fractional bits up to which weights, scale and all sums stay exact in int64."""

LARGEST_COEFFICIENT = 1 << 62
"""Integer coefficients of a ticket stay below it."""


def widths_for(widths: Sequence[int], bits: int, copies: int) -> tuple[int, ...]:
    """Widths of the source for a target of these widths: (bits + 2) L + 1 matrices.

    >>> widths_for((2, 3, 1), bits=1, copies=4)
    (2, 16, 40, 24, 12, 20, 8, 1)
    """
    found = [widths[0], 2 * widths[0] * copies]
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        registers = inputs * (2 if i == 0 else 1)
        found += [copies * (registers + 2 * outputs)] * bits + [copies * 2 * outputs, copies * outputs]
    return (*found[:-1], widths[-1])


def form(target: Target, source: Source) -> tuple[int, int]:
    """(bits, copies) of a source, from its depth and widths.

    Raises:
        ValueError: the source has not the widths of `widths_for` for this target, or biases.
    """
    bits, rest = divmod(source.depth - 1, target.depth)
    copies = source.widths[1] // (2 * target.widths[0])
    good = rest == 0 and 2 <= bits <= MOST_BITS + 2 and copies >= 1 and not any(source.biased)
    if not good or source.widths != widths_for(target.widths, bits - 2, copies):
        raise ValueError(
            f"a source of {source.depth} matrices with widths {source.widths[:4]}... is not one for bits and copies of "
            f"a target with widths {target.widths}: make it with the theorem's source(...)"
        )
    return bits - 2, copies


def check_signs(source: Source) -> None:
    """Raises ValueError unless the weights of the source are -1 and 1."""
    if source.law != Signs():
        raise ValueError(f"registers need weights -1 and 1; got {source.law}: make the source with the law Signs()")


def quantised(layer: Dense, bits: int) -> Integers:
    """Q: the weights times 2^bits, rounded to integers; half a unit goes up.

    >>> quantised(Dense.from_floats([[0.5, -0.375]]), bits=2)
    array([[ 2, -1]])
    """
    drop = PRODUCT_EXPONENT - bits
    return (layer.weight + (1 << (drop - 1))) >> drop


def split(q: Integers, signed: bool) -> Integers:
    """The weights >= 0 of the accumulators of Q^+ and, below them, of Q^-; x^- has registers of its own if signed.

    >>> split(np.array([[2, -1]]), signed=False).tolist()
    [[2, 0], [0, 1]]
    """
    q = np.hstack([q, -q]) if signed else q
    return np.vstack([np.maximum(q, 0), np.maximum(-q, 0)])


def edges(sums: Integers, bits: int) -> Iterator[Integers]:
    """Which edges the logical neurons of each stage of one layer need.

    Args:
        sums: int64 (2 d, m), >= 0 and below 2^(bits + 1), as `split` gives them; m registers.
        bits: B.

    Yields:
        B + 2 matrices (logical neurons, logical neurons before): 1 or -1 for an edge of that sign, 2 for two positive
        ones, 0 for none. Registers stand before accumulators. A register that no later bit needs needs nothing.
    """
    rows, m = sums.shape
    for t in range(bits + 1):
        known = np.diag((sums & ((1 << t) - 1)).any(axis=1).astype(np.int64)) if t else np.zeros((rows, 0), np.int64)
        collect = np.hstack([sums >> t & 1, known])
        if t == bits:
            yield collect
        else:
            double = np.diag(2 * (sums >> (t + 1)).any(axis=0).astype(np.int64))
            yield np.vstack([np.hstack([double, np.zeros((m, collect.shape[1] - m), np.int64)]), collect])
    filled = np.diag(sums.any(axis=1).astype(np.int64))
    yield filled[: rows // 2] - filled[rows // 2 :]


@dataclass(frozen=True)
class Tally:
    """The logical neurons of one target layer that need an edge.

    Attributes:
        count: how many.
        failed: without a good copy.
        fewest: good copies of the neuron that has fewest; an output of the network, of which there is one copy, counts
            as all copies or none.
        most: good copies of the neuron that has most.
        built: for each neuron of the target layer, whether a copy of its readout is good.
    """

    count: int
    failed: int
    fewest: int
    most: int
    built: NDArray[np.bool_]


def wire(
    source: Source,
    layers: Sequence[Integers],
    bits: int,
    copies: int,
    advance: Callable[[int], object] = lambda n: None,
) -> tuple[tuple[NDArray[np.bool_], ...], tuple[Tally, ...]]:
    """Masks under which the good copies of every logical neuron compute what they stand for.

    Args:
        source: of the form `widths_for`.
        layers: for each target layer the sums of its accumulators, see `split`.
        bits: B.
        copies: of a logical neuron.
        advance: called with the number of readouts after every layer.

    Returns:
        The masks, every good copy wired (`trimmed` removes those that nobody reads), and the tally of every layer.
    """
    first = source.rows(0, 0, source.widths[1])
    units = np.arange(source.widths[1]).reshape(-1, 2 * copies)
    reads = np.repeat(np.arange(source.widths[0]), 2 * copies)
    masks = [reads[:, None] == np.arange(source.widths[0])]
    positive = (first[masks[0]] > 0).reshape(units.shape)
    owners = [own[sign] for own, sign in (*zip(units, positive, strict=True), *zip(units, ~positive, strict=True))]
    tallies = []
    for i, sums in enumerate(layers):
        found = [len(owners[j]) for j in np.flatnonzero(sums.any(axis=0))] if i == 0 else []
        for need in edges(sums, bits):
            tries = source.widths[len(masks) + 1] // len(need)
            mask, owners = _stage(source, len(masks), need, owners, tries)
            masks.append(mask)
            found += [len(own) * copies // tries for own, row in zip(owners, need, strict=True) if row.any()]
        built = np.array([len(own) > 0 for own in owners])
        tallies.append(Tally(len(found), found.count(0), min(found, default=0), max(found, default=0), built))
        advance(len(built))
    return tuple(masks), tuple(tallies)


def _stage(
    source: Source, matrix: int, need: Integers, owners: Sequence[Integers], copies: int
) -> tuple[NDArray[np.bool_], list[Integers]]:
    """Mask of one matrix, and the good copies of every logical neuron behind it."""
    mask = np.zeros(source.shapes[matrix], dtype=bool)
    found = []
    for p, row in enumerate(need):
        units = np.arange(p * copies, (p + 1) * copies)
        good = np.ones(copies, dtype=bool)
        reads = np.flatnonzero(row)
        if reads.size:
            signs = source.rows(matrix, p * copies, (p + 1) * copies)
            for q in reads.tolist():
                fits = signs[:, owners[q]] * row[q] > 0
                good &= fits.sum(axis=1) >= abs(row[q])
                mask[np.ix_(units, owners[q])] = fits & (fits.cumsum(axis=1) <= abs(row[q]))
            mask[units[~good]] = False
        found.append(units[good])
    return mask, found


def trimmed(masks: Sequence[NDArray[np.bool_]]) -> tuple[NDArray[np.bool_], ...]:
    """The masks without the weights of units that nobody reads; the network computes the same."""
    kept = [mask.copy() for mask in masks]
    for before, after in zip(reversed(kept[:-1]), reversed(kept[1:]), strict=True):
        before[~after.any(axis=0)] = False
    return tuple(kept)


def effective(target: Target, ticket: Ticket) -> tuple[EffectiveLayer, ...]:
    """What the ticket divided by 2^(B L) computes, layer by layer and exactly, from its masks and the seed alone.

    The masked matrices of a layer are multiplied in integers. Every coefficient of a stage must be >= 0, so that ReLU
    changes nothing for any input, and all copies of a neuron that are read must compute the same. A neuron that nobody
    reads may compute anything; it is taken to be the target's own, with error 0.

    Returns:
        One `EffectiveLayer` per target layer, in units of 2^-48; Q / 2^B - W for what was built.

    Raises:
        ValueError: the source has another form or law, or the masks are not of such a ticket.
    """
    check_signs(ticket.source)
    bits, _ = form(target, ticket.source)
    read = ticket.weights(0) >> WEIGHT_EXPONENT
    if (np.count_nonzero(read, axis=1) > 1).any():
        raise ValueError("a unit of the first matrix keeps several inputs; in a ticket of registers it keeps one")
    start = np.hstack([read > 0, read < 0]).astype(np.int64)
    layers = []
    for i, layer in enumerate(target.layers):
        last = (bits + 2) * (i + 1)
        rows = _product(ticket, range(last - bits - 1, last + 1), start)
        used = ticket.masks[last + 1].sum(axis=0) > 0 if i + 1 < target.depth else np.ones(len(rows), dtype=np.bool_)
        of = np.arange(len(rows)) // (len(rows) // layer.outputs)
        exact, alive = _agreed(rows, of, used, layer.outputs, i)
        if int(np.abs(exact).max()) > LARGEST_WEIGHT * 2**bits:
            raise ValueError(f"layer {i + 1} has weights beyond {LARGEST_WEIGHT:g}: not a ticket of registers")
        start = (used[:, None] & (of[:, None] == np.arange(layer.outputs))).astype(np.int64)
        layers.append(_errors(layer, exact << (PRODUCT_EXPONENT - bits), alive, signed=i == 0))
    return tuple(layers)


def _product(ticket: Ticket, matrices: range, start: Integers) -> Integers:
    """The coefficients of the units behind the last of these matrices, on the registers."""
    found = start
    for s in matrices:
        stage = csr_array(ticket.weights(s) >> WEIGHT_EXPONENT)
        if int(np.abs(found).max()) * int(np.diff(stage.indptr).max()) >= LARGEST_COEFFICIENT:
            raise ValueError(f"the coefficients behind matrix {s + 1} exceed 2^62: not a ticket of registers")
        found = np.asarray(stage @ found)
        if s != matrices[-1] and (found < 0).any():
            raise ValueError(
                f"a unit behind matrix {s + 1} has a negative coefficient, and its ReLU may act: no ticket of registers"
            )
    return found


def _agreed(
    rows: Integers, of: Integers, used: NDArray[np.bool_], outputs: int, layer: int
) -> tuple[Integers, NDArray[np.bool_]]:
    """The one row of each neuron, 0 where no copy is read, and which neurons are read."""
    exact, alive = np.zeros((outputs, rows.shape[1]), dtype=np.int64), np.zeros(outputs, dtype=bool)
    exact[of[used]], alive[of[used]] = rows[used], True
    different = np.flatnonzero((rows[used] != exact[of[used]]).any(axis=1))
    if different.size:
        raise ValueError(f"copies of neuron {of[used][different[0]] + 1} of layer {layer + 1} compute different sums")
    return exact, alive


def _errors(layer: Dense, exact: Integers, alive: NDArray[np.bool_], signed: bool) -> EffectiveLayer:
    """Errors of a layer with these coefficients on x, or on x^+ and then x^-."""
    positive, negative = (exact[:, : layer.inputs], -exact[:, layer.inputs :]) if signed else (exact, exact)
    plus, minus = (np.where(alive[:, None], side - layer.weight, 0) for side in (positive, negative))
    return EffectiveLayer(layer, plus, minus, np.zeros(layer.outputs, dtype=np.int64))
