# amaranth: UnusedElaboratable=no
"""The whole design in a simulator against golden on the same motion, and what it refuses."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sensor_core_cases as cases
from conftest import Data
from sensed import PER_COUNT, counted, real
from simulated import bench, played
from sylvan.boards.sensor import icebreaker
from sylvan.boards.sensor.part import MPU6050
from sylvan.boards.sensor.top import SensorCore
from sylvan.hw.build import check_unchanged
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.arrays import Array
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.files import parse_json
from sylvan.model.interpret import run
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program, SymbolInput
from sylvan.model.storage import load

GALLERY = load(Path(__file__).parents[3] / "gallery" / "har-motion")
QUICK = replace(MPU6050, starts_ms=3, settles_ms=2)
PINS = ("scl", "sda", "scl_low", "sda_low", "hit", "failing")
WINDOWS = np.apply_along_axis(real, -1, np.random.default_rng(5).integers(-32768, 32768, (6, 4, 6)))
CLOCK_HZ = 1e6
"""The bus takes its quarters of a bit from it: two clocks."""


def remembering(channels: int = 6, read: str = "last", answer: str = "label") -> Program:
    """The state is turned and never forgets, and its largest element is the answer."""
    scale, offset = (0.4,) * channels, (0.81, 0.02, 0.07, 0.0, -0.1, 0.2, 0.0)[:channels]
    b = Builder(NumericInput(channels, Format.signed_bits(6, -3), scale, offset))
    h = b.state("h", 4, Format.signed_bits(12))
    turned = b.exponent(-1, b.matvec(Hadamard(4, [1, -1, 1, 1]), h))
    weights = np.random.default_rng(3).integers(-2, 3, (4, channels))
    b.write(h, b.narrow(b.add(turned, b.exponent(3, b.matvec(Dense(weights), b.input))), h.format))
    b.layer("turning", h)
    return b.program(b.argmax(h) if answer == "label" else h, read)


def inputs_of(program: Program, windows: Array) -> Array:
    """What the program asks for, of what is measured (..., 6)."""
    source = program.input
    assert isinstance(source, NumericInput)
    counts = np.apply_along_axis(counted, -1, windows)[..., : source.size]
    found = np.empty(counts.shape, np.int64)
    for at, count in np.ndenumerate(counts):
        value = int(count) * Fraction(PER_COUNT[at[-1]]) - Fraction(source.offset[at[-1]])
        nearest = round(value / Fraction(source.scale[at[-1]]) / Fraction(2) ** source.format.exp)
        found[at] = min(max(nearest, source.format.lo), source.format.hi)
    return found


def core(program: Program, wanted: int, window: int, **more: Any) -> SensorCore:
    given = {"part": QUICK, "clock_hz": CLOCK_HZ, "millisecond": 120} | more
    plan = Plan(program, Schedule(lanes=1))
    return SensorCore(plan, wanted=wanted, window=window, **given)


def simulate(
    dut: SensorCore, windows: Array, folder: Path, simulator: str, **told: object
) -> dict[str, str]:
    program = dut.plan.program
    labels = run(program, inputs_of(program, windows))[..., 0].reshape(len(windows))
    assert 0 < (labels == dut.wanted).sum() < len(labels)
    np.savez(folder / "windows.npz", windows=windows, labels=labels)
    text = bench(dut, "sensor_core", {name: getattr(dut, name) for name in PINS})
    told = {
        "WINDOWS": folder / "windows.npz",
        "WANTED": dut.wanted,
        "MILLISECOND": dut.reader.millisecond,
    } | told
    return played(text, cases.__name__, folder, simulator, **told)  # type: ignore[arg-type]


def test_a_small_program(tmp_path: Path) -> None:
    """On random samples, which reach the ends of the format."""
    found = simulate(core(remembering(3), 3, 4), WINDOWS, tmp_path, "icarus")
    assert len(found) == 3 and not any(found.values()), found


def har_windows(data: Path, wanted: int) -> Array:
    """Three of the test persons' windows in g and radians per second; the second one is of the
    wanted activity."""
    with np.load(data / "har" / "uci_har.npz") as file:
        signals, activities = file["x_test"] * file["scale"].astype(float), file["y_test"] - 1
    others = np.flatnonzero(activities != wanted)
    chosen = [others[0], np.flatnonzero(activities == wanted)[0], others[-1]]
    return np.asarray(signals[chosen][..., [6, 7, 8, 3, 4, 5]])


@pytest.mark.full
def test_the_gallery_program_on_people(tmp_path: Path, data: Data) -> None:
    windows = har_windows(data("har"), wanted=5)
    dut = core(GALLERY, 5, 128, millisecond=240)
    case = "windows_are_answered"
    found = simulate(dut, windows, tmp_path, "verilator", COCOTB_TEST_FILTER=f"{case}$")
    assert found == {case: ""}


def refused(program: Program, message: str, wanted: int = 0, **more: Any) -> None:
    with pytest.raises(UserError, match=message):
        core(program, wanted, 4, **more)


def test_what_it_refuses() -> None:
    refused(remembering(7), "the MPU-6050 gives at most 6 channels, and .* has 7 channels")
    b = Builder(SymbolInput(3))
    b.layer("looking", b.lookup(np.ones((1, 3, 4), int), 0, b.input))
    refused(b.program(b.argmax(b.input), "last"), "the program's timestep has a symbol")
    said = "should answer a label at the last timestep, and answers 4 elements at: last"
    refused(remembering(answer="all"), said)
    refused(remembering(read="every"), "answers 1 elements at: every. `sylvan export --argmax`")
    refused(remembering(), "the program's labels are 0 to 3, not 4", wanted=4)
    refused(
        GALLERY,
        "takes [0-9,]+ cycles for a timestep and the MPU-6050 gives one every 2,000",
        clock_hz=1e5,
    )
    with pytest.raises(UserError, match="has one context and no state port"):
        plan = Plan(remembering(), Schedule(lanes=1, contexts=2))
        SensorCore(plan, QUICK, 0, 4, CLOCK_HZ)


def test_the_sources_for_the_board(tmp_path: Path) -> None:
    made = []
    mount = icebreaker.SensorMount(MPU6050, 2, 4)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        plan = Plan(remembering(), mount.schedule(remembering()))
        made.append(mount.write(plan, tmp_path / name))
    sources, again = made
    text = sources.verilog.read_text()
    assert text == again.verilog.read_text() and str(Path.cwd()) not in text
    assert sources.module == "top" and sources.clock_hz == 12e6 and sources.constraints
    lines = sources.constraints.read_text().splitlines()
    placed = dict(line.split()[1:] for line in lines if line.startswith("set_io"))
    assert placed == {
        "clk12_0__io": "35",
        "i2c_0__scl__io": "47",
        "i2c_0__sda__io": "45",
        "hit_0__io": "43",
        "led_g_0__io": "37",
        "led_r_0__io": "11",
    }
    # Open-drain, with the pads' pull-ups: the bus is driven low or not at all.
    pads = re.findall(r"SB_IO #\((.*?)\) buf0 \((.*?)\);", text, re.DOTALL)
    drains = [(how, what) for how, what in pads if ".D_IN_0(i)" in what]
    assert len(drains) == 2
    for how, what in drains:
        assert ".PULLUP(32'd1)" in how and ".D_OUT_0(1'h0)" in what


def test_a_microprogram_is_taken_where_it_is_done_in_time(monkeypatch) -> None:
    mount = icebreaker.SensorMount(MPU6050, 5, 128)
    assert mount.schedule(GALLERY).microcode
    cycles = Plan(GALLERY, Schedule(1, microcode=True)).closing_cycles
    monkeypatch.setattr(icebreaker, "CLOCK_HZ", cycles * 1000 / MPU6050.sample_ms - 1)
    assert not mount.schedule(GALLERY).microcode


@pytest.mark.full
def test_it_fits_the_board(tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = icebreaker.SensorMount(MPU6050, 5, 128).build(GALLERY, out, seeds=(1,))
    measured = report["measured"]
    assert measured["fmax_mhz"] > icebreaker.CLOCK_HZ / 1e6 and measured["luts"] < 5280
    assert parse_json((out / "synthesis.json").read_text())["pins"] == 6
    assert (out / "top.bin").stat().st_size > 100_000
    check_unchanged(out)
