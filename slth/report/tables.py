"""Tables and verdicts as HTML."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from slth.report.html import Child, Html, element


def table(
    caption: str, heads: Sequence[Child], lines: Iterable[Sequence[Child]], numbers: Collection[int] = ()
) -> Html:
    """A table that scrolls by itself where it is wide; the columns `numbers` are aligned to the right.

    >>> table("c", ["a"], [["<"]])[-40:]
    '<td>&lt;</td></tr></tbody></table></div>'
    """

    def line(name: str, children: Sequence[Child], scope: dict[str, str]) -> Html:
        marked = ({"class": "number"} if place in numbers else {} for place in range(len(children)))
        return element("tr", *(element(name, child, of=scope | of) for child, of in zip(children, marked, strict=True)))

    head = element("thead", line("th", heads, {"scope": "col"}))
    body = element("tbody", *(line("td", children, {}) for children in lines))
    region = {"class": "wide", "role": "region", "tabindex": "0", "aria-label": caption}
    return element("div", element("table", element("caption", caption), head, body), of=region)


def verdict(kind: str) -> Html:
    """A verdict, told by its word and its colour."""
    return element("span", str(kind), of={"class": f"verdict {kind}"})
