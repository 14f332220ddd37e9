"""The notebooks run from nothing, and what is committed is clean."""

import ast
import re
import runpy
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
QUICK = {"1_subset_sums.ipynb", "3_a_ticket_and_its_certificate.ipynb"}
"""Take about seven seconds each, most of them for imports; the others ten and more."""

LIGHT = 200_000
"""Bytes of a notebook with its figures."""


@pytest.fixture(scope="module")
def run():
    for package in ("nbformat", "nbclient", "ipykernel"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install -e '.[dev]' brings it")
    return runpy.run_path(str(NOTEBOOKS / "run.py"))


def read(path):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: pip install -e '.[dev]' brings it")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


@pytest.mark.parametrize("path", [pytest.param(p, marks=() if p.name in QUICK else pytest.mark.slow) for p in PATHS],
                         ids=lambda path: path.stem)  # fmt: skip
def test_a_notebook_runs_in_an_empty_folder_and_says_what_the_committed_one_says(path, run, tmp_path):
    before = path.read_bytes()
    found = run["cleaned"](run["executed"](path, tmp_path))
    assert path.read_bytes() == before
    for fresh, committed in zip(found.cells, read(path).cells, strict=True):
        assert shape(fresh) == shape(committed), fresh.id


def shape(cell):
    """The kinds of a cell's outputs; numbers may differ in their last digits between machines."""
    return [(output.output_type, sorted(output.get("data", ()))) for output in cell.get("outputs", ())]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_committed_notebook_is_clean_and_light(path, run):
    notebook = read(path)
    assert notebook == run["cleaned"](notebook), f"python notebooks/run.py {path} cleans it"
    assert path.stat().st_size < LIGHT
    assert not [
        output for cell in notebook.cells for output in cell.get("outputs", ()) if output.output_type == "error"
    ]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_ends_with_things_to_try_and_imports_public_modules_only(path):
    cells = read(path).cells
    assert "## What to try" in cells[-1].source
    assert 2 <= len(re.findall(r"^- ", cells[-1].source, flags=re.MULTILINE)) <= 3
    for cell in cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                names = [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
                assert not [name for name in names if name.startswith("_") and name != "__main__"]


def test_every_notebook_stands_in_the_table():
    table = (NOTEBOOKS / "README.md").read_text()
    assert len(PATHS) == 6
    assert re.findall(r"\(((?:\d)_\w+\.ipynb)\)", table) == [path.name for path in PATHS]


def test_cleaning_drops_counters_metadata_messages_and_names_of_figures(run):
    nbformat = pytest.importorskip("nbformat")
    make = nbformat.v4
    outputs = [
        make.new_output("stream", name="stdout", text="one "),
        make.new_output("stream", name="stderr", text="a warning"),
        make.new_output("stream", name="stdout", text="two"),
        make.new_output("execute_result", data={"text/plain": "3", "text/html": "<b>3</b>"}, execution_count=7),
    ]
    mine = {"name": "mine", "display_name": "Mine"}
    cell = make.new_code_cell("1 + 2", id="cell-01", outputs=outputs, execution_count=7, metadata={"timing": 1.0})
    notebook = run["cleaned"](make.new_notebook(cells=[cell], metadata={"kernelspec": mine}))
    (kept,) = notebook.cells
    assert (kept.id, kept.execution_count, kept.metadata) == ("cell-01", None, {})
    assert [output.get("text", output.get("data")) for output in kept.outputs] == ["one two", {"text/plain": "3"}]
    assert notebook.metadata.kernelspec.name == "python3"
    nbformat.validate(notebook)
