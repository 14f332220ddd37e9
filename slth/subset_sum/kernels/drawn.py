"""Instances drawn by key and counter where they are solved: the bits of `slth.randomness.bits`, row by row.

A row of a batch owns whole blocks of Philox4x64-10 (Salmon et al., SC 2011), so a row is drawn without its neighbours.
Its first word is kept for the target; word 1 + j holds the two factors of product j, or the uniform samples 2 j and
2 j + 1, low half first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from slth.subset_sum.kernels import blocks, sums

Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

WORDS = 4
"""Words of 64 bits per block of the generator."""

TILE = 64
"""Rows that are drawn, searched and summed while they are in cache."""

SHIFT = 24
"""A weight on the 2^-24 grid times 2^24 is on the 2^-48 grid."""

_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_SPARE = np.uint64(8)
_MULTIPLIERS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_WEYL = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_ROUNDS = 10


def _multiply(typing_context: Any, a: Any, b: Any) -> Any:
    """The upper 64 bits of the product of two uint64: one instruction, which Python integers cannot express."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(word, wide) for word in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


_high_word: Any = intrinsic(_multiply)


@njit(cache=True, nogil=True)
def philox(numbers: Integers, seed: np.uint64, stream: np.uint64, words: Words) -> None:
    """words (4 b,) of the blocks with the given numbers (b,) >= 0 of the stream with key (seed, stream)."""
    for block in range(len(numbers)):
        # numpy raises the counter before it makes a block.
        c0 = np.uint64(numbers[block] + 1)
        c1 = np.uint64(0)
        c2 = np.uint64(0)
        c3 = np.uint64(0)
        k0 = seed
        k1 = stream
        for _ in range(_ROUNDS):
            high0 = _high_word(_MULTIPLIERS[0], c0)
            high1 = _high_word(_MULTIPLIERS[1], c2)
            c0, c1, c2, c3 = high1 ^ c1 ^ k0, _MULTIPLIERS[1] * c2, high0 ^ c3 ^ k1, _MULTIPLIERS[0] * c0
            k0 += _WEYL[0]
            k1 += _WEYL[1]
        words[WORDS * block] = c0
        words[WORDS * block + 1] = c1
        words[WORDS * block + 2] = c2
        words[WORDS * block + 3] = c3


@njit(inline="always")
def _weight(bits: np.uint64, low: int, span: int) -> Any:
    """`slth.laws.Uniform.weights` of 32 bits."""
    middle = 2 * np.int64(bits >> _SPARE) + 1
    return (low + (middle * span >> (SHIFT + 1))) | 1


@njit(cache=True, nogil=True)
def _samples(law: Integers, words: Words, sample: Integers) -> None:
    """The samples of one row from its words, in units of 2^-48."""
    n = len(sample)
    low = law[1]
    span = law[2]
    if law[0] == 2:
        other_low = law[3]
        other_span = law[4]
        pairs = words[1 : 1 + n]
        for j in range(n):
            sample[j] = _weight(pairs[j] & _LOW, low, span) * _weight(pairs[j] >> _HALF, other_low, other_span)
    else:
        for j in range(n):
            word = words[1 + j // 2]
            sample[j] = _weight(word >> _HALF if j & 1 else word & _LOW, low, span) << SHIFT


@njit(cache=True, nogil=True)
def _draw(
    rows: Integers, seed: np.uint64, stream: np.uint64, law: Integers, blocks_per_row: int, words: Words,
    samples: Integers, targets: Integers,
) -> None:  # fmt: skip
    """Draws at most a tile of rows; one long run of the generator keeps the multiplier busy."""
    width = WORDS * blocks_per_row
    numbers = np.empty(len(rows) * blocks_per_row, np.int64)
    for i in range(len(rows)):
        for block in range(blocks_per_row):
            numbers[i * blocks_per_row + block] = rows[i] * blocks_per_row + block
    philox(numbers, seed, stream, words)
    for i in range(len(rows)):
        own = words[i * width : (i + 1) * width]
        _samples(law, own, samples[i])
        targets[i] = _weight(own[0] & _LOW, law[5], law[6]) << SHIFT


@njit(cache=True, nogil=True)
def draw(
    rows: Integers, seed: np.uint64, stream: np.uint64, law: Integers, blocks_per_row: int,
    samples: Integers, targets: Integers,
) -> None:  # fmt: skip
    """Draws the listed rows.

    Args:
        rows: (r,), >= 0.
        seed: first word of the key.
        stream: second word of the key.
        law: (7,): factors per sample (1 or 2), then low and span in units of 2^-24 of the left factor, the right
            factor and the target.
        blocks_per_row: blocks of the generator that a row owns.
        samples: (r, n), written, in units of 2^-48.
        targets: (r,), written, in units of 2^-48.
    """
    words = np.empty(TILE * WORDS * blocks_per_row, np.uint64)
    for start in range(0, len(rows), TILE):
        part = slice(start, min(start + TILE, len(rows)))
        _draw(rows[part], seed, stream, law, blocks_per_row, words, samples[part], targets[part])


@njit(cache=True, nogil=True)
def blocks_of_drawn(
    first: int, seed: np.uint64, stream: np.uint64, law: Integers, blocks_per_row: int, n: int, given: bool,
    tolerance: int, targets: Integers, masks: Words, todo: NDArray[np.uint8], residuals: Integers,
) -> None:  # fmt: skip
    """`blocks.blocks` and `sums.residuals` on the rows first .. first + m - 1, drawn tile by tile.

    Args:
        first: first row.
        seed: as for `draw`.
        stream: as for `draw`.
        law: as for `draw`.
        blocks_per_row: as for `draw`.
        n: samples per row.
        given: whether the targets are given; otherwise they are drawn.
        tolerance: grid units, 0 to 2^61.
        targets: (m,), read or written.
        masks: (m,), written as by `blocks.blocks`.
        todo: (m,), written as by `blocks.blocks`.
        residuals: (m,), written: sum - target of the mask.
    """
    words = np.empty(TILE * WORDS * blocks_per_row, np.uint64)
    samples = np.empty((TILE, n), np.int64)
    drawn = np.empty(TILE, np.int64)
    tolerances = np.full(TILE, tolerance, np.int64)
    for start in range(0, len(targets), TILE):
        stop = min(start + TILE, len(targets))
        part = samples[: stop - start]
        rows = np.arange(first + start, first + stop)
        _draw(rows, seed, stream, law, blocks_per_row, words, part, drawn)
        if not given:
            targets[start:stop] = drawn[: stop - start]
        blocks.blocks(part, targets[start:stop], tolerances[: stop - start], masks[start:stop], todo[start:stop])
        one_word = masks[start:stop].reshape(len(part), 1)
        sums.residuals(part, targets[start:stop], one_word, todo[start:stop], residuals[start:stop])
