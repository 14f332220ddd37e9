"""slth sweep, status and export: lines that resume, exit codes, one sentence for bad input."""

import json
import re
import sys
from fractions import Fraction

import pytest
import typer

from slth import cli
from slth.commands_sweep import export, status, sweep
from slth.experiments import work
from slth.experiments.status import rows_of
from slth.networks.examples import random_target
from slth.theorems import natale2024_sparse

LINE = ("sweep", "pensia", "--target", "1,1", "--epsilon", "0.2,0.1", "--samples", "6", "--seeds", "2", "--out")


@pytest.fixture
def command(monkeypatch, capsys):
    if "sweep" not in {command.name for command in cli.app.registered_commands}:
        app = typer.Typer()
        app.command("sweep")(sweep)
        app.command("status")(status)
        app.command("export")(export)
        monkeypatch.setattr(cli, "app", app)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["slth", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return run


def test_the_same_line_resumes_and_prints_the_same(command, tmp_path):
    code, out, _ = command(*LINE, tmp_path, "--json")
    assert code == 0
    rows = json.loads(out)
    assert [row["epsilon"] for row in rows] == [0.2, 0.1]
    assert all(row["draws"] == 2 and row["lower"] <= row["upper"] for row in rows)
    assert command(*LINE, tmp_path, "--json")[1] == out
    code, out, _ = command("status", tmp_path, "--json")
    assert (code, json.loads(out)["done"], json.loads(out)["missing"]) == (0, 4, 0)
    assert "done         4" in command("status", tmp_path)[1]
    assert command("export", tmp_path, tmp_path / "rows.csv")[1].startswith("4 rows in")
    assert "failure_high" in command(*LINE, tmp_path, "--ask", "failure")[1]
    assert "kept_per_target_weight" in command(*LINE, tmp_path, "--ask", "density")[1]


def test_the_smallest_n_is_asked_for_by_name(command, tmp_path):
    line = ("sweep", "pensia", "--target", "1,1", "--epsilon", "0.2", "--delta", "0.5", "--ask", "smallest-n")
    code, out, _ = command(*line, "--most", "16", "--largest", "16", "--success", "sums", "--out", tmp_path, "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert row["n_low"] <= row["n_high"]


def test_inputs_add_figures_of_the_sample(command, tmp_path):
    code, out, _ = command(*LINE, tmp_path, "--inputs", "40", "--json")
    assert code == 0
    assert all(0 < row["sampled_mean"] <= row["sampled_lower"] <= row["upper"] for row in json.loads(out))


def test_a_device_without_inputs_is_refused(command, tmp_path):
    code, _, err = command(*LINE, tmp_path, "--device", "cpu")
    assert code == 2
    assert "give the axis inputs too" in err


def test_the_density_of_the_subsets_is_an_axis(command, tmp_path):
    line = ("sweep", "natale2024_sparse", "--target", "2,2", "--epsilon", "0.3", "--option", "density=0.1,0.25")
    code, out, _ = command(*line, "--out", tmp_path, "--ask", "density", "--json")
    thin, dense = json.loads(out)
    assert code == 0
    assert (thin["option density"], dense["option density"]) == (0.1, 0.25)
    assert 0 < thin["density"] < dense["density"]
    rows = rows_of(tmp_path)
    assert (rows["hypotheses"]).all()  # the candidates are those of its density
    target = natale2024_sparse.normalised(random_target((2, 2), 0))
    assert set(rows["candidates"]) == {
        natale2024_sparse.samples_needed(target, 0.3, 0.05, Fraction(share)) for share in ("1/10", "1/4")
    }


def test_a_single_cell_is_printed_as_a_list_with_whole_names(command, tmp_path):
    one = ("sweep", "pensia", "--target", "1,1", "--epsilon", "0.2", "--samples", "6", "--out", tmp_path)
    lines = command(*one, "--ask", "density")[1].splitlines()
    assert ["theorem", "pensia2020_subset_sum"] in [line.split() for line in lines]
    assert any(line.startswith("kept_per_target_weight_high ") for line in lines)


def test_parquet_without_its_extra_is_refused_in_one_sentence(command, tmp_path, monkeypatch):
    assert command(*LINE, tmp_path / "rows")[0] == 0
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, out, err = command("export", tmp_path / "rows", tmp_path / "rows.parquet")
    assert (code, out) == (2, "")
    assert "Parquet needs pyarrow: pip install 'slth[parquet]'" in err
    assert not (tmp_path / "rows.parquet").exists()


def test_a_dry_run_writes_nothing(command, tmp_path):
    code, out, _ = command(*LINE, tmp_path / "rows", "--dry-run")
    assert code == 0
    assert "source_weights" in out
    assert re.search(r"\n4 draws, 0 of them done; the others take about \S+ s in one process\n$", out)
    assert not (tmp_path / "rows").exists()
    search = (*LINE[:6], "--ask", "smallest-n", "--most", "16", "--delta", "0.5", "--dry-run", "--out", tmp_path)
    assert "searches: 2; seconds are of one draw with the theorem's n, of which" in command(*search)[1]


def test_failed_rows_are_exit_code_three(command, tmp_path):
    line = ("sweep", "pensia", "--target", "1,1", "--epsilon", "1e-15", "--samples", "6", "--out", tmp_path)
    code, _, err = command(*line)
    assert code == 3
    assert "1 failed; the same line tries them again. ValueError: epsilon asks for" in err
    code, out, _ = command("status", tmp_path)
    assert code == 3
    assert "1 times  ValueError: epsilon asks for" in out


def test_an_interrupt_says_where_the_rows_are(command, tmp_path, monkeypatch):
    def interrupted(chunk):
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "measure_all", interrupted)
    code, out, err = command(*LINE, tmp_path)
    assert (code, out) == (130, "")
    assert f"the rows so far are in {tmp_path}, and the same line resumes" in err


def test_a_module_of_the_present_folder_is_a_theorem(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mine_alone.py").write_text("from slth.theorems.pensia2020_subset_sum import *\n")
    code, out, _ = command("sweep", "mine_alone", *LINE[2:], tmp_path / "rows", "--json")
    assert code == 0
    assert {row["theorem"] for row in json.loads(out)} == {"mine_alone"}
    (tmp_path / "broken_one.py").write_text("import no_such_thing\n")
    code, _, err = command("sweep", "broken_one", *LINE[2:], tmp_path / "rows")
    assert code == 2
    assert "broken_one needs no_such_thing" in err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--epsilon", "a"), "expected numbers with commas"),
        (("--option", "density"), "written name=value"),
        (("--option", "density=0.5"), "no axis is named 'density'"),
        (("--seeds", "0"), "--seeds must be at least 1"),
        (("--target", "3"), "a target is random, digits, widths such as 16,8,4"),
        (("--target-seed", "-2"), "seed must be"),
        (("--jobs", "1", "--scheduler", "tcp://x:1"), "choose one of"),
        (("--scheduler", "node17"), "a scheduler is named like tcp://node17:8786; got 'node17'"),
        (("--ask", "smallest-n"), "leave --samples out"),
        (("--law", "normal"), "no law is named 'normal'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(command, tmp_path, change, message):
    code, out, err = command(*LINE, tmp_path, *change)
    assert (code, out) == (2, "")
    assert message in err
    assert command("sweep", "nothing", *LINE[2:], tmp_path)[0] == 2
    assert command("status", tmp_path / "none")[0] == 2
