# amaranth: UnusedElaboratable=no
"""Real cores behind two wires, the host's end before them, and golden to say what is right."""

from collections import deque
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from amaranth.sim import Simulator
from linked import Line
from linked_builds import BAUD, CLOCK_HZ, remembering
from programs import random_inputs
from sylvan.boards.link import linked
from sylvan.boards.link import plan as planning
from sylvan.boards.link.deframer import Deframer
from sylvan.boards.link.frames import Decoder, Frame, Kind
from sylvan.boards.link.host import Host, Step
from sylvan.boards.link.linked import LinkedCore
from sylvan.boards.link.plan import LinkPlan
from sylvan.boards.link.steps import StepIntake
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.errors import UserError
from sylvan.model.interpret import run_stream
from sylvan.model.program import Program

CLOCKS = 4
BIT = CLOCKS / CLOCK_HZ


def plan_of(program: Program, **schedule: Any) -> LinkPlan:
    return LinkPlan(Plan(program, Schedule(**{"lanes": 2, **schedule})), CLOCK_HZ, BAUD)


def random_stream(link: LinkPlan, count: int, seed: int) -> tuple[list[Step], dict[int, Step]]:
    """Timesteps, and the answers of those that golden answers."""
    program, rng = link.plan.program, Random(seed)
    inputs = random_inputs(program, (count,), seed)
    first = [rng.random() < 0.05 for _ in range(count)]
    last = [rng.random() < 0.3 for _ in range(count)]
    context = [rng.randrange(link.identity.contexts) for _ in range(count)]
    rows = inputs.reshape(count, -1).tolist()
    steps = [
        Step(link.step.vector.pack(row), *more)
        for row, *more in zip(rows, first, last, context, strict=True)
    ]
    found = run_stream(program, inputs, first, last, context)
    return steps, {
        t: Step(link.answer.vector.pack(y.tolist()), first[t], last[t], context[t])
        for t, y in found
    }


class Bench:
    """A LinkedCore in the simulator, bytes to it and from it, and the host's clock in bits."""

    def __init__(self, dut: LinkedCore) -> None:
        self.dut = dut
        self.bits = 0
        self.came = bytearray()
        self.over = False

    def run(self, bench: Any) -> None:
        async def whole(ctx: Any) -> None:
            await self.rest(ctx, 3)
            try:
                await bench(ctx)
            finally:
                self.over = True

        simulator = Simulator(self.dut)
        simulator.add_clock(1 / CLOCK_HZ)
        simulator.add_testbench(whole)
        simulator.add_testbench(self._read)
        simulator.run()

    async def rest(self, ctx: Any, bits: int) -> None:
        self.bits += bits
        await ctx.delay(bits * BIT)

    async def send(self, ctx: Any, line: Iterable[int]) -> None:
        for byte in line:
            for bit in [0, *(byte >> k & 1 for k in range(8)), 1]:
                ctx.set(self.dut.rx, bit)
                await self.rest(ctx, 1)

    async def _read(self, ctx: Any) -> None:
        ctx.set(self.dut.rx, 1)
        while not self.over:
            begins, _ = await ctx.edge(self.dut.tx, 0).delay(20 * BIT)
            if not begins:
                continue
            await ctx.delay(BIT / 2)
            byte = 0
            for k in range(8):
                await ctx.delay(BIT)
                byte |= ctx.get(self.dut.tx) << k
            await ctx.delay(BIT)
            assert ctx.get(self.dut.tx)
            self.came.append(byte)

    def taken(self) -> bytes:
        came, self.came = bytes(self.came), bytearray()
        return came


