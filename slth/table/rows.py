"""The rows of a CSV of instances.

One instance per line, the target and then its samples, separated by commas; rows may differ in length, empty cells at
the end do not count. Every number is the float64 nearest to what is written. The first line that is not empty is a
header if none of its cells is a number. Empty lines are skipped.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from slth.table.questions import Question

LONGEST_LINE = 1 << 20
"""Bytes; a longer line is malformed and is skipped without being held."""


@dataclass(frozen=True)
class Row:
    """One row of the input; `fault` says why it has no numbers."""

    line: int
    target: float = 0.0
    samples: tuple[float, ...] = ()
    fault: str = ""


def rows(lines: BinaryIO, question: Question) -> Iterator[tuple[Row, int]]:
    """Every row and the number of bytes up to its end."""
    number = end = 0
    header_may_come = True
    while line := lines.readline(LONGEST_LINE + 1):
        number += 1
        end += len(line)
        too_long = len(line) > LONGEST_LINE
        while too_long and line and not line.endswith(b"\n"):
            line = lines.readline(LONGEST_LINE)
            end += len(line)
        if too_long:
            yield Row(number, fault=f"the line is longer than {LONGEST_LINE} bytes"), end
            header_may_come = False
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        fields = line.rstrip(b"\r\n, \t").split(b",")
        if fields == [b""]:
            continue
        if not (header_may_come and not any(_is_number(field) for field in fields)):
            yield _parsed(number, fields, question), end
        header_may_come = False


def _parsed(number: int, fields: list[bytes], question: Question) -> Row:
    first = 0 if question.targets else 1
    try:
        values = [float(field) for field in fields[first:]]
    except ValueError:
        values = []
    if len(values) < len(fields) - first or b"_" in b"".join(fields[first:]):
        at = next(i for i in range(first, len(fields)) if not _is_number(fields[i]))
        text = "".join(c if c.isprintable() else "?" for c in fields[at][:20].decode("ascii", "replace"))
        return Row(number, fault=f"cell {at + 1} is not a number: '{text}'")
    if not all(map(math.isfinite, values)):
        return Row(number, fault="a number is NaN or infinite")
    target, samples = (values[0], values[1:]) if question.targets else (0.0, values)
    if not 1 <= len(samples) <= question.most:
        return Row(number, fault=f"{len(samples)} samples; this question takes 1 to {question.most}")
    if sum(map(abs, values)) > sys.float_info.max / 4:
        return Row(number, fault="the numbers are too large to add")
    return Row(number, target, tuple(samples))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field
