"""What the certificate checker is asked: each question takes a checker and says whether it answers as it should."""

from __future__ import annotations

import contextlib
import inspect
import io
import itertools
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests" / "certificates"), str(HERE.parent / "tests")]

import test_slth_check as properties  # noqa: E402
import test_slth_check_tight as tight  # noqa: E402
import test_tampering as tampering  # noqa: E402
import test_tight_terms as single  # noqa: E402
from changed import cases  # noqa: E402
from checker_edges import EDGES, UNIT, code  # noqa: E402
from small import SCALAR, certificate, encode, put_together, random_pairs, taken_apart, wide  # noqa: E402

from slth.certificates import Claim, slth_check, slth_check_tight  # noqa: E402
from slth.errors import Ball, Box, scalar, vector  # noqa: E402
from slth.errors.cells import exact_plane_error  # noqa: E402
from slth.gadget import collapse  # noqa: E402
from slth.networks.layers import Dense  # noqa: E402
from slth.networks.source import Source  # noqa: E402
from slth.networks.target import Target  # noqa: E402
from slth.networks.ticket import Ticket  # noqa: E402


def questions() -> list[Callable[[Any], bool]]:
    """Each takes a checker and says whether it answers as it should; quick ones first."""
    asked: list[Callable[[Any], bool]] = [lambda c: accepted(c) and chunks(c), norms, stream, messages, limits]
    asked += [pads, recursions, one_row, splits, numbers, *EDGES]
    asked += [lambda c, case=case: code(c, case[0]) == case[1] for case in tampering.FAULTS.values()]
    for which in range(6):
        for biases in (False, True):
            asked.append(lambda c, which=which, biases=biases: bounds(c, which, biases))
    asked += [planes, perfect, ranges]
    return asked


LEFT_OUT = "test_memory", "test_it_runs", "test_it_imports", "test_the_command"
"""Beginnings of the names of tests of the tighter checker that run files or look at memory, or at the package."""


def tight_questions() -> list[Callable[[Any], bool]]:
    """For the tighter checker: its tests, and what all checkers are asked of messages and of files."""
    asked: list[Callable[[Any], bool]] = [messages]
    for name, run in (*cases(vars(tight)), *cases(vars(single))):
        if not name.startswith(LEFT_OUT) and "tmp_path" not in wanted(run):
            asked.append(lambda c, run=run: tested(c, run))
    return asked


def wanted(run: Any) -> set[str]:
    """The arguments that a test takes and that its parameters do not give."""
    return set(inspect.signature(run.args[0]).parameters) - set(run.args[1])


def tested(c: Any, run: Callable[[], object]) -> bool:
    """Whether a test of the tighter checker passes on another one."""
    before = tight.slth_check_tight
    tight.slth_check_tight, single.slth_check_tight, tight.code_of.__defaults__ = c, c, (c,)  # type: ignore[assignment]
    try:
        run()
    except AssertionError:
        return False
    finally:
        tight.slth_check_tight = single.slth_check_tight = before
        tight.code_of.__defaults__ = (before,)  # type: ignore[attr-defined]
    return True


def accepted(c: Any) -> bool:
    own = tampering.target_digest(tampering.TARGET)
    files = (tampering.WHOLE, tampering.BOX, tampering.BIASED)
    return [code(c, f) for f in files] == [0, 0, 0] and [code(c, files[0], own), code(c, files[0], own[1:])] == [0, 20]


def limits(c: Any) -> bool:
    """The codes are those of the specification, and sums beyond exact integers are refused."""
    drawn = c.drawn
    large = encode(certificate(*random_pairs(0, [1, 1], units=(1 << 14) + 2500, keep=1.0), error=1e9))
    wrapping = wide(1, 1 << 16, False)  # 2^16 products of 2^48 are 0 in int64
    try:
        c.drawn = lambda *where: np.full_like(drawn(*where), 1 << 28)
        found = [code(c, tampering.WHOLE)]
        c.drawn = lambda *where: np.abs(drawn(*where))
        found.append(code(c, large))
        c.drawn = lambda *where: np.full_like(drawn(*where), 1 << 24)
        found.append(code(c, wrapping))
        found += [code(c, wide(1, ones, False)) for ones in (32, 33)]
        c.drawn = lambda *where: np.ones_like(drawn(*where))
        found += [code(c, wide(1, terms, False)) for terms in ((1 << 14) - 1, 1 << 14)]
    finally:
        c.drawn = drawn
    return found == [27, 27, 27, 0, 27, 0, 27] and sorted(c.REFUSALS) == [*range(10, 34), 99]


def chunks(c: Any) -> bool:
    content = encode(certificate(*random_pairs(3, [20, 9, 3], units=9)))
    wanted = slth_check.check(content)[1]
    before, found = c.CHUNK, []
    for size in (8, 64, 1 << 10, before):
        c.CHUNK = size
        found.append(c.check(content)[1])
    return found == [wanted] * 4


