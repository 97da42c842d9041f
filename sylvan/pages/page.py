"""What every page is made of: escaped text, sections, tables that sort, and what a browser runs.

A page is one file that loads nothing. Its content security policy forbids every other address, and
every script but those that are embedded here, should a name out of a stranger's file ever get past
the escaping.
"""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import quote

VOID = ("meta", "br", "img")
"""Elements without content, which HTML does not close."""


class Html(str):
    """Markup. Every other string is text, and is escaped where it enters an element."""


def element(name: str, /, *content: str, **attributes: str | bool | None) -> Html:
    """`<name attributes>content</name>`; class_ stands for class, data_key for data-key.

    An attribute that is True has no value, one that is None or False is left out.
    """
    said = "".join(
        f" {key.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{html.escape(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Html(f"<{name}{said}>")
    return Html(f"<{name}{said}>{joined(*content)}</{name}>")


def joined(*content: str) -> Html:
    """Pieces one after the other, escaped where they are text."""
    return Html("".join(c if isinstance(c, Html) else html.escape(c) for c in content))


def link(path: str, shown: str | None = None) -> Html:
    """A link to a file beside the page; what looks like another address is a file name too."""
    return element("a", path if shown is None else shown, href=quote(path))


@dataclass(frozen=True)
class Section:
    """A heading and what is below it."""

    title: str
    body: Html


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes: value, by which the table sorts and which goes into the CSV, None if not known;
    form, how a number is written; path, of a file beside the page that the cell links to; kind, a
    class of page.css, such as `estimate`.
    """

    value: float | str | None
    form: str = "{:,}"
    path: str | None = None
    kind: str = ""

    @property
    def numeric(self) -> bool:
        return isinstance(self.value, int | float)

    @property
    def shown(self) -> str:
        if self.value is None:
            return "\N{EN DASH}"
        return self.form.format(self.value) if self.numeric else str(self.value)

    def html(self, numbers: bool) -> Html:
        """The cell, in a column of numbers or of text."""
        content = link(self.path, self.shown) if self.path else self.shown
        kinds = ("number" * numbers, "missing" * (self.value is None), self.kind)
        said = None if self.value is None else str(self.value)
        return element("td", content, class_=" ".join(filter(None, kinds)) or None, data_value=said)


def table(headings: Sequence[str], rows: Sequence[Sequence[Cell]], label: str) -> Html:
    """A table that sorts by a click on a heading, and that is copied as CSV.

    Cells that are not known come last in either order. `label` is what it is called aloud.
    """
    numeric = [any(row[k].numeric for row in rows) for k in range(len(headings))]
    head = (
        element("th", element("button", text, type="button"), class_="number" if number else None)
        for text, number in zip(headings, numeric, strict=True)
    )
    body = (
        element("tr", *(cell.html(number) for cell, number in zip(row, numeric, strict=True)))
        for row in rows
    )
    whole = element(
        "table",
        element("thead", element("tr", *head)),
        element("tbody", *body),
        aria_label=label,
    )
    copy = element("button", "Copy as CSV", type="button", class_="copy")
    bar = element("p", copy, " ", element("output"), class_="bar")
    return element("div", bar, element("div", whole, class_="scroll"), class_="table")


def page(
    title: str,
    lead: Iterable[str],
    sections: Iterable[Section],
    data: Any = None,
    scripts: Sequence[str] = (),
    charts: bool = False,
    styles: Sequence[str] = (),
) -> bytes:
    """The whole file.

    `lead`: paragraphs below the title, the answer first. `data`: what the page's scripts read as
    `page.data()`, JSON of finite numbers. `scripts`: their files in this package. `charts`: whether
    they draw, for which plotly comes along. `styles`: more style sheets in this package.
    """
    own = ("page.js", *(("charts.js",) if charts else ()), *scripts)
    texts = [*([_plotly()] if charts else []), *map(_file, own)]
    sheets = ("page.css", *(("charts.css",) if charts else ()), *styles)
    runs = [f"'sha256-{_digest(text)}'" for text in texts]
    # plotly compiles the code that feeds WebGL.
    runs += ["'unsafe-eval'"] * charts
    policy = (
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src {' '.join(runs)}"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html("".join(map(_file, sheets)))),
    )
    tree = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    body = element(
        "body",
        element(
            "main",
            element("h1", title),
            element("div", *(element("p", sentence) for sentence in lead), class_="lead"),
            *(element("section", element("h2", s.title), s.body) for s in sections),
        ),
        element("script", Html(tree), type="application/json", id="data"),
        *(element("script", Html(text)) for text in texts),
    )
    whole = "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"
    return whole.encode(errors="replace")


def _file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
