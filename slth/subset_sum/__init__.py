"""Subset sums of numbers; knows nothing of networks."""

from slth.subset_sum.counting import count_within
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import (
    any_within,
    best,
    exactly,
    exactly_within,
    sparsest_within,
    tolerance_on_grid,
)

__all__ = [
    "Status",
    "SubsetSums",
    "Subsets",
    "any_within",
    "best",
    "count_within",
    "exactly",
    "exactly_within",
    "sparsest_within",
    "tolerance_on_grid",
]
