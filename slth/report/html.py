"""HTML elements whose text cannot turn into markup: what is not `Html` is escaped."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Mapping

VOID = ("meta", "br", "hr")
LONGEST = 2000
"""Characters of one piece of text; more is cut, with a mark."""


class Html(str):
    """Markup that was made here."""


Child = Html | str | int | float | None | Iterable["Child"]


def element(name: str, *children: Child, of: Mapping[str, str] | None = None) -> Html:
    """An element with attributes `of`; None among the children is left out.

    >>> element("p", "a < b", element("em", "c"), of={"class": "x"})
    '<p class="x">a &lt; b<em>c</em></p>'
    """
    attributes = "".join(f' {key}="{text(value)}"' for key, value in (of or {}).items())
    if name in VOID:
        return Html(f"<{name}{attributes}>")
    return Html(f"<{name}{attributes}>{joined(children)}</{name}>")


def joined(children: Iterable[Child], between: str = "") -> Html:
    """Children one after the other.

    >>> joined(["a&b", None, Html("<hr>")])
    'a&amp;b<hr>'
    """
    return Html(text(between).join(_one(child) for child in children if child is not None))


def text(value: str) -> Html:
    r"""Text as markup: escaped, cut where it is too long, and without characters that cannot be shown.

    >>> text('"<\ud800\x00')
    '&quot;&lt;\ufffd\ufffd'
    """
    if len(value) > LONGEST:
        value = f"{value[:LONGEST]} ... ({len(value) - LONGEST} more characters)"
    return Html(html.escape("".join(map(_shown, value))))


def _one(child: Child) -> Html:
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int | float):
        return text(str(child))
    return joined(child or ())


def _shown(letter: str) -> str:
    """Control, direction, private and unassigned characters, and halves of pairs, become the replacement character."""
    return "\ufffd" if unicodedata.category(letter)[0] == "C" and letter not in "\n\t" else letter
