"""From a Verilog file to placed, measured figures and a bitstream, by yosys and nextpnr.

Clock rate is the median over seeds of what nextpnr reports between registers; the pins are left to
nextpnr, so paths from and to them do not count. No DSP is ever used: the project's figures are
adders in LUTs.
"""

import json
import os
import re
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sylvan.hw import netlist as netlists
from sylvan.hw.report import write_json
from sylvan.hw.targets import Target
from sylvan.hw.tools import Progress, Tool, Workers, find
from sylvan.model.errors import CheckError, UserError

SEEDS = (1, 2, 3)

#: Names of each resource in nextpnr's reports, and in sentences.
CELLS = {
    "ice40": {
        "luts": "ICESTORM_LC",
        "brams": "ICESTORM_RAM",
        "sprams": "ICESTORM_SPRAM",
        "dsps": "ICESTORM_DSP",
        "pins": "SB_IO",
    },
    "ecp5": {
        "luts": "TRELLIS_COMB",
        "ffs": "TRELLIS_FF",
        "brams": "DP16KD",
        "dsps": "MULT18X18D",
        "pins": "TRELLIS_IO",
    },
}
WORDS = {
    "luts": "logic cells",
    "ffs": "flip-flops",
    "brams": "block RAMs",
    "sprams": "single-port RAMs",
    "dsps": "DSPs",
    "pins": "pins",
}


class DoesNotFit(UserError):
    """The design needs more of one resource than the part has; `needed` may be a lower bound."""

    def __init__(self, module: str, target: Target, resource: str, needed: int, available: int):
        self.target, self.resource = target, resource
        self.needed, self.available = needed, available
        excess = needed - available
        by = f"{excess} ({100 * excess / available:.0f} %) more than" if available else "but"
        super().__init__(
            f"{module} does not fit {target.name}: it needs {needed} {WORDS[resource]}, "
            f"{by} the {available} there are."
        )


@dataclass(frozen=True)
class SeedRun:
    """One place and route: the clock rate between registers (None without any such path)."""

    seed: int
    fmax_mhz: float | None
    used: dict[str, int]


@dataclass(frozen=True)
class Measured:
    """What the tools found for one design on one part.

    `luts`, `brams`, `sprams` and `dsps` are after place and route, `ffs` too where nextpnr tells
    (ECP5), else from the netlist. `fmax_mhz` is the median of `runs`; `instances` are the needs
    before packing by path of the instance, "" being the whole.
    """

    luts: int
    ffs: int
    brams: int
    sprams: int
    dsps: int
    pins: int
    fmax_mhz: float | None
    runs: tuple[SeedRun, ...]
    instances: dict[str, dict[str, int]]
    tool_versions: dict[str, str]
    reference_fmax_mhz: float | None = None
    bitstream: Path | None = field(default=None, compare=False)


def synthesize(
    verilog: Path,
    module: str,
    target: Target,
    out: Path,
    *,
    clock_hz: float | None = None,
    seeds: Sequence[int] = SEEDS,
    constraints: Path | None = None,
    reference_width: int | None = None,
    progress: Progress | None = None,
    jobs: int = 2,
    workers: Workers | None = None,
) -> Measured:
    """Synthesize, place and route once per seed; write `module`.bin or .bit and synthesis.json.

    `constraints` is a .pcf or .lpf with the pins of a board; without it nextpnr chooses them.
    `clock_hz` is the clock the design should meet; it steers nextpnr, failing it is no error.
    With a `reference_width` the clock rate of a bare adder of that many bits is measured as well.
    `workers` shares the limit of processes among several calls; else there are `jobs` of them.
    """
    if not target.placed:
        raise UserError(f"target {target.name} has no part to place on")
    if not verilog.is_file():
        raise UserError(f"there is no Verilog file {verilog}")
    say = progress or (lambda text: None)
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".synthesis-", dir=out) as folder,
        workers.group() if workers else Workers(jobs) as crew,
    ):
        flow = _Flow(module, target, Path(folder), crew, say)
        try:
            shutil.copyfile(verilog, flow.work / "design.v")
            if constraints is not None:
                shutil.copyfile(constraints, flow.work / flow.constraints_file)
            measured = flow.run(seeds, clock_hz)
            if reference_width is not None:
                rate = reference_fmax(reference_width, target, progress=say, workers=crew)
                measured = replace(measured, reference_fmax_mhz=rate)
            stored = out / f"{module}{flow.bitstream.suffix}"
            os.replace(flow.bitstream, stored)
            measured = replace(measured, bitstream=stored)
            write_json(out / "synthesis.json", details(measured))
            return measured
        finally:
            # The logs are kept above all where a tool has failed.
            (out / "logs").mkdir(exist_ok=True)
            for log in flow.work.glob("*.log"):
                os.replace(log, out / "logs" / log.name)