def norms(c: Any) -> bool:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        matrix = rng.integers(-(2**53), 2**53, rng.integers(1, 8, 2)) * 2.0 ** -int(rng.integers(30, 90))
        wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        norm = c.spectral(matrix)
        if not properties.rational_gram_bound(wide, norm**2):
            return False
        if properties.rational_gram_bound(wide, (norm * (1 - Fraction(1, 10**9))) ** 2):
            return False
        row = np.abs(rng.normal(size=(1, 300)))
        exact = sum(Fraction(float(v)) for v in row[0])
        if not exact <= c.infinity(row) <= exact * (1 + Fraction(1, 10**12)):
            return False
    right, matrix = np.linalg.eigvalsh, np.random.default_rng(0).integers(-99, 99, (4, 6)) / 64
    try:
        for factor in (0.0, 0.5, 0.9999, 1 - 1e-12, 1.1, 3.0):
            np.linalg.eigvalsh = lambda gram, factor=factor: factor * right(gram)
            if not properties.rational_gram_bound(matrix, c.spectral(matrix) ** 2):
                return False
    finally:
        np.linalg.eigvalsh = right
    return bool(c.spectral(np.zeros((2, 3))) == c.infinity(np.zeros((2, 3))) == 0)


def stream(c: Any) -> bool:
    for seed in (0, 2**64 - 1):
        m = {"seed": seed, "trial": 9, "law": {"low": (-0.1).hex(), "high": (0.7).hex()}}
        for start, count in ((0, 1), (7, 2), (8, 8), (123, 1000)):
            if not np.array_equal(c.drawn(m, 5, start, count), slth_check.drawn(m, 5, start, count)):
                return False
    right = np.random.Philox

    class Biased(right):  # type: ignore[misc, valid-type]
        place = -1

        def random_raw(self, count: int) -> Any:
            words = super().random_raw(count)
            words[self.place] ^= np.uint64(1)
            return words

    try:
        for place in (0, 3, -4, -1):
            np.random.Philox = type("B", (Biased,), {"place": place})  # type: ignore[misc, assignment]
            if code(c, tampering.WHOLE) != 28:
                return False
    finally:
        np.random.Philox = right  # type: ignore[misc]
    return True


def messages(c: Any) -> bool:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.safetensors"
        path.write_bytes(tampering.WHOLE)
        codes = [c.main([str(path)]), c.main([str(path) + "x"]), c.main([str(path.parent)])]
        path.write_bytes(b"")
        codes.append(c.main([str(path)]))
    return codes == [0, 10, 10, 11] and said.getvalue().startswith("accepted: l2 error <= ")


def bounds(c: Any, which: int, biases: bool) -> bool:
    for seed in range(6):
        target, ticket = random_pairs(seed, [3, 6, 5, 2][: 2 + seed % 3], biases=biases)
        if seed > 2 and not biases:
            target = Target(tuple(Dense(layer.weight >> 20 * (seed - 3)) for layer in target.layers))
        domain = properties.domains(3)[which]
        layers = collapse(target, ticket)
        wanted = scalar(layers, domain).value
        wanted = min(wanted, vector(layers, domain).value) if isinstance(domain, Box) else wanted
        if not abs(float(c.check(encode(certificate(target, ticket, domain)))[1]) / wanted - 1) < 1e-9:
            return False
    return True


def planes(c: Any) -> bool:
    box = Box.cube(2, -1.0, 0.75)
    for seed in range(40):
        target, ticket = random_pairs(seed, [2, 3])
        truth = exact_plane_error(collapse(target, ticket), box)
        proved = c.check(encode(certificate(target, ticket, box)))[1]
        if not truth <= proved <= truth * (1 + Fraction(1, 10**12)):
            return False
    return True


def ranges(c: Any) -> bool:
    right = properties.slth_check
    properties.slth_check = c
    try:
        for seed in range(10):
            properties.test_ranges_are_outside_the_exact_ones(seed)
    except AssertionError:
        return False
    finally:
        properties.slth_check = right
    return True


def perfect(c: Any) -> bool:
    target, ticket = random_pairs(1, [3, 4, 2], spread=0.0)
    large = random_pairs(2, [3, 5, 2])
    claim = certificate(*large, Ball(3), error=float(slth_check.check(encode(certificate(*large)))[1]) * 0.999999)
    return (
        bool(c.check(encode(certificate(target, ticket, Box.cube(3, 0.0, 1.0))))[1] == 0)
        and code(c, encode(claim)) == 30
    )


