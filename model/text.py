"""Text as symbols: characters for language models, words for a label.

Text is bytes here: the published vocabularies count bytes, and they are quick to take apart.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import count

import numpy as np

from .arrays import Array
from .errors import UserError

PAD, UNKNOWN, FIRST_WORD = 0, 1, 2
"""Symbols of a text of words: nothing, a word that is not known, and the most frequent word."""

SEPARATORS = bytes(
    byte if byte >= 128 or chr(byte).isalnum() or byte == ord("'") else ord(" ")
    for byte in range(256)
)


def alphabet_of(text: bytes) -> bytes:
    """The distinct bytes of a text, ascending: what the symbols 0, 1, ... stand for."""
    counts = np.bincount(np.frombuffer(text, np.uint8), minlength=256)
    return bytes(np.flatnonzero(counts).tolist())


def encode(where: object, text: bytes, alphabet: bytes) -> Array:
    """The symbols of a text. Raises UserError naming `where` for a byte outside the alphabet."""
    symbol = np.full(256, len(alphabet), np.uint16)
    symbol[list(alphabet)] = np.arange(len(alphabet))
    symbols = symbol[np.frombuffer(text, np.uint8)]
    unknown = np.flatnonzero(symbols == len(alphabet))
    if len(unknown):
        first = text[unknown[0] : unknown[0] + 1]
        raise UserError(f"{where} holds {first!r}, which its training text does not")
    return symbols.astype(np.uint8) if len(alphabet) < 256 else symbols


def in_order(where: object, text: bytes, train: int, validation: int) -> dict[object, bytes]:
    """Consecutive parts of a text, the first two in percent, by what a message calls them."""
    first, second = len(text) * train // 100, len(text) * (train + validation) // 100
    parts = {"train": text[:first], "validation": text[first:second], "test": text[second:]}
    return {f"{where} ({name})": part for name, part in parts.items()}


def next_symbols(where: object, symbols: Array, rows: int) -> tuple[Array, Array]:
    """Inputs and targets, `rows` streams of equal length; what is left over at the end goes.

    Raises UserError naming `where` for a text too short for that.
    """
    length = (len(symbols) - 1) // rows
    if length < 1:
        raise UserError(
            f"{where} has {len(symbols)} characters, {rows} streams need at least {rows + 1}"
        )
    used = rows * length
    return symbols[:used].reshape(rows, length), symbols[1 : used + 1].reshape(rows, length)


def plain_words(text: bytes) -> list[bytes]:
    """Lower-case words of a text with punctuation: letters, digits, apostrophes, and non-ASCII.

    Everything else separates, the HTML line break too.
    """
    return text.replace(b"<br />", b" ").lower().translate(SEPARATORS).split()


class Words:
    """Texts as rows of symbols, with the vocabulary chosen on the first of them.

    Parameters:
        texts: of all splits. training: rows of `texts` on which the vocabulary is chosen: the
        `most` frequent words, among equals the first in alphabetical order. split: text to words.
        length: timesteps; longer texts keep their last words, shorter ones begin with PAD.
    Attributes:
        vocabulary: words by symbol, from FIRST_WORD on.
        rows: symbols, (texts, length).
    """

    def __init__(
        self,
        texts: Iterable[bytes],
        training: Array,
        most: int,
        length: int,
        split: Callable[[bytes], list[bytes]],
    ) -> None:
        # Numbered as they come: an integer a word, where lists of words would take gigabytes.
        numbers: defaultdict[bytes, int] = defaultdict(count().__next__)
        coded = [array("i", map(numbers.__getitem__, split(text))) for text in texts]
        found = list(numbers)
        learned = array("i")
        for row in training:
            learned.extend(coded[row])
        counts = np.bincount(np.asarray(learned), minlength=len(found))
        ranked = sorted(np.flatnonzero(counts).tolist(), key=lambda n: (-counts[n], found[n]))
        known = ranked[:most]
        symbol = np.full(max(1, len(found)), UNKNOWN, np.uint16)
        symbol[known] = np.arange(FIRST_WORD, FIRST_WORD + len(known))
        self.vocabulary = tuple(found[n].decode("utf-8", "replace") for n in known)
        self.rows = np.full((len(coded), length), PAD, np.uint16)
        for row, words in zip(self.rows, coded, strict=True):
            if words:
                last = np.asarray(words)[-length:]
                row[length - len(last) :] = symbol[last]
