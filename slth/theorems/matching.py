"""One hidden unit per weight: which unit of a block serves it, by its two factors or by their product.

A unit with incoming weight u from x_j and outgoing weight v adds u v x_j on the side where u x_j > 0. It serves the
weight w on that side if u v is near w. `separately` asks for u near |w| and v near the sign of w (Malach et al. 2020),
`by_product` for the product alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from slth.gadget import PairReport
from slth.grid import WEIGHT_EXPONENT
from slth.networks.layers import Dense
from slth.networks.source import Source
from slth.subset_sum import Subsets, SubsetSums, few_exactly

Integers = NDArray[np.int64]
Fits = Callable[[Integers, Integers, Integers, int], NDArray[np.bool_]]
"""(u, v, w, tolerance) -> whether the unit serves the weight; u, v and the tolerance in units of 2^-24, w of 2^-48."""

WINDOW = 1 << 16
"""Units of one input that are looked at together."""


def separately(entering: Integers, leaving: Integers, targets: Integers, tolerance: int) -> NDArray[np.bool_]:
    """The paper's match, for inputs > 0: u > 0 within the tolerance of |w|, v within it of the sign of w.

    Then |u v - w| <= |u - |w|| + |w| (1 - |v|) <= 2 t.
    """
    near = np.abs((entering << WEIGHT_EXPONENT) - np.abs(targets)) <= tolerance << WEIGHT_EXPONENT
    one = 1 << WEIGHT_EXPONENT
    matched: NDArray[np.bool_] = near & (entering > 0) & (leaving * np.sign(targets) >= one - tolerance)
    return matched


def by_product(entering: Integers, leaving: Integers, targets: Integers, tolerance: int) -> NDArray[np.bool_]:
    """The weaker demand u > 0 and |u v - w| <= tolerance."""
    matched: NDArray[np.bool_] = (entering > 0) & (np.abs(entering * leaving - targets) <= tolerance << WEIGHT_EXPONENT)
    return matched


def first_fit(
    entering: Integers, leaving: Integers, targets: Integers, tolerance: int, fits: Fits, sign: int = 1
) -> Integers:
    """The first unit that serves each weight.

    Args:
        entering: u, int64 (instances, units) in units of 2^-24.
        leaving: v, likewise.
        targets: w, int64 (instances,) in units of 2^-48.
        tolerance: in units of 2^-24.
        fits: `separately` or `by_product`.
        sign: 1 for inputs > 0; -1 for inputs < 0, where u < 0 is wanted and both factors are turned round.

    Returns:
        int64 (instances,): position of the unit, -1 where none serves.

    >>> u, v = np.array([[3, -5, 4]]) << 21, np.array([[8, -8, 7]]) << 21
    >>> first_fit(u, v, np.array([1 << 47]), 1 << 21, separately).item()
    0
    """
    found = np.full(len(targets), -1, dtype=np.int64)
    for start in range(0, entering.shape[1], WINDOW):
        left = np.flatnonzero(found < 0)
        if not left.size:
            break
        u, v = (sign * factor[left, start : start + WINDOW] for factor in (entering, leaving))
        good = fits(u, v, targets[left, None], tolerance)
        found[left] = np.where(good.any(axis=1), start + good.argmax(axis=1), -1)
    return found


def one_product(problem: SubsetSums, tolerance: int) -> Subsets:
    """The question of product matching: the nearest single sample; none where none is needed or none helps."""
    single = few_exactly(problem, 1)
    needless = np.abs(problem.targets) <= np.maximum(tolerance, np.abs(single.residuals))
    return Subsets(problem, np.where(needless[:, None], np.uint64(0), single.masks), single.status)


def match_pair(
    layer: Dense,
    source: Source,
    pair: int,
    tolerance: int,
    advance: Callable[[int], object] = lambda settled: None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], PairReport]:
    """Masks of one pair that keep, for each weight other than 0 and each side, the first unit that fits `separately`.

    Unit r of block j may serve input j only, but any number of outputs. The first pair has two sides; behind a ReLU,
    and for the constant 1 of a bias, inputs are never negative. Memory: the masks, 16 bytes per hidden unit, and one
    window of units.

    Args:
        layer: the target layer.
        source: the random network; its hidden width must be a multiple of the number of channels.
        pair: index of the pair.
        tolerance: of one factor, in units of 2^-24.
        advance: called with the number of instances settled since the last call.

    Returns:
        The mask of the first matrix, the mask of the second, and what happened; an instance has failed if its residual
        exceeds twice the tolerance.

    Raises:
        ValueError: the hidden width is no multiple of the number of channels.
    """
    channels = layer.channels
    hidden, columns = source.shapes[2 * pair]
    reads, entering = _blocks(source, pair, channels.shape[1])
    units = entering.shape[1]
    sides = [(1, np.arange(len(entering)))] + ([(-1, np.arange(layer.inputs))] if pair == 0 else [])
    second, residuals = np.zeros((layer.outputs, hidden), dtype=bool), []
    for k, weights in enumerate(channels):
        leaving = source.rows(2 * pair + 1, k, k + 1).reshape(-1, units)
        for sign, served in sides:
            wanted = served[weights[served] != 0]
            found = first_fit(entering[wanted], leaving[wanted], weights[wanted], tolerance, separately, sign)
            wanted, found = wanted[found >= 0], found[found >= 0]
            second[k, wanted * units + found] = True
            sums = np.zeros(len(entering), dtype=np.int64)
            sums[wanted] = entering[wanted, found] * leaving[wanted, found]
            residuals.append(np.abs(sums - weights)[served])
        advance(sum(len(served) for _, served in sides))
    first = np.zeros((hidden, columns), dtype=bool)
    used = np.flatnonzero(second.any(axis=0))
    first[used, reads[used]] = True
    missed = np.concatenate(residuals)
    candidates = np.concatenate([(sign * entering[served] > 0).sum(axis=1) for sign, served in sides])
    return (
        first,
        second,
        PairReport(
            missed.size,
            int(np.count_nonzero(missed > tolerance << (WEIGHT_EXPONENT + 1))),
            int(np.count_nonzero(second)),
            int(missed.max()),
            int(candidates.min()),
            int(candidates.max()),
        ),
    )


def _blocks(source: Source, pair: int, channels: int) -> tuple[Integers, Integers]:
    """The channel that each hidden unit reads (hidden,), and its weight from there (channels, units per channel)."""
    hidden = source.shapes[2 * pair][0]
    units, remainder = divmod(hidden, channels)
    if remainder:
        raise ValueError(
            f"the hidden width of pair {pair + 1} must be a multiple of its {channels} channels (inputs, and one for "
            f"the bias); got {hidden}"
        )
    reads = np.repeat(np.arange(channels), units)
    read = [rows[np.arange(len(rows)), reads[at : at + len(rows)]] for at, rows in source.chunks(2 * pair)]
    return reads, np.concatenate(read).reshape(channels, units)
