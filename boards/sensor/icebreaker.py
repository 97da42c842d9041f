# amaranth: UnusedElaboratable=no
"""The sensor's design on an iCEBreaker: pins, and the bitstream of a program."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth import Elaboratable, Module
from amaranth.build import Attrs, Pins, Resource
from amaranth.lib import io
from amaranth_boards.icebreaker import ICEBreakerPlatform
from amaranth_boards.resources import I2CResource
from sylvan.hw.build import Sources, build
from sylvan.hw.plan import Plan
from sylvan.hw.report import Report
from sylvan.hw.schedule import Schedule
from sylvan.hw.synthesis import SEEDS
from sylvan.hw.targets import target
from sylvan.hw.tools import Progress
from sylvan.model.errors import UserError
from sylvan.model.program import Program

from ..base.board import added
from ..base.prepared import MODULE, write_top
from .part import Part
from .top import SensorCore

TARGET = "ice40-up5k"
CLOCK_HZ = 12e6
PMOD1A, PMOD1B = ("pmod", 0), ("pmod", 1)
WIRING = [
    # Where a Pmod with I2C has them. The pull-ups help a module that brings none.
    I2CResource(0, scl="3", sda="4", conn=PMOD1A, attrs=Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1)),
    Resource("hit", 0, Pins("1", dir="o", conn=PMOD1B), Attrs(IO_STANDARD="SB_LVCMOS")),
]


class SensorTop(Elaboratable):
    """The pins of a SensorCore: the bus on PMOD1A, the answer on pin 1 of PMOD1B and the green
    LED, the red LED for a sensor that fails."""

    def __init__(self, core: SensorCore) -> None:
        self.core = core

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.sensor = core = self.core
        bus = platform.request("i2c", 0, dir={"scl": "-", "sda": "-"})
        m.submodules.scl = scl = io.Buffer("io", bus.scl)
        m.submodules.sda = sda = io.Buffer("io", bus.sda)
        m.d.comb += [
            core.scl.eq(scl.i),
            core.sda.eq(sda.i),
            scl.o.eq(0),
            sda.o.eq(0),
            scl.oe.eq(core.scl_low),
            sda.oe.eq(core.sda_low),
        ]
        lights = {"hit": core.hit, "led_g": core.hit, "led_r": core.failing}
        for name, lit in lights.items():
            m.submodules[name] = pad = io.Buffer("o", platform.request(name, 0, dir="-"))
            m.d.comb += pad.o.eq(lit)
        return m


@dataclass(frozen=True)
class SensorMount:
    """How a core sits behind a part: an answer of `wanted` to `window` samples raises the pin."""

    part: Part
    wanted: int
    window: int

    def schedule(self, program: Program) -> Schedule:
        """Of the fewest cells: a microprogram, where there is one and it is done before the next
        sample; else a single lane.
        """
        one_lane = Schedule(1, turns=target(TARGET).turns)
        try:
            self.core(Plan(program, microprogram := Schedule(1, microcode=True)))
        except UserError:
            return one_lane
        return microprogram

    def core(self, plan: Plan) -> SensorCore:
        """All but the pins.

        Raises UserError for a plan that no such design can be made of.
        """
        return SensorCore(plan, self.part, self.wanted, self.window, CLOCK_HZ)

    def write(self, plan: Plan, folder: Path) -> Sources:
        """Write the whole design and its pins; what of it is synthesized."""
        top = SensorTop(self.core(plan))
        verilog, pins = write_top(added(ICEBreakerPlatform, *WIRING)(), top, folder)
        return Sources(verilog, MODULE, pins, CLOCK_HZ)

    def build(
        self,
        program: Program,
        out: Path,
        *,
        progress: Progress | None = None,
        seeds: Sequence[int] = SEEDS,
    ) -> Report:
        """The build directory of a program, with the bitstream of the whole design."""
        return build(
            program,
            self.schedule(program),
            target(TARGET),
            out,
            clock_hz=CLOCK_HZ,
            around=self.write,
            progress=progress,
            seeds=seeds,
        )
