"""Commands about hardware: builds appear whole or not at all, and only in the place of builds."""

import errno
import json
import os
from pathlib import Path

import pytest
from commands import Outcome, Sylvan
from sylvan.hw import build as hw_build
from sylvan.hw.lowering import Lowering
from sylvan.hw.synthesis import DoesNotFit
from sylvan.hw.targets import target
from sylvan.model.builder import Builder
from sylvan.model.numbers import Format
from sylvan.model.operations.constants import Table
from sylvan.model.program import NumericInput
from sylvan.model.storage import save


def test_an_operation_without_hardware_is_refused_by_name(
    sylvan: Sylvan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(Lowering.registry, Table)
    b = Builder(NumericInput(2, Format(0, 3), (1.0, 1.0), (0.0, 0.0)))
    squared = b.table([0, 1, 4, 9], 0, b.input, name="squared")
    program = b.program(b.layer("hidden", squared), "every")
    save(program, tmp_path / "program")
    ended = sylvan("build", tmp_path, "--target", "verilog", "--out", tmp_path / "out")
    assert ended.code == 2
    assert "squared: the operation 'table' has no hardware yet" in ended.error


def test_what_does_not_fit_names_the_lanes_that_would(
    sylvan: Sylvan, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = target("ice40-up5k")

    def refuse(*given: object, **named: object) -> None:
        raise DoesNotFit("core", part, "luts", 8000, 5280)

    monkeypatch.setattr(hw_build, "synthesize", refuse)
    out = tmp_path / "out"
    ended = sylvan("build", run, "--target", part.name, "--lanes", 16, "--out", out)
    assert ended.code == 2
    assert "it needs 8000" in ended.error and "lanes should fit: --lanes" in ended.error
    assert not out.exists()


def test_a_full_disk_leaves_the_old_build(
    sylvan: Sylvan, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "built"
    build = ("build", run, "--target", "verilog", "--lanes", 1, "--out", out)
    assert sylvan(*build).code == 0
    before = (out / "core.v").read_bytes()

    def full(*given: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "core.v")

    monkeypatch.setattr(hw_build, "generate", full)
    ended = sylvan(*build)
    assert ended.code == 2 and "No space left on device" in ended.error
    assert (out / "core.v").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "run"]


def test_a_full_disk_is_somewhere(
    sylvan: Sylvan, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing to an open file fails without a name."""

    def full(*given: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = tmp_path / "built"
    build = ("build", run, "--target", "verilog", "--lanes", 1, "--out", out)
    assert sylvan(*build).code == 0
    monkeypatch.setattr(hw_build, "generate", full)
    assert f"cannot read or write {out}: No space left" in sylvan(*build).error
    monkeypatch.undo()
    monkeypatch.setattr("sylvan.sim.cosimulation.plan_runs", full)
    assert f"cannot read or write {out}: No space left" in sylvan("sim", out).error


def test_a_missing_simulator_says_how_to_get_it(
    sylvan: Sylvan, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "built"
    assert sylvan("build", run, "--target", "verilog", "--lanes", 1, "--out", out).code == 0
    unknown = sylvan("sim", out, "--simulator", "questa")
    assert unknown.code == 2 and "questa" in unknown.error and "icarus" in unknown.error
    monkeypatch.setenv("PATH", "")
    ended = sylvan("sim", out)
    assert ended.code == 2 and "apt-get install" in ended.error


def test_a_build_replaces_nothing_but_a_build(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    def into(out: Path) -> Outcome:
        return sylvan("build", run, "--target", "verilog", "--out", out)

    mine = tmp_path / "mine"
    mine.mkdir()
    assert into(mine).code == 0 and into(mine).code == 0
    (tmp_path / "file").write_text("precious")
    for out, text in (
        (run, f"{run} is already there and is no build directory"),
        (run / "program", "is no build directory"),
        (tmp_path / "file", "is no build directory"),
        (Path("."), "a build makes a directory of its own"),
        (Path(".."), "is no build directory"),
    ):
        ended = into(out)
        assert ended.code == 2 and text in ended.error
    assert (tmp_path / "file").read_text() == "precious"
    assert (run / "checkpoint.safetensors").exists() and (run / "program/program.json").exists()


def test_a_build_that_cannot_be_moved_leaves_the_old_one(
    sylvan: Sylvan, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "built"
    assert sylvan("build", run, "--target", "verilog", "--lanes", 2, "--out", out).code == 0
    before = (out / "core.v").read_bytes()
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target) == out and not Path(source).name.endswith(".old"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    monkeypatch.setattr(hw_build.os, "replace", full)
    ended = sylvan("build", run, "--target", "verilog", "--lanes", 4, "--out", out)
    assert ended.code == 2 and "No space left" in ended.error
    assert (out / "core.v").read_bytes() == before


def test_digits_are_a_schedule_and_change_no_answer(
    sylvan: Sylvan, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "built"
    built = sylvan("build", run, "--target", "verilog", "--digit", 3, "--out", out)
    assert built.code == 0, built.error
    schedule = json.loads((out / "report.json").read_text())["schedule"]
    assert schedule == {
        "lanes": 8,
        "digit": 3,
        "words": False,
        "levels": 1,
        "contexts": 1,
        "turns": False,
        "logic_roms": False,
        "dsps": False,
        "state_port": False,
        "microcode": False,
    }
    assert "8 lanes, digits of 3 bits" in (out / "core.v").read_text()
    assert sylvan("sim", out, "--simulator", "icarus", "--sequences", 3).code == 0


def test_a_state_port_is_built_and_simulated(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    asked = "build", run, "--target", "verilog", "--lanes", 2, "--state-port", "--out", out
    built = sylvan(*asked)
    assert built.code == 0, built.error
    simulated = sylvan("sim", out, "--sequences", 3)
    assert simulated.code == 0, simulated.error
    assert "requests for the state: images saved equal" in " ".join(simulated.out.split())
    told = " ".join(sylvan("report", out).out.split())
    image = json.loads((out / "ports.json").read_text())["state"]
    words = f"{image['transfers']} transfers of {image['data_bits']} bits"
    assert f"state port: an image of the state takes {words}" in told
    assert "--lanes 2 --state-port --out" in told
    ended = sylvan(*asked, "--rate", "16k")
    assert ended.code == 2 and "leave out --lanes, --state-port, or --rate" in ended.error
    asked = "build", run, "--target", "ice40-up5k", "--lanes", 2, "--state-port"
    ended = sylvan(*asked, "--out", tmp_path / "placed")
    assert ended.code == 2 and "takes most of them: leave out --state-port" in ended.error


def test_verilog_from_elsewhere_is_not_run(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    assert sylvan("build", run, "--target", "verilog", "--lanes", 1, "--out", out).code == 0
    core = out / "core.v"
    core.write_text(core.read_text() + '\nmodule extra; initial $system("true"); endmodule\n')
    ended = sylvan("sim", out)
    assert ended.code == 2 and "core.v is not what its program and schedule give" in ended.error
