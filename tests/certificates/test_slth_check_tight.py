"""The tighter checker: it proves what slth.errors claims by tighter methods, nothing below, and nothing false."""

import ast
import functools
import json
import struct
import subprocess
import sys
import tracemalloc
from contextlib import nullcontext, suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import typer
from problems import rational_difference
from small import certificate, encode, put_together, random_pairs, taken_apart
from test_fuzz import MUTATIONS
from typer.testing import CliRunner

from slth.certificates import Claim, load_certificate, save_certificate, slth_check, slth_check_tight
from slth.certificates.claim import MARGIN
from slth.commands_check import check
from slth.errors import Ball, Box
from slth.errors.averaged import averaged
from slth.errors.cells import exact_plane_error, plane_error
from slth.errors.coupled import coupled
from slth.errors.differential import differential
from slth.errors.exact import exact_error
from slth.errors.interval import Upper
from slth.errors.splitting import homogeneous, splitting
from slth.gadget import collapse
from slth.networks.examples import random_target
from slth.theorems import pensia2020_subset_sum
from slth.theorems.theorem import verify

CHECKER = Path(slth_check_tight.__file__)
COUPLED, LINES, SPLITTING, AVERAGED = slth_check_tight.METHODS


def ends_of(target, ticket, domain, boxes=150):
    """The upper ends by the methods of the checker."""
    layers = collapse(target, ticket)
    found = [coupled(layers, domain), differential(layers, domain), averaged(layers, domain)]
    if isinstance(domain, Box) or homogeneous(layers):
        split = splitting(layers, domain, boxes=boxes).upper
        found += [split] * bool(split.splits)
    return found


def file_of(target, ticket, domain, end, factor=1 + MARGIN):
    return encode(Claim(target, ticket, domain, end.value * factor, end.method, splits=end.splits))


def code_of(content, checker=slth_check_tight):
    try:
        checker.check(content)
    except slth_check.Refused as fault:
        return fault.args[0]
    return 0


def bound_of(content):
    """What the method of a claim proves, whatever the core proves."""
    with np.errstate(all="ignore"):
        m, shapes, tensors = slth_check.parse(content)
        layers = [slth_check.pair(i, m, shapes, tensors)[0] for i in range(len(m["claim"]["biases"]))]
        return slth_check_tight.METHODS[m["claim"]["method"]](layers, m["claim"]["domain"], tensors)


@functools.cache
def split_claim(ball=False, biases=False, widths=(2, 5, 4, 2), seed=3):
    """A claim by splitting below what every other method proves."""
    target, ticket = random_pairs(seed, list(widths), biases=biases)
    domain = Ball(widths[0]) if ball else Box.cube(widths[0], -1.0, 0.75)
    *others, end = ends_of(target, ticket, domain)
    assert end.method == SPLITTING
    assert end.value * (1 + 2 * MARGIN) < min(other.value for other in others)
    return target, ticket, domain, end


def random_problem(seed, inputs=None):
    """A net of one to four layers and a domain."""
    rng = np.random.default_rng([5, seed])
    inputs = int(rng.integers(1, 4)) if inputs is None else inputs
    widths = [inputs, *map(int, rng.integers(1, 6, 1 + seed % 4))]
    low = rng.normal(size=inputs)
    domains = (Ball(inputs), Ball(inputs, 0.3), Box.cube(inputs), Box.cube(inputs, 0.0, 1.0),
               Box(low, low + rng.random(inputs)))  # fmt: skip
    spread = 2.0 ** -int(rng.integers(1, 20))
    return widths, spread, domains[rng.integers(5)], rng


# What it is -----------------------------------------------------------------------------------------------------------


