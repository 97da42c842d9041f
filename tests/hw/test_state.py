# amaranth: UnusedElaboratable=no
"""The state port: images are golden's under every schedule, and nobody waits for ever."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth import Const
from amaranth.sim import Simulator
from contracts.suite import cosimulate
from contracts.test_families import program_of
from sylvan.hw import state as hw_state
from sylvan.hw.build import check_unchanged, write_sources
from sylvan.hw.cost import total_cost
from sylvan.hw.operators import memory as hw_memory
from sylvan.hw.plan import Plan
from sylvan.hw.ports import StateImage
from sylvan.hw.schedule import Schedule
from sylvan.hw.stack import hardware
from sylvan.hw.state import LOADED, LOST, StatePort
from sylvan.hw.state_elements import StateElements
from sylvan.hw.verilog import describe_ports
from sylvan.model.builder import Builder
from sylvan.model.errors import CheckError
from sylvan.model.image import image_of
from sylvan.model.interpret import Machine
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program
from sylvan.sim.images import load_format

INPUT = NumericInput(1, Format(-8, 7), (1.0,), (0.0,))


def awkward(read: str = "every", size: int = 8) -> Program:
    """Phases, formats that fill no word, unlike states, one read twice and one never."""
    rng = np.random.default_rng(size)
    b = Builder(INPUT, period=3)
    h = b.state("h", size, Format(-100, 127), rng.integers(-9, 10, size))
    count = b.state("count", 3, Format(1, 18), [18, 5, 1])
    unread = b.state("unread", 3, Format(-3, 5), [3, 0, -1])
    turned = b.exponent([-2, -1, -2], b.matvec(Hadamard(size, rng.choice([-1, 1], size)), h))
    seen = b.matvec(Dense(rng.integers(-99, 99, (size, 1))), b.input)
    h_next = b.narrow(b.add(turned, seen), h.format)
    b.write(h, h_next)
    shifted = b.matvec(Dense([[0, 1, 0], [0, 0, 1], [1, 1, -1]]), count)
    mixed = b.matvec(Dense(rng.integers(-2, 3, (3, size))), h)
    b.write(count, b.narrow(b.add(shifted, mixed), count.format))
    b.write(unread, b.narrow(b.neg(count), unread.format))
    b.layer("loop", h_next)
    return b.program(b.matvec(Dense(rng.integers(-7, 8, (3, size))), b.input), read)


SCHEDULES = [
    Schedule(4, contexts=2, state_port=True),
    Schedule(8, 3, state_port=True),
    Schedule(2, 1, contexts=3, state_port=True),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_images_answers_and_refusals_are_golden(schedule: Schedule, tmp_path: Path) -> None:
    read = "every" if schedule.contexts > 1 else "last"
    size = 4 if schedule.digit == 1 else 8
    cosimulate(Plan(awkward(read, size), schedule), tmp_path / "build", sequences=1, resets=0)


@pytest.mark.full
@pytest.mark.parametrize("schedule", [Schedule(32, contexts=3), Schedule(16, 1, contexts=2)])
def test_wide_words_and_planes(schedule: Schedule, tmp_path: Path) -> None:
    plan = Plan(awkward("every", 32), Schedule(**vars(schedule) | {"state_port": True}))
    cosimulate(plan, tmp_path / "build", sequences=4, resets=4)


def stacked(read: str = "every") -> Program:
    """Layers with phases, without a state, and with two states, one of which is handed on old."""
    rng = np.random.default_rng(7)
    b = Builder(INPUT, period=2)
    h = b.state("h", 8, Format(-100, 127), rng.integers(-9, 10, 8))
    turned = b.exponent([-2, -1], b.matvec(Hadamard(8, rng.choice([-1, 1], 8)), h))
    h_next = b.narrow(
        b.add(turned, b.matvec(Dense(rng.integers(-9, 9, (8, 1))), b.input)), h.format
    )
    b.write(h, h_next)
    b.layer("turning", h_next)
    b.layer("state_port", b.neg(b.input))
    count = b.state("count", 3, Format(1, 18), [18, 5, 1])
    old = b.state("old", 8, b.input.format, range(8))
    mixed = b.matvec(Dense(rng.integers(-2, 3, (3, 8))), b.input)
    b.write(count, b.narrow(b.add(count, mixed), count.format))
    b.write(old, b.input)
    b.layer("late", b.add(old, b.matvec(Dense(rng.integers(-1, 2, (8, 3))), count)))
    return b.program(b.matvec(Dense(rng.integers(-7, 8, (3, 8))), b.input), read)


def gated(family: str) -> Program:
    """A cell with gates, of 16 units, which few lanes keep on two sides."""
    return program_of(family, "16-symbols-ternary-every-logits-6bits")


@pytest.mark.parametrize("contexts", [1, pytest.param(3, marks=pytest.mark.full)])
def test_images_of_a_stack_are_golden(contexts: int, tmp_path: Path) -> None:
    plan = Plan(stacked(), Schedule(4, contexts=contexts, state_port=True))
    cosimulate(plan, tmp_path / "build", sequences=1, resets=0)


GATED = [
    ("lstm", Schedule(4, contexts=3, state_port=True)),
    ("lstm", Schedule(1, state_port=True)),
    ("gru", Schedule(4, contexts=2, state_port=True)),
    ("gru", Schedule(2, state_port=True)),
]


@pytest.mark.full
@pytest.mark.parametrize(("family", "schedule"), GATED, ids=str)
def test_images_of_states_on_two_sides_are_golden(
    family: str, schedule: Schedule, tmp_path: Path
) -> None:
    plan = Plan(gated(family), schedule)
    assert any(memory.sides == 2 for memory in plan.state_memories)
    cosimulate(plan, tmp_path / "build", sequences=1, resets=0)


def no_hash(image: StateImage, program_sha256: str) -> list[int]:
    return [0] * image.hash_transfers


def first_lane(m: Any, element: Any, lanes: list[Any]) -> None:
    m.d.comb += element.found.eq(lanes[0])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ((StateImage, "hash_words", no_hash), r"Wrong answer to load \d+, of context 0: expected "),
        ((StatePort, "_quiet", lambda port, m: ~port._collected), "Wrong (image|output)"),
        ((hw_memory, "exchanged", lambda m, element, lanes: lanes), "Wrong (image|output)"),
        (
            (hw_memory, "connect_found", first_lane),
            r"Wrong image, save \d+ of context 0: h\[[1357]\]: ",
        ),
        ((StateElements, "_within", lambda walk, format: Const(1)), r"expected 2 \(lost\), got 0,"),
    ],
    ids=["hash", "quiet", "written", "found", "formats"],
)
def test_a_planted_fault_is_found(
    fault: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*fault)
    plan = Plan(awkward("last"), Schedule(2, state_port=True))
    with pytest.raises(CheckError, match=message):
        cosimulate(plan, tmp_path / "build", sequences=1, resets=0, seed=1)


@pytest.mark.full
def test_the_wrong_side_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hw_state, "KNOWN", ("fresh", "phase"))
    plan = Plan(gated("gru"), Schedule(4, contexts=2, state_port=True))
    with pytest.raises(CheckError, match="Wrong image, save "):
        cosimulate(plan, tmp_path / "build", sequences=1, resets=0)


# ---- on Amaranth's simulator, stream by stream


async def transfer(ctx: Any, other: Any, *payload: Any) -> list[int]:
    """The payload at the rising edge where the other side is there too."""
    while True:
        _, _, there, *found = await ctx.tick().sample(other, *payload)
        if there:
            return [int(value) for value in found]


class Bench:
    """A core whose streams are driven by coroutines."""

    def __init__(self, program: Program, schedule: Schedule) -> None:
        self.plan = Plan(program, schedule)
        self.core = hardware(self.plan)
        self.several = schedule.contexts > 1

    def run(self, *works: Callable[[Any], Awaitable[None]], cycles: int | None = None) -> None:
        """All of them, to the end; those that have none for so many cycles."""
        simulator = Simulator(self.core)
        simulator.add_clock(1e-6)
        for work in works:
            simulator.add_testbench(work, background=cycles is not None)

        async def clock(ctx: Any) -> None:
            await ctx.tick().repeat(cycles or 1)

        simulator.add_testbench(clock)
        simulator.run()

    async def send(self, ctx: Any, name: str, **payload: int) -> None:
        """One transfer into a stream."""
        stream = getattr(self.core, name)
        for member, value in payload.items():
            if member != "context" or self.several:
                ctx.set(getattr(stream, member), value)
        ctx.set(stream.valid, 1)
        await transfer(ctx, stream.ready)
        ctx.set(stream.valid, 0)

    async def take(self, ctx: Any, name: str) -> tuple[int, int]:
        """Data and last of one transfer out of a stream."""
        stream = getattr(self.core, name)
        ctx.set(stream.ready, 1)
        last = getattr(stream, "last", stream.valid)
        data, ended = await transfer(ctx, stream.valid, stream.data, last)
        ctx.set(stream.ready, 0)
        return int(data), int(ended)

    async def save(self, ctx: Any, number: int = 0) -> list[int]:
        """The words of an image."""
        await self.send(ctx, "i_save", context=number)
        words, last = [], 0
        while not last:
            word, last = await self.take(ctx, "o_save")
            words.append(word)
        return words

    async def load(self, ctx: Any, words: list[int], number: int = 0) -> int:
        """The answer to an image."""
        for place, word in enumerate(words):
            last = place == len(words) - 1
            await self.send(ctx, "i_load", data=word, last=last, context=number)
        return (await self.take(ctx, "o_load"))[0]

    async def step(self, ctx: Any, x: int, number: int = 0) -> list[int]:
        """The answer to a timestep."""
        bits = self.plan.input_port.transfer_bits
        await self.send(ctx, "i", data=x % (1 << bits), last=1, context=number)
        port = self.plan.output_port
        half = 1 << (port.element_bits - 1)
        taken = [(await self.take(ctx, "o"))[0] for _ in range(port.transfers)]
        return [(word + half) % (2 * half) - half for word in taken]


@pytest.mark.parametrize(
    ("program", "one", "other"),
    [
        (awkward(), Schedule(1, state_port=True), Schedule(8, 1, contexts=3, state_port=True)),
        (awkward(), Schedule(4, 3, contexts=2, state_port=True), Schedule(2, state_port=True)),
        (stacked(), Schedule(2, state_port=True), Schedule(8, 2, contexts=2, state_port=True)),
        pytest.param(
            *(gated("lstm"), Schedule(4, state_port=True), Schedule(16, 2, state_port=True)),
            marks=pytest.mark.full,
        ),
        (gated("gru"), Schedule(16, state_port=True), Schedule(4, contexts=2, state_port=True)),
    ],
    ids=["words", "digits", "stack", "from two sides", "to two sides"],
)
def test_an_image_goes_on_under_another_schedule(
    program: Program, one: Schedule, other: Schedule
) -> None:
    """Answers of an uninterrupted core are those of one that began with the first one's image,
    which is golden's."""
    value = program.input.value.format
    inputs = np.random.default_rng(5).integers(value.lo, value.hi + 1, 9).tolist()
    image: list[int] = []
    answers: list[list[int]] = []
    again: list[list[int]] = []
    first, second = Bench(program, one), Bench(program, other)
    format, machine = load_format(describe_ports(first.plan)["state"]), Machine(program)

    async def begins(ctx: Any) -> None:
        number = one.contexts - 1
        for x in inputs[:4]:
            machine.step(np.array([[x]]))
            await first.step(ctx, x, number)
        image.extend(await first.save(ctx, number))
        assert image == format.pack(image_of(machine))
        for x in inputs[4:]:
            answers.append(await first.step(ctx, x, number))

    async def goes_on(ctx: Any) -> None:
        number = other.contexts - 1
        await second.step(ctx, 3, number)
        assert await second.load(ctx, image, number) == LOADED
        assert await second.save(ctx, number) == image
        for x in inputs[4:]:
            again.append(await second.step(ctx, x, number))

    first.run(begins)
    second.run(goes_on)
    assert again == answers and len({tuple(answer) for answer in answers}) > 2


