"""Tampering is refused, each kind with its code. RS: the digest is signed again, so only the meaning is wrong."""

import gzip
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from small import canonical, certificate, encode, put_together, random_pairs, taken_apart, wide

from slth.certificates import slth_check, target_digest
from slth.errors import Ball, Box
from slth.networks import ticket_file

TARGET, TICKET = random_pairs(7, [3, 5, 2], biases=False)
WHOLE = encode(certificate(TARGET, TICKET))
BOX = encode(certificate(TARGET, TICKET, Box.cube(3, -1.0, 0.5)))
FAR = encode(certificate(*random_pairs(9, [20, 2])))
BIASED = encode(certificate(*random_pairs(8, [2, 3, 2], biases=True)))
SIZE = 8 + struct.unpack("<Q", WHOLE[:8])[0]
PROVED = slth_check.check(WHOLE)[1]
NESTED = json.loads("[" * 400 + "]" * 400)


def code_of(content, trusted=None):
    """The checker's code, 0 if it accepts."""
    try:
        slth_check.check(content, trusted)
    except slth_check.Refused as fault:
        return fault.args[0]
    return 0


def changed(content=WHOLE, claim=None, own_target=False, sign=True, **fields):
    """The file with other fields in manifest or claim, signed again."""
    manifest, tensors = taken_apart(content)
    manifest = manifest | fields
    if claim is not None:
        manifest["claim"] = manifest["claim"] | claim
    return put_together(manifest, tensors, own_target=own_target, sign=sign)


def without(key, part=None):
    manifest, tensors = taken_apart(WHOLE)
    del (manifest if part is None else manifest[part])[key]
    return put_together(manifest, tensors)


def edited(edit, content=WHOLE, **how):
    """The file after an edit of its tensors by name (bytearrays), signed again unless told otherwise."""
    manifest, tensors = taken_apart(content)
    edit({name: body for name, _, _, body in tensors})
    return put_together(manifest, tensors, **how)


def text(edit, sign=True):
    """The file with an edited manifest text, whose digest is that of the manifest before."""
    manifest, tensors = taken_apart(WHOLE)
    return put_together(edit(canonical(manifest)), tensors)


def header(edit):
    """The file with an edited header object."""
    manifest, tensors = taken_apart(WHOLE)
    return put_together(manifest, tensors, header=lambda head: canonical(edit(head)))


def entry(name="mask1", **changes):
    return header(lambda head: head | {name: head[name] | changes})


def tensors_changed(edit):
    manifest, tensors = taken_apart(WHOLE)
    return put_together(manifest, edit(tensors))


def flip(name, byte=0, bit=7):
    def edit(bodies):
        bodies[name][byte] ^= 1 << bit

    return edit


def put(name, index, value, dtype="<i8"):
    def edit(bodies):
        array = np.frombuffer(bodies[name], dtype).copy()
        array[index] = value(array[index]) if callable(value) else value
        bodies[name][:] = array.tobytes()

    return edit


def swap_bits(bodies):
    """Two bits of mask1 exchanged, so that the count stays: 1 kept and 1 dropped weight of one output."""
    row = np.unpackbits(np.frombuffer(bodies["mask1"], np.uint8).reshape(5, -1), axis=1)
    kept, dropped = np.flatnonzero(row[0, :18])[0], np.flatnonzero(row[0, :18] == 0)[0]
    row[0, [kept, dropped]] = 0, 1
    bodies["mask1"][:] = np.packbits(row, axis=1).tobytes()


def two_inputs(bodies):
    """A hidden unit of mask0 keeps all three of its weights."""
    bodies["mask0"][0] |= 0b11100000


def all_ones(bodies):
    bodies["mask1"][:] = bytes([0xFF, 0xFF, 0b11000000]) * 5


def kept(manifest, tensors):
    counts = [int(np.unpackbits(np.frombuffer(b, np.uint8)).sum()) for n, _, _, b in tensors if n.startswith("mask")]
    return manifest | {"kept": counts}


def two_bytes(bodies):
    """A hidden unit of mask0, 20 inputs wide, keeps one weight in each of two bytes."""
    bodies["mask0"][:2] = b"\x10\x10"


def recounted(edit, content=WHOLE):
    """The file after an edit of its masks, counted and signed again."""
    manifest, tensors = taken_apart(content)
    edit({name: body for name, _, _, body in tensors})
    return put_together(kept(manifest, tensors), tensors)


