"""Signs and ternary coefficients against all combinations, and against subset sums."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, SubsetSums, best
from slth.subset_sum.signs import Combinations, best_signs, best_ternary, signs_within, ternary_within

SIGNS, TERNARY = (-1, 1), (-1, 0, 1)
CASES = [(best_signs, signs_within, SIGNS), (best_ternary, ternary_within, TERNARY)]


def least_distance(problem, alphabet):
    combinations = np.array(list(itertools.product(alphabet, repeat=problem.n)), dtype=np.int64)
    return np.abs(problem.samples @ combinations.T - problem.targets[:, None]).min(axis=1)


def random_problem(m, n, reach, seed=0):
    rng = np.random.default_rng((seed, m, n, reach))
    return SubsetSums(rng.integers(-reach, reach + 1, (m, n)), rng.integers(-reach, reach + 1, m))


@pytest.mark.parametrize(("minimiser", "within", "alphabet"), CASES, ids=["signs", "ternary"])
@pytest.mark.parametrize("n", [1, 2, 3, 6, 11])
@pytest.mark.parametrize("reach", [2, 100, 2**52])
def test_the_answers_agree_with_all_combinations(minimiser, within, alphabet, n, reach):
    problem = random_problem(30, n, reach)
    least = least_distance(problem, alphabet)
    answer = minimiser(problem)
    assert (answer.status == Status.FOUND).all()
    assert np.isin(answer.coefficients, alphabet).all()
    assert (np.abs(answer.residuals) == least).all()
    for tolerance in (0, reach // 10, reach):
        answer = within(problem, tolerance)
        assert (answer.status == np.where(least <= tolerance, Status.FOUND, Status.IMPOSSIBLE)).all()
        found = answer.status == Status.FOUND
        assert (np.abs(answer.residuals[found]) <= tolerance).all()
        assert np.isin(answer.coefficients[found], alphabet).all()


@pytest.mark.parametrize(("minimiser", "within", "alphabet"), CASES, ids=["signs", "ternary"])
@pytest.mark.parametrize(
    "row", [np.zeros(7), np.full(7, 3), np.tile([1, -1, 0, 5, -5, 2, 0], 1), 3.0 ** np.arange(7), -np.ones(7)]
)
def test_hostile_rows_agree_with_all_combinations(minimiser, within, alphabet, row):
    targets = np.array([0, 1, -2, 10, 364, 365, 10**6])
    problem = SubsetSums(np.tile(row.astype(np.int64), (7, 1)), targets)
    least = least_distance(problem, alphabet)
    assert (np.abs(minimiser(problem).residuals) == least).all()
    assert ((within(problem, 1).status == Status.FOUND) == (least <= 1)).all()


@given(st.lists(st.integers(-30, 30), min_size=1, max_size=10), st.integers(-80, 80))
def test_signs_have_the_parity_of_the_sum(sample, target):
    answer = best_signs(SubsetSums(np.array([sample]), np.array([target])))
    assert (answer.residuals[0] + target - sum(sample)) % 2 == 0


@given(st.lists(st.integers(-30, 30), min_size=1, max_size=8), st.integers(-80, 80))
def test_ternary_coefficients_are_subsets_of_both_signs_and_never_worse_than_signs(sample, target):
    problem = SubsetSums(np.array([sample]), np.array([target]))
    both = SubsetSums(np.array([sample + [-x for x in sample]]), problem.targets)
    ternary = abs(best_ternary(problem).residuals[0])
    assert ternary == abs(best(both).residuals[0])
    assert ternary <= min(abs(best_signs(problem).residuals[0]), abs(best(problem).residuals[0]))


@given(st.lists(st.integers(-30, 30), min_size=1, max_size=8), st.integers(-80, 80), st.integers(0, 7))
def test_flipping_a_sample_flips_its_coefficient_only(sample, target, which):
    flipped = [-x if i == which else x for i, x in enumerate(sample)]
    for minimiser in (best_signs, best_ternary):
        one, other = (minimiser(SubsetSums(np.array([row]), np.array([target]))) for row in (sample, flipped))
        assert abs(one.residuals[0]) == abs(other.residuals[0])


@pytest.mark.parametrize("n", [20, 34])
def test_planted_signs_are_recovered(n):
    rng = np.random.default_rng(n)
    samples = rng.integers(-(2**48), 2**48, (2, n))
    problem = SubsetSums(samples, (samples * rng.choice(SIGNS, (2, n))).sum(axis=1))
    assert (best_signs(problem).residuals == 0).all()
    if n <= 20:
        assert (signs_within(problem, 0).status == Status.FOUND).all()


@pytest.mark.parametrize("n", [19, 20])
def test_planted_ternary_coefficients_are_recovered(n):
    rng = np.random.default_rng(n)
    samples = rng.integers(-(2**48), 2**48, (2, n))
    problem = SubsetSums(samples, (samples * rng.choice(TERNARY, (2, n))).sum(axis=1))
    assert (best_ternary(problem).residuals == 0).all()
    assert (ternary_within(problem, 0).status == Status.FOUND).all()


def test_rows_between_18_and_20_samples_are_settled_either_way():
    samples = 2 * np.random.default_rng(1).integers(-(2**40), 2**40, (4, 19))
    problem = SubsetSums(samples, np.array([1, 3, 2**45, 0]))
    expected = [Status.IMPOSSIBLE, Status.IMPOSSIBLE, Status.IMPOSSIBLE, Status.FOUND]
    assert ternary_within(problem, 0).status.tolist() == expected


def test_many_samples_are_found_or_unresolved():
    samples = 2 * np.random.default_rng(2).integers(-(2**30), 2**30, (2, 40))
    problem = SubsetSums(samples, np.array([100, 101]))
    for question in (signs_within, ternary_within):
        assert (question(problem, 2**14).status == Status.FOUND).all()
    answer = ternary_within(SubsetSums(samples[1:], np.array([101])), 0)
    assert answer.status.tolist() == [Status.UNRESOLVED]
    assert answer.residuals.tolist() == [-101]


def test_an_answer_depends_on_its_own_row_only():
    problem = random_problem(70, 12, 2**40)
    for question in (best_signs, best_ternary):
        whole = question(problem).coefficients
        for row in range(0, 70, 11):
            alone = SubsetSums(problem.samples[row : row + 1], problem.targets[row : row + 1])
            assert (question(alone).coefficients[0] == whole[row]).all()


def test_an_empty_batch_has_an_empty_answer():
    empty = SubsetSums(np.zeros((0, 5), dtype=np.int64), np.zeros(0, dtype=np.int64))
    for minimiser, within, _ in CASES:
        assert minimiser(empty).coefficients.shape == within(empty, 1).coefficients.shape == (0, 5)


def test_numbers_next_to_the_limit_do_not_overflow():
    half = np.int64(1) << 57
    problem = SubsetSums(np.array([[half, -half + 5, half - 9]]), np.array([-half]))
    for minimiser, _, alphabet in CASES:
        assert (np.abs(minimiser(problem).residuals) == least_distance(problem, alphabet)).all()


def test_wrong_combinations_raise():
    problem = SubsetSums(np.array([[1, 2]]), np.array([3]))
    found, missing = np.zeros(1, dtype=np.uint8), np.full(1, Status.UNRESOLVED, dtype=np.uint8)
    with pytest.raises(ValueError, match=r"int8 of shape \(1, 2\)"):
        Combinations(problem, np.zeros((1, 2)), found)
    with pytest.raises(ValueError, match="status must be uint8"):
        Combinations(problem, np.zeros((1, 2), dtype=np.int8), np.zeros(2, dtype=np.uint8))
    with pytest.raises(ValueError, match="-1, 0 or 1"):
        Combinations(problem, np.full((1, 2), 2, dtype=np.int8), found)
    with pytest.raises(ValueError, match="not FOUND"):
        Combinations(problem, np.ones((1, 2), dtype=np.int8), missing)


def test_wrong_arguments_raise():
    with pytest.raises(ValueError, match="n <= 20 samples"):
        best_ternary(random_problem(1, 21, 5))
    with pytest.raises(ValueError, match="n <= 48"):
        best_signs(random_problem(1, 49, 5))
    for question in (signs_within, ternary_within):
        with pytest.raises(TypeError, match="tolerance_on_grid"):
            question(random_problem(1, 5, 5), 0.5)
    large = SubsetSums(np.array([[1 << 59, 1 << 59]]), np.array([0]))
    for question in (best_signs, best_ternary):
        with pytest.raises(ValueError, match="coarser unit"):
            question(large)
