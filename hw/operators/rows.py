"""Where the vectors of several contexts, or of several timesteps, lie in one memory."""

from dataclasses import dataclass
from typing import Any

from amaranth import Cat, Const, Mux


@dataclass(frozen=True)
class Rows:
    """The words of a vector side by side, a vector for each context, each at a place of its own.

    With two sides a context has two vectors, the one that its timestep reads and the one that it
    writes; with the next they change places.

    Parameters: words of a vector; contexts, vectors that are kept, chosen by the context of a tag,
        or by its slot where it has one; with 1 whatever that is; sides, 1 or 2.
    """

    words: int
    contexts: int
    sides: int = 1

    @property
    def count(self) -> int:
        """Rows in all; the words of a vector grow to a power of two where there are several."""
        vectors = self.contexts * self.sides
        return vectors << self.word_bits if vectors > 1 else self.words

    @property
    def bits(self) -> int:
        """Address bits of all rows."""
        return (self.count - 1).bit_length()

    @property
    def word_bits(self) -> int:
        """Address bits that count words."""
        return (self.words - 1).bit_length()

    def row(self, word: Any, tag: Any, active: Any = 1, written: bool = False) -> Any:
        """Where a word of the tag's vector lies, of the one read or written; 0 for the idle."""
        if self.contexts * self.sides == 1:
            return word
        place = [(word | Const(0, self.word_bits))[: self.word_bits]]
        if self.sides > 1:
            place.append(Mux(active, tag.side ^ int(written), 0))
        if self.contexts > 1:
            place.append(Mux(active, tag[tag.shape().chooser], 0))
        return Cat(*place)
