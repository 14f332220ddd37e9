"""How much exact binomial tests can see, how many draws they need, and many of them at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST = 1 << 24
"""The largest number of draws that is looked at."""


def power(trials: int, claimed: float, actual: float, level: float = 0.05) -> float:
    """The chance that `slth.confidence.excess_p_value` comes out at most `level`, from the binomial law.

    To show that failures are rare, count successes instead: with claimed = 1 - delta and actual = the chance of a
    success, this is the chance to show that more than a share 1 - delta succeed.

    Args:
        trials: number of independent draws, >= 1.
        claimed: the bound that is tested, in [0, 1].
        actual: the true probability, in [0, 1].
        level: of the test, in (0, 1).

    Returns:
        The power where actual > claimed; at actual = claimed the size of the test, which is at most the level.

    Raises:
        ValueError: a number is out of its range.

    >>> round(power(153, 0.95, 0.99), 3)
    0.931
    """
    _check(claimed, actual, level)
    if trials < 1:
        raise ValueError(f"need trials >= 1; got {trials}")
    return float(_powers(np.asarray([trials]), claimed, actual, level)[0])


def trials_needed(claimed: float, actual: float, level: float = 0.05, wanted: float = 0.9) -> int:
    """The smallest number of draws at which `power` reaches what is wanted.

    The power is a saw of the number of draws: a few more than this may have a little less.

    Args:
        claimed: the bound that is tested, in [0, 1], below `actual`.
        actual: the true probability, in [0, 1].
        level: of the test, in (0, 1).
        wanted: power, in (0, 1).

    Raises:
        ValueError: a number is out of its range, or more than 2^24 draws are needed.

    >>> trials_needed(0.95, 0.999)
    59
    """
    _check(claimed, actual, level)
    if not (claimed < actual and 0 < wanted < 1):
        raise ValueError(f"need claimed < actual and wanted in (0, 1); got {claimed}, {actual}, {wanted}")
    first, size = 1, 1024
    while first < MOST:
        trials = np.arange(first, first + size)
        enough = np.flatnonzero(_powers(trials, claimed, actual, level) >= wanted)
        if enough.size:
            return int(trials[enough[0]])
        first, size = first + size, min(2 * size, 1 << 18)
    raise ValueError(
        f"more than {MOST} draws would be needed to tell {actual} from {claimed}: take values further apart"
    )


def draws_without_failure(claimed: float, level: float = 0.05) -> int:
    """How many draws, none of them a failure, show that the failure probability is below a number.

    Args:
        claimed: the number, in (0, 1).
        level: of the test, in (0, 1).

    Returns:
        The smallest m with (1 - claimed)^m <= level.

    Raises:
        ValueError: a number is out of its range.

    >>> [draws_without_failure(delta) for delta in (0.05, 0.01, 1e-3, 1e-4)]
    [59, 299, 2995, 29956]
    """
    if not (0 < claimed < 1 and 0 < level < 1):
        raise ValueError(f"the claimed probability and the level lie strictly between 0 and 1; got {claimed}, {level}")
    # Rounded up a little: where (1 - claimed)^m is the level up to rounding, one draw more is asked for.
    return max(1, math.ceil(math.log(level) / math.log1p(-claimed) * (1 + 1e-13)))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """P-values of several tests, adjusted by Holm (Scand. J. Stat. 6, 1979, 65), whatever their dependence.

    Args:
        p_values: one per test, shape (tests,), in [0, 1].

    Returns:
        Adjusted values in the same order, shape (tests,). Rejecting those at most a rejects any true hypothesis at all
        with probability at most a.

    Raises:
        ValueError: a value is not in [0, 1], or they are not a list.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"need a list of p-values between 0 and 1; got {p_values!r}")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1)))
    return adjusted


def bonferroni(level: float, tests: int) -> float:
    """The level of each of several tests that keeps the chance of any false alarm at most `level`.

    Raises:
        ValueError: the level is not in (0, 1), or there is no test.

    >>> bonferroni(0.05, 10)
    0.005
    """
    if not (0 < level < 1 and tests >= 1):
        raise ValueError(f"need a level in (0, 1) and at least one test; got {level} and {tests}")
    return level / tests


def _powers(trials: NDArray[np.int64], claimed: float, actual: float, level: float) -> NDArray[np.float64]:
    from scipy.stats import binom  # here: scipy.stats takes most of a second to import

    # The test rejects at `first` events and above: the smallest number with P(at least so many) <= level.
    first = binom.isf(level, trials, claimed) + 1
    first = np.where(binom.sf(first - 2, trials, claimed) <= level, first - 1, first)
    first = np.where(binom.sf(first - 1, trials, claimed) > level, first + 1, first)
    found: NDArray[np.float64] = binom.sf(first - 1, trials, actual)
    return found


def _check(claimed: float, actual: float, level: float) -> None:
    if not (0 <= claimed <= 1 and 0 <= actual <= 1 and 0 < level < 1):
        raise ValueError(
            f"probabilities lie between 0 and 1, a level strictly between; got claimed {claimed}, actual {actual}, "
            f"level {level}"
        )
