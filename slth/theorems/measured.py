"""What has been measured about each theorem: the rows of a JSON file beside this module, written by a benchmark."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

FILE = "measured.json"
"""Written by benchmarks/theorems.py, which holds the definition of every number."""


def rows(name: str) -> list[dict[str, Any]]:
    """The measurements of a theorem, one row per setting; empty if there are none.

    Args:
        name: of the theorem's module.

    >>> rows("no theorem of this name")
    []
    """
    held = files("slth.theorems").joinpath(FILE)
    if not held.is_file():
        return []
    table: list[dict[str, Any]] = json.loads(held.read_text(encoding="utf-8"))["rows"]
    return [{key: value for key, value in row.items() if key != "theorem"} for row in table if row["theorem"] == name]
