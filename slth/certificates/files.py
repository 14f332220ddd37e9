"""Certificate files: written only if the checker accepts them, read back as a claim."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slth.atomic import check_writable, replacing
from slth.certificates import slth_check, slth_check_tight
from slth.certificates.claim import WORDING, Claim, target_digest
from slth.errors import Ball, Box, Domain
from slth.networks import ticket_file
from slth.networks.files import TICKET_SUFFIX
from slth.networks.layers import Dense
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.networks.weight_file import check_file

METHOD_UNKNOWN = 29
"""A checker's code for a claim that needs a method it does not have."""

Tensors = dict[str, NDArray[Any]]


def save_certificate(claim: Claim, path: str | os.PathLike[str]) -> bool:
    """Writes a claim with its target and ticket. Either the whole file appears or nothing changes.

    The bytes go through slth_check.py first, and through slth_check_tight.py if the claim names one of its methods. A
    claim that neither proves is not written, unless it names a method that both do not have.

    Args:
        claim: what is certified.
        path: where, ending in .safetensors; a file of this name is replaced.

    Returns:
        Whether slth_check.py proves the claim; if not, it needs its method (`slth check --tight`).

    Raises:
        ValueError: the path cannot be a file, or the checkers refuse the claim; the message says why.
        OSError: the file cannot be written.
    """
    check_writable(path, TICKET_SUFFIX)
    content = encode(claim)
    refusal, reason = _refusal(content, slth_check.check)
    proved = refusal == 0
    if refusal == METHOD_UNKNOWN:
        refusal, reason = _refusal(content, slth_check_tight.check)
    if refusal not in (0, METHOD_UNKNOWN):
        raise ValueError(
            f"the checker refuses this claim ({refusal}): {reason}; nothing was written. Save the ticket alone, or "
            "claim what slth.errors.upper_ends proves"
        )
    with replacing(path) as file:
        file.write(content)
    return proved


def load_certificate(path: str | os.PathLike[str]) -> Claim:
    """Reads a certificate. The claim in it is checked for form, not proved: that is what `slth check` does.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, or a ticket without a claim.

    >>> import tempfile
    >>> import numpy as np
    >>> masks = np.array([[True], [False]]), np.array([[False, False]])
    >>> from slth.networks.source import Source
    >>> ticket, target = Ticket(Source(1, (1, 2, 1)), masks), Target.from_floats([[[0.5]]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_certificate(Claim(target, ticket, Ball(1), 0.6, "scalar recursion"), f"{folder}/t.safetensors")
    ...     load_certificate(f"{folder}/t.safetensors").error
    True
    0.6
    """
    found = load(path)
    if not isinstance(found, Claim):
        raise ValueError(f"{path} holds a ticket that claims nothing: read it with slth.load")
    return found


def load(path: str | os.PathLike[str]) -> Ticket | Claim:
    """Reads a file of `Ticket.save` or `Claim.save`: what claims something as a claim, the rest as a ticket.

    A claim is checked for form, not proved: that is what `slth check` does.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, or something else.

    >>> import tempfile
    >>> import slth
    >>> found = slth.verify(slth.pensia2020_subset_sum, slth.random_target([2, 2, 1], seed=0), 0.5, 0.1, 1, samples=16)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     slth.Claim.of(found).save(f"{folder}/t.safetensors")
    ...     slth.load(f"{folder}/t.safetensors").promised
    True
    0.5
    """
    path = Path(path)
    check_file(path)
    ticket, claim, tensors = ticket_file.decode(path)
    if claim is None:
        return ticket
    try:
        found = _decoded(ticket, claim, tensors)
        if target_digest(found.target) != claim["target"]:
            raise ValueError("its target is not the one of the claim")
        same = encode(found) == path.read_bytes()
    except (KeyError, TypeError, AttributeError, OverflowError, ValueError) as fault:
        raise ValueError(f"{path} is not a certificate that can be used ({fault}): make it again") from fault
    if not same:
        raise ValueError(f"{path} is not a certificate that can be used: fields are missing, unknown or misspelt")
    return found


def encode(claim: Claim) -> bytes:
    """The file of a claim; the same bytes for the same claim."""
    target, domain = claim.target, claim.domain
    tensors: Tensors = {}
    for i, layer in enumerate(target.layers):
        tensors[f"target{i}"] = layer.weight
        if layer.bias is not None:
            tensors[f"bias{i}"] = layer.bias
    if isinstance(domain, Ball):
        where = {"name": "ball", "radius": float(domain.radius).hex()}
    else:
        where = {"name": "box"}
        tensors |= {"low": domain.low, "high": domain.high}
    if claim.splits:
        tensors["splits"] = np.frombuffer(claim.splits, np.uint8)
    fields = {
        "biases": [layer.bias is not None for layer in target.layers],
        "domain": where,
        "error": float(claim.error).hex(),
        "method": claim.method,
        "norm": domain.norm,
        "notes": {
            "delta": _hex(claim.delta),
            "promised": _hex(claim.promised),
            "rounding": _hex(target.rounding),
            "scale": _hex(target.scale),
            "theorem": claim.theorem,
        },
        "target": target_digest(target),
        "wording": WORDING,
    }
    return ticket_file.encode(claim.ticket, fields, tensors)


def _refusal(content: bytes, check: Callable[[bytes], Any]) -> tuple[int, str]:
    """A checker's code and sentence; 0 if it accepts."""
    try:
        check(content)
    except slth_check.Refused as fault:
        code, detail = fault.args
        return code, f"{slth_check.REFUSALS[code]} ({detail})"
    return 0, ""


def _hex(value: float | None) -> str | None:
    return None if value is None else float(value).hex()


def _number(text: str | None) -> float | None:
    return None if text is None else float.fromhex(text)


def _decoded(ticket: Ticket, claim: dict[str, Any], tensors: Tensors) -> Claim:
    layers = tuple(
        Dense(tensors[f"target{i}"], tensors[f"bias{i}"] if biased else None)
        for i, biased in enumerate(claim["biases"])
    )
    notes = claim["notes"]
    target = Target(layers, float.fromhex(notes["rounding"]), float.fromhex(notes["scale"]))
    domain: Domain
    if claim["domain"]["name"] == "ball":
        domain = Ball(layers[0].inputs, float.fromhex(claim["domain"]["radius"]))
    else:
        domain = Box(tensors["low"], tensors["high"])
    return Claim(
        target,
        ticket,
        domain,
        float.fromhex(claim["error"]),
        claim["method"],
        notes["theorem"],
        _number(notes["promised"]),
        _number(notes["delta"]),
        tensors["splits"].tobytes() if "splits" in tensors else b"",
    )