def ends(low, high):
    def edit(bodies):
        bodies["low"][:] = np.array([low] * 3).tobytes()
        bodies["high"][:] = np.array([high] * 3).tobytes()

    return edited(edit, BOX)


def huge_weight(value):
    return edited(put("target0", 0, value), own_target=True)


BELOW = float(np.nextafter(float(PROVED), 0)).hex()
LAW = {"name": "uniform", "low": (-1.0).hex(), "high": (1.0).hex()}
M, T = taken_apart(WHOLE)
FAULTS = {
    # bytes
    "empty file": (b"", 11),
    "eight bytes": (WHOLE[:8], 11),
    "half a header": (WHOLE[:100], 11),
    "header length 0": (struct.pack("<Q", 0) + WHOLE[8:], 11),
    "header length 2^63": (struct.pack("<Q", 2**63) + WHOLE[8:], 11),
    "header length + 2^56": (struct.pack("<Q", SIZE - 8 + 2**56) + WHOLE[8:], 11),
    "header above 1 MiB": (struct.pack("<Q", 2**20) + WHOLE[8:] + bytes(2**20), 11),
    "header length + 1": (struct.pack("<Q", SIZE - 7) + WHOLE[8:], 12),
    "header length - 8": (struct.pack("<Q", SIZE - 16) + WHOLE[8:], 12),
    "one byte short": (WHOLE[:-1], 17),
    "one byte appended": (WHOLE + b"\0", 17),
    "body doubled": (WHOLE + WHOLE[SIZE:], 17),
    "pickle": (pickle.dumps(["ticket"] * 40), 11),
    "gzip": (gzip.compress(WHOLE), 11),
    "zip": (b"PK\3\4" + bytes(100), 11),
    # the header
    "header no JSON": (struct.pack("<Q", 16) + b"{" * 16 + bytes(99), 12),
    "header no ASCII": (struct.pack("<Q", 16) + b'{"\xff":1}      ' + bytes(99), 12),
    "header a list": (struct.pack("<Q", 8) + b"[]      " + bytes(99), 12),
    "header nested": (struct.pack("<Q", 200_000) + b"[" * 200_000, 12),
    "header in UTF-16": (struct.pack("<Q", 20) + '{"a":1}'.encode("utf-16") + bytes(99), 12),
    "manifest no text": (header(lambda h: h | {"__metadata__": {"manifest": M}}), 12),
    "no metadata": (header(lambda h: {k: v for k, v in h.items() if k[0] != "_"}), 12),
    "more metadata": (header(lambda h: h | {"__metadata__": h["__metadata__"] | {"x": "y"}}), 17),
    "header with spaces": (put_together(M, T, header=lambda head: json.dumps(head, sort_keys=True)), 17),
    "header unsorted": (put_together(M, T, header=lambda h: json.dumps(h, separators=(",", ":"))), 17),
    "header without padding": (put_together(M, T, pad=False) if len(canonical(M)) % 8 else WHOLE[:-1], 17),
    "header key twice": (put_together(M, T, header=lambda h: canonical(h)[:-1] + ',"mask0":1}'), 17),
    "shape 2^40": (entry(shape=[2**40, 2]), 17),
    "shape negative": (entry(shape=[-5, -3]), 17),
    "shape of bools": (entry("target0", shape=[True, 3]), 17),
    "dtype a list": (entry(dtype=["U8"]), 17),
    "dtype I8": (entry(dtype="I8"), 17),
    "target as F64": (entry("target0", dtype="F64"), 17),
    "offsets overlap": (entry(data_offsets=[0, 15]), 17),
    "entry with more keys": (entry(more=1), 17),
    "tensor missing": (tensors_changed(lambda t: t[:-1]), 17),
    "tensor too many": (tensors_changed(lambda t: [*t, ["mask4", "U8", [1, 1], bytearray(1)]]), 17),
    "tensors in another order": (tensors_changed(lambda t: [*t[:-2], t[-1], t[-2]]), 17),
    "tensors exchanged": (tensors_changed(lambda t: [[*t[1][:3], t[0][3]], [*t[0][:3], t[1][3]], *t[2:]]), 17),
    # the manifest
    "manifest cut": (text(lambda t: t[:-1]), 12),
    "manifest nested": (text(lambda t: "[" * 200_000), 12),
    "manifest a list": (text(lambda t: "[]"), 12),
    "manifest with spaces": (text(lambda t: t.replace(",", ", ")), 12),
    "manifest key twice": (text(lambda t: t[:-1] + ',"seed":1}'), 12),
    "manifest unsorted": (text(lambda t: json.dumps(dict(reversed(json.loads(t).items())), separators=(",", ":"))), 12),
    "manifest with surrogate": (changed(claim={"method": "\ud800"}), 0),
    "manifest with a huge number": (text(lambda t: t.replace('"trial":0', '"trial":' + "9" * 5000)), 12),
    "format of yesterday": (changed(format="slth-ticket/2"), 14),
    "format of tomorrow": (changed(format="slth-ticket/4"), 14),
    "format missing": (without("format"), 14),
    "other random stream": (changed(rng="torch"), 14),
    "ticket alone": (ticket_file.encode(TICKET), 15),
    "key missing": (without("kept"), 13),
    "key unknown": (changed(comment="hello"), 13),
    "key of the claim missing": (without("wording", "claim"), 13),
    "key of the claim unknown": (changed(claim={"comment": "hello"}), 13),
    "claim a list": (changed(claim=None, **{}) and put_together(M | {"claim": []}, T), 13),
    "other wording": (changed(claim={"wording": "certified in float32"}), 13),
    "notes a text": (changed(claim={"notes": "good"}), 13),
    "notes with a fraction": (changed(claim={"notes": {"promised": 0.5}}), 13),
    "notes with NaN": (changed(claim={"notes": {"promised": float("nan")}}), 13),
    "notes with an object": (changed(claim={"notes": {"theorem": {}}}), 13),
    "notes nested": (changed(claim={"notes": {"theorem": NESTED}}), 13),
    "method null": (changed(claim={"method": None}), 13),
    "method a number": (changed(claim={"method": 5}), 13),
    "seed 2^64": (changed(seed=2**64), 13),
    "seed -1": (changed(seed=-1), 13),
    "seed true": (changed(seed=True), 13),
    "seed 7.0": (changed(seed=7.0), 13),
    "seed NaN": (changed(seed=float("nan")), 13),
    "trial 2^48": (changed(trial=2**48), 13),
    "width 0": (changed(widths=[3, 0, 5, 30, 2]), 13),
    "width true": (changed(widths=[3, 18, 5, 30, True]), 13),
    "width 2^33": (changed(widths=[3, 2**33, 5, 30, 2]), 13),
    "width 2^32": (changed(widths=[3, 2**32, 5, 30, 2]), 16),
    "width 2^28": (changed(widths=[3, 2**28, 5, 30, 2]), 17),
    "widths a text": (changed(widths="33333"), 13),
    "widths reversed": (changed(widths=[2, 30, 5, 18, 3]), 17),
    "widths of an odd chain": (changed(widths=[3, 18, 5, 2]), 26),
    "widths empty": (changed(widths=[], biased=[], claim={"biases": []}), 26),
    "129 layers": (changed(widths=[1] * 259, biased=[False] * 258, claim={"biases": [False] * 129}), 16),
    "biased by numbers": (changed(biased=[0, 0, 0, 0]), 13),
    "biased second matrix": (changed(biased=[False, True, False, False]), 26),
    "biased first matrix (RS)": (changed(biased=[True, False, False, False]), 30),
    "bias without a random bias": (changed(claim={"biases": [True, False]}), 26),
    "bias taken away": (changed(BIASED, claim={"biases": [False, True]}), 17),
    "law unknown": (changed(law=LAW | {"name": "cauchy"}), 26),
    "law a text": (changed(law="uniform"), 26),
    "law with NaN": (changed(law=LAW | {"low": "nan"}), 13),
    "law of other digits": (changed(law=LAW | {"low": "-0x1p0"}), 13),
    "law beyond 1": (changed(law=LAW | {"high": (2.0).hex()}), 13),
    "law below -1": (changed(law=LAW | {"low": (-2.0).hex()}), 13),
    "law of exchanged ends": (changed(law=LAW | {"low": (1.0).hex(), "high": (-1.0).hex()}), 13),
    "law another (RS)": (changed(law=LAW | {"low": (-0.5).hex()}), 30),
    # the claim
    "error below the proved one": (changed(claim={"error": BELOW}), 30),
    "error halved (RS)": (changed(claim={"error": (float(PROVED) / 2).hex()}), 30),
    "error halved in place": (changed(claim={"error": (float(PROVED) / 2).hex()}, sign=False), 18),
    "error 0": (changed(claim={"error": (0.0).hex()}), 30),
    "error negative": (changed(claim={"error": (-1.0).hex()}), 13),
    "error NaN": (changed(claim={"error": "nan"}), 13),
    "error infinite": (changed(claim={"error": "inf"}), 13),
    "error 0x1p99999": (changed(claim={"error": "0x1p99999"}), 13),
    "error a number": (changed(claim={"error": 1.0}), 13),
    "error null": (changed(claim={"error": None}), 13),
    "method unknown": (changed(claim={"method": "faith", "error": BELOW}), 29),
    "method a list": (changed(claim={"method": ["faith"], "error": BELOW}), 13),
    "domain larger (RS)": (changed(claim={"domain": {"name": "ball", "radius": (1.5).hex()}}), 30),
    "domain of radius 0": (changed(claim={"domain": {"name": "ball", "radius": (0.0).hex()}}), 13),
    "domain of radius 2^101": (changed(claim={"domain": {"name": "ball", "radius": (2.0**101).hex()}}), 13),
    "domain unknown": (changed(claim={"domain": {"name": "sphere"}}), 13),
    "domain a box without ends": (changed(claim={"domain": {"name": "box"}, "norm": "linf"}), 17),
    "domain a text": (changed(claim={"domain": "ball"}), 13),
    "norm of a ball linf": (changed(claim={"norm": "linf"}), 13),
    "norm of a box l2": (changed(BOX, claim={"norm": "l2"}), 13),
    "box larger (RS)": (ends(-1.5, 0.5), 30),
    "box of NaN": (ends(np.nan, 0.5), 22),
    "box infinite": (ends(-np.inf, 0.5), 22),
    "box of exchanged ends": (ends(0.5, -1.0), 22),
    "box of one pair of exchanged ends": (edited(put("low", 1, 0.75, "<f8"), BOX), 22),
    "box beyond 2^100": (edited(put("low", 1, -(2.0**101), "<f8"), BOX), 22),
    # target, masks, seed
    "digest another": (put_together(M | {"digest": "0" * 64}, T, sign=False), 18),
    "digest a number": (put_together(M | {"digest": 0}, T, sign=False), 18),
    "mask bit": (edited(flip("mask1"), sign=False), 18),
    "target bit": (edited(flip("target0"), sign=False), 18),
    "manifest seed": (changed(seed=M["seed"] ^ 1, sign=False), 18),
    "mask bit (RS)": (edited(flip("mask1")), 24),
    "mask bit of a first matrix (RS)": (edited(put("mask0", 0, lambda b: 0 if b else 128, "u1")), 24),
    "two mask bits exchanged (RS)": (edited(swap_bits), 30),
    "all masks set (RS)": (edited(all_ones), 24),
    "all masks set, counted (RS)": (recounted(all_ones), 30),
    "several inputs (RS)": (recounted(two_inputs), 25),
    "several inputs in two bytes (RS)": (recounted(two_bytes, FAR), 25),
    "padding bit (RS)": (edited(flip("mask0", bit=0)), 23),
    "padding bit of a second matrix (RS)": (edited(flip("mask1", byte=-1, bit=0)), 23),
    "kept off by one (RS)": (changed(kept=[M["kept"][0] + 1, *M["kept"][1:]]), 24),
    "kept as bools (RS)": (changed(kept=[True] * 4), 24),
    "kept as floats (RS)": (changed(kept=[float(k) for k in M["kept"]]), 24),
    "seed + 1 (RS)": (changed(seed=M["seed"] + 1), 30),
    "trial + 1 (RS)": (changed(trial=1), 30),
    "target weight + 1 unit (RS)": (edited(put("target0", 0, lambda w: w + 1)), 19),
    "target weight + 1/4, all signed": (edited(put("target0", 0, lambda w: w + 2**46), own_target=True), 30),
    "target digest another": (changed(claim={"target": "0" * 64}), 19),
    "target digest a number": (changed(claim={"target": 7}), 19),
    "target weight 16": (huge_weight(16 << 48), 30),
    "target weight -16": (huge_weight(-16 << 48), 30),
    "target weight 16 + 1 unit": (huge_weight((16 << 48) + 1), 21),
    "target weight -16 - 1 unit": (huge_weight((-16 << 48) - 1), 21),
    "target weight -2^63": (huge_weight(-(2**63)), 21),
    "target weight 2^63 - 1": (huge_weight(2**63 - 1), 21),
}  # fmt: skip


