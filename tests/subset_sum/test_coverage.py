"""The worst target of a window, against all subset sums, and what proves a window covered or not."""

from fractions import Fraction
from itertools import combinations

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, SubsetSums, best, coverage
from slth.subset_sum.coverage import covers, worst_errors
from slth.subset_sum.kernels import cover
from slth.theorems.lueker1998_subset_sum import worst_error


def rows(samples):
    samples = np.atleast_2d(np.asarray(samples, dtype=np.int64))
    return SubsetSums(samples, np.zeros(len(samples), dtype=np.int64))


def uniform(m, n, seed=0):
    return rows(2 * np.random.default_rng((seed, m, n)).integers(-(2**23), 2**23, (m, n)) + 1)


def by_definition(sample, window, k=None):
    """Twice the worst distance and twice its lowest target, from all sums and all half-integer targets."""
    sizes = range(len(sample) + 1) if k is None else [k]
    sums = 2 * np.array(sorted({sum(chosen) for size in sizes for chosen in combinations(sample.tolist(), size)}))
    targets = np.arange(-2 * window, 2 * window + 1)
    after = np.searchsorted(sums, targets)
    neighbours = sums[np.clip([after - 1, after], 0, len(sums) - 1)]
    distances = np.abs(neighbours - targets).min(axis=0)
    return int(distances.max()), int(targets[distances.argmax()])


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=7), st.integers(0, 60), st.data())
def test_the_worst_target_is_that_of_all_half_integers(samples, window, data):
    problem = rows(samples)
    k = data.draw(st.none() | st.integers(0, len(samples)))
    found = worst_errors(problem, window, k)
    assert (found.doubled_errors[0], found.doubled_targets[0]) == by_definition(problem.samples[0], window, k)


