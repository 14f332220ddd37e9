"""One draw of a point, as a row: plain numbers, the same on every engine.

A row has a key, its point, a status and results; the hash covers these. What may differ between machines (seconds,
host, versions, the text of an error) stands apart under "run".
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import version
from typing import Any, cast

from slth import assignment as assignments
from slth.errors import Effort
from slth.errors.precision import device_of
from slth.experiments.inputs import at_inputs
from slth.experiments.names import file_name, function_called, is_file, law_called, theorem_module
from slth.experiments.points import Point, canonical, key
from slth.experiments.threads import one_thread
from slth.networks import examples
from slth.networks.files import load_target
from slth.networks.source import Source
from slth.networks.target import Target
from slth.subset_sum import questions
from slth.theorems.certificate import Certificate
from slth.theorems.theorem import Theorem

Row = dict[str, Any]
"""A line of the store: key, point, status, result, hash, run."""

LONGEST_ERROR = 500
"""Characters of an exception's text that a row keeps."""


VERDICT = "verdict"
"""Effort of a point of which the verdict alone matters: its errors are not searched for beyond that."""


class Outcome(StrEnum):
    """What became of a point; a draw that misses epsilon is done like any other."""

    DONE = "done"
    FAILED = "failed"
    LOST = "lost"


def draw(point: Mapping[str, Any], advance: Callable[[int], object] = lambda solved: None) -> Certificate:
    """Draws the source of a point, prunes it and certifies the ticket.

    Args:
        point: see `slth.experiments.points`.
        advance: called with the number of subset sums solved since the last call.

    Raises:
        Exception: whatever the theorem raises for such a point.

    >>> from slth.experiments.points import axes, points
    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> point = next(points(axes(pensia, {"widths": (2, 2), "epsilon": 0.1, "samples": 8})))
    >>> found = draw(point)
    >>> found.error.lower <= found.error.upper
    True
    """
    theorem = theorem_of(point)
    target, epsilon, delta = target_of(point), point["epsilon"], point["delta"]
    extra = point["options"]
    drawn = source_of(point)
    asked = None if point["question"] is None else function_called(point["question"], questions)
    units = function_called(point["assignment"], assignments)
    made = theorem.construct(target, drawn, epsilon, asked, units, advance, **_taken(theorem.construct, extra))
    searched = {"effort": Effort(goal=epsilon)} if point.get("effort") == VERDICT else {}
    return theorem.certify(target, made, epsilon, delta, **_taken(theorem.certify, searched))


def source_of(point: Mapping[str, Any]) -> Source:
    """The random network of a point; its entries are made on demand.

    Raises:
        ValueError: a number is out of its range.
    """
    theorem, extra = theorem_of(point), point["options"]
    drawn = theorem.source(
        target_of(point),
        point["epsilon"],
        point["delta"],
        point["seed"],
        point["samples"],
        point["trial"],
        **_taken(theorem.source, extra),
    )
    return drawn if point["law"] is None else dataclasses.replace(drawn, law=law_called(point["law"]))


def theorem_of(point: Mapping[str, Any]) -> Theorem:
    """The theorem of a point.

    Raises:
        ModuleNotFoundError: it cannot be imported here.
    """
    return cast(Theorem, theorem_module(point["theorem"]))


def target_of(point: Mapping[str, Any]) -> Target:
    """The target of a point, brought to norms of at most 1 as the theorem does; the last few are kept.

    Raises:
        ValueError: the file of the target has changed since the point was made.
    """
    widths = None if point["widths"] is None else tuple(point["widths"])
    return _target(point["theorem"], point["target"], widths, point["target_seed"])


@lru_cache(maxsize=32)
def _target(theorem: str, family: str, widths: tuple[int, ...] | None, seed: int) -> Target:
    if family == "digits":
        made = examples.digits().target
    elif family == "random":
        made = examples.random_target(cast(tuple[int, ...], widths), seed)
    elif is_file(family):
        path = family.partition("#")[0]
        if file_name(path) != family:
            raise ValueError(f"{path} has changed since this point was made: sweep the new file into another folder")
        made = load_target(path)
    else:
        made = function_called(family, examples)(widths, seed)
    return cast(Theorem, theorem_module(theorem)).normalised(made)


