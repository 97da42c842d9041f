"""Whatever a user gets wrong, and whatever a file holds: a sentence, and nothing is written."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Sylvan
from safetensors.torch import load_file, save_file


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
    (None, "train --preset digits --device meta --out {out}", "the device 'meta'"),
    (None, "train --preset digits --device hpu --out {out}", "the device 'hpu'"),
    (None, "build {run} --target verilog --clock nan --out {out}", "or 2M, got nan"),
    (None, "build {run} --target ecp5-25f --clock -5 --out {out}", "or 2M, got -5"),
    (None, "build {run} --target ecp5-25f --rate 16q --out {out}", "above 0 in Hz, such as 16000"),
    (None, "build {run} --target ecp5-25f --rate inf --out {out}", "or 2M, got inf"),
    (
        None,
        "build {run} --target ecp5-25f --rate 1k --levels 1 --out {out}",
        "leave out --levels, or --rate",
    ),
    (None, "build {run} --target ecp5-25f --timesteps 9 --out {out}", "what --rate counts: give"),
    (
        None,
        "build {run} --target ecp5-25f --rate 1k --timesteps 0 --out {out}",
        "at least 1 timestep, got 0",
    ),
    (None, "build {run} --target verilog --rate 1k --out {out}", "target verilog has no part"),
    (None, "build {run} --target ecp5-85f --rate 1e9 --clock 9M --out {out}", "No larger part"),
    (
        None,
        "build {run} --target ecp5-25f --rate 1k --contexts 0 --out {out}",
        "contexts must be an integer of at least 1, got 0",
    ),
    (None, "plan {run} --target ecp5-25f --contexts 0 --out {out}", "of at least 1, got 0"),
    (None, "plan {run} --target verilog --out {out}", "target verilog has no part"),
    (None, "plan {run} --target ecp5-25f --clock 0 --out {out}", "or 2M, got 0"),
    (None, "train", "say what to train"),
    (None, "presets digit", "there is no preset 'digit', did you mean 'digits'?"),
    (None, "train --preset digit", "there is no preset 'digit', did you mean 'digits'?"),
    (None, "train --task digits --cell hadamrn", "there is no cell 'hadamrn', did you mean"),
    (None, "train --preset digits --set cell.dropout=abc --out {out}", "dropout must be a number"),
    (None, "train --preset digits --block 3 --out {out}", "block"),
    (None, "export {out}", "config.json is missing there"),
    (None, "eval {out}", "program.json is missing there"),
    (None, "export {run} --state-bits 99", "state bits must lie in 2..32, got 99"),
    (None, "eval {run} --task copy", "the program does not fit the task copy"),
    (None, "build {run} --target ice40 --out {out}", "ice40"),
    (None, "build {run} --target verilog --lanes 0 --out {out}", "at least 1, got 0"),
    (None, "build {run} --target verilog --lanes 99 --out {out}", "use 1 to 16"),
    (None, "build {run} --target verilog --lanes 3 --out {out}", "one must divide the other"),
    (
        None,
        "build {run} --target verilog --digit 0 --out {out}",
        "a digit has at least 1 bit, got 0",
    ),
    (None, "build {run} --target verilog --levels 0 --out {out}", "at least 1, got 0"),
    (None, "plan {run} --target ecp5-25f --clock 12", "a clock of 12 Hz runs no core: 12M is 12"),
    (None, "build {run} --target verilog --digit 99 --out {out}", "or whole words"),
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


@pytest.mark.parametrize("name", ["[bold]", "[/odd]", "[train]"])
def test_brackets_of_a_message_are_its_own(sylvan: Sylvan, tmp_path: Path, name: str) -> None:
    ended = sylvan("eval", tmp_path / name)
    assert ended.code == 2 and f"{tmp_path / name} is no program" in ended.error
