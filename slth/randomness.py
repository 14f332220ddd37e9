"""Random bits by key and counter: any entry of any matrix from (seed, stream, index), the same on every machine.

The stream is numpy's raw Philox4x64-10 (Salmon et al., SC 2011), the one generator whose raw words numpy promises
to keep. Element e of a stream is half e % 2 (low half first) of raw word e // 2. Nothing else in the package makes
random weights; torch's generators and numpy's ``Generator`` methods give no such promise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WORDS_PER_BLOCK = 4


def stream_number(trial: int, matrix: int) -> int:
    """The stream of one matrix in one trial: trial * 2^16 + matrix.

    Args:
        trial: index of the draw, 0 <= trial < 2^48.
        matrix: index of the matrix in the network, 0 <= matrix < 2^16.

    Raises:
        ValueError: an index is out of its range.

    >>> stream_number(1, 2)
    65538
    """
    if not (0 <= trial < 1 << 48 and 0 <= matrix < 1 << 16):
        raise ValueError(f"need 0 <= trial < 2^48 and 0 <= matrix < 2^16; got trial {trial}, matrix {matrix}")
    return trial << 16 | matrix


def check_seed(seed: int) -> int:
    """Returns the seed if it is an integer in [0, 2^64).

    Raises:
        ValueError: it is not.

    >>> check_seed(7)
    7
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 1 << 64:
        raise ValueError(f"seed must be an integer from 0 to 2^64 - 1; got {seed!r}")
    return int(seed)


def bits(seed: int, stream: int, start: int, count: int) -> NDArray[np.uint32]:
    """Elements start .. start + count - 1 of the stream with key (seed, stream).

    Args:
        seed: 0 <= seed < 2^64.
        stream: 0 <= stream < 2^64, see `stream_number`.
        start: index of the first element, >= 0.
        count: how many, >= 0.

    Returns:
        uint32, shape (count,). Cutting a range in pieces gives the same bits as drawing it at once.

    Raises:
        ValueError: an argument is out of its range.

    >>> whole = bits(7, 0, 0, 100)
    >>> bool((bits(7, 0, 33, 10) == whole[33:43]).all())
    True
    """
    check_seed(seed)
    if start < 0 or count < 0 or not 0 <= stream < 1 << 64:
        raise ValueError(f"need start, count >= 0 and 0 <= stream < 2^64; got {start}, {count}, {stream}")
    # A Python list with a value above 2^63 would become float64 and give a wrong key: build the uint64 array.
    philox = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    first_word, last_word = start // 2, (start + count + 1) // 2
    first_block = first_word // WORDS_PER_BLOCK
    philox.advance(first_block)
    skipped = first_block * WORDS_PER_BLOCK
    words = philox.random_raw(last_word - skipped)
    halves = words.astype("<u8", copy=False).view("<u4").astype(np.uint32, copy=False)
    return halves[start - 2 * skipped : start - 2 * skipped + count]
