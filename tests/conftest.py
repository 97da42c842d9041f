"""Public data sets: tests that need one ask for `data`; and what a machine lacks is said once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

VARIABLE = "SYLVAN_DATA"

Data = Callable[[str], Path]


@pytest.fixture
def data() -> Data:
    """The folder of the data sets, given the name of the one that a test needs; else it skips."""

    def folder_with(name: str) -> Path:
        told = os.environ.get(VARIABLE)
        if not told:
            pytest.skip(f"needs a data set: {VARIABLE} names no folder")
        if not (Path(told) / name).is_dir():
            pytest.skip(f"needs a data set: {Path(told) / name} is not there")
        return Path(told)

    return folder_with


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each thing that skipped tests need."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        _, found, reason = str(report.longrepr).partition("Skipped: needs ")
        if found:
            reason = reason.rstrip("')")
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} tests skipped for want of {reason}")
