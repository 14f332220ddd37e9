"""The checker: what it proves is true, what it accepts the package proves too, and the other way round."""

import ast
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from small import SCALAR, VECTOR, certificate, encode, random_pairs, wide

from slth.certificates import WORDING, slth_check
from slth.errors import Ball, Box, scalar, vector
from slth.errors.cells import exact_plane_error, plane_error
from slth.errors.exact import exact_error
from slth.errors.rounding import spectral_up
from slth.gadget import collapse
from slth.networks.layers import Dense
from slth.networks.target import Target
from slth.randomness import bits, stream_number

CHECKER = Path(slth_check.__file__)


def layers_of(content):
    m, shapes, tensors = slth_check.parse(content)
    return [slth_check.pair(i, m, shapes, tensors)[0] for i in range(len(m["claim"]["biases"]))]


# What it is -----------------------------------------------------------------------------------------------------------


def code_lines(text):
    """Lines that are neither blank, nor a comment, nor part of a docstring."""
    lines = {i for i, line in enumerate(text.splitlines(), 1) if line.strip() and not line.strip().startswith("#")}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def test_it_imports_numpy_and_the_standard_library_only():
    roots = set()
    for node in ast.walk(ast.parse(CHECKER.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            roots.add(node.module.split(".")[0])
    assert roots <= {"numpy"} | set(sys.stdlib_module_names)
    assert not roots & {"pickle", "marshal", "shelve", "zlib", "gzip", "zipfile", "importlib", "subprocess", "ctypes"}
    assert "__import__" not in CHECKER.read_text()


def test_it_has_at_most_200_lines_of_code():
    assert code_lines(CHECKER.read_text()) <= 200


def test_it_runs_alone_in_an_empty_folder_without_the_package(tmp_path):
    (tmp_path / "slth_check.py").write_bytes(CHECKER.read_bytes())
    (tmp_path / "t.safetensors").write_bytes(encode(certificate(*random_pairs(0, [3, 4, 2]))))
    trap = "import sys\nsys.modules['slth'] = None\nsys.argv = sys.argv[1:]\nexec(open('slth_check.py').read())"
    run = subprocess.run([sys.executable, "-I", "-c", trap, "slth_check.py", "t.safetensors"],
                         cwd=tmp_path, capture_output=True, text=True, check=False)  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("accepted: l2 error <= ")
    assert WORDING in run.stdout


def test_it_runs_as_a_module_of_the_package(tmp_path):
    (tmp_path / "t.safetensors").write_bytes(b"nothing")
    run = subprocess.run([sys.executable, "-m", "slth.certificates.slth_check", str(tmp_path / "t.safetensors")],
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert (run.returncode, run.stderr) == (11, "")
    assert run.stdout == "refused (11): the file is cut off or has no header\n"


def test_it_loads_neither_torch_nor_the_rest_of_the_package():
    line = (
        "import sys, slth.certificates.slth_check; "
        "print([m for m in sys.modules if m.split('.')[0] == 'slth'], 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert run.stdout == "['slth', 'slth.certificates', 'slth.certificates.slth_check'] False\n"


def test_its_wording_is_that_of_the_package():
    assert slth_check.WORDING == WORDING


# Its own stream -------------------------------------------------------------------------------------------------------


def test_philox_gives_both_known_answers():
    assert hex(np.random.Philox(key=0).random_raw()) == "0x2f4ba6408e4d89b"
    assert hex(np.random.Philox(key=0, counter=2**256 - 1).random_raw()) == "0x16554d9eca36314c"


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (-0.1, 0.7), (0.0, 2.0**-20)])
def test_it_draws_the_weights_of_the_package(seed, low, high):
    from slth.laws import Uniform

    m = {"seed": seed, "trial": 9, "law": {"low": low.hex(), "high": high.hex()}}
    for start, count in ((0, 1), (7, 2), (8, 8), (123, 1000)):
        wanted = Uniform(low, high).weights(bits(seed, stream_number(9, 5), start, count))
        assert np.array_equal(slth_check.drawn(m, 5, start, count), wanted)


def test_a_numpy_with_another_stream_is_noticed(monkeypatch):
    class Biased(np.random.Philox):
        def random_raw(self, count):
            words = super().random_raw(count)
            words[-1] ^= np.uint64(1)
            return words

    monkeypatch.setattr(np.random, "Philox", Biased)
    with pytest.raises(slth_check.Refused) as caught:
        slth_check.check(encode(certificate(*random_pairs(0, [2, 2]))))
    assert caught.value.args[0] == 28


# Exact errors, and norms from above -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("biases", [False, True])
def test_its_errors_are_those_of_the_package_bit_by_bit(seed, biases):
    target, ticket = random_pairs(seed, [20, 5, 9, 2][seed % 3 :], biases=biases, units=1 + 3 * (seed % 4))
    for own, theirs in zip(layers_of(encode(certificate(target, ticket))), collapse(target, ticket), strict=True):
        w, plus, minus, g, slip, b, both = own
        assert np.array_equal(w, theirs.target.matrix)
        assert np.array_equal(plus, theirs.plus)
        assert np.array_equal(minus, theirs.minus)
        assert np.array_equal(g, w + plus)
        assert np.array_equal(slip, theirs.shift)
        assert np.array_equal(b, theirs.target.shift)
        assert np.array_equal(both, b + slip)


def test_errors_do_not_depend_on_how_the_stream_is_cut(monkeypatch):
    target, ticket = random_pairs(3, [5, 7, 3], units=9)
    content = encode(certificate(target, ticket))
    whole = layers_of(content)
    for chunk in (8, 64, 1 << 10):
        monkeypatch.setattr(slth_check, "CHUNK", chunk)
        for a, b in zip(whole, layers_of(content), strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_masks_that_keep_nothing_give_the_target_itself_as_error():
    target, ticket = random_pairs(3, [3, 4, 2], keep=0.0)
    for w, plus, minus, g, *_ in layers_of(encode(certificate(target, ticket))):
        assert np.array_equal(plus, -w)
        assert np.array_equal(minus, -w)
        assert not g.any()


def rational_gram_bound(matrix, square):
    """Whether square - A A^T is positive semi-definite: elimination in Fractions."""
    a = [[Fraction(float(v)) for v in row] for row in matrix]
    n = len(a)
    rest = [[-sum(x * y for x, y in zip(row, other, strict=True)) for other in a] for row in a]
    for i in range(n):
        rest[i][i] += square
    for k in range(n):
        if rest[k][k] < 0 or (rest[k][k] == 0 and any(rest[k][k:])):
            return False
        for i in range(k + 1, n):
            if rest[k][k]:
                f = rest[i][k] / rest[k][k]
                rest[i] = [x - f * y for x, y in zip(rest[i], rest[k], strict=True)]
    return True


@pytest.mark.parametrize("seed", range(20))
def test_the_spectral_norm_is_above_the_exact_one_and_within_a_billionth_of_the_package(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 8, 2)
    matrix = rng.integers(-(2**53), 2**53, shape) * 2.0 ** -int(rng.integers(30, 90))
    norm = slth_check.spectral(matrix)
    assert rational_gram_bound(matrix if shape[0] <= shape[1] else matrix.T, norm**2)
    assert not rational_gram_bound(matrix if shape[0] <= shape[1] else matrix.T, (norm * (1 - Fraction(1, 10**9))) ** 2)
    assert abs(float(norm) / spectral_up(matrix) - 1) < 1e-9


def test_the_spectral_norm_is_above_for_a_wrong_eigenvalue(monkeypatch):
    matrix = np.random.default_rng(0).integers(-99, 99, (4, 6)) / 64
    truth = slth_check.spectral(matrix)
    right = np.linalg.eigvalsh
    for factor in (0.0, 0.5, 0.9999, 1 - 1e-12, 1.1, 3.0):
        monkeypatch.setattr(np.linalg, "eigvalsh", lambda gram, factor=factor: factor * right(gram))
        norm = slth_check.spectral(matrix)
        assert norm >= truth * (1 - Fraction(1, 10**12))
        assert rational_gram_bound(matrix, norm**2)


def test_norms_of_zero_are_zero():
    assert slth_check.spectral(np.zeros((2, 3))) == 0
    assert slth_check.infinity(np.zeros((2, 3))) == 0


@pytest.mark.parametrize("seed", range(20))
def test_the_row_sum_is_above_the_exact_one(seed):
    matrix = np.random.default_rng(seed).normal(size=(1, 300))
    exact = sum(abs(Fraction(float(v))) for v in matrix[0])
    assert exact <= slth_check.infinity(matrix) <= exact * (1 + Fraction(1, 10**12))


# Its bound ------------------------------------------------------------------------------------------------------------


def domains(d):
    rng = np.random.default_rng(d)
    low = rng.normal(size=d)
    return [
        Ball(d),
        Ball(d, 0.3),
        Box.cube(d),
        Box.cube(d, 0.0, 1.0),
        Box.cube(d, 0.25, 0.5),
        Box(low, low + rng.random(d)),
    ]


@pytest.mark.parametrize("which", range(6))
@pytest.mark.parametrize("biases", [False, True])
def test_it_proves_what_the_package_proves_up_to_a_billionth(which, biases):
    for seed in range(6):
        target, ticket = random_pairs(seed, [3, 6, 5, 2][: 2 + seed % 3], biases=biases)
        domain = domains(3)[which]
        claim = certificate(target, ticket, domain)
        _, proved = slth_check.check(encode(claim))
        layers = collapse(target, ticket)
        wanted = scalar(layers, domain).value
        wanted = min(wanted, vector(layers, domain).value) if isinstance(domain, Box) else wanted
        assert abs(float(proved) / wanted - 1) < 1e-9


@pytest.mark.parametrize("shift", [1, 3, 60])
@pytest.mark.parametrize("which", range(6))
def test_it_proves_as_much_where_the_target_is_much_smaller_than_the_ticket(which, shift):
    """Then the other splitting of the difference is the better one, and the ticket's own norms matter."""
    for seed in range(4):
        target, ticket = random_pairs(seed, [3, 6, 5, 2])
        small = Target(tuple(Dense(layer.weight >> shift) for layer in target.layers))
        domain = domains(3)[which]
        layers = collapse(small, ticket)
        wanted = scalar(layers, domain).value
        wanted = min(wanted, vector(layers, domain).value) if isinstance(domain, Box) else wanted
        assert abs(float(slth_check.check(encode(certificate(small, ticket, domain)))[1]) / wanted - 1) < 1e-9


def plain(w, plus=0.0, b=0.0):
    """A layer of the checker's form, float64."""
    w = np.atleast_2d(w)
    plus, b = np.full(w.shape, plus), np.full(len(w), b)
    return w, plus, plus, w + plus, 0 * b, b, b


@pytest.mark.parametrize("seed", range(10))
def test_ranges_are_outside_the_exact_ones(seed):
    rng = np.random.default_rng(seed)
    w, low = rng.integers(-(2**53), 2**53, (1, 50)) * 2.0**-50, rng.normal(size=50)
    high = low + rng.random(50)
    ends = [[Fraction(float(x)) * Fraction(float(y)) for x, y in zip(w[0], end, strict=True)] for end in (low, high)]
    highest = sum(max(pair) for pair in zip(*ends, strict=True)) + 400
    lowest = sum(min(pair) for pair in zip(*ends, strict=True)) + 400
    found = slth_check.vector([plain(w, b=400.0), plain([[0.0]], plus=1.0)], low, high)
    assert 0 <= found - highest <= highest / 10**12
    found = slth_check.vector([plain(w, b=400.0), plain([[-1.0]], b=900.0), plain([[0.0]], plus=1.0)], low, high)
    assert 0 <= found - (900 - lowest) <= highest / 10**12


@pytest.mark.parametrize("which", range(6))
@pytest.mark.parametrize("seed", range(5))
def test_what_it_proves_is_above_the_exact_error_at_every_point(which, seed):
    target, ticket = random_pairs(seed, [3, 5, 4, 2], biases=seed % 2 == 1)
    domain = domains(3)[which]
    _, proved = slth_check.check(encode(certificate(target, ticket, domain)))
    layers = collapse(target, ticket)
    points = list(domain.sample(8, np.random.default_rng(seed)))
    if isinstance(domain, Box):
        points += [domain.low, domain.high, np.clip(0.0, domain.low, domain.high)]
    assert all(exact_error(layers, x, domain) <= proved for x in points)


@pytest.mark.parametrize("seed", range(6))
def test_in_the_plane_what_it_proves_is_above_the_supremum(seed):
    target, ticket = random_pairs(seed, [2, 5, 4, 3][: 2 + seed % 3])
    layers = collapse(target, ticket)
    _, proved = slth_check.check(encode(certificate(target, ticket)))
    assert plane_error(layers, Ball(2)) <= float(proved) * (1 + 1e-11)
    box = Box.cube(2, -1.0, 0.75)
    _, proved = slth_check.check(encode(certificate(target, ticket, box)))
    assert exact_plane_error(layers, box) <= proved
    if target.depth == 1:
        assert proved <= exact_plane_error(layers, box) * (1 + Fraction(1, 10**12))


def test_a_perfect_ticket_has_error_zero_and_may_claim_it():
    target, ticket = random_pairs(1, [3, 4, 2], spread=0.0)
    box = Box.cube(3, 0.0, 1.0)  # negative inputs meet other units
    assert not collapse(target, ticket)[0].positive.any()
    manifest, proved = slth_check.check(encode(certificate(target, ticket, box)))
    assert (proved, float.fromhex(manifest["claim"]["error"])) == (0, 0.0)


def test_the_claim_may_be_what_is_proved_but_nothing_less():
    target, ticket = random_pairs(1, [2, 3, 2])
    _, proved = slth_check.check(encode(certificate(target, ticket)))
    above = float(proved) if float(proved) >= proved else np.nextafter(float(proved), 2)
    slth_check.check(encode(certificate(target, ticket, error=float(above))))
    with pytest.raises(slth_check.Refused) as caught:
        slth_check.check(encode(certificate(target, ticket, error=float(np.nextafter(above, 0)))))
    assert caught.value.args[0] == 30


@pytest.mark.parametrize("method", [SCALAR, VECTOR, "splitting"])
def test_the_method_decides_only_how_a_refusal_is_called(method):
    target, ticket = random_pairs(1, [2, 3, 2])
    slth_check.check(encode(certificate(target, ticket, method=method)))
    with pytest.raises(slth_check.Refused) as caught:
        slth_check.check(encode(certificate(target, ticket, method=method, error=1e-9)))
    assert caught.value.args[0] == (29 if method == "splitting" else 30)


@pytest.mark.parametrize(
    "content",
    [
        encode(certificate(*random_pairs(0, [40, 50, 10], units=20))),
        wide(1, 300_000, False),
        wide(8, 300_000, True),
        wide(64, 100_000, False),
        wide(3000, 3000, True),
    ],
    ids=len,
)
def test_memory_is_bounded_by_the_size_of_the_file(content):
    tracemalloc.start()
    with suppress(slth_check.Refused):
        slth_check.check(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 128 * len(content) + (64 << 20)


@pytest.mark.slow
def test_a_ticket_of_400_000_weights_is_checked_within_300_megabytes():
    target, ticket = random_pairs(0, [784, 500, 10], units=28)
    content = encode(certificate(target, ticket))
    tracemalloc.start()
    slth_check.check(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250e6  # and the interpreter with numpy
