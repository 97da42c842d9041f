"""The command as a user meets it: the whole way on a small network; a mistake is a sentence."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from sylvan.hw import build as hw_build
from sylvan.hw.synthesis import DoesNotFit
from sylvan.hw.targets import target
from sylvan.model.builder import Builder
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput
from sylvan.model.storage import save

from sylvan import cli, console
from sylvan.report import after_build, after_training


@dataclass
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    error: str


Sylvan = Callable[..., Outcome]


@pytest.fixture(name="sylvan")
def _sylvan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sylvan:
    """Runs a command in this process, on a wide console so that no sentence is wrapped."""
    for wide in (console.console, console.complaints):
        monkeypatch.setattr(wide, "_width", 500)

    def run(*arguments: object) -> Outcome:
        code = 0
        try:
            console.run_safely(lambda: cli.app([str(a) for a in arguments]))
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Outcome(code, said.out, said.err)

    return run


@pytest.fixture(name="trained", scope="module")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small run with its program, made by the commands themselves."""
    folder = tmp_path_factory.mktemp("small") / "run"
    small = ["--preset", "digits", "--hidden", "16", "--epochs", "1", "--out", str(folder)]
    for command in (["train", *small], ["export", str(folder), "--state-bits", "10"]):
        with pytest.raises(SystemExit) as ended:
            cli.app(command)
        assert ended.value.code == 0
    yield folder


@pytest.fixture(name="run")
def _run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the small run, to be spoilt."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_the_whole_way(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    scored = sylvan("eval", run)
    assert scored.code == 0 and "accuracy" in scored.out and "360 test sequences" in scored.out
    built = tmp_path / "built"
    made = sylvan("build", run, "--target", "verilog", "--lanes", 4, "--out", built)
    assert made.code == 0 and f"sylvan sim {built}" in made.out
    assert {path.name for path in built.iterdir()} >= {"core.v", "ports.json", "plan.json"}
    simulated = sylvan("sim", built, "--task", "digits", "--sequences", 2, "--seed", 3)
    assert simulated.code == 0 and "equal the golden model's" in simulated.out
    report = json.loads((built / "report.json").read_text())
    plan = json.loads((built / "plan.json").read_text())
    assert report["measured"]["cycles_per_step"] == plan["cycles"]["cycles_per_step"]
    assert report["measured"]["luts"] is None
    assert "sent: 2 sequences of digits; besides them short ones" in simulated.out
    shown = sylvan("report", built)
    assert shown.code == 0 and "cycles a step" in shown.out
    assert f"sylvan build {built}/program --target ecp5-25f --lanes 4 --out" in shown.out
    told = sylvan("report", run).out
    assert "integer, 10-bit state" in told and f"sylvan build {run} --target ecp5-25f" in told
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"{metrics['integer']['10']['score']:.2f} %" in scored.out


def test_the_width_may_be_chosen(sylvan: Sylvan, run: Path) -> None:
    ended = sylvan("export", run, "--state-bits", "auto", "--tolerance", 3)
    assert ended.code == 0 and "16 bits" in ended.out and "widths.png" in ended.out
    bits = json.loads((run / "program" / "program.json").read_text())["metadata"]["state_bits"]
    assert f"integer with {bits}-bit state" in ended.out and 6 <= bits < 16
    for wrong in (["--state-bits", "many"], ["--state-bits", 12, "--tolerance", 1]):
        assert sylvan("export", run, *wrong).code == 2


def test_what_was_not_interrupted_does_not_go_on(sylvan: Sylvan, run: Path) -> None:
    ended = sylvan("train", "--resume", run)
    assert ended.code == 2 and "has no interrupted training to go on with" in ended.error
    changed = sylvan("train", "--resume", run, "--epochs", 3)
    assert changed.code == 2 and "nothing can be changed" in changed.error


def test_recipes_are_listed(sylvan: Sylvan) -> None:
    listed = sylvan("presets")
    assert listed.code == 0 and "digits-block" in listed.out and "copy-100" in listed.out


def test_a_foreign_checkpoint_becomes_a_run(sylvan: Sylvan, tmp_path: Path) -> None:
    (tmp_path / "theirs.pt").write_bytes(b"not theirs")
    ended = sylvan("import", "hadamrnn", tmp_path / "theirs.pt", "--out", tmp_path / "run")
    assert ended.code == 2 and "is no file of tensors alone" in ended.error
    odd = sylvan("import", "hadamrnn", tmp_path / "x", "--out", tmp_path / "run", "--block", "half")
    assert odd.code == 2 and "--block is full or a number, got 'half'" in odd.error


def test_every_command_teaches(sylvan: Sylvan) -> None:
    for command in ("demo", "train", "export", "eval", "build", "sim", "report"):
        told = sylvan(command, "--help")
        assert told.code == 0 and "Usage:" in told.out


def changed_weight(run: Path) -> None:
    path = run / "program" / "weights.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["product.matrix.weights"] = -arrays["product.matrix.weights"]
    np.savez_compressed(path, **arrays)


def truncated_checkpoint(run: Path) -> None:
    path = run / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100])


def weights_of_nan(run: Path) -> None:
    from safetensors import safe_open

    path = run / "checkpoint.safetensors"
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    tensors["output_bias"][0] = float("nan")
    save_file(tensors, path, header)


