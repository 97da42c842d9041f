"""A build's link on disk: written, read, and refused where it is not what it was made as."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from linked_builds import write_linked_build
from sylvan.boards.link.described import LINE_FILE, VERILOG_FILE, load_line, load_link
from sylvan.model.errors import UserError


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_linked_build(tmp_path_factory.mktemp("made") / "build")


@pytest.fixture(name="build")
def _build(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "build"))


def test_a_link_is_read_as_it_was_written(build: Path) -> None:
    link = load_link(build)
    assert (link.clock_hz, link.baud, link.clocks) == (12e6, 3_000_000, 4)
    assert load_line(build).baud == 3_000_000
    text = (build / VERILOG_FILE).read_text()
    assert text.startswith("// linked: the core of program " + link.identity.program.hex())
    assert "module linked(clk, rst, tx, rx);" in text


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda b: (b / LINE_FILE).unlink(), "has no link.json: it is no build for a board"),
        (lambda b: (b / LINE_FILE).write_text("{"), "link.json cannot be read: .* Build it again"),
        (lambda b: (b / LINE_FILE).write_text('{"baud": 9600}'), "an object of clock_hz and baud"),
        (
            lambda b: (b / LINE_FILE).write_text('{"baud": 9600.5, "clock_hz": 12e6}'),
            "expected numbers above 0, got 12000000.0 and 9600.5",
        ),
        (
            lambda b: (b / LINE_FILE).write_text('{"baud": 7000000, "clock_hz": 12e6}'),
            "a clock of 12 MHz makes no 7000000 baud",
        ),
        (
            lambda b: (b / LINE_FILE).write_text('{"baud": 115200, "clock_hz": 12e6}'),
            "linked.v is not what its program, schedule and link.json give",
        ),
        (
            lambda b: (b / VERILOG_FILE).open("a").write("initial $system;"),
            "linked.v is not what its program, schedule and link.json give",
        ),
        (lambda b: (b / VERILOG_FILE).unlink(), "linked.v is not what its program"),
        (lambda b: (b / "core.v").write_text(""), "core.v is not what its program"),
    ],
)
def test_what_is_no_link_is_refused(
    build: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    spoil(build)
    with pytest.raises(UserError, match=sentence):
        load_link(build)
