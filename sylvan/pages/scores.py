"""How good a trained network is: its learning curves, and its scores by the bits of its state."""

import base64
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sylvan.model.config import CURVES_FILE, METRICS_FILE
from sylvan.model.errors import UserError
from sylvan.model.files import parse_json

from .page import Cell, Html, element, joined, table
from .svg import number, path, picture, text

WIDTH, HEIGHT, LEFT, FOOT = 560.0, 220.0, 60.0, 42.0
PNG = b"\x89PNG"


def load_metrics(run: Path) -> dict[str, Any]:
    """A run's metrics. Raises UserError if it has none, or they are damaged."""
    file = run / METRICS_FILE
    if not file.is_file():
        raise UserError(f"{run} has no {file.name}: the training did not end, or was imported.")
    try:
        metrics = parse_json(file.read_text())
        for key in ("task", "cell", "score_name", "score_unit"):
            if not isinstance(metrics[key], str):
                raise TypeError(f"{key} should be a text")
        metrics["score"], metrics["loss"] = float(metrics["score"]), float(metrics["loss"])
        metrics["integer"] = {int(bits): dict(s) for bits, s in metrics["integer"].items()}
        for told in metrics["integer"].values():
            told["score"] = float(told["score"])
            if told["loss"] is not None:
                told["loss"] = float(told["loss"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UserError(f"{file} is no metrics file: {error!r}") from None
    return dict(metrics)


def curves(run: Path) -> Html:
    """The picture of the training. Raises UserError if there is none."""
    file = run / CURVES_FILE
    content = file.read_bytes() if file.is_file() else b""
    if not content.startswith(PNG):
        raise UserError(f"{run} has no {file.name}: `sylvan train` draws it when a training ends.")
    address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return element("img", src=address, alt="loss and score by epoch", class_="photograph")


def by_state_bits(metrics: Mapping[str, Any]) -> Html:
    """Scores of the integer programs that were exported, beside that of the float network."""
    scores = {bits: told["score"] for bits, told in sorted(metrics["integer"].items())}
    if not scores:
        raise UserError(
            "No integer program was scored yet: `sylvan export RUN --state-bits auto` scores "
            "every width from 6 to 16 bits."
        )
    unit = metrics["score_unit"]
    form = "{:.2f}" if unit == "%" else "{:.4g}"
    rows = [
        [
            Cell("float", kind="number"),
            Cell(metrics["score"], form),
            Cell(metrics["loss"], "{:.3g}"),
        ]
    ]
    for bits in scores:
        told = metrics["integer"][bits]
        rows.append([Cell(bits), Cell(told["score"], form), Cell(told["loss"], "{:.3g}")])
    name = f"{metrics['score_name']}{unit and f', {unit}'}"
    scored = table(["bits of the state", name, "loss"], rows, "scores by bits of the state")
    drawn = _chart(scores, metrics["score"], form, name) if len(scores) > 1 else Html("")
    return joined(drawn, scored)


def _chart(scores: Mapping[int, float], whole: float, form: str, name: str) -> Html:
    """Score by bits as a line of points, and the float score as a level."""
    low, high = min(*scores.values(), whole), max(*scores.values(), whole)
    room = 0.08 * (high - low) or 0.01 * abs(high) or 1.0
    low, high = low - room, high + room
    first, last = min(scores), max(scores)
    width, height = WIDTH - LEFT, HEIGHT - FOOT

    def x(bits: float) -> float:
        return LEFT + 12 + (bits - first) / (last - first) * (width - 24)

    def y(score: float) -> float:
        return 8 + (high - score) / (high - low) * (height - 16)

    grid = []
    for score in _levels(low, high):
        grid.append(path(f"M{number(LEFT)} {number(y(score))}H{number(WIDTH)}", "grid"))
        grid.append(text(LEFT - 8, y(score) + 4, f"{score:g}", "right"))
    level = path(f"M{number(LEFT)} {number(y(whole))}H{number(WIDTH)}", "level")
    said = text(WIDTH, HEIGHT - 5, f"float: {form.format(whole)}", "mark right")
    points = [
        element(
            "g",
            element("title", f"{bits} bits: {form.format(score)}"),
            element("circle", cx=number(x(bits)), cy=number(y(score)), r="4", class_="point"),
            text(x(bits), HEIGHT - 22, str(bits), "label"),
        )
        for bits, score in scores.items()
    ]
    line = "M" + "L".join(f"{number(x(b))} {number(y(s))}" for b, s in scores.items())
    foot = text(LEFT + width / 2, HEIGHT - 5, f"{name}, by bits of the state", "label")
    return picture(
        WIDTH + 8, HEIGHT, f"{name} by bits", *grid, level, path(line, "curve"), *points, said, foot
    )


def _levels(low: float, high: float) -> list[float]:
    """A few round numbers between two."""
    power = 10.0 ** math.floor(math.log10(high - low))
    step = next(s * power for s in (0.2, 0.5, 1.0, 2.0) if (high - low) / (s * power) <= 6)
    return [round(k * step, 12) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
