"""The list of changes of the code that tests may miss: each is a change of the present code, and none is missing."""

import ast
import json

import pytest
from changed import path_of
from mutations import RESULTS, REVIEWED, mutants, results, reviewed, without_reason

SCRIPTS = ("mutate_bounds", "mutate_checker")


def present(module):
    """The names of all changes of a module."""
    return {f"{module} {mutant.name}" for mutant in mutants(ast.parse(path_of(module).read_text()))}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_reviewed_change_is_one_of_the_present_code(script):
    names = reviewed(script)
    assert names
    modules = {name.partition(" ")[0] for name in names}
    assert names - set().union(*map(present, modules)) == set()


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_change_that_tests_missed_has_a_reason(script):
    assert results(script)["modules"]
    assert without_reason(script) == []


def test_every_change_has_one_reason_of_some_words():
    for reasons in json.loads(REVIEWED.read_text()).values():
        names = [name for listed in reasons.values() for name in listed]
        assert len(names) == len(set(names))
        assert all(listed and len(reason.split()) > 4 for reason, listed in reasons.items())


def test_a_change_without_a_reason_is_found(tmp_path, monkeypatch):
    listed = json.loads(REVIEWED.read_text())
    survivor = next(s for found in results("mutate_bounds")["modules"].values() for s in found["survivors"])
    shorter = {reason: [n for n in names if n != survivor] for reason, names in listed["mutate_bounds"].items()}
    (tmp_path / "list.json").write_text(json.dumps(listed | {"mutate_bounds": shorter}))
    monkeypatch.setattr("mutations.REVIEWED", tmp_path / "list.json")
    assert without_reason("mutate_bounds") == [survivor]


def test_names_of_changes_are_unique():
    for path in (path_of("slth.gadget"), path_of("slth.errors.coupled")):
        names = [mutant.name for mutant in mutants(ast.parse(path.read_text()))]
        assert len(names) == len(set(names))
    assert REVIEWED.parent == RESULTS
