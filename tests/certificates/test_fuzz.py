"""Mutated files: the checker never crashes, takes no more memory than stated, and accepts no false claim.

The networks have two inputs and no biases, so that the truth of every accepted claim is known from all cells.
"""

import copy
import signal
import tracemalloc

import numpy as np
import pytest
from small import certificate, encode, put_together, random_pairs, taken_apart, truth

from slth.certificates import slth_check
from slth.errors import Ball, Box
from slth.errors.cells import plane_error
from slth.gadget import collapse

SHALLOW, DEEP = random_pairs(5, [2, 3]), random_pairs(6, [2, 4, 2], units=4)
STARTS = [
    encode(certificate(*networks, domain))
    for networks in (SHALLOW, DEEP)
    for domain in (Ball(2), Ball(2, 0.25), Box.cube(2), Box.cube(2, 0.0, 1.0))
]
ODD = [0, 1, -1, 2**31, 2**63, 2**64, 1.5, float("nan"), True, None, "", "nan", "inf", "0x1p9999", "uniform", [], [[]],
       {}, [True], [2, 3], [2**40] * 5, {"name": "ball"}, "\ud800", "x" * 300, 10**4000]  # fmt: skip
SECONDS = 20


def places(value, at=()):
    """Every path in a JSON value."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places(part, (*at, key))


def bytes_edited(rng, content):
    content = bytearray(content)
    for place in rng.integers(max(1, len(content)), size=rng.integers(1, 4) if content else 0):
        content[place] ^= int(rng.integers(1, 256))
    return bytes(content)


def pieces_moved(rng, content):
    a, b = sorted(rng.integers(len(content) + 1, size=2))
    cuts = [content[:a], content[a:], content[:a] + content[b:], content[:b] + content[a:], content + content[a:b]]
    return cuts[rng.integers(5)]


def field_changed(rng, content):
    manifest, tensors = taken_apart(content)
    manifest = copy.deepcopy(manifest)
    paths = list(places(manifest))[1:]
    *above, last = paths[rng.integers(len(paths))]
    inside = manifest
    for key in above:
        inside = inside[key]
    if isinstance(inside, dict) and rng.random() < 0.1:
        del inside[last]
    else:
        inside[last] = ODD[rng.integers(len(ODD))]
    try:
        return put_together(manifest, tensors)
    except (ValueError, UnicodeEncodeError, TypeError):  # what JSON cannot hold
        return content


def error_scaled(rng, content):
    manifest, tensors = taken_apart(content)
    error = float.fromhex(manifest["claim"]["error"]) * 2.0 ** rng.normal()
    return put_together(manifest | {"claim": manifest["claim"] | {"error": error.hex()}}, tensors)


def masks_changed(rng, content):
    """Mask bits flipped, counted and signed again."""
    manifest, tensors = taken_apart(content)
    masks = [tensor for tensor in tensors if tensor[0].startswith("mask")]
    for _ in range(rng.integers(1, 4)):
        body = masks[rng.integers(len(masks))][3]
        body[rng.integers(len(body))] ^= 1 << int(rng.integers(8))
    counts = [int(np.unpackbits(np.frombuffer(mask[3], np.uint8)).sum()) for mask in masks]
    return put_together(manifest | {"kept": counts}, tensors)


def target_changed(rng, content):
    """Target weights moved a little or a lot; the digest of the target is made anew."""
    manifest, tensors = taken_apart(content)
    targets = [tensor for tensor in tensors if tensor[0].startswith("target")]
    body = targets[rng.integers(len(targets))][3]
    array = np.frombuffer(body, "<i8").copy()
    moved = [int(rng.integers(-9, 9)), int(rng.integers(-(2**46), 2**46)), int(rng.integers(-(2**63), 2**63))]
    with np.errstate(over="ignore"):
        array[rng.integers(len(array))] += np.int64(moved[rng.integers(3)])
    body[:] = array.tobytes()
    return put_together(manifest, tensors, own_target=True)


def domain_changed(rng, content):
    manifest, tensors = taken_apart(content)
    claim = manifest["claim"]
    if claim["domain"]["name"] == "ball":
        radius = float.fromhex(claim["domain"]["radius"]) * 2.0 ** rng.normal()
        return put_together(manifest | {"claim": claim | {"domain": {"name": "ball", "radius": radius.hex()}}}, tensors)
    for name, _, _, body in tensors:
        if name in ("low", "high"):
            body[:] = (np.frombuffer(body, "<f8") + rng.normal(size=2) / 4).tobytes()
    return put_together(manifest, tensors)


def source_changed(rng, content):
    manifest, tensors = taken_apart(content)
    name = ["seed", "trial"][rng.integers(2)]
    return put_together(manifest | {name: int(rng.integers(2**48))}, tensors)


MUTATIONS = (
    bytes_edited,
    pieces_moved,
    field_changed,
    error_scaled,
    masks_changed,
    target_changed,
    domain_changed,
    source_changed,
)


def run(seeds):
    """How often each code came, over mutated files; 0 stands for accepted claims, all of them true."""
    counts = {}
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("the check hangs"))
    tracemalloc.start()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        content = STARTS[rng.integers(len(STARTS))]
        for _ in range(1 + (rng.random() < 0.2)):
            content = MUTATIONS[seed % len(MUTATIONS)](rng, content)
        signal.alarm(SECONDS)
        tracemalloc.reset_peak()
        outside = tracemalloc.get_traced_memory()[0]
        try:
            slth_check.check(content)
            code = 0
        except slth_check.Refused as fault:
            code = fault.args[0]
        assert tracemalloc.get_traced_memory()[1] - outside < 128 * len(content) + (64 << 20)
        signal.alarm(0)
        counts[code] = counts.get(code, 0) + 1
        if code == 0:
            target, ticket, domain, error = truth(content)
            assert plane_error(collapse(target, ticket), domain) <= error * (1 + 1e-11), seed
    tracemalloc.stop()
    signal.signal(signal.SIGALRM, before)
    return counts


def test_hundreds_of_mutated_files_are_refused_or_true():
    counts = run(range(400))
    assert counts[0] > 20  # changes that leave a true claim
    assert {12, 13, 17, 18, 24, 25, 30} <= set(counts)
    assert 99 not in counts


@pytest.mark.slow
def test_ten_thousand_mutated_files_are_refused_or_true():
    counts = run(range(1000, 11_000))
    assert sum(counts.values()) == 10_000
    assert counts[0] > 500
    assert 99 not in counts


def test_the_mutations_can_make_a_false_claim_that_signs_itself():
    """Else the tests above would show nothing: with the bound taken away, false claims are accepted."""
    false = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        content = error_scaled(rng, STARTS[0])
        target, ticket, domain, error = truth(content)
        false += plane_error(collapse(target, ticket), domain) > error
    assert false > 20
