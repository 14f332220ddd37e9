"""Files appear whole or not at all."""

import errno
import os

import pytest

from slth.atomic import check_writable, replacing


def test_a_file_is_replaced_when_all_has_been_written(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupt_or_error_leaves_the_old_file_and_no_other(tmp_path, fault):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def write_half():
        with replacing(path) as file:
            file.write(b"half")
            raise fault

    with pytest.raises(fault):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_is_named_with_the_path_and_leaves_nothing(tmp_path, monkeypatch, step):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with (
        pytest.raises(OSError, match=r"cannot write .*a.bin \(No space left on device\)"),
        replacing(tmp_path / "a.bin"),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_places_where_no_file_can_be_are_refused_beforehand(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="is a directory"):
        check_writable(tmp_path)
    with pytest.raises(ValueError, match="no folder"):
        check_writable(tmp_path / "missing" / "a.bin")
    with pytest.raises(ValueError, match="not a plain file"):
        check_writable("/dev/null")
    with pytest.raises(ValueError, match=r"end in .png or .svg; got 'a.gif'"):
        check_writable(tmp_path / "a.gif", ".png", ".svg")
    monkeypatch.setattr(os, "access", lambda *_args: False)
    with pytest.raises(PermissionError, match="cannot be written"):
        check_writable(tmp_path / "a.bin")
