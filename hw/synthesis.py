"""From a Verilog file to measured figures, and a bitstream where the part is placed, by open tools.

Clock rate is the median over seeds of what nextpnr reports between registers; the pins are left to
nextpnr, so paths from and to them do not count. Parts that are not placed have the figures of their
netlist, by yosys alone. No DSP is used unless the schedule asks for it: figures are adders in LUTs.
"""

import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sylvan.model.errors import CheckError, UserError
from sylvan.model.files import write_json

from .flow import Flow
from .mapping import Mapper
from .measured import DoesNotFit, Measured, details
from .targets import Target
from .tools import Progress, Workers

__all__ = ["DoesNotFit", "Measured", "reference_fmax", "synthesize"]

SEEDS = (1, 2, 3)


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
    dsps: bool = False,
) -> Measured:
    """Synthesize; place and route once per seed where the part is placed; write synthesis.json.

    A part that is placed gets `module`.bin or .bit as well, and only there the following count.
    `clock_hz` is the clock the design should meet; it steers nextpnr, failing it is no error.
    `constraints` is a .pcf or .lpf with the pins of a board; without it nextpnr chooses them.
    With `dsps` what the Verilog multiplies by `*` becomes DSP blocks.
    With a `reference_width` the clock rate of a bare adder of that many bits is measured as well.

    `progress` is called with sentences, from several threads. `workers` shares the limit of
    processes among several calls; else there are `jobs` of them.
    """
    if not target.mapped:
        raise UserError(f"target {target.name} has no part to synthesize for")
    if constraints is not None and not target.placed:
        raise UserError(f"{constraints} names pins, and target {target.name} is not placed on any")
    if not verilog.is_file():
        raise UserError(f"there is no Verilog file {verilog}")
    say = progress or (lambda text: None)
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".synthesis-", dir=out) as folder,
        workers.group() if workers else Workers(jobs) as crew,
    ):
        work, logs = Path(folder), ["yosys.log"]
        shutil.copyfile(verilog, work / "design.v")
        if not target.placed:
            measured = Mapper(module, target, work, crew, say, dsps).measure()
        else:
            flow = Flow(module, target, work, crew, say, dsps)
            if constraints is not None:
                shutil.copyfile(constraints, work / flow.constraints_file)
            measured = flow.run(seeds, clock_hz)
            if reference_width is not None:
                rate = reference_fmax(reference_width, target, progress=say, workers=crew)
                measured = replace(measured, reference_fmax_mhz=rate)
            measured = replace(measured, bitstream=out / f"{module}{flow.bitstream.suffix}")
            os.replace(flow.bitstream, str(measured.bitstream))
            logs += [f"nextpnr-seed-{seed}.log" for seed in seeds]
        (out / "logs").mkdir(exist_ok=True)
        for name in logs:
            os.replace(work / name, out / "logs" / name)
        write_json(out / "synthesis.json", details(measured))
        return measured


_reference: dict[tuple[int, str], float] = {}
_measuring = threading.Lock()


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
    with _measuring:
        if key in _reference:
            return _reference[key]
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
        return _reference.setdefault(key, placed.fmax_mhz)


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
