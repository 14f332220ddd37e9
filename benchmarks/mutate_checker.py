"""Do the tests of the certificate checker notice if one of its lines is wrong?  python benchmarks/mutate_checker.py

Every operator, number, comparison and condition of `slth_check.py` is changed, one at a time, and the changed checker
is asked what the tests ask: the codes of all tampered files, the bounds of the package, exact rational truths. A change
that nothing notices survives and is written to benchmarks/results/mutate_checker.json with its line.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import json
import signal
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests" / "certificates"), str(HERE.parent / "tests")]

import test_slth_check as properties  # noqa: E402
import test_tampering as tampering  # noqa: E402
from small import certificate, encode, random_pairs, wide  # noqa: E402

from slth.certificates import slth_check  # noqa: E402
from slth.errors import Ball, Box, scalar, vector  # noqa: E402
from slth.errors.cells import exact_plane_error  # noqa: E402
from slth.gadget import collapse  # noqa: E402
from slth.networks.layers import Dense  # noqa: E402
from slth.networks.target import Target  # noqa: E402

SECONDS = 30
"""A mutant that takes longer has been noticed."""

SWAPS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add,), ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.Mult,),
    ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitAnd,), ast.Pow: (ast.Mult,), ast.MatMult: (),
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.And: (ast.Or,), ast.Or: (ast.And,), ast.USub: (ast.UAdd,), ast.Not: (ast.UAdd,),
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "maximum": "minimum", "minimum": "maximum", "all": "any", "any": "all"}


def mutants(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Yields (line, what was changed, the changed tree)."""
    for number, node in enumerate(ast.walk(tree)):
        for what, change in changes(node):
            changed = copy.deepcopy(tree)
            change(list(ast.walk(changed))[number])
            yield getattr(node, "lineno", 0), f"{what} in {ast.unparse(node)[:90]}", ast.fix_missing_locations(changed)


def changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """The changes of one node, as (name, function that makes it in a copy)."""
    if isinstance(node, ast.BinOp | ast.UnaryOp | ast.BoolOp | ast.AugAssign):
        for swap in SWAPS.get(type(node.op), ()):
            yield f"{type(node.op).__name__} to {swap.__name__}", lambda n, swap=swap: setattr(n, "op", swap())
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for swap in SWAPS.get(type(op), ()):
                yield f"{type(op).__name__} to {swap.__name__}", lambda n, i=i, swap=swap: n.ops.__setitem__(i, swap())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in (node.value + 1, node.value - 1) if type(node.value) is int else (node.value * 2, 0.0):
            yield f"{node.value} to {value}", lambda n, value=value: setattr(n, "value", value)
    if isinstance(node, ast.Name | ast.Attribute):
        field = "id" if isinstance(node, ast.Name) else "attr"
        if (name := getattr(node, field)) in NAMES:
            yield f"{name} to {NAMES[name]}", lambda n, name=name: setattr(n, field, NAMES[name])
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "need":
        yield "need left out", lambda n: setattr(n, "value", ast.Constant(None))
    if isinstance(node, ast.IfExp):
        yield "condition turned", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))


def questions() -> list[Callable[[Any], bool]]:
    """Each takes a checker and says whether it answers as it should; quick ones first."""
    asked: list[Callable[[Any], bool]] = [lambda c: accepted(c) and chunks(c), norms, stream, messages, limits]
    asked += [lambda c, case=case: code(c, case[0]) == case[1] for case in tampering.FAULTS.values()]
    for which in range(6):
        for biases in (False, True):
            asked.append(lambda c, which=which, biases=biases: bounds(c, which, biases))
    asked += [planes, perfect, ranges]
    return asked


def code(c: Any, content: bytes, trusted: str | None = None) -> int:
    try:
        c.check(content, trusted)
    except c.Refused as fault:
        return int(fault.args[0])
    return 0


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
    return found == [27, 27, 27, 0, 27, 0, 27] and sorted(c.REFUSALS) == [*range(10, 31), 99]


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
    path = HERE / "results" / ".mutant"
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            path.write_bytes(tampering.WHOLE)
            codes = [c.main([str(path)]), c.main([str(path) + "x"]), c.main([str(path.parent)])]
            path.write_bytes(b"")
            codes.append(c.main([str(path)]))
    finally:
        path.unlink(missing_ok=True)
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


def noticed(tree: ast.Module, asked: list[Callable[[Any], bool]]) -> bool:
    """Whether a changed checker crashes, hangs or answers otherwise."""
    module = types.ModuleType("mutant")
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            exec(compile(tree, "mutant", "exec"), module.__dict__)
            return not all(question(module) for question in asked)
    except BaseException as fault:
        if isinstance(fault, KeyboardInterrupt):
            raise
        return True
    finally:
        signal.alarm(0)


def alarm(*_: object) -> None:
    raise TimeoutError


def main() -> None:
    signal.signal(signal.SIGALRM, alarm)
    text = Path(slth_check.__file__).read_text()
    tree, asked, started = ast.parse(text), questions(), time.perf_counter()
    assert not noticed(copy.deepcopy(tree), asked), "the checker itself is noticed: a question is wrong"
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1  # every step-th mutant only
    total, survivors = 0, []
    for line, what, changed in islice(mutants(tree), 0, None, step):
        total += 1
        if not noticed(changed, asked):
            survivors.append({"line": text.splitlines()[line - 1].strip(), "change": what})
            print(line, what, flush=True)
        if total % 100 == 0:
            print(f"{total} mutants, {len(survivors)} survived", flush=True)
    found = {"mutants": total, "survived": len(survivors), "seconds": round(time.perf_counter() - started)}
    print(found)
    result = {"machine": machine(), "every": step} | found | {"survivors": survivors}
    (HERE / "results" / "mutate_checker.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
