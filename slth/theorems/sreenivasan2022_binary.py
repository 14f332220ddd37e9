"""Sreenivasan, Rajput, Sohn, Papailiopoulos (2022): deep random networks of signs contain nearly everything.

Statement.  Let f be a ReLU network of width d and depth L, and g a random network of weights -1 and 1 of width
            Theta(d log^2(d L / epsilon)) and depth Theta(L log(d L / epsilon)). With high probability masks of g exist
            with |f(x) - c g(x)| <= epsilon for all |x| <= 1, where c > 0 is one global scale.
Kind.       upper. WIDTH and DEPTH_PUBLISHED are restated (constants unknown; the caller supplies C); BITS, DEPTH and
            COPIES are derived with every constant and have one logarithm in the width; COPIES_NEEDED is a derived
            lower bound for this layout.
Source.     arXiv 2110.08996, restated from memory of the paper; check before quoting. The related work of arXiv
            2508.11020 states it alike.
Uses.       registers (the construction and what a ticket computes), register_chances (how many copies).
Notation.   B -> bits, fractional bits of a weight; copies -> `samples`: how often each logical neuron stands in the
            source; c = 2^(-B L).
Departs.    The construction is our own: registers double, accumulators add them bit by bit (`slth.theorems.registers`).
            The network computes 2^(B L) times the approximation, exactly, with weights rint(2^B W) / 2^B and nothing
            else lost; c is a known scale and no weight of the ticket. Each layer takes B + 2 matrices, as the copies of
            a neuron are the registers of the next layer, and one matrix copies the input: (B + 2) L + 1 in all. The
            first layer has registers for x^+ and x^-. Norms are at most 1. Biases are refused: the scale would multiply
            each of them by another power of two.
Errata.     -

Proofs: docs/proofs/binary.md, part B.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import sympy

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.gadget import PairReport, Question
from slth.grid import PRODUCT_EXPONENT
from slth.laws import Signs
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.references import SREENIVASAN2022
from slth.symbols import symbol
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.pairs import certificate, check_size, tolerances, usual_checks
from slth.theorems.pairs import normalised as normalised
from slth.theorems.register_chances import copies_needed as copies_needed
from slth.theorems.registers import (
    MOST_BITS,
    Tally,
    check_signs,
    effective,
    form,
    quantised,
    split,
    trimmed,
    widths_for,
    wire,
)

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "sreenivasan2022_binary"
REFERENCE = SREENIVASAN2022


def instances(target: Target) -> int:
    """Neurons of the target behind the inputs; the logical neurons that build them are counted in the reports."""
    return sum(target.widths[1:])


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the theorem for this target and source, each with its numbers."""
    (bits, copies), needed = form(target, source), bits_needed(target, epsilon)
    enough = copies_needed(target.widths, bits, delta)
    norm, biases, _, law = usual_checks(target, source, Signs())
    depth = (needed + 2) * target.depth + 1
    return (
        norm,
        biases,
        Check("depth of the source", source.depth, ">=", depth, source.depth >= depth),
        law,
        Check("fractional bits", bits, ">=", needed, bits >= needed),
        Check("copies of a neuron", copies, ">=", enough, copies >= enough),
    )


# 2. Bound -------------------------------------------------------------------------------------------------------------

_eps, _delta, _L, _d, _I, _C = (symbol(name) for name in ("epsilon", "delta", "L", "d", "I", "C"))
_B, _t, _d_out = symbol("B"), symbol("t"), symbol("d_out")

WIDTH = Bound(
    name="width of the source",
    quantity=symbol("D"),
    direction=Direction.UPPER,
    expression=_C * _d * sympy.log(_d * _L / _eps) ** 2,
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="width that suffices; C, the base of the logarithm and delta unknown here; restated from memory of the paper; "
    "check before quoting",
)

DEPTH_PUBLISHED = Bound(
    name="depth of the source, as published",
    quantity=symbol("matrices"),
    direction=Direction.UPPER,
    expression=_C * _L * sympy.log(_d * _L / _eps),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="depth that suffices; another C than that of WIDTH; restated from memory of the paper; check before quoting",
)

BITS = Bound(
    name="fractional bits of a weight",
    quantity=_B,
    direction=Direction.UPPER,
    expression=sympy.log(1 / (2 * _t)) / sympy.log(2),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="so many, rounded up, give every weight within t",
)

DEPTH = Bound(
    name="depth of the source",
    quantity=symbol("matrices"),
    direction=Direction.UPPER,
    expression=(_B + 2) * _L + 1,
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="B + 1 stages and a readout per layer, and one matrix that copies the input",
)

