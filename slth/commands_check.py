"""`slth check`: is the claim in a certificate file proved?"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer


def check(
    file: Annotated[Path, typer.Argument(help="A certificate.")],
    target_digest: Annotated[
        str | None,
        typer.Option(help="SHA-256 that the target must have; without it the target in the file is taken as it is."),
    ] = None,
    tight: Annotated[
        bool, typer.Option("--tight", help="Also prove it by the method that it names, with the larger checker.")
    ] = False,
    float32: Annotated[
        bool, typer.Option("--float32", help="Also measure how far a float32 forward pass is off, at 256 points.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Check a certificate: draw the network again, apply the masks, add exactly, and prove the claimed error anew.

    A .jsonl file, of a claim about many draws, goes to slth recheck, which makes a random sample of the draws again.

    Exit code 0: proved. 10 and above: refused, one code per kind (docs/certificate-format.md). The same checkers run
    alone, with numpy: python slth_check.py FILE, or python slth_check_tight.py FILE beside it for --tight.
    """
    if file.suffix == ".jsonl" and file.is_file():
        if target_digest is not None or tight or float32:
            raise typer.BadParameter(f"a file of draws has other options: use slth recheck {file}")
        from slth.commands_draws import recheck

        return recheck(file, as_json=as_json)
    found = _checked(file, target_digest, tight)
    if float32 and found["accepted"]:
        from slth.certificates import float32_gap, load_certificate

        claim = load_certificate(file)
        found["float32_gap"] = float32_gap(claim.ticket, claim.domain)
    if as_json:
        print(json.dumps(found))
    elif not found["accepted"]:
        print(f"REFUSED ({found['code']}): {found['reason']}" + f" ({found['detail']})" * bool(found["detail"]))
        if "try" in found:
            print(f"What checks it: {found['try']}")
    else:
        for title, text in _lines(found):
            print(f"{title:<10} {text}")
    raise typer.Exit(found["code"])


def _checked(file: Path, target_digest: str | None, tight: bool) -> dict[str, Any]:
    """What the checker says, ready for JSON; nothing but its acceptance is an acceptance."""
    from slth.certificates import slth_check, slth_check_tight

    checker = slth_check_tight if tight else slth_check
    try:
        slth_check.need(file.is_file(), 10)
        data = file.read_bytes()
        manifest, proved = checker.check(data, target_digest)
        ends = {name: tensor.tolist() for name, tensor in slth_check.parse(data)[2].items() if name in ("low", "high")}
    except Exception as fault:
        code, detail = fault.args if type(fault) is slth_check.Refused else (99, fault)
        said = {"accepted": False, "code": code, "reason": slth_check.REFUSALS[code], "detail": str(detail)[:200]}
        larger = code == 29 and str(detail).partition(";")[0] in slth_check_tight.METHODS
        return said | ({"try": f"slth check {file} --tight"} if larger else {})
    claim = manifest["claim"]
    copied = {key: claim[key] for key in ("domain", "norm", "target", "wording")}
    return {
        "accepted": True,
        "code": 0,
        "certified": float.fromhex(claim["error"]),
        "proved": float(proved),
        "method": claim["method"][:100],
        "checker": checker.__name__.rpartition(".")[2],
        "promised": _note(claim["notes"], "promised"),
        "theorem": str(claim["notes"].get("theorem"))[:100],
        "seed": manifest["seed"],
        "widths": manifest["widths"],
        "kept": sum(manifest["kept"]),
        **copied,
        **ends,
    }


def _note(notes: dict[str, Any], name: str) -> float | None:
    """A finite number among the notes, which nobody has checked; None if it is none."""
    try:
        value = float.fromhex(notes[name])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _where(found: dict[str, Any]) -> str:
    """The domain, with every digit: rounded ends might say more than is proved."""
    if found["domain"]["name"] == "ball":
        return f"the l2 ball of radius {float.fromhex(found['domain']['radius'])!r}"
    low, high = found["low"], found["high"]
    if len({*low}) == len({*high}) == 1:
        return f"the box [{low[0]!r}, {high[0]!r}]^{len(low)}"
    return f"a box in R^{len(low)}, low ends {min(low)!r} to {max(low)!r}, high ends {min(high)!r} to {max(high)!r}"


def _lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    promised = "nothing" if found["promised"] is None else f"{found['promised']:.6g} by {found['theorem']!a}"
    lines = [
        ("ACCEPTED", found["wording"]),
        ("certified", f"{found['norm']} error at most {found['certified']!r} over {_where(found)}"),
        ("promised", f"{promised} (bookkeeping, not checked)"),
        ("proved", f"{found['proved']!r} by {found['checker']}.py; the file names the method {found['method']!a}"),
        ("target", f"SHA-256 {found['target']}"),
        ("ticket", f"seed {found['seed']}, widths {found['widths']}, {found['kept']:,} weights kept"),
    ]
    if "float32_gap" in found:
        lines.append(("float32", f"off by {found['float32_gap']:.3g} at worst at 256 points: measured, not certified"))
    return lines
