"""Do the tests notice if one place of the bounds, of `collapse` or of the regeneration of weights is wrong?

    python benchmarks/mutate_bounds.py [again] [modules, as slth.errors.outward; else all]
    python benchmarks/mutate_bounds.py alone

Every change of `mutations.mutants` is made in copies of the modules, and the quick tests that reach the changed
function are run on the copies, in this process; those that noticed the last changes come first. What no test notices
survives, is written to benchmarks/results/mutate_bounds.json, and must stand in mutants_reviewed.json beside it with a
reason, or the script fails. With `again` those changes are left out that were noticed when they were last tried: enough
where tests were added or a few lines changed. With `alone` every test that reaches the changed functions has to notice
some change by itself.

Why not mutmut: version 3.8.1 makes 3862 changes of the same modules, many of them in texts of messages, and answered
128 of them in 10 minutes with one process on two busy cores, as it runs whole test functions with all examples.
"""

from __future__ import annotations

import ast
import contextlib
import io
import multiprocessing
import os
import resource
import signal
import sys
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mutations import Mutant, mutants, report, results, without_reason, write

HERE = Path(__file__).parent
SCRIPT = Path(__file__).stem
sys.path[:0] = [
    str(HERE.parent),
    str(HERE.parent / "tests"),
    *(str(HERE.parent / "tests" / name) for name in ("errors", "networks")),
]

import changed  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

ERRORS = "outward", "rounding", "recursion", "coupled", "averaged", "differential", "splitting"
CHANGED: dict[str, tuple[str, ...]] = {
    "slth.randomness": ("",),
    "slth.networks.source": ("",),
    "slth.laws.uniform": ("Uniform.weights", "Uniform.__post_init__"),
    "slth.gadget": ("collapse", "check_fit", "_collapse_pair", "_entering", "EffectiveLayer"),
    **{f"slth.errors.{name}": ("",) for name in ERRORS[:-1]},
    "slth.errors.splitting": ("homogeneous", "_Search.upper", "_Search.step", "_Search._size", "_outer_faces"),
}
"""Modules, and the functions of each that are changed: "" stands for all. The rest of splitting only searches."""

TESTS = [f"errors/test_{name}.py" for name in (*ERRORS, "chain", "error_ladder", "plane_cells", "transcriptions")]
TESTS += ["test_gadget.py", "test_randomness.py", "networks/test_source.py", "test_laws.py"]
LEFT_OUT = (
    "test_lower_truth_and_upper_are_in_order_on_every_plane_network",
    "test_weights_of_the_whole_interval_are_all_odd_multiples_once",
    "test_every_tier_wins_somewhere",
    "test_closed_drift_constants",
    "test_integer_programs",
    "test_on_a_circle",
    "test_time_stops",
)
"""Beginnings of the names of tests that take seconds or look at other functions."""

ELSEWHERE = {
    "errors/test_chain.py::test_the_ticket_matrix_is_exact": "a sum in slth.errors.chain",
    "errors/test_splitting.py::test_wrong_effort_is_refused": "the arguments of a search",
    "test_laws.py::test_no_union_of_cells_grows_more_slowly_than_the_drift_constant": "drift constants",
    "test_laws.py::test_the_density_integrates_to_one_and_to_the_variance": "densities",
    "test_laws.py::test_the_density_refuses_nan": "densities",
}
"""Tests that reach a changed function, but are about others: they need not notice a change alone."""

MOST = 4
"""So many sets of parameters of each test are run."""

SECONDS = 10
"""A test that takes more processor time than this on changed code has noticed."""

MOST_BYTES = 4 << 30

TRIES = 300
"""So many changes are shown to a test that has to notice one alone."""


@dataclass(frozen=True)
class Case:
    """One test with one set of parameters, and the functions that it reaches."""

    file: str
    name: str
    reached: frozenset[tuple[str, str]]


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(changed.path_of(module).read_text())


@cache
def everything() -> dict[str, tuple[str, Mutant]]:
    """All changes: name -> (module, change)."""
    return {
        f"{module} {mutant.name}": (module, mutant)
        for module, functions in CHANGED.items()
        for mutant in mutants(tree_of(module))
        if mutant.function.startswith(functions)
    }


def quick(names: dict[str, Any]) -> Iterator[tuple[str, Callable[[], object]]]:
    for name, run in changed.cases(names):
        if not name.startswith(LEFT_OUT) and int(name.partition("[")[2][:-1]) < MOST:
            yield name, run


