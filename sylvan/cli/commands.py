"""All commands in the order in which the help lists them."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from ..console import Interrupted
from . import building, exploring, hardware, host, programs, schedules, training


class Commands(TyperGroup):
    """Typer would leave on Ctrl-C without a word."""

    def make_context(self, *given: Any, **named: Any) -> Any:
        with _interruptions_told():
            return super().make_context(*given, **named)

    def invoke(self, ctx: Any) -> Any:
        with _interruptions_told():
            return super().invoke(ctx)


@contextlib.contextmanager
def _interruptions_told() -> Iterator[None]:
    try:
        yield
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
        "The whole way in one go: [bold]sylvan demo[/]. Step by step: train, export, eval, plan, "
        "build, sim, host, report. Many at once: explore."
    ),
)

app.command()(hardware.demo)
app.command()(training.train)
app.command()(training.presets)
app.command()(programs.export)
app.command("eval")(programs.evaluate)
app.command()(schedules.plan)
app.command()(hardware.boards)
app.command()(building.build)
app.command()(hardware.sim)
app.command()(host.host)
app.command()(hardware.report)
app.command()(exploring.explore)
app.add_typer(training.import_app, name="import")
