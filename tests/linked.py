"""What the link is tested with: a line that damages bytes, a board that computes a digest."""

from collections import deque
from collections.abc import Callable
from random import Random
from zlib import crc32

from sylvan.boards.link.frames import NUMBERS, Decoder, Frame, Kind
from sylvan.boards.link.host import Host, Step
from sylvan.boards.link.vectors import Identity

NOTHING = Step(b"")
TURNS = 200_000
Core = Callable[[Step], list[Step]]


class Line:
    """Passes bytes on in pieces; `rate` of them are lost, doubled or have a bit flipped."""

    def __init__(self, rng: Random, rate: float) -> None:
        self.rng, self.rate = rng, rate
        self.faults = 0
        self._queue = bytearray()

    def damaged(self, line: bytes) -> bytes:
        out = bytearray()
        for byte in line:
            if self.rng.random() >= self.rate:
                out.append(byte)
                continue
            self.faults += 1
            out += self.rng.choice(
                [b"", bytes([byte] * 2), bytes([byte ^ 1 << self.rng.randrange(8)])]
            )
        return bytes(out)

    def passed(self, line: bytes) -> bytes:
        self._queue += self.damaged(line)
        count = self.rng.randint(0, len(self._queue))
        out, self._queue = bytes(self._queue[:count]), self._queue[count:]
        return out


def digest(every: bool) -> Core:
    """A recurrence that remembers all it was given: a step too many or too few shows for ever."""
    states: dict[int, int] = {}

    def core(step: Step) -> list[Step]:
        state = crc32(step.payload, 0 if step.first else states.get(step.context, 0))
        states[step.context] = state
        answer = Step(state.to_bytes(4, "little"), step.first, step.last, step.context)
        return [answer] if every or step.last else []

    return core


class Board:
    """The board's end of the link, written down anew from docs/link.md."""

    def __init__(self, identity: Identity, make_core: Callable[[], Core], room: int = 16) -> None:
        self.identity, self.make_core, self.room = identity, make_core, room
        self.decoder = Decoder()
        self.opened = False
        self.start()

    def start(self) -> None:
        self.core = self.make_core()
        self.waiting: deque[Step] = deque()
        self.answers: deque[Step] = deque()
        self.awaited = self.oldest = self.sent = 0

    def follows(self, frame: Frame) -> bool:
        return frame.number == self.awaited

    def receive(self, line: bytes) -> bytes:
        return b"".join(self.act(frame) for frame in self.decoder.feed(line))

    def act(self, frame: Frame) -> bytes:
        if frame.kind is Kind.OPEN:
            self.opened = True
            self.start()
            return self.frame(
                Kind.IDENTITY, frame.number, Step(self.identity.encode(), context=frame.context)
            )
        step = Step(frame.payload, frame.first, frame.last, frame.context)
        fits = len(step.payload) == self.identity.step_bytes
        fits &= step.context < self.identity.contexts
        if not self.opened or frame.kind.of_board or (frame.kind is Kind.STEP and not fits):
            return self.frame(Kind.REFUSED)
        freed = (frame.awaited - self.oldest) % NUMBERS
        for _ in range(min(freed, len(self.answers))):
            self.answers.popleft()
            self.oldest = (self.oldest + 1) % NUMBERS
            self.sent = max(self.sent - 1, 0)
        told = b""
        if frame.kind is Kind.RESEND:
            self.sent = 0
            told = self.frame(Kind.STATUS, frame.number)
        if frame.kind is Kind.STEP and self.follows(frame) and len(self.waiting) < self.room:
            self.waiting.append(step)
            self.awaited = (self.awaited + 1) % NUMBERS
        self.work()
        out = told
        while self.sent < len(self.answers):
            number = (self.oldest + self.sent) % NUMBERS
            out += self.frame(Kind.ANSWER, number, self.answers[self.sent])
            self.sent += 1
        return out or self.frame(Kind.STATUS)

    def work(self) -> None:
        """What the core does until the next frame."""
        while self.waiting and len(self.answers) < self.room:
            self.answers += self.core(self.waiting.popleft())

    def frame(self, kind: Kind, number: int = 0, step: Step = NOTHING) -> bytes:
        limit = self.awaited + self.room - len(self.waiting)
        return Frame(
            kind,
            number,
            self.awaited,
            step.context,
            limit % NUMBERS,
            step.first,
            step.last,
            step.payload,
        ).encode()


def random_steps(rng: Random, identity: Identity, count: int) -> list[Step]:
    return [
        Step(
            bytes(rng.choice([0, 255, rng.randrange(256)]) for _ in range(identity.step_bytes)),
            first=rng.random() < 0.1,
            last=rng.random() < 0.2,
            context=rng.randrange(identity.contexts),
        )
        for _ in range(count)
    ]


def exchange(
    host: Host, board: Board, steps: list[Step], every: bool, down: Line, up: Line
) -> list[Step]:
    """Every step sent where there is room, every answer that came, until none is to come."""
    answers: list[Step] = []
    waiting = deque(steps)
    for now in range(TURNS):
        while host.opened and waiting and host.wants > 0:
            step = waiting.popleft()
            host.send(step, every or step.last)
        if host.done and not waiting:
            return answers
        reply = board.receive(down.passed(host.write(float(now))))
        answers += host.receive(up.passed(reply))
    raise AssertionError(f"no end after {TURNS} turns, {len(answers)} answers")
