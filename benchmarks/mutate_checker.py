"""Do the tests of a certificate checker notice if one of its lines is wrong?

    python benchmarks/mutate_checker.py [slth_check or slth_check_tight, else both] [n: only every n-th change]

Every change of `mutations.mutants` is made in the checker, and the changed checker is asked what the tests ask: the
codes of all tampered files, the bounds of the package, exact rational truths. A change that nothing notices survives,
is written to benchmarks/results/mutate_checker.json, and must stand in mutants_reviewed.json beside it with a reason,
or the script fails.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import multiprocessing
import os
import signal
import sys
import time
import types
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from checker_questions import questions, tight_questions
from mutations import mutants, report, without_reason

SCRIPT = Path(__file__).stem
PACKAGE = "slth.certificates"
CHECKERS = {"slth_check": questions, "slth_check_tight": tight_questions}

SECONDS = 20
"""A question that takes more processor time than this of a changed checker has noticed."""

ASKED: list[Callable[[Any], bool]] = []
"""All questions; those that noticed the last changes come first."""

CHANGED: list[Callable[[], ast.Module]] = []
"""What makes the changed programs, in the order of the changes."""


def noticed(tree: ast.Module) -> bool:
    """Whether a changed checker crashes, hangs or answers otherwise."""
    module = types.ModuleType("mutant")
    module.__package__ = PACKAGE
    quiet = contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO())
    question = None
    with warnings.catch_warnings(), quiet[0], quiet[1]:
        warnings.simplefilter("ignore")
        try:
            exec(compile(tree, "mutant", "exec"), module.__dict__)
            for question in ASKED:
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
                if not question(module):
                    break
            else:
                return False
        except BaseException as fault:
            if isinstance(fault, KeyboardInterrupt):
                raise
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    if question is not None:
        ASKED.remove(question)
        ASKED.insert(0, question)
    return True


def seconds(checker: Any, question: Callable[[Any], bool]) -> float:
    """The processor time of a question."""
    started = time.process_time()
    assert question(checker)
    return time.process_time() - started


def survives(number: int) -> bool:
    return not noticed(CHANGED[number]())


def alarm(*_: object) -> None:
    raise TimeoutError


def asked(checker: str, step: int) -> tuple[dict[str, Any], list[str]]:
    """How many changes were made and in how many seconds, and those that survived."""
    started = time.perf_counter()
    original = importlib.import_module(f"{PACKAGE}.{checker}")
    tree = ast.parse(Path(original.__file__).read_text())
    ASKED[:] = CHECKERS[checker]()
    assert not noticed(tree), "the checker itself is noticed: a question is wrong"
    ASKED.sort(key=partial(seconds, original))  # now that what the questions keep is there
    made, survivors = mutants(tree)[::step], []
    CHANGED[:] = [partial(mutant.made, tree) for mutant in made]
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for mutant, survived in zip(made, pool.imap(survives, range(len(made)), chunksize=4), strict=True):
            if survived:
                survivors.append(f"{PACKAGE}.{checker} {mutant.name}")
                print("survived:", survivors[-1], flush=True)
    return {"every": step, "mutants": len(made), "seconds": round(time.perf_counter() - started)}, survivors


def main() -> None:
    signal.signal(signal.SIGPROF, alarm)
    step = next((int(word) for word in sys.argv[1:] if word.isdigit()), 1)
    for checker in [word for word in sys.argv[1:] if not word.isdigit()] or CHECKERS:
        report(SCRIPT, f"{PACKAGE}.{checker}", *asked(checker, step))
    sys.exit(bool(without_reason(SCRIPT)))


if __name__ == "__main__":
    main()
