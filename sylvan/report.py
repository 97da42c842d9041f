"""Reports for people: tables of what was trained, built and measured."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from sylvan.hw.flow import KITS
from sylvan.hw.targets import TARGETS
from sylvan.model.config import CHECKPOINT_FILE, METRICS_FILE, PAGE_FILE, TRAINING_FILE, Config
from sylvan.model.errors import UserError
from sylvan.model.files import parse_json, write_whole
from sylvan.model.program import Program
from sylvan.model.tasks import Task, data_set

from .console import console, next_step, quoted
from .pages.figures import QUALITY, ROWS


def shown(value: Any, form: str) -> str:
    """A figure, or a dash for one that is not known."""
    return "-" if value is None else form.format(value)


def build_table(reports: Mapping[str, Mapping[str, Any]]) -> Table:
    """Builds side by side: measured figures, the estimate beside each."""
    table = Table(title="measured (estimate)", title_justify="left")
    table.add_column("")
    for name, report in reports.items():
        table.add_column(f"{name}\n{report['target']}{_unplaced(report)}", justify="right")
    for label, key, form in ROWS:
        cells = []
        for report in reports.values():
            measured, estimate = report["measured"][key], report["estimate"][key]
            cells.append(f"{shown(measured, form)} ({shown(estimate, form)})")
        table.add_row(label, *cells)
    for label, key, form in QUALITY:
        table.add_row(label, *(shown(report[key], form) for report in reports.values()))
    return table


def _unplaced(report: Mapping[str, Any]) -> str:
    """A line for figures that are those of synthesis: place and route would still change them."""
    part = TARGETS.get(report["target"])
    if part is None:
        from sylvan.boards.base.board import boards

        if board := boards().get(report["target"]):
            part = board.target
    return "\nsynthesis only, not placed" if part and part.mapped and not part.placed else ""


def print_report(folder: Path, find_task: Callable[[Program], Task]) -> None:
    """Print the report of a build directory or of a training run, and write its page there.

    A run may be finished, interrupted, or imported; it is said which. `find_task` finds the task of
    a program.

    Raises UserError if the folder is neither.
    """
    if (folder / "report.json").is_file():
        from sylvan.hw.report import load_report
        from sylvan.sim.ports import load_ports

        from .pages.build import build_page

        report = load_report(folder / "report.json")
        console.print(build_table({folder.name: report}))
        tools = ", ".join(f"{name} {version}" for name, version in report["tool_versions"].items())
        console.print(f"program {report['program_sha256'][:16]}, tools: {tools or 'none'}")
        if (packed := bitstream(folder)) is not None:
            console.print(f"bitstream: {packed}")
        port = report["schedule"]["state_port"]
        if port and (image := load_ports(folder).state) is not None:
            words = f"{image.transfers} transfers of {image.data_bits} bits"
            console.print(f"state port: an image of the state takes {words}")
        _write(folder, build_page(folder, find_task))
        next_step(*after_build(folder, report))
    elif any((folder / name).is_file() for name in (METRICS_FILE, TRAINING_FILE, CHECKPOINT_FILE)):
        _print_run(folder)
    else:
        raise UserError(
            f"{folder} has neither report.json nor metrics.json: give a folder that `sylvan build` "
            "or `sylvan train` wrote"
        )


def _write(folder: Path, content: bytes) -> None:
    write_whole(folder / PAGE_FILE, content)
    console.print(f"the same with pictures, for a browser: {folder / PAGE_FILE}")


def _print_run(folder: Path) -> None:
    """Scores, if there are any; where there are none, what the folder holds instead."""
    from .pages.run import run_page

    scored = (folder / METRICS_FILE).is_file()
    if scored:
        console.print(_run_table(folder))
    _write(folder, run_page(folder))
    if (folder / TRAINING_FILE).is_file():
        from sylvan.model.history import unfinished

        config, epochs = unfinished(folder)
        console.print(
            f"{folder} holds a training that was interrupted: {config.cell} on {config.task}, "
            f"{epochs} of {config.epochs} epochs finished"
        )
        next_step(resumption(folder, config))
    elif scored:
        next_step(*after_training(folder))
    else:
        from sylvan.model.checkpoint import load_checkpoint

        _, config = load_checkpoint(folder)
        console.print(
            f"{folder} holds a network without scores, imported or of a training that stopped: "
            f"{config.cell} of {config.hidden} units"
            + (f" for the task {config.task}" if config.task else ", its task not named")
        )
        next_step(*after_training(folder, named=bool(config.task)))


def bitstream(folder: Path) -> Path | None:
    """The bitstream in a build directory, if the target has a part."""
    names = [f"{module}.{kit.bitstream}" for module in ("core", "top") for kit in KITS.values()]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def knobs(schedule: Mapping[str, Any]) -> str:
    """A report's schedule as options of `sylvan build`."""
    if schedule["microcode"]:
        return "--microcode"
    said = f"--lanes {schedule['lanes']}"
    if not schedule["words"]:
        said += f" --digit {schedule['digit']}"
    for knob in ("levels", "contexts"):
        if schedule[knob] > 1:
            said += f" --{knob} {schedule[knob]}"
    for flag in ("logic_roms", "dsps", "state_port"):
        said += f" --{flag.replace('_', '-')}" * schedule[flag]
    return said


