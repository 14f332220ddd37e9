"""What the theorems on random subset sums say, beside measured numbers."""

from __future__ import annotations

import math

import claimed
import numpy as np
from claimed import Row, exactly, median_of_batches, quantile, rows, said, says, share
from numpy.typing import NDArray

from slth.bounds import Direction
from slth.experiments.law_samples import draw_samples
from slth.experiments.laws import covering_numbers, failure_probabilities, median_errors, smallest_samples
from slth.laws import Uniform
from slth.randomness import bits, stream_number
from slth.subset_sum import Status, SubsetSums, best, count_by_size, covers
from slth.subset_sum.exact_integer import samples_for_all
from slth.theorems import (
    counting,
    dacunha2023_subset_sum,
    grid_law,
    kumar2026_discrete,
    lueker1998_subset_sum,
    natale2024_curve,
    natale2024_fixed_size,
    natale2024_steered,
    xiong2023_perturbation,
)

GRID = 24
ONE = 1 << GRID
UPPER, LOWER, HEURISTIC = Direction.UPPER, Direction.LOWER, Direction.HEURISTIC
DRAWS, DELTA = 200, 0.1
SMALLEST = "smallest n that reaches every target, in 9 of 10 draws"
FAILING = "share of draws in which some target fails"
HALF, WHOLE = "U[-1, 1], targets of [-1/2, 1/2]", "U[-1, 1], targets of [-1, 1]"
_CONFIDENT = {"confidence": claimed.CONFIDENCE}


def lueker() -> list[Row]:
    """Any size, one window."""
    own, found = lueker1998_subset_sum, []
    for eps in (0.1, 0.01, 0.001):
        (one,) = smallest_samples(epsilons=[eps], draws=DRAWS, **_CONFIDENT)
        upper = said(own, "CANDIDATES_UNIFORM", epsilon=eps, delta=DELTA)
        lower = said(own, "COUNTING_CANDIDATES", R=0.5, epsilon=eps)
        rule = said(own, "SAMPLES_FOR_90_PERCENT", epsilon=eps)
        found += rows(own, SMALLEST, f"{HALF}, epsilon {eps}", DRAWS, one.n, upper, lower, rule)
    for two in failure_probabilities(ns=(6, 16, 20), **_CONFIDENT):
        claims = [said(own, "FLOOR", n=two.n)] if two.n < 20 else []  # so small a share would take millions of draws
        if two.upper < 1:
            claims.append(said(own, "FAILURE_UNIFORM", epsilon=two.epsilon, n=two.n))
        found += rows(own, FAILING, f"{HALF}, epsilon {two.epsilon}, {two.n} samples", two.draws, two.probability,
                      *claims)  # fmt: skip
    for three in median_errors(ns=(12, 20), **_CONFIDENT):
        setting = f"U[-1, 1], target {three.target}, {three.n} samples"
        law = said(own, "MEDIAN_ERROR", n=three.n, q=1 / 3, z=three.target)
        found += rows(own, "median of the smallest error", setting, three.draws, three.error, law)
    return found


def dacunha() -> list[Row]:
    """The share that is covered, sample by sample."""
    own, found = dacunha2023_subset_sum, []
    for eps in (0.1, 0.01):
        (one,) = smallest_samples(epsilons=[eps], window=1.0, draws=DRAWS, **_CONFIDENT)
        at = {"epsilon": eps, "delta": DELTA, "drift": 0.5}
        upper = says("samples_that_suffice", own.samples_that_suffice(**at), UPPER, **at)
        found += rows(own, SMALLEST, f"{WHOLE}, epsilon {eps}", DRAWS, one.n, upper)
    for two in failure_probabilities(ns=(18, 22), window=1.0, **_CONFIDENT):
        at = {"epsilon": two.epsilon, "drift": 0.5, "samples": two.n}
        upper = says("adversarial_failure", own.adversarial_failure(**at)[-1], UPPER, **at)
        found += rows(own, FAILING, f"{WHOLE}, epsilon {two.epsilon}, {two.n} samples", two.draws, two.probability,
                      upper)  # fmt: skip
    first, eps = np.abs(draw_samples(Uniform(), 1, 64, 0, trial=0))[0], 0.1
    second = draw_samples(Uniform(), 300, 64, 0, trial=1)
    problem = SubsetSums(first * second, np.zeros(300, dtype=np.int64))
    failing = covers(problem, 1 << 48, int(eps * 2**48)) != Status.FOUND
    upper = says("failure_given_first_layer", own.failure_given_first_layer(first, 1, eps), UPPER, epsilon=eps)
    setting = f"u v with 64 fixed u > 0, targets of [-1, 1], epsilon {eps}; failing unless proved to succeed"
    return found + rows(own, FAILING, setting, 300, share(failing), upper)


