"""IMDB: whether a film review praises or pans, read word by word and answered at the last one.

50,000 reviews, half to train and half to test. Words are lower-case runs of letters, digits and
apostrophes; punctuation and line breaks are left out.
"""

from pathlib import Path

from ..data import DataSet, read_bytes, read_table
from ..errors import UserError
from ..language import Labelled, label_of, sentiment
from ..text import plain_words
from . import Task

DATA_SET = DataSet(
    folder="imdb",
    source="A. L. Maas et al., Large Movie Review Dataset "
    "(https://ai.stanford.edu/~amaas/data/sentiment)",
    forms=(
        ("imdb_train.tsv", "imdb_test.tsv"),
        ("train/pos", "train/neg", "test/pos", "test/neg"),
    ),
    archive="aclImdb",
)
MOST_REVIEWS = 100_000


def load(data: Path | None = None, words: int = 10_000, length: int = 500) -> Task:
    """The task with the `words` most frequent words, on the last `length` words of a review.

    A tenth of the training reviews, chosen at random by a fixed seed, validates.
    """
    paths = DATA_SET.locate(data)
    if len(paths) == 2:
        learned, test = (_compact(path) for path in paths)
    else:
        learned, test = _published(*paths[:2]), _published(*paths[2:])
    return sentiment("imdb", learned, test, plain_words, words, length)


def _compact(path: Path) -> Labelled:
    """A line is a label and a text."""
    rows = read_table(path, 2)
    labels = [label_of(f"{path}:{number}", row[0]) for number, row in enumerate(rows, 1)]
    return Labelled(path, [row[1] for row in rows], labels)


def _published(positive: Path, negative: Path) -> Labelled:
    """A file is a review, NUMBER_RATING.txt."""
    texts: list[bytes] = []
    labels: list[int] = []
    for label, folder in ((1, positive), (0, negative)):
        files = list(folder.glob("*_*.txt"))
        if not 1 <= len(files) <= MOST_REVIEWS:
            raise UserError(
                f"{folder} should hold reviews, 1..{MOST_REVIEWS} files like 0_9.txt, "
                f"got {len(files)}"
            )
        files.sort(key=_number)
        texts += [read_bytes(path) for path in files]
        labels += [label] * len(files)
    return Labelled(positive.parent, texts, labels)


def _number(path: Path) -> int:
    number = path.name.partition("_")[0]
    if not (number.isdecimal() and len(number) < 10):
        raise UserError(f"{path} should have a name like 0_9.txt")
    return int(number)
