"""Every question takes numpy and torch, float32, float64 and integers, one instance and a batch, and gives the same."""

from contextlib import contextmanager, suppress
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import slth.subset_sum as ss
from slth.subset_sum import Status, SubsetSums, VectorSums, solve_arrays, tensor_units, tensors
from slth.subset_sum.tensor_form import Form, received

UNIT = 256
EPSILON, REACH, BOUND, CELL = 9, 300, 80, 2
LENGTHS = {"epsilon", "reach", "bound", "cell"}

# Options in units of 1 / 256, by the names of solve_arrays.
CASES = {
    "best": {},
    "any_within": {"epsilon": EPSILON},
    "sparsest_within": {"epsilon": EPSILON},
    "exactly": {"size": 3},
    "exactly_within": {"size": 3, "epsilon": EPSILON},
    "few_exactly": {"size": 2},
    "few_within": {"size": 1, "epsilon": EPSILON, "tries": 50},
    "sparsest_few": {"size": 3, "epsilon": EPSILON},
    "steered": {"size": 4, "bound": BOUND, "pairs": 3},
    "golden_within": {"epsilon": 60, "reach": REACH},
    "trimmed_within": {"epsilon": EPSILON, "reach": REACH, "cell": CELL},
    "best_signs": {},
    "signs_within": {"epsilon": EPSILON},
    "best_ternary": {},
    "ternary_within": {"epsilon": EPSILON},
    "nearest_integer": {},
    "represent": {},
    "best_vector": {"size": 4},
    "vector_within": {"epsilon": 40},
    "nearest_for_all": {},
    "any_for_all": {"epsilon": EPSILON},
}
VECTORS, SHARED = {"best_vector", "vector_within"}, {"nearest_for_all", "any_for_all"}
MOVES = {"numpy": np.asarray, "torch": torch.from_numpy}
PACKAGE = {"epsilon": "tolerance"}


def integers(name, m=6, n=9, seed=1):
    """Odd integers, so that 2^-8 is the coarsest grid of their 256th parts."""
    rng = np.random.default_rng((seed, m, n))
    tail = (2,) if name in VECTORS else ()
    samples = 2 * rng.integers(-38, 38, (n,) if name in SHARED else (m, n, *tail)) + 1
    return samples, rng.integers(-90, 90, (m, *tail))


def options(name, scale):
    return {key: value / scale if scale > 1 and key in LENGTHS else value for key, value in CASES[name].items()}


def as_dtype(array, dtype):
    return (array / UNIT).astype(dtype) if dtype.startswith("float") else array.astype(dtype)


def answer_of_the_package(name, samples, targets):
    """(chosen, residuals, status) of the integers themselves."""
    question = getattr(ss, name)
    given = {PACKAGE.get(key, key): value for key, value in CASES[name].items()}
    if "size" in given and name not in VECTORS:
        given["largest" if name == "sparsest_few" else "k"] = given.pop("size")
    if name in SHARED:
        answer = question(samples, targets, **given)
        chosen = (answer.masks[:, None] >> np.arange(len(samples), dtype=np.uint64) & np.uint64(1)).astype(bool)
        return chosen, answer.residuals, answer.status
    answer = question((VectorSums if name in VECTORS else SubsetSums)(samples, targets), **given)
    answer = answer.answer if name == "steered" else answer
    chosen = answer.coefficients if hasattr(answer, "coefficients") else answer.chosen
    return chosen, answer.residuals, answer.status


def kind(array):
    return type(array), str(array.dtype).removeprefix("torch.")


