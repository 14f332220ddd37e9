"""numpy and torch in, the same library, device and dtype out."""

import subprocess
import sys
from contextlib import contextmanager

import naive
import numpy as np
import pytest
import torch

from slth.subset_sum import (
    Status,
    SubsetSums,
    any_within,
    best,
    count_within,
    exactly,
    exactly_within,
    sparsest_within,
    tensor_grid,
    tensors,
    tolerance_on_grid,
)
from slth.subset_sum.tensor_form import Form
from slth.subset_sum.tensors import solve_arrays

QUESTIONS = {
    "best": (best, False, False),
    "any_within": (any_within, True, False),
    "sparsest_within": (sparsest_within, True, False),
    "exactly": (exactly, False, True),
    "exactly_within": (exactly_within, True, True),
}
DTYPES = ["float32", "float64", "int64"]


@pytest.fixture
def elsewhere(monkeypatch):
    """Within this, CPU tensors are treated as those of another device."""

    @contextmanager
    def pretend():
        with monkeypatch.context() as patch:
            patch.setattr(Form, "elsewhere", True)
            yield

    return pretend


def rows(dtype, m=40, n=11, seed=0):
    rng = np.random.default_rng((seed, m, n))
    samples, targets = rng.uniform(-1, 1, (m, n)), rng.uniform(-0.5, 0.5, m)
    if dtype == "int64":
        samples, targets = np.rint(samples * 2**48), np.rint(targets * 2**48)
    return samples.astype(dtype), targets.astype(dtype)


def options(name, dtype):
    _, within, sized = QUESTIONS[name]
    epsilon = {"epsilon": 1 << 38 if dtype == "int64" else 1e-3} if within else {}
    return epsilon | ({"size": 4} if sized else {})


def answer_of_the_package(name, samples, targets):
    question, within, sized = QUESTIONS[name]
    dtype = str(samples.dtype)
    problem = SubsetSums(samples, targets) if dtype == "int64" else SubsetSums.from_floats(samples, targets)
    arguments = [4] if sized else []
    if within:
        arguments.append(1 << 38 if dtype == "int64" else tolerance_on_grid(1e-3, problem.exponent, problem.rounding))
    return question(problem, *arguments)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", QUESTIONS)
def test_arrays_and_tensors_get_the_answers_of_the_package(name, dtype):
    samples, targets = rows(dtype)
    expected = answer_of_the_package(name, samples, targets)
    assert 0 <= expected.failed < 40
    for move in (np.asarray, torch.from_numpy):
        answer = solve_arrays(move(samples), move(targets), QUESTIONS[name][0], **options(name, dtype))
        chosen, residuals, status = answer.chosen, answer.residuals, answer.status
        assert type(chosen) is type(residuals) is type(status) is type(move(samples))
        assert [str(a.dtype).removeprefix("torch.") for a in (chosen, residuals, status)] == ["bool", dtype, "uint8"]
        assert (np.asarray(chosen) == expected.chosen).all()
        assert (np.asarray(status) == expected.status).all()
        assert (np.asarray(answer.units) == expected.residuals).all()
        assert (np.asarray(answer.exponent) == (0 if dtype == "int64" else expected.problem.exponent)).all()
        assert (np.asarray(answer.rounding) == expected.problem.rounding).all()
        assert (np.asarray(residuals) == (expected.residuals if dtype == "int64" else
                                          expected.residual_values.astype(dtype))).all()  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", QUESTIONS)
def test_the_way_of_other_devices_gives_the_same_bits(name, dtype, elsewhere):
    samples, targets = (torch.from_numpy(a) for a in rows(dtype, n=14))
    here = solve_arrays(samples, targets, QUESTIONS[name][0], **options(name, dtype))
    with elsewhere():
        there = solve_arrays(samples, targets, QUESTIONS[name][0], max_bytes=1 << 20, **options(name, dtype))
    for part in ("chosen", "residuals", "status", "units", "exponent", "rounding"):
        one, other = getattr(here, part), getattr(there, part)
        assert one.dtype == other.dtype
        assert (one == other).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_residuals_are_the_exact_ones_rounded_to_nearest(dtype):
    samples, targets = rows(dtype, n=7)
    answer = solve_arrays(samples, targets)
    for row in range(40):
        exact = naive.exact_residual(samples[row], targets[row], answer.chosen[row])
        assert exact == naive.Fraction(int(answer.units[row])) / 2 ** int(answer.exponent[row])
        near = answer.residuals[row]
        beside = [np.nextafter(near, near.dtype.type(side)) for side in (-np.inf, np.inf)]
        away = abs(naive.Fraction(float(near)) - exact)
        assert all(away <= abs(naive.Fraction(float(other)) - exact) for other in beside)


