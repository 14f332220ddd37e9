"""Certificates written and read: the same claim comes back, and nothing is written that the checker refuses."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from small import certificate, encode, put_together, random_pairs, taken_apart
from typer.testing import CliRunner

import slth
from slth.certificates import Claim, load_certificate, save_certificate, slth_check, target_digest
from slth.commands_check import check
from slth.errors import Ball, Box, Lower, joined, upper_ends
from slth.experiments.draws import manifest, run
from slth.gadget import collapse
from slth.laws import Signs
from slth.networks.examples import random_target
from slth.networks.files import load_ticket, save_ticket
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.theorems import pensia2020_subset_sum
from slth.theorems.theorem import verify

TARGET, TICKET = random_pairs(7, [3, 5, 2], biases=True)
FOUND = verify(pensia2020_subset_sum, random_target([3, 4, 2], 0), 0.3, 0.1, 1, samples=16)


def same(a, b):
    """Whether two claims agree in everything."""
    numbers = ("error", "method", "theorem", "promised", "delta")
    return (
        all(getattr(a, name) == getattr(b, name) for name in numbers)
        and target_digest(a.target) == target_digest(b.target)
        and (a.target.scale, a.target.rounding) == (b.target.scale, b.target.rounding)
        and a.ticket.source == b.ticket.source
        and all(np.array_equal(x, y) for x, y in zip(a.ticket.masks, b.ticket.masks, strict=True))
        and a.domain.description == b.domain.description
    )


@pytest.mark.parametrize("domain", [Ball(3), Ball(3, 0.1), Box.cube(3), Box([-1.0, 0.0, 0.5], [0.0, 0.1, 0.5])])
def test_a_claim_comes_back_as_it_was(tmp_path, domain):
    claim = certificate(TARGET, TICKET, domain)
    assert save_certificate(claim, tmp_path / "t.safetensors")
    assert same(load_certificate(tmp_path / "t.safetensors"), claim)
    assert encode(load_certificate(tmp_path / "t.safetensors")) == (tmp_path / "t.safetensors").read_bytes()


def test_a_claim_without_a_theorem_comes_back(tmp_path):
    claim = certificate(TARGET, TICKET, theorem=None, promised=None, delta=None)
    save_certificate(claim, tmp_path / "t.safetensors")
    assert same(load_certificate(tmp_path / "t.safetensors"), claim)


def test_a_certificate_is_also_a_ticket_file(tmp_path):
    save_certificate(certificate(TARGET, TICKET), tmp_path / "t.safetensors")
    found = load_ticket(tmp_path / "t.safetensors")
    assert found.source == TICKET.source
    assert all(np.array_equal(x, y) for x, y in zip(found.masks, TICKET.masks, strict=True))


def test_safetensors_reads_it_and_no_random_weight_is_in_it(tmp_path):
    from safetensors import safe_open

    save_certificate(certificate(TARGET, TICKET), tmp_path / "t.safetensors")
    with safe_open(tmp_path / "t.safetensors", framework="numpy") as file:
        assert sorted(file.keys()) == ["bias0", "bias1", "mask0", "mask1", "mask2", "mask3", "target0", "target1"]
        assert np.array_equal(file.get_tensor("target1"), TARGET.layers[1].weight)
        assert np.array_equal(file.get_tensor("mask1"), np.packbits(TICKET.masks[1], axis=1))


def test_a_theorems_certificate_becomes_a_claim_that_the_checker_proves(tmp_path):
    claim = Claim.of(FOUND)
    assert (claim.theorem, claim.promised, claim.delta) == ("pensia2020_subset_sum", 0.3, 0.1)
    assert FOUND.error.upper < claim.error
    assert save_certificate(claim, tmp_path / "t.safetensors")
    assert slth_check.main([str(tmp_path / "t.safetensors"), "--target-digest", target_digest(FOUND.target)]) == 0


def test_a_tighter_claim_is_written_with_its_method_and_refused_by_name(tmp_path):
    claim = Claim.of(FOUND, tightest=True)
    if claim.method == "scalar recursion":
        pytest.skip("no other method is tighter here")
    assert not save_certificate(claim, tmp_path / "t.safetensors")
    assert slth_check.main([str(tmp_path / "t.safetensors")]) == 29
    assert same(load_certificate(tmp_path / "t.safetensors"), claim)


def test_an_error_of_0_that_another_rounding_misses_can_be_claimed(tmp_path):
    """f and g are 0, for the target's unit ends at 0 and the ticket keeps none; the checker's range ends above 0."""
    source, target = Source(1, (1, 2, 1, 2, 1)), Target.from_floats([[[-0.5]], [[0.25]]])
    masks = np.array([[True], [True]]), np.array([[True, True]]), np.zeros((2, 1), bool), np.zeros((1, 2), bool)
    ticket, domain = Ticket(source, masks), Box.cube(1, 0.0, 1.0)
    ends = upper_ends(collapse(target, ticket), domain)
    assert [end.value for end in ends if end.method == "vector recursion"] == [0.0]
    error = joined((Lower(0.0, np.zeros(1), "none"),), ends, "linf", domain.description)
    made = SimpleNamespace(ticket=ticket)
    fields = {"target": target, "construction": made, "error": error, "theorem": "none", "epsilon": 0.1, "delta": 0.1}
    claim = Claim.of(SimpleNamespace(**fields, domain=domain))
    assert 0 < claim.error < 1e-10
    assert claim.save(tmp_path / "t.safetensors")


def test_a_claim_is_about_the_domain_of_its_certificate():
    assert Claim.of(FOUND).domain == FOUND.domain
    box = Box.cube(3, -0.5, 1 / 3)
    found = slth.pensia2020_subset_sum.certify(FOUND.target, FOUND.construction, 0.3, 0.1, box)
    assert Claim.of(found).domain == box
    with pytest.raises(ValueError, match=r"linf error over .* not the l2 error over unit l2 ball"):
        Claim.of(replace(found, domain=None))


def test_a_claim_that_the_checker_refuses_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"refuses this claim \(30\): the claimed error is not proved"):
        save_certificate(certificate(TARGET, TICKET, error=1e-9), tmp_path / "t.safetensors")
    signs = Ticket(Source(1, (1, 2, 1), (), Signs()), (np.array([[True], [False]]), np.array([[True, False]])))
    with pytest.raises(ValueError, match=r"\(26\)"):
        save_certificate(certificate(Target.from_floats([[[0.5]]]), signs), tmp_path / "t.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_ending_of_a_certificate_is_safetensors(tmp_path):
    with pytest.raises(ValueError, match="must end in"):
        save_certificate(certificate(TARGET, TICKET), tmp_path / "t.pickle")


@pytest.mark.parametrize("field", ["error", "promised", "delta"])
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_numbers_of_a_claim_are_finite_and_not_negative(field, value):
    with pytest.raises(ValueError, match=f"the {field} of a claim"):
        certificate(TARGET, TICKET, **{field: value})


def test_a_claim_fits_its_target():
    with pytest.raises(ValueError, match="has dimension 2, but the target has 3 inputs"):
        Claim(TARGET, TICKET, Ball(2), 1.0, "scalar recursion")
    with pytest.raises(ValueError, match="make the source for this target"):
        Claim(random_target([3, 4, 2], 0), TICKET, Ball(3), 1.0, "scalar recursion")


def test_a_ticket_without_a_claim_is_said_to_be_one(tmp_path):
    save_ticket(TICKET, tmp_path / "t.safetensors")
    with pytest.raises(ValueError, match=r"claims nothing: read it with slth\.load"):
        load_certificate(tmp_path / "t.safetensors")


CHANGES = {
    "target": {"target": "0" * 64},
    "wording": {"wording": "certified in float32"},
    "unknown": {"unknown": 1},
    "notes": {"notes": {}},
    "notes a list": {"notes": []},
    "domain": {"domain": {"name": "sphere"}},
    "radius": {"domain": {"name": "ball", "radius": "nan"}},
    "error": {"error": "0x1p99999"},
    "biases": {"biases": [True]},
    "more biases": {"biases": [True, True, True]},
}


@pytest.mark.parametrize("case", CHANGES)
def test_claims_of_another_form_are_refused(tmp_path, case):
    manifest, tensors = taken_apart(encode(certificate(TARGET, TICKET)))
    manifest["claim"] = manifest["claim"] | CHANGES[case]
    (tmp_path / "t.safetensors").write_bytes(put_together(manifest, tensors))
    with pytest.raises(ValueError, match="is not a certificate that can be used"):
        load_certificate(tmp_path / "t.safetensors")


def test_the_digest_of_a_target_tells_targets_apart():
    one = Target.from_floats([[[1.0, 0.5]]])
    others = [
        Target.from_floats([[[1.0], [0.5]]]),
        Target.from_floats([[[1.0]]], [[0.5]]),
        Target.from_floats([[[1.0, 0.5 + 2.0**-48]]]),
        Target.from_floats([[[1.0, 0.5]]], [[0.0]]),
    ]
    assert len({target_digest(target) for target in [one, *others]}) == 5
    assert target_digest(Target.from_floats([[[1.0, 0.5]]])) == target_digest(one)


# The command ----------------------------------------------------------------------------------------------------------


def command(*arguments):
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_puts_promised_and_certified_side_by_side(tmp_path):
    save_certificate(Claim.of(FOUND), tmp_path / "t.safetensors")
    run = command(tmp_path / "t.safetensors", "--target-digest", target_digest(FOUND.target))
    assert run.exit_code == 0
    lines = dict(line.split(None, 1) for line in run.output.splitlines())
    assert lines["ACCEPTED"] == "certified in real arithmetic for weights exactly as stored"
    assert lines["certified"].startswith("l2 error at most ")
    assert lines["promised"].startswith("0.3 by 'pensia2020_subset_sum'")
    assert lines["target"] == f"SHA-256 {target_digest(FOUND.target)}"


def test_the_float32_gap_is_measured_apart(tmp_path):
    save_certificate(Claim.of(FOUND), tmp_path / "t.safetensors")
    found = json.loads(command(tmp_path / "t.safetensors", "--float32", "--json").output)
    assert 0 < found["float32_gap"] < 1e-4
    assert "measured, not certified" in command(tmp_path / "t.safetensors", "--float32").output
    assert "float32" not in command(tmp_path / "t.safetensors").output


def test_the_command_speaks_of_a_box(tmp_path):
    save_certificate(certificate(TARGET, TICKET, Box.cube(3), promised=None), tmp_path / "t.safetensors")
    run = command(tmp_path / "t.safetensors")
    assert "over the box [-1.0, 1.0]^3\n" in run.output
    assert "promised   nothing" in run.output


def test_an_acceptance_says_over_which_domain_and_rounds_nothing_towards_more(tmp_path, capsys):
    low, high = np.array([-1.0, 0.0, 0.25]), np.array([-0.9999999, 0.5, 0.25])
    claims = {
        "a box in R^3, low ends -1.0 to 0.25, high ends -0.9999999 to 0.5": certificate(TARGET, TICKET, Box(low, high)),
        "the l2 ball of radius 0.9999999": certificate(TARGET, TICKET, Ball(3, 0.9999999)),
        "the box [0.0, 0.9999999]^3": certificate(TARGET, TICKET, Box.cube(3, 0.0, 0.9999999)),
    }
    alone = (
        "box, low -1.0 to 0.25, high -0.9999999 to 0.5, certified",
        "ball of radius 0.9999999, certified",
        "box, low 0.0 to 0.0, high 0.9999999 to 0.9999999, certified",
    )
    for (said, claim), said_alone in zip(claims.items(), alone, strict=True):
        save_certificate(claim, tmp_path / "t.safetensors")
        assert f"error at most {claim.error!r} over {said}\n" in command(tmp_path / "t.safetensors").output
        assert slth_check.main([str(tmp_path / "t.safetensors")]) == 0
        assert f"error <= {claim.error!r} over the {said_alone}" in capsys.readouterr().out
    found = json.loads(command(tmp_path / "t.safetensors", "--json").output)
    assert (found["low"], found["high"]) == ([0.0] * 3, [0.9999999] * 3)


def test_the_command_gives_the_code_and_one_sentence(tmp_path):
    (tmp_path / "t").write_bytes(encode(certificate(TARGET, TICKET))[:-1])
    run = command(tmp_path / "t")
    assert (run.exit_code, run.output) == (17, "REFUSED (17): its header or size is wrong\n")
    assert command(tmp_path / "none").exit_code == 10
    found = json.loads(command(tmp_path / "t", "--json").output)
    assert (found["accepted"], found["code"]) == (False, 17)


def test_the_command_as_json_is_one_object(tmp_path):
    save_certificate(Claim.of(FOUND), tmp_path / "t.safetensors")
    found = json.loads(command(tmp_path / "t.safetensors", "--json").output)
    assert found["accepted"]
    assert found["proved"] <= found["certified"]
    assert found["promised"] == 0.3


@pytest.mark.parametrize("promised", ["\x1b[31m", "nan", "-inf", "0x1p99999", "", None])
def test_notes_are_believed_by_nobody(tmp_path, promised):
    manifest, tensors = taken_apart(encode(certificate(TARGET, TICKET)))
    manifest["claim"]["notes"] = {"promised": promised, "theorem": "\ud800"}
    (tmp_path / "t").write_bytes(put_together(manifest, tensors))
    run = command(tmp_path / "t")
    assert run.exit_code == 0
    assert "promised   nothing" in run.output
    found = command(tmp_path / "t", "--json")
    assert (found.exit_code, json.loads(found.output, parse_constant=pytest.fail)["promised"]) == (0, None)


def test_a_method_of_many_letters_is_not_printed_whole(tmp_path):
    manifest, tensors = taken_apart(encode(certificate(TARGET, TICKET)))
    manifest["claim"]["method"] = "\x1b" * 50_000
    (tmp_path / "t").write_bytes(put_together(manifest, tensors))
    run = command(tmp_path / "t")
    assert run.exit_code == 0
    assert len(run.output) < 2000
    assert "\x1b" not in run.output


def test_a_file_of_draws_is_checked_by_making_some_of_its_draws_again(tmp_path):
    grid = {"widths": (1, 1), "epsilon": 0.05, "delta": 0.4, "samples": 5}
    run(manifest(pensia2020_subset_sum, grid, draws=12), file := tmp_path / "draws.jsonl")
    found = command(file)
    assert found.exit_code == 0
    assert "10 of 12 draws made again" in found.output
    assert json.loads(command(file, "--json").output)["sampled"] == 10
    assert command(file, "--target-digest", "0" * 64).exit_code == 2
    file.write_text(file.read_text().replace('"draws":12', '"draws":13', 1))
    found = command(file)
    assert found.exit_code == 1
    assert "refused" in found.output
    assert command(tmp_path / "none.jsonl").exit_code == 10


def test_what_breaks_the_check_is_a_refusal(tmp_path, monkeypatch):
    def broken(*arguments):
        raise MemoryError

    (tmp_path / "t").write_bytes(encode(certificate(TARGET, TICKET)))
    monkeypatch.setattr(slth_check, "bound", broken)
    assert command(tmp_path / "t").exit_code == 99


def test_what_is_saved_loads_as_what_it_was(tmp_path):
    TICKET.save(tmp_path / "t.safetensors")
    found = slth.load(tmp_path / "t.safetensors")
    assert isinstance(found, Ticket)
    assert found.source == TICKET.source
    assert all(np.array_equal(a, b) for a, b in zip(found.masks, TICKET.masks, strict=True))
    claim = certificate(TARGET, TICKET)
    assert claim.save(tmp_path / "c.safetensors")
    found = slth.load(tmp_path / "c.safetensors")
    assert isinstance(found, Claim)
    assert same(found, claim)
    with pytest.raises(FileNotFoundError):
        slth.load(tmp_path / "nothing.safetensors")