def test_the_untouched_files_are_accepted():
    assert [code_of(content) for content in (WHOLE, BOX, BIASED)] == [0, 0, 0]
    assert put_together(*taken_apart(WHOLE)) == WHOLE


def test_there_are_more_than_a_hundred_kinds_and_every_code_of_the_content_is_reached():
    assert len(FAULTS) > 100
    others = {10, 20, 27, 28, 99, 31, 32, 33}  # the last three are those of the tighter checker
    assert {code for _, code in FAULTS.values()} | others == {0, *slth_check.REFUSALS}


@pytest.mark.parametrize("case", FAULTS)
def test_tampering_is_refused_with_its_code(case):
    content, wanted = FAULTS[case]
    assert code_of(content) == wanted


@pytest.mark.parametrize("case", list(FAULTS)[::5])
def test_a_refusal_is_one_sentence_of_plain_letters_and_the_exit_code(case, tmp_path, capsys):
    content, wanted = FAULTS[case]
    (tmp_path / "t").write_bytes(content)
    assert slth_check.main([str(tmp_path / "t")]) == wanted
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert said.isascii()
    assert len(said) < 700


def test_files_that_cannot_be_read_have_their_code(tmp_path):
    assert slth_check.main([str(tmp_path / "none")]) == 10
    assert slth_check.main([str(tmp_path)]) == 10
    assert slth_check.main(["/dev/zero"]) == 10


