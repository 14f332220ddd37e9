"""`slth sweep`, `slth status` and `slth export`: many draws into a folder, and out of it."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slth import commands_grid

if TYPE_CHECKING:
    import pandas as pd

    from slth.experiments.engines import Engine

INCOMPLETE = 3
INTERRUPTED = 130


class Ask(StrEnum):
    """What to learn from the draws."""

    error = "error"
    failure = "failure"
    density = "density"
    smallest_n = "smallest-n"


class Success(StrEnum):
    """What counts as a success."""

    proved = "proved"
    sums = "sums"


def sweep(
    name: Annotated[
        str, typer.Argument(help="Theorem that builds a ticket, such as pensia, or an importable module of yours.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the rows. The same line again resumes.")],
    ask: Annotated[
        Ask,
        typer.Option(
            help="error: its median at given widths. failure: its probability against delta. density: reached. "
            "smallest-n: the fewest candidates with success probability 1 - delta."
        ),
    ] = Ask.error,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="digits, widths such as 16,8,4, a .npz or .safetensors file, or module:function. Repeatable."
        ),
    ] = None,
    width: Annotated[str | None, typer.Option(help="Widths of random targets, such as 16,32,64.")] = None,
    depth: Annotated[str, typer.Option(help="Depths of random targets, such as 2,3.")] = "2",
    target_seed: Annotated[str, typer.Option(help="Seeds of the random targets.")] = "0",
    epsilon: Annotated[str, typer.Option(help="Errors to reach, such as 0.1,0.01.")] = "0.01",
    delta: Annotated[str, typer.Option(help="Failure probabilities to allow.")] = "0.05",
    samples: Annotated[
        str | None, typer.Option(help="Candidates per weight and side, such as 8,16,32; by default the theorem's.")
    ] = None,
    question: Annotated[
        str | None, typer.Option(help="Asked of every subset sum: nearest, any_or_nearest, sparsest_or_nearest.")
    ] = None,
    assignment: Annotated[str, typer.Option(help="Hidden units to inputs: block, adaptive.")] = "block",
    law: Annotated[
        list[str] | None, typer.Option(help="Of the source, such as thinned:0.5 or dyadic:4. Repeatable.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Of the theorem, such as density=0.2,0.5. Repeatable.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Draws of every cell: seeds 0 to this minus 1.")] = 1,
    inputs: Annotated[
        str | None, typer.Option(help="Evaluate every ticket at so many random inputs too: worst, mean and quantiles.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Where the inputs are evaluated, such as cuda.")] = None,
    success: Annotated[
        Success,
        typer.Option(
            help="For failure and smallest-n: error proved within epsilon, or every subset sum within tolerance."
        ),
    ] = Success.proved,
    most: Annotated[int, typer.Option(help="For smallest-n: draws per n.")] = 1024,
    largest: Annotated[
        int | None, typer.Option(help="For smallest-n: the largest n to try; by default the theorem's own.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Worker processes on this machine; by default none.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="A dask scheduler, such as tcp://node17:8786.")] = None,
    slurm: Annotated[int | None, typer.Option(help="So many SLURM jobs (extra cluster).")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the cells and the likely cost; draw next to nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON array.")] = False,
) -> None:
    """Draw a theorem's construction at every point of a grid: bound against measured, resumable, on any machines."""
    from slth.experiments import summaries
    from slth.experiments.cost import cost
    from slth.experiments.points import axes
    from slth.experiments.search import smallest_n
    from slth.experiments.sweep import sweep as draw_all

    module = commands_grid.theorem(name)
    grid: dict[str, Any] = {
        "target_seed": commands_grid.numbers(target_seed),
        "epsilon": commands_grid.numbers(epsilon),
        "delta": commands_grid.numbers(delta),
        "assignment": assignment.split(","),
        "seed": range(commands_grid.positive("seeds", seeds)),
    }
    grid |= commands_grid.networks(target or [], width, depth)
    grid |= {"samples": commands_grid.numbers(samples)} if samples is not None else {}
    grid |= {"question": question.split(",")} if question is not None else {}
    grid |= {"law": law} if law else {}
    grid |= dict(commands_grid.option(text) for text in option or [])
    grid |= {"inputs": commands_grid.numbers(inputs)} if inputs is not None else {}
    grid |= {"device": device} if device is not None else {}
    if ask is Ask.smallest_n and samples is not None:
        raise ValueError("smallest-n chooses the candidates by itself: leave --samples out")
    if dry_run:
        _show_cost(cost(axes(module, grid), out), as_json, most if ask is Ask.smallest_n else None)
        return
    rule = {Success.proved: summaries.proved, Success.sums: summaries.sums_met}[success]
    try:
        with _engine(jobs, scheduler, slurm) as engine:
            if ask is Ask.smallest_n:
                table = rows = smallest_n(module, grid, out, success=rule, most=most, largest=largest, engine=engine)
            else:
                rows = draw_all(module, grid, out, engine=engine)
    except KeyboardInterrupt:
        print(f"interrupted; the rows so far are in {out}, and the same line resumes", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except ModuleNotFoundError as fault:  # an extra that is not installed
        raise ValueError(str(fault)) from fault
    if ask is Ask.error:
        table = summaries.errors(rows)
    elif ask is Ask.density:
        table = summaries.densities(rows)
    elif ask is Ask.failure:
        table = summaries.failures(rows, rule)
    _show(table, as_json)
    bad = rows[rows["status"] != "done"]
    if len(bad):
        counts = ", ".join(f"{count} {status}" for status, count in bad["status"].value_counts().items())
        first = next((error for error in bad.get("error", []) if error), "")
        print(f"{counts}; the same line tries them again. {first}", file=sys.stderr)
        raise typer.Exit(INCOMPLETE)


def status(
    folder: Annotated[Path, typer.Argument(help="Folder of a sweep.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """What a folder of results holds: rows done, failed and lost, what is open, and what is still missing."""
    from slth.experiments.status import progress

    found = progress(folder)
    if as_json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            if name != "errors":
                print(f"{name:12} {value}")
        for error, count in found["errors"].items():
            print(f"{count:6} times  {error}")
    if found["failed"] or found["lost"]:
        raise typer.Exit(INCOMPLETE)


def export(
    folder: Annotated[Path, typer.Argument(help="Folder of a sweep.")],
    file: Annotated[Path, typer.Argument(help="Where to: .csv, or .parquet (extra parquet).")],
) -> None:
    """Write the rows of a folder as one table: one column per value of the point and of the result."""
    from slth.experiments.status import export as write

    try:
        print(f"{write(folder, file)} rows in {file}")
    except ModuleNotFoundError as fault:  # an extra that is not installed
        raise ValueError(str(fault)) from fault


def _engine(jobs: int | None, scheduler: str | None, slurm: int | None) -> AbstractContextManager[Engine]:
    from slth.experiments import engines

    if sum(choice is not None for choice in (jobs, scheduler, slurm)) > 1:
        raise ValueError("choose one of --jobs, --scheduler and --slurm")
    if jobs is not None:
        return engines.local(jobs)
    if scheduler is not None:
        return engines.remote(scheduler)
    return nullcontext(engines.serial()) if slurm is None else engines.slurm(slurm)


def _show_cost(table: pd.DataFrame, as_json: bool, most: int | None) -> None:
    """The cells and, below them, what all take together; `most` draws per n make a search."""
    _show(table, as_json)
    if as_json:
        return
    count, done, seconds = (table[name].sum() for name in ("points", "done", "seconds"))
    if most is None:
        print(f"{count} draws, {done} of them done; the others take about {seconds:.3g} s in one process")
    else:
        print(f"searches: {count}; seconds are of one draw with the theorem's n, of which every n gets up to {most}")


def _show(table: pd.DataFrame, as_json: bool) -> None:
    """A table on stdout: what all rows share in one line, the rest as columns; a single row as a list."""
    if as_json:
        print(table.to_json(orient="records"))
        return
    from rich.table import Table

    from slth.console import console

    out = console()
    if len(table) == 1:
        out.print("\n".join(f"{name:24} {_text(value)}" for name, value in table.iloc[0].items()), markup=False)
        return
    same = [name for name in table.columns if len(table) > 1 and table[name].map(repr).nunique() == 1]
    out.print(", ".join(f"{name} {_text(table[name].iloc[0])}" for name in same), markup=False)
    shown = Table(box=None, padding=(0, 2, 0, 0))
    varying = [name for name in table.columns if name not in same]
    for name in varying:
        shown.add_column(name, justify="right", overflow="fold")
    for values in table[varying].itertuples(index=False):
        shown.add_row(*map(_text, values))
    out.print(shown, markup=False)


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
