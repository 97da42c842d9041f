"""Sylvan: quantized recurrent networks as streaming adder trees.

Public names are loaded when they are first used: the golden model needs neither torch nor Amaranth.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Program": "program",
    "load_program": "storage.load",
    "save_program": "storage.save",
    "run": "interpret",
    "Config": "config",
    "load_checkpoint": "checkpoint",
    "preset": "presets",
    "train": "train",
    "export": "export",
    "load_task": "tasks",
}
"""Public names, each with its module of `sylvan.model`, and its name there where that differs."""

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sylvan' has no attribute {name!r}")
    module, _, there = _HOMES[name].partition(".")
    return getattr(import_module(f"sylvan.model.{module}"), there or name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
