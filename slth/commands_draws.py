"""`slth recheck`: checks a file of draws by making some of them again.

Exit codes: 0 the file is as it says, whatever its verdict; 1 it is not; 2 it cannot be read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def recheck(
    file: Annotated[Path, typer.Argument(help="A .jsonl file of draws.", show_default=False)],
    sample: Annotated[int, typer.Option(help="Draws to make again, chosen at random.")] = 10,
    seed: Annotated[
        int | None, typer.Option(help="Chooses the draws; by default one that nobody could know.", show_default=False)
    ] = None,
    digest: Annotated[
        str | None, typer.Option(help="Of the manifest, as it was named before the run.", show_default=False)
    ] = None,
    trusted: Annotated[
        bool, typer.Option("--trusted", help="Let the file name functions and files outside slth.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option(help="Relative difference of floats to allow, for a file from another kind of machine.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Check a claim about many draws: every hash of the file, and a random sample of its draws, made again here."""
    from slth import console
    from slth.experiments.draw_files import Refused
    from slth.experiments.rechecks import recheck as check

    try:
        with console.progress("draws made again", sample) as advance:
            found = check(file, sample, seed, digest=digest, trusted=trusted, tolerance=tolerance, advance=advance)
    except Refused as refusal:
        if as_json:
            print(json.dumps({"accepted": False, "why": str(refusal)}))
        else:
            print(f"refused: {refusal}")
        raise typer.Exit(1) from refusal
    if as_json:
        plan = found.conclusion.manifest
        verdicts = [str(one.verdict) for one in found.conclusion.findings]
        answer = {"accepted": True, "digest": plan.digest, "verdicts": verdicts, "rows": found.rows}
        answer |= {"sampled": len(found.sampled), "seed": found.seed, "sentences": found.sentences()}
        print(json.dumps(answer))
        return
    print(f"accepted: {file}, manifest {found.conclusion.manifest.digest}")
    for sentence in found.sentences():
        print(sentence)
