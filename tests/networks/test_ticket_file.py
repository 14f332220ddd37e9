import hashlib
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
from drawn import random_ticket
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

from slth.laws import Dyadic, LogUniform, Signs, Thinned, Uniform
from slth.networks import ticket_file
from slth.networks.files import load_ticket, save_ticket
from slth.networks.source import Source

SOURCE = Source(
    seed=2**64 - 1, widths=(3, 11, 2, 5, 4), biased=(True, False, False, False), law=Uniform(-0.1, 0.7), trial=9
)
TICKET = random_ticket(SOURCE, 0)
WHOLE = ticket_file.encode(TICKET)


def taken_apart():
    """Header (without metadata), manifest, and masks by name, of the whole file."""
    length = struct.unpack("<Q", WHOLE[:8])[0]
    header = json.loads(WHOLE[8 : 8 + length])
    manifest = json.loads(header.pop("__metadata__")["manifest"])
    body = WHOLE[8 + length :]
    masks = {name: bytearray(body[slice(*entry["data_offsets"])]) for name, entry in header.items()}
    return header, manifest, masks


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def put_together(header, manifest, masks, metadata=None, sign=True):
    """The file of the parts, with a digest that agrees unless told otherwise."""
    if sign and isinstance(manifest, dict) and "digest" in manifest:
        signed = canonical(manifest | {"digest": ""}).encode() + b"".join(masks[name] for name in sorted(masks))
        manifest = manifest | {"digest": hashlib.sha256(signed).hexdigest()}
    text = manifest if isinstance(manifest, str) else canonical(manifest)
    body = b""
    for name in header:
        header[name]["data_offsets"] = [len(body), len(body) + len(masks[name])]
        body += masks[name]
    metadata = {"manifest": text} if metadata is None else metadata
    head = canonical({"__metadata__": metadata} | header).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + body


def same(a, b):
    return a.source == b.source and all(np.array_equal(x, y) for x, y in zip(a.masks, b.masks, strict=True))


@pytest.mark.parametrize("law", [Uniform(0.0, 0.5), LogUniform(9), Signs(), Dyadic(4), Thinned(0.3)], ids=str)
def test_a_ticket_of_any_law_and_of_an_odd_number_of_matrices_comes_back(tmp_path, law):
    ticket = random_ticket(Source(0, (3, 5, 4, 2), (True, False, True), law), 1)
    save_ticket(ticket, tmp_path / "t.safetensors")
    assert same(load_ticket(tmp_path / "t.safetensors"), ticket)


