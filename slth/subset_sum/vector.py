"""Subset sums of vectors in the sup norm (Becchetti et al., multidimensional random subset sum, arXiv 2207.13944).

Up to 34 vectors of at most four coordinates, or 26 of any number, every answer is exact: two lists of half sums meet in
a hash table of grid cells and distances are compared in integers. Beyond, a deterministic descent is refined by exact
searches of windows; its answer carries a proved lower bound and stays UNRESOLVED unless the two meet.

Every answer is deterministic and depends on its own row only. The empty subset is allowed unless a size is given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum import solve, vector_descent
from slth.subset_sum.minimise import LARGEST_BATCHED, LARGEST_SINGLE
from slth.subset_sum.problem import Status, Subsets
from slth.subset_sum.vector_problem import VectorSubsets, VectorSums

LADDER = (10, 14, 18, 22, 26, 30, 34)
"""Vectors of the prefixes that are searched for any subset within a tolerance."""

LARGEST_DISTANCE = (1 << 61) - 1


def best_vector(problem: VectorSums, *, size: int | None = None) -> VectorSubsets:
    """The subset whose sum is closest to the target in the sup norm.

    Args:
        problem: m instances.
        size: the number of vectors to take, 0 <= size <= n; any number if not given.

    Returns:
        FOUND, with lower_bounds = distances, where the subset is proved to be a nearest one: always for n <= 34 with
        d <= 4 and for n <= 26, and for d = 1 as far as `best` and `exactly` go (the same subset as theirs). Else
        UNRESOLVED, with the closest subset seen and a proved lower bound: for n <= 34 the largest of the exact optima
        of the single coordinates, beyond it the distance of the target from the range of all sums.

    Raises:
        ValueError: size is not an integer from 0 to n.

    >>> problem = VectorSums(np.array([[[3, 1], [-5, 2], [9, 0]]]), np.array([[5, 2]]))
    >>> answer = best_vector(problem)
    >>> answer.chosen, answer.residuals, answer.distances
    (array([[False,  True,  True]]), array([[-1,  0]]), array([1]))
    >>> best_vector(problem, size=1).residuals
    array([[-2, -1]])
    """
    _check_size(problem, size)
    largest = vector_descent.largest_exact(problem.d)
    if problem.d == 1 and problem.n <= (LARGEST_SINGLE if size is None else LARGEST_BATCHED):
        return _proved(problem, _nearest_in_numbers(problem, 0, size).masks)
    if problem.n <= largest:
        return _proved(problem, _nearest(problem.samples, problem.targets, size)[0][:, None])
    masks, bounds = vector_descent.refine(problem, size), _lower_bounds(problem, size)
    answer = VectorSubsets(problem, masks, np.full(problem.m, Status.UNRESOLVED, dtype=np.uint8), bounds)
    status = np.where(answer.gaps == 0, Status.FOUND, Status.UNRESOLVED).astype(np.uint8)
    return VectorSubsets(problem, masks, status, bounds)


def vector_within(problem: VectorSums, tolerance: int | NDArray[np.int64], *, size: int | None = None) -> VectorSubsets:
    """Some subset whose sum is within the tolerance of the target in every coordinate.

    Prefixes of 10, 14, .. vectors are searched whole, as far as `best_vector` is exact; longer rows then go its way.

    Args:
        problem: m instances.
        tolerance: grid units, an integer >= 0 or int64 (m,).
        size: the number of vectors to take, 0 <= size <= n; any number if not given.

    Returns:
        FOUND, or IMPOSSIBLE (proved; every row without a subset where `best_vector` is exact), or UNRESOLVED with the
        closest subset that was seen.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape, or size is not an integer from 0 to n.

    >>> problem = VectorSums(np.array([[[3, 1], [-5, 2], [9, 0]]]), np.array([[5, 2]]))
    >>> vector_within(problem, 1).residuals, vector_within(problem, 0).status
    (array([[-1,  0]]), array([1], dtype=uint8))
    """
    tolerances = np.minimum(solve.checked_tolerances(tolerance, problem.m), LARGEST_DISTANCE)
    _check_size(problem, size)
    masks = np.zeros((problem.m, -(-problem.n // 64)), dtype=np.uint64)
    status = np.full(problem.m, Status.UNRESOLVED, dtype=np.uint8)
    bounds = _outside(problem.samples, problem.targets, size)
    if problem.d == 1 and size is None:
        numbers = solve.any_within(problem.coordinate(0), tolerances)
        bounds[numbers.status == Status.IMPOSSIBLE] = tolerances[numbers.status == Status.IMPOSSIBLE] + 1
        return VectorSubsets(problem, numbers.masks, numbers.status, bounds)
    status[bounds > tolerances] = Status.IMPOSSIBLE
    largest = vector_descent.largest_exact(problem.d)
    for width in dict.fromkeys(min(step, problem.n, largest) for step in LADDER):
        rows = np.flatnonzero(status == Status.UNRESOLVED)
        if len(rows) and (size is None or size <= width):
            answers, distances = _nearest(problem.samples[rows, :width], problem.targets[rows], size, tolerances[rows])
            masks[rows, 0] = answers
            status[rows[distances >= 0]] = Status.FOUND
    rows = np.flatnonzero(status == Status.UNRESOLVED)
    if problem.n <= largest:
        status[rows] = Status.IMPOSSIBLE
        bounds[rows] = tolerances[rows] + 1
    elif len(rows):
        left = VectorSums(problem.samples[rows], problem.targets[rows])
        nearest = best_vector(left, size=size)
        bounds[rows] = nearest.lower_bounds
        proved = nearest.lower_bounds > tolerances[rows]
        status[rows] = np.where(proved, Status.IMPOSSIBLE, Status.UNRESOLVED)
        status[rows[nearest.distances <= tolerances[rows]]] = Status.FOUND
        masks[rows] = np.where(proved[:, None], np.uint64(0), nearest.masks)
    answer = VectorSubsets(problem, masks, status, bounds)
    if ((status == Status.FOUND) & (answer.distances > tolerances)).any():
        raise AssertionError("a stored subset misses the tolerance: please report this as a bug")
    return answer


def _check_size(problem: VectorSums, size: int | None) -> None:
    if size is not None and (
        isinstance(size, bool) or not isinstance(size, int | np.integer) or not 0 <= size <= problem.n
    ):
        raise ValueError(f"size must be an integer from 0 to n = {problem.n}; got {size!r}")


def _proved(problem: VectorSums, masks: NDArray[np.uint64]) -> VectorSubsets:
    status = np.full(problem.m, Status.FOUND, dtype=np.uint8)
    answer = VectorSubsets(problem, masks, status, np.zeros(problem.m, dtype=np.int64))
    return VectorSubsets(problem, masks, status, answer.distances)


def _nearest(
    samples: NDArray[np.int64],
    targets: NDArray[np.int64],
    size: int | None,
    tolerances: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Masks and distances (m,) of the nearest subsets, or of any within tolerance (-1 where there is none)."""
    m = len(samples)
    sizes = np.full(m, -1 if size is None else size, dtype=np.int64)
    never = np.full(m, -1, dtype=np.int64)
    return vector_descent.search(
        samples, targets, sizes, _outside(samples, targets, size), never if tolerances is None else tolerances
    )


