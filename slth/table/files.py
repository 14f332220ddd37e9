"""From a CSV of instances to a CSV of answers, a batch of rows at a time."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np

from slth.atomic import replacing
from slth.table.answers import Answer
from slth.table.questions import Question
from slth.table.rows import Row, rows

BATCH = 1 << 20
"""Cost of the rows that are solved together, as the question counts it."""

BATCH_ROWS = 1 << 15
"""Rows that are solved together at most."""

COMPLAINTS = 20
"""Malformed rows that are named one by one."""


@dataclass(frozen=True)
class Tally:
    """How many rows have which status.

    >>> Tally(Counter(found=2, malformed=1)).complete
    False
    """

    by_status: Counter[str]

    @property
    def complete(self) -> bool:
        """Whether every row has a proved answer."""
        return not (self.by_status["unresolved"] or self.by_status["malformed"])

    def __str__(self) -> str:
        return f"{self.by_status.total():,} rows" + "".join(
            f", {number:,} {status}" for status, number in sorted(self.by_status.items())
        )


def solve_file(
    source: str,
    output: str,
    question: Question,
    *,
    advance: Callable[[int], object] | None = None,
    complain: Callable[[str], object] | None = None,
) -> Tally:
    """Answers the question for every row of a file. Either the whole output appears or nothing changes.

    Args:
        source: path of the table, or '-' for standard input.
        output: path of the answers, or '-' for standard output, where whole batches of rows appear as they are ready.
        question: what to ask of every row.
        advance: called with the number of bytes read since the last call.
        complain: called with a sentence for each of the first malformed rows.

    Raises:
        OSError: a file cannot be read or written.
        ValueError: the output cannot be a file, or the input has no rows.
    """
    with _reader(source) as lines, _writer(output) as out:
        return solve_lines(lines, out, question, advance=advance, complain=complain)


def solve_lines(
    lines: BinaryIO,
    out: TextIO,
    question: Question,
    *,
    advance: Callable[[int], object] | None = None,
    complain: Callable[[str], object] | None = None,
) -> Tally:
    """`solve_file` between open streams; needs the memory of one batch, however long the table.

    Raises:
        OSError: reading or writing fails.
        ValueError: the input has no rows.

    >>> import io
    >>> from slth.table import within
    >>> out = io.StringIO()
    >>> tally = solve_lines(io.BytesIO(b"t,x\\n0.5,0.25,1,0.125\\n9,1\\n"), out, within(0.125))
    >>> print(out.getvalue().strip())
    row,status,size,sum,residual,indices,reason
    0,found,2,0.375,-0.125,0 2,
    1,unreachable,,,,,
    """
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["row", "status", "size", "sum", question.column, "indices", "reason"])
    statuses: Counter[str] = Counter()
    batch: list[Row] = []
    cost = done = read = 0
    for row, end in rows(lines, question):
        batch.append(row)
        cost += question.cost(len(row.samples))
        if row.fault:
            statuses["malformed"] += 1
            if complain is not None and statuses["malformed"] <= COMPLAINTS:
                more = "; further ones are only marked in the output" if statuses["malformed"] == COMPLAINTS else ""
                complain(f"line {row.line}: {row.fault}{more}")
        if cost >= BATCH or len(batch) >= BATCH_ROWS:
            statuses.update(_write(table, done, batch, question))
            done += len(batch)
            batch, cost = [], 0
            if advance is not None:
                advance(end - read)
                read = end
    statuses.update(_write(table, done, batch, question))
    if not done + len(batch):
        raise ValueError("the table has no rows: expected lines of numbers, the target and then its samples")
    return Tally(statuses)


def _write(table: Any, first: int, batch: list[Row], question: Question) -> Counter[str]:
    """Solves rows of one length together and writes all in the order of the input; counts what was solved."""
    answers = [Answer("malformed", reason=row.fault) for row in batch]
    by_length: dict[int, list[int]] = {}
    for at, row in enumerate(batch):
        if not row.fault:
            by_length.setdefault(len(row.samples), []).append(at)
    for places in by_length.values():
        samples = np.array([batch[at].samples for at in places])
        targets = np.array([batch[at].target for at in places])
        for at, answer in zip(places, question.answer(samples, targets), strict=True):
            answers[at] = answer
    table.writerows(_cells(first + at, answer) for at, answer in enumerate(answers))
    return Counter(answer.status for answer in answers if answer.status != "malformed")


def _cells(row: int, answer: Answer) -> list[object]:
    """csv writes the shortest decimal of a float that reads back as the same float."""
    taken = answer.indices
    return [
        row, answer.status, "" if taken is None else len(taken), answer.sum, answer.number,
        "" if taken is None else " ".join(map(str, taken)), answer.reason,
    ]  # fmt: skip


@contextmanager
def _reader(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
    else:
        with open(source, "rb") as file:
            yield file


@contextmanager
def _writer(output: str) -> Iterator[TextIO]:
    """A stream whose text replaces the file at the end, or leaves no trace."""
    path = Path(output)
    if output == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    if path.exists() and not (path.is_file() or path.is_dir()):  # a device or a pipe takes the text as it comes
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.detach()  # flushes, and leaves the file open for `replacing`
