"""The page of one build: what it computes, when, at what cost, and what that is good for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sylvan.hw.build import MODULE
from sylvan.hw.report import Report, load_report
from sylvan.hw.schedule import Schedule
from sylvan.model.errors import UserError
from sylvan.model.program import Program
from sylvan.model.tasks import Task

from .built import Built
from .dataflow import dataflow
from .figures import figures_table
from .intervals import intervals
from .page import Html, Section, element, joined, page
from .resources import critical_path, memories, resources
from .scores import by_state_bits, curves, load_metrics
from .svg import arrows
from .timeline import timeline
from .wording import power

STYLES = ("drawing.css",)
LEGEND = (
    "An edge says how many elements a value has and in what format: "
    f"s12·{power(-4)} is signed, 12 bits wide, and its 1 stands for {power(-4)}. "
    "The bar of a box is its share of all LUTs. Point at a box or at a format for the rest."
)
TIMES = (
    "Cycles from the beginning of a step. Pale, a part waits for what it makes; then its vector "
    "passes; green, what is kept or handed on is written; purple, the step is answered."
)


def build_page(folder: Path, find_task: Callable[[Program], Task]) -> bytes:
    """The page of a build directory. `find_task` finds the task of its program.

    What cannot be shown is left out, with a sentence that says why.

    Raises UserError if there is no report, or it is damaged.
    """
    report = load_report(folder / "report.json")
    sections = [Section("Figures", figures_table(report))]
    try:
        built = Built.load(folder)
    except UserError as error:
        sections.append(Section("The build", element("p", str(error))))
        return page(f"Build {folder.name}", _lead(report, None), sections, styles=STYLES)
    path = section("Critical path", lambda: critical_path(built))
    if built.microprogram:
        sections += [Section("Microprogram", built.microprogram.draw()), path]
    else:
        sections += [
            section("Dataflow", lambda: _dataflows(built)),
            section("Timeline of a step", lambda: _timelines(built)),
            section("Resources", lambda: resources(built)),
            path,
            section("Memories", lambda: memories(built)),
        ]
    sections += [
        section(
            "Intervals and what was seen of them",
            lambda: intervals(built.program, find_task(built.program)),
        ),
        *_training(built),
    ]
    return page(f"Build {folder.name}", _lead(report, built.program), sections, styles=STYLES)


def section(title: str, make: Callable[[], Html]) -> Section:
    """A section, or in its place why there is none."""
    try:
        return Section(title, make())
    except UserError as error:
        said = str(error)
    except ModuleNotFoundError as error:
        said = f"This needs the library {error.name}, which is not installed."
    return Section(title, element("p", said, class_="quiet"))


def _lead(report: Report, program: Program | None) -> list[Html]:
    schedule = Schedule.from_keys(report["schedule"])
    measured, estimate = report["measured"], report["estimate"]
    told = [f"{_named(program.metadata if program else {})}, for {report['target']}: {schedule}."]
    cycles, planned = measured["cycles_per_step"], estimate["cycles_per_step"]
    said = [f"{cycles:,} cycles a step"] if cycles else []
    if not cycles and planned:
        cycles, said = planned, [f"{planned:,} cycles a step as planned"]
    if (luts := measured["luts"]) is not None:
        said.append(f"{luts:,} LUTs")
    if (rate := measured["fmax_mhz"]) is not None:
        said.append(f"{rate:.1f} MHz")
        if cycles:
            said.append(f"{rate * 1e6 / cycles:,.0f} steps per second")
    told.append(f"{', '.join(said)}." if said else "Nothing is known of its figures.")
    tools = ", ".join(f"{name} {version}" for name, version in report["tool_versions"].items())
    quiet = f"Program {report['program_sha256'][:16]}; tools: {tools or 'none'}."
    return [*(joined(sentence) for sentence in told), element("span", quiet, class_="quiet")]


def _named(metadata: dict[str, Any]) -> str:
    """What the program's maker says of it, as far as it is text and numbers."""
    cell, task, score = (metadata.get(key) for key in ("cell", "task", "score"))
    said = cell if isinstance(cell, str) else "A program"
    said += f" on {task}" if isinstance(task, str) else ""
    if isinstance(score, int | float) and isinstance(metadata.get("score_name"), str):
        said += f", {metadata['score_name']} {score:.4g}"
    return said


def _dataflows(built: Built) -> Html:
    program, whole = built.program, built.modules.get(MODULE, {}).get("luts", 0)
    pieces = [arrows(), element("p", LEGEND, class_="quiet")]
    source = "the input of a timestep"
    for k, (layer, told) in enumerate(zip(program.layers, built.layers, strict=True)):
        last = k == len(program.layers) - 1
        goes = "to the readout" if last else f"to layer {program.layers[k + 1].name}"
        label = f"Layer {layer.name}: a step"
        pieces.append(element("h3", label))
        parts = [*told.step.parts, *told.memories]
        pieces.append(dataflow(layer, source, goes, parts, whole, label))
        source = f"from layer {layer.name}"
    readout = built.layers[-1].readout
    label = f"Readout of {'every' if program.readout.read == 'every' else 'the last'} step"
    label += f": its cycle 0 is cycle {readout.offset:,} of the step" if readout else ""
    parts = [*readout.parts] if readout else []
    pieces.append(element("h3", label))
    pieces.append(dataflow(program.readout, source, "the answer", parts, whole, label))
    return joined(*pieces)


def _timelines(built: Built) -> Html:
    pieces = [element("p", TIMES, class_="quiet")]
    for layer in built.layers:
        if len(built.layers) > 1:
            pieces.append(element("h3", f"Layer {layer.name}"))
        pieces.append(timeline(built, layer))
    return joined(*pieces)


def _training(built: Built) -> list[Section]:
    """Of the run that the program is from, where the build knows it and it is still there."""
    told = built.program.metadata
    if not isinstance(told.get("run"), str):
        said = "The program does not say which run it is from: build from the run's own folder."
        return [Section("Training", element("p", said, class_="quiet"))]
    run = built.folder / told["run"]

    def scores() -> Html:
        metrics = load_metrics(run)
        if any(metrics.get(key) != told.get(key) for key in ("task", "cell", "seed")):
            raise UserError(f"{run} now holds another training than the program is from.")
        return by_state_bits(metrics)

    return [
        section("Scores by bits of the state", scores),
        section("Learning curves", lambda: curves(run)),
    ]
