"""Yosys on one design: the netlist in a part's own cells, and what it alone can tell."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sylvan.model.errors import CheckError

from . import block_ram, carry, turns
from . import netlist as netlists
from .measured import DoesNotFit, Measured, mapped
from .targets import Target
from .tools import Progress, Tool, Workers, find


@dataclass
class Mapper:
    """The step that every part has, for one design in one work folder; file names are relative."""

    module: str
    target: Target
    work: Path
    crew: Workers
    say: Progress
    dsps: bool = False

    def __post_init__(self) -> None:
        self.yosys = find("yosys")

    def measure(self) -> Measured:
        """The figures of a part that is not placed."""
        design = self.map()
        needs = netlists.totals(design)
        # Nothing comes after this that could say so.
        for resource in ("luts", "ffs", "brams", "sprams", "dsps"):
            self.limit(resource, needs.get(resource, 0))
        return mapped(needs, self.by_module(design), self.yosys)

    def map(self) -> netlists.Netlist:
        """Yosys: the flat netlist in the part's own cells."""
        self.say(f"{self.target.name}: yosys maps {self.module}")
        path = self.work / "netlist.json"
        ecp5 = self.target.family == "ecp5"
        if ecp5:
            (self.work / carry.ADDERS).write_text(carry.MAP)
            self._run("coarse", coarse_script(self.module, self.dsps), turns.COARSE)
            self._edit(self.work / turns.COARSE, turns.take_turns)
        script = yosys_script(self.module, self.target, self.yosys.release, self.dsps)
        self._run("map", script, path.name)
        if self._lost():
            self.say(f"{self.target.name}: yosys lost a sum of {self.module} and maps it again")
            script = unkept(script)
            self._run("map", script, path.name)
        ice40 = self.target.family == "ice40" and self.yosys.release >= (0, 70)
        if ice40 and self._crowded(netlists.read(path, self.module)):
            self.say(f"{self.target.name}: {self.module} has too many enables, yosys maps it again")
            self._run("map", script.replace("synth_ice40", f"synth_ice40 {SHARED}"), path.name)
        if self._lost():
            raise CheckError(
                f"yosys {self.yosys.version} found two drivers of a wire of {self.module} for "
                f"{self.target.name}. {self.keep('map', [self.work / 'yosys.log'])}"
            )
        if ecp5:
            self._edit(path, carry.free_ends)
            self._edit(path, block_ram.move_registers)
        return netlists.read(path, self.module)

    def _crowded(self, design: netlists.Netlist) -> bool:
        """Whether so many registers have enables of their own that placement may find no end."""
        tiles = (self.target.luts or 0) // netlists.TILE
        return netlists.control_tiles(design) > CROWDED * tiles

    def _run(self, name: str, script: str, result: str) -> None:
        """One run of yosys."""
        file = f"{name}.ys"
        (self.work / file).write_text(script)
        arguments = [file] if self.yosys.native_library else ["-q", "-l", "yosys.log", file]
        self.step(self.yosys, arguments, "yosys", result)

    def _lost(self) -> bool:
        """Whether yosys found two drivers of a wire: it goes on with a constant for it."""
        return "Driver-driver conflict" in (self.work / "yosys.log").read_text()

    def _edit(self, path: Path, change: Callable[[dict[str, Any]], object]) -> None:
        """Let `change` at the module in a netlist."""
        tree = json.loads(path.read_text())
        change(tree["modules"][self.module])
        path.write_text(json.dumps(tree))

    @cached_property
    def modules(self) -> netlists.Modules:
        """The modules of the Verilog."""
        return netlists.Modules((self.work / "design.v").read_text(), self.module)

    def by_module(self, design: netlists.Netlist) -> dict[str, dict[str, int]]:
        """The netlist's needs by module of the Verilog."""
        return netlists.by_module(design, self.modules)

    def limit(self, resource: str, needed: int) -> None:
        """Refuse what needs more of a resource than the part has."""
        available = getattr(self.target, resource)
        if available is not None and needed > available:
            raise DoesNotFit(self.module, self.target, resource, needed, available)

    def step(
        self,
        tool: Tool,
        arguments: Sequence[str],
        name: str,
        result: str,
        explain: Progress = lambda log: None,
        stalls: Callable[[], bool] | None = None,
    ) -> None:
        """Run one tool; a `CheckError` with the end of its log where no result comes of it.

        `explain` sees the whole log before, and may raise what says more; `stalls` is as in
        `Workers.run`.
        """
        console = f"{name}.log" if tool.native_library else f"{name}.console"
        status = self.crew.run([*tool.command, *arguments], self.work, console, stalls)
        if status == 0 and (self.work / result).exists():
            return
        log = self.work / f"{name}.log"
        if log.exists():
            explain(log.read_text())
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


