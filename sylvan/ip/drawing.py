"""WaveDrom's JSON as SVG: the few shapes that pictures of an interface need, without a network."""

from typing import Any
from xml.sax.saxutils import escape

WIDE, HIGH, STEP, SLANT = 34, 18, 28, 3
"""Of a column; of a wave; from a row to the next; of an edge."""
CHARACTER = 6.6
MARGIN = 14

_STYLE = (
    "text{font:11px monospace;fill:#1a1a1a}.name{text-anchor:end}.in,.gap{text-anchor:middle}"
    "path{fill:none;stroke:#1a1a1a}.bus{fill:#e8eef7}.unknown{fill:#d8d8d8;stroke:none}"
    ".edge{stroke:#d0d0d0;stroke-dasharray:2 2}rect{fill:#fff}"
)


def svg(tree: dict[str, Any]) -> str:
    """The picture of {"signal": [{"name", "wave", "data"}, ...], "head": {"text"}}."""
    rows = tree["signal"]
    names = max(len(row.get("name", "")) for row in rows) * CHARACTER + 2 * MARGIN
    columns = max(len(row.get("wave", "")) for row in rows)
    width, height = names + columns * WIDE + MARGIN, len(rows) * STEP + 3 * MARGIN
    top = 2.0 * MARGIN
    edges = "".join(
        f'<path class="edge" d="M{names + k * WIDE:g} {top:g}V{height - MARGIN:g}"/>'
        for k in range(columns)
    )
    drawn = "".join(_row(row, names, top + k * STEP) for k, row in enumerate(rows))
    title = escape(tree["head"]["text"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{title}">'
        f'<style>{_STYLE}</style><rect width="100%" height="100%"/>'
        f'<text x="{names:g}" y="{MARGIN + 2}">{title}</text>{edges}{drawn}</svg>\n'
    )


def _row(row: dict[str, Any], left: float, top: float) -> str:
    """A row: its name, a shape for each stretch of a state, marks where cycles are left out."""
    if "wave" not in row:
        return ""
    text = f'<text class="name" x="{left - 6:g}" y="{top + 13:g}">{escape(row["name"])}</text>'
    wave, data = row["wave"], iter(row.get("data", []))
    begins = [k for k, state in enumerate(wave) if state not in ".|"]
    level = None
    for begin, end in zip(begins, [*begins[1:], len(wave)], strict=True):
        x, wide = left + begin * WIDE, (end - begin) * WIDE
        match wave[begin]:
            case "p":
                text += _clock(x, top, end - begin)
            case "0" | "1":
                text += _level(x, top, wide, wave[begin], level)
            case "x":
                text += f'<path class="unknown" d="M{x:g} {top:g}h{wide:g}v{HIGH}h{-wide:g}z"/>'
            case "=":
                text += _bus(x, top, wide, next(data))
        level = wave[begin]
    gaps = (left + (k + 0.5) * WIDE for k, state in enumerate(wave) if state == "|")
    return text + "".join(_gap(x, top) for x in gaps)


def _clock(x: float, top: float, periods: int) -> str:
    half = WIDE / 2
    period = f"v{-HIGH}h{half:g}v{HIGH}h{half:g}"
    return f'<path d="M{x:g} {top + HIGH:g}{period * periods}"/>'


def _level(x: float, top: float, wide: float, level: str, before: str | None) -> str:
    here, other = (top, top + HIGH) if level == "1" else (top + HIGH, top)
    begin = (
        f"M{x:g} {other:g}L{x + SLANT:g} {here:g}" if before in ("0", "1") else f"M{x:g} {here:g}"
    )
    return f'<path d="{begin}H{x + wide:g}"/>'


def _bus(x: float, top: float, wide: float, inside: str) -> str:
    middle, end = top + HIGH / 2, x + wide
    shape = (
        f"M{x:g} {middle:g}L{x + SLANT:g} {top:g}H{end - SLANT:g}L{end:g} {middle:g}"
        f"L{end - SLANT:g} {top + HIGH:g}H{x + SLANT:g}z"
    )
    place = f'x="{x + WIDE / 2:g}" y="{top + 13:g}"'
    return f'<path class="bus" d="{shape}"/><text class="in" {place}>{escape(inside)}</text>'


def _gap(x: float, top: float) -> str:
    """Two strokes through the row."""
    back = f'<rect x="{x - 4:g}" y="{top - 3:g}" width="8" height="{HIGH + 6}"/>'
    stroke = f"v{HIGH + 6}"
    return f'{back}<path d="M{x - 4:g} {top - 3:g}{stroke}M{x + 4:g} {top - 3:g}{stroke}"/>'
