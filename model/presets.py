"""Recipes that a user names: `sylvan train --preset NAME`, and what is changed of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from .checkpoint import Config
from .errors import UserError
from .files import parse_json
from .tasks import nearest

PRESETS: Mapping[str, Config] = {
    "digits": Config(task="digits", hidden=256, epochs=60, smoothing=0.1),
    "digits-block": Config(task="digits", hidden=256, block=64, epochs=60, smoothing=0.1),
    "copy-100": Config(
        task="copy", hidden=128, block=16, epochs=8, rate=0.03, task_options={"length": 100}
    ),
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
    fields = [field.name for field in dataclasses.fields(Config)]
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
            wanted = Config.__dataclass_fields__[path].type
            given[path] = float(value) if type(value) is int and "float" in str(wanted) else value
        else:
            raise UserError(f"a config has no setting {path!r}{nearest(path, fields)}")
    if name is None and "task" not in given:
        raise UserError("say what to train: --preset digits, or --task digits and its settings")
    base = preset(name) if name else Config(given["task"])
    for group, told in options.items():
        key = f"{group}_options"
        given[key] = getattr(base, key) | given.get(key, {}) | told
    return dataclasses.replace(base, **given)