def _nearest_in_numbers(problem: VectorSums, c: int, size: int | None) -> Subsets:
    return solve.best(problem.coordinate(c)) if size is None else solve.exactly(problem.coordinate(c), size)


def _lower_bounds(problem: VectorSums, size: int | None) -> NDArray[np.int64]:
    """(m,): no subset is closer: the largest distance that one coordinate forces."""
    bounds = _outside(problem.samples, problem.targets, size)
    if problem.n <= LARGEST_BATCHED:
        for c in range(problem.d):
            bounds = np.maximum(bounds, np.abs(_nearest_in_numbers(problem, c, size).residuals))
    return bounds


def _outside(samples: NDArray[np.int64], targets: NDArray[np.int64], size: int | None) -> NDArray[np.int64]:
    """(m,): how far the target lies outside the range of all sums, of the size if one is given."""
    if size is None:
        top, bottom = np.maximum(samples, 0).sum(axis=1), np.minimum(samples, 0).sum(axis=1)
    else:
        ordered = np.sort(samples, axis=1)
        top, bottom = ordered[:, ordered.shape[1] - size :].sum(axis=1), ordered[:, :size].sum(axis=1)
    outside: NDArray[np.int64] = np.maximum(targets - top, bottom - targets).max(axis=1)
    return np.maximum(outside, 0)
