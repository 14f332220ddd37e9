"""Vector subset sums against all subsets, against numbers, and against the law of first moments."""

from math import comb

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, SubsetSums, any_within, best, exactly, vector, vector_descent
from slth.subset_sum.vector import best_vector, vector_within
from slth.subset_sum.vector_problem import VectorSubsets, VectorSums


def random_vectors(m, n, d, reach, seed=0):
    rng = np.random.default_rng((seed, m, n, d, reach))
    return VectorSums(rng.integers(-reach, reach + 1, (m, n, d)), rng.integers(-2 * reach, 2 * reach + 1, (m, d)))


def uniform(m, n, d, seed=0):
    """Samples uniform in [-1, 1], targets in [-1/2, 1/2], units of 2^-48."""
    rng = np.random.default_rng((seed, m, n, d))
    return VectorSums(rng.integers(-(2**48), 2**48, (m, n, d)), rng.integers(-(2**47), 2**47, (m, d)))


def all_distances(problem, size=None):
    sums = np.zeros((problem.m, 1, problem.d), dtype=np.int64)
    for i in range(problem.n):
        sums = np.concatenate([sums, sums + problem.samples[:, i : i + 1]], axis=1)
    distances = np.abs(sums - problem.targets[:, None]).max(axis=2)
    return distances if size is None else distances[:, np.bitwise_count(np.arange(1 << problem.n)) == size]


