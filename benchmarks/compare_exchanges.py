"""The limit of a sorting network: how many compare-exchanges a question needs, and how many a core can do.

The sums of h samples are built sorted by doubling merges of 1, 2, 4, .. rows, (k + 1) 2^k compare-exchanges each, and
every choice of the n - 2 h other samples costs one merge of two lists of 2^h, (h + 1) 2^h more.
"""

from __future__ import annotations

import time
from typing import Any

from llvmlite import ir
from numba import njit, types

from slth.subset_sum.kernels.joins import LARGEST_HALF
from slth.subset_sum.kernels.rows import INDEX, order, vector_code

_LANES = 8
_ROWS = 16
_STAGES = 4


def needed(n: int, merges: int = 1) -> int:
    """Compare-exchanges of an instance with n samples, `merges` targets or bounds.

    >>> needed(21)
    40962
    """
    half = min(n // 2, LARGEST_HALF)
    build = 2 * sum((k + 1) << k for k in range(half))
    return build + merges * ((half + 1) << half << (n - 2 * half))


@vector_code
def _exchange(context: Any, times: Any) -> Any:
    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        vector = ir.VectorType(INDEX, _LANES)
        builder.branch(loop)
        builder.position_at_end(loop)
        count = builder.phi(INDEX)
        rows = [builder.phi(vector) for _ in range(_ROWS)]
        values: list[Any] = list(rows)
        for stage in range(_STAGES):
            for i in range(_ROWS):
                if not i >> stage & 1:
                    j = i | 1 << stage
                    values[i], values[j] = order(builder, values[i], values[j])
        count.add_incoming(ir.Constant(INDEX, 0), before)
        more = builder.add(count, ir.Constant(INDEX, 1))
        count.add_incoming(more, loop)
        for i, row in enumerate(rows):
            row.add_incoming(ir.Constant(vector, [(77 * i + 31 * w) % 97 for w in range(_LANES)]), before)
            row.add_incoming(values[(i + 1) % _ROWS], loop)  # turned, so that no round finds sorted rows
        builder.cbranch(builder.icmp_signed("<", more, arguments[0]), loop, after)
        builder.position_at_end(after)
        total = values[0]
        for value in values[1:]:
            total = builder.xor(total, value)
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return types.int64(types.int64), write


@njit
def _run(times: int) -> int:
    return _exchange(times)


def rate(rounds: int = 5, times: int = 1_000_000) -> float:
    """Compare-exchanges of int64 keys per second of CPU time, in registers, best of some rounds."""
    _run(1)
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        _run(times)
        seconds.append(time.process_time() - start)
    return times * _LANES * _STAGES * _ROWS / 2 / min(seconds)
