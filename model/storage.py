"""Programs as files: a folder with `program.json` and `weights.npz`.

Data only: arrays are read without pickles and every field is checked against what it belongs to.
`sha256` covers the JSON without `metadata` and the arrays as little-endian bytes.
"""

import contextlib
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import Array
from .encoding import VERSION, decode, digest, encode, program_hash
from .errors import LONGEST_QUOTE, UserError, shortened
from .files import parse_json
from .program import Program

__all__ = ["load", "program_hash", "save"]

JSON_FILE = "program.json"
ARRAY_FILE = "weights.npz"
MAX_JSON_BYTES = 64 << 20
MAX_ARRAY_BYTES = 2 << 30


def save(program: Program, folder: Path) -> Path:
    """Write the program; an interrupted or failed write leaves what was there. Returns the folder.

    Raises:
        UserError: if the folder cannot be written, for example because the disk is full, or the
            metadata is no JSON data.
    """
    tree, arrays = encode(program)
    stored = tree | {"metadata": program.metadata, "sha256": digest(tree, arrays)}
    try:
        text = json.dumps(stored, sort_keys=True, indent=1, allow_nan=False) + "\n"
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(f"the metadata of {folder} cannot be written as JSON: {error}") from None
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as work:
            np.savez_compressed(Path(work, ARRAY_FILE), **arrays)  # type: ignore[arg-type]
            Path(work, JSON_FILE).write_text(text, encoding="utf-8")
            _replace(Path(work), folder)
    except BaseException as error:
        with contextlib.suppress(OSError):
            for place in new:
                place.rmdir()
        if not isinstance(error, OSError):
            raise
        raise UserError(
            f"{folder} cannot be written: {error.strerror or error}. What was there is unchanged"
        ) from None
    return folder


def _replace(work: Path, folder: Path) -> None:
    """Move both new files from `work` to `folder`, or neither."""
    arrays, before = folder / ARRAY_FILE, work / "before.npz"
    if arrays.exists():
        shutil.copyfile(arrays, before)
    try:
        os.replace(work / ARRAY_FILE, arrays)
        os.replace(work / JSON_FILE, folder / JSON_FILE)
    except BaseException:
        # Only a kill between the two moves leaves a mixture, and `load` knows it by its hash.
        if (work / JSON_FILE).exists() and not (work / ARRAY_FILE).exists():
            if before.exists():
                os.replace(before, arrays)
            else:
                arrays.unlink()
        raise


def load(folder: Path) -> Program:
    """Read a program, checking version, hash and every rule that a program obeys.

    Raises:
        UserError: if files are missing, unreadable, of another version, changed since they were
            written, or do not make a program.
    """
    for name in (JSON_FILE, ARRAY_FILE):
        if not (folder / name).is_file():
            raise UserError(f"{folder} is no program: {name} is missing there")
    tree = _read_tree(folder / JSON_FILE)
    arrays = _read_arrays(folder / ARRAY_FILE)
    for name in ("metadata", "sha256"):
        if name not in tree:
            raise UserError(f"{folder / JSON_FILE} does not make a program: it lacks {name}")
    metadata, expected = tree.pop("metadata"), tree.pop("sha256")
    try:
        got = digest(tree, arrays)
        if got != expected:
            raise UserError(
                f"{folder} was changed after it was written, or only half written: its content "
                f"hashes to {got[:12]}, {JSON_FILE} says {str(expected)[:12]}"
            )
        if not isinstance(metadata, dict):
            raise ValueError(f"metadata must be an object, got {type(metadata).__name__}")
        program = decode(tree, arrays, metadata)
        # What the reader above would overlook, such as 1.0 for 1, does not survive this.
        if program_hash(program) != expected:
            raise ValueError("it is not written the way Sylvan writes it, or has unused arrays")
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        said = shortened(str(error), 2 * LONGEST_QUOTE)
        raise UserError(f"{folder / JSON_FILE} does not make a program: {said}") from None
    return program


def _read_tree(path: Path) -> dict[str, Any]:
    """The JSON object in `path`, of a version that can be read."""
    try:
        size = path.stat().st_size
        if size > MAX_JSON_BYTES:
            raise ValueError(f"it has {size} bytes, more than {MAX_JSON_BYTES}")
        tree = parse_json(path.read_text(encoding="utf-8"))
        if not isinstance(tree, dict):
            raise ValueError(f"it must hold an object, got a {type(tree).__name__}")
        if "version" not in tree:
            raise ValueError("it states no version")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no readable program: {error}") from None
    if type(tree["version"]) is not int or tree["version"] != VERSION:
        raise UserError(
            f"{path} has version {shortened(repr(tree['version']))}, "
            f"this Sylvan reads version {VERSION}"
        )
    return tree


def _read_arrays(path: Path) -> dict[str, Array]:
    """The arrays in `path`, all of 64-bit integers."""
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} cannot be read: it is no npz archive, or only part of one")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_ARRAY_BYTES:
            raise ValueError(f"it unpacks to {size} bytes, more than {MAX_ARRAY_BYTES}")
        with np.load(path, allow_pickle=False) as stored:
            arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    except Exception as error:  # zip, zlib and numpy's headers each fail in kinds of their own
        raise UserError(f"{path} cannot be read: {error}") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype != np.dtype("<i8"):
            kind = getattr(array, "dtype", type(array).__name__)
            raise UserError(f"{path} must hold 64-bit integers only, but {name} is {kind}")
    return arrays
