"""Compiles Verilator's run-time library once instead of for every core: a small compiler cache.

`make` calls this file as `$(OBJCACHE) c++ ... -o x.o x.cpp`. The objects of the library depend on
their command line only and are kept; for all else its headers, which take most of the time of a
small core, are kept precompiled. Run as a script, and imports nothing of the project, so that it
starts quickly.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_FOLDER = "SYLVAN_OBJECT_CACHE"
_HEADERS = (
    "#include <verilated.h>\n#include <verilated_vpi.h>\n#include <memory>\n#include <string>\n"
)


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Lets a `make` started inside use the cache in `folder`, unless the user has one already."""
    script = Path(__file__).resolve()
    # The shell that make starts would split a path with a space.
    if "OBJCACHE" in os.environ or re.search(r"\s", f"{sys.executable}{script}"):
        yield
        return
    ours = {"OBJCACHE": f"{sys.executable} -I -S {script}", _FOLDER: str(folder)}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


def main(command: list[str]) -> int:
    """Runs a compiler's command, with what the cache holds for it."""
    source = Path(command[-1])
    if source.suffix != ".cpp" or "-c" not in command or "-o" not in command:
        return subprocess.call(command)
    cache = _Cache(Path(os.environ[_FOLDER]), command[0])
    place = command.index("-o") + 1
    if source.name.startswith("verilated"):

        def compile_to(path: str) -> int:
            return subprocess.call([*command[:place], path, *command[place + 1 :]])

        others = [*command[:place], *command[place + 1 :]]
        kept = cache.get(f"{source.stem}.o", others, source, compile_to)
        if kept is None:
            return 1
        shutil.copyfile(kept, command[place])
        return 0
    return subprocess.call([command[0], *_precompiled(cache, command), *command[1:]])


def _precompiled(cache: "_Cache", command: list[str]) -> list[str]:
    """The flags that bring the precompiled headers; the compiler ignores those it cannot use."""
    flags = sorted({f for f in command if f[:2] in ("-D", "-O", "-f", "-m", "-g", "-s")})
    includes = [f for f in command if f.startswith("-I/")]
    header = cache.folder / "headers.h"
    if not header.exists():
        cache.folder.mkdir(parents=True, exist_ok=True)
        header.write_text(_HEADERS)

    def compile_to(path: str) -> int:
        return subprocess.call(
            [command[0], *flags, *includes, "-x", "c++-header", str(header), "-o", path]
        )

    kept = cache.get("headers.h.gch", [*flags, *includes], header, compile_to)
    # The compiler looks for X.gch beside the X that it is told to include.
    return ["-include", str(kept.with_suffix(""))] if kept else []


class _Cache:
    """Files named by what they are made from: a command line, a compiler and a source."""

    def __init__(self, folder: Path, compiler: str) -> None:
        self.folder = folder
        self.compiler = Path(shutil.which(compiler) or compiler).resolve()

    def get(
        self, name: str, command: Sequence[str], source: Path, make: Callable[[str], int]
    ) -> Path | None:
        """The kept file, made at its first use; None where that failed."""
        key = hashlib.sha256(repr(list(command)).encode())
        for file in (self.compiler, source):
            key.update(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}".encode())
        kept = self.folder / f"{key.hexdigest()[:24]}-{name}"
        if not kept.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Two compilers may come here at once: the second waits, rather than make it too.
            with open(kept.with_suffix(".lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if kept.exists():
                    return kept
                handle, ours = tempfile.mkstemp(suffix=f"-{name}", dir=self.folder)
                os.close(handle)
                if make(ours):
                    os.unlink(ours)
                    return None
                os.replace(ours, kept)
        return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
