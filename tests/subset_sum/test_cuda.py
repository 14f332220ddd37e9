"""Tensors of any device give the subsets of the numba kernels, bit for bit, by torch alone and by Triton."""

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from slth.subset_sum import (
    SubsetSums,
    any_within,
    best,
    count_within,
    exactly,
    exactly_within,
    sparsest_within,
    tensor_questions,
    tensors,
)
from slth.subset_sum.kernels import cuda

needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

BYTES = 1 << 22


def drawn(m, n, reach, seed=0):
    rng = np.random.default_rng((seed, m, n, reach))
    return SubsetSums(rng.integers(-reach, reach + 1, (m, n)), rng.integers(-2 * reach, 2 * reach + 1, m))


def as_tensors(problem, device="cpu"):
    return torch.from_numpy(problem.samples).to(device), torch.from_numpy(problem.targets).to(device)


def words(masks):
    return masks.cpu().numpy().astype(np.uint64)[:, None]


def check_within(problem, reach, device="cpu", triton=None, tolerances=None):
    """Any subset within a tolerance: the subsets of the CPU."""
    x, t = as_tensors(problem, device)
    for tolerance in tolerances or (0, 1, reach >> 20, reach // 50, reach):
        limit = torch.full_like(t, tolerance)
        masks, status = tensor_questions.any_within(x, t, limit, BYTES, triton)
        expected = any_within(problem, tolerance)
        assert (words(masks) == expected.masks).all()
        assert (status.cpu().numpy() == expected.status).all()


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7, 12, 13, 20])
@pytest.mark.parametrize("reach", [2, 2**30, 2**50, 2**55])
def test_tensors_get_the_subsets_of_the_kernels(n, reach):
    problem = drawn(30, n, reach)
    x, t = as_tensors(problem)
    masks = cuda.best(x, t, BYTES)
    assert (words(masks) == best(problem).masks).all()
    assert (cuda.residuals(x, t, masks).numpy() == best(problem).residuals).all()
    check_within(problem, reach)
    for tolerance in (0, reach >> 20, reach // 50, reach):
        limit = torch.full_like(t, tolerance)
        masks, status = tensor_questions.sparsest_within(x, t, limit, BYTES)
        assert (words(masks) == sparsest_within(problem, tolerance).masks).all()
        assert (status.numpy() == sparsest_within(problem, tolerance).status).all()
        assert (tensor_questions.count_within(x, t, limit).numpy() == count_within(problem, tolerance)).all()
    for k in {0, 1, n // 2, n}:
        masks = tensor_questions.nearest_of_sizes(x, t, [k], torch.full_like(t, -1), BYTES)
        assert (words(masks) == exactly(problem, k).masks).all()


@pytest.mark.parametrize("n", [13, 21, 34])
def test_tensors_move_targets_as_the_kernels_do(n):
    samples, targets = drawn(2000, n, 2**40).samples, drawn(2000, n, 2**41).targets
    check_within(SubsetSums(samples, targets), 2**40, tolerances=(2**36,))


@pytest.mark.parametrize("n", [27, 29])
def test_samples_beyond_the_two_halves_take_part(n):
    problem = drawn(2, n, 2**50)
    assert (words(cuda.best(*as_tensors(problem))) == best(problem).masks).all()
    limit = torch.full((2,), 1 << 40)
    assert (tensor_questions.count_within(*as_tensors(problem), limit).numpy() == count_within(problem, 1 << 40)).all()


def test_sums_next_to_the_limit_do_not_overflow():
    half = 1 << 60
    samples = np.array([[half, half // 2, half // 4 - 1], [-half, -half // 2, -(half // 4) + 1], [half, -half // 2, 7]])
    problem = SubsetSums(samples, np.array([-(half // 4), half // 4, -(half // 4)]))
    assert (words(cuda.best(*as_tensors(problem))) == best(problem).masks).all()
    check_within(problem, 1 << 59)


def test_the_memory_bound_changes_no_answer():
    problem = drawn(50, 15, 2**40)
    x, t = as_tensors(problem)
    limit = torch.full_like(t, 1 << 28)
    assert (cuda.best(x, t, 1) == cuda.best(x, t)).all()
    for question in (tensor_questions.any_within, tensor_questions.sparsest_within):
        tight, loose = question(x, t, limit, 1), question(x, t, limit, 1 << 28)
        assert (tight[0] == loose[0]).all()
        assert (tight[1] == loose[1]).all()


def test_an_empty_batch_has_an_empty_answer():
    x, t = torch.zeros((0, 14), dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
    assert cuda.best(x, t).shape == (0,)
    for question in (tensor_questions.any_within, tensor_questions.sparsest_within):
        assert question(x, t, t, BYTES)[0].shape == (0,)


INTERPRETED = """
import sys
sys.path.insert(0, "tests/subset_sum")
import test_cuda
from slth.subset_sum import best
from slth.subset_sum.kernels import cuda
for n in (1, 2, 5, 6, 7, 10, 13, 17):
    for reach in (2, 2**55):
        problem = test_cuda.drawn(2, n, reach)
        masks = cuda.best(*test_cuda.as_tensors(problem), triton=True)
        assert (test_cuda.words(masks) == best(problem).masks).all(), (n, reach)
    test_cuda.check_within(test_cuda.drawn(35, n, 40), 40, triton=True, tolerances=(0, 2))
    test_cuda.check_within(test_cuda.drawn(2, n, 2**50), 2**50, triton=True, tolerances=(2**30,))
print("agree")
"""


@needs_triton
def test_triton_kernels_get_the_subsets_of_the_cpu_when_interpreted():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED], env=environment, cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "agree", done.stderr


@needs_triton
@pytest.mark.parametrize("capability", [80, 90])
def test_triton_kernels_compile_without_a_device(capability):
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from slth.subset_sum.kernels import triton_search

    pointers = ("a", "b", "goals", "gaps", "lows"), ("samples", "targets", "tolerances", "limits", "found")
    constants = (
        {"N": 1024, "STEPS": 10, "KEYS": 256, "FAR": (1 << 63) - 1},
        {"P": 12, "BLOCK": 6, "MORE": 6, "ROWS": 32},
    )
    integers = (), ("m", "row_stride", "column_stride")
    kernels = triton_search.closest_kernel, triton_search.blocks_kernel
    for kernel, at, plain, fixed in zip(kernels, pointers, integers, constants, strict=True):
        signature = dict.fromkeys(at, "*i64") | dict.fromkeys(plain, "i32") | dict.fromkeys(fixed, "constexpr")
        source = ASTSource(kernel, signature, constexprs=fixed)
        assert triton.compile(source, target=GPUTarget("cuda", capability, 32)).asm["cubin"]


@needs_cuda
@pytest.mark.parametrize("n", [1, 6, 12, 13, 21, 28])
@pytest.mark.parametrize("reach", [2, 2**30, 2**55])
def test_a_cuda_device_gets_the_subsets_of_the_cpu(n, reach):
    problem = drawn(40, n, reach)
    x, t = as_tensors(problem, "cuda")
    for triton in {False, cuda.uses_triton("cuda")}:
        assert (words(cuda.best(x, t, triton=triton)) == best(problem).masks).all()
        check_within(problem, reach, "cuda", triton)
    limit = torch.full_like(t, reach // 50)
    assert (
        words(tensor_questions.sparsest_within(x, t, limit, BYTES)[0]) == sparsest_within(problem, reach // 50).masks
    ).all()
    assert (tensor_questions.count_within(x, t, limit).cpu().numpy() == count_within(problem, reach // 50)).all()


@needs_cuda
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64])
@pytest.mark.parametrize("n", [9, 21, 40])
def test_arrays_are_answered_on_the_cuda_device_as_on_the_cpu(dtype, n):
    scale = 2.0**40 if dtype == torch.int64 else 1.0
    generator = torch.Generator().manual_seed(n)
    x = ((2 * torch.rand(50, n, generator=generator, dtype=torch.float64) - 1) * scale).to(dtype)
    t = ((torch.rand(50, generator=generator, dtype=torch.float64) - 0.5) * scale).to(dtype)
    epsilon = 1 << 30 if dtype == torch.int64 else 1e-3
    for question, options in (
        (best, {}),
        (any_within, {"epsilon": epsilon}),
        (sparsest_within, {"epsilon": epsilon}),
        (exactly, {"size": 4}),
        (exactly_within, {"size": 4, "epsilon": epsilon}),
    ):
        if n > 34 and question is not any_within:
            continue
        here = tensors.solve_arrays(x, t, question, **options)
        there = tensors.solve_arrays(x.cuda(), t.cuda(), question, **options)
        for part in ("chosen", "residuals", "status", "units", "exponent", "rounding"):
            one, other = getattr(here, part), getattr(there, part)
            assert other.device.type == "cuda"
            assert other.dtype == one.dtype
            assert (other.cpu() == one).all()
