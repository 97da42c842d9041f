"""The figures of a mapped or placed design: from its netlist, and from nextpnr's reports and logs.

Read from files that the tools wrote, never from a console, and kept as plain data.
"""

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sylvan.model.errors import CheckError, UserError

from .critical import Hop, critical_path
from .targets import Target
from .tools import Tool

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
    "gowin": {"luts": "LUT4", "ffs": "DFF", "brams": "BSRAM", "dsps": "MULT18X18", "pins": "IOB"},
}
#: Cells that take the place of others, and of how many: Gowin's adders and memories are its LUTs.
IN_PLACE = {"LUT4": {"ALU": 1, "RAM16SDP4": 6}}
WORDS = {
    "luts": "logic cells",
    "ffs": "flip-flops",
    "brams": "block RAMs",
    "sprams": "single-port RAMs",
    "dsps": "DSP blocks",
    "pins": "pins",
}


class DoesNotFit(UserError):
    """The design needs more of one resource than the part has.

    Or, if `needed` is within `available`, so nearly all that nextpnr finds no legal placement.
    """

    def __init__(self, module: str, target: Target, resource: str, needed: int, available: int):
        self.target, self.resource = target, resource
        self.needed, self.available = needed, available
        excess, word = needed - available, WORDS[resource]
        if available == 0:
            said = f"{needed} {word}, and the part has none"
        elif excess > 0:
            said = f"{needed} {word}, {excess} ({excess / available:.1%}) more than its {available}"
        else:
            said = f"{needed} of its {available} {word}, and nextpnr finds no place for them all"
        super().__init__(f"{module} does not fit {target.name}: it needs {said}.")

    def advised(self, advice: str) -> "DoesNotFit":
        """The same, with a sentence on what would fit."""
        self.args = (f"{self} {advice}",)
        return self


class TooSlow(UserError):
    """The best placement is slower than the clock that the design will have."""

    def __init__(self, target: Target, fmax_mhz: float, clock_mhz: float) -> None:
        self.fmax_mhz = fmax_mhz
        super().__init__(
            f"the best placement for {target.name} reaches {fmax_mhz:.1f} MHz, below its clock of "
            f"{clock_mhz:g} MHz: choose a slower --clock, or another schedule"
        )


@dataclass(frozen=True)
class SeedRun:
    """One place and route: the clock rate between registers and the path that sets it.

    Without any such path the rate is None, and the path empty.
    """

    seed: int
    fmax_mhz: float | None
    used: dict[str, int]
    path: tuple[Hop, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What the tools found for one design on one part.

    `luts`, `brams`, `sprams` and `dsps` are after place and route, `ffs` too where nextpnr tells
    (ECP5), else from the netlist. `fmax_mhz` is the median of `runs`; `modules` are the needs
    before packing by module of the Verilog, submodules included; `chain` is the longest carry chain
    in bits (0 where it is not looked for). On a part that is not placed all figures are those of
    the netlist: no runs, no clock rate, no bitstream.
    """

    luts: int
    ffs: int
    brams: int
    sprams: int
    dsps: int
    pins: int
    chain: int
    fmax_mhz: float | None
    runs: tuple[SeedRun, ...]
    modules: dict[str, dict[str, int]]
    tool_versions: dict[str, str]
    reference_fmax_mhz: float | None = None
    bitstream: Path | None = field(default=None, compare=False)


def details(measured: Measured) -> dict[str, Any]:
    """synthesis.json: the figures of each seed and each module, which the report leaves out."""
    kept = asdict(measured)
    del kept["bitstream"]
    return kept


def utilisation(log: str, target: Target) -> dict[str, int]:
    """What nextpnr's log says after packing that the design needs of each resource."""
    needs = {}
    for resource, cell in CELLS[str(target.family)].items():
        counts = [
            weight * int(match.group(1))
            for name, weight in _in_place(cell).items()
            if (match := re.search(rf"^Info:\s+{name}:\s*(\d+)/", log, re.MULTILINE))
        ]
        if counts:
            needs[resource] = sum(counts)
    return needs


def _in_place(cell: str) -> dict[str, int]:
    """How many of a cell each kind of cell takes, itself included."""
    return {cell: 1} | IN_PLACE.get(cell, {})


def seed_run(
    seed: int, report: dict[str, Any], target: Target, owners: Mapping[str, str]
) -> SeedRun:
    """The figures in one of nextpnr's reports, on a netlist whose cells have these modules."""
    counts = report["utilization"]
    used = {
        resource: sum(
            weight * counts.get(name, {"used": 0})["used"]
            for name, weight in _in_place(cell).items()
        )
        for resource, cell in CELLS[str(target.family)].items()
    }
    domains = report["fmax"]
    if len(domains) > 1:
        raise CheckError(f"one clock expected, nextpnr found {', '.join(sorted(domains))}")
    # Without a path from register to register there is no clock rate to speak of.
    fmax = next((domain["achieved"] for domain in domains.values()), None)
    return SeedRun(seed, fmax, used, critical_path(report, owners))


def mapped(needs: dict[str, int], modules: dict[str, dict[str, int]], yosys: Tool) -> Measured:
    """What the netlist tells as one set of figures."""

    def count(resource: str) -> int:
        return needs.get(resource, 0)

    return Measured(
        luts=count("luts"),
        ffs=count("ffs"),
        brams=count("brams"),
        sprams=count("sprams"),
        dsps=count("dsps"),
        pins=count("pins"),
        fmax_mhz=None,
        chain=0,
        runs=(),
        modules=modules,
        tool_versions={yosys.name: yosys.version},
    )


def placed(
    runs: Sequence[SeedRun],
    needs: dict[str, int],
    chain: int,
    modules: dict[str, dict[str, int]],
    tools: Sequence[Tool],
) -> Measured:
    """The runs of all seeds and what the netlist tells as one set of figures."""

    def median(resource: str) -> int:
        return round(statistics.median(run.used.get(resource, 0) for run in runs))

    rates = [run.fmax_mhz for run in runs if run.fmax_mhz is not None]
    return Measured(
        luts=median("luts"),
        ffs=median("ffs") if "ffs" in runs[0].used else needs.get("ffs", 0),
        brams=median("brams"),
        sprams=median("sprams"),
        dsps=median("dsps"),
        pins=median("pins"),
        chain=chain,
        fmax_mhz=statistics.median(rates) if rates else None,
        runs=tuple(runs),
        modules=modules,
        tool_versions={tool.name: tool.version for tool in tools},
    )
