"""Sums in float64, rounded outward: upper bounds that hold in spite of rounding, in any order of summation.

With u = 2^-53, a number that went through k rounded operations of a sum of products has lost a factor of at
least (1-u)^k, and (1-u)^-k <= 1 + (k+1) u for k < 2^26 (Higham 2002, Section 3.1). Each function below adds
at least that much. It holds for blocked sums and for fused multiply-add, not for reduced precision or
Strassen products, hence numpy on the CPU only. Numbers that underflow are off by less than 2^-1021, flushed
to zero or not; where that can matter, 2^-960 per term is added. Zeros stay zeros: no pad is added to a sum
without non-zero terms.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP = 2.0**-52
TINY = 2.0**-960
MOST_ROUNDINGS = 1 << 26


def up(value: float) -> float:
    """The next float64 above.

    >>> up(1.0) - 1.0 == 2.0**-52
    True
    """
    return math.nextafter(value, math.inf)


def fraction_up(value: Fraction) -> float:
    """The smallest float64 that is not below the rational number.

    Raises:
        OverflowError: no float64 is that large.

    >>> fraction_up(Fraction(1, 10)) == 0.1, fraction_up(Fraction(1, 3)) > Fraction(1, 3)
    (True, True)
    """
    near = value.numerator / value.denominator  # correctly rounded by Python
    return near if near >= value else up(near)


def fraction_down(value: Fraction) -> float:
    """The largest float64 that is not above the rational number.

    Raises:
        OverflowError: no float64 is that large.

    >>> fraction_down(Fraction(1, 10)) < Fraction(1, 10)
    True
    """
    return 0.0 - fraction_up(-value)  # 0.0 for 0, not -0.0


def inflated(total: Floats, roundings: int) -> Floats:
    """Upper bounds of sums of non-negative numbers from the computed sums.

    Args:
        total: the computed sums, >= 0, any shape.
        roundings: how many rounded operations a term went through at most, below 2^26.

    Raises:
        ValueError: too many roundings for the a-priori term.

    >>> bool(inflated(np.array([0.1 + 0.2]), 1)[0] >= Fraction(0.1) + Fraction(0.2))
    True
    """
    if roundings >= MOST_ROUNDINGS:
        raise ValueError(f"a sum of {roundings} terms is too long for the a-priori rounding term (2^26): split it")
    # 1 + (k+2) 2u is exact; its product loses a factor 1-u, and (1 + (2k+4) u)(1-u) >= 1 + (k+1) u.
    return total * (1.0 + (roundings + 2) * STEP)


def signed_up(total: Floats, magnitude: Floats, roundings: int) -> Floats:
    """Upper bounds of sums of signed numbers from the computed sums.

    Args:
        total: the computed sums, any shape.
        magnitude: upper bounds of the sums of the absolute values of the terms (see `inflated`), same shape.
        roundings: how many rounded operations a term went through at most, below 2^26.

    >>> total = np.array([0.1 - 0.3])
    >>> bool(signed_up(total, np.array([0.5]), 1)[0] >= Fraction(0.1) - Fraction(0.3))
    True
    """
    # |exact - total| <= (k+1) u m. Rounding the pad and the last sum costs at most 3 u m more, and the pad is
    # (2k+8) u m.
    return total + (roundings + 4) * STEP * magnitude


def matvec_up(matrix: Floats, vector: Floats) -> Floats:
    """Upper bounds of matrix @ vector for entries >= 0.

    Args:
        matrix: float64 (rows, columns), >= 0.
        vector: float64 (columns,), >= 0.

    Returns:
        float64 (rows,); 0 exactly where every product is 0.

    >>> matvec_up(np.array([[0.1, 0.2], [0.0, 0.0]]), np.array([0.3, 0.0]))
    array([0.03, 0.  ])
    """
    columns = matrix.shape[1]
    total = matrix @ vector
    bound = inflated(total + columns * TINY, columns + 1)
    silent = np.flatnonzero(total == 0)
    bound[silent[~(matrix[silent] * (vector > 0) > 0).any(axis=1)]] = 0.0
    return bound


def row_sums_up(terms: Floats) -> Floats:
    """Upper bounds of the row sums of numbers >= 0, each of which may carry one rounding or underflow of its
    own.

    >>> row_sums_up(np.array([[1.0, 2.0], [0.0, 0.0]]))
    array([3., 0.])
    """
    columns = terms.shape[1]
    total = terms.sum(axis=1)
    return np.where(total > 0, inflated(total + columns * TINY, columns + 1), 0.0)


def affine_range(matrix: Floats, low: Floats, high: Floats, shift: Floats) -> tuple[Floats, Floats]:
    """Outer bounds of matrix x + shift over low <= x <= high.

    Args:
        matrix: float64 (rows, columns).
        low: float64 (columns,).
        high: float64 (columns,), >= low.
        shift: float64 (rows,).

    Returns:
        A lower and an upper bound of each row, float64 (rows,); 0 exactly for zero rows.

    >>> affine_range(np.array([[1.0, -1.0]]), np.zeros(2), np.ones(2), np.zeros(1))
    (array([-1.]), array([1.]))
    """
    positive, negative = np.maximum(matrix, 0.0), np.maximum(-matrix, 0.0)
    roundings = matrix.shape[1] + 3

    def upper(rising: Floats, falling: Floats, constant: Floats) -> Floats:
        total = rising @ high - falling @ low + constant
        size = matvec_up(rising, np.abs(high)) + matvec_up(falling, np.abs(low)) + np.abs(constant)
        return signed_up(total, inflated(size, 2), roundings)

    return -upper(negative, positive, -shift), upper(positive, negative, shift)
