"""Data sets in a folder that the user names: found, or asked for by name with their source.

Nothing is downloaded. A set lies in a subfolder of its own, in the files it was published as or in
these files compressed by gzip. Files are a stranger's: data only, bounded, and checked.
"""

import gzip
import io
import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .arrays import Array
from .errors import UserError

MOST_BYTES = 1 << 28
"""Of a file, unpacked: a stranger's file must not be able to ask for all the memory there is."""


@dataclass(frozen=True)
class DataSet:
    """A published set of files.

    Attributes:
        folder: the subfolder's name.
        source: who publishes it, and where.
        forms: what it may consist of; files, or folders of files, each form enough by itself.
        archive: folder that the published archive unpacks to, which may lie in between.
    """

    folder: str
    source: str
    forms: tuple[tuple[str, ...], ...]
    archive: str = ""

    def locate(self, data: Path | None) -> list[Path]:
        """Where the members of the first whole form lie under the folder `data`, in its order.

        Raises UserError that says what is missing, and where to get it.
        """
        wanted = " or ".join(_listed(form) for form in self.forms)
        if data is None:
            raise UserError(
                f"this needs the data set {self.folder}: name the folder that holds it with --data "
                f"FOLDER. In its subfolder {self.folder} should be {wanted}, from {self.source}"
            )
        home = data / self.folder
        best: list[str] | None = None
        for form in self.forms:
            places = {name: self._place(home, name) for name in form}
            missing = [name for name, place in places.items() if place is None]
            if not missing:
                return [place for place in places.values() if place is not None]
            if len(missing) < len(form) and (best is None or len(missing) < len(best)):
                best = missing
        if best is None:
            raise UserError(f"{home} should hold {wanted}, from {self.source}")
        raise UserError(f"{home} lacks {_listed(tuple(best))} (from {self.source})")

    def lies_in(self, data: Path | None) -> bool:
        """Whether `locate` finds it."""
        try:
            return bool(self.locate(data))
        except UserError:
            return False

    def _place(self, home: Path, name: str) -> Path | None:
        for root in (home, home / self.archive):
            for path in (root / name, root / f"{name}.gz"):
                if path.exists():
                    return path
        return None


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked. Raises UserError if it cannot be read or is too large."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content = bytes(file.read(MOST_BYTES + 1))
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    if len(content) > MOST_BYTES:
        raise UserError(f"{path} holds more than {MOST_BYTES >> 20} MiB: it is no published file")
    return content


def read_table(path: Path, columns: int, header: str = "") -> list[list[bytes]]:
    """The fields of a file with a row per line (LF) and tabs between them; its header is checked.

    Raises UserError naming the first line that does not fit.
    """
    lines = read_bytes(path).split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if header:
        found = lines[0].rstrip(b"\r") if lines else b""
        if found != header.encode():
            raise UserError(f"{path} should begin with the line {header!r}, got {found[:80]!r}")
    rows = [line.split(b"\t") for line in lines[bool(header) :]]
    for number, row in enumerate(rows, 1 + bool(header)):
        if len(row) != columns:
            raise UserError(f"{path}:{number} should have {columns} columns, got {len(row)}")
    if not rows:
        raise UserError(f"{path} has no rows")
    return rows


def read_arrays(path: Path, *names: str) -> dict[str, Array]:
    """Arrays of a .npz file, as data only: no objects, and no more than the file declares.

    Raises UserError if one is missing or unreadable.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(path))) as file:
            declared = sum(entry.file_size for entry in file.infolist())
            if declared > MOST_BYTES:
                raise ValueError(f"unpacked it would hold {declared >> 20} MiB")
            return {name: _array(file.read(f"{name}.npy")) for name in names}
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is not the published file: {error}") from None
    except KeyError as error:
        raise UserError(f"{path} is not the published file: {error.args[0]}") from None


def _array(content: bytes) -> Array:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"an array has version {version}")
    shape, fortran, dtype = read[version](file)
    body = content[file.tell() :]
    # Before numpy makes room: a header may claim any size.
    if dtype.hasobject or min(shape, default=1) < 0:
        raise ValueError(f"an array of {dtype} with the shape {shape}")
    if math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"an array of {dtype} with the shape {shape} in {len(body)} bytes")
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


def check_array(
    where: object, array: Array, kinds: str, shape: tuple[int, ...], low: float, high: float
) -> Array:
    """`array` itself, if it is of one of the dtype `kinds` and of `shape`, and within low..high.

    A length of -1 may be any but 0. Raises UserError naming `where` with expected and got.
    """
    lengths = zip(array.shape, shape, strict=False)
    fits = array.ndim == len(shape) and all(a == b or (b == -1 and a > 0) for a, b in lengths)
    if not fits or array.dtype.kind not in kinds:
        wanted = "x".join("n" if side == -1 else str(side) for side in shape)
        names = {"i": "signed integers", "u": "unsigned integers", "f": "real numbers"}
        kind = " or ".join(names[kind] for kind in kinds)
        found = "x".join(map(str, array.shape))
        raise UserError(f"{where} should be {wanted} {kind}, got {found} of {array.dtype}")
    # Written so that NaN is outside, too.
    outside = ~((array >= low) & (array <= high))
    if outside.any():
        raise UserError(f"{where} should lie in {low}..{high}, got {array[outside][0]}")
    return array


def shuffled(count: int, seed: int) -> Array:
    """A fixed order of `count` things, from the generator whose streams numpy has frozen."""
    order: Array = np.random.RandomState(seed).permutation(count)
    return order


def _listed(names: tuple[str, ...]) -> str:
    if len(names) > 4:
        return f"{names[0]}, {names[1]}, ... {names[-1]} ({len(names)} files)"
    return ", ".join(names)
