"""Files of draws: a manifest and its rows, read with suspicion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from slth.experiments.manifests import FORMAT, Manifest
from slth.experiments.measure import Outcome, Row, row_hash
from slth.experiments.points import canonical, key

LONGEST_LINE = 1 << 20
FIELDS = {"cell", "samples", "success", "claimed", "draws", "alpha", "rule"}

Place = tuple[int | None, int]
"""Number of candidates and number of the draw."""


class Refused(ValueError):
    """The file is not what it says it is."""


@dataclass(frozen=True)
class DrawFile:
    """What a file of draws holds.

    Attributes:
        manifest: its first line.
        rows: by number of candidates and number of the draw.
        damaged: lines that are no JSON, as a killed run leaves them.
        torn: whether the last line has no end.
    """

    manifest: Manifest
    rows: dict[Place, Row]
    damaged: int
    torn: bool

    def of(self, samples: int | None) -> list[Row]:
        """The rows for a number of candidates, from draw 0 up to the first that is missing."""
        found: list[Row] = []
        while (row := self.rows.get((samples, len(found)))) is not None:
            found.append(row)
        return found


def head(plan: Manifest) -> bytes:
    """The first line of a file."""
    return (canonical({"type": "manifest", "manifest": plan.as_dict(), "digest": plan.digest}) + "\n").encode()


def append(file: BinaryIO, row: Row, draw: int, torn: bool = False) -> None:
    """Writes a row as one line; behind an unfinished line it begins a new one."""
    file.write(b"\n" * torn + (json.dumps({**row, "draw": draw}, allow_nan=False) + "\n").encode())
    file.flush()


def read(path: Path) -> DrawFile:
    """The manifest and the rows of a file.

    Raises:
        FileNotFoundError: there is no such file.
        Refused: the first line is no manifest, a digest or hash is wrong, a row belongs to another manifest, or two
            rows of one draw differ.
    """
    rows: dict[Place, Row] = {}
    damaged = 0
    with path.open("rb") as file:
        line = file.readline(LONGEST_LINE)
        plan, torn = _manifest(line, path), False
        while line := file.readline(LONGEST_LINE):
            torn = not line.endswith(b"\n")
            if torn and len(line) == LONGEST_LINE:
                raise Refused(f"{path} has a line of more than {LONGEST_LINE} bytes: this is no file of draws")
            found = None if torn else _parsed(line)
            if not isinstance(found, dict):
                damaged += bool(line.strip())
                continue
            place, row = _row(plan, found, path)
            if rows.setdefault(place, row)["hash"] != row["hash"]:
                raise Refused(f"{path} has two rows that differ for draw {place[1]} with {place[0]} candidates")
    return DrawFile(plan, rows, damaged, torn)


def _manifest(line: bytes, path: Path) -> Manifest:
    found = _parsed(line)
    held = found.get("manifest") if isinstance(found, dict) else None
    if not isinstance(held, dict) or held.get("format") != FORMAT or set(held) != FIELDS | {"format"}:
        raise Refused(f"the first line of {path} is no manifest of the format {FORMAT!r}")
    values = {name: held[name] for name in FIELDS}
    try:
        plan = Manifest(**values | {"cell": canonical(values["cell"]), "samples": tuple(values["samples"])})
    except (TypeError, ValueError) as fault:
        raise Refused(f"the manifest of {path} is not valid: {fault}") from fault
    if line != head(plan):
        raise Refused(f"the manifest of {path} does not have its digest or its canonical form: it was changed")
    return plan


def _row(plan: Manifest, found: dict[str, Any], path: Path) -> tuple[Place, Row]:
    try:
        point, draw = found["point"], found["draw"]
        samples = point["samples"]
        kinds = [(type(n), n) for n in plan.samples]  # 5.0 would be a second seed for the same draw
        if type(draw) is not int or not 0 <= draw < plan.draws or (type(samples), samples) not in kinds:
            raise Refused(f"{path} has draw {draw!r} with {samples!r} candidates, which its manifest has not")
        wanted = plan.point(samples, draw)
        if canonical(point) != canonical(wanted) or found["key"] != key(wanted) or row_hash(found) != found["hash"]:
            raise Refused(f"draw {draw} with {samples} candidates in {path} has a wrong hash or another point")
        status, result = Outcome(found["status"]), found["result"]
    except (KeyError, TypeError, ValueError) as fault:
        if isinstance(fault, Refused):
            raise
        raise Refused(f"{path} has a line that is no row: {fault!r}") from fault
    if (status is Outcome.DONE) != isinstance(result, dict):
        raise Refused(f"draw {draw} with {samples} candidates in {path} is {status} with the result {result!r}")
    return (samples, draw), found


def _parsed(line: bytes) -> Any:
    """The value of a line, None if it is no JSON; names that occur twice and NaN are no JSON."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in items}) != len(items):
            raise ValueError("a name occurs twice")
        return dict(items)

    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is no JSON")

    try:
        return json.loads(line, object_pairs_hook=pairs, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
