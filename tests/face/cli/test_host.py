"""`sylvan host`: boards that are threads, and one that is the simulated twin."""

import io
import queue
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Sylvan
from linked import Board
from linked_builds import CLOCK_HZ, remembering, write_linked_build
from pretended_board import board_of, golden, plugged_in
from sylvan.boards.link.described import generate
from sylvan.boards.link.plan import LinkPlan
from sylvan.boards.link.vectors import Identity
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.builder import Builder
from sylvan.model.evaluate import evaluate
from sylvan.model.interpret import run, run_stream
from sylvan.model.matrices import Dense
from sylvan.model.program import Program
from sylvan.model.storage import load, save
from sylvan.model.tasks import Split, load_task

from sylvan import twins

GALLERY = Path(__file__).parents[3] / "gallery"
EVERY, LAST = remembering(2, "every"), remembering(2, "last")
ROWS = [[1, 2], [3, -4], [5, 6]]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for name, program in (("every", EVERY), ("last", LAST)):
        save(program, tmp_path / name)
    return tmp_path


def lines(program: Program, rows: list[list[int]], last: list[bool]) -> list[str]:
    """What the command prints of the answers to one sequence."""
    first = [k == 0 for k in range(len(rows))]
    found = run_stream(program, np.array(rows), first, last)
    return [",".join(map(str, [0, t, int(y.argmax()), *(f"{v:g}" for v in y)])) for t, y in found]


HEADER = "sequence,timestep,label,output0,output1,output2,output3"


def test_rows_of_a_file(sylvan: Sylvan, folder: Path) -> None:
    rows = folder / "rows.csv"
    rows.write_text("x,y\n1,2\n3,-4.2\n5,6\n\n\n1,2\n")
    with plugged_in(board_of(EVERY).receive) as port:
        done = sylvan(
            "host", folder / "every", "--port", port, "--baud", 115200, "--csv", rows, "--check"
        )
    assert done.code == 0, done.error
    right = lines(EVERY, ROWS, [False] * 3)
    assert done.out.splitlines() == [HEADER, *right, right[0].replace("0,0", "1,0", 1)]
    assert re.search(r"4 answers to 4 timesteps, [\d,]+ timesteps per second", done.error)
    assert "a line of 115200 baud carries " in done.error and "latency from" in done.error
    assert "every answer equals the golden model's" in done.error


def test_the_last_row_of_a_sequence_by_a_column(sylvan: Sylvan, folder: Path) -> None:
    rows = folder / "rows.csv"
    rows.write_text("x,sequence,y\n1,a,2\n3,a,-4\n5,a,6\n7,b,7\n1,a,2\n3,a,-4\n5,a,6\n")
    with plugged_in(board_of(LAST).receive) as port:
        done = sylvan("host", folder / "last", "--port", port, "--baud", 9600, "--csv", rows)
    (right,) = lines(LAST, ROWS, [False, False, True])
    found = done.out.splitlines()[1:]
    assert len(found) == 3 and found[0] == right and found[2] == right.replace("0,", "2,", 1)


class Typed(io.TextIOBase):
    """Standard input of which the lines come when the test gives them."""

    def __init__(self) -> None:
        self.given: queue.SimpleQueue[str] = queue.SimpleQueue()

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        return self.given.get()


@pytest.mark.parametrize(("name", "program"), [("every", EVERY), ("last", LAST)])
def test_an_answer_comes_when_its_row_has(
    sylvan: Sylvan,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    program: Program,
) -> None:
    typed, printed = Typed(), []
    came = threading.Semaphore(0)
    monkeypatch.setattr("sys.stdin", typed)
    real = print

    def said(*words: Any, **more: Any) -> None:
        printed.append(words[0])
        came.release()
        real(*words, **more)

    monkeypatch.setattr("builtins.print", said)
    seen = []

    def type_in() -> None:
        came.acquire(timeout=10)
        every = program is EVERY
        for line in ["1,2\n", "3,-4\n", "5,6\n", "\n", ""]:
            typed.given.put(line)
            if every == (line.strip() != "") and (every or line == "\n"):
                seen.append(came.acquire(timeout=10))

    hand = threading.Thread(target=type_in)
    hand.start()
    with plugged_in(board_of(program).receive) as port:
        place = folder / name
        done = sylvan("host", place, "--port", port, "--baud", 115200, "--csv", "-")
    hand.join()
    assert done.code == 0 and seen == [True] * len(lines(program, ROWS, [False, False, True]))
    assert printed[1:] == lines(program, ROWS, [False, False, True])