@pytest.mark.parametrize("library", MOVES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int64"])
@pytest.mark.parametrize("name", CASES)
def test_dyadic_numbers_get_the_exact_answer_of_the_integers_in_the_form_given(name, dtype, library):
    samples, targets = integers(name)
    chosen, residuals, status = answer_of_the_package(name, samples, targets)
    assert (status == Status.FOUND).any()
    floats = dtype.startswith("float")
    given = options(name, UNIT if floats else 1)
    move = MOVES[library]
    x, t = move(as_dtype(samples, dtype)), move(as_dtype(targets, dtype))
    answer = solve_arrays(x, t, getattr(ss, name), **given)
    assert (np.asarray(answer.chosen) == chosen).all()
    assert (np.asarray(answer.status) == status).all()
    assert (np.asarray(answer.residuals) == (residuals / UNIT if floats else residuals)).all()
    if name == "golden_within" and floats:
        assert (np.ldexp(np.asarray(answer.units), -np.asarray(answer.exponent)) == residuals / UNIT).all()
    else:
        assert (np.asarray(answer.units) == residuals).all()
        assert (np.asarray(answer.exponent) == (8 if floats else 0)).all()
    assert (np.asarray(answer.rounding) == 0).all()
    signs = name in ("best_signs", "signs_within", "best_ternary", "ternary_within")
    library_of = type(x)
    assert kind(answer.chosen) == (library_of, "int8" if signs else "bool")
    assert kind(answer.residuals) == (library_of, dtype if floats else "int64")
    assert kind(answer.status) == (library_of, "uint8")
    assert kind(answer.units) == kind(answer.exponent) == (library_of, "int64")
    assert kind(answer.rounding) == (library_of, "float64")
    # One instance at a time: the same without the first axis.
    for row in range(len(t)):
        one = solve_arrays(x if name in SHARED else x[row], move(np.asarray(t[row])), getattr(ss, name), **given)
        for part in ("chosen", "residuals", "status", "units", "exponent", "rounding"):
            assert kind(getattr(one, part)) == kind(getattr(answer, part))
            assert np.array_equal(np.asarray(getattr(one, part)), np.asarray(getattr(answer, part))[row])


def test_what_a_question_knows_beyond_the_subset_comes_along():
    samples, targets = integers("best_vector")
    for move in MOVES.values():
        answer = solve_arrays(move(samples / UNIT), move(targets / UNIT), ss.best_vector)
        assert kind(answer.lower_bounds) == kind(answer.residuals)
        assert (np.asarray(answer.lower_bounds) == np.abs(np.asarray(answer.residuals)).max(axis=1)).all()
        assert answer.beyond is None
        x, t = (move(array) for array in integers("steered"))
        answer = solve_arrays(x, t * 1000, ss.steered, size=4)
        assert kind(answer.beyond) == (type(x), "bool")
        assert bool(answer.beyond.all())
        assert answer.lower_bounds is None
        assert np.asarray(answer.status).tolist() == [Status.UNRESOLVED] * 6


def test_lower_bounds_are_rounded_down():
    problem = VectorSums(np.array([[[(1 << 59) + 1, 0]]]), np.array([[1 << 60, 0]]))
    exact = ss.best_vector(problem).lower_bounds
    form, grid = Form("float32"), tensor_units.Grid(None, None, np.array([48]), np.array([2.0**-48]))
    (found,) = tensors._below(form, grid, exact)
    assert Fraction(float(found)) * 2**48 <= int(exact[0]) - 1
    assert Fraction(float(np.nextafter(found, np.float32(np.inf)))) * 2**48 > int(exact[0]) - 1
    assert (tensors._below(Form("int64"), grid, exact) == exact).all()
    assert tensors._below(Form("float64"), grid, np.array([1])) == 0


# Floats that do not fit on one grid: everything that is claimed holds for the numbers themselves.

wide = st.one_of(
    st.integers(-40, 40).map(lambda i: i / 8),
    st.floats(-4, 4),
    st.sampled_from([0.1, 0.3, 2.0**-70, -(2.0**-70), 1 + 2.0**-52, 1e-300, 5e-324, 1e18, -1e18]),
)
row_of = st.lists(wide, min_size=1, max_size=5)
tolerance = st.one_of(st.sampled_from([0.5, 1.0, 0.1, 1e-3]), st.floats(1e-3, 3))


def sums_of(samples, coefficients=(0, 1)):
    """(coefficients, exact sum) of every combination."""
    found = [((), Fraction(0))]
    for x in samples:
        found = [((*taken, c), total + c * Fraction(float(x))) for taken, total in found for c in coefficients]
    return found


WITHIN = {
    "any_within": ({}, (0, 1), lambda c, n: True),
    "sparsest_within": ({}, (0, 1), lambda c, n: True),
    "exactly_within": ({"size": 1}, (0, 1), lambda c, n: sum(c) == 1),
    "few_within": ({"size": 1}, (0, 1), lambda c, n: sum(c) == 1),
    "sparsest_few": ({"size": 1}, (0, 1), lambda c, n: sum(c) <= 1),
    "steered": ({"size": 1}, (0, 1), lambda c, n: sum(c) == 1),
    "trimmed_within": ({}, (0, 1), lambda c, n: True),
    "signs_within": ({}, (-1, 1), lambda c, n: True),
    "ternary_within": ({}, (-1, 0, 1), lambda c, n: True),
    "any_for_all": ({}, (0, 1), lambda c, n: True),
}


def exact_residual(answer, samples, target):
    return sum(int(c) * Fraction(float(x)) for c, x in zip(answer.chosen, samples, strict=True)) - Fraction(
        float(target)
    )


def check_distance(answer, samples, target):
    """The float and the grid residual are as near to the exact one as promised."""
    exact = exact_residual(answer, samples, target)
    on_grid = Fraction(int(answer.units)) / Fraction(2) ** int(answer.exponent)
    assert abs(on_grid - exact) <= Fraction(float(answer.rounding))
    shown, away = Fraction(float(answer.residuals)), np.spacing(np.abs(answer.residuals))
    assert abs(shown - on_grid) <= Fraction(float(away))
    return abs(exact)


@settings(max_examples=40, deadline=None)
@given(row_of, wide, tolerance)
@pytest.mark.parametrize("name", WITHIN)
def test_found_and_impossible_hold_for_the_numbers_as_they_were_given(name, samples, target, epsilon):
    given_options, coefficients, allowed = WITHIN[name]
    x, t = np.array(samples), np.array(target)

    def ask():
        return solve_arrays(x, t, getattr(ss, name), epsilon=epsilon, **given_options)

    if max(map(abs, (*samples, target))) > 1e9 * epsilon:
        # The rounding may exceed epsilon, or a window may have too many cells: refused, or right.
        with suppress(ValueError):
            check_verdict(ask(), x, t, epsilon, coefficients, allowed)
    else:
        check_verdict(ask(), x, t, epsilon, coefficients, allowed)


def check_verdict(answer, x, t, epsilon, coefficients, allowed):
    if answer.status == Status.FOUND:
        assert check_distance(answer, x, t) <= Fraction(epsilon)
        assert allowed([int(c) for c in answer.chosen], len(x))
    elif answer.status == Status.IMPOSSIBLE:
        exact = [abs(total - Fraction(float(t))) for c, total in sums_of(x, coefficients) if allowed(c, len(x))]
        assert min(exact) > Fraction(epsilon)


@settings(max_examples=40, deadline=None)
@given(row_of, wide)
@pytest.mark.parametrize("name", ["best", "exactly", "few_exactly", "best_signs", "best_ternary", "nearest_for_all"])
def test_no_subset_is_nearer_by_more_than_twice_the_rounding(name, samples, target):
    sized = {"size": 1} if name in ("exactly", "few_exactly") else {}
    coefficients = {"best_signs": (-1, 1), "best_ternary": (-1, 0, 1)}.get(name, (0, 1))
    x, t = np.array(samples), np.array(target)
    answer = solve_arrays(x, t, getattr(ss, name), **sized)
    exact = check_distance(answer, x, t)
    others = [
        abs(total - Fraction(target)) for c, total in sums_of(samples, coefficients) if not sized or sum(c) == 1
    ]  # fmt: skip
    assert exact - min(others) <= 2 * Fraction(float(answer.rounding))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(wide, wide), min_size=1, max_size=4), st.tuples(wide, wide))
