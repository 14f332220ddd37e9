"""Subset sums of one row of floats in unbounded integers: slow, and right where a 61-bit grid cannot decide."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

LARGEST = 34
"""Samples at most; two lists of 2^17 sums take about a second."""


def nearest(samples: Sequence[float], target: float, size: int | None = None) -> tuple[list[int], Fraction]:
    """The subset whose sum of floats is exactly nearest to the target, by two sorted lists of half sums.

    Args:
        samples: finite floats, at most 34.
        target: finite.
        size: only subsets of this many samples count, 0 to n; by default all.

    Returns:
        Its indices in ascending order and sum - target, exactly. Of several nearest ones a fixed one.

    Raises:
        ValueError: more than 34 samples, or a size out of range.

    >>> nearest([0.1, 0.2, 0.4], 0.3)
    ([0, 1], Fraction(1, 36028797018963968))
    """
    _check_number(len(samples))
    if size is not None and not 0 <= size <= len(samples):
        raise ValueError(f"size must be from 0 to n = {len(samples)}; got {size}")
    unit, (goal, *integers) = _integers(target, *samples)
    half = len(samples) // 2
    first, second = _sums(integers[:half]), _sums(integers[half:])
    if size is None:
        pairs = [(first, second)]
    else:
        by_size = [[[entry for entry in side if entry[1].bit_count() == k] for k in range(size + 1)]
                   for side in (first, second)]  # fmt: skip
        pairs = [(by_size[0][k], by_size[1][size - k]) for k in range(size + 1)]
    residual, mask = min(
        (_closest(a, b, goal, half) for a, b in pairs if a and b), key=lambda found: (abs(found[0]), found)
    )
    return [i for i in range(len(samples)) if mask >> i & 1], Fraction(residual, unit)


def number_within(samples: Sequence[float], target: float, epsilon: float) -> int:
    """How many subsets have |sum - target| <= epsilon exactly, by two sorted lists of half sums.

    Args:
        samples: finite floats, at most 34.
        target: finite.
        epsilon: finite, >= 0.

    Raises:
        ValueError: more than 34 samples.

    >>> number_within([0.1, 0.2, 0.4], 0.3, 0.1), number_within([0.25, 0.5], 0.5, 0.25)
    (2, 3)
    """
    _check_number(len(samples))
    _, (goal, room, *integers) = _integers(target, epsilon, *samples)
    half = len(integers) // 2
    first, second = ([total for total, _ in _sums(side)] for side in (integers[:half], integers[half:]))
    below = above = len(second)
    number = 0
    for total in first:
        while below and second[below - 1] >= goal - room - total:
            below -= 1
        while above and second[above - 1] > goal + room - total:
            above -= 1
        number += above - below
    return number


def _check_number(n: int) -> None:
    if n > LARGEST:
        raise ValueError(f"at most {LARGEST} samples are searched in unbounded integers; got {n}")


def _integers(*numbers: float) -> tuple[int, list[int]]:
    """A unit, and the numbers as multiples of it."""
    unit = max(Fraction(x).denominator for x in numbers)  # denominators of floats are powers of two
    return unit, [int(Fraction(x) * unit) for x in numbers]


def _sums(integers: list[int]) -> list[tuple[int, int]]:
    """(sum, mask) of all subsets, ascending."""
    sums = [(0, 0)]
    for i, x in enumerate(integers):
        sums += [(total + x, mask | 1 << i) for total, mask in sums]
    return sorted(sums)


def _closest(a: list[tuple[int, int]], b: list[tuple[int, int]], goal: int, half: int) -> tuple[int, int]:
    """(residual, mask) of the pair of sums closest to the goal; two pointers."""
    best = (a[0][0] + b[-1][0] - goal, a[0][1] | b[-1][1] << half)
    i, j = 0, len(b) - 1
    while i < len(a) and j >= 0:
        residual = a[i][0] + b[j][0] - goal
        if abs(residual) < abs(best[0]):
            best = (residual, a[i][1] | b[j][1] << half)
        if residual < 0:
            i += 1
        else:
            j -= 1
    return best
