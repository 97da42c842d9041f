"""Vectors and what a board says of itself, as payload: docs/link.md, section 3."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sylvan.hw.ports import Port, input_port, output_port
from sylvan.model.errors import UserError
from sylvan.model.program import Program
from sylvan.model.storage import program_hash

from .frames import Kind, line_bytes

VERSION = 1
HASH_BYTES = 8
MOST_CONTEXTS = 256
BITS_PER_BYTE = 10
"""On the line: a start bit, eight of data, a stop bit."""


def transfer_bytes(bits: int) -> int:
    """Bytes that carry a transfer of the core's streams."""
    return -(-bits // 8)


@dataclass(frozen=True)
class Vector:
    """How the elements of a timestep's input, or of an answer, are packed into a payload."""

    elements: int
    per_transfer: int
    element_bits: int
    lo: int
    hi: int

    @staticmethod
    def of(port: Port) -> "Vector":
        """Of what crosses a stream of the core."""
        value = port.value
        bounds = value.format.lo, value.format.hi
        return Vector(value.size, port.per_transfer, port.element_bits, *bounds)

    @cached_property
    def transfer_bytes(self) -> int:
        """Bytes of a transfer."""
        return transfer_bytes(self.per_transfer * self.element_bits)

    @cached_property
    def payload_bytes(self) -> int:
        """Bytes of the payload."""
        return -(-self.elements // self.per_transfer) * self.transfer_bytes

    def pack(self, elements: Sequence[int]) -> bytes:
        """The payload of a vector."""
        if len(elements) != self.elements:
            raise UserError(
                f"a vector of {self.elements} elements is expected, not {len(elements)}"
            )
        for place, value in enumerate(elements):
            try:
                operator.index(value)
            except TypeError:
                raise UserError(f"element {place} is {value!r}, expected an integer") from None
            if not self.lo <= value <= self.hi:
                raise UserError(f"element {place} is {value}, outside {self.lo} to {self.hi}")
        payload, mask = b"", (1 << self.element_bits) - 1
        for start in range(0, self.elements, self.per_transfer):
            group = elements[start : start + self.per_transfer]
            word = sum((int(v) & mask) << k * self.element_bits for k, v in enumerate(group))
            payload += word.to_bytes(self.transfer_bytes, "little")
        return payload

    def unpack(self, payload: bytes) -> list[int]:
        """The vector of a payload that is `payload_bytes` long."""
        bits, size, found = self.element_bits, self.transfer_bytes, []
        mask, sign = (1 << bits) - 1, 1 << bits - 1 if self.lo < 0 else 0
        for start in range(0, self.payload_bytes, size):
            word = int.from_bytes(payload[start : start + size], "little")
            for place in range(self.per_transfer):
                raw = word >> place * bits & mask
                found.append((raw ^ sign) - sign)
        return found[: self.elements]


@dataclass(frozen=True)
class Identity:
    """What a board is: the payload of IDENTITY."""

    program: bytes
    step_bytes: int
    answer_bytes: int
    contexts: int

    @staticmethod
    def of(program: Program, contexts: int = 1) -> "Identity":
        """Of a core of the program: its schedule settles the contexts and nothing else."""
        return Identity(
            bytes.fromhex(program_hash(program))[:HASH_BYTES],
            Vector.of(input_port(program)).payload_bytes,
            Vector.of(output_port(program)).payload_bytes,
            contexts,
        )

    def encode(self) -> bytes:
        """The payload."""
        sizes = self.step_bytes, self.answer_bytes, self.contexts
        return bytes([VERSION]) + b"".join(n.to_bytes(2, "little") for n in sizes) + self.program

    @staticmethod
    def decode(payload: bytes) -> "Identity":
        """Of a payload; of a board of another version nothing more is known."""
        if payload[:1] != bytes([VERSION]) or len(payload) != 7 + HASH_BYTES:
            raise UserError(f"the board speaks another version of the link than {VERSION}")
        sizes = (int.from_bytes(payload[k : k + 2], "little") for k in (1, 3, 5))
        return Identity(payload[7:], *sizes)

    def highest_rate(self, baud: int, answered: bool = True) -> float:
        """Timesteps per second that the line carries for certain, each or hardly any answered."""
        step = line_bytes(Kind.STEP, self.step_bytes)
        answer = line_bytes(Kind.ANSWER, self.answer_bytes)
        return baud / (BITS_PER_BYTE * (max(step, answer) if answered else step))
