"""Splits a batch over threads.

Kernels release the GIL, so plain threads serve and no kernel pays for a parallel build.

The number of threads is numba's (`numba.set_num_threads`, or NUMBA_NUM_THREADS in the environment). Every row
is solved on its own, so the answers do not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba

PIECE = 1 << 18
"""Rows per call of a kernel at most, so that an interrupt is answered."""


def in_pieces(task: Callable[[int, int], None], count: int, grain: int) -> None:
    """Calls task(start, stop) on ranges that cover 0 .. count - 1, cut at multiples of `grain`.

    >>> seen = []
    >>> in_pieces(lambda start, stop: seen.append((start, stop)), 10, 64)
    >>> seen
    [(0, 10)]
    """
    if count == 0:
        return
    workers = numba.get_num_threads()
    share = -(-count // (4 * workers)) if workers > 1 else count
    size = -(-min(share, PIECE) // grain) * grain
    ranges = [(start, min(start + size, count)) for start in range(0, count, size)]
    if workers == 1 or len(ranges) == 1:
        for start, stop in ranges:
            task(start, stop)
        return
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(task, start, stop) for start, stop in ranges]:
            done.result()
