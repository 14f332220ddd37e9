"""The question of Natale et al. (2024, arXiv 2410.14754): subsets that take a given share of their candidates."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from slth.subset_sum.few_of_many import LARGEST_MINIMISED, few_exactly, few_within
from slth.subset_sum.masks import pack
from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import exactly
from slth.subset_sum.steering import steered

DENSITY = Fraction(1, 4)
"""gamma', the share of its candidates that a subset takes, unless another one is asked for."""


def checked_density(density: Fraction | float, top: Fraction = Fraction(1)) -> Fraction:
    if not 0 < density <= top:
        raise ValueError(f"the density of the subsets must lie in (0, {top}]; got {density}")
    return Fraction(density).limit_denominator(10**6)


def subset_size(density: Fraction, n: int) -> int:
    """k = floor(density n), but at least 1.

    >>> subset_size(Fraction(1, 4), 35), subset_size(Fraction(1, 4), 3)
    (8, 1)
    """
    return max(1, n * density.numerator // density.denominator)


def exactly_k(density: Fraction | float = DENSITY) -> Callable[[SubsetSums, int], Subsets]:
    """The question of sparse tickets: exactly k = floor(density n) of the n candidates, within the tolerance.

    Up to 34 candidates, and for k or n - k up to 4, the nearest subset of size k. Beyond, steered subsets, then the
    search of `few_within`; a miss gets the nearest steered subset. Whatever happens, a subset has exactly k elements.

    Args:
        density: gamma' in (0, 1], taken as a fraction with a denominator of at most 10^6.

    Raises:
        ValueError: the density is out of its range.

    >>> exactly_k(0.5)(SubsetSums(np.array([[3, -5, 9, 4]]), np.array([5])), 1).sizes
    array([2])
    """
    share = checked_density(density)

    def question(problem: SubsetSums, tolerance: int) -> Subsets:
        return _of_size(problem, subset_size(share, problem.n), tolerance)

    question.__name__ = f"exactly_k({share})"
    return question


def _of_size(problem: SubsetSums, k: int, tolerance: int) -> Subsets:
    """Subsets of exactly k samples, every row FOUND; those beyond the tolerance are as near as was searched."""
    if problem.n <= LARGEST_BATCHED:
        return exactly(problem, k)
    if problem.n <= LARGEST_MINIMISED.get(min(k, problem.n - k), 0):
        return few_exactly(problem, k)
    first = steered(problem, k, tolerance).answer
    masks, left = first.masks.copy(), np.flatnonzero(first.status != Status.FOUND)
    searches: tuple[Callable[[SubsetSums], Subsets], ...] = (
        lambda part: few_within(part, k, tolerance),
        lambda part: steered(part, k).answer,
        lambda part: _extreme(part, k),
    )
    for search in searches:
        if not left.size:
            break
        found = search(SubsetSums(problem.samples[left], problem.targets[left]))
        masks[left] = found.masks
        left = left[found.status != Status.FOUND]
    return Subsets(problem, masks, np.full(problem.m, Status.FOUND, dtype=np.uint8))


def _extreme(problem: SubsetSums, k: int) -> Subsets:
    """The k largest or the k smallest samples, whichever is nearer: for targets beyond the reach of steering."""
    order = np.argsort(problem.samples, axis=1, kind="stable")
    chosen = np.zeros((2, *problem.samples.shape), dtype=bool)
    np.put_along_axis(chosen[0], order[:, :k], True, axis=1)
    np.put_along_axis(chosen[1], order[:, problem.n - k :], True, axis=1)
    every = np.full(problem.m, Status.FOUND, dtype=np.uint8)
    low, high = (Subsets(problem, pack(one), every) for one in chosen)
    nearer = np.abs(low.residuals) <= np.abs(high.residuals)
    return Subsets(problem, np.where(nearer[:, None], low.masks, high.masks), every)
