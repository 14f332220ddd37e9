"""All figures, and the table of README.md.

python paper_figures/all_figures.py            simulates and draws all of them
python paper_figures/all_figures.py --table    writes the table of README.md from the committed CSVs
"""

from __future__ import annotations

import argparse
import textwrap
from types import ModuleType

import binary_and_quantised
import depth
import erdos_renyi
import error_bounds_by_depth
import failure_probability
import figure
import four_constructions
import natale2024_figure1
import neurons_against_weights
import pensia_mnist_table
import smallest_n_any_size
import smallest_n_fixed_size
import ticket_counts

SCRIPTS: tuple[ModuleType, ...] = (
    failure_probability,
    smallest_n_any_size,
    smallest_n_fixed_size,
    natale2024_figure1,
    four_constructions,
    depth,
    neurons_against_weights,
    binary_and_quantised,
    erdos_renyi,
    ticket_counts,
    pensia_mnist_table,
    error_bounds_by_depth,
    # Figures of convolutional, equivariant and attention theorems come here, one module and one import each.
)
"""In the order of the table. Adding a figure is adding its script and one line here."""

README = figure.HERE / "README.md"
BEGIN, END = "<!-- table: written by all_figures.py --table -->\n", "<!-- end of the table -->\n"


def table() -> str:
    """Figure, script, theorems, data, seeds, minutes, verdict; all from the committed CSVs."""
    lines = ["| figure | script | theorems | data | seeds | minutes | verdict |", "|---|---|---|---|---|---|---|"]
    for script in SCRIPTS:
        name = figure.name(script)  # type: ignore[arg-type]
        header, rows = figure.read(figure.HERE / "data" / f"{name}.csv")
        verdict = "holds: " + "; ".join(script.check(rows))
        minutes = getattr(script, "RUN", f"{float(header['seconds']) / 60:.1f} (limit {script.SECONDS / 60:.1f})")
        theorems = ", ".join(f"`{one}`" for one in script.THEOREMS.split(", "))
        cells = (
            f"[{script.TITLE}]({name}.png)",
            f"`{name}.py`",
            theorems,
            script.DATA,
            header["seeds"],
            minutes,
            verdict,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """The README with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=textwrap.dedent(__doc__ or ""))
    parser.add_argument("--quick", action="store_true", help="few draws, into quick/")
    parser.add_argument("--table", action="store_true", help="only write the table of README.md")
    chosen = parser.parse_args()
    for script in () if chosen.table else SCRIPTS:
        print(script.TITLE)
        figure.main(script, ["--quick"] if chosen.quick else [])  # type: ignore[arg-type]
    if not chosen.quick:
        README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
