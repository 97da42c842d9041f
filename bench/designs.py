"""What is placed and measured for bench/hardware.json: cores, plain loops, and bare clocks."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import agreement
import networks
import references
from clocks import read_verilog
from sylvan.hw import carry, turns
from sylvan.hw.build import MODULE, build
from sylvan.hw.floor import floor_adder_bits
from sylvan.hw.flow import nextpnr_arguments
from sylvan.hw.mapping import coarse_script, yosys_script
from sylvan.hw.measured import Measured
from sylvan.hw.plan import Plan
from sylvan.hw.report import RESOURCES, SCHEDULE, make_report, record_simulation
from sylvan.hw.schedule import Schedule
from sylvan.hw.synthesis import SEEDS, reference_verilog, synthesize
from sylvan.hw.targets import Target
from sylvan.hw.tools import Workers, find
from sylvan.hw.verilog import generate
from sylvan.model.program import Program
from sylvan.model.storage import program_hash
from sylvan.sim.cosimulation import simulate


@dataclass(frozen=True)
class Design:
    """A design on a part.

    `name` says what it is, `n` how many units it has; `keys` are its schedule in a report.
    """

    name: str
    part: Target
    n: int | None
    module: str
    seeds: Sequence[int] = field(default=SEEDS, kw_only=True)

    @property
    def keys(self) -> dict[str, Any]:
        return dict.fromkeys(SCHEDULE)

    @property
    def label(self) -> str:
        """What `--only` is looked for in."""
        said = {"n": self.n, **self.keys}
        knobs = [f"{key} {value}" for key, value in said.items() if value is not None]
        return ", ".join([self.name, self.part.name, *knobs])

    @cached_property
    def verilog(self) -> str:
        """All that is placed."""
        raise NotImplementedError

    def report(self, folder: Path, workers: Workers) -> dict[str, Any]:
        """Placed and simulated in `folder`, which then holds a synthesis.json."""
        raise NotImplementedError

    def seen(self, folder: Path | None) -> dict[str, Any]:
        """What else there is to say of it, built in `folder` or not to be built at all."""
        return {}

    def unplaced(self) -> dict[str, Any]:
        """The report where nothing was measured."""
        return make_report(self.part.name, "", self.keys)

    @property
    def dsps(self) -> bool:
        """Whether DSP blocks may be used."""
        return bool(self.keys["dsps"])

    def given(self) -> str:
        """A hash of all that decides what is placed, the releases of the tools aside."""
        script = yosys_script(self.module, self.part, find("yosys").release, self.dsps)
        options = nextpnr_arguments(self.part, "", 0, None)
        edits = coarse_script(self.module, self.dsps) + Path(turns.__file__).read_text()
        text = "\n".join([self.verilog, script, carry.MAP, edits, *options, *map(str, self.seeds)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Core(Design):
    """A generated core, on one schedule."""

    program: Program
    schedule: Schedule

    @cached_property
    def plan(self) -> Plan:
        return Plan(self.program, self.schedule)

    @property
    def keys(self) -> dict[str, Any]:
        return self.plan.schedule_keys()

    @cached_property
    def verilog(self) -> str:
        return generate(self.plan, MODULE)

    def report(self, folder: Path, workers: Workers) -> dict[str, Any]:
        build(self.program, self.schedule, self.part, folder, workers=workers, seeds=self.seeds)
        found = simulate(folder, simulator="verilator", sequences=4, resets=2).measured
        return record_simulation(
            folder, found.cycles_per_step, found.closing_cycles, found.latency_cycles
        )

    def unplaced(self) -> dict[str, Any]:
        sha256, floor = program_hash(self.program), self.plan.floor_adder_bits
        return make_report(self.part.name, sha256, self.keys, floor_adder_bits=floor)


@dataclass(frozen=True)
class Loop(Design):
    """A plain design of the recurrence."""

    kind: str

    @property
    def keys(self) -> dict[str, Any]:
        once = {"lanes": self.n, "digit": networks.STATE_BITS, "words": True, "contexts": 1}
        return super().keys | once

    @cached_property
    def verilog(self) -> str:
        return references.verilog(self.kind, networks.parameters(self.n))

    def report(self, folder: Path, workers: Workers) -> dict[str, Any]:
        agreement.check(self.verilog, networks.recurrence(self.n))
        found = placed(self, folder, workers, networks.STATE_BITS)
        return self.made(figures(found) | {"cycles_per_step": references.CYCLES}, found)

    def unplaced(self) -> dict[str, Any]:
        return self.made({}, None)

    def made(self, measured: dict[str, Any], found: Measured | None) -> dict[str, Any]:
        """The report of these figures."""
        program = networks.recurrence(self.n)
        return make_report(
            self.part.name,
            program_hash(program),
            self.keys,
            measured=measured,
            floor_adder_bits=floor_adder_bits(program),
            tool_versions=found and found.tool_versions,
            reference_fmax_mhz=found and found.reference_fmax_mhz,
        )


@dataclass(frozen=True)
class Bare(Design):
    """An adder of `width` bits between registers, or without a width the read of a block RAM."""

    width: int | None = None

    @cached_property
    def verilog(self) -> str:
        return read_verilog(self.part) if self.width is None else reference_verilog(self.width)

    def report(self, folder: Path, workers: Workers) -> dict[str, Any]:
        found = placed(self, folder, workers)
        versions = found.tool_versions
        return make_report(
            self.part.name, "", self.keys, measured=figures(found), tool_versions=versions
        )


def placed(
    design: Design, folder: Path, workers: Workers, reference_width: int | None = None
) -> Measured:
    """Place and route of a design that no plan is behind."""
    folder.mkdir()
    source = folder / "source.v"
    source.write_text(design.verilog)
    return synthesize(
        source,
        design.module,
        design.part,
        folder,
        reference_width=reference_width,
        workers=workers,
        seeds=design.seeds,
    )


def figures(found: Measured) -> dict[str, Any]:
    """Those of a report."""
    return {name: getattr(found, name) for name in RESOURCES}
