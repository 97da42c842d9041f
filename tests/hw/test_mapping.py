"""Families that are mapped and not placed: figures derived by hand, and a whole program."""

import json
import re
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from sylvan.hw.build import build
from sylvan.hw.cost import block_rams
from sylvan.hw.mapping import Mapper, yosys_script
from sylvan.hw.measured import DoesNotFit
from sylvan.hw.netlist import control_tiles, totals
from sylvan.hw.plan import Plan
from sylvan.hw.report import load_report
from sylvan.hw.schedule import Schedule
from sylvan.hw.synthesis import synthesize
from sylvan.hw.targets import TARGETS, Target, target
from sylvan.hw.tools import Workers
from sylvan.model.errors import CheckError, UserError
from sylvan.model.storage import load

DATA = Path(__file__).parent / "data"
KINDS = DATA / "kinds.v"
DIGITS = Path(__file__).parents[2] / "gallery" / "digits"
SYNTHESIZED = [part for part in TARGETS.values() if part.mapped and not part.placed]

#: kinds.v by module. A carry chain of Xilinx is whole slices. 16 words of 4 bits are one memory of
#: four LUTs, six of Gowin, and the register of what is read belongs to what reads it, as does a
#: delay of one LUT. A parity of six bits is one LUT of six inputs, or a tree of three.
BY_HAND = {
    "xilinx": {
        "kinds.adder": {"carries": 12, "ffs": 12, "luts": 12},
        "kinds.few": {"luts": 4},
        "kinds.many": {"brams": 1},
        "kinds.parity": {"ffs": 1, "luts": 1},
        "kinds": {"brams": 1, "carries": 12, "ffs": 12 + 4 + 1, "luts": 12 + 4 + 1 + 1},
    },
    "gowin": {
        "kinds.adder": {"carries": 12, "ffs": 12, "luts": 12},
        "kinds.few": {"luts": 6},
        "kinds.many": {"brams": 1},
        "kinds.line": {"ffs": 16},
        "kinds.parity": {"ffs": 1, "luts": 3},
        "kinds": {"brams": 1, "carries": 12, "ffs": 12 + 4 + 16 + 1, "luts": 12 + 6 + 3},
    },
}
NAMES = {"xilinx": "xilinx-7a35t", "gowin": "gowin-gw1n9"}


@pytest.mark.parametrize("part", SYNTHESIZED, ids=lambda part: part.name)
def test_no_option_allows_pads_or_a_dsp_that_nobody_asked_for(part: Target) -> None:
    assert "-nodsp" not in yosys_script("core", part, (0, 70), dsps=True)
    script = yosys_script("core", part, (0, 70))
    assert " -nodsp " in script and " -noiopad" in script
    assert f"-family {part.device} " in script
    assert ("-no-rw-check" in script) == (part.family == "gowin")
    assert ("-nowidelut" in script) == (part.family == "gowin")
    assert "-abc9" not in script
    older = yosys_script("core", part, (0, 45))
    assert ("-abc9 " in older) == ("-nodsp" in older) == (part.family == "xilinx")


@pytest.mark.parametrize("family", BY_HAND)
def test_figures_derived_by_hand(family: str, tmp_path: Path) -> None:
    said: list[str] = []
    out = tmp_path / "a folder"
    found = synthesize(KINDS, "kinds", target(NAMES[family]), out, progress=said.append)
    assert found.modules == BY_HAND[family]
    whole = BY_HAND[family]["kinds"]
    assert (found.luts, found.ffs, found.brams) == (whole["luts"], whole["ffs"], whole["brams"])
    assert (found.dsps, found.sprams, found.pins) == (0, 0, 75)
    assert found.fmax_mhz is None and found.bitstream is None and found.runs == ()
    assert set(found.tool_versions) == {"yosys"}
    assert said == [f"{NAMES[family]}: yosys maps kinds"]
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*"))
    assert written == ["logs", "logs/yosys.log", "synthesis.json"]
    assert json.loads((out / "synthesis.json").read_text())["reference_fmax_mhz"] is None


def test_what_does_not_fit_is_refused_though_nothing_is_placed(tmp_path: Path) -> None:
    part = replace(target("gowin-gw1n9"), ffs=32)
    with pytest.raises(DoesNotFit) as refusal:
        synthesize(KINDS, "kinds", part, tmp_path)
    assert str(refusal.value) == (
        "kinds does not fit gowin-gw1n9: it needs 33 flip-flops, 1 (3.1%) more than its 32."
    )
    assert not list(tmp_path.iterdir())


def test_a_failure_of_yosys_is_quoted(tmp_path: Path) -> None:
    broken = tmp_path / "broken.v"
    broken.write_text(KINDS.read_text().replace("a + b;", "a + b", 1))
    message = r"(?s)yosys .* failed on kinds for gowin-gw1n9 .* and ends:.*ERROR: syntax"
    with pytest.raises(CheckError, match=message) as failure:
        synthesize(broken, "kinds", target("gowin-gw1n9"), tmp_path / "out")
    (kept,) = re.findall(r"Its log is (\S+) and ends", str(failure.value))
    Path(kept).unlink()


def test_pins_are_of_no_use_to_a_part_that_is_not_placed(tmp_path: Path) -> None:
    part = target("xilinx-7a35t")
    with pytest.raises(UserError) as refusal:
        synthesize(KINDS, "kinds", part, tmp_path, constraints=Path("arty.xdc"))
    assert str(refusal.value) == (
        "arty.xdc names pins, and target xilinx-7a35t is not placed on any"
    )


