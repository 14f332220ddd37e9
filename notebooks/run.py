"""Runs the notebooks in place and writes them back clean: python notebooks/run.py [NOTEBOOK ...]

Without names it runs all. What is written back holds text and figures only: no counters, times, messages on stderr or
names of kernels, so that a notebook changes only where its story does. Needs nbclient, nbformat and ipykernel.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

HERE = Path(__file__).resolve().parent

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

COLOURS = 64
"""Of a figure: lines and letters need no more, and the file is a third as large."""

KEPT = ("image/png", "text/latex", "text/plain")
"""Forms of an output that are kept; a figure needs no words beside it."""


def executed(path: Path, folder: Path, timeout: int = 300) -> NotebookNode:
    """The notebook after a run of a copy in the folder, with a fresh kernel of this Python on one core.

    Args:
        path: of the notebook; it is not changed.
        folder: an empty one; the notebook sees nothing else of its place.
        timeout: of one cell, in seconds.

    Raises:
        CellExecutionError: a cell raised.
    """
    copy = Path(shutil.copy(path, folder))
    notebook = nbformat.read(copy, as_version=4)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH")))),
        "IPYTHONDIR": str(folder / ".ipython"),
        "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR", str(folder / ".matplotlib")),
        "OMP_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
    }
    client = NotebookClient(notebook, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": folder}})
    with client.setup_kernel(env=environment):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    return notebook


def cleaned(notebook: NotebookNode) -> NotebookNode:
    """The notebook without anything that changes from run to run or from machine to machine."""
    cells = []
    for cell in notebook.cells:
        kept = NotebookNode(cell_type=cell.cell_type, id=cell.id, metadata=NotebookNode(), source=cell.source)
        if cell.cell_type == "code":
            kept |= {"execution_count": None, "outputs": _joined([_output(one) for one in cell.outputs if _said(one)])}
        cells.append(kept)
    return nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def _said(output: NotebookNode) -> bool:
    return not (output.output_type == "stream" and output.name == "stderr")


def _output(output: NotebookNode) -> NotebookNode:
    if output.output_type == "stream":
        return NotebookNode(output_type="stream", name=output.name, text=output.text)
    found = {form: output.data[form] for form in KEPT if form in output.data}
    if "image/png" in found:
        found["image/png"] = _smaller(found["image/png"])
    if "image/png" in found or "text/latex" in found:
        found.pop("text/plain", None)
    kept = NotebookNode(output_type=output.output_type, data=found, metadata=NotebookNode())
    if output.output_type == "execute_result":
        kept["execution_count"] = None
    return kept


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Printed text in one piece, however the kernel cut it."""
    found: list[NotebookNode] = []
    for output in outputs:
        if found and output.output_type == found[-1].output_type == "stream":
            found[-1]["text"] += output.text
        else:
            found.append(output)
    return found


def _smaller(picture: str) -> str:
    """A PNG in base64 with few colours and without the name of the program that made it."""
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        if image.mode == "P":  # a committed one, small already
            return picture
        small = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    out = io.BytesIO()
    small.save(out, format="PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode() + "\n"


def main(names: list[str]) -> None:
    for path in [Path(name) for name in names] or sorted(HERE.glob("*.ipynb")):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            notebook = executed(path, Path(folder))
        nbformat.write(cleaned(notebook), path)
        print(f"{path.name}: {time.perf_counter() - started:.0f} s, {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
