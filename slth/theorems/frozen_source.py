"""Random networks of which a random part is frozen before the search: pruned for good, or locked in.

The pattern has random streams of its own: entry e of matrix i is frozen by element e of the stream of the matrix with
index 2^15 + i, which no weight uses. So the pattern costs no memory beside the seed, and a ticket that leaves frozen
entries alone is stored with one bit per free entry (`free_bits`, `from_free_bits`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slth.networks.source import Source
from slth.networks.ticket import Ticket
from slth.randomness import bits, stream_number

PATTERN_STREAM = 1 << 15
"""Offset of the streams of the pattern; a source has fewer matrices."""


@dataclass(frozen=True)
class FrozenSource(Source):
    """A random network with a frozen part.

    An entry of any matrix is pruned for good with probability `pruned`; one of a second matrix of a pair (of odd index,
    counted from 0) is locked in with probability `locked`, and never both. Entries are independent. A plain `Source`
    has nothing frozen.

    Attributes:
        pruned: share that is pruned for good, in [0, 1).
        locked: share of the second matrices that is locked in, >= 0, with pruned + locked < 1.

    Raises:
        ValueError: a share is out of its range, or there are 2^15 matrices or more.

    >>> g = FrozenSource(seed=1, widths=(2, 6, 1), pruned=0.25, locked=0.25)
    >>> pruned, locked = frozen_rows(g, 1, 0, 1)
    >>> bool((pruned & locked).any()), pruned.shape
    (False, (1, 6))
    """

    pruned: float = 0.0
    locked: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shares(self.pruned, self.locked)
        if self.depth >= PATTERN_STREAM:
            raise ValueError(
                f"a frozen source has fewer than {PATTERN_STREAM} matrices, as their patterns have streams beside "
                f"those of the weights; got {self.depth}"
            )


def check_shares(pruned: float, locked: float) -> None:
    """Raises ValueError unless the shares are >= 0 with a sum below 1."""
    if not (pruned >= 0 and locked >= 0 and pruned + locked < 1):
        raise ValueError(
            "the shares that are frozen must be >= 0 with a sum below 1, so that something is left to choose; got "
            f"pruned {pruned} and locked {locked}"
        )


def shares(source: Source) -> tuple[float, float]:
    """The shares (pruned, locked) of a source; (0, 0) for a plain one."""
    return (source.pruned, source.locked) if isinstance(source, FrozenSource) else (0.0, 0.0)


def frozen_rows(source: Source, matrix: int, start: int, stop: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which entries of rows start .. stop - 1 of a matrix are pruned for good, and which are locked in.

    Args:
        source: a plain source has neither.
        matrix: index from 0.
        start: first row.
        stop: one past the last row.

    Returns:
        Two bool arrays (stop - start, columns), without a common entry; the same whichever rows were asked for before.
    """
    pruned, locked = shares(source)
    columns = source.shapes[matrix][1]
    stream = stream_number(source.trial, PATTERN_STREAM + matrix)
    drawn = bits(source.seed, stream, start * columns, (stop - start) * columns).reshape(stop - start, columns)
    low = round(pruned * 2**32)
    high = round((pruned + locked) * 2**32) if matrix % 2 else low
    return drawn < low, (drawn >= low) & (drawn < high)


def frozen(source: Source, matrix: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """`frozen_rows` of a whole matrix."""
    height, columns = source.shapes[matrix]
    step = max(1, (1 << 24) // columns)
    parts = [frozen_rows(source, matrix, at, min(at + step, height)) for at in range(0, height, step)]
    return np.concatenate([part for part, _ in parts]), np.concatenate([part for _, part in parts])


def changed(ticket: Ticket) -> int:
    """Number of frozen entries that the masks do not leave alone; 0 for a ticket of a frozen source.

    >>> g = FrozenSource(seed=1, widths=(2, 6, 1), pruned=0.25, locked=0.25)
    >>> changed(Ticket(g, tuple(frozen(g, i)[1] for i in range(2))))
    0
    """
    found = 0
    for i, mask in enumerate(ticket.masks):
        pruned, locked = frozen(ticket.source, i)
        found += int(np.count_nonzero(mask & pruned)) + int(np.count_nonzero(~mask & locked))
    return found


def free_bits(ticket: Ticket) -> NDArray[np.uint8]:
    """The mask bits of the free entries, eight to a byte: all that a ticket needs beside its source.

    Raises:
        ValueError: the masks change a frozen entry, so the free entries do not tell them.

    >>> g = FrozenSource(seed=1, widths=(2, 6, 1), pruned=0.25, locked=0.25)
    >>> free_bits(Ticket(g, tuple(frozen(g, i)[1] for i in range(2)))).any()
    np.False_
    """
    if changed(ticket):
        raise ValueError(
            f"the masks change {changed(ticket)} frozen entries: only tickets that keep what is locked and drop what "
            "is pruned can be stored by their free entries"
        )
    parts = []
    for i, mask in enumerate(ticket.masks):
        pruned, locked = frozen(ticket.source, i)
        parts.append(mask[~(pruned | locked)])
    return np.packbits(np.concatenate(parts))


def from_free_bits(source: Source, stored: NDArray[np.uint8]) -> Ticket:
    """The ticket with these bits on the free entries, locked entries kept and pruned ones dropped.

    Raises:
        ValueError: the number of bytes does not fit the number of free entries.

    >>> g = FrozenSource(seed=1, widths=(2, 6, 1), pruned=0.25, locked=0.25)
    >>> changed(from_free_bits(g, np.full(-(-free_entries(g) // 8), 255, dtype=np.uint8)))
    0
    """
    count = free_entries(source)
    if stored.dtype != np.uint8 or stored.shape != (-(-count // 8),):
        raise ValueError(
            f"the source has {count} free entries, so {-(-count // 8)} bytes (uint8) are needed; got {stored.dtype} of "
            f"shape {stored.shape}"
        )
    unpacked, at, masks = np.unpackbits(stored, count=count).astype(bool), 0, []
    for i in range(source.depth):
        pruned, locked = frozen(source, i)
        mask, free = locked.copy(), ~(pruned | locked)
        size = int(np.count_nonzero(free))
        mask[free] = unpacked[at : at + size]
        masks.append(mask)
        at += size
    return Ticket(source, tuple(masks))


def free_entries(source: Source) -> int:
    """Number of entries that a mask may choose; the others are the memory that freezing saves."""
    return sum(int(np.count_nonzero(~(p | k))) for p, k in (frozen(source, i) for i in range(source.depth)))
