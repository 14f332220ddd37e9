"""Errors as intervals with evidence: a proved upper end, an attained lower end, and how each was found."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from slth.errors.domain import Norm


class ContradictoryBounds(RuntimeError):
    """A lower end above an upper end: one of the two methods is wrong."""


@dataclass(frozen=True, eq=False)
class Lower:
    """An error that is attained.

    Attributes:
        value: ||f(x) - g(x)|| at the witness, exact and rounded down, >= 0.
        witness: x, float64 (inputs,), to be read as exact numbers.
        method: how the witness was found.
    """

    value: float
    witness: NDArray[np.float64]
    method: str

    def __post_init__(self) -> None:
        _check_end(self.value, self.method)


@dataclass(frozen=True)
class Upper:
    """An error that is not exceeded anywhere in the domain.

    Attributes:
        value: the bound, rounded up, >= 0.
        method: how it was proved.
        splits: for splitting the parts that prove it (see `slth.errors.splitting`), else empty.
    """

    value: float
    method: str
    splits: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        _check_end(self.value, self.method)


def _check_end(value: float, method: str) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"the end of an error interval must be a finite number >= 0; {method} gave {value}")


@dataclass(frozen=True, eq=False)
class ErrorInterval:
    """How far f and g are apart over a domain: lower <= sup ||f(x) - g(x)|| <= upper, in real arithmetic.

    Attributes:
        lower: attained at the witness.
        upper: proved.
        norm: "l2" or "linf", the norm of f(x) - g(x).
        domain: description of the set over which x runs.
        lower_method: what found the witness.
        upper_method: what proved the upper end.
        witness: float64 (inputs,).
        ladder: everything that was tried, lower ends first.

    Raises:
        ContradictoryBounds: lower > upper.

    >>> i = ErrorInterval(0.5, 1.0, "l2", "unit l2 ball in R^1", "samples", "scalar recursion", np.ones(1))
    >>> i.ratio
    2.0
    """

    lower: float
    upper: float
    norm: Norm
    domain: str
    lower_method: str
    upper_method: str
    witness: NDArray[np.float64] = field(repr=False)
    ladder: tuple[Lower | Upper, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        _check_end(self.lower, self.lower_method)
        _check_end(self.upper, self.upper_method)
        if self.lower > self.upper:
            raise ContradictoryBounds(
                f"over {self.domain} the error {self.lower!r} is attained ({self.lower_method}) although "
                f"{self.upper!r} was proved not to be exceeded ({self.upper_method}): one of the two "
                "has a bug and no claim can be made. Please report it with the witness"
            )

    @property
    def ratio(self) -> float:
        """upper / lower: 1 means that the error is known; infinite if only the lower end is 0."""
        if self.lower == 0:
            return 1.0 if self.upper == 0 else math.inf
        return self.upper / self.lower


def joined(lowers: tuple[Lower, ...], uppers: tuple[Upper, ...], norm: Norm, domain: str) -> ErrorInterval:
    """The interval between the largest lower end and the smallest upper end, with all of them as its ladder.

    Raises:
        ValueError: an end has no candidates.
        ContradictoryBounds: the ends cross.

    >>> uppers = Upper(2.0, "b"), Upper(1.0, "c")
    >>> joined((Lower(0.1, np.zeros(1), "a"),), uppers, "l2", "a ball").upper_method
    'c'
    """
    if not lowers or not uppers:
        raise ValueError(f"an interval needs ends of both kinds; got {len(lowers)} lower and {len(uppers)} upper ends")
    low = max(lowers, key=lambda end: end.value)
    high = min(uppers, key=lambda end: end.value)
    return ErrorInterval(low.value, high.value, norm, domain, low.method, high.method, low.witness, (*lowers, *uppers))
