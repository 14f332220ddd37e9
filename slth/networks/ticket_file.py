"""The bytes of a ticket file: a manifest and bit-packed masks, as safetensors; no random weights, no pickle.

Tensor `mask<i>` holds the rows of mask i as `numpy.packbits` packs them. The manifest is canonical JSON
(sorted keys, no spaces, no numbers but integers; real numbers as hexadecimal strings). Its digest is the
SHA-256 of the manifest with an empty digest, followed by all tensors in their order. A file that makes a claim
about its ticket (see `slth.certificates`) has further tensors before the masks and the claim in its manifest.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from slth.laws import Dyadic, LogUniform, Signs, Thinned, Uniform
from slth.networks.source import Source
from slth.networks.ticket import Ticket

FORMAT = "slth-ticket/3"
STREAM = "philox4x64-10 raw, element e = half e%2 of word e//2"
LAWS = {"uniform": Uniform, "log-uniform": LogUniform, "signs": Signs, "dyadic": Dyadic, "thinned": Thinned}

LARGEST_TICKET = 1 << 32
"""Random weights of a source at most; unpacked, each takes one byte."""

DTYPES = {np.dtype("<i8"): "I64", np.dtype("<f8"): "F64", np.dtype(np.uint8): "U8"}
"""The types of tensors in a file, by the names that safetensors gives them."""

Tensors = Mapping[str, NDArray[Any]]
Claim = dict[str, Any] | None


def encode(ticket: Ticket, claim: Claim = None, tensors: Tensors | None = None) -> bytes:
    """The file of a ticket; the same bytes for the same ticket.

    Args:
        ticket: any.
        claim: what is claimed about it, of JSON's types; None for the ticket alone.
        tensors: what the claim needs, int64, float64 or uint8; they come before the masks.

    Raises:
        ValueError: more than 2^32 random weights.
    """
    _check_size(ticket.source)
    named = {
        name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in (tensors or {}).items()
    }
    named |= {_tensor(i): np.packbits(mask, axis=1) for i, mask in enumerate(ticket.masks)}
    head = _head(_canonical(_manifest(ticket, claim, named)), named)
    return head + b"".join(array.tobytes() for array in named.values())


def decode(path: Path) -> tuple[Ticket, Claim, dict[str, NDArray[Any]]]:
    """The ticket in a file, the claim about it, and the claim's tensors, in their order.

    Sizes are checked before memory is taken, and every field of the ticket against what it says. What the claim says
    is for `slth.certificates` to judge.

    Raises:
        ValueError: the file is damaged, altered, or not a ticket of this format.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            given = _parsed(path, file.metadata())
            source = _source(path, given)
            found = {name: file.get_slice(name) for name in _in_order(path)}
            types = {name: [piece.get_dtype(), piece.get_shape()] for name, piece in found.items()}
            extra = _check_tensors(path, source, types, given["claim"] is not None)
            tensors = {name: file.get_tensor(name) for name in found}
    except SafetensorError as fault:
        raise _refused(path, f"it is no whole safetensors file ({fault})") from fault
    packed = list(tensors.values())[len(extra) :]
    masks = tuple(_unpacked(path, bits, shape[1]) for bits, shape in zip(packed, source.shapes, strict=True))
    ticket = Ticket(source, masks)
    for key, value in _manifest(ticket, given["claim"], tensors).items():
        if _canonical(given[key]) != _canonical(value):
            raise _refused(path, f"its {key} is {str(given[key])[:80]}, but its content has {str(value)[:80]}")
    head = _head(_canonical(given), tensors)
    with path.open("rb") as stream:
        if stream.read(len(head)) != head:
            raise _refused(path, "its header is not the canonical one")
    return ticket, given["claim"], {name: tensors[name] for name in extra}