def pads(c: Any) -> bool:
    """On sums without a rounding error nothing but the pad is seen: no pad is below the proved term."""
    for n in (1, 2, 1000):
        ones, proved = np.ones((1, n)), n * (1 + (n + 1) * UNIT)
        if not (c.dot_up(ones, ones[0])[0] >= proved and c.spectral(ones) ** 2 >= proved):
            return False
        for entry, x, shift in itertools.product((-1.0, 1.0), (-1.0, 1.0), (-3.0, 3.0)):
            ends, none, number = x * ones[0], np.zeros(1), np.array([shift])
            value, size = n * entry * x, (n + 3) * (n + 2) * UNIT
            first = 0 * ones, entry * ones, entry * ones, entry * ones, number, none, number
            if not c.vector([first], ends, ends) >= abs(Fraction(value + shift)) + size:
                return False
            first = entry * ones, 0 * ones, 0 * ones, entry * ones, none, number, number
            behind = np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)), none, none, none
            if value + shift > 0 and not c.vector([first, behind], ends, ends) >= Fraction(value + shift) + size:
                return False
    for seed in range(20):
        column = np.random.default_rng(seed).normal(size=(1 + seed % 5, 1))
        square = sum(Fraction(float(v)) ** 2 for v in column[:, 0])
        if not square <= c.both_signs(column, column) ** 2 <= square * (1 + Fraction(1, 10**12)):
            return False
    return bool(abs(float(c.spectral(np.array([[-(2.0**600), 2.0**-600]]))) / 2.0**600 - 1) < 1e-9)


def recursions(c: Any) -> bool:
    """Worked examples in which each term decides; a layer is W, E+, W + E+, and e, b are 0."""

    def error(*layers: tuple[float, float]) -> float:
        one, none = np.ones((1, 1)), np.zeros(1)
        full = [(w * one, e * one, e * one, (w + e) * one, none, none, none) for w, e in layers]
        return float(c.scalar(full, c.infinity, Fraction(abs(layers[0][1])), Fraction(1)))

    wanted = {((2, -1), (3, -2), (1, 3)): 14, ((2, 1), (3, 0), (0, 1)): 9, ((1, 0.5), (1, -1)): 1, ((1, 1), (1, 1)): 3}
    return all(abs(error(*layers) / value - 1) < 1e-9 for layers, value in wanted.items())


def one_row(c: Any) -> bool:
    """A single error beyond 2^53 is refused, whatever its sign and the size of the others."""
    masks = np.ones((33, 1), dtype=bool), np.stack([np.ones(33, dtype=bool), np.zeros(33, dtype=bool)])
    ticket = Ticket(Source(1, (1, 33, 2)), masks)
    content = encode(Claim(Target.from_floats([[[0.1], [0.1]]]), ticket, Ball(1), 1e9, SCALAR))
    drawn, found = c.drawn, []
    try:
        for sign in (1, -1):
            c.drawn = lambda m, matrix, *rest, sign=sign: np.full_like(
                drawn(m, matrix, *rest), (1 << 24) * (sign if matrix else 1)
            )
            found.append(code(c, content))
    finally:
        c.drawn = drawn
    return found == [27, 27]


def splits(c: Any) -> bool:
    """A claim by splitting is accepted where the method is given, and where it proves enough."""
    content = tight.file_of(*tight.split_claim())
    bound = slth_check_tight.METHODS[tight.SPLITTING]
    codes = []
    for method in ({tight.SPLITTING: bound}, {tight.SPLITTING: lambda *of: bound(*of) * 2}, {}):
        try:
            c.check(content, None, method)
            codes.append(0)
        except c.Refused as fault:
            codes.append(int(fault.args[0]))
    return codes == [0, 30, 29]


def numbers(c: Any) -> bool:
    """Seeds, trials, ends of the law and of the box at the edges of their ranges."""
    manifest, tensors = taken_apart(tampering.WHOLE)

    def changed(**fields: Any) -> int:
        return code(c, put_together(manifest | fields, tensors))

    edges = [changed(seed=2**64 - 1), changed(trial=2**48 - 1)]
    good = [changed(law=law(*ends)) for ends in ((-1, 0.5), (0.5, 1), (-1, -0.5), (0.25, 0.5))]
    bad = [changed(law=law(*ends)) for ends in ((-1.5, 1), (-1, 1.5), (0.5, 0.5), (0.5, 0.25), (-2, -1), (1, 2))]
    target, ticket = random_pairs(1, [3, 4, 2])
    low, high = np.array([0.0, -1.0, 0.25]), np.array([1.0, 0.0, 0.25])
    flat = code(c, encode(certificate(target, ticket, Box(low, high))))
    return not {13, 99} & {*edges, *good} and {*bad} == {13} and flat == 0


def law(low: float, high: float) -> dict[str, str]:
    return LAW | {"low": float(low).hex(), "high": float(high).hex()}


LAW = taken_apart(tampering.WHOLE)[0]["law"]
