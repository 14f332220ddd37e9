"""The chance that a random network holds a winning mask, given its first matrices.

Statement.  Given the first matrices and the gates of a source U[-1, 1], the instances of `counting_networks` read
            disjoint entries of the second matrices, so they are independent, and the probability that a winning mask
            exists is the product of P(N > 0) over them. Instances of one input and sign share their first weights: only
            given these may chances be multiplied.
            `window_chance` is the chance that one instance serves every target of a window at once.
Kind.       `Chances.upper` is derived, an upper bound for every network; `Chances.estimate` and `window_chance` are
            heuristic.
Source.     The project's own; `docs/proofs/ticket_counts.md`.
Uses.       counting, counting_networks.
Notation.   u, v entries of the first and second matrix, t tolerance, z target of an instance, n its candidates.
Departs.    -
Errata.     The estimate is for targets well inside the reach of the sums: draws in which all products have one sign
            fail more often than it says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from slth.assignment import Assignment, block
from slth.grid import PRODUCT_EXPONENT, WEIGHT_EXPONENT
from slth.laws import Uniform
from slth.networks.source import Source
from slth.networks.target import Target
from slth.references import LUEKER1998
from slth.theorems.counting import absence_chance
from slth.theorems.counting_networks import Gates, Side, gates, sides_of

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "counting_chances"
REFERENCE = LUEKER1998


def expected_assignments(slots: Sequence[int], hidden: int) -> Fraction:
    """The mean number, over random signs, of ways to fill the slots (input, sign) with units of the right sign.

    With m the sum of the slots there are hidden! / ((hidden - m)! product of slot!) ways to choose m units and put them
    into the slots; each fits with probability 2^-m, as the signs are independent of each other (derived, exact).

    Args:
        slots: units that each slot takes, >= 0.
        hidden: units that there are.

    Raises:
        ValueError: a slot is negative, or there are fewer units than slots take.

    >>> expected_assignments([1, 1], hidden=2)
    Fraction(1, 2)
    """
    used = sum(slots)
    if min(slots, default=0) < 0 or used > hidden:
        raise ValueError(f"need slots >= 0 that take at most the {hidden} hidden units; got {list(slots)}")
    ways = math.perm(hidden, used) // math.prod(math.factorial(slot) for slot in slots)
    return Fraction(ways, 1 << used)


# 3. Measure -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chances:
    """The probability that a winning mask exists, given the first matrices.

    Attributes:
        estimate: heuristic.
        upper: derived; at least the probability.
    """

    estimate: float
    upper: float


def chances(
    target: Target, source: Source, opened: Sequence[Gates], tolerances: Sequence[int], nonnegative: bool = False
) -> Chances:
    """The chance over the second matrices that a winning mask exists; the first matrices and gates stay as they are.

    Given the first matrices the instances are independent, so their chances are multiplied. For the estimate the
    subset sums of one instance are normal with mean and variance over v ~ U[-1, 1], and N is Poisson given X.
    For the upper bound, E N is at most [|z| <= t] + sum over j of 2^(j-1) (t / |u_j| + 2^-24), |u_1| <= |u_2| <= ...

    Args:
        as `winning_masks`; nothing of the second matrices is read.

    Raises:
        ValueError: the law of the source is not U[-1, 1], or something does not fit.

    >>> f, g = Target.from_floats([[[0.25]]]), Source(seed=1, widths=(1, 24, 1))
    >>> chances(f, g, gates(f, g), [1 << 36]).estimate < chances(f, g, gates(f, g), [1 << 36]).upper
    True
    """
    if source.law != Uniform():
        raise ValueError(f"the chances are known for weights U[-1, 1]; got the law {source.law}")
    estimate = upper = 1.0
    for side in sides_of(target, source, opened, tolerances, nonnegative)[0]:
        found = _side_chances(side)
        estimate, upper = estimate * found.estimate, upper * found.upper
    return Chances(estimate, upper)


def _side_chances(side: Side) -> Chances:
    """The chances of one input and sign, all outputs together."""
    certain = side.empty_wins.astype(bool)
    if certain.all() or not side.entering.size:
        return Chances(float(certain.all()), float(certain.all()))
    u = np.sort(np.abs(np.ldexp(side.entering.astype(np.float64), -WEIGHT_EXPONENT)))
    t = math.ldexp(side.tolerance, -PRODUCT_EXPONENT)
    deviation = math.sqrt(float((u**2).sum()) / 3) / 2
    shifts = np.ldexp(side.targets[~certain].astype(np.float64), -PRODUCT_EXPONENT) / deviation
    peak = 2.0 ** min(len(u), 1000) * 2 * t / (deviation * math.sqrt(2 * math.pi))
    # 2^(j-1) subsets have u_j as their largest; given all other v, at most t / u_j + 1 odd v of the 2^24 fit.
    subsets = np.exp2(np.minimum(np.arange(len(u)), 1000))
    mean = float((subsets * (t / u + 2.0**-WEIGHT_EXPONENT)).sum()) * (1 + 2.0**-40)  # far above the rounding
    estimate = float(np.prod(1 - absence_chance(np.full(shifts.shape, peak), shifts)))
    return Chances(estimate, min(1.0, mean) ** len(shifts))


def mean_chances(
    target: Target,
    source: Source,
    tolerances: Sequence[int],
    draws: int,
    assignment: Assignment = block,
    nonnegative: bool = False,
) -> Chances:
    """The mean of `chances` over the first matrices of the trials source.trial, source.trial + 1, ...

    The estimate of the probability that a random network holds a winning mask; both ends carry the error of the mean of
    so many draws. Instances with the same input and sign share their first weights, so the chances are multiplied
    before the mean is taken.

    Raises:
        ValueError: draws is below 1, or as `chances`.
    """
    if draws < 1:
        raise ValueError(f"need at least one draw of the first matrices; got {draws}")
    found = []
    for trial in range(source.trial, source.trial + draws):
        drawn = replace(source, trial=trial)
        opened = gates(target, drawn, assignment, nonnegative)
        found.append(chances(target, drawn, opened, tolerances, nonnegative))
    return Chances(math.fsum(c.estimate for c in found) / draws, math.fsum(c.upper for c in found) / draws)


def window_chance(n: int, q: float, epsilon: float, window: float) -> float:
    """The chance that n samples bring a subset sum within epsilon of every target of [-window, window] (heuristic).

    Given X the sums are taken as a Poisson process with the density rho of their normal law, centred at s G with
    s^2 = n q / 4. The window is covered if a sum lies within epsilon of its left end and no gap between neighbours
    exceeds 2 epsilon: E_G (1 - exp(-2 epsilon rho(-R))) exp(-integral of rho exp(-2 epsilon rho) over [-R, R]).

    Args:
        n: number of samples, from 1 to 1000.
        q: E X^2 > 0.
        epsilon: tolerance, > 0.
        window: R > 0.

    Raises:
        ValueError: a number is out of its range.

    >>> [round(window_chance(n, 1 / 3, 2.0**-8, 0.5), 2) for n in (12, 15, 18)]
    [0.59, 0.95, 0.99]
    """
    if not (1 <= n <= 1000 and q > 0 and epsilon > 0 and window > 0):
        raise ValueError(f"need 1 <= n <= 1000 and q, epsilon, window > 0; got {n}, {q}, {epsilon} and {window}")
    deviation = math.sqrt(n * q) / 2
    g = np.linspace(-8.0, 8.0, 1601)
    weights = np.exp(-(g**2) / 2) / math.sqrt(2 * math.pi) * (g[1] - g[0])
    targets = np.linspace(-window, window, 801)
    away = targets / deviation - g[:, None]
    rho = 2.0**n * np.exp(-(away**2) / 2) / (math.sqrt(2 * math.pi) * deviation)
    gaps = np.trapezoid(rho * np.exp(-2 * epsilon * rho), targets, axis=1)
    return float((weights * -np.expm1(-2 * epsilon * rho[:, 0]) * np.exp(-gaps)).sum())
