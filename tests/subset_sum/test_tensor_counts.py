"""Counts, windows and exact integers of arrays: the package's integers, and true of the numbers as they were given."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from slth.subset_sum import (
    Status,
    SubsetSums,
    best,
    count_arrays,
    count_by_size,
    count_within,
    cover_arrays,
    covers,
    integer_arrays,
    representable,
    samples_for_all,
    worst_error_arrays,
    worst_errors,
)
from slth.subset_sum.tensor_form import Form

UNIT = 256
MOVES = {"numpy": np.asarray, "torch": torch.from_numpy}
FLOATS = ["float32", "float64"]
every_form = [(library, dtype) for library in MOVES for dtype in [*FLOATS, "int16", "int64"]]


def integers(m=6, n=8, seed=1):
    rng = np.random.default_rng((seed, m, n))
    return 2 * rng.integers(-38, 38, (m, n)) + 1, rng.integers(-90, 90, m)


def cast(array, dtype):
    return (array / UNIT).astype(dtype) if dtype in FLOATS else array.astype(dtype)


def kind(array):
    return type(array), str(array.dtype).removeprefix("torch.")


def same_one_by_one(ask, x, ends, move, parts):
    """One row at a time gives the rows of the batch, without the first axis."""
    whole = ask(x, ends)
    for row in range(len(ends)):
        one = ask(x[row], move(np.asarray(ends[row])))
        for part in parts:
            single, batch = (getattr(a, part) if part else a for a in (one, whole))
            assert kind(single) == kind(batch)
            assert np.array_equal(np.asarray(single), np.asarray(batch)[row])
    return whole


@pytest.mark.parametrize(("library", "dtype"), every_form)
@pytest.mark.parametrize("question", [count_within, count_by_size])
def test_counts_are_those_of_the_integers(question, library, dtype):
    samples, targets = integers()
    move, expected = MOVES[library], question(SubsetSums(samples, targets), 9)
    epsilon = 9 / UNIT if dtype in FLOATS else 9

    def ask(x, t):
        return count_arrays(x, t, question, epsilon=epsilon)

    x, t = move(cast(samples, dtype)), move(cast(targets, dtype))
    counts = same_one_by_one(ask, x, t, move, ("at_least", "at_most", "rounding"))
    assert (np.asarray(counts.at_least) == expected).all()
    assert (np.asarray(counts.at_most) == expected).all()
    assert kind(counts.at_least) == kind(counts.at_most) == (type(x), "int64")
    assert kind(counts.rounding) == (type(x), "float64")
    assert not np.asarray(counts.rounding).any()


@pytest.mark.parametrize(("library", "dtype"), every_form)
@pytest.mark.parametrize("size", [None, 4])
def test_worst_errors_and_covers_are_those_of_the_integers(size, library, dtype):
    samples, _ = integers()
    windows = np.array([10, 30, 50, 70, 90, 100])
    exact = worst_errors(SubsetSums(samples, windows), windows, size)
    move, unit = MOVES[library], UNIT if dtype in FLOATS else 1
    x, ends = move(cast(samples, dtype)), move(cast(windows, dtype))
    parts = ("errors", "targets", "units", "exponent", "rounding")
    worst = same_one_by_one(lambda a, b: worst_error_arrays(a, b, size=size), x, ends, move, parts)
    assert (np.asarray(worst.errors) == exact.doubled_errors / 2 / unit).all()
    assert (np.asarray(worst.targets) == exact.doubled_targets / 2 / unit).all()
    assert (np.ldexp(np.asarray(worst.units), -np.asarray(worst.exponent)) == exact.doubled_errors / 2 / unit).all()
    assert kind(worst.errors) == kind(worst.targets) == (type(x), dtype if dtype in FLOATS else "float64")
    assert kind(worst.units) == kind(worst.exponent) == (type(x), "int64")
    assert not np.asarray(worst.rounding).any()
    for epsilon in (3, 20):
        expected = covers(SubsetSums(samples, windows), windows, epsilon, size)
        given_epsilon = epsilon / unit if dtype in FLOATS else epsilon
        covered = same_one_by_one(
            lambda a, b, e=given_epsilon: cover_arrays(a, b, epsilon=e, size=size), x, ends, move, ("",)
        )  # fmt: skip
        assert (np.asarray(covered) == expected).all()
        assert kind(covered) == (type(x), "uint8")


@pytest.mark.parametrize("library", MOVES)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_exact_integers_come_back_in_the_kind_given(library, dtype):
    samples = np.random.default_rng(2).integers(-30, 31, (5, 9))
    x = MOVES[library](samples.astype(dtype))
    for question, name in ((representable, "bool"), (samples_for_all, "int64")):
        found = integer_arrays(x, 12, question)
        assert kind(found) == (type(x), name)
        assert (np.asarray(found) == question(samples, 12)).all()
        for row in range(5):
            assert np.array_equal(np.asarray(integer_arrays(x[row], 12, question)), question(samples, 12)[row])
    assert integer_arrays(x[:, :0], 1).tolist() == [[False, True, False]] * 5


wide = st.one_of(
    st.integers(-24, 24).map(lambda i: i / 8),
    st.floats(-3, 3),
    st.sampled_from([0.1, 0.3, 2.0**-70, 1 + 2.0**-52, 1e-300, 5e-324, 1e18, -1e18]),
)
row_of = st.lists(wide, min_size=1, max_size=5)


def exact_sums(samples):
    found = [Fraction(0)]
    for x in samples:
        found += [total + Fraction(float(x)) for total in found]
    return found


def exact_worst(samples, window):
    """The largest distance of [-R, R] from the nearest sum: at an end, or half way between neighbours."""
    totals, end = sorted(set(exact_sums(samples))), Fraction(float(window))
    places = [-end, end] + [(a + b) / 2 for a, b in pairwise(totals) if abs(a + b) <= 2 * end]
    return max(min(abs(place - total) for total in totals) for place in places)


@settings(max_examples=150, deadline=None)
@given(row_of, wide, st.floats(0, 3))
def test_counts_enclose_those_of_the_numbers_as_they_were_given(samples, target, epsilon):
    counts = count_arrays(np.array(samples), target, epsilon=epsilon)
    exact = sum(abs(total - Fraction(target)) <= Fraction(epsilon) for total in exact_sums(samples))
    assert counts.at_least <= exact <= counts.at_most
    assert counts.at_least == counts.at_most or counts.rounding > 0


@settings(max_examples=150, deadline=None)
@given(row_of, st.one_of(st.floats(0, 4), st.sampled_from([0.0, 0.1, 1e18, 2.0**-70])), st.floats(0, 3))
def test_windows_are_judged_for_the_numbers_as_they_were_given(samples, window, epsilon):
    x = np.array(samples)
    exact = exact_worst(samples, window)
    worst = worst_error_arrays(x, window)
    on_grid = Fraction(int(worst.units)) / Fraction(2) ** int(worst.exponent)
    assert abs(on_grid - exact) <= Fraction(float(worst.rounding))
    assert abs(Fraction(float(worst.errors)) - on_grid) <= Fraction(float(np.spacing(worst.errors)))
    verdict = cover_arrays(x, window, epsilon=epsilon)
    assert verdict != Status.FOUND or exact <= Fraction(epsilon)
    assert verdict != Status.IMPOSSIBLE or exact > Fraction(epsilon)
    if verdict == Status.UNRESOLVED:
        slack = Fraction(float(worst.rounding)) + Fraction(max(1.0, window, *map(abs, samples))) / 2**48
        assert abs(exact - Fraction(epsilon)) <= 2 * slack


def test_a_fraction_of_the_coarsest_grid_unit_decides_about_covering():
    # All integers from 0 to 7 are sums, so [-R, R] with R = 0.75 has the worst error 0.75, on a grid of quarters.
    x = np.array([1.0, 2.0, 4.0])
    assert worst_error_arrays(x, 0.75).errors == 0.75
    assert cover_arrays(x, 0.75, epsilon=0.75) == Status.FOUND
    assert cover_arrays(x, 0.75, epsilon=0.7499999) == Status.IMPOSSIBLE


def test_a_cover_by_half_a_unit_of_the_finest_grid_is_not_called_impossible():
    # The sums 0 and 2^-53 cover [0, 2^-53] within 2^-54, but six numbers up to 15 leave no bit for that.
    x = np.array([2.0**-53, 15, 15, 15, 15, 15])
    found = worst_error_arrays(x, 2.0**-53)
    assert (found.exponent, found.rounding) == (54, 0)
    assert found.errors == 2.0**-53
    x[1] = -(2.0**-53)
    assert worst_error_arrays(x, 2.0**-53).errors == 2.0**-54
    assert cover_arrays(x, 2.0**-53, epsilon=2.0**-54) == Status.UNRESOLVED
    assert cover_arrays(x, 2.0**-53, epsilon=2.0**-53) == Status.FOUND


def test_counts_of_other_devices_are_counted_there(monkeypatch):
    samples, targets = integers(m=20)
    x, t = torch.from_numpy(samples / UNIT), torch.from_numpy(targets / UNIT)
    x[3, 0], x[4, 1] = 2.0**-70, 0.1
    here = count_arrays(x, t, epsilon=0.25)
    seen = []
    from slth.subset_sum import tensor_questions

    def noting(*arguments):
        seen.append(arguments)
        return there(*arguments)

    there = tensor_questions.count_within
    monkeypatch.setattr(tensor_questions, "count_within", noting)
    monkeypatch.setattr(Form, "elsewhere", True)
    for part in ("at_least", "at_most", "rounding"):
        assert (getattr(count_arrays(x, t, epsilon=0.25), part) == getattr(here, part)).all()
    assert seen
    assert (here.rounding > 0).sum() == 1


def test_a_tolerance_below_the_rounding_certifies_no_subset_and_no_cover():
    x = np.array([1e18, 0.1])
    counts = count_arrays(x, 1e18, epsilon=0.0)
    assert (counts.at_least, counts.at_most) == (0, 2)
    # 0.1 is rounded away beside 1e18, where 0.0 then is covered without any error.
    assert cover_arrays(x, 0.0, epsilon=0.0) == Status.UNRESOLVED


def test_empty_batches_have_empty_answers():
    x, t = np.zeros((0, 4)), np.zeros(0)
    assert count_arrays(x, t, count_by_size, epsilon=0.1).at_least.shape == (0, 5)
    assert cover_arrays(x, t, epsilon=0.1).shape == worst_error_arrays(x, t).errors.shape == (0,)
    assert integer_arrays(np.zeros((0, 4), dtype=np.int32), 3).shape == (0, 7)


def test_wrong_requests_raise():
    x, t = np.ones((2, 3)), np.ones(2)
    with pytest.raises(TypeError, match="count_within or count_by_size"):
        count_arrays(x, t, best, epsilon=0.1)
    with pytest.raises(TypeError, match="representable or samples_for_all"):
        integer_arrays(x, 3, best)
    with pytest.raises(TypeError, match="signed integers; got float64"):
        integer_arrays(x, 3)
    with pytest.raises(TypeError, match="signed integers"):
        integer_arrays(x.astype(np.uint8), 3)
    with pytest.raises(TypeError, match="both be numpy arrays or both be torch"):
        integer_arrays([[1, 2]], 3)
    with pytest.raises(ValueError, match="expected samples"):
        integer_arrays(np.ones((1, 1, 1), dtype=int), 3)
    with pytest.raises(ValueError, match="largest"):
        integer_arrays(x.astype(int), -1)
    for ask in (lambda a, b: count_arrays(a, b, epsilon=0.1), worst_error_arrays):
        with pytest.raises(ValueError, match=r"targets \(m,\)"):
            ask(x, t[:1])
        with pytest.raises(ValueError, match="finite"):
            ask(x * np.nan, t)
        with pytest.raises(TypeError, match="share one dtype"):
            ask(x.astype(np.float16), t.astype(np.float16))
    for wrong in (-0.1, np.nan):
        with pytest.raises(ValueError, match="epsilon must be >= 0"):
            count_arrays(x, t, epsilon=wrong)
        with pytest.raises(ValueError, match="epsilon must be >= 0"):
            cover_arrays(x, t, epsilon=wrong)
    with pytest.raises(ValueError, match=r"needs R >= 0; got -1\.0"):
        worst_error_arrays(x, -t)
    with pytest.raises(ValueError, match="from 0 to n = 3"):
        worst_error_arrays(x, t, size=4)
    with pytest.raises(TypeError, match="tolerance must be an integer"):
        count_arrays(x.astype(int), t.astype(int), epsilon=0.5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
def test_answers_stay_on_a_cuda_device(dtype):
    samples, targets = integers()
    x, t = (torch.from_numpy(cast(array, dtype)) for array in (samples, abs(targets)))
    epsilon = 9 / UNIT if dtype in FLOATS else 9
    for question in (count_within, count_by_size):
        here, there = (
            count_arrays(x, t, question, epsilon=epsilon),
            count_arrays(x.cuda(), t.cuda(), question, epsilon=epsilon),
        )
        assert there.at_least.is_cuda
        assert (there.at_least.cpu() == here.at_least).all()
        assert (there.at_most.cpu() == here.at_most).all()
    assert (cover_arrays(x.cuda(), t.cuda(), epsilon=epsilon).cpu() == cover_arrays(x, t, epsilon=epsilon)).all()
    worst = worst_error_arrays(x.cuda(), t.cuda())
    assert worst.errors.is_cuda
    assert (worst.errors.cpu() == worst_error_arrays(x, t).errors).all()
    if dtype == "int64":
        assert integer_arrays(x.cuda(), 50).is_cuda
        assert (integer_arrays(x.cuda(), 50).cpu() == integer_arrays(x, 50)).all()