def test_lower_bounds_of_vectors_hold_for_the_numbers_as_they_were_given(samples, target):
    x, t = np.array(samples), np.array(target)
    answer = solve_arrays(x, t, ss.best_vector)
    columns = [sums_of(x[:, c]) for c in range(2)]
    nearest = min(
        max(abs(one[1] - Fraction(target[0])), abs(other[1] - Fraction(target[1])))
        for one, other in zip(*columns, strict=True)
    )
    assert Fraction(float(answer.lower_bounds)) <= nearest


def test_a_row_that_the_rounding_leaves_open_is_unresolved_and_not_impossible(elsewhere):
    # 1 + 2^-70 is on no grid beside 1e3: one of the two tolerances is missed, the other is not.
    x, t = np.array([[2.0**-70, 1e3, 1.0]] * 2), np.array([5e2, 2.0])
    answer = solve_arrays(x, t, ss.any_within, epsilon=np.array([499.0, 1.0]))
    assert answer.status.tolist() == [Status.UNRESOLVED, Status.UNRESOLVED]
    assert (answer.rounding > 0).all()
    assert not answer.chosen.any()
    assert solve_arrays(x, t, ss.any_within, epsilon=0.9).status.tolist() == [Status.IMPOSSIBLE] * 2
    with elsewhere():
        tensor = solve_arrays(torch.from_numpy(x), torch.from_numpy(t), ss.any_within, epsilon=np.array([499.0, 1.0]))
    assert tensor.status.tolist() == [Status.UNRESOLVED, Status.UNRESOLVED]


def test_a_subset_that_only_the_grid_moves_beyond_epsilon_is_not_called_impossible():
    # Beside 2^57 the grid has the unit 1, where 10.75 is 11: within 10.8, but not on the grid.
    answer = solve_arrays(np.array([2.0**57, 10.75]), 0.0, ss.few_within, size=1, epsilon=10.8)
    assert answer.exponent == 0
    assert answer.status == Status.UNRESOLVED
    assert solve_arrays(np.array([2.0**57, 10.75]), 0.0, ss.few_within, size=1, epsilon=9.9).status == Status.IMPOSSIBLE


