"""IMDB and SST-2: both forms, the vocabulary of what trains, published counts, and refusals."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Data
from sylvan.model.errors import UserError
from sylvan.model.interpret import check_inputs
from sylvan.model.tasks import Task, load_task

GOOD, BAD = ["fine", "great", "lovely"], ["dull", "poor", "stale"]


def reviews(count: int, seed: int) -> list[tuple[int, str]]:
    """Positives, then negatives."""
    random = np.random.default_rng(seed)
    made = []
    for label, words in ((1, GOOD), (0, BAD)):
        for k in range(count // 2):
            chosen = random.choice([*words, "film", f"name{k}"], size=random.integers(1, 9))
            made.append((label, "The, " + " ".join(chosen) + "!<br />It's over."))
    return made


def imdb_tables(data: Path) -> None:
    (data / "imdb").mkdir(parents=True)
    for part, seed in (("train", 0), ("test", 1)):
        text = "".join(f"{label}\t{review}\n" for label, review in reviews(60, seed))
        (data / "imdb" / f"imdb_{part}.tsv.gz").write_bytes(gzip.compress(text.encode()))


def imdb_folders(data: Path) -> Path:
    root = data / "imdb" / "aclImdb"
    for part, seed in (("train", 0), ("test", 1)):
        made = reviews(60, seed)
        for label, folder in ((1, "pos"), (0, "neg")):
            (root / part / folder).mkdir(parents=True)
            of_label = [review for given, review in made if given == label]
            for number, review in enumerate(of_label):
                path = root / part / folder / f"{number}_{7 if label else 3}.txt"
                path.write_text(review.replace(" ", "\t", 1))
    return root


def sst2(data: Path, names: tuple[str, str] = ("train.tsv", "dev.tsv")) -> Path:
    folder = data / "sst2"
    for name, seed in zip(names, (0, 1), strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = "".join(f"{review} \t{label}\n" for label, review in reviews(60, seed))
        path.write_text("sentence\tlabel\n" + rows)
    return folder


def words_of(task: Task, row: Any) -> list[str]:
    return [task.vocabulary[symbol] for symbol in row if symbol != task.silent]


def test_both_forms_of_imdb(tmp_path: Path) -> None:
    imdb_tables(tmp_path / "a")
    imdb_folders(tmp_path / "b")
    task, other = (load_task("imdb", data=tmp_path / form) for form in "ab")
    assert task.vocabulary == other.vocabulary and task.input == other.input
    for name in ("train", "validation", "test"):
        one, two = getattr(task, name), getattr(other, name)
        assert np.array_equal(one.inputs, two.inputs) and np.array_equal(one.targets, two.targets)


def test_imdb_is_what_was_written(tmp_path: Path) -> None:
    imdb_tables(tmp_path)
    task = load_task("imdb", data=tmp_path, length=12)
    assert (task.outputs, task.read, task.silent, task.window) == (2, "last", 0, 0)
    assert [len(s.targets) for s in (task.train, task.validation, task.test)][2] == 60
    assert len(task.train.targets) + len(task.validation.targets) == 60
    for split in (task.train, task.validation, task.test):
        assert split.inputs.shape[1] == 12
        check_inputs(Declares(task.input), split.inputs)  # type: ignore[arg-type]
        for row, label in zip(split.inputs, split.targets, strict=True):
            words = words_of(task, row)
            assert words[0] == "the" and words[-2:] == ["it's", "over"]
            assert not set(words) & set(BAD if label else GOOD)
            # Silence only in front.
            assert not row[: len(row) - len(words)].any()
    every = {tuple(words_of(task, row)) for row in task.test.inputs}
    text = {r.lower().replace("<br />", " ") for _, r in reviews(60, 1)}
    assert len(every) <= len(text)


class Declares:
    """What `check_inputs` asks of a program."""

    def __init__(self, input: Any) -> None:
        self.input = input


def test_the_vocabulary_is_that_of_what_trains(tmp_path: Path) -> None:
    sst2(tmp_path)
    task = load_task("sst2", data=tmp_path, words=4, length=3)
    assert task.inputs == 6 and task.vocabulary[:2] == ("", "<unk>")
    before = task.vocabulary
    dev = tmp_path / "sst2" / "dev.tsv"
    dev.write_text(dev.read_text() + "unheard unheard \t1\n" * 500)
    after = load_task("sst2", data=tmp_path, words=4, length=3)
    assert after.vocabulary == before
    unheard = after.test.inputs[(after.test.inputs == 1).sum(1) == 2]
    assert len(unheard) == 500 and (unheard[:, 0] == 0).all()


def test_equal_texts_stay_together(tmp_path: Path) -> None:
    folder = sst2(tmp_path)
    rows = [f"w{k % 60} {'good' if k % 2 else 'bad'} \t{k % 2}\n" for k in range(300)]
    (folder / "train.tsv").write_text("sentence\tlabel\n" + "".join(rows))
    task = load_task("sst2", data=tmp_path)
    sides = [
        {tuple(words_of(task, row)) for row in s.inputs} for s in (task.train, task.validation)
    ]
    assert len(task.validation.targets) == 30
    # 6 of the 60 texts, each there 5 times; their own words did not train.
    assert len(sides[0]) == 54 and {words[0] for words in sides[1]} == {"<unk>"}


@pytest.mark.parametrize(
    "names",
    [
        ("glue_sst2_train.tsv", "glue_sst2_dev.tsv"),
        ("train.tsv", "dev.tsv"),
        ("SST-2/train.tsv", "SST-2/dev.tsv"),
    ],
)
def test_names_of_sst2(tmp_path: Path, names: tuple[str, str]) -> None:
    sst2(tmp_path, names)
    task = load_task("sst2", data=tmp_path)
    assert task.test.inputs.shape == (60, 128)
    # Words are what stands between spaces.
    assert "The," in task.vocabulary and "over." in task.vocabulary


def written(name: str, content: str) -> Callable[[Path], Path]:
    def spoil(data: Path) -> Path:
        path = data / name
        path.unlink(missing_ok=True)
        path.write_bytes(content.encode())
        return path

    return spoil


SPOILT: list[tuple[str, Callable[[Path], Path], str]] = [
    ("sst2", written("sst2/dev.tsv", "a\tb\n"), "should begin with the line 'sentence\\tlabel'"),
    ("sst2", written("sst2/dev.tsv", "sentence\tlabel\nx\n"), ":2 should have 2 columns, got 1"),
    (
        "sst2",
        written("sst2/train.tsv", "sentence\tlabel\nx\t1\ny\t-1\n"),
        ":3 should be labelled 0 or 1, got b'-1'",
    ),
    (
        "sst2",
        written("sst2/train.tsv", "sentence\tlabel\nx\t1\ny\t1\n"),
        ": a label is missing among the train texts",
    ),
    ("imdb", written("imdb/imdb_train.tsv", "2\tx\n"), ":1 should be labelled 0 or 1, got b'2'"),
    ("imdb", written("imdb/imdb_test.tsv", ""), " has no rows"),
]


@pytest.mark.parametrize(("name", "spoil", "message"), SPOILT)
def test_spoilt_files(
    tmp_path: Path, name: str, spoil: Callable[[Path], Path], message: str
) -> None:
    sst2(tmp_path)
    imdb_tables(tmp_path)
    path = spoil(tmp_path)
    with pytest.raises(UserError) as refused:
        load_task(name, data=tmp_path)
    assert str(refused.value).startswith(str(path)) and message in str(refused.value)


def test_spoilt_folders(tmp_path: Path) -> None:
    root = imdb_folders(tmp_path)
    odd = root / "test" / "pos" / "x_9.txt"
    odd.write_text("hello")
    with pytest.raises(UserError) as refused:
        load_task("imdb", data=tmp_path)
    assert str(refused.value) == f"{odd} should have a name like 0_9.txt"
    for path in (root / "test" / "pos").iterdir():
        path.unlink()
    with pytest.raises(UserError, match=r"should hold reviews, 1..100000 files like .*, got 0"):
        load_task("imdb", data=tmp_path)
    (root / "test" / "pos").rmdir()
    with pytest.raises(UserError, match=r"lacks test/pos \(from A. L. Maas"):
        load_task("imdb", data=tmp_path)


def test_refusals(tmp_path: Path) -> None:
    sst2(tmp_path)
    for options, message in [
        ({"words": 0}, r"task sst2 needs words in 1..65534, got 0"),
        ({"length": 0}, r"task sst2 needs length in 1..65536, got 0"),
    ]:
        with pytest.raises(UserError, match=message):
            load_task("sst2", data=tmp_path, **options)
    with pytest.raises(UserError, match=r"glue_sst2_dev.tsv or train.tsv, dev.tsv, from R. Socher"):
        load_task("sst2", data=tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "sizes", "length", "test_counts"),
    [
        ("imdb", (22_500, 2_500, 25_000), 500, [12_500, 12_500]),
        ("sst2", (60_615, 6_734, 872), 128, [428, 444]),
    ],
)
def test_published(
    data: Data, name: str, sizes: tuple[int, ...], length: int, test_counts: list[int]
) -> None:
    task = load_task(name, data=data(name))
    splits = (task.train, task.validation, task.test)
    found = tuple(len(split.targets) for split in splits)
    # Equal texts stay together, so a few more than a tenth may validate.
    assert sum(found[:2]) == sum(sizes[:2]) and abs(found[1] - sizes[1]) < 10
    assert found[2] == sizes[2]
    assert all(split.inputs.shape[1] == length for split in splits)
    assert np.bincount(task.test.targets).tolist() == test_counts
    assert task.inputs == 10_002 and task.silent == 0
    assert all(split.inputs[:, -1].all() for split in splits)
    # Among equals the alphabet decides: the vocabulary does not depend on the order of the rows.
    assert len(set(task.vocabulary)) == 10_002