def set_in_first_layer(port: StatePort, m: Any, shared: Any = StatePort._shared) -> Any:
    links, port._links = port._links, port._links[:1]
    state = shared(port, m)
    port._links = links
    return state


SET = StatePort, "_shared", set_in_first_layer
COLLECTED = StatePort, "_collected", property(lambda port: port._links[0].collected)
FAULTS = [
    (None, (True, True, True)),
    pytest.param(SET, (False, False, True), marks=pytest.mark.full),
    pytest.param(COLLECTED, (True, True, False), marks=pytest.mark.full),
]


@pytest.mark.parametrize(("fault", "right"), FAULTS, ids=["none", "set", "collected"])
def test_all_layers_of_a_stack_are_saved_and_set(
    fault: Any, right: tuple[bool, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core that has not begun goes on from an image, one that lost an image begins anew, and a
    timestep that waits in a later layer is in the image."""
    if fault:
        monkeypatch.setattr(*fault)
    program = stacked()
    bench = Bench(program, Schedule(4, state_port=True))
    format = load_format(describe_ports(bench.plan)["state"])
    before, anew = Machine(program), Machine(program)
    golden, found = [], []
    for x in (5, -3, 7):
        before.step(np.array([[x]]))
    image = format.pack(image_of(before))
    for machine in (before, anew):
        machine.step(np.array([[2]]))
        golden.append(machine.answer()[:, 0].tolist())
    waiting = bench.plan.layers[-1].answers + 1
    for _ in range(waiting):
        anew.step(np.array([[-6]]))

    async def work(ctx: Any) -> None:
        assert await bench.load(ctx, image) == LOADED
        found.append(await bench.step(ctx, 2))
        assert await bench.load(ctx, image[:-1]) == LOST
        found.append(await bench.step(ctx, 2))
        for _ in range(waiting):
            await bench.send(ctx, "i", data=-6 % 16, last=1)
        found.append(await bench.save(ctx))

    async def takes(ctx: Any) -> None:
        """Answers of what waits, much later than any step takes."""
        await ctx.tick().repeat(2000)
        ctx.set(bench.core.o.ready, 1)
        await ctx.tick().repeat(600)

    bench.run(work, takes)
    golden.append(format.pack(image_of(anew)))
    assert tuple(a == b for a, b in zip(found, golden, strict=True)) == right


def saturating(lo: int, hi: int) -> Program:
    """A state of 5 elements that is at one end of its format or the other after any step."""
    b = Builder(INPUT)
    h = b.state("h", 5, Format(lo, hi), [hi, lo, 0, 0, 0])
    pushed = b.matvec(Dense([[99], [-99], [99], [-99], [99]]), b.input)
    h_next = b.narrow(b.add(h, pushed), h.format)
    b.write(h, h_next)
    b.layer("loop", h_next)
    return b.program(b.matvec(Dense(np.eye(5, dtype=int)), b.input), "every")


@pytest.mark.parametrize("schedule", [Schedule(5, 1), Schedule(2, 3), Schedule(5), Schedule(2)])
@pytest.mark.parametrize(("lo", "hi"), [(-16, 15), (-13, 11)])
def test_a_state_at_its_ends_is_saved_and_restored(schedule: Schedule, lo: int, hi: int) -> None:
    """In digits what is over or under is told beside the planes, and an image must hold the end."""
    program = saturating(lo, hi)
    bench = Bench(program, Schedule(schedule.lanes, schedule.digit, state_port=True))
    format = load_format(describe_ports(bench.plan)["state"])
    machine = Machine(program)

    async def work(ctx: Any) -> None:
        for x in (7, -8, 0):
            machine.step(np.array([[x]]))
            await bench.step(ctx, x)
            image = await bench.save(ctx)
            assert image == format.pack(image_of(machine))
            kept = machine.states["h"][:, 0].tolist()
            assert set(kept) == {lo, hi}
            assert await bench.step(ctx, 1 if kept[0] == lo else -1) != kept
            assert await bench.load(ctx, image) == LOADED
            assert await bench.save(ctx) == image
            assert await bench.step(ctx, 0) == kept

    bench.run(work)


@pytest.mark.parametrize("contexts", [1, 2])
def test_input_saves_and_loads_take_turns(contexts: int) -> None:
    """Each is there all the time, and none starves."""
    bench = Bench(saturating(-16, 15), Schedule(5, contexts=contexts, state_port=True))
    image = load_format(describe_ports(bench.plan)["state"])
    words = image.pack(image_of(Machine(bench.plan.program)))
    done = dict.fromkeys(("step", "save", "load"), 0)

    async def steps(ctx: Any) -> None:
        while True:
            await bench.send(ctx, "i", data=1, last=1)
            done["step"] += 1

    async def answers(ctx: Any) -> None:
        ctx.set(bench.core.o.ready, 1)

    async def saves(ctx: Any) -> None:
        while True:
            await bench.save(ctx)
            done["save"] += 1

    async def loads(ctx: Any) -> None:
        while True:
            assert await bench.load(ctx, words) == LOADED
            done["load"] += 1

    bench.run(steps, answers, saves, loads, cycles=1500)
    assert min(done.values()) >= 8, done
    assert abs(done["save"] - done["load"]) <= 1, done


def test_answers_that_nobody_takes_hold_up_no_image() -> None:
    """Neither those of timesteps nor that of a load, which holds up the next load alone."""
    bench = Bench(saturating(-16, 15), Schedule(5, state_port=True))
    seen: list[str] = []

    async def work(ctx: Any) -> None:
        await bench.send(ctx, "i", data=1, last=1)
        image = await bench.save(ctx)
        seen.append("saved")
        for place, word in enumerate(image, 1):
            await bench.send(ctx, "i_load", data=word, last=place == len(image))
        assert await bench.save(ctx) == image
        seen.append("saved again")
        await bench.send(ctx, "i_load", data=image[0])
        seen.append("loaded again")

    bench.run(work, cycles=1000)
    assert seen == ["saved", "saved again"]


# ---- what is said of it


def test_a_build_with_the_port_is_what_its_plan_says(tmp_path: Path) -> None:
    plan = Plan(awkward(), Schedule(2, state_port=True))
    write_sources(plan, tmp_path)
    check_unchanged(tmp_path)
    assert plan.describe()["schedule"]["state_port"] is True
    text = (tmp_path / "core.v").read_text()
    assert "2 lanes, whole words, a state port" in text
    assert "an image has 19 transfer(s) of 8 bits" in text


def test_ports_say_how_an_image_passes() -> None:
    described = describe_ports(Plan(awkward(), Schedule(2, state_port=True)))["state"]
    assert described == {
        "data_bits": 8,
        "hash_bits": 32,
        "transfers": 4 + 1 + 8 + 3 + 3,
        "states": [
            {"name": "h", "elements": 8, "signed": True, "format": [-100, 127, 0]},
            {"name": "count", "elements": 3, "signed": False, "format": [1, 18, 0]},
            {"name": "unread", "elements": 3, "signed": True, "format": [-3, 5, 0]},
        ],
        "answers": ["loaded", "refused", "lost"],
    }
    names = [state.value.name for state in stacked().states]
    described = describe_ports(Plan(stacked(), Schedule(2, state_port=True)))["state"]
    assert [state["name"] for state in described["states"]] == names and len(names) == 3
    assert "state" not in describe_ports(Plan(awkward(), Schedule(2)))


def test_the_port_is_in_the_estimate() -> None:
    without, having = (
        total_cost(Plan(awkward(), Schedule(2, state_port=p))) for p in (False, True)
    )
    assert having.logic_bits > without.logic_bits + 50
    assert having.register_bits > without.register_bits + 20


def test_elements_of_a_core_without_states_are_refused() -> None:
    b = Builder(INPUT)
    program = b.program(b.neg(b.layer("feed", b.relu(b.input))), "every")
    plan = Plan(program, Schedule(1, state_port=True))
    with pytest.raises(ValueError, match="a core without states has no elements to go through"):
        StateElements(plan)
