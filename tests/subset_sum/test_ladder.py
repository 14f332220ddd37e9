"""Any subset within a tolerance when there are too many samples to search them all."""

import naive
import numpy as np
import pytest

from slth.subset_sum import Status, SubsetSums, any_within
from slth.subset_sum.kernels import blocks


def uniform(m, n, low, high, seed=0):
    rng = np.random.default_rng((seed, m, n))
    return rng.integers(int(low * 2**48), int(high * 2**48), (m, n))


@pytest.mark.parametrize("n", [35, 64, 65, 130, 300])
def test_central_targets_of_long_rows_are_found(n):
    samples = uniform(20, n, -1, 1)
    targets = np.random.default_rng(n).integers(-(2**47), 2**47, 20)
    answer = any_within(SubsetSums(samples, targets), 1 << 36)
    assert answer.failed == 0
    for row in range(20):
        exact = naive.exact_residual(samples[row], targets[row], answer.chosen[row])
        assert abs(exact) <= 1 << 36


@pytest.mark.parametrize("n", [40, 200])
def test_far_targets_of_long_rows_are_found_with_a_part_fixed_outside_the_window(n):
    samples = uniform(10, n, 0.1, 1)
    answer = any_within(SubsetSums(samples, samples.sum(axis=1) // 3), 1 << 36)
    assert answer.failed == 0


def test_targets_beyond_reach_are_proved_impossible():
    samples = uniform(3, 100, -1, 1)
    top = np.maximum(samples, 0).sum(axis=1)
    assert (any_within(SubsetSums(samples, top + 11), 10).status == Status.IMPOSSIBLE).all()
    assert (any_within(SubsetSums(samples, top + 10), 10).status != Status.IMPOSSIBLE).all()
    bottom = np.minimum(samples, 0).sum(axis=1)
    assert (any_within(SubsetSums(samples, bottom - 11), 10).status == Status.IMPOSSIBLE).all()


def test_a_long_row_without_a_hit_stays_unresolved():
    """All samples even, target odd: nothing qualifies, but no search of windows proves it."""
    samples = 2 * uniform(2, 40, -1, 1)
    answer = any_within(SubsetSums(samples, np.array([1, 3])), 0)
    assert (answer.status == Status.UNRESOLVED).all()
    assert (answer.residuals == [-1, -3]).all()


def test_long_rows_of_zeros_do_not_disturb():
    samples = np.zeros((2, 70), dtype=np.int64)
    assert any_within(SubsetSums(samples, np.array([0, 5])), 4).status.tolist() == [
        Status.FOUND,
        Status.IMPOSSIBLE,
    ]


def test_a_long_row_without_an_answer_ends_soon_as_unresolved():
    rng = np.random.default_rng(3)
    for n in (35, 40, 60, 70):
        problem = SubsetSums(2 * rng.integers(-(2**50), 2**50, (2, n)), np.array([1, 3]))  # even sums, odd targets
        assert (any_within(problem, 0).status == Status.UNRESOLVED).all()


def after_the_blocks(problem, tolerance):
    masks, todo = np.empty(problem.m, dtype=np.uint64), np.empty(problem.m, dtype=np.uint8)
    blocks.blocks(problem.samples, problem.targets, np.full(problem.m, tolerance), masks, todo)
    return masks, todo


@pytest.mark.parametrize("movers", [1, 17, 51])
def test_samples_beyond_the_prefix_bring_a_far_target_near_the_prefix(movers):
    """51 movers fill a mask up to its bit 62; a sample beyond that never moves the target."""
    large = 1 << 40
    samples = np.array([[1 << i for i in range(12)] + [large] * 58])
    problem = SubsetSums(samples, np.array([movers * large + 5]))
    masks, todo = after_the_blocks(problem, 0)
    assert todo.tolist() == [blocks.FOUND]
    assert masks.tolist() == [((1 << movers) - 1) << 12 | 5]
    assert any_within(problem, 0).residuals.tolist() == [0]
    _, todo = after_the_blocks(SubsetSums(samples, np.array([52 * large + 5])), 0)
    assert todo.tolist() != [blocks.FOUND]


def test_a_subset_of_the_first_blocks_is_taken_before_the_target_is_moved():
    """Target 64 + 1 is in the second block; nine samples of -64 would bring it near the middle of the prefix."""
    samples = np.array([[1 << i for i in range(12)] + [-64] * 9])
    masks, _ = after_the_blocks(SubsetSums(samples, np.array([65])), 0)
    assert masks.tolist() == [65]


def test_few_rows_of_products_are_left_to_the_joins():
    """One row in forty would be left if the target stayed where it is."""
    rng = np.random.default_rng(0)
    u, v = 2 * rng.integers(-(1 << 23), 1 << 23, (2, 20_000, 21)) + 1
    targets = rng.integers(-(1 << 47), 1 << 47, 20_000)
    _, todo = after_the_blocks(SubsetSums(u * v, targets), (1 << 48) // 100)
    assert (todo != blocks.FOUND).sum() < 60
