"""The commands. They parse, call the library and print; there is no mathematics here.

Exit codes: 0 the claim holds, 1 it fails, 2 wrong usage or bad input, 3 undecided, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slth import commands_grid
from slth.commands_check import check
from slth.commands_draws import recheck
from slth.commands_law import law
from slth.commands_report import figures, report
from slth.commands_subset_sum import subset_sum
from slth.commands_sweep import export, status, sweep
from slth.commands_theorem import bound, list_theorems, theorem

if TYPE_CHECKING:
    from slth.networks.examples import Classifier
    from slth.networks.target import Target
    from slth.theorems.certificate import Certificate

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Find trained networks inside random ones, and prove how close they are.",
)

EXIT_CODES = {"holds": 0, "fails": 1, "undecided": 3}
BAD_INPUT = 2
INTERRUPTED = 130


app.command("subset-sum")(subset_sum)
app.command("law")(law)
app.command("list")(list_theorems)
app.command("theorem")(theorem)
app.command("bound")(bound)
app.command("sweep")(sweep)
app.command("status")(status)
app.command("export")(export)
app.command("recheck")(recheck)
app.command("report")(report)
app.command("figures")(figures)
app.command("check")(check)


class Solver(StrEnum):
    """What to ask of every subset sum."""

    best = "best"
    any = "any"
    sparsest = "sparsest"


class Units(StrEnum):
    """Which hidden unit reads which input."""

    block = "block"
    adaptive = "adaptive"


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for the figure and the ticket.")] = Path("slth-demo"),
    seed: Annotated[int, typer.Option(help="Seed of the random network, 0 to 2^64 - 1.")] = 0,
) -> None:
    """A 30-second tour: a digits network, found inside a random one, with a proved error and a figure."""
    from slth.demo import run

    raise typer.Exit(EXIT_CODES[run(output, seed)])


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="Of a theorem that builds a ticket, such as pensia; see slth list.")],
    target: Annotated[
        str,
        typer.Option(help="'digits', widths such as 16,8,4, or a .npz or .safetensors file of weight matrices."),
    ] = "digits",
    epsilon: Annotated[float, typer.Option(help="Error to reach on the unit ball, > 0.")] = 0.01,
    delta: Annotated[float, typer.Option(help="Failure probability to allow, in (0, 1).")] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of the random network, 0 to 2^64 - 1.")] = 0,
    samples: Annotated[
        int | None,
        typer.Option(help="Candidates per weight and side; by default what the theorem's bound asks for."),
    ] = None,
    solver: Annotated[
        Solver | None,
        typer.Option(
            help="Per weight: best subset (of 26 candidates), any within tolerance, or sparsest within it (of 34); "
            "by default what the theorem's proof asks."
        ),
    ] = None,
    density: Annotated[
        float | None,
        typer.Option(help="Instead of --solver: subsets of exactly this share of their candidates, in (0, 1]."),
    ] = None,
    assignment: Annotated[
        Units,
        typer.Option(help="Hidden units to inputs: the papers' blocks, or chosen after seeing the signs."),
    ] = Units.block,
    rescale: Annotated[
        bool,
        typer.Option(help="Bring layers of norm above 1 to norm 1 first; the error is then of the rescaled network."),
    ] = True,
    save: Annotated[
        Path | None,
        typer.Option(help="Write the ticket (seed and masks), with its certificate, to this .safetensors file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Draw one random network, prune it to the target as the theorem's proof does, and certify the ticket."""
    from slth import assignment as units
    from slth import console, theorems
    from slth.atomic import check_writable
    from slth.networks.files import TICKET_SUFFIX
    from slth.subset_sum import questions
    from slth.subset_sum.exact_size import exactly_k
    from slth.theorems.theorem import verify as verify_draw

    proof = theorems.find(name, theorems.CONSTRUCTIONS)
    if save is not None:
        check_writable(save, TICKET_SUFFIX)
    classifier, wanted = _target(target, seed)
    if rescale:
        wanted = proof.normalised(wanted)
    asked = {
        Solver.best: questions.nearest,
        Solver.any: questions.any_or_nearest,
        Solver.sparsest: questions.sparsest_or_nearest,
    }
    if density is not None and solver is not None:
        raise ValueError("give --solver or --density, not both: --density asks for subsets of a fixed size")
    question = exactly_k(density) if density is not None else None if solver is None else asked[solver]
    with console.progress("subset sums", proof.instances(wanted)) as advance:
        certificate = verify_draw(
            proof,
            wanted,
            epsilon,
            delta,
            seed,
            samples=samples,
            question=question,
            assignment={Units.block: units.block, Units.adaptive: units.adaptive}[assignment],
            advance=advance,
        )
    saved = None if save is None else _saved(certificate, save)
    if as_json:
        print(json.dumps(certificate.as_dict(), allow_nan=False))
    else:
        console.show(certificate, target, classifier)
        if saved is not None:
            print(f"\n{saved}")
    raise typer.Exit(EXIT_CODES[certificate.verdict])


def _saved(certificate: Certificate, path: Path) -> str:
    """Writes the ticket with its certificate where the checker can prove one, else the ticket; says what it wrote."""
    from slth import console
    from slth.certificates import Claim, target_digest
    from slth.theorems.certificate import Verdict

    digest = target_digest(certificate.target)
    if certificate.paired:
        try:
            claim = Claim.of(certificate)
            if certificate.verdict is Verdict.HOLDS and claim.error > certificate.epsilon:
                claim = Claim.of(certificate, tightest=True)
            option = "" if claim.save(path) else " --tight"
        except ValueError:  # another law, or a construction that the checker does not know
            pass
        else:
            return (
                f"The ticket with its certificate (seed, masks, target; no random weights) is in {path}.\n"
                f"It claims an error of at most {console.at_least(claim.error)}, which {claim.method} proves.\n"
                f"Check it with: slth check {path} --target-digest {digest}{option}"
            )
    certificate.construction.ticket.save(path)
    return f"The ticket (seed and masks, no weights) is in {path}, without a claim: the checker cannot prove its error."


def _target(name: str, seed: int) -> tuple[Classifier | None, Target]:
    """The target that a name on the command line stands for, with test images if there are any."""
    from slth.networks.examples import digits, random_target
    from slth.networks.files import load_target

    if name == "digits":
        classifier = digits()
        return classifier, classifier.target
    if widths := commands_grid.widths(name):
        return None, random_target(widths, seed)
    if not name.endswith((".npz", ".safetensors")):
        raise ValueError(
            f"--target must be 'digits', widths such as 16,8,4, or a file ending in .npz or .safetensors; got {name!r}"
        )
    return None, load_target(Path(name))


def main() -> None:
    """Runs a command; turns bad input into one sentence and an exit code."""
    # Waiting threads that spin make small networks a hundred times slower on a busy machine. Read when torch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except (ValueError, TypeError, OSError) as fault:
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(BAD_INPUT)