def test_a_task_and_its_score(sylvan: Sylvan) -> None:
    place = GALLERY / "digits"
    program, task = load(place), load_task("digits")
    some = Split(task.test.inputs[:20], task.test.targets[:20])
    arguments = ["host", place, "--baud", 3000000, "--sequences", 20]
    with plugged_in(board_of(program, 4).receive) as port:
        done = sylvan(*arguments, "--port", port)
    assert f"digits: accuracy {evaluate(program, task, some)} on 20 test seq" in done.error
    labels = run(program, some.inputs)[:, 0].tolist()
    rows = [f"{k},63,{label}" for k, label in enumerate(labels)]
    assert sorted(done.out.splitlines()[1:]) == sorted(rows)


def test_a_live_view(sylvan: Sylvan, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sylvan.console import console

    monkeypatch.setattr(console, "_force_terminal", True)
    rows = folder / "rows.csv"
    rows.write_text("1,2\n3,-4\n")
    with plugged_in(board_of(EVERY).receive) as port:
        done = sylvan("host", folder / "every", "--port", port, "--baud", 9600, "--csv", rows)
    assert "2 answers, " in done.out and "latency: median" in done.out and not done.error


def test_the_twin_by_the_same_command(sylvan: Sylvan, tmp_path: Path) -> None:
    build = write_linked_build(tmp_path / "build", EVERY, contexts=2)
    rows = tmp_path / "rows.csv"
    rows.write_text("1,2\n3,-4\n5,6\n")
    done = sylvan("host", build, "--port", "sim", "--csv", rows, "--check")
    assert done.code == 0, done.error
    assert done.out.splitlines() == [HEADER, *lines(EVERY, ROWS, [False] * 3)]


def other_weights() -> Program:
    """A program of the shape of EVERY."""
    b = Builder(EVERY.input)
    h = b.state("h", 4, EVERY.states[0].value.format)
    new = b.narrow(b.matvec(Dense(np.arange(8).reshape(4, 2)), b.input), h.format)
    b.write(h, new)
    b.layer("turning0", new)
    return b.program(b.exponent(0, b.input), "every")


def test_a_fault_in_the_core_of_the_twin_is_caught(
    sylvan: Sylvan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = write_linked_build(tmp_path / "build", EVERY)
    faulty = LinkPlan(Plan(other_weights(), Schedule(lanes=2)), CLOCK_HZ, 3_000_000)
    faulty.identity = Identity.of(EVERY)
    (build / "linked.v").write_text(generate(faulty))
    monkeypatch.setattr(twins, "load_link", lambda folder: faulty)
    rows = tmp_path / "rows.csv"
    rows.write_text("0,0\n3,-4\n5,6\n")
    done = sylvan("host", build, "--port", "sim", "--csv", rows, "--check")
    assert done.code == 1
    assert re.search(r"timestep 1 \(context 0\): golden answers \[.*\], the board \[", done.error)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1,2\n3\n", r"rows.csv:2: expected 2 columns of inputs, got 1: 3"),
        ("x,y\n1,2\n\n3,oops\n", r"rows.csv:4: expected a number, got 'oops'"),
        ("1,nan\n3,4\n5,nan\n", r"rows.csv:3: expected a number, got 'nan'"),
        ("x,y,z\n", r"rows.csv:1: expected 2 columns of inputs, got 3: x,y,z"),
        ("", "rows.csv has no rows"),
        ("x,y\n", "rows.csv has no rows"),
        ("1,\xff\n", None),
    ],
)
def test_bad_rows(sylvan: Sylvan, folder: Path, text: str, sentence: str | None) -> None:
    rows = folder / "rows.csv"
    rows.write_text(text, encoding="latin-1")
    with plugged_in(board_of(EVERY).receive) as port:
        done = sylvan("host", folder / "every", "--port", port, "--baud", 9600, "--csv", rows)
    assert done.code == 2 and re.search(sentence or r"rows.csv is no text: 'utf-8'", done.error)


