"""The figures of a build: which there are, what they are called, how they are written."""

from collections.abc import Mapping
from typing import Any

from .page import Cell, Html, table

ROWS = (
    ("LUTs", "luts", "{:,.0f}"),
    ("flip-flops", "ffs", "{:,.0f}"),
    ("block RAMs", "brams", "{:,.0f}"),
    ("DSP blocks", "dsps", "{:,.0f}"),
    ("fmax, MHz", "fmax_mhz", "{:.1f}"),
    ("cycles a step", "cycles_per_step", "{:,.0f}"),
    ("cycles of an answered step", "closing_cycles", "{:,.0f}"),
    ("cycles from input to answer", "latency_cycles", "{:,.0f}"),
    ("steps per second", "steps_per_s", "{:,.0f}"),
)
QUALITY = (
    ("utilisation", "utilisation", "{:.3f}"),
    ("efficiency", "efficiency", "{:.3f}"),
    ("LUT ns per step", "lut_ns_per_step", "{:,.0f}"),
)


def figures_table(report: Mapping[str, Any]) -> Html:
    """A build's figures, the estimate beside the measurement."""
    rows = [
        [
            Cell(label),
            Cell(report["measured"][key], form),
            Cell(report["estimate"][key], form, kind="estimate"),
        ]
        for label, key, form in ROWS
    ]
    rows += [[Cell(label), Cell(report[key], form), Cell(None)] for label, key, form in QUALITY]
    return table(["", "measured", "estimate"], rows, "figures")
