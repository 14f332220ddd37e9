"""The README's Python examples run as they stand, and its commands are understood."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from slth.cli import app

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)

LINES = [
    line
    for text in re.findall(r"^    (slth .*)", README.read_text(), flags=re.MULTILINE)
    for line in text.split(" && ")
]


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_readme_is_one_that_there_is(line):
    _, name, *arguments = shlex.split(line, comments=True)
    command = typer.main.get_command(app).commands[name]
    command.make_context(name, arguments)  # raises at a wrong option, without running anything


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_of_the_readme_runs(block, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, str(README), "exec"), {})
    assert capsys.readouterr().out


def test_the_readme_has_examples_and_its_figure_exists():
    assert len(BLOCKS) == 3
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README.read_text()):
        assert (README.parent / picture).is_file()