def other_version(run: Path) -> None:
    path = run / "program" / "program.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 99'))


def no_weights(run: Path) -> None:
    (run / "program" / "weights.npz").unlink()


def spoil_task_options(**options: object) -> Callable[[Path], None]:
    """The metadata is outside the hash: anybody may have written it."""

    def spoil(run: Path) -> None:
        path = run / "program" / "program.json"
        tree = json.loads(path.read_text())
        tree["metadata"] |= {"task": "copy", "task_options": options}
        path.write_text(json.dumps(tree))

    return spoil


def deep_config(run: Path) -> None:
    (run / "config.json").write_text("[" * 200_000)


def infinite_report(run: Path) -> None:
    (run / "report.json").write_text('{"measured": {"luts": 1e999}}')


MISTAKES = [
    (infinite_report, "report {run}", "report.json is not JSON: 1e999 is no finite number"),
    (spoil_task_options(name=1), "eval {run}", "task copy has no option 'name'"),
    (spoil_task_options(length=10**13), "eval {run}", "not enough memory"),
    # Named, the task that it was trained on keeps its options.
    (spoil_task_options(length=19), "eval {run} --task copy", "a length of at least 20, got 19"),
    (deep_config, "export {run}", "config.json cannot be read"),
    (None, "train --preset digits --device quantum --out {out}", "the device 'quantum'"),
    (None, "build {run} --target verilog --clock nan --out {out}", "above 0 in Hz, got nan"),
    (None, "build {run} --target ecp5-25f --clock -5 --out {out}", "above 0 in Hz, got -5"),
    (None, "train", "say what to train"),
    (None, "train --preset digit", "there is no preset 'digit', did you mean 'digits'?"),
    (None, "train --task digits --cell hadamrn", "there is no cell 'hadamrn', did you mean"),
    (None, "train --preset digits --block 3 --out {out}", "block"),
    (None, "export {out}", "config.json is missing there"),
    (None, "eval {out}", "program.json is missing there"),
    (None, "export {run} --state-bits 99", "state bits must lie in 2..32, got 99"),
    (None, "eval {run} --task copy", "the program does not fit the task copy"),
    (None, "build {run} --target ice40 --out {out}", "ice40"),
    (None, "build {run} --target verilog --lanes 0 --out {out}", "at least 1, got 0"),
    (None, "build {run} --target verilog --lanes 99 --out {out}", "use 1 to 16"),
    (None, "build {run} --target verilog --lanes 3 --out {out}", "one must divide the other"),
    (None, "sim {out}", "there is no build directory"),
    (None, "sim {run}", "is no build directory: it has no plan.json. `sylvan build` makes one"),
    (None, "report {out}", "neither report.json nor metrics.json"),
    (changed_weight, "eval {run}", "was changed after it was written"),
    (truncated_checkpoint, "export {run}", "it may be cut short"),
    (weights_of_nan, "export {run}", "output_bias holds NaN or infinite weights"),
    (other_version, "eval {run}", "has version 99, this Sylvan reads version 1"),
    (no_weights, "build {run} --target verilog --out {out}", "weights.npz is missing there"),
]


@pytest.mark.parametrize(("spoil", "command", "sentence"), MISTAKES)
def test_a_mistake_is_a_sentence(
    sylvan: Sylvan,
    run: Path,
    tmp_path: Path,
    spoil: Callable[[Path], None] | None,
    command: str,
    sentence: str,
) -> None:
    if spoil is not None:
        spoil(run)
    out = tmp_path / "out"
    ended = sylvan(*command.format(run=run, out=out).split())
    assert ended.code == 2
    assert sentence in ended.error
    assert not out.exists()


def test_an_operation_without_hardware_is_refused_by_name(sylvan: Sylvan, tmp_path: Path) -> None:
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


def test_a_pipe_gets_whole_lines(run: Path, tmp_path: Path) -> None:
    """Paths and commands are to be copied from there, with spaces in them as well."""
    place = tmp_path / ("a long folder " * 8).strip() / "run"
    shutil.copytree(run, place)
    command = [sys.executable, "-m", "sylvan", "report", str(place)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"\n  sylvan eval '{place}'\n" in told
    command[3:] = ["eval", str(place / "nowhere")]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert told == f"error: {place}/nowhere is no program: program.json is missing there\n"


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


@pytest.mark.parametrize("name", ["[bold]", "[/odd]", "[train]"])
def test_brackets_of_a_message_are_its_own(sylvan: Sylvan, tmp_path: Path, name: str) -> None:
    ended = sylvan("eval", tmp_path / name)
    assert ended.code == 2 and f"{tmp_path / name} is no program" in ended.error


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


def test_the_demo_deletes_nothing_but_its_own(tmp_path: Path) -> None:
    from sylvan.demo import clear

    (tmp_path / "dense" / "old").mkdir(parents=True)
    (tmp_path / "summary.json").write_text("{}")
    (tmp_path / "thesis").write_text("precious")
    clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]


def test_verilog_from_elsewhere_is_not_run(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    assert sylvan("build", run, "--target", "verilog", "--lanes", 1, "--out", out).code == 0
    core = out / "core.v"
    core.write_text(core.read_text() + '\nmodule extra; initial $system("true"); endmodule\n')
    ended = sylvan("sim", out)
    assert ended.code == 2 and "core.v is not what its program and schedule give" in ended.error
