"""What the theorems on networks without a construction here say, beside measured numbers."""

from __future__ import annotations

import math

import claimed
import numpy as np
from claimed import Row, least, rows, said, share

import slth
from slth.bounds import Direction
from slth.confidence import Interval
from slth.errors import Ball
from slth.errors.bracket import upper_ends
from slth.gadget import collapse
from slth.grid import WEIGHT_EXPONENT, to_float
from slth.networks.source import Source
from slth.networks.target import Target
from slth.subset_sum.questions import nearest
from slth.theorems import (
    ferre2026_neurons,
    malach2020_neurons,
    pensia2020_lower,
    pensia2020_subset_sum,
)

UPPER, LOWER, HEURISTIC = Direction.UPPER, Direction.LOWER, Direction.HEURISTIC
UNIT = 1 << 48
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
DRAWS = 100
NEURON = (math.cos(1.0), math.sin(1.0))


def pensia_lower() -> list[Row]:
    """The least source with which masks serve each of a few linear maps, by the construction of the upper bound."""
    found = []
    maps = [pensia2020_subset_sum.normalised(slth.random_target((2, 2), seed)) for seed in range(3)]
    for eps in (0.1, 0.02):
        samples = least(SIZES, lambda n, eps=eps: [_proved(f, eps, n) for f in maps], 0.5)
        each = pensia2020_subset_sum.source(maps[0], eps, 0.5, 0, samples=1).parameters
        weights = Interval(*(each * end for end in (samples.low, samples.estimate, samples.high)), claimed.CONFIDENCE)
        lower = said(pensia2020_lower, "PARAMETERS", d=2, epsilon=eps)
        found += rows(pensia2020_lower, "least source weights tried that serve each map in half of the draws",
                      f"3 linear maps in 2 dimensions (the theorem asks for all), epsilon {eps}, tickets by pairs",
                      DRAWS, weights, lower)  # fmt: skip
    return found


def _proved(target: Target, epsilon: float, samples: int) -> list[bool]:
    """Over draws, whether the nearest subset sums give a ticket whose error is proved to be at most epsilon."""
    found = []
    for seed in range(DRAWS):
        source = pensia2020_subset_sum.source(target, epsilon, 0.5, seed, samples)
        ticket = pensia2020_subset_sum.construct(target, source, epsilon, nearest).ticket
        ends = upper_ends(collapse(target, ticket), Ball(target.widths[0]))
        found.append(min(end.value for end in ends) <= epsilon)
    return found


def malach() -> list[Row]:
    """Random features by a rescaled neuron mask."""
    found = []
    for hidden in (64, 1024):
        coefficients = np.where(np.arange(hidden) % 2, 1, -1).astype(np.int64) << 23
        measured = [malach2020_neurons.measure(Source(seed, (2, hidden, 1)), coefficients) for seed in range(DRAWS)]
        errors = [one.error for one in measured]
        mean = Interval(min(errors), math.fsum(errors) / DRAWS, max(errors), 1.0)
        upper = said(malach2020_neurons, "ERROR", D=hidden, d=2, k=measured[0].expected)
        found += rows(malach2020_neurons, "mean error of the rescaled ticket (from the least to the greatest)",
                      f"{hidden} hidden units, 2 inputs, coefficients 1/2 and -1/2 in turn", DRAWS, mean,
                      upper)  # fmt: skip
    return found


def ferre() -> list[Row]:
    """One neuron by neuron masks with any output weights, and by weight masks."""
    own, found = ferre2026_neurons, []
    circle, square = "independent directions", "U[-1, 1]"
    for hidden in (16, 64):
        one = own.measure(NEURON, own.isotropic(0, hidden))
        nearest = Interval(one.relaxed, one.error, one.error, 1.0)
        lower = said(own, "KINK", s=1.0, h=one.angle)
        found += rows(own, "error with the best output weights", f"{hidden} hidden units, {circle}, one draw", 1,
                      nearest, lower)  # fmt: skip
    for law, label, hidden, eps in ((circle, "FAILURE", 16, 0.01), (circle, "FAILURE_LINEAR", 16, 0.01),
                                    (square, "FAILURE_SQUARE", 16, 0.01)):  # fmt: skip
        beyond = [one > eps for one in _least_errors(hidden, law == square)]
        lower = said(own, label, epsilon=eps, D=hidden)
        found += rows(own, "share of draws in which no output weights come within epsilon",
                      f"{hidden} hidden units, {law}, epsilon {eps}", len(beyond), share(beyond), lower)  # fmt: skip
    units = least((6, 12, 24, 48), lambda hidden: [[one <= 0.02 for one in _least_errors(hidden)]], 0.5)
    found += rows(own, "least hidden units tried with which half of the draws come within epsilon, any output weights",
                  f"{circle}, epsilon 0.02", 2 * DRAWS, units, said(own, "UNITS", delta=0.5, epsilon=0.02))  # fmt: skip
    return found + _weights()


def _least_errors(hidden: int, square: bool = False) -> list[float]:
    """What no output weights go below, to the tolerance of the solver, over draws."""
    drawn = [
        to_float(Source(seed, (2, hidden, 1)).rows(0, 0, hidden), WEIGHT_EXPONENT)
        if square
        else ferre2026_neurons.isotropic(seed, hidden)
        for seed in range(2 * DRAWS)
    ]
    return [ferre2026_neurons.measure(NEURON, units).relaxed - 1e-7 for units in drawn]


def _weights() -> list[Row]:
    eps, delta = 0.1, 0.1
    target = pensia2020_subset_sum.normalised(Target.from_floats([[NEURON]]))
    units = least(
        [4 * size for size in SIZES], lambda hidden: [_proved(target, eps, hidden // 4)], 1 - delta
    )  # two inputs, two sides
    return rows(ferre2026_neurons, "least hidden units tried with which a weight mask is proved, in 9 of 10 draws",
                f"U[-1, 1], 2 inputs, epsilon {eps}", DRAWS, units,
                said(ferre2026_neurons, "WEIGHTS", d=2, epsilon=eps, delta=delta))  # fmt: skip
