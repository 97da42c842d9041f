"""Files that appear whole or not at all. Standard library only, so that every room may use it."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any


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


def write_json(path: Path, tree: Any) -> None:
    """Write JSON data for people and tools. Raises ValueError for NaN and infinite numbers."""
    write_whole(path, (json.dumps(tree, indent=2, allow_nan=False) + "\n").encode())
