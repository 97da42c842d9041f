"""Mistakes in a spec, told with the line of the file where they stand."""

import re
import tomllib
from pathlib import Path
from typing import Any, NoReturn

from sylvan.model.errors import UserError, nearest, shortened

KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[\w-]+)\s*[=.]""")
HEADING = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")
LARGEST_FILE = 1 << 20


class Lines:
    """The text of a TOML file, and where in it something was said.

    Raises UserError from the constructor if the file cannot be read or is no TOML.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                read = file.read(LARGEST_FILE + 1)
            if len(read) > LARGEST_FILE:
                raise ValueError(f"it has more than {LARGEST_FILE} bytes")
            self.text = read.decode("utf-8-sig")
            self.tree: dict[str, Any] = tomllib.loads(self.text)
        except OSError as error:
            raise UserError(f"the spec {path} cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path} is no spec in TOML: {error}") from None
        self._lines = self._found()

    def _found(self) -> dict[tuple[str, str], int]:
        """Lines, from 1, of sections and of keys in them; the line of a section has no key."""
        found: dict[tuple[str, str], int] = {}
        section = ""
        for number, line in enumerate(self.text.splitlines(), 1):
            if heading := HEADING.match(line):
                section = heading[1].strip("\"'")
                found.setdefault((section, ""), number)
            elif key := KEY.match(line):
                found.setdefault((section, key[1].strip("\"'")), number)
        return found

    def refuse(self, section: str, key: str, said: str) -> NoReturn:
        """Raise UserError for an entry, with its line; of what is not there, of its section."""
        line = self._lines.get((section, key), self._lines.get((section, ""), 1))
        raise UserError(f"{self.path}, line {line}: {said}")

    def section(self, name: str, known: "tuple[str, ...] | None") -> dict[str, Any]:
        """A section, empty if there is none; with `known` keys others are refused."""
        found = self.tree.get(name, {})
        if not isinstance(found, dict):
            self.refuse("", name, f"{name} must be a section: [{name}]")
        for key in found:
            if known is not None and key not in known:
                hint = nearest(key, known)
                told = f"[{name}] has no entry {shortened(repr(key))}{hint}"
                self.refuse(name, key, f"{told}; known: {', '.join(known)}")
        return found
