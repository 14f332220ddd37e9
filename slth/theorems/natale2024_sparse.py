"""Natale, Ferré, Giambartolomei, Giroire, Mallmann-Trenn (2024), Theorem 3: sparse strong lottery tickets.

Statement.  Let g be a random ReLU network of depth 2 L with i.i.d. weights U[-1, 1], n_i samples per instance (2 d_i-1
            n_i rows in M_2i-1), n_i = c_amp log2(2 L d_i-1 d_i gamma' n_i / epsilon)^2 / H(gamma'). With probability at
            least 1 - epsilon, for every f(x) = W_L relu(... W_1 x) with |W_i| <= 1, g has a subnetwork of density at
            most gamma = rho gamma', rho = max(d_i / d_i-1, d_i-1 / d_i), within epsilon of f in l2 on the unit ball.
            Theorem 5: if a network with n parameters, pruned to exactly k <= 0.84 n of them, is within epsilon < 1/16
            of each W in R^(d x d), |W| <= sqrt(k), with probability at least 1/2, then n >= (d^2 / 2) log2(k / epsilon)
            / H(k / n). Appendix A: gamma n log2(e / gamma) >= d^2 log2(1 / 2 epsilon) - 1 for norm 1.
Kind.       upper: THEOREM_3, THEOREM_3_SIMPLE as the paper has them (no value for c_amp); DENSITY and `samples_needed`
            are derived, with every constant. lower: THEOREM_5, APPENDIX_A as the paper has them.
Source.     NeurIPS 2024, arXiv 2410.14754; check the wording before quoting. Derived parts:
            docs/proofs/fixed_size_subset_sum.md, not peer reviewed.
Uses.       natale2024_steered (`least_failure` for products of two uniform weights), subset_sum.exact_size, gadget.
Notation.   gamma' density of the subsets -> density; l -> L; n samples per instance -> n; m_t -> parameters of f.
Departs.    Units of the wrong sign are no candidates here; in the paper they are samples of value zero that may count
            towards k, here k is k real weights, and n the number of units of the right sign, so k = floor(density n)
            varies with it. Layers behind a ReLU have one instance per weight. The tolerance is that of
            `slth.theorems.pairs`. Subsets are steered with at most 34 pairs and searched otherwise; the proof of
            `samples_needed` may ask for more pairs. Theorem 4 (equivariant networks) is not covered.
Errata.     rho gamma' is about twice the true density (DENSITY). Theorem 3 rests on Corollary 1, whose published proof
            has a gap (see `natale2024_fixed_size`); `samples_needed` does not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort
from slth.gadget import Question
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.references import NATALE2024
from slth.subset_sum.exact_size import DENSITY as DENSITY_OF_SUBSETS
from slth.subset_sum.exact_size import checked_density
from slth.subset_sum.exact_size import exactly_k as exactly_k
from slth.symbols import symbol
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.natale2024_steered import PRODUCTS, least_failure
from slth.theorems.pairs import (
    certificate,
    check_delta,
    check_size,
    paired_source,
    prune,
    samples_check,
    samples_per_weight,
    sides,
    tolerances,
    usual_checks,
)
from slth.theorems.pairs import instances as instances
from slth.theorems.pairs import normalised as normalised

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "natale2024_sparse"
REFERENCE = NATALE2024

NOT_PROVED = "no number is proved"
"""Limit of the check on the candidates where the grid is too coarse for `samples_needed`."""


def hypotheses(
    target: Target, source: Source, epsilon: float, delta: float, density: Fraction = DENSITY_OF_SUBSETS
) -> tuple[Check, ...]:
    """The hypotheses of the theorem, with `samples_needed` for its constant, each with its numbers."""
    needed = _needed(target, epsilon, delta, density)
    if needed is None:
        got = samples_per_weight(source)
        return (*usual_checks(target, source), Check("candidates per weight and side", got, ">=", NOT_PROVED, False))
    return (*usual_checks(target, source), samples_check(source, needed))


# 2. Bound -------------------------------------------------------------------------------------------------------------

_eps, _n, _k, _C, _gamma = symbol("epsilon"), symbol("n"), symbol("k"), symbol("C"), symbol("gamma")
_d, _d_in, _d_out, _L = symbol("d"), symbol("d_in"), symbol("d_out"), symbol("L")
_entropy = -_gamma * sympy.log(_gamma, 2) - (1 - _gamma) * sympy.log(1 - _gamma, 2)


def _published(name: str, quantity: str, direction: Direction, expression: sympy.Expr, note: str) -> Bound:
    return Bound(name, symbol(quantity), direction, expression, Provenance.PUBLISHED, REFERENCE, note)


THEOREM_3 = _published(
    "samples per instance by Theorem 3",
    "n",
    Direction.UPPER,
    _C * sympy.log(2 * _L * _d_in * _d_out * _k / _eps, 2) ** 2 / _entropy,
    "gamma = k / n is gamma'; C is c_amp; the published proof of Corollary 1 does not cover gamma > 1 / r",
)

THEOREM_3_SIMPLE = _published(
    "samples per instance by Theorem 3, simplified",
    "n",
    Direction.UPPER,
    2 * _C * sympy.log(2 * _L * _d_in * _d_out / _eps, 2) ** 2 / _entropy,
    "as THEOREM_3, for k that is large enough for Corollary 2",
)

THEOREM_5 = _published(
    "parameters by Theorem 5",
    "P",
    Direction.LOWER,
    _d**2 / 2 * sympy.log(_k / _eps, 2) / _entropy,
    "parameters of the network, of which exactly k are kept, gamma = k / P <= 0.84, epsilon < 1/16, norms <= sqrt(k)",
)

APPENDIX_A = _published(
    "parameters by appendix A",
    "P",
    Direction.LOWER,
    (_d**2 * sympy.log(1 / (2 * _eps), 2) - 1) / (_gamma * sympy.log(sympy.E / _gamma, 2)),
    "all parameters, of which a share gamma is kept, for norms of at most 1: sparse tickets need large sources",
)

DENSITY = Bound(
    name="density of a ticket for equal widths",
    quantity=_gamma,
    direction=Direction.UPPER,
    expression=_k / (2 * _n) + 1 / (2 * _d),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="kept over all weights of a pair, both sides with n candidates; attained if every unit is read; paper: k / n",
)


def pair_density(d_in: int, d_out: int, n: int, k: int, both: bool = True) -> Fraction:
    """Largest kept share of a pair in which every instance keeps exactly k of n candidates.

    A hidden unit keeps at most one incoming weight, so the first matrix keeps at most min(n, d_out k) per input
    and side.

    Args:
        d_in: inputs.
        d_out: outputs.
        n: candidates per instance; the pair has 2 n hidden units per input.
        k: size of every subset.
        both: whether both sides are used, as in a first layer.

    >>> pair_density(10, 10, 40, 10), pair_density(1, 2, 40, 10)
    (Fraction(7, 40), Fraction(1, 3))
    """
    kept = (2 if both else 1) * d_in * (min(n, d_out * k) + d_out * k)
    return Fraction(kept, 2 * n * d_in * (d_in + d_out))


def failure_bound(target: Target, samples: int, epsilon: float, density: Fraction = DENSITY_OF_SUBSETS) -> float:
    """P(some such target has no ticket with subsets of this density), for 2 * samples units per input; at most 1.

    The number N of units of one sign is binomial, and given the signs the products are i.i.d.: the sum over inputs and
    sides of E min(1, d_out `least_failure`(N)), the tolerance less k 2^-23 for the grid. Proof:
    docs/proofs/fixed_size_subset_sum.md.
    """
    total = 0.0
    for i, (layer, t) in enumerate(zip(target.layers, tolerances(target, epsilon), strict=True)):
        width = math.ceil(8 * math.sqrt(samples / 2))
        counts = np.arange(max(0, samples - width), min(2 * samples, samples + width) + 1)
        chances = np.exp(_log_choose(2.0 * samples, counts) - 2 * samples * math.log(2))
        sizes = counts * density.numerator // density.denominator
        left = t - sizes * 2.0**-23
        usable = left > 0
        window = max(1.0, float(np.abs(layer.channels).max()) * 2.0**-48)
        missed = np.ones(len(counts))
        missed[usable] = least_failure(left[usable], counts[usable], sizes[usable], window, PRODUCTS)
        each = float(chances @ np.minimum(1.0, layer.outputs * missed)) + 2 * math.exp(-32)
        total += (sides(i) * layer.inputs + int(layer.bias is not None)) * each
    return min(1.0, total * (1 + 1e-6))


def _log_choose(n: float, k: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.special import gammaln  # here: it takes longer to import than the rest of the module

    return np.asarray(gammaln(n + 1) - gammaln(k + 1.0) - gammaln(n - k + 1.0))


def samples_needed(target: Target, epsilon: float, delta: float, density: Fraction | float = DENSITY_OF_SUBSETS) -> int:
    """Candidates per weight and side that suffice with probability 1 - delta for all such targets at once.

    Args:
        target: fixes the widths; norms of at most 1.
        epsilon: error to reach, > 0.
        delta: failure probability to allow, in (0, 1).
        density: gamma' in (0, 1/2].

    Returns:
        A number at which `failure_bound` is at most delta; by bisection, so the least one if that falls.

    Raises:
        ValueError: a number is out of its range, or the grid of 2^-24 is too coarse for epsilon at this density.
    """
    needed = _needed(target, epsilon, delta, checked_density(density, Fraction(1, 2)))
    if needed is None:
        raise ValueError(
            f"no number of candidates is proved to reach epsilon {epsilon:g} at density {density}: the grid of 2^-24 "
            "moves subset sums of that size too far; use a larger epsilon or give samples yourself"
        )
    return needed


@lru_cache(maxsize=16)
def _needed(target: Target, epsilon: float, delta: float, density: Fraction) -> int | None:
    check_delta(delta)
    checked_density(density, Fraction(1, 2))
    high, least = 16, min(tolerances(target, epsilon))
    while failure_bound(target, high, epsilon, density) > delta:
        high *= 2
        if high * density * 2.0**-23 > least:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if failure_bound(target, middle, epsilon, density) <= delta else (middle, high)
    return high


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target,
    epsilon: float,
    delta: float,
    seed: int,
    samples: int | None = None,
    trial: int = 0,
    density: Fraction | float = DENSITY_OF_SUBSETS,
) -> Source:
    """The random network of twice the depth, with 2 * samples hidden units per input (`samples_needed` by default).

    Args:
        target: fixes the widths.
        epsilon: error to reach, > 0.
        delta: failure probability to allow, in (0, 1).
        seed: key of the random stream.
        samples: candidates per weight and side.
        trial: number of the draw.
        density: gamma' in (0, 1/2], for which candidates are counted if no number is given.

    Raises:
        ValueError: a number is out of its range.
    """
    samples = samples_needed(target, epsilon, delta, density) if samples is None else samples
    return paired_source(target, samples, seed, trial)


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
    density: Fraction | float = DENSITY_OF_SUBSETS,
) -> Construction:
    """Prunes the source to the target, one subset sum of fixed size per weight and sign.

    Args:
        target: the network to approximate.
        source: the random network, drawn once; a failed subset sum is counted, never redrawn.
        epsilon: sets the tolerance of the subset sums.
        question: `exactly_k` of a density, by default of the one below. Any other question is asked too, and the
            certificate says that the theorem does not ask it.
        assignment: `block` (the paper's) or `adaptive`.
        advance: called with the number of subset sums solved since the last call.
        density: gamma', the share of its candidates that every subset takes, in (0, 1]; not used with a question.

    Raises:
        ValueError: the source does not fit the target or is too large, epsilon is not positive or below the grid.
    """
    check_size(source)
    return prune(target, source, tolerances(target, epsilon), question or exactly_k(density), assignment, advance)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def subset_sizes(target: Target, ticket: Ticket) -> tuple[NDArray[np.int64], ...]:
    """Sizes of all subsets, read off the masks and the signs: per layer int64 (outputs, channels, 2), u > 0 first."""
    found = []
    for i, layer in enumerate(target.layers):
        first, second = ticket.weights(2 * i), ticket.masks[2 * i + 1].astype(np.int64)
        split = np.stack([first > 0, first < 0], axis=2)[:, : layer.channels.shape[1]].astype(np.int64)
        found.append(np.einsum("oh,hcs->ocs", second, split))
    return tuple(found)


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
) -> Certificate:
    """What is known about the ticket: proved and attained error on the domain (the theorem's unit ball by default).

    Two checks are about sizes: that the question was `exactly_k`, and that, in the masks, all outputs keep equally many
    of the candidates that they share.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    asked = re.fullmatch(r"exactly_k\((.+)\)", construction.question)
    density = min(Fraction(asked[1]), Fraction(1, 2)) if asked else DENSITY_OF_SUBSETS
    sizes = subset_sizes(target, construction.ticket)
    uneven = sum(int(np.count_nonzero(one.min(axis=0) != one.max(axis=0))) for one in sizes)
    checks = (
        *hypotheses(target, construction.ticket.source, epsilon, delta, density),
        Check("question asked of the subset sums", construction.question, "in", "exactly_k", asked is not None),
        Check("inputs and sides whose subsets differ in size", uneven, "<=", 0, uneven == 0),
    )
    return certificate(NAME, target, construction, epsilon, delta, checks, domain, effort)
