"""Stages of a sorting network on vectors of keys, one instance in every lane.

Each function here loads a few rows (see `rows`), runs some stages on them in registers and stores them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types

from slth.subset_sum.kernels.rows import INDEX, Rows, at, order, vector_code


def _stages(builder: ir.IRBuilder, values: list[Any]) -> list[Any]:
    """All stages that sort a bitonic run of 2, 4 or 8 rows."""
    values = list(values)
    stride = len(values) // 2
    while stride:
        for i in range(len(values)):
            if not i & stride:
                values[i], values[i + stride] = order(builder, values[i], values[i + stride])
        stride //= 2
    return values


def _exchange(count: int) -> Callable[..., None]:
    @vector_code
    def exchange(context: Any, keys: Any, first: Any, stride: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            rows = Rows(context, builder, signature.args[0], arguments[0])
            places = [at(builder, arguments[1], arguments[2], i) for i in range(count)]
            for value, place in zip(_stages(builder, [rows.load(p) for p in places]), places, strict=True):
                rows.store(value, place)
            return context.get_dummy_value()

        return types.void(keys, types.intp, types.intp), write

    return exchange


exchange_2 = _exchange(2)
"""(keys, first, stride): the stage between the rows first and first + stride."""

exchange_4 = _exchange(4)
"""The two stages of strides 2 stride and stride on the rows first, first + stride, first + 2 stride, ..."""

exchange_8 = _exchange(8)
"""The three stages of strides 4 stride, 2 stride and stride on eight rows."""


def _sums(count: int) -> Callable[..., None]:
    @vector_code
    def sums(context: Any, columns: Any, first: Any, keys: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            columns, keys = (Rows(context, builder, signature.args[k], arguments[k]) for k in (0, 2))
            values = [keys.constant(0)]
            for k in range(count):
                x = columns.load(builder.add(arguments[1], ir.Constant(INDEX, k)))
                values = _double(builder, values, values[::-1], x)
            for i, value in enumerate(values):
                keys.store(value, ir.Constant(INDEX, i))
            return context.get_dummy_value()

        return types.void(columns, types.intp, keys), write

    return sums


def _double(builder: ir.IRBuilder, keys: list[Any], mirror: list[Any], x: Any) -> list[Any]:
    """Ascending keys followed by the reverse of keys + x are bitonic: row i meets row length - 1 - i of keys + x."""
    pairs = [order(builder, a, builder.add(b, x)) for a, b in zip(keys, mirror, strict=True)]
    return _stages(builder, [low for low, _ in pairs]) + _stages(builder, [high for _, high in pairs])


sums_1 = _sums(1)
"""(columns, first, keys): the 2 ascending sums of the subsets of one sample, the row `first` of the columns."""

sums_2, sums_3, sums_4 = _sums(2), _sums(3), _sums(4)


@vector_code
def double_3(context: Any, keys: Any, i: Any, length: Any, columns: Any, column: Any) -> Any:
    """The first three stages of merging keys and keys + x, on the rows i and length / 4 - 1 - i of every quarter."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = Rows(context, builder, signature.args[0], arguments[0])
        _, i, length, _, column = arguments
        x = Rows(context, builder, signature.args[3], arguments[3]).load(column)
        quarter = builder.lshr(length, ir.Constant(INDEX, 2))
        mirror = builder.sub(builder.sub(quarter, ir.Constant(INDEX, 1)), i)
        near = [at(builder, i, quarter, q) for q in range(4)]
        far = [at(builder, mirror, quarter, q) for q in range(4)]
        near_keys, far_keys = [rows.load(p) for p in near], [rows.load(p) for p in far]
        for places, keys, partners in ((near, near_keys, far_keys[::-1]), (far, far_keys, near_keys[::-1])):
            values = _double(builder, keys, partners, x)
            for place, low, high in zip(places, values[:4], values[4:], strict=True):
                rows.store(low, place)
                rows.store(high, builder.add(length, place))
        return context.get_dummy_value()

    return types.void(keys, types.intp, types.intp, columns, types.intp), write


