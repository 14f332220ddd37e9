"""Rows of measured numbers of subsets."""

from __future__ import annotations

from dataclasses import dataclass

from slth.confidence import Interval


@dataclass(frozen=True)
class Counts:
    """What was counted.

    Attributes:
        law: of the samples, in words.
        n: number of samples.
        epsilon: tolerance.
        target: z.
        draws: independent sample sets.
    """

    law: str
    n: int
    epsilon: float
    target: float
    draws: int


@dataclass(frozen=True)
class CountRow(Counts):
    """The distribution of N / E N at one level.

    Attributes:
        level: y.
        share: of the draws with N <= y E N, E N being the prediction, with an exact interval.
        predicted: P(Y <= y) = erfc(sqrt(ln(sqrt(2) / y))), the limit.
    """

    level: float
    share: Interval
    predicted: float


@dataclass(frozen=True)
class MomentRow(Counts):
    """One number about N and its limit; the measured one has no interval.

    Attributes:
        quantity: what is measured, in words.
        measured: over the draws.
        predicted: in the limit.
    """

    quantity: str
    measured: float
    predicted: float


@dataclass(frozen=True)
class AbsenceRow(Counts):
    """How often no subset comes within epsilon at all.

    Attributes:
        mean: predicted E N.
        share: of the draws with N = 0, with an exact interval.
        mixed: E exp(-Y E N), a mixed Poisson law; heuristic, also in the limit.
        plain: exp(-E N), as if N were Poisson; heuristic.
    """

    mean: float
    share: Interval
    mixed: float
    plain: float


@dataclass(frozen=True)
class SizeRow(Counts):
    """The number of subsets of one size k within epsilon.

    Attributes:
        k: size.
        mean: measured mean of N_k.
        predicted_mean: C(n, k) 2 epsilon (2 pi k q)^(-1/2) exp(-z^2 / (2 k q)), q = E X^2.
        spread: measured E N_k (N_k - 1) / (E N_k)^2; NaN if all are 0.
        predicted_spread: (1 - (k / n)^2)^(-1/2), the limit; infinite for k = n.
    """

    k: int
    mean: float
    predicted_mean: float
    spread: float
    predicted_spread: float
