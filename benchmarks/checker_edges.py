"""Questions for a certificate checker at the edges of its limits, of its pads and of its messages."""

from __future__ import annotations

import contextlib
import io
import math
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).parent.parent / "tests"
sys.path[:0] = [str(TESTS / "certificates"), str(TESTS)]

import test_tampering as tampering  # noqa: E402
from small import SCALAR, canonical, certificate, encode, put_together, random_pairs, taken_apart  # noqa: E402

from slth.certificates import Claim  # noqa: E402
from slth.errors import Ball, Box  # noqa: E402
from slth.networks.source import Source  # noqa: E402
from slth.networks.target import Target  # noqa: E402
from slth.networks.ticket import Ticket  # noqa: E402

SPLITTING = "splitting"
UNIT = Fraction(1, 2**53)


def code(c: Any, content: bytes, trusted: str | None = None, further: Any = ()) -> int:
    """The code with which a checker refuses a file, 0 if it accepts."""
    try:
        c.check(content, trusted, further) if further else c.check(content, trusted)
    except c.Refused as fault:
        return int(fault.args[0])
    return 0


@contextlib.contextmanager
def patched(c: Any, **values: Any) -> Iterator[None]:
    """Within it, a checker has other functions."""
    before = {name: getattr(c, name) for name in values}
    vars(c).update(values)
    try:
        yield
    finally:
        vars(c).update(before)


def headers(c: Any) -> bool:
    """The shortest and the longest header, and one with nothing behind it."""
    whole, size = tampering.WHOLE, tampering.SIZE
    found = [code(c, struct.pack("<Q", n) + text) for n, text in ((1, b"1" * 20), (2, b"{}" * 20))]
    found.append(code(c, whole[:size]))
    manifest, tensors = taken_apart(whole)

    def noted(length: int) -> bytes:
        return put_together(manifest | {"claim": manifest["claim"] | {"notes": {"x": "a" * length}}}, tensors)

    shortest = 8 + struct.unpack("<Q", noted(0)[:8])[0]
    found += [code(c, noted(wanted - shortest)) for wanted in (1 << 20, (1 << 20) + 8)]
    return found == [11, 12, 17, 0, 11]


def limits_of_fields(c: Any) -> bool:
    """Numbers on both sides of the limits of the specification."""

    def network(*widths: int) -> int:
        layers = len(widths) // 2
        return code(
            c,
            tampering.changed(widths=list(widths), biased=[False] * (2 * layers), claim={"biases": [False] * layers}),
        )

    def claimed(error: float, radius: float = 1.0) -> int:
        domain = {"name": "ball", "radius": radius.hex()}
        return code(c, tampering.changed(claim={"error": error.hex(), "domain": domain}))

    half = 1 << 31
    networks = [network(3), network(1, half, 1), network(1, half + 1, 1), network(1 << 16, (1 << 16) + 1, 1)]
    networks += [network(*[1] * 257), network(*[1] * 259)]
    most = 2.0**1000
    claims = [claimed(most), claimed(math.nextafter(most, math.inf)), claimed(most, 2.0**100), claimed(most, -0.5)]
    boxes = [
        code(c, tampering.edited(ends, tampering.changed(tampering.BOX, claim={"error": most.hex()})))
        for ends in (tampering.put("low", 0, -(2.0**100), "<f8"), tampering.put("high", 0, 2.0**100 * 1.5, "<f8"))
    ]
    return networks == [26, 17, 16, 16, 17, 16] and claims == [0, 13, 0, 13] and boxes == [0, 22]


def parts(c: Any) -> bool:
    """A method that knows parts needs none of them to be there, and no other method may have any."""
    target, ticket = random_pairs(1, [2, 3, 2])
    claims = [certificate(target, ticket, method=SPLITTING, splits=splits) for splits in (b"", b"\xff", b"\xff\xff")]
    manifest, tensors = taken_apart(encode(claims[1]))
    other = put_together(manifest | {"claim": manifest["claim"] | {"method": SCALAR}}, tensors)
    return [code(c, encode(claim)) for claim in claims] == [0, 0, 0] and code(c, other) == 17