def grid() -> list[Row]:
    """Weights with few values; 2^24 are too many to matter for tolerances that all sums can be looked at for."""
    own, found, values = grid_law, [], 256
    samples = 2 * (bits(0, stream_number(0, 0), 0, DRAWS * 22) >> 24).astype(np.int64).reshape(DRAWS, 22) - (values - 1)
    for units in (8, 4, 2):
        at = {"epsilon": units / values, "delta": DELTA, "drift": 0.5, "window": 1.0, "values": values}
        upper = says("candidates_on_grid", own.candidates_on_grid(**at), UPPER, **at)
        setting = f"odd multiples of 1/{values} in (-1, 1), targets of [-1, 1], epsilon {units / values}"
        found += rows(own, SMALLEST, setting, DRAWS, quantile(_first_covering(samples, values, units), 0.9), upper)
    (one,) = smallest_samples(epsilons=[0.01], window=1.0, draws=DRAWS, **_CONFIDENT)
    upper = said(own, "CANDIDATES_ON_GRID", epsilon=0.01, delta=DELTA, R=1, m=0.5)
    found += rows(own, SMALLEST, f"{WHOLE}, epsilon 0.01", DRAWS, one.n, upper)
    (two,) = failure_probabilities(ns=(22,), window=1.0, **_CONFIDENT)
    upper = said(own, "FAILURE_ON_GRID", epsilon=two.epsilon, n=two.n, R=1, m=0.5)
    return found + rows(own, FAILING, f"{WHOLE}, epsilon {two.epsilon}, {two.n} samples", two.draws, two.probability,
                        upper)  # fmt: skip


def _first_covering(samples: NDArray[np.int64], window: int, tolerance: int) -> NDArray[np.float64]:
    """For every row the number of samples from which on [-window, window] is covered; infinite if never."""
    times = np.full(len(samples), np.inf)
    for n in range(1, samples.shape[1] + 1):
        left = np.flatnonzero(np.isinf(times))
        problem = SubsetSums(samples[left, :n], np.zeros(len(left), dtype=np.int64))
        times[left[covers(problem, window, tolerance) == Status.FOUND]] = n
    return times


def _integers(low: int, high: int, draws: int, n: int) -> NDArray[np.int64]:
    """Uniform on low, ..., high, up to 2^-32 (high - low + 1) of a probability."""
    drawn = bits(0, stream_number(high, n), 0, draws * n).astype(np.int64)
    return low + ((drawn * (high - low + 1)) >> 32).reshape(draws, n)


def kumar() -> list[Row]:
    """Integers."""
    own, found = kumar2026_discrete, []
    for largest in (16, 128, 512):
        times = samples_for_all(_integers(-largest, largest, DRAWS, 48), largest).astype(float)
        upper = said(own, "CANDIDATES", M=largest, delta=DELTA, m=0.5)
        lower = said(own, "COUNTING", M=largest, Delta=0)
        rule = said(own, "SAMPLES_FOR_90_PERCENT", M=largest)
        setting = f"integers of [-{largest}, {largest}], reached exactly"
        times[times < 0] = np.inf
        found += rows(own, SMALLEST, setting, DRAWS, quantile(times, 0.9), upper, lower, rule)
    draws, largest = 4000, 128
    exact = share(own.missed(_integers(-largest, largest, draws, 46), largest) > 0)
    upper = said(own, "FAILURE_EXACT", M=largest, n=46, m=0.5)
    found += rows(own, FAILING, f"46 integers of [-{largest}, {largest}], reached exactly", draws, exact, upper)
    near = share(own.missed(_integers(-largest, largest, draws, 36), largest, 4) > 0)
    upper = said(own, "FAILURE", M=largest, n=36, m=0.5, D_1=2, D_2=2)
    found += rows(own, FAILING, f"36 integers of [-{largest}, {largest}], reached within 4", draws, near, upper)
    for largest in (1000, 4000):
        drawn = _integers(1, largest, draws, 14)
        apart = np.abs(best(SubsetSums(2 * drawn, drawn.sum(axis=1))).residuals) > 1
        law = said(own, "NO_PERFECT_PARTITION", factor=2, n=14, M=largest)
        found += rows(own, "share of draws without a perfect partition", f"14 integers of [1, {largest}]", draws,
                      share(apart), law)  # fmt: skip
    return found


def natale() -> list[Row]:
    """Subsets of one size."""
    own, found = natale2024_fixed_size, []
    for k, eps, most in ((3, 0.01, 90), (6, 0.01, 36), (8, 0.1, 29)):
        n = quantile(covering_numbers(Uniform(), eps, math.sqrt(k), 100, most, 0, k), 0.9)
        claims = [said(own, "COUNTING", epsilon=eps, k=k, gamma=k / n.estimate)]
        curve = natale2024_curve.counting_curve([k], eps).samples[0]
        if curve > 2 * k:  # where the curve starts
            claims.append(says("natale2024_curve.counting_curve", curve, LOWER, sizes=[k], within=eps))
        setting = f"U[-1, 1], subsets of {k}, targets of [-sqrt({k}), sqrt({k})], epsilon {eps}"
        found += rows(own, SMALLEST, setting, 100, n, *claims)
    for k, pairs, draws in ((216, 55, 300), (1000, 125, 100)):
        window, n = math.sqrt(k), 2 * k
        bound = {"epsilon": 0.01, "k": k}
        claims = [said(own, "FAILURE", **bound)] if pairs == k // 8 and k > 216 else [
            said(own, "FAILURE_STEERED", **bound, p=pairs, R=window),
            says("natale2024_steered.failure", float(natale2024_steered.failure(0.01, n, k, pairs, window)), UPPER,
                 epsilon=0.01, n=n, k=k, pairs=pairs, window=window),
        ]  # fmt: skip
        setting = f"{n} samples U[-1, 1], subsets of {k}, targets of [-sqrt({k}), sqrt({k})], epsilon 0.01"
        found += rows(own, "share of draws in which pairs and steering fail", setting, draws,
                      share(_steering_fails(draws, k, pairs)), *claims)  # fmt: skip
    counts = counted_of_size(9 * DRAWS, n=24, k=6)
    moments = median_of_batches(counts, lambda part: 1 - 1 / counting.moment_ratio(part))
    rule = said(own, "MISSES_BY_MOMENTS", factor=1.5, k=6, n=24, z=0.25)
    return found + rows(own, "1 - (E N)^2 / E N^2 of a batch of draws", "24 samples U[-1, 1], subsets of 6, target "
                        "0.25, epsilon 0.01", len(counts), moments, rule)  # fmt: skip


