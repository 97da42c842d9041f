"""Images of the state as words on the streams of the state port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sylvan.model.errors import UserError

if TYPE_CHECKING:
    from sylvan.model.image import Image

SHA256_BITS = 256


@dataclass(frozen=True)
class StateFormat:
    """How an image passes, as ports.json states it.

    In words of `data_bits`: first the leading `hash_bits` of the program's hash, then phase and
    freshness, then the elements of `states`, (name, elements, lo, hi) each. A load is answered by
    a place in `answers`.
    """

    data_bits: int
    hash_bits: int
    states: tuple[tuple[str, int, int, int], ...]
    answers: tuple[str, ...]

    @property
    def header(self) -> int:
        """Words before the first element."""
        return -(-self.hash_bits // self.data_bits) + 1

    @property
    def transfers(self) -> int:
        """Words of an image."""
        return self.header + sum(elements for _, elements, *_ in self.states)

    @property
    def answer_bits(self) -> int:
        """Bits of an answer."""
        return (len(self.answers) - 1).bit_length()

    def _head(self, program_sha256: str) -> list[int]:
        """The words of a program's hash."""
        leading = int(program_sha256, 16) >> (SHA256_BITS - self.hash_bits)
        words = (leading >> k * self.data_bits for k in range(self.header - 1))
        return [word % (1 << self.data_bits) for word in words]

    def pack(self, image: Image) -> list[int]:
        """The words of an image."""
        words = [*self._head(image.program_sha256), image.phase << 1 | image.fresh]
        words += [raw for name, *_ in self.states for raw in image.states[name].tolist()]
        return [word % (1 << self.data_bits) for word in words]

    def unpack(self, words: Sequence[int], program_sha256: str) -> Image:
        """The image in words that came from a core of that program.

        Raises UserError for words of another program, or of another number.
        """
        import numpy as np
        from sylvan.model.image import Image

        if len(words) != self.transfers:
            raise UserError(f"an image has {self.transfers} words, got {len(words)}")
        head = self._head(program_sha256)
        if list(words[: len(head)]) != head:
            came = " ".join(f"{word:x}" for word in words[: len(head)])
            raise UserError(
                f"the words are no image of the program {program_sha256}: they begin with {came}, "
                f"expected {' '.join(f'{word:x}' for word in head)}"
            )
        kept, place, states = words[self.header - 1], self.header, {}
        for name, elements, lo, _ in self.states:
            raw = np.array(words[place : place + elements], np.int64)
            negative = (raw >> self.data_bits - 1 & 1) * (lo < 0)
            states[name] = raw - (negative << self.data_bits)
            place += elements
        return Image(program_sha256, states, bool(kept & 1), kept >> 1)

    def place(self, word: int) -> str:
        """What word number `word` of an image holds, for messages."""
        if word < self.header:
            return "the program's hash" if word < self.header - 1 else "phase and freshness"
        element = word - self.header
        for name, elements, *_ in self.states:
            if element < elements:
                return f"{name}[{element}]"
            element -= elements
        return "nothing"


def load_format(data: dict[str, Any]) -> StateFormat:
    """The format in ports.json. Raises ValueError, KeyError or TypeError if that states none."""
    found = StateFormat(
        int(data["data_bits"]),
        int(data["hash_bits"]),
        tuple(
            (str(state["name"]), int(state["elements"]), int(lo), int(hi))
            for state in data["states"]
            for lo, hi, _ in [state["format"]]
        ),
        tuple(map(str, data["answers"])),
    )
    if found.data_bits < 1 or not 0 < found.hash_bits <= SHA256_BITS:
        raise ValueError("an image has no bits, or no hash")
    if any(elements < 1 for _, elements, *_ in found.states):
        raise ValueError("a state has no elements")
    if found.transfers != int(data["transfers"]):
        raise ValueError(f"its states do not make an image of {data['transfers']} transfers")
    if set(found.answers) != {"loaded", "refused", "lost"}:
        raise ValueError(f"a load is answered by {', '.join(found.answers)}")
    return found