def _merge(count: int) -> Callable[..., None]:
    @vector_code
    def merge(context: Any, a: Any, b: Any, goal: Any, first: Any, stride: Any, merged: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a, b, goal, merged = (Rows(context, builder, signature.args[k], arguments[k]) for k in (0, 1, 2, 5))
            aim = goal.load(ir.Constant(INDEX, 0))
            places = [at(builder, arguments[3], arguments[4], i) for i in range(count)]
            pairs = [order(builder, a.load(p), builder.sub(aim, b.load(p))) for p in places]
            length = builder.mul(arguments[4], ir.Constant(INDEX, count))
            lows, highs = (_stages(builder, [pair[k] for pair in pairs]) for k in range(2))
            for place, low, high in zip(places, lows, highs, strict=True):
                merged.store(low, place)
                merged.store(high, builder.add(length, place))
            return context.get_dummy_value()

        return types.void(a, b, goal, types.intp, types.intp, merged), write

    return merge


merge_1 = _merge(1)
"""(a, b, goal, first, stride, merged): the first stage of merging a with goal - b, lists of `stride` rows."""

merge_4 = _merge(4)
"""The first three stages for lists of 4 stride rows, on four rows of each."""


@vector_code
def exchange_and_scan(context: Any, keys: Any, first: Any, state: Any) -> Any:
    """The last three stages on the rows first .. first + 7, and the smallest odd difference of neighbours.

    `state` has three rows: the row before `first`, the smallest difference so far, and the `first` of its block.
    """

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, kept = (Rows(context, builder, signature.args[k], arguments[k]) for k in (0, 2))
        first = arguments[1]
        row = [ir.Constant(INDEX, k) for k in range(3)]
        places = [builder.add(first, ir.Constant(INDEX, i)) for i in range(8)]
        values = _stages(builder, [rows.load(p) for p in places])
        for value, place in zip(values, places, strict=True):
            rows.store(value, place)
        before = kept.load(row[0])
        found = kept.load(row[1])
        least = found
        for value in values:
            gap = builder.sub(value, before)
            odd = builder.icmp_signed("!=", builder.and_(gap, rows.constant(1)), rows.constant(0))
            least = builder.select(odd, order(builder, gap, least)[0], least)
            before = value
        better = builder.icmp_signed("<", least, found)
        kept.store(before, row[0])
        kept.store(least, row[1])
        kept.store(builder.select(better, rows.spread(first), kept.load(row[2])), row[2])
        return context.get_dummy_value()

    return types.void(keys, types.intp, state), write


@vector_code
def exchange_and_count(context: Any, keys: Any, first: Any, state: Any) -> Any:
    """The last three stages on the rows first .. first + 7; counts the odd keys met so far, summed over the rows.

    `state` has two rows: the number of odd keys before `first`, and the sum over the rows so far of that number
    after each.
    """

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, kept = (Rows(context, builder, signature.args[k], arguments[k]) for k in (0, 2))
        zero, one = ir.Constant(INDEX, 0), ir.Constant(INDEX, 1)
        places = [builder.add(arguments[1], ir.Constant(INDEX, i)) for i in range(8)]
        odd, total = kept.load(zero), kept.load(one)
        for key in _stages(builder, [rows.load(p) for p in places]):
            odd = builder.add(odd, builder.and_(key, rows.constant(1)))
            total = builder.add(total, odd)
        kept.store(odd, zero)
        kept.store(total, one)
        return context.get_dummy_value()

    return types.void(keys, types.intp, state), write


@vector_code
def contains(context: Any, keys: Any, first: Any, sought: Any) -> Any:
    """Whether `sought` is among the keys of the rows first .. first + 3."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = Rows(context, builder, signature.args[0], arguments[0])
        wanted = rows.spread(arguments[2])
        hits = None
        for i in range(4):
            row = rows.load(builder.add(arguments[1], ir.Constant(INDEX, i)))
            equal = builder.icmp_signed("==", row, wanted)
            hits = equal if hits is None else builder.or_(hits, equal)
        bits = ir.IntType(rows.lanes)
        return builder.icmp_unsigned("!=", builder.bitcast(hits, bits), ir.Constant(bits, 0))

    return types.boolean(keys, types.intp, types.int64), write
