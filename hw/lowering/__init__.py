"""Which operator realises which operation, in which pattern of beats.

One class per operation. A consumer demands a value in a pattern; the lowering answers with an
operator and with the patterns it demands of its operands in turn. What an operator cannot produce
in a demanded pattern, it produces in its natural one, and a buffer turns the order.

Every module of this folder is read, so that a new operation's lowering is a new file and no edit.
"""

from importlib import import_module
from pkgutil import iter_modules

from .base import Body, Demand, Lowered, Lowering, agree_on_words, lowers

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Body", "Demand", "Lowered", "Lowering", "agree_on_words", "lowers"]
