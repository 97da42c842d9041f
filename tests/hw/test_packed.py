# amaranth: UnusedElaboratable=no
"""The packed product on Amaranth's own simulator, and in whole cores on Icarus.

Vectors follow each other as closely as the interval allows; closer is too close.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.back import verilog
from clocked import run_clocked
from contracts.suite import cosimulate
from sylvan.hw.beats import Pattern, Tag
from sylvan.hw.flow import Flow
from sylvan.hw.netlist import Modules, by_module
from sylvan.hw.operators.packed import PackedMatVec
from sylvan.hw.packing import APART, Packing, pack
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import target
from sylvan.hw.tools import Workers
from sylvan.model.arrays import Array
from sylvan.model.builder import Builder
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program

SIGNED, UNSIGNED, NEGATIVE = Format(-8, 7), Format(0, 15), Format(-9, -2)
BYTE = Format.signed_bits(8)


def sparse(rows: int, columns: int, lo: int, hi: int, zeros: float) -> Array:
    rng = np.random.default_rng([rows, columns, hi + 9])
    return rng.integers(lo, hi + 1, (rows, columns)) * (rng.random((rows, columns)) >= zeros)


def operator(packing: Packing, source: Format) -> PackedMatVec:
    ends = np.stack([packing.matrix * source.lo, packing.matrix * source.hi])
    lo, hi = ends.min(axis=0).sum(axis=1).min(), ends.max(axis=0).sum(axis=1).max()
    return PackedMatVec(packing, source, Format(int(lo), int(hi)), Tag(1))


def products(design: PackedMatVec, vectors: Array, distance: int) -> Array:
    """Results of vectors (count, columns) that start so many cycles apart."""
    rows, columns = design.packing.matrix.shape
    left = design.left
    lanes, beats = left.lanes, left.beats
    starts = [1 + distance * k for k in range(len(vectors))]
    found = np.zeros((len(vectors), beats * lanes), np.int64)

    async def bench(context: Any) -> None:
        for cycle in range(starts[-1] + design.latency + left.cycles):
            context.set(design.a.start, cycle in starts)
            for k, start in enumerate(starts):
                if start <= cycle < start + columns:
                    context.set(design.a.lanes[0], int(vectors[k, cycle - start]))
                beat, held = divmod(cycle - start - design.latency, left.dwell)
                if 0 <= beat < beats:
                    assert context.get(design.o.start) == (beat == held == 0)
                    word = [context.get(lane) for lane in design.o.lanes]
                    here = slice(beat * lanes, (beat + 1) * lanes)
                    assert held == 0 or (found[k, here] == word).all(), "it stays"
                    found[k, here] = word
            await context.tick()

    run_clocked(design, bench)
    return found[:, :rows]


def vectors(size: int, source: Format) -> Array:
    given = np.random.default_rng(size).integers(source.lo, source.hi + 1, (4, size))
    given[1] = source.lo
    return given


SHAPES = [(1, 1), (20, 1), (1, 17), (5, 20), (9, 9), (16, 16), (33, 20), (20, 33)]
WEIGHTS = [
    (-1, 1, 0.5, SIGNED),
    (-1, 1, 0.9, UNSIGNED),
    (-8, 7, 0.3, NEGATIVE),
    (0, 1, 0.5, SIGNED),
    (-1, 0, 0.5, UNSIGNED),
    (0, 0, 0.0, SIGNED),
    (3, 3, 0.0, SIGNED),
]


@pytest.mark.parametrize("rows, columns", SHAPES)
def test_it_is_the_product(rows: int, columns: int) -> None:
    for turn, (lo, hi, zeros, source) in enumerate(WEIGHTS):
        matrix = sparse(rows, columns, lo, hi, zeros)
        given = vectors(columns, source)
        for lanes in {min(rows, 2 + turn % 3), min(rows, 8)}:
            design = operator(pack(matrix, lanes), source)
            found = products(design, given, design.interval + turn % 3)
            assert (found == given @ matrix.T).all(), (lo, hi, lanes)


@pytest.mark.parametrize("bits", range(6))
def test_it_is_the_product_for_any_window_and_turns(bits: int) -> None:
    matrix, given = sparse(30, 27, -1, 1, 0.6), vectors(27, SIGNED)
    turns = np.random.default_rng(bits).integers(0, 2, 6)
    design = operator(Packing(matrix, 5, 1 << bits, turns), SIGNED)
    assert (products(design, given, design.interval) == given @ matrix.T).all()


@pytest.mark.parametrize("rows, columns", SHAPES)
@pytest.mark.parametrize("dwell", [1, 3])
def test_results_leave_one_by_one(rows: int, columns: int, dwell: int) -> None:
    """Each for so many cycles, as closely as the interval allows."""
    for turn, (lo, hi, zeros, source) in enumerate(WEIGHTS):
        matrix = sparse(rows, columns, lo, hi, zeros)
        given, lanes = vectors(columns, source), min(rows, 2 + turn % 4)
        design = operator(pack(matrix, lanes, dwell), source)
        assert design.interval >= rows * dwell
        assert (products(design, given, design.interval) == given @ matrix.T).all(), (lo, hi, lanes)


@pytest.mark.parametrize("bits", range(6))
def test_results_leave_one_by_one_for_any_window_and_turns(bits: int) -> None:
    matrix, given = sparse(30, 27, -1, 1, 0.6), vectors(27, SIGNED)
    turns = np.random.default_rng(bits).integers(0, 2, 6)
    design = operator(Packing(matrix, 5, 1 << bits, turns, 1), SIGNED)
    assert (products(design, given, design.interval) == given @ matrix.T).all()


@pytest.mark.parametrize("rows, columns, lanes", [(1, 1, 1), (20, 5, 8), (33, 20, 4), (20, 1, 4)])
def test_latency_and_interval(rows: int, columns: int, lanes: int) -> None:
    packing = pack(sparse(rows, columns, -1, 1, 0.5), lanes)
    design = operator(packing, SIGNED)
    begins = max(packing.wait, design.first_word)
    assert design.latency == begins + packing.leave + 2
    assert design.interval >= max(packing.cycles + 1, columns)
    # The last beat leaves right after the last word, where few words are in the way.
    assert design.latency + packing.slots <= begins + packing.cycles + APART + 2 + packing.slots


def test_zeros_cost_no_cycle_of_the_interval() -> None:
    packing = pack(sparse(64, 64, -1, 1, 0.5), 4)
    assert operator(packing, SIGNED).interval == packing.cycles + 1


@pytest.mark.parametrize("dwell", [0, 1])
@pytest.mark.parametrize("fault", ["wait", "leave", "interval"])
def test_a_cycle_less_is_too_few(fault: str, dwell: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two, of the interval: what is read and written in one cycle is still the old one here."""
    matrix, given = sparse(24, 16, -1, 1, 0.7), vectors(16, SIGNED)
    packing = Packing(matrix, 3, 16, np.zeros(8, np.int64), dwell)
    wait, leave = packing.wait, packing.leave
    if fault == "wait":
        monkeypatch.setattr(Packing, "wait", wait - 1)
    if fault == "leave":
        monkeypatch.setattr(Packing, "leave", leave - 1)
    design = operator(packing, SIGNED)
    distance = design.interval - 2 * (fault == "interval")
    assert (products(design, given, distance) != given @ matrix.T).any()


