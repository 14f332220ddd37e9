"""The grid of a problem loses nothing that it does not own up to, and an answer's residuals are its own."""

import hypothesis.extra.numpy as hnp
import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, Subsets, SubsetSums
from slth.subset_sum.masks import pack, unpack


def exactly_represented(problem, samples, targets):
    scale = np.broadcast_to(problem.exponent, problem.m)
    back = np.ldexp(problem.samples.astype(np.float64), -scale[:, None])
    return (back == samples).all() and (np.ldexp(problem.targets.astype(np.float64), -scale) == targets).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-300, 1e-38, 1.0, 1e30, 1e300])
def test_dyadic_floats_of_any_magnitude_are_represented_exactly(dtype, scale):
    rng = np.random.default_rng(1)
    power = dtype(2.0 ** np.floor(np.log2(scale))) if dtype is np.float64 or 1e-38 <= scale <= 1e30 else dtype(1)
    samples = rng.integers(-1000, 1000, (20, 9)).astype(dtype) * power
    targets = rng.integers(-1000, 1000, 20).astype(dtype) * power
    problem = SubsetSums.from_floats(samples, targets)
    assert exactly_represented(problem, samples.astype(np.float64), targets.astype(np.float64))
    assert (problem.rounding == 0).all()


def test_float32_uniform_samples_are_represented_exactly():
    rng = np.random.default_rng(2)
    samples = rng.uniform(-1, 1, (200, 21)).astype(np.float32)
    targets = rng.uniform(-0.5, 0.5, 200).astype(np.float32)
    problem = SubsetSums.from_floats(samples, targets)
    assert exactly_represented(problem, samples.astype(np.float64), targets.astype(np.float64))


def test_denormals_are_represented_exactly():
    samples = np.array([[5e-324, -1e-310, 3e-315]])
    problem = SubsetSums.from_floats(samples, np.array([1e-311]))
    assert exactly_represented(problem, samples, np.array([1e-311]))


def test_a_row_of_zeros_is_represented():
    problem = SubsetSums.from_floats(np.zeros((2, 3)), np.array([0.0, 0.25]))
    assert (problem.samples == 0).all()
    assert problem.targets[0] == 0
    assert exactly_represented(problem, np.zeros((2, 3)), np.array([0.0, 0.25]))


@pytest.mark.parametrize("span", [0, 12, 300])
def test_rounding_bounds_what_every_subset_sum_moved(span):
    rng = np.random.default_rng(3)
    samples = rng.uniform(-1, 1, (30, 6)) * 10.0 ** rng.uniform(-span, 0, (30, 6))
    targets = rng.uniform(-0.5, 0.5, 30)
    problem = SubsetSums.from_floats(samples, targets)
    for row in range(30):
        unit = naive.Fraction(2) ** -int(problem.exponent[row])
        for mask in range(1 << 6):
            chosen = [bool(mask >> i & 1) for i in range(6)]
            before = naive.exact_residual(samples[row], targets[row], chosen)
            after = naive.exact_residual(problem.samples[row], problem.targets[row], chosen) * unit
            assert abs(before - after) <= naive.Fraction(float(problem.rounding[row]))
    assert float(np.max(problem.rounding)) < 1e-15


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(-1e300, 1e300, allow_subnormal=True)))
def test_sums_of_floats_on_the_grid_stay_below_the_limit(values):
    problem = SubsetSums.from_floats(values[:, :-1], values[:, -1])
    reach = [sum(abs(int(v)) for v in row) for row in np.column_stack([problem.samples, problem.targets])]
    assert max(reach) < 1 << 61


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_floats_that_are_not_finite_raise(bad):
    with pytest.raises(ValueError, match="1 of 2 rows have NaN or infinity, the first is row 1"):
        SubsetSums.from_floats(np.array([[1.0, 2.0], [1.0, bad]]), np.zeros(2))
    with pytest.raises(ValueError, match="finite"):
        SubsetSums.from_floats(np.ones((1, 2)), np.array([bad]))


def test_floats_of_another_dtype_or_shape_raise():
    with pytest.raises(TypeError, match="float32 or float64"):
        SubsetSums.from_floats(np.ones((1, 2), dtype=np.int64), np.zeros(1))
    with pytest.raises(TypeError, match="targets must be"):
        SubsetSums.from_floats(np.ones((1, 2)), np.zeros(1, dtype=np.float16))
    with pytest.raises(ValueError, match=r"targets \(m,\)"):
        SubsetSums.from_floats(np.ones((1, 2)), np.zeros(2))
    with pytest.raises(ValueError, match=r"samples \(m, n\)"):
        SubsetSums.from_floats(np.ones(2), np.zeros(2))


