"""slth list, slth theorem, slth bound: everything the theorem files say reaches the user, and nothing more."""

import json
import re

import pytest
from test_cli import run

from slth import theorems
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems import measured


@pytest.fixture
def command(monkeypatch, capsys):
    return lambda *arguments: run(monkeypatch, capsys, *arguments)


def test_every_theorem_is_listed_with_its_claim(command):
    code, out, _ = command("list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert set(rows) == {theorems.name(module) for module in theorems.ALL}
    assert all(row["claim"] and row["builds"] == (name in BUILDS) for name, row in rows.items())


BUILDS = {theorems.name(module) for module in theorems.CONSTRUCTIONS}


def test_the_list_is_also_a_table(command):
    code, out, _ = command("list")
    assert code == 0
    assert all(theorems.name(module) in out for module in theorems.ALL)


@pytest.mark.parametrize("module", theorems.ALL, ids=theorems.name)
def test_a_theorem_is_shown_with_statement_bounds_and_where_they_come_from(command, module):
    code, out, _ = command("theorem", theorems.name(module))
    assert code == 0
    assert "Statement." in out
    assert module.REFERENCE.title in " ".join(out.split())
    flat = " ".join(out.split())
    for label, bound in theorems.bounds(module).items():
        assert f"{label}: {bound.name}" in flat
        assert str(bound.provenance) in flat
    for label, bound in theorems.bounds(module).items():
        after = re.split(r" Measured: | [A-Z][A-Z_0-9]+: ", flat.split(f"{label}: {bound.name}")[1])[0]
        if bound.provenance == "restated":
            assert "restated from" in after
            assert "check before quoting" in after
        if bound.provenance == "derived":
            assert "not peer reviewed" in after


FROM_PAPERS = {"natale2024_fixed_size", "natale2024_sparse", "grid_law", "ferre2026_neurons", "kumar2026_discrete"}
FROM_PAPERS |= {"counting", "counting_networks", "counting_chances"}
"""Read in the paper or in its abstract, or the project's own."""


@pytest.mark.parametrize("module", theorems.ALL, ids=theorems.name)
def test_what_was_not_read_says_so_in_its_source(module):
    source = " ".join((module.__doc__ or "").split("\nSource.")[1].split("\nUses.")[0].split())
    said = "restated from memory of the paper; check before quoting" in source
    assert said == (theorems.name(module) not in FROM_PAPERS)


def test_a_part_of_a_name_finds_the_only_theorem_that_has_it(command):
    assert theorems.find("lueker") is lueker
    code, _, err = command("theorem", "20")
    assert code == 2
    assert "several theorems" in err
    code, _, err = command("theorem", "goldbach")
    assert code == 2
    assert "no theorem is named 'goldbach'" in err


def test_an_exact_name_wins_over_names_that_contain_it():
    for module in theorems.ALL:
        assert theorems.find(theorems.name(module)) is module


def test_a_bound_with_numbers_for_all_symbols_has_a_value(command):
    line = ("bound", "lueker", "epsilon=0.01", "delta=0.1", "R=1/2", "m=1/2", "--only", "CANDIDATES", "--json")
    code, out, _ = command(*line)
    (row,) = json.loads(out)
    assert code == 0
    assert row["value"] == pytest.approx(lueker.CANDIDATES.evaluate(epsilon=0.01, delta=0.1, R=0.5, m=0.5))


def test_a_bound_whose_constant_nobody_knows_has_no_value(command):
    _, out, _ = command("bound", "lueker", "epsilon=0.01", "--only", "LUEKER", "--json")
    (row,) = json.loads(out)
    assert row["value"] is None
    assert row["lacks"] == "C"


def test_a_bound_can_be_solved_for_a_symbol(command):
    _, out, _ = command("bound", "lueker", "--only", "FAILURE_UNIFORM", "--solve", "n", "--json")
    (row,) = json.loads(out)
    assert row["value"] == "n = log(2/(delta*epsilon**2))/log(4/3)"
    _, out, _ = command("bound", "lueker", "--only", "FAILURE_UNIFORM", "--solve", "gamma", "--json")
    assert json.loads(out)[0]["lacks"] == "does not contain gamma"


def test_a_bound_without_closed_form_is_solved_with_numbers_or_between_two(command):
    line = ("bound", "malach2020_weights", "--only", "WIDTH", "--solve", "d", "--json")
    _, out, _ = command(*line)
    assert "give low, high" in json.loads(out)[0]["lacks"]
    numbers = ("D=1e6", "L=2", "epsilon=0.5", "delta=0.1")
    found = []
    for extra in ((), ("--between", "1", "50")):
        _, out, _ = command(*line, *numbers, *extra)
        found.append(float(json.loads(out)[0]["value"].removeprefix("d = ")))
    width = theorems.find("malach2020_weights").WIDTH.evaluate(L=2, epsilon=0.5, delta=0.1, d=found[0])
    assert width == pytest.approx(1e6)
    assert found[0] == pytest.approx(found[1])


def test_a_restated_bound_says_so_beside_its_number(command):
    _, out, _ = command("bound", "kumar2025", "C=2", "M=16", "d_in=3", "--only", "WIDTH", "--json")
    assert json.loads(out)[0]["origin"] == "restated from memory of the paper; check before quoting"


def test_bounds_print_as_latex(command):
    _, out, _ = command("bound", "pensia2020_lower", "--latex")
    assert out.startswith("P \\geq \\frac{d^{2}")

    _, out, _ = command("bound", "lueker", "--only", "FAILURE_UNIFORM", "--solve", "n", "--latex")
    assert out.startswith("n = \\frac{\\ln")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (("lueker", "epsilon"), "symbol=number"),
        (("lueker", "epsilon=tiny"), "symbol=number"),
        (("lueker", "epsilon=1/0"), "symbol=number"),
        (("lueker", "zeta=1"), "contains zeta"),
        (("lueker", "--only", "NONE"), "has no bound 'NONE'"),
        (("lueker", "--between", "1", "2"), "give both, or neither"),
        (("lueker", "epsilon=-1", "n=4", "--only", "FAILURE_UNIFORM"), "must be one real number"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(command, line, says):
    code, _, err = command("bound", *line)
    assert code == 2
    assert says in err
    assert "Traceback" not in err


def test_measurements_are_rows_of_the_theorem_alone():
    for module in theorems.ALL:
        for row in measured.rows(theorems.name(module)):
            assert "theorem" not in row