def streamed(
    link: LinkPlan, steps: list[Step], answered: Iterable[int], rate: float = 0.0, seed: int = 0
) -> list[Step]:
    """What a host gets that sends the steps over lines with so many faults."""
    rng = Random(seed)
    down, up = Line(rng, rate), Line(rng, rate)
    bench, due = Bench(LinkedCore(link)), set(answered)
    host = Host(link.identity, token=rng.randrange(1 << 16), timeout=1200)
    answers: list[Step] = []
    waiting = deque(enumerate(steps))

    async def run(ctx: Any) -> None:
        while waiting or not host.done:
            while host.opened and waiting and link.step.room - host.wants < 6:
                t, step = waiting.popleft()
                host.send(step, t in due)
            await bench.send(ctx, down.damaged(host.write(bench.bits)))
            await bench.rest(ctx, 10)
            answers.extend(host.receive(up.damaged(bench.taken())))
            assert bench.bits < 200 * link.step.frame_bytes * (len(steps) + 10), "no end"

    bench.run(run)
    assert down.faults + up.faults > 10 or not rate
    return answers


def wrong(link: LinkPlan, count: int, **more: Any) -> bool:
    """Whether what comes is not what golden says."""
    steps, right = random_stream(link, count, 1)
    return streamed(link, steps, right, **more) != list(right.values())


LINKS: dict[str, tuple[Program, dict[str, Any]]] = {
    "every step": (remembering(1, "every"), {}),
    "the last step": (remembering(3, "last"), {"lanes": 4}),
    "three transfers": (remembering(60, "every"), {}),
    "symbols": (remembering(1, "every", symbols=20), {}),
    "contexts": (remembering(2, "every"), {"contexts": 3}),
    "two layers": (remembering(2, "last", layers=2), {}),
}


@pytest.mark.parametrize("name", LINKS)
def test_every_answer_is_that_of_golden(name: str) -> None:
    program, schedule = LINKS[name]
    assert not wrong(plan_of(program, **schedule), 12)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("contexts", 8),
        pytest.param("contexts", 24, marks=pytest.mark.full),
        pytest.param("every step", 300, marks=pytest.mark.full),
        pytest.param("three transfers", 30, marks=pytest.mark.full),
    ],
)
def test_bad_lines_change_no_answer(name: str, count: int) -> None:
    program, schedule = LINKS[name]
    assert not wrong(plan_of(program, **schedule), count, rate=0.01)


def caught(link: LinkPlan) -> bool:
    """Whether bad lines show."""
    try:
        return wrong(link, 30, rate=0.02)
    except (UserError, AssertionError):
        return True


def test_gateware_that_ignores_the_crc_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class Trusting(Deframer):
        def elaborate(self, platform: object) -> Any:
            m = super().elaborate(platform)
            m.d.comb += self.good.eq(1)
            return m

    monkeypatch.setattr(linked, "Deframer", Trusting)
    assert caught(plan_of(remembering(1, "every")))


def test_gateware_that_ignores_numbers_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unordered(StepIntake):
        def _judge(self, m: Any, kind: Any, *more: Any) -> None:
            super()._judge(m, kind, *more)
            with m.If(self.heard & (kind == Kind.STEP)):
                m.d.sync += self.awaited.eq(self.awaited + 1)

    monkeypatch.setattr(linked, "StepIntake", Unordered)
    assert caught(plan_of(remembering(1, "every")))


def replies(link: LinkPlan, *lines: bytes) -> list[list[Frame]]:
    """What comes after each of the lines."""
    bench, decoder, found = Bench(LinkedCore(link)), Decoder(), []

    async def run(ctx: Any) -> None:
        for line in lines:
            await bench.send(ctx, line)
            await bench.rest(ctx, 800)
            found.append(list(decoder.feed(bench.taken())))

    bench.run(run)
    assert decoder.dropped == 0
    return found


OPEN = Frame(Kind.OPEN, 0x34, context=0x12).encode()


def test_a_board_says_what_it_is_and_begins_anew() -> None:
    link = plan_of(remembering(1, "every"))
    step = [Frame(Kind.STEP, k, payload=bytes([3 + k])).encode() for k in range(3)]
    before, opened, one, two, again, three = replies(
        link, step[0], OPEN, step[0], step[1], b"\0" + OPEN, step[0]
    )
    assert [frame.kind for frame in before] == [Kind.REFUSED]
    payload = link.identity.encode()
    who = Frame(Kind.IDENTITY, 0x34, 0, 0x12, link.step.room % 256, payload=payload)
    assert opened == [who] == again
    assert [f.payload for f in (one[-1], two[-1])] != [one[-1].payload] * 2
    assert (one[-1].number, two[-1].number) == (0, 1)
    assert three[-1] == one[-1]


