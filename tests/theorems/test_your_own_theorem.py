"""The documented theorem of a user's own, written to a file outside the package, works as one of ours."""

import importlib
import re
import sys
from pathlib import Path

import pytest

import slth
from slth.experiments.sweep import sweep_candidates

PAGE = Path(__file__).parents[2] / "docs" / "your_own_theorem.md"
MODULE, USE = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@pytest.fixture
def half_range(tmp_path, monkeypatch):
    (tmp_path / "half_range.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("half_range")
    sys.modules.pop("half_range")


def test_the_page_runs_as_it_stands(half_range, capsys):
    exec(compile(USE, str(PAGE), "exec"), {})
    verdict, lower, upper, failed = capsys.readouterr().out.split()
    assert verdict == "holds"
    assert float(lower) <= float(upper) <= 0.05
    assert failed == "0"


def test_its_hypotheses_hold_at_its_own_width_and_are_reported_below_it(half_range):
    target = half_range.normalised(slth.random_target([2, 2], seed=0))
    enough = half_range.source(target, 0.1, 0.1, seed=0)
    assert all(check.holds for check in half_range.hypotheses(target, enough, 0.1, 0.1))
    short = half_range.source(target, 0.1, 0.1, seed=0, samples=5)
    assert [check.holds for check in half_range.hypotheses(target, short, 0.1, 0.1)][-1] is False


def test_the_price_of_half_the_range_is_a_quarter_of_the_drift(half_range):
    assert slth.Product(slth.Uniform(0.0, 1.0), slth.Uniform()).drift(1.0) / 4 == half_range.DRIFT


def test_it_goes_through_a_sweep(half_range):
    target = half_range.normalised(slth.random_target([2, 2], seed=0))
    rows = sweep_candidates(half_range, target, 0.1, 0.1, candidates=[8, 16], seeds=[0, 1])
    assert [(row.samples, row.seed) for row in rows] == [(8, 0), (8, 1), (16, 0), (16, 1)]
    assert all(row.lower <= row.upper for row in rows)