def test_signs_of_floats_that_fill_the_grid_find_room_on_a_coarser_one():
    x = np.array([0.99, 0.98, 0.97, 0.99, 0.98, 1e-20])
    assert (ss.SubsetSums.from_floats(x[None], np.array([0.9])).samples.sum(axis=1) >= 1 << 59).all()
    for name in ("best_signs", "best_ternary"):
        answer = solve_arrays(x, 0.9, getattr(ss, name))
        assert 0 < answer.rounding < 1e-16
        check_distance(answer, x, np.array(0.9))


@pytest.fixture
def elsewhere(monkeypatch):
    """Within this, CPU tensors are treated as those of another device."""

    @contextmanager
    def pretend():
        with monkeypatch.context() as patch:
            patch.setattr(Form, "elsewhere", True)
            yield

    return pretend


def test_rows_of_different_magnitude_get_their_own_lengths():
    samples, targets = integers("trimmed_within")
    scale = 2.0 ** np.array([0, -30, 0, -30, 7, -30])
    x, t = samples / UNIT * scale[:, None], targets / UNIT * scale
    for name in ("trimmed_within", "golden_within", "steered"):
        sized = {"size": 4} if name == "steered" else {"epsilon": 64 / UNIT}
        length = {"bound" if name == "steered" else "reach": 300.0}
        whole = solve_arrays(x, t, getattr(ss, name), **sized, **length)
        assert len(np.unique(whole.exponent)) == (1 if name == "golden_within" else 3)
        for row in range(6):
            one = solve_arrays(x[row], t[row], getattr(ss, name), **sized, **length)
            assert (one.chosen == whole.chosen[row]).all()
            assert one.status == whole.status[row]


def test_numbers_stand_for_every_row():
    x = np.array([[0.5, 0.25], [1.0, 0.75]], dtype=np.float32)
    for move in MOVES.values():
        for number in (1, 1.0, move(np.array(1.0, dtype=np.float32))):
            assert solve_arrays(move(x), number).residuals.tolist() == [-0.25, 0.0]
    assert solve_arrays(x, np.float32(1)).residuals.tolist() == [-0.25, 0.0]
    assert solve_arrays(np.array([3, 5]), 7).residuals == 1
    assert solve_arrays(np.array([[3, 5]], dtype=np.int8), 300).residuals.tolist() == [-292]


def test_empty_batches_have_empty_answers():
    for name in CASES:
        samples, targets = integers(name)
        x = samples if name in SHARED else samples[:0]
        answer = solve_arrays(x / UNIT, targets[:0] / UNIT, getattr(ss, name), **options(name, UNIT))
        assert answer.chosen.shape == (0, 9)
        assert len(answer.residuals) == len(answer.status) == len(answer.rounding) == 0


def test_shared_samples_of_the_dyadic_grid_are_not_rounded_however_many_targets_there_are():
    rng = np.random.default_rng(3)
    samples = rng.integers(-(1 << 48), 1 << 48, 12) / 2.0**48
    targets = rng.integers(-(1 << 48), 1 << 48, 50_000) / 2.0**48
    answer = solve_arrays(samples, targets, ss.nearest_for_all)
    assert (answer.rounding == 0).all()
    assert (answer.exponent == 48).all()
    zeros = solve_arrays(np.zeros(3), np.zeros(2), ss.any_for_all, epsilon=0.0)
    assert (zeros.residuals == 0).all()


def test_products_of_the_weight_grid_enter_without_rounding():
    rng = np.random.default_rng(4)
    odd = 2 * rng.integers(-(1 << 23), 1 << 23, (2, 30, 30)) + 1
    x, t = odd[0] * odd[1] / 2.0**48, np.rint(rng.uniform(-0.5, 0.5, 30) * 2**48) / 2.0**48
    for name in ("any_within", "signs_within", "ternary_within"):
        answer = solve_arrays(x, t, getattr(ss, name), epsilon=1e-3)
        assert (answer.rounding == 0).all()


def test_sums_beyond_the_range_of_the_dtype_are_infinite():
    x = np.full(3, 3e38, dtype=np.float32)
    assert np.isinf(solve_arrays(x, np.float32(-3e38), ss.exactly, size=3).residuals)


