"""How many copies of a neuron a network of registers needs, by exact binomial tails. Proofs: docs/proofs/binary.md."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from slth.theorems.pairs import check_delta

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def logical_neurons(widths: tuple[int, ...], bits: int) -> int:
    """I: registers, accumulators and readouts of all stages.

    >>> logical_neurons((2, 1), bits=1)
    13
    """
    registers = [2 * widths[0], *widths[1:-1]]
    stages = ((bits * (m + 2 * d) + 3 * d) for m, d in zip(registers, widths[1:], strict=True))
    return 2 * widths[0] + sum(stages)


@lru_cache(maxsize=256)
def failure(widths: tuple[int, ...], bits: int, copies: int) -> float:
    """Upper bound of the chance that a source of this form fails for some target of these widths.

    With at least a good copies of each input register and g of every other logical neuron, a copy lacks one of r edges
    with probability at most 1 - (1 - 2^-g)^r, and a register that doubles lacks one of two edges with probability
    (g + 1) 2^-g. The chances of fewer than a, and then g, good copies are binomial tails; their sum is minimised over a
    and g.

    Args:
        widths: of the target.
        bits: B.
        copies: >= 1.

    >>> failure((2, 1), bits=3, copies=30) < 0.01 < failure((2, 1), bits=3, copies=5)
    True
    """
    a, g = np.arange(1, copies + 1)[:, None], np.arange(1, copies + 1)[None]
    total = 2 * widths[0] * binom.cdf(a - 1, 2 * copies, 0.5)
    for i, (inputs, d) in enumerate(pairwise(widths)):
        m, have = (2 * inputs, a) if i == 0 else (inputs, g)
        total = total + 2 * d * _fewer(g, copies, _lacks_one(have, m))
        if bits:
            total = total + 2 * d * bits * _fewer(g, copies, _lacks_one(g, m + 1))
            total = total + m * _fewer(g, copies, _lacks_two(have))
            total = total + m * (bits - 1) * _fewer(g, copies, _lacks_two(g))
        readout = _lacks_one(g, 2)
        total = total + d * (_fewer(g, copies, readout) if i + 2 < len(widths) else readout)
    return min(1.0, float(total.min()))


def _lacks_one(have: Integers, reads: int) -> Floats:
    """Chance that one of so many sets of `have` edges has none of the wanted sign."""
    return -np.expm1(reads * np.log1p(-(2.0**-have)))


def _lacks_two(have: Integers) -> Floats:
    """Chance that a set of `have` edges has at most one of the wanted sign."""
    return (have + 1) * 2.0**-have


def _fewer(g: Integers, copies: int, bad: Floats) -> Floats:
    """Chance that fewer than g of the copies are good, if each is bad with this probability."""
    return np.asarray(binom.sf(copies - g, copies, bad))


@lru_cache(maxsize=256)
def copies_needed(widths: tuple[int, ...], bits: int, delta: float) -> int:
    """The fewest copies that `failure` proves to suffice with probability 1 - delta.

    At most the closed form `slth.theorems.sreenivasan2022_binary.COPIES`.

    Raises:
        ValueError: delta is not in (0, 1).

    >>> copies_needed((3, 2), bits=6, delta=0.1)
    12
    """
    check_delta(delta)
    copies = 1
    while failure(widths, bits, copies) > delta:
        copies += 1
    return copies
