"""Writes docs/results.md from the metrics of training runs: `make results`.

    python docs/results.py runs/results

Every figure comes from a `metrics.json` and the `config.json` beside it. Runs that differ in their
seed alone share a row: means over the seeds, and what the seeds differ by.
"""

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sylvan.model.config import Config

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results.md"
BITS = ("12", "10", "8")
HEADER = """# What was trained here

Written by `make results`, which trains the presets (`sylvan presets`) that are missing in
`runs/results`, scores their integer programs, and fills this page from the `metrics.json` of each.
Test data are looked at once, by the weights that validation chose, or by those of the last epoch
where a preset refits on all training data (`refit`). Float scores are those of the network in
PyTorch; the columns of bits are those of the integer program with a state of that width, as golden
and the hardware answer, bit for bit. Storage and additions are those of the 12-bit program: all
constants and the state; additions of words in a timestep that is not read, products counted as
shift-and-add. Seconds are of training on two cores that had other work at times, evaluation left
out.

"""


@dataclasses.dataclass(frozen=True)
class Run:
    """One training run."""

    preset: str
    config: Config
    metrics: Mapping[str, Any]


def read(folder: Path) -> list[Run]:
    """The finished runs in `folder`, whose names are PRESET-SEED."""
    found = []
    for path in sorted(folder.glob("*/metrics.json")):
        config = Config.from_tree(json.loads((path.parent / "config.json").read_text()), path)
        preset = path.parent.name.rpartition("-")[0]
        found.append(Run(preset, config, json.loads(path.read_text())))
    return found


def mean(runs: list[Run], figure: Callable[[Mapping[str, Any]], Any]) -> float | None:
    """Mean over the runs; None where one of them has no such figure."""
    values = []
    for run in runs:
        try:
            values.append(float(figure(run.metrics)))
        except KeyError:
            return None
    return sum(values) / len(values)


def network(config: Config) -> str:
    """The network in a few words."""
    parts = [f"{config.cell} {config.hidden}"]
    if config.block is not None and config.block != config.hidden:
        parts.append(f"blocks of {config.block}")
    if config.weight_bits is not None:
        parts.append(f"{config.weight_bits}-bit weights")
    for name, value in config.cell_options.items():
        if isinstance(value, list) and len(value) > 4:
            value = f"{value[0]}, {value[1]}, ..., {value[-1]}"
        parts.append(name if value is True else f"{name} {value}")
    return ", ".join(parts)


def row(runs: list[Run]) -> str:
    """A line of the table."""
    first = runs[0]
    form = "{:.2f}" if first.metrics["score_unit"] == "%" else "{:.3f}"

    def shown(value: float | None, form: str = form) -> str:
        return "-" if value is None else form.format(value)

    scores = [run.metrics["score"] for run in runs]
    floating = shown(mean(runs, lambda m: m["score"]))
    if len(runs) > 1:
        floating += f" ({form.format(min(scores))} to {form.format(max(scores))})"
    integer = [shown(mean(runs, lambda m, b=bits: m["integer"][b]["score"])) for bits in BITS]
    storage = mean(runs, lambda m: m["integer"]["12"]["storage_bits"] / 8)
    additions = mean(runs, lambda m: m["integer"]["12"]["additions_per_step"])
    seconds = mean(runs, lambda m: m["seconds_training"])
    unit = first.metrics["score_unit"]
    score_name = first.metrics["score_name"] + (f", {unit}" if unit else "")
    cells = [
        first.preset, network(first.config), score_name, str(len(runs)), floating, *integer,
        shown(storage, "{:,.0f}"), shown(additions, "{:,.0f}"), shown(seconds, "{:,.0f}"),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def page(runs: list[Run]) -> str:
    """The whole page."""
    groups: dict[Any, list[Run]] = {}
    for run in runs:
        key = run.preset, json.dumps(dataclasses.replace(run.config, seed=0).tree(), sort_keys=True)
        groups.setdefault(key, []).append(run)
    titles = ["preset", "network", "score", "seeds", "float", *(f"{b} bits" for b in BITS),
              "storage, bytes", "additions a step", "s to train"]  # fmt: skip
    lines = ["| " + " | ".join(titles) + " |", "|---|---|---|" + "---:|" * (len(titles) - 3)]
    by_task = sorted(groups.values(), key=lambda g: (g[0].config.task, g[0].preset))
    lines += [row(group) for group in by_task]
    return HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(read(Path(sys.argv[1]))))
    print(f"wrote {PAGE.relative_to(ROOT)}")
