"""One size at a time: keys that carry the size, and the sorted lists for rows that leave no room for it."""

import naive
import numpy as np
import pytest

from slth.subset_sum import Status, SubsetSums, best, exactly, exactly_within, sparsest_within
from slth.subset_sum.fixed_size import nearest_of_sizes


def nearest_of_size(problem, size):
    distances = naive.distances(problem.samples, problem.targets)
    return distances[:, np.bitwise_count(np.arange(1 << problem.n)) == size].min(axis=1)


@pytest.mark.parametrize("n", [1, 2, 5, 9, 12])
@pytest.mark.parametrize("reach", [3, 2**24, 2**50, 2**56])
def test_the_nearest_of_each_size_agrees_with_all_subsets(n, reach):
    rng = np.random.default_rng((n, reach))
    problem = SubsetSums(rng.integers(-reach, reach + 1, (9, n)), rng.integers(-reach, reach + 1, 9))
    for size in range(n + 1):
        masks = nearest_of_sizes(problem, np.arange(9), np.array([size]), np.full(9, -1))
        assert (np.bitwise_count(masks) == size).all()
        for row, mask in enumerate(masks):
            residual = naive.exact_residual(
                problem.samples[row], problem.targets[row], [int(mask) >> i & 1 for i in range(n)]
            )
            assert abs(residual) == nearest_of_size(problem, size)[row]


@pytest.mark.parametrize("scale", [1, 2**40, 2**52])
def test_the_sparsest_subset_is_found_whether_or_not_keys_have_room(scale):
    rng = np.random.default_rng(3)
    samples = rng.integers(-30, 31, (40, 13)) * scale
    samples[:20] = np.abs(samples[:20])
    problem = SubsetSums(samples, rng.integers(60, 200, 40) * scale)
    expected = naive.least_size(problem.samples, problem.targets, scale // 2)
    answer = sparsest_within(problem, scale // 2)
    assert (np.where(answer.status == Status.FOUND, answer.sizes, 14) == expected).all()
    assert ((expected > 4) & (expected < 14)).sum() > 5


def test_the_best_of_all_sizes_is_the_best():
    rng = np.random.default_rng(4)
    problem = SubsetSums(rng.integers(-(2**47), 2**47, (70, 15)), rng.integers(-(2**47), 2**47, 70))
    by_size = np.array([np.abs(exactly(problem, k).residuals) for k in range(16)])
    assert (by_size.min(axis=0) == np.abs(best(problem).residuals)).all()


@pytest.mark.parametrize("k", [0, 1, 4, 9, 10])
def test_a_subset_of_exact_size_within_tolerance_is_found_where_there_is_one(k):
    rng = np.random.default_rng(k)
    problem = SubsetSums(rng.integers(-50, 51, (70, 10)), rng.integers(-60, 61, 70))
    answer = exactly_within(problem, k, 3)
    possible = nearest_of_size(problem, k) <= 3
    assert (answer.status == np.where(possible, Status.FOUND, Status.IMPOSSIBLE)).all()
    assert (answer.sizes[possible] == k).all()
    assert 0 < possible.sum() < 70 or k in (0, 4, 10)


def test_a_planted_subset_of_exact_size_is_found_at_34_samples():
    rng = np.random.default_rng(9)
    samples = rng.integers(-(2**48), 2**48, (1, 34))
    planted = rng.permutation(34) < 11
    problem = SubsetSums(samples, samples[:, planted].sum(axis=1))
    assert exactly(problem, 11).residuals.tolist() == [0]


def test_a_wrong_size_raises():
    problem = SubsetSums(np.ones((1, 4), dtype=np.int64), np.zeros(1, dtype=np.int64))
    for bad in (-1, 5, 2.0, True):
        with pytest.raises(ValueError, match="from 0 to n = 4"):
            exactly(problem, bad)
    with pytest.raises(ValueError, match="n <= 34"):
        exactly_within(SubsetSums(np.ones((1, 35), dtype=np.int64), problem.targets), 3, 0)
    with pytest.raises(TypeError, match="tolerance_on_grid"):
        exactly_within(problem, 2, 0.1)
