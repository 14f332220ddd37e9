"""Malach, Yehudai, Shalev-Shwartz, Shamir (2020), Theorem 2.1: twice the depth and polynomial width are enough.

Statement.  Let f(x) = W_L relu(W_L-1 ... relu(W_1 x)) with |W_i| <= 1 and entries of at most 1 / sqrt(d_i-1), and g a
            random ReLU network of depth 2 L with i.i.d. weights U[-1, 1] and width polynomial in d, L, 1 / epsilon and
            log(1 / delta). With probability at least 1 - delta some subnetwork of g has |f(x) - g(x)| <= epsilon for
            all |x| <= 1, with O(d n + n^2 L) active weights for hidden widths n.
Kind.       upper. WIDTH and NEURON_WIDTH are restated. TOLERANCE, FAILURE, ROWS, DENSITY, PRODUCT_ROWS and
            PRODUCT_ROWS_ANY are derived, with every constant.
Source.     arXiv 2002.00585, Theorem 2.1, restated from memory of the paper; check before quoting. Proof of the
            derived bounds: docs/proofs/malach_width.md, not peer reviewed.
Uses.       gadget (the pair identity and its exact errors); matching; slth.subset_sum for the products.
Notation.   epsilon' -> t (tolerance of one factor), u -> entering, v -> leaving, N rows of M_2i-1 per input, l -> L.
Departs.    Units are shared: outputs that read the same unit share its u and have v's of their own, so the union bound
            over (input, output, sign) needs no unit of their own; the width has d^3 in place of d^5. A unit must have
            the sign of u that its side wants; |u - |w|| <= t alone admits the wrong one for |w| < t. t is rounded down
            to an even multiple of 2^-24, which makes the chance t^2 / 4 exact for the law on the grid. Only |W_i| <= 1
            is needed, not the bound on the entries; PRODUCT_ROWS gains from it.
Errata.     Each output needs a pool of units of its own, or shared units; one spare unit per further output is not
            enough (tests/theorems/test_malach2020_weights.py has the counterexample).

Sizes.      At epsilon = 0.5 and delta = 0.1 the bound asks for 8,012 rows per input for a target 2-1-1, 96,438 for
            4-4-1 (5 million random weights, under a second), 495,458 for 8-8-8 (127 million, seconds) and 2.3 million
            for 16-16-16 (2.4 billion: some 5 GB of memory). `check_size` refuses what lies beyond 2^32 random weights.
            One product per weight asks for 2,004, 502, 942 and 1,628 rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.gadget import Question, check_fit
from slth.grid import PRODUCT_EXPONENT, WEIGHT_EXPONENT
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.references import MALACH2020
from slth.symbols import symbol
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.matching import match_pair, separately
from slth.theorems.matching import one_product as one_product
from slth.theorems.pairs import (
    certificate,
    check_delta,
    check_size,
    norms,
    paired_source,
    prune,
    samples_check,
    samples_per_weight,
    usual_checks,
)
from slth.theorems.pairs import instances as instances
from slth.theorems.pairs import normalised as normalised

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "malach2020_weights"
REFERENCE = MALACH2020


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the derived theorem for this target and source, each with its numbers."""
    return (*usual_checks(target, source), samples_check(source, samples_needed(target, epsilon, delta)))


# 2. Bound -------------------------------------------------------------------------------------------------------------

_eps, _delta, _L, _I, _N = symbol("epsilon"), symbol("delta"), symbol("L"), symbol("I"), symbol("N")
_d, _t, _z, _d_in, _d_out = symbol("d"), symbol("t"), symbol("z"), symbol("d_in"), symbol("d_out")
_RESTATED = "restated from memory of the paper; check before quoting"


def _upper(name: str, quantity: str, expression: sympy.Expr, provenance: Provenance, note: str) -> Bound:
    return Bound(name, symbol(quantity), Direction.UPPER, expression, provenance, REFERENCE, note)


