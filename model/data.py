"""Data sets in a folder that the user names: found, or asked for by name with their source.

Nothing is downloaded. A set lies in a subfolder of its own, in the files it was published as or in
these files compressed by gzip.
"""

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .arrays import Array
from .errors import UserError

MOST_BYTES = 1 << 30
"""Of a file, unpacked: a stranger's file must not be able to ask for all the memory there is."""


@dataclass(frozen=True)
class DataSet:
    """A published set of files.

    Attributes: folder, the subfolder's name; source, where the files are published.
    """

    folder: str
    source: str

    def locate(self, data: Path | None, *names: str) -> list[Path]:
        """Where the files called `names`, or `names` with .gz, lie under the folder `data`.

        Raises UserError that says which are missing, and where to get them.
        """
        if data is None:
            raise UserError(
                f"this needs the data set {self.folder}: name the folder that holds it with --data "
                f"FOLDER. It should have {', '.join(names)} in a subfolder {self.folder}, from "
                f"{self.source}"
            )
        found, missing = [], []
        for name in names:
            candidates = [data / self.folder / name, data / self.folder / f"{name}.gz"]
            path = next((path for path in candidates if path.is_file()), None)
            if path is None:
                missing.append(name)
            else:
                found.append(path)
        if missing:
            raise UserError(
                f"{data / self.folder} lacks {', '.join(missing)} (or the same with .gz): get "
                f"{'it' if len(missing) == 1 else 'them'} from {self.source}"
            )
        return found

    def read(self, data: Path | None, *names: str) -> list[bytes]:
        """The content of these files, unpacked. Raises UserError if one cannot be had or read."""
        return [_content(path) for path in self.locate(data, *names)]


def read_arrays(path: Path, *names: str) -> list[Array]:
    """Arrays of a .npz file, as data only. Raises UserError if one is missing or unreadable."""
    try:
        with np.load(io.BytesIO(_content(path)), allow_pickle=False) as file:
            return [file[name] for name in names]
    except (OSError, ValueError, KeyError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is not the published file: {error}") from None


def _content(path: Path) -> bytes:
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    if len(content) > MOST_BYTES:
        raise UserError(f"{path} holds more than {MOST_BYTES >> 20} MiB: it is no published file")
    return bytes(content)
