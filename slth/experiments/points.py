"""Points of a sweep: plain dictionaries that name everything one draw depends on, and their keys.

A grid gives each axis one value or a list of them; its points are the product. A point holds text and numbers only, so
that it can be written down, sent to another machine and hashed; functions stand in it by name.
"""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np

from slth import assignment as assignments
from slth.experiments.names import OWN_PACKAGE as OWN_PACKAGE
from slth.experiments.names import device_name, file_name, is_file, law_text, theorem_name
from slth.experiments.names import function_called as function_called
from slth.experiments.names import function_name as function_name
from slth.networks import examples
from slth.randomness import check_seed
from slth.subset_sum import questions
from slth.theorems.theorem import Theorem

Point = dict[str, Any]
"""One draw: theorem, target, widths, target_seed, epsilon, delta, samples, question, assignment, law, options, seed and
trial; inputs and device where they are asked for; effort where only the verdict is."""

Axes = dict[str, list[Any]]
"""The values of every axis, as plain text and numbers."""

DEFAULTS: dict[str, Any] = {
    "target": "random",
    "target_seed": 0,
    "epsilon": 0.01,
    "delta": 0.05,
    "samples": None,
    "question": None,
    "assignment": "block",
    "law": None,
    "seed": 0,
    "trial": 0,
}
SHAPES = ("widths", "width", "depth")
SAMPLING = ("inputs", "device")  # in a point only if they are asked for


def canonical(value: object) -> str:
    """JSON with sorted names and no spaces: equal values give equal text on every machine.

    Raises:
        ValueError: a number is NaN or infinite.
        TypeError: a value is not plain.

    >>> canonical({"b": 1, "a": [0.5, None]})
    '{"a":[0.5,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def key(point: Mapping[str, Any]) -> str:
    """The sha256 of a point, in hexadecimal: two draws with the same key are the same draw.

    >>> key({"seed": 1})[:16]
    'fbe47f6d82b435a8'
    """
    return hashlib.sha256(canonical(point).encode()).hexdigest()


def cell(point: Mapping[str, Any]) -> Point:
    """The point without its seed and trial: what repeated draws have in common."""
    return {name: value for name, value in point.items() if name not in ("seed", "trial")}


def axes(theorem: Theorem | ModuleType, grid: Mapping[str, Any]) -> Axes:
    """Every axis of a grid, checked, as plain values.

    Args:
        theorem: a module with a construction, of this package or importable from anywhere.
        grid: a value or a list of values for some of the axes:
            target: "random" (weights U[-1, 1] / sqrt(inputs)), "digits", a .npz or .safetensors file, a function
            (widths, seed) -> Target of an importable module (or its "module:name"), or widths such as (16, 8, 4);
            widths: of the targets that take some, such as (16, 8, 4); or width and depth, for depth + 1 equal widths;
            target_seed, epsilon, delta, samples, question, assignment (functions or their names), law (of the source,
            such as Thinned(0.5) or "thinned:0.5"), seed, trial: as in `slth.verify`; defaults are one value each;
            inputs: random points of the domain at which every ticket is evaluated besides, see
            `slth.experiments.inputs`, and device: where ("cpu" by default);
            any other name: a keyword of the theorem's `source` or `construct`, such as density.

    Returns:
        The values by the name of the axis, each once: a value that is given twice is drawn and counted once.

    Raises:
        ValueError: an axis is unknown, empty or has a value out of its range.

    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> axes(pensia, {"width": [2, 3], "depth": 2})["network"]
    [['random', [2, 2, 2]], ['random', [3, 3, 3]]]
    """
    module = cast(ModuleType, theorem)
    own = options(module)
    known_names = (*DEFAULTS, *SHAPES, *SAMPLING, *own)
    unknown = [name for name in grid if name not in known_names]
    if unknown:
        known = ", ".join(known_names)
        raise ValueError(f"no axis is named {unknown[0]!r}; the axes of {theorem_name(module)} are {known}")
    found: Axes = {"theorem": [theorem_name(module)], "network": _networks(grid)}
    for name, default in DEFAULTS.items():
        if name != "target":
            found[name] = [_plain(name, value) for value in _listed(name, grid.get(name, default))]
    if "device" in grid and "inputs" not in grid:
        raise ValueError("the device is where inputs are evaluated: give the axis inputs too")
    for name in SAMPLING * ("inputs" in grid):
        found[name] = [_plain(name, value) for value in _listed(name, grid.get(name, "cpu"))]
    for name in own:
        if name in grid:
            found[f"option {name}"] = [_number(name, value) for value in _listed(name, grid[name])]
    return {name: list({canonical(value): value for value in values}.values()) for name, values in found.items()}


def points(table: Axes) -> Iterator[Point]:
    """The points of the axes; the seed and the trial run fastest.

    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> [point["seed"] for point in points(axes(pensia, {"width": 2, "depth": 1, "seed": range(3)}))]
    [0, 1, 2]
    """
    names = sorted(table, key=lambda name: (name in ("seed", "trial"), name == "trial"))
    for values in itertools.product(*(table[name] for name in names)):
        point: Point = {"options": {}}
        for name, value in zip(names, values, strict=True):
            if name == "network":
                point["target"], point["widths"] = value
            elif name.startswith("option "):
                point["options"][name.removeprefix("option ")] = value
            else:
                point[name] = value
        yield point


def options(module: ModuleType) -> tuple[str, ...]:
    """Keywords of a theorem's `source` and `construct` beyond those of every theorem, such as density."""
    usual = {"target", "source", "epsilon", "delta", "seed", "samples", "trial", "question", "assignment", "advance"}
    found: dict[str, None] = {}
    for part in ("source", "construct"):
        if not callable(getattr(module, part, None)):
            raise ValueError(f"{module.__name__} has no function {part}: a sweep needs a theorem that builds a ticket")
        found |= dict.fromkeys(name for name in inspect.signature(getattr(module, part)).parameters)
    return tuple(name for name in found if name not in usual)


