"""The dyadic grid: random weights are odd multiples of 2^-24, everything that is summed is a multiple of 2^-48.

A product of two random weights is a multiple of 2^-48 of modulus below 1, so a subset sum of fewer than 2^14
products is exact in int64. Target weights are rounded onto the 2^-48 grid once, on import; the distance of that
rounding is reported. Floating point begins only at norms and bounds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

WEIGHT_EXPONENT = 24
"""A random weight is an integer times 2^-24."""

PRODUCT_EXPONENT = 48
"""A product of two random weights, a target weight and an effective error are integers times 2^-48."""

LARGEST_EXACT = 1 << 53
"""Integers of at most this modulus are exact in float64."""

LARGEST_WEIGHT = 16.0
"""Target weights beyond this modulus are refused, so that W + E stays exact in float64."""


def to_float(integers: NDArray[np.int64], exponent: int = PRODUCT_EXPONENT) -> NDArray[np.float64]:
    """The exact float64 values of grid integers.

    Args:
        integers: any shape, in units of 2^-exponent.
        exponent: 24 for weights, 48 for products, targets and errors.

    Returns:
        float64 of the same shape, without any rounding.

    Raises:
        ValueError: an integer of modulus above 2^53 would have to be rounded.

    >>> to_float(np.array([1, -3]), 24) * 2**24
    array([ 1., -3.])
    """
    integers = np.asarray(integers, dtype=np.int64)
    if integers.size and max(-int(integers.min()), int(integers.max())) > LARGEST_EXACT:
        raise ValueError(
            f"a grid integer of modulus {max(-int(integers.min()), int(integers.max()))} exceeds 2^53 and has no "
            "exact float64: keep the integer, or rescale the target network so that its weights are smaller"
        )
    return np.ldexp(integers.astype(np.float64), -exponent)


def to_grid(values: ArrayLike, name: str = "values") -> tuple[NDArray[np.int64], float]:
    """Rounds finite numbers onto the 2^-48 grid.

    Args:
        values: any shape, finite, modulus at most 16. float32 values of modulus at least 2^-25 lie on the grid
            already and are not changed.
        name: what the values are, for the error message.

    Returns:
        The integers (int64, same shape, units of 2^-48) and the largest distance that a value moved (exact).

    Raises:
        ValueError: a value is NaN, infinite or of modulus above 16.

    >>> to_grid([0.5, 2.0**-50])[0]
    array([140737488355328,               0])
    >>> to_grid([0.5, 2.0**-50])[1] == 2.0**-50
    True
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be real numbers; got dtype {array.dtype}: convert them to float first")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise ValueError(
            f"{name} must be finite; {bad} of {array.size} are NaN or infinite: repair the source of the data"
        )
    if array.size and float(np.abs(array).max()) > LARGEST_WEIGHT:
        raise ValueError(
            f"{name} must have modulus at most {LARGEST_WEIGHT:g}; the largest is {float(np.abs(array).max()):g}: "
            "rescale the network (ReLU networks without biases are positively homogeneous)"
        )
    integers = np.rint(np.ldexp(array, PRODUCT_EXPONENT)).astype(np.int64)
    # Both numbers are multiples of the smaller of their last bits and close together, so the difference is exact.
    moved = np.abs(array - np.ldexp(integers.astype(np.float64), -PRODUCT_EXPONENT))
    return integers, float(moved.max()) if moved.size else 0.0
