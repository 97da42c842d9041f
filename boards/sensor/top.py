# amaranth: UnusedElaboratable=no
"""A sensor, a core and a pin: all that a board has to add is pins and a clock."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from sylvan.hw.plan import Plan
from sylvan.hw.stack import hardware
from sylvan.model.errors import UserError
from sylvan.model.program import NumericInput

from .i2c import clocks_per_quarter
from .part import Part
from .reader import SensorReader
from .scaling import scalings
from .script import script


class SensorCore(wiring.Component):
    """The core of a plan, fed by a part: windows of its samples, one after the other.

    Parameters:
        plan: of a program that reads the last timestep of a window and answers a label; its input
            is as many of the part's channels as it has elements, from the first one on.
        part: the sensor.
        wanted: the label that raises the pin.
        window: timesteps of a window.
        clock_hz: of the board.
        millisecond: clocks of what the script calls one; those of the clock by default. A test
            that waits for no real part has fewer.
    Members: scl, sda, In(1); scl_low, sda_low, Out(1): the bus, open-drain; hit, Out(1): the last
        window was answered by the wanted label, and the sensor has not failed since; failing,
        Out(1): it is absent, or answers what it should not, and is tried again and again.
    Refuses: another kind of program; a core that is slower than the part.
    """

    def __init__(
        self,
        plan: Plan,
        part: Part,
        wanted: int,
        window: int,
        clock_hz: float,
        millisecond: int | None = None,
    ) -> None:
        source = checked(plan, part, wanted, clock_hz)
        lsbs = [lsb for _, lsb in part.channels[: source.size]]
        self.plan, self.wanted = plan, wanted
        self.reader = SensorReader(
            script(part, len(lsbs)),
            scalings(source, lsbs),
            window,
            clocks_per_quarter(clock_hz),
            round(clock_hz / 1000) if millisecond is None else millisecond,
        )
        super().__init__(
            {
                **{name: In(1, init=1) for name in ("scl", "sda")},
                **{name: Out(1) for name in ("scl_low", "sda_low", "hit", "failing")},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reader = reader = self.reader
        m.submodules.core = core = hardware(self.plan)
        wiring.connect(m, reader.o, core.i)
        m.d.comb += [
            reader.scl.eq(self.scl),
            reader.sda.eq(self.sda),
            self.scl_low.eq(reader.scl_low),
            self.sda_low.eq(reader.sda_low),
            self.failing.eq(reader.failing),
            core.o.ready.eq(1),
        ]
        with m.If(reader.fails):
            m.d.sync += self.hit.eq(0)
        with m.Elif(core.o.valid):
            m.d.sync += self.hit.eq(core.o.data == self.wanted)
        return m


def checked(plan: Plan, part: Part, wanted: int, clock_hz: float) -> NumericInput:
    """The input of the plan's program.

    Raises UserError for a plan that such a design cannot be made of.
    """
    program = plan.program
    source, answer = program.input, program.output
    if not isinstance(source, NumericInput) or source.size > len(part.channels):
        what = f"{source.size} channels" if isinstance(source, NumericInput) else "a symbol"
        raise UserError(
            f"the {part.name} gives at most {len(part.channels)} channels, and the program's "
            f"timestep has {what}"
        )
    if program.readout.read != "last" or answer.size > 1 or answer.format.signed:
        raise UserError(
            "the program should answer a label at the last timestep, and answers "
            f"{answer.size} elements at: {program.readout.read}. `sylvan export --argmax` "
            "makes one that does"
        )
    if not answer.format.lo <= wanted <= answer.format.hi:
        raise UserError(
            f"the program's labels are {answer.format.lo} to {answer.format.hi}, not {wanted}"
        )
    if plan.input_port.transfers > 1 or plan.tag.contexts > 1 or plan.schedule.state_port:
        raise UserError(
            "a core behind a sensor takes a timestep in one transfer, and has one context and "
            "no state port"
        )
    cycles = plan.describe()["cycles"]["closing_cycles"]
    sample = clock_hz * part.sample_ms / 1000
    if cycles > sample:
        raise UserError(
            f"the core takes {cycles:,} cycles for a timestep and the {part.name} gives one "
            f"every {sample:,.0f}: take more lanes"
        )
    return source