def test_it_imports_numpy_the_standard_library_and_the_smaller_checker_only():
    names = set()
    for node in ast.walk(ast.parse(CHECKER.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names |= {f"{node.module}.{alias.name}" if node.module == "slth.certificates" else node.module
                      for alias in node.names}  # fmt: skip
    assert {"slth.certificates.slth_check", "slth_check"} <= names
    rest = {name.split(".")[0] for name in names - {"slth.certificates.slth_check", "slth_check"}}
    assert rest <= {"numpy", "math", "fractions"}
    assert "__import__" not in CHECKER.read_text()


def test_it_runs_beside_the_smaller_checker_in_a_folder_without_the_package(tmp_path):
    for path in (CHECKER, Path(slth_check.__file__)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "slth.py").write_text("raise ImportError('the package must not be needed')")
    (tmp_path / "t.safetensors").write_bytes(file_of(*split_claim()))
    codes = {}
    for name in ("slth_check.py", "slth_check_tight.py"):
        run = subprocess.run([sys.executable, name, "t.safetensors"],
                             cwd=tmp_path, capture_output=True, text=True, check=False)  # fmt: skip
        assert run.stderr == ""
        codes[name] = run.returncode
    assert codes == {"slth_check.py": 29, "slth_check_tight.py": 0}
    assert run.stdout.startswith("accepted: linf error <= ")


def test_it_runs_as_a_module_of_the_package(tmp_path):
    (tmp_path / "t.safetensors").write_bytes(file_of(*split_claim(), factor=0.999))
    run = subprocess.run([sys.executable, "-m", "slth.certificates.slth_check_tight", str(tmp_path / "t.safetensors")],
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert (run.returncode, run.stderr) == (30, "")
    assert run.stdout.startswith("refused (30): the claimed error is not proved (")


# It proves what the package claims ------------------------------------------------------------------------------------


@functools.cache
def claimed_and_attained(seed, biases):
    """The ends of the package, each with its file, and the error at some points."""
    widths, spread, domain, rng = random_problem(seed)
    target, ticket = random_pairs(seed, widths, biases=biases, spread=spread)
    layers = collapse(target, ticket)
    points = [*domain.sample(6, rng), *([domain.low, domain.high] if isinstance(domain, Box) else [])]
    attained = max(exact_error(layers, point, domain) for point in points)
    return [(end, file_of(target, ticket, domain, end)) for end in ends_of(target, ticket, domain)], attained


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("seed", range(24))
def test_it_proves_every_end_of_the_package_by_these_methods(seed, biases):
    claims, attained = claimed_and_attained(seed, biases)
    for end, content in claims:
        assert code_of(content) == 0
        bound = bound_of(content)
        assert attained <= bound
        assert float(bound) == pytest.approx(end.value, rel=1e-9, abs=0)


@functools.cache
def claimed_in_the_plane(seed):
    """The files of the ends of the package, and their truth, less the rounding error if it is not exact."""
    widths, spread, domain, _ = random_problem(seed, inputs=2)
    target, ticket = random_pairs(seed, widths, spread=spread)
    layers = collapse(target, ticket)
    ends = ends_of(target, ticket, domain)
    assert ends[-1].method == SPLITTING
    exact = isinstance(domain, Box) and len(widths) < 5
    truth = exact_plane_error(layers, domain) if exact else plane_error(layers, domain) / (1 + 1e-11)
    return [file_of(target, ticket, domain, end) for end in ends], truth


@pytest.mark.parametrize("seed", range(12))
def test_in_the_plane_what_it_proves_is_above_the_supremum(seed):
    contents, truth = claimed_in_the_plane(seed)
    for content in contents:
        assert truth <= Fraction(bound_of(content))


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_at_a_point_every_output_is_bounded_within_rounding_of_the_exact_difference(seed, biases):
    rng = np.random.default_rng([6, seed])
    target, ticket = random_pairs(seed, [4, 9, 7, 5][: 2 + seed % 3], biases=biases)
    point = rng.normal(size=4)
    end = Upper(1.0, LINES)
    m, shapes, tensors = slth_check.parse(file_of(target, ticket, Box(point, point), end))
    layers = [slth_check.pair(i, m, shapes, tensors)[0] for i in range(target.depth)]
    truth = [abs(v) for v in rational_difference(collapse(target, ticket), point)]
    for by_lines in (False, True):
        with np.errstate(all="ignore"):
            found = slth_check_tight.errors(layers, slth_check_tight.Boxes(point[None], point[None]), by_lines)[0]
        assert all(Fraction(f) >= t for f, t in zip(found, truth, strict=True))
        assert found == pytest.approx([float(t) for t in truth], rel=1e-9, abs=1e-12)


def matrices(w, plus, slip, b):
    """A layer as slth_check gives it, with E- = E+."""
    return w, plus, plus, w + plus, slip, b, b + slip


def cancelling(rng):
    """Three layers whose second matrix nearly annihilates what comes out of the first: products lose all digits."""
    one, two = grid(rng.random((30, 4))), grid(rng.normal(size=(5, 30)))
    one[15:], two[:, 15:] = one[:15] + grid(2.0**-40 * rng.random((15, 4))), -two[:, :15]
    sizes = (one, two, grid(rng.normal(size=(2, 5))))
    return [matrices(w, grid(2.0**-9 * rng.normal(size=w.shape)), *np.zeros((2, len(w)))) for w in sizes]


def biased(rng):
    """Three layers where biases are nearly all there is."""
    sizes = [grid(rng.normal(size=shape)) for shape in ((30, 4), (30, 30), (3, 30))]
    return [matrices(w, grid(2.0**-9 * rng.normal(size=w.shape)), *grid(rng.normal(size=(2, len(w))))) for w in sizes]


def grid(values):
    """Multiples of 2^-47: sums of two of them are exact."""
    return np.rint(values * 2.0**47) * 2.0**-47


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("make", "size"), [(cancelling, 1.0), (biased, 2.0**-40)])
def test_forms_carried_back_to_a_point_are_above_their_exact_values(monkeypatch, make, size, seed):
    rng = np.random.default_rng([10, seed])
    layers, point = make(rng), rng.random(4) * size
    exact = np.vectorize(Fraction, otypes=[object])
    behind, z, y = [], exact(point), exact(point)
    for w, _, _, v, _, b, both in layers:
        z, y = exact(w) @ z + exact(b), exact(v) @ y + exact(both)
        z, y = np.maximum(z, 0), np.maximum(y, 0)
        behind.append((y - z, z))
    found = []
    carry = slth_check_tight.linear

    def recorded(on_d, on_h, shift, hidden, region):
        d, h = behind[len(hidden) - 1]
        bound = carry(on_d, on_h, shift, hidden, region)
        found.append((bound[0], exact(on_d) @ d + exact(on_h) @ h + exact(shift)))
        return bound

    monkeypatch.setattr(slth_check_tight, "linear", recorded)
    with np.errstate(all="ignore"):
        slth_check_tight.errors(layers, slth_check_tight.Boxes(point[None], point[None]))
    assert len(found) == 6  # z and D of the second layer, D of the third, from below and from above
    for place, (bounds, truths) in enumerate(found):
        if make is cancelling and place < 4:  # all units of the first layer are on, so that the lines are exact
            assert bounds == pytest.approx([float(truth) for truth in truths], rel=1e-6, abs=1e-9)
        assert all(Fraction(bound) >= truth for bound, truth in zip(bounds, truths, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_lines_are_above_and_below_what_they_bound(seed):
    rng = np.random.default_rng([7, seed])
    for _ in range(300):
        z, d = np.sort(rng.normal(size=2)), np.sort(rng.normal(size=2) * 2.0 ** rng.integers(-3, 2))
        y = np.array([z[0] + d[0], z[1] + d[1]]) * [1, 1] + [rng.random() * 0.3, 0]
        y[1] = max(y)
        with np.errstate(all="ignore"):
            curves = slth_check_tight.lines(*(np.array([[v]]) for v in (*z, *y, *d)))
        h_up, h_over, h_low, h_under, d_up, d_over, d_low, d_under = (Fraction(float(c[0, 0])) for c in curves)
        for _ in range(8):
            at, by = (
                Fraction(float(v)) for v in (rng.choice([*z, rng.uniform(*z)]), rng.choice([*d, rng.uniform(*d)]))
            )
            h, risen = max(at, 0), max(at + by, 0)
            assert h_low * at + h_under <= h <= h_up * at + h_over
            if y[0] <= at + by <= y[1]:
                assert d_low * by + d_under <= risen - h <= d_up * by + d_over


@pytest.mark.parametrize("ball", [False, True])
def test_bounds_do_not_depend_on_how_the_work_is_cut(monkeypatch, ball):
    contents = [file_of(*claim) for claim in (split_claim(ball), *others(ball))]
    wanted = [float(bound_of(content)) for content in contents]
    for name in ("PARTS", "ENTRIES"):
        monkeypatch.setattr(slth_check_tight, name, 8)
        assert [float(bound_of(content)) for content in contents] == pytest.approx(wanted, rel=1e-12)


def test_tiny_ends_are_moved_outward():
    ends = np.array([0.0, 2.0**-1000, -(2.0**-1000), 2.0**-900, -(2.0**-900), 1.0])
    low, high = slth_check_tight.wider(ends, ends)
    assert low.tolist() == [0.0, 0.0, -(2.0**-900), 2.0**-900, -(2.0**-900), 1.0]
    assert high.tolist() == [0.0, 2.0**-900, 0.0, 2.0**-900, -(2.0**-900), 1.0]


@pytest.mark.parametrize("seed", range(4))
def test_products_are_known_up_to_their_distance(seed):
    rng = np.random.default_rng([11, seed])
    parts = {name: (rng.normal(size=(4, 4)), Fraction(0)) for name in "abc"}
    chains = slth_check_tight.Chains(parts, {}, False)
    value, off = chains.product(tuple("abc"))
    a, b, c = (np.vectorize(Fraction, otypes=[object])(parts[name][0]) for name in "abc")
    distance = sum(d * d for d in (c @ (b @ a) - np.vectorize(Fraction, otypes=[object])(value)).ravel())
    assert 0 < distance <= off**2
    assert off < 1e-12
    assert chains.norm(tuple("abc")) >= slth_check.spectral(value) + off


@pytest.mark.parametrize("towards", [-np.inf, np.inf])
def test_what_a_relu_makes_of_a_difference_is_rounded_outward(towards):
    rng = np.random.default_rng(9)
    z, d = rng.normal(size=(2, 500))
    for a, b, found in zip(z, d, slth_check_tight.change(z, d, towards), strict=True):
        exact = max(Fraction(a) + Fraction(b), 0) - max(Fraction(a), 0)
        assert found >= exact if towards > 0 else found <= exact
        assert found == pytest.approx(float(exact), rel=1e-12)


def test_sums_that_may_not_be_exact_are_refused():
    def first(w, minus):
        w, minus = np.array([[w]]), np.array([[minus]])
        layer = w, 0 * w, minus, w, 0 * w[0], 0 * w[0], 0 * w[0]
        return slth_check_tight.first(layer, slth_check_tight.Ball(1.0, 1))

    assert -first(16.0, 16.0 - 2.0**-48)[2][0, 0] >= 32 - 2.0**-48
    with pytest.raises(slth_check.Refused) as caught:
        first(16.0, 16.0)
    assert caught.value.args[0] == 27


@pytest.mark.parametrize("ball", [False, True])
def test_the_claim_may_be_what_is_proved_but_nothing_less(ball):
    for target, ticket, domain, end in [split_claim(ball), *others(ball)]:
        proved = Fraction(bound_of(file_of(target, ticket, domain, end)))
        above = float(proved)
        above = above if above >= proved else float(np.nextafter(above, np.inf))
        for error, code in ((above, 0), (float(np.nextafter(above, 0)), 30)):
            assert code_of(file_of(target, ticket, domain, Upper(error, end.method, end.splits), 1)) == code


@functools.cache
def others(ball):
    """Claims by the other methods, below what the core proves."""
    target, ticket = random_pairs(3, [2, 5, 4, 2], spread=2.0**-3 if ball else 2.0**-6)
    domain = Ball(2) if ball else Box.cube(2, -1.0, 0.75)
    core = slth_check.check(encode(certificate(target, ticket, domain)))[1]
    found = [(target, ticket, domain, end) for end in ends_of(target, ticket, domain)[:3] if end.value < core / 2]
    assert found
    return found


def test_what_the_smaller_checker_proves_is_accepted_whatever_the_method():
    target, ticket = random_pairs(1, [2, 3, 2])
    for method in (*slth_check_tight.METHODS, "scalar recursion", "faith"):
        assert code_of(encode(certificate(target, ticket, method=method))) == 0


def test_an_unknown_method_is_refused_by_name_and_a_known_one_that_fails_is_not_proved():
    target, ticket = random_pairs(1, [2, 3, 2])
    for method in (COUPLED, LINES, AVERAGED, "scalar recursion", "vector recursion"):
        assert code_of(encode(certificate(target, ticket, method=method, error=1e-9))) == 30
    assert code_of(encode(certificate(target, ticket, method="faith", error=1e-9))) == 29
    assert code_of(encode(certificate(target, ticket, method="linear programs", error=1e-9))) == 29


def test_numbers_without_bound_prove_nothing():
    target, ticket = random_pairs(1, [2, 3, 2])
    huge = Ball(2, 2.0**100)
    for method in (COUPLED, LINES, AVERAGED):
        assert code_of(encode(certificate(target, ticket, huge, method=method, error=1.0))) == 30
        assert code_of(encode(certificate(target, ticket, huge, method=method))) == 0


@pytest.mark.parametrize(
    ("method", "work"),
    [(LINES, 7 * 4438), (SPLITTING, 5 * 7 * 4438), (AVERAGED, 16 * 160), (COUPLED, 0)],
)
def test_a_proof_beyond_the_work_of_the_specification_is_refused_before_it_starts(monkeypatch, method, work):
    """(1 + 4 + 2) forms; 400 units of 5 + 4 + 2 and 10 + 20 + 8 weights; 5 parts.

    160 is 5 2 2 + 4 2 2 + 2 2 2 + 4 5 4 + 2 5 2 + 2 4 2 for the products of one to three layers.
    """
    target, ticket = random_pairs(1, [2, 5, 4, 2])
    splits = b"\0" + b"\xff" * 5 if method == SPLITTING else b""
    content = encode(certificate(target, ticket, Box.cube(2), method=method, error=1e-9, splits=splits))
    monkeypatch.setattr(slth_check_tight, "MOST_WORK", work)
    assert code_of(content) == 30
    monkeypatch.setattr(slth_check_tight, "MOST_WORK", max(0, work - 1))
    for part in ("errors", "first", "Chains"):
        if method != COUPLED:
            monkeypatch.delattr(slth_check_tight, part)
    assert code_of(content) == (33 if work else 30)


def test_the_work_allowed_is_that_of_the_specification():
    assert slth_check_tight.MOST_WORK == 1 << 36


def test_norms_of_products_stay_short_numbers_however_many_there_are():
    chains = slth_check_tight.Chains({f"M{i}": (np.array([[1 / 3]]), 0) for i in range(128)}, {}, False)
    norm = chains.norm(tuple(f"M{i}" for i in range(128)))
    assert 0 < Fraction(1 / 3) ** 128 <= norm <= Fraction(1 / 3) ** 128 * (1 + Fraction(1, 10**9))
    assert all(norm == float(norm) for norm in chains.norms.values())


def test_tiny_domains_are_bounded_from_above():
    target, ticket = random_pairs(1, [2, 3, 2])
    for size in (2.0**-500, 2.0**-900, 2.0**-1000):
        for domain in (Ball(2, size), Box.cube(2, -size, size), Box.cube(2, 0.0, size)):
            layers = collapse(target, ticket)
            attained = max(exact_error(layers, x, domain) for x in ([size, 0.0], [0.0, size]))
            assert attained > 0
            for method in (COUPLED, LINES, AVERAGED):
                assert bound_of(encode(certificate(target, ticket, domain, method=method, error=1.0))) >= attained
            claim = certificate(target, ticket, domain, method=SPLITTING, error=1.0, splits=b"\xff" * 4)
            if isinstance(domain, Ball) or domain.low[0] < 0:
                assert bound_of(encode(claim)) >= attained


# The parts ------------------------------------------------------------------------------------------------------------


def with_splits(splits, claim=None, **changes):
    """The file of a claim by splitting with other parts, signed again."""
    manifest, tensors = taken_apart(file_of(*(claim or split_claim())))
    place = [name for name, *_ in tensors].index("splits")
    tensors[place : place + 1] = [["splits", "U8", [len(splits)], bytearray(splits)]] * bool(splits)
    return put_together(manifest | {"claim": manifest["claim"] | changes}, tensors)


def test_tampered_parts_are_refused_each_with_its_code():
    *_, end = split_claim()
    splits = end.splits
    assert len(splits) > 20
    assert code_of(with_splits(splits)) == 0
    axis = splits.index(1)
    cases = {
        "axis out of range": (splits[:axis] + b"\2" + splits[axis + 1 :], 31),
        "the last part missing": (splits[:-1], 31),
        "a part in the middle missing": (splits[:10] + splits[11:], 31),
        "a byte more": (splits + b"\xff", 31),
        "a whole tree more": (splits + splits, 31),
        "only the first face": (b"\xff", 31),
        "too deep": (bytes(1200) + b"\xff" * 1204, 31),
        "other axes": (bytes(b if b == 255 else 1 - b for b in splits), 30),
        "no splits at all": (b"\xff" * 4, 30),
        "nothing": (b"", 32),
    }
    assert {name: code_of(with_splits(changed)) for name, (changed, _) in cases.items()} == {
        name: code for name, (_, code) in cases.items()
    }


def test_parts_are_part_of_the_digest_and_of_the_header():
    manifest, tensors = taken_apart(file_of(*split_claim()))
    body = next(body for name, _, _, body in tensors if name == "splits")
    body[0] ^= 1
    assert code_of(put_together(manifest, tensors, sign=False)) == 18
    body[0] ^= 1
    other = put_together(manifest | {"claim": manifest["claim"] | {"method": LINES}}, tensors)
    assert code_of(other) == code_of(other, slth_check) == 17
    whole = put_together(manifest, tensors)
    assert [code_of(content) for content in (whole, whole + b"\0", whole[:-1])] == [0, 17, 17]


def test_a_ball_with_biases_has_no_parts():
    target, ticket = random_pairs(3, [2, 4, 2], biases=True)
    claim = certificate(target, ticket, Ball(2), method=SPLITTING, error=1e-9, splits=b"\xff" * 4)
    assert code_of(encode(claim)) == 32


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_cover_the_faces_and_nothing_twice(seed):
    rng = np.random.default_rng(seed)
    low = rng.integers(-3, 1, 3).astype(float)
    high = low + rng.integers(1, 4, 3)
    splits = bytearray()

    def tree(depth):
        splits.append(255 if depth == 5 or rng.random() < 0.3 else int(rng.integers(3)))
        if splits[-1] != 255:
            tree(depth + 1)
            tree(depth + 1)

    tree(0)
    parts = list(slth_check_tight.leaves(np.frombuffer(bytes(splits), np.uint8), [(low, high, 0)]))
    assert sum(float(np.prod(b - a)) for a, b in parts) == float(np.prod(high - low))
    for _ in range(50):
        x = rng.uniform(low, high)
        assert sum(bool((a <= x).all() and (x <= b).all()) for a, b in parts) == 1


def test_splitting_keeps_no_part_that_the_proof_does_not_need():
    target, ticket, domain, end = split_claim()
    layers = collapse(target, ticket)
    tight = splitting(layers, domain, gap=0.0, boxes=150)
    assert end.splits.count(255) <= tight.boxes
    loose = splitting(layers, domain, gap=10.0, boxes=150).upper
    assert set(loose.splits) == {255}


def test_domains_of_more_inputs_than_a_byte_names_have_no_parts():
    target, ticket = random_pairs(0, [256, 1], units=1)
    found = splitting(collapse(target, ticket), Box.cube(256), boxes=1).upper
    assert found.splits == b""
    claim = certificate(target, ticket, Box.cube(256), method=SPLITTING, error=1e-9, splits=b"\xff" * 512)
    assert code_of(encode(claim)) == 32


# Writing, reading, the command ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ball", [False, True])
def test_a_claim_by_splitting_is_written_with_its_parts_and_read_back_byte_by_byte(tmp_path, ball):
    target, ticket, domain, end = split_claim(ball)
    claim = Claim(target, ticket, domain, end.value * (1 + MARGIN), end.method, splits=end.splits)
    path = tmp_path / "t.safetensors"
    assert not save_certificate(claim, path)  # the smaller checker has no such method
    assert load_certificate(path).splits == end.splits
    assert encode(load_certificate(path)) == path.read_bytes() == encode(claim)


def test_a_claim_that_the_tighter_checker_refuses_is_not_written(tmp_path):
    target, ticket, domain, end = split_claim()
    for splits, code in ((end.splits[:-1], 31), (b"", 32)):
        claim = Claim(target, ticket, domain, end.value * (1 + MARGIN), end.method, splits=splits)
        with pytest.raises(ValueError, match=rf"refuses this claim \({code}\)"):
            save_certificate(claim, tmp_path / "t.safetensors")
    with pytest.raises(ValueError, match=r"\(30\)"):
        save_certificate(certificate(target, ticket, domain, method=LINES, error=1e-9), tmp_path / "t.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_splits_prove_no_other_method():
    target, ticket, domain, end = split_claim()
    with pytest.raises(ValueError, match="leave them out"):
        Claim(target, ticket, domain, 1.0, LINES, splits=end.splits)


def test_the_tightest_claim_of_a_theorems_certificate_carries_its_proof(tmp_path):
    found = verify(pensia2020_subset_sum, random_target([2, 4, 2], 0), 0.3, 0.1, 1, samples=16)
    claim = Claim.of(found, tightest=True)
    assert claim.error < Claim.of(found).error
    assert bool(claim.splits) == (claim.method == SPLITTING)
    save_certificate(claim, tmp_path / "t.safetensors")
    assert slth_check_tight.main([str(tmp_path / "t.safetensors")]) == 0


def command(*arguments):
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_says_how_a_tight_claim_is_proved(tmp_path):
    path = tmp_path / "t.safetensors"
    path.write_bytes(file_of(*split_claim()))
    run = command(path)
    assert run.exit_code == 29
    assert f"slth check {path} --tight" in run.output.replace("\n", "")
    assert json.loads(command(path, "--json").output)["try"] == f"slth check {path} --tight"
    run = command(path, "--tight")
    assert run.exit_code == 0
    assert "by slth_check_tight.py; the file names the method 'splitting'" in run.output
    assert json.loads(command(path, "--tight", "--json").output)["checker"] == "slth_check_tight"


def test_the_command_sends_nobody_to_a_checker_that_cannot_help(tmp_path):
    target, ticket = random_pairs(1, [2, 3, 2])
    path = tmp_path / "t.safetensors"
    path.write_bytes(encode(certificate(target, ticket, method="faith", error=1e-9)))
    assert "try" not in json.loads(command(path, "--json").output)
    assert command(path, "--tight").exit_code == 29


# Damage ---------------------------------------------------------------------------------------------------------------


def splits_changed(rng, content):
    """Bytes of the tree changed, added or cut, and signed again."""
    manifest, tensors = taken_apart(content)
    for tensor in tensors:
        if tensor[0] == "splits":
            body = tensor[3]
            for _ in range(rng.integers(1, 4)):
                body[rng.integers(len(body))] = [0, 1, 255, int(rng.integers(256))][rng.integers(4)]
            tensor[3] = [body, body[: rng.integers(1, len(body) + 1)], body + body[:3]][rng.integers(3)]
            tensor[2] = [len(tensor[3])]
    return put_together(manifest, tensors)


def slack(rng, content):
    """A claim moved about its proved end."""
    manifest, tensors = taken_apart(content)
    error = float.fromhex(manifest["claim"]["error"]) * (1 + rng.normal() / 16)
    return put_together(manifest | {"claim": manifest["claim"] | {"error": error.hex()}}, tensors)


@functools.cache
def starts():
    found = [file_of(*split_claim(ball, widths=(2, 4, 2), seed=seed)) for ball, seed in ((False, 3), (True, 4))]
    target, ticket = random_pairs(6, [2, 4, 2], units=4)
    for domain in (Ball(2), Box.cube(2)):
        found += [file_of(target, ticket, domain, end) for end in ends_of(target, ticket, domain, 40)]
    return found


UNREADABLE = ValueError, LookupError, TypeError, AttributeError, ArithmeticError, struct.error
"""What comes of taking apart a file that a mutation has broken already; it stays as it is."""


def fuzz(seeds):
    """How often each code came over mutated files; every accepted claim is true."""
    from small import truth

    counts, kinds = {}, (*MUTATIONS, splits_changed, slack)
    for seed in seeds:
        rng = np.random.default_rng([8, seed])
        content = starts()[rng.integers(len(starts()))]
        for _ in range(1 + (rng.random() < 0.3)):
            with suppress(*UNREADABLE):
                content = kinds[rng.integers(len(kinds))](rng, content)
        code = code_of(content)
        counts[code] = counts.get(code, 0) + 1
        if code == 0:
            target, ticket, domain, error = truth(content)
            assert plane_error(collapse(target, ticket), domain) <= error * (1 + 1e-11), seed
    return counts


def test_mutated_files_are_refused_or_true():
    counts = fuzz(range(150))
    assert counts[0] > 10
    assert {17, 18, 30, 31} <= set(counts)


@pytest.mark.slow
def test_two_thousand_mutated_files_are_refused_or_true():
    counts = fuzz(range(1000, 3000))
    assert sum(counts.values()) == 2000
    assert counts[0] > 200
    assert 99 not in counts


@pytest.mark.parametrize("widths", [[60, 80, 10], [1, 700, 1, 700, 1], [3, 30, 30, 2]])
@pytest.mark.parametrize("which", range(4))
def test_memory_is_bounded_by_the_size_of_the_file(widths, which):
    target, ticket = random_pairs(0, widths, units=2)
    method = list(slth_check_tight.METHODS)[which]
    splits = b"\xff" * (2 * widths[0]) if method == SPLITTING else b""
    content = encode(certificate(target, ticket, Box.cube(widths[0]), method=method, error=1e-30, splits=splits))
    tracemalloc.start()
    assert code_of(content) == 30
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 128 * len(content) + (256 << 20)


# Its limits and pads --------------------------------------------------------------------------------------------------


def test_ranges_beyond_2_to_the_300_prove_nothing():
    ends = [np.zeros((1, 1))] * 6
    for place in range(6):
        for size, refused in ((2.0**299, False), (2.0**300, True)):
            changed = [np.full((1, 1), size) if i == place else end for i, end in enumerate(ends)]
            with pytest.raises(slth_check.Refused) if refused else nullcontext():
                slth_check_tight.met(*changed)


def test_parts_start_at_depth_0_and_may_be_a_thousand_deep():
    layer = matrices(np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1), np.zeros(1))
    starts_of = slth_check_tight.faces([layer], -np.ones(1), np.ones(1))
    assert [depth for _, _, depth in starts_of] == [0, 0]
    for depth, refused in ((1000, False), (1001, True)):
        splits = np.frombuffer(bytes(depth) + b"\xff" * (depth + 1), np.uint8)
        with pytest.raises(slth_check.Refused) if refused else nullcontext():
            assert len(list(slth_check_tight.leaves(splits, [(np.zeros(1), np.ones(1), 0)]))) == depth + 1


def test_sizes_are_the_larger_moduli_and_constants_of_chords_are_not_below_0_at_0():
    assert slth_check_tight.Boxes(np.array([[-3.0, 1.0]]), np.array([[1.0, 2.0]])).sizes.tolist() == [[3.0, 2.0]]
    zero = np.zeros((1, 1))
    with np.errstate(all="ignore"):
        assert slth_check_tight.chord(zero, zero, zero, zero)[1] >= 0


def few_bits(rng, *shape):
    return rng.integers(-6, 7, shape) / 4


@pytest.mark.parametrize("seed", range(6))
def test_where_nothing_is_rounded_a_form_carried_back_gets_its_pad_and_no_more(seed):
    rng = np.random.default_rng([12, seed])
    exact, hidden = np.vectorize(Fraction, otypes=[object]), []
    for inputs, units in ((3, 4), (4, 2))[: 1 + seed % 2]:
        w, plus, minus = few_bits(rng, 3, units, inputs)
        layer = w, plus, minus, w + plus, *few_bits(rng, 2, units), np.zeros(units)
        hidden.append((layer, few_bits(rng, 8, 1, units), abs(few_bits(rng, 2, 1, units))))
    low = few_bits(rng, 1, 3)
    region = slth_check_tight.Boxes(low, low + abs(few_bits(rng, 1, 3)))
    start = few_bits(rng, 2, 1, 1, len(hidden[-1][0][0]))
    value = slth_check_tight.backward(*start, np.zeros((1, 1)), hidden, region)
    shift = -np.round(value * 2.0**30) / 2.0**30  # then nearly nothing but the pad is left
    found = Fraction(slth_check_tight.backward(*start, shift, hidden, region)[0, 0])
    a, q, constant = *(exact(form[0, 0]) for form in start), Fraction(shift[0, 0])
    size, slack, n = abs(constant), Fraction(0), 8 * len(hidden)
    for (w, plus, minus, v, slip, b, _), curves, moduli in reversed(hidden):
        w, plus, minus, v, slip, b = map(exact, (w, plus, minus, v, slip, b))
        forms = []
        for form, (slope, over, slope_below, under) in zip((q, a), exact(curves[:, 0]).reshape(2, 4, -1), strict=True):
            up, down = np.maximum(form, 0), np.minimum(form, 0)
            forms.append(up * slope + down * slope_below)
            constant, size = constant + up @ over + down @ under, size + abs(form) @ np.maximum(abs(over), abs(under))
        q, a = forms
        constant, size = constant + a @ slip + q @ b, size + abs(a) @ abs(slip) + abs(q) @ abs(b)
        of_d, of_z = exact(moduli[:, 0])
        slack, n = slack + (2 * len(w) + 8) * (abs(a) @ of_d + abs(q) @ of_z), n + len(w)
        below = a @ minus + q @ w
        a, q = a @ v, a @ plus + q @ w
    total = Fraction(region.reach(*(part.astype(float)[None, None] for part in (q, below)))[0, 0])
    pad = (slack + (n + 8) * (size + abs(total))) / 2**52
    assert constant + total + pad <= found <= constant + total + pad * (1 + Fraction(1, 10**8))


@pytest.mark.parametrize("seed", range(4))
def test_moduli_of_variables_count_both_signs_of_inputs_and_both_ends_of_ranges(monkeypatch, seed):
    rng = np.random.default_rng([13, seed])
    layers = [
        (w, plus, minus, w + plus, slip, b, b + slip)
        for shape in ((4, 3), (5, 4), (2, 5))
        for w, plus, minus in [grid(rng.normal(size=(3, *shape)))]
        for slip, b in [grid(rng.normal(size=(2, shape[0])))]
    ]
    low = rng.normal(size=(1, 3)) - 1
    region, ranges, seen = slth_check_tight.Boxes(low, low + rng.random((1, 3))), [], []
    lines, linear = slth_check_tight.lines, slth_check_tight.linear
    monkeypatch.setattr(slth_check_tight, "lines", lambda *ends: ranges.append(ends) or lines(*ends))
    monkeypatch.setattr(slth_check_tight, "linear", lambda *of: seen.append(of[3][:]) or linear(*of))
    with np.errstate(all="ignore"):
        slth_check_tight.errors(layers, region)
    d, h = 0 * region.sizes, region.sizes
    for (w, plus, minus, v, slip, b, _), ends, known in zip(layers, ranges, seen[-1], strict=False):
        *z, y_low, y_high, least, most = ends
        of_d, of_z = known[2]
        errors_in = abs(plus) if d.any() else np.maximum(abs(plus), abs(minus))
        wanted = d @ abs(v).T + h @ errors_in.T + abs(slip) + np.maximum(abs(least), abs(most))
        assert of_d == pytest.approx(wanted, rel=1e-12)
        assert of_z == pytest.approx(h @ abs(w).T + abs(b) + np.maximum(abs(z[0]), abs(z[1])), rel=1e-12)
        after = slth_check_tight.behind(*z, y_low, y_high, least, most)
        d, h = np.maximum(abs(after[4]), abs(after[5])), after[1]
    assert len(seen[-1]) == 2


def test_norms_end_at_2_to_the_1000_and_single_matrices_are_not_cut(monkeypatch):
    large = Fraction(2) ** 999
    assert large < slth_check_tight.upward(large) < 2 * large
    with pytest.raises(slth_check.Refused):
        slth_check_tight.upward(2 * large)
    monkeypatch.setattr(slth_check_tight, "WIDEST", 1)
    chains = slth_check_tight.Chains({"a": (np.eye(3), Fraction(0))}, {}, False)
    assert 1 <= chains.norm(("a",)) <= 1 + Fraction(1, 10**12)
