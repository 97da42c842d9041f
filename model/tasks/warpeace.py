"""War and Peace by characters: which byte comes next in the novel, in bits per character.

The English text of Karpathy, Johnson and Li (2015), as bytes: 87 of them. All are symbols, though
two rare ones are not in the part that trains.
"""

from pathlib import Path

from ..data import DataSet, read_bytes
from ..language import language_model
from ..text import alphabet_of, in_order
from . import Text

DATA_SET = DataSet(
    folder="warpeace",
    source="A. Karpathy, char-rnn (https://cs.stanford.edu/people/karpathy/char-rnn)",
    forms=(("warpeace_input.txt",),),
)


def load(data: Path | None = None, window: int = 100) -> Text:
    """The task: in order, 80 % train, 10 % validate and 10 % test.

    `window` is how far gradients flow, in characters.
    """
    (path,) = DATA_SET.locate(data)
    text = read_bytes(path)
    return language_model("warpeace", alphabet_of(text), in_order(path, text, 80, 10), window)