WIDTH = _upper(
    "rows of the first matrix",
    "D",
    64 * _L**2 * _d**5 / _eps**2 * sympy.log(2 * _d**2 * _L / _delta),
    Provenance.RESTATED,
    f"width that suffices for layers d x d; s-sparse rows replace one factor d by s; {_RESTATED}",
)

NEURON_WIDTH = _upper(
    "hidden units for one linear neuron",
    "D",
    16 * _d**3 / _eps**2 * sympy.log(2 * _d / _delta),
    Provenance.RESTATED,
    f"width that suffices for x -> w x with d inputs; s nonzero weights replace d^3 by d s^2 and 2 d by 2 s; "
    f"{_RESTATED}",
)

TOLERANCE = _upper(
    "tolerance of one factor",
    "t",
    _eps / (4 * _L * sympy.sqrt(_d_in * _d_out)),
    Provenance.DERIVED,
    "u within t of |w| and v within t of the sign, for every weight, give |f - g| <= epsilon <= 1 on the unit ball; "
    "the most nonzero weights of a row may replace d_in",
)

FAILURE = _upper(
    "failure probability of separate matching",
    "delta",
    _I * (1 - _t**2 / 4) ** _N,
    Provenance.DERIVED,
    "P(one of I instances has no unit among N rows per input), |w| <= 1",
)

ROWS = _upper(
    "rows per input",
    "N",
    4 / _t**2 * sympy.log(_I / _delta),
    Provenance.DERIVED,
    "N rows per input suffice for I instances, |w| <= 1, u and v matched separately within t",
)

PRODUCT_ROWS_ANY = _upper(
    "rows per input, one product",
    "N",
    8 / _t**2 * sympy.log(_I / _delta),
    Provenance.DERIVED,
    "N rows per input suffice for one product u v within t of w, |w| <= 1",
)

PRODUCT_ROWS = _upper(
    "rows per input, one product, weights below 1",
    "N",
    2 * sympy.log(_I / _delta) / (_t * sympy.log(1 / _z)),
    Provenance.DERIVED,
    "as PRODUCT_ROWS_ANY, for |w| <= z, t <= z, z + t <= 1",
)

DENSITY = _upper(
    "density of one pair",
    "gamma",
    4 * _d_in * _d_out / symbol("P"),
    Provenance.DERIVED,
    "two units with two weights each per target weight, one unit behind a ReLU; P parameters of the pair",
)


def factor_tolerances(target: Target, epsilon: float) -> tuple[float, ...]:
    """The tolerance t of one factor in every layer: TOLERANCE times max(1, |W_i|), an even multiple of 2^-24.

    A norm above 1 also divides epsilon. An epsilon above 1 asks for no more than 1 does.

    Raises:
        ValueError: epsilon is not positive and finite, or so small that t falls below the grid.

    >>> [round(t, 4) for t in factor_tolerances(Target.from_floats([[[0.5, 0.5]], [[0.5]]]), 0.5)]
    [0.0442, 0.0625]
    """
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ValueError(f"epsilon, the approximation error, must be positive and finite; got {epsilon}")
    sizes = [max(1.0, norm) for norm in norms(target)]
    share = min(1.0, epsilon / math.prod(sizes))
    found = []
    for size, layer in zip(sizes, target.layers, strict=True):
        densest = max(1, int(np.count_nonzero(layer.channels, axis=1).max()))
        t = TOLERANCE.evaluate(epsilon=share, L=target.depth, d_in=densest, d_out=layer.outputs)
        found.append(math.ldexp(math.floor(math.ldexp(min(1.0, size * t), 23)), -23))
    if min(found) <= 0:
        raise ValueError(f"epsilon = {epsilon} asks for factors closer than 2^-23, beyond the grid: use a larger one")
    return tuple(found)


