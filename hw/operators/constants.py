"""Memories of constants: block RAM, or look-up tables where words are few."""

from collections.abc import Sequence
from typing import Any

from amaranth import Array as Choices
from amaranth import Module, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.memory import Memory

from .base import Cost

READ_LATENCY = 2
"""Cycles from an address to its word: the memory's own and an output register's."""

TABLE_BITS = 4
"""Address bits of a look-up table."""

FEW_WORDS, FEW_BITS = 32, 512
"""Up to so many words, and of more below so many bits, look-up tables are the better ROM."""

Words = list[list[int]]
"""Constants as memories take them: the lanes of every word."""


def are_few(words: int, width: int) -> bool:
    """Whether constants are better off in look-up tables."""
    return words <= FEW_WORDS or words * width < FEW_BITS


def constants(shape: Any, words: Sequence[Any]) -> Memory:
    """A memory of constants, in look-up tables where they are few, else in block RAM."""
    few = are_few(len(words), Shape.cast(shape).width)
    style: dict[str, str | int] = {"rom_style": "logic" if few else "block"}
    return Memory(shape=shape, depth=max(len(words), 2), init=words, attrs=style)


def constants_cost(words: int, width: int) -> Cost:
    """Cost of `constants`; a single word is wires."""
    if words == 1:
        return Cost()
    if are_few(words, width):
        return Cost(logic_bits=width * _tables(words))
    return Cost(roms=((width, words),))


def _tables(words: int) -> int:
    """Look-up tables for each bit of so many words."""
    return -(-words // (1 << TABLE_BITS))


def words_in_block(m: Module, layout: data.ArrayLayout, init: Words, address: Value) -> Any:
    """The word a cycle after its address, from block RAM."""
    memory = Memory(shape=layout, depth=len(init), init=init, attrs={"rom_style": "block"})
    m.submodules.words = memory
    port = memory.read_port()
    m.d.comb += port.addr.eq(address)
    return port.data


def words_in_logic(m: Module, layout: data.ArrayLayout, init: Words, address: Value) -> Any:
    """The word a cycle after its address, from tables that are short enough for one cycle.

    The choice among the tables is left to the next, so that both cycles do alike much.
    """
    low = _table_bits(len(init))
    words = []
    for number, first in enumerate(range(0, len(init), 1 << low)):
        table = init[first : first + (1 << low)]
        table += [[0] * layout.length] * (len(table) == 1)
        memory = Memory(shape=layout, depth=len(table), init=table, attrs={"rom_style": "logic"})
        m.submodules[f"words{number}"] = memory
        port = memory.read_port()
        m.d.comb += port.addr.eq(address[:low])
        words.append(port.data)
    if len(words) == 1:
        return words[0]
    place = Signal(range(len(words)))
    m.d.sync += place.eq(address[low:])
    return data.View(layout, Choices(Value.cast(word) for word in words)[place])


def words_in_logic_cost(words: int, width: int) -> Cost:
    """Cost of `words_in_logic`: its tables and their registers, and the choice among them."""
    parts = -(-words // (1 << _table_bits(words)))
    return Cost(logic_bits=width * (_tables(words) + parts - 1), register_bits=width * parts)


def _table_bits(words: int) -> int:
    """Address bits of each of the tables in logic."""
    return max(TABLE_BITS, -(-(words - 1).bit_length() // 2))
