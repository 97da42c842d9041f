"""Tiny Shakespeare by characters: a language model's task small enough for a first try.

Parts of the plays, put together by A. Karpathy for char-rnn (2015); 65 characters.
"""

from pathlib import Path

from ..data import DataSet, read_bytes
from ..language import language_model
from ..text import alphabet_of, in_order
from . import Text

DATA_SET = DataSet(
    folder="tinyshakespeare",
    source="A. Karpathy, char-rnn (https://github.com/karpathy/char-rnn)",
    forms=(("tinyshakespeare.txt",), ("input.txt",)),
)


def load(data: Path | None = None, window: int = 100) -> Text:
    """The task: in order, 90 % train, 5 % validate and 5 % test.

    `window` is how far gradients flow, in characters.
    """
    (path,) = DATA_SET.locate(data)
    text = read_bytes(path)
    texts = in_order(path, text, 90, 5)
    return language_model("tinyshakespeare", alphabet_of(text), texts, window)
