"""Theorems, functions, laws and files as text, and back: what a point says on one machine means the same on another."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch

from slth.laws import Dyadic, Law, LogUniform, Signs, Thinned, Uniform

LAWS: dict[str, Callable[..., Law]] = {
    "uniform": Uniform,
    "loguniform": LogUniform,
    "signs": Signs,
    "dyadic": Dyadic,
    "thinned": Thinned,
}
OWN_PACKAGE = "slth.theorems."
FILES = (".npz", ".safetensors")


def theorem_name(module: ModuleType) -> str:
    """How a theorem stands in a point: the file name for those of this package, else the import path.

    Raises:
        ValueError: the module cannot be imported by its name.
    """
    if module.__name__ == "__main__":
        raise ValueError("a theorem of the running script cannot be imported elsewhere: put it into a file of its own")
    return module.__name__.removeprefix(OWN_PACKAGE)


def theorem_module(name: str) -> ModuleType:
    """The theorem that `theorem_name` named.

    Raises:
        ModuleNotFoundError: there is none; the message says where it was looked for.
    """
    try:
        return import_module(OWN_PACKAGE + name if "." not in name else name)
    except ModuleNotFoundError as fault:
        if "." in name or fault.name != OWN_PACKAGE + name:
            raise
    try:
        return import_module(name)
    except ModuleNotFoundError as fault:
        if fault.name != name:
            raise
        raise ModuleNotFoundError(
            f"there is no theorem {name!r} in slth.theorems and no module of that name can be imported: check the name "
            "with slth list, or put the folder of your file into PYTHONPATH, on the workers too",
            name=name,
        ) from fault


def function_name(function: Callable[..., Any] | str, home: ModuleType) -> str:
    """How a function stands in a point: its name, with its module unless that is `home`.

    Raises:
        ValueError: it cannot be imported by that name.
    """
    if not isinstance(function, str):
        name, module = getattr(function, "__qualname__", "?"), getattr(function, "__module__", "?")
        function = name if module == home.__name__ else f"{module}:{name}"
    function_called(function, home)
    return function


def function_called(name: str, home: ModuleType) -> Callable[..., Any]:
    """The function that `function_name` named.

    Raises:
        ValueError: there is none.
    """
    module, _, attribute = name.rpartition(":")
    if module == "__main__":
        raise ValueError(f"{name} belongs to the running script: put it into a module that workers can import")
    found = getattr(import_module(module) if module else home, attribute, None)
    # Without a module it must be one of the home's own, not what that imports for itself.
    if not callable(found) or not (module or getattr(found, "__module__", None) == home.__name__):
        raise ValueError(f"no function {attribute!r} in {module or home.__name__}; a function elsewhere is module:name")
    return found


def law_text(law: Law | str) -> str:
    """How a law stands in a point.

    Raises:
        ValueError: it is no law of a source.

    >>> law_text(Thinned(0.5)), law_text("signs")
    ('thinned:0.5,-1.0,1.0', 'signs')
    """
    if isinstance(law, str):
        law = law_called(law)
    values = ",".join(repr(getattr(law, part.name)) for part in dataclasses.fields(law))
    name = type(law).__name__.lower()
    if name not in LAWS:
        raise ValueError(f"a law of a source is one of {', '.join(LAWS)}; got {law}")
    return f"{name}:{values}" if values else name


def law_called(text: str) -> Law:
    """The law of a text such as "uniform:-0.5,0.5", "loguniform:8", "signs", "dyadic:4" or "thinned:0.5".

    Raises:
        ValueError: no such law, or its numbers are wrong.

    >>> law_called("thinned:0.5")
    Thinned(density=0.5, low=-1.0, high=1.0)
    """
    name, _, values = text.partition(":")
    if name not in LAWS:
        raise ValueError(f"no law is named {name!r}; known: {', '.join(LAWS)}, with numbers as in thinned:0.5")
    try:
        numbers = [int(part) if part.strip().isdigit() else float(part) for part in values.split(",") if part]
        return LAWS[name](*numbers)
    except TypeError as fault:
        parts = ", ".join(inspect.signature(LAWS[name]).parameters) or "no numbers"
        raise ValueError(f"the law {name} takes {parts}; got {text!r}") from fault


def file_name(path: str | Path) -> str:
    """A file of weights as it stands in a point: its path and the start of its sha256, lest another file go unnoticed.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return f"{path}#{hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]}"


def is_file(family: str) -> bool:
    """Whether the target of a point comes from a file."""
    return Path(family.partition("#")[0]).suffix in FILES


def device_name(value: object) -> str:
    """The name of a device, such as cuda; it need not be at hand.

    Raises:
        ValueError: torch knows no such device.

    >>> device_name("cuda:1")
    'cuda:1'
    """
    try:
        return str(torch.device(cast(str, value)))
    except (RuntimeError, TypeError) as fault:
        raise ValueError(f"a device is named like cpu, cuda or cuda:1; got {value!r}") from fault
