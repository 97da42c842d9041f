"""Packages: what somebody with Verilog tools and nothing else gets, and what the tools say."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from programs import small, summing
from sylvan.hw import native_yosys
from sylvan.hw.build import build
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import target
from sylvan.model.errors import CheckError, UserError
from sylvan.model.files import parse_json, write_json
from sylvan.model.program import Program
from sylvan.sim.simulators import find_simulator

from sylvan.ip import vectors
from sylvan.ip.lint import WAIVED
from sylvan.ip.package import check_package, write_package

BIN = Path(sys.executable).parent


def made(folder: Path, program: Program, schedule: Schedule, kind: str, axi: bool) -> Path:
    """A package of that build, called sums."""
    build(program, schedule, target("verilog"), folder, axi=axi)
    return write_package(folder, kind, "sums")


@pytest.fixture(name="wrapped", scope="module")
def _wrapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With AXI4-Stream, several transfers and several contexts."""
    schedule = Schedule(20, contexts=3)
    folder = tmp_path_factory.mktemp("wrapped") / "build"
    return made(folder, summing(20, 15, "last"), schedule, "fusesoc", True)


@pytest.fixture(name="plain", scope="module")
def _plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The core alone, every timestep of which is answered."""
    folder = tmp_path_factory.mktemp("plain") / "build"
    return made(folder, summing(20, 15, "every"), Schedule(4), "plain", False)


@pytest.fixture(name="packages")
def _packages(wrapped: Path, plain: Path) -> dict[str, Path]:
    return {"sums_core_axi": wrapped, "sums_core": plain}


def run(*command: object, cwd: Path) -> tuple[int, str]:
    """Exit status and all that a tool said; it finds system tools and Verilator, but no Python."""
    path = os.pathsep.join([str(find_simulator("verilator").folder or ""), "/usr/bin", "/bin"])
    env = {"PATH": path, "HOME": str(cwd)}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def commands(package: Path) -> list[list[str]]:
    """The commands that README.md tells a reader to type."""
    page = (package / "README.md").read_text()
    return [line.split() for line in re.findall(r"^    (.*)$", page, re.MULTILINE)]


def command(package: Path, *begins: str) -> list[str]:
    (found,) = (words for words in commands(package) if words[: len(begins)] == list(begins))
    return found


def icarus(package: Path) -> tuple[int, str]:
    """The testbench as README.md has it run."""
    code, said = run(*command(package, "iverilog"), "-Wall", cwd=package / "sim")
    assert (code, said) == (0, "")
    return run(*command(package, "vvp"), cwd=package / "sim")


def test_its_testbench_passes_and_needs_no_python(
    packages: dict[str, Path], tmp_path: Path
) -> None:
    for module, package in packages.items():
        code, said = icarus(Path(shutil.copytree(package, tmp_path / module)))
        sent = len((package / "sim" / f"{module}_stimulus.hex").read_text().split())
        answered = len((package / "sim" / f"{module}_answers.hex").read_text().split())
        expected = f"PASS: {module}, {sent} transfers sent, {answered} answers equal, in two rounds"
        assert (code, said.splitlines()[0]) == (0, expected)
        assert sent > 100 and answered > 20


def replaced(pattern: str, by: str) -> Callable[[str], str]:
    """The text with the last match of the pattern replaced."""
    return lambda text: re.sub(rf"(?s)^(.*){pattern}", rf"\1{by}", text, count=1)


def turned(text: str, line: int, place: int) -> str:
    """Hexadecimal words with the lowest bit of a digit inverted."""
    words = text.split()
    digits = list(words[line])
    digits[place] = f"{int(digits[place], 16) ^ 1:x}"
    words[line] = "".join(digits)
    return "\n".join(words) + "\n"


SPOILS: dict[str, tuple[str, Callable[[str], str], str]] = {
    "an answer in the vectors": (
        "sim/sums_core_axi_answers.hex",
        lambda text: turned(text, -1, -1),
        "a wrong answer; round 1",
    ),
    "an input in the vectors": (
        "sim/sums_core_axi_stimulus.hex",
        # The last element of the second timestep: four hexadecimal digits a slot.
        lambda text: turned(text, 5, -13),
        "a wrong answer; round 1",
    ),
    "an answer that is missing": (
        "sim/sums_core_axi_answers.hex",
        lambda text: text.partition("\n")[2],
        "a wrong answer; round 1",
    ),
    "arithmetic in the core": (
        "rtl/sums_core.v",
        lambda text: text.replace(" + $signed", " - $signed"),
        "a wrong answer; round 1",
    ),
    "TLAST": (
        "rtl/sums_core_axi.v",
        replaced("assign m_axis_tlast = ", "assign m_axis_tlast = ~"),
        "a wrong answer; round 1",
    ),
    "what is offered under back pressure": (
        "rtl/sums_core_axi.v",
        replaced("assign m_axis_tdata = ", "assign m_axis_tdata = m_axis_tready ^ "),
        "the payload changed before ready came; round 1",
    ),
    "an answer that is not taken": (
        "rtl/sums_core_axi.v",
        replaced(r"\.o_ready\(m_axis_tready\)", ".o_ready(m_axis_tready & ~m_axis_tlast)"),
        "a wrong answer; round 1",
    ),
    "an input that is not taken": (
        "rtl/sums_core_axi.v",
        replaced("assign s_axis_tready = [^;]*;", "assign s_axis_tready = 0;"),
        "nothing moves any more; round 1",
    ),
    "a valid that waits for ready": (
        "rtl/sums_core_axi.v",
        replaced("assign m_axis_tvalid = ", "assign m_axis_tvalid = m_axis_tready & "),
        "nothing moves any more; round 1",
    ),
    "an input that is taken twice after a pause": (
        "rtl/sums_core_axi.v",
        replaced(r"\.i_valid\(([^)]*)\)", r".i_valid(\2 | m_axis_tvalid)"),
        "",
    ),
}


@pytest.mark.parametrize("name", SPOILS)
def test_a_planted_fault_fails(name: str, wrapped: Path, tmp_path: Path) -> None:
    file, spoil, complaint = SPOILS[name]
    package = Path(shutil.copytree(wrapped, tmp_path / "package"))
    before = (package / file).read_text()
    (package / file).write_text(spoil(before))
    assert (package / file).read_text() != before
    code, said = icarus(package)
    assert code == 1 and f"\nFAIL: {complaint}" in f"\n{said}", said


@pytest.mark.full
def test_verilator_runs_it_too(packages: dict[str, Path], tmp_path: Path) -> None:
    for module, package in packages.items():
        place = Path(shutil.copytree(package, tmp_path / module))
        code, said = run(*command(place, "verilator", "--binary"), cwd=place / "sim")
        assert code == 0 and "%Warning" not in said, said
        code, said = run(f"obj_dir/V{module}_tb", cwd=place / "sim")
        assert code == 0 and said.startswith("PASS"), said
        answers = place / "sim" / f"{module}_answers.hex"
        answers.write_text("0\n" + answers.read_text().partition("\n")[2])
        code, said = run(f"obj_dir/V{module}_tb", cwd=place / "sim")
        assert code != 0 and said.startswith("FAIL: a wrong answer"), said


def test_verilator_has_no_warning(packages: dict[str, Path]) -> None:
    for package in packages.values():
        code, said = run(*command(package, "verilator", "--lint-only"), cwd=package)
        assert code == 0 and "%" not in said, said


def test_lint_sees_what_could_be_a_fault(plain: Path, tmp_path: Path) -> None:
    package = Path(shutil.copytree(plain, tmp_path / "package"))
    core = package / "rtl" / "sums_core.v"
    text = core.read_text()
    end = text.index("endmodule", text.index("\nmodule sums_core("))
    faults = "\nreg latch; always @* if (rst) latch = i_valid;\n"
    faults += "wire narrow; assign narrow = {latch, i_first};\n"
    core.write_text((text[:end] + faults + text[end:]).replace(".clk(clk),", "", 1))
    code, said = run(*command(package, "verilator", "--lint-only"), cwd=package)
    found = set(re.findall(r"%Warning-(\w+)", said))
    assert code != 0 and found == {"LATCH", "PINMISSING", "WIDTHTRUNC"}, said


def test_waivers_are_told_with_their_reasons_and_end_with_the_file(
    packages: dict[str, Path],
) -> None:
    for package in packages.values():
        page = (package / "README.md").read_text()
        for file in (package / "rtl").iterdir():
            text = file.read_text()
            off = re.findall(r"verilator lint_off (\w+)", text)
            assert off == list(WAIVED) == re.findall(r"verilator lint_on (\w+)", text)
            assert all(f"| `{rule}` | {WAIVED[rule]} |" in page for rule in off)


def test_yosys_reads_it_without_a_warning(packages: dict[str, Path], tmp_path: Path) -> None:
    for module, package in packages.items():
        sources = " ".join(str(file) for file in sorted((package / "rtl").iterdir()))
        script = tmp_path / f"{module}.ys"
        steps = (
            f"read_verilog {sources}",
            f"hierarchy -check -top {module}",
            "proc",
            "check -assert",
        )
        script.write_text("\n".join(steps))
        done = subprocess.run(
            [sys.executable, "-P", native_yosys.__file__, str(script)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and "Warning" not in done.stdout + done.stderr, done.stdout


def test_fusesoc_simulates_and_lints_it(wrapped: Path, tmp_path: Path) -> None:
    package = Path(shutil.copytree(wrapped, tmp_path / "package"))

    def fusesoc(*words: str) -> tuple[int, str]:
        verilator = find_simulator("verilator").folder
        path = os.pathsep.join([str(verilator or ""), "/usr/bin", "/bin"])
        own = {f"XDG_{kind}_HOME": str(tmp_path) for kind in ("CONFIG", "CACHE", "DATA")}
        done = subprocess.run(
            [BIN / "fusesoc", "--cores-root", ".", "run", *words, "sylvan:rnn:sums"],
            cwd=package,
            env=os.environ | own | {"PATH": path},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    code, said = fusesoc("--target", "sim")
    assert code == 0 and "\nPASS: sums_core_axi" in said, said
    code, said = fusesoc("--target", "lint")
    assert code == 0 and "lint-only" not in said and "%Warning" not in said, said
    code, said = fusesoc("--setup", "--target", "synth")
    assert code == 0, said
    answers = package / "sim" / "sums_core_axi_answers.hex"
    answers.write_text("0\n" + answers.read_text().partition("\n")[2])
    code, said = fusesoc("--target", "sim")
    assert code != 0 and "FAIL: a wrong answer" in said, said


def test_the_picture_shows_what_the_plan_says(plain: Path) -> None:
    tree = parse_json((plain / "doc" / "timing.json").read_text())
    rows = {row["name"]: row for row in tree["signal"] if row}
    width = len(rows["clk"]["wave"])
    assert all(len(row["wave"]) == width for row in rows.values())
    cycles = at(rows["cycle"])
    inputs, answers = at(rows["i_data"]), at(rows["o_data"])
    completed = int(cycles[max(k for k, said in inputs.items() if said == "x0.2")])
    answered = int(cycles[min(k for k, said in answers.items() if said == "y0.0")])
    plan = Plan(summing(20, 15, "every"), Schedule(4))
    assert answered - completed == plan.latency_cycles
    assert list(dict.fromkeys(answers.values())) == ["y0.0", "y0.1", "y0.2", "y1.0", "y1.1", "y1.2"]


def at(row: dict[str, object]) -> dict[int, str]:
    """What a row has written into each of its columns, by the rules of WaveDrom."""
    data, said, found = iter(row["data"]), "", {}  # type: ignore[call-overload]
    for column, state in enumerate(str(row["wave"])):
        said = next(data) if state == "=" else said if state in ".|" else ""
        if said and state != "|":
            found[column] = said
    return found


def test_the_drawing_is_whole_and_needs_no_network(packages: dict[str, Path]) -> None:
    for module, package in packages.items():
        text = (package / "doc" / "timing.svg").read_text()
        root = ElementTree.fromstring(text)
        written = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        tree = parse_json((package / "doc" / "timing.json").read_text())
        for row in (row for row in tree["signal"] if row):
            assert row["name"] in written
            assert set(row.get("data", [])) <= set(written)
        assert f"{module}: two timesteps" in written
        assert "href" not in text and text.count("http") == 1


def test_the_instance_fits_the_module(packages: dict[str, Path], tmp_path: Path) -> None:
    for module, package in packages.items():
        copied = (package / f"{module}_instance.vh").read_text()
        design = tmp_path / "user.v"
        design.write_text(f"module user;\n{copied}endmodule\n")
        sources = sorted((package / "rtl").iterdir())
        code, said = run(
            "iverilog", "-Wall", "-g2005", "-t", "null", design, *sources, cwd=tmp_path
        )
        assert (code, said) == (0, ""), said


def test_the_page_tells_of_every_file_and_port(packages: dict[str, Path]) -> None:
    for module, package in packages.items():
        page = (package / "README.md").read_text()
        files = {str(p.relative_to(package)) for p in package.rglob("*") if p.is_file()}
        assert files == {
            "README.md",
            *re.findall(r"^\| `(.*?)` \| [^|]* \|$", page, re.MULTILINE),
        } - {*WAIVED}
        text = (package / "rtl" / f"{module}.v").read_text()
        (ports,) = re.findall(rf"^module {module}\((.*?)\);", text, re.MULTILINE)
        assert set(ports.split(", ")) == set(re.findall(r"^\| `(\w+)` \| \d", page, re.MULTILINE))


def test_what_was_measured_is_told_and_the_part_is_synthesized_for(
    plain: Path, tmp_path: Path
) -> None:
    assert "Size and speed" not in (plain / "README.md").read_text()
    folder = Path(shutil.copytree(plain.parent, tmp_path / "build"))
    report = parse_json((folder / "report.json").read_text())
    report["target"] = "ecp5-25f"
    report["measured"] |= {"luts": 123, "fmax_mhz": 98.5}
    write_json(folder / "report.json", report)
    package = write_package(folder, "fusesoc", "sums")
    page = (package / "README.md").read_text()
    assert "| on ecp5-25f |  |\n| --- | ---: |\n| LUTs | 123 |\n| fmax, MHz | 98.5 |\n" in page
    assert "arch: ecp5\n" in (package / "sums.core").read_text()


def test_the_same_build_gives_the_same_package(wrapped: Path) -> None:
    before = {p: p.read_bytes() for p in wrapped.rglob("*") if p.is_file()}
    assert write_package(wrapped.parent, "fusesoc", "sums") == wrapped
    assert {p: p.read_bytes() for p in wrapped.rglob("*") if p.is_file()} == before


def test_a_core_that_differs_from_golden_is_not_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(small(), Schedule(2), target("verilog"), tmp_path / "build")
    golden_of = vectors.golden_of

    def wrong(*given: object) -> Callable[..., list[tuple[int, np.ndarray]]]:
        return lambda steps: [(k, y ^ 1) for k, y in golden_of(*given)(steps)]  # type: ignore[arg-type]

    monkeypatch.setattr(vectors, "golden_of", wrong)
    with pytest.raises(CheckError, match="fails its own testbench: FAIL: a wrong answer"):
        write_package(tmp_path / "build", "plain", "sums")
    assert not (tmp_path / "build" / "package").exists()


@pytest.mark.parametrize(
    ("kind", "name", "complaint"),
    [
        ("zip", "sums", "a package is plain or fusesoc, got zip"),
        ("plain", "16k", "underscores; got 16k. Give one with --name"),
        ("plain", "a-b", "underscores; got a-b. Give one with --name"),
    ],
)
def test_what_can_be_no_package_is_refused(kind: str, name: str, complaint: str) -> None:
    with pytest.raises(UserError, match=re.escape(complaint)):
        check_package(kind, name, False)


def test_a_state_port_is_refused(tmp_path: Path) -> None:
    build(small(), Schedule(2, state_port=True), target("verilog"), tmp_path / "build")
    with pytest.raises(UserError, match="no state port: leave out --package, or --state-port"):
        write_package(tmp_path / "build", "plain", "sums")
