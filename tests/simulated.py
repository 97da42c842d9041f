"""Verilog under a simulator, driven by a module of cocotb tests that lies in tests/."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from amaranth.back import verilog
from cocotb_tools.runner import get_runner
from sylvan.model.files import cache_folder
from sylvan.sim import compile_cache
from sylvan.sim.simulators import find_simulator

TOP = "bench"
PUBLIC = "/*verilator public_flat_rw*/"
ARGUMENTS = {
    "icarus": ["-g2005"],
    "verilator": ["--no-public-flat-rw", "--x-initial", "unique", "-Wno-fatal", "-Wno-WIDTH"],
}


def bench(dut: Any, name: str, ports: Mapping[str, Any]) -> str:
    """The module `bench`: the component with all its ports as what Python may read and write."""
    wires = [f"reg clk {PUBLIC} = 0;", f"reg rst {PUBLIC} = 1;"]
    given = {port: (value, None) for port, value in ports.items()}
    text = verilog.convert(dut, name=name, ports=given, emit_src=False)
    # The component's own module comes first.
    inputs = set(re.findall(r"^  input (?:\S+ )?(\w+);", text.partition("endmodule")[0], re.M))
    for port, value in ports.items():
        kind = "reg" if port in inputs else "wire"
        wires.append(f"{kind} [{len(value) - 1}:0] {port} {PUBLIC};")
    connected = ", ".join(f".{port}({port})" for port in ("clk", "rst", *ports))
    body = "\n  ".join([*wires, f"{name} dut({connected});"])
    return f"{text}\nmodule bench;\n  {body}\nendmodule\n"


def played(
    text: str, module: str, folder: Path, simulator: str = "icarus", **told: object
) -> dict[str, str]:
    """What became of each cocotb test of the module, on a `bench`: nothing, or why it failed.

    `told` is what the tests find in the environment.
    """
    source = folder / "bench.v"
    source.write_text(text)
    tool = find_simulator(simulator)
    runner = get_runner(simulator)
    with tool.in_path(), compile_cache.in_use(cache_folder() / "objects"):
        runner.build(
            sources=[source],
            hdl_toplevel=TOP,
            build_dir=folder / "objects",
            build_args=ARGUMENTS[simulator],
            timescale=("1ns", "1ns"),
            always=True,
            log_file=folder / "build.log",
        )
        results = folder / "results.xml"
        # It exits where a test failed; the results say which.
        with suppress(SystemExit):
            runner.test(
                test_module=module,
                hdl_toplevel=TOP,
                hdl_toplevel_lang="verilog",
                build_dir=folder / "objects",
                test_dir=folder,
                results_xml=str(results),
                seed=0,
                extra_env={name: str(value) for name, value in told.items()},
                log_file=folder / "run.log",
            )
    found = {}
    for case in ElementTree.parse(results).iter("testcase"):
        failure = case.find("failure")
        failure = case.find("error") if failure is None else failure
        text = "" if failure is None else str(failure.attrib)
        found[case.attrib["name"]] = text
    return found
