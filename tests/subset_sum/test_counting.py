"""Counts of subsets against all 2^n of them and against the laws that counts obey."""

from math import comb

import naive
import numpy as np
import pytest

from slth.subset_sum import Status, SubsetSums, any_within, counting, exactly_within
from slth.subset_sum.counting import count_by_size, count_within


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
        assert (count_by_size(problem, tolerance).sum(axis=1) == expected).all()


@pytest.mark.parametrize(("m", "n"), [(16, 27), (16, 29), (1, 29), (1, 36)])
def test_equal_samples_are_counted_by_binomials(m, n):
    problem = SubsetSums(np.full((m, n), 7), np.full(m, 7 * 12))
    assert count_within(problem, 0).tolist() == [comb(n, 12)] * m
    assert count_within(problem, 7).tolist() == [comb(n, 11) + comb(n, 12) + comb(n, 13)] * m


def test_the_two_methods_count_alike():
    rng = np.random.default_rng(8)
    problem = SubsetSums(rng.integers(-(2**40), 2**40, (counting.FEWEST_VERTICAL, 22)), rng.integers(0, 2**40, 16))
    vertical = count_within(problem, 2**32)
    single = [
        count_within(SubsetSums(problem.samples[i : i + 1], problem.targets[i : i + 1]), 2**32) for i in range(16)
    ]
    assert vertical.tolist() == np.concatenate(single).tolist()


@pytest.mark.parametrize("n", [1, 2, 3, 8, 11])
@pytest.mark.parametrize("reach", [3, 1000, 2**50])
def test_counts_by_size_agree_with_all_subsets_of_that_size(n, reach):
    rng = np.random.default_rng((n, reach))
    problem = SubsetSums(rng.integers(-reach, reach + 1, (20, n)), rng.integers(-2 * reach, 2 * reach + 1, 20))
    distances = naive.distances(problem.samples, problem.targets)
    sizes = np.bitwise_count(np.arange(1 << n))
    for tolerance in (0, 1, reach // 10, 4 * reach):
        expected = [[(row[sizes == k] <= tolerance).sum() for k in range(n + 1)] for row in distances]
        assert count_by_size(problem, tolerance).tolist() == expected


def test_a_subset_at_the_edge_of_the_tolerance_counts():
    problem = SubsetSums(np.array([[10, 100]]), np.array([7]))
    assert count_by_size(problem, 3).tolist() == [[0, 1, 0]]
    assert count_by_size(problem, 2).tolist() == [[0, 0, 0]]
    assert count_by_size(problem, 7).tolist() == [[1, 1, 0]]


@pytest.mark.parametrize("n", [13, 24, 33])
def test_sizes_add_up_to_all_and_a_wide_tolerance_counts_every_subset(n):
    rng = np.random.default_rng(n)
    problem = SubsetSums(rng.integers(-(2**40), 2**40, (3, n)), rng.integers(-(2**40), 2**40, 3))
    for tolerance in (2**30, 2**38):
        assert count_by_size(problem, tolerance).sum(axis=1).tolist() == count_within(problem, tolerance).tolist()
    assert count_by_size(problem, 1 << 62).tolist() == [[comb(n, k) for k in range(n + 1)]] * 3


def test_a_size_has_a_count_exactly_where_it_has_a_subset():
    rng = np.random.default_rng(9)
    problem = SubsetSums(rng.integers(-(2**40), 2**40, (60, 14)), rng.integers(-(2**40), 2**40, 60))
    counts = count_by_size(problem, 2**31)
    for k in (0, 2, 5, 7):
        assert ((counts[:, k] > 0) == (exactly_within(problem, k, 2**31).status == Status.FOUND)).all()


@pytest.mark.parametrize("n", [35, 40])
def test_a_planted_subset_of_a_large_row_is_counted_with_its_size(n):
    rng = np.random.default_rng(n)
    samples = rng.integers(-(2**55), 2**55, (1, n))
    planted = rng.permutation(n) < 17
    problem = SubsetSums(samples, samples[:, planted].sum(axis=1))
    assert count_within(problem, 0).tolist() == [1]
    assert count_by_size(problem, 0)[0].tolist() == [int(k == 17) for k in range(n + 1)]


def test_a_count_is_positive_exactly_where_a_subset_exists():
    rng = np.random.default_rng(5)
    problem = SubsetSums(rng.integers(-(2**40), 2**40, (130, 18)), rng.integers(-(2**40), 2**40, 130))
    tolerance = 1 << 23
    some = count_within(problem, tolerance) > 0
    assert (some == (any_within(problem, tolerance).status == Status.FOUND)).all()
    assert 0 < some.sum() < 130


@pytest.mark.parametrize("count", [count_within, count_by_size])
def test_what_cannot_be_counted_is_refused(count):
    problem = SubsetSums(np.ones((1, 41), dtype=np.int64), np.zeros(1, dtype=np.int64))
    with pytest.raises(ValueError, match="n <= 40"):
        count(problem, 0)
    with pytest.raises(TypeError, match="tolerance must be an integer"):
        count(problem, 0.5)
    with pytest.raises(ValueError, match="tolerance must be >= 0"):
        count(problem, -1)
