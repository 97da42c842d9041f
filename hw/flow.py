"""The tools on one design: yosys maps it, nextpnr places and routes it, a packer packs it."""

import json
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sylvan.model.errors import CheckError

from . import carry
from . import netlist as netlists
from .measured import DoesNotFit, Measured, SeedRun, measure, seed_run, utilisation
from .targets import Target
from .tools import Progress, Tool, Workers, find


@dataclass
class Flow:
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
                self.say(f"{self.target.name}: nextpnr places {self.module}, {len(seeds)} seeds")
                places = [pool.submit(self.place, seed, clock_hz) for seed in seeds]
                runs = tuple(place.result() for place in places)
            except BaseException:
                self.crew.stop()
                raise
        best = max(runs, key=lambda run: run.fmax_mhz or 0.0)
        self.pack(best.seed)
        verilog = (self.work / "design.v").read_text()
        modules = netlists.by_module(design, verilog, self.module)
        chain = netlists.longest_chain(design)
        return measure(runs, netlists.totals(design), chain, modules, [self.yosys, self.nextpnr])

    def map(self) -> dict[str, Any]:
        """Yosys: the flat netlist in the part's own cells."""
        self.say(f"{self.target.name}: yosys maps {self.module}")
        script = yosys_script(self.module, self.target, self.yosys.release)
        (self.work / "map.ys").write_text(script)
        (self.work / carry.ADDERS).write_text(carry.MAP)
        arguments = ["map.ys"] if self.yosys.native_library else ["-q", "-l", "yosys.log", "map.ys"]
        self.step(self.yosys, arguments, "yosys", "netlist.json")
        path = self.work / "netlist.json"
        if self.target.family == "ecp5":
            tree = json.loads(path.read_text())
            carry.free_ends(tree["modules"][self.module])
            path.write_text(json.dumps(tree))
        return netlists.read(path, self.module)

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
        arguments = nextpnr_arguments(self.target, name, seed, clock_hz)
        ice40 = self.target.family == "ice40"
        if (self.work / self.constraints_file).exists():
            arguments += ["--pcf" if ice40 else "--lpf", self.constraints_file]
        else:
            arguments += ["--pcf-allow-unconstrained" if ice40 else "--lpf-allow-unconstrained"]
        self.step(self.nextpnr, arguments, name, f"{name}.json")
        run = seed_run(seed, json.loads((self.work / f"{name}.json").read_text()), self.target)
        rate = "no clock rate" if run.fmax_mhz is None else f"{run.fmax_mhz:.1f} MHz"
        self.say(f"{self.target.name}: {self.module} with seed {seed}: {rate}")
        return run

    def explain(self, log: str) -> None:
        """Raise `DoesNotFit` where that is what nextpnr's log comes to."""
        needs = utilisation(log, self.target)
        for resource, needed in needs.items():
            self.limit(resource, needed)
        if "Unable to find legal placement" in log and "luts" in needs:
            available = self.target.luts or 0
            raise DoesNotFit(self.module, self.target, "luts", needs["luts"], available)

    def pack(self, seed: int) -> None:
        self.say(f"{self.target.name}: packs the bitstream of seed {seed}")
        options = [] if self.target.family == "ice40" else ["--compress"]
        arguments = [*options, f"nextpnr-seed-{seed}.config", self.bitstream.name]
        self.step(self.packer, arguments, self.packer.name, self.bitstream.name)

    def step(self, tool: Tool, arguments: Sequence[str], name: str, result: str) -> None:
        """Run one tool; a `CheckError` with the end of its log where no result comes of it."""
        console = f"{name}.log" if tool.native_library else f"{name}.console"
        status = self.crew.run([*tool.command, *arguments], self.work, console)
        if status == 0 and (self.work / result).exists():
            return
        log = self.work / f"{name}.log"
        if tool is self.nextpnr and log.exists():
            self.explain(log.read_text())
        raise CheckError(
            f"{tool.name} {tool.version} failed on {self.module} for {self.target.name} "
            f"(exit status {status}). {self.keep(name, [log, self.work / console])}"
        )

    def keep(self, name: str, logs: Sequence[Path]) -> str:
        """Copy what a tool wrote out of the work folder, which goes away; where to, and its end.

        A tool told to be quiet says on its console what went wrong, and in its log what it did
        before: both are kept, the console last.
        """
        texts = [p.read_text(errors="replace") for p in dict.fromkeys(logs) if p.exists()]
        handle, kept = tempfile.mkstemp(prefix=f"sylvan-{self.module}-{name}-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(texts))
        told = [line for text in texts for line in text.splitlines() if line.strip()]
        if not told:
            return f"It said nothing; its log, {kept}, is empty."
        said = "\n".join(told[-8:])
        return f"Its log is {kept} and ends:\n{said}"


#: What abc9 runs on the logic between registers: yosys' own script without the two passes (&scorr,
#: &dc2) that restructure most. On two cores, medians of three seeds: 1 to 3 % fewer cells; clock
#: rate 9 and 10 % higher on iCE40, equal and 28 % higher on ECP5.
ABC9_SCRIPT = "+&sweep;&dch,-f;&ps;&if,{W},{D},{R};&mfs"


def yosys_script(module: str, target: Target, version: tuple[int, ...]) -> str:
    """The commands that map design.v to netlist.json."""
    # The RTL never depends on a read and a write of one address in one cycle: emulating an order
    # for them costs hundreds of logic cells.
    options = f"-top {module} -no-rw-check -json netlist.json"
    if target.family == "ice40":
        device = "u" if target.device == "up5k" else "hx"
        # 0.70 maps with abc9 whether told to or not; older ones have to be told.
        abc9 = "-abc9 " if version < (0, 70) else ""
        synth = f"synth_ice40 {abc9}-device {device} {options}"
    else:
        # An adder that this knows is mapped before yosys maps the rest.
        synth = (
            f"synth_ecp5 -nodsp {options} -run begin:map_gates\n"
            f"techmap -map {carry.ADDERS}\n"
            f"synth_ecp5 -nodsp {options} -run map_gates:"
        )
    return f"scratchpad -set abc9.script {ABC9_SCRIPT}\nread_verilog design.v\n{synth}\n"


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
