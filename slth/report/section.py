"""The section of one theorem: statement, bounds with their provenance, what was measured, what went wrong."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import pandas as pd

from slth import theorems
from slth.bounds import ORIGIN
from slth.experiments.points import Point
from slth.report.figures import Drawn, figures, inline, searched_figures
from slth.report.formulas import formula
from slth.report.html import Child, Html, element, joined
from slth.report.judged import axes_of, fits, varies
from slth.report.rows import OPTION, causes, faults, short
from slth.report.tables import table, verdict
from slth.report.tested import Tested

PARTS = ("Statement", "Kind", "Source", "Departs", "Errata")
MOST_CELLS = 500
"""Cells that a table shows; all of them are in the counts."""


class Beside(NamedTuple):
    """What a theorem has besides sweeps.

    Attributes:
        brackets: of the smallest n, with verdicts.
        left: searches that are not evaluated, and why.
        tested: files of draws.
    """

    brackets: pd.DataFrame
    left: list[tuple[Point, str]]
    tested: list[Tested]


def section(
    name: str, module: ModuleType | None, rows: pd.DataFrame, cells: pd.DataFrame, beside: Beside, place: str
) -> Html:
    """The section of a theorem.

    Args:
        name: as the rows have it.
        module: None if it is not known here.
        rows: draws of sweeps.
        cells: of `slth.report.judged.judged`.
        beside: what the folder has for it besides sweeps.
        place: identifier of the section, different for each.
    """
    parts: list[Child] = [element("h2", name, of={"id": f"{place}-name"})]
    parts += _unknown(name) if module is None else _known(module)
    if len(cells):
        parts += [element("h3", "Measured"), *_measured(cells)]
        parts += [_figure(drawn, place) for drawn in figures(rows, cells)]
    parts += _tested(beside.tested)
    parts += _brackets(beside)
    parts += [_figure(drawn, place) for drawn in searched_figures(beside.brackets)]
    parts += _wrong(rows)
    return element("section", *parts, of={"id": place, "aria-labelledby": f"{place}-name"})


def _figure(drawn: Drawn, place: str) -> Html:
    svg = inline(drawn.figure, f"{place}-{drawn.name}", drawn.caption)
    return element("figure", svg, element("figcaption", drawn.caption))


def _unknown(name: str) -> list[Html]:
    return [
        element(
            "p",
            f"There is no theorem {name!r} in this package, so its statement and bounds are not shown. If it is a "
            f"module of your own, name it: slth report FOLDER --theorem {name}. Its rows are below all the same.",
        )
    ]


def _known(module: ModuleType) -> Iterator[Html]:
    """Claim, statement, paper and bounds."""
    yield element("p", element("strong", theorems.claim(module)))
    found = [
        part for title, words in statement(module) for part in (element("dt", title), element("dd", _words(words)))
    ]
    reference = getattr(module, "REFERENCE", None)
    if reference is not None:
        found += [element("dt", "Paper"), element("dd", reference.full())]
    yield element("dl", *found)
    bounds = theorems.bounds(module)
    if bounds:
        yield element("h3", "Bounds")
        lines = [
            (
                element("span", label, element("br"), element("span", bound.name, of={"class": "quiet"})),
                formula(bound),
                joined(
                    [element("strong", bound.provenance), f", {bound.reference.cite()}: {ORIGIN[bound.provenance]}"]
                ),
                _words(bound.note),
            )
            for label, bound in bounds.items()
        ]
        yield table(
            "Bounds, with where every expression comes from", ("bound", "relation", "provenance", "note"), lines
        )


def _words(text: str) -> Html:
    """Prose with names of code between backticks."""
    return joined(element("code", part) if place % 2 else part for place, part in enumerate(text.split("`")))


def statement(module: ModuleType) -> list[tuple[str, str]]:
    """The titled parts of a theorem's docstring that a report shows, each in one paragraph.

    >>> from slth.theorems import pensia2020_lower
    >>> [title for title, _ in statement(pensia2020_lower)][:2]
    ['Statement', 'Kind']
    """
    found = re.split(r"^([A-Z][a-z]+)\. {2,}", inspect.cleandoc(module.__doc__ or ""), flags=re.MULTILINE)
    titled = zip(found[1::2], found[2::2], strict=True)
    return [(title, " ".join(words.split())) for title, words in titled if title in PARTS and words.strip(" \n-")]


def _measured(cells: pd.DataFrame) -> Iterator[Html]:
    """The cells with their verdicts: what all share in one line, the rest as a table."""
    names = axes_of(cells)
    varying = [name for name in names if varies(cells, name)]
    same = [name for name in names if name not in varying]
    shared = ", ".join(
        f"{_axis(name)} {short(cells[name].iloc[0])}" for name in same if short(cells[name].iloc[0]) != "-"
    )
    if shared:
        yield element("p", f"All cells: {shared}.")
    heads = [*map(_axis, varying), "failures", "without result", "failure probability", "claimed at most",
             "median error", "median density", "verdict"]  # fmt: skip
    shown = cells.head(MOST_CELLS).to_dict("records")
    lines = [[*(short(row[name]) for name in varying), *_numbers(row), verdict(row["verdict"])] for row in shown]
    caption = (
        "A failure is a draw whose error is not proved to be at most epsilon. Intervals are exact, at 95 % each; "
        "of the error, the medians of the attained and of the proved end."
    )
    yield table(caption, heads, lines, numbers=range(len(heads) - 1))
    if len(cells) > MOST_CELLS:
        yield element(
            "p", f"{len(cells) - MOST_CELLS} more cells are counted above and not shown: slth export has all."
        )
    violated = cells[cells["verdict"] == "violated"]
    for row in violated.head(MOST_CELLS).to_dict("records"):
        where = ", ".join(f"{_axis(name)} {short(row[name])}" for name in varying)
        yield element("p", verdict("violated"), f" {where}: {row['sentence']}.")


def _numbers(row: dict[str, Any]) -> list[str]:
    claimed = f"{row['claimed']:.4g}" if row["claimed"] < 1 else "nothing"
    return [
        f"{row['failures']} of {row['draws']}",
        str(row["missing"]),
        f"{short(row['failure'])} [{row['failure_low']:.3g}, {row['failure_high']:.3g}]",
        claimed,
        f"{short(row['median_lower'])} to {short(row['median_upper'])}",
        short(row["median_density"]),
    ]


def _tested(files: list[Tested]) -> Iterator[Html]:
    """Claims that were fixed before their draws."""
    for one in files:
        conclusion = one.conclusion
        if conclusion is None:
            continue
        plan = conclusion.manifest
        yield element("h3", f"Claim fixed before its draws: {one.file}")
        yield element(
            "p",
            f"Manifest {plan.digest[:16]}: a draw is a success if {plan.success.replace('_', ' ')}; claimed success "
            f"probability >= {plan.claimed:g}; rule {plan.rule}, at most {plan.draws} draws per number of candidates; "
            f"any of its verdicts is wrong with probability at most {plan.alpha:g}. "
            f"{'Finished.' if conclusion.finished else 'Not finished: the same run resumes.'}",
        )
        marks = [verdict(found.verdict) for found in conclusion.findings]
        said = conclusion.sentences()
        marked = [*marks, *[None] * (len(said) - len(marks))]
        yield element("ul", *(element("li", mark, " ", words, ".") for mark, words in zip(marked, said, strict=True)))


def _brackets(beside: Beside) -> Iterator[Html]:
    """The smallest number of candidates, bracketed, against what the theorem asks for."""
    if not len(beside.brackets) and not beside.left:
        return
    yield element("h3", "Smallest number of candidates")
    if len(beside.brackets):
        usual = ("target", "widths", "epsilon", "delta")
        more = [name for name in axes_of(beside.brackets) if name not in usual and varies(beside.brackets, name)]
        names = [*usual, *more, "seed", "draws"]
        heads = [*map(_axis, names), "smallest n", "theorem asks for", "verdict"]
        lines = [
            (*(short(row[name]) for name in names), f"{row['n_low']} to {short(row['n_high'])}",
             short(row["theorem_n"]), verdict(row["verdict"]))
            for row in beside.brackets.to_dict("records")
        ]  # fmt: skip
        confidence = beside.brackets["confidence"].iloc[0]
        caption = (
            "The smallest n whose success probability is at least 1 - delta, in an interval that holds with "
            f"probability at least {confidence:g} for each row by itself, if that probability does not fall with n."
        )
        yield table(caption, heads, lines, numbers=range(len(heads) - 1))
        for words in fits(beside.brackets):
            yield element("p", words)
    for start, why in beside.left[:MOST_CELLS]:
        yield element("p", f"Not evaluated: the search at epsilon {short(start['epsilon'])}, delta "
                      f"{short(start['delta'])}, target {start['target']}: {why}.")  # fmt: skip


def _wrong(rows: pd.DataFrame) -> Iterator[Html]:
    """Draws that are not proved, and rows without a result, by first cause."""
    missed = causes(rows)
    if missed:
        yield element("h3", "Draws that are not proved within epsilon")
        counted = [(n, why) for why, n in missed.most_common()]
        yield table("By the first cause that applies", ("draws", "cause"), counted, numbers=(0,))
    found = faults(rows)
    if found:
        yield element("h3", "Rows without a result")
        heads = ("status", "rows", "cause", "first at")
        lines = [(status, count, cause, first) for status, cause, count, first in found[:MOST_CELLS]]
        yield table("By cause; the same sweep again tries them", heads, lines, numbers=(1,))


def _axis(name: str) -> str:
    return name.removeprefix(OPTION).replace("_", " ")
