"""`slth report` and `slth figures`: one HTML file about a folder of results, or its figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from slth import commands_grid

VIOLATED, INCOMPLETE = 1, 3


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a sweep.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to, ending in .html.")] = Path("report.html"),
    theorem: Annotated[
        list[str] | None, typer.Option(help="A theorem module of yours that the rows name. Repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Write one self-contained HTML file: every theorem touched, its bounds, what was measured, and the verdicts."""
    from slth.report import write

    path, counts = write(folder, output, [_imported(name) for name in theorem or []])
    if as_json:
        print(json.dumps({"file": str(path), **counts}))
    else:
        print(", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "no rows")
        print(f"report  {path}")
    if counts["violated"]:
        raise typer.Exit(VIOLATED)
    if counts["undecided"] or counts["failed"] or counts["lost"]:
        raise typer.Exit(INCOMPLETE)


def figures(
    folder: Annotated[Path, typer.Argument(help="Folder of a sweep.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the figures.")] = Path("figures"),
    formats: Annotated[str, typer.Option("--format", help="Of pdf, png and svg, with commas.")] = "pdf,png",
    theorem: Annotated[
        list[str] | None, typer.Option(help="A theorem module of yours that the rows name. Repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Draw every figure that a folder of results gives rise to: bound against measured, over what varies in it."""
    from slth.report import save_figures

    suffixes = [f".{kind.strip().lower()}" for kind in formats.split(",")]
    found = save_figures(folder, output, suffixes, [_imported(name) for name in theorem or []])
    if as_json:
        print(json.dumps({str(path): caption for path, caption in found}))
        return
    for path, caption in found:
        print(f"{path}  {caption}")
    if not found:
        print(f"nothing varies in {folder}, or no draw is done: there is nothing to draw", file=sys.stderr)
        raise typer.Exit(INCOMPLETE)


def _imported(name: str) -> ModuleType:
    """A theorem that the user names."""
    try:
        return commands_grid.imported(name)
    except ModuleNotFoundError as missing:
        raise ValueError(str(missing)) from missing