def _check_tensors(path: Path, source: Source, types: dict[str, list[Any]], claims: bool) -> list[str]:
    """The tensors before the masks, if there is a claim; the masks must follow in their order."""
    masks = {_tensor(i): ["U8", [rows, -(-columns // 8)]] for i, (rows, columns) in enumerate(source.shapes)}
    names = list(types)
    extra = names[: -len(masks)] if claims else []
    if {name: types[name] for name in names[len(extra) :]} != masks or names[len(extra) :] != list(masks):
        raise _refused(path, f"its tensors are not the masks of a source of widths {source.widths}")
    if not {types[name][0] for name in extra} <= {"I64", "F64", "U8"}:
        raise _refused(path, "the tensors of its claim are not all int64, float64 or bytes")
    return extra


def _head(manifest: str, tensors: Tensors) -> bytes:
    """The length of the header and the header: canonical JSON, and spaces to a multiple of 8 bytes."""
    header: dict[str, Any] = {"__metadata__": {"manifest": manifest}}
    start = 0
    for name, array in tensors.items():
        place = [start, start + array.nbytes]
        header[name] = {"dtype": DTYPES[array.dtype], "shape": list(array.shape), "data_offsets": place}
        start += array.nbytes
    text = _canonical(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _in_order(path: Path) -> list[str]:
    """Names of the tensors as they lie in a file that safetensors has found whole."""
    with path.open("rb") as stream:
        header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
    header.pop("__metadata__", None)
    return sorted(header, key=lambda name: header[name]["data_offsets"])


def _tensor(matrix: int) -> str:
    return f"mask{matrix}"


def _refused(path: Path, reason: str) -> ValueError:
    return ValueError(f"{path} is not a ticket that can be used: {reason}; write it again with its save")


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _manifest(ticket: Ticket, claim: Claim, tensors: Tensors) -> dict[str, Any]:
    source = ticket.source
    law = next((name for name, kind in LAWS.items() if type(source.law) is kind), None)
    if law is None:
        raise ValueError(f"the law {source.law} has no name in a ticket file; known: {', '.join(LAWS)}")
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "rng": STREAM,
        "seed": int(source.seed),
        "trial": int(source.trial),
        "widths": [int(width) for width in source.widths],
        "biased": [bool(flag) for flag in source.biased],
        "law": {"name": law} | {name: float(value).hex() for name, value in asdict(source.law).items()},
        "kept": [int(np.count_nonzero(mask)) for mask in ticket.masks],
        "claim": claim,
        "digest": "",
    }
    return manifest | {"digest": _digest(_canonical(manifest).encode(), tensors.values())}


def _digest(manifest: bytes, arrays: Iterable[NDArray[Any]]) -> str:
    digest = hashlib.sha256(manifest)
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()


def _parsed(path: Path, metadata: dict[str, str] | None) -> dict[str, Any]:
    """The manifest, if it is canonical and has exactly the known keys."""
    if metadata is None or list(metadata) != ["manifest"]:
        raise _refused(path, "it has no manifest, or more beside it")
    try:
        manifest = json.loads(metadata["manifest"])
        canonical = _canonical(manifest) == metadata["manifest"]
    except (ValueError, RecursionError) as fault:
        raise _refused(path, f"its manifest is no JSON ({str(fault)[:80]})") from fault
    if not isinstance(manifest, dict) or not canonical:  # canonical: no key twice, no 7.0 for 7
        raise _refused(path, "its manifest is not canonical JSON")
    if manifest.get("format") != FORMAT:
        raise _refused(path, f"its format is {str(manifest.get('format'))[:80]}, and {FORMAT} is the one that is known")
    known = {"format", "rng", "seed", "trial", "widths", "biased", "law", "kept", "claim", "digest"}
    if set(manifest) != known:
        raise _refused(path, f"its manifest lacks or adds the keys {sorted(known ^ set(manifest))}")
    if not isinstance(manifest["claim"], dict | None):
        raise _refused(path, "its claim is neither null nor an object")
    return manifest


def _source(path: Path, manifest: dict[str, Any]) -> Source:
    seed, trial, widths, biased, law = (manifest[key] for key in ("seed", "trial", "widths", "biased", "law"))
    typed = type(seed) is type(trial) is int and isinstance(widths, list) and isinstance(biased, list)
    if not typed or {type(w) for w in widths} != {int} or {type(flag) for flag in biased} != {bool}:
        raise _refused(
            path,
            "seed and trial must be integers, widths a list of integers, biased a list of true and false",
        )
    try:
        parameters = dict(law)
        kind = LAWS[parameters.pop("name")]
        whole = {field.name for field in fields(kind) if field.type == "int"}
        numbers = {name: float.fromhex(value) for name, value in parameters.items()}
        drawn = kind(**{name: int(value) if name in whole else value for name, value in numbers.items()})
    except (KeyError, TypeError, ValueError, OverflowError) as fault:
        raise _refused(path, f"its law {str(law)[:80]} is unknown") from fault
    try:
        source = Source(seed, tuple(widths), tuple(biased), drawn, trial)
        _check_size(source)
    except ValueError as fault:
        raise _refused(path, str(fault)[:300]) from fault
    return source


def _check_size(source: Source) -> None:
    if source.parameters > LARGEST_TICKET:
        raise ValueError(f"a ticket file holds at most 2^32 mask bits; this source has {source.parameters} weights")


def _unpacked(path: Path, bits: NDArray[np.uint8], columns: int) -> NDArray[np.bool_]:
    padding = -columns % 8
    if (bits[:, -1] & ((1 << padding) - 1)).any():
        raise _refused(path, "a bit beyond the last column of a mask is set")
    return np.unpackbits(bits, axis=1, count=columns).view(bool)
