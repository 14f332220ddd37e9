"""What comes out of one construction: checks of the hypotheses, the ticket with its subset sums, the certificate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from slth.errors import Ball, Box, ErrorInterval
from slth.gadget import EffectiveLayer, PairReport
from slth.grid import PRODUCT_EXPONENT
from slth.networks.target import Target
from slth.networks.ticket import Ticket


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
        reports: the instances (subset sums, or what the theorem has in their place) of every layer.
        tolerances: the tolerance of one instance in every layer, in units of 2^-48.
        samples: candidates per weight and side, or copies, as the theorem counts them.
        question: name of the question asked of every instance.
        assignment: name of the assignment of hidden units to inputs.
        seconds: wall time.
    """

    ticket: Ticket
    reports: tuple[PairReport, ...]
    tolerances: tuple[int, ...]
    samples: int
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
        domain: where the input runs; None if the theorem does not say.
        layers: what the ticket computes, layer by layer, exactly: its error at further points follows, see
            `slth.errors.errors_at`. Empty if it is not of that form.
    """

    theorem: str
    epsilon: float
    delta: float
    hypotheses: tuple[Check, ...]
    target: Target
    construction: Construction
    error: ErrorInterval
    seconds: float
    domain: Ball | Box | None = None
    layers: tuple[EffectiveLayer, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Holds if the proved upper end is at most epsilon, fails if the attained lower end exceeds it."""
        if self.error.upper <= self.epsilon:
            return Verdict.HOLDS
        return Verdict.FAILS if self.error.lower > self.epsilon else Verdict.UNDECIDED

    @property
    def paired(self) -> bool:
        """Whether every layer of the target has a pair of matrices in the source."""
        return self.construction.ticket.source.widths[::2] == self.target.widths

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
                "samples_per_weight": made.samples,
                "widths": list(ticket.source.widths),
            },
            "kept": ticket.kept,
            "density": {
                "source": ticket.density,
                "second_layers": ticket.density_of_second_layers if self.paired else None,
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
