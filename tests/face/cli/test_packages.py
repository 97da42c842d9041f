"""`sylvan build --axi` and `--package`: what is written where, and what is refused."""

from pathlib import Path

import pytest
from commands import Sylvan
from programs import small
from sylvan.model.storage import save


def test_a_package_with_axi_is_built(
    sylvan: Sylvan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Paths as users type them: relative to where they are.
    monkeypatch.chdir(tmp_path)
    program, out = save(small(), Path("program")), Path("sums")
    built = sylvan("build", program, "--target", "verilog", "--out", out)
    assert built.code == 0 and not (out / "core_axi.v").exists()
    before = (out / "core.v").read_bytes()
    asked = "build", program, "--target", "verilog", "--axi", "--package", "fusesoc"
    built = sylvan(*asked, "--out", out)
    assert built.code == 0, built.error
    assert f"AXI4-Stream around the core: {out / 'core_axi.v'}" in built.out
    assert f"package, which passed its own testbench: {out / 'package'}" in built.out
    assert (out / "core.v").read_bytes() == before
    assert (out / "package" / "sums.core").is_file()
    assert (out / "package" / "rtl" / "sums_core_axi.v").is_file()
    built = sylvan(*asked[:-1], "plain", "--name", "other", "--out", out)
    assert built.code == 0, built.error
    assert sorted(file.name for file in (out / "package" / "rtl").iterdir()) == [
        "other_core.v",
        "other_core_axi.v",
    ]
    assert sylvan("sim", out, "--sequences", 2).code == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--axi", "--state-port"], "no AXI4-Stream: leave out --axi, or --state-port"),
        (["--package", "zip"], "a package is plain or fusesoc, got zip"),
        (["--package", "plain", "--name", "8x"], "got 8x. Give one with --name"),
        (["--package", "plain", "--state-port"], "leave out --package, or --state-port"),
        (["--name", "sums"], "--name is that of a package: give --package as well, or neither"),
    ],
)
def test_what_cannot_be_is_refused(
    options: list[str], complaint: str, sylvan: Sylvan, tmp_path: Path
) -> None:
    program, out = save(small(), tmp_path / "program"), tmp_path / "sums"
    ended = sylvan("build", program, "--target", "verilog", *options, "--out", out)
    assert ended.code == 2 and complaint in ended.error
    assert not out.exists()
