# amaranth: UnusedElaboratable=no
"""What operators are built from, on Amaranth's own simulator; their contracts are in contracts/.

Strobes, delays and addresses are driven exhaustively at small sizes; promises of latency and
interval are compared with their formulas; what cannot be built is refused by a sentence.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from amaranth import Module, Signal
from clocked import run_clocked
from sylvan.hw.adders import optimize
from sylvan.hw.beats import Pattern, Tag, shape_of
from sylvan.hw.operators.addresses import Addresses, addresses_cost
from sylvan.hw.operators.argmax import ArgMax
from sylvan.hw.operators.base import Cost, StrobeDelay
from sylvan.hw.operators.concat import Concat
from sylvan.hw.operators.delay import REGISTER_CYCLES, Delay, delayed
from sylvan.hw.operators.elementwise import AddSub, SignedAdd
from sylvan.hw.operators.graph import GraphMatVec
from sylvan.hw.operators.hadamard import Hadamard
from sylvan.hw.operators.inputs import InputReader
from sylvan.hw.operators.matvec import InnerMatVec, OuterMatVec, prefix_format
from sylvan.hw.operators.memory import VectorMemory
from sylvan.hw.operators.modrelu import ModRelu
from sylvan.hw.operators.multiples import Pick
from sylvan.hw.operators.narrow import Narrow, Narrowing
from sylvan.hw.operators.rom import LookupRom, Rom, pack_beats
from sylvan.hw.operators.slice import Slice
from sylvan.hw.operators.stored import Buffer
from sylvan.hw.operators.table import Table
from sylvan.model.matrices import sylvester
from sylvan.model.numbers import Format, Overflow, Rounding

NIBBLE = Format(-8, 7)


def clocked(design: Any, cycles: int, stimulus: Callable[[Any, int], Any]) -> list[Any]:
    """What `stimulus(context, cycle)` returns in each cycle, its inputs having settled."""
    seen: list[Any] = []

    async def bench(context: Any) -> None:
        for cycle in range(cycles):
            seen.append(stimulus(context, cycle))
            await context.tick()

    m = Module()
    m.submodules.design = design
    count = Signal(8)
    m.d.sync += count.eq(count + 1)  # so that there is a clock where the design needs none
    run_clocked(m, bench)
    return seen


# ---- strobes


@pytest.mark.parametrize("interval", [1, 2, 3, 4, 5, 9])
def test_strobes_come_exactly_so_much_later(interval: int) -> None:
    """Any distance from the interval up, several on their way at once, each with its own tag."""
    rng = np.random.default_rng(interval)
    for cycles in range(24):
        gaps = interval + rng.integers(0, 4, 12) * rng.integers(0, 2, 12)
        starts = {int(at): k % 3 for k, at in enumerate(np.cumsum(gaps))}
        delay = StrobeDelay(cycles, interval, Tag(3))

        def strobe(context: Any, cycle: int, delay: Any = delay, starts: Any = starts) -> Any:
            context.set(delay.i.start, cycle in starts)
            if cycle in starts:
                context.set(delay.i.tag.phase, starts[cycle])
            return context.get(delay.o.start), context.get(delay.o.tag.phase)

        length = max(starts) + cycles + 3
        seen = clocked(delay, length, strobe)
        expected = {at + cycles: tag for at, tag in starts.items()}
        assert {c for c, (start, _) in enumerate(seen) if start} == set(expected), cycles
        held = None
        for cycle, (_, tag) in enumerate(seen):
            held = expected.get(cycle, held)
            assert held is None or tag == held, "a tag stays until the next strobe"


@pytest.mark.parametrize("cycles", range(2 * REGISTER_CYCLES + 2))
def test_delayed_is_the_past(cycles: int) -> None:
    m = Module()
    value = Signal(8)
    late = Signal(8)
    m.d.comb += late.eq(delayed(m, "line", value, cycles))
    given = np.random.default_rng(cycles).integers(0, 256, 60)

    def drive(context: Any, cycle: int) -> int:
        context.set(value, int(given[cycle]))
        return context.get(late)

    seen = clocked(m, len(given), drive)
    assert seen[cycles:] == given[: len(given) - cycles].tolist()


# ---- addresses


def places(pattern: Pattern, word_lanes: int) -> Iterator[tuple[int, int, int, int]]:
    """(word, part, enters, moves) of every cycle of a pattern."""
    parts = -(-word_lanes // pattern.lanes)
    for _ in range(pattern.repeats):
        for beat in range(pattern.beats):
            for held in range(pattern.dwell):
                yield *divmod(beat, parts), int(held == 0), int(held == pattern.dwell - 1)


PATTERNS = [
    (Pattern(size, lanes, dwell, repeats), words)
    for size in (1, 2, 3, 4, 7)
    for words in (1, 2, 3, 4, 7)
    if words <= size
    for lanes in range(1, words + 1)
    if words % lanes == 0 or words == size
    for dwell in (1, 2, 3)
    for repeats in (1, 3)
]


def test_addresses_walk_the_pattern() -> None:
    """Twice back to back, and once more after a pause in which all rests at zero."""
    for pattern, word_lanes in PATTERNS:
        addresses = Addresses(pattern, word_lanes)
        walk = list(places(pattern, word_lanes))
        starts = [1, 1 + len(walk), 4 + 3 * len(walk)]
        expected = [(0, 0, 0, 0, 0)] * (starts[-1] + len(walk) + 2)
        for start in starts:
            for k, place in enumerate(walk):
                expected[start + k] = (1, *place)

        def drive(context: Any, cycle: int, a: Any = addresses, starts: Any = starts) -> Any:
            context.set(a.start, cycle in starts)
            return tuple(context.get(s) for s in (a.active, a.word, a.part, a.enters, a.moves))

        assert clocked(addresses, len(expected), drive) == expected, (pattern, word_lanes)


@pytest.mark.parametrize("turns", [False, True])
@pytest.mark.parametrize("exps", [(0, 0), (1, 0), (0, 2), (3, 2), (-1, -3)])
def test_a_signed_sum_is_one_or_the_other(turns: bool, exps: tuple[int, int]) -> None:
    """Every pair of a nibble and a smaller, unsigned one, both signs, against whole numbers."""
    a_format, b_format = Format(-8, 7, exps[0]), Format(0, 5, exps[1])
    result = Format(-64, 63, min(exps))
    operator = SignedAdd(1, [a_format, Format(0, 1), b_format], result, Tag(1), turns)
    cases = [(a, n, b) for a in range(-8, 8) for n in (0, 1) for b in range(6)]

    def drive(context: Any, cycle: int) -> int:
        given = cases[min(cycle, len(cases) - 1)]
        for port, raw in zip((operator.a, operator.negative, operator.b), given, strict=True):
            context.set(port.lanes[0], raw)
        return context.get(operator.o.lanes[0])

    seen = clocked(operator, len(cases) + 1, drive)[1:]
    low = min(exps)
    expected = [(b << exps[1] - low) + (-1 if n else 1) * (a << exps[0] - low) for a, n, b in cases]
    assert seen == expected


@pytest.mark.parametrize("lanes, size", [(2, 8), (3, 7), (1, 4), (4, 4)])
def test_a_pick_is_that_of_its_lane_and_beat(lanes: int, size: int) -> None:
    index = np.random.default_rng(size).integers(0, 5, size)
    pattern = Pattern(size, lanes)
    operator = Pick(index, pattern, NIBBLE, 5, Tag(1))
    elements = [-3, 7, 0, -8, 2]

    def drive(context: Any, cycle: int) -> list[int]:
        context.set(operator.a.start, cycle == 0)
        for lane, raw in zip(operator.a.lanes, elements, strict=True):
            context.set(lane, raw)
        return [context.get(lane) for lane in operator.o.lanes]

    seen = clocked(operator, 1 + pattern.beats, drive)[1:]
    assert np.concatenate(seen)[:size].tolist() == [elements[at] for at in index]


# ---- promises


@pytest.mark.parametrize("block, lanes, size", [(1, 1, 5), (8, 1, 8), (16, 4, 48), (4, 16, 20)])
def test_the_transform_s_latency_and_interval(block: int, lanes: int, size: int) -> None:
    operator = Hadamard(lanes, block, size, NIBBLE, Format(-999, 999), Tag(1))
    assert operator.latency == max(block // lanes - 1, 0) + block.bit_length() - 1
    assert operator.interval == -(-size // lanes)


@pytest.mark.parametrize("rows, columns, lanes", [(1, 1, 1), (5, 20, 8), (3, 7, 7), (20, 1, 1)])
def test_inner_products_latency_and_interval(rows: int, columns: int, lanes: int) -> None:
    weights = np.ones((rows, columns), np.int64)
    operator = InnerMatVec(weights[None], lanes, NIBBLE, Format(1, 1), Format(-200, 200), Tag(1))
    beats = -(-columns // lanes)
    assert operator.latency == beats + (lanes - 1).bit_length() + 1
    assert operator.interval == rows * beats


@pytest.mark.parametrize("rows, columns, lanes", [(1, 1, 1), (20, 5, 8), (7, 3, 7), (20, 1, 4)])
def test_outer_products_latency_and_interval(rows: int, columns: int, lanes: int) -> None:
    weights = np.ones((rows, columns), np.int64)
    operator = OuterMatVec(weights[None], lanes, NIBBLE, Format(1, 1), Format(-200, 200), Tag(1))
    beats = -(-rows // lanes)
    assert operator.latency == (columns - 1) * beats + 1 + (columns > 1)
    assert operator.interval == columns * beats


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_graph_takes_as_many_cycles_as_it_has_registers_in_a_row(levels: int) -> None:
    """A butterfly of 8: 3 levels of 8 adders, with sums of 5, 6 and 7 bits."""
    graph = optimize(sylvester(8), input_bits=4)
    operator = GraphMatVec(graph, [(8, NIBBLE)], Format(-64, 56), 1, levels)
    assert operator.latency == -(-3 // levels)
    assert operator.interval == 1
    assert (operator.cost.adders, operator.cost.adder_bits) == (24, 8 * (5 + 6 + 7))
    # What is registered: sums of 5 and 6 bits between the levels, and the outputs of 7.
    between = {1: 5 + 6, 2: 6, 3: 0}[levels]
    assert operator.cost.register_bits == 8 * (between + 7)


def test_low_bits_of_one_operand_go_past_an_adder() -> None:
    """a + 4 b and a - 4 b leave two bits of a alone, 4 b - a none."""
    for row, bits in ([1, 4], 7 - 2), ([1, -4], 7 - 2), ([-1, 4], 7):
        operator = GraphMatVec(
            optimize([row], input_bits=4), [(2, NIBBLE)], Format(-40, 40), Tag(1)
        )
        assert operator.sums() == [bits], row


def test_a_graph_of_wires_waits_one_cycle() -> None:
    graph = optimize([[0, 2], [-1, 0], [0, 0]], input_bits=4)
    operator = GraphMatVec(graph, [(2, NIBBLE)], Format(-16, 14), Tag(1))
    # The negative of 4 bits has 5.
    assert (operator.latency, operator.cost) == (
        1,
        Cost(adder_bits=5, adders=1, register_bits=8, waiting_bits=8, inverted_bits=5),
    )
    with pytest.raises(ValueError, match="levels must be at least 1, got 0"):
        GraphMatVec(graph, [(2, NIBBLE)], Format(-16, 14), 1, 0)


def test_partial_sums_have_room() -> None:
    """5 x - 5 x passes through 35, though it ends at 0."""
    assert prefix_format(np.array([[5, -5]]), NIBBLE) == Format(-75, 75)
    assert prefix_format(np.array([[1, 1], [0, 0]]), Format(2, 3)) == Format(0, 6)
    assert prefix_format(np.array([[-1, -1]]), Format(2, 3, -4)) == Format(-6, 0, -4)


def test_a_slice_is_a_later_strobe() -> None:
    """Wires where its elements come in one beat; else a register for those of the first of two."""

    def latency_and_cost(taken: Pattern, size: int, start: int) -> tuple[int, int]:
        pattern = Pattern(size, min(size, taken.lanes), taken.dwell)
        operator = Slice(taken, pattern, start, NIBBLE, Tag(1))
        assert operator.interval == taken.cycles
        return operator.latency, operator.cost.register_bits

    assert latency_and_cost(Pattern(20, 4), 8, 12) == (3, 0)
    assert latency_and_cost(Pattern(20, 1, 5), 8, 12) == (60, 0)
    assert latency_and_cost(Pattern(20, 4), 8, 5) == (2, 3 * 4)
    assert latency_and_cost(Pattern(20, 4, 3), 2, 5) == (3, 0)
    assert latency_and_cost(Pattern(20, 4, 3), 2, 7) == (6, 3 * 4)


def test_a_vector_begins_in_the_beat_of_its_first_element() -> None:
    two = NIBBLE, NIBBLE
    joint = Concat((9, 4), two, Pattern(13, 4, 3), NIBBLE, Tag(1))
    assert (joint.offsets, joint.latency, joint.interval) == ((0, 6), 1, 12)
    wired = Concat((2, 4), two, Pattern(6, 6), NIBBLE, Tag(1))
    assert (wired.offsets, wired.latency, wired.cost) == ((0, 0), 0, Cost())


@pytest.mark.parametrize("pattern", [Pattern(5, 1, 4), Pattern(7, 3, 5), Pattern(4, 2, 2)])
def test_beats_that_stay_are_delayed_one_word_each(pattern: Pattern) -> None:
    """Vectors back to back and apart, by any number of cycles, in a memory of so many beats."""
    starts = np.cumsum([1, 0, 0, 3, 1, 0]) + pattern.cycles * np.arange(6)
    length = int(starts[-1]) + pattern.cycles
    given = np.zeros((length, pattern.lanes), int)
    for number, start in enumerate(starts):
        for cycle in range(pattern.cycles):
            beat = number * pattern.beats + cycle // pattern.dwell
            given[start + cycle] = [(7 * beat + lane) % 16 - 8 for lane in range(pattern.lanes)]
    for cycles in (7, 10, 2 * pattern.cycles, 3 * pattern.cycles + 1):
        delay = Delay(pattern, NIBBLE, cycles, Tag(1))
        assert delay.by_beats and delay.cost.memories[0][1] < cycles - 2

        def drive(context: Any, cycle: int, delay: Any = delay) -> Any:
            context.set(delay.a.start, cycle in starts)
            for lane, raw in zip(delay.a.lanes, given[min(cycle, length - 1)], strict=True):
                context.set(lane, int(raw))
            return context.get(delay.o.start), [context.get(lane) for lane in delay.o.lanes]

        seen = clocked(delay, length + cycles, drive)
        assert {c - cycles for c, (start, _) in enumerate(seen) if start} == set(starts.tolist())
        for start in starts:
            passing = range(start, start + pattern.cycles)
            assert [seen[c + cycles][1] for c in passing] == given[passing].tolist(), cycles


@pytest.mark.parametrize("size, lanes, dwell", [(8, 4, 1), (7, 4, 3), (9, 2, 2), (3, 3, 5)])
def test_single_elements_become_words(size: int, lanes: int, dwell: int) -> None:
    written, read = Pattern(size, 1, dwell), Pattern(size, lanes)
    buffer = Buffer(written, read, NIBBLE, Tag(1))
    assert buffer.latency == written.cycles + buffer.memory.latency(read)

    def drive(context: Any, cycle: int) -> Any:
        context.set(buffer.a.start, cycle == 0)
        context.set(buffer.a.lanes[0], min(cycle // dwell, size - 1) - 4)
        return [context.get(lane) for lane in buffer.o.lanes]

    seen = clocked(buffer, buffer.latency + read.cycles, drive)[buffer.latency :]
    passed = [raw for word in seen for raw in word]
    assert passed[:size] == [k - 4 for k in range(size)]


def test_a_buffer_turns_a_whole_vector() -> None:
    written, pattern = Pattern(20, 8), Pattern(20, 1, 3, 2)
    operator = Buffer(written, pattern, NIBBLE, Tag(1))
    assert operator.latency == 3 + operator.memory.latency(pattern) == 7
    assert operator.interval == 3 + 120


@pytest.mark.parametrize("format", [Format(0, 0), Format(5, 5), Format(-1, 0), Format(-8, 7)])
def test_a_shape_holds_every_value_of_its_format(format: Format) -> None:
    shape = shape_of(format)
    assert shape.width == max(format.width, 1) and shape.signed == format.signed


def test_beats_are_padded_with_zeros() -> None:
    assert pack_beats(np.arange(1, 6)[None], 2).tolist() == [[[1, 2], [3, 4], [5, 0]]]
    assert pack_beats(np.arange(1, 3)[None], 2).tolist() == [[[1, 2]]]


def test_every_operator_states_its_cost() -> None:
    """Nothing is free that computes, keeps or waits."""
    weights = np.ones((4, 4), np.int64)
    pattern = Pattern(4, 2)
    for operator in (
        AddSub(2, [NIBBLE, NIBBLE], Format(-16, 14), Tag(1), False),
        ArgMax(Pattern(4, 1), NIBBLE, Format(0, 3), Tag(1)),
        Buffer(pattern, Pattern(4, 1), NIBBLE, Tag(1)),
        Delay(pattern, NIBBLE, 3, Tag(1)),
        Delay(pattern, NIBBLE, 30, Tag(1)),
        Delay(Pattern(4, 2, 5), NIBBLE, 30, Tag(1)),
        Concat((3, 2), (NIBBLE, NIBBLE), Pattern(5, 2), NIBBLE, Tag(1)),
        ModRelu(2, [NIBBLE, NIBBLE], NIBBLE, Tag(1)),
        Slice(pattern, Pattern(3, 2), 1, NIBBLE, Tag(1)),
        Table(2, np.arange(16), NIBBLE, Format(0, 15), Tag(1)),
        Hadamard(2, 4, 4, NIBBLE, Format(-32, 28), Tag(1)),
        InnerMatVec(weights[None], 2, NIBBLE, Format(1, 1), Format(-32, 28), Tag(1)),
        GraphMatVec(optimize(weights), [(4, NIBBLE)], Format(-32, 28), Tag(1)),
        InputReader(pattern, NIBBLE, Tag(1)),
        LookupRom(np.ones((1, 3, 2, 2), np.int64), pattern, Format(0, 1), Format(0, 2), Tag(1)),
        Narrow(2, Narrowing(NIBBLE, Format(-2, 1), Rounding.HALF_EVEN, Overflow.SATURATE), Tag(1)),
        OuterMatVec(weights[None], 2, NIBBLE, Format(1, 1), Format(-32, 28), Tag(1)),
        Pick(np.arange(4), pattern, NIBBLE, 4, Tag(1)),
        SignedAdd(2, [NIBBLE, Format(0, 1), NIBBLE], Format(-16, 15), Tag(1), True),
        Rom(np.ones((1, 2, 2), np.int64), pattern, Format(0, 1), Tag(1)),
        VectorMemory(pattern, NIBBLE, [pattern], None, Tag(1)),
        VectorMemory(Pattern(4, 1), NIBBLE, [pattern], None, Tag(1), lanes=2),
    ):
        cost = operator.cost
        assert cost.adder_bits + cost.register_bits + cost.logic_bits + len(cost.memories)
        assert min(cost.adder_bits, cost.register_bits, cost.logic_bits) >= 0


def test_a_rom_has_the_words_of_its_address() -> None:
    """5 symbols and 3 beats take 3 and 2 bits below the phase, of which there are 3."""
    pattern = Pattern(6, 2)
    words = np.ones((3, 5, 3, 2), np.int64)
    lookup = LookupRom(words, pattern, Format(0, 1), Format(0, 4), Tag(3))
    assert lookup.depth == 3 << 5
    assert Rom(words[:, 0], pattern, Format(0, 1), Tag(3)).depth == 3 << 2
    assert Rom(words[:1, 0], pattern, Format(0, 1), Tag(1)).depth == 3
    assert Rom(words[:1, 0, :1], Pattern(2, 2), Format(0, 1), Tag(3)).depth == 1


def test_only_many_words_of_many_bits_are_in_block_ram() -> None:
    def rom(beats: int, lanes: int, logic: bool = False) -> Rom:
        words = np.ones((1, beats, lanes), np.int64)
        return Rom(words, Pattern(beats * lanes, lanes), Format(0, 1), Tag(1), logic)

    assert rom(64, 8).cost.roms == ((8, 64),) and rom(64, 8).latency == 2
    for few in (rom(32, 100), rom(64, 7), rom(64, 8, logic=True)):
        assert few.cost.roms == () and few.cost.logic_bits > 0 and few.latency == 3
    assert rom(1, 8).latency == 2, "wires"


def test_what_a_memory_takes_besides_its_words() -> None:
    def cost(readers: list[Pattern], initial: Any = None) -> Cost:
        return VectorMemory(Pattern(6, 2), NIBBLE, readers, initial, Tag(1)).cost

    beats, singly = Pattern(6, 2), Pattern(6, 1)
    plain = cost([beats])
    assert plain.memories == ((8, 3),) and cost([beats], np.zeros(6, int)) == plain
    begun = cost([beats], np.arange(6))
    assert begun.memories == ((8, 3),)
    assert begun.logic_bits == plain.logic_bits + 8 + 8, "a choice, and a table for each bit"
    counting, picking = addresses_cost(beats), addresses_cost(singly)
    one = cost([singly])
    assert one.logic_bits - plain.logic_bits == picking.logic_bits - counting.logic_bits + 4
    assert one.register_bits - plain.register_bits == (
        picking.register_bits - counting.register_bits + 4 + 2
    )
    whole = VectorMemory(Pattern(2, 2), NIBBLE, [Pattern(2, 2)], None, Tag(1)).cost
    assert whole.memories == () and whole.register_bits >= 3 * 8


# ---- refusals


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: StrobeDelay(-1, 1, Tag(1)), "a strobe cannot be delayed by -1 cycles"),
        (
            lambda: Delay(Pattern(4, 2), NIBBLE, 0, Tag(1)),
            "a delay takes at least one cycle, got 0",
        ),
        (lambda: Addresses(Pattern(8, 3), 4), "3 lanes cannot pass from words of 4"),
        (
            lambda: Hadamard(6, 4, 12, NIBBLE, NIBBLE, Tag(1)),
            "blocks of 4 cannot pass on 6 lanes: one must divide the other",
        ),
        (
            lambda: ArgMax(Pattern(4, 2), NIBBLE, NIBBLE, Tag(1)),
            r"argmax takes single elements once, got Pattern\(size=4, lanes=2,",
        ),
        (
            lambda: ArgMax(Pattern(4, 1, 1, 2), NIBBLE, NIBBLE, Tag(1)),
            "argmax takes single elements once, got .*repeats=2",
        ),
        (
            lambda: Rom(np.ones((1, 3, 2), np.int64), Pattern(4, 2), NIBBLE, Tag(1)),
            r"words of shape \(1, 1, 3, 2\) do not pass as 2 beats of 2 lanes",
        ),
        (
            lambda: VectorMemory(Pattern(8, 4), NIBBLE, [Pattern(8, 3)], None, Tag(1)),
            "3 lanes cannot pass from words of 4",
        ),
        (
            lambda: Slice(Pattern(9, 2), Pattern(5, 2), 5, NIBBLE, Tag(1)),
            "5 elements from 5 are not inside 9",
        ),
        (
            lambda: Slice(Pattern(9, 2), Pattern(3, 1), 0, NIBBLE, Tag(1)),
            "2 lanes cannot pass on in beats of 1",
        ),
    ],
)
def test_refused(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