#: Share of an iCE40's tiles: filled by fewer registers than they have room for, because of what
#: those share, they leave carry chains and look-up tables no place that nextpnr could find.
CROWDED = 0.75
#: What yosys is told then: an enable for fewer registers becomes logic in front of them. A design
#: of four layers that was not placed in ten minutes takes 3 % more cells, and one minute.
SHARED = "-dffe_min_ce_use 9"


def coarse_script(module: str, dsps: bool = False) -> str:
    """The commands that bring design.v to words in a netlist, for ECP5."""
    nodsp = "" if dsps else "-nodsp "
    return (
        "read_verilog design.v\n"
        f"synth_ecp5 {nodsp}-top {module} -no-rw-check -run begin:map_gates\n"
        f"select {module}\n"
        f"write_json -selected {turns.COARSE}\n"
    )


def unkept(script: str) -> str:
    """The script of `yosys_script`, but for wires that are to be kept: to abc9 none is.

    Of 0.70 it loses logic in front of some of them, and says so.
    """
    *before, last = script.splitlines()
    command, _, label = last.partition(" -run ")
    begin = label.rstrip(":") or "begin"
    steps = [f"{command} -run {begin}:map_luts", "setattr -unset keep w:*"]
    return "\n".join([*before, *steps, f"{command} -run map_luts:", ""])


def yosys_script(module: str, target: Target, version: tuple[int, ...], dsps: bool = False) -> str:
    """The commands that map design.v, or on ECP5 its netlist of words, to netlist.json."""
    read = "read_verilog design.v"
    # The RTL never depends on a read and a write of one address in one cycle: emulating an order
    # for them costs hundreds of logic cells.
    options = f"-top {module} -no-rw-check -json netlist.json"
    # 0.70 maps with abc9 whether told to or not; older ones have to be told.
    abc9 = "-abc9 " if version < (0, 70) else ""
    nodsp = "" if dsps else "-nodsp "
    if target.family == "ice40":
        device = "u" if target.device == "up5k" else "hx"
        synth = f"synth_ice40 {abc9}{'-dsp ' if dsps else ''}-device {device} {options}"
    elif target.family == "ecp5":
        # An adder that this knows is mapped before yosys maps the rest.
        read = f"read_json {turns.COARSE}"
        synth = (
            f"synth_ecp5 {nodsp}{options} -run begin:coarse\n"
            f"techmap -map {carry.ADDERS}\n"
            f"synth_ecp5 {nodsp}{options} -run map_gates:"
        )
    elif target.family == "xilinx":
        # There is no order to emulate: its memories read the old word of an address being written.
        options = f"-family {target.device} -top {module} -json netlist.json"
        synth = f"synth_xilinx {abc9}{nodsp}-flatten -noiopad -noclkbuf {options}"
    else:
        # Older ones have no such option, and use no DSP at all.
        nodsp = "" if version < (0, 70) else nodsp
        # LUTs of more inputs save time, which nobody measures here, and take up to a fifth more.
        synth = f"synth_gowin {nodsp}-nowidelut -noiopads -family {target.device} {options}"
    return f"scratchpad -set abc9.script {ABC9_SCRIPT}\n{read}\n{synth}\n"
