"""Every question against all 2^n subsets, and the properties that hold for any n."""

import hypothesis.extra.numpy as hnp
import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, SubsetSums, any_within, best, exactly, solve, sparsest_within, tolerance_on_grid

QUESTIONS = {
    "best": lambda problem, tolerance: best(problem),
    "any_within": any_within,
    "sparsest_within": sparsest_within,
}


def random_problem(m, n, reach, seed=0):
    rng = np.random.default_rng((seed, m, n, reach))
    return SubsetSums(rng.integers(-reach, reach + 1, (m, n)), rng.integers(-2 * reach, 2 * reach + 1, m))


def products(m, n, seed=0):
    """Products of two uniform odd 24-bit weights, targets uniform in [-1/2, 1/2], units of 2^-48."""
    rng = np.random.default_rng((seed, m, n))
    u, v = 2 * rng.integers(-(2**23), 2**23, (2, m, n)) + 1
    return SubsetSums(u * v, rng.integers(-(2**47), 2**47 + 1, m))


def hostile_problems():
    rng = np.random.default_rng(5)
    n = 10
    floats = {
        "zeros": (np.zeros((4, n)), np.array([0.0, 0.3, -0.3, 1e-9])),
        "all equal": (np.full((4, n), 0.1), np.array([0.3, 0.35, -0.2, 1.2])),
        "duplicates": (np.repeat(rng.uniform(-1, 1, (4, n // 2)), 2, axis=1), rng.uniform(-0.5, 0.5, 4)),
        "some zeros": (rng.uniform(-1, 1, (4, n)) * (rng.random((4, n)) < 0.5), rng.uniform(-0.5, 0.5, 4)),
        "integers": (rng.integers(-9, 9, (4, n)).astype(float), rng.integers(-20, 20, 4).astype(float)),
        "ties": (np.tile([1.0, -1.0], (4, n // 2)), np.array([0.5, -0.5, 2.5, 0.0])),
        "powers of two": (np.tile(2.0 ** -np.arange(n), (4, 1)), rng.uniform(0, 2, 4)),
        "ratio 1e12": (
            rng.uniform(-1, 1, (4, n)) * 10.0 ** rng.uniform(-12, 0, (4, n)),
            rng.uniform(-0.5, 0.5, 4),
        ),
        "denormal": (rng.uniform(-1, 1, (4, n)) * 1e-310, np.full(4, 1e-311)),
        "huge": (rng.uniform(-1, 1, (4, n)) * 1e300, rng.uniform(-1, 1, 4) * 1e300),
        "unreachable": (rng.uniform(0, 0.1, (4, n)), np.full(4, -5.0)),
        "single sign": (-rng.uniform(0, 1, (4, n)), np.full(4, -1.234)),
    }
    return {name: SubsetSums.from_floats(*arrays) for name, arrays in floats.items()}


def check_all_questions(problem, tolerances):
    distances = naive.distances(problem.samples, problem.targets)
    nearest = distances.min(axis=1)
    answer = best(problem)
    assert (answer.status == Status.FOUND).all()
    assert (np.abs(answer.residuals) == nearest).all()
    for tolerance in tolerances:
        possible = nearest <= tolerance
        for question in (any_within, sparsest_within):
            answer = question(problem, tolerance)
            assert (answer.status == np.where(possible, Status.FOUND, Status.IMPOSSIBLE)).all()
            assert (np.abs(answer.residuals[possible]) <= tolerance).all()
        assert (answer.sizes[possible] == naive.least_size(problem.samples, problem.targets, tolerance)[possible]).all()


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 14])
@pytest.mark.parametrize("reach", [3, 1000, 2**24, 2**50])
def test_every_question_agrees_with_all_subsets(n, reach):
    check_all_questions(random_problem(20, n, reach), (0, reach // 50, reach))


@pytest.mark.parametrize("m", [1, 63, 64, 65, 130])
def test_every_question_agrees_with_all_subsets_around_the_lane_width(m):
    check_all_questions(random_problem(m, 9, 500), (0, 2, 20))


@pytest.mark.parametrize("name", hostile_problems())
def test_every_question_agrees_with_all_subsets_on_hostile_rows(name):
    problem = hostile_problems()[name]
    spread = int(np.abs(problem.samples).sum(axis=1).max() + np.abs(problem.targets).max())
    check_all_questions(problem, (0, 1, spread // 1000, spread))


def test_sums_next_to_the_limit_do_not_overflow():
    half = np.int64(1) << 60
    samples = np.array([[half, half // 2, half // 4 - 1], [-half, -half // 2, -(half // 4) + 1], [half, -half // 2, 7]])
    problem = SubsetSums(samples, np.array([-(half // 4), half // 4, -(half // 4)]))
    check_all_questions(problem, (0, 1 << 59, (1 << 63) - 1))


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_residuals_are_exact_in_rational_arithmetic(question):
    rng = np.random.default_rng(8)
    samples, targets = (
        rng.uniform(-1, 1, (40, 12)).astype(np.float32),
        rng.uniform(-1, 1, 40).astype(np.float32),
    )
    problem = SubsetSums.from_floats(samples, targets)
    answer = question(problem, tolerance_on_grid(0.01, problem.exponent, problem.rounding))
    for row in np.flatnonzero(answer.status == Status.FOUND):
        exact = naive.exact_residual(samples[row], targets[row], answer.chosen[row])
        assert exact * naive.Fraction(2) ** int(problem.exponent[row]) == int(answer.residuals[row])


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_an_answer_depends_on_its_own_row_only(question):
    problem = products(150, 15)
    rng = np.random.default_rng(4)
    whole = question(problem, 1 << 34)
    order = rng.permutation(150)
    shuffled = question(SubsetSums(problem.samples[order], problem.targets[order]), 1 << 34)
    assert (shuffled.masks == whole.masks[order]).all()
    assert (shuffled.status == whole.status[order]).all()
    for row in range(0, 150, 10):
        alone = question(SubsetSums(problem.samples[row : row + 1], problem.targets[row : row + 1]), 1 << 34)
        assert (alone.masks == whole.masks[row]).all()


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_an_empty_batch_has_an_empty_answer(question):
    answer = question(SubsetSums(np.zeros((0, 5), dtype=np.int64), np.zeros(0, dtype=np.int64)), 3)
    assert answer.masks.shape == (0, 1)
    assert answer.failed == 0


@pytest.mark.parametrize("n", [15, 16, 20])
@pytest.mark.parametrize("shift", [20, 30, 38, 42, 45])
def test_any_within_succeeds_exactly_where_the_minimiser_does(n, shift):
    problem = products(130, n)
    nearest = np.abs(best(problem).residuals)
    answer = any_within(problem, 1 << shift)
    assert ((answer.status == Status.FOUND) == (nearest <= 1 << shift)).all()
    assert (answer.status != Status.UNRESOLVED).all()


@pytest.mark.parametrize("n", [24, 29, 34])
def test_a_planted_subset_is_found_by_every_question(n):
    problem = products(3, n)
    planted = np.random.default_rng(n).random((3, n)) < 0.4
    problem = SubsetSums(problem.samples, np.where(planted, problem.samples, 0).sum(axis=1))
    assert (best(problem).residuals == 0).all()
    assert any_within(problem, 0).failed == 0


def test_a_planted_small_subset_is_the_sparsest():
    problem = products(2, 24)
    planted = np.zeros((2, 24), dtype=bool)
    planted[:, [1, 4, 9, 13, 17, 22]] = True
    problem = SubsetSums(problem.samples, np.where(planted, problem.samples, 0).sum(axis=1))
    answer = sparsest_within(problem, 0)
    assert (answer.sizes == 6).all()
    assert (answer.residuals == 0).all()


small_rows = hnp.arrays(np.int64, (2, 8), elements=st.integers(-40, 40))


@given(small_rows)
def test_negating_samples_and_target_keeps_the_distance(rows):
    problem = SubsetSums(rows[:, :-1], rows[:, -1])
    mirrored = SubsetSums(-rows[:, :-1], -rows[:, -1])
    assert (np.abs(best(problem).residuals) == np.abs(best(mirrored).residuals)).all()
    assert (sparsest_within(problem, 2).sizes == sparsest_within(mirrored, 2).sizes).all()


@given(small_rows, st.permutations(range(7)))
def test_permuting_the_samples_keeps_the_distance_and_the_size(rows, order):
    problem = SubsetSums(rows[:, :-1], rows[:, -1])
    permuted = SubsetSums(rows[:, order], rows[:, -1])
    assert (np.abs(best(problem).residuals) == np.abs(best(permuted).residuals)).all()
    assert (sparsest_within(problem, 1).sizes == sparsest_within(permuted, 1).sizes).all()


@given(small_rows)
def test_flipping_a_sample_and_moving_the_target_by_it_keeps_the_distance(rows):
    """A subset with x_0 of (x, t) is a subset without -x_0 of (-x_0, x_1, ...; t - x_0), and the reverse."""
    flipped = rows[:, :-1].copy()
    flipped[:, 0] *= -1
    one = best(SubsetSums(rows[:, :-1], rows[:, -1]))
    other = best(SubsetSums(flipped, rows[:, -1] - rows[:, 0]))
    assert (np.abs(one.residuals) == np.abs(other.residuals)).all()


@given(small_rows)
def test_more_samples_and_more_tolerance_never_hurt(rows):
    problem, shorter = SubsetSums(rows[:, :-1], rows[:, -1]), SubsetSums(rows[:, :-2], rows[:, -1])
    assert (np.abs(best(problem).residuals) <= np.abs(best(shorter).residuals)).all()
    strict, loose = sparsest_within(problem, 1), sparsest_within(problem, 4)
    both = strict.status == Status.FOUND
    assert (loose.status[both] == Status.FOUND).all()
    assert (loose.sizes[both] <= strict.sizes[both]).all()


@given(small_rows, st.integers(1, 40))
def test_scaling_by_a_power_of_two_scales_the_residuals(rows, shift):
    one = best(SubsetSums(rows[:, :-1], rows[:, -1]))
    scaled = best(SubsetSums(rows[:, :-1] << shift, rows[:, -1] << shift))
    assert (scaled.residuals == one.residuals << shift).all()


def test_one_tolerance_per_row_is_respected():
    problem = SubsetSums(np.array([[4, 8], [4, 8]]), np.array([6, 6]))
    assert any_within(problem, np.array([1, 2])).status.tolist() == [Status.IMPOSSIBLE, Status.FOUND]
    assert sparsest_within(problem, np.array([1, 2])).status.tolist() == [Status.IMPOSSIBLE, Status.FOUND]


def test_a_wrong_tolerance_raises():
    problem = SubsetSums(np.array([[4, 8]]), np.array([6]))
    for question in (any_within, sparsest_within):
        with pytest.raises(TypeError, match="tolerance_on_grid"):
            question(problem, 0.5)
        with pytest.raises(ValueError, match=">= 0"):
            question(problem, -1)
        with pytest.raises(ValueError, match="shape"):
            question(problem, np.zeros(2, dtype=np.int64))


def test_too_many_samples_raise_with_the_remedy():
    zeros = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match=r"n <= 48 .* any_within"):
        best(SubsetSums(np.ones((1, 49), dtype=np.int64), zeros))
    with pytest.raises(ValueError, match=r"n <= 34 .*"):
        sparsest_within(SubsetSums(np.ones((1, 35), dtype=np.int64), zeros), 0)
    with pytest.raises(ValueError, match=r"n <= 34 .* few_exactly"):
        exactly(SubsetSums(np.ones((1, 35), dtype=np.int64), zeros), 3)


def test_a_search_that_lies_is_caught(monkeypatch):
    def lie(problem, tolerances):
        return np.ones((problem.m, 1), dtype=np.uint64), np.zeros(problem.m, dtype=np.uint8)

    monkeypatch.setattr(solve.ladder, "search", lie)
    with pytest.raises(AssertionError, match="bug"):
        any_within(SubsetSums(np.array([[4, 8]]), np.array([6])), 0)


@given(st.floats(0, 4), st.integers(-30, 56))
def test_a_tolerance_on_the_grid_is_the_floor(epsilon, exponent):
    expected = naive.Fraction(epsilon) * naive.Fraction(2) ** exponent
    assert int(tolerance_on_grid(epsilon, exponent)) == expected.__floor__()


def test_a_tolerance_pays_for_the_rounding_and_stops_at_the_largest():
    assert tolerance_on_grid(1.0, 4, 0.09).tolist() == 16 - 2
    assert tolerance_on_grid(1e300, np.array([0, 1000])).tolist() == [1 << 61, 1 << 61]
    assert tolerance_on_grid(np.inf, 0) == 1 << 61


def test_a_tolerance_that_proves_nothing_raises():
    for bad in (-0.1, np.nan):
        with pytest.raises(ValueError, match=">= 0"):
            tolerance_on_grid(bad, 48)
    with pytest.raises(ValueError, match="below the rounding"):
        tolerance_on_grid(0.01, 48, np.array([0.0, 0.02]))
