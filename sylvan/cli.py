"""The `sylvan` command: every stage from training to a bitstream, each with files in and out."""

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperGroup

from sylvan.model.errors import UserError

from .console import (
    Interrupted,
    console,
    next_step,
    progress_bar,
    quoted,
    run_safely,
    working_in,
)


class Commands(TyperGroup):
    """Typer would leave a command on Ctrl-C without a word."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            # Hardware that was being built would complain that it is never used.
            warnings.simplefilter("ignore")
            raise Interrupted(*stop.args) from None


app = typer.Typer(
    name="sylvan",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    help=(
        "Quantized recurrent networks as streaming adder trees: train in PyTorch, export integers, "
        "generate Verilog, simulate it against the golden model, place it on an FPGA.\n\n"
        "The whole way in one go: [bold]sylvan demo[/]. Step by step: train, export, eval, build, "
        "sim, report."
    ),
)

ProgramFolder = Annotated[
    Path, Argument(metavar="PROGRAM", help="Folder of a program, or of a run that has one.")
]
DataFolder = Annotated[
    Path | None,
    Option(envvar="SYLVAN_DATA", help="Folder of the data sets, a subfolder for each."),
]
SET_HELP = (
    "Change a setting of the config, the task or the cell by its name, such as decay=0.98, "
    "task.permuted=true or cell.bias=loop. May be given several times."
)
LANES_HELP = (
    "Elements of a vector per cycle; 8 by default. Fewer make the core smaller and slower, and "
    "change no answer."
)
CLOCK_HELP = (
    "Clock that place and route should reach, in Hz. It changes where cells are put, never the "
    "Verilog; the rate that was reached is reported either way."
)
BuildFolder = Annotated[Path, Argument(metavar="DIR", help="What `sylvan build` wrote.")]


@app.command()
def demo(
    out: Annotated[Path, Option(help="Folder for everything that is made.")] = Path("runs/demo"),
) -> None:
    """Train, export, generate, simulate and place a HadamRNN and its block-diagonal twin."""
    from .demo import run_demo

    run_demo(out)


@app.command()
def train(
    preset: Annotated[
        str | None, Option(help="A recipe by name; `sylvan presets` lists them.")
    ] = None,
    task: Annotated[str | None, Option(help="What to learn: digits, copy, mnist, ...")] = None,
    cell: Annotated[str | None, Option(help="Cell family: hadamrnn, ...")] = None,
    hidden: Annotated[int | None, Option(help="Number of hidden units.")] = None,
    block: Annotated[
        int | None, Option(help="Hadamard block, a power of two; all units by default.")
    ] = None,
    weight_bits: Annotated[int | None, Option(help="Bits of the weights.")] = None,
    epochs: Annotated[int | None, Option(help="Passes over the training data.")] = None,
    batch: Annotated[int | None, Option(help="Sequences per step.")] = None,
    rate: Annotated[float | None, Option(help="The optimizer's largest learning rate.")] = None,
    seed: Annotated[int | None, Option(help="Of weights, signs and batches.")] = None,
    length: Annotated[
        int | None, Option(help="Total length T of the copy and adding tasks' sequences.")
    ] = None,
    change: Annotated[
        list[str] | None,
        Option("--set", metavar="NAME=VALUE", help=SET_HELP),
    ] = None,
    data: DataFolder = None,
    device: Annotated[str, Option(help="Where torch computes: cpu or cuda.")] = "cpu",
    resume: Annotated[
        Path | None, Option(metavar="RUN", help="Go on with an interrupted run, as it was begun.")
    ] = None,
    out: Annotated[Path | None, Option(help="Folder of the run; runs/NAME by default.")] = None,
) -> None:
    """Train a network in PyTorch: checkpoint, metrics and curves.

    Give a --preset, a --task, or a preset and what to change of it. Ctrl-C saves the run;
    --resume goes on with it.
    """
    from sylvan.model.history import TRAINING_FILE, Epoch, unfinished
    from sylvan.model.presets import configured
    from sylvan.model.tasks import Score
    from sylvan.model.train import train as run_training

    given = {
        "task": task, "cell": cell, "hidden": hidden, "block": block, "weight_bits": weight_bits,
        "epochs": epochs, "batch": batch, "rate": rate, "seed": seed,
    }  # fmt: skip
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if length is not None:
        changes["task_options"] = {"length": length}
    if resume is not None:
        if preset or changes or change or out:
            raise UserError("--resume goes on with a run as it was begun: nothing can be changed")
        config, folder = unfinished(resume), resume
    else:
        config = configured(preset, changes, change or [])
        folder = out or Path("runs", preset or config.task)
    with progress_bar() as bar:
        text = f"training {config.cell} on {config.task}"
        row = bar.add_task(text, total=1.0)

        def show(epoch: Epoch) -> None:
            told = f"epoch {epoch.number}, loss {epoch.loss:.3g}, validation {epoch.validation}"
            bar.update(row, description=f"{text}: {told}")

        try:
            metrics = run_training(
                config, folder, show, device, data=data, resume=resume is not None,
                moved=lambda done: bar.update(row, completed=done),
            )  # fmt: skip
        except KeyboardInterrupt:
            if not (folder / TRAINING_FILE).is_file():
                raise
            again = f"sylvan train --resume {quoted(folder)}"
            again += f" --data {quoted(data)}" if data else ""
            again += f" --device {device}" if device != "cpu" else ""
            raise KeyboardInterrupt(f"`{again}` goes on from here") from None
    console.print(
        f"{metrics['score_name']} on the test split "
        f"{Score(metrics['score'], metrics['loss'], metrics['score_unit'])}, "
        f"loss {metrics['loss']:.3g}, {metrics['seconds_training']:.1f} s, seed {config.seed}"
    )
    console.print(f"checkpoint, metrics.json and curves.png are in {folder}")
    next_step(f"sylvan export {quoted(folder)} --state-bits 12")


@app.command()
def presets() -> None:
    """List the recipes that `sylvan train --preset NAME` knows."""
    from sylvan.model.presets import PRESETS

    from .report import presets_table

    console.print(presets_table(PRESETS))
    next_step("sylvan train --preset digits")


@app.command()
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
    from sylvan.model.checkpoint import WIDTHS_FILE
    from sylvan.model.export import load_trained
    from sylvan.model.widths import WIDTHS, choose, widths

    from .report import widths_table

    trained = load_trained(run, data, task)
    with progress_bar() as bar:
        row = bar.add_task("scoring integer states", total=len(WIDTHS))
        found = widths(trained, progress=lambda width: bar.advance(row))
    console.print(widths_table(found, trained.task.score_name))
    console.print(f"the same as a picture: {run / WIDTHS_FILE}")
    if tolerance is None:
        tolerance = 0.2 if found[0].test.unit == "%" else 0.01
    return choose(found, tolerance, trained.task)


import_app = typer.Typer(no_args_is_help=True, help="Make a run from other people's checkpoints.")
app.add_typer(import_app, name="import")


@import_app.command("hadamrnn")
def import_hadamrnn(
    file: Annotated[
        Path, Argument(metavar="FILE", help="A state_dict of the authors' code (.pt).")
    ],
    out: Annotated[Path, Option(help="Folder of the run that is made.")],
    bits: Annotated[int, Option(help="Bits of U and V, as they were trained.")] = 4,
    block: Annotated[
        str | None, Option(help="Hadamard block to expect: full, or its size; read from the file.")
    ] = None,
    read: Annotated[str, Option(help="When it answers: last or every.")] = "last",
    symbols: Annotated[
        bool, Option(help="Its inputs were one-hot vectors: take symbols instead.")
    ] = False,
    task: Annotated[str, Option(help="The task here that it was trained on.")] = "",
) -> None:
    """Make a run from a checkpoint of the HadamRNN authors' code, read as data only."""
    from sylvan.model.importing import FULL, import_hadamrnn

    if block is not None and block != "full" and not block.isdecimal():
        raise UserError(f"--block is full or a number, got {block!r}")
    size = None if block is None else FULL if block == "full" else int(block)
    config = import_hadamrnn(
        file, out, bits=bits, block=size, read=read, symbols=symbols, task=task
    )
    console.print(
        f"{config.hidden} units in blocks of {config.block}; checkpoint and config.json are in "
        f"{out}"
    )
    next_step(f"sylvan export {quoted(out)}" + ("" if task else " --task NAME"))


