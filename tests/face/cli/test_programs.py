"""Commands about programs."""

import json
from pathlib import Path

from commands import Sylvan


def test_the_width_may_be_chosen(sylvan: Sylvan, run: Path) -> None:
    ended = sylvan("export", run, "--state-bits", "auto", "--tolerance", 3)
    assert ended.code == 0 and "16 bits" in ended.out and "widths.png" in ended.out
    bits = json.loads((run / "program" / "program.json").read_text())["metadata"]["state_bits"]
    assert f"integer with {bits}-bit state" in ended.out and 6 <= bits < 16
    for wrong in (["--state-bits", "many"], ["--state-bits", 12, "--tolerance", 1]):
        assert sylvan("export", run, *wrong).code == 2
