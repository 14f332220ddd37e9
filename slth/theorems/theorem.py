"""What every theorem file offers, and the certificate that comes out of one construction.

A theorem is a module, not a class: it has sections 1 to 4 (statement, bound, construction, certificate) and satisfies
the `Theorem` protocol. Nothing is registered; `slth.theorems` lists the modules in a tuple.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from slth.assignment import Assignment, block
from slth.errors import Ball, Box, ErrorInterval
from slth.gadget import PairReport, Question
from slth.grid import PRODUCT_EXPONENT
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.references import Reference
from slth.subset_sum.questions import any_or_nearest


class Verdict(StrEnum):
    """On the claim that this ticket is within epsilon of the target on the whole domain."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Check:
    """One hypothesis of a theorem, with its numbers.

    Attributes:
        name: what is measured.
        value: the measured number.
        relation: "<=", ">=" or "in".
        limit: what the theorem asks for.
        holds: whether it is met.
    """

    name: str
    value: float | str
    relation: str
    limit: float | str
    holds: bool


@dataclass(frozen=True, eq=False)
class Construction:
    """A ticket and how it came about.

    Attributes:
        ticket: source and masks.
        reports: the subset sums of every pair.
        tolerances: the tolerance of one subset sum in every pair, in units of 2^-48.
        question: name of the question asked of every subset sum.
        assignment: name of the assignment of hidden units to inputs.
        seconds: wall time.
    """

    ticket: Ticket
    reports: tuple[PairReport, ...]
    tolerances: tuple[int, ...]
    question: str
    assignment: str
    seconds: float

    @property
    def count(self) -> int:
        """Number of subset sums."""
        return sum(report.count for report in self.reports)

    @property
    def failed(self) -> int:
        """Subset sums that missed their tolerance; what was found is in the ticket all the same."""
        return sum(report.failed for report in self.reports)

    @property
    def worst_residual(self) -> float:
        """Largest |subset sum - target weight|."""
        return max(report.worst for report in self.reports) / 2.0**PRODUCT_EXPONENT


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is known about one ticket: hypotheses, sizes, the error as an interval with evidence, a verdict.

    Attributes:
        theorem: name of the theorem.
        epsilon: the claimed error.
        delta: failure probability that the theorem allows.
        hypotheses: the theorem's hypotheses with their numbers. They decide whether the theorem promises a ticket; the
            verdict is about the ticket at hand and needs none of them.
        target: the network to approximate.
        construction: the ticket and its subset sums.
        error: proved upper end and attained lower end of the error over the domain.
        seconds: wall time of construction and certificate.
    """

    theorem: str
    epsilon: float
    delta: float
    hypotheses: tuple[Check, ...]
    target: Target
    construction: Construction
    error: ErrorInterval
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """Holds if the proved upper end is at most epsilon, fails if the attained lower end exceeds it."""
        if self.error.upper <= self.epsilon:
            return Verdict.HOLDS
        return Verdict.FAILS if self.error.lower > self.epsilon else Verdict.UNDECIDED

    def as_dict(self) -> dict[str, Any]:
        """The certificate as plain numbers, strings, lists and dicts, ready for JSON."""
        made, ticket = self.construction, self.construction.ticket
        return {
            "theorem": self.theorem,
            "epsilon": self.epsilon,
            "delta": self.delta,
            "seed": ticket.source.seed,
            "trial": ticket.source.trial,
            "question": made.question,
            "assignment": made.assignment,
            "hypotheses": [vars(check) for check in self.hypotheses],
            "target": {
                "widths": list(self.target.widths),
                "parameters": self.target.parameters,
                "scale": self.target.scale,
                "rounding": self.target.rounding,
            },
            "source": {
                "parameters": ticket.source.parameters,
                "samples_per_weight": samples_per_weight(ticket.source),
                "widths": list(ticket.source.widths),
            },
            "kept": ticket.kept,
            "density": {
                "source": ticket.density,
                "second_layers": ticket.density_of_second_layers,
                "relative_to_target": ticket.kept / self.target.parameters,
            },
            "subset_sums": {
                "count": made.count,
                "failed": made.failed,
                "worst_residual": made.worst_residual,
                "tolerances": [tolerance / 2.0**PRODUCT_EXPONENT for tolerance in made.tolerances],
                "fewest_candidates": min(report.fewest for report in made.reports),
                "most_candidates": max(report.most for report in made.reports),
            },
            "error": {
                "lower": self.error.lower,
                "upper": self.error.upper,
                "norm": self.error.norm,
                "domain": self.error.domain,
                "lower_method": self.error.lower_method,
                "upper_method": self.error.upper_method,
            },
            "verdict": str(self.verdict),
            "seconds": self.seconds,
        }


def samples_per_weight(source: Source) -> int:
    """Candidates per weight and side: half the hidden units per input, the smallest over the pairs."""
    per_input = [
        hidden // (inputs + int(biased))
        for inputs, hidden, biased in zip(source.widths[0::2], source.widths[1::2], source.biased, strict=False)
    ]
    return min(per_input) // 2


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
        question: Question,
        assignment: Assignment,
        advance: Callable[[int], object],
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
    question: Question = any_or_nearest,
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
        samples: candidates per weight and side; by default what the theorem's bound asks for.
        question: asked of every subset sum, see `slth.subset_sum.questions`.
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
