import errno
import os

import numpy as np
import pytest
import torch
from drawn import random_ticket
from safetensors.torch import save_file
from torch import nn

from slth.networks.files import load_target, load_ticket, save_ticket
from slth.networks.source import Source
from slth.networks.torch_import import from_torch

TICKET = random_ticket(Source(3, (3, 11, 2), (True, False)), 0)


def test_a_state_dict_gives_the_network_of_the_module(tmp_path):
    module = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4, bias=False), nn.ReLU(), nn.Linear(4, 2))
    save_file(module.state_dict(), tmp_path / "f.safetensors")
    np.savez(tmp_path / "f.npz", **{name: tensor.numpy() for name, tensor in module.state_dict().items()})
    expected = from_torch(module)
    for name in ("f.safetensors", "f.npz"):
        found = load_target(tmp_path / name)
        assert found.rounding == expected.rounding
        for a, b in zip(found.layers, expected.layers, strict=True):
            assert np.array_equal(a.channels, b.channels)
            assert (a.bias is None) == (b.bias is None)


def test_layers_stand_in_the_natural_order_of_their_names(tmp_path):
    order = [1, 2, 9, 10, 11, 100]
    tensors = {f"net.fc{i}.weight": torch.full((1, 1), i / 128) for i in order[::-1]}
    save_file(tensors, tmp_path / "f.safetensors")
    layers = load_target(tmp_path / "f.safetensors").layers
    assert [layer.matrix.item() * 128 for layer in layers] == order


def test_plain_matrices_of_an_npz_stand_in_natural_order(tmp_path):
    arrays = [np.full((1, 1), i / 16) for i in range(12)]
    np.savez(tmp_path / "f.npz", *arrays)
    layers = load_target(str(tmp_path / "f.npz")).layers
    assert [layer.matrix.item() * 16 for layer in layers] == list(range(12))


def test_a_single_linear_may_have_no_prefix(tmp_path):
    save_file(nn.Linear(3, 2).state_dict(), tmp_path / "f.safetensors")
    assert load_target(tmp_path / "f.safetensors").widths == (3, 2)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "t.safetensors"
    path.write_bytes(b"old")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    for step in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, step, full)
            with pytest.raises(OSError, match="No space left"):
                save_ticket(TICKET, path)
        assert [file.name for file in tmp_path.iterdir()] == ["t.safetensors"]
        assert path.read_bytes() == b"old"
    save_ticket(TICKET, path)
    assert load_ticket(path).kept == TICKET.kept
    assert len(list(tmp_path.iterdir())) == 1


def test_a_ticket_is_saved_under_its_own_suffix_only(tmp_path):
    with pytest.raises(ValueError, match=r"must end in .safetensors; got 't.npz'"):
        save_ticket(TICKET, tmp_path / "t.npz")
    with pytest.raises(ValueError, match="no folder"):
        save_ticket(TICKET, tmp_path / "missing" / "t.safetensors")


def test_a_missing_or_empty_ticket_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_ticket(tmp_path / "t.safetensors")
    with pytest.raises(ValueError, match="is not a file"):
        load_ticket(tmp_path)
    (tmp_path / "t").touch()
    with pytest.raises(ValueError, match="is empty"):
        load_ticket(tmp_path / "t")
