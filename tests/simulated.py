"""Verilog under a simulator, driven by a module of cocotb tests that lies in tests/."""

from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from cocotb_tools.runner import get_runner
from sylvan.model.files import cache_folder
from sylvan.sim import compile_cache
from sylvan.sim.simulators import find_simulator

ARGUMENTS = {
    "icarus": ["-g2005"],
    "verilator": ["--no-public-flat-rw", "--x-initial", "unique", "-Wno-fatal", "-Wno-WIDTH"],
}


def played(
    text: str, top: str, module: str, folder: Path, simulator: str = "icarus", **told: object
) -> dict[str, str]:
    """What became of each cocotb test of the module: nothing, or why it failed.

    `told` is what the tests find in the environment.
    """
    source = folder / f"{top}.v"
    source.write_text(text)
    tool = find_simulator(simulator)
    runner = get_runner(simulator)
    with tool.in_path(), compile_cache.in_use(cache_folder() / "objects"):
        runner.build(
            sources=[source],
            hdl_toplevel=top,
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
                hdl_toplevel=top,
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
