"""Recipes by name, and settings that change them."""

import dataclasses
import re

import pytest
from sylvan.model.config import Config
from sylvan.model.errors import UserError
from sylvan.model.presets import configured, preset


def test_settings_change_the_config_its_task_and_its_cell() -> None:
    config = configured(
        "copy-100",
        {"hidden": 32, "task_options": {"length": 50}},
        ["decay=1", "task.train=64", "cell.bias=loop", "refit=true"],
    )
    assert config == dataclasses.replace(
        preset("copy-100"),
        hidden=32,
        decay=1.0,
        refit=True,
        task_options={"length": 50, "train": 64},
        cell_options={"bias": "loop"},
    )
    assert configured(None, {"task": "digits"}, []) == Config("digits")
    assert configured(None, {}, ["task=digits"]) == Config("digits")


BAD = [
    (["epochs"], "a setting is NAME=VALUE, task.NAME=VALUE or cell.NAME=VALUE: epochs"),
    (["net.x=1"], "a setting is NAME=VALUE, task.NAME=VALUE or cell.NAME=VALUE: net.x=1"),
    (["task.=1"], "a setting is NAME=VALUE, task.NAME=VALUE or cell.NAME=VALUE: task.=1"),
    (["epocs=1"], "a config has no setting 'epocs', did you mean 'epochs'?"),
    (["epochs=many"], "config: epochs must be a whole number, got 'many'"),
    (["decay=0"], "config: decay must lie in 0..1 (0 excluded), got 0"),
    (["clip=-1"], "config: clip must lie in 0..1048576, got -1"),
    (["refit=1"], "config: refit must be true or false, got 1"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_what_is_no_setting(settings: list[str], message: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        configured("digits", {}, settings)


def test_unknown_presets_and_nothing_to_train() -> None:
    with pytest.raises(UserError, match=r"there is no preset 'digit', did you mean 'digits'\?"):
        preset("digit")
    with pytest.raises(UserError, match="say what to train: --preset digits, or --task digits"):
        configured(None, {"hidden": 3}, [])
