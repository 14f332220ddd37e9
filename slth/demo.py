"""The tour behind ``slth demo``: one ticket with its certificate, then a small sweep drawn as a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from slth import console, plots
from slth.atomic import check_writable
from slth.experiments.sweep import Draw, sweep_candidates
from slth.networks.examples import digits
from slth.networks.target import Target
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.certificate import Verdict
from slth.theorems.theorem import verify

EPSILON, DELTA = 0.01, 0.05
CANDIDATES = (4, 6, 8, 10, 12, 14, 16, 18, 20, 22)
DRAWS = 8

NEXT = """What to try next
  slth verify pensia --samples 20 --solver best         far fewer candidates than the bound asks for: still a ticket?
  slth verify pensia --samples 16 --solver sparsest     the smallest subsets
  slth verify pensia --target 32,32,32,8 --epsilon 0.1  a random network of depth 3
  slth verify pensia --target my.safetensors            a network of yours (torch Linear and ReLU)
  slth verify pensia --json                             the same as one JSON object
"""


def run(output: Path, seed: int) -> Verdict:
    """Prints the tour and writes the ticket and the figure.

    Args:
        output: folder for both; made if it does not exist.
        seed: of the first random network; the sweep uses the seeds after it.

    Returns:
        The verdict on the first ticket.

    Raises:
        OSError: the folder cannot be made or written.
        ValueError: the seed is out of its range.
    """
    output.mkdir(parents=True, exist_ok=True)
    ticket_path, figure_path = output / "digits.ticket.safetensors", output / "error_against_candidates.png"
    for path in (ticket_path, figure_path):
        check_writable(path)
    out = console.console()
    out.print("Training a 64-32-10 ReLU network without biases on four fifths of scikit-learn's digits ...")
    classifier = digits()
    target = pensia.normalised(classifier.target)
    with console.progress("subset sums", pensia.instances(target)) as advance:
        found = verify(pensia, target, EPSILON, DELTA, seed, advance=advance)
    console.show(found, "the digits network", classifier)
    found.construction.ticket.save(ticket_path)
    needed = found.construction.samples
    out.print(
        f"\nThe bound asks for {needed} candidates per weight and side. How many does it take? "
        f"{len(CANDIDATES) * DRAWS} more draws, best subsets, every draw counted ..."
    )
    seeds = range(seed + 1, seed + 1 + DRAWS)
    with console.progress("draws", len(CANDIDATES) * DRAWS) as advance:
        draws = sweep_candidates(pensia, target, EPSILON, DELTA, CANDIDATES, seeds, advance)
    for line in _summary(draws):
        out.print(line)
    ax = _figure(draws, target, needed)
    label = f"one draw with the theorem's $n = {needed}$,\nany subset within tolerance"
    plots.mark_interval(needed, found.error.lower, found.error.upper, label, ax=ax)
    plots.save(ax.figure.figure, figure_path)
    out.print(f"\nfigure  {figure_path}\nticket  {ticket_path}  (seed and masks; no weights)\n\n{NEXT}")
    return found.verdict


def _summary(draws: list[Draw]) -> list[str]:
    lines = ["candidates   proved within epsilon   median interval of the error"]
    for samples in CANDIDATES:
        own = [draw for draw in draws if draw.samples == samples]
        held = sum(draw.verdict is Verdict.HOLDS for draw in own)
        lower, upper = np.median([draw.lower for draw in own]), np.median([draw.upper for draw in own])
        lines.append(f"{samples:10d}   {held:8d} of {len(own)}           [{lower:.2e}, {upper:.2e}]")
    return lines


def _figure(draws: list[Draw], target: Target, needed: int) -> Axes:
    """Measured intervals beside the theorem's curve and the counting bound."""
    reach = np.arange(min(CANDIDATES), round(1.25 * needed))
    return plots.error_intervals(
        [draw.samples for draw in draws],
        [draw.lower for draw in draws],
        [draw.upper for draw in draws],
        epsilon=EPSILON,
        failed=[draw.failed > 0 for draw in draws],
        theorem=(
            reach,
            np.array([pensia.guaranteed_error(target, int(n), DELTA) for n in reach]),
            "Pensia et al. 2020, Theorem 1,\nexplicit constants (derived)",
        ),
        counting=(
            reach,
            lueker.COUNTING_TOLERANCE.with_values(R=1).lambdify("n")(reach),
            "counting: no $n$\ncandidates serve every\nweight better than $2^{-n}$",
        ),
    )
