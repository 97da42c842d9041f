"""The committed picture is the one that its script draws."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_flow_svg_is_what_flow_py_draws() -> None:
    picture = runpy.run_path(str(DOCS / "flow.py"))["picture"]
    assert picture() == (DOCS / "flow.svg").read_text(), "run: python docs/flow.py"
