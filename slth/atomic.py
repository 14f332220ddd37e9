"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def check_writable(path: str | os.PathLike[str], *suffixes: str) -> Path:
    """The path, if a file can be written there; ask before a long computation.

    Args:
        path: of the file to be. A file that is there will be replaced.
        suffixes: the endings allowed; any if none are given.

    Raises:
        ValueError: another suffix, a directory, something that is not a plain file, or no such folder.
        PermissionError: nothing can be written in the folder.

    >>> check_writable("figure.gif", ".png", ".svg")
    Traceback (most recent call last):
    ...
    ValueError: the name of this file must end in .png or .svg; got 'figure.gif': change it
    """
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise ValueError(f"the name of this file must end in {' or '.join(suffixes)}; got {path.name!r}: change it")
    if path.is_dir():
        raise ValueError(f"{path} is a directory: give the name of a file in it")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a plain file and would be replaced by one: give another name")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}: make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"the folder {path.parent} cannot be written to: choose another one")
    return path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a new file beside the path and puts it in its place when all has been written.

    If anything goes wrong before that (a full disk, an interrupt), the new file is removed and an old one stays.

    Raises:
        OSError: the file cannot be written; the message names the path.
        ValueError, PermissionError: see `check_writable`.
    """
    path = check_writable(path)
    # In the same folder, so that replacing is atomic.
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as fault:
        raise OSError(fault.errno, f"cannot write {path} ({fault.strerror}); nothing was left behind") from fault
    finally:
        if os.path.lexists(partial):
            partial.unlink()
