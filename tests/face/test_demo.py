"""The demo, apart from its figures, which `make demo` writes."""

from pathlib import Path


def test_the_demo_deletes_nothing_but_its_own(tmp_path: Path) -> None:
    from sylvan.demo import clear

    (tmp_path / "dense" / "old").mkdir(parents=True)
    (tmp_path / "summary.json").write_text("{}")
    (tmp_path / "thesis").write_text("precious")
    clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]
