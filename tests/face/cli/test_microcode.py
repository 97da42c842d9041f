"""`sylvan build --microcode`: built, simulated, handed over, spoken to; what is refused."""

from pathlib import Path

import pytest
from commands import Sylvan
from linked_builds import remembering, write_linked_build
from programs import small
from sylvan.hw.report import load_report
from sylvan.model.builder import Builder
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program
from sylvan.model.storage import save


def test_a_microprogram_is_built_handed_over_and_simulated(
    sylvan: Sylvan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package's own testbench sees the wrapper, cocotb the core."""
    monkeypatch.setattr("sylvan.ip.vectors.WORK", 5_000_000)
    program, out = save(small(), tmp_path / "program"), tmp_path / "sums"
    asked = "build", program, "--target", "verilog", "--microcode"
    built = sylvan(*asked, "--axi", "--package", "fusesoc", "--out", out)
    assert built.code == 0, built.error
    assert "package, which passed its own testbench" in built.out
    assert "a microprogram" in (out / "package" / "README.md").read_text()
    told = sylvan("sim", out, "--simulator", "icarus", "--sequences", 3)
    assert told.code == 0 and "measured as planned: " in told.out, told.error
    assert load_report(out / "report.json")["schedule"]["microcode"] is True
    told = sylvan("report", out)
    assert told.code == 0, told.error
    assert f"--target ecp5-25f --microcode --out {tmp_path / 'ecp5-25f'}\n" in told.out
    built = sylvan(*asked, "--package", "plain", "--out", out)
    assert built.code == 0, built.error
    assert not (out / "core_axi.v").exists() and (out / "package").is_dir()


def test_the_twin_of_a_microprogram_answers_as_golden(sylvan: Sylvan, tmp_path: Path) -> None:
    program = remembering(2, "every")
    build = write_linked_build(tmp_path / "build", program, lanes=1, microcode=True)
    rows = tmp_path / "rows.csv"
    rows.write_text("1,2\n3,-4\n5,6\n")
    done = sylvan("host", build, "--port", "sim", "--csv", rows, "--check")
    assert done.code == 0 and "every answer equals the golden model's" in done.error, done.error


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--lanes", 2), "a microprogram has one adder of words: it cannot have more than one la"),
        (("--digit", 3), "it cannot have digits"),
        (("--digit", 0), "a digit has at least 1 bit, got 0"),
        (("--levels", 2), "it cannot have adders in a row"),
        (("--contexts", 2), "it cannot have several contexts"),
        (("--logic-roms",), "it cannot have constants in logic"),
        (("--dsps",), "it cannot have DSP blocks"),
        (("--state-port",), "it cannot have a state port"),
        (("--rate", "1k"), "--rate chooses the schedule: leave out --microcode, or --rate"),
    ],
)
def test_what_a_microprogram_cannot_have_is_refused(
    options: tuple[object, ...], said: str, sylvan: Sylvan, tmp_path: Path
) -> None:
    program, out = save(small(), tmp_path / "program"), tmp_path / "out"
    asked = "build", program, "--target", "ecp5-25f", "--microcode"
    ended = sylvan(*asked, *options, "--out", out)
    assert ended.code == 2 and said in ended.error
    assert not out.exists()


def labels() -> Program:
    """More is made of a label than the answer."""
    b = Builder(NumericInput(4, Format.signed_bits(5), (1.0,) * 4, (0.0,) * 4))
    label = b.argmax(b.input, name="label")
    return b.program(b.layer("choosing", b.neg(label)), "every")


def test_what_it_has_no_words_for_is_named(sylvan: Sylvan, tmp_path: Path) -> None:
    program = save(labels(), tmp_path / "program")
    ended = sylvan(
        "build", program, "--target", "verilog", "--microcode", "--out", tmp_path / "out"
    )
    assert ended.code == 2 and "label: in a microprogram an argmax is the answer" in ended.error
