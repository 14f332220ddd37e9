"""The number of winning masks of a network: a product over its subset sums, times two for every idle weight.

Statement.  Fix the gates of every pair of random matrices: a mask of the first matrix with which every hidden unit
            keeps at most one incoming weight. A mask of the second matrices wins if every entry of the effective
            errors that the network uses is at most the tolerance of its pair, in modulus. The instances (output,
            input, sign) read disjoint entries of the second matrices, so the number of winning masks is the product of
            the numbers N of their subsets times 2^F, where F counts the entries that no instance reads: of units that
            keep no incoming weight, and of units with a negative weight from an input that is never negative.
Kind.       exact, for the network at hand (derived); `predicted_bits` is heuristic.
Source.     The project's own; `docs/proofs/ticket_counts.md`.
Uses.       counting, gadget.
Notation.   N of one instance -> `WinningMasks.instances`, F -> `WinningMasks.idle`.
Departs.    -
Errata.     Masks that win by the error of the whole network are more than these: entries may miss their tolerance and
            make up for each other. Different masks of one instance are different functions unless their sums agree;
            the 2^F are one function.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import index

import numpy as np
from numpy.typing import NDArray

from slth.assignment import Assignment, block
from slth.gadget import check_fit
from slth.grid import PRODUCT_EXPONENT
from slth.networks.source import Source
from slth.networks.target import Target
from slth.references import LUEKER1998
from slth.subset_sum import SubsetSums, count_by_size, count_within
from slth.theorems.counting import log2_intensity

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "counting_networks"
REFERENCE = LUEKER1998

Gates = NDArray[np.bool_]
"""A mask of the first matrix of a pair, at most one True per row."""


def gates(target: Target, source: Source, assignment: Assignment = block, nonnegative: bool = False) -> list[Gates]:
    """The gates that an assignment opens: every unit that it uses keeps the weight from its input.

    Args:
        target: fixes which columns are biases and how many units there are per input.
        source: the random network; only the signs of its first matrices are read.
        assignment: `slth.assignment.block` or `adaptive`.
        nonnegative: whether the inputs of the network are known to be >= 0.

    Returns:
        One mask per pair.

    Raises:
        ValueError: the source does not fit the target.
    """
    check_fit(target, source)
    masks = []
    for i, layer in enumerate(target.layers):
        channels = layer.channels.shape[1]
        weights = source.rows(2 * i, 0, source.shapes[2 * i][0])
        one_sided = np.arange(channels) >= (0 if nonnegative or i else layer.inputs)
        reads = assignment(weights[:, :channels] > 0, len(weights) // channels, one_sided)
        mask = np.zeros(weights.shape, dtype=bool)
        used = np.flatnonzero(reads[: len(weights)] >= 0)
        mask[used, reads[used]] = True
        masks.append(mask)
    return masks


# 3. Measure -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WinningMasks:
    """The winning masks of the second matrices, for given gates.

    Attributes:
        instances: the number of subsets within the tolerance, for every instance.
        idle: F, the entries that no instance reads.
    """

    instances: tuple[int, ...]
    idle: int

    @property
    def number(self) -> int:
        """Exact."""
        return math.prod(self.instances) << self.idle

    @property
    def bits(self) -> float:
        """log2 of the number; -infinity if there is none."""
        return -math.inf if 0 in self.instances else self.idle + math.fsum(map(math.log2, self.instances))


@dataclass(frozen=True, eq=False)
class Side:
    """The instances of one input and sign, one per output: they share their first weights u.

    Attributes:
        entering: u, int64 (n,) in units of 2^-24.
        samples: u v, int64 (outputs, n) in units of 2^-48.
        targets: int64 (outputs,) in units of 2^-48.
        tolerance: in units of 2^-48.
    """

    entering: NDArray[np.int64]
    samples: NDArray[np.int64]
    targets: NDArray[np.int64]
    tolerance: int

    @property
    def empty_wins(self) -> NDArray[np.int64]:
        """int64 (outputs,): 1 where the empty subset is within the tolerance."""
        return (np.abs(self.targets) <= self.tolerance).astype(np.int64)

    def counts(self) -> NDArray[np.int64]:
        """(outputs, n + 1): by size."""
        if not self.entering.size:
            return self.empty_wins[:, None]
        return count_by_size(SubsetSums(self.samples, self.targets), self.tolerance)


def winning_masks(
    target: Target, source: Source, opened: Sequence[Gates], tolerances: Sequence[int], nonnegative: bool = False
) -> WinningMasks:
    """Counts the winning masks of the second matrices, exactly.

    Args:
        target: the network to approximate.
        source: the random network.
        opened: one mask per first matrix, see `gates`.
        tolerances: of an entry of the effective errors, per pair, in units of 2^-48.
        nonnegative: whether the inputs of the network are known to be >= 0; those of later layers always are.

    Returns:
        The counts of the instances and the number of idle entries.

    Raises:
        TypeError: a tolerance is not an integer.
        ValueError: something does not fit, a tolerance is negative, or an instance has more than 40 candidates.

    >>> f = Target.from_floats([[[0.5]]])
    >>> g = Source(seed=1, widths=(1, 16, 1))
    >>> winning_masks(f, g, gates(f, g), [1 << 46])
    WinningMasks(instances=(27, 15), idle=0)
    """
    sides, idle = sides_of(target, source, opened, tolerances, nonnegative)
    found: list[int] = []
    for side in sides:
        if side.entering.size:
            found += count_within(SubsetSums(side.samples, side.targets), side.tolerance).tolist()
        else:
            found += side.empty_wins.tolist()
    return WinningMasks(tuple(found), idle)


def winning_masks_by_size(
    target: Target, source: Source, opened: Sequence[Gates], tolerances: Sequence[int], nonnegative: bool = False
) -> list[int]:
    """How many winning masks keep 0, 1, 2, ... entries of the second matrices, exactly; arguments as `winning_masks`.

    The generating functions of the instances are multiplied, and (1 + x)^F for the idle entries, in Python integers.

    >>> f, g = Target.from_floats([[[0.5]]]), Source(seed=1, widths=(1, 6, 1))
    >>> winning_masks_by_size(f, g, gates(f, g), [1 << 46])
    [0, 0, 1, 3, 3, 1, 0]
    """
    sides, idle = sides_of(target, source, opened, tolerances, nonnegative)
    product = np.array([math.comb(idle, k) for k in range(idle + 1)], dtype=object)
    for side in sides:
        for row in side.counts():
            product = np.convolve(product, row.astype(object))
    return [int(number) for number in product]


def predicted_bits(
    target: Target, source: Source, opened: Sequence[Gates], tolerances: Sequence[int], nonnegative: bool = False
) -> float:
    """log2 of the number of winning masks by the law: the sum of log2 lambda(X) over the instances, plus F (heuristic).

    For instances with candidates beyond counting; arguments as `winning_masks`. Meaningless where an instance has few
    candidates or a target out of their reach.

    >>> f, g = Target.from_floats([[[0.25]]]), Source(seed=1, widths=(1, 200, 1))
    >>> round(predicted_bits(f, g, gates(f, g), [1 << 20]))
    141
    """
    sides, idle = sides_of(target, source, opened, tolerances, nonnegative)
    total = float(idle)
    for side in sides:
        if side.entering.size:
            values, wanted = (
                np.ldexp(part.astype(np.float64), -PRODUCT_EXPONENT) for part in (side.samples, side.targets)
            )
            total += float(log2_intensity(values, math.ldexp(side.tolerance, -PRODUCT_EXPONENT), wanted).sum())
        elif not side.empty_wins.all():
            return -math.inf
    return total


def sides_of(
    target: Target, source: Source, opened: Sequence[Gates], tolerances: Sequence[int], nonnegative: bool
) -> tuple[list[Side], int]:
    """All instances, by pair, input and sign, and the number of entries that none reads; as `winning_masks`."""
    check_fit(target, source)
    if len(opened) != target.depth or len(tolerances) != target.depth:
        raise ValueError(
            f"need one mask of gates and one tolerance per layer of the target, {target.depth}; got {len(opened)} "
            f"masks and {len(tolerances)} tolerances"
        )
    if min(index(tolerance) for tolerance in tolerances) < 0:
        raise ValueError(f"tolerances are integers >= 0, in units of 2^-{PRODUCT_EXPONENT}; got {list(tolerances)}")
    sides: list[Side] = []
    idle = 0
    for i, mask in enumerate(opened):
        found = list(_pair_sides(target, source, i, mask, tolerances[i], nonnegative or i > 0))
        idle += math.prod(source.shapes[2 * i + 1]) - sum(side.samples.size for side in found)
        sides += found
    return sides, idle


def _pair_sides(
    target: Target, source: Source, pair: int, mask: Gates, tolerance: int, nonnegative: bool
) -> Iterator[Side]:
    layer, (hidden, columns) = target.layers[pair], source.shapes[2 * pair]
    if mask.shape != (hidden, columns) or mask.dtype != np.bool_ or mask.sum(axis=1).max() > 1:
        raise ValueError(
            f"the gates of pair {pair + 1} are a bool mask of shape {(hidden, columns)} with at most one True per "
            f"row; got {mask.dtype} of shape {mask.shape}: see gates(...)"
        )
    first, second = (source.rows(2 * pair + k, 0, source.shapes[2 * pair + k][0]) for k in (0, 1))
    bias = np.zeros(layer.outputs, dtype=np.int64) if layer.bias is None else layer.bias
    for column in range(columns):
        wanted = bias if column >= layer.inputs else layer.weight[:, column]
        one_sided = nonnegative or column >= layer.inputs
        for sign in (1,) if one_sided else (1, -1):
            units = np.flatnonzero(mask[:, column] & (first[:, column] * sign > 0))
            entering = first[units, column]
            yield Side(entering, second[:, units] * entering, wanted, tolerance)