@pytest.mark.parametrize("scale", [1e-310, 1e-300, 1e-30, 1.0, 1e30, 1e300])
@pytest.mark.parametrize("span", [0, 12, 300])
def test_tensors_are_put_on_the_grid_of_the_package(scale, span):
    rng = np.random.default_rng(5)
    samples = rng.uniform(-1, 1, (30, 6)) * 10.0 ** -rng.uniform(0, span, (30, 6)) * scale
    samples[3], samples[:, 2] = 0, samples[:, 1]
    targets = rng.uniform(-1, 1, 30) * scale
    targets[3:5] = 0
    for dtype in (np.float64, np.float32) if 1e-30 <= scale <= 1e30 else (np.float64,):
        x, t = samples.astype(dtype), targets.astype(dtype)
        problem = SubsetSums.from_floats(x, t)
        integers, goals, exponent, rounding = tensor_grid.to_grid(torch.from_numpy(x), torch.from_numpy(t))
        assert (integers.numpy() == problem.samples).all()
        assert (goals.numpy() == problem.targets).all()
        assert (exponent.numpy() == problem.exponent).all()
        assert (rounding.numpy() >= problem.rounding).all()
        assert span == 300 or (rounding.numpy() == problem.rounding).all()


def test_int64_data_is_not_copied(monkeypatch):
    seen = []

    def noting(problem):
        seen.append(problem)
        return best(problem)

    monkeypatch.setattr(tensors, "QUESTIONS", (noting,))
    samples, targets = (torch.from_numpy(a) for a in rows("int64"))
    solve_arrays(samples, targets, noting)
    assert np.shares_memory(seen[0].samples, samples.numpy())


def test_strided_tensors_and_tensors_with_a_gradient_are_read():
    samples, targets = rows("float64", n=12)
    expected = solve_arrays(samples[:, ::2], targets)
    x = torch.from_numpy(samples)[:, ::2].requires_grad_()
    answer = solve_arrays(x, torch.from_numpy(targets))
    assert (answer.chosen.numpy() == expected.chosen).all()
    assert not answer.residuals.requires_grad


def test_one_tolerance_per_row_may_be_an_array_or_a_tensor():
    samples, targets = np.array([[4.0, 8.0]] * 2), np.array([6.0, 6.0])
    for move in (np.asarray, torch.from_numpy):
        epsilon = move(np.array([1.0, 2.0]))
        answer = solve_arrays(move(samples), move(targets), any_within, epsilon=epsilon)
        assert answer.status.tolist() == [Status.IMPOSSIBLE, Status.FOUND]
        assert answer.residuals.tolist() == [-6, -2]


def test_long_rows_are_answered():
    samples, targets = (torch.from_numpy(a) for a in rows("float32", m=3, n=70))
    answer = solve_arrays(samples, targets, any_within, epsilon=1e-4)
    assert answer.chosen.shape == (3, 70)
    assert (answer.residuals.abs() <= 1e-4).all()
    assert answer.status.tolist() == [0, 0, 0]


def test_an_empty_batch_has_an_empty_answer():
    for move in (np.asarray, torch.from_numpy):
        answer = solve_arrays(move(np.zeros((0, 4))), move(np.zeros(0)))
        assert (answer.chosen.shape, answer.residuals.shape, answer.status.shape) == ((0, 4), (0,), (0,))


