"""The table of results says what the metrics say: means over seeds, a dash for the unknown."""

import importlib.util
import json
from pathlib import Path
from typing import Any

from sylvan.model.config import Config

SCRIPT = Path(__file__).parents[2] / "docs" / "results.py"
SPEC = importlib.util.spec_from_file_location("results", SCRIPT)
assert SPEC is not None and SPEC.loader is not None
results = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(results)


def finished(folder: Path, config: Config, **metrics: Any) -> None:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config.tree()))
    common = {"score_name": "accuracy", "score_unit": "%", "seconds_training": 10.0, "integer": {}}
    (folder / "metrics.json").write_text(json.dumps(common | metrics))


def test_rows_are_means_over_seeds(tmp_path: Path) -> None:
    size = {"storage_bits": 8000, "additions_per_step": 1234}
    for seed, score in ((0, 90.0), (1, 92.0)):
        integer = {"12": {"score": score - 0.5} | size, "10": {"score": score - 2} | size}
        config = Config("digits", hidden=256, block=64, seed=seed)
        finished(tmp_path / f"digits-block-{seed}", config, score=score, integer=integer)
    words = Config("ptb", cell="lstm", hidden=1024, cell_options={"weights": "float"})
    finished(
        tmp_path / "ptb-0", words, score=1.3254, score_name="bits per character", score_unit=""
    )
    (tmp_path / "unfinished-0").mkdir()
    lines = results.page(results.read(tmp_path)).splitlines()
    assert lines[-2:] == [
        "| digits-block | hadamrnn 256, blocks of 64 | accuracy, % | 2 | 91.00 (90.00 to 92.00) "
        "| 90.50 | 89.00 | - | 1,000 | 1,234 | 10 |",
        "| ptb | lstm 1024, weights float | bits per character | 1 | 1.325 | - | - | - | - | - "
        "| 10 |",
    ]
