"""Runs the draws of a manifest into a file; `slth.experiments.rechecks` checks such files.

A file is lines of JSON: the manifest (`slth.experiments.manifests`), then one row per draw, as
`slth.experiments.measure` makes them, with the number of the draw. Lines are only added. A line that a killed run left
unfinished is passed over and its draw made again. No verdict is in the file: it is worked out from the rows.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from slth.atomic import check_writable, replacing
from slth.experiments.conclusions import Conclusion, concluded, decision, outcome
from slth.experiments.draw_files import append, head, read
from slth.experiments.engines import Engine, serial
from slth.experiments.manifests import Manifest
from slth.experiments.manifests import manifest as manifest
from slth.experiments.measure import Row, measure_all
from slth.experiments.rechecks import recheck as recheck


def run(
    plan: Manifest,
    file: str | os.PathLike[str],
    *,
    engine: Engine | None = None,
    advance: Callable[[Row], object] = lambda row: None,
) -> Conclusion:
    """Makes the draws that the file does not have yet and writes each as it comes; the same call resumes.

    Args:
        plan: the manifest; it becomes the first line of the file.
        file: a .jsonl file, made if there is none. Two runs into one file at a time repeat each other's work.
        engine: makes the draws; this process by default.
        advance: called with every new row.

    Returns:
        The conclusion from all draws of the file.

    Raises:
        ValueError: the file has another manifest, or was changed.
        OSError: the file cannot be written, or a worker died; the same call resumes.

    >>> import tempfile
    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> plan = manifest(pensia, {"widths": (1, 1), "epsilon": 0.1, "delta": 0.5, "samples": 8}, draws=20)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = run(plan, folder + "/draws.jsonl")
    ...     checked = recheck(folder + "/draws.jsonl", sample=3)
    >>> print(found.findings[0].verdict, found.drawn, checked.conclusion == found)
    holds (20,) True
    """
    path = check_writable(file, ".jsonl")
    if not path.exists():
        with replacing(path) as new:
            new.write(head(plan))
    held = read(path)
    if held.manifest != plan:
        raise ValueError(
            f"{path} belongs to the manifest {held.manifest.digest[:16]}, not to {plan.digest[:16]}: give another file"
        )
    torn = held.torn
    with path.open("ab") as out:
        for n in plan.samples:
            for draw, row in _drawn(plan, n, held.of(n), engine or serial()):
                if held.rows.get((n, draw)) is None:
                    append(out, row, draw, torn)
                    held.rows[n, draw], torn = row, False
                    advance(row)
    return concluded(held.manifest, held.rows)


def _drawn(plan: Manifest, n: int | None, rows: list[Row], engine: Engine) -> Iterator[tuple[int, Row]]:
    """The draws for one number of candidates that are not there yet, in order, until the rule stops."""
    counts = {True: 0, False: 0, None: 0}

    def decided(row: Row) -> bool:
        counts[outcome(plan, row)] += 1
        drawn = sum(counts.values())
        return plan.rule == "anytime" and decision(plan, counts[True], counts[None], drawn) is not None

    if any(map(decided, rows)):
        return
    waiting = iter(range(len(rows), plan.draws))
    under_way: deque[tuple[int, Future[list[Row]]]] = deque()
    try:
        while True:
            while len(under_way) < engine.window and (draw := next(waiting, None)) is not None:
                under_way.append((draw, engine.executor.submit(measure_all, [plan.point(n, draw)])))
            if not under_way:
                return
            draw, future = under_way.popleft()
            (row,) = future.result()
            yield draw, row
            if decided(row):
                return
    except engine.killed as fault:
        raise OSError(f"a worker died with a draw with {n} candidates ({fault!r}): the same call resumes") from fault
    finally:
        for _, future in under_way:
            future.cancel()
