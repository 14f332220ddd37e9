"""How many subsets qualify."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import counts, merges
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.problem import SubsetSums
from slth.subset_sum.solve import checked_tolerances


def count_within(problem: SubsetSums, tolerance: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """The exact number of subsets with |sum - target| <= tolerance, the empty one included.

    All 2^n subsets are counted by two merges of sorted half sums, whatever the tolerance.

    Args:
        problem: m instances with n <= 34 samples.
        tolerance: grid units, an integer >= 0 or int64 (m,).

    Returns:
        int64 (m,), from 0 to 2^n.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is negative or has the wrong shape, or n > 34.

    >>> count_within(SubsetSums(np.array([[1, 1, 2]]), np.array([2])), 0)
    array([2])
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    if problem.n > LARGEST_BATCHED:
        raise ValueError(
            f"subsets are counted for n <= {LARGEST_BATCHED} samples; got n = {problem.n}: "
            f"keep {LARGEST_BATCHED} candidates"
        )
    top = np.maximum(problem.samples, 0).sum(axis=1)
    bottom = np.minimum(problem.samples, 0).sum(axis=1)
    # No sum lies outside [bottom, top]: clipping the bounds changes no count and keeps the keys in int64.
    bounds = np.empty((problem.m, 2), dtype=np.int64)
    bounds[:, 0] = np.clip(problem.targets - tolerances - 1, bottom - 1, top)
    bounds[:, 1] = np.clip(problem.targets + tolerances, bottom - 1, top)
    at_most = np.empty((problem.m, 2), dtype=np.int64)

    def count(start: int, stop: int) -> None:
        counts.count_at_most(problem.samples[start:stop], bounds[start:stop], at_most[start:stop])

    in_pieces(count, problem.m, merges.LANES)
    return at_most[:, 1] - at_most[:, 0]
