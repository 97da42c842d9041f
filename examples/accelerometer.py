"""A sensor that recognises an activity: an iCEBreaker with an MPU-6050 on its bus.

    .venv/bin/python examples/accelerometer.py --wanted laying --out runs/accelerometer

Writes a bitstream that reads the sensor 50 times a second and, after every 128 samples, raises a
pin and lights the green LED if the activity of those 2.56 seconds was the one that is wanted. The
red LED says that the sensor does not answer. Wiring, and what to see: docs/sensor.md.
"""

import argparse
import sys
from pathlib import Path

from sylvan.boards.sensor.icebreaker import CLOCK_HZ, build, sensor_core
from sylvan.boards.sensor.part import MPU6050
from sylvan.model.errors import CheckError, UserError
from sylvan.model.program import Program
from sylvan.model.storage import load
from sylvan.model.tasks.har import STEPS

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=Path, default=GALLERY)
    parser.add_argument("--wanted", choices=ACTIVITIES, default="laying")
    parser.add_argument("--out", type=Path, default=Path("runs/accelerometer"))
    given = parser.parse_args()
    try:
        program = checked(load(given.program), given.program)
        core = sensor_core(program, MPU6050, ACTIVITIES.index(given.wanted), STEPS)
        made = build(core, given.out, progress=print)
    except (UserError, CheckError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    print(
        f"{made.luts:,} logic cells, {made.ffs:,} flip-flops, {made.brams} block RAMs, "
        f"{made.fmax_mhz:.1f} MHz at a clock of {CLOCK_HZ / 1e6:g} MHz"
    )
    print(f"iceprog {made.bitstream}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
