"""Banks of a wide memory: what was written is read, and no two banks hear of a row in one form."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module, Signal, signed
from amaranth.sim import Simulator
from clocked import run_clocked
from sylvan.hw.beats import Pattern, Tag
from sylvan.hw.operators.banks import WORD_BITS, Banks, turned
from sylvan.hw.operators.memory import VectorMemory
from sylvan.model.numbers import Format

WIDTH, LANES, ROWS = 12, 40, 8


def packed(word: list[int]) -> int:
    return sum(raw % (1 << WIDTH) << k * WIDTH for k, raw in enumerate(word))


@pytest.mark.parametrize("words", [0, 1, 4])
def test_what_was_written_is_read(words: int) -> None:
    """Random rows, written and read a cycle later at the earliest; some are read anew instead."""
    rng = np.random.default_rng(words)
    initial = rng.integers(-2000, 2000, (words, LANES)) if words else None
    banks = Banks(signed(WIDTH), LANES, ROWS, initial)
    kept: dict[int, int] = {}
    expected: list[int | None] = []
    seen: list[int] = []

    async def bench(context: Any) -> None:
        for _ in range(120):
            row = int(rng.choice(list(kept))) if kept else 0
            anew = bool(words and rng.integers(3) == 0)
            context.set(banks.read_row, row)
            context.set(banks.anew, anew)
            if anew and initial is not None:
                expected.append(packed(initial[row % words].tolist()))
            else:
                expected.append(kept.get(row))
            word, target = (
                packed(rng.integers(-2000, 2000, LANES).tolist()),
                int(rng.integers(ROWS)),
            )
            writes = bool(rng.integers(2)) and (target != row or not kept)
            context.set(banks.write_row, target)
            context.set(banks.write_data, word)
            context.set(banks.enable, writes)
            seen.append(context.get(banks.data))
            await context.tick()
            if writes:
                kept[target] = word
        for _ in range(Banks.latency):
            seen.append(context.get(banks.data))
            await context.tick()

    run_clocked(banks, bench)
    pairs = list(zip(seen[Banks.latency :], expected, strict=True))
    assert sum(e is not None for _, e in pairs) > 100
    assert all(e is None or s == e for s, e in pairs)


@pytest.mark.parametrize("bits", [1, 2, 5])
def test_no_two_banks_keep_equal_registers(bits: int) -> None:
    """Of as many forms as bits every bit differs, and every form turned again is plain."""
    m = Module()
    value = Signal(bits)
    forms, plains = [[Signal(bits) for _ in range(bits)] for _ in range(2)]
    for number, (form, plain) in enumerate(zip(forms, plains, strict=True)):
        m.d.comb += [form.eq(turned(value, number)), plain.eq(turned(form, number))]
    seen: list[list[int]] = []

    async def bench(context: Any) -> None:
        for given in range(1 << bits):
            context.set(value, given)
            assert [context.get(plain) for plain in plains] == [given] * bits
            words = [context.get(form) for form in forms]
            seen.append([word >> k & 1 for word in words for k in range(bits)])

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    registers = set(zip(*seen, strict=True))
    assert len(registers) == bits * bits


def test_only_wide_words_of_several_contexts_are_in_banks() -> None:
    format = Format.signed_bits(12)

    def memory(lanes: int, contexts: int) -> VectorMemory:
        order = Pattern(64, lanes)
        return VectorMemory(order, format, [order], None, Tag(1, contexts), contexts)

    assert 8 * 12 <= WORD_BITS < 64 * 12
    assert memory(64, 4).in_banks and not memory(64, 1).in_banks and not memory(8, 4).in_banks
    assert memory(64, 4).latency(Pattern(64, 64)) == Banks.latency
    assert memory(64, 4).latency(Pattern(64, 8)) == Banks.latency + 2
    assert memory(64, 4).cost.memories == ((72, 4),) * 10 + ((48, 4),)
