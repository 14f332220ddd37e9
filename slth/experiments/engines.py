"""Where draws are made: in this process, on its cores, on a dask scheduler or on SLURM. The rows are the same.

An engine is an executor in the sense of `concurrent.futures` and a number of workers. Whatever has `submit` will do;
only dask keeps going when a worker dies.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class Serial(Executor):
    """Calls at once, in this process. A fault of the call is in the future; an interrupt is not caught.

    >>> Serial().submit(divmod, 7, 2).result()
    (3, 1)
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of a call that has been made."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as fault:
            future.set_exception(fault)
        return future


@dataclass(frozen=True)
class Engine:
    """An executor and how much it takes at a time.

    Attributes:
        executor: makes the calls.
        workers: how many calls can run at once; asked again and again, as clusters grow and shrink.
        ahead: calls handed over for each of them, lest it wait for the next.
        killed: what a future raises if its worker died with it.
    """

    executor: Executor
    workers: Callable[[], int] = lambda: 1
    ahead: int = 2
    killed: tuple[type[Exception], ...] = (BrokenExecutor,)

    @property
    def window(self) -> int:
        """Calls to have under way, at least one."""
        return max(1, self.ahead * self.workers())


def serial() -> Engine:
    """Every draw in this process, one after the other."""
    return Engine(Serial(), ahead=1)


@contextmanager
def local(jobs: int) -> Iterator[Engine]:
    """Worker processes on this machine, one thread each; a worker that dies is replaced.

    A script that calls this needs the usual `if __name__ == "__main__":`, as its workers import it.

    Args:
        jobs: number of workers, >= 1.

    Raises:
        ValueError: jobs is below 1.
    """
    if jobs < 1:
        raise ValueError(f"need at least one worker; got {jobs}")
    import dask
    from distributed import LocalCluster

    settings = {"distributed.scheduler.allowed-failures": 0, "distributed.worker.daemon": True}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # any free port: without an address dask takes 8787, and warns of others
            scheduler_kwargs={"dashboard": False},
            silence_logs=50,
        ) as cluster,
        _client(cluster) as engine,
    ):
        yield engine


@contextmanager
def remote(address: str) -> Iterator[Engine]:
    """The workers of a running dask scheduler, which must be able to import slth (and a theorem of one's own).

    Args:
        address: such as "tcp://node17:8786".

    Raises:
        OSError: nothing answers there within ten seconds.
        ValueError: it is no address.
    """
    from distributed.comm.addressing import parse_address, parse_host_port

    try:
        parse_host_port(parse_address(address)[1])
    except ValueError as fault:
        raise ValueError(f"a scheduler is named like tcp://node17:8786; got {address!r}") from fault
    with _client(address) as engine:
        yield engine


@contextmanager
def slurm(jobs: int, memory: str = "4GB", walltime: str = "01:00:00", cores: int = 1) -> Iterator[Engine]:
    """Workers in SLURM jobs, by dask-jobqueue (extra `cluster`); queue and account come from its configuration file.

    Args:
        jobs: number of SLURM jobs, >= 1.
        memory: of each job.
        walltime: of each job, hours:minutes:seconds.
        cores: of each job; as many single-threaded workers.

    Raises:
        ModuleNotFoundError: dask-jobqueue is not installed.
        ValueError: jobs or cores is below 1.
    """
    if jobs < 1 or cores < 1:
        raise ValueError(f"need at least one job of at least one core; got {jobs} of {cores}")
    try:
        from dask_jobqueue import SLURMCluster
    except ModuleNotFoundError as fault:
        raise ModuleNotFoundError("SLURM needs dask-jobqueue: pip install 'slth[cluster]'", name=fault.name) from fault
    with (
        SLURMCluster(
            cores=cores,
            processes=cores,
            memory=memory,
            walltime=walltime,
            python=sys.executable,
            scheduler_options={"dashboard_address": None},
        ) as cluster,
        _client(cluster) as engine,
    ):
        cluster.scale(jobs=jobs)
        yield engine


@contextmanager
def _client(place: Any) -> Iterator[Engine]:
    """A dask cluster or address as an engine."""
    from distributed import Client, KilledWorker

    try:
        client = Client(place, set_as_default=False, timeout=10)
    except (OSError, TimeoutError) as fault:
        raise OSError(
            f"no dask scheduler answers at {place}: start one with `dask scheduler` and name its address"
        ) from fault
    with client:
        yield Engine(client.get_executor(pure=False), lambda: len(client.nthreads()), killed=(KilledWorker,))
