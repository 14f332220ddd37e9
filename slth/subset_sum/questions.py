"""The questions a construction asks of every subset sum: (instances, tolerance) -> answers.

An instance without a subset within the tolerance gets the nearest subset that can be searched, so that one miss costs
a network as little as possible. It counts as FOUND, for this question; its residual shows the miss, and whoever asks
counts it.
"""

from __future__ import annotations

import numpy as np

from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import any_within, best, sparsest_within

SEARCHED = 32
"""Candidates among which the nearest subset is searched for an instance that missed its tolerance."""


def nearest(problem: SubsetSums, tolerance: int) -> Subsets:
    """The best subset of every instance, whatever the tolerance; n <= 48."""
    return best(problem)


def any_or_nearest(problem: SubsetSums, tolerance: int) -> Subsets:
    """Any subset within the tolerance, else the nearest of the first candidates; any n."""
    return _or_nearest(problem, any_within(problem, tolerance))


def sparsest_or_nearest(problem: SubsetSums, tolerance: int) -> Subsets:
    """The smallest subset within the tolerance, else the nearest; n <= 34."""
    return _or_nearest(problem, sparsest_within(problem, tolerance))


def _or_nearest(problem: SubsetSums, answers: Subsets) -> Subsets:
    missed = np.flatnonzero(answers.status != Status.FOUND)
    if not missed.size:
        return answers
    first = SubsetSums(problem.samples[missed, :SEARCHED], problem.targets[missed])  # units play no part in `best`
    masks = answers.masks.copy()
    masks[missed, 0] = best(first).masks[:, 0]
    return Subsets(problem, masks, np.full(problem.m, Status.FOUND, dtype=np.uint8))
