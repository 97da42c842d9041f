"""The command that talks to a board, or to its simulated twin."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Annotated, Any

from rich.live import Live
from typer import Argument, Option

from sylvan.model.errors import UserError

from ..console import Interrupted, complaints, console, progress_bar
from .shared import DataFolder, find_program, task_of

SIMULATED = "sim"
SEQUENCES, SIMULATED_SEQUENCES = 100, 10
PATIENT = 60.0
"""Seconds of silence that a simulated board may need."""
PORT_HELP = (
    "The board's serial port, such as /dev/ttyUSB1 or COM3; or sim: its Verilog in a simulator."
)
CSV_HELP = (
    "Send the rows of this file, or with - those of standard input as they come; by default the "
    "program's task. A column for each input; a blank row, or a column `sequence`, parts sequences."
)
BAUD_HELP = "Of the line; a build directory knows it."


def host(
    program: Annotated[
        Path,
        Argument(metavar="PROGRAM", help="The board's build directory, or the program it runs."),
    ],
    port: Annotated[str | None, Option(help=PORT_HELP)] = None,
    csv: Annotated[str | None, Option("--csv", help=CSV_HELP, metavar="FILE")] = None,
    task: Annotated[str | None, Option(help="Whose test sequences to send.")] = None,
    data: DataFolder = None,
    sequences: Annotated[
        int | None,
        Option(help="How many of the task's to send; 100 by default, 10 with sim.", min=1),
    ] = None,
    check: Annotated[
        bool, Option("--check", help="Compare every answer with the golden model's as it comes.")
    ] = False,
    baud: Annotated[int | None, Option(help=BAUD_HELP, min=1)] = None,
    simulator: Annotated[str, Option(help="With --port sim: icarus or verilator.")] = "icarus",
) -> None:
    """Send sequences to a board and get its answers: live on a terminal, as CSV into a pipe."""
    from sylvan.boards.link.client import TIMEOUT, Link
    from sylvan.boards.link.port import listed_ports

    from ..sources import STANDARD_INPUT
    from ..tally import Tally

    if port is None:
        raise UserError(
            f"which port is the board at? Say --port PORT, or --port sim. {listed_ports()}"
        )
    if csv is not None and (task is not None or sequences is not None):
        raise UserError("--csv says what to send: leave out --task and --sequences")
    if csv is not None and csv != STANDARD_INPUT and not Path(csv).is_file():
        raise UserError(f"there is no file {csv} of rows to send")
    place, loaded = find_program(program)
    split = None
    if csv is None:
        from sylvan.model.evaluate import check_fits
        from sylvan.model.tasks import Split

        found = task_of(loaded, place, data, task)
        check_fits(loaded, found)
        usual = SIMULATED_SEQUENCES if port == SIMULATED else SEQUENCES
        count = usual if sequences is None else sequences
        split = Split(found.test.inputs[:count], found.test.targets[:count])
    tally = Tally(loaded)
    say = console if console.is_terminal else complaints
    with ExitStack() as stack:
        with progress_bar() as bar:
            bar.add_task(f"opening {port}", total=None)
            name, patience = port, TIMEOUT
            if port == SIMULATED:
                from ..twins import twin

                name, patience = stack.enter_context(twin(program, simulator)), PATIENT
            link = stack.enter_context(
                Link(name, program, baud=baud, timeout=patience, check=check)
            )
        try:
            if split is None:
                _stream(link, tally, str(csv))
            else:
                _score(link, tally, found, split, say)
        except KeyboardInterrupt:
            _tell(link, tally, say)
            raise Interrupted(f"{tally.answers} answers had come") from None
        _tell(link, tally, say)
    if check:
        say.print("every answer equals the golden model's")


def _stream(link: Any, tally: Any, file: str) -> None:
    """Rows in, rows out."""
    from ..rows import Rows
    from ..sources import STANDARD_INPUT, lines_of

    typed = file == STANDARD_INPUT
    rows = Rows(link.program, "standard input" if typed else file)
    with lines_of(file, lambda: link.done) as lines:
        _show(link, tally, rows.timesteps(lines), lively=not (typed and sys.stdin.isatty()))


def _score(link: Any, tally: Any, task: Any, split: Any, say: Any) -> None:
    """A task's sequences in, rows out and a score."""
    from sylvan.boards.link.batch import Batch
    from sylvan.model.evaluate import score

    batch = Batch(link.program, split.inputs)
    _show(link, tally, batch.timesteps(link.contexts), taken=batch.take)
    found = score(link.program, task, split, batch.raw)
    say.print(f"{task.name}: {task.score_name} {found} on {len(split.inputs)} test sequences")


def _show(
    link: Any, tally: Any, timesteps: Iterable[Any], *, lively: bool = True, taken: Any = None
) -> None:
    """Send timesteps and show their answers."""

    def counted() -> Iterator[Any]:
        for timestep in timesteps:
            if timestep is not None:
                tally.sent()
            yield timestep

    live = lively and console.is_terminal
    with Live(tally, console=console, auto_refresh=live) if live else nullcontext():
        if not live:
            print(",".join(tally.header), flush=True)
        for answer in link.stream(counted()):
            row = tally.came(answer)
            if taken is not None:
                taken(answer)
            if not live:
                print(",".join(row), flush=True)


def _tell(link: Any, tally: Any, say: Any) -> None:
    """Rate and latency, beside what the line could carry."""
    from sylvan.boards.link.vectors import Identity

    answered = link.program.readout.read == "every"
    could = Identity.of(link.program).highest_rate(link.baud, answered)
    say.print(
        f"{tally.answers:,} answers to {tally.timesteps:,} timesteps, {tally.rate:,.0f} timesteps "
        f"per second; a line of {link.baud} baud carries {could:,.0f}"
    )
    say.print(f"latency from sending a timestep to its answer: {tally.latency}")