def test_whatever_goes_wrong_inside_is_a_refusal(tmp_path, monkeypatch):
    (tmp_path / "t").write_bytes(WHOLE)

    def broken(*arguments):
        raise MemoryError("no memory\nleft")

    monkeypatch.setattr(slth_check, "pair", broken)
    assert slth_check.main([str(tmp_path / "t")]) == 99


def test_another_target_than_the_trusted_one_is_refused():
    assert code_of(WHOLE, target_digest(TARGET)) == 0
    assert code_of(WHOLE, target_digest(TARGET).upper()) == 20
    assert code_of(WHOLE, "0" * 64) == 20
    substituted = edited(put("target0", 0, lambda w: w + 1), own_target=True)
    assert code_of(substituted) == 0  # the margin of the claim covers one unit: true, but about another target
    assert code_of(substituted, target_digest(TARGET)) == 20


def test_sums_beyond_exact_integers_are_refused(monkeypatch):
    manifest, tensors = taken_apart(WHOLE)
    weights = slth_check.drawn
    monkeypatch.setattr(slth_check, "drawn", lambda *where: np.full_like(weights(*where), 1 << 28))
    assert code_of(put_together(manifest, tensors)) == 27
    target, ticket = random_pairs(0, [1, 1], units=1 << 14, keep=1.0)
    ticket.masks[0][:] = True
    monkeypatch.setattr(slth_check, "drawn", weights)
    assert code_of(encode(certificate(target, ticket, error=1e9))) == 0  # half of the units have each sign
    monkeypatch.setattr(slth_check, "drawn", lambda *where: np.abs(weights(*where)))
    assert code_of(encode(certificate(target, ticket, error=1e9))) == 27


