"""What `slth sweep` is told, as the axes of a grid."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Any


def imported(name: str) -> ModuleType:
    """A theorem module, of the present folder too."""
    from slth.experiments.names import theorem_module

    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a console script does not look there; local workers take this over
    return theorem_module(name)


def theorem(name: str) -> Any:
    """A theorem of the package by a part of its name, else an importable module, of the present folder too."""
    from slth import theorems

    try:
        return theorems.find(name, theorems.CONSTRUCTIONS)
    except ValueError as fault:
        try:
            return imported(name)
        except ModuleNotFoundError as missing:
            if missing.name != name:
                raise ValueError(f"{name} needs {missing.name}, which cannot be imported") from missing
            raise ValueError(f"{fault}, and no module of that name can be imported") from missing


def networks(targets: list[str], width: str | None, depth: str) -> dict[str, Any]:
    """The axes of the targets; `target` values of digits and commas are widths."""
    found: list[Any] = [widths(text) or text for text in targets]
    if width is None:
        return {"target": found or ["digits"]}
    families = found or ["random"]
    return {"target": families, "width": numbers(width), "depth": numbers(depth)}


def widths(text: str) -> tuple[int, ...]:
    """The widths of "16,8,4"; empty for any other text."""
    pieces = text.split(",")
    return tuple(map(int, pieces)) if len(pieces) > 1 and all(piece.strip().isdigit() for piece in pieces) else ()


def numbers(text: str) -> list[int | float]:
    """The numbers of "16,32" or "0.1,1e-3"."""
    try:
        return [int(part) if part.strip().lstrip("-").isdecimal() else float(part) for part in text.split(",")]
    except ValueError as fault:
        raise ValueError(f"expected numbers with commas between, such as 0.1,0.01; got {text!r}") from fault


def option(text: str) -> tuple[str, list[Any]]:
    """The name and the values of "density=0.2,0.5"."""
    name, equals, values = text.partition("=")
    if not (name.strip() and equals and values):
        raise ValueError(f"an option is written name=value, such as density=0.2,0.5; got {text!r}")
    return name.strip(), numbers(values)


def positive(name: str, value: int) -> int:
    """The value, if it is at least 1."""
    if value < 1:
        raise ValueError(f"--{name} must be at least 1; got {value}")
    return value