@app.command("eval")
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


@app.command()
def build(
    program: ProgramFolder,
    target: Annotated[str, Option(help="verilog, ice40-up5k, ice40-hx8k, ecp5-25f, -45f or -85f.")],
    out: Annotated[Path, Option(help="Folder for Verilog, plan, report and bitstream.")],
    lanes: Annotated[int | None, Option(help=LANES_HELP)] = None,
    clock: Annotated[float | None, Option(help=CLOCK_HELP)] = None,
) -> None:
    """Generate Verilog and, for a part, synthesize, place and route it."""
    from sylvan.hw.build import build as run_build
    from sylvan.hw.plan import schedule_for
    from sylvan.hw.targets import target as find_target

    from .report import bitstream, build_table

    part = find_target(target)
    if clock is not None and not 0 < clock < float("inf"):
        raise UserError(f"the clock must be a rate above 0 in Hz, got {clock}")
    _, loaded = find_program(program)
    schedule = schedule_for(loaded, lanes)
    with working_in(out), progress_bar() as bar:
        row = bar.add_task(f"building for {part.name}", total=None)
        report = run_build(
            loaded,
            schedule,
            part,
            out,
            clock_hz=clock,
            progress=lambda text: bar.update(row, description=text),
        )
    console.print(build_table({out.name: report}))
    console.print(f"core.v, ports.json, plan.json and report.json are in {out}")
    if (packed := bitstream(out)) is not None:
        console.print(f"bitstream, the best of its placements: {packed}")
    next_step(f"sylvan sim {quoted(out)} --simulator icarus")


