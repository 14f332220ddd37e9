"""What the constructions by pairs share: a pair of random matrices per layer, a subset sum per weight and side.

A theorem is a policy over it: which law, how many candidates, which question, which tolerance. The l2 recursion behind
`tolerances` is in `slth.errors.recursion`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np

from slth.assignment import Assignment, block
from slth.errors import Ball, Box, Effort, bracket
from slth.errors.rounding import spectral_up
from slth.gadget import EffectiveLayer, PairReport, Question, check_fit, collapse, prune_pair
from slth.grid import PRODUCT_EXPONENT
from slth.laws import Law, Uniform
from slth.networks.source import Source
from slth.networks.target import Target, rescaled
from slth.networks.ticket import Ticket
from slth.theorems.certificate import Certificate, Check, Construction
from slth.theorems.grid_law import VALUES, candidates_on_grid

SLACK = 2.0**-40
"""Rescaled layers keep this relative distance from norm 1, lest rounding onto the grid lift them above it."""

LARGEST_SOURCE = 1 << 32
"""Weights of the largest source that is pruned; a mask takes a byte for each."""


@lru_cache(maxsize=4)
def norms(target: Target) -> tuple[float, ...]:
    """Proved upper ends of the spectral norms; kept, as every step of a proof asks for them again."""
    return tuple(spectral_up(layer.matrix) for layer in target.layers)


def normalised(target: Target) -> Target:
    """The target, rescaled by positive homogeneity so that every spectral norm is at most 1; unchanged if all are.

    >>> normalised(Target.from_floats([[[3.0]], [[0.5]]])).scale > 1.49
    True
    """
    if max(norms(target)) <= 1:
        return target
    return rescaled(target, [norm * (1 + SLACK) if norm > 0 else 1.0 for norm in norms(target)])


def instances(target: Target) -> int:
    """Number of subset sums: two per weight of the first layer, one per weight behind it, one per bias."""
    first = target.layers[0]
    return first.weight.size + sum(layer.channels.size for layer in target.layers)


def sides(layer: int) -> int:
    """Subset sums per weight: two in the first layer (index 0), whose inputs have both signs, one behind a ReLU."""
    return 2 if layer == 0 else 1


def tolerances(target: Target, epsilon: float) -> tuple[float, ...]:
    """Tolerance of one weight in every layer, such that the l2 recursion gives at most epsilon on the unit ball.

    With s_i = max(1, |W_i|) and layer errors theta s_i the recursion gives (product of s_i) ((1 + theta)^L - 1). For
    norms of at most 1 the tolerance is ((1 + epsilon)^(1/L) - 1) / sqrt(c d_i d_i-1) with c = `sides`.

    Raises:
        ValueError: epsilon is not positive and finite.
    """
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ValueError(f"epsilon, the approximation error, must be positive and finite; got {epsilon}")
    sizes = [max(1.0, norm) for norm in norms(target)]
    theta = math.expm1(math.log1p(epsilon / math.prod(sizes)) / target.depth)
    return tuple(
        size * theta / math.sqrt(sides(i) * layer.channels.size)
        for i, (size, layer) in enumerate(zip(sizes, target.layers, strict=True))
    )


def check_delta(delta: float) -> None:
    """Raises ValueError unless delta is a failure probability strictly between 0 and 1."""
    if not 0 < delta < 1:
        raise ValueError(f"delta, the failure probability, must lie strictly between 0 and 1; got {delta}")


def samples_on_grid(
    target: Target, wanted: Sequence[float], delta: float, drift: Fraction | float, values: int = VALUES
) -> float:
    """Candidates per weight and side that suffice with probability 1 - delta for all targets of these widths at once.

    Half of the rows that `slth.theorems.grid_law` asks for, as the random weights lie on a grid.

    Args:
        target: fixes the widths.
        wanted: tolerance of one subset sum in every layer.
        delta: failure probability to allow, in (0, 1).
        drift: drift constant of a row for targets in [-1, 1]; where the sign of a row decides whom it serves, half of
            that of its product.
        values: number of values of a weight of the second matrix: 2^24 for U[-1, 1], 2^23 for U[-1/2, 1/2].

    Returns:
        A whole number >= 1, or infinity where no number is proved; `slth.theorems.grid_law.whole` refuses that.

    Raises:
        ValueError: delta is out of its range.
    """
    check_delta(delta)
    rows = candidates_on_grid(min(wanted), delta / instances(target), drift, values=values)
    return max(1, math.ceil(rows / 2)) if math.isfinite(rows) else math.inf


def paired_source(target: Target, samples: int, seed: int, trial: int = 0, law: Law = Uniform()) -> Source:
    """The random network of twice the depth, with 2 * samples hidden units per channel of every layer.

    Args:
        target: fixes the widths d_i; a layer with biases has one channel more, the constant 1.
        samples: candidates per weight and side, >= 1; about half of the units of a channel have each sign.
        seed: key of the random stream.
        trial: index of the draw.
        law: of every weight.

    Raises:
        ValueError: a number is out of its range.
    """
    if samples < 1:
        raise ValueError(f"need at least 1 candidate per weight and side; got {samples}")
    widths, biased = [target.widths[0]], []
    for layer in target.layers:
        widths += [2 * samples * layer.channels.shape[1], layer.outputs]
        biased += [layer.bias is not None, False]
    return Source(seed, tuple(widths), tuple(biased), law, trial)


def samples_per_weight(source: Source) -> int:
    """Candidates per weight and side: half the hidden units per channel, the smallest over the pairs."""
    first = zip(source.widths[0::2], source.widths[1::2], source.biased[0::2], strict=False)
    return min(hidden // (inputs + int(biased)) for inputs, hidden, biased in first) // 2


def on_grid(wanted: Sequence[float]) -> tuple[int, ...]:
    """Tolerances in units of 2^-48, rounded down; 0 asks for equality.

    Raises:
        ValueError: one is not 0 and below the unit.
    """
    found = tuple(math.floor(math.ldexp(t, PRODUCT_EXPONENT)) for t in wanted)
    if any(integer < 1 and t != 0 for integer, t in zip(found, wanted, strict=True)):
        raise ValueError(
            f"epsilon asks for subset sums within {min(wanted):.3g}, closer than 2^-{PRODUCT_EXPONENT}, the unit of "
            "the grid: use a larger epsilon"
        )
    return found


def check_size(source: Source) -> None:
    """Raises ValueError if the masks of the source would not fit in memory."""
    if source.parameters > LARGEST_SOURCE:
        raise ValueError(
            f"the source has {source.parameters:,} weights, and its masks would not fit in memory (limit "
            f"{LARGEST_SOURCE:,}): ask for fewer candidates, a larger epsilon, or a smaller target"
        )


def prune(
    target: Target,
    source: Source,
    wanted: Sequence[float],
    question: Question,
    assignment: Assignment = block,
    advance: Callable[[int], object] = lambda solved: None,
) -> Construction:
    """Prunes the source to the target, pair by pair.

    Args:
        target: the network to approximate.
        source: the random network, drawn once; a failed subset sum is counted, never redrawn.
        wanted: tolerance of one subset sum in every layer.
        question: asked of every subset sum.
        assignment: which hidden unit reads which input.
        advance: called with the number of subset sums solved since the last call.

    Returns:
        The ticket and its subset sums.

    Raises:
        ValueError: the source does not fit the target or is too large, or a tolerance is below the grid.
    """
    started = time.perf_counter()
    check_fit(target, source)
    check_size(source)
    integers = on_grid(wanted)
    masks: list[np.ndarray] = []
    reports: list[PairReport] = []
    for i, layer in enumerate(target.layers):
        first, second, report = prune_pair(
            layer, source, i, question, integers[i], nonnegative=i > 0, assignment=assignment, advance=advance
        )
        masks += [first, second]
        reports.append(report)
    ticket = Ticket(source, tuple(masks))
    spent = time.perf_counter() - started
    name = getattr(question, "__name__", str(question))
    return Construction(ticket, tuple(reports), integers, samples_per_weight(source), name, assignment.__name__, spent)


def certificate(
    name: str,
    target: Target,
    construction: Construction,
    epsilon: float,
    delta: float,
    checks: tuple[Check, ...],
    domain: Ball | Box | None = None,
    effort: Effort = Effort(),
    effective: Callable[[Target, Ticket], tuple[EffectiveLayer, ...]] = collapse,
) -> Certificate:
    """What is known about the ticket: proved and attained error on the domain, the unit ball by default.

    The errors are computed anew from the masks and the seed; nothing that the solver said is trusted.

    Args:
        name: of the theorem.
        target: the network to approximate.
        construction: the ticket.
        epsilon: the claimed error.
        delta: failure probability that the theorem allows.
        checks: its hypotheses with their numbers.
        domain: where the input runs.
        effort: how hard to search for errors.
        effective: what the ticket computes, layer by layer; by default that of a construction by pairs.

    Raises:
        ValueError: the ticket does not fit the target, or the domain has another dimension.
    """
    started = time.perf_counter()
    domain = Ball(target.widths[0]) if domain is None else domain
    layers = effective(target, construction.ticket)
    error = bracket(layers, domain, effort=effort)
    spent = construction.seconds + time.perf_counter() - started
    return Certificate(name, epsilon, delta, checks, target, construction, error, spent, domain, layers)


def usual_checks(target: Target, source: Source, law: Law = Uniform()) -> tuple[Check, ...]:
    """Hypotheses that most theorems share: norms at most 1, no biases, twice the depth, the law of the source."""
    norm = max(norms(target))
    biases = sum(layer.bias is not None for layer in target.layers)
    return (
        Check("largest spectral norm of the target", norm, "<=", 1.0, norm <= 1),
        Check("target layers with a bias", biases, "<=", 0, biases == 0),
        Check("depth of the source", source.depth, ">=", 2 * target.depth, source.depth >= 2 * target.depth),
        Check("law of the source", str(source.law), "in", str(law), source.law == law),
    )


NOT_PROVED = "no number is proved"
"""Limit of the check on the candidates where no number suffices by the theorem."""


def samples_check(source: Source, needed: float) -> Check:
    """Whether the source has the candidates that the theorem asks for; an infinite number is one that is not proved."""
    samples = samples_per_weight(source)
    limit = NOT_PROVED if math.isinf(needed) else needed
    return Check("candidates per weight and side", samples, ">=", limit, samples >= needed)
