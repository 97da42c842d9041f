# amaranth: UnusedElaboratable=no
"""The state port on Amaranth's simulator, stream by stream: who waits, and what goes on."""

from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator
from stateful import INPUT, awkward, gated, stacked
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.stack import hardware
from sylvan.hw.state import LOADED, LOST, StatePort
from sylvan.hw.verilog import describe_ports
from sylvan.model.builder import Builder
from sylvan.model.image import image_of
from sylvan.model.interpret import Machine
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.program import Program
from sylvan.sim.images import load_format


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