# ---- in a plan


def recurrent(size: int, matrix: Array) -> Program:
    b = Builder(NumericInput(3, BYTE, (1.0,) * 3, (0.0,) * 3))
    h = b.state("h", size, BYTE)
    injected = b.matvec(Dense(sparse(size, 3, -8, 7, 0.0)), b.input)
    new = b.narrow(b.add(b.exponent(-3, b.matvec(Dense(matrix), h, name="turned")), injected), BYTE)
    b.write(h, new)
    handed_on = b.layer("rnn", new)
    return b.program(b.matvec(Dense(sparse(4, size, -1, 1, 0.5)), handed_on), "every")


@pytest.mark.parametrize("lanes, lo, hi", [(4, -1, 1), (5, -8, 7)])
def test_cores_with_packed_products_are_golden(
    lanes: int, lo: int, hi: int, tmp_path: Path
) -> None:
    plan = Plan(recurrent(26, sparse(26, 26, lo, hi, 0.6)), Schedule(lanes))
    assert any(isinstance(part.operator, PackedMatVec) for part in plan.layers[0].step.parts)
    cosimulate(plan, tmp_path / "build")


def curved(size: int, matrix: Array) -> Program:
    """A recurrence whose sums go through a table, as those of gates do."""
    b = Builder(NumericInput(1, BYTE, (1.0,), (0.0,)))
    h = b.state("h", size, BYTE)
    injected = b.matvec(Dense(sparse(size, 1, -8, 7, 0.0)), b.input)
    sums = b.add(b.matvec(Dense(matrix), h, name="turned"), injected)
    entries = np.rint(127 * np.tanh(np.arange(-32, 32) / 16)).astype(np.int64)
    argument = b.narrow(b.exponent([-5], sums), Format(-32, 31))
    b.write(h, b.narrow(b.table(entries, 0, argument), BYTE))
    return b.program(b.matvec(Dense(sparse(4, size, -1, 1, 0.5)), b.layer("rnn", h)), "every")


