"""Counts of subsets against all 2^n of them and against the laws that counts obey."""

from math import comb

import naive
import numpy as np
import pytest

from slth.subset_sum import Status, SubsetSums, any_within, count_within


@pytest.mark.parametrize("n", [1, 2, 3, 8, 13])
@pytest.mark.parametrize("reach", [3, 1000, 2**50])
def test_counts_agree_with_all_subsets(n, reach):
    rng = np.random.default_rng((n, reach))
    problem = SubsetSums(rng.integers(-reach, reach + 1, (70, n)), rng.integers(-2 * reach, 2 * reach + 1, 70))
    distances = naive.distances(problem.samples, problem.targets)
    for tolerance in (0, 1, reach // 10, 4 * reach, 1 << 62):
        assert (count_within(problem, tolerance) == (distances <= tolerance).sum(axis=1)).all()


def test_counts_next_to_the_limit_do_not_overflow():
    half = np.int64(1) << 60
    problem = SubsetSums(np.array([[-half, half // 2], [half, half // 2]]), np.array([half // 4, -half // 4]))
    for tolerance in (0, int(half), int(half) * 2):
        expected = (naive.distances(problem.samples, problem.targets) <= tolerance).sum(axis=1)
        assert (count_within(problem, tolerance) == expected).all()


@pytest.mark.parametrize("n", [27, 29])
def test_equal_samples_are_counted_by_binomials(n):
    problem = SubsetSums(np.full((1, n), 7), np.array([7 * 12]))
    assert count_within(problem, 0).tolist() == [comb(n, 12)]
    assert count_within(problem, 7).tolist() == [comb(n, 11) + comb(n, 12) + comb(n, 13)]


def test_a_count_is_positive_exactly_where_a_subset_exists():
    rng = np.random.default_rng(5)
    problem = SubsetSums(rng.integers(-(2**40), 2**40, (130, 18)), rng.integers(-(2**40), 2**40, 130))
    tolerance = 1 << 23
    some = count_within(problem, tolerance) > 0
    assert (some == (any_within(problem, tolerance).status == Status.FOUND)).all()
    assert 0 < some.sum() < 130


def test_too_many_samples_raise():
    with pytest.raises(ValueError, match="n <= 34"):
        count_within(SubsetSums(np.ones((1, 35), dtype=np.int64), np.zeros(1, dtype=np.int64)), 0)
