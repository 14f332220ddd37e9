"""Reads named tensors from .npz and .safetensors files of strangers: sizes first, never a pickle."""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

LARGEST_FILE = 1 << 32
"""Bytes of weights that are read at most, 4 GiB."""

NPY_VERSIONS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
SAFETENSORS_FLOATS = {"F16", "BF16", "F32", "F64"}

Tensors = dict[str, NDArray[np.floating]]


def read_tensors(path: Path) -> Tensors:
    """All tensors of a file by name, as float16, float32 or float64 (bfloat16 comes as float32, exactly).

    Args:
        path: a file ending in .npz or .safetensors.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a directory, another suffix, a damaged file, a pickle, a tensor that is no real float, or
            more than 4 GiB of data.
    """
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors}
    check_file(path)
    if path.suffix not in readers:
        raise ValueError(
            f"{path} must end in .npz or .safetensors: save the weights with numpy.savez or safetensors.torch.save_file"
        )
    return readers[path.suffix](path)


def check_file(path: Path) -> None:
    """Raises FileNotFoundError for a missing file, ValueError for what is no regular file or empty."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: check the name and the folder")
    if not path.is_file():
        raise ValueError(f"{path} is not a file: give the name of a file")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty: write it again")


def _check_size(path: Path, size: int) -> None:
    if size > LARGEST_FILE:
        raise ValueError(
            f"{path} holds or declares {size / 2**30:.1f} GiB, and at most {LARGEST_FILE >> 30} GiB are "
            "read: store float32, or a smaller network"
        )


def _read_safetensors(path: Path) -> Tensors:
    _check_size(path, path.stat().st_size)  # the format has no compression, so the file bounds the memory
    tensors = {}
    try:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 (not a mapping)
                dtype = file.get_slice(name).get_dtype()
                if dtype not in SAFETENSORS_FLOATS:
                    raise ValueError(_wrong_dtype(name, path, dtype))
                tensor = file.get_tensor(name)
                tensors[name] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    except SafetensorError as fault:
        raise ValueError(
            f"{path} is not a whole .safetensors file ({fault}): write it again with safetensors.torch.save_file"
        ) from fault
    return tensors


def _read_npz(path: Path) -> Tensors:
    tensors: Tensors = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_size(path, sum(member.file_size for member in members))
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name == member.filename or name in tensors:
                    raise ValueError(
                        f"{path} has a member {member.filename!r} that is no array of its own: write it with "
                        "numpy.savez"
                    )
                tensors[name] = _read_member(archive, member, name, path)
    # RuntimeError: encrypted; NotImplementedError: unknown compression; the rest: damage at different depths.
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError) as fault:
        raise ValueError(f"{path} is not a whole .npz file ({fault}): write it again with numpy.savez") from fault
    return tensors


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, path: Path) -> NDArray[np.floating]:
    with archive.open(member) as stream:
        shape, dtype = _header(stream, name, path)
        if dtype.kind != "f" or dtype.itemsize > 8:
            raise ValueError(_wrong_dtype(name, path, str(dtype)))
        size = math.prod(shape) * dtype.itemsize
        _check_size(path, size)
        if stream.tell() + size != member.file_size:
            raise ValueError(
                f"tensor {name} of {path} declares shape {shape}, which its {member.file_size} bytes do not "
                "hold: write the file again with numpy.savez"
            )
    with archive.open(member) as stream:
        array: NDArray[np.floating] = np.lib.format.read_array(stream, allow_pickle=False)
        stream.read(1)  # the end of the member, where zipfile compares its checksum
    return array


def _header(stream: IO[bytes], name: str, path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(stream)
        shape, _, dtype = NPY_VERSIONS[version](stream)
    except (ValueError, KeyError) as fault:
        raise ValueError(
            f"tensor {name} of {path} has no readable header ({fault}): write the file again with numpy.savez"
        ) from fault
    if min(shape, default=1) < 0:
        raise ValueError(f"tensor {name} of {path} declares the negative shape {shape}: write the file again")
    return shape, dtype


def _wrong_dtype(name: str, path: Path, dtype: str) -> str:
    pickled = " (Python objects are never unpickled)" if dtype == "object" else ""
    return (
        f"tensor {name} of {path} has dtype {dtype}{pickled}; weights are float16, bfloat16, float32 or "
        "float64: convert it, or leave it out of the file"
    )
