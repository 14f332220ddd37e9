"""Burkholz, Laha, Mukherjee, Gotovos (2022): one ticket for a whole family of targets, up to an affine readout.

Statement.  Let b_1, ..., b_m be basis functions and f_B a ReLU network with |f_B(x)_j - b_j(x)| <= e for all x of the
            domain and all j. If a ticket g of a random network satisfies |g(x)_j - f_B(x)_j| <= epsilon there, then for
            all coefficients c and constants c_0 at once
                |c_0 + sum of c_j g(x)_j - (c_0 + sum of c_j b_j(x))| <= (|c_1| + ... + |c_m|) (e + epsilon),
            so that one pruning serves every function of the span: polynomials, trigonometric sums, squares and, by
            polarisation, products.
Kind.       upper. FAMILY and INTERPOLATION are derived; WIDTH is restated, its constant C is not known.
Source.     Burkholz et al., ICLR 2022, "On the existence of universal lottery tickets", abstract; all else
            restated from memory of the paper; check before quoting.
Uses.       fischer2021_biases: the basis network has biases, and its ticket is built as there.
Notation.   basis network f_B -> `Basis.target`; knots of an interpolation; levels of a sawtooth.
Departs.    Bases of one variable on [-1, 1] by linear interpolation (one hidden layer), and squares on [0, 1] by depth
            (sawtooth). The paper builds products of many variables and uses subset sums over base sets of varying size;
            here the pairs of `fischer2021_biases` serve every weight.
Errata.     -

Derivations.  Linear interpolation of a function with |b''| <= kappa at knots of distance h is within kappa h^2 / 8.
With the tent map T(y) = 2 relu(y) - 4 relu(y - 1/2) + 2 relu(y - 1) and its s-fold iterate T_s, the linear
interpolation of x^2 on [0, 1] at the multiples of 2^-M is x - sum over s = 1, ..., M of T_s(x) / 4^s, so it is within
4^-(M + 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.errors.outward import up
from slth.gadget import Question
from slth.networks.source import Source
from slth.networks.target import Target
from slth.references import BURKHOLZ2022_UNIVERSAL
from slth.symbols import symbol
from slth.theorems import fischer2021_biases
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.fischer2021_biases import hypotheses as hypotheses
from slth.theorems.fischer2021_biases import normalised as normalised
from slth.theorems.fischer2021_biases import samples_needed as samples_needed
from slth.theorems.fischer2021_biases import source as source
from slth.theorems.pairs import certificate
from slth.theorems.pairs import instances as instances

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "burkholz2022_universal"
REFERENCE = BURKHOLZ2022_UNIVERSAL


@dataclass(frozen=True, eq=False)
class Basis:
    """Basis functions and a ReLU network close to all of them.

    Attributes:
        target: the network, one input, one output per function.
        functions: from float64 (batch,) to (batch, m).
        names: of the functions, m of them.
        error: e, at least the largest |target(x)_j - b_j(x)| over the domain; rounded up.
        domain: where x runs.
    """

    target: Target
    functions: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    names: tuple[str, ...]
    error: float
    domain: Box


def monomials(degree: int, knots: int) -> Basis:
    """x, x^2, ..., x^degree on [-1, 1] by linear interpolation.

    Args:
        degree: at least 1.
        knots: intervals of equal length, at least 1.

    Raises:
        ValueError: an argument is below 1.

    >>> monomials(2, 4).error > 2 * 0.5**2 / 8
    True
    """
    powers = np.arange(1, degree + 1)
    names = tuple(f"x^{p}" for p in powers)
    return _interpolated(lambda x: x[:, np.newaxis] ** powers, names, powers * (powers - 1.0), knots)


def fourier(frequency: int, knots: int) -> Basis:
    """cos(pi k x) and sin(pi k x), k = 1, ..., frequency, on [-1, 1] by linear interpolation.

    Args:
        frequency: the largest k, at least 1.
        knots: intervals of equal length, at least 1.

    Raises:
        ValueError: an argument is below 1.
    """
    waves = np.pi * np.arange(1, frequency + 1)

    def functions(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.hstack([np.cos(np.outer(x, waves)), np.sin(np.outer(x, waves))])

    names = tuple(f"{name}(pi {k} x)" for name in ("cos", "sin") for k in range(1, frequency + 1))
    return _interpolated(functions, names, np.tile(waves**2, 2), knots)


def _interpolated(
    functions: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    names: tuple[str, ...],
    curvatures: NDArray[np.float64],
    knots: int,
) -> Basis:
    if not names or knots < 1:
        raise ValueError(f"need at least one function and one interval; got {len(names)} functions, {knots} intervals")
    points = np.linspace(-1.0, 1.0, knots + 1)
    values = functions(points)
    slopes = np.diff(values, axis=0) * knots / 2
    bends = np.diff(slopes, axis=0, prepend=np.zeros((1, len(names))))
    hidden = np.ones((knots, 1)), -points[:-1]
    target = Target.from_floats([hidden[0], bends.T], [hidden[1], values[0]])
    # Beside the interpolation: an output moves by at most 2 per hidden unit and 1 for its bias when its weights and
    # biases move by one; the weights were computed with errors of a few 2^-52 knots, taken as 2^-44 knots here.
    moved = (2 * knots + 1) * (target.rounding + knots * float(np.abs(values).max() + 1) * 2.0**-44)
    error = up(up(float(curvatures.max()) * (2 / knots) ** 2 / 8) + up(moved))
    return Basis(target, functions, names, error, Box.cube(1))


def squares(levels: int) -> Basis:
    """x^2 on [0, 1] by a sawtooth of `levels` tent maps: a deep network with 4 units per layer.

    Args:
        levels: M, at least 1; the error is 4^-(M + 1) and is attained.

    Raises:
        ValueError: levels is below 1.

    >>> squares(3).target.depth, squares(3).error
    (4, 0.00390625)
    """
    if levels < 1:
        raise ValueError(f"a sawtooth needs at least 1 level; got {levels}")
    shifts = [0.0, -0.5, -1.0, 0.0]  # relu(y), relu(y - 1/2), relu(y - 1), and what is left of x
    weights: list[ArrayLike] = [[[1.0]] * 4]
    tent = [2.0, -4.0, 2.0, 0.0]
    for level in range(1, levels):
        weights.append([tent, tent, tent, [*(-t * 4.0**-level for t in tent[:3]), 1.0]])
    weights.append([[*(-t * 4.0**-levels for t in tent[:3]), 1.0]])
    biases: list[ArrayLike | None] = [shifts] * levels
    target = Target.from_floats(weights, [*biases, None])
    return Basis(target, lambda x: x[:, np.newaxis] ** 2, ("x^2",), 4.0 ** -(levels + 1), Box.cube(1, 0.0, 1.0))


# 2. Bound -------------------------------------------------------------------------------------------------------------

FAMILY = Bound(
    name="error of every member of the family",
    quantity=symbol("epsilon"),
    direction=Direction.UPPER,
    expression=symbol("c_1") * (symbol("e_B") + symbol("t")),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="c_1 is the sum of |c_j|; e_B the error of the basis network, t that of the ticket against it, per output",
)

INTERPOLATION = Bound(
    name="error of a linear interpolation",
    quantity=symbol("e_B"),
    direction=Direction.UPPER,
    expression=symbol("kappa_2") / (2 * symbol("n") ** 2),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="n intervals of [-1, 1], second derivative at most kappa_2 in modulus",
)

SAWTOOTH = Bound(
    name="error of the sawtooth for x^2",
    quantity=symbol("e_B"),
    direction=Direction.UPPER,
    expression=sympy.Rational(1, 4) ** (symbol("L")),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="a network of L layers, that is L - 1 tent maps, on [0, 1]",
)

WIDTH = Bound(
    name="width per basis weight",
    quantity=symbol("D"),
    direction=Direction.UPPER,
    expression=symbol("C") * sympy.log(1 / sympy.Min(symbol("epsilon"), symbol("delta"))),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="factor of the width of the basis network; C unknown; restated from memory of the paper; check before quoting",
)


# 3. Construction ------------------------------------------------------------------------------------------------------


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the source to the basis network, once for the whole family; as in `slth.theorems.fischer2021_biases`."""
    return fischer2021_biases.construct(target, source, epsilon, question, assignment, advance)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
) -> Certificate:
    """What is known about the ticket of the basis network; `family_error` carries it over to every member.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    checks: tuple[Check, ...] = hypotheses(target, construction.ticket.source, epsilon, delta)
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort)


def family_error(basis: Basis, found: Certificate, coefficients: Sequence[float] | NDArray[np.float64]) -> float:
    """At least the error of the member of the family with these coefficients, over the domain of the certificate.

    Args:
        basis: whose target, perhaps rescaled, was pruned.
        found: the certificate of its ticket; the outputs of the ticket are to be multiplied by `found.target.scale`.
        coefficients: c_1, ..., c_m, finite. A constant term costs nothing.

    Raises:
        ValueError: the number of coefficients is not that of the basis functions, or one is not finite.
    """
    numbers = np.asarray(coefficients, dtype=np.float64)
    if numbers.shape != (len(basis.names),) or not np.isfinite(numbers).all():
        raise ValueError(f"need {len(basis.names)} finite coefficients, one per basis function; got {coefficients}")
    size = up(float(np.abs(numbers).sum()) * (1 + numbers.size * 2.0**-52))
    scaled = up(found.target.scale * (1 + 2.0**-50) * found.error.upper)
    return up(size * up(basis.error + up(scaled + _rescaling(basis.target, found.target))))


def _rescaling(given: Target, rescaled: Target) -> float:
    """At least |given(x)_j - scale * rescaled(x)_j| on inputs of modulus at most 1: what rounding onto the grid did."""
    if rescaled is given:
        return 0.0
    error, reach = 0.0, 1.0  # of the activations, in units of the rescaled network
    for layer in rescaled.layers:
        moved = rescaled.rounding * (layer.inputs * reach + 1)
        norm = float(np.abs(layer.matrix).sum(axis=1).max())
        error = norm * error + moved + layer.inputs * rescaled.rounding * error
        reach = norm * reach + float(np.abs(layer.shift).max())
    return up(error * rescaled.scale * (1 + 2.0**-40))
