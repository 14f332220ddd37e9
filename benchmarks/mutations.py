"""One-place changes of a program, and the list of those that tests may miss.

Every operator, number, comparison, condition and sign of a syntax tree is changed, one at a time. A change has a name
that does not depend on line numbers: the function, the change, and the line of the program that `ast.unparse` makes of
its statement. Annotations and the texts of exceptions are left as they are, and so are the numbers within the last
argument of `inflated` and `signed_up`: it counts roundings, and their pads are twice the proved term, so that one less
is still proved and one more only looser.
"""

from __future__ import annotations

import ast
import copy
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import machine

RESULTS = Path(__file__).parent / "results"

REVIEWED = RESULTS / "mutants_reviewed.json"
"""{script: {reason: [names of changes]}}: changes that no test can or need notice, each read by a person."""

SWAPS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add,), ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.Mult,),
    ast.Div: (ast.Mult,), ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,), ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,), ast.BitXor: (ast.BitAnd,), ast.Pow: (ast.Mult,), ast.MatMult: (),
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.And: (ast.Or,), ast.Or: (ast.And,), ast.USub: (ast.UAdd,), ast.Not: (ast.UAdd,), ast.Invert: (ast.UAdd,),
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "maximum": "minimum", "minimum": "maximum", "all": "any", "any": "all"}
STATED = ("annotation", "returns", "exc")
"""Fields of a node that are not changed."""
COUNTED = ("inflated", "signed_up")
"""Functions whose last argument is a number of roundings."""


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        name: function, change and statement, unique within the program.
        function: the qualified name of the function that holds it; "" outside of all.
        number: the node in the order of `places`.
        change: makes the change in a copy of that node.
    """

    name: str
    function: str
    number: int
    change: Callable[[Any], None]

    def made(self, tree: ast.Module) -> ast.Module:
        """A copy of the tree with the change."""
        changed = copy.deepcopy(tree)
        self.change(list(places(changed))[self.number][0])
        return ast.fix_missing_locations(changed)


def places(node: ast.AST, function: str = "", statement: str = "") -> Iterator[tuple[ast.AST, str, str]]:
    """All nodes that may be changed, each with its function and the first line of its statement."""
    counted = isinstance(node, ast.Call) and ast.unparse(node.func) in COUNTED
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and field not in STATED and not (counted and child is node.args[-1]):
                inside, line = function, statement
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and field == "body":
                    inside = f"{function}.{node.name}".lstrip(".")
                if isinstance(child, ast.stmt):
                    line = ast.unparse(child).splitlines()[0]
                yield child, inside, line
                yield from places(child, inside, line)


def mutants(tree: ast.Module) -> list[Mutant]:
    """All changes of a program."""
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for number, (node, function, statement) in enumerate(places(tree)):
        for what, change in changes(node):
            name = f"{function or 'module'}: {what} in: {statement}"
            seen[name] += 1
            found.append(Mutant(name + f" (place {seen[name]})" * (seen[name] > 1), function, number, change))
    return found


def changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """The changes of one node, as (name, function that makes it in a copy)."""
    if isinstance(node, ast.BinOp | ast.UnaryOp | ast.BoolOp | ast.AugAssign):
        for swap in SWAPS.get(type(node.op), ()):
            yield f"{type(node.op).__name__} to {swap.__name__}", lambda n, swap=swap: setattr(n, "op", swap())
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for swap in SWAPS.get(type(op), ()):
                yield f"{type(op).__name__} to {swap.__name__}", lambda n, i=i, swap=swap: n.ops.__setitem__(i, swap())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        other = (node.value + 1, node.value - 1) if type(node.value) is int else (node.value * 2 or 1.0, 0.0)
        for value in other if node.value or type(node.value) is int else other[:1]:
            yield f"{node.value} to {value}", lambda n, value=value: setattr(n, "value", value)
    if isinstance(node, ast.Name | ast.Attribute):
        field = "id" if isinstance(node, ast.Name) else "attr"
        if (name := getattr(node, field)) in NAMES:
            yield f"{name} to {NAMES[name]}", lambda n, name=name: setattr(n, field, NAMES[name])
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "call left out", lambda n: setattr(n, "value", ast.Constant(None))
    if isinstance(node, ast.IfExp | ast.If | ast.While):
        yield "condition turned", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
    if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in ("np.abs", "np.where"):
        if called == "np.abs":
            yield "abs left out", lambda n: setattr(n.func, "attr", "asarray")
        elif len(node.args) == 3:
            yield "cases exchanged", lambda n: n.args.__setitem__(slice(1, 3), n.args[:0:-1])


def reviewed(script: str) -> set[str]:
    """The survivors of a script that have a reason."""
    listed = json.loads(REVIEWED.read_text()).get(script, {}) if REVIEWED.exists() else {}
    return {name for names in listed.values() for name in names}


def results(script: str) -> dict[str, Any]:
    """What a script has written so far."""
    path = RESULTS / f"{script}.json"
    return json.loads(path.read_text()) if path.exists() else {"modules": {}}


def write(script: str, result: dict[str, Any]) -> None:
    text = json.dumps({"machine": machine()} | result, indent=1)
    text = re.sub(
        r'\[\s+("[0-9a-f]{8}",?\s*)+\]', lambda found: " ".join(found[0].split()), text
    )  # short names in a line
    (RESULTS / f"{script}.json").write_text(text + "\n")


def report(script: str, module: str, found: dict[str, Any], survivors: list[str]) -> None:
    """Writes what was found of a module beside what is known of the others."""
    new = [name for name in survivors if name not in reviewed(script)]
    found = found | {"survived": len(survivors), "unreviewed": len(new)}
    print(module, {key: value for key, value in found.items() if key != "noticed"}, flush=True)
    before = results(script)
    modules = before["modules"] | {module: found | {"survivors": survivors, "measured": machine()["date"]}}
    write(script, before | {"machine": machine(), "modules": modules})


def without_reason(script: str) -> list[str]:
    """The survivors of all modules that the reviewed list does not name, printed."""
    known = reviewed(script)
    new = [name for found in results(script)["modules"].values() for name in found["survivors"] if name not in known]
    print(f"{len(new)} survivors without a reason", *new, sep="\n")
    return new
