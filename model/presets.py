"""Recipes that a user names: `sylvan train --preset NAME`, and what is changed of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .config import Config
from .errors import UserError, nearest
from .files import parse_json

PAPER: dict[str, Any] = {"bias": "loop", "signs": "learned"}
"""The cell as the HadamRNN paper trains it."""
DIGITS = Config("digits", hidden=256, epochs=60, smoothing=0.1)
DIGITS_GATED = Config(
    "digits",
    hidden=64,
    epochs=30,
    clip=1.0,
    cell_options={"normalization": "weight", "sampling": "deterministic"},
)
COPY_1000 = Config(
    "copy",
    hidden=256,
    block=16,
    epochs=24,
    rate=0.03,
    temperature=True,
    task_options={"length": 1000, "test": 2000},
)
WAR_AND_PEACE = Config(
    "warpeace",
    cell="lstm",
    hidden=512,
    epochs=5,
    rate=0.01,
    clip=1.0,
    cell_options={"sampling": "deterministic", "gate_bits": 10},
)
ACTIVITY = Config(
    "har",
    hidden=384,
    block=64,
    epochs=20,
    batch=100,
    rate=0.005,
    refit=True,
    temperature=True,
    cell_options={"reads": list(range(7, 128, 8)), "tied": True, "dropout": 0.1},
)
SENTIMENT = Config(
    "imdb",
    hidden=128,
    epochs=4,
    batch=100,
    rate=0.003,
    temperature=True,
    cell_options={"embedding": 128, "dropout": 0.3},
)

PRESETS: Mapping[str, Config] = {
    "digits": DIGITS,
    "digits-block": replace(DIGITS, block=64),
    "digits-qornn": Config(
        "digits", cell="qornn", hidden=64, weight_bits=4, epochs=20, temperature=True
    ),
    "digits-lstm": replace(DIGITS_GATED, cell="lstm"),
    "digits-gru": replace(DIGITS_GATED, cell="gru"),
    "copy-100": Config(
        "copy", hidden=128, block=16, epochs=8, rate=0.03, task_options={"length": 100}
    ),
    "copy-1000": COPY_1000,
    "copy-1000-128": replace(COPY_1000, hidden=128, block=None),
    "copy-4000": replace(
        COPY_1000, epochs=16, task_options={"length": 4000, "train": 3200, "test": 2000}
    ),
    "adding": Config(
        "adding",
        cell="gru",
        hidden=64,
        epochs=10,
        batch=100,
        rate=0.01,
        clip=1.0,
        cell_options={"normalization": "weight", "sampling": "deterministic"},
    ),
    "copy-1000-paper": Config(
        "copy",
        hidden=128,
        weight_bits=4,
        epochs=10,
        batch=128,
        rate=1e-4,
        decay=0.98,
        task_options={"length": 1000, "train": 512000, "validation": 2000, "test": 2000},
        cell_options=PAPER,
    ),
    "permuted-mnist": Config(
        "mnist",
        hidden=512,
        epochs=30,
        batch=200,
        rate=0.005,
        refit=True,
        temperature=True,
        task_options={"permuted": True},
    ),
    "permuted-mnist-reads": Config(
        "mnist",
        hidden=512,
        epochs=20,
        batch=100,
        rate=0.005,
        temperature=True,
        task_options={"permuted": True},
        cell_options={"reads": [195, 391, 587, 783]},
    ),
    "permuted-mnist-paper": Config(
        "mnist",
        hidden=512,
        weight_bits=4,
        epochs=100,
        batch=100,
        rate=1e-3,
        decay=0.98,
        task_options={"permuted": True},
        cell_options=PAPER,
    ),
    "sequential-mnist": Config(
        "mnist", hidden=512, epochs=30, batch=200, rate=0.005, refit=True, temperature=True
    ),
    "sequential-mnist-reads": Config(
        "mnist",
        hidden=512,
        epochs=20,
        batch=100,
        rate=0.005,
        temperature=True,
        cell_options={"reads": [391, 783]},
    ),
    "sequential-mnist-paper": Config(
        "mnist",
        hidden=512,
        weight_bits=4,
        epochs=100,
        batch=64,
        rate=1e-3,
        decay=0.98,
        cell_options=PAPER,
    ),
    "har-2": replace(ACTIVITY, hidden=256, task_options={"classes": 2}),
    "har-6": ACTIVITY,
    "har-motion": replace(
        ACTIVITY, epochs=40, task_options={"channels": "motion"}, cell_options={"dropout": 0.1}
    ),
    "warpeace": WAR_AND_PEACE,
    "warpeace-float": replace(WAR_AND_PEACE, cell_options={"weights": "float"}),
    "warpeace-128": replace(WAR_AND_PEACE, hidden=128, rate=0.02),
    "warpeace-128-float": replace(
        WAR_AND_PEACE, hidden=128, rate=0.02, cell_options={"weights": "float"}
    ),
    "ptb-char": replace(WAR_AND_PEACE, task="ptb", hidden=256),
    "imdb": SENTIMENT,
    "sst-2": replace(SENTIMENT, task="sst2"),
}


def preset(name: str) -> Config:
    """A config by name. Raises UserError with the nearest known name."""
    if name not in PRESETS:
        raise UserError(
            f"there is no preset {name!r}{nearest(name, PRESETS)}; known: {list(PRESETS)}"
        )
    return PRESETS[name]


def configured(name: str | None, changes: Mapping[str, Any], settings: Sequence[str]) -> Config:
    """The preset `name`, or the defaults, with fields replaced by `changes` and `settings`.

    A setting is NAME=VALUE: a field of Config, or task.OPTION or cell.OPTION; the value is read as
    JSON where it can be, else as text.

    Raises UserError for what is no setting, and if there is neither a preset nor a task.
    """
    names = [field.name for field in dataclasses.fields(Config)]
    fields = [name for name in names if not name.endswith("_options")]
    given = dict(changes)
    options: dict[str, dict[str, Any]] = {"task": {}, "cell": {}}
    for setting in settings:
        path, equals, text = setting.partition("=")
        group, dot, option = path.partition(".")
        if not equals or (dot and group not in options) or not (path if not dot else option):
            raise UserError(
                f"a setting is NAME=VALUE, task.NAME=VALUE or cell.NAME=VALUE: {setting}"
            )
        try:
            value = parse_json(text)
        except ValueError:
            value = text
        if dot:
            options[group][option] = value
        elif path in fields:
            given[path] = value
        else:
            raise UserError(f"a config has no setting {path!r}{nearest(path, fields)}")
    if name is None and "task" not in given:
        raise UserError("say what to train: --preset digits, or --task digits and its settings")
    base = preset(name) if name else Config(given["task"])
    for group, told in options.items():
        key = f"{group}_options"
        given[key] = getattr(base, key) | given.get(key, {}) | told
    return replace(base, **given)