def check_all_questions(problem, tolerances):
    for size in (None, 0, 1, problem.n // 2, problem.n):
        nearest = all_distances(problem, size).min(axis=1)
        answer = best_vector(problem, size=size)
        assert (answer.status == Status.FOUND).all()
        assert (answer.distances == nearest).all()
        assert (answer.gaps == 0).all()
        assert size is None or (answer.sizes == size).all()
        for tolerance in tolerances:
            answer = vector_within(problem, tolerance, size=size)
            assert (answer.status == np.where(nearest <= tolerance, Status.FOUND, Status.IMPOSSIBLE)).all()
            found = answer.status == Status.FOUND
            assert (answer.distances[found] <= tolerance).all()
            assert (answer.lower_bounds <= nearest).all()
            assert (answer.lower_bounds[~found] > tolerance).all()
            assert size is None or (answer.sizes[found] == size).all()


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("reach", [2, 50, 2**30, 2**55])
def test_every_question_agrees_with_all_subsets(n, d, reach):
    check_all_questions(random_vectors(6, n, d, reach), (0, reach // 3, 8 * reach))


@pytest.mark.parametrize(
    ("samples", "target"),
    [
        (np.zeros((8, 3)), [0, 0, 0]),
        (np.zeros((8, 3)), [1, -2, 0]),
        (np.full((9, 2), 7), [20, 22]),
        (np.tile([[1, -1, 0, 5]], (8, 1)), [4, -4, 1, 20]),
        (np.diag(2 ** np.arange(10)), np.arange(10)),
        (np.column_stack([2 ** np.arange(10), -(2 ** np.arange(10))]), [700, -700]),
        (np.column_stack([np.zeros(9), np.arange(9)]), [3, 8]),
        (np.column_stack([np.arange(9), np.zeros(9), np.zeros(9), np.zeros(9), 5**np.arange(9)]), [9, 0, 1, 0, 3906]),
        (np.full((10, 2), 1 << 56), [1 << 59, (1 << 59) - 1]),
        (np.ones((8, 2)), [1000, -1000]),
    ],
)  # fmt: skip
def test_every_question_agrees_with_all_subsets_on_hostile_rows(samples, target):
    problem = VectorSums(np.asarray(samples, dtype=np.int64)[None], np.asarray(target, dtype=np.int64)[None])
    check_all_questions(problem, (0, 1, 100, 1 << 62))


def test_sums_next_to_the_limit_do_not_overflow():
    half = np.int64(1) << 60
    samples = np.array([[[half, -half], [half // 2, half // 2], [half // 4 - 1, 3]]])
    check_all_questions(VectorSums(samples, np.array([[-(half // 4), half // 4]])), (0, 1 << 59, (1 << 63) - 1))


@pytest.mark.parametrize("n", [5, 20, 33])
def test_one_coordinate_is_the_question_in_numbers(n):
    problem = uniform(4, n, 1)
    numbers = SubsetSums(problem.samples[:, :, 0], problem.targets[:, 0])
    assert (best_vector(problem).masks == best(numbers).masks).all()
    assert (best_vector(problem, size=3).masks == exactly(numbers, 3).masks).all()
    assert (vector_within(problem, 1 << 30).masks == any_within(numbers, 1 << 30).masks).all()
    assert (vector_within(problem, 1 << 30).status == any_within(numbers, 1 << 30).status).all()


@pytest.mark.parametrize("n", [8, 21, 26])
def test_the_grid_search_of_one_coordinate_reaches_the_minimiser_in_numbers(n):
    problem = uniform(20, n, 1)
    sizes, zeros = np.full(20, -1), np.zeros(20, dtype=np.int64)
    _, distances = vector_descent.search(problem.samples, problem.targets, sizes, zeros, sizes)
    assert (distances == np.abs(best(problem.coordinate(0)).residuals)).all()


@pytest.mark.parametrize(("n", "d"), [(26, 2), (26, 3), (34, 3), (22, 8)])
def test_a_planted_subset_is_found(n, d):
    problem = uniform(2, n, d)
    planted = np.random.default_rng(n).random((2, n)) < 0.4
    problem = VectorSums(problem.samples, np.where(planted[:, :, None], problem.samples, 0).sum(axis=1))
    size = int(planted[0].sum())
    assert (best_vector(problem).distances == 0).all()
    assert (vector_within(problem, 0).status == Status.FOUND).all()
    assert best_vector(problem, size=size).distances[0] == 0


def test_a_tree_search_in_floats_finds_nothing_closer():
    from scipy.spatial import cKDTree

    problem = uniform(5, 20, 2)
    for x, t, distance in zip(problem.samples, problem.targets, best_vector(problem).distances, strict=True):
        halves = [np.zeros((1, 2), dtype=np.int64) for _ in range(2)]
        for half, vectors in enumerate((x[:10], x[10:])):
            for v in vectors:
                halves[half] = np.concatenate([halves[half], halves[half] + v])
        proposed, _ = cKDTree(halves[1].astype(float)).query((t - halves[0]).astype(float), p=np.inf)
        assert proposed.min() == pytest.approx(float(distance), rel=1e-6)


@given(hnp.arrays(np.int64, (2, 8, 3), elements=st.integers(-30, 30)), st.permutations(range(7)))
def test_permutations_negation_and_flips_keep_the_distance(rows, order):
    samples, targets = rows[:, :-1], rows[:, -1]
    distances = best_vector(VectorSums(samples, targets)).distances
    assert (best_vector(VectorSums(samples[:, order], targets)).distances == distances).all()
    assert (best_vector(VectorSums(samples[:, :, ::-1].copy(), targets[:, ::-1].copy())).distances == distances).all()
    assert (best_vector(VectorSums(-samples, -targets)).distances == distances).all()
    flipped = samples.copy()
    flipped[:, 0] *= -1
    assert (best_vector(VectorSums(flipped, targets - samples[:, 0])).distances == distances).all()


@given(hnp.arrays(np.int64, (2, 9, 3), elements=st.integers(-30, 30)))
def test_no_coordinate_alone_is_further_off(rows):
    problem = VectorSums(rows[:, :-1], rows[:, -1])
    distances = best_vector(problem).distances
    for c in range(3):
        assert (np.abs(best(problem.coordinate(c)).residuals) <= distances).all()


@pytest.mark.parametrize(
    "question", [best_vector, lambda p: vector_within(p, 1 << 44), lambda p: best_vector(p, size=6)]
)
@pytest.mark.parametrize(("n", "d"), [(18, 2), (40, 2), (28, 6)])
def test_an_answer_depends_on_its_own_row_only(question, n, d):
    problem = uniform(6, n, d)
    whole = question(problem)
    order = [3, 0, 5]
    part = question(VectorSums(problem.samples[order], problem.targets[order]))
    assert (part.masks == whole.masks[order]).all()
    assert (part.status == whole.status[order]).all()


def test_an_empty_batch_has_an_empty_answer():
    for n in (5, 50):
        problem = VectorSums(np.zeros((0, n, 2), dtype=np.int64), np.zeros((0, 2), dtype=np.int64))
        assert best_vector(problem).failed == vector_within(problem, 1).failed == 0


@pytest.mark.parametrize(("n", "d", "size"), [(40, 2, None), (100, 3, None), (30, 6, None), (60, 3, 20), (70, 1, None)])
def test_longer_rows_get_a_close_subset_with_a_valid_bound_and_no_claim(n, d, size):
    problem = uniform(3, n, d)
    answer = best_vector(problem, size=size)
    assert (answer.lower_bounds <= answer.distances).all()
    assert ((answer.status == Status.FOUND) == (answer.gaps == 0)).all()
    assert size is None or (answer.sizes == size).all()
    if d <= 3 and size is None:
        first = VectorSums(problem.samples[:, :20], problem.targets)
        assert (answer.distances < best_vector(first).distances).all()
    exact = np.where(answer.chosen[:, :, None], problem.samples, 0).sum(axis=1) - problem.targets
    assert (answer.residuals == exact).all()


def test_a_longer_row_whose_bound_is_met_is_found():
    samples = np.full((1, 50, 2), 4)
    assert best_vector(VectorSums(samples, np.array([[300, 300]]))).status.tolist() == [Status.FOUND]
    answer = best_vector(VectorSums(samples, np.array([[41, 41]])))
    assert answer.status.tolist() == [Status.UNRESOLVED]
    assert answer.gaps.tolist() == [1]


def test_longer_rows_within_a_tolerance_are_found_impossible_or_unresolved():
    problem = VectorSums(
        np.full((3, 30, 5), 4), np.array([[40] * 5, [300] * 5, [41] * 4 + [43]])
    )  # the third has no subset, but every coordinate alone has one
    assert vector_within(problem, 1).status.tolist() == [Status.FOUND, Status.IMPOSSIBLE, Status.UNRESOLVED]
    uneven = VectorSums(np.full((1, 40, 2), 4), np.array([[81, 83]]))
    answer = vector_within(uneven, 1)
    assert answer.status.tolist() == [Status.UNRESOLVED]
    assert answer.distances.tolist() == [3]
    assert vector_within(uniform(4, 40, 3), 1 << 41).failed == 0
    assert (vector_within(uniform(4, 40, 3), 1 << 41, size=20).sizes == 20).all()


@pytest.mark.parametrize(
    ("n", "d", "m"), [(16, 1, 400), (18, 2, 200), (18, 3, 200), pytest.param(26, 3, 300, marks=pytest.mark.slow)]
)
def test_the_median_distance_follows_the_law_of_first_moments(n, d, m):
    """Median 1/2 (ln 2 / 2^n)^(1/d) sqrt(pi n s^2) for a target at 0 .. 1/2 and samples of variance s^2 = 1/3."""
    median = np.median(best_vector(uniform(m, n, d)).distances) / 2**48
    law = 0.5 * (np.log(2) / 2**n) ** (1 / d) * np.sqrt(np.pi * n / 3)
    assert law / 1.5 < median < law * 1.5


@pytest.mark.parametrize(("n", "d", "k"), [(16, 1, 5), (18, 2, 6), (18, 3, 6)])
def test_the_median_distance_of_subsets_of_one_size_follows_the_law_of_first_moments(n, d, k):
    """Median 1/2 (ln 2 / C(n, k))^(1/d) sqrt(2 pi k s^2) for the target 0, an open case for d > 1."""
    samples = uniform(200, n, d).samples
    problem = VectorSums(samples, np.zeros((200, d), dtype=np.int64))
    median = np.median(best_vector(problem, size=k).distances) / 2**48
    law = 0.5 * (np.log(2) / comb(n, k)) ** (1 / d) * np.sqrt(2 * np.pi * k / 3)
    assert law / 1.5 < median < law * 1.5


def test_floats_of_a_row_share_one_grid():
    rng = np.random.default_rng(2)
    samples, targets = rng.normal(size=(4, 9, 2)), rng.normal(size=(4, 2))
    problem = VectorSums.from_floats(samples, targets)
    scale = np.asarray(problem.exponent)
    assert (np.abs(np.ldexp(problem.samples.astype(float), -scale[:, None, None]) - samples) <= 1e-15).all()
    answer = best_vector(problem)
    inexact = np.abs(np.where(answer.chosen[:, :, None], samples, 0).sum(axis=1) - targets).max(axis=1)
    assert answer.distance_values == pytest.approx(inexact, abs=1e-13)
    single = VectorSums.from_floats(samples.astype(np.float32), targets.astype(np.float32))
    assert (np.asarray(single.rounding) == 0).all()


def test_wrong_vectors_raise():
    ones, zeros = np.ones((2, 3, 2), dtype=np.int64), np.zeros((2, 2), dtype=np.int64)
    with pytest.raises(TypeError, match="from_floats"):
        VectorSums(ones.astype(float), zeros)
    with pytest.raises(ValueError, match=r"targets \(m, d\)"):
        VectorSums(ones, zeros[:, :1])
    with pytest.raises(ValueError, match="at least one sample"):
        VectorSums(ones[:, :0], zeros)
    with pytest.raises(ValueError, match=r"coordinate 1: row 1 .* 2\^61"):
        VectorSums(ones, np.array([[0, 0], [0, 1 << 61]]))
    with pytest.raises(TypeError, match="float32 or float64"):
        VectorSums.from_floats(ones, zeros.astype(float))
    with pytest.raises(TypeError, match="targets must be"):
        VectorSums.from_floats(ones.astype(float), zeros)
    with pytest.raises(ValueError, match=r"samples \(m, n, d\)"):
        VectorSums.from_floats(np.ones((2, 3)), zeros.astype(float))
    with pytest.raises(ValueError, match="finite"):
        VectorSums.from_floats(np.full((2, 3, 2), np.nan), np.zeros((2, 2)))


def test_wrong_questions_raise():
    problem = uniform(2, 4, 2)
    for bad in (-1, 5, 2.0, True):
        for question in (best_vector, lambda p, size: vector_within(p, 1, size=size)):
            with pytest.raises(ValueError, match="from 0 to n = 4"):
                question(problem, size=bad)
    with pytest.raises(TypeError, match="tolerance_on_grid"):
        vector_within(problem, 0.1)


def test_wrong_answers_raise(monkeypatch):
    problem = uniform(2, 4, 2)
    masks, status, bounds = np.zeros((2, 1), dtype=np.uint64), np.zeros(2, dtype=np.uint8), np.zeros(2, dtype=np.int64)
    for wrong in ((masks[:1], status, bounds), (masks, status.astype(int), bounds), (masks, status, bounds[:1])):
        with pytest.raises(ValueError, match="must be"):
            VectorSubsets(problem, *wrong)
    with pytest.raises(ValueError, match="beyond the last of 4"):
        VectorSubsets(problem, masks + np.uint64(16), status, bounds)
    with pytest.raises(ValueError, match="empty mask"):
        VectorSubsets(problem, masks + np.uint64(1), status + np.uint8(Status.IMPOSSIBLE), bounds)

    def lie(samples, *arrays):
        return np.ones(len(samples), dtype=np.uint64), np.zeros(len(samples), dtype=np.int64)

    monkeypatch.setattr(vector.vector_descent, "search", lie)
    with pytest.raises(AssertionError, match="bug"):
        vector_within(problem, 0)