def test_what_is_not_whole_or_not_next_changes_nothing() -> None:
    link = plan_of(remembering(1, "every"), contexts=3)
    step = Frame(Kind.STEP, 0, payload=b"\5")
    damaged = bytearray(step.encode())
    damaged[5] ^= 0x10
    found = replies(
        link,
        OPEN,
        bytes(damaged),
        Frame(Kind.STEP, 1, payload=b"\5").encode(),
        Frame(Kind.STEP, 0, context=3, payload=b"\5").encode(),
        Frame(Kind.STEP, 0, payload=b"\5\5").encode(),
        Frame(Kind.STATUS).encode(),
        bytes(300) + b"\7" * 300 + b"\0",
        step.encode(),
        step.encode(),
        Frame(Kind.RESEND, 7, awaited=0).encode(),
        Frame(Kind.RESEND, 8, awaited=1).encode(),
    )
    kinds = [[frame.kind for frame in frames] for frames in found]
    refused, status, answer = [Kind.REFUSED], [Kind.STATUS], [Kind.ANSWER]
    assert kinds[:7] == [[Kind.IDENTITY], [], status, refused, refused, refused, []]
    assert [frames[0].awaited for frames in found[2:6]] == [0] * 4
    assert Kind.ANSWER in kinds[7] and kinds[8:] == [status, status + answer, status]
    assert [frames[0].number for frames in found[8:]] == [0, 7, 8]
    assert found[9][1] == found[7][-1]


def test_the_board_stands_still_while_nobody_takes_its_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "MEMORY_BYTES", 32)
    link = plan_of(remembering(1, "every"))
    assert (link.step.room, link.answer.room) == (4, 2)
    room = link.step.room + link.answer.room
    steps, right = random_stream(link, room + 6, 3)
    bench, decoder = Bench(LinkedCore(link)), Decoder()

    async def run(ctx: Any) -> None:
        await bench.send(ctx, OPEN)
        await bench.rest(ctx, 500)
        (who,) = decoder.feed(bench.taken())
        sent, limit, frames = 0, who.limit, [who]
        while frames:
            while sent < min(limit, len(steps)):
                step = steps[sent]
                more = {"first": step.first, "last": step.last, "payload": step.payload}
                await bench.send(ctx, Frame(Kind.STEP, sent, **more).encode())
                sent += 1
            await bench.rest(ctx, 1500)
            frames = list(decoder.feed(bench.taken()))
            limit = max([limit, *(frame.limit for frame in frames)])
        assert room <= sent < len(steps)
        # Frames that come meanwhile disturb nothing that waits.
        awaited, answers = 0, []
        while awaited < sent:
            await bench.send(ctx, Frame(Kind.RESEND, awaited=awaited).encode())
            await bench.rest(ctx, 1500)
            for frame in decoder.feed(bench.taken()):
                if frame.kind is Kind.ANSWER and frame.number == awaited:
                    answers.append(Step(frame.payload, frame.first, frame.last, frame.context))
                    awaited += 1
        assert answers == list(right.values())[:sent]

    bench.run(run)


def test_what_the_link_cannot_carry_is_refused() -> None:
    with pytest.raises(UserError, match="carries no images of the state"):
        plan_of(remembering(1, "every"), state_port=True)
    with pytest.raises(UserError, match="carries 256 contexts at most, got 257"):
        plan_of(remembering(1, "every"), contexts=257)
    with pytest.raises(UserError, match="25 MHz makes no 3000000 baud"):
        LinkPlan(Plan(remembering(1, "every"), Schedule(lanes=2)), 25e6, BAUD)


@pytest.mark.parametrize(("size", "room", "depth"), [(1, 64, 512), (60, 16, 1024), (2000, 2, 4096)])
def test_the_memory_of_timesteps(size: int, room: int, depth: int) -> None:
    step = plan_of(remembering(size, "last")).step
    assert (step.room, step.depth) == (room, depth)
    assert step.ends == 4 + step.vector.payload_bytes
