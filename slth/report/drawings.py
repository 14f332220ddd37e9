"""Every figure that a folder of results gives rise to, as files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from slth import theorems
from slth.experiments.names import theorem_name
from slth.plots import save
from slth.report.figures import Drawn, figures, searched_figures
from slth.report.judged import judged, searched
from slth.report.rows import of_theorem, read


def save_figures(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    suffixes: Iterable[str] = (".pdf", ".png"),
    own: Iterable[ModuleType] = (),
) -> list[tuple[Path, str]]:
    """Draws what varies in a folder: error, success, failure, density, and the smallest n of searches.

    Args:
        folder: of `slth.sweep` or `slth.smallest_n`.
        out: folder of the figures, made if it is not there; files of the same names are replaced.
        suffixes: of .pdf, .png and .svg; one file for each.
        own: theorems outside this package that searches may name; nothing else that the folder names is imported.

    Returns:
        Path and caption of every file; the path is out/THEOREM-FIGURE.SUFFIX. Empty if nothing varies.

    Raises:
        FileNotFoundError: there is no such folder of results.
        ValueError, OSError: another suffix, or a file cannot be written.

    >>> import tempfile
    >>> from slth.experiments.sweep import sweep
    >>> from slth.theorems import pensia2020_subset_sum as pensia
    >>> with tempfile.TemporaryDirectory() as place:
    ...     rows = sweep(pensia, {"width": 2, "depth": 1, "samples": [4, 8]}, f"{place}/rows")
    ...     [path.name for path, _ in save_figures(f"{place}/rows", f"{place}/figures", [".svg"])]
    ['pensia2020_subset_sum-error.svg', 'pensia2020_subset_sum-success.svg', 'pensia2020_subset_sum-density.svg']
    """
    kinds, found = list(suffixes), []
    for name, drawn in _drawn(Path(folder), own):
        Path(out).mkdir(parents=True, exist_ok=True)
        stem = re.sub(r"[^\w.]+", "_", name).strip("._")[:100] or "theorem"
        for kind in kinds:
            found.append((save(drawn.figure, Path(out) / f"{stem}-{drawn.name}{kind}"), drawn.caption))
    return found


def _drawn(path: Path, own: Iterable[ModuleType]) -> Iterator[tuple[str, Drawn]]:
    """The figures with their theorems."""
    folder = read(path)
    known = {theorem_name(module): module for module in (*theorems.ALL, *own)}
    cells, (brackets, _) = judged(folder.swept), searched(folder, known)
    for name in folder.theorems:
        for drawn in figures(of_theorem(folder.swept, name), of_theorem(cells, name)):
            yield name, drawn
        for drawn in searched_figures(of_theorem(brackets, name)):
            yield name, drawn
