"""Pairs of partially frozen matrices: subset sums over the free entries, with the locked ones in every ticket."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from slth.assignment import Assignment
from slth.gadget import PairReport, Question
from slth.grid import PRODUCT_EXPONENT
from slth.networks.layers import Dense
from slth.networks.source import Source
from slth.subset_sum import SubsetSums
from slth.subset_sum.questions import SEARCHED
from slth.theorems.frozen_source import frozen_rows


def steered(
    samples: NDArray[np.int64], targets: NDArray[np.int64], spare: int = SEARCHED
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Takes samples of the sign of what is left, from the last one back, until at most 1/2 is left.

    Args:
        samples: int64 (m, n), in units of 2^-48, of modulus at most 1.
        targets: int64 (m,), likewise.
        spare: so many first samples are not taken.

    Returns:
        Which samples are taken, bool (m, n), and what is left of the targets. A target that was in [-1/2, 1/2] once
        stays as it is.

    >>> half = 1 << 47
    >>> taken, left = steered(np.array([[half, -half, half, half]]), np.array([3 * half]), spare=1)
    >>> taken, left == half
    (array([[False, False,  True,  True]]), array([ True]))
    """
    half, left, taken = 1 << (PRODUCT_EXPONENT - 1), targets.copy(), np.zeros(samples.shape, dtype=bool)
    for i in range(samples.shape[1] - 1, spare - 1, -1):
        taken[:, i] = (np.abs(left) > half) & (np.sign(samples[:, i]) == np.sign(left))
        left -= np.where(taken[:, i], samples[:, i], 0)
    return taken, left


def prune_frozen_pair(
    layer: Dense,
    source: Source,
    pair: int,
    question: Question,
    tolerance: int,
    assignment: Assignment,
    advance: Callable[[int], object],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], PairReport]:
    """Masks of one pair of partially frozen matrices such that the pair stands for the layer.

    Args as in `slth.gadget.prune_pair`. The pair of index 0 sees inputs of both signs, the others do not.

    Returns:
        The mask of the first matrix, the mask of the second (with all that is locked), and what happened.

    Raises:
        ValueError: the hidden width is not a multiple of the number of channels.
    """
    channels, hidden = layer.channels, source.shapes[2 * pair][0]
    count = channels.shape[1]
    if hidden % count:
        raise ValueError(
            f"pair {pair + 1} of the source has {hidden} hidden units, which is not a multiple of the {count} channels "
            "(inputs, and one for the bias) of the layer: make the source for this target"
        )
    one_sided = np.arange(count) >= (0 if pair else layer.inputs)  # behind a ReLU, or a bias
    units, reads, weight = _alive(source, pair, count, assignment, one_sided)
    sides = [(j, sign) for j in range(count) for sign in ((1,) if one_sided[j] else (1, -1))]
    members = [np.flatnonzero((reads == j) & (np.sign(weight) == sign)) for j, sign in sides]
    first, second = (np.zeros(shape, dtype=bool) for shape in source.shapes[2 * pair : 2 * pair + 2])
    reports = []
    for start, rows in source.chunks(2 * pair + 1):
        pruned, locked = frozen_rows(source, 2 * pair + 1, start, start + len(rows))
        mask, wanted = locked.copy(), channels[start : start + len(rows)]
        for (j, _), own in zip(sides, members, strict=True):
            here = units[own]
            samples, free = rows[:, here] * weight[own], ~(pruned | locked)[:, here]
            kept, report = _solve(samples, free, locked[:, here], wanted[:, j], question, tolerance)
            first[here, j] = True
            mask[:, here] |= kept
            reports.append(report)
            advance(report.count)
        second[start : start + len(rows)] = mask
    first[~second.any(axis=0)] = False  # a unit that nobody reads keeps nothing
    return first, second, PairReport.total(reports)


def _alive(
    source: Source, pair: int, count: int, assignment: Assignment, one_sided: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Hidden units whose incoming weight is not pruned for good, the channels that they read and those weights."""
    hidden = source.shapes[2 * pair][0]
    positive = np.concatenate([rows[:, :count] > 0 for _, rows in source.chunks(2 * pair)])
    reads = assignment(positive, hidden // count, one_sided)
    weight = np.zeros(hidden, dtype=np.int64)
    for start, rows in source.chunks(2 * pair):
        here = np.flatnonzero(reads[start : start + len(rows)] >= 0)
        column = reads[start + here]
        pruned, _ = frozen_rows(source, 2 * pair, start, start + len(rows))
        weight[start + here] = np.where(pruned[here, column], 0, rows[here, column])
    units = np.flatnonzero(weight)
    return units, reads[units], weight[units]


def _solve(
    samples: NDArray[np.int64],
    free: NDArray[np.bool_],
    locked: NDArray[np.bool_],
    wanted: NDArray[np.int64],
    question: Question,
    tolerance: int,
) -> tuple[NDArray[np.bool_], PairReport]:
    """Which free samples (outputs, units) are taken such that with the locked ones they add up to wanted (outputs,)."""
    counts = free.sum(axis=1)
    most = int(counts.max(initial=0))
    order = np.argsort(~free, axis=1, kind="stable")[:, :most]  # the free samples of every row come first
    candidates = np.take_along_axis(np.where(free, samples, 0), order, axis=1)
    taken, left = steered(candidates, wanted - np.where(locked, samples, 0).sum(axis=1))
    if most:
        taken |= question(SubsetSums(np.where(taken, 0, candidates), left), tolerance).chosen
    kept = np.zeros(samples.shape, dtype=bool)
    np.put_along_axis(kept, order, taken, axis=1)
    kept &= free
    missed = np.abs(np.where(kept | locked, samples, 0).sum(axis=1) - wanted)
    failed, sizes = int(np.count_nonzero(missed > tolerance)), int(np.count_nonzero(kept | locked))
    return kept, PairReport(len(wanted), failed, sizes, int(missed.max()), int(counts.min()), most)