COPIES = Bound(
    name="copies of a neuron",
    quantity=symbol("copies"),
    direction=Direction.UPPER,
    expression=2 * sympy.log(2 * _I / _delta) / sympy.log(sympy.Rational(4, 3)),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="so many suffice with probability 1 - delta for all targets of these widths at once; I logical neurons; times "
    "at most 4 d for the width",
)

COPIES_NEEDED = Bound(
    name="copies of a neuron that this layout needs",
    quantity=symbol("copies"),
    direction=Direction.LOWER,
    expression=-sympy.log(1 - (1 - _delta) ** (1 / _d_out)) / sympy.log(2),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="each of d_out outputs that is not 0 needs an edge of one sign from one of so many copies",
)


def bits_needed(target: Target, epsilon: float) -> int:
    """B: the fewest fractional bits with 2^(-B-1) at most the tolerance of the l2 recursion in every layer.

    Raises:
        ValueError: epsilon is not positive and finite, or asks for more than 40 bits.

    >>> bits_needed(Target.from_floats([[[0.5]]]), epsilon=0.1)
    3
    """
    bits = max(0, 1 - math.frexp(2 * min(tolerances(target, epsilon)))[1])
    if bits > MOST_BITS:
        raise ValueError(f"epsilon = {epsilon} asks for {bits} bits; weights of at most {MOST_BITS} are exact here")
    return bits


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target, epsilon: float, delta: float, seed: int, samples: int | None = None, trial: int = 0
) -> Source:
    """The random network of signs, with (B + 2) L + 1 matrices.

    Args:
        target: fixes the widths d_i.
        epsilon: error to reach, > 0; fixes B.
        delta: failure probability to allow, in (0, 1).
        seed: key of the random stream.
        samples: copies of each logical neuron, >= 1; by default `copies_needed`.
        trial: index of the draw.

    Raises:
        ValueError: a number is out of its range.
    """
    bits = bits_needed(target, epsilon)
    needed = copies_needed(target.widths, bits, delta)
    copies = needed if samples is None else samples
    if copies < 1:
        raise ValueError(f"need at least 1 copy of each neuron, and more candidates for good ones; got {copies}")
    return Source(seed, widths_for(target.widths, bits, copies), law=Signs(), trial=trial)


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Wires registers and accumulators by masks; bits and copies are those of the source.

    Args:
        target: the network to approximate, without biases, weights of modulus at most 1.
        source: the random network, drawn once; a logical neuron without a good copy is counted, never redrawn.
        epsilon: has fixed the bits of the source; not needed here.
        question: None; nothing is searched.
        assignment: `block`; every copy has its place.
        advance: called with the number of target neurons dealt with since the last call.

    Returns:
        The ticket. Its reports count logical neurons, and those without a good copy as failed; a target neuron that
        could not be built is 0. As a network the ticket computes 2^(B L) times the approximation.

    Raises:
        ValueError: a question or another assignment is given, the target has biases or weights above 1, or the source
            is not made for it.
    """
    started = time.perf_counter()
    if question is not None or assignment is not block:
        raise ValueError("this construction wires registers, asks no question and has one assignment, block: leave out")
    if any(layer.bias is not None or int(abs(layer.weight).max()) > 1 << PRODUCT_EXPONENT for layer in target.layers):
        raise ValueError("registers need weights of modulus at most 1 (normalised) and no biases")
    bits, copies = form(target, source)
    check_signs(source)
    check_size(source)
    sums = [split(quantised(layer, bits), signed=i == 0) for i, layer in enumerate(target.layers)]
    masks, tallies = wire(source, sums, bits, copies, advance)
    ticket = Ticket(source, trimmed(masks))
    reports = tuple(_report(target, ticket, bits, i, tally) for i, tally in enumerate(tallies))
    half = (1 << (PRODUCT_EXPONENT - 1)) >> bits
    spent = time.perf_counter() - started
    return Construction(ticket, reports, (half,) * target.depth, copies, "registers", assignment.__name__, spent)


def _report(target: Target, ticket: Ticket, bits: int, i: int, tally: Tally) -> PairReport:
    layer, last = target.layers[i], (bits + 2) * (i + 1)
    built = np.where(tally.built[:, None], quantised(layer, bits) << (PRODUCT_EXPONENT - bits), 0)
    first = 0 if i == 0 else last - bits - 1
    kept = sum(int(np.count_nonzero(mask)) for mask in ticket.masks[first : last + 1])
    worst = int(np.abs(built - layer.weight).max())
    return PairReport(tally.count, tally.failed, kept, worst, tally.fewest, tally.most)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
) -> Certificate:
    """What is known about the ticket, divided by 2^(B L), on the domain (the theorem's unit ball by default).

    The errors are computed anew from the masks and the seed, by `slth.theorems.registers.effective`.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    checks = hypotheses(target, construction.ticket.source, epsilon, delta)
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort, effective)
