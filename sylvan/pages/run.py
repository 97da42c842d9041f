"""The page of a training run: what was trained, how that went, and what fewer bits cost."""

from pathlib import Path

from sylvan.model.config import CONFIG_FILE, Config
from sylvan.model.errors import UserError
from sylvan.model.files import parse_json

from .build import STYLES, section
from .page import Cell, Html, page, table
from .scores import by_state_bits, curves, load_metrics


def run_page(run: Path) -> bytes:
    """The page of a run's folder; what cannot be shown is left out, with a sentence why."""
    sections = [
        section("Scores by bits of the state", lambda: by_state_bits(load_metrics(run))),
        section("Learning curves", lambda: curves(run)),
        section("What was trained", lambda: _settings(run)),
    ]
    return page(f"Run {run.name}", [_lead(run)], sections, styles=STYLES)


def _lead(run: Path) -> str:
    try:
        metrics = load_metrics(run)
    except UserError as error:
        return str(error)
    unit = metrics["score_unit"]
    score = f"{metrics['score']:.2f} %" if unit == "%" else f"{metrics['score']:.4g} {unit}".strip()
    return f"{metrics['cell']} on {metrics['task']}: {metrics['score_name']} {score} on test data."


def _settings(run: Path) -> Html:
    file = run / CONFIG_FILE
    try:
        config = Config.from_tree(parse_json(file.read_text()), file)
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read: {error}") from None
    tree = config.tree()
    del tree["version"]
    return table(
        ["setting", "value"], [[Cell(k), Cell(str(v))] for k, v in tree.items()], "settings"
    )
