"""Handwritten digits of 8x8 pixels, read one pixel per timestep, classified at the last one.

1,797 images that scikit-learn carries (of the UCI set "Optical Recognition of Handwritten Digits"):
nothing is downloaded. A pixel is one of 0..16 and stands for pixel / 16.
"""

import numpy as np

from ..errors import UserError
from ..numbers import Format
from ..program import NumericInput
from . import Split, Task

PIXELS = Format(0, 16, -4)
TEST, VALIDATION = 360, 237


def load() -> Task:
    """The task. Stratified splits from seed 0: 1,200 to train, 237 to choose, 360 to test."""
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError:
        raise UserError(
            "task digits needs scikit-learn, which carries the images: pip install 'sylvan[train]'"
        ) from None
    images, labels = load_digits(return_X_y=True)
    pixels = images.astype(np.int64)[..., None]
    rest, test, rest_labels, test_labels = train_test_split(
        pixels, labels, test_size=TEST, stratify=labels, random_state=0
    )
    train, validation, train_labels, validation_labels = train_test_split(
        rest, rest_labels, test_size=VALIDATION, stratify=rest_labels, random_state=0
    )
    return Task(
        name="digits",
        input=NumericInput(size=1, format=PIXELS, scale=(1.0,), offset=(0.0,)),
        outputs=10,
        read="last",
        train=Split(train, train_labels),
        validation=Split(validation, validation_labels),
        test=Split(test, test_labels),
    )
