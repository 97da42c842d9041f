"""Files that appear whole or not at all, where they are kept, and JSON of finite numbers.

Standard library only, so that every room may use it.
"""

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from .errors import shortened


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def cache_folder() -> Path:
    """Where things made once are kept: $SYLVAN_CACHE, else a folder in the user's cache."""
    if own := os.environ.get("SYLVAN_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sylvan"


def write_json(path: Path, tree: Any) -> None:
    """Write JSON data for people and tools. Raises ValueError for NaN and infinite numbers."""
    write_whole(path, (json.dumps(tree, indent=2, allow_nan=False) + "\n").encode())


def parse_json(text: str) -> Any:
    """JSON data, as `write_json` writes it.

    Python by itself would read NaN, and 1e999 as infinite, neither of which can be written again.
    Raises ValueError for those, for what is no JSON, and for what is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{shortened(text)} is no finite number")
