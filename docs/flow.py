"""Writes flow.svg, the README's picture of how a trained network becomes a placed design.

Run it after a change: `python docs/flow.py`. Standard library only, and the same bytes every time.
Nodes carry their own colours and arrows a middle grey, so the picture reads on light and on dark.
"""

from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 1120, 480
BOX = (156, 84)
COLUMNS = [12 + 188 * i for i in range(6)]
ROWS = [56, 220, 384]
FONT = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"
LINE = "#75808b"
ROOMS = {"model": "#2b7a4b", "hw": "#9a5b13", "sim": "#5b56b0"}


@dataclass(frozen=True)
class Node:
    """One step: where it stands, the room it belongs to, what it gives."""

    column: int
    row: int
    room: str
    name: str
    gives: str

    @property
    def left(self) -> int:
        return COLUMNS[self.column]

    @property
    def top(self) -> int:
        return ROWS[self.row]

    @property
    def middle(self) -> tuple[int, int]:
        return self.left + BOX[0] // 2, self.top + BOX[1] // 2


NODES = {
    node.name: node
    for node in [
        Node(0, 0, "model", "train", "torch, your data"),
        Node(1, 0, "model", "quantize", "few bits each"),
        Node(2, 0, "model", "export", "exact integers"),
        Node(3, 0, "model", "program", "integers, one hash"),
        Node(4, 0, "model", "golden", "the interpreter"),
        Node(5, 0, "model", "score", "integer accuracy"),
        Node(2, 2, "hw", "schedule", "how many lanes"),
        Node(3, 2, "hw", "plan", "latencies, cost"),
        Node(4, 2, "hw", "RTL", "readable Verilog"),
        Node(5, 2, "hw", "place", "yosys, nextpnr"),
        Node(4, 1, "sim", "simulate", "equal, bit for bit"),
        Node(5, 1, "hw", "report", "cells, MHz, cycles"),
    ]
}

# From, to, and what travels (written beside a vertical arrow).
ARROWS = [
    ("train", "quantize", ""),
    ("quantize", "export", ""),
    ("export", "program", ""),
    ("program", "golden", ""),
    ("golden", "score", ""),
    ("schedule", "plan", ""),
    ("program", "plan", "what"),
    ("plan", "RTL", ""),
    ("RTL", "place", ""),
    ("golden", "simulate", "expected"),
    ("RTL", "simulate", "received"),
    ("simulate", "report", ""),
    ("place", "report", "measured"),
]


def text(x: int, y: int, words: str, size: int, fill: str, **more: str) -> str:
    """One line of text, centred unless `more` says otherwise."""
    options = {"text-anchor": "middle", **{k.replace("_", "-"): v for k, v in more.items()}}
    written = "".join(f' {name}="{value}"' for name, value in options.items())
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}"{written}>{words}</text>'


def box(node: Node) -> list[str]:
    """A node: a rounded box with its name and what it gives."""
    x, y = node.middle
    return [
        f'<rect x="{node.left}" y="{node.top}" width="{BOX[0]}" height="{BOX[1]}" rx="12" '
        f'fill="{ROOMS[node.room]}"/>',
        text(x, y - 4, node.name, 23, "#ffffff", font_weight="600"),
        text(x, y + 22, node.gives, 15, "#ffffff", fill_opacity="0.88"),
    ]


def arrow(start: Node, end: Node, label: str) -> list[str]:
    """A straight arrow between the facing sides of two boxes."""
    (x1, y1), (x2, y2) = start.middle, end.middle
    along_x, along_y = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    half, gap = (BOX[0] // 2, BOX[1] // 2), 4
    x1, x2 = x1 + along_x * (half[0] + gap), x2 - along_x * (half[0] + gap + 8)
    y1, y2 = y1 + along_y * (half[1] + gap), y2 - along_y * (half[1] + gap + 8)
    lines = [f'<path d="M{x1} {y1} L{x2} {y2}" marker-end="url(#head)"/>']
    if label:
        lines.append(text(x1 - 12, (y1 + y2) // 2 + 6, label, 16, LINE, text_anchor="end"))
    return lines


def legend() -> list[str]:
    """The rooms by colour, in one line above the boxes."""
    lines, x = [], 12
    for room, meaning, length in [
        ("model", "what is computed", 262),
        ("hw", "when and where", 232),
        ("sim", "is it the same?", 0),
    ]:
        lines.append(f'<rect x="{x}" y="15" width="16" height="16" rx="4" fill="{ROOMS[room]}"/>')
        words = f'<tspan font-weight="600">{room}/</tspan> {meaning}'
        lines.append(text(x + 25, 29, words, 17, LINE, text_anchor="start"))
        x += length
    return lines


def butterfly(left: int, top: int, stage: int, lane: int) -> list[str]:
    """Hadamard's matrix of size 8 as three stages of sums (green) and differences (brown)."""
    sums, differences, dots = [], [], []
    for column in range(4):
        x = left + column * stage
        for i in range(8):
            dots.append(f'<circle cx="{x}" cy="{top + i * lane}" r="3.5"/>')
            if column < 3:
                for j in (i, i ^ (4 >> column)):
                    line = f"M{x} {top + j * lane} L{x + stage} {top + i * lane}"
                    # The lower output of a pair takes its lower input away.
                    (differences if i == j and i & (4 >> column) else sums).append(line)
    return [
        f'<path d="{" ".join(sums)}" stroke="{ROOMS["model"]}" stroke-width="2"/>',
        f'<path d="{" ".join(differences)}" stroke="{ROOMS["hw"]}" stroke-width="2"/>',
        f'<g fill="{LINE}">{"".join(dots)}</g>',
    ]


def picture() -> str:
    """The whole drawing."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="{FONT}" role="img" aria-labelledby="title">',
        '<title id="title">train, quantize, export: a program; the golden model interprets it; '
        "with a schedule it becomes a plan and RTL, which is simulated against golden, placed "
        "and reported</title>",
        '<defs><marker id="head" viewBox="0 0 10 10" refX="2" refY="5" markerWidth="5" '
        f'markerHeight="5" orient="auto"><path d="M0 0 L10 5 L0 10 Z" fill="{LINE}"/>'
        "</marker></defs>",
        f'<g stroke="{LINE}" stroke-width="2.5" fill="none">',
    ]
    drawn = [arrow(NODES[start], NODES[end], label) for start, end, label in ARROWS]
    lines += [line for parts in drawn for line in parts if line.startswith("<path")]
    lines.append("</g>")
    lines += [line for parts in drawn for line in parts if line.startswith("<text")]
    lines += [line for node in NODES.values() for line in box(node)]

    lines += legend() + butterfly(24, 196, 104, 18)
    for y, words in [
        (362, "The recurrent matrix is a butterfly:"),
        (386, "8 units, 24 adders, no multiplier."),
        (434, "A schedule changes area and speed,"),
        (458, "never a bit of a result."),
    ]:
        lines.append(text(12, y, words, 17, LINE, text_anchor="start"))
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    target = Path(__file__).with_suffix(".svg")
    target.write_text(picture())
    print(f"wrote {target}")
