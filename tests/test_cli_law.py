"""`slth law`: every law prints, saves and draws its rows."""

import csv
import json
import math
import sys

import pytest

from slth import cli
from slth.experiments import ticket_counts
from slth.experiments.law_samples import records
from slth.laws import Product


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


COLUMNS = {
    "moments": {"quantity", "measured", "predicted"},
    "absence": {"n", "mean", "share", "share_low", "share_high", "mixed", "plain"},
    "sizes": {"k", "mean", "predicted_mean", "spread", "predicted_spread"},
}


@pytest.mark.parametrize("which", COLUMNS)
def test_a_law_without_a_figure_leaves_its_rows(command, tmp_path, which):
    code, out, _ = command(which, "--draws", "40", "-o", str(tmp_path))
    assert code == 0
    assert "U[-1, 1]" in out
    assert "law_" + which + ".csv" in "".join(out.split())
    assert "\nfigure " not in out
    with (tmp_path / f"law_{which}.csv").open() as file:
        found = list(csv.DictReader(file))
    assert len(found) >= 5
    assert COLUMNS[which] <= found[0].keys()
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("which", COLUMNS)
def test_the_table_and_the_json_show_what_the_library_measures(command, which):
    measure = {
        "moments": ticket_counts.count_moments,
        "absence": ticket_counts.absence,
        "sizes": ticket_counts.counts_of_sizes,
    }[which]
    expected = records(measure(Product(), draws=30, seed=5))
    line = (which, "--samples", "product", "--draws", "30", "--seed", "5")
    code, out, _ = command(*line, "--json")
    found = json.loads(out)
    assert code == 0
    for row, wanted in zip(found, expected, strict=True):
        assert row == {
            name: value if not isinstance(value, float) or math.isfinite(value) else None
            for name, value in wanted.items()
        }
    _, out, _ = command(*line)
    words = out.split()
    varying = [name for name in expected[0] if len({row[name] for row in expected}) > 1]
    assert set(varying) <= set(words)
    assert len([text for text in out.splitlines() if text]) == 2 + len(expected)


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
        (("sizes", "--size", "3"), "smallest-n"),
        (("moments", "--draws", "1"), "draws"),
        (("absence", "--draws", "0"), "draw"),
        (("sizes", "--seed", "-1"), "seed"),
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