def test_zeros_cost_no_cycle_where_tables_are_on_a_single_lane(tmp_path: Path) -> None:
    """Packed on four lanes, the sums pass one by one; without zeros they are inner products."""
    plan, dense = (
        Plan(curved(26, sparse(26, 26, lo, 1, zeros)), Schedule(4))
        for lo, zeros in ((-1, 0.6), (1, 0.0))
    )
    (part,) = (part for part in plan.layers[0].step.parts if part.name == "turned")
    assert isinstance(part.operator, PackedMatVec) and part.pattern == Pattern(26, 1)
    assert part.operator.packing.lanes == 4
    assert plan.cycles_per_step < dense.cycles_per_step
    cosimulate(plan, tmp_path / "build")


def test_the_plan_says_what_was_packed() -> None:
    matrix = sparse(24, 24, -1, 1, 0.6)
    plan = Plan(recurrent(24, matrix), Schedule(3))
    (part,) = (p for p in plan.describe()["layers"][0]["step"] if p["operator"] == "PackedMatVec")
    packing = pack(matrix, 3)
    assert part["name"] == "turned"
    assert part["nonzeros"] == np.count_nonzero(matrix)
    assert part["packed_cycles"] == packing.cycles
    assert part["index_bits_per_nonzero"] == packing.index_bits_per_nonzero
    json.dumps(plan.describe(), allow_nan=False)


@pytest.mark.parametrize("part", ["ice40-hx8k", "ecp5-25f"])
def test_weights_are_block_ram(part: str, tmp_path: Path) -> None:
    """As many blocks as their bits fill, and no table or flip-flop holds a word."""
    design = operator(pack(sparse(64, 64, -1, 1, 0.5), 4), BYTE)
    ports = {
        "a_start": (design.a.start, None),
        "a": (design.a.lanes[0], None),
        **{f"o{k}": (lane, None) for k, lane in enumerate(design.o.lanes)},
    }
    text = verilog.convert(design, name="packed", ports=ports, emit_src=False)
    (tmp_path / "design.v").write_text(text)
    with Workers(1) as crew:
        netlist = Flow("packed", target(part), tmp_path, crew, print).map()
    found = by_module(netlist, Modules(text, "packed"))["packed.words"]
    word, depth = design.words.cost.roms[0]
    bits = target(part).bram_bits
    assert bits is not None and -(-word * depth // bits) <= found["brams"] <= 4
    assert found["luts"] < 40 and found["ffs"] < 2 * word
