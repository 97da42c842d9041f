"""Penn Treebank by characters: which comes next in newspaper text, in bits per character.

The preparation of T. Mikolov et al.: lower case, numbers as N, rare words as <unk>. As in the
papers, a line is stripped of the spaces around it and ends with one symbol.
"""

from pathlib import Path

from ..data import DataSet, read_bytes
from ..language import language_model
from ..text import alphabet_of
from . import Text

DATA_SET = DataSet(
    folder="ptb",
    source="T. Mikolov, the data of the examples of the RNNLM toolkit "
    "(http://www.fit.vutbr.cz/~imikolov/rnnlm)",
    forms=(("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),),
)


def load(data: Path | None = None, window: int = 100) -> Text:
    """The task in the files' own splits; `window` is how far gradients flow, in characters."""
    texts: dict[object, bytes] = {
        path: stripped(read_bytes(path)) for path in DATA_SET.locate(data)
    }
    return language_model("ptb", alphabet_of(next(iter(texts.values()))), texts, window)


def stripped(text: bytes) -> bytes:
    """The lines without the spaces around them, each with a line end."""
    return b"".join(line.strip() + b"\n" for line in text.splitlines())
