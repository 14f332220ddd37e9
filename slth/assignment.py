"""Which input each hidden unit of a pair reads. The choice is part of the mask, so it may follow the signs drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

Assignment = Callable[[NDArray[np.bool_], int, NDArray[np.bool_]], NDArray[np.int64]]
"""(signs of the first matrix, units per input, which inputs are one-sided) -> the input that each unit reads, int64
(units,), -1 for a unit that is not used."""


def block(positive: NDArray[np.bool_], units: int, one_sided: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The papers' assignment: the j-th block of units reads input j, whatever its signs.

    In the papers half of the block serves each sign and the units of that half with the other sign are
    dropped. Here a unit serves the sign that it has: every mask of the papers is still available, and no unit
    is wasted by its place.

    Args:
        positive: bool (hidden units, inputs), the signs of the first matrix.
        units: hidden units per input.
        one_sided: bool (inputs,), which inputs are known to be >= 0 (not needed here).

    Returns:
        int64 (hidden units,): the input that each unit reads.

    >>> block(np.ones((4, 2), dtype=bool), 2, np.zeros(2, dtype=bool))
    array([0, 0, 1, 1])
    """
    return np.repeat(np.arange(positive.shape[1]), units)


def adaptive(positive: NDArray[np.bool_], units: int, one_sided: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Assigns units to inputs after seeing the signs of the first matrix, so that no input lacks candidates.

    The slots (input, sign) are filled in turn, each with the first unused unit whose weight from that input
    has the wanted sign. Only signs and order are read. For a symmetric law the sign is independent of
    everything else, so the products of a slot keep their law. A slot that finds no unit goes without.

    Args:
        positive: bool (hidden units, inputs), the signs of the first matrix.
        units: hidden units per input.
        one_sided: bool (inputs,), which inputs are known to be >= 0; they want positive weights only.

    Returns:
        int64 (hidden units,): the input that each unit reads, -1 for a unit that fits no slot.

    >>> adaptive(np.array([[False, True], [True, False]]), 1, np.ones(2, dtype=bool))
    array([1, 0])
    """
    hidden, inputs = positive.shape
    reads = np.full(hidden, -1, dtype=np.int64)
    free = deque(range(hidden))
    missing = {sign: np.flatnonzero((positive != sign).all(axis=0)).tolist() for sign in (True, False)}
    exhausted = {(j, sign) for sign, inputs_without in missing.items() for j in inputs_without}
    for turn, j in product(range(units), range(inputs)):
        wanted = bool(one_sided[j]) or turn % 2 == 0
        if (j, wanted) in exhausted:  # the free units only become fewer
            continue
        passed = []
        while free and positive[free[0], j] != wanted:  # one look in two fits
            passed.append(free.popleft())
        if free:
            reads[free.popleft()] = j
        else:
            exhausted.add((j, wanted))
        free.extendleft(reversed(passed))
    return reads
