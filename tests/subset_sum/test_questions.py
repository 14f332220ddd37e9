"""The questions of a construction: a row that misses its tolerance gets the nearest subset instead."""

import numpy as np
import pytest

from slth.subset_sum import SubsetSums, best, sparsest_within
from slth.subset_sum.questions import SEARCHED, any_or_nearest, nearest, sparsest_or_nearest


def drawn(m, n, seed=0):
    rng = np.random.default_rng(seed)
    return SubsetSums(rng.integers(-(2**40), 2**40, (m, n)), rng.integers(-(2**41), 2**41, m))


@pytest.mark.parametrize("question", [nearest, any_or_nearest, sparsest_or_nearest])
def test_rows_without_a_subset_within_tolerance_get_their_best_subset(question):
    problem = drawn(40, 9)
    answers = question(problem, 2**33)
    nearest_of_all = np.abs(best(problem).residuals)
    missed = np.abs(answers.residuals) > 2**33
    assert 0 < missed.sum() < 40
    assert np.array_equal(np.abs(answers.residuals)[missed], nearest_of_all[missed])
    assert (nearest_of_all[missed] > 2**33).all()


def test_long_rows_out_of_reach_get_the_nearest_of_their_first_candidates():
    problem = SubsetSums(np.ones((3, 70), dtype=np.int64), np.array([100, 50, 71]))
    answers = any_or_nearest(problem, 0)
    assert answers.residuals.tolist() == [SEARCHED - 100, 0, SEARCHED - 71]


def test_float_problems_with_a_unit_per_row_are_answered_too():
    rng = np.random.default_rng(1)
    problem = SubsetSums.from_floats(
        rng.normal(size=(20, 8)) * 10.0 ** rng.integers(-9, 9, (20, 1)), rng.normal(size=20)
    )
    answers = any_or_nearest(problem, 0)
    assert np.array_equal(np.abs(answers.residuals), np.abs(best(problem).residuals))


def test_for_long_rows_a_subset_of_a_short_prefix_is_preferred():
    problem = drawn(200, 300)
    answers = any_or_nearest(problem, 2**22)
    assert (np.abs(answers.residuals) <= 2**22).all()
    assert np.median(answers.sizes) < 16


def test_the_nearest_subset_of_a_long_row_is_the_best_of_its_first_candidates():
    problem = drawn(5, 80)
    first = SubsetSums(problem.samples[:, :SEARCHED], problem.targets)
    assert np.array_equal(nearest(problem, 0).residuals, best(first).residuals)
    assert not nearest(problem, 0).chosen[:, SEARCHED:].any()


def test_the_sparsest_subset_of_a_long_row_is_sought_among_its_first_candidates():
    problem = drawn(20, 100)
    answers = sparsest_or_nearest(problem, 2**36)
    first = SubsetSums(problem.samples[:, :34], problem.targets)
    assert np.array_equal(answers.sizes, sparsest_within(first, 2**36).sizes)
    assert (np.abs(answers.residuals) <= 2**36).all()
