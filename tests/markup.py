"""A page as a browser's parser takes it: balanced elements, texts, tables and scripts."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "br", "img"}
LOADING = {"src", "srcset", "href", "data", "action", "poster"}


@dataclass
class Shown:
    """A cell of a table: its attributes, and what is read there."""

    attributes: dict[str, str | None]
    text: str = ""

    @property
    def value(self) -> str | None:
        """By which it sorts, and what the CSV has."""
        return self.attributes.get("data-value")


@dataclass
class Grid:
    """A table: headings, and rows of cells."""

    heads: list[str] = field(default_factory=list)
    rows: list[list[Shown]] = field(default_factory=list)

    def column(self, head: str) -> list[Shown]:
        return [row[self.heads.index(head)] for row in self.rows]


@dataclass
class Markup(HTMLParser):
    """Reads a whole page; attributes hold what was met there, tables by their label."""

    content: bytes
    open: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tables: dict[str, Grid] = field(default_factory=dict)
    policy: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.content.decode())
        self.close()
        assert not self.open, f"never closed: {self.open}"
        assert len(set(self.ids)) == len(self.ids), "an id twice"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        assert len(said) == len(attrs), f"an attribute twice: {attrs}"
        self.addresses += [value or "" for key, value in attrs if key in LOADING]
        if "id" in said:
            self.ids.append(said["id"] or "")
        if said.get("http-equiv") == "Content-Security-Policy":
            self.policy = said["content"] or ""
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            assert said in ({}, {"type": "application/json", "id": "data"})
            self.scripts.append("")
        if tag == "table":
            self.tables[said["aria-label"] or ""] = Grid()
        if tag == "tr":
            self._grid.rows.append([])
        if tag == "td":
            self._grid.rows[-1].append(Shown(said))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes another element"
        if tag == "thead":
            self._grid.rows.clear()

    def handle_data(self, data: str) -> None:
        where = self.open[-1] if self.open else ""
        if where == "script":
            self.scripts[-1] += data
        elif where == "h2":
            self.titles.append(data)
        elif "th" in self.open:
            self._grid.heads.append(data)
        elif "td" in self.open:
            self._grid.rows[-1][-1].text += data
        if where not in ("script", "style") and data.strip():
            self.texts.append(data)

    @property
    def _grid(self) -> Grid:
        return list(self.tables.values())[-1]

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    @property
    def tree(self) -> Any:
        """What the page's scripts read."""
        return json.loads(self.scripts[0])
