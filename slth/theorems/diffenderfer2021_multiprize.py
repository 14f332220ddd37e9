"""Diffenderfer, Kailkhura (2021), multi-prize tickets: a random network of signs can be pruned to any target.

Statement.  Let f be a ReLU network of width d and depth L with weights in [-1/sqrt(d), 1/sqrt(d)], and g a random
            network of depth 2 L whose weights are -1 or 1, times one positive gain per layer. With a width of
            O(L d^(3/2) / epsilon + L d log(L d / epsilon)), with high probability masks of g exist with
            |f(x) - g(x)| <= epsilon for all |x| <= 1. Polynomial in 1 / epsilon, with no new depth.
Kind.       upper. WIDTH is restated (the constant C is unknown and must be supplied); UNITS, POOL and EXPLICIT are
            derived with every constant; UNITS_NEEDED is a derived lower bound that UNITS meets but for 1/2.
Source.     arXiv 2103.09377, restated from memory of the paper; check before quoting. The width is that of the
            related work of arXiv 2508.11020. Training a ticket (biprop) is no part of the theorem.
Uses.       gadget, counted_units (gains, the counting question, what a ticket computes).
Notation.   N_i -> gains: units per unit weight in layer i; k -> the most units that one weight needs, rint(N_i |w|).
            Candidates of a weight and side are the products u v = 1 or -1 of one hidden unit; n of them is `samples`.
Departs.    The construction counts: the weight w keeps rint(N |w|) products of the sign of w, so N times the weight is
            met up to 1/2. The gain is 1 / N for each pair of layers. It is no weight of the ticket but a known scale:
            the masked network computes (product of N_i) times the approximation, and an integer at integer inputs.
            N_i is a power of two, so that all this is exact on the grid. Targets have norms of at most 1 in place of
            entries of at most 1/sqrt(d). Biases are refused: the scale would multiply every one of them by another
            product of gains.
Errata.     -

Proofs: docs/proofs/binary.md, part A.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import sympy

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.gadget import Question
from slth.grid import PRODUCT_EXPONENT
from slth.laws import Signs
from slth.networks.source import Source
from slth.networks.target import Target
from slth.references import DIFFENDERFER2021
from slth.symbols import symbol
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.counted_units import LARGEST_COUNT, counted, effective, failure, gains, most_units, multiple
from slth.theorems.pairs import (
    certificate,
    check_delta,
    paired_source,
    prune,
    samples_check,
    samples_per_weight,
    usual_checks,
)
from slth.theorems.pairs import instances as instances
from slth.theorems.pairs import normalised as normalised

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "diffenderfer2021_multiprize"
REFERENCE = DIFFENDERFER2021


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the theorem for this target and source, each with its numbers."""
    return (
        *usual_checks(target, source, Signs()),
        samples_check(source, samples_needed(target, epsilon, delta)),
    )


# 2. Bound -------------------------------------------------------------------------------------------------------------

_eps, _delta, _L, _d, _I = (symbol(name) for name in ("epsilon", "delta", "L", "d", "I"))
_k, _t, _C = symbol("k"), symbol("t"), symbol("C")
_log = sympy.log(2 * _I / _delta)

WIDTH = Bound(
    name="width of the source",
    quantity=symbol("D"),
    direction=Direction.UPPER,
    expression=_C * (_L * _d ** sympy.Rational(3, 2) / _eps + _L * _d * sympy.log(_L * _d / _eps)),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="width that suffices for weights in [-1/sqrt(d), 1/sqrt(d)]; C and the dependence on delta unknown here; "
    "restated from memory of the paper; check before quoting",
)

UNITS = Bound(
    name="units of a weight of modulus 1",
    quantity=_k,
    direction=Direction.UPPER,
    expression=1 / (2 * _t),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="so many units, rounded up, give every weight in [-1, 1] within t; the next power of two is taken",
)

UNITS_NEEDED = Bound(
    name="units that some weight in [-1, 1] needs",
    quantity=_k,
    direction=Direction.LOWER,
    expression=(1 - _t) / (2 * _t),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="whatever the gain: sums of k signs times one gain that come within t of every number in [-1, 1]",
)

