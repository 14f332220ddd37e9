"""Small certificates whose every number can be recomputed by hand, and files taken apart and signed again."""

import hashlib
import json
import struct
from itertools import pairwise

import numpy as np

from slth.certificates import Claim
from slth.certificates.claim import MARGIN, PROVABLE
from slth.certificates.files import encode
from slth.errors import Ball, Box, scalar, vector
from slth.gadget import collapse
from slth.laws import Uniform
from slth.networks.layers import Dense
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket

SCALAR, VECTOR = PROVABLE


def random_pairs(seed, widths, *, units=6, biases=False, spread=2.0**-6, keep=0.6):
    """A ticket of pairs with random masks, and a target within about `spread` of what it computes.

    The target is what the ticket does to inputs >= 0, moved by random numbers: no solver is needed, and the errors of
    negative inputs, where other units answer, are of order 1 in the first layer unless its target is built on both.
    """
    rng = np.random.default_rng(seed)
    joints = [widths[0]]
    for inputs, outputs in pairwise(widths):
        joints += [units * (inputs + biases), outputs]
    flags = tuple(bool(biases) and i % 2 == 0 for i in range(len(joints) - 1))
    source = Source(int(rng.integers(2**63)), tuple(joints), flags)
    masks = []
    for i, (rows, columns) in enumerate(source.shapes):
        if i % 2:
            masks.append(rng.random((rows, columns)) < keep)
        else:
            mask = np.zeros((rows, columns), dtype=bool)
            mask[np.arange(rows), rng.integers(columns, size=rows)] = rng.random(rows) < 0.9
            masks.append(mask)
    ticket = Ticket(source, tuple(masks))
    zeros = [
        Dense(np.zeros((o, i), dtype=np.int64), np.zeros(o, dtype=np.int64) if biases else None)
        for i, o in pairwise(widths)
    ]
    layers = []
    for found in collapse(Target(tuple(zeros)), ticket):
        noise = int(2**48 * spread)
        moved = found.positive + rng.integers(-noise, noise, found.positive.shape, endpoint=True)
        bias = found.bias + rng.integers(-noise, noise, found.bias.shape, endpoint=True) if biases else None
        layers.append(Dense(moved, bias))
    return Target(tuple(layers)), ticket


def certificate(target, ticket, domain=None, **changes):
    """The claim of the best upper end that the checker knows."""
    domain = Ball(target.widths[0]) if domain is None else domain
    layers = collapse(target, ticket)
    ends = [scalar(layers, domain)] + ([vector(layers, domain)] if isinstance(domain, Box) else [])
    end = min(ends, key=lambda end: end.value)
    fields = {"error": end.value * (1 + MARGIN), "method": end.method, "theorem": "none", "promised": 0.5, "delta": 0.1}
    return Claim(target, ticket, domain, **(fields | changes))


def wide(inputs, hidden, masks_full):
    """A file of many hidden units beside few weights of the target: the most memory for a byte of file."""
    masks = np.full((hidden, inputs), masks_full), np.ones((1, hidden), dtype=bool)
    masks[0][np.arange(hidden), np.arange(hidden) % inputs] = True
    ticket = Ticket(Source(1, (inputs, hidden, 1)), masks)
    return encode(Claim(Target.from_floats([np.full((1, inputs), 0.1)]), ticket, Ball(inputs), 1e9, SCALAR))


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def taken_apart(content):
    """The manifest and [name, dtype, shape, bytes] of every tensor in order, from the bytes of a file."""
    size = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:size])
    manifest = json.loads(header.pop("__metadata__")["manifest"])
    names = sorted(header, key=lambda name: header[name]["data_offsets"])
    tensors = []
    for name in names:
        start, end = header[name]["data_offsets"]
        tensors.append(
            [name, header[name]["dtype"], header[name]["shape"], bytearray(content[size + start : size + end])]
        )
    return manifest, tensors


def digest_of_target(manifest, tensors):
    text = canonical({"biases": manifest["claim"]["biases"], "widths": manifest["widths"][::2]}).encode()
    return hashlib.sha256(text + b"".join(t[3] for t in tensors if t[0].startswith(("target", "bias")))).hexdigest()


def put_together(manifest, tensors, *, sign=True, own_target=False, header=None, pad=True):
    """The file of the parts. Signed again unless told otherwise; the target's digest only if asked."""
    if own_target:
        manifest = manifest | {"claim": manifest["claim"] | {"target": digest_of_target(manifest, tensors)}}
    body = b"".join(tensor[3] for tensor in tensors)
    if sign and isinstance(manifest, dict) and "digest" in manifest:
        manifest = manifest | {"digest": ""}
        manifest = manifest | {"digest": hashlib.sha256(canonical(manifest).encode() + body).hexdigest()}
    text = manifest if isinstance(manifest, str) else canonical(manifest)
    head, end = {"__metadata__": {"manifest": text}}, 0
    for name, dtype, shape, content in tensors:
        head[name] = {"data_offsets": [end, end + len(content)], "dtype": dtype, "shape": shape}
        end += len(content)
    written = canonical(head) if header is None else header(head)
    written = written.encode() if isinstance(written, str) else written
    written += b" " * (-len(written) % 8) if pad else b""
    return struct.pack("<Q", len(written)) + written + body


def truth(content):
    """(target, ticket, domain, error) that the bytes of a file speak of, read without the package's parser."""
    manifest, tensors = taken_apart(content)
    arrays = {name: (dtype, shape, bytes(body)) for name, dtype, shape, body in tensors}

    def array(name, kind):
        return np.frombuffer(arrays[name][2], kind).reshape(arrays[name][1]).copy()

    claim, law = manifest["claim"], manifest["law"]
    layers = tuple(
        Dense(array(f"target{i}", "<i8"), array(f"bias{i}", "<i8") if biased else None)
        for i, biased in enumerate(claim["biases"])
    )
    ends = [float.fromhex(law[end]) for end in ("low", "high")]
    source = Source(
        manifest["seed"], tuple(manifest["widths"]), tuple(manifest["biased"]), Uniform(*ends), manifest["trial"]
    )
    masks = tuple(
        np.unpackbits(array(f"mask{i}", "u1"), axis=1, count=shape[1]).view(bool)
        for i, shape in enumerate(source.shapes)
    )
    if claim["domain"]["name"] == "ball":
        domain = Ball(layers[0].inputs, float.fromhex(claim["domain"]["radius"]))
    else:
        domain = Box(array("low", "<f8"), array("high", "<f8"))
    return Target(layers), Ticket(source, masks), domain, float.fromhex(claim["error"])


__all__ = [
    "SCALAR",
    "VECTOR",
    "canonical",
    "certificate",
    "encode",
    "put_together",
    "random_pairs",
    "taken_apart",
    "truth",
]