@pytest.mark.parametrize("n", [1, 2, 7, 10, 13])
@pytest.mark.parametrize("reach", [5, 10**4, 2**45])
def test_the_worst_error_is_that_of_sorted_sums(n, reach):
    problem = rows(np.random.default_rng((n, reach)).integers(-reach, reach + 1, (20, n)))
    for window in (1, reach // 3 + 1, reach, 5 * n * reach):
        found = worst_errors(problem, window)
        for row, sample in enumerate(problem.samples):
            error, targets = worst_error(sample, window)
            assert found.fraction(row) == error
            assert Fraction(int(found.doubled_targets[row]), 2) == targets[0]


@pytest.mark.parametrize(("n", "k"), [(9, 0), (9, 1), (9, 4), (9, 9), (30, 2), (40, 3)])
def test_subsets_of_one_size_alone_are_looked_at(n, k):
    problem = rows(np.random.default_rng((n, k)).integers(-1000, 1000, (2, n)))
    found = worst_errors(problem, 1500, k)
    for row, sample in enumerate(problem.samples):
        assert (found.doubled_errors[row], found.doubled_targets[row]) == by_definition(sample, 1500, k)


@pytest.mark.parametrize("n", [17, 20])
@pytest.mark.parametrize("window", [2**10, 2**23, 2**28])
def test_the_worst_target_is_as_far_from_the_best_subset_and_no_random_target_is_farther(n, window):
    problem = uniform(3, n)
    found = worst_errors(problem, window)
    doubled = SubsetSums(2 * problem.samples, found.doubled_targets)
    assert (np.abs(best(doubled).residuals) == found.doubled_errors).all()
    tries = np.random.default_rng(n).integers(-2 * window, 2 * window + 1, 3)
    assert (np.abs(best(SubsetSums(2 * problem.samples, tries)).residuals) <= found.doubled_errors).all()


def test_gaps_below_the_first_cells_are_found_with_finer_ones():
    """A ladder has gaps of 1024 only: the first cells are wider than any gap."""
    samples = np.append(1024 << np.arange(14), -(1024 << 14))
    window = 3 << 22
    assert (2 * window >> 15) << cover.COARSE > 2 * 1024
    found = worst_errors(rows(samples), window)
    assert (found.doubled_errors[0], found.doubled_targets[0]) == (1024, -2 * window + 1024)


def test_many_cells_are_searched_in_several_turns():
    problem = uniform(1, 22)
    window = 2**23
    mean = 2 * window >> 22
    assert 2 * window // (mean << cover.COARSE) > 2 * cover.CELLS
    sums = np.sort(naive.all_sums(problem.samples)[0])
    inside = sums[np.searchsorted(sums, -window) - 1 : np.searchsorted(sums, window, side="right") + 1]
    gaps = np.diff(inside)
    assert worst_errors(problem, window).doubled_errors[0] == gaps[1:-1].max()


@pytest.mark.parametrize("n", [27])
def test_equal_samples_leave_gaps_of_their_size(n):
    found = worst_errors(rows(np.full(n, 7)), 7 * n)
    assert (found.doubled_errors[0], found.doubled_targets[0]) == (2 * 7 * n, -2 * 7 * n)
    assert worst_errors(rows(np.full(n, 7) * np.where(np.arange(n) % 2, 1, -1)), 70).doubled_errors[0] == 7


def test_windows_beyond_the_reach_and_sums_next_to_the_limit():
    big = 1 << 59
    problem = rows([[big, -big], [big, big // 3], [0, 0]])
    window = np.array([big - 1, big // 2, (1 << 61) - 1])
    found = worst_errors(problem, window)
    # Window within the reach: middle of a gap. One-sided sums: the lower end. No reach at all: the lower end.
    assert found.doubled_errors.tolist() == [big, big, 2 * ((1 << 61) - 1)]
    assert found.doubled_targets.tolist() == [-big, -big, -2 * ((1 << 61) - 1)]
    assert found.values.tolist() == [2.0 ** (58 - 48), 2.0 ** (58 - 48), 2.0**13]


def test_a_row_is_answered_alone_as_in_any_batch():
    problem = uniform(70, 9)
    together = worst_errors(problem, 2**23)
    alone = [worst_errors(rows(x), 2**23) for x in problem.samples]
    assert together.doubled_errors.tolist() == [found.doubled_errors[0] for found in alone]
    assert together.doubled_targets.tolist() == [found.doubled_targets[0] for found in alone]


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=8), st.integers(0, 60), st.integers(0, 30), st.data())
def test_cover_is_decided_as_the_worst_error_says(samples, window, tolerance, data):
    k = data.draw(st.none() | st.integers(0, len(samples)))
    worst, _ = by_definition(np.array(samples), window, k)
    expected = Status.FOUND if worst <= 2 * tolerance else Status.IMPOSSIBLE
    assert covers(rows(samples), window, tolerance, k).tolist() == [expected]


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=9),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.data(),
)
def test_what_the_cells_prove_is_true(samples, window, tolerance, data):
    k = data.draw(st.none() | st.integers(0, len(samples)))
    status = np.full(1, Status.UNRESOLVED, dtype=np.uint8)
    problem = rows(samples)
    size = -1 if k is None else k
    coverage._cover_by_cells(problem.samples, np.array([window]), np.array([tolerance]), size, status)
    if status[0] == Status.FOUND:
        assert worst_errors(problem, window, k).doubled_errors[0] <= 2 * tolerance


@pytest.mark.parametrize("k", [None, 3])
def test_the_cells_alone_cover_long_rows(k):
    problem = uniform(30, 100)
    status = covers(problem, 2**23, 2**24 // 100, k)
    assert (status == Status.FOUND).all()


def test_long_rows_that_nothing_decides_stay_unresolved():
    fine = rows(uniform(4, 40).samples << 22)
    assert (covers(fine, 2**45, 2**10) == Status.UNRESOLVED).all()  # more cells than are held
    # A ladder with one rung missing covers everything but one gap; 30 more samples are too coarse to close it.
    ladder = rows(np.array([1 << i for i in range(20) if i != 5] + [1 << 30] * 30))
    assert covers(ladder, 2**10, 4).tolist() == [Status.IMPOSSIBLE]  # beyond the reach: no negative sums
    shifted = rows(np.append(ladder.samples[0], -(1 << 19)))
    assert covers(shifted, 2**10, 4).tolist() == [Status.UNRESOLVED]


def test_what_cannot_be_is_proved_without_looking_at_subsets():
    long = uniform(1, 40)
    reach = int(np.maximum(long.samples, 0).sum())
    assert covers(long, reach + 10**6, 10**5).tolist() == [Status.IMPOSSIBLE]
    assert covers(rows(1 << np.arange(40)), 2**40, 0).tolist() == [Status.IMPOSSIBLE]
    # 40 over 2 intervals of length 2 are fewer than the window asks for.
    assert covers(long, 2**20, 1, k=2).tolist() == [Status.IMPOSSIBLE]


def test_wide_tolerances_do_not_overflow():
    problem = rows([[5, -3]])
    assert covers(problem, 2**60, 2**61).tolist() == [Status.FOUND]
    assert covers(problem, 2**60, 2**60).tolist() == [Status.FOUND]
    assert covers(problem, 2**60, 2**60 - 6).tolist() == [Status.IMPOSSIBLE]


def test_cells_as_wide_as_a_rounded_tolerance_would_be_too_wide():
    """2 tolerance + 1 = 2^55 - 1 becomes 2^55 in float64; two sums of a cell so wide may leave a target out."""
    gap = 2**55 - 1
    problem = rows([[0, gap, -(2**54), -gap]])
    assert covers(problem, gap + 2, gap // 2, k=1).tolist() == [Status.IMPOSSIBLE]
    assert covers(problem, gap + 2, gap // 2 + 1, k=1).tolist() == [Status.FOUND]


@pytest.mark.parametrize("ask", [worst_errors, lambda problem, window, k=None: covers(problem, window, 1, k)])
def test_what_makes_no_question_is_refused(ask):
    problem = rows([[3, -5, 9], [1, 2, 3]])
    with pytest.raises(TypeError, match="integer in grid units"):
        ask(problem, 0.5)
    with pytest.raises(ValueError, match=r"array of shape \(2,\)"):
        ask(problem, np.array([1, 2, 3]))
    for window in (-1, 1 << 61):
        with pytest.raises(ValueError, match="from 0 to below"):
            ask(problem, window)
    with pytest.raises(ValueError, match="row 0 has sum"):
        ask(problem, (1 << 61) - 17)
    for k in (-1, 4, 1.0, True):
        with pytest.raises(ValueError, match="k must be an integer from 0 to n = 3"):
            ask(problem, 5, k)


def test_too_many_subsets_are_refused():
    for problem, k in ((uniform(1, 29), None), (uniform(1, 60), 9), (rows(np.ones(20_000)), 2)):
        with pytest.raises(ValueError, match="keep fewer samples, or ask with covers"):
            worst_errors(problem, 5, k)


def test_no_rows_have_no_answers():
    empty = SubsetSums(np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int64))
    assert worst_errors(empty, 5).doubled_errors.shape == (0,)
    assert covers(empty, 5, 1).shape == (0,)


def test_the_largest_row_has_its_worst_target():
    problem = uniform(1, 28)
    found = worst_errors(problem, 2**23)
    doubled = SubsetSums(2 * problem.samples, found.doubled_targets)
    assert np.abs(best(doubled).residuals) == found.doubled_errors
