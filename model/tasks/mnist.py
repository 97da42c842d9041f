"""MNIST: handwritten digits of 28x28 pixels, read pixel by pixel and classified at the last one.

In order (sequential MNIST) or in a fixed random one (permuted MNIST, where neighbours are far apart
in time). A raw pixel p is a sensor's p / 255 in [0, 1]; the network sees the exact p / 256.
"""

from pathlib import Path

import numpy as np

from ..arrays import Array
from ..data import DataSet, check_array, read_bytes, shuffled
from ..errors import UserError
from ..numbers import Format
from ..program import NumericInput
from . import Split, Task

DATA_SET = DataSet(
    folder="mnist",
    source="Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits "
    "(http://yann.lecun.com/exdb/mnist)",
    forms=(
        (
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
        ),
    ),
)
IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049
SIDE = 28
PERMUTATION_SEED = 92916
"""That of Foucault, Mamalet, Malgouyres, ICLR 2025: permuted MNIST has no standard one."""
VALIDATION_SEED = 0


def load(data: Path | None = None, permuted: bool = False, pixels: int = 1) -> Task:
    """The task with so many `pixels` a timestep: 1 for 784 timesteps, 28 for a row in each of 28.

    A sixth of the training images, 10,000 chosen at random by a fixed seed, validate.
    """
    if pixels < 1 or SIDE * SIDE % pixels:
        raise UserError(f"task mnist needs pixels that divide {SIDE * SIDE}, got {pixels}")
    paths = DATA_SET.locate(data)
    images, test_images = _images(paths[0], least=6), _images(paths[2], least=1)
    labels, test_labels = (
        _labels(path, len(of)) for path, of in zip(paths[1::2], (images, test_images), strict=True)
    )
    order = shuffled(len(images), VALIDATION_SEED)
    held = len(images) // 6
    pixel = shuffled(SIDE * SIDE, PERMUTATION_SEED) if permuted else np.arange(SIDE * SIDE)

    def split(images: Array, labels: Array) -> Split:
        return Split(images[:, pixel].reshape(len(images), -1, pixels), labels.astype(np.int64))

    return Task(
        name="mnist",
        input=NumericInput(
            size=pixels,
            format=Format(0, 255, -8),
            scale=(256 / 255,) * pixels,
            offset=(0.0,) * pixels,
        ),
        outputs=10,
        read="last",
        train=split(images[order[held:]], labels[order[held:]]),
        validation=split(images[order[:held]], labels[order[:held]]),
        test=split(test_images, test_labels),
        options={"permuted": permuted, "pixels": pixels},
    )


def _images(path: Path, least: int) -> Array:
    count, rows, columns, body = _idx(path, IMAGES_MAGIC, 4)
    if (rows, columns) != (SIDE, SIDE):
        raise UserError(f"{path} should hold images of {SIDE}x{SIDE}, got {rows}x{columns}")
    wanted = count * SIDE * SIDE
    if count < least or len(body) != wanted:
        raise UserError(
            f"{path} should hold the pixels of the {count} images that it declares (at least "
            f"{least}), got {len(body)} bytes instead of {wanted}"
        )
    return np.frombuffer(body, np.uint8).reshape(count, SIDE * SIDE)


def _labels(path: Path, images: int) -> Array:
    count, body = _idx(path, LABELS_MAGIC, 2)
    if count != images or len(body) != count:
        raise UserError(
            f"{path} should hold a label for each of {images} images, "
            f"it declares {count} and has {len(body)}"
        )
    return check_array(f"{path}: the labels", np.frombuffer(body, np.uint8), "u", (count,), 0, 9)


def _idx(path: Path, magic: int, words: int) -> tuple:
    """The words of an IDX header after its magic number, and the bytes behind it."""
    content = read_bytes(path)
    if len(content) < 4 * words:
        raise UserError(f"{path} is no IDX file: it has {len(content)} bytes")
    header = np.frombuffer(content, ">u4", words).tolist()
    if header[0] != magic:
        raise UserError(f"{path} should begin with the magic number {magic}, got {header[0]}")
    return *header[1:], content[4 * words :]
