"""Recipes for people: which there are, and everything that one of them settles."""

import dataclasses
import inspect
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from sylvan.model.config import Config
from sylvan.model.families import HANDED, cell_options, family, given_options
from sylvan.model.tasks import data_set, task_options

from .console import console
from .report import shown

Setting = tuple[str, str, str]
"""NAME=VALUE as a shell and `--set` take it, whose it is, and what it means."""


def presets_table(presets: Mapping[str, Config]) -> Table:
    """Recipes by name: what is learned by what, and the data that must be there for it."""
    table = Table(
        caption="data: the subfolder of --data FOLDER that it reads", caption_justify="left"
    )
    for title in ("preset", "task", "data", "cell"):
        table.add_column(title)
    for title in ("hidden", "block", "weight bits", "epochs"):
        table.add_column(title, justify="right")
    for name, config in presets.items():
        needed = data_set(config.task)
        size = (config.hidden, config.block, config.weight_bits, config.epochs)
        cells = (config.task, needed and needed.folder, config.cell, *size)
        table.add_row(name, *(shown(cell, "{}") for cell in cells))
    return table


def print_recipe(name: str, config: Config) -> None:
    """Print all that a recipe settles: of the run, of its task and of its cell."""
    needed = data_set(config.task)
    reads = f" (reads {needed.folder} in --data FOLDER)" if needed else ""
    groups = {
        f"preset {name}": of_config(config),
        f"task {config.task}{reads}: docs/tasks.md": of_task(config),
        f"cell {config.cell}: model/cells/{config.cell}/README.md": of_cell(config),
    }
    for title, settings in groups.items():
        table = Table(box=None, show_header=False, pad_edge=False)
        for setting in settings:
            table.add_row(*setting)
        console.print(title, style="bold")
        console.print(table)


def of_config(config: Config) -> Iterator[Setting]:
    """The fields of a config, but for those that `of_task` and `of_cell` tell of."""
    meaning = _described(Config)
    for field in dataclasses.fields(Config):
        if field.name not in HANDED and not field.name.endswith("_options"):
            value = getattr(config, field.name)
            yield _setting(field.name, value, value != field.default, meaning)


def of_task(config: Config) -> Iterator[Setting]:
    """The options of the config's task."""
    given = config.task_options
    for name, option in task_options(config.task).items():
        yield _setting(f"task.{name}", given.get(name, option.default), name in given, {})


def of_cell(config: Config) -> Iterator[Setting]:
    """The options of the config's cell."""
    given, meaning = given_options(config), _described(family(config.cell))
    for name, option in cell_options(config.cell).items():
        shown_as = name if name in HANDED else f"cell.{name}"
        yield _setting(shown_as, given.get(name, option.default), name in given, meaning)


def _setting(name: str, value: Any, chosen: bool, meaning: Mapping[str, str]) -> Setting:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    whose = "preset" if chosen else "default"
    return shlex.quote(f"{name}={text}"), whose, meaning.get(name.removeprefix("cell."), "")


def _described(documented: type) -> dict[str, str]:
    """What the docstrings of a class and its bases say of parameters: indented, `name: text`."""
    meaning: dict[str, str] = {}
    for level in documented.__mro__:
        doc = inspect.cleandoc(level.__doc__ or "")
        for names, text in re.findall(r"^ {4}([a-z_, ]+): (.+(?:\n {8}.+)*)", doc, re.MULTILINE):
            for name in names.split(", "):
                meaning.setdefault(name, " ".join(text.split()))
    return meaning
