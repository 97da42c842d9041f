"""What is done on the bus, act by act: the memory that the reader runs through."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from .part import Part, Register

OPERAND_BITS = 8
LONGEST_MS = (1 << OPERAND_BITS) - 1
POLL_MS = 1


class Do(IntEnum):
    """An act; n is its operand. What fails begins the script anew."""

    START = 0  # also a repeated one
    STOP = 1
    SEND = 2  # the byte n, which has to be acknowledged
    READ = 3  # a byte; n is 1 where it is the last one
    EXPECT = 4  # that the last byte is n
    SKIP = 5  # the next act, where the last byte has a bit of n
    GOTO = 6  # act n
    PAUSE = 7  # n milliseconds
    LIMIT = 8  # from now to the next limit: fails after n milliseconds
    SCALE = 9  # the last two bytes, as the next channel
    GIVE = 10  # the timestep to the core


@dataclass(frozen=True)
class Step:
    """An act and its operand, n."""

    do: Do
    n: int = 0


def script(part: Part, channels: int) -> list[Step]:
    """Begins with a bus in any state and ends in a loop that gives a timestep for each sample.

    Nothing is given before the part was found awake after its counts were read: an open or stuck
    bus reads as ones or zeros like any others. From sample to sample it has to take no longer than
    one and a quarter of what it should, or one may be missing.
    """
    steps = [
        Step(Do.LIMIT, LONGEST_MS),
        # A target cut off in the middle of a byte lets go of SDA within nine clocks.
        Step(Do.READ, 1),
        Step(Do.STOP),
        Step(Do.PAUSE, part.starts_ms),
        *_checked(part, part.identity),
    ]
    for register, value in part.configuration:
        steps += [*_addressed(part, register), Step(Do.SEND, value), Step(Do.STOP)]
    register, bits = part.ready
    # A sample that waited may be replaced between its bit and its bytes: the first one is let go.
    steps += [Step(Do.PAUSE, part.settles_ms), *_read(part, register, 1)]
    polls = Step(Do.GOTO, len(steps))
    steps += [
        Step(Do.PAUSE, POLL_MS),
        *_read(part, register, 1),
        Step(Do.SKIP, bits),
        polls,
        *_counts(part, channels),
        *_checked(part, part.awake),
        Step(Do.GIVE),
        Step(Do.LIMIT, part.sample_ms * 5 // 4),
        polls,
    ]
    return steps


def _addressed(part: Part, register: int) -> list[Step]:
    return [Step(Do.START), Step(Do.SEND, part.address << 1), Step(Do.SEND, register)]


def _read(part: Part, register: int, count: int) -> Iterator[Step]:
    """Registers from this one on; READ and what follows it, by byte."""
    yield from _addressed(part, register)
    yield from (Step(Do.START), Step(Do.SEND, part.address << 1 | 1))
    for left in range(count, 0, -1):
        yield Step(Do.READ, int(left == 1))
    yield Step(Do.STOP)


def _checked(part: Part, register: Register) -> Iterator[Step]:
    number, value = register
    yield from _read(part, number, 1)
    yield Step(Do.EXPECT, value)


def _counts(part: Part, channels: int) -> Iterator[Step]:
    """The words of the first channels, each scaled when its second byte has come."""
    words = part.words[: part.words.index(channels - 1) + 1]
    ends = iter(words)
    second = False
    for step in _read(part, part.counts, 2 * len(words)):
        yield step
        if step.do is Do.READ:
            if second and next(ends) is not None:
                yield Step(Do.SCALE)
            second = not second
