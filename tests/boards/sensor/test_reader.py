# amaranth: UnusedElaboratable=no
"""The reader in a simulator, on the wires with the part; faults that were planted are seen."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sensor_reader_cases as cases
from mpu6050 import ACCEL_CONFIG, ACCEL_CONFIG_2, CONFIG, GYRO_CONFIG
from simulated import bench, played
from sylvan.boards.sensor.part import MPU6050, MPU6500, Part
from sylvan.boards.sensor.reader import SensorReader
from sylvan.boards.sensor.scaling import Affine, scalings
from sylvan.boards.sensor.script import Do, Step, script
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput

QUICK = replace(MPU6050, starts_ms=3, settles_ms=2)
"""The part with less patience; all else takes as many of its milliseconds as it does."""
MILLISECOND = 210
"""In clocks: with 20 of them the bus has time enough for a sample."""
Plant = Callable[[pytest.MonkeyPatch], SensorReader]


def reader(channels: int, part: Part = QUICK, **more: Any) -> SensorReader:
    scale, offset = cases.SCALES[:channels], cases.OFFSETS[:channels]
    source = NumericInput(channels, Format.signed_bits(8, -5), scale, offset)
    constants = scalings(source, [lsb for _, lsb in part.channels[:channels]])
    given = {"quarter": 2, "millisecond": MILLISECOND} | more
    return SensorReader(script(part, channels), constants, cases.WINDOW, **given)


def text(dut: SensorReader) -> str:
    names = ("scl", "sda", "scl_low", "sda_low", "fails", "failing")
    ports = {name: getattr(dut, name) for name in names}
    stream = ("valid", "ready", "data", "first", "last")
    return bench(dut, "reader", ports | {f"o_{name}": getattr(dut.o, name) for name in stream})


def run(dut: SensorReader, folder: Path, **told: object) -> dict[str, str]:
    told = {"MILLISECOND": dut.millisecond} | told
    return played(text(dut), cases.__name__, folder, **told)  # type: ignore[arg-type]


def test_the_script_ends_in_its_loop() -> None:
    steps = script(MPU6050, 6)
    assert len(steps) <= 128 and steps[-1].do is Do.GOTO
    assert sum(step.do is Do.SCALE for step in steps) == 6
    short = script(MPU6050, 3)
    assert sum(step.do is Do.SCALE for step in short) == 3
    # Six bytes are read for three channels, and all fourteen for six.
    assert sum(s.do is Do.READ for s in steps) - sum(s.do is Do.READ for s in short) == 8
    with pytest.raises(ValueError, match="1 to 256 steps, got 257"):
        SensorReader([Step(Do.STOP)] * 257, reader(3).scalings, 4, 2, 100)


@pytest.mark.parametrize("channels", [3, pytest.param(6, marks=pytest.mark.full)])
def test_every_case(tmp_path: Path, channels: int) -> None:
    found = run(reader(channels, millisecond=30 * (channels + 2)), tmp_path)
    assert len(found) == 11 and not any(found.values()), found


@pytest.mark.full
def test_the_later_part(tmp_path: Path) -> None:
    later = replace(MPU6500, starts_ms=3, settles_ms=2)
    cases = ["samples_become_timesteps", "configuration_is_lost"]
    told = {"PART": later.name, "COCOTB_TEST_FILTER": f"({'|'.join(cases)})$"}
    (tmp_path / "planted").mkdir()
    assert run(reader(3, later), tmp_path, **told) == dict.fromkeys(cases, "")
    # The filter of the earlier part is none for acceleration.
    rest = tuple(written for written in later.configuration if written[0] != ACCEL_CONFIG_2)
    told["COCOTB_TEST_FILTER"] = f"{cases[0]}$"
    found = run(reader(3, replace(later, configuration=rest)), tmp_path / "planted", **told)
    assert "filter and period are ((2, 500), (460, 20)" in found[cases[0]]


def offset_added(monkeypatch: pytest.MonkeyPatch) -> SensorReader:
    right = Affine.of

    def planted(*given: Any) -> Affine:
        made = right(*given)
        return replace(made, b=-made.b)

    monkeypatch.setattr(Affine, "of", planted)
    return reader(3)


def unchecked(monkeypatch: pytest.MonkeyPatch) -> SensorReader:
    """Nobody looks whether the part is still there, so that ones are given as counts."""
    monkeypatch.setattr("sylvan.boards.sensor.script._checked", lambda *given: [])
    return reader(6)


def configured(channels: int, register: int, value: int) -> Plant:
    """The part with another value in a register."""
    told = tuple((other, value if other == register else v) for other, v in QUICK.configuration)
    return lambda monkeypatch: reader(channels, replace(QUICK, configuration=told))


PLANTED = [
    (offset_added, "samples_become_timesteps", "timestep 0 is "),
    (unchecked, "only_a_wire_opens", ""),
    (configured(3, ACCEL_CONFIG, 1 << 3), "samples_become_timesteps", "timestep 0 is "),
    (configured(6, GYRO_CONFIG, 0), "samples_become_timesteps", "timestep 1 is "),
    (configured(3, CONFIG, 1), "samples_become_timesteps", "filter and period are .*188"),
]


@pytest.mark.parametrize(("plant", "case", "said"), PLANTED)
def test_a_planted_fault_is_seen(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plant: Plant,
    case: str,
    said: str,
) -> None:
    found = run(plant(monkeypatch), tmp_path, COCOTB_TEST_FILTER=f"{case}$")
    assert found[case] and re.search(said, found[case]), found


def test_a_planted_order_of_bytes_is_seen(tmp_path: Path) -> None:
    """The lower byte first."""
    case, dut = "samples_become_timesteps", reader(3)
    right, planted = ".count(counts)", ".count({ counts[7:0], counts[15:8] })"
    assert text(dut).count(right) == 1
    swapped = text(dut).replace(right, planted)
    told = {"MILLISECOND": dut.millisecond, "COCOTB_TEST_FILTER": f"{case}$"}
    found = played(swapped, cases.__name__, tmp_path, **told)  # type: ignore[arg-type]
    assert "timestep 0 is " in found[case], found
