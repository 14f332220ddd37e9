import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from slth.networks import weight_file
from slth.networks.files import load_target
from slth.networks.weight_file import read_tensors


def npy(array=None, shape=None, descr="<f8", data=b"", version=1, **kwargs):
    """The bytes of an .npy member; with a shape, a header that declares it before the given data."""
    stream = io.BytesIO()
    if shape is None:
        np.save(stream, array, **kwargs)
    else:
        text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}".encode()
        text += b" " * (-(len(text) + 11) % 64) + b"\n"
        stream.write(b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text + data)
    return stream.getvalue()


def zipped(path, compression=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", ".") + ".npy", content)
    return path


def raw_safetensors(path, header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", ">f8"])
def test_npz_gives_every_float_exactly(tmp_path, dtype):
    array = np.asfortranarray(np.random.default_rng(0).normal(size=(3, 4)).astype(dtype))
    np.savez_compressed(tmp_path / "f.npz", W=array)
    assert np.array_equal(read_tensors(tmp_path / "f.npz")["W"], array)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_safetensors_gives_every_float_exactly(tmp_path, dtype):
    tensor = torch.randn(3, 4, dtype=torch.float64).to(dtype)
    save_file({"W": tensor}, tmp_path / "f.safetensors")
    assert np.array_equal(read_tensors(tmp_path / "f.safetensors")["W"], tensor.double().numpy())


def test_a_missing_file_a_folder_and_an_empty_file_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*f\.npz"):
        load_target(tmp_path / "f.npz")
    with pytest.raises(ValueError, match="is not a file"):
        load_target(tmp_path)
    (tmp_path / "f.npz").touch()
    with pytest.raises(ValueError, match=r"f\.npz is empty"):
        load_target(tmp_path / "f.npz")


@pytest.mark.parametrize("name", ["f.npy", "f.pt", "f.bin", "f", "f.NPZ", "f.npz.gz"])
def test_other_suffixes_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ValueError, match=r"must end in \.npz or \.safetensors"):
        load_target(tmp_path / name)


ONE = npy(np.ones((2, 2)))
HOSTILE_NPZ = {
    "no arrays": ({}, "holds no tensors"),
    "pickled object": ({"W": npy(np.array([[{}]]), allow_pickle=True)}, "never unpickled"),
    "bare pickle": ({"W": pickle.dumps([1])}, "no readable header"),
    "no header": ({"W": b""}, "no readable header"),
    "half a header": ({"W": ONE[:40]}, "no readable header"),
    "unknown version": ({"W": npy(shape=(1, 1), data=bytes(8), version=9)}, "no readable header"),
    "version 3": ({"W": npy(shape=(1, 1), data=bytes(8), version=3)}, "no readable header"),
    "header is code": ({"W": npy(shape="__import__('os')", data=bytes(8))}, "no readable header"),
    "truncated data": ({"W": ONE[:-1]}, "do not hold"),
    "data too long": ({"W": ONE + b"\0"}, "do not hold"),
    "2^40 elements": ({"W": npy(shape=(2**20, 2**20))}, "at most 4 GiB"),
    "2^80 elements": ({"W": npy(shape=(2**40, 2**40))}, "at most 4 GiB"),
    "negative shape": ({"W": npy(shape=(-1, 2), data=bytes(16))}, "negative shape"),
    "twice negative": ({"W": npy(shape=(-1, -2), data=bytes(16))}, "negative shape"),
    "integers": ({"W": npy(np.ones((2, 2), dtype=np.int64))}, "tensor W of .* has dtype int64"),
    "bools": ({"W": npy(np.ones((2, 2), dtype=bool))}, "has dtype bool"),
    "complex": ({"W": npy(np.ones((2, 2), dtype=complex))}, "has dtype complex128"),
    "strings": ({"W": npy(np.full((2, 2), "a"))}, "has dtype <U1"),
    "records": ({"W": npy(np.zeros((2, 2), dtype=[("a", "f8")]))}, "has dtype"),
    "long double": (
        {"W": npy(np.ones((2, 2), dtype=np.longdouble))},
        "has dtype float128|has dtype longdouble",
    ),
    "vector": ({"W": npy(np.ones(3))}, r"tensor W of .* has shape \(3,\)"),
    "number": ({"W": npy(np.float64(1.0))}, r"has shape \(\)"),
    "four dimensions": ({"W": npy(np.ones((1, 1, 3, 3)))}, "has shape"),
    "zero size": ({"W": npy(np.ones((0, 3)))}, "tensor W of .* no empty side"),
    "NaN": ({"W": npy(np.full((2, 2), np.nan))}, "tensor W of .* must be finite"),
    "infinity": ({"W1": ONE, "W2": npy(np.full((2, 2), np.inf))}, "tensor W2 of .* must be finite"),
    "too large": ({"W": npy(np.full((2, 2), 1e30))}, "tensor W of .* modulus at most 16"),
    "no chain": ({"W1": npy(np.ones((3, 2))), "W2": ONE}, "W1 has 3 outputs but W2.* has 2 inputs"),
    "bias alone": (
        {"fc1__weight": ONE, "fc2__bias": npy(np.ones(2))},
        "tensor fc2.bias of .* not understood",
    ),
    "only a bias": ({"fc2__bias": npy(np.ones(2))}, r"tensor fc2.bias of .* has shape \(2,\)"),
    "long bias": ({"fc1__weight": ONE, "fc1__bias": npy(np.ones(3))}, "tensor fc1.bias of .* has shape"),
    "bias matrix": (
        {"fc1__weight": ONE, "fc1__bias": npy(np.ones((2, 1)))},
        "tensor fc1.bias of .* has shape",
    ),
    "bias NaN": ({"fc1__weight": ONE, "fc1__bias": npy(np.full(2, np.nan))}, "bias beside tensor fc1.weight"),
    "convolution": ({"conv__weight": npy(np.ones((1, 1, 3, 3)))}, "tensor conv.weight of .* only Linear"),
    "norm": (
        {"bn__weight": npy(np.ones(2)), "bn__bias": npy(np.ones(2))},
        "tensor bn.weight of .* only Linear",
    ),
    "pruned": ({"0__weight": ONE, "0__weight_mask": ONE}, "tensor 0.weight_mask of .* not understood"),
}


@pytest.mark.parametrize("case", HOSTILE_NPZ)
def test_hostile_npz_files_are_refused_in_one_sentence(tmp_path, case):
    members, says = HOSTILE_NPZ[case]
    with pytest.raises(ValueError, match=says) as caught:
        load_target(zipped(tmp_path / "f.npz", **members))
    assert "f.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pickle_in_an_npz_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    with pytest.raises(ValueError, match="never unpickled"):
        load_target(zipped(tmp_path / "f.npz", W=npy(np.array([[Trap()]]), allow_pickle=True)))
    assert not (tmp_path / "sprung").exists()


def damaged_zips():
    stream = io.BytesIO()
    np.savez(stream, W=np.ones((4, 4)))
    whole = stream.getvalue()
    middle = whole.index(np.ones(1).tobytes())
    flipped = bytearray(whole)
    flipped[middle] ^= 1
    stream = io.BytesIO()
    np.savez_compressed(stream, W=np.arange(5000.0).reshape(50, 100) / 5000)
    deflated = bytearray(stream.getvalue())
    deflated[deflated.index(b"PK\x01\x02") + 16] ^= 1
    unknown_method = bytearray(whole)
    unknown_method[whole.index(b"PK\x01\x02") + 10] = 99
    encrypted = bytearray(whole)
    encrypted[whole.index(b"PK\x01\x02") + 8] |= 1
    return {
        "text": b"weights: 1, 2, 3",
        "pickle": pickle.dumps(np.ones(3)),
        "npy": ONE,
        "truncated": whole[:-30],
        "first half": whole[: len(whole) // 2],
        "checksum": bytes(flipped),
        "checksum of a deflated member": bytes(deflated),
        "unknown compression": bytes(unknown_method),
        "encrypted": bytes(encrypted),
        "end record only": whole[-22:],
    }


@pytest.mark.parametrize("case", damaged_zips())
def test_damaged_zips_are_refused(tmp_path, case):
    (tmp_path / "f.npz").write_bytes(damaged_zips()[case])
    with pytest.raises(ValueError, match=r"f\.npz is not a whole \.npz file .*: write it again"):
        load_target(tmp_path / "f.npz")


def test_damaged_deflate_streams_are_refused(tmp_path):
    path = zipped(tmp_path / "f.npz", zipfile.ZIP_DEFLATED, W=npy(np.random.default_rng(0).normal(size=(9, 9))))
    content = bytearray(path.read_bytes())
    for place in range(60, 400, 20):
        content[place] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"f\.npz"):
        load_target(path)


def test_a_zip_bomb_is_refused_by_its_declared_size(tmp_path, monkeypatch):
    monkeypatch.setattr(weight_file, "LARGEST_FILE", 1 << 20)
    bomb = npy(np.zeros((400, 400)))
    path = zipped(tmp_path / "f.npz", zipfile.ZIP_DEFLATED, W=bomb)
    assert path.stat().st_size < 10_000
    with pytest.raises(ValueError, match="holds or declares"):
        load_target(path)
    half = npy(np.zeros((300, 300)))
    with pytest.raises(ValueError, match="holds or declares"):
        load_target(zipped(tmp_path / "f.npz", zipfile.ZIP_DEFLATED, W1=half, W2=half))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_are_no_arrays_of_their_own_are_refused(tmp_path):
    for names in (["W.npy", "readme.txt"], ["W.npy", "W.npy"]):
        with zipfile.ZipFile(tmp_path / "f.npz", "w") as archive:
            for name in names:
                archive.writestr(name, ONE)
        with pytest.raises(ValueError, match="no array of its own"):
            load_target(tmp_path / "f.npz")


EIGHT = {"dtype": "F64", "shape": [1, 1], "data_offsets": [0, 8]}
HOSTILE_SAFETENSORS = {
    "no tensors": ({}, b"", "holds no tensors"),
    "truncated": ({"0.weight": EIGHT}, bytes(7), "not a whole"),
    "appended": ({"0.weight": EIGHT}, bytes(9), "not a whole"),
    "not JSON": (b"weights", b"", "not a whole"),
    "bad UTF-8": (b"\xff\xfe\xfd", b"", "not a whole"),
    "deep nesting": (b"[" * 200_000, b"", "not a whole"),
    "2^40 elements": ({"0.weight": EIGHT | {"shape": [2**20, 2**20]}}, bytes(8), "not a whole"),
    "2^80 elements": ({"0.weight": EIGHT | {"shape": [2**40, 2**40]}}, bytes(8), "not a whole"),
    "negative shape": ({"0.weight": EIGHT | {"shape": [-1, -1]}}, bytes(8), "not a whole"),
    "overlap": ({"0.weight": EIGHT, "2.weight": EIGHT}, bytes(8), "not a whole"),
    "unknown dtype": ({"0.weight": EIGHT | {"dtype": "F63"}}, bytes(8), "not a whole"),
    "integers": ({"0.weight": EIGHT | {"dtype": "I64"}}, bytes(8), "tensor 0.weight of .* has dtype I64"),
    "float8": ({"0.weight": EIGHT | {"dtype": "F8_E4M3", "shape": [2, 4]}}, bytes(8), "has dtype F8_E4M3"),
    "plain names": ({"W1": EIGHT}, bytes(8), "tensor W1 of .* not understood"),
    "vector": ({"0.weight": EIGHT | {"shape": [1]}}, bytes(8), "tensor 0.weight of .* has shape"),
    "zero size": ({"0.weight": EIGHT | {"shape": [0, 3], "data_offsets": [0, 0]}}, b"", "no empty side"),
    "NaN": ({"0.weight": EIGHT}, struct.pack("<d", np.nan), "tensor 0.weight of .* must be finite"),
}


@pytest.mark.parametrize("case", HOSTILE_SAFETENSORS)
def test_hostile_safetensors_files_are_refused_in_one_sentence(tmp_path, case):
    header, body, says = HOSTILE_SAFETENSORS[case]
    with pytest.raises(ValueError, match=says) as caught:
        load_target(raw_safetensors(tmp_path / "f.safetensors", header, body))
    assert "f.safetensors" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"x", bytes(8), struct.pack("<Q", 2**63), pickle.dumps([1] * 50)])
def test_headers_that_cannot_be_are_refused(tmp_path, content):
    (tmp_path / "f.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="not a whole"):
        load_target(tmp_path / "f.safetensors")


def test_a_large_safetensors_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(weight_file, "LARGEST_FILE", 50)
    save_file({"0.weight": torch.ones(3, 3)}, tmp_path / "f.safetensors")
    with pytest.raises(ValueError, match="holds or declares"):
        load_target(tmp_path / "f.safetensors")