def test_the_limits_of_exact_sums_are_those_of_the_specification(monkeypatch):
    shape_of = slth_check.drawn
    monkeypatch.setattr(slth_check, "drawn", lambda *where: np.ones_like(shape_of(*where)))
    assert [code_of(wide(1, terms, False)) for terms in ((1 << 14) - 1, 1 << 14)] == [0, 27]
    monkeypatch.setattr(slth_check, "drawn", lambda *where: np.full_like(shape_of(*where), 1 << 24))
    assert [code_of(wide(1, ones, False)) for ones in (32, 33)] == [0, 27]  # 32 is 2^53 units


def test_a_sum_that_would_wrap_around_to_zero_is_refused(monkeypatch):
    """2^16 products of 2^48 are 2^64, which is 0 in int64."""
    weights = slth_check.drawn
    monkeypatch.setattr(slth_check, "drawn", lambda *where: np.full_like(weights(*where), 1 << 24))
    assert code_of(wide(1, 1 << 16, False)) == 27


def test_an_error_that_is_larger_on_a_smaller_domain_is_still_true():
    smaller = changed(claim={"domain": {"name": "ball", "radius": (0.5).hex()}})
    assert code_of(smaller) == 0
    assert Ball(3, 0.5).radius < 1


def test_the_specification_lists_every_code():
    page = (Path(slth_check.__file__).parents[2] / "docs" / "certificate-format.md").read_text()
    listed = [int(line.split("|")[1]) for line in page.splitlines() if line[:4].strip("| ").isdigit()]
    assert listed == sorted(slth_check.REFUSALS)
