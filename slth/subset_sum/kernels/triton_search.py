"""Triton kernels: the closest pair of a sorted list and a list of keys, and short prefixes in blocks of 64.

They give the answers of their torch versions in `cuda`, bit for bit. Lists are sorted by torch before a kernel starts,
so no program reads what another writes. TRITON_INTERPRET=1 runs them on the CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slth.subset_sum.kernels.blocks import BLOCK

try:
    import triton  # type: ignore[import-untyped,import-not-found,unused-ignore]
    import triton.language as tl  # type: ignore[import-untyped,import-not-found,unused-ignore]

    jit: Any = triton.jit
except ImportError:  # the module is imported, but not used, without Triton

    def jit(function: Any) -> Any:
        return function


if TYPE_CHECKING:
    from torch import Tensor

KEYS = 256
"""Keys per program of the search."""

ROWS = 32
"""Rows per program of the enumeration."""

_FARTHEST = (1 << 63) - 1


@jit
def closest_kernel(  # type: ignore[no-untyped-def]
    a, b, goals, gaps, lows, N: tl.constexpr, STEPS: tl.constexpr, KEYS: tl.constexpr, FAR: tl.constexpr
):
    """Program (row, part): keys goal - b of one part of b against the ascending row of a, N = 2^STEPS entries."""
    row = tl.program_id(0).to(tl.int64)
    part = tl.program_id(1)
    parts = tl.num_programs(1)
    q = part * KEYS + tl.arange(0, KEYS)
    ok = q < N
    key = tl.load(goals + row) - tl.load(b + row * N + q, mask=ok, other=0)
    at = tl.zeros((KEYS,), tl.int32)  # the number of entries below the key, up to N - 1
    for k in tl.static_range(STEPS):
        middle = at + (N >> (k + 1))
        entry = tl.load(a + row * N + middle - 1)
        at = tl.where(entry < key, middle, at)
    entry = tl.load(a + row * N + at)
    at = tl.where(entry < key, at + 1, at)
    below = tl.load(a + row * N + tl.maximum(at - 1, 0))
    above = tl.load(a + row * N + tl.minimum(at, N - 1))
    down = tl.where(ok & (at > 0), key - below, FAR)
    up = tl.where(ok & (at < N), above - key, FAR)
    gap = tl.min(tl.minimum(down, up), axis=0)
    low = tl.min(tl.minimum(tl.where(down == gap, below, FAR), tl.where(up == gap, key, FAR)), axis=0)
    tl.store(gaps + row * parts + part, gap)
    tl.store(lows + row * parts + part, low)


@jit
def blocks_kernel(  # type: ignore[no-untyped-def]
    samples, targets, tolerances, limits, found, m, row_stride, column_stride, P: tl.constexpr, BLOCK: tl.constexpr,
    MORE: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """One program per tile of rows: 2^BLOCK residuals in registers, a Gray code over the samples BLOCK .. P - 1."""
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    ok = row < m
    x = samples + row * row_stride
    tolerance = tl.load(tolerances + row, mask=ok, other=0)
    limit = tl.load(limits + row, mask=ok, other=0)
    s = tl.arange(0, 1 << BLOCK)
    away = -(tl.load(targets + row, mask=ok, other=0)[:, None] + tl.zeros((ROWS, 1 << BLOCK), tl.int64))
    for k in tl.static_range(BLOCK):
        if k < P:
            away += tl.load(x + k * column_stride, mask=ok, other=0)[:, None] * ((s >> k) & 1)[None, :]
        else:
            # A sample that is missing must not get into a mask.
            away = tl.where(((s >> k) & 1)[None, :] == 1, tl.full((ROWS, 1 << BLOCK), 1 << 62, tl.int64), away)
    answer = tl.full((ROWS,), -1, tl.int64)
    code = 0
    step = 0
    left = 1
    while left == 1:
        hits = tl.abs(away) <= tolerance[:, None]
        first = tl.min(tl.where(hits, s[None, :], 1 << BLOCK), axis=1)
        new = (answer < 0) & (first < (1 << BLOCK)) & (step < limit)
        answer = tl.where(new, code * (1 << BLOCK) + first, answer)
        step += 1
        left = tl.max(tl.where(ok & (answer < 0) & (step < limit), 1, 0), axis=0)
        low = step & -step
        code = code ^ low
        if MORE > 0:
            bit = 0
            for k in tl.static_range(1, MORE):
                bit += tl.where(low >= (1 << k), 1, 0)
            y = tl.load(x + (BLOCK + bit) * column_stride, mask=ok, other=0)
            away += tl.where((code & low) != 0, y, -y)[:, None]
    tl.store(found + row, answer, mask=ok)


def closest(a: Tensor, b: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
    """`cuda.closest` of the ascending a (r, N) and the keys goals (r,) - b (r, N), N a power of two."""
    a, b, goals = a.contiguous(), b.contiguous(), goals.contiguous()
    rows, n = a.shape
    keys = min(KEYS, n)
    gaps, lows = a.new_empty((rows, n // keys)), a.new_empty((rows, n // keys))
    if rows:
        steps = n.bit_length() - 1
        closest_kernel[(rows, n // keys)](a, b, goals, gaps, lows, N=n, STEPS=steps, KEYS=keys, FAR=_FARTHEST)
    gap = gaps.amin(dim=1)
    return gap, lows.masked_fill(gaps != gap[:, None], _FARTHEST).amin(dim=1)


def first_within(samples: Tensor, targets: Tensor, tolerances: Tensor, blocks: Tensor) -> Tensor:
    """`cuda.first_within`."""
    found = targets.new_empty(len(targets))
    m, bits = samples.shape
    if m:
        blocks_kernel[(-(-m // ROWS),)](
            samples, targets.contiguous(), tolerances.contiguous(), blocks.contiguous(), found, m, samples.stride(0),
            samples.stride(1), P=bits, BLOCK=BLOCK, MORE=max(0, bits - BLOCK), ROWS=ROWS,
        )  # fmt: skip
    return found
