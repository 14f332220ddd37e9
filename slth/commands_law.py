"""The command `slth law`: measures one law of random subset sums and prints, saves or draws its rows."""

from __future__ import annotations

import csv
import io
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class Which(StrEnum):
    """The laws that are measured."""

    median = "median"
    smallest_n = "smallest-n"
    failure = "failure"
    counts = "counts"
    moments = "moments"
    absence = "absence"
    sizes = "sizes"


class Samples(StrEnum):
    """The laws that samples are drawn from."""

    uniform = "uniform"
    product = "product"


def law(
    which: Annotated[
        Which,
        typer.Argument(
            help="median: best error for one target. smallest-n: samples that cover all targets in 90 % of the draws. "
            "failure: how often n samples do not. counts: how many subsets are within epsilon, as a distribution; "
            "moments: its mean, variance and more; absence: how often there are none; sizes: how many of every size."
        ),
    ],
    samples: Annotated[
        Samples, typer.Option(help="Law of the samples: U[-1, 1], or products of two of it.")
    ] = Samples.uniform,
    draws: Annotated[int | None, typer.Option(help="Independent draws, >= 1; by default enough for seconds.")] = None,
    size: Annotated[int | None, typer.Option(help="Only subsets of exactly this size, for smallest-n.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the samples, 0 to 2^64 - 1.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the rows (CSV) and, for the first four, the figure (PNG)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as one JSON list and nothing else.")] = False,
) -> None:
    """Measure one law of random subset sums, beside its bounds and heuristics."""
    from slth.atomic import replacing
    from slth.experiments.law_samples import records

    if size is not None and which is not Which.smallest_n:
        raise ValueError(f"--size goes with smallest-n; got it with {which}: leave it out")
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    rows, draw = _measured(which, samples, draws, size, seed)
    table = records(rows)
    if output is not None:
        text = io.StringIO()
        writer = csv.DictWriter(text, table[0].keys())
        writer.writeheader()
        writer.writerows(table)
        with replacing(output / f"law_{which}.csv") as file:
            file.write(text.getvalue().encode())
        if draw is not None:
            from slth import plots

            plots.save(draw(rows).figure.figure, output / f"law_{which}.png")
    if as_json:
        print(json.dumps([{name: _finite(value) for name, value in row.items()} for row in table], allow_nan=False))
        return
    _print(which, table)
    if output is not None:
        print(f"\nrows    {output / f'law_{which}.csv'}")
        if draw is not None:
            print(f"figure  {output / f'law_{which}.png'}")


def _measured(which: Which, samples: Samples, draws: int | None, size: int | None, seed: int) -> tuple[Any, Any]:
    """The rows of a law and the function that draws them, None where there is no figure."""
    from slth import plots_laws
    from slth.experiments import laws, ticket_counts
    from slth.laws import Product, Uniform

    options: dict[str, Any] = {"law": Uniform() if samples is Samples.uniform else Product(), "seed": seed}
    if draws is not None:
        options["draws"] = draws
    if which is Which.smallest_n:
        options["k"] = size
    functions: dict[Which, tuple[Any, Any]] = {
        Which.median: (laws.median_errors, plots_laws.median_errors),
        Which.smallest_n: (laws.smallest_samples, plots_laws.smallest_samples),
        Which.failure: (laws.failure_probabilities, plots_laws.failure_probabilities),
        Which.counts: (ticket_counts.count_distribution, plots_laws.count_distribution),
        Which.moments: (ticket_counts.count_moments, None),
        Which.absence: (ticket_counts.absence, None),
        Which.sizes: (ticket_counts.counts_of_sizes, None),
    }
    measure, draw = functions[which]
    return measure(**options), draw


def _finite(value: Any) -> Any:
    """JSON has no infinity: an end that the data do not give becomes null."""
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def _print(which: Which, table: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from slth.console import console

    same = {name: value for name, value in table[0].items() if all(row[name] == value for row in table)}
    out = console()
    out.print(f"{which}: " + ", ".join(f"{name} {_text(value)}" for name, value in same.items()) + "\n")
    shown = Table(box=None, padding=(0, 2, 0, 0))
    varying = [name for name in table[0] if name not in same]
    for name in varying:
        shown.add_column(name, justify="right")
    for row in table:
        shown.add_row(*(_text(row[name]) for name in varying))
    out.print(shown)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
