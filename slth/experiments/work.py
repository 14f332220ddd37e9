"""The loop of a sweep: points out to the engine in chunks, rows into the store, whoever dies on the way.

Chunks grow until they take about a second. A chunk that comes back without rows took its worker down: its points are
drawn again one by one, nothing beside them, so that only the point that kills is blamed; after `CAP` attempts it is
written down as lost. Points that an earlier writer began and did not finish are drawn last and singly, for the same
reason: in this process a point that kills leaves no other trace.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field

from slth.experiments.engines import Engine
from slth.experiments.measure import Outcome, Row, measure_all, row
from slth.experiments.points import Point, cell, key
from slth.experiments.store import Store

CAP = 3
"""Attempts at one point without an outcome, after which it is lost; the next call tries again."""

CHUNK_SECONDS = 1.0
LARGEST_CHUNK = 256


@dataclass(eq=False)
class Task:
    """A point that waits.

    Attributes:
        point: what to draw.
        key: its key.
        cell: the key of its cell.
        attempts: how often it took its worker down in this call.
    """

    point: Point
    key: str = field(init=False)
    cell: str = field(init=False)
    attempts: int = 0

    def __post_init__(self) -> None:
        self.key, self.cell = key(self.point), key(cell(self.point))


class Queue:
    """The points that wait, handed out in chunks.

    Fresh ones come first, in chunks of one cell; then those that someone began and did not finish, or that failed
    before, singly; last those that took a worker down, singly and alone.
    """

    def __init__(self, points: Iterable[Point], store: Store) -> None:
        self._store = store
        self._fresh: dict[str, deque[Task]] = defaultdict(deque)
        self._doubtful: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._seconds: dict[str, float] = {}
        tasks = {task.key: task for task in map(Task, points) if not store.done(task.key)}
        for task in tasks.values():
            self._fresh[task.cell].append(task)
        # Two drivers that start together begin in different places.
        self._cells = deque(self._fresh)
        self._cells.rotate(random.randrange(max(1, len(self._cells))))

    def next(self, alone: bool) -> list[Task]:
        """The next chunk; empty if nothing is left, or if what is left must wait until it is alone.

        Args:
            alone: whether nothing is under way.
        """
        self._store.refresh()
        while self._cells:
            self._cells.rotate(-1)
            waiting = self._fresh[self._cells[-1]]
            chunk = self._cut(waiting)
            if not waiting:
                self._cells.pop()
            if chunk:
                return chunk
        for tasks, ready in ((self._doubtful, True), (self._suspects, alone)):
            while ready and tasks:
                task = tasks.popleft()
                if not self._store.done(task.key):
                    return [task]
        return []

    def suspect(self, tasks: Iterable[Task]) -> None:
        """Puts tasks back that took their worker down, or were beside one that did."""
        self._suspects.extend(tasks)

    def timed(self, rows: Iterable[Row], tasks: Iterable[Task]) -> None:
        """Learns how long the draws of a cell take."""
        for line, task in zip(rows, tasks, strict=True):
            before = self._seconds.get(task.cell, line["run"]["seconds"])
            self._seconds[task.cell] = (before + line["run"]["seconds"]) / 2

    def _cut(self, waiting: deque[Task]) -> list[Task]:
        """Up to a second's worth of the tasks of a cell; those that are doubtful are put aside."""
        seconds = self._seconds.get(waiting[0].cell)
        size = 1 if seconds is None else max(1, min(LARGEST_CHUNK, int(CHUNK_SECONDS / max(seconds, 1e-6))))
        chunk: list[Task] = []
        while waiting and len(chunk) < size:
            task = waiting.popleft()
            if self._store.done(task.key):
                continue
            if self._store.open(task.key) or task.key in self._store.rows:
                self._set_aside(task)
            else:
                chunk.append(task)
        return chunk

    def _set_aside(self, task: Task) -> None:
        """Doubtful tasks in the order of their unfinished attempts: the likeliest to kill comes last."""
        attempts = self._store.open(task.key)
        place = len(self._doubtful)
        while place and self._store.open(self._doubtful[place - 1].key) > attempts:
            place -= 1
        self._doubtful.insert(place, task)


def work(
    points: Iterable[Point],
    store: Store,
    engine: Engine,
    advance: Callable[[Row], object] = lambda line: None,
) -> None:
    """Draws every point that has no result yet and writes its row.

    Args:
        points: what to draw; those that are done already are passed over.
        store: takes the rows.
        engine: makes the draws.
        advance: called with every new row.

    Raises:
        OSError: the folder cannot be written, or the engine is gone. What was written stays.
        KeyboardInterrupt: passed on; only whole rows are in the store.
    """
    todo = _write_off(list(points), store, advance)
    queue = Queue(todo, store)
    under_way: dict[Future[list[Row]], list[Task]] = {}
    begun: dict[str, Task] = {}
    try:
        while True:
            while len(under_way) < engine.window and (chunk := queue.next(alone=not under_way)):
                begun |= {task.key: task for task in chunk}
                store.start(task.key for task in chunk)
                under_way[_submit(engine, chunk)] = chunk
            if not under_way:
                return
            finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in finished:
                chunk = under_way.pop(future)
                _settle(future, chunk, engine, queue, store, advance)
                for task in chunk:
                    del begun[task.key]
    except BaseException:
        for future in under_way:
            future.cancel()
        store.release(begun)
        raise


def _submit(engine: Engine, chunk: list[Task]) -> Future[list[Row]]:
    try:
        return engine.executor.submit(measure_all, [task.point for task in chunk])
    except RuntimeError as fault:  # of concurrent.futures: a broken pool takes nothing more
        raise OSError(f"the engine takes no more work ({fault}): the same call resumes") from fault


def _settle(
    future: Future[list[Row]],
    chunk: list[Task],
    engine: Engine,
    queue: Queue,
    store: Store,
    advance: Callable[[Row], object],
) -> None:
    """Writes what a chunk gave; if its worker died its points are suspects, and lost after so many attempts."""
    try:
        rows = future.result()
    except CancelledError as fault:
        raise OSError("the engine gave the work up, its scheduler may be gone: the same call resumes") from fault
    except engine.killed as fault:
        for task in chunk:
            task.attempts += 1
        if chunk[0].attempts < CAP:
            queue.suspect(chunk)
            return
        # The attempts after the first were alone.
        rows = [row(task.point, Outcome.LOST, None, f"{type(fault).__name__}: {fault}", 0.0) for task in chunk]
    except Exception as fault:  # the worker cannot read what it was sent, or we cannot read what it sent
        rows = [row(task.point, Outcome.FAILED, None, f"{type(fault).__name__}: {fault}", 0.0) for task in chunk]
    else:
        queue.timed(rows, chunk)
    _write(rows, store, advance)


def _write(rows: list[Row], store: Store, advance: Callable[[Row], object]) -> None:
    """Adds rows; each ends all attempts at its point that were begun before."""
    for line in rows:
        line["run"]["attempts"] = max(1, store.open(line["key"]))
    store.add(rows)
    for line in rows:
        advance(line)


def _write_off(points: list[Point], store: Store, advance: Callable[[Row], object]) -> list[Point]:
    """Points that were begun `CAP` times and never ended are lost for this call; the next one tries them again."""
    kept = []
    for point in points:
        name = key(point)
        attempts = store.open(name)
        if attempts < CAP or store.done(name):
            kept.append(point)
            continue
        error = f"begun {attempts} times and never finished: it stops its process"
        _write([row(point, Outcome.LOST, None, error, 0.0)], store, advance)
    return kept
