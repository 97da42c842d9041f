"""The adding problem: remember two marked numbers of a long sequence and answer their sum.

Each timestep brings a number in [0, 1) and a marker, 0 or 1. One timestep of the first half and one
of the second are marked. Hochreiter and Schmidhuber (1997), in the form of Le, Jaitly and Hinton
(2015). Whoever always answers the mean, 1, has a mean square error of 1/6 = 0.167.
"""

import numpy as np

from ..numbers import Format
from ..program import NumericInput
from . import Number, Split, check_option

MOST = 1 << 20


def load(
    length: int = 100,
    train: int = 20_000,
    validation: int = 1000,
    test: int = 1000,
    fraction_bits: int = 8,
    seed: int = 0,
) -> Number:
    """The task at `length` timesteps, with that many sequences in each split.

    A raw number stands for raw / 2**fraction_bits, exactly; so the marker is raw 2**fraction_bits.
    """
    options = {
        "length": length,
        "train": train,
        "validation": validation,
        "test": test,
        "fraction_bits": fraction_bits,
        "seed": seed,
    }
    least = {"length": 2, "seed": 0}
    most = {"fraction_bits": 14, "seed": (1 << 31) - 1}
    for name, value in options.items():
        check_option("adding", name, value, least.get(name, 1), most.get(name, MOST))
    random = np.random.default_rng([seed, length])
    # Test before validation before training: their sequences do not move with the size of another.
    tests, validations, trains = (
        _sequences(generator, count, length, fraction_bits)
        for generator, count in zip(random.spawn(3), (test, validation, train), strict=True)
    )
    return Number(
        name="adding",
        input=NumericInput(
            size=2,
            format=Format(0, 1 << fraction_bits, -fraction_bits),
            scale=(1.0, 1.0),
            offset=(0.0, 0.0),
        ),
        outputs=1,
        read="last",
        score_name="within 0.04",
        train=trains,
        validation=validations,
        test=tests,
        options=options,
    )


def _sequences(random: np.random.Generator, count: int, length: int, bits: int) -> Split:
    inputs = np.zeros((count, length, 2), np.uint16)
    inputs[..., 0] = random.integers(0, 1 << bits, size=(count, length), dtype=np.uint16)
    rows, half = np.arange(count), length // 2
    total = np.zeros(count)
    for start, stop in ((0, half), (half, length)):
        marked = random.integers(start, stop, size=count)
        inputs[rows, marked, 1] = 1 << bits
        total += np.ldexp(inputs[rows, marked, 0].astype(np.float64), -bits)
    return Split(inputs, total)