def _steering_fails(draws: int, k: int, pairs: int) -> NDArray[np.bool_]:
    """Whether the construction of the proof is not proved to reach every target of [-sqrt(k), sqrt(k)] within 0.01."""
    samples = draw_samples(Uniform(), draws, 2 * k, 0, trial=k)
    differences = samples[:, 0 : 2 * pairs : 2] - samples[:, 1 : 2 * pairs : 2]
    covered = covers(SubsetSums(differences, np.zeros(draws, dtype=np.int64)), ONE, int(0.01 * ONE)) == Status.FOUND
    steered = natale2024_fixed_size.steers(samples, k, pairs, math.ceil(math.sqrt(k) * ONE), ONE)
    return np.asarray(~(covered & steered))


def counted_of_size(draws: int, n: int, k: int, epsilon: float = 0.01) -> NDArray[np.int64]:
    """How many subsets of k are within epsilon of 1/4."""
    problem = SubsetSums(draw_samples(Uniform(), draws, n, 0, trial=n), np.full(draws, ONE // 4))
    return count_by_size(problem, int(epsilon * ONE))[:, k]


def xiong() -> list[Row]:
    """Samples that may move."""
    own, found, moved = xiong2023_perturbation, [], 2.0**-8
    draws = 3 * DRAWS
    drawn = draw_samples(Uniform(), draws, 16, 0, trial=0)
    for eps in (0.1, 0.02):
        rule = says("TOLERANCE.solve", own.TOLERANCE.solve("n", epsilon=eps, eps_p=moved), HEURISTIC, epsilon=eps,
                    eps_p=moved)  # fmt: skip
        found += rows(own, SMALLEST, f"{HALF}, samples that move by at most 2^-8, epsilon {eps}", draws,
                      quantile([_first_within(row, eps, moved) for row in drawn], 0.9), rule)  # fmt: skip
    n, eps = 16, 0.25
    failed = [_worst(row, moved) > eps * ONE for row in drawn]
    upper = said(own, "FAILURE", n=n, epsilon=eps, R=0.5, m=0.5)
    found += rows(own, FAILING, f"{HALF}, {n} samples that move by at most 2^-8, epsilon {eps}", draws,
                  share(failed), upper)  # fmt: skip
    one = best(SubsetSums(draw_samples(Uniform(), 1, 8, 0, trial=8), np.array([ONE // 4])))
    residual, size, limit = int(one.residuals[0]), int(one.chosen[0].sum()), 1 << 8
    after = abs(residual + int(own.changes(residual, size, limit).sum())) / ONE
    upper = said(own, "SLACK", t=abs(residual) / ONE, k=size, eps_p=limit / ONE)
    found += rows(own, "error of the best subset after its samples have moved", "8 samples U[-1, 1], target 0.25, "
                  "changes up to 2^-16", 1, exactly(after), upper)  # fmt: skip
    redrawn, eps = 4, 0.05
    near = np.abs(draw_samples(Uniform(), 1000, 400, 0, trial=0) - ONE // 2) <= eps * ONE
    first = np.where(near.any(axis=1), near.argmax(axis=1) // redrawn + 1, np.inf)
    upper = said(own, "BEST_OF", delta=DELTA, epsilon=eps, draws=redrawn)
    return found + rows(own, "smallest n of which one is within epsilon, in 9 of 10 draws", "U[-1, 1], each drawn 4 "
                        "times, target 0.5, epsilon 0.05", 1000, quantile(first, 0.9), upper)  # fmt: skip


def _first_within(samples: NDArray[np.int64], epsilon: float, moved: float) -> float:
    """The n from which on samples that may move reach every target of [-1/2, 1/2]; infinite if never."""
    sizes = range(1, len(samples) + 1)
    reached = (n for n in sizes if _worst(samples[:n], moved) <= epsilon * ONE)
    return float(next(reached, np.inf))


def _worst(samples: NDArray[np.int64], moved: float) -> float:
    return float(xiong2023_perturbation.worst_error(samples, ONE // 2, round(moved * ONE)))
