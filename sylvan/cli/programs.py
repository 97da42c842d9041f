"""Commands about programs: exporting one from a run, and scoring one."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sylvan.model.errors import UserError

from ..console import console, next_step, progress_bar, quoted
from .shared import DataFolder, ProgramFolder, build_command, find_program, task_of


def export(
    run: Annotated[Path, Argument(metavar="RUN", help="Folder of a training run.")],
    state_bits: Annotated[
        str,
        Option(help="Bits of the recurrent state, or auto: the fewest that cost nearly nothing."),
    ] = "12",
    tolerance: Annotated[
        float | None,
        Option(
            help="What fewer bits may cost of the validation score with auto: 0.2 % by default, "
            "0.01 bits per character."
        ),
    ] = None,
    argmax: Annotated[bool, Option(help="Answer the label instead of the logits.")] = False,
    task: Annotated[
        str | None, Option(help="What to calibrate and score on; the run's task by default.")
    ] = None,
    data: DataFolder = None,
    out: Annotated[
        Path | None, Option(help="Folder of the program; RUN/program by default.")
    ] = None,
) -> None:
    """Turn a trained run into an integer program, and score both.

    With --state-bits auto, every width from 6 to 16 bits is scored, in a table and a plot.
    """
    from sylvan.model.export import export as run_export

    auto = state_bits == "auto"
    if not auto and not state_bits.isdecimal():
        raise UserError(f"--state-bits is a number of bits or auto, got {state_bits!r}")
    if tolerance is not None and not (auto and tolerance >= 0):
        raise UserError("--tolerance is a score of at least 0, and goes with --state-bits auto")
    bits = _fewest_bits(run, tolerance, task, data) if auto else int(state_bits)
    made = run_export(run, bits, out, argmax=argmax, data=data, task=task)
    console.print(
        f"{made.score_name}: float {made.float_score}, "
        f"integer with {bits}-bit state {made.integer_score}"
    )
    console.print(f"program.json and weights.npz are in {made.folder}")
    next_step(
        f"sylvan eval {quoted(made.folder)}",
        build_command(made.folder, run),
    )


def _fewest_bits(run: Path, tolerance: float | None, task: str | None, data: Path | None) -> int:
    from sylvan.model.config import WIDTHS_FILE
    from sylvan.model.export import load_trained
    from sylvan.model.widths import WIDTHS, choose, widths

    from ..report import widths_table

    trained = load_trained(run, data, task)
    with progress_bar() as bar:
        row = bar.add_task("scoring integer states", total=len(WIDTHS))
        found = widths(trained, progress=lambda width: bar.advance(row))
    console.print(widths_table(found, trained.task.score_name))
    console.print(f"the same as a picture: {run / WIDTHS_FILE}")
    if tolerance is None:
        tolerance = 0.2 if found[0].test.unit == "%" else 0.01
    return choose(found, tolerance, trained.task)


def evaluate(
    program: ProgramFolder,
    task: Annotated[str | None, Option(help="The task; that it was trained on by default.")] = None,
    data: DataFolder = None,
) -> None:
    """Score a program with the golden model, exactly as the hardware will answer."""
    from sylvan.model import evaluate as golden

    folder, loaded = find_program(program)
    found = task_of(loaded, folder, data, task)
    score = golden.evaluate(loaded, found, found.test)
    loss = f", loss {score.loss:.3g}" if score.loss == score.loss else ""
    sequences = len(found.test.inputs)
    console.print(f"{found.name}: {found.score_name} {score}{loss} on {sequences} test sequences")
    next_step(build_command(folder, folder.parent))