def test_bad_symbols(sylvan: Sylvan, tmp_path: Path) -> None:
    program = remembering(1, "every", symbols=20)
    save(program, tmp_path / "program")
    rows = tmp_path / "rows.csv"
    with plugged_in(board_of(program).receive) as port:
        for text in ("3\n20\n", "3\n-1\n", "3\n1.5\n"):
            rows.write_text(text)
            done = sylvan("host", tmp_path, "--port", port, "--baud", 9600, "--csv", rows)
            said = f"rows.csv:2: a symbol is an integer from 0 to 19, got '{text.split()[1]}'"
            assert done.code == 2 and said in done.error


def replies(name: str) -> Any:
    boards = {
        "another program": board_of(LAST).receive,
        "no board": lambda line: b"",
        "another baud rate": lambda line: b"\x80\xf0\x00",
        "wrong": Board(Identity.of(EVERY), golden(other_weights())).receive,
    }
    return boards[name]


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("another program", 2, "the board runs program [0-9a-f]{16}, not [0-9a-f]{16}"),
        ("no board", 2, "115200 baud: the board did not answer 24 times: is it plugged in"),
        ("another baud rate", 2, "115200 baud: what comes is no frame of the link"),
        ("wrong", 1, r"timestep 0 \(context 0\): golden answers"),
    ],
)
def test_bad_boards(
    sylvan: Sylvan,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: int,
    sentence: str,
) -> None:
    monkeypatch.setattr("sylvan.boards.link.client.TIMEOUT", 0.1)
    rows = folder / "rows.csv"
    rows.write_text("1,2\n3,-4\n5,6\n")
    with plugged_in(replies(name)) as port:
        done = sylvan(
            "host", folder / "every", "--port", port, "--baud", 115200, "--csv", rows, "--check"
        )
    assert done.code == code and re.search(sentence, done.error), done.error


def test_a_board_that_is_unplugged(sylvan: Sylvan, folder: Path) -> None:
    board, count = board_of(EVERY), iter(range(1 << 20))

    def reply(line: bytes) -> bytes:
        if next(count) > 2:
            raise EOFError
        return board.receive(line)

    rows = folder / "rows.csv"
    rows.write_text("1,2\n" * 500)
    with plugged_in(reply) as port:
        done = sylvan("host", folder / "every", "--port", port, "--baud", 9600, "--csv", rows)
    assert done.code == 2 and "is gone: was the board unplugged?" in done.error


def test_an_interruption(sylvan: Sylvan, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: Any) -> Iterator[str | None]:
        yield "1,2\n"
        yield from [None] * 100
        raise KeyboardInterrupt

    monkeypatch.setattr("sylvan.sources._arriving", interrupted)
    with plugged_in(board_of(EVERY).receive) as port:
        done = sylvan("host", folder / "every", "--port", port, "--baud", 9600, "--csv", "-")
    assert done.code == 130 and "interrupted: 1 answers had come" in done.error


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], r"which port is the board at\? Say --port PORT, or --port sim\. (Ports here|No ser)"),
        (["--port", "/dev/ttyNONE", "--csv", "-", "--baud", "9600"], "no port /dev/ttyNONE"),
        (["--port", "sim", "--csv", "-"], r"has no link\.json: it is no build for a board"),
        (["--port", "/dev/null", "--csv", "-"], r"has no link\.json, so it does not say the baud"),
        (["--port", "sim", "--csv", "a", "--task", "digits"], "leave out --task and --sequences"),
        (["--port", "sim", "--csv", "a", "--sequences", "3"], "leave out --task and --sequences"),
        (["--port", "sim"], "does not say what task it is for: name one with --task"),
        (["--port", "sim", "--task", "digits"], "does not fit the task digits: its input is"),
    ],
)
def test_what_is_missing(sylvan: Sylvan, folder: Path, arguments: list[str], sentence: str) -> None:
    done = sylvan("host", folder / "every", *arguments)
    assert done.code == 2 and re.search(sentence, done.error), done.error
