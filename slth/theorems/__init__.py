"""The theorems. Adding one is adding its file, its test and one line here."""

from types import ModuleType

from slth.bounds import Bound
from slth.theorems import (
    burkholz2022_depth,
    burkholz2022_universal,
    counting,
    counting_chances,
    counting_networks,
    dacunha2023_subset_sum,
    diffenderfer2021_multiprize,
    ferre2026_neurons,
    fischer2021_biases,
    gadhikar2023_sparse_source,
    grid_law,
    kumar2025_quantised,
    kumar2026_discrete,
    lueker1998_subset_sum,
    malach2020_neurons,
    malach2020_weights,
    natale2024_fixed_size,
    natale2024_sparse,
    orseau2020_logarithmic,
    otsuka2025_frozen,
    pensia2020_lower,
    pensia2020_subset_sum,
    sreenivasan2022_binary,
    xiong2023_perturbation,
)

CONSTRUCTIONS = (
    malach2020_weights,
    orseau2020_logarithmic,
    pensia2020_subset_sum,
    fischer2021_biases,
    diffenderfer2021_multiprize,
    burkholz2022_depth,
    sreenivasan2022_binary,
    kumar2025_quantised,
    burkholz2022_universal,
    natale2024_sparse,
    gadhikar2023_sparse_source,
    otsuka2025_frozen,
)
"""Theorems that build a ticket."""

BOUNDS = (
    lueker1998_subset_sum,
    dacunha2023_subset_sum,
    grid_law,
    kumar2026_discrete,
    natale2024_fixed_size,
    pensia2020_lower,
    malach2020_neurons,
    ferre2026_neurons,
    xiong2023_perturbation,
    counting,
    counting_networks,
    counting_chances,
)
"""Theorems that state a bound only."""

ALL = (*CONSTRUCTIONS, *BOUNDS)


def name(module: ModuleType) -> str:
    """Of a theorem: the last part of its module's name.

    >>> name(pensia2020_lower)
    'pensia2020_lower'
    """
    return module.__name__.rpartition(".")[2]


def claim(module: ModuleType) -> str:
    """The first paragraph of the theorem's file, in one line."""
    return " ".join((module.__doc__ or "").strip().split("\n\n")[0].split())


def bounds(module: ModuleType) -> dict[str, Bound]:
    """The bounds of a theorem by the names that its file gives them, in the order of the file.

    >>> list(bounds(pensia2020_lower))
    ['PARAMETERS']
    """
    return {label: value for label, value in vars(module).items() if isinstance(value, Bound) and label.isupper()}


def find(text: str, among: tuple[ModuleType, ...] = ALL) -> ModuleType:
    """The theorem with this name, or the only one whose name contains it.

    Args:
        text: a name, or a part of one such as "lueker".
        among: the theorems to look at.

    Raises:
        ValueError: no theorem fits, or several do.

    >>> find("lueker") is lueker1998_subset_sum
    True
    """
    exact = [module for module in among if name(module) == text]
    found = exact or [module for module in among if text and text in name(module)]
    if len(found) != 1:
        fitting = found or among
        says = "several theorems have a name with" if found else "no theorem is named"
        raise ValueError(f"{says} {text!r}; known: {', '.join(name(module) for module in fitting)}")
    return found[0]
