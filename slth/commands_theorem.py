"""`slth list`, `slth theorem` and `slth bound`: what each theorem says, and its numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import sympy

    from slth.bounds import Bound

_NUMBER = ("measured", "setting", "draws", "value", "from", "to")
"""Columns of a measurement that the rows of all bounds on it share."""
_RELATION = {"upper": "<=", "lower": ">=", "heuristic": "about"}


def list_theorems(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array and nothing else.")] = False,
) -> None:
    """Every theorem: its name, what it claims, whether it can be built here, and its bounds."""
    from slth import theorems

    rows: list[dict[str, Any]] = [
        {
            "name": theorems.name(module),
            "claim": theorems.claim(module),
            "builds": module in theorems.CONSTRUCTIONS,
            "bounds": list(theorems.bounds(module)),
        }
        for module in theorems.ALL
    ]
    if as_json:
        print(json.dumps(rows))
        return
    _table(
        ("name", "", "claim"),
        [(row["name"], "builds a ticket" if row["builds"] else "bound", row["claim"]) for row in rows],
    )


def theorem(
    name: Annotated[str, typer.Argument(help="Of a theorem, see slth list; a part that fits only one will do.")],
) -> None:
    """One theorem: statement, source, errata, bounds with their provenance, and what has been measured."""
    from slth import theorems
    from slth.console import console
    from slth.theorems.measured import rows

    module = theorems.find(name)
    out = console()
    out.print((module.__doc__ or "").strip(), markup=False)
    reference = module.REFERENCE
    out.print(f"\nPaper       {reference.full()}", markup=False)
    for erratum in reference.errata:
        here = f" -- here: {erratum.resolution}" if erratum.resolution else ""
        out.print(f"Erratum     {erratum.locator}: {erratum.issue}{here}", markup=False)
    for label, bound in theorems.bounds(module).items():
        out.print(f"\n{label}: {bound.name}", style="bold", markup=False)
        out.print(f"  {bound}", markup=False)
        if bound.note:
            out.print(f"  {bound.note}", markup=False)
        if bound.origin:
            out.print(f"  {bound.origin}", markup=False)
    measured = rows(theorems.name(module))
    if not measured:
        out.print("\nMeasured: nothing is on record for this theorem", style="bold")
    elif "claims" in measured[0]:
        sure = min(row["confidence"] for row in measured)
        out.print(f"\nMeasured, intervals at {sure:.0%}", style="bold", markup=False)
        for line in _claims(measured):
            out.print(line, markup=False)
    else:
        settings = ", ".join(dict.fromkeys(row.pop("setting") for row in measured))
        out.print(f"\nMeasured: {settings}", style="bold", markup=False)
        _table(tuple(measured[0]), [tuple(_text(value) for value in row.values()) for row in measured])


def _claims(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Every measured number with its interval, and under it what the bounds of the theorem say about it."""
    for (what, setting, draws, value, low, high), some in groupby(rows, itemgetter(*_NUMBER)):
        ends = "" if low == high else f" [{low:.4g}, {high:.4g}]"
        yield f"  {what}: {value:.4g}{ends}"
        yield f"    {setting}" + (f"; {draws} draws" if draws > 1 else "")
        for row in some:
            near = f" within a factor {row['factor']:g}" if row["factor"] else ""
            at = ", ".join(f"{name} = {_text(number)}" for name, number in row["at"].items())
            where = f" at {at}" if at else ""
            yield f"    {row['verdict']}: {_RELATION[row['kind']]} {row['claims']:.4g}{near}, {row['bound']}{where}"


def bound(
    name: Annotated[str, typer.Argument(help="Of a theorem, see slth list; a part that fits only one will do.")],
    values: Annotated[
        list[str] | None,
        typer.Argument(help="Numbers for symbols, such as epsilon=0.01 R=1/2 C=3.", show_default=False),
    ] = None,
    only: Annotated[str | None, typer.Option(help="One bound of the theorem, such as CANDIDATES.")] = None,
    solve: Annotated[str | None, typer.Option(help="A symbol to solve the bounds for.")] = None,
    between: Annotated[
        tuple[float, float] | None, typer.Option(help="With --solve: the root between two numbers.")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array and nothing else.")] = False,
) -> None:
    """The bounds of a theorem, with numbers where all symbols have one; a constant that no paper gives has none."""
    from slth import theorems

    module = theorems.find(name)
    known = theorems.bounds(module)
    if only is not None and only not in known:
        raise ValueError(f"{theorems.name(module)} has no bound {only!r}; it has {', '.join(known) or 'none'}")
    chosen = known if only is None else {only: known[only]}
    numbers = dict(_assignment(text) for text in values or [])
    unused = set(numbers) - {symbol for one in chosen.values() for symbol in (*one.symbols, str(one.quantity))}
    if unused:
        raise ValueError(f"no bound of {theorems.name(module)} contains {', '.join(sorted(unused))}")
    if between is not None and solve is None:
        raise ValueError("--between says where to look for the symbol of --solve; give both, or neither")
    rows = [_row(label, one, numbers, solve, between) for label, one in chosen.items()]
    if as_json:
        print(json.dumps(rows))
    elif latex:
        for one in chosen.values():
            print(one.latex() if solve is None else _solved(one, numbers, solve, between))
    else:
        _table(tuple(rows[0]), [tuple(_text(value) for value in row.values()) for row in rows])


def _assignment(text: str) -> tuple[str, Fraction | float]:
    """("epsilon", 1/100) from "epsilon=0.01"; fractions such as 1/2 stay exact."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), Fraction(value) if "/" in value else _number(value)
    except (ValueError, ZeroDivisionError) as fault:
        raise ValueError(f"a value is written symbol=number, such as epsilon=0.01 or R=1/2; got {text!r}") from fault


def _number(text: str) -> Fraction | float:
    return Fraction(int(text)) if text.strip().lstrip("+-").isdigit() else float(text)


def _row(
    label: str, bound: Bound, numbers: dict[str, Any], unknown: str | None, between: tuple[float, float] | None
) -> dict[str, Any]:
    """One bound as a row: its relation, where it comes from, and its value or what it lacks."""
    from slth.bounds import ORIGIN

    row: dict[str, Any] = {"bound": label, "relation": str(bound), "origin": ORIGIN[bound.provenance]}
    row |= {"value": None, "lacks": ""}
    if unknown is not None:
        if unknown not in bound.symbols:
            return row | {"lacks": f"does not contain {unknown}"}
        try:
            return row | {"value": f"{unknown} = {_root(bound, numbers, unknown, between)}"}
        except ValueError as fault:
            return row | {"lacks": str(fault)}
    own = {key: value for key, value in numbers.items() if key in bound.symbols}
    missing = [symbol for symbol in bound.symbols if symbol not in own]
    if missing:
        return row | {"lacks": ", ".join(missing)}
    return row | {"value": bound.evaluate(**own)}


def _root(bound: Bound, numbers: dict[str, Any], unknown: str, between: tuple[float, float] | None) -> sympy.Expr:
    own = {key: value for key, value in numbers.items() if key in (*bound.symbols, str(bound.quantity))}
    low, high = between or (None, None)
    return bound.solve(unknown, low=low, high=high, **own)


def _solved(bound: Bound, numbers: dict[str, Any], unknown: str, between: tuple[float, float] | None) -> str:
    import sympy

    return f"{unknown} = {sympy.latex(_root(bound, numbers, unknown, between), ln_notation=True)}"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table

    from slth.console import console

    shown = Table(box=None, padding=(0, 2, 0, 0))
    for title in titles:
        shown.add_column(title, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    console().print(shown, markup=False)
