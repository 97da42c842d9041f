"""MNIST: small sets in the published format, the published set where it is, and refusals."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Data
from sylvan.model.errors import UserError
from sylvan.model.interpret import check_inputs
from sylvan.model.tasks import load_task

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte")
TEST_LABELS = "t10k-labels-idx1-ubyte"


def images_file(images: Any, magic: int = 2051) -> bytes:
    return struct.pack(">4i", magic, *images.shape) + images.astype(np.uint8).tobytes()


def labels_file(labels: Any, magic: int = 2049) -> bytes:
    return struct.pack(">2i", magic, len(labels)) + labels.astype(np.uint8).tobytes()


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Any, Any]:
    """12 and 5 images of noise, two of the four files packed."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (17, 28, 28))
    labels = random.integers(0, 10, 17)
    folder = tmp_path / "mnist"
    folder.mkdir()
    (folder / NAMES[0]).write_bytes(images_file(images[:12]))
    (folder / f"{NAMES[1]}.gz").write_bytes(gzip.compress(labels_file(labels[:12])))
    (folder / f"{NAMES[2]}.gz").write_bytes(gzip.compress(images_file(images[12:])))
    (folder / TEST_LABELS).write_bytes(labels_file(labels[12:]))
    return tmp_path, images, labels


@pytest.mark.parametrize("permuted", [False, True])
@pytest.mark.parametrize("pixels", [1, 28, 784])
def test_small(small: tuple[Path, Any, Any], permuted: bool, pixels: int) -> None:
    data, images, labels = small
    task = load_task("mnist", data=data, permuted=permuted, pixels=pixels)
    order = np.random.RandomState(92916).permutation(784) if permuted else np.arange(784)
    expected = images.reshape(17, 784)[:, order].reshape(17, 784 // pixels, pixels)
    assert np.array_equal(task.test.inputs, expected[12:])
    assert task.test.targets.tolist() == labels[12:].tolist()
    assert (len(task.train.inputs), len(task.validation.inputs)) == (10, 2)
    pairs = {(x.tobytes(), y) for x, y in zip(expected[:12].astype(np.uint8), labels, strict=False)}
    for split in (task.train, task.validation):
        pairs -= {(x.tobytes(), y) for x, y in zip(split.inputs, split.targets, strict=True)}
        check_inputs(Declares(task.input), split.inputs)  # type: ignore[arg-type]
    assert not pairs
    assert (task.inputs, task.outputs, task.read) == (pixels, 10, "last")
    # A sensor's 0..1 is raw / 255; the network sees raw / 256.
    assert task.input.scale[0] * 255 / 256 == 1.0  # type: ignore[union-attr]
    assert task.values(np.array([0, 128, 255])).tolist() == [0.0, 0.5, 255 / 256]
    assert load_task("mnist", data=data, **task.options).options == task.options


class Declares:
    """What `check_inputs` asks of a program."""

    def __init__(self, input: Any) -> None:
        self.input = input


SPOILT = [
    (0, b"", "is no IDX file: it has 0 bytes"),
    (0, images_file(np.zeros((12, 28, 28)), 2049), "the magic number 2051, got 2049"),
    (0, images_file(np.zeros((12, 28, 27))), "should hold images of 28x28, got 28x27"),
    (
        0,
        images_file(np.zeros((12, 28, 28)))[:-1],
        "the pixels of the 12 images that it declares (at least 6), got 9407 bytes instead of 9408",
    ),
    (0, struct.pack(">4I", 2051, 2**32 - 1, 28, 28), "got 0 bytes instead of 3367254359280"),
    (0, images_file(np.zeros((5, 28, 28))), "the 5 images that it declares (at least 6)"),
    (1, labels_file(np.zeros(12), 2051), "the magic number 2049, got 2051"),
    (1, labels_file(np.zeros(11)), "a label for each of 12 images, it declares 11 and has 11"),
    (1, labels_file(np.zeros(12)) + b"x", "each of 12 images, it declares 12 and has 13"),
    (1, labels_file(np.full(12, 10)), ": the labels should lie in 0..9, got 10"),
    (2, b"\x1f\x8b broken", "cannot be read"),
]


@pytest.mark.parametrize(("file", "content", "message"), SPOILT)
def test_spoilt_files(
    small: tuple[Path, Any, Any], file: int, content: bytes, message: str
) -> None:
    folder = small[0] / "mnist"
    packed = folder / f"{NAMES[file]}.gz"
    if file == 1:
        packed.unlink()
    path = packed if file == 2 else folder / NAMES[file]
    path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        load_task("mnist", data=small[0])
    assert str(refused.value).startswith(str(path)) and message in str(refused.value)


def test_refusals(small: tuple[Path, Any, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"task mnist needs pixels that divide 784, got 3"):
        load_task("mnist", data=small[0], pixels=3)
    (tmp_path / "mnist" / TEST_LABELS).unlink()
    with pytest.raises(UserError, match=r"lacks t10k-labels-idx1-ubyte \(from Y. LeCun"):
        load_task("mnist", data=small[0])
    with pytest.raises(UserError, match="name the folder that holds it with --data FOLDER"):
        load_task("mnist")


def test_published(data: Data) -> None:
    task = load_task("mnist", data=data("mnist"), permuted=True)
    sizes = {"train": 50_000, "validation": 10_000, "test": 10_000}
    counts = {}
    images = {}
    for name, size in sizes.items():
        split = getattr(task, name)
        assert split.inputs.shape == (size, 784, 1) and split.inputs.dtype == np.uint8
        counts[name] = np.bincount(split.targets)
        images[name] = {image.tobytes() for image in split.inputs}
    assert counts["test"].tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    both = counts["train"] + counts["validation"]
    assert both.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert len(images["train"] | images["validation"] | images["test"]) == 70_000
    plain = load_task("mnist", data=data("mnist"))
    order = np.random.RandomState(92916).permutation(784)
    assert np.array_equal(plain.test.inputs[:, order], task.test.inputs)
    assert np.array_equal(plain.train.targets, task.train.targets)
