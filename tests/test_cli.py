"""The commands: one object on stdout with --json, exit codes, one sentence for bad input."""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slth
from slth import cli, console
from slth.networks.files import load_ticket


def run(monkeypatch, capsys, *arguments):
    """Runs a command in this process; returns exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["slth", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out, err = capsys.readouterr()
    return stop.value.code or 0, out, err


@pytest.fixture
def command(monkeypatch, capsys):
    return lambda *arguments: run(monkeypatch, capsys, *arguments)


def test_json_is_one_object_with_the_promised_fields(command):
    code, out, _ = command("verify", "pensia", "--target", "4,3,2", "--samples", "16", "--solver", "best", "--json")
    found = json.loads(out)
    assert code in (0, 3)
    assert found["theorem"] == "pensia2020_subset_sum"
    assert {"epsilon", "delta", "seed", "kept", "verdict", "seconds"} <= found.keys()
    assert all({"name", "value", "limit", "holds"} <= check.keys() for check in found["hypotheses"])
    assert {"parameters", "samples_per_weight", "widths"} <= found["source"].keys()
    assert {"source", "second_layers", "relative_to_target"} <= found["density"].keys()
    assert {"count", "failed", "worst_residual"} <= found["subset_sums"].keys()
    assert {"lower", "upper", "norm", "domain", "lower_method", "upper_method"} <= found["error"].keys()
    assert found["source"]["parameters"] == 4 * 128 + 128 * 3 + 3 * 96 + 96 * 2
    assert found["error"]["lower"] <= found["error"]["upper"]


def test_the_exit_code_is_the_verdict(command):
    assert command("verify", "pensia", "--target", "4,3,2", "--epsilon", "0.2")[0] == 0
    assert command("verify", "pensia", "--target", "4,3,2", "--epsilon", "1e-7", "--samples", "3")[0] == 1
    _, out, _ = command("verify", "pensia", "--target", "4,3,2", "--samples", "16", "--solver", "best", "--json")
    error = json.loads(out)["error"]
    between = str((error["lower"] + error["upper"]) / 2)
    line = (
        "verify",
        "pensia",
        "--target",
        "4,3,2",
        "--samples",
        "16",
        "--solver",
        "best",
        "--epsilon",
        between,
    )
    assert command(*line)[0] == 3


def test_the_text_names_hypotheses_sizes_failures_the_interval_and_the_verdict(command):
    _, out, _ = command("verify", "pensia", "--target", "4,3,2", "--samples", "10")
    words = " ".join(out.split())
    for part in (
        "hypotheses",
        "does not hold",
        "missed their tolerance",
        "of the source",
        "sup |f - g|",
        "proved",
        "seed 0",
    ):
        assert part in words


def test_a_saved_ticket_is_the_ticket_of_the_seed(command, tmp_path):
    path = tmp_path / "t.safetensors"
    command("verify", "pensia", "--target", "4,3,2", "--samples", "8", "--seed", "9", "--save", str(path))
    ticket = load_ticket(path)
    assert ticket.source.seed == 9
    assert ticket.kept > 0


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_a_network_of_ones_own_is_read_from_a_file(command, tmp_path, suffix):
    from safetensors.numpy import save_file

    weights = {
        "fc1.weight": np.full((3, 2), 0.25, dtype=np.float32),
        "fc2.weight": np.full((1, 3), 0.5, dtype=np.float32),
    }
    path = tmp_path / f"net.{suffix}"
    if suffix == "npz":
        np.savez(path, **weights)
    else:
        save_file(weights, path)
    code, out, _ = command("verify", "pensia", "--target", str(path), "--samples", "20", "--json")
    assert json.loads(out)["target"]["widths"] == [2, 3, 1]
    assert code in (0, 3)


def test_norms_above_one_are_rescaled_unless_told_otherwise(command, tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, W1=np.full((1, 1), 3.0), W2=np.full((1, 1), 0.5))
    line = ("verify", "pensia", "--target", str(path), "--samples", "12", "--epsilon", "5", "--json")
    rescaled = json.loads(command(*line)[1])
    assert rescaled["target"]["scale"] == pytest.approx(1.5)
    assert rescaled["hypotheses"][0]["holds"]
    as_given = json.loads(command(*line, "--no-rescale")[1])
    assert as_given["target"]["scale"] == 1
    assert not as_given["hypotheses"][0]["holds"]


BAD = {
    "unknown theorem": (("verify", "nobody"), "pensia"),
    "unknown target": (("verify", "pensia", "--target", "mnist"), "digits"),
    "missing file": (("verify", "pensia", "--target", "nowhere.npz"), "nowhere.npz"),
    "epsilon zero": (("verify", "pensia", "--target", "4,2", "--epsilon", "0"), "epsilon"),
    "epsilon nan": (("verify", "pensia", "--target", "4,2", "--epsilon", "nan"), "epsilon"),
    "delta one": (("verify", "pensia", "--target", "4,2", "--delta", "1"), "delta"),
    "negative seed": (("verify", "pensia", "--target", "4,2", "--seed", "-1"), "seed"),
    "zero samples": (("verify", "pensia", "--target", "4,2", "--samples", "0"), "candidate"),
    "one width": (("verify", "pensia", "--target", "4,"), "--target"),
    "zero width": (("verify", "pensia", "--target", "4,0,2"), "width"),
    "save into no folder": (
        ("verify", "pensia", "--target", "4,2", "--save", "/nowhere/at/all.safetensors"),
        "nowhere",
    ),
    "save under another suffix": (("verify", "pensia", "--target", "4,2", "--save", "t.npz"), "safetensors"),
    "too many candidates": (("verify", "pensia", "--samples", "1000000"), "memory"),
    "epsilon below the grid": (("verify", "pensia", "--target", "4,2", "--epsilon", "1e-300"), "grid"),
    "not a number": (("verify", "pensia", "--epsilon", "small"), "epsilon"),
    "unknown solver": (("verify", "pensia", "--solver", "magic"), "solver"),
    "unknown command": (("prove",), "prove"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_exit_code_two_and_a_sentence(command, name):
    line, part = BAD[name]
    code, out, err = command(*line)
    assert code == 2
    assert part in err
    assert "Traceback" not in err
    assert not out


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04K\x01.", b"\x08\x00\x00\x00\x00\x00\x00\x00{}"])
@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_damaged_files_are_named_and_nothing_is_written(command, tmp_path, content, suffix):
    path, ticket = tmp_path / f"bad.{suffix}", tmp_path / "ticket.safetensors"
    path.write_bytes(content)
    code, out, err = command("verify", "pensia", "--target", str(path), "--save", str(ticket))
    assert code == 2
    assert path.name in err
    assert not out
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_leaves_nothing_and_says_so(command, monkeypatch, tmp_path):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("slth.theorems.theorem.verify", interrupt)
    path = tmp_path / "t.safetensors"
    code, out, _ = command("verify", "pensia", "--target", "4,2", "--save", str(path))
    assert code == 130
    assert not out
    assert not list(tmp_path.iterdir())


def test_help_does_not_import_torch():
    script = "import sys, slth.cli; assert not {'torch', 'numba', 'matplotlib', 'sympy'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_package_lists_its_public_names_and_each_of_them_exists():
    import slth

    assert all(getattr(slth, name) is not None for name in slth.__all__)
    with pytest.raises(AttributeError, match="public names"):
        _ = slth.no_such_name


def test_every_question_and_assignment_has_words_of_its_own():
    from slth import assignment
    from slth.subset_sum import questions

    assert {
        questions.nearest.__name__,
        questions.any_or_nearest.__name__,
        questions.sparsest_or_nearest.__name__,
    } == set(console.QUESTIONS)
    assert {assignment.block.__name__, assignment.adaptive.__name__} == set(console.ASSIGNMENTS)


def test_an_interrupted_run_ends_with_code_130_and_leaves_no_file(tmp_path):
    import signal

    line = [sys.executable, "-m", "slth", "verify", "pensia", "--target", "300,300,10", "--samples", "200"]
    line += ["--save", str(tmp_path / "t.safetensors")]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # which what runs in the background ignores
    with subprocess.Popen(line, stderr=subprocess.PIPE, preexec_fn=heard) as running:
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(timeout=4)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=20) == 130
        assert b"Traceback" not in running.stderr.read()
    assert not list(tmp_path.iterdir())


def test_the_saved_claim_proves_the_verdict_by_the_tight_checker_where_the_small_one_cannot(
    tmp_path, monkeypatch, capsys
):
    path = tmp_path / "t.safetensors"
    line = ["verify", "pensia", "--target", "3,4,2", "--samples", "12", "--solver", "best", "--save", str(path)]
    run(monkeypatch, capsys, *line, "--epsilon", "0.5")
    loose, upper = slth.load(path).error, float(slth.load(path).promised)
    assert (loose <= upper, slth.load(path).method) == (True, "scalar recursion")
    _, out, _ = run(monkeypatch, capsys, *line, "--epsilon", "0.5", "--json")
    between = (json.loads(out)["error"]["upper"] + loose) / 2
    code, out, _ = run(monkeypatch, capsys, *line, "--epsilon", repr(between))
    assert code == 0
    assert slth.load(path).error <= between < loose
    assert out.rstrip().endswith("--tight")
    assert "certified in real arithmetic for weights exactly as stored" in out
    code, out, _ = run(monkeypatch, capsys, "check", str(path), "--tight")
    assert code == 0


@given(st.floats(0, 1e300))
def test_printed_ends_are_rounded_outward(value):
    assert float(console.at_most(value)) <= value <= float(console.at_least(value))
    assert float(console.at_least(value)) <= value * (1 + 1e-3) + 1e-300
