"""Commands that make runs: training one, its recipes, and importing one."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from sylvan.model.cells import cell_names
from sylvan.model.errors import UserError
from sylvan.model.tasks import task_names

from ..console import console, next_step, progress_bar, quoted
from .shared import DataFolder

SET_HELP = (
    "Change a setting of the config, the task or the cell by its name, such as decay=0.98, "
    "task.permuted=true or cell.bias=loop. May be given several times."
)


def train(
    preset: Annotated[
        str | None, Option(help="A recipe by name; `sylvan presets` lists them.")
    ] = None,
    task: Annotated[str | None, Option(help=f"What to learn: {', '.join(task_names())}.")] = None,
    cell: Annotated[str | None, Option(help=f"Cell family: {', '.join(cell_names())}.")] = None,
    hidden: Annotated[int | None, Option(help="Number of hidden units, of each layer.")] = None,
    layers: Annotated[int | None, Option(help="Layers, one above the other.")] = None,
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
    from sylvan.model.config import TRAINING_FILE
    from sylvan.model.history import Epoch, unfinished
    from sylvan.model.presets import configured
    from sylvan.model.tasks import Score
    from sylvan.model.train import train as run_training

    given = {
        "task": task, "cell": cell, "hidden": hidden, "layers": layers, "block": block,
        "weight_bits": weight_bits, "epochs": epochs, "batch": batch, "rate": rate, "seed": seed,
    }  # fmt: skip
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if length is not None:
        changes["task_options"] = {"length": length}
    if resume is not None:
        if preset or changes or change or out:
            raise UserError("--resume goes on with a run as it was begun: nothing can be changed")
        (config, _), folder = unfinished(resume), resume
    else:
        config = configured(preset, changes, change or [])
        folder = out or Path("runs", preset or config.task)
    with progress_bar() as bar:
        text = f"training {config.cell} on {config.task}"
        row = bar.add_task(text, total=1.0)

        def show(epoch: Epoch) -> None:
            judge = "validation (trained on)" if config.refit else "validation"
            told = f"epoch {epoch.number}, loss {epoch.loss:.3g}, {judge} {epoch.validation}"
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


def presets(
    name: Annotated[
        str | None, Argument(metavar="NAME", help="Show all that this recipe settles.")
    ] = None,
) -> None:
    """List the recipes that `sylvan train --preset NAME` knows, or all settings of one.

    Each setting is written as `sylvan train --set` takes it, to be changed there.
    """
    from sylvan.model.presets import PRESETS, preset
    from sylvan.model.tasks import data_set

    from ..recipes import presets_table, print_recipe

    if name is None:
        console.print(presets_table(PRESETS))
        next_step("sylvan presets digits    (all that it settles)", "sylvan train --preset digits")
        return
    config = preset(name)
    print_recipe(name, config)
    data = " --data FOLDER" if data_set(config.task) else ""
    next_step(f"sylvan train --preset {name}{data} --set seed=1")


import_app = typer.Typer(no_args_is_help=True, help="Make a run from other people's checkpoints.")


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
    data: DataFolder = None,
) -> None:
    """Make a run from a checkpoint of the HadamRNN authors' code, read as data only."""
    from sylvan.model.importing import FULL, import_hadamrnn

    from ..report import after_training

    if block is not None and block != "full" and not block.isdecimal():
        raise UserError(f"--block is full or a number, got {block!r}")
    size = None if block is None else FULL if block == "full" else int(block)
    config = import_hadamrnn(
        file, out, bits=bits, block=size, read=read, symbols=symbols, task=task, data=data
    )
    console.print(
        f"{config.hidden} units in blocks of {config.block}; checkpoint and config.json are in "
        f"{out}"
    )
    next_step(*after_training(out, named=bool(task)))
