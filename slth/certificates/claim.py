"""What a certificate claims: over this domain, this ticket is within this error of this target."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass, field
from typing import Protocol

from slth.errors import Ball, Domain, ErrorInterval, Upper
from slth.errors.outward import up
from slth.errors.splitting import METHOD as SPLITTING
from slth.gadget import check_fit
from slth.networks.target import Target
from slth.networks.ticket import Ticket

WORDING = "certified in real arithmetic for weights exactly as stored"

PROVABLE = ("scalar recursion", "vector recursion")
"""Methods of slth_check.py. It refuses a claim by another one unless one of these proves it too."""

MARGIN, SPARE = 2.0**-20, 2.0**-36
"""A claimed error lies so much of itself, and so much of the end by scalar recursion, above the proved one, so that a
checker with other roundings proves it too: those are small beside the scalar end even where the proved one is 0."""


class Made(Protocol):
    """The part of a construction that is needed."""

    @property
    def ticket(self) -> Ticket: ...


class Certified(Protocol):
    """What `slth.theorems.certificate.Certificate` offers."""

    @property
    def theorem(self) -> str: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def delta(self) -> float: ...
    @property
    def target(self) -> Target: ...
    @property
    def construction(self) -> Made: ...
    @property
    def error(self) -> ErrorInterval: ...
    @property
    def domain(self) -> Domain | None: ...


@dataclass(frozen=True, eq=False)
class Claim:
    """||f(x) - g(x)|| <= error for all x in the domain, in real arithmetic for weights exactly as stored.

    Attributes:
        target: f.
        ticket: g.
        domain: a ball (errors in l2) or a box (errors in l_inf).
        error: the certified epsilon, finite and >= 0.
        method: how it was proved, such as "scalar recursion".
        theorem: which promised a ticket, if any.
        promised: the theorem's epsilon; it is not checked, and may be on either side of `error`.
        delta: the failure probability that the theorem allows, likewise.
        splits: the parts that prove an end by splitting, from its `Upper`; empty for other methods.

    Raises:
        ValueError: the ticket or the domain does not fit the target, a number is out of its range, or there are splits
            for another method.
    """

    target: Target
    ticket: Ticket
    domain: Domain
    error: float
    method: str
    theorem: str | None = None
    promised: float | None = None
    delta: float | None = None
    splits: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        check_fit(self.target, self.ticket.source)
        if self.domain.dimension != self.target.widths[0]:
            raise ValueError(
                f"the domain ({self.domain.description}) has dimension {self.domain.dimension}, but the target has "
                f"{self.target.widths[0]} inputs: give the domain of the target's inputs"
            )
        numbers = {"error": self.error, "promised": self.promised, "delta": self.delta}
        for name, value in numbers.items():
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"the {name} of a claim must be a finite number >= 0; got {value}")
        if self.splits and self.method != SPLITTING:
            raise ValueError(f"splits prove a claim by {SPLITTING!r}, not one by {self.method!r}: leave them out")

    @classmethod
    def of(cls, certificate: Certified, *, tightest: bool = False) -> Claim:
        """The claim that a theorem's certificate supports: a proved upper end, and `MARGIN` for other roundings.

        Args:
            certificate: from a theorem's certify, or `slth.verify`; where it names no domain, on the unit ball.
            tightest: takes the best upper end, whatever its method: `slth check --tight` proves it if its method is
                one of `slth.errors`. By default the best one that the smaller checker proves, slth_check.py.

        Raises:
            ValueError: the certificate names no domain, and its error is about another one than the unit ball.

        >>> import slth
        >>> target = slth.random_target([2, 2, 1], seed=0)
        >>> found = slth.verify(slth.pensia2020_subset_sum, target, epsilon=0.5, delta=0.1, seed=1, samples=16)
        >>> Claim.of(found).method, Claim.of(found).error > found.error.upper, Claim.of(found).promised
        ('scalar recursion', True, 0.5)
        """
        domain = Ball(certificate.target.widths[0]) if certificate.domain is None else certificate.domain
        found = certificate.error
        if (domain.description, domain.norm) != (found.domain, found.norm):
            raise ValueError(
                f"the certificate is about the {found.norm} error over {found.domain}, not the {domain.norm} error "
                f"over {domain.description}: let it name its domain"
            )
        ends = [end for end in found.ladder if isinstance(end, Upper) and (end.splits or end.method != SPLITTING)]
        ends = [end for end in ends if tightest or end.method in PROVABLE] or [Upper(found.upper, found.upper_method)]
        end = min(ends, key=lambda end: end.value)
        scale = max((other.value for other in ends if other.method == PROVABLE[0]), default=end.value)
        error = up(up(end.value * (1 + MARGIN)) + scale * SPARE) if scale else 0.0
        ticket = certificate.construction.ticket
        names = certificate.theorem, certificate.epsilon, certificate.delta
        return cls(certificate.target, ticket, domain, error, end.method, *names, end.splits)

    def save(self, path: str | os.PathLike[str]) -> bool:
        """Writes target, ticket and claim to a .safetensors file, if a checker proves the claim; `slth.load` reads it.

        Returns:
            Whether `slth check` proves it as it is; if not, it needs the checker of tight claims, or its method.

        Raises:
            ValueError: the path cannot be a file, or the claim is refused; the message says why.
            OSError: the file cannot be written.
        """
        from slth.certificates.files import save_certificate

        return save_certificate(self, path)


def target_digest(target: Target) -> str:
    """SHA-256 of a target: its widths, which layers have a bias, and every weight and bias as int64.

    The name of a target, to be passed on beside a certificate: `slth check FILE --target-digest D` refuses a
    certificate about any other target.

    >>> target_digest(Target.from_floats([[[1.0]]]))[:8]
    '7313a2f3'
    """
    biases = [layer.bias is not None for layer in target.layers]
    text = json.dumps({"biases": biases, "widths": list(target.widths)}, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode())
    for layer in target.layers:
        digest.update(layer.weight.astype("<i8").tobytes())
        digest.update(b"" if layer.bias is None else layer.bias.astype("<i8").tobytes())
    return digest.hexdigest()
