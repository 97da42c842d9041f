"""A cache of their own for these tests: nothing found in it that another run left."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the graphs that a test keeps."""
    monkeypatch.setenv("SYLVAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "adders"


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was searched for is found again."""
    monkeypatch.setattr("sylvan.hw.adders.cache.recall", lambda *given: None)
