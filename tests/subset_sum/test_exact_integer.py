"""Small integers: every target at once, the subset read back, parity, and the link with number partitioning."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, SubsetSums, best
from slth.subset_sum.exact_integer import nearest_integer, represent, representable, samples_for_all
from slth.subset_sum.signs import best_signs

small = st.lists(st.integers(-12, 12), min_size=1, max_size=9)


@given(st.lists(st.integers(-12, 12), max_size=9), st.integers(0, 30))
def test_the_representable_integers_are_the_subset_sums(sample, largest):
    samples = np.array([sample], dtype=np.int64)
    sums = set(naive.all_sums(samples)[0].tolist())
    expected = [z in sums for z in range(-largest, largest + 1)]
    assert representable(samples, largest)[0].tolist() == expected


@given(small, st.integers(-60, 60))
def test_the_nearest_subset_agrees_with_the_minimiser(sample, target):
    problem = SubsetSums(np.array([sample]), np.array([target]))
    nearest = nearest_integer(problem)
    assert abs(nearest.residuals[0]) == abs(best(problem).residuals[0])
    assert nearest.status[0] == Status.FOUND


@given(small, st.integers(-60, 60))
def test_a_target_is_represented_exactly_where_its_bit_is_set(sample, target):
    problem = SubsetSums(np.array([sample]), np.array([target]))
    answer = represent(problem)
    possible = representable(problem.samples, 60)[0, target + 60]
    assert answer.status[0] == (Status.FOUND if possible else Status.IMPOSSIBLE)
    assert answer.residuals[0] == (0 if possible else -target)


@given(small, st.integers(0, 25))
def test_the_least_number_of_samples_is_least(sample, largest):
    samples = np.array([sample])
    complete = [representable(samples[:, :n], largest).all() for n in range(len(sample) + 1)]
    assert samples_for_all(samples, largest)[0] == (complete.index(True) if any(complete) else -1)


@given(small, st.integers(-60, 60))
def test_a_subset_sum_is_solvable_where_number_partitioning_is(sample, target):
    """Subsets with sum t are signs with sum 2 t - Lambda, Lambda the sum of all samples."""
    problem = SubsetSums(np.array([sample]), np.array([target]))
    signs = best_signs(SubsetSums(problem.samples, 2 * problem.targets - problem.samples.sum(axis=1)))
    assert (represent(problem).status[0] == Status.FOUND) == (signs.residuals[0] == 0)
    assert abs(signs.residuals[0]) == 2 * abs(nearest_integer(problem).residuals[0])


def test_even_samples_represent_even_targets_only():
    rng = np.random.default_rng(1)
    samples = 2 * rng.integers(-8, 9, (20, 30))
    cover = representable(samples, 64)
    assert not cover[:, 1::2].any()  # entry z + 64: odd places are odd targets
    assert cover[:, ::2].all(axis=1).sum() > 15
    assert (samples_for_all(samples, 64) == -1).all()


def test_one_odd_sample_opens_the_odd_targets():
    rng = np.random.default_rng(2)
    samples = 2 * rng.integers(-8, 9, (20, 30))
    samples[:, -1] = 5
    assert (samples_for_all(samples, 32)[representable(samples, 32).all(axis=1)] == 30).all()
    assert representable(samples, 32).all(axis=1).any()


def test_flipping_a_sample_moves_the_set_by_it():
    """A subset with x of sum z is a subset without -x of sum z - x."""
    rng = np.random.default_rng(3)
    samples = rng.integers(-9, 10, (10, 12))
    flipped = samples.copy()
    flipped[:, 0] *= -1
    one, other = representable(samples, 60), representable(flipped, 60)
    for row, x in enumerate(samples[:, 0].tolist()):
        shifted = np.roll(one[row], -x)
        assert (shifted[10:-10] == other[row][10:-10]).all()


@pytest.mark.parametrize(("largest", "n"), [(64, 42), (128, 47), (4096, 71)])
def test_the_proved_number_of_samples_reaches_every_integer(largest, n):
    """4 M^2 (3/4)^n <= 0.1 for samples uniform on -M .. M; in practice log2(2 M + 1) + 8 are enough."""
    assert 4 * largest**2 * 0.75**n <= 0.1
    samples = np.random.default_rng(largest).integers(-largest, largest + 1, (20, n))
    needed = samples_for_all(samples, largest)
    assert (needed > 0).all()
    assert (needed >= np.ceil(np.log2(2 * largest + 1))).all()
    assert np.median(needed) <= np.log2(2 * largest + 1) + 8


def test_a_subset_of_many_samples_is_read_back():
    rng = np.random.default_rng(5)
    problem = SubsetSums(rng.integers(-64, 65, (4, 3000)), np.array([0, 12345, -20000, 10**7]))
    answer = represent(problem)
    assert answer.status.tolist() == [Status.FOUND] * 3 + [Status.IMPOSSIBLE]
    assert nearest_integer(problem).residuals[3] == np.maximum(problem.samples[3], 0).sum() - 10**7


@pytest.mark.parametrize("row", [[0, 0, 0], [5, 5, 5], [1, -1, 0], [-7], [1, 2, 4, 8, 16], [-1, -2, 4, -8]])
def test_hostile_rows_agree_with_all_subsets(row):
    samples = np.tile(np.array(row), (81, 1))
    targets = np.arange(-40, 41)
    answer = nearest_integer(SubsetSums(samples, targets))
    assert (np.abs(answer.residuals) == naive.distances(samples, targets).min(axis=1)).all()


def test_an_empty_row_of_samples_represents_zero_only():
    none = np.zeros((2, 0), dtype=np.int64)
    assert representable(none, 1).tolist() == [[False, True, False]] * 2
    assert samples_for_all(none, 0).tolist() == [0, 0]
    assert samples_for_all(none, 1).tolist() == [-1, -1]
    assert representable(np.zeros((0, 3), dtype=np.int64), 2).shape == (0, 5)


def test_wrong_arguments_raise():
    samples = np.array([[1, 2]])
    for question in (representable, samples_for_all):
        with pytest.raises(TypeError, match="int64 array"):
            question(samples.astype(float), 3)
        with pytest.raises(ValueError, match=r"expected samples \(m, n\)"):
            question(samples[0], 3)
        for bad in (-1, 1.0, True, (1 << 24) + 1):
            with pytest.raises(ValueError, match="largest must be an integer"):
                question(samples, bad)
        for large in ([1 << 27, -(1 << 27)], [-(1 << 63), 0], [(1 << 63) - 1, (1 << 63) - 1]):
            with pytest.raises(ValueError, match="any_within"):
                question(np.array([large], dtype=np.int64), 3)
    with pytest.raises(ValueError, match=r"more than 2\^32 bits"):
        nearest_integer(SubsetSums(np.full((1, 20_000), 13_000), np.array([0])))
