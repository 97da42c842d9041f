"""HAR: what somebody with a smartphone at the waist is doing, from 2.56 seconds of its motion.

128 timesteps at 50 Hz of 9 channels: body acceleration, angular velocity and total acceleration,
or of those that a sensor measures.
Six activities, or HAR-2 (Kusupati et al., FastGRNN, 2018): {sitting, laying, walking upstairs}
against {standing, walking, walking downstairs}. Splits are by person.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..arrays import Array
from ..data import DataSet, check_array, read_arrays, read_bytes, shuffled
from ..errors import UserError, nearest
from ..numbers import Format
from ..program import NumericInput
from . import Split, Task, check_option

STEPS, PERSONS, ACTIVITIES = 128, 30, 6
CHANNELS = [f"{kind}_{axis}" for kind in ("body_acc", "body_gyro", "total_acc") for axis in "xyz"]
BODY, TURNS, TOTAL = ([3 * kind + axis for axis in range(3)] for kind in range(3))
CHOICES = {"all": BODY + TURNS + TOTAL, "motion": TOTAL + TURNS, "acceleration": TOTAL}
"""What a timestep brings, as indices of CHANNELS. A part with six axes measures `motion`, in this
order, and one with three `acceleration`; body acceleration is filtered from whole recordings."""
PARTS = ("train", "test")
COMPACT = "uci_har.npz"
DATA_SET = DataSet(
    folder="har",
    source="Human Activity Recognition Using Smartphones, UCI Machine Learning Repository "
    "(https://archive.ics.uci.edu/dataset/240)",
    forms=(
        (COMPACT,),
        tuple(
            f"{part}/{name}_{part}.txt"
            for part in PARTS
            for name in ("y", "subject", *(f"Inertial Signals/{c}" for c in CHANNELS))
        ),
    ),
    archive="UCI HAR Dataset",
)
ONE = (2, 4, 6)
"""Activities of HAR-2's class 1: walking upstairs, sitting, laying."""
RANGE_EXPONENT = 2
"""Inputs of up to 4 standard deviations: 0.6 % of the samples are clamped."""
LARGEST = 1e3
VALIDATION_SEED = 0


@dataclass(frozen=True, eq=False)
class _Part:
    """Windows (n, 128, 9) in g and rad/s, with the activity 1..6 and the person of each."""

    where: object
    signals: Array
    activities: Array
    persons: Array


def load(
    data: Path | None = None, classes: int = 6, input_bits: int = 8, channels: str = "all"
) -> Task:
    """The task with 6 `classes` or 2, each of the `channels` sent as a signed integer of
    `input_bits`.

    Channels are standardised by mean and deviation over the persons that train. A quarter of the
    persons of the published training set, chosen by a fixed seed, validate.
    """
    if classes not in (2, ACTIVITIES):
        raise UserError(f"task har needs classes 6 or 2, got {classes}")
    check_option("har", "input_bits", input_bits, 4, 16)
    if channels not in CHOICES:
        hint = nearest(channels, CHOICES)
        raise UserError(f"task har has no channels {channels!r}{hint}; known: {list(CHOICES)}")
    paths = DATA_SET.locate(data)
    parts = _compact(paths[0]) if len(paths) == 1 else _published(paths)
    chosen = CHOICES[channels]
    learned, test = (_checked(part, chosen) for part in parts)
    both = np.intersect1d(learned.persons, test.persons)
    if len(both):
        raise UserError(f"{test.where}: person {both[0]} is in the training set, too")
    persons = np.unique(learned.persons)
    if len(persons) < 2:
        raise UserError(f"{learned.where} needs at least 2 persons: one validates")
    held = persons[shuffled(len(persons), VALIDATION_SEED)[: max(1, len(persons) // 4)]]
    validates = np.isin(learned.persons, held)
    known = learned.signals[~validates]
    # Three digits, so that the two forms of the set, which differ by a rounding, agree on them.
    offset = tuple(round(float(mean), 3) + 0.0 for mean in known.mean((0, 1)))
    scale = tuple(float(f"{deviation:.2e}") for deviation in known.std((0, 1)))
    if not all(scale):
        raise UserError(f"{learned.where} has a channel that never changes")
    format = Format.signed_bits(input_bits, RANGE_EXPONENT + 1 - input_bits)
    source = NumericInput(len(scale), format, scale, offset)

    def split(part: _Part, rows: Array) -> Split:
        answers = part.activities[rows].astype(np.int64)
        return Split(
            source.raw(part.signals[rows]).astype(np.int16),
            answers - 1 if classes == ACTIVITIES else np.isin(answers, ONE).astype(np.int64),
        )

    splits = {
        "train": split(learned, ~validates),
        "validation": split(learned, validates),
        "test": split(test, np.full(len(test.persons), True)),
    }
    for name, made in splits.items():
        if len(np.unique(made.targets)) < classes:
            raise UserError(f"{learned.where}: an activity is missing among the {name} windows")
    return Task(
        name="har",
        input=source,
        outputs=classes,
        read="last",
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        options={"classes": classes, "input_bits": input_bits, "channels": channels},
    )


def _checked(part: _Part, chosen: list[int]) -> _Part:
    where, count = part.where, len(part.activities)
    shape = (count, STEPS, len(CHANNELS))
    check_array(f"{where}: the signals", part.signals, "f", shape, -LARGEST, LARGEST)
    check_array(f"{where}: the activities", part.activities, "iu", (-1,), 1, ACTIVITIES)
    check_array(f"{where}: the persons", part.persons, "iu", (count,), 1, PERSONS)
    return replace(part, signals=part.signals[..., chosen])


def _compact(path: Path) -> list[_Part]:
    """Signals as integers with a scale for each channel."""
    names = [f"{name}_{part}" for part in PARTS for name in ("x", "y", "subject")]
    arrays = read_arrays(path, "scale", *names)
    scale = check_array(f"{path}: scale", arrays["scale"], "f", (len(CHANNELS),), 1e-9, 1.0)
    parts = []
    for part in PARTS:
        x, y, subject = (arrays[f"{name}_{part}"] for name in ("x", "y", "subject"))
        shape, most = (-1, STEPS, len(CHANNELS)), 1 << 15
        check_array(f"{path}: x_{part}", x, "i", shape, -most, most)
        parts.append(_Part(f"{path} ({part})", x * scale.astype(np.float32), y, subject))
    return parts


def _published(paths: list[Path]) -> list[_Part]:
    """Text: an activity, a person, or the 128 samples of a channel in each line."""
    parts, size = [], 2 + len(CHANNELS)
    for start in (0, size):
        labels, persons, *channels = paths[start : start + size]
        y, subject = (_numbers(path, 1)[:, 0].astype(np.int64) for path in (labels, persons))
        signals = np.empty((len(y), STEPS, len(CHANNELS)), np.float32)
        for channel, path in enumerate(channels):
            read = _numbers(path, STEPS)
            check_array(path, read, "f", (len(y), STEPS), -LARGEST, LARGEST)
            signals[..., channel] = read
        parts.append(_Part(labels.parent, signals, y, subject))
    return parts


def _numbers(path: Path, columns: int) -> Array:
    lines = read_bytes(path).splitlines()
    for number, line in enumerate(lines, 1):
        if len(line.split()) != columns:
            raise UserError(f"{path}:{number} should hold {columns} numbers, got {line[:40]!r}...")
    if not lines:
        raise UserError(f"{path} is empty")
    try:
        return np.array(b" ".join(lines).split(), np.float64).reshape(-1, columns)
    except ValueError as error:
        raise UserError(f"{path} should hold numbers: {error}") from None
