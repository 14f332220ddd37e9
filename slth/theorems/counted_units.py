"""Weights as counts of signs: N times a weight is a number of products 1 or -1, so a pair of layers has a gain 1 / N.

The weight w keeps rint(N |w|) candidates of the sign of w (`counted`), which gives w within 1 / (2 N). N is a power of
two, so that everything is exact on the grid. Proofs: docs/proofs/binary.md, part A.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import binom

from slth.gadget import EffectiveLayer, collapse
from slth.grid import PRODUCT_EXPONENT
from slth.laws import Signs
from slth.networks.layers import Dense
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.subset_sum import Status, Subsets, SubsetSums
from slth.subset_sum.masks import pack
from slth.theorems.pairs import sides, tolerances

LARGEST_COUNT = 1 << 13
"""Candidates of a weight and side plus units that it needs stay below this many, so that sums are exact in int64."""


def gains(target: Target, epsilon: float) -> tuple[int, ...]:
    """N_i: the ticket computes prod N_i times the approximation, and each weight w is met up to 1 / (2 N_i).

    Args:
        target: without biases.
        epsilon: error to reach, > 0.

    Returns:
        For each layer the smallest power of two with 1 / (2 N_i) at most the tolerance of the l2 recursion.

    Raises:
        ValueError: epsilon is not positive and finite or so small that the units could not be counted exactly, or the
            target has biases.

    >>> gains(Target.from_floats([[[0.5]]]), epsilon=0.1)
    (8,)
    """
    if any(layer.bias is not None for layer in target.layers):
        raise ValueError(
            "the ticket computes a multiple of the target, and layer i would need its biases N_1 ... N_i times over: "
            "give a target without biases"
        )
    found = tuple(2 ** max(0, 1 - math.frexp(2 * t)[1]) for t in tolerances(target, epsilon))
    most = max(most_units(target, found))
    if most >= LARGEST_COUNT // 4:
        raise ValueError(
            f"epsilon = {epsilon} asks for {most} units for one weight; sums of signs are exact up to "
            f"{LARGEST_COUNT // 4 - 1} of them: use a larger epsilon, or smaller weights (normalised)"
        )
    return found


def most_units(target: Target, gains: tuple[int, ...]) -> tuple[int, ...]:
    """The most units that a weight of each layer needs."""
    largest = (int(abs(layer.weight).max()) for layer in target.layers)
    return tuple(_units(n * w) for n, w in zip(gains, largest, strict=True))


def _units(scaled: int) -> int:
    """A number >= 0 in units of 2^-48, rounded to a whole one; half a unit goes down."""
    return (scaled + (1 << (PRODUCT_EXPONENT - 1)) - 1) >> PRODUCT_EXPONENT


def failure(target: Target, epsilon: float, samples: int) -> float:
    """Upper bound of the chance that a weight of such a target finds too few units, by exact binomial tails.

    It holds for all targets at once that have these widths and no larger weights in any layer: a unit is of the wanted
    side and sign with probability 1/4, and each of the sides and signs of every weight has 2 * samples of them.

    >>> failure(Target.from_floats([[[1.0]]]), epsilon=0.5, samples=8) < failure(
    ...     Target.from_floats([[[1.0]]]), epsilon=0.5, samples=6)
    True
    """
    terms = (
        2 * sides(i) * layer.weight.size * float(binom.cdf(k - 1, 2 * samples, 0.25))
        for i, (layer, k) in enumerate(zip(target.layers, most_units(target, gains(target, epsilon)), strict=True))
    )
    return min(1.0, sum(terms))


def counted(problem: SubsetSums, tolerance: int) -> Subsets:
    """The nearest subset of candidates that are all -1 or 1: the first rint(|target|) of the target's sign.

    Args:
        problem: instances with candidates of modulus 1.
        tolerance: not needed; the nearest subset is found if there are candidates enough, else all that there are.

    Raises:
        ValueError: a candidate is not -1 or 1.
    """
    one = 1 << PRODUCT_EXPONENT
    if (np.abs(problem.samples) != one).any():
        raise ValueError("counting needs candidates -1 and 1; this source has others: make it with the law Signs()")
    wanted = (np.abs(problem.targets) + (one // 2 - 1)) // one
    fitting = problem.samples * np.sign(problem.targets)[:, None] > 0
    chosen = fitting & (np.cumsum(fitting, axis=1) <= wanted[:, None])
    return Subsets(problem, pack(chosen), np.full(problem.m, Status.FOUND, dtype=np.uint8))


def multiple(target: Target, gains: tuple[int, ...]) -> Target:
    """The target with layer i times N_i; beyond the range of a float, but exact in int64."""
    return Target(tuple(Dense(layer.weight * n) for layer, n in zip(target.layers, gains, strict=True)))


def effective(target: Target, ticket: Ticket, gains: tuple[int, ...]) -> tuple[EffectiveLayer, ...]:
    """What the ticket divided by the product of its gains computes, layer by layer and exactly.

    The masks and the seed give integers c_kj per weight and side. They stand for c_kj / N_i, so the errors
    c_kj / N_i - w_kj are multiples of 2^-48.

    Raises:
        ValueError: the ticket does not fit the target, or its source has another law.
    """
    if ticket.source.law != Signs():
        raise ValueError(f"units are counted in sources of -1 and 1; got {ticket.source.law}: use the law Signs()")
    layers = collapse(multiple(target, gains), ticket)
    return tuple(
        EffectiveLayer(own, layer.positive // n, layer.negative // n, layer.bias)
        for own, layer, n in zip(target.layers, layers, gains, strict=True)
    )
