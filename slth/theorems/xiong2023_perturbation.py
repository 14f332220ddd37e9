"""Xiong, Liao, Kyrillidis (2023): weights that may move a little before they are pruned.

Statement.  If every weight of the random network may be changed by at most eps_p before pruning, the width that strong
            tickets ask for falls by a factor O(1 / (1 + eps_p)). For one subset sum whose samples may each move by
            eps_p: (i) a subset with k samples and error t comes down to max(0, t - k eps_p), exactly; (ii) n samples
            serve tolerance epsilon about as unmoved ones serve epsilon + n eps_p / 4, so their number levels off at
            the logarithm of 1 / eps_p; (iii) the proved failure probability of unmoved samples holds as it is.
Kind.       FACTOR is restated, its constant has no value. (i) SLACK and (iii) FAILURE are derived upper bounds, (ii)
            TOLERANCE is heuristic. BEST_OF, on weights that are drawn several times, is derived.
Source.     arXiv 2210.16589, abstract; the theorems restated from memory of the paper; check before quoting. BEST_OF:
            Chijiwa et al. (2021, arXiv 2106.09269).
Uses.       lueker1998_subset_sum; gadget for whole networks.
Notation.   epsilon of the paper's perturbation -> eps_p; size of the subset -> k.
Departs.    There is no construction: a network whose weights have moved is no ticket, as only a mask may touch the
            random network here. `perturbed` computes what a ticket could be moved to, exactly, by changes of the
            weights of second matrices alone. No two subset sums share such a weight; first matrices stay, because the
            change that a subset sum wants depends on its target, and all outputs share the units.
Errata.     See the reference: subset sums that share a weight cannot be perturbed one by one.

Derivations.  (i) k changes of at most eps_p add up to any number of modulus <= k eps_p and to no other. (iii) Changes
of 0 are allowed; in the proof of `slth.theorems.lueker1998_subset_sum` every translate A_t + X is fattened by eps_p, so
the covered share grows at least as before. BEST_OF: a draw of U[-1, 1] is within epsilon <= 1 of z in [-1, 1] with
probability at least epsilon / 2, and n weights drawn `draws` times are n draws independent numbers; none is near with
probability at most (1 - epsilon / 2)^(n draws) <= exp(-n draws epsilon / 2).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.bounds import Bound, Direction, Provenance
from slth.gadget import EffectiveLayer, collapse
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.references import CHIJIWA2021, XIONG2023
from slth.symbols import symbol
from slth.theorems import lueker1998_subset_sum as lueker

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "xiong2023_perturbation"
REFERENCE = XIONG2023

_eps, _eps_p, _n = symbol("epsilon"), symbol("eps_p"), symbol("n")

FACTOR = Bound(
    name="width factor of perturbed sources",
    quantity=symbol("w"),
    direction=Direction.UPPER,
    expression=symbol("C") / (1 + _eps_p),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="O(1 / (1 + eps_p)) in the abstract; C is not given; restated from memory of the paper; check before quoting",
)

# 2. Bound -------------------------------------------------------------------------------------------------------------

SLACK = Bound(
    name="error of a subset after perturbation",
    quantity=_eps,
    direction=Direction.UPPER,
    expression=sympy.Max(0, symbol("t") - symbol("k") * _eps_p),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="(i): k samples with error t before, each moved by at most eps_p; attained",
)

TOLERANCE = Bound(
    name="tolerance that perturbed samples meet nine times out of ten",
    quantity=_eps,
    direction=Direction.HEURISTIC,
    expression=sympy.Max(0, 2 ** (-(_n - 6) * sympy.Rational(10, 11)) - _n * _eps_p / 4),
    provenance=Provenance.HEURISTIC,
    reference=REFERENCE,
    note="(ii): the rule of thumb n = 1.1 log2(1 / epsilon) + 6 of U[-1, 1] and all targets of [-1/2, 1/2], with the "
    "slack of subsets of n / 4 samples; fits measurements within 2 samples",
)

FAILURE = replace(
    lueker.FAILURE,
    name="failure probability of perturbed subset sums",
    reference=REFERENCE,
    note="(iii): samples with drift constant m, moved by any amount; all targets of [-R, R] at once",
)

BEST_OF = Bound(
    name="candidates when every one may be drawn again",
    quantity=_n,
    direction=Direction.UPPER,
    expression=2 * sympy.log(1 / symbol("delta")) / (_eps * symbol("draws")),
    provenance=Provenance.DERIVED,
    reference=CHIJIWA2021,
    note="some draw of U[-1, 1] is within epsilon <= 1 of a target in [-1, 1] with probability 1 - delta; to draw "
    "again is not to prune",
)


# 3. Measure -----------------------------------------------------------------------------------------------------------


def changes(residual: int, size: int, limit: int) -> NDArray[np.int64]:
    """The changes of the samples of one subset that take most of its residual away, as equal as integers can be.

    Args:
        residual: sum - target, an integer in any unit.
        size: number of samples in the subset, >= 0.
        limit: largest change of one sample, in the same unit, >= 0.

    Returns:
        int64 (size,), of modulus at most limit. Their sum is -residual if |residual| <= size * limit, else as near to
        it as the limit allows.

    Raises:
        ValueError: a negative size or limit.

    >>> changes(-7, 3, 5), changes(-70, 3, 5)
    (array([3, 2, 2]), array([5, 5, 5]))
    """
    if size < 0 or limit < 0:
        raise ValueError(f"need size >= 0 and limit >= 0; got {size} and {limit}")
    total = min(abs(residual), size * limit)
    each, rest = divmod(total, size) if size else (0, 0)
    moved = np.full(size, each, dtype=np.int64)
    moved[:rest] += 1
    return moved if residual < 0 else -moved


def worst_error(samples: NDArray[np.int64], window: int, limit: int) -> Fraction:
    """The largest error over all targets of [-window, window] when every sample may move by limit, exactly.

    Args:
        samples: int64 (n,), 1 <= n <= 24, in any unit.
        window: R in the same unit, a positive integer.
        limit: eps_p in the same unit, >= 0.

    Returns:
        max over z of min over subsets S of max(0, |sum over S - z| - |S| limit), in the unit of the samples.

    Raises:
        ValueError: wrong shape or dtype, too many samples, window or limit out of range, or sums that leave int64.

    >>> samples = np.array([3, -7, 9, -2, 5])
    >>> worst_error(samples, 5, 0), worst_error(samples, 500, 0), worst_error(samples, 500, 1)
    (Fraction(1, 1), Fraction(491, 1), Fraction(489, 1))
    """
    if samples.ndim != 1 or samples.dtype != np.int64 or not 1 <= samples.size <= lueker.MOST_SAMPLES:
        raise ValueError(
            f"samples must be int64 of shape (n,) with n from 1 to {lueker.MOST_SAMPLES}; got {samples.dtype} of shape "
            f"{samples.shape}"
        )
    if window <= 0 or limit < 0 or window + samples.size * limit + sum(abs(int(x)) for x in samples) >= 1 << 61:
        raise ValueError(f"need window > 0, limit >= 0 and sums below 2^61; got window {window} and limit {limit}")
    low = high = np.zeros(1, dtype=np.int64)
    for sample in samples:
        low = np.concatenate([low, low + (sample - limit)])
        high = np.concatenate([high, high + (sample + limit)])
    order = np.argsort(low)
    low, reach = low[order], np.maximum.accumulate(high[order])
    left, right = reach[:-1], low[1:]
    gap = (right > left) & (right > -window) & (left < window)
    # the farthest target of the window in the gap between two unions of intervals, twice
    middle = np.clip(left + right, -2 * window, 2 * window)[gap]
    inside = np.minimum(middle - 2 * left[gap], 2 * right[gap] - middle).max(initial=0)
    return Fraction(max(int(inside), 2 * (int(low[0]) + window), 2 * (window - int(reach[-1]))), 2)


def perturbed(target: Target, ticket: Ticket, limit: int) -> tuple[EffectiveLayer, ...]:
    """What the ticket could be moved to by changes of the kept weights of second matrices, layer by layer, exactly.

    A kept v behind a unit with incoming weight u moves its subset sum by |u| times its own change, and no other subset
    sum. So every error shrinks by limit times the sum of |u| over its subset, and stops at 0.

    Args:
        target: the network that the ticket stands for.
        ticket: of a construction by pairs.
        limit: largest change of one weight, in units of 2^-24, >= 0.

    Returns:
        One `EffectiveLayer` per target layer, for `slth.errors.bracket`. They are those of moved weights, not of a
        ticket.

    Raises:
        ValueError: the limit is negative, or the ticket does not fit the target.
    """
    if limit < 0:
        raise ValueError(f"the largest change of a weight must be >= 0, in units of 2^-24; got {limit}")
    found = []
    for i, layer in enumerate(collapse(target, ticket)):
        first, second = ticket.weights(2 * i), ticket.masks[2 * i + 1].astype(np.int64)
        slack = [limit * (second @ np.maximum(part, 0)) for part in (first, -first)]
        inputs = layer.target.inputs
        bias = slack[0][:, inputs] if slack[0].shape[1] > inputs else np.zeros(layer.target.outputs, dtype=np.int64)
        errors = zip((layer.positive, layer.negative), slack, strict=True)
        plus, minus = (_shrunk(error, part[:, :inputs]) for error, part in errors)
        found.append(EffectiveLayer(layer.target, plus, minus, _shrunk(layer.bias, bias)))
    return tuple(found)


def _shrunk(errors: NDArray[np.int64], slack: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.sign(errors) * np.maximum(np.abs(errors) - slack, 0))