#: Width and depth: on either side of where a block RAM is worth its place, and one of several rows.
SHAPES = ((16, 16), (16, 128), (24, 128), (48, 64), (48, 96), (72, 32), (104, 16), (32, 320))


def memories() -> str:
    """Verilog of a memory of each shape, side by side in the module `top`."""
    ends = list(accumulate(width for width, _ in SHAPES))
    cells, modules = [], []
    for k, (width, depth) in enumerate(SHAPES):
        top, address = width - 1, (depth - 1).bit_length() - 1
        cells.append(
            f"  \\top.m{k} m{k} (clk, read[{address}:0], write[{address}:0], i[{top}:0], "
            f"o[{ends[k] - 1}:{ends[k] - width}]);"
        )
        modules.append(
            f"module \\top.m{k} (input clk, input [{address}:0] read, write, input [{top}:0] i, "
            f"output reg [{top}:0] o);\n  reg [{top}:0] words [0:{depth - 1}];\n"
            "  always @(posedge clk) begin words[write] <= i; o <= words[read]; end\nendmodule"
        )
    head = f"input clk, input [8:0] read, write, input [103:0] i, output [{ends[-1] - 1}:0] o"
    return "\n".join([f"module top({head});", *cells, "endmodule", *modules])


@pytest.mark.parametrize("part", [*NAMES.values(), "ecp5-25f"])
def test_the_estimate_knows_what_becomes_block_ram(part: str, tmp_path: Path) -> None:
    (tmp_path / "design.v").write_text(memories())
    with Workers(1) as crew:
        mapper = Mapper("top", target(part), tmp_path, crew, print)
        modules = mapper.by_module(mapper.map())
    found = [modules[f"top.m{k}"].get("brams", 0) for k in range(len(SHAPES))]
    assert found == [block_rams(width, depth, target(part)) for width, depth in SHAPES]
    assert 0 in found and 1 in found


@pytest.mark.parametrize("family", [pytest.param("xilinx", marks=pytest.mark.full), "gowin"])
def test_memories_of_a_program_stay_memories(family: str, tmp_path: Path) -> None:
    """Large ones are block RAM, and no memory becomes flip-flops."""
    program, schedule, out = load(DIGITS), Schedule(1), tmp_path / "built"
    report = build(program, schedule, target(NAMES[family]), out)
    assert load_report(out / "report.json") == report
    assert report["measured"]["fmax_mhz"] is None and report["efficiency"] is None
    modules: dict[str, Any] = json.loads((out / "synthesis.json").read_text())["modules"]
    for name, cost in Plan(program, schedule).cost.items():
        bits = sum(width * depth for width, depth in cost.memories)
        read = sum(width for width, _ in cost.memories)
        found = modules[f"core.{name}"]
        if bits:
            assert found["ffs"] <= 2 * (cost.register_bits + read), name
        if len(cost.memories) == 1 and bits > 3000:
            assert found["brams"] == 1 and found["luts"] < 80, name
    measured, estimate = report["measured"], report["estimate"]
    assert measured["brams"] == modules["core"]["brams"] >= 2
    assert 0.8 < estimate["luts"] / measured["luts"] < 1.25


def test_registers_with_enables_of_their_own_fill_tiles(tmp_path: Path) -> None:
    """With 560 groups of four a UP5K has 560 of 660 tiles begun, and half of its cells used."""
    groups = 560
    (tmp_path / "design.v").write_text(
        f"module many(input clk, input d, output o); reg [{4 * groups}:0] r; integer k;\n"
        f"reg [{groups - 1}:0] e; assign o = r[{4 * groups}];\n"
        "always @(posedge clk) begin e <= {e, d}; r[0] <= d;\n"
        f"for (k = 0; k < {groups}; k = k + 1) if (e[k]) r[4*k+1 +: 4] <= r[4*k +: 4];\n"
        "end endmodule\n"
    )
    part = target("ice40-up5k")
    said: list[str] = []
    with Workers(1) as crew:
        design = Mapper("many", part, tmp_path, crew, said.append).map()
    assert said[1:] == ["ice40-up5k: many has too many enables, yosys maps it again"]
    assert not [cell for cell in design["cells"].values() if "SB_DFFE" in cell["type"]]
    assert control_tiles(design) <= -(-5 * groups // 8) + 1
    larger = replace(part, luts=2 * (part.luts or 0))
    with Workers(1) as crew:
        design = Mapper("many", larger, tmp_path, crew, said.append).map()
    assert len(said) == 3 and control_tiles(design) == groups + -(-groups // 8)


@pytest.mark.parametrize("name", ["ice40-up5k", "ecp5-25f", "xilinx-7a35t", "gowin-gw1n9"])
def test_what_yosys_lost_is_mapped_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no wire kept; where that does not help it is no design."""
    adder = "module two(input clk, input signed [9:0] a, b, output reg signed [9:0] o = 0);"
    kept = "(* keep *) wire signed [9:0] sum = a + b; always @(posedge clk) o <= sum;"
    (tmp_path / "design.v").write_text(f"{adder} {kept} endmodule\n")
    said: list[str] = []

    def mapped(*lost: bool) -> dict[str, int]:
        left = list(lost)
        monkeypatch.setattr(Mapper, "_lost", lambda mapper: left.pop(0))
        with Workers(1) as crew:
            return totals(Mapper("two", target(name), tmp_path, crew, said.append).map())

    once = mapped(False, False)
    assert said == [f"{name}: yosys maps two"]
    assert mapped(True, False) == once
    assert said[-1] == f"{name}: yosys lost a sum of two and maps it again"
    with pytest.raises(CheckError, match=f"found two drivers of a wire of two for {name}"):
        mapped(True, True)
