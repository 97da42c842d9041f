"""Reports, and what they say comes next."""

import shutil
from pathlib import Path

from commands import Sylvan

from sylvan.report import after_build, after_training


def test_a_report_names_what_comes_next(run: Path, tmp_path: Path) -> None:
    """A run before and after its export; a build before and after simulation, and placed."""
    program = run / "program"
    assert after_training(run)[0] == f"sylvan eval {run}"
    shutil.rmtree(program)
    assert after_training(run) == [f"sylvan export {run} --state-bits 12"]
    folder = tmp_path / "my build"

    def after(lanes: int, cycles: int | None, luts: int | None) -> str:
        measured = {"cycles_per_step": cycles, "luts": luts}
        report = {"target": "ecp5-25f", "schedule": {"lanes": lanes}, "measured": measured}
        (command,) = after_build(folder, report)
        return command

    assert after(4, None, None).startswith(f"sylvan sim '{folder}' ")
    assert after(4, 9, None).startswith(
        f"sylvan build '{folder}/program' --target ecp5-25f --lanes 4"
    )
    assert after(4, 9, 100).endswith(f"--lanes 1 --out '{folder}-1-lane'    (smaller)")
    assert after(1, 9, 100).startswith(f"sylvan sim '{folder}' --waves")


def test_a_placed_build_names_its_bitstream(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    assert sylvan("build", run, "--target", "verilog", "--lanes", 1, "--out", out).code == 0
    assert "bitstream" not in sylvan("report", out).out
    (out / "core.bin").touch()
    assert f"bitstream: {out}/core.bin" in sylvan("report", out).out