def test_wrong_integers_raise():
    one = np.ones((1, 2), dtype=np.int64)
    with pytest.raises(TypeError, match="from_floats"):
        SubsetSums(one.astype(np.int32), one[:, 0])
    with pytest.raises(TypeError, match="list"):
        SubsetSums([[1, 2]], one[:, 0])
    with pytest.raises(ValueError, match=r"targets \(m,\)"):
        SubsetSums(one, np.ones(2, dtype=np.int64))
    with pytest.raises(ValueError, match="at least one sample"):
        SubsetSums(np.ones((1, 0), dtype=np.int64), one[:, 0])


def test_a_wrong_unit_raises():
    samples, targets = np.ones((2, 2), dtype=np.int64), np.ones(2, dtype=np.int64)
    with pytest.raises(ValueError, match="exponent must be"):
        SubsetSums(samples, targets, exponent=np.ones(3, dtype=np.int64))
    with pytest.raises(ValueError, match="exponent must be"):
        SubsetSums(samples, targets, exponent=0.5)
    with pytest.raises(ValueError, match="rounding must be a float"):
        SubsetSums(samples, targets, rounding=np.ones(3))
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="rounding must be finite"):
            SubsetSums(samples, targets, rounding=bad)


def test_the_limit_on_sums_is_exact():
    half = np.int64(1) << 60
    samples, below = np.array([[-half, half // 2], [1, 1]]), np.array([half // 2 - 1, 0])
    assert SubsetSums(samples, below).m == 2
    with pytest.raises(ValueError, match=r"row 0 has sum .* >= 2\^61"):
        SubsetSums(samples, below + np.array([1, 0]))
    with pytest.raises(ValueError, match="row 1"):
        SubsetSums(np.array([[1, 1], [np.iinfo(np.int64).min, 0]]), np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="row 0"):
        SubsetSums(np.full((1, 40), np.iinfo(np.int64).min), np.zeros(1, dtype=np.int64))


@given(hnp.arrays(bool, st.tuples(st.integers(0, 5), st.integers(1, 200))))
def test_masks_and_booleans_are_the_same(chosen):
    masks = pack(chosen)
    assert masks.shape == (chosen.shape[0], -(-chosen.shape[1] // 64))
    assert (unpack(masks, chosen.shape[1]) == chosen).all()
    for row, words in zip(chosen, masks, strict=True):
        assert sum(1 << i for i, take in enumerate(row) if take) == sum(int(w) << 64 * j for j, w in enumerate(words))


@pytest.mark.parametrize("n", [1, 63, 64, 65, 130])
def test_residuals_and_sizes_are_those_of_the_masks(n):
    rng = np.random.default_rng(n)
    problem = SubsetSums(rng.integers(-(2**50), 2**50, (9, n)), rng.integers(-(2**50), 2**50, 9))
    chosen = rng.random((9, n)) < 0.5
    answer = Subsets(problem, pack(chosen), np.zeros(9, dtype=np.uint8))
    assert (answer.chosen == chosen).all()
    assert (answer.sizes == chosen.sum(axis=1)).all()
    expected = [naive.exact_residual(problem.samples[i], problem.targets[i], chosen[i]) for i in range(9)]
    assert answer.residuals.tolist() == expected
    assert (answer.residual_values == np.array(expected, dtype=np.float64) / 2.0**48).all()
    assert answer.failed == 0


def test_rows_that_failed_have_the_residual_of_the_empty_subset():
    problem = SubsetSums(np.array([[1], [2]]), np.array([5, 7]))
    answer = Subsets(problem, np.zeros((2, 1), dtype=np.uint64), np.array([1, 2], dtype=np.uint8))
    assert answer.residuals.tolist() == [-5, -7]
    assert answer.failed == 2


def test_wrong_answers_raise():
    problem = SubsetSums(np.array([[1, 2]]), np.array([5]))
    mask, found = np.ones((1, 1), dtype=np.uint64), np.zeros(1, dtype=np.uint8)
    with pytest.raises(ValueError, match="masks must be"):
        Subsets(problem, mask.astype(np.int64), found)
    with pytest.raises(ValueError, match="masks must be"):
        Subsets(problem, mask[:, 0], found)
    with pytest.raises(ValueError, match="status must be"):
        Subsets(problem, mask, found.astype(int))
    with pytest.raises(ValueError, match="0 to 2; got 3"):
        Subsets(problem, 0 * mask, np.full(1, 3, dtype=np.uint8))
    with pytest.raises(ValueError, match="beyond the last"):
        Subsets(problem, 4 * mask, found)
    with pytest.raises(ValueError, match="empty mask"):
        Subsets(problem, mask, np.full(1, Status.IMPOSSIBLE, dtype=np.uint8))


def test_a_number_that_underflows_beside_a_huge_one_counts_as_moved():
    problem = SubsetSums.from_floats(np.array([[1e300, 1e-300]]), np.array([0.0]))
    assert problem.samples[0, 1] == 0
    assert problem.rounding[0] >= 1e-300
