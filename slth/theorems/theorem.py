"""What every theorem file with a construction offers, and one draw of it.

A theorem is a module, not a class: it has sections 1 to 4 (statement, bound, construction, certificate) and satisfies
the `Theorem` protocol. Nothing is registered; `slth.theorems` lists the modules in tuples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from slth.assignment import Assignment, block
from slth.errors import Ball, Box
from slth.gadget import Question
from slth.networks.source import Source
from slth.networks.target import Target
from slth.references import Reference
from slth.theorems.certificate import Certificate, Check, Construction


class Theorem(Protocol):
    """The shape of a theorem file with a construction."""

    NAME: str
    REFERENCE: Reference

    def normalised(self, target: Target) -> Target: ...

    def instances(self, target: Target) -> int: ...

    def hypotheses(self, target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]: ...

    def source(
        self,
        target: Target,
        epsilon: float,
        delta: float,
        seed: int,
        samples: int | None = None,
        trial: int = 0,
    ) -> Source: ...

    def construct(
        self,
        target: Target,
        source: Source,
        epsilon: float,
        question: Question | None = None,
        assignment: Assignment = block,
        advance: Callable[[int], object] = lambda solved: None,
    ) -> Construction: ...

    def certify(
        self,
        target: Target,
        construction: Construction,
        epsilon: float,
        delta: float,
        domain: Ball | Box | None = None,
    ) -> Certificate: ...


def verify(
    theorem: Theorem,
    target: Target,
    epsilon: float,
    delta: float,
    seed: int,
    *,
    samples: int | None = None,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Certificate:
    """Draws one source, prunes it and certifies the ticket.

    Args:
        theorem: a module of `slth.theorems`.
        target: the network to approximate.
        epsilon: the error to reach, > 0.
        delta: the failure probability to allow, in (0, 1).
        seed: key of the random stream, 0 <= seed < 2^64.
        samples: candidates per weight and side (or copies, as the theorem counts); by default what its bound asks for.
        question: asked of every subset sum, see `slth.subset_sum.questions`; by default the theorem's own.
        assignment: which hidden unit reads which input, `slth.assignment.block` or `adaptive`.
        advance: called with the number of subset sums solved since the last call.

    Returns:
        The certificate of this one draw. A draw that fails is returned like any other.

    Raises:
        ValueError: a number is out of its range.
    """
    drawn = theorem.source(target, epsilon, delta, seed, samples)
    made = theorem.construct(target, drawn, epsilon, question, assignment, advance)
    return theorem.certify(target, made, epsilon, delta)
