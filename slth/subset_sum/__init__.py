"""Subset sums of numbers; knows nothing of networks."""

from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import any_within, best, sparsest_within, tolerance_on_grid

__all__ = ["Status", "SubsetSums", "Subsets", "any_within", "best", "sparsest_within", "tolerance_on_grid"]
