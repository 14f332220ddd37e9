"""What the theorems on numbers of subsets and of winning masks say, beside measured numbers."""

from __future__ import annotations

import itertools

import numpy as np
from claimed import Row, exactly, median_of_batches, quantile, rows, said, says, share
from claims_on_sums import DRAWS, HEURISTIC, LOWER, ONE, UPPER, counted_of_size

from slth.experiments.law_samples import draw_samples
from slth.experiments.ticket_counts import counted, expected_count
from slth.laws import Uniform
from slth.networks.source import Source
from slth.networks.target import Target
from slth.subset_sum import Status, SubsetSums, covers
from slth.subset_sum import exactly as exactly_k
from slth.theorems import counting, counting_chances, counting_networks
from slth.theorems.counting_networks import gates, winning_masks

UNIT = 1 << 48


def of_targets() -> list[Row]:
    """How many subsets are within epsilon of one target."""
    own, draws, target = counting, 9 * DRAWS, 0.25
    n, eps = 20, 1e-3
    number, _ = counted(Uniform(), n, eps, target, draws, 0)
    law = {"n": n, "epsilon": eps, "q": 1 / 3, "z": target}
    setting, batch = f"{n} samples U[-1, 1], target {target}, epsilon {eps}", "of a batch of draws"
    found = rows(
        own, f"mean of N {batch}", setting, draws, median_of_batches(number, np.mean), said(own, "MEAN", **law)
    )
    found += rows(own, f"E N^2 / (E N)^2 {batch}", setting, draws, median_of_batches(number, own.moment_ratio),
                  said(own, "SECOND_MOMENT"))  # fmt: skip
    found += rows(own, f"mean of log2 N {batch}, where N > 0", setting, draws,
                  median_of_batches(number, lambda part: float(np.log2(part[part > 0]).mean())),
                  said(own, "MEAN_BITS", **law))  # fmt: skip
    below = share(number <= expected_count(Uniform(), n, eps, target))
    found += rows(own, "share of draws with N <= E N", setting, draws, below,
                  says("ratio_below", own.ratio_below(1.0), HEURISTIC, level=1.0))  # fmt: skip
    sized = counted_of_size(draws, n=18, k=6)
    found += rows(own, f"E N^2 / (E N)^2 {batch}", "18 samples U[-1, 1], subsets of 6, target 0.25, epsilon 0.01",
                  draws, median_of_batches(sized, own.moment_ratio),
                  said(own, "SECOND_MOMENT_OF_SIZE", k=6, n=18))  # fmt: skip
    return found + _absent()


