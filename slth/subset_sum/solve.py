"""One entry point for each question; the algorithm follows from n, the tolerance and the row itself.

Every answer is deterministic and depends on its own row only: not on the batch around it, the order or the
threads. The empty subset is allowed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.subset_sum import ladder, sparsest
from slth.subset_sum.fixed_size import nearest_of_sizes
from slth.subset_sum.kernels import sums
from slth.subset_sum.minimise import LARGEST_BATCHED, LARGEST_SINGLE, nearest_masks, nearest_single
from slth.subset_sum.problem import Status, Subsets, SubsetSums

LARGEST_TOLERANCE = 1 << 61
"""No residual is larger, so a larger tolerance asks nothing more."""


def best(problem: SubsetSums) -> Subsets:
    """The subset that minimises |sum - target|, exactly.

    Up to 34 samples in bulk (vertical merges, about 4.2 us per instance and core at n = 21); from 35 to 48 one
    instance after the other (0.1 s at 40, 3 s and 300 MB at 48).

    Args:
        problem: m instances with n <= 48 samples.

    Returns:
        Every row FOUND. Of several minimisers a fixed one is returned.

    Raises:
        ValueError: n > 48.

    >>> answer = best(SubsetSums(np.array([[3, -5, 9]]), np.array([6])))
    >>> answer.chosen, answer.residuals
    (array([[ True,  True,  True]]), array([1]))
    """
    if problem.n > LARGEST_SINGLE:
        raise ValueError(
            f"the exact minimiser is limited to n <= {LARGEST_SINGLE} samples; got n = {problem.n}: "
            "give a tolerance and use any_within, or keep fewer candidates"
        )
    if problem.n <= LARGEST_BATCHED:
        masks = nearest_masks(problem)
    else:
        found = [nearest_single(x, int(t)) for x, t in zip(problem.samples, problem.targets, strict=True)]
        masks = np.array(found, dtype=np.uint64)
    return Subsets(problem, masks[:, None], np.full(problem.m, Status.FOUND, dtype=np.uint8))


def any_within(problem: SubsetSums, tolerance: int | NDArray[np.int64]) -> Subsets:
    """Some subset with |sum - target| <= tolerance.

    Blocks of 64 subsets of a short prefix, soon with the samples beyond it taken so that they bring the target near,
    then meeting in the middle on growing prefixes. For n <= 34 every row ends FOUND or IMPOSSIBLE. For n > 34 windows
    of the candidates are searched, and a row may end UNRESOLVED.

    Args:
        problem: m instances with any number of samples.
        tolerance: grid units, an integer >= 0 or int64 (m,).

    Returns:
        One subset per row. IMPOSSIBLE is proved: the target lies outside the range of all sums, or all were
        searched.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape.

    >>> any_within(SubsetSums(np.array([[3, -5, 9], [2, 4, 6]]), np.array([6, 9])), 0).status
    array([1, 1], dtype=uint8)
    >>> any_within(SubsetSums(np.array([[3, -5, 9], [2, 4, 6]]), np.array([6, 9])), 1).residuals
    array([ 1, -1])
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    masks, status = ladder.search(problem, tolerances)
    return _verified(problem, masks, status, tolerances)


def sparsest_within(problem: SubsetSums, tolerance: int | NDArray[np.int64]) -> Subsets:
    """A subset of least size among those with |sum - target| <= tolerance.

    Args:
        problem: m instances with n <= 34 samples.
        tolerance: grid units, an integer >= 0 or int64 (m,).

    Returns:
        One subset per row, FOUND or IMPOSSIBLE. No smaller subset qualifies. Among those of equal size a
        fixed one is returned, not always the closest.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape, or n > 34.

    >>> sparsest_within(SubsetSums(np.array([[3, 4, 7]]), np.array([7])), 0).sizes
    array([1])
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    if problem.n > LARGEST_BATCHED:
        raise ValueError(
            f"the sparsest subset is searched for n <= {LARGEST_BATCHED} samples; got n = {problem.n}: "
            f"keep {LARGEST_BATCHED} candidates, or use any_within"
        )
    masks, status = sparsest.search(problem, tolerances)
    return _verified(problem, masks, status, tolerances)


def exactly(problem: SubsetSums, k: int) -> Subsets:
    """The subset of exactly k samples that minimises |sum - target|.

    Args:
        problem: m instances with n <= 34 samples.
        k: size of the subset, 0 <= k <= n.

    Returns:
        Every row FOUND, of size k. Of several minimisers a fixed one is returned.

    Raises:
        ValueError: n > 34, or k is not an integer from 0 to n.

    >>> exactly(SubsetSums(np.array([[3, -5, 9]]), np.array([6])), 2).residuals
    array([-2])
    """
    masks = _nearest_of_size(problem, k)
    return Subsets(problem, masks[:, None], np.full(problem.m, Status.FOUND, dtype=np.uint8))


def exactly_within(problem: SubsetSums, k: int, tolerance: int | NDArray[np.int64]) -> Subsets:
    """A subset of exactly k samples with |sum - target| <= tolerance.

    Args:
        problem: m instances with n <= 34 samples.
        k: size of the subset, 0 <= k <= n.
        tolerance: grid units, an integer >= 0 or int64 (m,).

    Returns:
        One subset per row, FOUND (the closest of its size) or IMPOSSIBLE.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape; n > 34; or k is not an integer from 0 to n.

    >>> exactly_within(SubsetSums(np.array([[3, -5, 9]]), np.array([6])), 2, 1).status
    array([1], dtype=uint8)
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    nearest = Subsets(problem, _nearest_of_size(problem, k)[:, None], np.full(problem.m, Status.FOUND, dtype=np.uint8))
    within = np.abs(nearest.residuals) <= tolerances
    status = np.where(within, Status.FOUND, Status.IMPOSSIBLE).astype(np.uint8)
    return _verified(problem, nearest.masks, status, tolerances)


