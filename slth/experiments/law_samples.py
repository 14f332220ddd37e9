"""Samples of a law by (seed, trial), and rows of measurements as plain records."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slth.confidence import Interval
from slth.grid import PRODUCT_EXPONENT, WEIGHT_EXPONENT
from slth.laws import Product, Uniform
from slth.randomness import bits, stream_number

Law = Uniform | Product
"""Laws whose subset sums are measured."""


def draw_samples(law: Law, draws: int, n: int, seed: int, trial: int) -> NDArray[np.int64]:
    """Independent samples of a law, int64 (draws, n), on its grid: 2^-24 for uniform weights, 2^-48 for products.

    Raises:
        ValueError: draws or n is below 1, or seed or trial is out of its range.

    >>> draw_samples(Uniform(), 2, 2, seed=0, trial=0) / 2**24 < 1
    array([[ True,  True],
           [ True,  True]])
    """
    if draws < 1 or n < 1:
        raise ValueError(f"need at least one draw of at least one sample; got {draws} draws of {n}")
    first = bits(seed, stream_number(trial, 0), 0, draws * n)
    if isinstance(law, Uniform):
        return law.weights(first).reshape(draws, n)
    return law.products(first, bits(seed, stream_number(trial, 1), 0, draws * n)).reshape(draws, n)


def records(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows as dictionaries of plain values: an interval becomes three columns, its estimate and its two ends.

    >>> from slth.experiments.laws import median_errors
    >>> list(records(median_errors(ns=[4], draws=9))[0])
    ['law', 'n', 'target', 'draws', 'error', 'error_low', 'error_high', 'predicted']
    """
    names = [column.name for column in dataclasses.fields(rows[0])] if rows else []
    spread = {name for name in names if any(isinstance(getattr(row, name), Interval) for row in rows)}
    out = []
    for row in rows:
        entry: dict[str, Any] = {}
        for name in names:
            value = getattr(row, name)
            if name in spread:  # None where there was nothing to measure
                ends = (None, None, None) if value is None else (value.estimate, value.low, value.high)
                entry |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
            else:
                entry[name] = value
        out.append(entry)
    return out


def second_moment(law: Law) -> float:
    """E X^2 of a law that is symmetric about 0.

    Raises:
        ValueError: the law is not symmetric.

    >>> round(second_moment(Product()), 4)
    0.1111
    """
    symmetric = law.symmetric if isinstance(law, Uniform) else law.left.symmetric or law.right.symmetric
    if not symmetric:
        raise ValueError(f"the laws of subset sums are stated for samples symmetric about 0; got {law}")
    return law.variance


def grid_exponent(law: Law) -> int:
    """Samples of the law are integers times 2^-exponent.

    >>> grid_exponent(Uniform()), grid_exponent(Product())
    (24, 48)
    """
    return WEIGHT_EXPONENT if isinstance(law, Uniform) else PRODUCT_EXPONENT
