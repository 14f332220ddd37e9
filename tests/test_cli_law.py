"""`slth law`: every law prints, saves and draws its rows."""

import csv
import json
import sys

import pytest

from slth import cli


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["slth", "law", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code or 0, *capsys.readouterr()

    return run


@pytest.mark.parametrize("which", ["median", "smallest-n", "failure", "counts"])
def test_a_law_leaves_its_rows_and_its_figure(command, tmp_path, which):
    code, out, _ = command(which, "--draws", "40", "-o", str(tmp_path))
    assert code == 0
    assert "U[-1, 1]" in out
    with (tmp_path / f"law_{which}.csv").open() as file:
        assert len(list(csv.DictReader(file))) >= 4
    assert (tmp_path / f"law_{which}.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 2


def test_json_is_one_list_of_rows_without_infinities(command):
    _, out, _ = command("smallest-n", "--samples", "product", "--size", "3", "--draws", "10", "--json")
    rows = json.loads(out)
    assert {row["k"] for row in rows} == {3}
    assert all(row["counting"] >= 3 for row in rows)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (("median", "--draws", "0"), "draw"),
        (("median", "--size", "3"), "smallest-n"),
        (("smallest-n", "--size", "0"), "size"),
        (("gravity",), "gravity"),
        (("failure", "--seed", "-1"), "seed"),
    ],
)
def test_impossible_requests_end_with_code_two_and_a_sentence(command, line, part):
    code, out, err = command(*line)
    assert code == 2
    assert part in err
    assert not out
