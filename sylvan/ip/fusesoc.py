"""The core description (CAPI2) by which FuseSoC simulates, lints and synthesizes a package."""

from importlib.metadata import version
from typing import Any

from sylvan.hw.targets import TARGETS

from .bench import answers_file, stimulus_file

FAMILIES = ("ice40", "ecp5", "xilinx")
"""What FuseSoC's Yosys synthesizes for."""

_TEMPLATE = """\
CAPI=2:
name: "sylvan:rnn:{name}:{version}"
description: "{description}"

filesets:
  rtl:
    files:
{sources}
    file_type: verilogSource-2005
  bench:
    files:
      - sim/{top}_tb.v: {{file_type: verilogSource-2005}}
      - sim/{stimulus}: {{file_type: user, copyto: "{stimulus}"}}
      - sim/{answers}: {{file_type: user, copyto: "{answers}"}}

targets:
  default:
    filesets: [rtl]
    toplevel: {top}

  sim:
    description: "The self-checking testbench, in Icarus"
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2005]
      vvp_options: [-N]
    filesets: [rtl, bench]
    toplevel: {top}_tb

  sim_verilator:
    description: "The same in Verilator"
    flow: sim
    flow_options:
      tool: verilator
      mode: binary
      verilator_options: [--timing]
    filesets: [rtl, bench]
    toplevel: {top}_tb

  lint:
    description: "Verilator with all its warnings"
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
    filesets: [rtl]
    toplevel: {top}

  synth:
    description: "Yosys, to a netlist of {arch} cells; others by --arch"
    flow: generic
    flow_options:
      tool: yosys
      arch: {arch}
      output_format: json
    filesets: [rtl]
    toplevel: {top}
"""


def core_file(
    name: str,
    top: str,
    sources: list[str],
    ports: dict[str, Any],
    report: dict[str, Any],
    schedule: str,
) -> str:
    """The text of NAME.core for a package whose modules are in these files."""
    part = TARGETS.get(report["target"])
    family = part.family if part else None
    return _TEMPLATE.format(
        name=name,
        version=version("sylvan"),
        description=f"Recurrent network, program {ports['program_sha256'][:16]}, {schedule}",
        sources="\n".join(f"      - {source}" for source in sources),
        top=top,
        stimulus=stimulus_file(top),
        answers=answers_file(top),
        arch=family if family in FAMILIES else FAMILIES[0],
    )
