"""The command `slth subset-sum`: parses, calls `slth.table`, prints what became of the rows."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from slth.table import Question

INCOMPLETE = 3
INTERRUPTED = 130


class Ask(StrEnum):
    """What to ask of every row."""

    best = "best"
    any = "any"
    sparsest = "sparsest"
    exactly = "exactly"
    number = "count"
    worst_case = "worst-case"


NEEDS = {
    Ask.best: ((), ()),
    Ask.any: (("epsilon",), ()),
    Ask.sparsest: (("epsilon",), ()),
    Ask.exactly: (("size",), ("epsilon",)),
    Ask.number: (("epsilon",), ()),
    Ask.worst_case: (("window",), ()),
}
"""The options that a question needs, and those that it may have."""


def subset_sum(
    file: Annotated[str, typer.Argument(help="CSV: target, then the samples, in every row; - reads standard input.")],
    question: Annotated[Ask, typer.Option(help="What to ask of every row.")],
    output: Annotated[str, typer.Option("--output", "-o", help="CSV of the answers; - writes to standard output.")],
    epsilon: Annotated[float | None, typer.Option(help="Largest |sum - target| that qualifies, >= 0.")] = None,
    size: Annotated[
        int | None, typer.Option(help="Number of samples to take, >= 0, for --question exactly; --epsilon is optional.")
    ] = None,
    window: Annotated[
        float | None, typer.Option(help="R > 0, for --question worst-case: over all targets in [-R, R].")
    ] = None,
) -> None:
    """Solve every row of a table: nearest, any, smallest or fixed-size subset, number of subsets, worst target.

    Rows may differ in length; a first line without a number is taken for a header. Answers are proved for the numbers
    as float64. Samples per row: best to 48, sparsest to 34, exactly to 34 (with --epsilon to 65,536), count to 40,
    worst-case to 28, any to 65,536. Indices and rows count from 0. Exit code 3: some rows are malformed or unresolved.
    """
    asked = _question(question, {"epsilon": epsilon, "size": size, "window": window})
    from tqdm.auto import tqdm

    from slth.table import solve_file

    def complain(sentence: str) -> None:
        tqdm.write(f"{file}: {sentence}", file=sys.stderr)

    total = os.path.getsize(file) if file != "-" and os.path.isfile(file) else None
    try:
        with tqdm(total=total, desc=question, disable=None, leave=False, file=sys.stderr, unit="B", unit_scale=True,
                  unit_divisor=1024) as bar:  # fmt: skip
            tally = solve_file(file, output, asked, advance=bar.update, complain=complain)
    except KeyboardInterrupt:
        left = "the rows written are right, the others are missing" if output == "-" else "nothing was written"
        print(f"interrupted; {left}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    print(tally, file=sys.stderr)
    raise typer.Exit(0 if tally.complete else INCOMPLETE)


def _question(ask: Ask, options: dict[str, float | int | None]) -> Question:
    """The question with its options.

    Raises:
        ValueError: an option is missing, superfluous or out of range.
    """
    needed, allowed = NEEDS[ask]
    for name in needed:
        if options[name] is None:
            raise ValueError(f"--question {ask} needs --{name}")
    for name, value in options.items():
        if value is not None and name not in (*needed, *allowed):
            raise ValueError(f"--question {ask} has no use for --{name}")
    from slth import table

    epsilon, size, window = (options[name] for name in ("epsilon", "size", "window"))
    if ask is Ask.best:
        return table.nearest()
    if ask is Ask.worst_case:
        assert window is not None
        return table.worst_case(window)
    if ask is Ask.exactly:
        taken = int(size or 0)
        return table.nearest_of_size(taken) if epsilon is None else table.within_of_size(taken, epsilon)
    assert epsilon is not None
    return {Ask.any: table.within, Ask.sparsest: table.smallest_within, Ask.number: table.count}[ask](epsilon)
