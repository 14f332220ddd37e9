# mypy: allow-untyped-defs
"""Checks one certificate: python slth_check.py FILE [--target-digest SHA256]. Needs numpy and nothing else of slth.

docs/certificate-format.md specifies file and check. Exit code 0: proved. Any other: refused, one code for each kind.
"""

import argparse
import hashlib
import json
import math
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

FORMAT, STREAM = "slth-ticket/3", "philox4x64-10 raw, element e = half e%2 of word e//2"
WORDING = "certified in real arithmetic for weights exactly as stored"
REFUSALS = {
    10: "the file cannot be read", 11: "the file is cut off or has no header", 12: "its JSON is not canonical",
    13: "a field is missing, unknown or out of range", 14: "its format or random stream is unknown",
    15: "its ticket claims nothing", 16: "the network is beyond the limits", 17: "its header or size is wrong",
    18: "the digest does not fit the content", 19: "its target is not that of the claim",
    20: "its target is not the one asked for", 21: "a target weight is beyond 16", 22: "the ends of the box are no box",
    23: "an unused bit of a mask is set", 24: "the count of kept weights is wrong", 25: "a unit keeps several weights",
    26: "it has no pairs of a known law", 27: "a sum is beyond exact integers", 28: "this numpy does not draw Philox",
    29: "its method is not known here", 30: "the claimed error is not proved", 31: "its splits are no tree of parts",
    32: "its method does not fit its network", 33: "its proof is too much work", 99: "the check broke off",
}  # fmt: skip
CLAIM = {"biases", "domain", "error", "method", "norm", "notes", "target", "wording"}
CHUNK, M64, EPS, PAD = 1 << 19, (1 << 64) - 1, 2.0**-52, 2.0**-960


class Refused(Exception):
    """Its arguments are the code and a detail."""


def need(condition, code, detail=""):
    if not condition:
        raise Refused(code, detail)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def real(text, low, high):
    """The number that float.hex writes as text."""
    value = math.nan
    with suppress(TypeError, ValueError, OverflowError):
        value = float.fromhex(text)
    need(value.hex() == text and low <= value <= high, 13, "a real number")
    return value


