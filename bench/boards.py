"""A program on every board: docs/boards.md, and what the link takes, boards/base/around.py.

    python bench/boards.py [--page]

Rows are kept in bench/boards.json as they come, with a hash of all that the tools were given.
`--page` builds nothing.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from statistics import mean
from typing import Any

from marks import put_between
from sylvan.boards.base import around
from sylvan.boards.base.board import Board, boards
from sylvan.boards.base.mount import Mount
from sylvan.hw.build import build
from sylvan.hw.plan import Plan, schedule_for
from sylvan.hw.report import load_report
from sylvan.model.files import write_json
from sylvan.model.storage import load

ROOT = Path(__file__).parent.parent
OUT = Path(__file__).with_suffix(".json")
PROGRAM = "digits"
"""In the gallery: 256 units, a pixel a timestep."""
LANES = 1
CODE, CODE_MARKS = Path(around.__file__), ("# around: begin", "# around: end")
PAGE, PAGE_MARKS = ROOT / "docs" / "boards.md", ("<!-- boards: begin -->", "<!-- boards: end -->")
WHOLE, CORE = "top", "top.linked.core"
Row = dict[str, Any]


def measured(name: str, mount: Mount, plan: Plan, known: Mapping[str, Row]) -> Row:
    """The row of a board, built unless it is known and was built from the same."""
    with tempfile.TemporaryDirectory(prefix="sylvan-board-") as work:
        folder = Path(work, "sources")
        folder.mkdir()
        sources = mount.write(plan, folder)
        given = sha256(sources.verilog.read_bytes())
        given.update(sources.constraints.read_bytes() if sources.constraints else b"")
        if known.get(name, {}).get("given") == given.hexdigest():
            return known[name]
        print(name, flush=True)
        out = Path(work, "build")
        build(
            plan.program,
            plan.schedule,
            mount.target,
            out,
            clock_hz=mount.clock_hz,
            around=mount.write,
        )
        found = load_report(out / "report.json")["measured"]
        modules = json.loads((out / "synthesis.json").read_text())["modules"]
    needs = {module: modules[module] for module in (WHOLE, CORE)}
    print(f"  {found['luts']} LUTs, {found['fmax_mhz']} MHz", flush=True)
    figures = {key: found[key] for key in ("luts", "ffs", "brams", "fmax_mhz")}
    return {"board": name, "given": given.hexdigest(), **figures, "modules": needs}


def linked(row: Row) -> dict[str, float]:
    """What a board takes besides its core; of LUTs, which placing makes more, the same share."""
    whole, core = row["modules"][WHOLE], row["modules"][CORE]
    besides = {key: whole[key] - core.get(key, 0) for key in ("luts", "ffs", "brams")}
    return besides | {"luts": row["luts"] * besides["luts"] / whole["luts"]}


def code(rows: Mapping[str, Row], known: Mapping[str, Board]) -> str:
    """What stands between the marks of around.py."""
    lines = ["AROUND = {"]
    for family in dict.fromkeys(str(known[name].part.family) for name in rows):
        some = [linked(row) for name, row in rows.items() if known[name].part.family == family]
        luts, ffs, brams = (round(mean(row[key] for row in some)) for key in some[0])
        lines.append(f'    "{family}": Around({luts}, {ffs}, {brams}),')
    return "\n".join([*lines, "}"])


def table(rows: Mapping[str, Row], known: Mapping[str, Board]) -> Iterator[str]:
    """Every board: what it carries, and what of it is used."""
    yield (
        "| `--target` | board | clock, MHz | LUTs | of the part | of the link | block RAMs | "
        "reaches, MHz | line |"
    )
    yield "|---|---|---:|---:|---:|---:|---:|---:|---|"
    for name, row in rows.items():
        board = known[name]
        reached = f"{row['fmax_mhz']:.1f}" if row["fmax_mhz"] else "(vendor's run)"
        cells = [
            f"`{name}`",
            board.title,
            f"{board.clock(None) / 1e6:g}",
            f"{row['luts']:,}",
            f"{row['luts'] / (board.target.luts or 1):.0%}",
            f"{linked(row)['luts']:,.0f}",
            f"{row['brams']} of {board.target.brams}",
            reached,
            board.transport,
        ]
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    known = boards()
    rows = {row["board"]: row for row in json.loads(OUT.read_text())} if OUT.is_file() else {}
    if not given.page:
        program = load(ROOT / "gallery" / PROGRAM)
        for name, board in known.items():
            turns = board.target.turns
            plan = Plan(program, schedule_for(program, LANES, None, turns=turns))
            rows[name] = measured(name, Mount.on(board), plan, rows)
            write_json(OUT, [rows[name] for name in known if name in rows])
    put_between(CODE, CODE_MARKS, code(rows, known))
    put_between(PAGE, PAGE_MARKS, "\n".join(table(rows, known)))


if __name__ == "__main__":
    main()
