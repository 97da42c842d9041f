"""Where the vectors of several contexts, or of several timesteps, lie in one memory."""

from dataclasses import dataclass
from typing import Any

from amaranth import Cat, Const, Mux


@dataclass(frozen=True)
class Rows:
    """The words of a vector side by side, a vector for each context, each at a place of its own.

    Parameters: words of a vector; contexts, vectors that are kept, chosen by the context of a tag,
        or by its slot where it has one; with 1 whatever that is.
    """

    words: int
    contexts: int

    @property
    def count(self) -> int:
        """Rows in all; the words of a vector grow to a power of two where there are several."""
        return self.contexts << self.word_bits if self.contexts > 1 else self.words

    @property
    def word_bits(self) -> int:
        """Address bits that count words."""
        return (self.words - 1).bit_length()

    def row(self, word: Any, tag: Any, active: Any = 1) -> Any:
        """Where a word of the tag's vector lies; 0 for the idle."""
        if self.contexts == 1:
            return word
        context = Mux(active, tag[tag.shape().chooser], 0)
        return Cat((word | Const(0, self.word_bits))[: self.word_bits], context)
