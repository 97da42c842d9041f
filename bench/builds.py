"""Cores of many kinds, mapped on parts of every family: what the cost model is fitted to.

Each is built once, with one seed where the part is placed, into bench/fit.json: a row when it is
there, with a hash of all that the tools were given, so that a run that was stopped goes on and what
has changed is built anew. The cores of bench/hardware.json, placed with three seeds, count as well.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import bars
import networks
import numpy as np
from designs import Core
from sylvan.hw.build import MODULE
from sylvan.hw.measured import DoesNotFit
from sylvan.hw.report import SCHEDULE
from sylvan.hw.schedule import Schedule
from sylvan.hw.synthesis import synthesize
from sylvan.hw.targets import target
from sylvan.model.builder import Builder
from sylvan.model.files import write_json
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program
from sylvan.model.storage import load

OUT = Path(__file__).with_name("fit.json")
PLACED = Path(__file__).with_name("hardware.json")
GALLERY = Path(__file__).parent.parent / "gallery"
PARTS = ("ice40-hx8k", "ecp5-25f", "xilinx-7a35t", "gowin-gw2a18")
SLOW, SLOW_POINTS = "ice40-up5k", 22
"""A part whose LUTs are those of another but for their delays: only the first points are built."""
SEED = 1
FIGURES = ("luts", "ffs", "brams", "fmax_mhz")
Row = dict[str, Any]


def sensor(n: int) -> Program:
    """A dense recurrence of -1, 0 and 1 on four channels, which is read on every timestep."""
    random = np.random.default_rng([1, n])
    b = Builder(NumericInput(4, Format(-128, 127, -7), (1.0,) * 4, (0.0,) * 4))
    h = b.state("hidden", n, Format(-512, 511, -7))
    turned = b.matvec(Dense(random.choice([-1, 0, 1], (n, n), p=[0.25, 0.5, 0.25])), h)
    injected = b.matvec(Dense(random.integers(-8, 8, (n, 4))), b.input)
    new = b.narrow(b.add(b.exponent([-2], turned), b.exponent([-2], injected)), h.format)
    b.write(h, new)
    answer = b.matvec(Dense(random.integers(-8, 8, (3, n))), b.layer("recurrence", new))
    return b.program(answer, "every", [1.0])


def gated(n: int) -> Program:
    """A state that is multiplied by a gate of its own, as in cells with gates."""
    random = np.random.default_rng([2, n])
    b = Builder(NumericInput(2, Format(-32, 31, -5), (1.0,) * 2, (0.0,) * 2))
    h = b.state("hidden", n, Format(-128, 127, -7))
    drive, weights = (b.matvec(Dense(random.integers(-4, 4, (n, 2))), b.input) for _ in range(2))
    turned = b.exponent([-3], b.matvec(Dense(random.integers(-2, 3, (n, n))), h))
    gate = b.relu(b.narrow(weights, Format(-15, 15, -4)))
    new = b.narrow(b.add(b.mul(gate, h), b.add(turned, drive)), h.format)
    b.write(h, new)
    answer = b.matvec(Dense(random.integers(-8, 8, (5, n))), b.layer("recurrence", new))
    return b.program(b.argmax(answer), "last", [1.0])


MADE: dict[str, Callable[[int], Program]] = {
    bars.CORE: networks.network,
    bars.ALONE: networks.recurrence,
    "sensor": sensor,
    "gated": gated,
}

MICROCODE = Schedule(1, microcode=True)
#: What is built on every one of the parts, the most telling first: a program and its schedule.
POINTS: tuple[tuple[str, Schedule], ...] = (
    ("core 16", MICROCODE),
    ("core 64", MICROCODE),
    ("core 128", MICROCODE),
    ("gallery digits", MICROCODE),
    ("gallery digits-qornn", MICROCODE),
    ("gallery har-2", MICROCODE),
    ("core 16", Schedule(2)),
    ("gallery digits", Schedule(1)),
    ("core 64", Schedule(8)),
    ("sensor 16", Schedule(2)),
    ("core without readout 16", Schedule(16, levels=2)),
    ("core 16", Schedule(16)),
    ("core without readout 16", Schedule(16, levels=4)),
    ("core 16", Schedule(16, levels=3)),
    ("sensor 16", Schedule(16, levels=2)),
    ("core 32", Schedule(32, 1)),
    ("gallery digits-qornn", Schedule(1)),
    ("gallery digits", Schedule(8, 2)),
    ("gated 16", Schedule(2)),
    ("core without readout 64", Schedule(4, contexts=4)),
    ("gallery har-2", Schedule(2)),
    ("core 128", Schedule(1)),
    ("gallery copy-1000", Schedule(4)),
    ("core 32", Schedule(8, contexts=2)),
    ("core 16", Schedule(16, 4)),
    ("sensor 32", Schedule(8)),
    ("gallery digits-block", Schedule(4)),
    ("core without readout 32", Schedule(16)),
    ("gated 16", Schedule(8)),
    ("gallery permuted-mnist", Schedule(2)),
    ("gallery digits-qornn", Schedule(4)),
    ("core 64", Schedule(64, 1)),
    ("gallery har-2", Schedule(8, 2)),
    ("core 64", Schedule(16, contexts=3)),
)


@cache
def program(name: str) -> Program:
    """The program of that name: one of the gallery, or of so many units."""
    kind, _, which = name.rpartition(" ")
    return load(GALLERY / which) if kind == "gallery" else MADE[kind](int(which))


def core(name: str, schedule: Schedule, part: str) -> Core:
    return Core(name, target(part), None, MODULE, program(name), schedule)


def designs() -> Iterator[Core]:
    """All points on all parts."""
    for number, (name, schedule) in enumerate(POINTS):
        for part in (*PARTS, SLOW) if number < SLOW_POINTS else PARTS:
            turns = target(part).turns and not schedule.digit and not schedule.microcode
            yield core(name, replace(schedule, turns=turns), part)


def key(design: Core) -> Row:
    """What tells a row from others."""
    return {"program": design.name, "target": design.part.name, **design.keys}


def rebuilt(row: Row) -> Core:
    """The design of a row."""
    return core(row["program"], Schedule.from_keys(row), row["target"])


def measured(design: Core) -> Row:
    """The figures of a design, nulls where it does not fit."""
    with tempfile.TemporaryDirectory(prefix="sylvan-fit-") as folder:
        source = Path(folder, "core.v")
        source.write_text(design.verilog)
        out = Path(folder, "out")
        try:
            found = synthesize(source, MODULE, design.part, out, seeds=[SEED], jobs=1)
        except DoesNotFit:
            return dict.fromkeys(FIGURES)
    modules = {
        name.removeprefix(f"{MODULE}."): needs.get("luts", 0)
        for name, needs in found.modules.items()
        if name.count(".") == 1 and needs.get("luts", 0)
    }
    return {**{name: getattr(found, name) for name in FIGURES}, "modules": modules}


def build() -> None:
    """Build what is not there, or has changed; what is built no more goes."""
    wanted = list(designs())
    rows = json.loads(OUT.read_text()) if OUT.is_file() else []
    rows = [row for row in rows if any(row.items() >= key(design).items() for design in wanted)]
    write_json(OUT, rows)
    for design in wanted:
        row = next((r for r in rows if r.items() >= key(design).items()), None)
        if row is None or row["given"] != design.given():
            made = key(design) | measured(design) | {"given": design.given()}
            rows = [other for other in rows if other is not row] + [made]
            write_json(OUT, rows)
            print(design.label, {name: made[name] for name in FIGURES}, flush=True)


def placed() -> list[Row]:
    """Cores of bench/hardware.json that were placed, as rows of bench/fit.json are."""
    rows = json.loads(PLACED.read_text())
    return [
        {
            "program": f"{row['design']} {row['n']}",
            "target": row["target"],
            **row["schedule"],
            **{name: row["measured"][name] for name in FIGURES},
            "given": row["given"],
        }
        for row in rows
        if row["design"] in MADE and row["reason"] is None and set(row["schedule"]) == set(SCHEDULE)
    ]


def rows() -> list[Row]:
    """All that were built and are of the present RTL, those of three seeds before others."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in [*placed(), *json.loads(OUT.read_text())]:
        design = rebuilt(row)
        known = tuple(key(design).values())
        if known not in found and row["luts"] is not None and row["given"] == design.given():
            found[known] = row
    return list(found.values())
