# amaranth: UnusedElaboratable=no
"""Memories of vectors: each context reads its own, or the initial value, in any of its words."""

from typing import Any

import numpy as np
import pytest
from clocked import run_clocked
from sylvan.hw.beats import Pattern, Tag
from sylvan.hw.operators.base import Cost
from sylvan.hw.operators.memory import INITIAL_ROWS, VectorMemory
from sylvan.hw.operators.rom import pack_beats
from sylvan.model.numbers import Format

FORMAT = Format.signed_bits(6)
SIZES = [(31, 1, 1), (32, 1, 1), (33, 1, 1), (65, 2, 1), (128, 1, 1), (129, 1, 1)]
"""Elements, lanes, contexts; rows just within and without the range, and no power of two."""
SIZES += [(1, 1, 33), (9, 1, 3), (9, 2, 3), (40, 2, 3), (5, 1, 16), (64, 1, 3)]


def memory(size: int, lanes: int, contexts: int, initial: Any) -> VectorMemory:
    order = Pattern(size, lanes)
    return VectorMemory(order, FORMAT, [order], initial, Tag(1, contexts), contexts)


@pytest.mark.parametrize("size, lanes, contexts", SIZES)
@pytest.mark.parametrize("zero", [True, False])
def test_contexts_read_their_own_or_the_initial_value(
    size: int, lanes: int, contexts: int, zero: bool
) -> None:
    rng = np.random.default_rng(size)
    initial = np.zeros(size, np.int64) if zero else rng.integers(-32, 32, size)
    kept = memory(size, lanes, contexts, initial)
    beats, latency = kept.pattern.beats, kept.latency(kept.pattern)
    written = [rng.integers(-32, 32, size) for _ in range(contexts)]

    async def passes(context: Any, strobe: Any, number: int, init: bool) -> None:
        context.set(strobe.start, 1)
        context.set(strobe.tag.init, init)
        if contexts > 1:
            context.set(strobe.tag.context, number)

    async def bench(context: Any) -> None:
        for number, vector in enumerate(written):
            await passes(context, kept.write, number, False)
            for word in pack_beats(vector, lanes).tolist():
                for lane, raw in zip(kept.write.lanes, word, strict=True):
                    context.set(lane, raw)
                await context.tick()
                context.set(kept.write.start, 0)
        for number in rng.permutation(2 * contexts).tolist():
            number, init = divmod(number, 2)
            await passes(context, kept.read0, number, bool(init))
            seen = []
            for cycle in range(latency + beats):
                if cycle >= latency:
                    seen.append([context.get(lane) for lane in kept.out0.lanes])
                await context.tick()
                context.set(kept.read0.start, 0)
            assert seen == pack_beats(initial if init else written[number], lanes).tolist()

    run_clocked(kept, bench)


def test_an_initial_value_is_in_the_memory_where_that_is_free() -> None:
    """Twice the rows, and no choice; without an initial value, or beyond the range, as before."""
    begun = np.arange(8) - 4

    def costs(rows: int) -> tuple[Cost, Cost]:
        given = np.resize(begun, rows)
        return memory(rows, 1, 1, given).cost, memory(rows, 1, 1, None).cost

    for rows in (INITIAL_ROWS[0], INITIAL_ROWS[-1]):
        held, plain = costs(rows)
        assert held.memories == ((6, 2 << (rows - 1).bit_length()),)
        assert plain.memories == ((6, rows),) and held.logic_bits == plain.logic_bits
    for rows in (INITIAL_ROWS[0] - 1, INITIAL_ROWS[-1] + 1):
        beside, plain = costs(rows)
        assert beside.memories == plain.memories and beside.logic_bits > plain.logic_bits
