"""Character language models: streams, alphabets, published counts, and refusals."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from conftest import Data
from sylvan.model.errors import UserError
from sylvan.model.tasks import Text, cross_entropy, load_task
from sylvan.model.tasks.ptb import DATA_SET, stripped

LINES = " the cat sat \n on <unk> N mats \n" * 20


def ptb(data: Path, valid: str = LINES) -> Path:
    folder = data / "ptb"
    folder.mkdir(parents=True)
    (folder / "ptb.train.txt").write_text(LINES * 2)
    (folder / "ptb.valid.txt.gz").write_bytes(gzip.compress(valid.encode()))
    (folder / "ptb.test.txt").write_text(LINES)
    return folder


def text_of(task: Text, symbols: np.ndarray) -> str:
    return "".join(task.vocabulary[symbol] for symbol in symbols.ravel())


def test_ptb_strips_lines(tmp_path: Path) -> None:
    ptb(tmp_path)
    task = load_task("ptb", data=tmp_path)
    assert isinstance(task, Text) and task.lower_is_better and task.read == "every"
    lines = "the cat sat\non <unk> N mats\n" * 40
    assert text_of(task, task.train.inputs) == lines[:-1]
    assert text_of(task, task.train.targets) == lines[1:]
    assert task.train.inputs.shape == (1, len(lines) - 1)
    streams = task.validation.inputs
    row = (len(lines) // 2 - 1) // 20
    assert streams.shape == (20, row)
    assert text_of(task, streams) == lines[: 20 * row]
    assert text_of(task, task.validation.targets) == lines[1 : 20 * row + 1]
    assert task.inputs == task.outputs == len(set(lines)) == len(task.vocabulary)
    assert task.options == {"window": 100} and task.window == 100
    assert load_task("ptb", data=tmp_path, window=7).window == 7


def test_calibration_runs_on_streams_as_long_as_those_that_are_scored(tmp_path: Path) -> None:
    ptb(tmp_path)
    task = load_task("ptb", data=tmp_path)
    length = task.validation.inputs.shape[1]
    rows = task.train.inputs.size // length
    assert task.calibration.shape == (rows, length)
    assert task.calibration.ravel().tolist() == task.train.inputs[0, : rows * length].tolist()


def test_bits_per_character(tmp_path: Path) -> None:
    ptb(tmp_path)
    task = load_task("ptb", data=tmp_path)
    uniform = task.score(np.zeros((*task.test.targets.shape, task.outputs)), task.test.targets)
    assert uniform.score == pytest.approx(math.log2(task.outputs)) and uniform.unit == ""
    assert uniform.loss == pytest.approx(math.log(task.outputs))


def test_cross_entropy_in_parts_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    logits, targets = (
        random.normal(size=(5, 7, 3)).astype(np.float32),
        random.integers(0, 3, (5, 7)),
    )
    whole = cross_entropy(logits, targets)
    naive = np.exp(logits.astype(float))
    naive /= naive.sum(-1, keepdims=True)
    expected = -np.log(np.take_along_axis(naive, targets[..., None], -1)).mean()
    assert whole == pytest.approx(expected)
    monkeypatch.setattr("sylvan.model.tasks.SCORED_AT_A_TIME", 4)
    assert cross_entropy(logits, targets) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "file", "percent"),
    [
        ("warpeace", "warpeace_input.txt", (80, 10)),
        ("tinyshakespeare", "tinyshakespeare.txt", (90, 5)),
        ("tinyshakespeare", "input.txt", (90, 5)),
    ],
)
def test_one_file_in_order(tmp_path: Path, name: str, file: str, percent: tuple[int, int]) -> None:
    text = "".join(chr(97 + (k * k) % 19) for k in range(1000)) + "\r\n"
    (tmp_path / name).mkdir()
    (tmp_path / name / file).write_bytes(text.encode())
    task = load_task(name, data=tmp_path)
    first, second = len(text) * percent[0] // 100, len(text) * sum(percent) // 100
    assert text_of(task, task.train.inputs) == text[: first - 1]
    for split, part in ((task.validation, text[first:second]), (task.test, text[second:])):
        used = (len(part) - 1) // 20 * 20
        assert text_of(task, split.inputs) == part[:used]
        assert text_of(task, split.targets) == part[1 : used + 1]
    assert task.outputs == len(set(text))


def test_refusals(tmp_path: Path) -> None:
    folder = ptb(tmp_path / "a", valid=LINES + "Z")
    with pytest.raises(UserError) as refused:
        load_task("ptb", data=tmp_path / "a")
    assert str(refused.value) == (
        f"{folder / 'ptb.valid.txt.gz'} holds b'Z', which its training text does not"
    )
    folder = ptb(tmp_path / "b", valid=" the N ")
    with pytest.raises(UserError, match="has 6 characters, 20 streams need at least 21"):
        load_task("ptb", data=tmp_path / "b")
    with pytest.raises(UserError, match=r"task ptb needs window in 1..1048576, got 0"):
        load_task("ptb", data=tmp_path / "b", window=0)
    (folder / "ptb.test.txt").unlink()
    with pytest.raises(UserError, match=r"lacks ptb.test.txt \(from T. Mikolov"):
        load_task("ptb", data=tmp_path / "b")
    (tmp_path / "warpeace").mkdir()
    path = tmp_path / "warpeace" / "warpeace_input.txt"
    path.write_bytes(b"")
    with pytest.raises(UserError) as refused:
        load_task("warpeace", data=tmp_path)
    assert str(refused.value) == f"{path} (train) has 0 characters, 1 streams need at least 2"


def test_published_ptb(data: Data) -> None:
    counts = [len(stripped(path.read_bytes())) for path in _unpacked(data("ptb"))]
    assert counts == [5_017_482, 393_042, 442_423]
    task = load_task("ptb", data=data("ptb"))
    assert task.outputs == 50
    assert task.train.inputs.shape == (1, 5_017_481)
    assert task.validation.inputs.shape == (20, 393_041 // 20)
    assert task.test.inputs.shape == (20, 442_422 // 20)
    lines = text_of(task, task.train.inputs).count("\n") + 1
    assert lines == 42_068


class _Content:
    def __init__(self, path: Path) -> None:
        self.path = path

    def read_bytes(self) -> bytes:
        return gzip.open(self.path).read() if self.path.suffix == ".gz" else self.path.read_bytes()


def _unpacked(folder: Path) -> list[_Content]:
    return [_Content(path) for path in DATA_SET.locate(folder)]


def test_published_warpeace(data: Data) -> None:
    task = load_task("warpeace", data=data("warpeace"))
    assert task.outputs == 87
    assert task.train.inputs.size + 1 == 2_606_596
    assert task.validation.inputs.shape == task.test.inputs.shape == (20, 16_291)
    # The byte-order mark is there, and CR LF line ends.
    assert text_of(task, task.train.inputs[:, :4]) == '\xef\xbb\xbf"'
    lines = text_of(task, task.train.inputs)
    assert lines.count("\r\n") == lines.count("\r")


def test_published_tinyshakespeare(data: Data) -> None:
    task = load_task("tinyshakespeare", data=data("tinyshakespeare"))
    assert task.outputs == 65
    assert task.train.inputs.shape == (1, 1_115_394 * 90 // 100 - 1)