def test_wrong_forms_raise():
    x, t = np.ones((2, 3)), np.ones(2)
    for samples, targets, error, words in (
        (x, "1", TypeError, "both be numpy arrays or both be torch tensors"),
        (x, True, TypeError, "both be numpy"),
        ([[1.0]], 1.0, TypeError, "both be numpy"),
        (torch.ones(2, 3), np.float32(1), TypeError, "both be numpy"),
        (np.ones((2, 3), dtype=bool), np.ones(2, dtype=bool), TypeError, "share one dtype"),
        (np.ones((2, 3), dtype=np.uint8), np.ones(2, dtype=np.uint8), TypeError, "share one dtype"),
        (x.astype(complex), t.astype(complex), TypeError, "share one dtype"),
        (x.astype(int), t, TypeError, "share one dtype"),
        (x, t.astype(int), TypeError, "share one dtype"),
        (x.astype(">f8"), t, TypeError, "share one dtype"),
        (x.astype(int), 0.5, TypeError, "so the target must be one"),
        (x.astype(int), 1 << 70, ValueError, "does not fit"),
        (x, 10**400, ValueError, "does not fit"),
        (x[None], t, ValueError, r"samples \(m, n\) and targets \(m,\)"),
        (x[0], t, ValueError, "nearest_for_all"),
        (x, np.ones((2, 1)), ValueError, "expected samples"),
        (np.array(1.0), np.array(1.0), ValueError, "expected samples"),
        (x * np.inf, t, ValueError, "finite"),
        (x, t * np.nan, ValueError, "finite"),
    ):
        with pytest.raises(error, match=words):
            solve_arrays(samples, targets)
    for samples, targets in ((x[None], np.ones((2, 2))), (x, t), (x[0], 1.0)):
        with pytest.raises(ValueError, match=r"samples \(m, n, d\) and targets \(m, d\)"):
            solve_arrays(samples, targets, ss.best_vector)
    for samples, targets in ((x, t), (x[0], x)):
        with pytest.raises(ValueError, match=r"samples \(n,\) and targets \(m,\)"):
            solve_arrays(samples, targets, ss.nearest_for_all)
    with pytest.raises(ValueError, match="finite; 1 of 5"):
        solve_arrays(np.array([1.0, np.inf, 2.0]), t, ss.nearest_for_all)
    with pytest.raises(ValueError, match="one epsilon for all targets"):
        solve_arrays(x[0], t, ss.any_for_all, epsilon=t)


def test_wrong_lengths_raise():
    x, t = np.ones((2, 3)), np.ones(2)
    for wrong, error, words in (
        (np.inf, ValueError, "reach must be finite"),
        (np.nan, ValueError, "reach must be finite"),
        (1e300, ValueError, "tolerance must be|at most 2"),
        ("far", TypeError, "reach must be one number"),
        (np.ones(2), TypeError, "reach must be one number"),
        (-0.5, ValueError, "reach must be an integer"),
    ):
        for question in (ss.golden_within, ss.trimmed_within):
            with pytest.raises(error, match=words):
                solve_arrays(x, t, question, epsilon=0.6, reach=wrong)
    with pytest.raises(TypeError, match="one integer, as the samples are integers"):
        solve_arrays(x.astype(int), 1, ss.golden_within, epsilon=1, reach=2.0)
    with pytest.raises(TypeError, match="golden_within needs reach"):
        solve_arrays(x, t, ss.golden_within, epsilon=0.5)
    with pytest.raises(TypeError, match="best takes no reach"):
        solve_arrays(x, t, reach=2.0)


def test_a_cell_is_rounded_down_but_not_to_nothing():
    assert tensor_units.length("cell", 0.1, 2, Form("float64")) == 1
    assert tensor_units.length("cell", 0.9, 2, Form("float64")) == 3
    assert tensor_units.length("bound", torch.tensor(0.9), 2, Form("float64")) == 4


def test_received_keeps_tensors_where_they_are():
    x = torch.ones(3, requires_grad=True)
    form, samples, targets = received(x, 2)
    assert form == Form("float32", torch.device("cpu"), True)
    assert samples.shape == (1, 3)
    assert targets.dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("name", CASES)
def test_tensors_of_a_cuda_device_are_answered_there(name, dtype):
    samples, targets = (torch.from_numpy(as_dtype(array, dtype)) for array in integers(name))
    given_options = options(name, UNIT if dtype.startswith("float") else 1)
    here = solve_arrays(samples, targets, getattr(ss, name), **given_options)
    there = solve_arrays(samples.cuda(), targets.cuda(), getattr(ss, name), **given_options)
    for part in ("chosen", "residuals", "status", "units", "exponent", "rounding"):
        one, other = getattr(here, part), getattr(there, part)
        assert other.device.type == "cuda"
        assert other.dtype == one.dtype
        assert (other.cpu() == one).all()
