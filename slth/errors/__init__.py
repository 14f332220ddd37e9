"""How far apart are a target network and a ticket? Upper ends are proved, lower ends are attained."""

from slth.errors.attacks import corner_attack, gradient_attack
from slth.errors.bracket import Effort, bracket, upper_ends
from slth.errors.domain import Ball, Box, Domain, on_grid
from slth.errors.exact import exact_error, lower_at, one_layer_supremum
from slth.errors.interval import ContradictoryBounds, ErrorInterval, Lower, Upper, joined
from slth.errors.recursion import scalar, vector
from slth.errors.rounding import frobenius_up, infinity_up, spectral_up
from slth.errors.sampled import from_points, sampled

__all__ = [
    "Ball",
    "Box",
    "ContradictoryBounds",
    "Domain",
    "Effort",
    "ErrorInterval",
    "Lower",
    "Upper",
    "bracket",
    "corner_attack",
    "exact_error",
    "frobenius_up",
    "from_points",
    "gradient_attack",
    "infinity_up",
    "joined",
    "lower_at",
    "on_grid",
    "one_layer_supremum",
    "sampled",
    "scalar",
    "spectral_up",
    "upper_ends",
    "vector",
]
