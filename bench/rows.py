"""Designs measured into a file of rows, written as they come: a run that was stopped goes on."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from designs import Design
from sylvan.hw.measured import DoesNotFit
from sylvan.hw.tools import TooLong, Workers
from sylvan.model.errors import UserError
from sylvan.model.files import write_json

SAID = ("luts", "fmax_mhz", "cycles_per_step")
"""Figures that are printed as they come."""
Row = dict[str, Any]


def identity(row: Row) -> tuple[Any, ...]:
    """What tells a row from others: of its schedule what is not left as it is."""
    knobs = ((knob, value) for knob, value in row["schedule"].items() if value)
    return row["design"], row["n"], row["target"], *sorted(knobs)


def measured(design: Design, workers: Workers) -> Row:
    """The row of a design, whether it fits or not."""
    reason, details = None, {"runs": [], "chain": None}
    with tempfile.TemporaryDirectory(prefix="sylvan-hardware-") as work:
        folder = Path(work, "build")
        try:
            report = design.report(folder, workers)
            details = json.loads((folder / "synthesis.json").read_text())
        except UserError as error:
            # A build says it with its advice.
            if not any(isinstance(e, DoesNotFit) for e in (error, error.__context__)):
                raise
            report, reason = design.unplaced(), str(error)
        except TooLong as error:
            report, reason = design.unplaced(), f"not placed: {error}"
        more = design.seen(folder if reason is None else None)
    seeds = {str(run["seed"]): run["fmax_mhz"] for run in details["runs"]}
    row = {"design": design.name, "n": design.n, **report, "chain": details["chain"], **more}
    return row | {"seeds": seeds, "reason": reason, "given": design.given()}


class Rows:
    """The rows of a file; those asked for are `seen`.

    Parameters: path; only, a text in the label of what is asked for; seeds, how many; workers.
    """

    def __init__(self, path: Path, only: str, seeds: int, workers: Workers) -> None:
        self.path, self.only, self.workers = path, only, workers
        self.seeds = tuple(range(1, seeds + 1))
        rows = json.loads(path.read_text()) if path.is_file() else []
        self.found = {identity(row): row for row in rows}
        self.seen: dict[tuple[Any, ...], Row] = {}

    def row(self, design: Design) -> Row | None:
        """The design's row, measured unless it is there; None where it was not asked for."""
        if self.only not in design.label:
            return None
        design = replace(design, seeds=self.seeds)
        at = identity({"design": design.name, "n": design.n, **design.unplaced()})
        if self.found.get(at, {}).get("given") != design.given():
            print(design.label, flush=True)
            self.found[at] = measured(design, self.workers)
            self.write(self.found)
            found, reason = self.found[at]["measured"], self.found[at]["reason"]
            print(f"  {reason or ', '.join(f'{key} {found[key]}' for key in SAID)}", flush=True)
        self.seen[at] = self.found[at]
        return self.found[at]

    def write(self, rows: dict[tuple[Any, ...], Row]) -> None:
        write_json(self.path, list(rows.values()))
