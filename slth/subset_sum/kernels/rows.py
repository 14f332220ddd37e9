"""Rows of eight int64 or sixteen int32 keys as LLVM vectors.

Row r of a flat array is the 64 bytes from entry r * lanes on; a processor with shorter vectors splits it. LLVM turns
loops over so few lanes into scalar code, so the functions that work on rows are written as vector code directly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

BYTES = 64
"""Of a row."""

INDEX = ir.IntType(64)

vector_code: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic
"""The decorated function gets the types of the arguments and returns a signature and the writer of the code."""


class Rows:
    """The rows of one array while code is written."""

    def __init__(self, context: Any, builder: ir.IRBuilder, array_type: Any, array: Any) -> None:
        self.builder = builder
        bits = array_type.dtype.bitwidth
        self.lanes = 8 * BYTES // bits
        self.lane = ir.IntType(bits)
        self.vector = ir.VectorType(self.lane, self.lanes)
        data = cgutils.create_struct_proxy(array_type)(context, builder, array).data
        self.data = builder.bitcast(data, self.vector.as_pointer())
        self.align = bits // 8

    def load(self, row: Any) -> Any:
        return self.builder.load(self.builder.gep(self.data, [row]), align=self.align)

    def store(self, value: Any, row: Any) -> None:
        self.builder.store(value, self.builder.gep(self.data, [row]), align=self.align)

    def load_from(self, entry: Any) -> Any:
        """A vector that begins at any entry."""
        return self.builder.load(self._from(entry), align=self.align)

    def store_from(self, value: Any, entry: Any) -> None:
        self.builder.store(value, self._from(entry), align=self.align)

    def entry(self, entry: Any) -> Any:
        """One number."""
        lanes = self.builder.bitcast(self.data, self.lane.as_pointer())
        return self.builder.load(self.builder.gep(lanes, [entry]))

    def _from(self, entry: Any) -> Any:
        lanes = self.builder.bitcast(self.data, self.lane.as_pointer())
        return self.builder.bitcast(self.builder.gep(lanes, [entry]), self.vector.as_pointer())

    def constant(self, value: int) -> Any:
        return ir.Constant(self.vector, [value] * self.lanes)

    def spread(self, scalar: Any) -> Any:
        """A 64-bit scalar, cut to the width of a lane, in every lane."""
        if self.lane.width < INDEX.width:
            scalar = self.builder.trunc(scalar, self.lane)
        one = self.builder.insert_element(
            ir.Constant(self.vector, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
        )
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, one, zeros)


def at(builder: ir.IRBuilder, first: Any, step: Any, times: int) -> Any:
    """first + times * step."""
    return builder.add(first, builder.mul(step, ir.Constant(INDEX, times)))


def order(builder: ir.IRBuilder, x: Any, y: Any) -> tuple[Any, Any]:
    """(min, max) in every lane."""
    less = builder.icmp_signed("<", x, y)
    return builder.select(less, x, y), builder.select(less, y, x)
