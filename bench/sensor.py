# amaranth: UnusedElaboratable=no
"""Places the sensor's design of gallery/har-motion and writes its figures: `make bench-sensor`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marks import put_between
from sylvan.boards.sensor.i2c import I2cController
from sylvan.boards.sensor.icebreaker import CLOCK_HZ, TARGET, SensorMount
from sylvan.boards.sensor.part import MPU6050
from sylvan.boards.sensor.scaler import Scaler
from sylvan.boards.sensor.script import Do
from sylvan.boards.sensor.top import SensorCore
from sylvan.hw.plan import Plan
from sylvan.hw.targets import target
from sylvan.model.files import parse_json
from sylvan.model.storage import load
from sylvan.model.tasks.har import STEPS

ROOT = Path(__file__).parent.parent
PAGE, PROGRAM, OUT = ROOT / "docs/sensor.md", ROOT / "gallery/har-motion", ROOT / "runs/sensor"
MARKS = "<!-- figures: begin -->", "<!-- figures: end -->"
BITS = {Do.START: 1, Do.STOP: 1, Do.SEND: 9, Do.READ: 9}
LAYING = 5
MOUNT = SensorMount(MPU6050, LAYING, STEPS)


def reading_clocks(core: SensorCore) -> int:
    """Of a sample, from the poll that finds it to the timestep given: bus and scaling."""
    reader = core.reader
    steps = reader.script[reader.script[-1].n :]
    bits = sum(BITS.get(step.do, 0) for step in steps)
    channels = sum(step.do is Do.SCALE for step in steps)
    bus, scaler = I2cController(reader.quarter), Scaler(reader.scalings)
    return bits * bus.interval + channels * scaler.interval


def table(core: SensorCore, found: Mapping[str, Any]) -> str:
    """What the tools, in synthesis.json, and the plan say."""
    part, cycles = target(TARGET), core.plan.describe()["cycles"]
    sample = round(CLOCK_HZ * MPU6050.sample_ms / 1000)
    reading, closing = reading_clocks(core), cycles["closing_cycles"]
    score = core.plan.program.metadata["score"]
    clock, rate = CLOCK_HZ / 1e6, found["fmax_mhz"]
    names = {
        "top": "all",
        "top.sensor.core": "core",
        "top.sensor.reader": "bus, script and scaling",
    }
    lines = [
        "| before packing | LUTs | flip-flops | block RAMs |",
        "|---|---:|---:|---:|",
    ]
    for module, name in names.items():
        needs = found["modules"][module]
        cells = [f"{needs.get(key, 0):,}" for key in ("luts", "ffs", "brams")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(
        [
            *lines,
            "",
            "| placed | |",
            "|---|---:|",
            f"| logic cells, of {part.luts:,} | {found['luts']:,} |",
            f"| block RAMs, of {part.brams} | {found['brams']} |",
            f"| clock rate, median of {len(found['runs'])} seeds | {rate:.1f} MHz |",
            f"| margin over {clock:g} MHz | {rate / clock:.2f} |",
            f"| clocks of a sample | {sample:,} |",
            f"| of these reading and scaling | {reading:,} |",
            f"| of these the core, with an answer | {closing:,} |",
            f"| right answers to windows of persons never seen | {score:.1f} % |",
        ]
    )


def main() -> None:
    program = load(PROGRAM)
    MOUNT.build(program, OUT, progress=print)
    found = parse_json((OUT / "synthesis.json").read_text())
    text = table(MOUNT.core(Plan(program, MOUNT.schedule(program))), found)
    put_between(PAGE, MARKS, text)
    print(text)


if __name__ == "__main__":
    main()