_reference: dict[tuple[int, str], float] = {}


def reference_fmax(
    width: int,
    target: Target,
    *,
    progress: Progress | None = None,
    jobs: int = 2,
    workers: Workers | None = None,
) -> float:
    """MHz that the same tools give a bare registered adder of that width; median of three seeds.

    Measured once per process. Both operands arrive through a shift register and the sum leaves
    through a chain of exclusive-ors, one flip-flop apart, so that three pins serve every width and
    no path is longer than the adder's.
    """
    key = (width, target.name)
    if key not in _reference:
        if progress is not None:
            progress(f"{target.name}: measures a bare adder of {width} bits, for comparison")
        with tempfile.TemporaryDirectory(prefix="sylvan-adder-") as folder:
            verilog = Path(folder, "adder.v")
            verilog.write_text(reference_verilog(width))
            placed = synthesize(
                verilog, "adder", target, Path(folder, "out"), jobs=jobs, workers=workers
            )
        if placed.fmax_mhz is None:
            raise CheckError(f"nextpnr found no path through the reference adder on {target.name}")
        _reference[key] = placed.fmax_mhz
    return _reference[key]


def reference_verilog(width: int) -> str:
    """The module `adder` that `reference_fmax` places."""
    if width < 1:
        raise UserError(f"an adder has at least 1 bit, not {width}")
    top = width - 1
    return f"""\
module adder(input clk, input i, output o);
  reg [{2 * width - 1}:0] operands;
  reg [{top}:0] sum, chain;
  assign o = chain[{top}];
  always @(posedge clk) begin
    operands <= {{operands, i}};
    sum <= operands[{top}:0] + operands[{2 * width - 1}:{width}];
    chain <= sum ^ {{chain, 1'b0}};
  end
endmodule
"""


def details(measured: Measured) -> dict[str, Any]:
    """synthesis.json: the figures of each seed and each instance, which the report leaves out."""
    kept = asdict(measured)
    del kept["bitstream"]
    return kept


@dataclass
class _Flow:
    """The steps for one design in one work folder, where every file name is relative."""

    module: str
    target: Target
    work: Path
    crew: Workers
    say: Progress

    def __post_init__(self) -> None:
        ice40 = self.target.family == "ice40"
        self.yosys = find("yosys")
        self.nextpnr = find("nextpnr-ice40" if ice40 else "nextpnr-ecp5")
        self.packer = find("icepack" if ice40 else "ecppack")
        self.bitstream = self.work / ("design.bin" if ice40 else "design.bit")
        self.constraints_file = "pins.pcf" if ice40 else "pins.lpf"

    def run(self, seeds: Sequence[int], clock_hz: float | None) -> Measured:
        # Place and route may have to compile itself: meanwhile yosys has the other core.
        with ThreadPoolExecutor(len(seeds) + 1) as pool:
            try:
                warm = pool.submit(self.crew.warm, self.nextpnr, self.work, self.say)
                design = self.map()
                self.refuse_oversize(netlists.totals(design))
                warm.result()
                places = [pool.submit(self.place, seed, clock_hz) for seed in seeds]
                runs = tuple(place.result() for place in places)
            except BaseException:
                self.crew.stop()
                raise
        best = max(runs, key=lambda run: run.fmax_mhz or 0.0)
        self.pack(best.seed)
        return measure(design, runs, [self.yosys, self.nextpnr])

    def map(self) -> dict[str, Any]:
        """Yosys: the flat netlist in the part's own cells."""
        self.say(f"{self.target.name}: yosys maps {self.module}")
        (self.work / "map.ys").write_text(yosys_script(self.module, self.target))
        arguments = ["map.ys"] if self.yosys.native_library else ["-q", "-l", "map.log", "map.ys"]
        self.step(self.yosys, arguments, "yosys", "netlist.json")
        return netlists.read(self.work / "netlist.json", self.module)

    def refuse_oversize(self, needs: dict[str, int]) -> None:
        """What packing cannot change is known before nextpnr starts."""
        for resource in ("pins", "brams", "sprams", "dsps"):
            self.limit(resource, needs.get(resource, 0))

    def limit(self, resource: str, needed: int) -> None:
        available = getattr(self.target, resource)
        if available is not None and needed > available:
            raise DoesNotFit(self.module, self.target, resource, needed, available)

    def place(self, seed: int, clock_hz: float | None) -> SeedRun:
        name = f"nextpnr-seed-{seed}"
        self.say(f"{self.target.name}: nextpnr places and routes {self.module}, seed {seed}")
        arguments = nextpnr_arguments(self.target, name, seed, clock_hz)
        ice40 = self.target.family == "ice40"
        if (self.work / self.constraints_file).exists():
            arguments += ["--pcf" if ice40 else "--lpf", self.constraints_file]
        else:
            arguments += ["--pcf-allow-unconstrained" if ice40 else "--lpf-allow-unconstrained"]
        try:
            self.step(self.nextpnr, arguments, name, f"{name}.json")
        except CheckError:
            log = self.work / f"{name}.log"
            needs = utilisation(log.read_text() if log.exists() else "", self.target)
            for resource, needed in needs.items():
                self.limit(resource, needed)
            raise
        return seed_run(seed, json.loads((self.work / f"{name}.json").read_text()), self.target)

    def pack(self, seed: int) -> None:
        self.say(f"{self.target.name}: packs the bitstream of seed {seed}")
        options = [] if self.target.family == "ice40" else ["--compress"]
        arguments = [*options, f"nextpnr-seed-{seed}.config", self.bitstream.name]
        self.step(self.packer, arguments, self.packer.name, self.bitstream.name)

    def step(self, tool: Tool, arguments: Sequence[str], name: str, result: str) -> None:
        """Run one tool; `CheckError` with the end of its console if `result` is not there after."""
        console = f"{name}.log" if tool.native_library else f"{name}.console.log"
        status = self.crew.run([*tool.command, *arguments], self.work, console)
        if status or not (self.work / result).exists():
            shown = (self.work / console).read_text(errors="replace").splitlines()
            said = "\n".join(line for line in shown[-8:] if line.strip())
            raise CheckError(
                f"{tool.name} {tool.version} failed on {self.module} for {self.target.name} "
                f"(exit status {status}); log: {self.work.parent / 'logs' / console}\n{said}"
            )