POOL = Bound(
    name="candidates per weight and side",
    quantity=symbol("n"),
    direction=Direction.UPPER,
    expression=2 * (_k + _log + sympy.sqrt(_log**2 + 2 * _k * _log)),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="2 n units per input suffice with probability 1 - delta for all targets at once whose weights need at most k "
    "units; I weights and sides",
)

EXPLICIT = Bound(
    name="width of the source, with constants",
    quantity=symbol("D"),
    direction=Direction.UPPER,
    expression=sympy.Rational(49, 4) * _L * _d ** sympy.Rational(3, 2) / _eps
    + 5 * _d
    + 12 * _d * sympy.log(4 * _L * _d**2 / _delta),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="L square layers of norm at most 1 with weights in [-1/sqrt(d), 1/sqrt(d)], epsilon <= 1; one log, without L "
    "before it",
)


def samples_needed(target: Target, epsilon: float, delta: float) -> int:
    """Candidates per weight and side that suffice with probability 1 - delta: the fewest by `failure`, at most POOL.

    Raises:
        ValueError: epsilon is not positive, delta not in (0, 1), the target has biases.

    >>> samples_needed(Target.from_floats([[[0.5]]]), epsilon=0.1, delta=0.1)
    17
    """
    check_delta(delta)
    low, most = 0, max(most_units(target, gains(target, epsilon)))
    high = math.ceil(POOL.evaluate(k=max(most, 1), I=instances(target), delta=delta))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if failure(target, epsilon, middle) <= delta else (middle, high)
    return high


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target, epsilon: float, delta: float, seed: int, samples: int | None = None, trial: int = 0
) -> Source:
    """The random network of signs, of twice the depth.

    Args:
        target: fixes the widths d_i; without biases.
        epsilon: error to reach, > 0.
        delta: failure probability to allow, in (0, 1).
        seed: key of the random stream.
        samples: candidates per weight and side, >= 1; by default `samples_needed`.
        trial: index of the draw.

    Returns:
        A source with 2 * samples hidden units per input in every pair.

    Raises:
        ValueError: a number is out of its range, or the target has biases.
    """
    needed = samples_needed(target, epsilon, delta)
    return paired_source(target, needed if samples is None else samples, seed, trial, Signs())


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the source to the target by counting units.

    Args:
        target: the network to approximate, without biases.
        source: the random network, drawn once; a weight that finds too few units is counted, never redrawn.
        epsilon: sets the gains.
        question: None; the construction has its own (`counted`).
        assignment: `block` or `adaptive`; the bounds are for `block`.
        advance: called with the number of weights and sides dealt with since the last call.

    Returns:
        The ticket and its weights, with residuals and tolerances in units of the target, not of its multiple. As a
        network the ticket computes prod `gains` times the approximation.

    Raises:
        ValueError: a question is given, the source does not fit the target or has another law, a number is out of its
            range.
    """
    if question is not None:
        raise ValueError("this construction counts units and asks no other question of a subset sum: leave it out")
    times = gains(target, epsilon)
    if 2 * samples_per_weight(source) + max(most_units(target, times)) >= LARGEST_COUNT:
        raise ValueError(
            f"a source with {2 * samples_per_weight(source)} units per input is too wide: units per input and units "
            f"per weight together stay below {LARGEST_COUNT}, so that sums are exact"
        )
    made = prune(multiple(target, times), source, [0.5] * target.depth, counted, assignment, advance)
    reports = (replace(report, worst=report.worst // n) for report, n in zip(made.reports, times, strict=True))
    half = 1 << (PRODUCT_EXPONENT - 1)
    return replace(made, reports=tuple(reports), tolerances=tuple(half // n for n in times))


# 4. Certificate -------------------------------------------------------------------------------------------------------


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
) -> Certificate:
    """What is known about the ticket, divided by the product of its gains, on the domain (the unit ball by default).

    The errors are computed anew from the masks and the seed, by `effective`.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    checks = hypotheses(target, construction.ticket.source, epsilon, delta)
    what = partial(effective, gains=gains(target, epsilon))
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort, what)
