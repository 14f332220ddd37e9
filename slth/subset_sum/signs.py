"""Coefficients -1, +1 (number partitioning) and -1, 0, +1 in place of subsets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import pairs
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import any_within, best, checked_tolerances

LARGEST_TERNARY = 20
"""Samples up to which the ternary minimiser is computed: 2 * 3^10 sorted sums, about 5 ms an instance."""

SHORT = 10
"""Samples that are tried first with both signs, as plain subsets of 20: 3 us an instance."""

LARGEST_SPREAD = 1 << 60
"""sum |x| + |t| must stay below this: the samples are doubled, or appear with both signs."""


@dataclass(frozen=True, eq=False)
class Combinations:
    """One combination sum_i c_i x_i per instance of a problem, its residual recomputed here.

    Args:
        problem: the instances.
        coefficients: int8 (m, n), each -1, 0 or 1; all 0 in a row that is not FOUND.
        status: uint8 (m,), values of `Status`.

    `residuals` is int64 (m,), sum - target in grid units: -target where nothing was found.

    Raises:
        ValueError: wrong shape or dtype, another coefficient, or a combination stored for a row that is not FOUND.

    >>> problem = SubsetSums(np.array([[3, -5, 9]]), np.array([4]))
    >>> Combinations(problem, np.array([[1, -1, 0]], dtype=np.int8), np.zeros(1, dtype=np.uint8)).residuals
    array([4])
    """

    problem: SubsetSums
    coefficients: NDArray[np.int8]
    status: NDArray[np.uint8]
    residuals: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.problem.m, self.problem.n)
        if self.coefficients.dtype != np.int8 or self.coefficients.shape != shape:
            raise ValueError(
                f"coefficients must be int8 of shape {shape}; got {self.coefficients.dtype}, {self.coefficients.shape}"
            )
        if self.status.dtype != np.uint8 or self.status.shape != shape[:1]:
            raise ValueError(f"status must be uint8 of shape {shape[:1]}; got {self.status.dtype}, {self.status.shape}")
        if not np.isin(self.coefficients, (-1, 0, 1)).all():
            raise ValueError("every coefficient must be -1, 0 or 1")
        if self.coefficients[self.status != Status.FOUND].any():
            raise ValueError("a row that is not FOUND must have coefficients 0")
        sums = (self.problem.samples * self.coefficients).sum(axis=1)
        object.__setattr__(self, "residuals", sums - self.problem.targets)


def best_signs(problem: SubsetSums) -> Combinations:
    """Signs c_i = -1 or +1 that minimise |sum c_i x_i - target|: all samples are used.

    With S the sum of the samples of sign +1, sum c_i x_i = 2 S - sum x_i: the subset sum of the doubled samples with
    target + sum x_i, at the same distance, parity included. Target 0 is number partitioning.

    Args:
        problem: m instances with n <= 48 samples and sum |samples| + |target| < 2^59.

    Returns:
        Every row FOUND.

    Raises:
        ValueError: n > 48, or numbers too large.

    >>> best_signs(SubsetSums(np.array([[3, 5, 9]]), np.array([0]))).coefficients
    array([[-1, -1,  1]], dtype=int8)
    """
    return _signs(problem, best(_doubled(problem)))


def signs_within(problem: SubsetSums, tolerance: int | NDArray[np.int64]) -> Combinations:
    """Signs c_i = -1 or +1 with |sum c_i x_i - target| <= tolerance.

    Args:
        problem: m instances with any number of samples and sum |samples| + |target| < 2^59.
        tolerance: grid units, an integer >= 0 or int64 (m,).

    Returns:
        For n <= 34 every row FOUND or IMPOSSIBLE; above that a row may end UNRESOLVED.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape, or numbers too large.

    >>> signs_within(SubsetSums(np.array([[3, 5, 9], [2, 4, 8]]), np.array([1, 1])), 0).status
    array([0, 1], dtype=uint8)
    """
    return _signs(problem, any_within(_doubled(problem), tolerance))


def best_ternary(problem: SubsetSums) -> Combinations:
    """Coefficients -1, 0 or +1 that minimise |sum c_i x_i - target|, by two sorted lists of 3^(n/2) sums.

    Args:
        problem: m instances with n <= 20 samples and sum |samples| + |target| < 2^60.

    Returns:
        Every row FOUND. Of several minimisers a fixed one is returned.

    Raises:
        ValueError: n > 20, or numbers too large.

    >>> best_ternary(SubsetSums(np.array([[3, 5, 9]]), np.array([-6]))).coefficients
    array([[ 1,  0, -1]], dtype=int8)
    """
    if problem.n > LARGEST_TERNARY:
        raise ValueError(
            f"the ternary minimiser is limited to n <= {LARGEST_TERNARY} samples; got n = {problem.n}: give a "
            "tolerance and use ternary_within, or keep fewer candidates"
        )
    _checked_spread(problem, LARGEST_SPREAD)
    coefficients = np.zeros((problem.m, problem.n), dtype=np.int8)

    def solve(start: int, stop: int) -> None:
        for row in range(start, stop):
            coefficients[row] = _nearest_ternary(problem.samples[row], int(problem.targets[row]))

    in_pieces(solve, problem.m, 1)
    return Combinations(problem, coefficients, np.full(problem.m, Status.FOUND, dtype=np.uint8))


def ternary_within(problem: SubsetSums, tolerance: int | NDArray[np.int64]) -> Combinations:
    """Coefficients -1, 0 or +1 with |sum c_i x_i - target| <= tolerance.

    A subset of the samples and their negatives, x and -x together standing for 0. For n <= 20 only the first ten
    samples are tried in this way, and the minimiser settles what they leave open.

    Args:
        problem: m instances with any number of samples and sum |samples| + |target| < 2^60.
        tolerance: grid units, an integer >= 0 or int64 (m,).

    Returns:
        For n <= 20 every row FOUND or IMPOSSIBLE; above that a row may end UNRESOLVED.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape, or numbers too large.

    >>> ternary_within(SubsetSums(np.array([[3, 5, 9], [2, 4, 8]]), np.array([-6, 1])), 0).status
    array([0, 1], dtype=uint8)
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    _checked_spread(problem, LARGEST_SPREAD)
    width = problem.n if problem.n > LARGEST_TERNARY else min(problem.n, SHORT)
    first = problem.samples[:, :width]
    both = any_within(SubsetSums(np.hstack([first, -first]), problem.targets), tolerances)
    chosen = both.chosen.astype(np.int8)
    coefficients = np.zeros((problem.m, problem.n), dtype=np.int8)
    coefficients[:, :width] = chosen[:, :width] - chosen[:, width:]
    status = both.status.copy()
    if width < problem.n:
        status[status != Status.FOUND] = Status.UNRESOLVED
    rows = np.flatnonzero(status == Status.UNRESOLVED)
    if problem.n <= LARGEST_TERNARY and len(rows):
        nearest = best_ternary(SubsetSums(problem.samples[rows], problem.targets[rows]))
        within = np.abs(nearest.residuals) <= tolerances[rows]
        status[rows] = np.where(within, Status.FOUND, Status.IMPOSSIBLE)
        coefficients[rows[within]] = nearest.coefficients[within]
    return Combinations(problem, coefficients, status)