def _absent() -> list[Row]:
    """How often there is none, and how near the nearest is."""
    own, draws, target, eps = counting, 9 * DRAWS, 0.25, 1e-3
    none, found = "share of draws with N = 0", []
    for n in (8, 14):
        number, _ = counted(Uniform(), n, eps, target, draws, 0)
        mean = expected_count(Uniform(), n, eps, target)
        claims = [says("mixed_poisson_zero", own.mixed_poisson_zero(mean), HEURISTIC, 2, mean=mean)]
        if n == 8:
            claims.append(said(own, "FAILURE_BY_MEAN", n=n, epsilon=eps))
        setting = f"{n} samples U[-1, 1], target {target}, epsilon {eps}"
        found += rows(own, none, setting, draws, share(number == 0), *claims)
        # The moments are those of the same draws, for which the inequality holds exactly.
        found += rows(own, none, f"{setting}; moments and share of these very draws", draws,
                      exactly(float((number == 0).mean())),
                      said(own, "FAILURE_BY_MOMENTS", rho=own.moment_ratio(number)))  # fmt: skip
    setting = "16 samples U[-1, 1], subsets of 3, target 0.25"
    absent = share(counted_of_size(draws, n=16, k=3, epsilon=1e-4) == 0)
    found += rows(own, none, f"{setting}, epsilon 0.0001", draws, absent,
                  said(own, "FAILURE_BY_MEAN_OF_SIZE", n=16, k=3, epsilon=1e-4))  # fmt: skip
    problem = SubsetSums(draw_samples(Uniform(), draws, 16, 0, trial=16), np.full(draws, ONE // 4))
    error = quantile(np.abs(exactly_k(problem, 3).residuals) / ONE, 0.5)
    return found + rows(own, "median of the smallest error", setting, draws, error,
                        said(own, "ENTROPY", delta=0.5, n=16, k=3),
                        said(own, "TOLERANCE_OF_SIZE", factor=2, n=16, k=3, q=1 / 3, z=target))  # fmt: skip


def of_masks() -> list[Row]:
    """The winning masks of a network with one weight, and of one with four."""
    own, found = counting_networks, []
    target, source, tolerance = Target.from_floats([[[0.5]]]), Source(1, (1, 12, 1)), 1 << 46
    number = winning_masks(target, source, gates(target, source), [tolerance]).number
    every = exactly(_one_by_one(source, tolerance))
    both = [says("winning_masks", number, direction, tolerance=0.25) for direction in (UPPER, LOWER)]
    setting = "target 1-1 of weight 1/2, 12 hidden units, tolerance 1/4"
    found += rows(own, "winning masks, all 2^12 tried one by one", setting, 1, every, *both)
    square = Target.from_floats([[[0.1, -0.2], [0.15, 0.05]]])
    for f, hidden, fine in ((target, 40, 8), (square, 80, 8)):
        drawn = Source(1, (f.widths[0], hidden, f.widths[1]))
        exact = winning_masks(f, drawn, gates(f, drawn), [UNIT >> fine]).bits
        law = own.predicted_bits(f, drawn, gates(f, drawn), [UNIT >> fine])
        setting = f"target {f.widths[0]}-{f.widths[1]}, {hidden} hidden units, tolerance 2^-{fine}"
        claim = says("predicted_bits", law, HEURISTIC, 1.1, tolerance=2.0**-fine)
        found += rows(own, "log2 of the number of winning masks", setting, 1, exactly(exact), claim)
    return found


def _one_by_one(source: Source, tolerance: int) -> int:
    """Winning masks of the second matrix for the target 1/2, by trying all of them."""
    u, v = source.rows(0, 0, source.widths[1])[:, 0], source.rows(1, 0, 1)[0]
    winning = 0
    for kept in itertools.product((0, 1), repeat=len(u)):
        sums = [sum(int(a) * int(b) for a, b, k in zip(u, v, kept, strict=True) if k and a * s > 0) for s in (1, -1)]
        winning += all(abs(one - UNIT // 2) <= tolerance for one in sums)
    return winning


def of_networks() -> list[Row]:
    """How often a random network holds a winning mask, and n samples serve a window."""
    own, draws, target, found = counting_chances, 400, Target.from_floats([[[0.3]]]), []
    for hidden, fine in ((10, 6), (24, 9)):
        source, tolerance = Source(4, (1, hidden, 1)), UNIT >> fine
        drawn = [Source(4, (1, hidden, 1), trial=trial) for trial in range(draws)]
        wins = [winning_masks(target, one, gates(target, one), [tolerance]).number > 0 for one in drawn]
        chance = own.mean_chances(target, source, [tolerance], draws)
        claims = [says("mean_chances.upper", chance.upper, UPPER, tolerance=2.0**-fine)]
        if hidden == 24:  # few samples often have one sign, which the estimate leaves out
            claims.append(says("mean_chances.estimate", chance.estimate, HEURISTIC, tolerance=2.0**-fine))
        setting = f"target 1-1 of weight 0.3, {hidden} hidden units, tolerance 2^-{fine}"
        found += rows(own, "share of networks with a winning mask", setting, draws, share(wins), *claims)
    for n in (12, 15):
        problem = SubsetSums(draw_samples(Uniform(), 1000, n, 0, trial=n), np.zeros(1000, dtype=np.int64))
        covered = covers(problem, 1 << 23, 1 << 16) == Status.FOUND
        at = {"n": n, "q": 1 / 3, "epsilon": 2.0**-8, "window": 0.5}
        found += rows(own, "share of draws that reach every target", f"{n} samples U[-1, 1], targets of [-1/2, 1/2], "
                      "epsilon 2^-8", 1000, share(covered),
                      says("window_chance", own.window_chance(**at), HEURISTIC, **at))  # fmt: skip
    return found
