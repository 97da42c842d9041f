"""A page as a browser's parser takes it: balanced elements, texts, tables and scripts."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "br"}
LOADING = {"src", "srcset", "href", "data", "action", "poster"}


@dataclass
class Markup(HTMLParser):
    """Reads a whole page. Attributes hold what was met, in the page's order."""

    content: bytes
    open: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    cells: list[dict[str, str | None]] = field(default_factory=list)
    policy: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.content.decode())
        self.close()
        assert not self.open, f"never closed: {self.open}"

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
        if tag == "td":
            self.cells.append(said)
        if tag == "script":
            assert said in ({}, {"type": "application/json", "id": "data"})
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        where = self.open[-1] if self.open else ""
        if where == "script":
            self.scripts[-1] += data
        elif where == "h2":
            self.titles.append(data)
        if where not in ("script", "style") and data.strip():
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    @property
    def tree(self) -> Any:
        """What the page's scripts read."""
        return json.loads(self.scripts[0])
