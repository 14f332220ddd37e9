"""slth: the strong lottery ticket hypothesis, verified by building it.

The public names, by subject. They are imported on first use, so that ``import slth`` and ``slth --help`` stay quick.

>>> import slth
>>> target = slth.random_target([4, 3, 2], seed=0)
>>> found = slth.verify(slth.pensia2020_subset_sum, target, epsilon=0.5, delta=0.1, seed=1, samples=16)
>>> found.error.lower <= found.error.upper
True
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

PUBLIC = {
    # the random network
    "Uniform": "slth.laws",
    "Product": "slth.laws",
    "LogUniform": "slth.laws",
    "Signs": "slth.laws",
    "Dyadic": "slth.laws",
    "Thinned": "slth.laws",
    "Source": "slth.networks.source",
    # the network to approximate
    "Dense": "slth.networks.layers",
    "Target": "slth.networks.target",
    "rescaled": "slth.networks.target",
    "from_torch": "slth.networks.torch_import",
    "load_target": "slth.networks.files",
    "digits": "slth.networks.examples",
    "random_target": "slth.networks.examples",
    # the ticket
    "Ticket": "slth.networks.ticket",
    "to_module": "slth.networks.torch_export",
    "from_module": "slth.networks.torch_export",
    # the gadget
    "EffectiveLayer": "slth.gadget",
    "adaptive": "slth.assignment",
    "block": "slth.assignment",
    "collapse": "slth.gadget",
    "prune_pair": "slth.gadget",
    # subset sums
    "SubsetSums": "slth.subset_sum",
    "Subsets": "slth.subset_sum",
    "Status": "slth.subset_sum",
    "best": "slth.subset_sum",
    "any_within": "slth.subset_sum",
    "sparsest_within": "slth.subset_sum",
    # errors
    "Ball": "slth.errors",
    "Box": "slth.errors",
    "ErrorInterval": "slth.errors",
    "bracket": "slth.errors",
    # certificates
    "Claim": "slth.certificates",
    "load": "slth.certificates",
    "target_digest": "slth.certificates",
    # bounds
    "Bound": "slth.bounds",
    # theorems
    "pensia2020_subset_sum": "slth.theorems",
    "burkholz2022_depth": "slth.theorems",
    "burkholz2022_universal": "slth.theorems",
    "diffenderfer2021_multiprize": "slth.theorems",
    "sreenivasan2022_binary": "slth.theorems",
    "dacunha2023_subset_sum": "slth.theorems",
    "ferre2026_neurons": "slth.theorems",
    "fischer2021_biases": "slth.theorems",
    "gadhikar2023_sparse_source": "slth.theorems",
    "pensia2020_lower": "slth.theorems",
    "grid_law": "slth.theorems",
    "kumar2025_quantised": "slth.theorems",
    "kumar2026_discrete": "slth.theorems",
    "lueker1998_subset_sum": "slth.theorems",
    "malach2020_neurons": "slth.theorems",
    "malach2020_weights": "slth.theorems",
    "natale2024_fixed_size": "slth.theorems",
    "natale2024_sparse": "slth.theorems",
    "exactly_k": "slth.subset_sum.exact_size",
    "orseau2020_logarithmic": "slth.theorems",
    "otsuka2025_frozen": "slth.theorems",
    "xiong2023_perturbation": "slth.theorems",
    "counting": "slth.theorems",
    "counting_networks": "slth.theorems",
    "counting_chances": "slth.theorems",
    "Certificate": "slth.theorems.certificate",
    "verify": "slth.theorems.theorem",
    # many draws, figures
    "binomial_interval": "slth.confidence",
    "anytime_interval": "slth.confidence",
    "fit_bits": "slth.fits",
    "fit_constant": "slth.fits",
    "power": "slth.power",
    "manifest": "slth.experiments.manifests",
    "judge_failures": "slth.experiments.verdicts",
    "sweep": "slth.experiments.sweep",
    "sweep_candidates": "slth.experiments.sweep",
    "smallest_n": "slth.experiments.search",
    "error_intervals": "slth.plots",
}

__all__ = sorted(PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'slth' has no attribute {name!r}; public names: {', '.join(__all__)}")
    return getattr(import_module(PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