def _taken(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a function has as keywords."""
    return {name: value for name, value in options.items() if name in inspect.signature(function).parameters}


RESULTS = (
    "verdict",
    "lower",
    "upper",
    "subset_sums",
    "failed_sums",
    "worst_residual",
    "candidates",
    "kept",
    "density",
    "kept_per_target_weight",
    "source_weights",
    "hypotheses",
    "scale",
)
"""Names of what a draw gives, see `result`."""


def result(found: Certificate) -> dict[str, Any]:
    """What a row keeps of a certificate.

    Returns:
        verdict; lower and upper, ends of the error (upper None if nothing is proved); subset_sums and failed_sums, how
        many there were and how many missed their tolerance; worst_residual; candidates per weight and side (or what
        the theorem counts); kept, density of the source and ratio to the target's weights; source_weights; hypotheses,
        whether all of the theorem's hold; scale, by which the target was divided.

    Raises:
        ArithmeticError: a number is NaN.
    """
    made, ticket = found.construction, found.construction.ticket
    numbers = {
        "verdict": str(found.verdict),
        "lower": float(found.error.lower),
        "upper": float(found.error.upper),
        "subset_sums": int(made.count),
        "failed_sums": int(made.failed),
        "worst_residual": float(made.worst_residual),
        "candidates": int(made.samples),
        "kept": int(ticket.kept),
        "density": float(ticket.density),
        "kept_per_target_weight": ticket.kept / found.target.parameters,
        "source_weights": int(ticket.source.parameters),
        "hypotheses": all(check.holds for check in found.hypotheses),
        "scale": float(found.target.scale),
    }
    for name, value in numbers.items():
        if isinstance(value, float) and math.isnan(value):
            raise ArithmeticError(f"{name} of this draw is NaN, which means nothing: report the point")
    return {name: None if value == math.inf else value for name, value in numbers.items()}


def measure(point: Point) -> Row:
    """The row of a point. An exception becomes a failed row, never an empty one."""
    started = time.perf_counter()
    error = None
    try:
        with one_thread():
            found = _measured(point)
    except Exception as fault:
        found, error = None, f"{type(fault).__name__}: {fault}"[:LONGEST_ERROR]
    return row(point, Outcome.DONE if error is None else Outcome.FAILED, found, error, time.perf_counter() - started)


def _measured(point: Point) -> dict[str, Any]:
    if "inputs" not in point:
        return result(draw(point))
    device_of(point["device"])  # before the work
    made = draw(point)
    return result(made) | at_inputs(made, point)


def measure_all(chunk: Sequence[Point]) -> list[Row]:
    """The rows of several points: the unit of work that is sent to an engine."""
    return [measure(point) for point in chunk]


def row(point: Point, status: Outcome, found: dict[str, Any] | None, error: str | None, seconds: float) -> Row:
    """The line of a point with what became of it."""
    body = {"key": key(point), "point": point, "status": str(status), "result": found}
    run = {
        "seconds": seconds,
        "host": platform.node(),
        "versions": _versions(),
        "when": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "error": error,
        "attempts": 1,
    }
    return {"type": "row", **body, "hash": row_hash(body), "run": run}


def row_hash(line: Mapping[str, Any]) -> str:
    """The sha256 of key, point, status and result: equal for equal draws, whichever engine made them."""
    parts = ("key", "point", "status", "result")
    return hashlib.sha256(canonical({name: line[name] for name in parts}).encode()).hexdigest()


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    found = {name: version(name) for name in ("numpy", "torch", "numba")}
    try:
        found["slth"] = version("slth")
    except ModuleNotFoundError:  # a source tree that is not installed
        found["slth"] = "unknown"
    return found | {"python": platform.python_version()}
