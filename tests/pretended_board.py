"""A board that is a thread: golden behind the board's end of the link, behind a pseudo-terminal."""

import os
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from linked import Board, Core
from sylvan.boards.link.host import Step
from sylvan.boards.link.vectors import Identity, Vector
from sylvan.hw.ports import input_port, output_port
from sylvan.model.interpret import Machine
from sylvan.model.program import Program

Reply = Callable[[bytes], bytes]
"""What comes back for bytes that were sent; EOFError where the board is unplugged."""


def golden(program: Program) -> Callable[[], Core]:
    """Makes the core of a program."""
    source, sink = Vector.of(input_port(program)), Vector.of(output_port(program))

    def make() -> Core:
        machines: dict[int, Machine] = {}

        def core(step: Step) -> list[Step]:
            machine = machines.setdefault(step.context, Machine(program))
            if step.first:
                machine.reset()
            machine.step(np.array(source.unpack(step.payload))[:, None])
            if not machine.reads(step.last):
                return []
            answer = sink.pack(machine.answer()[:, 0].tolist())
            return [Step(answer, step.first, step.last, step.context)]

        return core

    return make


def board_of(program: Program, contexts: int = 1, room: int = 16) -> Board:
    """A board that is what it should be."""
    return Board(Identity.of(program, contexts), golden(program), room)


@contextmanager
def plugged_in(reply: Reply) -> Iterator[str]:
    """The port at which there are these replies."""
    board, host = os.openpty()
    tty.setraw(host)
    port = os.ttyname(host)

    def live() -> None:
        try:
            while line := os.read(board, 4096):
                os.write(board, reply(line))
        except (EOFError, OSError):
            os.close(board)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield port
    finally:
        os.close(host)
        thread.join(10)
        assert not thread.is_alive()
