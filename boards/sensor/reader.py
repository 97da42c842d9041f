"""Runs the script of a sensor: samples come in over the bus, timesteps in windows go out."""

from collections.abc import Sequence
from typing import Any

from amaranth import Cat, Const, Module, Mux, ResetInserter, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from sylvan.hw.beats import Tag, shape_of
from sylvan.hw.border import stream

from .i2c import Act, I2cController
from .scaler import Scaler
from .scaling import COUNT_BITS, Scaling
from .script import LONGEST_MS, OPERAND_BITS, Do, Step

WORD = data.StructLayout({"do": 4, "n": OPERAND_BITS})
"""A step of the script, as it lies in the memory."""


class SensorReader(wiring.Component):
    """Gives a timestep for each sample, `window` of them after each other from first to last.

    What fails, an acknowledgement, an expected byte or a time limit, drops the window and begins
    the script anew; the next timestep is a first one.

    Parameters:
        script: `script(part, channels)`, at most 256 steps.
        scalings: of the channels, in their order.
        window: timesteps from first to last, at least 1.
        quarter: clocks of a quarter of a bit of the bus, at least 2.
        millisecond: clocks that PAUSE and LIMIT count as one.
    Members: scl, sda, In(1); scl_low, sda_low, Out(1): the bus; o, Out(stream): a timestep, in one
        transfer; fails, Out(1): so does the script now; failing, Out(1): since it failed no sample
        was given.
    Latency: of a sample, from when its bit is seen to the timestep, what its bytes take on the bus,
        and `Scaler.interval` for each channel.
    Cost: memories of 12 bits for each step of the script, and the Scaler's.
    Refuses: a script that is too long.
    """

    def __init__(
        self,
        script: Sequence[Step],
        scalings: Sequence[Scaling],
        window: int,
        quarter: int,
        millisecond: int,
    ) -> None:
        if not 0 < len(script) <= 1 << OPERAND_BITS:
            raise ValueError(f"a script has 1 to {1 << OPERAND_BITS} steps, got {len(script)}")
        self.script, self.scalings = script, scalings
        self.window, self.quarter, self.millisecond = window, quarter, millisecond
        bits = len(scalings) * shape_of(scalings[0].format).width
        super().__init__(
            {
                **{name: In(1, init=1) for name in ("scl", "sda")},
                **{name: Out(1) for name in ("scl_low", "sda_low", "fails", "failing")},
                "o": Out(stream(bits, Tag(1))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus = I2cController(self.quarter)
        m.submodules.bus = ResetInserter(self.fails)(bus)
        m.submodules.scaler = scaler = Scaler(self.scalings)
        words = [{"do": step.do, "n": step.n} for step in self.script]
        m.submodules.script = stored = memory.Memory(shape=WORD, depth=len(words), init=words)
        port = stored.read_port()
        do, n = port.data.do, port.data.n
        at = Signal(range(len(words)))
        counts: Any = Signal(COUNT_BITS)
        fetches, begins, waits = Signal(init=1), Signal(), Signal()
        moves, done, wrong = Signal(), Signal(), Signal()
        paused, expired = self._timers(m, begins, do, n)
        gives = do == Do.GIVE
        low = counts[:OPERAND_BITS]
        m.d.comb += [
            port.addr.eq(at),
            bus.scl.eq(self.scl),
            bus.sda.eq(self.sda),
            self.scl_low.eq(bus.scl_low),
            self.sda_low.eq(bus.sda_low),
            bus.act.eq(Mux(do <= Do.STOP, do, Act.BYTE)),
            bus.send.eq(Mux(do == Do.SEND, Cat(Const(1, 1), n), Cat(n[0], Const(-1, 8)))),
            bus.valid.eq(begins & (do <= Do.READ)),
            scaler.count.eq(counts.as_signed()),
            scaler.starts.eq(begins & (do == Do.SCALE)),
            scaler.rewinds.eq(self.fails | gives),
            self.o.valid.eq(waits & gives),
            done.eq(waits & bus.ready & ~scaler.busy & ~paused & (~gives | self.o.ready)),
            # A timestep that is offered stays until it is taken.
            self.fails.eq((expired & ~gives) | (done & wrong)),
            moves.eq(done | self.fails),
        ]
        m.d.sync += [
            fetches.eq(moves),
            begins.eq(fetches & ~self.fails),
            waits.eq((begins | waits) & ~moves),
        ]
        with m.Switch(do):
            with m.Case(Do.SEND):
                m.d.comb += wrong.eq(bus.read[0])
            with m.Case(Do.EXPECT):
                m.d.comb += wrong.eq(low != n)
        with m.If(self.fails):
            m.d.sync += [at.eq(0), self.failing.eq(1)]
        with m.Elif(done):
            m.d.sync += at.eq(Mux(do == Do.GOTO, n, at + 1 + ((do == Do.SKIP) & (low & n).any())))
            with m.If(do == Do.READ):
                m.d.sync += counts.eq(Cat(bus.read[1:], low))
            with m.If(do == Do.SCALE):
                m.d.sync += self.o.data.eq(Cat(self.o.data, scaler.element)[len(scaler.element) :])
            with m.If(gives):
                m.d.sync += self.failing.eq(0)
        self._count(m)
        return m

    def _timers(self, m: Module, begins: Any, do: Any, n: Any) -> tuple[Any, Any]:
        """Whether a PAUSE lasts, and whether the LIMIT has passed."""
        pause, limit = Signal(OPERAND_BITS), Signal(OPERAND_BITS, init=LONGEST_MS)
        clocks = Signal(range(self.millisecond))
        ticks = clocks == 0
        m.d.sync += clocks.eq(Mux(ticks, self.millisecond - 1, clocks - 1))
        with m.If(begins & (do == Do.PAUSE)):
            m.d.sync += pause.eq(n)
        with m.Elif(ticks & (pause != 0)):
            m.d.sync += pause.eq(pause - 1)
        with m.If(self.fails):
            m.d.sync += limit.eq(LONGEST_MS)
        with m.Elif(begins & (do == Do.LIMIT)):
            m.d.sync += limit.eq(n)
        with m.Elif(ticks & (limit != 0)):
            m.d.sync += limit.eq(limit - 1)
        return pause != 0, limit == 0

    def _count(self, m: Module) -> None:
        """The flags: timesteps of a window."""
        given = Signal(range(self.window))
        m.d.comb += [self.o.first.eq(given == 0), self.o.last.eq(given == self.window - 1)]
        with m.If(self.fails):
            m.d.sync += given.eq(0)
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += given.eq(Mux(self.o.last, 0, given + 1))
