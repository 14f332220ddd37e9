"""Answers that are proved for the floats of a row, though it is solved on a grid of 61 bits.

Where the floats of a row do not fit on one grid, `rounding` bounds how far every subset's residual moved. The answer
is taken from the grid only if that cannot matter; the other rows are decided in unbounded integers, up to 34 samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum import (
    Status,
    Subsets,
    SubsetSums,
    best,
    count_within,
    exactly,
    exactly_within,
    few_within,
    tolerance_on_grid,
)
from slth.subset_sum.counting import LARGEST_COUNTED, count_between
from slth.subset_sum.minimise import LARGEST_BATCHED
from slth.subset_sum.solve import LARGEST_TOLERANCE
from slth.subset_sum.tensor_units import coarser
from slth.table import exact

Floats = NDArray[np.float64]

CLOSE = "a residual equals epsilon up to rounding"
"""Why a row of more than 34 samples is unresolved."""


@dataclass(frozen=True)
class Answer:
    """What is known about one row.

    Attributes:
        status: 'found', 'unreachable' (the target is beyond the sum of the positive or of the negative samples),
            'impossible' (all subsets were searched), 'unresolved', or 'malformed'.
        indices: the samples taken, from 0; None if there is no subset to show.
        sum: of the samples taken, the float nearest to the exact sum.
        number: the residual sum - target (nearest float), the count or the worst error.
        reason: why the row is malformed or unresolved.
    """

    status: str
    indices: list[int] | None = None
    sum: float | None = None
    number: float | int | None = None
    reason: str = ""


def _used(problem: SubsetSums) -> NDArray[np.int64]:
    """The rounding of every row in grid units, rounded up."""
    return np.ceil(np.ldexp(np.asarray(problem.rounding), np.asarray(problem.exponent))).astype(np.int64)


def _coarser(problem: SubsetSums) -> SubsetSums:
    """The rows on grids so coarse that sum |x| + |t| < 2^53: room for the size in the high digits of 34 samples."""
    return coarser(problem, 52)


def _shown(samples: Floats, targets: Floats, answers: Subsets) -> list[Answer]:
    """The subset of every row with its sum and residual, as if all were found."""
    rows, columns = np.nonzero(answers.chosen)
    picked, indices = samples[rows, columns].tolist(), columns.tolist()
    ends = np.cumsum(answers.sizes).tolist()
    shown, first = [], 0
    for end, target in zip(ends, targets.tolist(), strict=True):
        own = picked[first:end]
        # fsum is the float nearest to the exact sum.
        shown.append(Answer("found", indices[first:end], math.fsum(own), math.fsum([*own, -target])))
        first = end
    return shown


def _exact(samples: Floats, target: float, size: int | None) -> tuple[Answer, Fraction]:
    """The exactly nearest subset of one row."""
    values = samples.tolist()
    indices, residual = exact.nearest(values, target, size)
    return Answer("found", indices, math.fsum(values[i] for i in indices), float(residual)), abs(residual)


def nearest(size: int | None, samples: Floats, targets: Floats) -> list[Answer]:
    """The subset of every row whose exact sum is nearest to its target, of one size if one is given."""
    n = samples.shape[1]
    if size is not None and size > n:
        return [Answer("impossible")] * len(targets)
    problem = SubsetSums.from_floats(samples, targets)
    problem = problem if size is None else _coarser(problem)
    answers = best(problem) if size is None else exactly(problem, size)
    shown = _shown(samples, targets, answers)
    used = _used(problem)
    doubtful = np.flatnonzero(used)
    if len(doubtful):
        # A nearer subset of the floats is within |r| + 2 rounding on the grid; mostly the one found is alone there.
        near = np.abs(answers.residuals[doubtful]) + 2 * used[doubtful]
        part = SubsetSums(problem.samples[doubtful], problem.targets[doubtful])
        for row in doubtful[_count_of_size(part, size, near) > 1]:
            if n <= exact.LARGEST:
                shown[row] = _exact(samples[row], float(targets[row]), size)[0]
            else:
                reason = "nearest up to rounding: on the grid of 61 bits several subsets are as near"
                shown[row] = replace(shown[row], status="unresolved", reason=reason)
    return shown


def _count_of_size(problem: SubsetSums, size: int | None, tolerances: NDArray[np.int64]) -> NDArray[np.int64]:
    """Subsets within tolerance, of one size if one is given."""
    if size is None:
        if problem.n > LARGEST_COUNTED:
            return count_between(problem, tolerances, by_size=False)[:, 0]
        return count_within(problem, tolerances)
    offset = 2 * (np.abs(problem.samples).sum(axis=1) + np.abs(problem.targets)) + 1
    raised = SubsetSums(problem.samples + offset[:, None], problem.targets + size * offset)
    # Sums of another size are at least half an offset away; those of this size are all within half of one.
    return count_within(raised, np.minimum(tolerances, offset // 2))


def within_of_size(size: int, epsilon: float, samples: Floats, targets: Floats) -> list[Answer]:
    """A subset of one size within epsilon of every target; beyond 34 samples not all subsets may be searched."""
    n = samples.shape[1]
    if size > n:
        return [Answer("impossible")] * len(targets)
    many = n > LARGEST_BATCHED

    def solve(problem: SubsetSums, tolerances: NDArray[np.int64]) -> Subsets:
        return (few_within if many else exactly_within)(problem, size, tolerances)

    return within(solve, lambda n: [size], epsilon, samples, targets, grid=(lambda own: own) if many else _coarser)


def within(
    solve: Callable[[SubsetSums, NDArray[np.int64]], Subsets], sizes: Callable[[int], Iterable[int | None]],
    epsilon: float, samples: Floats, targets: Floats, grid: Callable[[SubsetSums], SubsetSums] = lambda own: own,
) -> list[Answer]:  # fmt: skip
    """Searches within epsilon + rounding: every subset that qualifies is among those, so nothing is overlooked."""
    problem = grid(SubsetSums.from_floats(samples, targets))
    used = _used(problem)
    allowed = tolerance_on_grid(epsilon, problem.exponent)
    tolerances = np.minimum(allowed + used, LARGEST_TOLERANCE)
    answers = solve(problem, tolerances)
    shown = _shown(samples, targets, answers)
    top = np.maximum(problem.samples, 0).sum(axis=1) + tolerances
    bottom = np.minimum(problem.samples, 0).sum(axis=1) - tolerances
    beyond = (problem.targets > top) | (problem.targets < bottom)
    for row in np.flatnonzero(answers.status != Status.FOUND):
        if answers.status[row] == Status.UNRESOLVED:
            shown[row] = Answer("unresolved", reason="not all subsets were searched")
        else:
            shown[row] = Answer("unreachable" if beyond[row] else "impossible")
    for row in np.flatnonzero((used > 0) & (answers.status == Status.FOUND)):
        away = shown[row].number
        assert away is not None
        # Rounding to nearest keeps the order, so only |residual| >= epsilon needs another look.
        if abs(away) >= epsilon:
            shown[row] = _settled(samples[row], float(targets[row]), shown[row], sizes, epsilon)
    # Another subset may be within epsilon beyond doubt.
    left = [at for at, own in enumerate(shown) if own.reason == CLOSE and allowed[at] >= used[at]]
    again = solve(SubsetSums(problem.samples[left], problem.targets[left]), allowed[left] - used[left])
    for at, own, status in zip(left, _shown(samples[left], targets[left], again), again.status, strict=True):
        if status == Status.FOUND:
            shown[at] = own
    return shown


def _settled(
    samples: Floats, target: float, found: Answer, sizes: Callable[[int], Iterable[int | None]], epsilon: float
) -> Answer:
    """A row with a subset so close to epsilon that the grid cannot tell."""
    chosen = samples[found.indices or []].tolist()
    if abs(sum(map(Fraction, chosen), -Fraction(target))) <= Fraction(epsilon):
        return found
    if len(samples) > exact.LARGEST:
        return Answer("unresolved", reason=CLOSE)
    for size in sizes(len(samples)):
        nearer, away = _exact(samples, target, size)
        if away <= Fraction(epsilon):
            return nearer
    return Answer("impossible")


def number_within(epsilon: float, samples: Floats, targets: Floats) -> list[Answer]:
    """The number of subsets within epsilon; beyond 34 samples only where it does not depend on the rounding."""
    problem = SubsetSums.from_floats(samples, targets)
    used = _used(problem)
    allowed = tolerance_on_grid(epsilon, problem.exponent)
    most = count_within(problem, np.minimum(allowed + used, LARGEST_TOLERANCE))
    least = most
    if used.any():
        least = np.where(allowed >= used, count_within(problem, np.maximum(allowed - used, 0)), 0)
    counted = []
    for row, (low, high) in enumerate(zip(least.tolist(), most.tolist(), strict=True)):
        if low < high and samples.shape[1] > exact.LARGEST:
            counted.append(Answer("unresolved", reason=CLOSE))
            continue
        if low < high:
            high = exact.number_within(samples[row].tolist(), float(targets[row]), epsilon)
        counted.append(Answer("found", number=high))
    return counted


def worst_case(window: float, samples: Floats, targets: Floats) -> list[Answer]:
    """The worst error over [-window, window], rounded up; the targets play no part."""
    from slth.subset_sum.coverage import worst_errors

    problem = SubsetSums.from_floats(samples, np.full(len(samples), window))
    doubled = worst_errors(problem, problem.targets).doubled_errors
    answers = []
    for row, error in enumerate(doubled.tolist()):
        upper = Fraction(error, 2) / Fraction(2) ** int(np.asarray(problem.exponent)[row])
        upper += Fraction(float(np.asarray(problem.rounding)[row]))
        value = float(upper)
        answers.append(Answer("found", number=value if Fraction(value) >= upper else math.nextafter(value, math.inf)))
    return answers
