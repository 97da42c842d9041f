"""Writes the table of the README from the figures of a demo: `python docs/measured.py`.

Reads `runs/demo/summary.json`, which `make demo` wrote, and replaces what stands between the marks.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- demo table: begin -->\n", "<!-- demo table: end -->"
ROWS = (
    ("LUTs", "luts", "{:,}"),
    ("flip-flops", "ffs", "{:,}"),
    ("block RAMs", "brams", "{:,}"),
    ("fmax, MHz", "fmax_mhz", "{:.1f}"),
    ("cycles per step", "cycles_per_step", "{:,.0f}"),
)


def table(summary: dict[str, Any]) -> str:
    """The demo's figures as Markdown, the block-diagonal twin beside the dense network."""
    networks = {"dense": summary, "block-diagonal": summary["twin"]}
    columns = [(name, part) for part in summary["targets"] for name in networks]
    lines = [
        "| | " + " | ".join(f"{name}, {part}" for name, part in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]

    def row(label: str, cells: list[str]) -> None:
        lines.append(f"| {label} | " + " | ".join(cells) + " |")

    for label, key in (("float accuracy", "float_score"), ("integer accuracy", "integer_score")):
        row(label, [f"{networks[name][key]:.2f} %" for name, _ in columns])
    for label, key, form in ROWS:
        row(label, [form.format(networks[name]["targets"][part][key]) for name, part in columns])
    row("images per second", [f"{networks[name]['images_per_s'][p]:,.0f}" for name, p in columns])
    return "\n".join(lines) + "\n"


def main(path: Path) -> None:
    """Replace the README's block."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    readme.write_text(before + BEGIN + table(json.loads(path.read_text())) + END + after)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "runs" / "demo" / "summary.json")
