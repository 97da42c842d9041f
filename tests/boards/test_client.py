"""A host that talks to a board at a pseudo-terminal, and all that may fail."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from linked import Board, Core
from linked_builds import remembering, write_linked_build
from pretended_board import Reply, board_of, golden, plugged_in
from programs import random_inputs
from sylvan.boards.link.asynchronous import AsyncLink
from sylvan.boards.link.client import Link
from sylvan.boards.link.host import Step
from sylvan.boards.link.session import Timestep
from sylvan.boards.link.vectors import Identity
from sylvan.model.builder import Builder
from sylvan.model.errors import CheckError, UserError
from sylvan.model.interpret import run, run_stream
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program
from sylvan.model.storage import save
from sylvan.model.units import real_answers

import sylvan

BAUD = 3_000_000
EVERY, LAST = remembering(2, "every"), remembering(3, "last")
PROGRAMS = {"every": (EVERY, 1), "last": (LAST, 1), "contexts": (EVERY, 3), "many": (LAST, 7)}


@contextmanager
def linked_to(program: Program, contexts: int = 1, check: bool = False) -> Iterator[Link]:
    """A link to a board that is what it should be."""
    with (
        plugged_in(board_of(program, contexts, room=64).receive) as port,
        Link(port, program, baud=BAUD, check=check) as link,
    ):
        yield link


def sum_of_sensors(argmax: bool) -> Program:
    """Two channels with scales of their own, and units that go by the phase."""
    b = Builder(NumericInput(2, Format(-8, 7, -1), (2.0, 0.5), (10.0, -1.0)), period=2)
    state = b.state("sum", 2, Format(-64, 63, -1), unit=[1.0, 1.0])
    new = b.narrow(b.add(state, b.input), state.format)
    b.write(state, new)
    b.layer("summing", new)
    return b.program(b.argmax(b.input) if argmax else b.input, "every", unit=[1.0, 10.0])


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_board_answers_as_golden_does(name: str) -> None:
    program, contexts = PROGRAMS[name]
    inputs = random_inputs(program, (10, 13), 0)
    with linked_to(program, contexts, check=True) as link:
        assert link.contexts == contexts
        assert link.run(inputs).tolist() == run(program, inputs).tolist()
        assert link.run(inputs[:1]).tolist() == run(program, inputs[:1]).tolist()


def test_a_batch_larger_than_the_numbers_and_the_window() -> None:
    inputs = random_inputs(EVERY, (3, 400), 0)
    with linked_to(EVERY) as link:
        assert link.run(inputs).tolist() == run(EVERY, inputs).tolist()


def test_real_numbers_in_and_out() -> None:
    program = sum_of_sensors(argmax=False)
    x = [[12.1, -0.5], [9.0, -1.26], [1000.0, -0.9]]
    raw = [[2, 2], [-1, -1], [7, 0]]
    assert program.input.raw(x).tolist() == raw  # type: ignore[union-attr]
    with linked_to(program) as link:
        assert link(x).tolist() == [[1.0, 1.0], [5.0, 5.0], [4.0, 0.5]]
        assert link(x).tolist() == real_answers(program, run(program, [raw]), 3)[0].tolist()
        values = [a.values for a in link.stream([Timestep(raw[0], True), Timestep(raw[1])])]
        assert values == [[1.0, 1.0], [5.0, 5.0]]
        for wrong in ([[1.0]], [1.0, 2.0], [["a", "b"]]):
            with pytest.raises(UserError, match=r"has the shape \(timesteps, 2\), got"):
                link(wrong)
        with pytest.raises(UserError, match="of finite numbers"):
            link([[1.0, float("nan")]])
    index = sum_of_sensors(argmax=True)
    with linked_to(index) as link:
        assert link(x).tolist() == run(index, [raw])[0, :, 0].tolist()


def test_the_public_names() -> None:
    assert sylvan.Link is Link and sylvan.AsyncLink is AsyncLink and callable(sylvan.twin)


def test_symbols() -> None:
    program = remembering(1, "last", symbols=20)
    with linked_to(program) as link:
        assert link([3, 19, 0]).shape == (4,)
        with pytest.raises(UserError, match=r"raw inputs must lie in \[0, 19\]"):
            link([20])


def test_a_stream_is_answered_while_it_is_waited_for() -> None:
    seen: list[int] = []

    def rows(wait: int = 3) -> Iterator[Timestep | None]:
        for k in range(5):
            yield Timestep([k, -k], first=k == 0)
            while len(seen) <= k:
                yield None

    with linked_to(EVERY) as link:
        for answer in link.stream(rows()):
            assert answer.timestep.raw == [answer.number, -answer.number] and answer.seconds > 0
            seen.append(answer.number)
    assert seen == [0, 1, 2, 3, 4]


def test_a_stream_that_is_left_disturbs_none_after_it() -> None:
    inputs = random_inputs(EVERY, (2, 40), 0)
    with linked_to(EVERY, check=True) as link:
        for answer in link.stream(Timestep([1, 2]) for _ in range(100)):
            if answer.number == 5:
                break
        assert link.run(inputs).tolist() == run(EVERY, inputs).tolist()


def test_a_state_goes_on_from_stream_to_stream() -> None:
    rows = [[k, 3] for k in range(6)]
    right = [y.tolist() for _, y in run_stream(EVERY, np.array(rows), [False] * 6, [False] * 6)]
    with linked_to(EVERY, check=True) as link:
        parts = rows[:4], rows[4:]
        found = [a.raw for part in parts for a in link.stream(map(Timestep, part))]
    assert found == right


def test_beside_other_work() -> None:
    inputs = random_inputs(EVERY, (4, 30), 0)
    beats = 0

    async def sensor() -> AsyncIterator[Timestep]:
        for k in range(4):
            await asyncio.sleep(0.03)
            yield Timestep([k, k], first=k == 0)

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.005)

    async def whole(port: str) -> None:
        beating = asyncio.create_task(beat())
        async with AsyncLink(port, EVERY, baud=BAUD, check=True) as link:
            both = await asyncio.gather(link.run(inputs), link(inputs[0]))
            assert both[0].tolist() == run(EVERY, inputs).tolist()
            assert both[1].tolist() == run(EVERY, inputs[:1])[0].tolist()
            assert [a.number - 150 async for a in link.stream(sensor())] == [0, 1, 2, 3]
        beating.cancel()

    with plugged_in(board_of(EVERY, 2).receive) as port:
        asyncio.run(whole(port))
    assert beats > 10


def test_a_task_that_is_cancelled_leaves_the_port_to_others() -> None:
    async def endless() -> AsyncIterator[Timestep]:
        while True:
            yield Timestep([1, 1])
            await asyncio.sleep(0.001)

    async def whole(port: str) -> None:
        async def use() -> None:
            async with AsyncLink(port, EVERY, baud=BAUD) as link:
                async for _ in link.stream(endless()):
                    pass

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(use(), 0.3)

    with plugged_in(board_of(EVERY).receive) as port:
        asyncio.run(whole(port))
        with Link(port, EVERY, baud=BAUD) as link:
            assert link([[1, 2]]).shape == (1, 4)


def test_an_interruption_leaves_the_port_to_others() -> None:
    def rows() -> Iterator[Timestep]:
        yield Timestep([1, 1])
        raise KeyboardInterrupt

    with plugged_in(board_of(EVERY).receive) as port:
        with pytest.raises(KeyboardInterrupt), Link(port, EVERY, baud=BAUD) as link:
            list(link.stream(rows()))
        with Link(port, EVERY, baud=BAUD) as link:
            assert link([[1, 2]]).shape == (1, 4)


def failing(reply: Reply, sentence: str, kind: type[Exception] = UserError) -> None:
    """A conversation that ends in a sentence, with the port closed."""
    with plugged_in(reply) as port:
        with (
            pytest.raises(kind, match=sentence),
            Link(port, EVERY, baud=BAUD, timeout=0.1, check=True) as link,
        ):
            link.run(random_inputs(EVERY, (4, 100), 0))
        held = [os.readlink(fd) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
        assert held.count(port) <= 1


def test_a_board_that_says_nothing() -> None:
    failing(lambda line: b"", r"/dev/pts/\d+, 3000000 baud: the board did not answer 24 times")


def test_another_baud_rate() -> None:
    failing(lambda line: b"\x80\xf0\x00" * 3, "3000000 baud: what comes is no frame of the link")


def test_an_echo_is_no_board() -> None:
    failing(lambda line: line, "the board did not answer 24 times")


def test_a_board_with_another_program() -> None:
    failing(board_of(LAST).receive, "the board runs program [0-9a-f]{16}, not [0-9a-f]{16}: load")


def test_a_board_that_is_unplugged() -> None:
    board, lines = board_of(EVERY), 0

    def reply(line: bytes) -> bytes:
        nonlocal lines
        lines += 1
        if lines > 3:
            raise EOFError
        return board.receive(line)

    failing(reply, r"3000000 baud: /dev/pts/\d+ is gone: was the board unplugged\?")


def test_a_board_that_is_reset() -> None:
    board, lines = board_of(EVERY), 0

    def reply(line: bytes) -> bytes:
        nonlocal lines
        lines += 1
        if lines == 4:
            board.opened = False
        return board.receive(line)

    failing(reply, "the board was reset and has lost its state")


def test_a_board_whose_core_stands_still() -> None:
    board = Board(Identity.of(EVERY), lambda: lambda step: [])
    failing(board.receive, "the board speaks, but its core has moved nothing for 1 s")


def spoilt(change: Callable[[Step], Step]) -> Board:
    """A board whose eighth answer is changed."""
    made = golden(EVERY)

    def make() -> Core:
        core, count = made(), iter(range(1 << 20))
        return lambda step: [change(a) if next(count) == 7 else a for a in core(step)]

    return Board(Identity.of(EVERY), make)


def test_a_wrong_answer_is_seen_at_once() -> None:
    board = spoilt(lambda answer: replace(answer, payload=bytes(8)))
    said = r"timestep 7 \(context 0\): golden answers \[.*\], the board \[0, 0, 0, 0\]"
    failing(board.receive, said, CheckError)


def test_an_answer_with_other_flags_is_seen_at_once() -> None:
    board = spoilt(lambda answer: replace(answer, last=True))
    failing(board.receive, "timestep 7 is answered with first, last and context", CheckError)


def test_a_port_that_is_in_use() -> None:
    said = r"/dev/pts/\d+ is in use by another program"
    with linked_to(EVERY) as link, pytest.raises(UserError, match=said):
        Link(link.port, EVERY, baud=BAUD)


@pytest.mark.parametrize(
    ("port", "sentence"),
    [
        ("/dev/ttyNONE", r"there is no port /dev/ttyNONE\. (Ports here: |No serial port is here)"),
        ("/dev/null", r"/dev/null is no serial port: .*ioctl.*\. (Ports here: |No serial port)"),
        ("nonsense://x", "nonsense://x cannot be opened with 3000000 baud: "),
        ("socket://127.0.0.1:1", r"there is no port socket://127.0.0.1:1\."),
    ],
)
def test_no_such_port(port: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Link(port, EVERY, baud=BAUD)


def test_what_a_link_is_told_wrongly(tmp_path: Path) -> None:
    save(EVERY, tmp_path / "program")
    with pytest.raises(UserError, match=r"has no link\.json, so it does not say the baud rate"):
        Link("/dev/null", tmp_path / "program")
    with pytest.raises(UserError, match="a number above 0, got 0"):
        Link("/dev/null", EVERY, baud=0)
    with pytest.raises(UserError, match="a number above 0, got None"):
        Link("/dev/null", EVERY)
    with pytest.raises(UserError, match="seconds above 0, got 0"):
        Link("/dev/null", EVERY, baud=9600, timeout=0)
    with pytest.raises(UserError, match="read at a list of timesteps"):
        Link("/dev/null", remembering(1, (1, 3)), baud=9600)
    build = write_linked_build(tmp_path / "build", EVERY)
    with pytest.raises(UserError, match="was built for 3000000 baud, not for 9600"):
        Link("/dev/null", build, baud=9600)
    with plugged_in(board_of(EVERY).receive) as port:
        for folder in (build, tmp_path):
            baud = None if folder is build else BAUD
            with Link(port, str(folder), baud=baud) as link:
                assert link.baud == BAUD and link.program == EVERY
                with pytest.raises(UserError, match="element 0 is 99, outside -16 to 15"):
                    list(link.stream([Timestep([99, 0])]))


def test_socket_urls() -> None:
    """A board behind a network: what pyserial opens by a URL."""
    board, server = board_of(EVERY), socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as line:
            while came := line.recv(4096):
                line.sendall(board.receive(came))

    thread = threading.Thread(target=serve)
    thread.start()
    inputs = random_inputs(EVERY, (2, 20), 0)
    with Link(f"socket://127.0.0.1:{server.getsockname()[1]}", EVERY, baud=BAUD) as link:
        assert link.run(inputs).tolist() == run(EVERY, inputs).tolist()
    thread.join(10)
