"""SST-2: whether a sentence of a film review praises or pans, read word by word.

In the form of GLUE: phrases and sentences train, and the public development set is the test, since
the labels of GLUE's own test are not public. Words are what stands between spaces, punctuation too.
"""

from pathlib import Path

from ..data import DataSet, read_table
from ..language import Labelled, label_of, sentiment
from . import Task

DATA_SET = DataSet(
    folder="sst2",
    source="R. Socher et al., Stanford Sentiment Treebank, as SST-2 of GLUE "
    "(https://gluebenchmark.com/tasks)",
    forms=(("glue_sst2_train.tsv", "glue_sst2_dev.tsv"), ("train.tsv", "dev.tsv")),
    archive="SST-2",
)


def load(data: Path | None = None, words: int = 10_000, length: int = 128) -> Task:
    """The task with the `words` most frequent words, on the last `length` words of a sentence.

    A tenth of the training rows, chosen at random by a fixed seed, validates. Phrases of one
    sentence may be on both sides, so validation is easier than the test.
    """
    learned, test = (_labelled(path) for path in DATA_SET.locate(data))
    return sentiment("sst2", learned, test, bytes.split, words, length)


def _labelled(path: Path) -> Labelled:
    rows = read_table(path, 2, header="sentence\tlabel")
    labels = [
        label_of(f"{path}:{number}", row[1].rstrip(b"\r")) for number, row in enumerate(rows, 2)
    ]
    return Labelled(path, [row[0] for row in rows], labels)