def _nearest_of_size(problem: SubsetSums, k: int) -> NDArray[np.uint64]:
    if problem.n > LARGEST_BATCHED:
        raise ValueError(
            f"subsets of fixed size are searched for n <= {LARGEST_BATCHED} samples; got n = {problem.n}: "
            f"use few_exactly (size or n - size up to 4), few_within or steered, or keep {LARGEST_BATCHED} candidates"
        )
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 <= k <= problem.n:
        raise ValueError(f"k must be an integer from 0 to n = {problem.n}; got {k!r}")
    never = np.full(problem.m, -1, dtype=np.int64)
    return nearest_of_sizes(problem, np.arange(problem.m), np.array([k], dtype=np.int64), never)


def tolerance_on_grid(
    epsilon: float | NDArray[np.float64], exponent: ArrayLike, rounding: ArrayLike = 0.0
) -> NDArray[np.int64]:
    """The largest tolerance in grid units that proves |sum - target| <= epsilon for the numbers before
    rounding.

    Args:
        epsilon: >= 0, in the unit of the values.
        exponent: of the problem.
        rounding: of the problem: floor(epsilon 2^exponent) - ceil(rounding 2^exponent) is returned.

    Returns:
        int64 of the broadcast shape, at most 2^61.

    Raises:
        ValueError: epsilon is negative or NaN, or below the rounding of some row.

    >>> tolerance_on_grid(0.01, 24)
    array(167772)
    """
    epsilon = np.asarray(epsilon, dtype=np.float64)
    if not (epsilon >= 0).all():
        raise ValueError(f"epsilon must be >= 0; got {float(epsilon.min())}")
    exponent = np.asarray(exponent)
    # ldexp is exact but for underflow, which floor turns into the same 0, and overflow, which the minimum
    # cuts off.
    with np.errstate(over="ignore", under="ignore"):
        allowed = np.minimum(np.floor(np.ldexp(epsilon, exponent)), float(LARGEST_TOLERANCE))
        used = np.minimum(np.ceil(np.ldexp(np.asarray(rounding, dtype=np.float64), exponent)), 2.0**62)
    left = allowed.astype(np.int64) - used.astype(np.int64)
    if (left < 0).any():
        raise ValueError(
            f"epsilon {float(epsilon.min()):g} is below the rounding of {int((left < 0).sum())} rows, so no "
            "subset could be certified: use a larger epsilon or data of smaller range"
        )
    return np.asarray(left)


def checked_tolerances(tolerance: int | NDArray[np.int64], m: int) -> NDArray[np.int64]:
    array = np.asarray(tolerance)
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"tolerance must be an integer in grid units; got {array.dtype}: convert it with tolerance_on_grid"
        )
    if array.shape not in ((), (m,)):
        raise ValueError(f"tolerance must be one integer or an array of shape ({m},); got shape {array.shape}")
    if array.size and array.min() < 0:
        raise ValueError(f"tolerance must be >= 0; got {array.min()}")
    return np.ascontiguousarray(np.broadcast_to(np.minimum(array, LARGEST_TOLERANCE).astype(np.int64), (m,)))


def _verified(
    problem: SubsetSums, masks: NDArray[np.uint64], status: NDArray[np.uint8], tolerances: NDArray[np.int64]
) -> Subsets:
    sums.empty_unfound(masks, status)
    answer = Subsets(problem, masks, status)
    wrong = int(sums.count_misses(answer.residuals, status, tolerances))
    if wrong:
        raise AssertionError(f"{wrong} stored subsets miss the tolerance: please report this as a bug")
    return answer