def after_build(folder: Path, report: Mapping[str, Any]) -> list[str]:
    """What to try next: simulate, then place, then another schedule or a look inside."""
    schedule, program = report["schedule"], quoted(folder / "program")
    if report["measured"]["cycles_per_step"] is None:
        return [f"sylvan sim {quoted(folder)}    (measures the cycles)"]
    if report["measured"]["luts"] is None:
        out = quoted(folder.parent / "ecp5-25f")
        return [f"sylvan build {program} --target ecp5-25f {knobs(schedule)} --out {out}"]
    if schedule["lanes"] != 1:
        target, out = report["target"], quoted(folder.with_name(f"{folder.name}-1-lane"))
        fewer = knobs({**schedule, "lanes": 1, "levels": 1})
        return [f"sylvan build {program} --target {target} {fewer} --out {out}    (smaller)"]
    return [f"sylvan sim {quoted(folder)} --waves    (writes a waveform)"]


def resumption(folder: Path, config: Config) -> str:
    """The command that goes on with an interrupted training."""
    data = " --data FOLDER" if data_set(config.task) else ""
    return f"sylvan train --resume {quoted(folder)}{data}"


def after_training(folder: Path, named: bool = True) -> list[str]:
    """What to try next: export, for a task to name if the run names none; then score and build."""
    if not (folder / "program" / "program.json").is_file():
        task = "" if named else " --task NAME"
        return [f"sylvan export {quoted(folder)} --state-bits 12{task}"]
    out = quoted(folder / "ecp5-25f")
    return [
        f"sylvan eval {quoted(folder)}",
        f"sylvan build {quoted(folder)} --target ecp5-25f --out {out}",
    ]


def _run_table(folder: Path) -> Table:
    path = folder / METRICS_FILE
    try:
        metrics = parse_json(path.read_text())
        table = Table(title=f"{metrics['cell']} on {metrics['task']}", title_justify="left")
        table.add_column("")
        unit = metrics["score_unit"]
        name = f"{metrics['score_name']}{unit and f', {unit}'}"
        table.add_column(name, justify="right")
        table.add_column("loss", justify="right")
        form = "{:.2f}" if unit == "%" else "{:.4g}"
        table.add_row("float", form.format(metrics["score"]), f"{metrics['loss']:.3g}")
        for bits, score in sorted(metrics["integer"].items(), key=lambda item: int(item[0])):
            loss = shown(score["loss"], "{:.3g}")
            table.add_row(f"integer, {bits}-bit state", form.format(score["score"]), loss)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no metrics file: {error!r}") from None
    return table


def widths_table(widths: Sequence[Any], score_name: str) -> Table:
    """Scores by bits of the state; the float model's first."""
    table = Table(title=f"{score_name} and loss by bits of the state", title_justify="left")
    table.add_column("")
    for title in ("validation", "test", "test loss"):
        table.add_column(title, justify="right")
    for width in widths:
        name = "float" if width.bits is None else f"{width.bits} bits"
        table.add_row(name, str(width.validation), str(width.test), f"{width.test.loss:.3g}")
    return table
