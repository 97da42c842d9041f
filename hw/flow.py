"""The tools on one design: yosys maps it, nextpnr places and routes it, a packer packs it."""

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from . import netlist as netlists
from .mapping import Mapper
from .measured import DoesNotFit, Measured, SeedRun, placed, seed_run, utilisation
from .targets import Target
from .tools import Stalled, find


@dataclass(frozen=True)
class Kit:
    """How the tools of a family are called, and what their files end in."""

    nextpnr: str
    packer: str
    bitstream: str
    constraints: str
    settled: tuple[str, ...]
    """What makes nextpnr read the file of constraints."""
    free: tuple[str, ...]
    """What lets it choose pins without one."""


KITS = {
    "ice40": Kit(
        "nextpnr-ice40", "icepack", "bin", "pcf", ("--pcf", "{}"), ("--pcf-allow-unconstrained",)
    ),
    "ecp5": Kit(
        "nextpnr-ecp5", "ecppack", "bit", "lpf", ("--lpf", "{}"), ("--lpf-allow-unconstrained",)
    ),
    "gowin": Kit("nextpnr-himbaechel-gowin", "gowin_pack", "fs", "cst", ("--vopt", "cst={}"), ()),
}


@dataclass
class Flow(Mapper):
    """The steps of a part that is placed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kit = KITS[str(self.target.family)]
        self.nextpnr, self.packer = find(self.kit.nextpnr), find(self.kit.packer)
        self.bitstream = self.work / f"design.{self.kit.bitstream}"
        self.constraints_file = f"pins.{self.kit.constraints}"

    def run(self, seeds: Sequence[int], clock_hz: float | None) -> Measured:
        # Place and route may have to compile itself: meanwhile yosys has the other core.
        with ThreadPoolExecutor(len(seeds) + 1) as pool:
            try:
                warm = pool.submit(self.crew.warm, self.nextpnr, self.work, self.say)
                design = self.map()
                self.refuse_oversize(netlists.totals(design))
                warm.result()
                self.say(f"{self.target.name}: nextpnr places {self.module}, {len(seeds)} seeds")
                owners = netlists.owners(design, self.modules)
                places = [pool.submit(self.place, seed, clock_hz, owners) for seed in seeds]
                runs = tuple(place.result() for place in places)
            except BaseException:
                self.crew.stop()
                raise
        best = max(runs, key=lambda run: run.fmax_mhz or 0.0)
        self.pack(best.seed)
        tools = [self.yosys, self.nextpnr]
        needs, chain = netlists.totals(design), netlists.longest_chain(design)
        return placed(runs, needs, chain, self.by_module(design), tools)

    def refuse_oversize(self, needs: dict[str, int]) -> None:
        """What packing cannot change is known before nextpnr starts."""
        for resource in ("pins", "brams", "sprams", "dsps"):
            self.limit(resource, needs.get(resource, 0))

    def place(self, seed: int, clock_hz: float | None, owners: Mapping[str, str]) -> SeedRun:
        name = f"nextpnr-seed-{seed}"
        arguments = nextpnr_arguments(self.target, name, seed, clock_hz)
        if (self.work / self.constraints_file).exists():
            arguments += [part.format(self.constraints_file) for part in self.kit.settled]
        else:
            arguments += self.kit.free
        self._route(name, arguments)
        report = json.loads((self.work / f"{name}.json").read_text())
        run = seed_run(seed, report, self.target, owners)
        rate = "no clock rate" if run.fmax_mhz is None else f"{run.fmax_mhz:.1f} MHz"
        self.say(f"{self.target.name}: {self.module} with seed {seed}: {rate}")
        return run

    def _route(self, name: str, arguments: list[str]) -> None:
        """Run nextpnr; once more with its other router where its usual one comes to no end."""
        log = self.work / f"{name}.log"

        def stalls() -> bool:
            return log.exists() and stalled(log.read_text())

        result = f"{name}.json"
        try:
            self.step(self.nextpnr, arguments, name, result, self.explain, stalls)
        except Stalled:
            self.say(f"{self.target.name}: routing of {self.module} stalls, router2 tries again")
            self.step(self.nextpnr, [*arguments, *ROUTER2], name, result, self.explain)

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
        packed = f"nextpnr-seed-{seed}.config"
        arguments = [packed, self.bitstream.name]
        if self.target.family == "ecp5":
            arguments = ["--compress", *arguments]
        elif self.target.family == "gowin":
            # A core has no use of the flash, and boards take its pins for others.
            pins = ["--sspi_as_gpio", "--mspi_as_gpio"]
            arguments = ["-d", str(self.target.die), "-o", self.bitstream.name, *pins, packed]
        self.step(self.packer, arguments, self.packer.name, self.bitstream.name)


ROUTER2 = ["--router", "router2"]
STALLED = 50
"""Batches of a thousand connections, each in the place of another, after which as many are left."""


def stalled(log: str) -> bool:
    """Whether nextpnr's router1 has been undoing what it did for `STALLED` batches."""
    left = re.findall(r"^Info:\s+\d+ \|[^|]*\|[^|]*\|\s*(\d+)\|", log, re.MULTILINE)[-STALLED:]
    return len(left) == STALLED and len(set(left)) == 1


TIMING = ["--placer-heap-timingweight", "100", "--placer-heap-critexp", "4"]
"""How placement weighs timing beside wire length, and how much of it what is most critical; by
itself nextpnr says 10 and 2, and control ends up far from what it controls."""


def nextpnr_arguments(target: Target, name: str, seed: int, clock_hz: float | None) -> list[str]:
    """Options of one place and route, results named after `name`."""
    if target.family == "gowin":
        part = ["--device", str(target.package), "--vopt", f"family={target.die}"]
        result = "--write"
    else:
        part = [f"--{target.device}", "--package", str(target.package)]
        result = "--asc" if target.family == "ice40" else "--textcfg"
    if target.speed is not None:
        part += ["--speed", target.speed]
    # Missing the wished clock is a figure in the report, not an error.
    clock = [] if clock_hz is None else ["--freq", f"{clock_hz / 1e6:g}", "--timing-allow-fail"]
    return [
        *part,
        *TIMING,
        *["--json", "netlist.json", "--seed", str(seed), *clock],
        *[result, f"{name}.config", "--report", f"{name}.json", "--log", f"{name}.log", "--quiet"],
    ]
