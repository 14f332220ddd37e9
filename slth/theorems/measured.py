"""What has been measured about each theorem: the rows of a JSON file beside this module, written by a benchmark."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

FILE = "measured.json"
"""Written by benchmarks/theorems.py, which says what every number is; each part has the command that measured it."""


def rows(name: str) -> list[dict[str, Any]]:
    """The measurements of a theorem.

    Args:
        name: of the theorem's module.

    Returns:
        For a theorem that builds a ticket one row per setting. For one that states a bound only one row per bound on a
        measured number, with its claim, the interval of the number (`from`, `to`) and a verdict. Empty if there are
        none.

    >>> rows("no theorem of this name")
    []
    >>> row = rows("pensia2020_lower")[0]
    >>> row["bound"], row["kind"], row["claims"] <= row["from"], row["verdict"]
    ('PARAMETERS', 'lower', True, 'holds')
    """
    held = files("slth.theorems").joinpath(FILE)
    if not held.is_file():
        return []
    parts: dict[str, Any] = json.loads(held.read_text(encoding="utf-8"))
    return [
        {key: value for key, value in row.items() if key != "theorem"}
        for part in parts.values()
        for row in part["rows"]
        if row["theorem"] == name
    ]
