"""Few of many: against all subsets of the size, planted subsets, and the relations between sizes."""

import itertools

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, SubsetSums, best, exactly, few_of_many
from slth.subset_sum.few_of_many import few_exactly, few_within, sparsest_few


def least_distance(problem, k):
    """(m,): the least |sum - target| over all k-subsets, one after the other."""
    subsets = np.array(list(itertools.combinations(range(problem.n), k)), dtype=np.int64)
    sums = problem.samples[:, subsets].sum(axis=2)
    return np.abs(sums - problem.targets[:, None]).min(axis=1)


def random_problem(m, n, reach, seed=0):
    rng = np.random.default_rng((seed, m, n, reach))
    return SubsetSums(rng.integers(-reach, reach + 1, (m, n)), rng.integers(-reach, reach + 1, m))


def planted(m, n, k, seed=0, reach=1 << 40):
    rng = np.random.default_rng((seed, m, n, k))
    samples = rng.integers(-reach, reach, (m, n))
    return SubsetSums(samples, samples[:, rng.permutation(n)[:k]].sum(axis=1))


def hostile_problems():
    rng = np.random.default_rng(2)
    n = 40
    halves = np.concatenate([np.arange(20), -np.arange(20)])
    huge = (1 << 55) - 1
    rows = {
        "zeros": (np.zeros(n), [0, 1, -5]),
        "all equal": (np.full(n, 7), [28, 21, 5]),
        "ties": (np.tile([1, -1], n // 2), [0, 3, -9]),
        "opposites": (halves, [0, 1, 90]),
        "one large": (np.concatenate([[10**6], np.ones(n - 1)]), [10**6 + 3, 10**6, 2]),
        "powers of two": (2 ** np.arange(n), [7, 2**39 + 5, -1]),
        "overlapping pairs": (np.concatenate([[500], 3 * np.arange(n - 1)]), [1001, 1003, 998]),
        "next to the limit": (rng.choice([-1, 1], n) * huge, [0, 4 * huge - 3, -huge]),
    }
    return {
        name: SubsetSums(np.tile(np.asarray(row, dtype=np.int64), (3, 1)), np.array(targets))
        for name, (row, targets) in rows.items()
    }


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("reach", [3, 1000, 2**50])
def test_the_nearest_of_each_size_agrees_with_all_subsets_of_that_size(k, reach):
    problem = random_problem(5, 36, reach)
    answer = few_exactly(problem, k)
    assert (answer.sizes == k).all()
    assert (np.abs(answer.residuals) == least_distance(problem, k)).all()


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("name", hostile_problems())
def test_the_nearest_of_each_size_agrees_with_all_subsets_on_hostile_rows(name, k):
    problem = hostile_problems()[name]
    answer, least = few_exactly(problem, k), least_distance(problem, k)
    assert (answer.sizes == k).all()
    assert (np.abs(answer.residuals) == least).all()
    for tolerance in (0, 2):
        within = few_within(problem, k, tolerance)
        assert (within.status == np.where(least <= tolerance, Status.FOUND, Status.IMPOSSIBLE)).all()


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_pairs_that_share_their_largest_sample_do_not_mislead(k):
    """The nearest pairs of pairs all use the one large sample twice."""
    rng = np.random.default_rng(k)
    samples = rng.integers(-2, 3, (30, 36)) * 1000
    samples[:, 0] = 10**6 + rng.integers(-50, 50, 30)
    problem = SubsetSums(samples, 2 * samples[:, 0] + rng.integers(-3, 4, 30))
    assert (np.abs(few_exactly(problem, k).residuals) == least_distance(problem, k)).all()


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_samples_of_one_sign_and_targets_at_either_end_are_no_exception(sign, k):
    samples = sign * np.sort(np.random.default_rng(k).integers(10**6, 2 * 10**6, (6, 36)), axis=1)
    ends = [samples[:3, :k].sum(axis=1), samples[3:, -k:].sum(axis=1)]
    problem = SubsetSums(samples, np.concatenate(ends) + np.array([0, 7, -9, 0, 7, -9]))
    assert (np.abs(few_exactly(problem, k).residuals) == least_distance(problem, k)).all()


@pytest.mark.parametrize("n", [36, 120])
@pytest.mark.parametrize("k", [0, 1, 2, 3, 4])
def test_a_large_subset_is_the_complement_of_a_small_one(n, k):
    problem = random_problem(4, n, 2**30)
    others = SubsetSums(problem.samples, problem.samples.sum(axis=1) - problem.targets)
    large, small = few_exactly(problem, n - k), few_exactly(others, k)
    assert (large.sizes == n - k).all()
    assert (large.residuals == -small.residuals).all()


@pytest.mark.parametrize("k", [2, 3, 4])
def test_a_planted_subset_is_recovered_among_500(k):
    assert (few_exactly(planted(2, 500, k), k).residuals == 0).all()


@pytest.mark.parametrize("k", [3, 4, 6, 8, 20, 250, 490])
def test_subsets_within_a_millionth_are_found_among_500(k):
    problem = random_problem(4, 500, 2**48)
    problem = SubsetSums(problem.samples, problem.targets + problem.samples.sum(axis=1) // 500 * k)
    answer = few_within(problem, k, 2**48 // 10**6)
    assert (answer.status == Status.FOUND).all()
    assert (answer.sizes == k).all()
    assert (np.abs(answer.residuals) <= 2**48 // 10**6).all()


def test_a_target_far_from_the_mean_of_the_subsets_is_met_as_well():
    rng = np.random.default_rng(3)
    samples = rng.integers(-(2**48), 2**48, (4, 500))
    problem = SubsetSums(samples, np.array([7, -7, 6, -5]) * 2**48)
    assert few_within(problem, 8, 2**48 // 10**5).failed == 0


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 5, 6, 30, 31, 32, 33, 35, 36])
def test_a_settled_answer_agrees_with_the_number_of_subsets(k):
    """Where all bases fit into the budget every row is settled; counted by dynamic programming over small integers."""
    rng = np.random.default_rng(k)
    samples = 2 * rng.integers(-4, 5, (6, 36))
    problem = SubsetSums(samples, np.array([0, 1, 7, -13, 400, -400]))
    answer = few_within(problem, k, 0, tries=10**5)
    for row in range(6):
        sums = [set() for _ in range(k + 1)]
        sums[0] = {0}
        for x in samples[row].tolist():
            for size in range(k, 0, -1):
                sums[size] |= {s + x for s in sums[size - 1]}
        assert answer.status[row] == (Status.FOUND if int(problem.targets[row]) in sums[k] else Status.IMPOSSIBLE)


def test_a_row_out_of_tries_is_unresolved_and_one_out_of_reach_is_impossible():
    samples = 2 * np.random.default_rng(1).integers(-(2**40), 2**40, (3, 100))
    top = np.sort(samples, axis=1)[2, -8:].sum()
    answer = few_within(SubsetSums(samples, np.array([1, 2**45, top + 1])), 8, 0, tries=20)
    assert answer.status.tolist() == [Status.UNRESOLVED, Status.IMPOSSIBLE, Status.IMPOSSIBLE]
    assert answer.residuals.tolist() == [-1, -(2**45), -(top + 1)]


def test_more_tries_never_lose_a_row():
    problem = random_problem(40, 60, 2**40)
    found = [few_within(problem, 7, 2**26, tries=tries).status == Status.FOUND for tries in (1, 8, 64, 512)]
    assert all((few <= many).all() for few, many in itertools.pairwise(found))
    assert 0 < found[0].sum() < found[-1].sum()


@pytest.mark.parametrize("k", [2, 3, 4, 5, 9])
def test_an_answer_depends_on_its_own_row_only(k):
    problem = random_problem(40, 50, 2**40)
    whole = few_within(problem, k, 2**22, tries=100)
    order = np.random.default_rng(1).permutation(40)
    shuffled = few_within(SubsetSums(problem.samples[order], problem.targets[order]), k, 2**22, tries=100)
    assert (shuffled.masks == whole.masks[order]).all()
    assert (shuffled.status == whole.status[order]).all()


def test_a_fixed_size_is_never_easier_than_a_free_one():
    problem = random_problem(20, 36, 2**20)
    free = np.abs(best(problem).residuals)
    for k in range(5):
        assert (np.abs(few_exactly(problem, k).residuals) >= free).all()


def test_small_problems_get_the_answers_of_the_exact_solver():
    problem = random_problem(20, 20, 2**20)
    for k in (0, 3, 11):
        assert (few_exactly(problem, k).masks == exactly(problem, k).masks).all()
        assert (few_within(problem, k, 50).status != Status.UNRESOLVED).all()


@given(hnp.arrays(np.int64, (2, 37), elements=st.integers(-50, 50)), st.integers(1, 4))
def test_negating_samples_and_target_keeps_the_distance(rows, k):
    one = few_exactly(SubsetSums(rows[:, :-1], rows[:, -1]), k)
    other = few_exactly(SubsetSums(-rows[:, :-1], -rows[:, -1]), k)
    assert (np.abs(one.residuals) == np.abs(other.residuals)).all()


def test_the_sparsest_of_many_has_the_least_size():
    problem = random_problem(30, 40, 2**20)
    answer = sparsest_few(problem, 4, 2**10)
    least = np.full(30, 5)
    for k in range(4, -1, -1):
        least[least_distance(problem, k) <= 2**10] = k
    assert (np.where(answer.status == Status.FOUND, answer.sizes, 5) == least).all()
    assert len(set(least.tolist())) > 2


def test_the_sparsest_of_many_goes_on_beyond_four():
    problem = random_problem(20, 60, 2**40)
    answer = sparsest_few(problem, 9, 2**20)
    assert answer.failed == 0
    assert (answer.sizes > 4).any()
    assert (answer.sizes <= 9).all()


def test_a_cap_on_the_size_is_kept_for_few_samples_too():
    samples = np.tile(np.array([1, 2, 4, 8, 16]), (3, 1))
    answer = sparsest_few(SubsetSums(samples, np.array([3, 7, 100])), 2, 0)
    assert answer.status.tolist() == [Status.FOUND, Status.IMPOSSIBLE, Status.IMPOSSIBLE]
    hopeless = sparsest_few(SubsetSums(2 * np.tile(samples, 20), np.array([41, 43, 2000])), 6, 0, tries=3)
    assert hopeless.status.tolist() == [Status.UNRESOLVED, Status.UNRESOLVED, Status.IMPOSSIBLE]


def test_an_empty_batch_has_an_empty_answer():
    empty = SubsetSums(np.zeros((0, 70), dtype=np.int64), np.zeros(0, dtype=np.int64))
    for k in (0, 1, 4, 9, 69):
        assert few_within(empty, k, 1).masks.shape == (0, 2)
    assert sparsest_few(empty, 3, 1).failed == 0


def test_a_search_that_lies_is_not_believed(monkeypatch):
    def lie(samples, targets, tolerances, size, tries, every, chosen):
        chosen[:] = np.arange(size)

    monkeypatch.setattr(few_of_many.few, "few", lie)
    assert few_within(planted(2, 50, 9, seed=1), 9, 0).status.tolist() == [Status.UNRESOLVED] * 2


def test_wrong_arguments_raise():
    problem = random_problem(2, 40, 100)
    for bad in (-1, 41, 2.0, True):
        with pytest.raises(ValueError, match="from 0 to n = 40"):
            few_exactly(problem, bad)
        with pytest.raises(ValueError, match="from 0 to n = 40"):
            few_within(problem, bad, 0)
        with pytest.raises(ValueError, match="from 0 to n = 40"):
            sparsest_few(problem, bad, 0)
    with pytest.raises(ValueError, match="few_within"):
        few_exactly(problem, 5)
    with pytest.raises(ValueError, match="n <= 2,000"):
        few_exactly(SubsetSums(np.zeros((1, 2001), dtype=np.int64), np.zeros(1, dtype=np.int64)), 4)
    with pytest.raises(TypeError, match="tolerance_on_grid"):
        few_within(problem, 3, 0.5)
    for bad in (0, 1.5, True):
        with pytest.raises(ValueError, match="tries must be an integer >= 1"):
            few_within(problem, 3, 0, tries=bad)
