"""One size at a time: keys that carry the size, and the sorted lists for rows that leave no room for it."""

import naive
import numpy as np
import pytest

from slth.subset_sum import Status, SubsetSums, sparsest_within
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
