# amaranth: UnusedElaboratable=no
"""Tables: every entry of every way to keep them, on Amaranth's own simulator, and what is kept."""

from typing import Any

import numpy as np
import pytest
from clocked import run_clocked
from sylvan.hw.beats import Tag
from sylvan.hw.operators import table as hardware
from sylvan.hw.operators.table import Table, folds
from sylvan.model.cells.gates import sigmoid_curve, tanh_curve
from sylvan.model.numbers import Format

RESULT = Format(-4096, 4095)


def passed(table: Table, values: range) -> list[int]:
    """What comes out for values in a row."""
    found: list[int] = []
    given = [*values, *[values[-1]] * table.latency]

    async def bench(context: Any) -> None:
        for value in given:
            context.set(table.a.lanes[0], value)
            found.append(context.get(table.o.lanes[0]))
            await context.tick()

    run_clocked(table, bench)
    return found[table.latency :]


def odd(source: Format, point: int, constant: int) -> np.ndarray:
    """`f(-point - a) = 9 - f(a)`, and the same from `constant` on."""
    values = np.arange(source.lo, source.hi + 1)
    places = np.where(values < 0, -point - values, values).clip(None, constant)
    half = places**2 % 1009
    return np.where(values < 0, 9 - half, half)


@pytest.mark.parametrize("logic", [False, True])
@pytest.mark.parametrize("source", [Format(-512, 511), Format(-100, 60), Format(-60, 100)])
@pytest.mark.parametrize("point", [0, 1])
def test_half_of_a_symmetric_table_is_all_of_it(point: int, source: Format, logic: bool) -> None:
    for constant in (500, 63, 31):
        entries = odd(source, point, constant)
        table = Table(1, entries, source, RESULT, Tag(1), logic)
        assert table.fold.mirrored or constant < 500 or len(entries) <= 256
        assert table.fold.mirrored or not logic
        assert passed(table, range(source.lo, source.hi + 1)) == entries.tolist()


@pytest.mark.parametrize("source", [Format(0, 600), Format(-300, 290), Format(-9, -2)])
def test_constant_runs_at_the_ends_have_no_words(source: Format) -> None:
    entries = np.arange(source.lo, source.hi + 1).clip(-30, 50) ** 2
    entries[0] = entries[1]
    table = Table(1, entries, source, RESULT, Tag(1))
    assert len(table.fold.words) <= 128 and not table.fold.mirrored
    assert passed(table, range(source.lo, source.hi + 1)) == entries.tolist()


def test_curves_of_ten_bits_keep_half_of_their_entries() -> None:
    for curve in (sigmoid_curve(10), tanh_curve(10)):
        table = Table(1, curve.entries, curve.operand, RESULT, Tag(1))
        assert (len(table.fold.words), table.latency) == (512, 4)
    # All of 256 words are in one block RAM, and half of them would be, too.
    table = Table(2, sigmoid_curve(8).entries, Format(-128, 127), RESULT, Tag(1))
    assert (len(table.fold.words), table.latency, table.interval) == (256, 2, 1)
    assert table.cost.roms == ((9, 256), (9, 256)), "a copy for each lane"


def test_a_fold_that_loses_an_entry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    source, entries = Format(-4, 3), np.arange(8)
    with pytest.raises(ValueError, match="7 entries are not one for each value of Format"):
        Table(1, entries[1:], source, RESULT, Tag(1))
    wrong = next(folds(entries + (entries == 5), source))
    monkeypatch.setattr(hardware, "folds", lambda *given: iter([wrong]))
    with pytest.raises(ValueError, match="does not hold every entry"):
        Table(1, entries, source, RESULT, Tag(1))
