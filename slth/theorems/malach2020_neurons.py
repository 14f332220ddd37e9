"""Malach, Yehudai, Shalev-Shwartz, Shamir (2020), Section 3: removing hidden units is as strong as random features.

Statement.  The source is g(x) = sum of b_i v_i relu(<u_i, x>), and a neuron mask chooses b in {0, 1}: the output
            weights v_i stay as they were drawn; one rescaling constant for the whole output is allowed.
            3.1 For finitely many examples whose random-feature kernel matrix has a positive least eigenvalue, a source
                of polynomial width has a neuron subnetwork, rescaled, whose loss on them is at most epsilon.
            3.2 For every model of random features with bounded coefficients, a source of polynomial width has a neuron
                subnetwork, rescaled, with at most its loss plus epsilon.
            3.3 In d inputs there is one ReLU neuron that no neuron subnetwork of bounded coefficients approximates
                unless its width is exponential in d, while masks on single weights do it with polynomial width.
Kind.       upper for ERROR (derived, every constant explicit); lower for SEPARATION (restated, C unknown). 3.1 and the
            width of 3.2 are polynomials whose degrees are not known here, so they have no `Bound`.
Source.     arXiv 2002.00585, Theorems 3.1 to 3.3, restated from memory of the paper; check before quoting.
Uses.       slth.subset_sum for one input.
Notation.   b -> kept, u* of the random features -> coefficients, rescaling constant -> scale (4 / D).
Departs.    The construction is the idea behind 3.2 for features that are the source's own: unit i is kept with
            probability |c_i| if v_i has the sign of c_i, else removed. E[v; v > 0] = 1/4, so 4 / D times the ticket has
            the mean f(x) = sum of c_i relu(<u_i, x>) / D, and the average of D such terms comes near at the rate
            1 / sqrt(D). The coins are bits of a stream of their own: a mask may be random, the weights are not touched.
Errata.     -

With one input, neuron pruning is a subset sum: a hidden unit is u v x on the side where u x > 0, so the ticket's two
slopes are two subset sums of products u v (`prune_one_input`). The wall of `ferre2026_neurons` needs two inputs.

Proof of ERROR: docs/proofs/neuron_pruning.md, part C.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.bounds import Bound, Direction, Provenance
from slth.errors.circle import circle_error
from slth.grid import WEIGHT_EXPONENT, to_float
from slth.laws import Uniform
from slth.networks.source import Source
from slth.networks.ticket import Ticket
from slth.randomness import bits, stream_number
from slth.references import MALACH2020
from slth.subset_sum import SubsetSums, best
from slth.symbols import symbol

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "malach2020_neurons"
REFERENCE = MALACH2020

COIN_STREAM = 2
"""The coins of the construction take the stream after those of the two matrices."""


def neuron_ticket(source: Source, kept: NDArray[np.bool_]) -> Ticket:
    """The ticket that keeps whole hidden units, with all their weights.

    Args:
        source: of two matrices without biases; D hidden units.
        kept: bool (D,).

    Raises:
        ValueError: the source has another depth or biases, or the mask another shape or dtype.

    >>> neuron_ticket(Source(1, (2, 3, 1)), np.array([True, False, True])).kept
    6
    """
    _check_source(source)
    inputs, hidden, outputs = source.widths
    if not isinstance(kept, np.ndarray) or kept.dtype != np.bool_ or kept.shape != (hidden,):
        raise ValueError(f"a neuron mask is a bool array of shape ({hidden},), one entry per hidden unit; got {kept!r}")
    return Ticket(source, (np.repeat(kept[:, None], inputs, axis=1), np.repeat(kept[None], outputs, axis=0)))


def kept_units(ticket: Ticket) -> NDArray[np.bool_]:
    """The hidden units that a ticket keeps, bool (D,), if it is one of `neuron_ticket`.

    Raises:
        ValueError: the source has another depth or biases, or the masks cut single weights.
    """
    _check_source(ticket.source)
    first, second = ticket.masks
    kept = np.asarray(first.all(axis=1))
    cut = np.flatnonzero((first != kept[:, None]).any(axis=1) | (second != kept).any(axis=0))
    if cut.size:
        raise ValueError(f"hidden unit {cut[0]} keeps some of its weights and not others: this is no neuron mask")
    return kept


def _check_source(source: Source) -> None:
    if source.depth != 2 or any(source.biased):
        raise ValueError(
            f"neuron pruning is stated for two matrices without biases; got widths {source.widths} and biases "
            f"{source.biased}: make the source as Source(seed, (inputs, hidden, outputs))"
        )


# 2. Bound -------------------------------------------------------------------------------------------------------------

ERROR = Bound(
    name="expected error of the rescaled neuron ticket",
    quantity=symbol("epsilon"),
    direction=Direction.UPPER,
    expression=4 / symbol("D") * sympy.sqrt(sympy.Rational(16, 3) * symbol("d") * symbol("k")),
    provenance=Provenance.DERIVED,
    reference=REFERENCE,
    note="E sup over the unit l2 ball, given the first matrix; U[-1, 1]; D hidden units, d inputs, k = sum |c_i| / 2 "
    "expected kept units; at most sqrt(128 d / (3 D)) as k <= D / 2",
)

SEPARATION = Bound(
    name="hidden units for one neuron of d inputs",
    quantity=symbol("D"),
    direction=Direction.LOWER,
    expression=sympy.exp(symbol("C") * symbol("d")),
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="up to factors polynomial in d, for bounded rescaled coefficients, else times the largest of them; one neuron "
    "with a bias, constant error in L2; rests on Yehudai and Shamir (2019); restated from memory of the paper; check "
    "before quoting",
)

# 3. Construction ------------------------------------------------------------------------------------------------------


def construct(source: Source, coefficients: NDArray[np.int64]) -> Ticket:
    """Keeps unit i with probability |c_i| if v_i has the sign of c_i; 4 / D times the ticket is then f on average.

    Args:
        source: of two matrices without biases, with one output and U[-1, 1]; D hidden units.
        coefficients: int64 (D,), c_i in units of 2^-24, of modulus at most 2^24.

    Returns:
        The neuron ticket. The same source and coefficients give the same ticket.

    Raises:
        ValueError: the source or the coefficients are not of this form.

    >>> source = Source(1, (2, 8, 1))
    >>> signs = np.sign(source.rows(1, 0, 1)[0])
    >>> kept_units(construct(source, signs << 24)).all()
    np.True_
    """
    _check_source(source)
    if source.widths[2] != 1 or source.law != Uniform():
        raise ValueError(f"the construction needs one output and U[-1, 1]; got {source.widths[2]} and {source.law}")
    hidden, one = source.widths[1], 1 << WEIGHT_EXPONENT
    if coefficients.dtype != np.int64 or coefficients.shape != (hidden,) or (np.abs(coefficients) > one).any():
        raise ValueError(
            f"coefficients must be int64 of shape ({hidden},) from -2^24 to 2^24, in units of 2^-24; got "
            f"{coefficients.dtype} of shape {coefficients.shape}: divide by the largest and scale the output instead"
        )
    drawn = bits(source.seed, stream_number(source.trial, COIN_STREAM), 0, hidden)
    coins = (drawn >> np.uint32(32 - WEIGHT_EXPONENT)).astype(np.int64)
    right_sign = (source.rows(1, 0, 1)[0] > 0) == (coefficients > 0)
    return neuron_ticket(source, right_sign & (coins < np.abs(coefficients)))


def prune_one_input(source: Source, positive: int, negative: int) -> Ticket:
    """The best neuron ticket for x -> positive * x for x >= 0 and negative * x for x < 0: two exact subset sums.

    The units with u > 0 act on x > 0 only, with slope u v, those with u < 0 on x < 0 only, likewise.

    Args:
        source: of two matrices without biases, with one input and one output, at most 48 units of either sign.
        positive: slope for x > 0, in units of 2^-48.
        negative: slope for x < 0, in units of 2^-48.

    Returns:
        The ticket with the least error over [-1, 1] of all neuron tickets, |slope error| least on both sides.

    Raises:
        ValueError: the source is not of this form, or too wide.
    """
    _check_source(source)
    if source.widths[0] != 1 or source.widths[2] != 1:
        raise ValueError(f"need one input and one output; got {source.widths[0]} and {source.widths[2]}")
    entering = source.rows(0, 0, source.widths[1])[:, 0]
    products, kept = entering * source.rows(1, 0, 1)[0], np.zeros(source.widths[1], dtype=bool)
    for side, slope in ((entering > 0, positive), (entering < 0, negative)):
        if side.any():
            kept[side] = best(SubsetSums(products[side][None], np.array([slope]))).chosen[0]
    return neuron_ticket(source, kept)


# 4. Measure -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """One ticket of the construction beside its bound.

    Attributes:
        kept: hidden units kept.
        expected: k, the expected number, sum |c_i| / 2.
        error: sup over the unit disk of |4 / D g - f|.
        bound: ERROR, on the expected error.
    """

    kept: int
    expected: float
    error: float
    bound: float


def measure(source: Source, coefficients: NDArray[np.int64]) -> Measured:
    """The error of one ticket for f(x) = sum of c_i relu(<u_i, x>) / D, with the bound on its expectation.

    Raises:
        ValueError: as in `construct`, or the source does not have two inputs.
    """
    kept = kept_units(construct(source, coefficients))
    inputs, hidden, _ = source.widths
    if inputs != 2:
        raise ValueError(f"the supremum is computed on the circle, for two inputs; got {inputs}")
    wanted = to_float(coefficients, WEIGHT_EXPONENT)
    given = 4 * kept * to_float(source.rows(1, 0, 1)[0], WEIGHT_EXPONENT)
    error = circle_error((given - wanted) / hidden, to_float(source.rows(0, 0, hidden), WEIGHT_EXPONENT))
    expected = float(np.abs(wanted).sum() / 2)
    return Measured(int(kept.sum()), expected, error, ERROR.evaluate(D=hidden, d=inputs, k=expected))
