"""Products of quantised weights: how fast their subset sums cover the integers, exactly.

Let u and v be independent and uniform on the integers from -M to M, M = 2^b, and let a row offer the sample u v if
u > 0, else 0. If the subset sums so far cover a share s of the integers from -M^2 to M^2, one more row covers at least
s + m s (1 - s) in expectation, with m = `drift`. This is all that the failure probability of
`slth.theorems.kumar2026_discrete` asks of the law. Derived: docs/proofs/quantised.md, parts B and C. Not peer reviewed.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from slth.laws import Dyadic

_SPECTRAL = tuple(Fraction(thousandths, 1000) for thousandths in (333, 236, 182, 151, 135, 127, 123))
"""Below the second eigenvalue of the graph of the products, given u > 0, for b = 0 .. 6 (part B of the proof)."""


def drift(bits: int) -> Fraction:
    """The drift constant m of one row of a source of precision b: sample u v if u > 0, else 0; window [-M^2, M^2].

    For b <= 6 from the second eigenvalue of a graph, beyond from an inequality for multiplication tables; both are
    proved, neither is sharp.

    Args:
        bits: b, from 0 to 12.

    Raises:
        ValueError: b is out of its range.

    >>> drift(4), float(drift(12)) > 0.0175
    (Fraction(18, 275), True)
    """
    size = Dyadic(bits).largest
    if bits < len(_SPECTRAL):
        return _SPECTRAL[bits] * Fraction(size, 2 * size + 1)
    return Fraction(9, 256) * Fraction(2 * size**2 + 1, (2 * size + 1) ** 2)


def product_counts(largest: int) -> NDArray[np.int64]:
    """Entry h: the number of pairs of integers from 1 to M with the product h, for h from 0 to M^2.

    Args:
        largest: M, >= 1.

    >>> product_counts(2)
    array([0, 1, 2, 0, 1])
    """
    factors = np.arange(1, largest + 1)
    return np.bincount(np.multiply.outer(factors, factors).ravel(), minlength=largest**2 + 1)


def product_changes(members: NDArray[np.bool_], largest: int) -> int:
    """P: the sum over u and v from 1 to M of the number of pairs (x, x + u v) of which exactly one is a member.

    In expectation one row covers P / (2 M + 1)^2 new integers. Part C of the proof: P >= (9/128) J for M >= 4, with J
    the number of such pairs within distance M^2, product or not.

    Args:
        members: bool (2 M^2 + 1,), which of the integers from -M^2 to M^2 are covered.
        largest: M, >= 1.

    Raises:
        ValueError: a wrong shape.

    >>> product_changes(np.array([True, False, True]), 1)
    2
    """
    if members.shape != (2 * largest**2 + 1,):
        raise ValueError(f"for M = {largest} members must be bool ({2 * largest**2 + 1},); got shape {members.shape}")
    counts = product_counts(largest)
    used = np.flatnonzero(counts)
    return sum(int(counts[h] * (members[h:] != members[:-h]).sum()) for h in used)