def test_importing_the_package_does_not_import_torch():
    code = (
        "import sys, numpy, slth.subset_sum\n"
        "from slth.subset_sum.tensors import solve_arrays\n"
        "solve_arrays(numpy.ones((1, 2)), numpy.ones(1))\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_wrong_arrays_raise():
    samples, targets = rows("float64")
    x, t = torch.from_numpy(samples), torch.from_numpy(targets)
    for wrong in ((samples, t), (x, targets), (samples.tolist(), targets)):
        with pytest.raises(TypeError, match="both be numpy arrays or both be torch tensors"):
            solve_arrays(*wrong)
    for wrong in ((samples.astype(np.float32), targets), (samples.astype(np.float16), targets.astype(np.float16))):
        with pytest.raises(TypeError, match="share one dtype"):
            solve_arrays(*wrong)
    with pytest.raises(TypeError, match="share one dtype"):
        solve_arrays(x.bfloat16(), t.bfloat16())
    with pytest.raises(ValueError, match="one device"):
        solve_arrays(x, t.to("meta"))
    for move in (np.asarray, torch.from_numpy):
        with pytest.raises(ValueError, match=r"targets \(m,\)"):
            solve_arrays(move(samples), move(targets[:-1]))
        with pytest.raises(ValueError, match="finite"):
            solve_arrays(move(samples * np.nan), move(targets))


def test_wrong_questions_raise():
    samples, targets = rows("float64")
    with pytest.raises(TypeError, match="question must be best"):
        solve_arrays(samples, targets, count_within)
    for question, wrong in (
        (best, {"epsilon": 0.1}),
        (best, {"size": 2}),
        (any_within, {}),
        (exactly, {}),
        (exactly_within, {"size": 2}),
    ):
        with pytest.raises(TypeError, match=r"(needs|takes no) (epsilon|size)"):
            solve_arrays(samples, targets, question, **wrong)
    integers = rows("int64")
    with pytest.raises(TypeError, match="tolerance_on_grid"):
        solve_arrays(*integers, any_within, epsilon=0.5)
    for wrong in (np.ones(3), np.array("a"), np.ones((40, 1))):
        with pytest.raises(ValueError, match="one number or one for each of the 40 rows"):
            solve_arrays(samples, targets, any_within, epsilon=wrong)
    for wrong in (-0.1, np.nan):
        with pytest.raises(ValueError, match="epsilon must be >= 0"):
            solve_arrays(samples, targets, any_within, epsilon=wrong)
    with pytest.raises(ValueError, match="from 0 to n = 11"):
        solve_arrays(samples, targets, exactly, size=12)


def test_wrong_tensors_raise_on_other_devices_too(elsewhere):
    x, t = torch.ones((2, 3), dtype=torch.int64), torch.zeros(2, dtype=torch.int64)

    def ask(*arguments, **given):
        with elsewhere():
            return solve_arrays(*arguments, **given)

    for samples, targets in ((x, t[:1]), (x.double(), t[:1].double())):
        with pytest.raises(ValueError, match=r"targets \(m,\)"):
            ask(samples, targets)
    with pytest.raises(ValueError, match="finite"):
        ask(x.double() * torch.nan, t.double())
    for big in (1 << 61, -(1 << 61), -(1 << 63), (1 << 63) - 1):
        wrong = x.clone()
        wrong[1, 1] = big
        with pytest.raises(ValueError, match=r"row 1 has sum .* 2\^61"):
            ask(wrong, t)
    half = torch.tensor([[1 << 60, 1 << 59]])
    assert ask(half, torch.tensor([(1 << 59) - 1])).status.tolist() == [0]
    with pytest.raises(ValueError, match="row 0"):
        ask(half, torch.tensor([1 << 59]))
    with pytest.raises(ValueError, match="from 0 to n = 3"):
        ask(x, t, exactly, size=4)
    with pytest.raises(ValueError, match=">= 0"):
        ask(x, t, any_within, epsilon=-1)
    with pytest.raises(ValueError, match="at least one sample"):
        ask(x[:, :0], t)


def test_a_search_that_lies_is_caught(monkeypatch, elsewhere):
    from slth.subset_sum import tensor_questions

    def lie(samples, targets, *rest):
        return torch.ones_like(targets), torch.zeros(len(targets), dtype=torch.uint8)

    monkeypatch.setattr(tensor_questions, "any_within", lie)
    x, t = torch.full((2, 3), 4), torch.full((2,), 6)
    with elsewhere(), pytest.raises(AssertionError, match="bug"):
        solve_arrays(x, t, any_within, epsilon=1)