@app.command()
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
    from sylvan.sim.stimulus import Timesteps

    if not folder.is_dir():
        raise UserError(f"there is no build directory {folder}: `sylvan build` makes one")
    check_unchanged(folder)
    inputs = None
    if task is not None:
        place, program = find_program(folder)
        found = task_of(program, place, data, task)
        inputs = Timesteps.of_sequences(found.test.inputs[:sequences])
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
    if result.waves:
        console.print(f"waveform: {result.waves}")
    next_step(f"sylvan report {quoted(folder)}")


@app.command()
def report(
    folder: Annotated[Path, Argument(metavar="DIR", help="A build, or a training run.")],
) -> None:
    """Print what was built or trained, for people."""
    from .report import print_report

    print_report(folder)


def build_command(program: Path, beside: Path) -> str:
    """The build to try next: the smallest part that every preset fits with the default lanes."""
    return f"sylvan build {quoted(program)} --target ecp5-25f --out {quoted(beside / 'ecp5-25f')}"


def find_program(folder: Path) -> tuple[Path, Any]:
    """A program and its folder, given that folder or the run that it lies in."""
    from sylvan.model.storage import load

    if not (folder / "program.json").exists() and (folder / "program").is_dir():
        folder = folder / "program"
    return folder, load(folder)


def task_of(program: Any, folder: Path, data: Path | None, named: str | None = None) -> Any:
    """The task that is `named`, or that a program was trained on, by its metadata.

    Trained on the task that is named, it keeps the options that it was trained with.
    """
    from sylvan.model.tasks import load_task

    trained = program.metadata.get("task")
    name = named or trained
    if not isinstance(name, str):
        raise UserError(f"{folder} does not say what task it is for: name one with --task")
    options = program.metadata.get("task_options", {}) if name == trained else {}
    return load_task(name, data=data, **(options if isinstance(options, dict) else {}))


def main() -> None:
    """The command as a process."""
    run_safely(app)