def parse(data):
    """The manifest, and the tensors by name; sizes come first, so that a file never takes more memory than its own."""
    size, m = 8 + int.from_bytes(data[:8], "little"), None
    need(10 <= size <= min(len(data), 1 << 20), 11)
    with suppress(ValueError, RecursionError, LookupError, TypeError):
        text = json.loads(data[8:size].decode("ascii"))["__metadata__"]["manifest"]
        m = json.loads(text) if canonical(json.loads(text)) == text else None
    need(type(m) is dict, 12)
    need((m.get("format"), m.get("rng")) == (FORMAT, STREAM), 14)
    need(set(m) == {"biased", "claim", "digest", "format", "kept", "law", "rng", "seed", "trial", "widths"}, 13, "keys")
    claim, widths, flags, law = m["claim"], m["widths"], m["biased"], m["law"]
    need(claim is not None, 15)
    need(type(claim) is dict and set(claim) == CLAIM and claim["wording"] == WORDING, 13, "keys or wording")
    biases, domain, notes = claim["biases"], claim["domain"], claim["notes"]
    need(type(notes) is dict and {*map(type, notes.values())} <= {str, type(None)}, 13, "notes")
    need(type(widths) is type(flags) is type(biases) is list and {*map(type, flags + biases)} <= {bool}, 13, "lists")
    need(all(type(w) is int and 0 < w <= 1 << 32 for w in widths), 13, "widths")
    need(all(type(m[k]) is int and 0 <= m[k] < 1 << n for k, n in (("seed", 64), ("trial", 48))), 13, "seed or trial")
    need(len(widths) == 2 * len(biases) + 1 == len(flags) + 1 > 1 and not any(flags[1::2]), 26, "no pairs")
    need(all(flag >= bias for flag, bias in zip(flags[::2], biases, strict=True)), 26, "a bias without a random bias")
    need(type(law) is dict and set(law) == {"name", "low", "high"} and law["name"] == "uniform", 26, "the law")
    need(real(law["low"], -1, 1) < real(law["high"], -1, 1) and type(claim["method"]) is str, 13, "law or method")
    ball = type(domain) is dict and set(domain) == {"name", "radius"} and domain["name"] == "ball"
    need((ball or domain == {"name": "box"}) and claim["norm"] == ("l2" if ball else "linf"), 13, "domain or norm")
    need(real(claim["error"], 0, 2.0**1000) >= 0 and (not ball or real(domain["radius"], 0, 2.0**100)), 13)
    shapes = [(rows, columns + flag) for rows, columns, flag in zip(widths[1:], widths, flags, strict=False)]
    need(sum(rows * columns for rows, columns in shapes) <= 1 << 32 and len(biases) <= 128, 16)
    header, at, end, wanted = {"__metadata__": {"manifest": text}}, {}, 0, []
    for i, (bias, inputs, outputs) in enumerate(zip(biases, widths[::2], widths[2::2], strict=False)):
        wanted += [(f"target{i}", "<i8", [outputs, inputs])] + [(f"bias{i}", "<i8", [outputs])] * bias
    wanted += [] if ball else [("low", "<f8", widths[:1]), ("high", "<f8", widths[:1])]
    masks = [(f"mask{i}", "<u1", [rows, -(-columns // 8)]) for i, (rows, columns) in enumerate(shapes)]
    left = len(data) - size - sum(math.prod(shape) * int(kind[2]) for _, kind, shape in wanted + masks)
    wanted += [("splits", "<u1", [left])] * (claim["method"] == "splitting" and left > 0) + masks
    for name, kind, shape in wanted:
        start, at[name], end = end, size + end, end + math.prod(shape) * int(kind[2])
        header[name] = {"data_offsets": [start, end], "dtype": f"{kind[1].upper()}{8 * int(kind[2])}", "shape": shape}
    need(data[8:size] == (head := canonical(header).encode()) + b" " * (-len(head) % 8) and len(data) == size + end, 17)
    need(hashlib.sha256(canonical(m | {"digest": ""}).encode() + data[size:]).hexdigest() == m["digest"], 18)
    return m, shapes, {n: np.frombuffer(data, kind, math.prod(s), at[n]).reshape(s) for n, kind, s in wanted}


def drawn(m, matrix, start, count):
    """Weights start .. start + count - 1 of a matrix in units of 2^-24; the first and last block in Python integers."""
    key, first, last = (m["seed"], m["trial"] << 16 | matrix), start // 8, (start + count - 1) // 8
    raw = np.random.Philox(key=np.array(key, np.uint64)).advance(first).random_raw(4 * (last - first + 1)).astype("<u8")
    for block, own in ((first, raw[:4]), (last, raw[-4:])):
        c, k = [block + 1, 0, 0, 0], key
        for _ in range(10):
            a, b = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
            c = [b >> 64 ^ c[1] ^ k[0], b & M64, a >> 64 ^ c[3] ^ k[1], a & M64]
            k = k[0] + 0x9E3779B97F4A7C15 & M64, k[1] + 0xBB67AE8584CAA73B & M64
        need(own.tolist() == c, 28)
    low, high = (2 * round(float.fromhex(m["law"][end]) * 2**23) for end in ("low", "high"))
    return low + ((2 * (raw.view("<u4")[start % 8 :][:count] >> 8).astype(np.int64) + 1) * (high - low) >> 25) | 1


def pair(i, m, shapes, tensors):
    """Layer i as exact float64: W, E+, E-, W + E+, e, b, b + e; and how many weights its two masks keep."""
    (hidden, columns), (outputs, _) = shapes[2 * i : 2 * i + 2]
    first, second, w = tensors[f"mask{2 * i}"], tensors[f"mask{2 * i + 1}"], tensors[f"target{i}"]
    need(not ((first[:, -1] & (1 << -columns % 8) - 1).any() or (second[:, -1] & (1 << -hidden % 8) - 1).any()), 23)
    units, place = np.nonzero(first)
    single = np.unpackbits(first[units, place][:, None], axis=1)
    need((np.diff(units) > 0).all() and (single.sum(axis=1) == 1).all(), 25)
    reads = 8 * place + single.argmax(axis=1)
    flat, u = units * columns + reads, np.empty(len(units), np.int64)
    for start in range(0, hidden * columns, CHUNK):
        here = slice(*np.searchsorted(flat, [start, start + CHUNK]))
        u[here] = drawn(m, 2 * i, start, min(CHUNK, hidden * columns - start))[flat[here] - start]
    order = np.argsort(2 * reads + (u < 0), kind="stable")
    units, u, side = units[order], u[order], (2 * reads + (u < 0))[order]
    starts = np.flatnonzero(np.diff(side, prepend=-1))
    need(np.diff(starts, append=len(side)).max(initial=0) < 1 << 14, 27, "2^14 terms")
    sums, kept, step = np.zeros((outputs, 2 * columns), np.int64), 0, max(1, CHUNK // hidden)
    for row in range(0, outputs, step):
        mask = np.unpackbits(second[row : row + step], axis=1, count=hidden)
        v, kept = drawn(m, 2 * i + 1, row * hidden, mask.size).reshape(mask.shape), kept + int(np.count_nonzero(mask))
        sums[row : row + step, side[starts]] = np.add.reduceat(v[:, units] * u * mask[:, units], starts, axis=1)
    d, zero = w.shape[1], np.zeros(outputs, np.int64)
    b, total = tensors.get(f"bias{i}", zero), sums[:, 2 * d] if columns > d else zero
    need(all(a.min() >= -1 << 52 and a.max() <= 1 << 52 for a in (w, b)), 21)
    plus, minus = sums[:, : 2 * d : 2], sums[:, 1 : 2 * d : 2]
    layer = w, plus - w, minus - w, plus, total - b, b, total
    need(all(np.abs(part).max() <= 1 << 53 for part in layer), 27, "2^53")
    return [np.ldexp(part.astype(np.float64), -48) for part in layer], [len(units), kept]


def dot_up(a, x):
    """At least a @ x, for entries >= 0."""
    return (a @ x) * (1 + (a.shape[1] + 4) * EPS) + a.shape[1] * PAD


def infinity(a):
    """At least the largest row sum of moduli; 0 exactly for 0."""
    return Fraction(float(dot_up(np.abs(a), np.ones(a.shape[1])).max())) * bool(a.any())


def spectral(a):
    """At least the spectral norm: Frobenius, or less if c - A A^T has a Cholesky factorisation (Rump 2006)."""
    power = math.frexp(np.abs(a).max())[1]
    a = np.ldexp(a if len(a) <= a.shape[1] else a.T, -power)
    (m, n), gram = a.shape, a @ a.T
    best = energy = float(gram.trace()) * (1 + (m + n + 4) * EPS)
    if 1 < m <= 4096:
        c = float(np.linalg.eigvalsh(gram)[-1]) * (1 + 8 * m * (m + 8) * EPS)
        np.fill_diagonal(gram, gram.diagonal() - c)
        with suppress(np.linalg.LinAlgError):  # then the Frobenius norm must do
            need(np.isfinite(np.linalg.cholesky(-gram)).all(), 99)
            best = min(best, (c + EPS * ((n + 4) * energy + (m + 4) * m * c)) * (1 + 8 * EPS))
    return Fraction(math.nextafter(math.sqrt(best), math.inf)) * Fraction(2) ** power if best else Fraction(0)


def both_signs(plus, minus):
    """At least |E_s x| / |x| over all x, the columns of E_s being those of E+ where x > 0 and of E- elsewhere."""
    columns = np.sqrt(np.maximum(np.square(plus).sum(axis=0), np.square(minus).sum(axis=0)))
    return min(spectral(np.hstack([plus, -minus])), spectral(columns[None] * (1 + (len(plus) + 8) * EPS)))


def scalar(layers, norm, eta, reach):
    """The recursion over norms, without rounding; eta is the norm of the error of the first layer."""
    error, target, ticket = Fraction(0), reach, reach
    for i, (w, plus, _, g, slip, b, both) in enumerate(layers):
        s, eta = norm(w), norm(plus) if i else eta
        through = min(s + eta, norm(g)) if i else s + eta
        error = min(s * error + eta * ticket, through * error + eta * target) + norm(slip[:, None])
        target = s * target + norm(b[:, None])
        ticket = min(through * ticket + norm(both[:, None]), target + error)
    return error


def vector(layers, low, high):
    """The recursion over units for a box, one error per unit; ranges of the target's units from intervals."""
    _, plus, minus, _, slip, *_ = layers[0]
    ends = [np.where(end >= 0, plus, minus) * end for end in (low, high, np.clip(0.0, low, high))]
    top, bottom, n = np.max(ends, axis=0), np.min(ends, axis=0), (len(low) + 8) * EPS
    size = dot_up(np.maximum(np.abs(top), np.abs(bottom)), np.ones(len(low))) + np.abs(slip)
    error = np.maximum(top.sum(axis=1) + slip, -bottom.sum(axis=1) - slip) + n * size
    for (w, *_, b, _), (_, plus, _, g, slip, *_) in pairwise(layers):
        p, q, n = np.maximum(w, 0), np.maximum(-w, 0), (w.shape[1] + 8) * EPS
        spare = n * (dot_up(p + q, np.maximum(np.abs(low), np.abs(high))) + np.abs(b)) + PAD
        low, high = (np.maximum(0, e) for e in (p @ low - q @ high + b - spare, p @ high - q @ low + b + spare))
        error = (dot_up(np.abs(g), error) + dot_up(np.abs(plus), high) + np.abs(slip)) * (1 + 8 * EPS)
    return Fraction(min(2.0**1001, float(error.max())))


@np.errstate(all="ignore")
def bound(layers, domain, tensors):
    """A proved upper end of the error; 0 where target and ticket are equal."""
    _, plus, minus, *_ = layers[0]
    if domain["name"] == "ball":
        return scalar(layers, spectral, both_signs(plus, minus), Fraction(float.fromhex(domain["radius"])))
    ends = low, high = tensors["low"], tensors["high"]
    need((np.abs(ends) <= 2.0**100).all() and (low <= high).all(), 22)
    eta = infinity(np.maximum(np.abs(plus) * (high > 0), np.abs(minus) * (low < 0)))
    return min(scalar(layers, infinity, eta, Fraction(float(np.abs(ends).max()))), vector(layers, low, high))


def check(data, trusted=None, further=()):
    """The manifest of a file and a proved error, at most the claimed one; further methods by name. Raises Refused."""
    m, shapes, tensors = parse(data)
    claim, method, error = m["claim"], m["claim"]["method"], float.fromhex(m["claim"]["error"])
    text = canonical({"biases": claim["biases"], "widths": m["widths"][::2]}).encode()
    text += b"".join(tensor.tobytes() for name, tensor in tensors.items() if name.startswith(("target", "bias")))
    need(hashlib.sha256(text).hexdigest() == claim["target"], 19)
    need(trusted in (None, claim["target"]), 20)
    layers, kept = zip(*(pair(i, m, shapes, tensors) for i in range(len(claim["biases"]))), strict=True)
    need(canonical(m["kept"]) == canonical([count for counts in kept for count in counts]), 24)
    proved = bound(layers, claim["domain"], tensors)
    if proved > error and method in [*further]:
        proved = Fraction(min(2**1001, further[method](layers, claim["domain"], tensors)))
    known = method in ["scalar recursion", "vector recursion", *further]
    need(proved <= error, 30 if known else 29, f"{method}; proved: {float(min(proved, 2**1001))!r}")
    return m, proved


def main(arguments=None, about=__doc__, further=()):
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--target-digest", help="the SHA-256 that the target must have")
    given = parser.parse_args(arguments)
    try:
        need(given.file.is_file(), 10)
        claim = check(data := given.file.read_bytes(), given.target_digest, further)[0]["claim"]
    except Exception as fault:  # whatever goes wrong, the claim is not accepted
        code, detail = fault.args if type(fault) is Refused else (10 if isinstance(fault, OSError) else 99, fault)
        print(f"refused ({code}): {REFUSALS[code]}" + f" ({str(detail)[:200]!a})" * (detail != ""))
        return code
    ends = [f"{n} {float(t.min())!r} to {float(t.max())!r}" for n, t in parse(data)[2].items() if n in ("low", "high")]
    where = f"box, {', '.join(ends)}" if ends else f"ball of radius {float.fromhex(claim['domain']['radius'])!r}"
    print(f"accepted: {claim['norm']} error <= {float.fromhex(claim['error'])!r} over the {where}, {WORDING}; "
          f"not checked: {canonical(claim['notes'])[:300]}")  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
