"""Burkholz (2022): depth L + 1 is enough, with copies of every neuron in place of a pair of matrices per layer.

Statement.  Let f have depth L, parameters of modulus at most 1 and a Lipschitz activation that is, near 0, as close as
            one likes to m_+ x (x >= 0), m_- x (x < 0) with m_+ + m_- other than 0. For a random network of depth L + 1
            with weights U[-1, 1] and widths n_0 >= C d_0 log(1 / min(epsilon_1, delta / I)) and
            n_i >= C d_i log(1 / min(epsilon_i+1, delta / I)), masks with sup |f - g| <= epsilon exist with probability
            at least 1 - delta. I, the number of subset sums, is C (parameters of f)^(1 + a) times a power of
            log(1 / min(epsilon, delta)), for any a > 0.
Kind.       upper. WIDTH and COPIES_RESTATED are restated (C is not given); ROWS, COPIES and TOLERANCE are derived, with
            every constant, for ReLU and leaky ReLU (docs/proofs/depth_plus_one.md, not peer reviewed); `needed` is the
            same for weights on the 2^-24 grid (`slth.theorems.grid_law`).
Source.     arXiv 2205.02321, main theorem, restated from memory of the paper; check before quoting. The construction is
            that of its released code.
Uses.       lueker1998_subset_sum, grid_law, gadget (first pair), copies, copies_errors, activations.
Notation.   rho (copies of a neuron) -> samples, or copies; N rows of the first matrix per input; L as in the paper.
Departs.    The copies of a layer have errors of their own, and they grow by the masked random matrices, not by the
            target's: the tolerance of layer i is epsilon / L over the gains of the layers behind it. Bounds before the
            draw take the largest gain there is; the construction prunes the last layer first and takes the gains of the
            masks it found, which are smaller. Biases are weights of a constant 1 that every layer hands on. COPIES and
            ROWS are for U[-1, 1]; the widths of sources and the hypotheses are for the grid.
Errata.     In `slth.references`: the released code redraws samples until a subset fits, and looks at subsets of fewer
            than 10 samples.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import sympy

from slth.assignment import Assignment, block
from slth.bounds import Bound, Direction, Provenance
from slth.errors import Ball, Box, Effort, Lower, Upper, bracket, joined
from slth.gadget import PairReport, Question, prune_pair
from slth.laws import Uniform
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.references import BURKHOLZ2022
from slth.subset_sum.questions import any_or_nearest
from slth.symbols import symbol
from slth.theorems.activations import RELU, Activation
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.copies import (
    cancel_offset,
    copies_of,
    first_layer,
    gain,
    prune_copies,
    widened,
    with_constant,
)
from slth.theorems.copies_errors import attained, by_norms, over_copies
from slth.theorems.grid_law import candidates_on_grid
from slth.theorems.pairs import NOT_PROVED, SLACK, check_delta, check_size, norms, on_grid
from slth.theorems.pairs import normalised as normalised
from slth.theorems.pensia2020_subset_sum import DRIFT

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "burkholz2022_depth"
REFERENCE = BURKHOLZ2022

QUESTION = any_or_nearest


def instances(target: Target, copies: int = 1) -> int:
    """Number of subset sums: two per weight and copy of layer 1, one per weight and copy behind it, one per bias.

    >>> instances(Target.from_floats([[[0.5]], [[0.5]]]), copies=7)
    15
    """
    wide = with_constant(target)
    leaving = [*[copies] * (target.depth - 1), 1]
    first = wide.layers[0].outputs * leaving[0] * target.widths[0]
    return first + sum(layer.weight.size * c for layer, c in zip(wide.layers, leaving, strict=True))


def hypotheses(target: Target, source: Source, epsilon: float, delta: float) -> tuple[Check, ...]:
    """The hypotheses of the theorem for this target and source, each with its numbers."""
    wide, (copies, rows) = with_constant(target), needed(target, epsilon, delta)
    largest = max(float(np.abs(layer.matrix).max()) for layer in wide.layers)
    given, limits = copies_of(target, source), [NOT_PROVED if math.isinf(n) else n for n in (copies, rows)]
    units = source.widths[1] // wide.widths[0]
    least = min(given[:-1], default=1)
    return (
        Check("largest weight or bias of the target", largest, "<=", 1.0, largest <= 1),
        Check("depth of the source", source.depth, ">=", target.depth + 1, source.depth >= target.depth + 1),
        Check("law of the source", str(source.law), "in", str(Uniform()), source.law == Uniform()),
        Check("copies of every hidden neuron", least, ">=", limits[0], least >= copies),
        Check("rows of the first matrix per input", units, ">=", limits[1], units >= rows),
    )


# 2. Bound -------------------------------------------------------------------------------------------------------------

_eps, _delta, _I, _C = symbol("epsilon"), symbol("delta"), symbol("I"), symbol("C")
_d_in, _d, _L, _t, _n, _N = symbol("d_in"), symbol("d"), symbol("L"), symbol("t"), symbol("n"), symbol("N")

_FROM_MEMORY = "restated from memory of the paper; check before quoting"

WIDTH = Bound(
    name="rows of the first matrix",
    quantity=symbol("D"),
    direction=Direction.UPPER,
    expression=_C * _d_in * sympy.log(1 / sympy.Min(_eps, _delta / _I)),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note=f"epsilon is that of layer 1, I the number of subset sums; no value for C is known; {_FROM_MEMORY}",
)

COPIES_RESTATED = Bound(
    name="copies of a neuron in the published form",
    quantity=_n,
    direction=Direction.UPPER,
    expression=_C * sympy.log(1 / sympy.Min(_eps, _delta / _I)),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note=f"epsilon is that of the next layer, I the number of subset sums; no value for C is known; {_FROM_MEMORY}",
)

COPIES = Bound(
    name="copies of a neuron",
    quantity=_n,
    direction=Direction.UPPER,
    expression=sympy.log(8 * _I / (_t**2 * _delta)) / sympy.log(sympy.Rational(4, 3)),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="I subset sums of raw weights U[-1, 1] within t for all targets of [-1, 1], with probability 1 - delta",
)

ROWS = Bound(
    name="rows of the first matrix per input",
    quantity=_N,
    direction=Direction.UPPER,
    expression=sympy.log(8 * _I / (_t**2 * _delta)) / sympy.log(sympy.Rational(16, 15)),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="I subset sums of products; a row has the right sign with probability 1/2",
)

TOLERANCE = Bound(
    name="tolerance of one weight of the first layer",
    quantity=_t,
    direction=Direction.UPPER,
    expression=_eps / (_L * _d * (_n * _d) ** (_L - 1)),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="square layers of side d, n copies, norms at most 1: |f - g| <= epsilon on the unit ball; layer i has L - i "
    "in place of the exponent",
)


def tolerances(target: Target, epsilon: float, gains: Sequence[float]) -> tuple[float, ...]:
    """Tolerance of one weight in every layer, such that the recursion over copies gives at most epsilon.

    For activations with |phi(z)| <= |z|, so not for the sigmoid, and up to the curvature in the first layer.

    Args:
        target: with its own norms s_j, of which max(1, s_j) counts.
        epsilon: error to reach on the unit ball.
        gains: how much the layers let the errors of copies grow (`slth.theorems.copies.gain`); the first plays no part.

    Raises:
        ValueError: epsilon is not positive and finite.
    """
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ValueError(f"epsilon, the approximation error, must be positive and finite; got {epsilon}")
    wide = with_constant(target)
    reach = 1.0 if wide is target else math.sqrt(2)
    sizes = [max(1.0, norm) for norm in norms(wide)]
    share = epsilon / (target.depth * reach * (1 + SLACK))
    return tuple(
        share / (math.prod(sizes[:i]) * math.prod(max(1.0, g) for g in gains[i + 1 :]) * math.sqrt(layer.weight.size))
        for i, layer in enumerate(wide.layers)
    )


RAW_DRIFT = Fraction(1, 2)
"""Drift constant of a raw weight for targets in [-1, 1]."""


def largest_gains(target: Target, copies: int) -> tuple[float, ...]:
    """The gain of a layer for every mask and draw: copies * sqrt(weights), as all weights are at most 1."""
    return tuple(copies * math.sqrt(layer.weight.size) for layer in with_constant(target).layers)


def needed(target: Target, epsilon: float, delta: float) -> tuple[float, float]:
    """Copies of a hidden neuron and rows per input that suffice with probability 1 - delta (COPIES, ROWS).

    More copies let errors grow more, so the least number that is enough for itself is sought. For ReLU, and for random
    weights on the 2^-24 grid, by `slth.theorems.grid_law`.

    Args:
        target: fixes the widths; the numbers serve all targets with these norms at once.
        epsilon: error to reach on the unit ball.
        delta: failure probability to allow.

    Returns:
        Whole numbers, or both infinite where no number is proved: a tolerance is too near to the grid.

    Raises:
        ValueError: epsilon is not positive, delta not in (0, 1).

    >>> needed(Target.from_floats([[[0.5]], [[0.5]]]), epsilon=0.1, delta=0.1)
    (53, 357)
    """
    check_delta(delta)
    copies: float = 0
    enough: float = 1
    while copies < enough < math.inf:
        copies = enough
        wanted = tolerances(target, epsilon, largest_gains(target, int(copies)))
        share = delta / instances(target, int(copies))
        if target.depth > 1:
            enough = candidates_on_grid(min(wanted[1:]), share, RAW_DRIFT)
    rows = candidates_on_grid(wanted[0], share, DRIFT)
    return (math.inf, math.inf) if math.inf in (enough, rows) else (copies, rows)


# 3. Construction ------------------------------------------------------------------------------------------------------


def source(
    target: Target,
    epsilon: float,
    delta: float,
    seed: int,
    samples: int | None = None,
    trial: int = 0,
    rows: int | None = None,
) -> Source:
    """The random network of depth L + 1.

    Args:
        target: fixes the widths d_i.
        epsilon: error to reach, > 0.
        delta: failure probability to allow, in (0, 1).
        seed: key of the random stream.
        samples: copies of every hidden neuron, >= 1; by default as many as are `needed`.
        trial: index of the draw.
        rows: of the first matrix per input, >= 1; by default twice the samples if these are given, else as `needed`.

    Raises:
        ValueError: a number is out of its range, or epsilon too small for weights of 24 bits.
    """
    check_delta(delta)
    if samples is None or samples < 1:
        if samples is not None:
            raise ValueError(f"need at least 1 candidate per weight, which is 1 copy of every neuron; got {samples}")
        enough = needed(target, epsilon, delta)
        if math.inf in enough:
            raise ValueError(
                f"no width is proved to reach epsilon {epsilon:g} at this depth: it asks for subset sums too close to "
                "the grid of 2^-24 on which the random weights lie; use a larger epsilon, or give samples yourself"
            )
        samples, rows = int(enough[0]), int(enough[1]) if rows is None else rows
    rows = 2 * samples if rows is None else rows
    if rows < 1:
        raise ValueError(f"need at least 1 row of the first matrix per input; got {rows}")
    wide = with_constant(target)
    hidden = [samples * width for width in wide.widths[1:-1]]
    widths = (target.widths[0], rows * wide.widths[0], *hidden, target.widths[-1])
    return Source(seed, widths, (wide is not target, *[False] * target.depth), trial=trial)


def construct(
    target: Target,
    source: Source,
    epsilon: float,
    question: Question | None = None,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
    activation: Activation = RELU,
) -> Construction:
    """Prunes the source to the target, the last layer first: its gain sets the tolerance of the layers before it.

    Args:
        target: the network to approximate.
        source: the random network, drawn once; a failed subset sum is counted, never redrawn.
        epsilon: sets the tolerances of the subset sums.
        question: asked of every subset sum, see `slth.subset_sum.questions`; any within tolerance by default.
        assignment: which input a unit of the first matrix reads; for tanh and sigmoid `activations.near_zero`.
        advance: called with the number of subset sums solved since the last call.
        activation: of target and source.

    Returns:
        The ticket and its subset sums; `samples` counts the copies (half the rows per input for depth 1).

    Raises:
        ValueError: the source does not fit the target or is too large, epsilon is not positive or below the grid, or
            the target has biases and the activation computes no exact constant 1.
    """
    started = time.perf_counter()
    wide, copies, question = with_constant(target), copies_of(target, source), question or QUESTION
    check_size(source)
    gains = [1.0] * target.depth
    masks: list[np.ndarray] = []
    reports: list[PairReport] = []
    for i in reversed(range(1, target.depth)):
        joins, limit = (copies[i - 1], copies[i]), on_grid(tolerances(target, epsilon, gains))[i]
        mask, report = prune_copies(wide.layers[i], source, i + 1, joins, question, limit, advance)
        masks, reports = [mask, *masks], [report, *reports]
        gains[i] = gain(mask * np.concatenate([rows for _, rows in source.chunks(i + 1)]), joins)
    wanted = tolerances(target, epsilon, gains)
    # A slope is m_+ times one sum and m_- times another: their misses add up.
    allowed = on_grid((wanted[0] / float(abs(activation.plus) + abs(activation.minus)), *wanted[1:]))
    first, second, report = prune_pair(
        first_layer(target, copies[0], activation),
        source,
        0,
        question,
        allowed[0],
        nonnegative=False,
        assignment=assignment,
        advance=advance,
    )
    if activation.offset:
        second, report = cancel_offset(source, first, second, report, question, allowed[0])
    ticket = Ticket(source, (first, second, *masks))
    samples = copies[0] if target.depth > 1 else max(1, source.widths[1] // wide.widths[0] // 2)
    name = getattr(question, "__name__", str(question))
    spent = time.perf_counter() - started
    return Construction(ticket, (report, *reports), allowed, samples, name, assignment.__name__, spent)


# 4. Certificate -------------------------------------------------------------------------------------------------------


def certify(
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
    activation: Activation = RELU,
) -> Certificate:
    """What is known about the ticket: proved and attained error on the domain (the unit ball by default).

    With ReLU the ticket is compared with a network as wide as itself that equals the target, so every end is exact; the
    recursions over the copies join the upper ends. With another activation the upper ends are those recursions, and the
    lower end is the largest of 2048 random points, evaluated in float64 and not exact.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    started = time.perf_counter()
    ticket, domain = construction.ticket, Ball(target.widths[0]) if domain is None else domain
    checks = hypotheses(target, ticket.source, epsilon, delta)
    ends: list[Lower | Upper] = [over_copies(target, ticket, domain, activation)]
    if isinstance(domain, Ball):
        ends.append(by_norms(target, ticket, domain, activation))
    layers = widened(target, ticket) if activation is RELU else ()
    if layers:
        ends += bracket(layers, domain, effort=effort).ladder
    else:
        ends.append(attained(target, ticket, domain, activation))
    lowers = tuple(end for end in ends if isinstance(end, Lower))
    uppers = tuple(end for end in ends if isinstance(end, Upper))
    error = joined(lowers, uppers, domain.norm, domain.description)
    spent = construction.seconds + time.perf_counter() - started
    return Certificate(NAME, epsilon, delta, checks, target, construction, error, spent, domain, layers)