def yosys_script(module: str, target: Target) -> str:
    """The commands that map design.v to netlist.json."""
    # The RTL never depends on a read and a write of one address in one cycle: emulating an order
    # for them costs hundreds of logic cells.
    options = f"-top {module} -no-rw-check -json netlist.json"
    if target.family == "ice40":
        device = "u" if target.device == "up5k" else "hx"
        synth = f"synth_ice40 -device {device} {options}"
    else:
        synth = f"synth_ecp5 -nodsp {options}"
    return f"read_verilog design.v\n{synth}\n"


def nextpnr_arguments(target: Target, name: str, seed: int, clock_hz: float | None) -> list[str]:
    """Options of one place and route, results named after `name`."""
    part = [f"--{target.device}", "--package", str(target.package)]
    if target.speed is not None:
        part += ["--speed", target.speed]
    textual = "--asc" if target.family == "ice40" else "--textcfg"
    # Missing the wished clock is a figure in the report, not an error.
    clock = [] if clock_hz is None else ["--freq", f"{clock_hz / 1e6:g}", "--timing-allow-fail"]
    return [
        *part,
        *["--json", "netlist.json", "--seed", str(seed), *clock],
        *[textual, f"{name}.config", "--report", f"{name}.json", "--log", f"{name}.log", "--quiet"],
    ]


def utilisation(log: str, target: Target) -> dict[str, int]:
    """What nextpnr's log says after packing that the design needs of each resource."""
    needs = {}
    for resource, cell in CELLS[str(target.family)].items():
        match = re.search(rf"^Info:\s+{cell}:\s*(\d+)/", log, re.MULTILINE)
        if match:
            needs[resource] = int(match.group(1))
    return needs


def seed_run(seed: int, report: dict[str, Any], target: Target) -> SeedRun:
    """The figures in one of nextpnr's reports."""
    used = {
        resource: report["utilization"].get(cell, {"used": 0})["used"]
        for resource, cell in CELLS[str(target.family)].items()
    }
    domains = report["fmax"]
    if len(domains) > 1:
        raise CheckError(f"one clock expected, nextpnr found {', '.join(sorted(domains))}")
    # Without a path from register to register there is no clock rate to speak of.
    fmax = next((domain["achieved"] for domain in domains.values()), None)
    return SeedRun(seed, fmax, used)


def measure(design: dict[str, Any], runs: Sequence[SeedRun], tools: Sequence[Tool]) -> Measured:
    """The netlist and the runs of all seeds as one set of figures."""

    def median(resource: str) -> int:
        return round(statistics.median(run.used.get(resource, 0) for run in runs))

    rates = [run.fmax_mhz for run in runs if run.fmax_mhz is not None]
    needs = netlists.totals(design)
    return Measured(
        luts=median("luts"),
        ffs=median("ffs") if "ffs" in runs[0].used else needs.get("ffs", 0),
        brams=median("brams"),
        sprams=median("sprams"),
        dsps=median("dsps"),
        pins=median("pins"),
        fmax_mhz=statistics.median(rates) if rates else None,
        runs=tuple(runs),
        instances=netlists.by_instance(design),
        tool_versions={tool.name: tool.version for tool in tools},
    )
