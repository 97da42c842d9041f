"""Sylvan: quantized recurrent networks as streaming adder trees.

Public names are loaded when they are first used: the golden model needs neither torch nor Amaranth.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Program": "model.program",
    "load_program": "model.storage:load",
    "save_program": "model.storage:save",
    "run": "model.interpret",
    "Config": "model.config",
    "load_checkpoint": "model.checkpoint",
    "preset": "model.presets",
    "train": "model.train",
    "export": "model.export",
    "load_task": "model.tasks",
    "Link": "boards.link.client",
    "AsyncLink": "boards.link.asynchronous",
    "twin": "twins",
}
"""Public names, each with its module, and its name there where that differs."""

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sylvan' has no attribute {name!r}")
    module, _, there = _HOMES[name].partition(":")
    return getattr(import_module(f"sylvan.{module}"), there or name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
