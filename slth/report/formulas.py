"""Bounds as MathML, from their sympy expressions."""

from __future__ import annotations

import html
import re
from typing import Any
from xml.etree import ElementTree

import sympy
from sympy.printing.mathml import MathMLPresentationPrinter

from slth.bounds import Bound, Direction
from slth.report.html import Html

RELATIONS = {Direction.UPPER: "≤", Direction.LOWER: "≥", Direction.HEURISTIC: "≈"}
NAMES = {"eps_p": "ε_p"}
"""Symbols whose names sympy does not read as Greek."""


def formula(bound: Bound) -> Html:
    """The relation of a bound as a <math> element.

    >>> from slth.theorems.lueker1998_subset_sum import COUNTING_TOLERANCE
    >>> "<mo>≥</mo>" in formula(COUNTING_TOLERANCE)
    True
    """
    left, right = _mathml(bound.quantity), _mathml(bound.expression)
    return Html(f'<math displaystyle="true"><mrow>{left}<mo>{RELATIONS[bound.direction]}</mo>{right}</mrow></math>')


def _mathml(expression: sympy.Expr) -> str:
    """Well-formed presentation MathML in plain characters.

    Raises:
        ElementTree.ParseError: sympy's printer gave something else.
    """
    names = {symbol: NAMES[str(symbol)] for symbol in expression.free_symbols if str(symbol) in NAMES}
    printed = _Printer({"symbol_names": names, "fold_short_frac": False}).doprint(expression)
    # Sympy leaves < as it is, and uses entities that XML does not know. The double-struck e is in few fonts.
    printed = re.sub(r"<mo>([<>]=?)</mo>", lambda found: f"<mo>{html.escape(found[1])}</mo>", printed)
    printed = re.sub(r"&[#\w]+;", lambda found: html.escape(html.unescape(found[0])), printed)
    printed = (
        printed.replace("\u2147", "e")
        .replace("<mo>-</mo>", "<mo>\u2212</mo>")
        .replace("<mo>\u2062</mo>", '<mo lspace="0.08em" rspace="0.08em">\u2062</mo>')
    )
    ElementTree.fromstring(printed)
    return printed


class _Printer(MathMLPresentationPrinter):
    """Sympy's printer, with natural logarithms named ln and cases set out line by line."""

    def _print_log(self, expression: Any) -> Any:
        row = self.dom.createElement("mrow")
        name = self.dom.createElement("mi")
        name.appendChild(self.dom.createTextNode("ln"))
        row.appendChild(name)
        row.appendChild(self._fenced(self._print(expression.args[0])))
        return row

    def _print_Piecewise(self, expression: Any) -> Any:
        table = self.dom.createElement("mtable")
        for value, condition in expression.args:
            line = self.dom.createElement("mtr")
            for part in (self._print(value), self._condition(condition)):
                field = self.dom.createElement("mtd")
                field.appendChild(part)
                line.appendChild(field)
            table.appendChild(line)
        row = self.dom.createElement("mrow")
        row.appendChild(self._operator("{"))
        row.appendChild(table)
        return row

    def _condition(self, condition: Any) -> Any:
        row = self.dom.createElement("mrow")
        words = self.dom.createElement("mtext")
        words.appendChild(self.dom.createTextNode("else" if condition == sympy.true else "if\u00a0"))
        row.appendChild(words)
        if condition != sympy.true:
            row.appendChild(self._print(condition))
        return row

    def _fenced(self, inside: Any) -> Any:
        row = self.dom.createElement("mrow")
        for part in (self._operator("("), inside, self._operator(")")):
            row.appendChild(part)
        return row

    def _operator(self, sign: str) -> Any:
        found = self.dom.createElement("mo")
        found.appendChild(self.dom.createTextNode(sign))
        return found
