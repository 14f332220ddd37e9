"""Every figure: its committed rows can be derived again, lie where theory says, and are what is drawn."""

import math
import random
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

FOLDER = Path(__file__).parents[2] / "paper_figures"
sys.path.insert(0, str(FOLDER))

import all_figures  # noqa: E402
import failure_probability  # noqa: E402
import figure  # noqa: E402
import pensia_mnist_table  # noqa: E402

EACH = pytest.mark.parametrize("script", all_figures.SCRIPTS, ids=figure.name)
SLOW = {"erdos_renyi", "natale2024_figure1", "smallest_n_any_size", "smallest_n_fixed_size", "four_constructions"}
QUICK = [
    pytest.param(script, id=figure.name(script), marks=pytest.mark.slow if figure.name(script) in SLOW else ())
    for script in all_figures.SCRIPTS
]
SAMPLE = 4
"""Rows of each CSV that are derived again."""


def committed(script):
    return figure.read(FOLDER / "data" / f"{figure.name(script)}.csv")


def measured(script):
    header, rows = committed(script)
    rows = [row for row in rows if getattr(script, "rederivable", lambda row: True)(row)]
    return random.Random(header["command"]).sample(rows, min(SAMPLE, len(rows)))


@EACH
def test_every_committed_point_lies_where_theory_says(script):
    assert script.check(committed(script)[1])


@EACH
def test_committed_rows_are_derived_again(script):
    if script is pensia_mnist_table:
        pytest.skip("has a test of its own, which needs the data of the benchmark")
    for row in measured(script):
        assert not figure.differences(script.rederive(row), row)


@pytest.mark.slow
def test_the_repetition_of_the_published_run_is_derived_again():
    if not (pensia_mnist_table.data() / "pensia_fc2.npz").exists():
        pytest.skip("the published network is not here: set SLTH_DATA to the folder that holds it")
    for row in measured(pensia_mnist_table):
        assert not figure.differences(pensia_mnist_table.rederive(row), row)


def test_the_table_of_pensia_is_that_of_the_benchmark():
    rows = committed(pensia_mnist_table)[1]
    for row, again in zip(rows, pensia_mnist_table.simulate(quick=False), strict=True):
        assert not figure.differences(row, again)


@EACH
def test_a_committed_file_says_how_it_was_made(script):
    header, rows = committed(script)
    assert header["command"] == f"python paper_figures/{figure.name(script)}.py"
    assert "slth" in header["versions"]
    assert float(header["seconds"]) < 3 * script.SECONDS
    assert len(rows) > 1
    for suffix in (".pdf", ".svg", ".png"):
        assert (FOLDER / f"{figure.name(script)}{suffix}").stat().st_size > 1000


@pytest.mark.parametrize("script", QUICK)
def test_the_rows_of_the_quick_mode_lie_where_theory_says(script):
    assert script.check(script.simulate(quick=True))


@pytest.mark.slow
@EACH
def test_the_quick_mode_writes_checked_rows_and_three_files(script, tmp_path):
    assert figure.produce(script, True, tmp_path)
    name = figure.name(script)
    assert script.check(figure.read(tmp_path / "data" / f"{name}.csv")[1])
    assert {file.name for file in tmp_path.iterdir()} == {"data", f"{name}.pdf", f"{name}.svg", f"{name}.png"}


@EACH
def test_axes_that_are_given_are_drawn_into_and_returned(script):
    rows = committed(script)[1]
    panels = getattr(script, "PANELS", ())
    if panels and not callable(panels[0]):
        rows = figure.pick(rows, panel=panels[0])
    mine = Figure().add_subplot()
    assert script.draw(rows, mine) is mine
    assert mine.lines or mine.tables


@pytest.mark.slow
def test_the_same_rows_give_the_same_bytes(tmp_path):
    for folder in (tmp_path / "one", tmp_path / "two"):
        (folder / "data").mkdir(parents=True)
        figure.write(folder / "data" / "failure_probability.csv", committed(failure_probability)[1], {})
        figure.paint(failure_probability, folder)
    for suffix in (".pdf", ".svg", ".png"):
        one, two = ((tmp_path / folder / f"failure_probability{suffix}").read_bytes() for folder in ("one", "two"))
        assert one == two


def test_the_table_in_the_readme_is_that_of_the_committed_files():
    text = all_figures.README.read_text(encoding="utf-8")
    assert all_figures.with_table(text) == text


def test_every_script_in_the_folder_is_in_the_table():
    shared = {"figure", "tickets", "all_figures"}
    assert {path.stem for path in FOLDER.glob("*.py")} - shared == {figure.name(s) for s in all_figures.SCRIPTS}


# The checks discriminate ----------------------------------------------------------------------------------------------


def test_a_frequency_above_its_bound_is_refused():
    rows = [dict(row) for row in committed(failure_probability)[1]]
    late = [row for row in rows if row["n"] == 22 and row["epsilon"] == 0.25]
    for row in late:
        row["failures"] = row["draws"] // 10
    with pytest.raises(AssertionError, match="above the bound"):
        failure_probability.check(late)


def test_a_frequency_below_its_bound_is_refused():
    rows = [dict(row, failures=0) for row in committed(failure_probability)[1] if row["n"] == 3]
    with pytest.raises(AssertionError, match="below the bound"):
        failure_probability.check(rows)


def test_a_changed_row_is_seen():
    row = committed(failure_probability)[1][5]
    assert not figure.differences(row, row)
    assert figure.differences(row, {**row, "failures": row["failures"] + 1})
    assert figure.differences(row, {**row, "upper_worst_growth": row["upper_worst_growth"] * 1.001})
    assert figure.differences(row, {key: row[key] for key in list(row)[1:]})


def test_values_come_back_from_a_file_as_they_were(tmp_path):
    rows = [{"a": 1, "b": 0.1 + 0.2, "c": "U[-1, 1]", "d": None, "e": math.inf, "f": 2.0}]
    figure.write(tmp_path / "rows.csv", rows, {"command": "none: at all"})
    assert figure.read(tmp_path / "rows.csv") == ({"command": "none: at all"}, rows)


def test_drawing_only_needs_a_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        figure.main(failure_probability, ["--draw-only", "--folder", str(tmp_path)])
