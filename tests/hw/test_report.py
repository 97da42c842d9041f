"""report.json: quality computed by hand, exactly the promised keys, unknown is null."""

import json

import pytest
from sylvan.hw.report import (
    figures,
    load_report,
    make_report,
    quality,
    record_simulation,
    with_simulation,
)
from sylvan.model.errors import UserError
from sylvan.model.files import write_json

SCHEDULE = {
    "lanes": 8,
    "digit": 12,
    "words": True,
    "levels": 1,
    "contexts": 1,
    "turns": False,
    "logic_roms": False,
    "dsps": False,
    "state_port": False,
    "microcode": False,
}
PLACED = {"luts": 1000, "ffs": 800, "brams": 4, "sprams": 0, "dsps": 0, "fmax_mhz": 50.0}


def test_quality_by_hand():
    # 10,752 adder bits in 1,000 LUTs over 128 cycles: 10752 / 128000 = 0.084, at 50 of 80 MHz
    # 0.0525; 128,000 LUT cycles of 20 ns each are 2,560,000 LUT ns.
    found = quality(1000, 128, 50.0, 10752, 80.0)
    assert found == pytest.approx(
        {"utilisation": 0.084, "efficiency": 0.0525, "lut_ns_per_step": 2_560_000.0}
    )


def test_a_clock_above_the_reference_earns_nothing():
    assert quality(1000, 128, 90.0, 10752, 80.0)["efficiency"] == pytest.approx(0.084)


@pytest.mark.parametrize(
    ("unknown", "lost"),
    [
        (0, {"utilisation", "efficiency", "lut_ns_per_step"}),
        (1, {"utilisation", "efficiency", "lut_ns_per_step"}),
        (2, {"efficiency", "lut_ns_per_step"}),
        (3, {"utilisation", "efficiency"}),
        (4, {"efficiency"}),
    ],
)
def test_what_is_unknown_leaves_null(unknown, lost):
    known = [1000, 128, 50.0, 10752, 80.0]
    known[unknown] = None
    assert {key for key, value in quality(*known).items() if value is None} == lost


def test_a_report_has_exactly_the_promised_keys():
    report = make_report("verilog", "ab" * 32, SCHEDULE)
    assert sorted(report) == sorted(
        [
            *["target", "tool_versions", "program_sha256", "schedule", "estimate", "measured"],
            *["floor_adder_bits", "utilisation", "efficiency", "lut_ns_per_step"],
        ]
    )
    for key in ("estimate", "measured"):
        assert report[key] == {
            **dict.fromkeys(["luts", "ffs", "brams", "sprams", "dsps", "fmax_mhz"]),
            **dict.fromkeys(["cycles_per_step", "closing_cycles", "latency_cycles"]),
            "steps_per_s": None,
        }
    assert report["utilisation"] is report["efficiency"] is report["lut_ns_per_step"] is None


def test_the_estimate_is_never_what_quality_is_judged_on():
    report = make_report(
        "ecp5-25f",
        "ab" * 32,
        SCHEDULE,
        estimate={**PLACED, "cycles_per_step": 128},
        floor_adder_bits=10752,
        reference_fmax_mhz=80.0,
    )
    assert report["estimate"]["steps_per_s"] == 50e6 / 128
    assert report["utilisation"] is None


def test_figures_refuse_a_name_that_is_none():
    with pytest.raises(ValueError, match="not figures of a report: carries"):
        figures({"carries": 3})


def test_a_simulation_fills_in_cycles_and_what_follows():
    before = make_report("ice40-up5k", "ab" * 32, SCHEDULE, measured=PLACED, floor_adder_bits=10752)
    assert before["measured"]["steps_per_s"] is None
    report = with_simulation(before, 128, 180, 49, reference_fmax_mhz=80.0)
    assert report["measured"] == {
        **PLACED,
        "cycles_per_step": 128,
        "closing_cycles": 180,
        "latency_cycles": 49,
        "steps_per_s": 390625.0,
    }
    assert report["efficiency"] == pytest.approx(0.0525)
    # A second simulation replaces the first.
    assert with_simulation(report, 64, 64, 1)["measured"]["steps_per_s"] == 781250.0


def test_recording_a_simulation_uses_the_reference_of_the_build(tmp_path):
    report = make_report("ice40-up5k", "ab" * 32, SCHEDULE, measured=PLACED, floor_adder_bits=10752)
    write_json(tmp_path / "report.json", report)
    assert record_simulation(tmp_path, 128, 180, 49)["efficiency"] is None
    write_json(tmp_path / "synthesis.json", {"reference_fmax_mhz": 80.0})
    record_simulation(tmp_path, 128, 180, 49)
    assert load_report(tmp_path / "report.json")["efficiency"] == pytest.approx(0.0525)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "synthesis.json"]


def _without_fmax(report):
    del report["measured"]["fmax_mhz"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without_fmax, "measured has not the expected keys: fmax_mhz missing"),
        (lambda r: r.update(area=3), "the report has not the expected keys: area unknown"),
        (lambda r: r["schedule"].pop("digit"), "schedule has not the expected keys: digit missing"),
        (lambda r: r.update(estimate=None), "estimate should be an object, not NoneType"),
    ],
)
def test_a_report_with_other_keys_is_refused(tmp_path, spoil, message):
    report = make_report("verilog", "ab" * 32, SCHEDULE)
    spoil(report)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    with pytest.raises(UserError) as refusal:
        load_report(path)
    assert str(refusal.value) == f"{path}: {message}"


def test_a_report_that_is_missing_or_cut_off(tmp_path):
    path = tmp_path / "report.json"
    with pytest.raises(UserError, match=r"there is no .*report\.json; `sylvan build` writes one"):
        load_report(path)
    path.write_text('{"target": "ver')
    with pytest.raises(UserError, match="is not JSON: Unterminated string"):
        load_report(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"utilisation": "a"}, "utilisation should be a number or null, not 'a'"),
        ({"tool_versions": [1]}, r"tool_versions should be a dict, not \[1\]"),
        ({"program_sha256": 5}, "program_sha256 should be a str, not 5"),
    ],
)
def test_a_report_with_other_kinds_of_values_is_refused(tmp_path, spoil, message):
    path = tmp_path / "report.json"
    schedule = SCHEDULE
    write_json(path, make_report("verilog", "00", schedule))
    assert load_report(path)["target"] == "verilog"
    write_json(path, make_report("verilog", "00", schedule) | spoil)
    with pytest.raises(UserError, match=message):
        load_report(path)


def test_a_report_nested_too_deeply(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("[" * 200000)
    with pytest.raises(UserError, match="is not JSON"):
        load_report(path)


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"reference_fmax_mhz": "fast"}'])
def test_a_corrupt_synthesis_file_is_named(tmp_path, text):
    schedule = SCHEDULE
    write_json(tmp_path / "report.json", make_report("ecp5-25f", "00", schedule))
    (tmp_path / "synthesis.json").write_text(text)
    with pytest.raises(UserError, match=r"synthesis\.json names no reference clock rate"):
        record_simulation(tmp_path, 1, 2, 3)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "report.json"
    write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        write_json(path, {"new": object()})
    assert json.loads(path.read_text()) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]