@pytest.mark.parametrize("widths", [(1, 1, 1), (3, 11, 2, 5, 4), (8, 16, 24), (7, 9, 1)])
@pytest.mark.parametrize("density", [0.0, 0.5, 1.0])
def test_a_ticket_comes_back_as_it_was(tmp_path, widths, density):
    for biased in ((), (True, False) * (len(widths) // 2)):
        ticket = random_ticket(Source(0, widths, biased), 1, density)
        save_ticket(ticket, tmp_path / "t.safetensors")
        assert same(load_ticket(tmp_path / "t.safetensors"), ticket)


def test_seed_trial_and_law_come_back_exactly(tmp_path):
    save_ticket(TICKET, tmp_path / "t.safetensors")
    assert load_ticket(tmp_path / "t.safetensors").source == SOURCE


def test_the_file_holds_packed_masks_and_no_weights(tmp_path):
    save_ticket(TICKET, tmp_path / "t.safetensors")
    with safe_open(tmp_path / "t.safetensors", framework="numpy") as file:
        assert sorted(file.keys()) == ["mask0", "mask1", "mask2", "mask3"]
        for i, mask in enumerate(TICKET.masks):
            assert np.array_equal(file.get_tensor(f"mask{i}"), np.packbits(mask, axis=1))
        manifest = json.loads(file.metadata()["manifest"])
    assert manifest["kept"] == [int(mask.sum()) for mask in TICKET.masks]
    assert manifest["law"] == {"name": "uniform", "low": (-0.1).hex(), "high": (0.7).hex()}


def test_equal_tickets_give_equal_bytes():
    assert ticket_file.encode(random_ticket(SOURCE, 0)) == WHOLE


def test_numpy_integers_in_a_source_are_written_as_numbers(tmp_path):
    ticket = random_ticket(Source(np.uint64(5), tuple(np.array([2, 3, 1])), (np.bool_(False),) * 2), 0)
    save_ticket(ticket, tmp_path / "t.safetensors")
    assert load_ticket(tmp_path / "t.safetensors").source == Source(5, (2, 3, 1))


def flipped(masks, name="mask1", byte=0, bit=7):
    masks[name][byte] ^= 1 << bit


def change(**changes):
    """A fault: the manifest with other values."""
    return lambda header, manifest, masks: put_together(header, manifest | changes, masks)


def without(key):
    return lambda header, manifest, masks: put_together(header, {k: v for k, v in manifest.items() if k != key}, masks)


def entry(**changes):
    """A fault: the header entry of mask1 with other values, after the offsets were set."""

    def fault(header, manifest, masks):
        whole = put_together(header, manifest, masks)
        head = json.loads(whole[8 : 8 + struct.unpack("<Q", whole[:8])[0]])
        head["mask1"] |= changes
        text = canonical(head).encode()
        return struct.pack("<Q", len(text)) + text + whole[8 + struct.unpack("<Q", whole[:8])[0] :]

    return fault


def text(edit):
    """A fault: the manifest's text edited, signed before."""

    def fault(header, manifest, masks):
        return put_together(header, edit(canonical(manifest)), masks)

    return fault


def bit(sign, **where):
    def fault(header, manifest, masks):
        flipped(masks, **where)
        return put_together(header, manifest, masks, sign=sign)

    return fault


def extra_tensor(header, manifest, masks):
    header["mask4"] = dict(header["mask3"])
    masks["mask4"] = masks["mask3"]
    return put_together(header, manifest, masks)


def missing_tensor(header, manifest, masks):
    del header["mask3"], masks["mask3"]
    return put_together(header, manifest, masks)


def exchanged_tensors(header, manifest, masks):
    header["mask1"]["shape"], header["mask3"]["shape"] = header["mask3"]["shape"], header["mask1"]["shape"]
    masks["mask1"], masks["mask3"] = masks["mask3"], masks["mask1"]
    return put_together(header, manifest, masks)


LAW = {"name": "uniform", "low": (-1.0).hex(), "high": (1.0).hex()}
FAULTS = {
    "one byte short": (lambda *parts: WHOLE[:-1], "no whole safetensors"),
    "one byte appended": (lambda *parts: WHOLE + b"\0", "no whole safetensors"),
    "eight bytes": (lambda *parts: WHOLE[:8], "no whole safetensors"),
    "half a header": (lambda *parts: WHOLE[:100], "no whole safetensors"),
    "header length 2^63": (lambda *parts: struct.pack("<Q", 2**63) + WHOLE[8:], "no whole safetensors"),
    "header length + 1": (
        lambda *parts: struct.pack("<Q", struct.unpack("<Q", WHOLE[:8])[0] + 1) + WHOLE[8:],
        "no whole safetensors",
    ),
    "pickle": (lambda *parts: pickle.dumps(["ticket"] * 40), "no whole safetensors"),
    "shape 2^40": (entry(shape=[2**40, 2]), "no whole safetensors"),
    "negative shape": (entry(shape=[-2, -2]), "no whole safetensors"),
    "bool in a shape": (entry(shape=[True, 4]), "no whole safetensors"),
    "list as dtype": (entry(dtype=["U8"]), "no whole safetensors"),
    "overlapping offsets": (entry(data_offsets=[0, 4]), "no whole safetensors"),
    "bool tensors": (entry(dtype="BOOL"), "tensors are not the masks"),
    "signed bytes": (entry(dtype="I8"), "tensors are not the masks"),
    "transposed shape": (entry(shape=[4, 1]), "tensors are not the masks"),
    "tensor missing": (missing_tensor, "tensors are not the masks"),
    "tensor too many": (extra_tensor, "tensors are not the masks"),
    "tensors exchanged": (exchanged_tensors, "tensors are not the masks"),
    "no manifest": (lambda h, m, masks: put_together(h, m, masks, metadata={}), "no manifest"),
    "no metadata": (
        lambda h, m, masks: put_together(h, m, masks, metadata={"format": "pt"}),
        "no manifest, or more",
    ),
    "more metadata": (
        lambda h, m, masks: put_together(h, m, masks, metadata={"manifest": canonical(m), "x": "y"}),
        "no manifest, or more",
    ),
    "manifest no JSON": (text(lambda t: t[:-1]), "is no JSON"),
    "manifest nested": (text(lambda t: "[" * 200_000), "is no JSON"),
    "manifest a list": (text(lambda t: "[]"), "not canonical"),
    "manifest with spaces": (text(lambda t: t.replace(",", ", ")), "not canonical"),
    "key twice": (text(lambda t: t[:-1] + ',"seed":1}'), "not canonical"),
    "unsorted keys": (
        text(lambda t: json.dumps(dict(reversed(json.loads(t).items())), separators=(",", ":"))),
        "not c",
    ),
    "huge number": (text(lambda t: t.replace('"trial":9', '"trial":' + "9" * 5000)), "is no JSON"),
    "header with spaces": (
        lambda h, m, masks: (
            struct.pack("<Q", struct.unpack("<Q", WHOLE[:8])[0] + 8)
            + WHOLE[8:].replace(b'"mask0":', b'"mask0":        ', 1)
        ),
        "not the canonical one",
    ),
    "claim a number": (change(claim=7), "its claim is neither"),
    "key missing": (without("kept"), r"lacks or adds the keys \['kept'\]"),
    "digest missing": (without("digest"), "lacks or adds the keys"),
    "key unknown": (change(comment="hello"), r"lacks or adds the keys \['comment'\]"),
    "format of tomorrow": (change(format="slth-ticket/4"), "its format is slth-ticket/4"),
    "format missing": (without("format"), "its format is None"),
    "format a list": (change(format=["slth-ticket/3"]), "its format is"),
    "other generator": (change(rng="torch"), "its rng is torch"),
    "seed 2^64": (change(seed=2**64), "seed must be an integer"),
    "seed negative": (change(seed=-1), "seed must be an integer"),
    "seed true": (change(seed=True), "must be integers"),
    "seed 7.0": (change(seed=7.0), "must be integers"),
    "seed text": (change(seed="7"), "must be integers"),
    "trial 2^48": (change(trial=2**48), "0 <= trial < 2"),
    "trial NaN": (change(trial=float("nan")), "must be integers"),
    "widths reversed": (change(widths=[4, 5, 2, 11, 3]), "tensors are not the masks"),
    "widths empty": (change(widths=[]), "must be integers"),
    "widths text": (change(widths="33333"), "must be integers"),
    "width zero": (change(widths=[3, 0, 2, 5, 4]), "positive widths"),
    "width 2^40": (change(widths=[3, 2**40, 2, 5, 4]), "at most 2.32 mask bits"),
    "width 2^20": (change(widths=[3, 2**20, 2, 5, 4]), "tensors are not the masks"),
    "width true": (change(widths=[3, 11, 2, 5, True]), "must be integers"),
    "width unhashable": (change(widths=[[3], 11, 2, 5, 4]), "must be integers"),
    "biased by numbers": (change(biased=[1, 0, 0, 0]), "must be integers"),
    "biased otherwise": (change(biased=[False, False, True, False]), "beyond the last column"),
    "one matrix too many": (change(biased=[True, False, False, False, False]), "positive widths"),
    "law unknown": (change(law=LAW | {"name": "cauchy"}), "law .* is unknown"),
    "law a list": (change(law=[["name", ["uniform"]]]), "law .* is unknown"),
    "law a text": (change(law="uniform"), "law .* is unknown"),
    "law null": (change(law=None), "law .* is unknown"),
    "law empty": (change(law={}), "law .* is unknown"),
    "law NaN": (change(law=LAW | {"low": "nan"}), "law .* is unknown"),
    "law overflow": (change(law=LAW | {"high": "0x1p99999"}), "law .* is unknown"),
    "law number": (change(law=LAW | {"high": 1}), "law .* is unknown"),
    "law parameter": (change(law=LAW | {"middle": (0.0).hex()}), "law .* is unknown"),
    "law half": (change(law={"name": "uniform", "low": (-1.0).hex()}), "its law is"),
    "law by other digits": (change(law=LAW | {"low": "-0x1p0"}), "its law is"),
    "law ends exchanged": (change(law=LAW | {"low": (1.0).hex(), "high": (-1.0).hex()}), "law .* is unknown"),
    "kept off by one": (change(kept=[int(m.sum()) + 1 for m in TICKET.masks]), "its kept is"),
    "kept as floats": (change(kept=[float(m.sum()) for m in TICKET.masks]), "its kept is"),
    "digest wrong": (
        lambda h, m, masks: put_together(h, m | {"digest": "0" * 64}, masks, sign=False),
        "its digest is 0000",
    ),
    "digest a number": (
        lambda h, m, masks: put_together(h, m | {"digest": 0}, masks, sign=False),
        "its digest is",
    ),
    "seed + 1": (lambda h, m, masks: put_together(h, m | {"seed": 1}, masks, sign=False), "its digest is"),
    "mask bit": (bit(False), "its kept is|its digest is"),
    "mask bit, signed": (bit(True), "its kept is"),
    "padding bit, signed": (bit(True, name="mask0", bit=0), "beyond the last column"),
    "last padding bit, signed": (bit(True, name="mask3", byte=-1, bit=2), "beyond the last column"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faulty_tickets_are_refused_in_one_sentence(tmp_path, case):
    fault, says = FAULTS[case]
    (tmp_path / "t.safetensors").write_bytes(fault(*taken_apart()))
    with pytest.raises(ValueError, match=says) as caught:
        load_ticket(tmp_path / "t.safetensors")
    assert "t.safetensors is not a ticket that can be used" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_zip_under_another_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.safetensors", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mask0", bytes(10**6))
    with pytest.raises(ValueError, match="no whole safetensors"):
        load_ticket(tmp_path / "t.safetensors")


def test_a_change_that_is_signed_again_is_another_ticket(tmp_path):
    (tmp_path / "t.safetensors").write_bytes(put_together(*taken_apart()))
    assert same(load_ticket(tmp_path / "t.safetensors"), TICKET)
    (tmp_path / "t.safetensors").write_bytes(change(seed=1)(*taken_apart()))
    assert load_ticket(tmp_path / "t.safetensors").source.seed == 1


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(1, 255)), min_size=1, max_size=3))
def test_damaged_bytes_are_refused_or_change_nothing(tmp_path_factory, edits):
    content = bytearray(WHOLE)
    for place, mask in edits:
        content[place] ^= mask
    path = tmp_path_factory.mktemp("damaged") / "t"
    path.write_bytes(content)
    try:
        found = load_ticket(path)
    except ValueError:
        return
    assert same(found, TICKET)


def test_what_the_format_cannot_hold_is_refused():
    class Odd(Uniform):
        pass

    with pytest.raises(ValueError, match="no name in a ticket file"):
        ticket_file.encode(random_ticket(Source(1, (1, 1, 1), (), Odd()), 0))


def test_a_source_beyond_the_limit_is_not_written(monkeypatch):
    monkeypatch.setattr(ticket_file, "LARGEST_TICKET", 10)
    with pytest.raises(ValueError, match="at most"):
        ticket_file.encode(TICKET)
