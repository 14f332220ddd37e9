"""What may be asked of the rows of a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from slth.subset_sum import any_within, sparsest_within
from slth.subset_sum.counting import LARGEST_COUNTED
from slth.subset_sum.minimise import LARGEST_BATCHED, LARGEST_SINGLE
from slth.table import answers
from slth.table.answers import Answer, Floats

LONGEST_ROW = 1 << 16
"""Samples per row at most, whatever is asked."""

LARGEST_COVERED = 28
"""Samples per row of the worst case over a window."""


@dataclass(frozen=True)
class Question:
    """A question to every row.

    Attributes:
        answer: (samples (m, n), targets (m,)) -> m answers.
        column: name of the column of `Answer.number`.
        most: samples per row at most.
        cost: rough work for a row of n samples; rows are solved together up to a bound on their cost.
        targets: whether the targets play a part.
    """

    answer: Callable[[Floats, Floats], list[Answer]]
    column: str = "residual"
    most: int = LARGEST_BATCHED
    cost: Callable[[int], int] = lambda n: n + (1 << max(0, min(n, LARGEST_SINGLE) // 2 - 8))
    targets: bool = True


def nearest() -> Question:
    """The subset that minimises |sum - target|; n <= 48. From 35 samples on, a row of floats that do not fit on one
    grid is 'unresolved' if several subsets are equally near up to the rounding; one of them is shown."""
    return Question(partial(answers.nearest, None), most=LARGEST_SINGLE)


def nearest_of_size(size: int) -> Question:
    """The subset of `size` samples that minimises |sum - target|; n <= 34.

    Raises:
        ValueError: the size is negative.
    """
    return Question(partial(answers.nearest, _checked_size(size)))


def within(epsilon: float) -> Question:
    """Any subset with |sum - target| <= epsilon; rows of any length, 'unresolved' only with more than 34 samples.

    Raises:
        ValueError: epsilon is negative, NaN or infinite.
    """
    return Question(partial(answers.within, any_within, lambda n: [None], _checked_epsilon(epsilon)), most=LONGEST_ROW)


def smallest_within(epsilon: float) -> Question:
    """A subset of least size with |sum - target| <= epsilon; n <= 34.

    Raises:
        ValueError: epsilon is negative, NaN or infinite.
    """
    return Question(partial(answers.within, sparsest_within, lambda n: range(n + 1), _checked_epsilon(epsilon)))


def within_of_size(size: int, epsilon: float) -> Question:
    """A subset of `size` samples with |sum - target| <= epsilon; rows of any length, 'unresolved' only with more than
    34 samples.

    Raises:
        ValueError: the size is negative, or epsilon is negative, NaN or infinite.
    """
    return Question(partial(answers.within_of_size, _checked_size(size), _checked_epsilon(epsilon)), most=LONGEST_ROW)


def count(epsilon: float) -> Question:
    """The number of subsets with |sum - target| <= epsilon; n <= 40. From 35 samples on, a row whose rounding leaves it
    open is 'unresolved'.

    Raises:
        ValueError: epsilon is negative, NaN or infinite.
    """
    return Question(partial(answers.number_within, _checked_epsilon(epsilon)), column="count", most=LARGEST_COUNTED)


def worst_case(window: float) -> Question:
    """The largest distance of a target in [-window, window] from its nearest subset sum; n <= 28. The float is never
    below the exact value, and above it by at most twice the row's rounding and a unit in the last place.

    Raises:
        ValueError: the window is not positive and finite.
    """
    if not (math.isfinite(window) and window > 0):
        raise ValueError(f"the window of targets [-R, R] needs a positive finite R; got {window}")
    return Question(
        partial(answers.worst_case, window), "worst_error", LARGEST_COVERED, lambda n: n + (1 << max(0, n - 8)), False
    )


def _checked_epsilon(epsilon: float) -> float:
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise ValueError(f"epsilon must be finite and >= 0; got {epsilon}")
    return float(epsilon)


def _checked_size(size: int) -> int:
    if size < 0:
        raise ValueError(f"the size of a subset must be >= 0; got {size}")
    return size
