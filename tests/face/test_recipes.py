"""Recipes as a user meets them: a list, and settings that may be given back one by one."""

import dataclasses
import shlex

import pytest
from rich.console import Console
from sylvan.model.cells import cell_names
from sylvan.model.config import Config
from sylvan.model.presets import PRESETS, configured, preset
from sylvan.model.tasks import data_set

from sylvan.recipes import Setting, of_cell, of_config, of_task, presets_table


def settings(config: Config) -> list[Setting]:
    return [*of_config(config), *of_task(config), *of_cell(config)]


def test_the_list_is_read_in_a_hundred_columns() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(presets_table(PRESETS))
    lines = capture.get().splitlines()
    for name, config in PRESETS.items():
        (line,) = (line for line in lines if line.startswith(f"│ {name} "))
        needed = data_set(config.task)
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        assert cells[:4] == [name, config.task, needed.folder if needed else "-", config.cell]
        assert cells[4] == str(config.hidden)


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_shown_may_be_set(name: str) -> None:
    shown = settings(preset(name))
    words = [shlex.split(setting) for setting, _, _ in shown]
    again = configured(name, {}, [word for (word,) in words])
    assert [setting for setting, _, _ in settings(again)] == [setting for setting, _, _ in shown]


def test_a_recipe_is_told_from_what_it_leaves_as_it_is() -> None:
    whose = {setting: owner for setting, owner, _ in settings(preset("permuted-mnist-reads"))}
    assert whose["hidden=512"] == whose["task.permuted=true"] == "preset"
    assert whose["'cell.reads=[195,391,587,783]'"] == "preset"
    assert whose["decay=null"] == whose["task.pixels=1"] == whose["weight_bits=4"] == "default"


@pytest.mark.parametrize("cell", cell_names())
def test_every_setting_of_a_config_and_of_a_cell_is_explained(cell: str) -> None:
    config = dataclasses.replace(preset("digits"), cell=cell)
    told = {setting: meaning for setting, _, meaning in (*of_config(config), *of_cell(config))}
    assert not [setting for setting, meaning in told.items() if not meaning]
