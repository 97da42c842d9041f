"""Tasks made of text: language models of characters, and labels of sentences.

What the files of these tasks share; how text becomes symbols is in `text`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .arrays import Array
from .data import shuffled
from .errors import UserError
from .program import SymbolInput
from .tasks import Split, Task, Text, check_option
from .text import FIRST_WORD, PAD, Words, encode, next_symbols

STREAMS = 20
"""Rows that the validation and the test text of a language model are cut into."""
MOST_WORDS = (1 << 16) - FIRST_WORD
ORDER_SEED = 0


@dataclass(frozen=True)
class Labelled:
    """Texts of a file with their labels, 0 or 1, both in its order."""

    where: Path
    texts: list[bytes]
    labels: list[int]


def label_of(where: object, text: bytes) -> int:
    """0 or 1. Raises UserError naming `where` for another label."""
    if text not in (b"0", b"1"):
        raise UserError(f"{where} should be labelled 0 or 1, got {text[:20]!r}")
    return int(text)


def sentiment(
    name: str,
    learned: Labelled,
    test: Labelled,
    split: Callable[[bytes], list[bytes]],
    words: int,
    length: int,
) -> Task:
    """Classes of texts read word by word, the last word at the last timestep.

    A tenth of `learned`, chosen at random by a fixed seed, validates; equal texts stay together.

    Args:
        split: text to words. words: how many of the most frequent ones in what trains are symbols.
        length: timesteps; longer texts keep their last words, shorter ones begin in silence.
    """
    check_option(name, "words", words, 1, MOST_WORDS)
    check_option(name, "length", length, 1, 1 << 16)
    numbers: dict[bytes, int] = {}
    same = np.array([numbers.setdefault(text, len(numbers)) for text in learned.texts])
    # Whole groups of equal texts, in a random order, until a tenth of the texts is reached.
    order = np.argsort(shuffled(len(numbers), ORDER_SEED)[same], kind="stable")
    held = max(1, len(order) // 10)
    while held < len(order) and same[order[held]] == same[order[held - 1]]:
        held += 1
    validation, train = order[:held], order[held:]
    tests = len(order) + shuffled(len(test.texts), ORDER_SEED)
    made = Words(learned.texts + test.texts, train, words, length, split)
    labels = np.array(learned.labels + test.labels)

    def part(name: str, rows: Array) -> Split:
        if len(np.unique(labels[rows])) < 2:
            raise UserError(f"{learned.where}: a label is missing among the {name} texts")
        return Split(made.rows[rows], labels[rows])

    return Task(
        name=name,
        input=SymbolInput(FIRST_WORD + len(made.vocabulary)),
        outputs=2,
        read="last",
        silent=PAD,
        vocabulary=("", "<unk>", *made.vocabulary),
        train=part("train", train),
        validation=part("validation", validation),
        test=part("test", tests),
        options={"words": words, "length": length},
    )


def language_model(name: str, alphabet: bytes, texts: dict[object, bytes], window: int) -> Text:
    """Next-character prediction on training, validation and test text.

    Training text is one row, which training cuts into streams; the others are `STREAMS` rows,
    and the up to `STREAMS - 1` characters that are left over at their ends are not scored.

    Args:
        alphabet: bytes by symbol. texts: by what a message calls them.
        window: timesteps that gradients flow through.
    """
    check_option(name, "window", window, 1, 1 << 20)
    splits = [
        Split(*next_symbols(where, encode(where, text, alphabet), rows))
        for (where, text), rows in zip(texts.items(), (1, STREAMS, STREAMS), strict=True)
    ]
    return Text(
        name=name,
        input=SymbolInput(len(alphabet)),
        outputs=len(alphabet),
        read="every",
        train=splits[0],
        validation=splits[1],
        test=splits[2],
        score_name="bits per character",
        window=window,
        vocabulary=tuple(map(chr, alphabet)),
        options={"window": window},
    )
