"""The frames of the link as bytes: docs/link.md, sections 1 and 2. Standard library only."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from zlib import crc32

DELIMITER = 0
LONGEST_BLOCK = 254
"""Bytes without a zero that one code can announce."""
CRC_BYTES = 4
NUMBERS = 256
"""Timesteps and answers are numbered modulo this."""


class Kind(IntEnum):
    """What a frame is; a host sends those below IDENTITY, a board the others."""

    OPEN = 1
    STEP = 2
    ACK = 3
    RESEND = 4
    IDENTITY = 8
    ANSWER = 9
    STATUS = 10
    REFUSED = 11

    @property
    def of_board(self) -> bool:
        """Whether a board sends it, and says how far the host may go."""
        return self >= Kind.IDENTITY

    @property
    def header_bytes(self) -> int:
        """Bytes before the payload."""
        return 5 if self.of_board else 4


KINDS = {kind.value: kind for kind in Kind}
UNUSED = 0b1100
"""Bits of the first byte that are 0: the two above `last` and `first`."""


@dataclass(frozen=True)
class Frame:
    """A frame in full.

    `number` is that of the timestep or answer, `awaited` the number that the sender awaits next
    from the other side, `limit` the first number for which a board has no room.
    """

    kind: Kind
    number: int = 0
    awaited: int = 0
    context: int = 0
    limit: int = 0
    first: bool = False
    last: bool = False
    payload: bytes = b""

    def encode(self) -> bytes:
        """The bytes on the line, delimiter included."""
        header = [self.kind << 4 | self.last << 1 | self.first, self.number, self.awaited]
        header += [self.context, *([self.limit] if self.kind.of_board else [])]
        content = bytes(header) + self.payload
        return stuffed(content + crc32(content).to_bytes(CRC_BYTES, "little")) + bytes([DELIMITER])


def read(content: bytes) -> Frame | None:
    """The frame of unstuffed bytes, or None where they are none."""
    content, crc = content[:-CRC_BYTES], content[-CRC_BYTES:]
    if not content or crc32(content).to_bytes(CRC_BYTES, "little") != crc:
        return None
    kind = KINDS.get(content[0] >> 4)
    if kind is None or content[0] & UNUSED or len(content) < kind.header_bytes:
        return None
    flags, number, awaited, context, *limit = content[: kind.header_bytes]
    return Frame(
        kind,
        number,
        awaited,
        context,
        limit[0] if limit else 0,
        first=bool(flags & 1),
        last=bool(flags & 2),
        payload=content[kind.header_bytes :],
    )


def stuffed(content: bytes) -> bytes:
    """The content in blocks without a zero, each behind its length plus 1 (COBS).

    A block ends where a zero was, unless it is a longest one.
    """
    out = bytearray()
    for part in content.split(b"\0"):
        for start in range(0, len(part) + 1, LONGEST_BLOCK):
            block = part[start : start + LONGEST_BLOCK]
            out += bytes([len(block) + 1]) + block
    return bytes(out)


def unstuffed(line: bytes) -> bytes | None:
    """The inverse of `stuffed`, or None where the last block is cut off."""
    out, place, zero = bytearray(), 0, False
    while place < len(line):
        code = line[place]
        if zero:
            out.append(0)
        out += line[place + 1 : place + code]
        place += code
        zero = code <= LONGEST_BLOCK
    return bytes(out) if place == len(line) else None


class Decoder:
    """Finds the frames in a stream of bytes that may be damaged anywhere.

    `dropped` counts what came between delimiters and was no frame. What is longer than `longest`
    bytes is dropped unseen, so that a line that never rests does not fill the memory.
    """

    def __init__(self, longest: int = 1 << 16) -> None:
        self.longest = longest
        self.dropped = 0
        self._line = bytearray()

    def feed(self, line: bytes) -> Iterator[Frame]:
        """The frames that end in these bytes."""
        *whole, rest = line.split(bytes([DELIMITER]))
        for part in whole:
            self._keep(part)
            if self._line:
                content = unstuffed(bytes(self._line)) if len(self._line) <= self.longest else None
                frame = read(content) if content is not None else None
                self._line.clear()
                if frame is None:
                    self.dropped += 1
                else:
                    yield frame
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        self._line += part[: self.longest + 1 - len(self._line)]


def line_bytes(kind: Kind, payload: int) -> int:
    """Most bytes that a frame with so many bytes of payload takes on the line."""
    content = kind.header_bytes + payload + CRC_BYTES
    return content + content // LONGEST_BLOCK + 2
