"""The page: a summary, then one section per theorem."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pandas as pd

from slth import theorems
from slth.atomic import check_writable, replacing
from slth.experiments.names import theorem_name
from slth.experiments.verdicts import BoundVerdict
from slth.report.html import Child, Html, element, joined
from slth.report.judged import FAMILY_WISE_ERROR, judged, searched
from slth.report.rows import Folder, of_theorem, read
from slth.report.section import Beside, section
from slth.report.tables import table, verdict

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may load for the page: nothing that is not in it (heat maps hold images). It has no scripts."""

MEANINGS = {
    BoundVerdict.HOLDS: "the claim is shown there, at the stated error probability",
    BoundVerdict.VIOLATED: "its negation is shown there",
    BoundVerdict.UNDECIDED: "the draws show neither; more of them would",
    BoundVerdict.VACUOUS: "nothing is claimed there: a hypothesis of the theorem does not hold, or the bound says no "
    "more than the definition of the quantity does",
}


def write(
    folder: str | os.PathLike[str], file: str | os.PathLike[str], own: Iterable[ModuleType] = ()
) -> tuple[Path, Counter[str]]:
    """Writes the report of a folder, whole or not at all: the same bytes for the same rows.

    Args:
        folder: of `slth.sweep` or `slth.smallest_n`.
        file: ends in .html; one that is there is replaced.
        own: theorems outside this package that the folder may name; nothing else that it names is imported.

    Returns:
        The path, and how many verdicts of each kind there are, "failed" and "lost" rows among them.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError, OSError: the file cannot be written.
    """
    path = check_writable(file, ".html")
    text, counts = _page(Path(folder), own)
    with replacing(path) as out:
        out.write(text.encode())
    return path, counts


def page(folder: str | os.PathLike[str], own: Iterable[ModuleType] = ()) -> str:
    """The report of a folder as text; see `write`.

    Raises:
        FileNotFoundError: there is no such folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     "There are no rows in this folder" in page(folder)
    True
    """
    return _page(Path(folder), own)[0]


def _page(path: Path, own: Iterable[ModuleType]) -> tuple[str, Counter[str]]:
    folder = read(path)
    known = {theorem_name(module): module for module in (*theorems.ALL, *own)}
    cells, (brackets, left) = judged(folder.swept), searched(folder, known)
    files = [one for one in folder.tested if one.conclusion]
    listed = sorted({*folder.theorems, *(start["theorem"] for start, _ in left), *(one.theorem for one in files)})
    parts, summaries, total = [], [], Counter[str]()
    for number, name in enumerate(listed):
        waiting = [(start, why) for start, why in left if start["theorem"] == name]
        beside = Beside(of_theorem(brackets, name), waiting, [one for one in files if one.theorem == name])
        rows, place = of_theorem(folder.swept, name), f"theorem-{number + 1}"
        parts.append(section(name, known.get(name), rows, of_theorem(cells, name), beside, place))
        counts = Counter[str](
            str(kind) for held in (of_theorem(cells, name), beside.brackets) for kind in held.get("verdict", ())
        )
        counts.update(
            str(found.verdict) for one in beside.tested if one.conclusion for found in one.conclusion.findings
        )
        every = pd.concat([rows, of_theorem(folder.searched, name)])
        counts.update({kind: int((every["status"] == kind).sum()) for kind in ("done", "failed", "lost") if len(every)})
        summaries.append((name, place, counts))
        total += counts
    body = [element("h1", "Results of ", folder.name), *_summary(folder, summaries), *parts]
    return _document(f"Results of {folder.name}", body), total


def _summary(folder: Folder, summaries: list[tuple[str, str, Counter[str]]]) -> list[Html]:
    kinds = (*map(str, BoundVerdict), "done", "failed", "lost")
    lines: list[tuple[Child, ...]] = [
        (element("a", name, of={"href": f"#{place}"}), *(counts[kind] for kind in kinds))
        for name, place, counts in summaries
    ]
    heads = ("theorem", *(verdict(kind) for kind in BoundVerdict), "draws done", "failed", "lost")
    found = [element("p", sentence) for sentence in _counts(folder)]
    if not lines:
        return [element("p", "There are no rows in this folder: nothing was measured."), *found]
    meaning = [
        part for kind, words in MEANINGS.items() for part in (element("dt", verdict(kind)), element("dd", words))
    ]
    return [
        table("Verdicts and draws by theorem", heads, lines, numbers=range(1, len(heads))),
        *found,
        element("h2", "How to read the verdicts"),
        element("dl", *meaning),
        element(
            "p",
            "Every verdict on a cell of a sweep is an exact binomial test of its failure probability. The probability "
            f"that any of them in this report is wrong is at most {FAMILY_WISE_ERROR:g}, whatever the dependence "
            "between cells. A bound marked derived is proved by this project and not peer reviewed; one marked "
            "restated is to be checked in the paper before it is quoted.",
        ),
    ]


def _counts(folder: Folder) -> list[str]:
    """What else a reader must know of the folder; nothing where all is well."""
    store = folder.store
    hosts = sorted({run["host"] for run in folder.runs})
    versions = sorted({f"{name} {version}" for run in folder.runs for name, version in run["versions"].items()})
    seconds = sum(run["seconds"] for run in folder.runs)
    begun = folder.unfinished
    notes = {
        f"points of sweeps have no row, {begun} of them begun: the same sweep again draws them": folder.missing,
        "rows or plans are not of the form of this version, or forged, and do not count": folder.refused,
        "lines cannot be read or have a wrong hash": store.damaged,
        "parts end in the middle of a line: a writer was killed in it, or is writing now": store.torn,
        "points have two different results, of which one stands": len(store.conflicts),
    }
    found = [f"{count} {words}." for words, count in notes.items() if count]
    found += [f"{one.file} is refused. {one.reason}." for one in folder.tested if one.conclusion is None]
    if folder.runs:
        found.append(
            f"{len(folder.runs)} draws took {seconds:.4g} s on {', '.join(hosts)}, with {', '.join(versions)}."
        )
    return found


def _document(title: str, body: Iterable[Child]) -> str:
    style = files("slth.report").joinpath("page.css").read_text(encoding="utf-8")
    meta: list[Mapping[str, str]] = [
        {"charset": "utf-8"},
        {"http-equiv": "Content-Security-Policy", "content": POLICY},
        {"name": "viewport", "content": "width=device-width, initial-scale=1"},
        {"name": "generator", "content": "slth report"},
    ]
    head = joined([*(element("meta", of=of) for of in meta), element("title", title), element("style", Html(style))])
    whole = element("html", element("head", head), element("body", element("main", *body)), of={"lang": "en"})
    return f"<!DOCTYPE html>\n{whole}\n"
