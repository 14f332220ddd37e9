"""Samples that are small integers: every target at once, one bit per sum.

Quantised sources have such samples (Kumar and Natale 2026, arXiv 2607.03860). The set of all subset sums is a string
of bits, and adding a sample x is `bits | bits << x`. A negative sample counts as taken from the start and is put back
by adding its modulus, so no sum is below the sum of the negative samples and every shift is to the left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.masks import pack
from slth.subset_sum.problem import Status, Subsets, SubsetSums

LARGEST_RANGE = 1 << 28
"""Bits of one set of sums, sum |samples| + 1, at most: 32 MB."""

LARGEST_TABLE = 1 << 32
"""Bits of all the sets of one row that are kept to read a subset back, (n + 1) (sum |samples| + 1): 512 MB."""


def representable(samples: NDArray[np.int64], largest: int) -> NDArray[np.bool_]:
    """Which integers from -largest to largest are exact subset sums.

    Args:
        samples: int64 (m, n), n >= 0, with sum |samples| < 2^28 in every row. About 0.1 ms for n = 50 samples of
            modulus up to 4096.
        largest: M, from 0 to 2^24.

    Returns:
        bool (m, 2 M + 1): entry z + M says whether some subset of the row has the sum z. The empty subset counts.

    Raises:
        TypeError: the samples are not int64.
        ValueError: a wrong shape, sums out of range, or M out of range.

    >>> representable(np.array([[2, -3]]), 3)
    array([[ True, False,  True,  True, False,  True, False]])
    """
    _checked_samples(samples)
    _checked_largest(largest)
    out = np.zeros((len(samples), 2 * largest + 1), dtype=bool)
    for row, sample in enumerate(samples):
        bits, offset = deque(_sets(sample), maxlen=1)[0]
        out[row] = _between(bits, offset, largest)
    return out


def samples_for_all(samples: NDArray[np.int64], largest: int) -> NDArray[np.int64]:
    """The least number of samples, taken from the left, whose subsets reach every integer from -largest to largest.

    Args:
        samples: int64 (m, n), n >= 0, with sum |samples| < 2^28 in every row.
        largest: M, from 0 to 2^24.

    Returns:
        int64 (m,), from 0 to n; -1 where all n samples leave some integer out.

    Raises:
        TypeError: the samples are not int64.
        ValueError: a wrong shape, sums out of range, or M out of range.

    >>> samples_for_all(np.array([[1, -3, 2, 5], [2, -4, 6, -8]]), 3)
    array([ 3, -1])
    """
    _checked_samples(samples)
    _checked_largest(largest)
    out = np.full(len(samples), -1, dtype=np.int64)
    whole = (1 << (2 * largest + 1)) - 1
    for row, sample in enumerate(samples):
        for count, (bits, offset) in enumerate(_sets(sample)):
            if _window(bits, offset, largest) == whole:
                out[row] = count
                break
    return out


def nearest_integer(problem: SubsetSums) -> Subsets:
    """The subset that minimises |sum - target|, for any number of samples that are small integers.

    Args:
        problem: m instances with sum |samples| < 2^28 and (n + 1) (sum |samples| + 1) <= 2^32 in every row.

    Returns:
        Every row FOUND. Of two sums equally near the larger one is returned, and of several subsets a fixed one.

    Raises:
        ValueError: the samples are too large or too many.

    >>> nearest_integer(SubsetSums(np.array([[3, -5, 9]]), np.array([6]))).residuals
    array([1])
    """
    _checked_samples(problem.samples)
    spread = np.abs(problem.samples).sum(axis=1)
    if ((problem.n + 1) * (spread + 1) > LARGEST_TABLE).any():
        row = int(spread.argmax())
        raise ValueError(
            f"row {row} has {problem.n} samples with sum |samples| = {spread[row]}: reading a subset back would take "
            "more than 2^32 bits; use a coarser unit, fewer samples, or any_within with a tolerance"
        )
    chosen = np.zeros((problem.m, problem.n), dtype=bool)
    for row in range(problem.m):
        _take(problem.samples[row], int(problem.targets[row]), chosen[row])
    return Subsets(problem, pack(chosen), np.full(problem.m, Status.FOUND, dtype=np.uint8))


def represent(problem: SubsetSums) -> Subsets:
    """A subset with exactly the target as its sum, for any number of samples that are small integers.

    Args:
        problem: m instances as for `nearest_integer`.

    Returns:
        One subset per row, FOUND with residual 0, or IMPOSSIBLE: all sums are known.

    Raises:
        ValueError: the samples are too large or too many.

    >>> represent(SubsetSums(np.array([[2, 4, -6], [2, 4, -6]]), np.array([-2, 3]))).status
    array([0, 1], dtype=uint8)
    """
    nearest = nearest_integer(problem)
    status = np.where(nearest.residuals == 0, Status.FOUND, Status.IMPOSSIBLE).astype(np.uint8)
    masks = nearest.masks.copy()
    masks[status != Status.FOUND] = 0
    return Subsets(problem, masks, status)


def _sets(sample: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """(bits, offset) after 0, 1, .. n samples: bit i stands for the sum i - offset."""
    bits, offset = 1, 0
    yield bits, offset
    for x in sample.tolist():
        bits |= bits << abs(x)
        offset += max(0, -x)
        yield bits, offset


def _window(bits: int, offset: int, largest: int) -> int:
    """The bits of the sums from -largest to largest."""
    first = offset - largest
    bits = bits >> first if first >= 0 else bits << -first
    return bits & ((1 << (2 * largest + 1)) - 1)


def _between(bits: int, offset: int, largest: int) -> NDArray[np.bool_]:
    count = 2 * largest + 1
    octets = _window(bits, offset, largest).to_bytes(-(-count // 8), "little")
    return np.unpackbits(np.frombuffer(octets, dtype=np.uint8), count=count, bitorder="little").astype(bool)


def _take(sample: NDArray[np.int64], target: int, chosen: NDArray[np.bool_]) -> None:
    """Marks the subset nearest to the target, reading the sets of sums backwards."""
    sets = list(_sets(sample))
    bits, offset = sets[-1]
    # The nearest set bit at or above the target's place, and the nearest one below it.
    place = min(max(target + offset, 0), bits.bit_length() - 1)
    upper = bits >> place
    above = place + (upper & -upper).bit_length() - 1
    below = (bits & ((1 << place) - 1)).bit_length() - 1
    at = above if below < 0 or above - (target + offset) <= target + offset - below else below
    for i in range(len(sample) - 1, -1, -1):
        x = int(sample[i])
        # Bit `at` stands for a subset with the offset added: without the modulus of x it may be in the set before.
        stays = (sets[i][0] >> at) & 1
        # A negative sample is out when its modulus has been added, a positive one is in.
        chosen[i] = bool(stays) == (x < 0)
        at -= 0 if stays else abs(x)


def _checked_samples(samples: NDArray[np.int64]) -> None:
    if samples.dtype != np.int64:
        raise TypeError(f"samples must be an int64 array of integers; got {samples.dtype}")
    if samples.ndim != 2:
        raise ValueError(f"expected samples (m, n); got shape {samples.shape}: give each instance one row")
    # Moduli are capped so that their sum cannot wrap.
    capped = np.minimum(np.abs(samples).view(np.uint64), np.uint64(LARGEST_RANGE)).sum(axis=1)
    if (capped >= LARGEST_RANGE).any():
        raise ValueError(
            f"row {int(capped.argmax())} has sum |samples| >= 2^28, too many sums to hold one bit for each: use a "
            "coarser unit, or any_within with a tolerance"
        )


def _checked_largest(largest: int) -> None:
    if isinstance(largest, bool) or not isinstance(largest, int | np.integer) or not 0 <= largest <= 1 << 24:
        raise ValueError(f"largest must be an integer from 0 to 2^24; got {largest!r}")
