"""Imports point downwards only; heavy and dangerous packages stay where they belong."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "slth"

LAYERS = (
    {"references", "symbols", "grid", "laws", "randomness", "confidence", "fits", "lines", "power", "atomic", "roots"},
    {"bounds", "subset_sum"},
    {"networks", "assignment", "gadget"},
    {"errors", "certificates"},
    {"theorems", "finders"},
    {"experiments"},
    {"plots", "report"},
    {"cli", "commands", "console", "demo", "table", "__main__", "__init__"},
)
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}
TOP = len(LAYERS) - 1

FAMILIES = ("commands", "plots")
"""Modules whose name starts with one of these, and an underscore, have its place."""

WITHIN_A_LAYER = {
    ("laws", "grid"),
    ("gadget", "networks"),
    ("gadget", "assignment"),
    ("certificates", "errors"),
    ("fits", "confidence"),
    ("lines", "confidence"),
    ("fits", "lines"),
    ("power", "confidence"),
    ("report", "plots"),
}
"""Who may import whom beside it. The modules of the top layer may all import each other."""

ONLY_IN = {
    "numba": ("slth.subset_sum.kernels",),
    "triton": ("slth.subset_sum.kernels",),
    "matplotlib": ("slth.plots", "slth.report", "slth.cli", "slth.commands", "slth.console", "slth.demo"),
    "typer": ("slth.cli", "slth.commands", "slth.demo"),
    "rich": ("slth.cli", "slth.commands", "slth.console", "slth.demo"),
    "dask": ("slth.experiments.engines",),
    "distributed": ("slth.experiments.engines",),
    "dask_jobqueue": ("slth.experiments.engines",),
}
NOWHERE = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
BOTTOM_MAY_IMPORT = {"numpy", "scipy", "sympy"}


def imported(source):
    """Every module that the source imports, wherever in the file; "" stands for a relative import."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield ""
            elif node.module == "slth":
                yield from (f"slth.{alias.name}" for alias in node.names)
            else:
                yield node.module


def part(module):
    """The second name of a dotted one: the layer's entry; `plots_laws` and its like belong to `plots`."""
    names = module.split(".")
    first = names[1] if len(names) > 1 else "__init__"
    return next((family for family in FAMILIES if first.startswith(f"{family}_")), first)


def inside(module, places):
    if f"slth.{part(module)}" in places:
        return True
    return any(module == place or module.startswith(place + ".") for place in places)


def violations(module, source):
    """What the imports of one module do against the rules, as sentences."""
    if part(module) not in LAYER:
        yield f"{module} has no layer"
        return
    own, layer = part(module), LAYER[part(module)]
    for name in imported(source):
        root = name.split(".")[0]
        if not name:
            yield f"{module} has a relative import"
        elif root in NOWHERE:
            yield f"{module} imports {name}"
        elif root in ONLY_IN and not inside(module, ONLY_IN[root]):
            yield f"{module} imports {name}, which belongs in {', '.join(ONLY_IN[root])}"
        elif root == "slth":
            other = part(name)
            below = LAYER.get(other, TOP + 1) < layer
            beside = other == own or (own, other) in WITHIN_A_LAYER or layer == TOP == LAYER.get(other)
            if not (below or beside):
                yield f"{module} (layer {layer}) imports {name} (layer {LAYER.get(other, 'none')})"
        elif layer == 0 and root not in BOTTOM_MAY_IMPORT and not is_standard(root):
            yield f"{module} (layer 0) imports {name}"


def is_standard(root):
    import sys

    return root in sys.stdlib_module_names


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        names = ["slth", *path.relative_to(PACKAGE).with_suffix("").parts]
        # slth/__init__.py itself is an entry of the top layer; a subpackage's __init__ belongs to the
        # subpackage.
        if names[-1] == "__init__" and len(names) > 2:
            names.pop()
        yield ".".join(names), path.read_text(encoding="utf-8")


def test_the_package_keeps_its_layers():
    found = [sentence for module, source in modules() for sentence in violations(module, source)]
    assert found == []


def test_the_checker_reads_every_module():
    names = [name for name, _ in modules()]
    assert {"slth.grid", "slth.bounds", "slth.subset_sum", "slth.theorems", "slth.__init__"} <= set(names)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("slth.grid", "from slth.bounds import Bound"),
        ("slth.grid", "from slth import bounds"),
        ("slth.grid", "import slth.bounds"),
        ("slth.grid", "from slth.laws import Uniform"),
        ("slth.grid", "import torch"),
        ("slth.bounds", "from slth.subset_sum import SubsetSums"),
        ("slth.networks.source", "from slth.gadget import block"),
        ("slth.errors.chain", "from slth.theorems import theorem"),
        ("slth.theorems.theorem", "def f():\n    from slth.plots import save"),
        ("slth.theorems.theorem", "import slth"),
        ("slth.theorems.theorem", "if True:\n    import pickle"),
        ("slth.cli", "from pickle import loads"),
        ("slth.subset_sum.minimise", "from numba import njit"),
        ("slth.subset_sum.kernels_of_another_kind", "import numba"),
        ("slth.experiments.sweep", "import matplotlib.pyplot as plt"),
        ("slth.experiments.sweep", "from rich.table import Table"),
        ("slth.plots", "import typer"),
        ("slth.networks.files", "from . import source"),
        ("slth.helpers", "import numpy"),
        ("slth.grid", "from slth.helpers import help"),
    ],
)
def test_the_checker_catches_a_planted_violation(module, source):
    assert len(list(violations(module, source))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("slth.laws", "from slth.grid import WEIGHT_EXPONENT\nimport numpy as np\nimport math"),
        ("slth.gadget", "from slth.networks.source import Source\nimport torch"),
        ("slth.subset_sum.kernels.cpu", "import numba"),
        ("slth.theorems.pensia2020_subset_sum", "from slth.theorems.lueker1998_subset_sum import FAILURE"),
        ("slth.demo", "from slth import console, plots\nfrom rich.console import Console"),
        ("slth.plots", "from matplotlib.figure import Figure"),
        ("slth.__init__", "from slth.cli import main"),
    ],
)
def test_the_checker_lets_the_allowed_pass(module, source):
    assert list(violations(module, source)) == []
