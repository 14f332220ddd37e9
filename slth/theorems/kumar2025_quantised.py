"""Kumar, Natale (2025), Theorems 1-3: quantised networks are found in quantised networks, exactly.

Statement.  Let the weights of a target of depth L be multiples of 2^-k in [-1, 1], and g a random ReLU network of depth
            2 L whose weights are uniform on the multiples of 2^-b in [-1, 1], 2^-2b <= 2^-k. With C d_i-1 log2(2^b)
            rows in M_2i-1, masks of g exist that compute every such target exactly, except with a probability of the
            number of weights over a power of b (Theorem 1). Depth L + 1 suffices with one more factor log2(2^b) in the
            width (Theorem 2). A source that holds every linear map of d inputs and outputs needs of the order of
            d^2 log2(2^b) parameters (Theorem 3).
Kind.       upper for WIDTH (restated, no value for C) and ROWS (derived, every constant explicit); lower for
            PUBLISHED_PARAMETERS (restated) and PARAMETERS (derived).
Source.     arXiv 2508.11020, the submission, without its displayed formulas, which are restated from memory of the
            paper; check before quoting. Proofs of the derived bounds: docs/proofs/quantised.md, parts B to E. Not peer
            reviewed.
Uses.       kumar2026_discrete for the failure probability of integer subset sums.
Notation.   delta of the paper -> 2^-b = 1 / M; delta here is the failure probability. A weight is an integer from -M to
            M over M, a product an integer from -M^2 to M^2 over M^2, and so is a target weight.
Departs.    Lemma 5 is not used. The products u v are no uniform samples, but the covered share of their sums has a
            positive drift (`drift`), so their own failure probability is proved to fall exponentially. The claim is
            equality: the tolerance of every subset sum is 0, and epsilon decides the verdict alone. The operator [.]
            that rounds activations stands behind every pair M_2i M_2i-1 of g and behind layer i of the target, before
            the ReLU, never between M_2i-1 and M_2i: where the pair equals the layer both get the same number, so any
            such operator changes nothing. It is left out of the networks here. The random values have equal
            probabilities up to 2^-32, which the constants allow for. Theorem 2 has no construction here.
Errata.     Lemma 5: rejection sampling cannot make products uniform on the grid of 2^-2b, most of which they never hit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import sympy

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.gadget import Question
from slth.laws import Dyadic
from slth.networks.precision import FINEST, precision
from slth.networks.precision import quantised as quantised
from slth.networks.source import Source
from slth.networks.target import Target, rescaled
from slth.references import KUMAR2025
from slth.subset_sum import Status, Subsets, SubsetSums, any_within, nearest_integer
from slth.subset_sum.exact_integer import LARGEST_RANGE, LARGEST_TABLE
from slth.subset_sum.questions import any_or_nearest
from slth.symbols import symbol
from slth.theorems import kumar2026_discrete
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.dyadic_products import drift
from slth.theorems.pairs import (
    certificate,
    check_delta,
    paired_source,
    prune,
    samples_check,
    usual_checks,
)
from slth.theorems.pairs import instances as instances

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "kumar2025_quantised"
REFERENCE = KUMAR2025

USUAL_PRECISION = 8
"""Bits to which `normalised` rounds a target that is finer than 2^-24."""


def normalised(target: Target) -> Target:
    """The target with weights of modulus at most 1 and at most 24 bits; unchanged if it is so already.

    Layers are divided by powers of two, which is exact; weights finer than 2^-24 are then rounded to 8 bits
    (`quantised` with another number of bits first, for another choice).

    >>> normalised(Target.from_floats([[[3.0, 0.5]]])).layers[0].matrix
    array([[0.75 , 0.125]])
    """
    limits: list[float] = []
    for layer in target.layers:
        largest = max(float(np.abs(layer.matrix).max()), float(np.abs(layer.shift).max()) / math.prod(limits))
        limits.append(2.0 ** max(0, math.ceil(math.log2(largest))) if largest > 1 else 1.0)
    scaled = target if max(limits) <= 1 else rescaled(target, limits)
    return scaled if precision(scaled) <= FINEST else quantised(scaled, USUAL_PRECISION)


def source_precision(target: Target) -> int:
    """b of the coarsest source whose products reach the grid of the target: half of `precision`, at most 12.

    >>> source_precision(Target.from_floats([[[0.75, -0.5]]]))
    1
    """
    return min(-(-precision(target) // 2), FINEST // 2)


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the derived theorem for this target and source, each with its numbers."""
    law = source.law if isinstance(source.law, Dyadic) else Dyadic(source_precision(target))
    largest, bits = max(float(np.abs(layer.matrix).max()) for layer in target.layers), precision(target)
    return (
        Check("largest modulus of a target weight", largest, "<=", 1.0, largest <= 1),
        Check("bits of the target weights", bits, "<=", 2 * law.precision, bits <= 2 * law.precision),
        *usual_checks(target, source, law)[1:],
        samples_check(source, _samples(law.precision, instances(target), delta)),
    )


