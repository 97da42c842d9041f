"""report.json: what was estimated, what was measured, and how good that is.

Unknown figures are None, never 0: what simulation has not measured yet, what a target without a
part does not have. The keys are a promise to other tools, so reading checks them.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from sylvan.model.errors import UserError, shortened
from sylvan.model.files import parse_json, write_json

from .schedule import Schedule

Report = dict[str, Any]

RESOURCES = ("luts", "ffs", "brams", "sprams", "dsps", "fmax_mhz")
CYCLES = ("cycles_per_step", "closing_cycles", "latency_cycles")
FIGURES = (*RESOURCES, *CYCLES, "steps_per_s")
SCHEDULE = (*(field.name for field in fields(Schedule)), "words")
QUALITY = ("utilisation", "efficiency", "lut_ns_per_step")
KEYS = (
    "target",
    "tool_versions",
    "program_sha256",
    "schedule",
    "estimate",
    "measured",
    "floor_adder_bits",
    *QUALITY,
)


def quality(
    luts: float | None,
    cycles_per_step: float | None,
    fmax_mhz: float | None,
    floor_adder_bits: int | None,
    reference_fmax_mhz: float | None,
) -> dict[str, float | None]:
    """How good the figures are by the adder-bit floor, None where something is unknown.

    utilisation     = floor_adder_bits / (luts * cycles_per_step)
    efficiency      = utilisation * min(1, fmax / reference fmax)
    lut_ns_per_step = luts * cycles_per_step / fmax
    """
    lut_cycles = luts * cycles_per_step if luts and cycles_per_step else None
    utilisation = efficiency = lut_ns = None
    if lut_cycles is not None and floor_adder_bits is not None:
        utilisation = floor_adder_bits / lut_cycles
    if utilisation is not None and fmax_mhz is not None and reference_fmax_mhz:
        efficiency = utilisation * min(1.0, fmax_mhz / reference_fmax_mhz)
    if lut_cycles is not None and fmax_mhz:
        lut_ns = lut_cycles * 1000.0 / fmax_mhz
    return {"utilisation": utilisation, "efficiency": efficiency, "lut_ns_per_step": lut_ns}


def figures(given: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """One set of figures with every key; steps_per_s is made where clock and cycles are known."""
    known = {**(given or {}), **more}
    unexpected = set(known) - set(FIGURES)
    if unexpected:
        raise ValueError(f"not figures of a report: {', '.join(sorted(unexpected))}")
    complete = {key: known.get(key) for key in FIGURES}
    fmax, cycles = complete["fmax_mhz"], complete["cycles_per_step"]
    if complete["steps_per_s"] is None and fmax and cycles:
        complete["steps_per_s"] = fmax * 1e6 / cycles
    return complete


def make_report(
    target: str,
    program_sha256: str,
    schedule: Mapping[str, int],
    *,
    estimate: Mapping[str, Any] | None = None,
    measured: Mapping[str, Any] | None = None,
    floor_adder_bits: int | None = None,
    tool_versions: Mapping[str, str] | None = None,
    reference_fmax_mhz: float | None = None,
) -> Report:
    """A report with every key; quality is judged on what was measured, never on the estimate."""
    found = figures(measured)
    return {
        "target": target,
        "tool_versions": dict(tool_versions or {}),
        "program_sha256": program_sha256,
        "schedule": {key: schedule[key] for key in SCHEDULE},
        "estimate": figures(estimate),
        "measured": found,
        "floor_adder_bits": floor_adder_bits,
        **quality(
            found["luts"],
            found["cycles_per_step"],
            found["fmax_mhz"],
            floor_adder_bits,
            reference_fmax_mhz,
        ),
    }


def with_simulation(
    report: Report,
    cycles_per_step: float | None,
    closing_cycles: float | None,
    latency_cycles: float | None,
    reference_fmax_mhz: float | None = None,
) -> Report:
    """The report with the cycles that a simulation measured, and all that follows from them."""
    measured = {key: report["measured"][key] for key in RESOURCES}
    return make_report(
        report["target"],
        report["program_sha256"],
        report["schedule"],
        estimate=report["estimate"],
        measured={
            **measured,
            "cycles_per_step": cycles_per_step,
            "closing_cycles": closing_cycles,
            "latency_cycles": latency_cycles,
        },
        floor_adder_bits=report["floor_adder_bits"],
        tool_versions=report["tool_versions"],
        reference_fmax_mhz=reference_fmax_mhz,
    )


def record_simulation(
    directory: Path,
    cycles_per_step: float | None,
    closing_cycles: float | None,
    latency_cycles: float | None,
) -> Report:
    """Write measured cycles into a build directory's report.json; the report as it is now."""
    path = directory / "report.json"
    details = directory / "synthesis.json"
    reference = _reference(details) if details.exists() else None
    report = with_simulation(
        load_report(path), cycles_per_step, closing_cycles, latency_cycles, reference
    )
    write_json(path, report)
    return report


def load_report(path: Path) -> Report:
    """Read a report.json; a `UserError` names what is missing or unknown in it."""
    if not path.is_file():
        raise UserError(f"there is no {path}; `sylvan build` writes one")
    try:
        report = parse_json(path.read_text())
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}") from None
    _expect(path, "the report", report, KEYS)
    _expect(path, "schedule", report["schedule"], SCHEDULE)
    _expect(path, "estimate", report["estimate"], FIGURES)
    _expect(path, "measured", report["measured"], FIGURES)
    for part in (report["estimate"], report["measured"], {k: report[k] for k in QUALITY}):
        for key, value in part.items():
            if value is not None and type(value) not in (int, float):
                raise UserError(
                    f"{path}: {key} should be a number or null, not {shortened(repr(value))}"
                )
    for key, kind in (("target", str), ("program_sha256", str), ("tool_versions", dict)):
        if not isinstance(report[key], kind):
            raise UserError(
                f"{path}: {key} should be a {kind.__name__}, not {shortened(repr(report[key]))}"
            )
    return dict(report)


def _reference(path: Path) -> float | None:
    """The clock rate of the reference adder, from a build's synthesis.json."""
    try:
        rate = parse_json(path.read_text())["reference_fmax_mhz"]
        return None if rate is None else float(rate)
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} names no reference clock rate: {error!r}") from None


def _expect(path: Path, where: str, found: Any, keys: tuple[str, ...]) -> None:
    if not isinstance(found, dict):
        raise UserError(f"{path}: {where} should be an object, not {type(found).__name__}")
    wrong = [f"{key} missing" for key in keys if key not in found]
    wrong += [f"{key} unknown" for key in found if key not in keys]
    if wrong:
        raise UserError(f"{path}: {where} has not the expected keys: {shortened(', '.join(wrong))}")