def _signs(problem: SubsetSums, answer: Subsets) -> Combinations:
    found = (answer.status == Status.FOUND)[:, None]
    coefficients = np.where(found, 2 * answer.chosen.astype(np.int8) - np.int8(1), 0).astype(np.int8)
    return Combinations(problem, coefficients, answer.status)


def _doubled(problem: SubsetSums) -> SubsetSums:
    # Doubled samples, the target and the total together stay below 3 * 2^59 < 2^61.
    _checked_spread(problem, LARGEST_SPREAD // 2)
    return SubsetSums(2 * problem.samples, problem.targets + problem.samples.sum(axis=1))


def _checked_spread(problem: SubsetSums, limit: int) -> None:
    spread = np.abs(problem.samples).sum(axis=1) + np.abs(problem.targets)
    if (spread >= limit).any():
        raise ValueError(
            f"row {int(spread.argmax())} has sum |samples| + |target| >= 2^{limit.bit_length() - 1}, where sums with "
            "both signs could leave the range: use a coarser unit (a smaller exponent)"
        )


def _nearest_ternary(sample: NDArray[np.int64], target: int) -> NDArray[np.int64]:
    half = len(sample) // 2
    low, high = _ternary_sums(sample[:half]), _ternary_sums(sample[half:])
    one, other = pairs.closest_pair(np.sort(low), np.sort(high), target)
    places = int(np.flatnonzero(low == one)[0]), int(np.flatnonzero(high == other)[0])
    digits = [
        place // 3**i % 3 - 1 for place, n in zip(places, (half, len(sample) - half), strict=True) for i in range(n)
    ]
    return np.array(digits, dtype=np.int64)


def _ternary_sums(sample: NDArray[np.int64]) -> NDArray[np.int64]:
    """Entry sum_i 3^i (c_i + 1): the sum of c_i x_i."""
    sums = np.zeros(1, dtype=np.int64)
    for x in sample:
        sums = np.concatenate([sums - x, sums, sums + x])
    return sums
