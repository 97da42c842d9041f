"""How many wrong weights the testbench of a package sees: docs/package.md.

    python bench/package_mutants.py [--count N]

Makes packages of programs of the gallery, inverts one bit of one word of a ROM in their Verilog,
and runs their testbench in Icarus, N times each. A program that answers labels hides what changes
none.
"""

import argparse
import random
import re
import subprocess
import tempfile
from pathlib import Path

from marks import put_between
from sylvan.hw.build import build
from sylvan.hw.plan import schedule_for
from sylvan.hw.targets import target
from sylvan.model.storage import load

from sylvan.ip.package import write_package

ROOT = Path(__file__).parent.parent
PAGE, MARKS = ROOT / "docs" / "package.md", ("<!-- mutants: begin -->", "<!-- mutants: end -->")
PROGRAMS = {"digits": (4, 1), "har-motion": (4, 3), "sequential-mnist": (8, 1)}
"""In the gallery; lanes and contexts."""
NAME = "core"
WORD = re.compile(r"(?m)^\s+(?:\\?[\w$]+ ?)?\[\d+\] = (\d+)'h([0-9a-f]+);")
"""A word of a ROM that is printed: its bits, and its value."""


def packaged(program: str, folder: Path) -> Path:
    """A package of a program."""
    loaded = load(ROOT / "gallery" / program)
    lanes, contexts = PROGRAMS[program]
    schedule = schedule_for(loaded, lanes, None, contexts=contexts)
    build(loaded, schedule, target("verilog"), folder, axi=True)
    return write_package(folder, "plain", NAME)


def fails(package: Path, verilog: Path) -> bool:
    """Whether the testbench fails with this file in the place of the core's."""
    (bench,) = (package / "sim").glob("*_tb.v")
    rtl = [file for file in (package / "rtl").glob("*.v") if file.name != verilog.name]
    made = verilog.with_suffix(".vvp")
    files = [*rtl, verilog, bench]
    compiled = ["iverilog", "-g2005", "-s", bench.stem, "-o", made, *files]
    subprocess.run(compiled, cwd=package / "sim", check=True)
    ran = subprocess.run(["vvp", "-N", made], cwd=package / "sim", capture_output=True)
    return ran.returncode != 0


def seen(package: Path, count: int) -> int:
    """How many of so many mutants fail; the core as it is does not."""
    (core,) = (package / "rtl").glob("*_core.v")
    text, rng = core.read_text(), random.Random(0)
    words = list(WORD.finditer(text))
    found = 0
    with tempfile.TemporaryDirectory(prefix="sylvan-mutant-") as work:
        verilog = Path(work, core.name)
        verilog.write_text(text)
        assert not fails(package, verilog)
        for _ in range(count):
            word = rng.choice(words)
            wrong = int(word[2], 16) ^ 1 << rng.randrange(int(word[1]))
            begin, end = word.span(2)
            verilog.write_text(f"{text[:begin]}{wrong:x}{text[end:]}")
            found += fails(package, verilog)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=30, help="mutants of each package (30)")
    count = parser.parse_args().count
    rows = ["| program | asked answers | wrong bits that are seen |", "|---|---:|---:|"]
    for program in PROGRAMS:
        with tempfile.TemporaryDirectory(prefix="sylvan-package-") as work:
            package = packaged(program, Path(work, "build"))
            (answers,) = (package / "sim").glob("*_answers.hex")
            asked = len(answers.read_text().split())
            rows.append(f"| `{program}` | {asked} | {seen(package, count)} of {count} |")
            print(rows[-1], flush=True)
    put_between(PAGE, MARKS, "\n".join(rows))


if __name__ == "__main__":
    main()