def _networks(grid: Mapping[str, Any]) -> list[list[Any]]:
    """Pairs of a family of targets and widths; None for targets whose widths are given."""
    shapes = _shapes(grid)
    found: list[list[Any]] = []
    for family in _listed("target", grid.get("target", DEFAULTS["target"])):
        if isinstance(family, Sequence) and not isinstance(family, str):
            found.append(["random", _widths(family)])
        elif family == "digits":
            found.append(["digits", None])
        elif isinstance(family, str | Path) and is_file(str(family)):
            found.append([file_name(family), None])
        else:
            name = "random" if family == "random" else _family(family)
            if not shapes:
                raise ValueError(f"targets {name!r} need widths: give the axis widths, or width and depth")
            found += [[name, widths] for widths in shapes]
    if shapes and not any(widths in shapes for _, widths in found):
        raise ValueError(f"no target of the grid takes widths, but widths {shapes[0]} are given: leave one of them out")
    return found


def _family(family: Any) -> str:
    try:
        return function_name(family, examples)
    except (ValueError, ImportError) as fault:
        raise ValueError(
            f"a target is random, digits, widths such as 16,8,4, a .npz or .safetensors file, or a function called "
            f"module:name; got {family!r} ({fault})"
        ) from fault


def _shapes(grid: Mapping[str, Any]) -> list[list[int]]:
    if "widths" in grid:
        if "width" in grid or "depth" in grid:
            raise ValueError("give either widths, or width and depth; got both")
        return [_widths(widths) for widths in _listed("widths", grid["widths"])]
    if "width" not in grid and "depth" not in grid:
        return []
    if "width" not in grid:
        raise ValueError("depth needs the axis width: depth + 1 layers of units, all of that width")
    widths, depths = _listed("width", grid["width"]), _listed("depth", grid.get("depth", 2))
    if min(map(_integer, depths)) < 1:
        raise ValueError(f"a depth is at least 1; got {depths}")
    return [_widths([width] * (_integer(depth) + 1)) for width in widths for depth in depths]


def _widths(values: Any) -> list[int]:
    widths = [_integer(value) for value in values]
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"need at least two widths, all >= 1, such as 16,8,4; got {widths}")
    return widths


def _listed(name: str, values: Any) -> list[Any]:
    """The values of one axis; a single value, or single widths, count as a list of one."""
    several = isinstance(values, Sequence | np.ndarray) and not isinstance(values, str)
    if not several:
        return [values]
    whole = (
        name in ("widths", "target") and len(values) and all(isinstance(value, int | np.integer) for value in values)
    )
    listed = [values] if whole else list(values)
    if not listed:
        raise ValueError(f"the axis {name} has no values: give one or leave it out")
    return listed


def _plain(name: str, value: Any) -> Any:
    """A value as text or a plain number, in its range."""
    if name in ("epsilon", "delta"):
        number = float(value)
        if not (0 < number < (1 if name == "delta" else math.inf)):
            raise ValueError(f"{name} must be positive{' and below 1' * (name == 'delta')}; got {value}")
        return number
    if value is None and name in ("samples", "question", "law"):
        return None
    if name == "question":
        return function_name(value, questions)
    if name == "assignment":
        return function_name(value, assignments)
    if name == "law":
        return law_text(value)
    if name == "device":
        return device_name(value)
    number = _integer(value)
    if name in ("seed", "target_seed"):
        return check_seed(number)
    least = int(name in ("samples", "inputs"))
    if not least <= number < 1 << 48:
        raise ValueError(f"{name} must be an integer from {least} to 2^48 - 1; got {value}")
    return number


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"expected an integer; got {value!r}")
    return int(value)


def _number(name: str, value: Any) -> Any:
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return float(value)
    raise ValueError(f"the option {name} must be a finite number or a text; got {value!r}")
