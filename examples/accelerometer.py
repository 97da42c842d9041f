"""A sensor that recognises an activity: an iCEBreaker with a motion sensor on its bus.

    .venv/bin/python examples/accelerometer.py --wanted laying --out runs/accelerometer

Makes a build directory whose bitstream reads the sensor 50 times a second and, after every 128
samples, raises a pin and lights the green LED if the activity of those 2.56 seconds was the one
that is wanted. The red LED says that the sensor does not answer. Wiring, and what to see:
docs/sensor.md.
"""

import argparse
from pathlib import Path

from sylvan.boards.sensor.icebreaker import SensorMount
from sylvan.boards.sensor.part import PARTS
from sylvan.model.errors import UserError
from sylvan.model.program import Program
from sylvan.model.storage import load
from sylvan.model.tasks.har import STEPS

from sylvan.console import console, next_step, quoted, run_safely, working_in
from sylvan.report import bitstream, build_table

GALLERY = Path(__file__).parent.parent / "gallery" / "har-motion"
ACTIVITIES = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying"]
"""The labels 0 to 5 of the task har."""


def checked(program: Program, folder: Path) -> Program:
    """One that was trained on what the sensor measures, and answers these activities."""
    task, options = program.metadata.get("task"), program.metadata.get("task_options", {})
    found = task, options.get("channels"), options.get("classes")
    if found not in [("har", "motion", 6), ("har", "acceleration", 6)]:
        raise UserError(
            f"{folder} should be a program of the task har with channels motion or acceleration "
            f"and 6 classes, and is one of {task} with {options}"
        )
    return program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=Path, default=GALLERY)
    parser.add_argument("--part", choices=list(PARTS), default="mpu-6050")
    parser.add_argument("--wanted", choices=ACTIVITIES, default="laying")
    parser.add_argument("--out", type=Path, default=Path("runs/accelerometer"))
    given = parser.parse_args()
    program = checked(load(given.program), given.program)
    mount = SensorMount(PARTS[given.part], ACTIVITIES.index(given.wanted), STEPS)
    with working_in(given.out):
        report = mount.build(program, given.out, progress=console.print)
    console.print(build_table({given.out.name: report}))
    if (packed := bitstream(given.out)) is not None:
        next_step(f"iceprog {quoted(packed)}")


if __name__ == "__main__":
    run_safely(main)
