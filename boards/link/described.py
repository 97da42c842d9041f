# amaranth: UnusedElaboratable=no
"""The link of a build on disk: linked.v for tools and the twin, link.json for who talks to it."""

from dataclasses import dataclass
from pathlib import Path

from amaranth.back import verilog
from sylvan.hw.build import check_unchanged
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.errors import UserError, shortened
from sylvan.model.files import parse_json, write_json
from sylvan.model.program import Program
from sylvan.model.storage import load

from .linked import LinkedCore
from .plan import LinkPlan

MODULE = "linked"
VERILOG_FILE, LINE_FILE = "linked.v", "link.json"


@dataclass(frozen=True)
class Line:
    """What link.json says: the clock of the board, and the bits per second of the line."""

    clock_hz: float
    baud: int


def generate(link: LinkPlan) -> str:
    """Verilog of the core behind two wires: module `linked`, with clk, rst, rx and tx."""
    core = LinkedCore(link)
    ports = {"rx": (core.rx, None), "tx": (core.tx, None)}
    text = verilog.convert(
        core, name=MODULE, ports=ports, emit_src=False, strip_internal_attrs=True
    )
    return (
        f"// {MODULE}: the core of program {link.identity.program.hex()} behind a serial line of "
        f"{link.baud} baud, {link.clocks} clocks a bit\n"
        "// clk, rst: clock; synchronous reset, active high\n"
        "// rx, tx: the line, with 8 data bits, no parity and 1 stop bit\n"
        f"{text}"
    )


def write_link(link: LinkPlan, folder: Path) -> None:
    """Write linked.v and link.json into a build directory."""
    (folder / VERILOG_FILE).write_text(generate(link))
    write_json(folder / LINE_FILE, {"clock_hz": link.clock_hz, "baud": link.baud})


def load_line(folder: Path) -> Line:
    """What link.json of a build directory says. Raises UserError if it is none."""
    path = folder / LINE_FILE
    try:
        said = parse_json(path.read_text())
        if not isinstance(said, dict) or set(said) != {"clock_hz", "baud"}:
            raise ValueError("expected an object of clock_hz and baud")
        clock_hz, baud = said["clock_hz"], said["baud"]
        if type(clock_hz) not in (int, float) or type(baud) is not int or min(clock_hz, baud) <= 0:
            raise ValueError(f"expected numbers above 0, got {clock_hz!r} and {baud!r}")
    except FileNotFoundError:
        raise UserError(
            f"{folder} has no {LINE_FILE}: it is no build for a board. `sylvan build PROGRAM "
            "--target BOARD` makes one."
        ) from None
    except (OSError, ValueError) as error:
        said = shortened(str(error))
        raise UserError(f"{path} cannot be read: {said}. Build it again.") from None
    return Line(clock_hz, baud)


def at_the_other_end(folder: Path, baud: int | None) -> tuple[Program, int | None]:
    """The program that a board runs, and its baud rate, which only a build directory knows.

    `folder` is the board's build directory, or the program that it was made of.
    """
    built = (folder / LINE_FILE).exists()
    if built:
        line = load_line(folder)
        if baud is not None and baud != line.baud:
            raise UserError(
                f"{folder} was built for {line.baud} baud, not for {baud}: leave it out"
            )
        baud = line.baud
    elif baud is None:
        raise UserError(
            f"{folder} has no {LINE_FILE}, so it does not say the baud rate of the board: give "
            "the baud rate, or the directory that the board's bitstream was built in"
        )
    inner = folder / "program"
    return load(inner if inner.is_dir() else folder), baud


def load_link(folder: Path) -> LinkPlan:
    """The link of a build directory, whose Verilog is what its program and schedule give.

    Raises UserError if it is none, incomplete, or was changed.
    """
    line = load_line(folder)
    check_unchanged(folder)
    schedule = Schedule.from_keys(parse_json((folder / "plan.json").read_text())["schedule"])
    link = LinkPlan(Plan(load(folder / "program"), schedule), line.clock_hz, line.baud)
    path = folder / VERILOG_FILE
    if not path.is_file() or path.read_text() != generate(link):
        raise UserError(
            f"{path} is not what its program, schedule and {LINE_FILE} give: it was changed, or "
            "another version made it. Build it again."
        )
    return link
