"""What the commands print: one progress bar on stderr, and a certificate in words on stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import ROUND_CEILING, ROUND_FLOOR, Context

from rich.console import Console
from rich.table import Table
from rich.text import Text
from tqdm.auto import tqdm

from slth.certificates import WORDING
from slth.networks.examples import Classifier
from slth.networks.torch_export import to_module
from slth.theorems.certificate import Certificate, Verdict

COLOURS = {Verdict.HOLDS: "green", Verdict.FAILS: "red", Verdict.UNDECIDED: "yellow"}

QUESTIONS = {
    "nearest": "the best subset of at most 26 candidates",
    "any_or_nearest": "any subset within tolerance",
    "sparsest_or_nearest": "the sparsest subset within tolerance, of at most 34 candidates",
}

ASSIGNMENTS = {
    "block": "the papers' blocks of hidden units per input",
    "adaptive": "hidden units assigned to inputs after seeing their signs",
}


def console() -> Console:
    """Where the commands print: as wide as the terminal, 120 columns where there is none."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], object]]:
    """A bar on stderr, shown only on a terminal; yields the function that advances it."""
    with tqdm(total=total, desc=what, disable=None, leave=False, file=sys.stderr, unit_scale=True) as bar:
        yield bar.update


def show(certificate: Certificate, name: str, classifier: Classifier | None = None) -> None:
    """Prints a certificate.

    Args:
        certificate: what to print.
        name: how the target was named by the user.
        classifier: the target's test images, if it has any.
    """
    out = console()
    out.print()
    out.print(Text(f"Is {name} inside this random network?  ({certificate.theorem})", style="bold"))
    out.print()
    rows = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    rows.add_column(style="bold")
    rows.add_column()
    for title, text in _lines(certificate, classifier):
        rows.add_row(title, text)
    out.print(rows)
    out.print()
    out.print(_hypotheses(certificate))
    out.print()
    verdict = certificate.verdict
    out.print(Text(f"{str(verdict).upper()}: {_sentence(certificate)}", style=f"bold {COLOURS[verdict]}"))


def at_least(value: float) -> str:
    """Four digits that are not below the value.

    >>> at_least(0.00014801), at_least(0.0)
    ('1.481e-04', '0.000e+00')
    """
    return _digits(value, ROUND_CEILING)


def at_most(value: float) -> str:
    """Four digits that are not above the value.

    >>> at_most(0.00014809)
    '1.480e-04'
    """
    return _digits(value, ROUND_FLOOR)


def _digits(value: float, rounding: str) -> str:
    return f"{float(Context(prec=4, rounding=rounding).create_decimal_from_float(value + 0.0)):.3e}"


def _lines(certificate: Certificate, classifier: Classifier | None) -> Iterator[tuple[str, str]]:
    target, made, error = certificate.target, certificate.construction, certificate.error
    ticket = made.ticket
    source = ticket.source
    counted = "candidates per weight and side" if certificate.paired else "copies of every neuron"
    yield "target", f"widths {_widths(target.widths)}, {target.parameters:,} weights"
    if target.scale != 1:
        yield "", f"rescaled to norm 1 per layer: the given network is {target.scale:.6g} times this one"
    if target.rounding:
        yield "", f"weights put on the grid, moved by at most {target.rounding:.1e}"
    yield (
        "source",
        f"random network of depth {source.depth}, widths {_widths(source.widths)}, seed {source.seed}",
    )
    yield (
        "",
        f"{source.parameters:,} weights {source.law}; {made.samples} {counted}",
    )
    asked = QUESTIONS.get(made.question, made.question)
    yield "instances", f"{made.count:,} solved, {made.failed:,} missed their tolerance ({asked})"
    yield "", f"worst residual {made.worst_residual:.2e}; {ASSIGNMENTS.get(made.assignment, made.assignment)}"
    yield (
        "ticket",
        f"{ticket.kept:,} weights kept = {ticket.density:.3%} of the source, "
        + (f"{ticket.density_of_second_layers:.3%} of its second layers, " if certificate.paired else "")
        + f"{ticket.kept / target.parameters:.2f} times the target",
    )
    if classifier is not None:
        before, after = classifier.accuracy(target), classifier.accuracy(to_module(ticket))
        yield (
            "accuracy",
            f"target {before:.2%}, ticket {after:.2%} on {len(classifier.labels)} images not trained on",
        )
    ends = f"{at_most(error.lower)} <= sup |f - g| <= {at_least(error.upper)}"
    yield "error", f"{ends}   ({error.norm}, {error.domain})"
    yield "", f"lower end attained ({error.lower_method}); upper end proved ({error.upper_method}),"
    yield "", WORDING
    yield "seconds", f"{certificate.seconds:.2f}"


def _widths(widths: tuple[int, ...]) -> str:
    return "-".join(str(width) for width in widths)


def _hypotheses(certificate: Certificate) -> Table:
    table = Table(
        box=None,
        padding=(0, 2, 0, 0),
        title_justify="left",
        title="hypotheses of the theorem",
        title_style="bold",
    )
    for column in ("", "value", "", "limit", ""):
        table.add_column(column)
    for check in certificate.hypotheses:
        holds = Text("holds", style="green") if check.holds else Text("does not hold", style="yellow")
        table.add_row(check.name, _number(check.value), check.relation, _number(check.limit), holds)
    return table


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _sentence(certificate: Certificate) -> str:
    error, epsilon = certificate.error, certificate.epsilon
    lower, upper = at_most(error.lower), at_least(error.upper)
    if certificate.verdict is Verdict.HOLDS:
        proved = f"{upper} <= epsilon = {epsilon:g}"
        return f"the ticket is within {proved} of the target on the {error.domain}, proved."
    missing = [check.name for check in certificate.hypotheses if not check.holds]
    promise = f" The theorem promises nothing here: {', '.join(missing)} not met." if missing else ""
    if certificate.verdict is Verdict.FAILS:
        return f"a point with error {lower} > epsilon = {epsilon:g} was found.{promise} Try more candidates."
    return (
        f"epsilon = {epsilon:g} lies between the attained {lower} and the proved {upper}."
        f"{promise} Try more candidates (--samples) or --solver best."
    )
