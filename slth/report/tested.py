"""Files of draws in a folder: claims that were fixed before their draws, with what the draws say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from slth.experiments.conclusions import Conclusion, concluded
from slth.experiments.draw_files import DrawFile, read

SUCCESSES = ("proved", "sums_met")
"""Functions of `slth.experiments.summaries`; another one is not called."""


@dataclass(frozen=True)
class Tested:
    """One file of draws.

    Attributes:
        file: its name.
        theorem: as its manifest names it; "" if it has none that is valid.
        held: manifest and rows; None if the file is refused.
        conclusion: None if it is refused.
        reason: why it is refused.
    """

    file: str
    theorem: str
    held: DrawFile | None
    conclusion: Conclusion | None
    reason: str = ""


def tested(folder: Path) -> list[Tested]:
    """The files of draws of a folder, in the order of their names."""
    return [_tested(path) for path in sorted(folder.glob("*.jsonl")) if path.is_file() and _claims(path)]


def _claims(path: Path) -> bool:
    """Whether the first line says that it is a manifest."""
    with path.open("rb") as file:
        return b'"type":"manifest"' in file.readline(1 << 20)


def _tested(path: Path) -> Tested:
    try:
        held = read(path)
        theorem = str(json.loads(held.manifest.cell)["theorem"])
        if held.manifest.success not in SUCCESSES:
            raise ValueError(f"it counts successes by {held.manifest.success}, which is not of this package")
        return Tested(path.name, theorem, held, concluded(held.manifest, held.rows))
    except (ArithmeticError, KeyError, TypeError, ValueError) as fault:
        return Tested(path.name, "", None, None, f"{type(fault).__name__}: {fault}")
