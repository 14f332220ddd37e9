"""A bound at one place as a claim that measurements can judge.

A number that was fitted to measurements is not the constant of a theorem. A bound evaluated with one is a heuristic
here, and its origin says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from slth.bounds import CONSTANT, Bound, Direction, Provenance
from slth.fits import FittedConstant

ROUNDING = 1e-12
"""Relative error that a bound's value in float64 may have; what is nearer to it stays undecided."""


@dataclass(frozen=True)
class Claim:
    """A bound at one place: a number with a direction.

    Attributes:
        name: of the quantity or the bound, for sentences.
        direction: whether the quantity is claimed to be at most, at least or about the value.
        value: the number, not NaN.
        origin: where the number comes from, in words.
        trivial: what the quantity cannot exceed (for an upper bound) or fall below (for a lower one) by counting or by
            its definition, such as 1 for a probability or a density; None if nothing of the kind is known.
        factor: of a heuristic, which is then claimed to be within it, >= 1.

    Raises:
        ValueError: a number is NaN, or the factor is below 1.
    """

    name: str
    direction: Direction
    value: float
    origin: str = "given by the caller"
    trivial: float | None = None
    factor: float = 2.0

    def __post_init__(self) -> None:
        if math.isnan(self.value) or (self.trivial is not None and math.isnan(self.trivial)) or not self.factor >= 1:
            raise ValueError(
                f"the claim {self.name!r} needs numbers and a factor of at least 1; got value {self.value}, trivial "
                f"{self.trivial}, factor {self.factor}"
            )

    @property
    def vacuous(self) -> bool:
        """Whether the claim says no more than `trivial` does."""
        if self.direction is Direction.HEURISTIC:
            return False
        upper, value = self.direction is Direction.UPPER, self.value
        if self.trivial is None:
            return value == (math.inf if upper else -math.inf)
        return value >= self.trivial if upper else value <= self.trivial

    def relation(self) -> str:
        """The claim as a formula."""
        if self.direction is Direction.HEURISTIC:
            return f"{self.name} within a factor {self.factor:g} of {self.value:.6g}"
        return f"{self.name} {'<=' if self.direction is Direction.UPPER else '>='} {self.value:.6g}"


def claim(
    bound: Bound, values: Mapping[str, float | FittedConstant], trivial: float | None = None, factor: float = 2.0
) -> Claim:
    """A bound of a theorem at one place.

    Args:
        bound: see `slth.bounds`.
        values: numbers by symbol name, for every symbol of the expression. A fitted constant makes the claim a
            heuristic, whatever the bound was.
        trivial: see `Claim`.
        factor: of a heuristic.

    Raises:
        TypeError: a value is not a number.
        ValueError: a value is missing, out of its range or not in the expression, or refuted by its own fit.

    >>> from slth.theorems.lueker1998_subset_sum import FAILURE_UNIFORM
    >>> claim(FAILURE_UNIFORM, {"epsilon": 0.01, "n": 10}, trivial=1).vacuous
    True
    """
    numbers, direction, origin = {}, bound.direction, f"{bound.reference.cite()}, {bound.provenance}"
    for name, value in values.items():
        if not isinstance(value, FittedConstant):
            numbers[name] = value
            if name == str(CONSTANT):
                origin += f", with {name} = {value:g} as supplied by the caller"
            continue
        if value.refuted:
            raise ValueError(f"no constant {name} fits the measurements ({value.sentence()}): give a number instead")
        numbers[name], direction = value.value.estimate, Direction.HEURISTIC
        origin = f"form of {bound.reference.cite()}, with {name} = {value.value.estimate:.4g} fitted: not its constant"
    if direction is Direction.HEURISTIC and bound.provenance is Provenance.HEURISTIC:
        origin += ", nothing is proved"
    return Claim(bound.name, direction, bound.evaluate(**numbers), origin, trivial, factor)
