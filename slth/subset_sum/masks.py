"""Subsets as bits: 64 samples per word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WORD = 64
"""Samples per word of a mask."""


def pack(chosen: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Masks of 64 samples per word from a boolean matrix (m, n).

    >>> pack(np.array([[False, True, True]]))
    array([[6]], dtype=uint64)
    """
    m, n = chosen.shape
    padded = np.zeros((m, -(-n // WORD) * WORD), dtype=bool)
    padded[:, :n] = chosen
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64, copy=False)


def unpack(masks: NDArray[np.uint64], n: int) -> NDArray[np.bool_]:
    """The boolean matrix (m, n) of masks (m, ceil(n / 64)).

    >>> unpack(np.array([[6]], dtype=np.uint64), 3)
    array([[False,  True,  True]])
    """
    octets = np.ascontiguousarray(masks).astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=n, bitorder="little").astype(bool)
