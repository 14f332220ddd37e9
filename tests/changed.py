"""The package with something changed: copies of its modules, apart from the real ones, and the tests bound to them.

A test that passes on changed code has not noticed the change. Inside `changed` the concerned modules are imported
anew, with the given code in place of their own, and a test file that is loaded there tests the copies.
"""

from __future__ import annotations

import ast
import functools
import importlib.abc
import importlib.util
import inspect
import itertools
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

TESTS = Path(__file__).parent
COPIED = ("slth.errors", "slth.laws", "slth.randomness", "slth.networks.source", "slth.gadget")
"""Modules and packages that are copied; what else they import is shared with the real package."""


def path_of(name: str) -> Path:
    """The file of a module.

    >>> path_of("slth.errors").name, path_of("slth.gadget").name
    ('__init__.py', 'gadget.py')
    """
    path = TESTS.parent.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def compiled(path: Path) -> types.CodeType:
    return compile(path.read_text(), str(path), "exec")


def copied(name: str) -> bool:
    return name.startswith(tuple(f"{part}." for part in COPIED)) or name in COPIED


class Copies(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the copies."""

    def __init__(self, changes: Mapping[str, str | ast.Module]) -> None:
        self.changes = changes

    def find_spec(self, name: str, path: object, target: object = None) -> Any:
        if not copied(name):
            return None
        file = path_of(name)
        inside = [str(file.parent)] if file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(name, file, loader=self, submodule_search_locations=inside)

    def exec_module(self, module: types.ModuleType) -> None:
        name, file = module.__name__, path_of(module.__name__)
        code = compile(self.changes[name], str(file), "exec") if name in self.changes else compiled(file)
        exec(code, module.__dict__)


@contextmanager
def changed(changes: Mapping[str, str | ast.Module]) -> Iterator[None]:
    """Within it, what is imported of the copied modules is a copy with the changes: name -> text or tree."""
    before = dict(sys.modules)
    finder = Copies(changes)
    for name in filter(copied, before):
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith("slth.") and (copied(name) or name not in before)]:
            del sys.modules[name]
        sys.modules.update({name: before[name] for name in before if copied(name)})
        for name in filter(copied, before):
            parent, _, child = name.rpartition(".")
            setattr(sys.modules[parent], child, before[name])


def replaced(name: str, old: str, new: str) -> dict[str, str]:
    """The change of one piece of text of a module.

    Raises:
        ValueError: the text does not stand in the module exactly once.
    """
    text = path_of(name).read_text()
    if text.count(old) != 1:
        raise ValueError(f"{name} holds {text.count(old)} times, not once: {old!r}; bring the table up to date")
    return {name: text.replace(old, new)}


def loaded(file: str) -> dict[str, Any]:
    """The names of a test file (below tests/), executed anew."""
    names: dict[str, Any] = {"__name__": Path(file).stem, "__file__": str(TESTS / file)}
    exec(compiled(TESTS / file), names)
    return names


def cases(names: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], object]]]:
    """The tests of a loaded file with all their parameters, as (name with a number, call); slow ones are left out."""
    for name, function in names.items():
        marks = getattr(function, "pytestmark", [])
        if name.startswith("test_") and all(mark.name == "parametrize" for mark in marks):
            if hasattr(function, "hypothesis"):
                function = settings(phases=(Phase.explicit, Phase.generate))(function)  # shrinking takes minutes
            sets = [list(parameters(*mark.args)) for mark in marks]
            for i, parts in enumerate(itertools.product(*sets)):
                values = {key: value for part in parts for key, value in part.items()}
                yield f"{name}[{i}]", functools.partial(call, function, values)


def parameters(names: str | tuple[str, ...], sets: Any) -> Iterator[dict[str, Any]]:
    """The parameters of one `pytest.mark.parametrize`, as keyword arguments.

    >>> list(parameters("a, b", [(1, 2)])), list(parameters("a", [(1, 2)]))
    ([{'a': 1, 'b': 2}], [{'a': (1, 2)}])
    """
    keys = [key.strip() for key in names.split(",")] if isinstance(names, str) else list(names)
    for values in sets:
        yield {keys[0]: values} if len(keys) == 1 else dict(zip(keys, values, strict=True))


def call(function: Callable[..., object], values: dict[str, Any]) -> None:
    """Calls a test as pytest would, with its monkeypatch where it asks for one."""
    with pytest.MonkeyPatch.context() as patch:
        wanted = {"monkeypatch": patch} if "monkeypatch" in inspect.signature(function).parameters else {}
        function(**values, **wanted)


def passes(test: str, changes: Mapping[str, str | ast.Module]) -> bool:
    """Whether the test "file::name" passes, with all its parameters, on the changed code."""
    file, _, name = test.partition("::")
    loaded(file)  # whatever else it imports is imported now, for the real package
    with changed(changes):
        try:
            found = [run() for case, run in cases(loaded(file)) if case.partition("[")[0] == name]
        except (Exception, pytest.fail.Exception):  # the latter from `pytest.raises`
            return False
    assert found, f"no test {test}"
    return True
