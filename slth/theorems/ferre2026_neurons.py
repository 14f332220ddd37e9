"""Ferré, Giroire, Mallmann-Trenn, Natale (2026): neuron pruning needs 1 / epsilon hidden units where weights need log.

Statement.  To approximate one bias-free ReLU neuron within epsilon by removing hidden units of a random bias-free
            two-layer ReLU network, Omega(1 / epsilon) hidden units are needed; masks on single weights succeed with
            O(log(1 / epsilon)).
Kind.       lower for UNITS_PUBLISHED, upper for WEIGHTS_PUBLISHED (restated from the abstracts, C unknown). Lower for
            KINK, FAILURE, UNITS and their forms, upper for WEIGHTS (derived, every constant explicit).
Source.     arXiv 2603.02234v3, abstract only; versions 1 and 2 state Omega(d / epsilon) and O(d log(1 / epsilon)).
Uses.       malach2020_neurons for neuron tickets, pensia2020_subset_sum for WEIGHTS.
Notation.   hidden neurons -> D; w* target weight, |w*| -> s; h angle from the kink line of the target, the line
            <w*, x> = 0, to the nearest kink line of a hidden unit, modulo pi.
Departs.    The bound is on one drawn network and holds for any real output weights, hence for every neuron mask with
            any rescaling: epsilon >= |w*| tan(h / 2) / 2. It is proved in the plane; in d >= 2 inputs it holds on every
            plane through w*, with the hidden weights projected onto it. The probabilities FAILURE and UNITS need hidden
            weights with rotation-invariant directions, which `isotropic` draws: (cos a, sin a) with a = 2 pi (b + 1/2)
            / 2^32 for 32 random bits b (so P(h <= x) moves by at most 2^-31, and float64 moves h by less than 2^-49).
            The cube law U[-1, 1]^2 of a `Source` has a denser diagonal, by pi / 2: hence SQUARE.
Errata.     Omega(d / epsilon) was dropped in version 3. These bounds read the output linearly. Then weight masks obey
            them too, with the axes as further kink lines, so O(log(1 / epsilon)) is out of their reach as well unless
            w* lies near an axis: WEIGHTS needs a ReLU behind the output. For neuron masks with a ReLU behind the output
            `rectified_floor` is what remains: a power of epsilon, no logarithm.

Proofs: docs/proofs/neuron_pruning.md, parts A and B. In one dimension all kinks are at 0 and neuron pruning is a subset
sum (`malach2020_neurons.prune_one_input`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from slth.bounds import Bound, Direction, Provenance
from slth.errors.circle import circle_error, circle_points, half_tangent, least_error, root
from slth.errors.domain import as_points, integers_of
from slth.errors.outward import fraction_down
from slth.randomness import bits, stream_number
from slth.references import FERRE2026
from slth.symbols import symbol

Floats = NDArray[np.float64]

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "ferre2026_neurons"
REFERENCE = FERRE2026

_eps, _delta, _D, _C, _d = symbol("epsilon"), symbol("delta"), symbol("D"), symbol("C"), symbol("d")
_RESTATED = "; restated from the abstract; check before quoting"


def _bound(name: str, quantity: str, direction: Direction, expression: sympy.Expr, note: str) -> Bound:
    provenance = Provenance.RESTATED if note.endswith(_RESTATED) else Provenance.DERIVED
    return Bound(name, symbol(quantity), direction, expression, provenance, REFERENCE, note)


UNITS_PUBLISHED = _bound(
    "hidden units for neuron masks", "D", Direction.LOWER, _C / _eps, "version 3; with high probability" + _RESTATED
)
UNITS_FIRST_VERSIONS = _bound(
    "hidden units for neuron masks, versions 1 and 2",
    "D",
    Direction.LOWER,
    _C * _d / _eps,
    "d inputs; the factor d was dropped in version 3, so do not rely on it" + _RESTATED,
)
WEIGHTS_PUBLISHED = _bound(
    "hidden units for weight masks",
    "D",
    Direction.UPPER,
    _C * sympy.log(1 / _eps),
    "version 3; versions 1 and 2 have a factor d" + _RESTATED,
)

# 2. Bound -------------------------------------------------------------------------------------------------------------

KINK = _bound(
    "error of any readout",
    "epsilon",
    Direction.LOWER,
    symbol("s") * sympy.tan(symbol("h") / 2) / 2,
    "one neuron of weight norm s, unit disk; any real output weights, so any neuron mask; h to the nearest hidden kink",
)

_MISS = sympy.Max(0, 1 - 4 / sympy.pi * sympy.atan(2 * _eps))

FAILURE = _bound(
    "probability that no readout is within epsilon",
    "delta",
    Direction.LOWER,
    _MISS**_D,
    "target of norm 1 (else epsilon / |w*|), independent hidden weights with rotation-invariant directions",
)
FAILURE_LINEAR = _bound(
    "probability that no readout is within epsilon, linear form",
    "delta",
    Direction.LOWER,
    1 - 8 * _D * _eps / sympy.pi,
    "as FAILURE, from (1 - x)^D >= 1 - D x and arctan x <= x",
)
UNITS = _bound(
    "hidden units for failure probability delta",
    "D",
    Direction.LOWER,
    sympy.pi * (1 - _delta) / (8 * _eps),
    "FAILURE_LINEAR solved for D; target of norm 1, rotation-invariant directions",
)
UNITS_HALF = UNITS.with_values(delta=sympy.Rational(1, 2))
"""Failure probability 1/2: D >= pi / (16 epsilon)."""

FAILURE_SQUARE = _bound(
    "probability that no readout is within epsilon, cube law",
    "delta",
    Direction.LOWER,
    1 - 4 * _D * _eps,
    "target of norm 1, two inputs, U[-1, 1] (up to D 2^-22 for the grid): the directions have density <= 1/4",
)
UNITS_SQUARE = _bound(
    "hidden units for failure probability delta, cube law",
    "D",
    Direction.LOWER,
    (1 - _delta) / (4 * _eps),
    "FAILURE_SQUARE solved for D",
)
WEIGHTS = _bound(
    "hidden units for weight masks, every constant",
    "D",
    Direction.UPPER,
    _d * sympy.log(32 * _d**2 / (_eps**2 * _delta)) / sympy.log(sympy.Rational(16, 15)),
    "ROWS of pensia2020_subset_sum for one row of d weights, times d; the output passes a ReLU; |w*| <= 1, U[-1, 1]",
)


def _lines(target: ArrayLike, hidden: ArrayLike) -> tuple[NDArray[np.object_], NDArray[np.object_], int]:
    """The target (2,) and the hidden units with a kink (n, 2) as integers in units of 2^-k, and k."""
    vectors = np.vstack((as_points(np.reshape(target, (1, -1)), 2), as_points(hidden, 2)))
    integers, exponent = integers_of(vectors)
    if not integers[0].any():
        raise ValueError("the target neuron has weight 0, so it has no kink: the empty mask is exact")
    return integers[0], integers[1:][(integers[1:] != 0).any(axis=1)], exponent


def kink_floor(target: ArrayLike, hidden: ArrayLike) -> float:
    """No output weights bring sum of v_i relu(<u_i, x>) nearer to relu(<w*, x>) on the unit disk (KINK).

    Args:
        target: w*, finite (2,), read as exact numbers, not 0.
        hidden: u, finite (n, 2), n >= 1, likewise; the first matrix of a source, by `slth.grid.to_float`.

    Returns:
        |w*| tan(h / 2) / 2, rounded down: decided in integers, so it holds for the very numbers given.

    Raises:
        ValueError: wrong shapes, NaN or infinite values, or a target of weight 0.

    >>> kink_floor([0.0, 1.0], [[1.0, 0.0]])
    0.5
    """
    w, units, exponent = _lines(target, hidden)
    tangent = min((half_tangent(u, w) for u in units), default=Fraction(1))
    return fraction_down(root(int(w @ w), up=False) * tangent / (2 << exponent))


def rectified_floor(target: ArrayLike, hidden: ArrayLike) -> float:
    """No output weights bring relu(sum of v_i relu(<u_i, x>)) nearer to relu(<w*, x>) on the unit disk.

    |w*| min(sin(h / 2), 1 / (2 + 2 sum of cot(r_i / 2))) with r_i the smaller of the angle from kink i to the nearest
    other hidden kink and half its angle to the target's kink. For random units it falls like 1 / D^2.

    Args:
        target: as in `kink_floor`.
        hidden: as in `kink_floor`.

    Returns:
        The bound, rounded down (square roots by 1 + t^2 / 2 >= sqrt(1 + t^2)); 0 if two kinks coincide.

    Raises:
        ValueError: as `kink_floor`.

    >>> rectified_floor([0.0, 1.0], [[1.0, 0.0]]) < kink_floor([0.0, 1.0], [[1.0, 0.0]])
    True
    """
    w, units, exponent = _lines(target, hidden)
    norm = root(int(w @ w), up=False) / (1 << exponent)
    to_target = [half_tangent(u, w) for u in units]
    nearest, cotangents = min(to_target, default=Fraction(1)), Fraction(0)
    for i, t in enumerate(to_target):
        others = [half_tangent(units[i], u) for j, u in enumerate(units) if j != i]
        tangent = min([t / (2 + t**2 / 2), *others])  # tan(d / 4) >= t / (2 + t^2 / 2) for t = tan(d / 2)
        if not tangent:
            return 0.0
        cotangents += 1 / tangent
    return fraction_down(norm * min(nearest / (1 + nearest**2 / 2), 1 / (2 + 2 * cotangents)))


# 3. Measure -----------------------------------------------------------------------------------------------------------


def isotropic(seed: int, count: int, trial: int = 0) -> Floats:
    """Hidden weights of norm 1 with uniform directions in the plane, float64 (count, 2).

    >>> bool(np.allclose(np.hypot(*isotropic(1, 3).T), 1))
    True
    """
    angles = (bits(seed, stream_number(trial, 0), 0, count) + 0.5) * (2 * np.pi / 2.0**32)
    return np.stack((np.cos(angles), np.sin(angles)), axis=1)


@dataclass(frozen=True, eq=False)
class Readout:
    """The best real output weights for one neuron.

    Attributes:
        angle: h, from the target's kink to the nearest hidden one; float64, not rounded outward.
        floor: `kink_floor`, proved.
        relaxed: the least error on the points of the linear program, to the tolerance of its solver (1e-7).
        error: the error that `weights` attain over the disk, to float64; at most `relaxed` / cos(spacing / 2).
        weights: output weights (n,).
    """

    angle: float
    floor: float
    relaxed: float
    error: float
    weights: Floats


def measure(target: ArrayLike, hidden: ArrayLike, count: int = 360) -> Readout:
    """The best real output weights by linear programming, beside the bound that they obey.

    Args:
        target: w*, finite (2,), not 0.
        hidden: u, finite (n, 2), no row 0.
        count: points of the even grid, >= 8.

    Raises:
        ValueError: wrong shapes, NaN or infinite values, a weight 0, or too few points.
        RuntimeError: the solver gave up.

    >>> found = measure([1.0, 0.0], [[1.0, 1.0], [-1.0, 1.0]])
    >>> found.floor <= found.error
    True
    """
    floor, w, u = kink_floor(target, hidden), np.asarray(target, dtype=float), np.asarray(hidden, dtype=float)
    norms = np.hypot(*u.T)
    if count < 8 or not norms.all():
        raise ValueError(f"need at least 8 points and no hidden weight 0; got {count} points, norms {norms}")
    x = circle_points(w, u, count)
    columns, wanted = np.maximum(x @ (u / norms[:, None]).T, 0.0), np.maximum(x @ w, 0.0)
    relaxed, weights = least_error(columns, wanted, np.ones(len(x), dtype=bool))
    weights = weights / norms
    error = circle_error(np.append(weights, -1.0), np.vstack((u, w)))
    angle = 2 * math.atan(2 * floor / math.hypot(*w))
    return Readout(angle, floor, relaxed, error, weights)
