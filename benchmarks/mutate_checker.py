"""Do the tests of the certificate checker notice if one of its lines is wrong?  python benchmarks/mutate_checker.py

Every change of `mutations.mutants` is made in `slth_check.py`, and the changed checker is asked what the tests ask: the
codes of all tampered files, the bounds of the package, exact rational truths. A change that nothing notices survives,
is written to benchmarks/results/mutate_checker.json, and must stand in mutants_reviewed.json beside it with a reason,
or the script fails.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import signal
import sys
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checker_questions import questions
from machine import machine
from mutations import mutants, unreviewed

from slth.certificates import slth_check

HERE = Path(__file__).parent
SECONDS = 30
"""A mutant that takes longer has been noticed."""


def noticed(tree: ast.Module, asked: list[Callable[[Any], bool]]) -> bool:
    """Whether a changed checker crashes, hangs or answers otherwise."""
    module = types.ModuleType("mutant")
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            exec(compile(tree, "mutant", "exec"), module.__dict__)
            return not all(question(module) for question in asked)
    except BaseException as fault:
        if isinstance(fault, KeyboardInterrupt):
            raise
        return True
    finally:
        signal.alarm(0)


def alarm(*_: object) -> None:
    raise TimeoutError


def main() -> None:
    signal.signal(signal.SIGALRM, alarm)
    text = Path(slth_check.__file__).read_text()
    tree, asked, started = ast.parse(text), questions(), time.perf_counter()
    assert not noticed(tree, asked), "the checker itself is noticed: a question is wrong"
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1  # every step-th mutant only
    made, survivors = mutants(tree)[::step], []
    for number, mutant in enumerate(made, 1):
        if not noticed(mutant.made(tree), asked):
            survivors.append(mutant.name)
            print(mutant.name, flush=True)
        if number % 100 == 0:
            print(f"{number} mutants, {len(survivors)} survived", flush=True)
    new = unreviewed("mutate_checker", survivors)
    found = {"mutants": len(made), "survived": len(survivors), "unreviewed": len(new)}
    found |= {"seconds": round(time.perf_counter() - started)}
    print(found, *new, sep="\n")
    result = {"machine": machine(), "every": step} | found | {"survivors": survivors}
    (HERE / "results" / "mutate_checker.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.exit(bool(new))


if __name__ == "__main__":
    main()
