"""Files of targets and tickets."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slth.atomic import check_writable, replacing
from slth.networks import ticket_file
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.networks.weight_file import Tensors, check_file, read_tensors

TICKET_SUFFIX = ".safetensors"

Layer = tuple[str, NDArray[np.floating], NDArray[np.floating] | None]


def load_target(path: str | os.PathLike[str]) -> Target:
    """Reads the target network from a file of weight matrices.

    The file holds matrices `<prefix>.weight` of shape (outputs, inputs) and, where a layer has one,
    `<prefix>.bias`, as the state dict of nn.Sequential(Linear, ReLU, ...) does. An .npz may hold plain
    matrices of any names instead. The layers stand in the natural order of the names (fc2 before fc10), with
    a ReLU between each two.

    Args:
        path: a file that ends in .npz or .safetensors, of at most 4 GiB.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged or holds something else; the message names the tensor.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/f.npz", W1=np.ones((3, 2)), W2=np.ones((1, 3)))
    ...     load_target(f"{folder}/f.npz").widths
    (2, 3, 1)
    """
    path = Path(path)
    tensors = read_tensors(path)
    if not tensors:
        raise ValueError(f"{path} holds no tensors: save the weight matrices in it")
    plain = path.suffix == ".npz" and not any(_kind(name) == "weight" for name in tensors)
    layers = _plain_layers(path, tensors) if plain else _named_layers(path, tensors)
    for (before, rows, _), (after, columns, _) in pairwise(layers):
        if rows.shape[0] != columns.shape[1]:
            raise ValueError(
                f"{path}: {before} has {rows.shape[0]} outputs but {after}, next in the natural order of the "
                f"names, has {columns.shape[1]} inputs: name the matrices (outputs, inputs) in the order of "
                "the layers"
            )
    names = [f"tensor {name} of {path}" for name, _, _ in layers]
    return Target.from_floats([weight for _, weight, _ in layers], [bias for _, _, bias in layers], names)


def save_ticket(ticket: Ticket, path: str | os.PathLike[str]) -> None:
    """Writes a ticket: the seed and the masks, no weights. Either the whole file appears or nothing changes.

    Args:
        ticket: any ticket of at most 2^32 random weights.
        path: where; a file of this name is replaced. `.safetensors` is the usual ending.

    Raises:
        ValueError: the path cannot be a file, or the ticket is too large.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> from slth.networks.source import Source
    >>> masks = np.ones((2, 1), dtype=bool), np.zeros((1, 2), dtype=bool)
    >>> ticket = Ticket(Source(1, (1, 2, 1)), masks)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_ticket(ticket, f"{folder}/t.safetensors")
    ...     load_ticket(f"{folder}/t.safetensors").source == ticket.source
    True
    """
    check_writable(path, TICKET_SUFFIX)
    content = ticket_file.encode(ticket)
    with replacing(path) as file:
        file.write(content)


def load_ticket(path: str | os.PathLike[str]) -> Ticket:
    """Reads a ticket, also out of a certificate, and checks format, sizes, counts and digest.

    The digest shows accidents, not malice: whoever alters a file can sign it again. What the ticket computes
    follows from seed and masks alone and is never read from the file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged or not a ticket.
    """
    path = Path(path)
    check_file(path)
    return ticket_file.decode(path)[0]


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _natural(name: str) -> str:
    """A key that sorts numbers within names by value."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(20), name)


def _plain_layers(path: Path, tensors: Tensors) -> list[Layer]:
    for name, array in tensors.items():
        if array.ndim != 2:
            raise ValueError(
                f"tensor {name} of {path} has shape {array.shape}; without names ending in .weight every "
                "tensor must be a weight matrix (outputs, inputs): name weights and biases as in "
                "fc1.weight, fc1.bias"
            )
    return [(name, tensors[name], None) for name in sorted(tensors, key=_natural)]


def _named_layers(path: Path, tensors: Tensors) -> list[Layer]:
    prefixes = sorted((name.removesuffix("weight") for name in tensors if _kind(name) == "weight"), key=_natural)
    for name, array in tensors.items():
        belongs = _kind(name) == "bias" and name.removesuffix("bias") in prefixes
        if _kind(name) != "weight" and not belongs:
            raise ValueError(
                f"tensor {name} of {path} is not understood; expected matrices <prefix>.weight, each with at "
                "most a <prefix>.bias: remove it, or apply pruning and normalisation to the weights first"
            )
        wanted = 1 if belongs else 2
        if array.ndim != wanted or (belongs and len(array) != len(tensors[f"{name[:-4]}weight"])):
            raise ValueError(
                f"tensor {name} of {path} has shape {array.shape}; a weight is a matrix (outputs, inputs) of "
                "a Linear and a bias has one entry per output: only Linear layers are supported"
            )
    return [(f"{p}weight", tensors[f"{p}weight"], tensors.get(f"{p}bias")) for p in prefixes]
