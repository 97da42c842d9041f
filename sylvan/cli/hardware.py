"""Commands about hardware that is built: simulating it, reports, boards, and the demo of it all."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sylvan.model.errors import UserError

from ..console import console, next_step, progress_bar, quoted, working_in
from .shared import DataFolder, find_program, task_of

BuildFolder = Annotated[Path, Argument(metavar="DIR", help="What `sylvan build` wrote.")]


def demo(
    out: Annotated[Path, Option(help="Folder for everything that is made.")] = Path("runs/demo"),
) -> None:
    """Train, export, generate, simulate and place a HadamRNN and its block-diagonal twin."""
    from ..demo import run_demo

    run_demo(out)


def boards() -> None:
    """List the boards that can be built for, with what they carry."""
    from sylvan.boards.base.board import boards as known

    from ..desk import boards_table

    console.print(boards_table(known()))
    next_step("sylvan build PROGRAM --target BOARD --out DIR")


def sim(
    folder: BuildFolder,
    simulator: Annotated[str, Option(help="icarus or verilator.")] = "icarus",
    sequences: Annotated[int, Option(help="How many sequences to send.", min=1)] = 20,
    seed: Annotated[int, Option(help="Of inputs, idle cycles and stalls.", min=0)] = 0,
    task: Annotated[
        str | None, Option(help="Send this task's test sequences, not random ones.")
    ] = None,
    data: DataFolder = None,
    waves: Annotated[bool, Option(help="Write a waveform into DIR.")] = False,
) -> None:
    """Simulate a build against the golden model: every answer, every cycle count."""
    from sylvan.hw.build import check_unchanged
    from sylvan.hw.report import record_simulation
    from sylvan.sim.cosimulation import simulate
    from sylvan.sim.ports import load_ports
    from sylvan.sim.stimulus import Timesteps

    if not folder.is_dir():
        raise UserError(f"there is no build directory {folder}: `sylvan build` makes one")
    check_unchanged(folder)
    inputs = None
    if task is not None:
        place, program = find_program(folder)
        found = task_of(program, place, data, task)
        contexts = load_ports(folder).contexts
        inputs = Timesteps.of_sequences(found.test.inputs[:sequences], contexts)
    with working_in(folder), progress_bar() as bar:
        bar.add_task(f"simulating with {simulator}, seed {seed}", total=None)
        result = simulate(
            folder,
            simulator=simulator,
            sequences=sequences,
            seed=seed,
            waves=waves,
            inputs=inputs,
        )
    cycles = result.measured
    record_simulation(folder, cycles.cycles_per_step, cycles.closing_cycles, cycles.latency_cycles)
    console.print(
        f"{result.answers} answers to {result.timesteps} timesteps equal the golden model's, "
        f"{result.cycles} cycles in {result.simulator} {result.version}, seed {result.seed}"
    )
    sent = f"{sequences} sequences" if task is None else f"{sequences} sequences of {task}"
    console.print(
        f"sent: {sent}; besides them short ones, some cut off by a reset, and two runs that "
        "measure cycles"
    )
    console.print(
        f"measured as planned: {cycles.cycles_per_step} cycles a step, {cycles.closing_cycles} "
        f"when it is answered, {cycles.latency_cycles} from input to answer"
    )
    if result.requests:
        console.print(
            f"{result.requests} requests for the state: images saved equal the golden model's, "
            "what was loaded went on as it would, and faulty images were told apart"
        )
    if result.waves:
        console.print(f"waveform: {result.waves}")
    next_step(f"sylvan report {quoted(folder)}")


def report(
    folder: Annotated[Path, Argument(metavar="DIR", help="A build, or a training run.")],
    task: Annotated[
        str | None, Option(help="Whose data show what values come to; the program's by default.")
    ] = None,
    data: DataFolder = None,
) -> None:
    """Print what was built or trained, and write it as a page, report.html in DIR."""
    from ..report import print_report

    print_report(folder, lambda program: task_of(program, folder / "program", data, task))
