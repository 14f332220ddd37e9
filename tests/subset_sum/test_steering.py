"""Paired and steered subsets: the walk against its definition, the size, the tolerance, and large n."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, SubsetSums, exactly, steering
from slth.subset_sum.steering import steered

ONE = 1 << 40


def walk_step_by_step(ascending, size):
    """All steps of the walk: the highest sample that can still climb moves up by one rank."""
    at = list(range(size))
    yield list(at)
    for climber in range(size - 1, -1, -1):
        while at[climber] < len(ascending) - size + climber:
            at[climber] += 1
            yield list(at)


def uniform(m, n, k, seed=0, spread=None):
    rng = np.random.default_rng((seed, m, n, k))
    spread = np.sqrt(min(k, n - k)) if spread is None else spread
    samples = rng.integers(-ONE, ONE + 1, (m, n))
    targets = (rng.uniform(-1, 1, m) * spread * ONE).astype(np.int64)
    # What the k samples leave has a sum near 0 as well, whatever the sum of all.
    return SubsetSums(samples, targets if 2 * k <= n else targets + samples.sum(axis=1))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 6, 7])
def test_the_bisection_stops_at_the_nearest_step_of_the_walk(size):
    for seed in range(10):
        ascending = np.sort(np.random.default_rng((size, seed)).integers(-20, 21, 7))
        walk = [sorted(at) for at in walk_step_by_step(ascending, size)]
        steps = [int(ascending[at].sum()) for at in walk]
        assert steps == sorted(steps)
        for goal in range(steps[0] - 3, steps[-1] + 4):
            taken, left = steering._walk(ascending, size, goal)
            assert sorted(taken.tolist()) in walk
            assert left == goal - ascending[taken].sum()
            assert abs(left) == min(abs(goal - s) for s in steps)


@given(hnp.arrays(np.int64, (1, 24), elements=st.integers(-20, 20)), st.integers(1, 11), st.integers(-150, 150))
def test_steering_comes_within_one_bound_of_every_target_in_the_range_of_the_walk(samples, k, target):
    result = steered(SubsetSums(samples, np.array([target])), k, bound=20)
    p = result.pairs
    pool, goal = np.sort(samples[0, 2 * p :]), target - samples[0, 1 : 2 * p : 2].sum()
    low, high = pool[: k - p].sum(), pool[len(pool) - (k - p) :].sum()
    assert result.beyond[0] == (not low - 20 <= goal <= high + 20)
    assert (abs(result.steered[0]) <= 20) != result.beyond[0]


@pytest.mark.parametrize("n", [2, 3, 7, 20])
def test_the_size_is_exact_and_no_answer_beats_the_exact_minimiser(n):
    for k in range(n + 1):
        problem = uniform(12, n, k, spread=1.0)
        result = steered(problem, k)
        found = result.answer.status == Status.FOUND
        assert (found != result.beyond).all()
        assert (result.answer.sizes[found] == k).all()
        assert (np.abs(result.answer.residuals) >= np.abs(exactly(problem, k).residuals))[found].all()


@pytest.mark.parametrize("pairs", [0, 1, 4])
@pytest.mark.parametrize("k", [4, 16])
def test_the_choice_inside_the_pairs_is_the_best_of_all_choices(k, pairs):
    problem = uniform(10, 20, k, spread=0.5)
    result = steered(problem, k, pairs=pairs)
    differences = problem.samples[:, : 2 * pairs : 2] - problem.samples[:, 1 : 2 * pairs : 2]
    codes = np.arange(1 << pairs)[:, None] >> np.arange(pairs) & 1
    least = np.abs(differences @ codes.T - result.steered[:, None]).min(axis=1)
    assert (np.abs(result.answer.residuals) == least)[~result.beyond].all()
    assert (~result.beyond).sum() > 2


@pytest.mark.parametrize(("n", "k"), [(200, 60), (200, 140), (2000, 114), (2000, 1000), (3000, 2999 - 50)])
def test_uniform_samples_reach_every_target_up_to_root_k(n, k):
    result = steered(uniform(6, n, k), k, tolerance=ONE // 10_000)
    assert (result.answer.status == Status.FOUND).all()
    assert (result.answer.sizes == k).all()
    assert (np.abs(result.answer.residuals) <= ONE // 10_000).all()
    assert not result.beyond.any()


def test_the_pairs_of_the_theorem_cover_one_hundredth():
    """k >= 986 has failure at most 0.1 at 0.01; sixteen pairs in place of 123 are enough in practice."""
    result = steered(uniform(10, 256, 128), 128, tolerance=ONE // 100, bound=ONE, pairs=16)
    assert result.answer.failed == 0


def test_a_hundred_thousand_samples_are_no_obstacle():
    result = steered(uniform(2, 100_000, 30_000), 30_000, tolerance=ONE // 10**6)
    assert (result.answer.sizes == 30_000).all()
    assert result.answer.failed == 0


def test_more_than_half_is_the_complement_of_less_than_half():
    problem = uniform(8, 60, 20)
    others = SubsetSums(problem.samples, problem.samples.sum(axis=1) - problem.targets)
    one, other = steered(problem, 20), steered(others, 40)
    assert (one.answer.residuals == -other.answer.residuals).all()
    assert (one.answer.chosen == ~other.answer.chosen).all()


def test_a_target_out_of_range_is_unresolved_or_impossible_with_a_reason():
    samples = np.tile(np.array([-3, -2, -1, 0, 1, 2, 3, 4]), (4, 1))
    problem = SubsetSums(samples, np.array([2, 100, 7, -20]))
    result = steered(problem, 2, 0, pairs=1)
    assert result.answer.status.tolist() == [Status.FOUND, Status.IMPOSSIBLE, Status.UNRESOLVED, Status.IMPOSSIBLE]
    assert [result.reason(row).split(":")[0] for row in range(4)] == ["found", "impossible", "unresolved", "impossible"]
    free = steered(problem, 2, pairs=1)
    assert (free.answer.status == np.where(free.beyond, Status.UNRESOLVED, Status.FOUND)).all()
    assert free.beyond[1]
    assert "more than one unit" in free.reason(1)
    assert "more pairs" in result.reason(2) or "more than one unit" in result.reason(2)


def test_too_few_pairs_are_named_as_the_reason():
    problem = SubsetSums(2 * np.arange(40)[None], np.array([101]))
    assert steered(problem, 5, 0).reason(0).endswith("use more pairs")


@pytest.mark.parametrize(
    "row", [np.zeros(30), np.full(30, 5), np.tile([1, -1], 15), 2.0 ** np.arange(30), -np.ones(30)]
)
def test_hostile_rows_keep_the_size(row):
    problem = SubsetSums(np.tile(row.astype(np.int64), (3, 1)), np.array([0, 17, -4]))
    for k in (0, 1, 2, 14, 15, 16, 29, 30):
        answer = steered(problem, k).answer
        assert (answer.sizes[answer.status == Status.FOUND] == k).all()


def test_numbers_next_to_the_limit_do_not_overflow():
    n = 64
    samples = np.tile(np.array([1, -1, -1, 1]) * ((1 << 54) - 1), (3, n // 4))
    samples[:, 0] += 5
    problem = SubsetSums(samples, np.array([5, (1 << 59) - 1, -(1 << 59)]))
    for k in (8, 20, 60):
        for tolerance in (None, 1 << 40, 1 << 61):
            answer = steered(problem, k, tolerance).answer
            assert (answer.sizes[answer.status == Status.FOUND] == k).all()
    assert steered(problem, 20, 1 << 61).answer.failed == 0


def test_an_answer_depends_on_its_own_row_only():
    problem = uniform(9, 100, 30)
    whole = steered(problem, 30, ONE // 1000).answer.masks
    for row in range(9):
        alone = SubsetSums(problem.samples[row : row + 1], problem.targets[row : row + 1])
        assert (steered(alone, 30, ONE // 1000).answer.masks == whole[row]).all()


def test_an_empty_batch_has_an_empty_answer():
    empty = SubsetSums(np.zeros((0, 9), dtype=np.int64), np.zeros(0, dtype=np.int64))
    for tolerance in (None, 3):
        assert steered(empty, 4, tolerance).answer.masks.shape == (0, 1)


def test_wrong_arguments_raise():
    problem = SubsetSums(np.arange(-5, 5)[None], np.array([3]))
    with pytest.raises(ValueError, match="from 0 to n = 10"):
        steered(problem, 11)
    for bad in (-1, 5, 1.0, True):
        with pytest.raises(ValueError, match=r"pairs must be an integer from 0 to min\(k, n - k\) = 4"):
            steered(problem, 4, pairs=bad)
    for bad in (4, 5.0, True, (1 << 61) + 1):
        with pytest.raises(ValueError, match=r"largest \|sample\| 5"):
            steered(problem, 4, bound=bad)
    with pytest.raises(ValueError, match="coarser unit"):
        steered(SubsetSums(np.array([[1 << 60, 1 - (1 << 60), 0, 0]]), np.array([0])), 2, pairs=1)
    with pytest.raises(ValueError, match="n <= 48"):
        steered(uniform(1, 300, 100), 100, pairs=49)
