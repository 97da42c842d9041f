"""The vector operations that programs are made of, each with its format rule and golden value.

Every module of this folder is read, so that a new operation is a new file and no edit.
"""

from importlib import import_module
from pkgutil import iter_modules

from .base import Operation, Value

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Operation", "Value"]
