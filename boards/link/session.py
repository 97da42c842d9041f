"""Timesteps in, answers out: a program's streams as bytes of the link. No I/O.

Whoever moves the bytes gives them to `receive` as they come, and sends what `write` gives.
"""

import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sylvan.hw.ports import input_port, output_port
from sylvan.model.errors import CheckError
from sylvan.model.interpret import Machine
from sylvan.model.program import Program

from .frames import Kind, line_bytes
from .host import Host, Step
from .vectors import BITS_PER_BYTE, Identity, Vector

QUESTIONS = 47
"""Timeouts in which 24 questions are asked, all but the first of them two timeouts apart."""
STALLS = 12
"""Times that a board which speaks may take longer for news than one that is silent for a word."""


@dataclass(frozen=True)
class Timestep:
    """Raw integers of the input, and the flags of the core's streams."""

    raw: Sequence[int]
    first: bool = False
    last: bool = False
    context: int = 0


@dataclass(frozen=True)
class Answer:
    """The raw integers that answer a timestep, the one of that number in its session.

    `raw` stands for `raw * unit`; `seconds` passed since the timestep was sent.
    """

    raw: list[int]
    unit: float
    timestep: Timestep
    number: int
    seconds: float

    @property
    def values(self) -> list[float]:
        """The real numbers."""
        return [raw * self.unit for raw in self.raw]


@dataclass(frozen=True)
class _Due:
    """What is known of an answer before it comes; golden's, where that is asked."""

    timestep: Timestep
    number: int
    unit: float
    sent: float
    golden: list[int] | None


class Session:
    """One OPEN and all that follows.

    Parameters: program, read at every timestep or the last one; baud, of the line; timeout, seconds
    of silence after which the board is given up; check, whether golden computes every answer, too.

    Attributes: host, the protocol.
    """

    def __init__(self, program: Program, baud: int, timeout: float, check: bool) -> None:
        identity = Identity.of(program)
        longest = line_bytes(Kind.STEP, identity.step_bytes)
        longest += line_bytes(Kind.ANSWER, identity.answer_bytes)
        self.host = Host(
            identity,
            token=secrets.randbelow(1 << 16),
            timeout=timeout / QUESTIONS + 4 * longest * BITS_PER_BYTE / baud,
            stall=STALLS * timeout,
        )
        self.program = program
        self.check = check
        self._every = program.readout.read == "every"
        scale = 2.0**program.output.format.exp
        self._units = [scale * unit for unit in program.readout.unit]
        self._input = Vector.of(input_port(program))
        self._output = Vector.of(output_port(program))
        self._number = 0
        self._due: deque[_Due] = deque()
        self._phases: dict[int, int] = {}  # of each context's next timestep
        self._machines: dict[int, Machine] = {}

    def send(self, timestep: Timestep, now: float) -> None:
        """Take a timestep. Raises UserError for one that the program or the board cannot take."""
        first, last, context = timestep.first, timestep.last, timestep.context
        answered = self._every or last
        payload = self._input.pack(timestep.raw)
        self.host.send(Step(payload, first, last, context), answered)
        golden = self._golden(timestep) if self.check else None
        phase = 0 if first else self._phases.get(context, 0)
        self._phases[context] = (phase + 1) % len(self._units)
        if answered:
            self._due.append(_Due(timestep, self._number, self._units[phase], now, golden))
        self._number += 1

    def write(self, now: float) -> bytes:
        """The bytes to put on the line now."""
        return self.host.write(now)

    def receive(self, line: bytes, now: float) -> list[Answer]:
        """Take bytes that came; the answers that are complete with them, in order.

        Raises CheckError for one that belongs to no timestep, or differs from golden's.
        """
        return [self._answer(step, now) for step in self.host.receive(line)]

    def _golden(self, timestep: Timestep) -> list[int] | None:
        machine = self._machines.setdefault(timestep.context, Machine(self.program))
        if timestep.first:
            machine.reset()
        machine.step(np.array(timestep.raw, np.int64)[:, None])
        return machine.answer()[:, 0].tolist() if machine.reads(timestep.last) else None

    def _answer(self, step: Step, now: float) -> Answer:
        due = self._due.popleft()
        raw, asked = self._output.unpack(step.payload), due.timestep
        flags = step.first, step.last, step.context
        if flags != (asked.first, asked.last, asked.context):
            raise CheckError(
                f"timestep {due.number} is answered with first, last and context {flags}, expected "
                f"{(asked.first, asked.last, asked.context)}"
            )
        if self.check and raw != due.golden:
            raise CheckError(
                f"timestep {due.number} (context {asked.context}): golden answers {due.golden}, "
                f"the board {raw}"
            )
        return Answer(raw, due.unit, asked, due.number, now - due.sent)
