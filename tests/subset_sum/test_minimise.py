"""The minimiser at sizes beyond brute force."""

import naive
import numpy as np
import pytest

from slth.subset_sum import SubsetSums, best, minimise
from slth.subset_sum.kernels import joins


def products(m, n, seed=0):
    rng = np.random.default_rng((seed, m, n))
    u, v = 2 * rng.integers(-(2**23), 2**23, (2, m, n)) + 1
    return SubsetSums(u * v, rng.integers(-(2**47), 2**47 + 1, m))


@pytest.mark.parametrize("n", [15, 17, 20, 21, 22])
def test_the_objective_is_that_of_one_numpy_sort_bit_for_bit(n):
    problem = products(130, n)
    expected = naive.best_distance_by_one_sort(problem.samples, problem.targets)
    assert (np.abs(best(problem).residuals) == expected).all()


@pytest.mark.parametrize("n", [33, 34])
def test_samples_beyond_the_two_halves_take_part(n):
    assert n > 2 * joins.LARGEST_HALF
    problem = products(2, n)
    expected = naive.best_distance_by_one_sort(problem.samples, problem.targets)
    assert (np.abs(best(problem).residuals) == expected).all()


@pytest.mark.parametrize("n", [1, 2, 3, 9, 14])
def test_one_instance_at_a_time_agrees_with_all_subsets(n):
    rng = np.random.default_rng(n)
    problem = SubsetSums(rng.integers(-99, 99, (20, n)), rng.integers(-200, 200, 20))
    nearest = naive.distances(problem.samples, problem.targets).min(axis=1)
    for x, t, distance in zip(problem.samples, problem.targets, nearest, strict=True):
        mask = int(minimise.nearest_single(x, int(t)))
        assert abs(naive.exact_residual(x, t, [mask >> i & 1 for i in range(n)])) == distance


@pytest.mark.parametrize("n", [35, 36, 40])
def test_a_planted_subset_of_a_large_instance_is_found(n):
    problem = products(1, n)
    planted = np.random.default_rng(n).random((1, n)) < 0.5
    answer = best(SubsetSums(problem.samples, np.where(planted, problem.samples, 0).sum(axis=1)))
    assert answer.residuals.tolist() == [0]


def test_integer_programming_agrees():
    """HiGHS minimises z with -z <= sum x_i b_i - t <= z; with small integers its floats decide rightly."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    rng = np.random.default_rng(6)
    n = 14
    problem = SubsetSums(rng.integers(-2000, 2000, (8, n)), rng.integers(-3000, 3000, 8))
    answer = best(problem)
    for x, t, residual in zip(problem.samples, problem.targets, answer.residuals, strict=True):
        rows = np.array([[*x, -1.0], [*x, 1.0]])
        solved = milp(
            np.array([0.0] * n + [1.0]),
            constraints=LinearConstraint(rows, [-np.inf, t], [t, np.inf]),
            integrality=np.array([1] * n + [0]),
            bounds=Bounds([0] * (n + 1), [1] * n + [np.inf]),
            options={"mip_rel_gap": 0.0},
        )
        assert round(solved.fun) == abs(int(residual))
