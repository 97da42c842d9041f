"""The host's end of the link: docs/link.md, section 4. Bytes and a clock in, bytes out; no I/O."""

from collections import deque
from dataclasses import dataclass

from sylvan.model.errors import UserError

from .frames import DELIMITER, NUMBERS, Decoder, Frame, Kind
from .vectors import MOST_CONTEXTS, Identity

SLOWEST = 2
"""Timeouts between two questions, at most: a board that is busy is not to be flooded."""


@dataclass(frozen=True)
class Step:
    """A timestep to send, or an answer that came: a payload and its flags."""

    payload: bytes
    first: bool = False
    last: bool = False
    context: int = 0


class Host:
    """Sends timesteps, once each and in order, and hands out answers, once each and in order.

    Whoever moves the bytes calls `write` when what it gave before has left, and when time passes.

    Parameters: expected, what the board must be, but for its contexts; token, 0 to 65535, drawn
    anew for each session; timeout, seconds without news after which it asks again, and after twice
    as many from then on; patience, how often it asks a board that says nothing;
    stall, seconds without news after which it gives up a board that does nothing but speak.

    Attributes: contexts, of the board, once `opened`.
    """

    def __init__(
        self,
        expected: Identity,
        *,
        token: int,
        timeout: float,
        patience: int = 24,
        stall: float = float("inf"),
    ) -> None:
        self.expected = expected
        self.token = token
        self.timeout = timeout
        self.patience = patience
        self.stall = stall
        self.decoder = Decoder()
        self.opened = False
        self.contexts = 0
        self._steps: deque[Step] = deque()  # not acknowledged; the first has the number `_base`
        self._base = self._limit = 0
        self._sent = self._known = 0  # how many of these were sent since it went back, and ever
        self._answer = self._due = 0  # the number of the next answer, and how many are to come
        self._asks = 0  # how often it asked in a row without a word of the board's
        self._wait = timeout
        self._deadline: float | None = None  # of the next word; None where there was news
        self._since = 0.0  # when there was news last
        self._acknowledges = self._misses = False
        self._missed: int | None = None  # the answer that was asked for again
        self._question = 1  # the number of a RESEND, until its STATUS is there
        self._doubted: int | None = None  # the first timestep that was not sent when it was asked

    @property
    def done(self) -> bool:
        """Whether every timestep is acknowledged, every answer there, and room for the next."""
        return self.opened and not self._steps and not self._due and self.wants > 0

    @property
    def wants(self) -> int:
        """Timesteps that would leave at once; below 0, how many of those it has would not."""
        return (self._limit - self._base) % NUMBERS - len(self._steps)

    def send(self, step: Step, answered: bool) -> None:
        """Take a timestep to be sent, of which the program says whether it is answered."""
        size = self.expected.step_bytes
        if len(step.payload) != size or not 0 <= step.context < self.contexts:
            raise UserError(
                f"expected a timestep of {size} bytes for a context below {self.contexts}, got "
                f"{len(step.payload)} bytes for context {step.context}"
            )
        self._steps.append(step)
        self._due += answered

    def receive(self, line: bytes) -> list[Step]:
        """Take bytes that came; the answers that are complete with them."""
        answers = []
        for frame in self.decoder.feed(line):
            if not frame.kind.of_board:
                continue
            self._asks = 0
            if frame.kind is Kind.IDENTITY:
                self._open(frame)
            elif self.opened:
                answers += self._settle(frame)
        return answers

    def write(self, now: float) -> bytes:
        """The bytes to put on the line now."""
        doubts = self._doubts(now)
        if not self.opened:
            opening = Frame(Kind.OPEN, number=self.token % NUMBERS, context=self.token // NUMBERS)
            return self._asking(opening) if doubts else b""
        out = b""
        if doubts or self._misses:
            out += self._asking(Frame(Kind.RESEND, self._question, self._answer))
            if self._doubted is None:
                self._doubted = (self._base + self._sent) % NUMBERS
        room = (self._limit - self._base) % NUMBERS
        while self._sent < min(len(self._steps), room):
            out += self._step(self._sent)
            self._sent += 1
        self._known = max(self._known, self._sent)
        if self._acknowledges and not out:
            out = Frame(Kind.ACK, awaited=self._answer).encode()
        self._acknowledges = self._misses = False
        return out

    def _doubts(self, now: float) -> bool:
        """Whether to ask again: something is to come, and there was no news for too long."""
        if self.done:
            self._deadline = None
            return False
        if self._deadline is not None and now < self._deadline:
            return False
        begins = self._deadline is None
        if begins:
            self._since, self._wait = now, self.timeout
        else:
            self._wait = min(2 * self._wait, SLOWEST * self.timeout)
        self._deadline = now + self._wait
        if begins and self.opened:
            return False
        self._give_up(now)
        self._asks += 1
        return True

    def _give_up(self, now: float) -> None:
        if self._asks == self.patience:
            if self.decoder.dropped and not self.opened:
                raise UserError(
                    "what comes is no frame of the link: is this the board's baud rate, and its "
                    "bitstream one with a link?"
                )
            raise UserError(
                f"the board did not answer {self.patience} times: is it plugged in, and are this "
                "its port and its baud rate?"
            )
        if now - self._since > self.stall:
            raise UserError(
                f"the board speaks, but its core has moved nothing for {now - self._since:.0f} s: "
                "open it again, with a longer timeout if a timestep takes that long"
            )

    def _asking(self, frame: Frame) -> bytes:
        """A frame of its own, whatever half of another one is on the line before it."""
        return bytes([DELIMITER]) + frame.encode()

    def _step(self, place: int) -> bytes:
        step, number = self._steps[place], (self._base + place) % NUMBERS
        return Frame(
            Kind.STEP,
            number,
            self._answer,
            step.context,
            first=step.first,
            last=step.last,
            payload=step.payload,
        ).encode()

    def _open(self, frame: Frame) -> None:
        if frame.number + NUMBERS * frame.context != self.token:
            if self.opened:
                raise UserError("another program has opened the board; this session is over")
            return
        found, expected = Identity.decode(frame.payload), self.expected
        if found.program != expected.program:
            raise UserError(
                f"the board runs program {found.program.hex()}, not {expected.program.hex()}: "
                "load the bitstream of this program"
            )
        if (found.step_bytes, found.answer_bytes) != (expected.step_bytes, expected.answer_bytes):
            raise UserError(
                f"the board packs the program otherwise: {found.step_bytes} and "
                f"{found.answer_bytes} bytes per timestep and answer, expected "
                f"{expected.step_bytes} and {expected.answer_bytes}; build it again"
            )
        if not 1 <= found.contexts <= MOST_CONTEXTS:
            raise UserError(
                f"the board says it has {found.contexts} contexts, expected 1 to {MOST_CONTEXTS}"
            )
        if not self.opened:
            self.opened = True
            self.contexts = found.contexts
            self._limit = frame.limit
            self._deadline = None

    def _settle(self, frame: Frame) -> list[Step]:
        """What the board says of timesteps and room; the answer, if it is the next one."""
        if frame.kind is Kind.REFUSED:
            raise UserError(
                "the board was reset and has lost its state, or its core knows no such timestep: "
                "open it again"
            )
        settled = (frame.awaited - self._base) % NUMBERS
        if settled > self._known:
            raise UserError("the board acknowledges timesteps that were never sent: open it again")
        for _ in range(settled):
            self._steps.popleft()
        self._base = frame.awaited
        self._known -= settled
        self._sent = max(self._sent - settled, 0)
        if settled or frame.limit != self._limit:
            self._deadline = None
        self._limit = frame.limit
        if frame.kind is Kind.STATUS and frame.number == self._question:
            self._go_back()
        return self._next(frame) if frame.kind is Kind.ANSWER else []

    def _go_back(self) -> None:
        """The board has met the question: what was sent before and is not acknowledged is lost."""
        if self._doubted is not None:
            if 0 < (self._doubted - self._base) % NUMBERS <= self._known:
                self._sent = 0
            self._question, self._doubted = self._question % (NUMBERS - 1) + 1, None

    def _next(self, frame: Frame) -> list[Step]:
        self._acknowledges = True
        if frame.number != self._answer:
            behind = (self._answer - frame.number) % NUMBERS <= NUMBERS // 2
            self._misses |= not behind and self._missed != self._answer
            self._missed = self._missed if behind else self._answer
            return []
        if not self._due or len(frame.payload) != self.expected.answer_bytes:
            raise UserError("the board sends an answer that no timestep asks for: open it again")
        self._answer, self._missed = (self._answer + 1) % NUMBERS, None
        self._due -= 1
        self._deadline = None
        return [Step(frame.payload, frame.first, frame.last, frame.context)]
