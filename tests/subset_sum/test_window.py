"""The trimmed dynamic programme: against a transcription, all subsets, and the guarantee of its window."""

import naive
import numpy as np
import pytest

from slth.subset_sum import Status, SubsetSums, best
from slth.subset_sum.window import trimmed_within

ONE = 1 << 40


def uniform(m, n, seed=0, reach=ONE // 2):
    rng = np.random.default_rng((seed, m, n))
    return SubsetSums(rng.integers(-ONE, ONE + 1, (m, n)), rng.integers(-reach, reach + 1, m))


def transcription(sample, target, tolerance, half, width):
    """Whether the programme meets a sum within tolerance; cells in a dictionary, every sum with its own path."""
    cells = {half // width: 0}
    for x in sample.tolist():
        if any(abs(s - target) <= tolerance for s in cells.values()):
            return True
        for s in list(cells.values()):
            if abs(s + x) <= half:
                cells.setdefault((s + x + half) // width, s + x)
    return any(abs(s - target) <= tolerance for s in cells.values())


@pytest.mark.parametrize("n", [1, 5, 14, 30])
@pytest.mark.parametrize("cell", [None, 1 << 32, 1 << 37])
def test_the_kernel_agrees_with_the_transcription(n, cell):
    problem, tolerance = uniform(40, n), 1 << 36
    answer = trimmed_within(problem, tolerance, reach=ONE, cell=cell)
    width = cell or tolerance // (2 * n)
    for row in range(40):
        half = min(ONE + max(tolerance, n * width), int(np.abs(problem.samples[row]).sum()))
        expected = transcription(problem.samples[row], problem.targets[row], tolerance, half, width)
        assert (answer.status[row] == Status.FOUND) == expected


def test_a_found_subset_is_within_tolerance_and_unresolved_is_no_claim():
    problem = uniform(60, 16)
    answer = trimmed_within(problem, 1 << 30)
    found = answer.status == Status.FOUND
    assert set(answer.status.tolist()) == {Status.FOUND, Status.UNRESOLVED}
    assert (np.abs(answer.residuals[found]) <= 1 << 30).all()
    assert (np.abs(best(problem).residuals)[found] <= 1 << 30).all()


def paths_inside(sample, reach):
    """All sums of subsets whose partial sums, from the left, stay within the reach."""
    sums = {0}
    for x in sample.tolist():
        sums |= {s + x for s in sums if abs(s + x) <= reach}
    return np.array(sorted(sums))


@pytest.mark.parametrize("cell", [1, 100, 1000])
def test_a_target_near_a_path_inside_the_window_is_found(cell):
    """The guarantee: a path that ends within e of the target gives an error of at most e + n h."""
    rng = np.random.default_rng(cell)
    samples = rng.integers(-(10**6), 10**6, (40, 12))
    tolerance = 20_000
    e = tolerance - 12 * cell
    ends = [paths_inside(row, 10**6 + e) for row in samples]
    targets = np.array([rng.choice(end[np.abs(end) <= 10**6]) for end in ends])
    shifted = np.clip(targets + rng.integers(-e, e + 1, 40), -(10**6), 10**6)
    answer = trimmed_within(SubsetSums(samples, shifted), tolerance, reach=10**6, cell=cell)
    assert (answer.status == Status.FOUND).all()


def test_cells_of_one_unit_in_a_full_window_are_an_exact_search():
    rng = np.random.default_rng(2)
    problem = SubsetSums(rng.integers(-40, 41, (80, 10)), rng.integers(-90, 91, 80))
    answer = trimmed_within(problem, 1, reach=1000, cell=1)
    possible = naive.distances(problem.samples, problem.targets).min(axis=1) <= 1
    assert ((answer.status == Status.FOUND) == possible).all()
    assert 0 < possible.sum() < 80


def test_a_planted_subset_of_many_samples_is_found():
    rng = np.random.default_rng(3)
    samples = rng.integers(-1000, 1001, (5, 3000))
    targets = np.where(rng.random((5, 3000)) < 0.5, samples, 0).sum(axis=1)
    assert trimmed_within(SubsetSums(samples, targets), 0).failed == 0


@pytest.mark.parametrize("n", [60, 300])
def test_uniform_samples_reach_every_target_of_the_theorem(n):
    """At n = 60 some target of [-1, 1] is missed by 2^-7 with probability at most 8 * 2^14 (3/4)^60 < 0.01."""
    problem = uniform(50, n)
    answer = trimmed_within(problem, 2 * ONE >> 7, reach=ONE)
    assert answer.failed == 0
    assert (np.abs(answer.residuals) <= 2 * ONE >> 7).all()


@pytest.mark.parametrize("row", [np.zeros(9), np.full(9, 3), np.tile([7, -7, 0], 3), 3.0 ** np.arange(9), -np.ones(9)])
def test_hostile_rows_are_solved_where_a_sum_is_exact(row):
    samples = np.tile(row.astype(np.int64), (4, 1))
    problem = SubsetSums(samples, np.array([0, row[:4].sum(), row.sum(), 10**6], dtype=np.int64))
    answer = trimmed_within(problem, 0)
    assert answer.status.tolist() == [Status.FOUND] * 3 + [Status.UNRESOLVED]


def test_numbers_next_to_the_limit_do_not_overflow():
    huge = np.int64(1) << 59
    problem = SubsetSums(np.array([[huge, huge - 1, -huge + 7]]), np.array([8 - 1]))
    assert trimmed_within(problem, 1 << 61).status.tolist() == [Status.FOUND]
    assert trimmed_within(problem, 1 << 40, cell=1 << 40).residuals.tolist() in ([0], [-7])


def test_an_answer_depends_on_its_own_row_only():
    problem = uniform(40, 20)
    whole = trimmed_within(problem, 1 << 34)
    for row in range(0, 40, 7):
        alone = SubsetSums(problem.samples[row : row + 1], problem.targets[row : row + 1])
        assert (trimmed_within(alone, 1 << 34).masks == whole.masks[row]).all()


def test_an_empty_batch_has_an_empty_answer():
    empty = SubsetSums(np.zeros((0, 5), dtype=np.int64), np.zeros(0, dtype=np.int64))
    assert trimmed_within(empty, 3).masks.shape == (0, 1)


def test_wrong_arguments_raise():
    problem = uniform(2, 6)
    with pytest.raises(TypeError, match="tolerance_on_grid"):
        trimmed_within(problem, 0.5)
    for bad in (-1, 1.0, True, (1 << 61) + 1):
        with pytest.raises(ValueError, match="reach must be an integer"):
            trimmed_within(problem, 1 << 36, reach=bad)
    for bad in (0, 1.0, True, 1 << 61):
        with pytest.raises(ValueError, match="cell must be an integer"):
            trimmed_within(problem, 1 << 36, cell=bad)
    with pytest.raises(ValueError, match="use a larger tolerance or cell"):
        trimmed_within(problem, 5)
