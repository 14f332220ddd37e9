"""The theorems. Adding one is adding its file, its test and one line here."""

from slth.theorems import lueker1998_subset_sum, pensia2020_lower, pensia2020_subset_sum

CONSTRUCTIONS = (pensia2020_subset_sum,)
"""Theorems that build a ticket."""

BOUNDS = (lueker1998_subset_sum, pensia2020_lower)
"""Theorems that state a bound only."""

ALL = (*CONSTRUCTIONS, *BOUNDS)
