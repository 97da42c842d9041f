"""The command in this process, and a small run to try it on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Outcome, Sylvan

from sylvan import console
from sylvan.cli.commands import app


@pytest.fixture(name="sylvan")
def _sylvan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sylvan:
    """Runs a command in this process, on a wide console so that no sentence is wrapped."""
    for wide in (console.console, console.complaints):
        monkeypatch.setattr(wide, "_width", 500)

    def run(*arguments: object) -> Outcome:
        code = 0
        try:
            console.run_safely(lambda: app([str(a) for a in arguments]))
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Outcome(code, said.out, said.err)

    return run


@pytest.fixture(name="trained", scope="session")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small run with its program, made by the commands themselves."""
    folder = tmp_path_factory.mktemp("small") / "run"
    small = ["--preset", "digits", "--hidden", "16", "--epochs", "1", "--out", str(folder)]
    for command in (["train", *small], ["export", str(folder), "--state-bits", "10"]):
        with pytest.raises(SystemExit) as ended:
            app(command)
        assert ended.value.code == 0
    yield folder


@pytest.fixture(name="run")
def _run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the small run, to be spoilt."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
