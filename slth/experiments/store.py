"""A folder of results: append-only .jsonl parts, one per writer, read together.

No line is ever changed and no file has two writers, so several programs can use one folder, on any file system. A line
counts once its end is there and its hash fits; what a killed writer left unfinished is ignored, and its point is drawn
again. Equal keys are one row: done goes before failed and lost.
"""

from __future__ import annotations

import json
import os
import platform
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slth.experiments.measure import Outcome, Row, row_hash
from slth.experiments.points import canonical


class Store:
    """The rows of a folder, and a part of one's own to add some.

    Attributes:
        folder: where the parts are; made if it does not exist.
        rows: the row of every key that has one.
        plans: the sweeps that were asked for, in the order of the parts.
        damaged: lines that are whole but unreadable or with a wrong hash.
        conflicts: keys with two done rows that differ, which two machines may give in their last bits; the row with
            the smaller hash stands.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Store(folder).start(["a"])
    ...     Store(folder).open("a")
    1
    """

    def __init__(self, folder: str | os.PathLike[str], create: bool = True) -> None:
        self.folder = Path(folder)
        if create:
            if self.folder.exists() and not self.folder.is_dir():
                raise FileExistsError(f"results go into a folder, and {self.folder} is a file: give another name")
            self.folder.mkdir(parents=True, exist_ok=True)
        elif not self.folder.is_dir():
            raise FileNotFoundError(f"there is no folder of results {self.folder}: check the name")
        self.rows: dict[str, Row] = {}
        self.plans: list[dict[str, Any]] = []
        self.conflicts: set[str] = set()
        self.damaged = 0
        self._started: Counter[str] = Counter()
        self._read: dict[Path, int] = {}
        self._torn: set[Path] = set()
        self._own: int | None = None
        self.refresh()

    def refresh(self) -> None:
        """Reads what has been added since the last time, by whomever."""
        for path in sorted(self.folder.glob("*.jsonl")):
            start = self._read.get(path, 0)
            if not path.is_file() or path.stat().st_size == start:
                continue
            with path.open("rb") as file:
                file.seek(start)
                text = file.read()
            whole = text.rfind(b"\n") + 1
            self._read[path] = start + whole
            (self._torn.add if whole < len(text) else self._torn.discard)(path)
            for line in text[:whole].splitlines():
                self._take(line)

    @property
    def torn(self) -> int:
        """Parts whose last line has no end: a writer was killed in it, or is writing now."""
        return len(self._torn)

    def done(self, key: str) -> bool:
        """Whether a point has its result."""
        return key in self.rows and self.rows[key]["status"] == Outcome.DONE

    def open(self, key: str) -> int:
        """How often a point was begun without an outcome: it is under way elsewhere, or it took its writer down."""
        return self._started[key]

    def unfinished(self) -> list[str]:
        """The points that were begun and have no row."""
        return [key for key, count in self._started.items() if count > 0 and key not in self.rows]

    def plan(self, plan: Mapping[str, Any]) -> None:
        """Writes what was asked for, unless it stands there already."""
        if canonical(plan) not in {canonical(known) for known in self.plans}:
            self._write([{"type": "plan", "plan": plan}])

    def start(self, keys: Iterable[str]) -> None:
        """Says that these points are now being drawn by this writer."""
        self._write([{"type": "start", "keys": list(keys)}])

    def release(self, keys: Iterable[str]) -> None:
        """Takes `start` back: the points were given up, by no fault of theirs."""
        self._write([{"type": "release", "keys": list(keys)}])

    def add(self, rows: Iterable[Row]) -> None:
        """Writes rows: a reader sees each whole or not at all."""
        self._write(list(rows))

    def close(self) -> None:
        """Closes the own part; writing again opens another."""
        if self._own is not None:
            os.close(self._own)
            self._own = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def _write(self, lines: list[dict[str, Any]]) -> None:
        """One write for all lines. After a fault the part is closed, so that nothing is added behind a torn line."""
        if not lines:
            return
        if self._own is None:
            when = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
            name = f"part-{when}-{platform.node() or 'host'}-{uuid.uuid4().hex[:12]}.jsonl"
            self._own = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines).encode()
        try:
            while text:
                text = text[os.write(self._own, text) :]
        except BaseException:
            self.close()
            raise
        self.refresh()

    def _take(self, text: bytes) -> None:
        try:
            line = json.loads(text)
            kind = line["type"]
            if kind == "row":
                self._take_row(line)
            elif kind == "plan":
                if line["plan"] not in self.plans:
                    self.plans.append(line["plan"])
            else:
                change = {"start": 1, "release": -1}[kind]
                self._started.update(dict.fromkeys(line["keys"], change))
        except (ValueError, KeyError, TypeError, RecursionError):
            self.damaged += 1

    def _take_row(self, line: Row) -> None:
        if row_hash(line) != line["hash"]:
            raise ValueError("the hash does not fit")
        self._started[line["key"]] -= line["run"]["attempts"]
        known = self.rows.get(line["key"])
        if known is None or _order(line) > _order(known):
            self.rows[line["key"]] = line
        if known and known["status"] == line["status"] == Outcome.DONE and known["hash"] != line["hash"]:
            self.conflicts.add(line["key"])


def _order(line: Row) -> tuple[int, str]:
    """Which of two rows stands, whatever the order of reading: done, then failed or lost by time."""
    status = Outcome(line["status"])
    if status is Outcome.DONE:
        return 2, "".join(chr(ord("~") - ord(letter)) for letter in line["hash"])  # the smaller hash
    return 1, line["run"]["when"] + status
