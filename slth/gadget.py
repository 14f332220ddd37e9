"""The one gadget behind the constructions: a pair of random layers pruned to one target layer.

A hidden unit that keeps one incoming weight u from input x_j computes relu(u x_j), which is |u| x_j^+ for
u > 0 and |u| x_j^- for u < 0, where x^+ = relu(x) and x^- = relu(-x). An output that keeps the weights v of a
set S of such units therefore gets

    x_j^+ * sum of u v over S with u > 0   -   x_j^- * sum of u v over S with u < 0,

so a target weight w asks for two subset sums with the same target w, one per sign of u. Whatever was kept,
the pair is exactly the target layer with perturbed weights, one perturbation per sign:

    g(x) = (W + E+) x^+ - (W + E-) x^-.                                       (gadget identity)

If the input is known to be non-negative, as behind every ReLU, only the subset sums with u > 0 are needed. A
bias is the weight of a constant input 1; its random weights are the biases of the hidden units. Products are
multiples of 2^-48, so E+ and E- are exact integers. The identity is in Malach et al. 2020 and Pensia et al.
2020.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from slth.assignment import Assignment, block
from slth.grid import to_float
from slth.networks.layers import Dense
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.subset_sum import Subsets, SubsetSums

Integers = NDArray[np.int64]
Question = Callable[[SubsetSums, int], Subsets]
"""What to ask of every subset sum: (batch of instances, tolerance in units of 2^-48) -> answers."""

LARGEST_SUM_TERMS = 1 << 14
"""Fewer products than this stay below 2^62 in int64."""


@dataclass(frozen=True, eq=False)
class EffectiveLayer:
    """What a pruned pair computes: (W + E+) x^+ - (W + E-) x^- + b + e, exactly.

    Attributes:
        target: the layer W, b that it stands for.
        positive: E+, int64 (outputs, inputs) in units of 2^-48.
        negative: E-, likewise; it plays no part where the input is non-negative.
        bias: e, int64 (outputs,) in units of 2^-48, the error of the bias.
    """

    target: Dense
    positive: Integers
    negative: Integers
    bias: Integers

    @cached_property
    def plus(self) -> NDArray[np.float64]:
        """E+ as exact float64."""
        return to_float(self.positive)

    @cached_property
    def minus(self) -> NDArray[np.float64]:
        """E- as exact float64."""
        return to_float(self.negative)

    @cached_property
    def shift(self) -> NDArray[np.float64]:
        """The error of the bias as exact float64."""
        return to_float(self.bias)


@dataclass(frozen=True, eq=False)
class PairReport:
    """The subset sums of one pair, as data.

    Attributes:
        count: number of instances.
        failed: instances whose |residual| exceeds the tolerance. They stay in the ticket as they are.
        sizes: sum of the sizes of all subsets.
        worst: largest |residual|, in units of 2^-48, failed instances included.
        fewest: fewest candidates that an instance had.
        most: most candidates that an instance had.
    """

    count: int
    failed: int
    sizes: int
    worst: int
    fewest: int
    most: int

    @classmethod
    def total(cls, reports: list[PairReport]) -> PairReport:
        """One report of all instances."""
        return cls(
            sum(r.count for r in reports),
            sum(r.failed for r in reports),
            sum(r.sizes for r in reports),
            max(r.worst for r in reports),
            min(r.fewest for r in reports),
            max(r.most for r in reports),
        )


def collapse(target: Target, ticket: Ticket) -> tuple[EffectiveLayer, ...]:
    """What the ticket computes, layer by layer, from its masks and the seed alone.

    Args:
        target: the network whose layers the pairs stand for.
        ticket: its masks; every hidden unit may keep at most one incoming weight.

    Returns:
        One `EffectiveLayer` per target layer, exact.

    Raises:
        ValueError: the widths do not fit, or a hidden unit keeps several incoming weights.
    """
    check_fit(target, ticket.source)
    return tuple(_collapse_pair(layer, ticket, i) for i, layer in enumerate(target.layers))


def check_fit(target: Target, source: Source) -> None:
    """Raises ValueError unless the source has a pair of matrices for every layer of the target."""
    if source.widths[::2] != target.widths:
        raise ValueError(
            f"the source joins layers of widths {source.widths[::2]} but the target has widths "
            f"{target.widths}: make the source for this target"
        )
    if any(source.biased[1::2]):
        raise ValueError(f"only the first matrix of a pair may have random biases; got the flags {source.biased}")
    for i, (layer, flag) in enumerate(zip(target.layers, source.biased[::2], strict=True)):
        if layer.bias is not None and not flag:
            raise ValueError(f"layer {i + 1} of the target has biases but pair {i + 1} of the source has none")


def _collapse_pair(layer: Dense, ticket: Ticket, pair: int) -> EffectiveLayer:
    first, second = ticket.masks[2 * pair], ticket.masks[2 * pair + 1]
    several = np.flatnonzero(first.sum(axis=1) > 1)
    if several.size:
        raise ValueError(
            f"hidden unit {several[0]} of pair {pair + 1} keeps {int(first[several[0]].sum())} incoming "
            "weights; a ticket of this construction keeps at most one"
        )
    used = np.flatnonzero(first.any(axis=1))
    reads = first[used].argmax(axis=1)
    entering = _entering(ticket.source, 2 * pair, used, reads)
    # Sorted by (input, sign), the units of one sum stand together and reduceat adds them exactly.
    side = 2 * reads + (entering < 0)
    order = np.argsort(side, kind="stable")
    used, entering, side = used[order], entering[order], side[order]
    starts = np.flatnonzero(np.diff(side, prepend=-1))
    if np.diff(starts, append=len(side)).max(initial=0) >= LARGEST_SUM_TERMS:
        raise ValueError(f"pair {pair + 1} adds 2^14 products or more for one weight, beyond exact int64")
    columns = first.shape[1]
    sums = np.zeros((second.shape[0], 2 * columns), dtype=np.int64)
    for start, rows in ticket.source.chunks(2 * pair + 1):
        window = slice(start, start + len(rows))
        if len(side):
            terms = rows[:, used] * second[window][:, used] * entering
            sums[window, side[starts]] = np.add.reduceat(terms, starts, axis=1)
    positive, negative = sums[:, 0::2], sums[:, 1::2]
    inputs = layer.inputs
    bias = positive[:, inputs] if columns > inputs else np.zeros(layer.outputs, dtype=np.int64)
    wanted = np.zeros(layer.outputs, dtype=np.int64) if layer.bias is None else layer.bias
    return EffectiveLayer(
        layer, positive[:, :inputs] - layer.weight, negative[:, :inputs] - layer.weight, bias - wanted
    )


def _entering(source: Source, matrix: int, units: Integers, reads: Integers) -> Integers:
    """The weight from input reads[i] into hidden unit units[i], in units of 2^-24; units must be sorted."""
    weights = np.empty(len(units), dtype=np.int64)
    for start, rows in source.chunks(matrix):
        here = slice(*np.searchsorted(units, [start, start + len(rows)]))
        weights[here] = rows[units[here] - start, reads[here]]
    return weights


def prune_pair(
    layer: Dense,
    source: Source,
    pair: int,
    question: Question,
    tolerance: int,
    *,
    nonnegative: bool,
    assignment: Assignment = block,
    max_bytes: int = 1 << 28,
    advance: Callable[[int], object] = lambda solved: None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], PairReport]:
    """Masks of one pair of random matrices such that the pair stands for the layer.

    Args:
        layer: the target layer.
        source: the random network; its hidden width must be a multiple of the number of channels.
        pair: index of the pair.
        question: asked of every subset sum.
        tolerance: of one subset sum, in units of 2^-48, >= 0.
        nonnegative: whether the input is known to be >= 0; then the instances with u < 0 are left out.
        assignment: which input each hidden unit reads, `block` or `adaptive`.
        max_bytes: the samples of one batch of instances take at most about this much.
        advance: called with the number of instances solved since the last call.

    Returns:
        The mask of the first matrix, the mask of the second, and what happened.

    Raises:
        ValueError: the source does not fit the layer.
    """
    (hidden, columns), (outputs, _) = source.shapes[2 * pair], source.shapes[2 * pair + 1]
    channels = layer.channels
    units, remainder = divmod(hidden, channels.shape[1])
    joins = source.widths[2 * pair], outputs
    if remainder or columns < channels.shape[1] or joins != (layer.inputs, layer.outputs):
        raise ValueError(
            f"pair {pair + 1} of the source, {hidden} hidden units over {columns} channels and {outputs} "
            f"outputs, does not fit a layer with {channels.shape[1]} channels and {layer.outputs} outputs: "
            "the hidden width must be a multiple of the number of channels (inputs, and one for the bias)"
        )
    signs = np.concatenate([rows[:, : channels.shape[1]] > 0 for _, rows in source.chunks(2 * pair)])
    one_sided = np.arange(channels.shape[1]) >= (0 if nonnegative else layer.inputs)  # a bias weighs 1 >= 0
    reads = assignment(signs, units, one_sided)
    used = np.flatnonzero(reads >= 0)
    reads = reads[used]
    entering = _entering(source, 2 * pair, used, reads)
    groups = list(_groups(reads, entering > 0, one_sided))
    second = np.zeros(source.shapes[2 * pair + 1], dtype=bool)
    reports: list[PairReport] = []
    for start, rows in source.chunks(2 * pair + 1, max_bytes // 4):
        outs = np.arange(start, start + len(rows))
        for inputs, members in groups:
            samples = rows[:, used[members]] * entering[members]
            chosen, report = _solve(samples, channels[outs][:, inputs], question, tolerance)
            second[outs[:, None, None], used[members]] = chosen
            reports.append(report)
            advance(report.count)
    first = np.zeros((hidden, columns), dtype=bool)
    first[used, reads] = True
    first[~second.any(axis=0)] = False  # a unit that nobody reads keeps nothing
    return first, second, PairReport.total(reports)


def _groups(
    reads: Integers, positive: NDArray[np.bool_], one_sided: NDArray[np.bool_]
) -> Iterator[tuple[Integers, Integers]]:
    """Yields (inputs, members): the sides with equally many units, as inputs (g,) and their units (g, n).

    Batches of equal n keep the solver's lanes full. A one-sided channel needs only u > 0.
    """
    members: dict[int, list[tuple[int, Integers]]] = {}
    for sign in (True, False):
        order = np.flatnonzero(positive == sign)
        order = order[np.argsort(reads[order], kind="stable")]
        cuts = np.searchsorted(reads[order], np.arange(len(one_sided) + 1))
        for j in np.flatnonzero(~one_sided | sign):
            own = order[cuts[j] : cuts[j + 1]]
            members.setdefault(len(own), []).append((int(j), own))
    for _, sides in sorted(members.items()):
        yield np.array([j for j, _ in sides]), np.stack([own for _, own in sides])


def _solve(
    samples: Integers, targets: Integers, question: Question, tolerance: int
) -> tuple[NDArray[np.bool_], PairReport]:
    """Samples (outputs, sides, n), targets (outputs, sides) -> chosen (outputs, sides, n) and a report."""
    count, n = targets.size, samples.shape[2]
    if n == 0:  # a side without units: the empty sum is all there is
        residuals, chosen = targets, np.zeros(samples.shape, dtype=bool)
    else:
        answers = question(SubsetSums(samples.reshape(count, n), targets.reshape(count)), tolerance)
        residuals, chosen = answers.residuals, answers.chosen.reshape(samples.shape)
    missed = np.abs(residuals)
    failed = int(np.count_nonzero(missed > tolerance))
    return chosen, PairReport(count, failed, int(np.count_nonzero(chosen)), int(missed.max()), n, n)
