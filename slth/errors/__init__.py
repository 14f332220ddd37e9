"""How far apart are a target network and a ticket? Upper ends are proved, lower ends are attained."""

from slth.errors.attacks import corner_attack, gradient_attack
from slth.errors.averaged import averaged
from slth.errors.batched import PointErrors, errors_at, random_points
from slth.errors.bracket import Effort, bracket, upper_ends
from slth.errors.cells import exact_plane_error, plane_error
from slth.errors.coupled import coupled
from slth.errors.differential import differential
from slth.errors.domain import Ball, Box, Domain, on_grid
from slth.errors.exact import exact_error, lower_at, one_layer_supremum
from slth.errors.frank_wolfe import frank_wolfe
from slth.errors.interval import ContradictoryBounds, ErrorInterval, Lower, Upper, joined
from slth.errors.polish import polished
from slth.errors.recursion import scalar, vector
from slth.errors.rounding import frobenius_up, infinity_up, spectral_up
from slth.errors.sampled import from_points, sampled
from slth.errors.splitting import Split, splitting

__all__ = [
    "Ball",
    "Box",
    "ContradictoryBounds",
    "Domain",
    "Effort",
    "ErrorInterval",
    "Lower",
    "PointErrors",
    "Split",
    "Upper",
    "averaged",
    "bracket",
    "corner_attack",
    "coupled",
    "differential",
    "errors_at",
    "exact_error",
    "exact_plane_error",
    "frank_wolfe",
    "frobenius_up",
    "from_points",
    "gradient_attack",
    "infinity_up",
    "joined",
    "lower_at",
    "on_grid",
    "one_layer_supremum",
    "plane_error",
    "polished",
    "random_points",
    "sampled",
    "scalar",
    "spectral_up",
    "splitting",
    "upper_ends",
    "vector",
]
