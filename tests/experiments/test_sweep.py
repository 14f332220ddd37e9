"""Sweeps over candidates: every draw is in the table."""

from slth.experiments.sweep import sweep_candidates
from slth.networks.examples import random_target
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.theorem import verify


def test_every_candidate_count_and_seed_has_one_row_failed_draws_included():
    target = pensia.normalised(random_target([4, 3, 2], seed=0))
    seen = []
    rows = sweep_candidates(pensia, target, 1e-3, 0.1, [3, 8], [5, 6], seen.append)
    assert [(row.samples, row.seed) for row in rows] == [(3, 5), (3, 6), (8, 5), (8, 6)]
    assert sum(seen) == 4
    assert all(row.lower <= row.upper for row in rows)
    assert rows[0].failed > 0


def test_a_row_is_what_the_single_draw_gives():
    target = pensia.normalised(random_target([4, 3, 2], seed=0))
    from slth.subset_sum.questions import nearest

    row = sweep_candidates(pensia, target, 0.01, 0.1, [8], [5])[0]
    alone = verify(pensia, target, 0.01, 0.1, 5, samples=8, question=nearest)
    assert (row.lower, row.upper, row.failed) == (
        alone.error.lower,
        alone.error.upper,
        alone.construction.failed,
    )