def samples_needed(target: Target, epsilon: float, delta: float) -> int:
    """Half the rows per input that suffice with probability 1 - delta (ROWS): about so many have each sign.

    Raises:
        ValueError: epsilon is not positive or below the grid, delta not in (0, 1).

    >>> samples_needed(Target.from_floats([[[0.5, 0.5]], [[0.5]]]), epsilon=0.5, delta=0.1)
    4006
    """
    check_delta(delta)
    smallest = min(factor_tolerances(target, epsilon))
    return math.ceil(ROWS.evaluate(I=instances(target), t=smallest, delta=delta) / 2)


def product_samples_needed(target: Target, epsilon: float, delta: float) -> int:
    """The same for one product within 2 t of each weight: the better of PRODUCT_ROWS and PRODUCT_ROWS_ANY.

    2^-23 of the tolerance goes to the grid, which moves a product by at most that.

    Raises:
        ValueError: as `samples_needed`.
    """
    check_delta(delta)
    count, rows = instances(target), 0.0
    for factor, layer in zip(factor_tolerances(target, epsilon), target.layers, strict=True):
        t = 2 * factor - 2.0**-23
        z = max(t, math.ldexp(float(np.abs(layer.channels).max()), -PRODUCT_EXPONENT))
        own = PRODUCT_ROWS_ANY.evaluate(I=count, t=t, delta=delta)
        if z + t <= 1:
            own = min(own, PRODUCT_ROWS.evaluate(I=count, t=t, z=z, delta=delta))
        rows = max(rows, own)
    return math.ceil(rows / 2)


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target, epsilon: float, delta: float, seed: int, samples: int | None = None, trial: int = 0
) -> Source:
    """The random network of twice the depth, with 2 * samples hidden units per input (and per constant input).

    Args:
        target: fixes the widths d_i.
        epsilon: error to reach, > 0; beyond 1 it counts as 1.
        delta: failure probability to allow, in (0, 1).
        seed: key of the random stream.
        samples: half the rows per input, >= 1; by default `samples_needed`.
        trial: index of the draw.

    Raises:
        ValueError: a number is out of its range.
    """
    samples = samples_needed(target, epsilon, delta) if samples is None else samples
    return paired_source(target, samples, seed, trial)


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the source to the target: one unit per weight and side, the first that fits.

    Args:
        target: the network to approximate.
        source: the random network, drawn once; a weight without a unit stays out of the ticket and is counted.
        epsilon: sets the tolerances.
        question: None matches u and v separately, as the paper does; `one_product` asks for one product within 2 t;
            any other question of `slth.subset_sum.questions` asks for a subset sum of the same source within 2 t.
        assignment: `block`; with a question also `adaptive`.
        advance: called with the number of instances settled since the last call.

    Raises:
        ValueError: the source does not fit the target or is too large, epsilon is not positive or below the grid, or
            an assignment is given to separate matching.
    """
    factors = factor_tolerances(target, epsilon)
    if question is not None:
        return prune(target, source, [2 * t for t in factors], question, assignment, advance)
    if assignment is not block:
        raise ValueError(f"separate matching has the paper's blocks of units; got {assignment.__name__}: use block")
    started = time.perf_counter()
    check_fit(target, source)
    check_size(source)
    tolerances = [int(math.ldexp(t, WEIGHT_EXPONENT)) for t in factors]
    masks: list[NDArray[np.bool_]] = []
    reports = []
    for i, layer in enumerate(target.layers):
        first, second, report = match_pair(layer, source, i, tolerances[i], advance)
        masks += [first, second]
        reports.append(report)
    within, spent = tuple(t << (WEIGHT_EXPONENT + 1) for t in tolerances), time.perf_counter() - started
    ticket, samples = Ticket(source, tuple(masks)), samples_per_weight(source)
    return Construction(ticket, tuple(reports), within, samples, separately.__name__, block.__name__, spent)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
) -> Certificate:
    """What is known about the ticket: proved and attained error on the domain (the theorem's unit ball by default).

    The errors are computed anew from the masks and the seed, by `slth.gadget.collapse`.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    checks = hypotheses(target, construction.ticket.source, epsilon, delta)
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort)
