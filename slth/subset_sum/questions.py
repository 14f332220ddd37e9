"""The questions a construction asks of every subset sum: (instances, tolerance) -> answers.

An instance without a subset within the tolerance gets the nearest subset that can be searched, so that one miss costs
a network as little as possible. It counts as FOUND, for this question; its residual shows the miss, and whoever asks
counts it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import any_within, best, sparsest_within

SEARCHED = 26
"""Candidates among which the nearest subset is searched: two bits beyond the 24 of a weight, 30 us an instance. Every
further one would double the 2^(n/2) work for a digit that the other errors of a network hide."""


def nearest(problem: SubsetSums, tolerance: int) -> Subsets:
    """The best subset of the first 26 candidates of every instance, whatever the tolerance; any n."""
    return _or_nearest(problem, np.arange(problem.m), np.zeros((problem.m, -(-problem.n // 64)), dtype=np.uint64))


def any_or_nearest(problem: SubsetSums, tolerance: int) -> Subsets:
    """Any subset within the tolerance, else the best of the first 26 candidates; any n."""
    answers = any_within(problem, tolerance)
    return _or_nearest(problem, np.flatnonzero(answers.status != Status.FOUND), answers.masks)


def sparsest_or_nearest(problem: SubsetSums, tolerance: int) -> Subsets:
    """The smallest subset within the tolerance of the first 34 candidates, else the best of the first 26; any n."""
    first = (
        SubsetSums(problem.samples[:, :LARGEST_BATCHED], problem.targets) if problem.n > LARGEST_BATCHED else problem
    )
    answers = sparsest_within(first, tolerance)
    masks = np.zeros((problem.m, -(-problem.n // 64)), dtype=np.uint64)
    masks[:, :1] = answers.masks
    return _or_nearest(problem, np.flatnonzero(answers.status != Status.FOUND), masks)


def _or_nearest(problem: SubsetSums, missed: NDArray[np.int64], masks: NDArray[np.uint64]) -> Subsets:
    if missed.size:
        # The unit of a row plays no part in `best`, so float problems need not pass theirs on.
        masks[missed, 0] = best(SubsetSums(problem.samples[missed, :SEARCHED], problem.targets[missed])).masks[:, 0]
    return Subsets(problem, masks, np.full(problem.m, Status.FOUND, dtype=np.uint8))