def padding(c: Any) -> bool:
    """Every bit beyond the last column of either mask of a pair is seen."""
    for name, columns in (("mask0", 3), ("mask1", 18), ("mask2", 5), ("mask3", 30)):
        width = -(-columns // 8)
        for bit in range(-columns % 8):
            if code(c, tampering.edited(tampering.flip(name, byte=width - 1, bit=bit))) != 23:
                return False
    return True


def small_weights(c: Any) -> bool:
    """Weights of one unit count with their sign, in any order, and an input may have units of one sign only."""
    drawn = c.drawn
    for signs in ((1, -1, 1, -1, 1), (-1, -1, -1, -1, -1), (1, 1, 1, 1, 1), (-1, 1, 1, -1, -1)):
        masks = np.ones((5, 1), dtype=bool), np.ones((1, 5), dtype=bool)
        claim = Claim(Target.from_floats([[[0.0]]]), Ticket(Source(1, (1, 5, 1)), masks), Ball(1), 1e9, SCALAR)
        u, v = np.array(signs), np.arange(1, 11, 2)
        with patched(c, drawn=lambda m, matrix, *rest, u=u, v=v: v if matrix else u):
            m, shapes, tensors = c.parse(encode(claim))
            found = c.pair(0, m, shapes, tensors)[0]
        wanted = [int((u * v)[u * sign > 0].sum()) * 2.0**-48 for sign in (1, -1)]
        if [part.item() for part in found[1:3]] != wanted:
            return False
    return c.drawn is drawn


def one_unit(w: float, plus: float, minus: float | None = None) -> tuple[Any, ...]:
    """A layer of one unit without biases, in the form of the checker."""
    w_, p, m = (np.array([[value]]) for value in (w, plus, plus if minus is None else minus))
    none = np.zeros(1)
    return w_, p, m, w_ + p, none, none, none


def moduli(c: Any) -> bool:
    """Pads follow the larger end of a range and the moduli of all terms; what underflows is not lost."""
    zeros, ones, none = np.zeros((1, 1000)), np.ones((1, 1000)), np.zeros(1)
    behind, proved = one_unit(0.0, 1.0), 1000 * (1 + 1001 * UNIT)
    for low, high in ((-1.0, 0.0), (0.0, 1.0)):
        ends = low * ones[0], high * ones[0]
        for entries in (-ones, ones):
            if not c.vector([(zeros, entries, entries, entries, none, none, none)], *ends) >= proved:
                return False
        w = (low + high) * ones  # 1000 at one corner
        if not c.vector([(w, zeros, zeros, w, none, none, none), behind], *ends) >= proved:
            return False
    first = ones, zeros, zeros, ones, none, np.array([-999.0]), np.array([-999.0])
    small = np.full(1, 2.0**-950)
    return bool(
        c.vector([first, behind], ones[0], ones[0]) >= 1 + 1999 * 1001 * UNIT
        and c.vector([one_unit(1.0, 0.0), one_unit(0.0, 16.0)], small, small) >= 16 * Fraction(small[0])
        and c.dot_up(np.full((1, 1), 1e-200), np.full(1, 1e-200))[0] > 0
        and c.vector([one_unit(0.0, 1.0), *[one_unit(1.0, 0.0)] * 30], np.ones(1), np.ones(1)) >= 1
    )


def large_errors(c: Any) -> bool:
    """Beyond every claim there is no end of a proved error, and a factorisation that went wrong proves nothing."""
    far = np.full(1, 2.0**100)
    chain = [one_unit(0.0, 1.0), *[one_unit(15.0, 0.0)] * 300]
    with np.errstate(all="ignore"):
        found = c.vector(chain[:2], far, far) >= 15 * 2**100 and c.vector(chain, far, far) > 2**1000
    right = np.linalg.cholesky
    try:
        np.linalg.cholesky = lambda gram: np.array([[np.nan, 0.0], [0.0, 1.0]])  # type: ignore[assignment]
        return bool(found) and code(c, tampering.WHOLE) == 99
    finally:
        np.linalg.cholesky = right


def signs_of_boxes(c: Any) -> bool:
    """Of the first layer only errors that the box lets act count in the recursion over norms.

    e_1 = 1/2, e_2 = 3/4 + e_1 / 4, the ticket of layer 2 is at most (1 + e_1) / 4, and e_3 adds that to e_2: 5/4.
    """
    behind = one_unit(1.0, -0.75), one_unit(1.0, 1.0)
    for low, high, first in ((-1.0, 0.0, one_unit(-1.0, 1.0, 0.5)), (0.0, 1.0, one_unit(1.0, 0.5, 1.0))):
        ends = {"low": np.array([low]), "high": np.array([high])}
        if not abs(float(c.bound([first, *behind], {"name": "box"}, ends)) - 1.25) < 1e-9:
            return False
    return True


def further_methods(c: Any) -> bool:
    """A further method is asked only where the core proves too little, and proves nothing beyond all claims."""
    target, ticket = random_pairs(1, [2, 3, 2])
    box = Box.cube(2)
    proved = float(c.check(encode(certificate(target, ticket, box)))[1])
    equal = encode(certificate(target, ticket, box, error=proved, method="x"))
    huge = {"x": lambda *of: math.inf}
    found = [code(c, equal, None, huge)]
    with patched(c, bound=lambda *of: Fraction(2) ** 2000):
        for error, value in ((3000.0, 5000.0), (2.0**1000, math.inf), (3000.0, 2999.0)):
            claim = certificate(target, ticket, box, error=error, method="x")
            found.append(code(c, encode(claim), None, {"x": lambda *of, value=value: value}))
    return found == [0, 30, 30, 0]


def details(c: Any) -> bool:
    """A refusal names the method and what was proved instead."""
    said = []
    for proved in (Fraction(5000), Fraction(2) ** 2000):
        with patched(c, bound=lambda *of, proved=proved: proved):
            try:
                c.check(tampering.WHOLE)
            except c.Refused as fault:
                said.append(fault.args)
    return said[0] == (30, f"{SCALAR}; proved: 5000.0") and [which for which, _ in said] == [30, 30]


def spoken(c: Any) -> bool:
    """The words of the command, and its codes where a check breaks off."""

    def run(path: str, fault: Exception | None = None) -> tuple[int, str]:
        def broken(*arguments: Any) -> None:
            raise fault  # type: ignore[misc]

        said = io.StringIO()
        with contextlib.redirect_stdout(said), patched(c, check=broken if fault else c.check):
            return c.main([path]), said.getvalue()

    long, cut = "a" * 500, "a" * 200
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        claim = certificate(*random_pairs(1, [2, 3, 2]), theorem=long)
        path.write_bytes(encode(claim))
        notes = canonical(taken_apart(path.read_bytes())[0]["claim"]["notes"])[:300]
        found = [
            run(str(path)),
            run(str(path), c.Refused(13, long)),
            run(str(path), c.Refused(12, "")),
            run(str(path), MemoryError("b")),
            run(str(path), OSError("b")),
            run("/dev/null"),
        ]
        square = certificate(*random_pairs(1, [2, 3, 2]), Box(np.array([-1.0, 0.25]), np.array([0.5, 0.75])))
        path.write_bytes(encode(square))
        short = canonical(taken_apart(path.read_bytes())[0]["claim"]["notes"])
        found.append(run(str(path)))
    rest = f", {c.WORDING}; not checked: "
    refused = [f"({code}): {c.REFUSALS[code]}" for code in (13, 12, 99, 10)]
    wanted = [(0, f"accepted: l2 error <= {claim.error!r} over the ball of radius 1.0{rest}{notes}\n")]
    wanted += [(13, f"refused {refused[0]} ('{cut}')\n"), (12, f"refused {refused[1]}\n")]
    wanted += [
        (99, f"refused {refused[2]} ('b')\n"),
        (10, f"refused {refused[3]} ('b')\n"),
        (10, f"refused {refused[3]}\n"),
    ]
    wanted += [
        (0, f"accepted: linf error <= {square.error!r} over the box, low -1.0 to 0.25, high 0.5 to 0.75{rest}{short}\n")
    ]
    return found == wanted and usage(c)


def usage(c: Any) -> bool:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        c.main(["--help"], "One line.\nAnother line.")
    return "One line." in said.getvalue() and "Another" not in said.getvalue()


EDGES: list[Callable[[Any], bool]] = [
    headers, limits_of_fields, parts, padding, small_weights, moduli, large_errors, signs_of_boxes, further_methods,
    details, spoken,
]  # fmt: skip
