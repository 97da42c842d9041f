"""JSON is read as it may be written: finite numbers only; and what a message quotes is bounded."""

import json
from pathlib import Path

import pytest
from sylvan.model.errors import LONGEST_MESSAGE, UserError, shortened
from sylvan.model.files import parse_json, write_json


def test_what_is_written_is_read(tmp_path: Path) -> None:
    tree = {"a": [1, -2.5, None, True, "ü"], "b": {"c": 1e308}}
    write_json(tmp_path / "it.json", tree)
    assert parse_json((tmp_path / "it.json").read_text()) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[NaN]", "NaN is no finite number"),
        ('{"a": -Infinity}', "-Infinity is no finite number"),
        ("1e999", "1e999 is no finite number"),
        ("[-1e400]", "-1e400 is no finite number"),
        ("[" * 200_000, "it is nested too deeply"),
        ("{", "Expecting property name"),
        ("1" * 5000, "Exceeds the limit"),
        (f"{'1' * 5000}.0", r"^1{120}\.\.\.1{38}\.0 is no finite number"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_json(text)


def test_a_message_stays_one_that_can_be_read() -> None:
    said = str(UserError(f"a.json has version {'x' * 100_000}, this Sylvan reads version 1"))
    assert len(said) <= LONGEST_MESSAGE + 3
    assert said.startswith("a.json has version xx") and said.endswith(
        "xx, this Sylvan reads version 1"
    )
    assert shortened("x" * 160) == "x" * 160
    assert shortened(json.dumps(list(range(100)))).endswith(
        "..." + json.dumps(list(range(100)))[-40:]
    )
