"""Subset sums of numbers; knows nothing of networks. One question, one function."""

from slth.subset_sum.bulk import BulkAnswer, solve_bulk
from slth.subset_sum.cells import batch, cells_needed, golden_edges, golden_greedy, golden_within
from slth.subset_sum.counting import count_by_size, count_within
from slth.subset_sum.coverage import WorstErrors, covers, worst_errors
from slth.subset_sum.exact_integer import nearest_integer, represent, representable, samples_for_all
from slth.subset_sum.few_of_many import few_exactly, few_within, sparsest_few
from slth.subset_sum.lazy import LazySubsetSums
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.shared_samples import SharedSubsets, any_for_all, nearest_for_all
from slth.subset_sum.signs import Combinations, best_signs, best_ternary, signs_within, ternary_within
from slth.subset_sum.solve import any_within, best, exactly, exactly_within, sparsest_within, tolerance_on_grid
from slth.subset_sum.steering import Steered, steered
from slth.subset_sum.tensor_counts import (
    ArrayCounts,
    ArrayErrors,
    count_arrays,
    cover_arrays,
    integer_arrays,
    worst_error_arrays,
)
from slth.subset_sum.tensors import ArrayAnswer, solve_arrays
from slth.subset_sum.vector import best_vector, vector_within
from slth.subset_sum.vector_problem import VectorSubsets, VectorSums
from slth.subset_sum.window import trimmed_within

__all__ = [
    "ArrayAnswer",
    "ArrayCounts",
    "ArrayErrors",
    "BulkAnswer",
    "Combinations",
    "LazySubsetSums",
    "SharedSubsets",
    "Status",
    "Steered",
    "SubsetSums",
    "Subsets",
    "VectorSubsets",
    "VectorSums",
    "WorstErrors",
    "any_for_all",
    "any_within",
    "batch",
    "best",
    "best_signs",
    "best_ternary",
    "best_vector",
    "cells_needed",
    "count_arrays",
    "count_by_size",
    "count_within",
    "cover_arrays",
    "covers",
    "exactly",
    "exactly_within",
    "few_exactly",
    "few_within",
    "golden_edges",
    "golden_greedy",
    "golden_within",
    "integer_arrays",
    "nearest_for_all",
    "nearest_integer",
    "represent",
    "representable",
    "samples_for_all",
    "signs_within",
    "solve_arrays",
    "solve_bulk",
    "sparsest_few",
    "sparsest_within",
    "steered",
    "ternary_within",
    "tolerance_on_grid",
    "trimmed_within",
    "vector_within",
    "worst_error_arrays",
    "worst_errors",
]
