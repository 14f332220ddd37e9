"""Which residuals are within tolerance: eight or 64 compared at once, one bit each.

A residual r is within tolerance when, read as unsigned, r + tolerance is at most 2 tolerance: one comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types

from slth.subset_sum.kernels.rows import INDEX, Rows, vector_code

_LANES = 8
_VECTOR = ir.VectorType(INDEX, _LANES)


def _spread(builder: ir.IRBuilder, scalar: Any) -> Any:
    """A scalar in every lane."""
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES))


def _bits(builder: ir.IRBuilder, residuals: Any, window: Any) -> Any:
    """Eight bits, as a 64-bit integer: the lanes with 0 <= residual <= window."""
    within = builder.icmp_unsigned("<=", residuals, window)
    return builder.zext(builder.bitcast(within, ir.IntType(_LANES)), INDEX)


@vector_code
def block_hits(context: Any, top: Any, x0: Any, x1: Any, x2: Any, x3: Any, x4: Any, x5: Any, window: Any) -> Any:
    """Bit i: 0 <= top - the sum of the subset i of x0 .. x5 <= window."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        top, *samples, window = (_spread(builder, argument) for argument in arguments)
        zero = ir.Constant(_VECTOR, [0] * _LANES)
        for k in range(3):
            taken = ir.Constant(ir.VectorType(ir.IntType(1), _LANES), [i >> k & 1 for i in range(_LANES)])
            top = builder.sub(top, builder.select(taken, samples[k], zero))
        residuals = [top]
        for x in samples[3:]:
            residuals += [builder.sub(residual, x) for residual in residuals]
        bits = ir.Constant(INDEX, 0)
        for i, residual in enumerate(residuals):
            shift = ir.Constant(INDEX, _LANES * i)
            bits = builder.or_(bits, builder.shl(_bits(builder, residual, window), shift))
        return bits

    return types.int64(*[types.int64] * 8), write


@vector_code
def subtract(context: Any, residuals: Any, at: Any, x: Any, window: Any, kept: Any, to: Any) -> Any:
    """kept[to + i] = residuals[at + i] - x for i < 8; bit i: the result is from 0 to window."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, kept = (Rows(context, builder, signature.args[k], arguments[k]) for k in (0, 4))
        _, at, x, window, _, to = arguments
        result = builder.sub(rows.load_from(at), _spread(builder, x))
        kept.store_from(result, to)
        return _bits(builder, result, _spread(builder, window))

    return types.int64(residuals, types.intp, types.int64, types.int64, kept, types.intp), write


@vector_code
def subtract_from(context: Any, x: Any, samples: Any, at: Any, window: Any, kept: Any, to: Any) -> Any:
    """kept[to + i] = x - samples[at + i] for i < 8; bit i: the result is from 0 to window."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        samples, kept = (Rows(context, builder, signature.args[k], arguments[k]) for k in (1, 4))
        x, _, at, window, _, to = arguments
        result = builder.sub(_spread(builder, x), samples.load_from(at))
        kept.store_from(result, to)
        return _bits(builder, result, _spread(builder, window))

    return types.int64(types.int64, samples, types.intp, types.int64, kept, types.intp), write


@vector_code
def test(context: Any, residuals: Any, at: Any, x: Any, window: Any) -> Any:
    """The same bits, and nothing is kept."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = Rows(context, builder, signature.args[0], arguments[0])
        result = builder.sub(rows.load_from(arguments[1]), _spread(builder, arguments[2]))
        return _bits(builder, result, _spread(builder, arguments[3]))

    return types.int64(residuals, types.intp, types.int64, types.int64), write


def _pair_hits(vectors: int) -> Callable[..., int]:
    """Pairs of sample first + k with the samples before it, for k < 8 / vectors, in 8 * vectors bits each."""
    slot = _LANES * vectors

    @vector_code
    def pair_hits(context: Any, residuals: Any, at: Any, samples: Any, start: Any, first: Any, window: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            rows, samples = (Rows(context, builder, signature.args[k], arguments[k]) for k in (0, 2))
            _, at, _, start, first, window = arguments
            window = _spread(builder, window)
            singles = [rows.load_from(builder.add(at, ir.Constant(INDEX, _LANES * v))) for v in range(vectors)]
            hits, one = ir.Constant(INDEX, 0), ir.Constant(INDEX, 1)
            for k in range(_LANES // vectors):
                i = builder.add(first, ir.Constant(INDEX, k))
                x = _spread(builder, samples.entry(builder.add(start, i)))
                bits = ir.Constant(INDEX, 0)
                for v, single in enumerate(singles):
                    within = _bits(builder, builder.sub(single, x), window)
                    bits = builder.or_(bits, builder.shl(within, ir.Constant(INDEX, _LANES * v)))
                bits = builder.and_(bits, builder.sub(builder.shl(one, i), one))
                hits = builder.or_(hits, builder.shl(bits, ir.Constant(INDEX, slot * k)))
            return hits

        return types.int64(residuals, types.intp, samples, types.intp, types.intp, types.int64), write

    return pair_hits


pair_hits_8, pair_hits_16, pair_hits_32 = _pair_hits(1), _pair_hits(2), _pair_hits(4)
"""(residuals, at, samples, start, first, window): bit slot * k + j is set when residuals[at + j] - samples[start + i]
is from 0 to window, i = first + k and j < i; slots of 8, 16 or 32 bits, which must hold the largest i."""


@vector_code
def first_bit(context: Any, bits: Any) -> Any:
    """The place of the lowest set bit of a number that is not zero."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), write