def cases() -> list[Case]:
    """All quick tests, those of little time first; each must pass on copies without a change."""
    files = {str(changed.path_of(module)): module for module in CHANGED}
    found = []
    for file in TESTS:
        changed.loaded(file)
        with changed.changed({}):
            for name, run in quick(changed.loaded(file)):
                reached = set()

                def watch(frame: Any, event: str, _: object, reached: set[tuple[str, str]] = reached) -> None:
                    if event == "call" and (module := files.get(frame.f_code.co_filename)):
                        reached.add((module, frame.f_code.co_qualname.partition(".<locals>")[0]))

                started = time.process_time()
                sys.setprofile(watch)
                try:
                    run()
                finally:
                    sys.setprofile(None)
                found.append((time.process_time() - started, Case(file, name, frozenset(reached))))
    return [case for _, case in sorted(found, key=lambda timed: timed[0])]


def touches(case: Case, module: str, function: str) -> bool:
    """Whether the case reaches the function, or a function of the class, that holds a change."""
    inside = function.partition(".<locals>")[0]
    return any(
        m == module and (inside == f or f.startswith(inside + ".") or inside.startswith(f + "."))
        for m, f in case.reached
    )


def killer(module: str, mutant: Mutant, asked: list[Case]) -> Case | None:
    """The test that notices a change, None if it survives."""
    runs: dict[str, dict[str, Callable[[], object]]] = {}
    quiet = contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO())
    with changed.changed({module: mutant.made(tree_of(module))}), quiet[0], quiet[1], warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in [case for case in asked if touches(case, module, mutant.function)] or asked:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                if case.file not in runs:
                    runs[case.file] = dict(quick(changed.loaded(case.file)))
                runs[case.file][case.name]()
            except BaseException as fault:
                if isinstance(fault, KeyboardInterrupt):
                    raise
                if type(fault).__name__ != "Skipped":
                    return case
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    return None


ASKED: list[Case] = []


def noticed(name: str) -> tuple[str, str | None]:
    """The name of a change, and the test that noticed it."""
    found = killer(*everything()[name], ASKED)
    if found is not None:
        ASKED.remove(found)
        ASKED.insert(0, found)
    return name, found and f"{found.file}::{found.name}"


def noticed_alone(test: tuple[str, str]) -> str | None:
    """A change that the test notices, all other tests left out."""
    own = [case for case in ASKED if (case.file, case.name.partition("[")[0]) == test]
    names = [
        name for name, (m, c) in everything().items() if c.function and any(touches(x, m, c.function) for x in own)
    ]
    for name in sorted(names, key=crc)[:TRIES]:
        if killer(*everything()[name], own):
            return name
    return None


def alarm(*_: object) -> None:
    raise TimeoutError


def main() -> None:
    signal.signal(signal.SIGPROF, alarm)
    torch.set_num_threads(1)
    checks = list(HealthCheck)  # a busy machine is no fault of the code
    settings.register_profile("mutants", deadline=None, derandomize=True, max_examples=20, suppress_health_check=checks)
    settings.load_profile("mutants")
    ASKED.extend(cases())
    if sys.argv[1:] == ["alone"]:
        sys.exit(bool(alone()))
    again = sys.argv[1:2] == ["again"]
    for module in sys.argv[1 + again :] or list(CHANGED):
        report(SCRIPT, module, *asked(module, again))
    sys.exit(bool(without_reason(SCRIPT)))


def little_memory() -> None:
    """Lets a change that asks for too much memory fail alone."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def asked(module: str, again: bool) -> tuple[dict[str, Any], list[str]]:
    """What was made of a module and which changes survived; with `again` only the rest was tried."""
    started = time.perf_counter()
    names = [name for name in everything() if name.startswith(f"{module} ")]
    before = set(results(SCRIPT)["modules"].get(module, {}).get("noticed", [])) if again else set()
    tried, survivors = [name for name in names if crc(name) not in before], []
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), little_memory) as pool:
        for name, test in pool.imap(noticed, tried):
            if test is None:
                survivors.append(name)
                print("survived:", name, flush=True)
    found = {"mutants": len(names), "tried": len(tried), "seconds": round(time.perf_counter() - started)}
    return found | {"noticed": sorted({crc(name) for name in names} - set(map(crc, survivors)))}, survivors


def crc(name: str) -> str:
    """A short name of a change."""
    return f"{zlib.crc32(name.encode()):08x}"


def alone() -> list[str]:
    """The tests that notice nothing by themselves; what the others notice is written."""
    tests = sorted({(case.file, case.name.partition("[")[0]) for case in ASKED if case.reached})
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), little_memory) as pool:
        found = dict(zip(map("::".join, tests), pool.imap(noticed_alone, tests), strict=True))
    idle = [test for test, name in found.items() if name is None and test not in ELSEWHERE]
    print(f"{len(tests)} tests, {len(idle)} notice nothing alone", *idle, sep="\n")
    write(SCRIPT, results(SCRIPT) | {"alone": found})
    return idle


if __name__ == "__main__":
    main()