# 2. Bound -------------------------------------------------------------------------------------------------------------

_M, _I, _C, _d, _delta = symbol("M"), symbol("I"), symbol("C"), symbol("d"), symbol("delta")
_RESTATED = "C has no value; restated from memory of the paper; check before quoting"

WIDTH = Bound(
    name="rows of the first matrix",
    quantity=symbol("D"),
    direction=Direction.UPPER,
    expression=_C * symbol("d_in") * sympy.log(_M, 2),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note=f"width that suffices for precision 1 / M with high probability, depth 2 L; {_RESTATED}",
)

ROWS = Bound(
    name="rows per input",
    quantity=symbol("N"),
    direction=Direction.UPPER,
    expression=kumar2026_discrete.CANDIDATES.expression.subs({_M: _M**2, _delta: _delta / _I}, simultaneous=True),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="N rows per input suffice for I subset sums with all targets of modulus at most 1 at once; weights are "
    "integers over M, m is the drift constant of a row",
)

PUBLISHED_PARAMETERS = Bound(
    name="parameters by Theorem 3",
    quantity=symbol("P"),
    direction=Direction.LOWER,
    expression=_C * _d**2 * sympy.log(_M, 2),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note=f"source that holds every linear map of d inputs and outputs of precision 1 / M; {_RESTATED}",
)

PARAMETERS = Bound(
    name="parameters that counting asks for",
    quantity=symbol("P"),
    direction=Direction.LOWER,
    expression=_d**2 * sympy.log(2 * _M + 1, 2) + sympy.log(1 - _delta, 2),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="a source that holds each single d x d map with weights in {-M, ..., M} / M with probability 1 - delta",
)


def _samples(bits: int, sums: int, delta: float) -> int:
    check_delta(delta)
    return math.ceil(ROWS.evaluate(M=2**bits, I=sums, delta=delta, m=drift(bits)) / 2)


def samples_needed(target: Target, epsilon: float, delta: float) -> int:
    """Candidates per weight and side that suffice with probability 1 - delta, whatever epsilon (ROWS).

    Raises:
        ValueError: delta is not in (0, 1).

    >>> samples_needed(Target.from_floats([[[0.5]]]), epsilon=0.0, delta=0.1)
    74
    """
    return _samples(source_precision(target), instances(target), delta)


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target, epsilon: float, delta: float, seed: int, samples: int | None = None, trial: int = 0
) -> Source:
    """The random quantised network of twice the depth, of the precision `source_precision`.

    Args and errors as in `slth.theorems.pensia2020_subset_sum.source`, but epsilon plays no part.
    """
    samples = samples_needed(target, epsilon, delta) if samples is None else samples
    return paired_source(target, samples, seed, trial, Dyadic(source_precision(target)))


def exact_or_nearest(problem: SubsetSums, tolerance: int) -> Subsets:
    """Any subset within the tolerance, else the nearest of all sums.

    Where the samples are too large to hold all sums as bits, the nearest among the first 26 candidates.

    >>> exact_or_nearest(SubsetSums(np.array([[8, -16], [8, 16]]), np.array([-8, 60])), 0).residuals
    array([  0, -36])
    """
    answers = any_within(problem, tolerance)
    missed = np.flatnonzero(answers.status != Status.FOUND)
    samples, targets = problem.samples[missed], problem.targets[missed]
    joined = int(np.bitwise_or.reduce(samples, axis=None) | np.bitwise_or.reduce(targets)) or 1
    shift = (joined & -joined).bit_length() - 1
    spread = int((np.abs(samples) >> shift).sum(axis=1).max(initial=0)) + 1
    if spread > LARGEST_RANGE or (problem.n + 1) * spread > LARGEST_TABLE:
        return any_or_nearest(problem, tolerance)
    masks = answers.masks.copy()
    if missed.size:
        masks[missed] = nearest_integer(SubsetSums(samples >> shift, targets >> shift)).masks
    return Subsets(problem, masks, np.full(problem.m, Status.FOUND, dtype=np.uint8))


QUESTION = exact_or_nearest


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the source to the target, one subset sum with tolerance 0 per weight and sign.

    Args and errors as in `slth.theorems.pensia2020_subset_sum.construct`, but epsilon plays no part.
    """
    return prune(target, source, (0.0,) * target.depth, question or QUESTION, assignment, advance)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
) -> Certificate:
    """What is known about the ticket; the proved upper end is 0 where every subset sum hit its target.

    Equality then holds for every input, also outside the domain. With epsilon = 0 the verdict is about equality.

    Raises:
        ValueError: epsilon is negative or NaN, the ticket does not fit the target, or the domain has another dimension.
    """
    if not epsilon >= 0:
        raise ValueError(f"epsilon must be >= 0, where 0 claims equality; got {epsilon}")
    checks = hypotheses(target, construction.ticket.source, epsilon, delta)
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort)
