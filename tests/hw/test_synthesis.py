"""From Verilog to figures: recorded tool output first, then the real tools on a small design."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from sylvan.hw import netlist, synthesis
from sylvan.hw.flow import STALLED, Flow, nextpnr_arguments, stalled
from sylvan.hw.mapping import yosys_script
from sylvan.hw.measured import CELLS, SeedRun, placed, seed_run, utilisation
from sylvan.hw.synthesis import DoesNotFit, reference_verilog, synthesize
from sylvan.hw.targets import TARGETS, target
from sylvan.hw.tools import Stalled, Tool, Workers, find
from sylvan.model.errors import CheckError, UserError

DATA = Path(__file__).parent / "data"
PAIR = DATA / "pair.v"
MODULES = netlist.Modules(PAIR.read_text(), "pair")

#: Needs before packing: pair.v has 4 + 12 bits of accumulators, 4 output registers and a memory.
NEEDS = {
    "ice40": {"luts": 16, "ffs": 20, "carries": 14, "brams": 1, "pins": 10},
    "ecp5": {"luts": 26, "ffs": 20, "carries": 12, "brams": 1, "pins": 10},
}


def recorded(name):
    return json.loads((DATA / name).read_text())


@pytest.mark.parametrize("family", NEEDS)
def test_totals_of_a_netlist(family):
    assert netlist.totals(netlist.read(DATA / f"netlist-{family}.json", "pair")) == NEEDS[family]


@pytest.mark.parametrize("family", NEEDS)
def test_the_longest_chain_is_that_of_the_widest_adder(family):
    design = netlist.read(DATA / f"netlist-{family}.json", "pair")
    assert netlist.longest_chain(design) == 12
    # One in the middle of the chain, which this cuts.
    cell = [cell for cell in design["cells"].values() if cell["type"] in netlist.CHAINS][3]
    cell["connections"][netlist.CHAINS[cell["type"]][0]] = ["0"]
    assert netlist.longest_chain(design) < 12
    design["cells"] = {}
    assert netlist.longest_chain(design) == 0


@pytest.mark.parametrize("family", NEEDS)
def test_figures_by_module_add_up_to_the_whole(family):
    design = netlist.read(DATA / f"netlist-{family}.json", "pair")
    figures = netlist.by_module(design, MODULES)
    assert list(figures) == ["pair", "pair.long", "pair.memory", "pair.short"]
    assert figures["pair.long"]["ffs"] == 12
    assert figures["pair.short"]["ffs"] == 4
    assert figures["pair.memory"] == {"brams": 1}
    whole = {key: count for key, count in NEEDS[family].items() if key != "pins"}
    assert figures["pair"] == whole
    parts = [figures[name] for name in figures if name != "pair"]
    own = {"luts": 0, "brams": 0, "carries": 0, "ffs": 4}  # the register of the output
    assert whole == {key: own[key] + sum(part.get(key, 0) for part in parts) for key in whole}


@pytest.mark.parametrize(
    ("family", "part", "expected"),
    [
        ("ice40", "ice40-up5k", {"luts": 22, "brams": 1, "sprams": 0, "dsps": 0, "pins": 10}),
        ("ecp5", "ecp5-25f", {"luts": 32, "ffs": 20, "brams": 1, "dsps": 0, "pins": 10}),
    ],
)
def test_a_seed_is_read_from_nextpnrs_report(family, part, expected):
    run = seed_run(3, recorded(f"nextpnr-{family}.json"), target(part), {})
    assert run.seed == 3
    assert run.used == expected
    assert run.fmax_mhz == pytest.approx({"ice40": 115.634, "ecp5": 157.953}[family], abs=0.001)


def test_a_design_without_a_path_between_registers_has_no_clock_rate():
    report = recorded("nextpnr-ice40.json") | {"fmax": {}}
    run = seed_run(1, report | {"critical_paths": []}, target("ice40-up5k"), {})
    assert run.fmax_mhz is None and run.path == ()


def test_two_clocks_are_refused():
    report = recorded("nextpnr-ice40.json")
    report["fmax"] |= {"spi": {"achieved": 1.0, "constraint": 12.0}}
    with pytest.raises(CheckError, match=r"one clock expected, nextpnr found clk\S*, spi"):
        seed_run(1, report, target("ice40-up5k"), {})


def test_the_median_seed_counts():
    runs = [SeedRun(s, f, {"luts": 100 + s}) for s, f in ((1, 40.0), (2, 60.0), (3, 44.0))]
    tools = [Tool("yosys", ("yosys",), "0.70"), Tool("nextpnr-ice40", ("n",), "0.11.1")]
    found = placed(runs, {"ffs": 7}, 12, {}, tools)
    assert (found.fmax_mhz, found.luts, found.ffs, found.brams) == (44.0, 102, 7, 0)
    assert found.chain == 12
    assert found.tool_versions == {"yosys": "0.70", "nextpnr-ice40": "0.11.1"}
    assert placed([SeedRun(1, None, {})], {}, 0, {}, tools).fmax_mhz is None


def test_needs_are_read_from_nextpnrs_log():
    log = (DATA / "nextpnr-ice40-full.log").read_text()
    needs = utilisation(log, target("ice40-up5k"))
    assert needs == {"luts": 16095, "brams": 0, "sprams": 0, "dsps": 0, "pins": 6}


@pytest.mark.parametrize(
    ("resource", "needed", "available", "said"),
    [
        ("luts", 16095, 5280, "16095 logic cells, 10815 (204.8%) more than its 5280."),
        ("pins", 40, 39, "40 pins, 1 (2.6%) more than its 39."),
        ("sprams", 2, 0, "2 single-port RAMs, and the part has none."),
        ("luts", 5270, 5280, "5270 of its 5280 logic cells, and nextpnr finds no place for them"),
    ],
)
def test_not_fitting_says_by_how_much(resource, needed, available, said):
    refusal = DoesNotFit("core", target("ice40-up5k"), resource, needed, available)
    assert str(refusal).startswith(f"core does not fit ice40-up5k: it needs {said}")
    assert isinstance(refusal, UserError)


@pytest.mark.parametrize("part", [p for p in TARGETS.values() if p.placed], ids=lambda p: p.name)
def test_no_option_ever_allows_a_dsp_or_emulates_a_collision(part):
    script = yosys_script("core", part, (0, 70))
    assert ("-nodsp" in script) == (part.family == "ecp5")
    assert " -dsp" not in script
    assert "-no-rw-check" in script
    assert "-abc9" not in script
    assert ("-abc9" in yosys_script("core", part, (0, 45))) == (part.family == "ice40")
    arguments = nextpnr_arguments(part, "x", 7, 12e6)
    assert arguments[arguments.index("--seed") + 1] == "7"
    assert arguments[arguments.index("--freq") + 1] == "12"
    assert "--freq" not in nextpnr_arguments(part, "x", 7, None)


# The whole flow with stand-ins for the tools, which answer what the real ones were recorded to.

YOSYS = "shutil.copy({data!r} + '/netlist-ice40.json', 'netlist.json'); open('yosys.log', 'w')"
NEXTPNR = """
name = sys.argv[sys.argv.index('--report') + 1].removesuffix('.json')
seed = int(sys.argv[sys.argv.index('--seed') + 1])
report = json.load(open({data!r} + '/nextpnr-ice40.json'))
report['fmax']['clk'] = dict(report['fmax'].popitem()[1], achieved=[0, 40.0, 60.0, 44.0][seed])
open(name + '.config', 'w').write(f'seed {{seed}}')
open(name + '.log', 'w').write('')
json.dump(report, open(name + '.json', 'w'))
"""
ICEPACK = "shutil.copy(sys.argv[1], sys.argv[2])"


@pytest.fixture
def standins(tmp_path, monkeypatch):
    """Put stand-ins for the tools in PATH; keyword arguments replace what one of them does."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def install(**bodies):
        whole = {"yosys": YOSYS, "nextpnr-ice40": NEXTPNR, "icepack": ICEPACK}
        for name, body in (whole | {k.replace("_", "-"): v for k, v in bodies.items()}).items():
            path = folder / name
            path.write_text(
                f"#!{sys.executable}\nimport json, shutil, sys\n"
                "if '--version' in sys.argv: sys.exit('version 0.80')\n"
                + body.format(data=str(DATA))
            )
            path.chmod(0o755)
        find.cache_clear()

    monkeypatch.setenv("PATH", str(folder))
    install()
    yield install
    find.cache_clear()


def test_the_flow_keeps_the_median_and_packs_the_best(tmp_path, standins):
    out, said = tmp_path / "out", []
    found = synthesize(PAIR, "pair", target("ice40-up5k"), out, progress=said.append)
    assert [run.fmax_mhz for run in found.runs] == [40.0, 60.0, 44.0]
    assert (found.fmax_mhz, found.luts, found.ffs) == (44.0, 22, 20)
    assert found.bitstream == out / "pair.bin"
    assert found.bitstream.read_text() == "seed 2"
    assert found.tool_versions == {"yosys": "0.80", "nextpnr-ice40": "0.80"}
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == [
        "logs",
        *[f"logs/nextpnr-seed-{seed}.log" for seed in (1, 2, 3)],
        "logs/yosys.log",
        "pair.bin",
        "synthesis.json",
    ]
    details = json.loads((out / "synthesis.json").read_text())
    assert details["modules"]["pair.long"]["ffs"] == 12
    assert details["reference_fmax_mhz"] is None
    assert said[0] == "ice40-up5k: yosys maps pair"


@pytest.mark.parametrize(
    ("bodies", "message"),
    [
        ({"yosys": "sys.exit('ERROR: syntax')"}, r"yosys 0.80 failed .*status 1.*\nERROR: syntax"),
        ({"yosys": ""}, r"yosys 0.80 failed on pair for ice40-up5k \(exit status 0\)"),
        ({"nextpnr_ice40": "sys.exit('ERROR: routing')"}, r"nextpnr-ice40 .*\nERROR: routing"),
        (
            {"icepack": "sys.exit(3)"},
            r"icepack in PATH failed on pair .* It said nothing; its log,",
        ),
    ],
)
def test_a_tool_that_fails_is_quoted_and_changes_nothing(tmp_path, standins, bodies, message):
    out = tmp_path / "out"
    out.mkdir()
    (out / "pair.bin").write_text("the old one")
    standins(**bodies)
    with pytest.raises(CheckError, match=f"(?s){message}") as failure:
        synthesize(PAIR, "pair", target("ice40-up5k"), out)
    assert [path.name for path in out.iterdir()] == ["pair.bin"]
    kept_log(failure.value).unlink()


def kept_log(failure):
    """The log that the message names; it is outside the work folder and still there."""
    (log,) = re.findall(r"/\S+/sylvan-pair-\S+\.log", str(failure))
    assert Path(log).is_file()
    return Path(log)


def test_a_kept_log_holds_what_a_quiet_tool_did_and_what_went_wrong(tmp_path, standins):
    body = "name = sys.argv[sys.argv.index('--log') + 1]\n"
    body += "open(name, 'w').write('Info: packing\\n')\nprint('ERROR: no route')\nsys.exit(1)\n"
    standins(nextpnr_ice40=body)
    with pytest.raises(CheckError, match=r"ends:\nInfo: packing\nERROR: no route$") as failure:
        synthesize(PAIR, "pair", target("ice40-up5k"), tmp_path / "out", seeds=(1,))
    log = kept_log(failure.value)
    assert log.read_text().split("\n") == ["Info: packing", "", "ERROR: no route", ""]
    log.unlink()


@pytest.mark.parametrize(
    ("log", "needed"),
    [
        ("Info:  ICESTORM_LC:   16095/   5280   304%\nERROR: no BELs remaining\n", 16095),
        ("Info:  ICESTORM_LC:  5279/ 5280 99%\nERROR: Unable to find legal placement\n", 5279),
    ],
)
def test_a_design_that_nextpnr_cannot_fit(tmp_path, standins, log, needed):
    body = "name = sys.argv[sys.argv.index('--log') + 1]\nopen(name, 'w').write({text!r})\n"
    standins(nextpnr_ice40=body.replace("{text!r}", repr(log)) + "sys.exit(1)")
    with pytest.raises(DoesNotFit) as refusal:
        synthesize(PAIR, "pair", target("ice40-up5k"), tmp_path / "out")
    assert (refusal.value.resource, refusal.value.needed) == ("luts", needed)
    assert refusal.value.available == 5280


def test_what_cannot_be_synthesized_at_all(tmp_path):
    with pytest.raises(UserError, match="target verilog has no part to synthesize for"):
        synthesize(PAIR, "pair", target("verilog"), tmp_path)
    with pytest.raises(UserError, match="there is no Verilog file"):
        synthesize(tmp_path / "none.v", "pair", target("ecp5-25f"), tmp_path)


def test_the_reference_adder_is_measured_once(tmp_path, standins, monkeypatch):
    monkeypatch.setattr(synthesis, "_reference", {})
    found = recorded("netlist-ice40.json")["modules"]["pair"]
    adder = tmp_path / "adder.json"
    adder.write_text(json.dumps({"modules": {"adder": found, "pair": found}}))
    standins(yosys=YOSYS.replace("{data!r} + '/netlist-ice40.json'", repr(str(adder))))
    part = target("ice40-up5k")
    found = synthesize(PAIR, "pair", part, tmp_path / "out", reference_width=12)
    assert found.reference_fmax_mhz == 44.0
    standins(yosys="sys.exit(1)")
    assert synthesis.reference_fmax(12, part) == 44.0
    with pytest.raises(CheckError):
        synthesis.reference_fmax(13, part)


def test_the_reference_adder_has_a_width():
    assert "reg [23:0] operands;" in reference_verilog(12)
    with pytest.raises(UserError, match="an adder has at least 1 bit, not 0"):
        reference_verilog(0)


# The real tools.


FULL = {"ice40-hx8k", "ecp5-45f", "ecp5-85f"}


@pytest.mark.parametrize(
    ("part", "family"),
    [
        pytest.param(p.name, p.family, marks=[pytest.mark.full] if p.name in FULL else [])
        for p in TARGETS.values()
        if p.placed
    ],
)
def test_the_real_tools_place_a_small_design(tmp_path, part, family):
    found = synthesize(PAIR, "pair", target(part), tmp_path / "a folder", seeds=(1,))
    # What is read from the block RAM is registered, on ECP5 in the RAM itself.
    ffs = 16 if family == "ecp5" else 20
    assert (found.ffs, found.brams, found.dsps, found.pins) == (ffs, 1, 0, 10)
    assert NEEDS[family]["luts"] <= found.luts < 2 * NEEDS[family]["luts"]
    assert 20 < found.fmax_mhz < 1000
    (run,) = found.runs
    taken = sum(hop.logic_ns + hop.routing_ns for hop in run.path)
    assert taken == pytest.approx(1000 / found.fmax_mhz, rel=0.02)
    assert {hop.module for hop in run.path} <= {"pair", *found.modules}
    assert found.modules["pair.long"]["ffs"] == 12
    assert found.bitstream.stat().st_size > 10_000
    assert set(found.tool_versions) == {"yosys", f"nextpnr-{family}"}


@pytest.mark.full
@pytest.mark.parametrize("part", [p for p in TARGETS.values() if p.placed], ids=lambda p: p.name)
def test_a_target_has_what_nextpnr_says_it_has(tmp_path, part):
    shutil.copy(PAIR, tmp_path / "design.v")
    with Workers(1) as crew:
        flow = Flow("pair", part, tmp_path, crew, print)
        flow.map()
        flow.place(1, None, {})
    report = json.loads((tmp_path / "nextpnr-seed-1.json").read_text())["utilization"]
    offered = {
        name: report.get(cell, {}).get("available", 0) for name, cell in CELLS[part.family].items()
    }
    listed = {name: getattr(part, name) for name in offered}
    if part.family == "ecp5":
        # The pads of the die, which are at least those that the package brings out.
        assert listed.pop("pins") <= offered.pop("pins")
    assert listed == offered


def router_log(left):
    """Batches of nextpnr's router1, with so many connections left after each."""
    head = "Info:    IterCnt |  w/ripup   wo/ripup |  w/r  wo/r |      arcs| batch(sec) total(sec)|"
    batches = [
        f"Info: {1000 * k:10} | {900 * k:8} {100 * k:10} | 1000     0 | {arcs:9}|  0.28  3.46|"
        for k, arcs in enumerate(left, 1)
    ]
    return "\n".join([head, *batches])


def test_routing_stalls_where_nothing_is_gained():
    assert stalled(router_log([9058, 8334, *[5386] * STALLED]))
    assert not stalled(router_log([9058, 8334, *[5386] * (STALLED - 1)]))
    assert not stalled(router_log([9000 - k % 3 for k in range(3 * STALLED)]))
    assert not stalled("Info: Routing 9908 arcs.\n")


def test_routing_that_stalls_is_tried_with_the_other_router(tmp_path, monkeypatch):
    shutil.copy(PAIR, tmp_path / "design.v")
    said = []
    with Workers(1) as crew:
        flow = Flow("pair", target("ice40-up5k"), tmp_path, crew, said.append)
        flow.map()
        step = flow.step

        def once(tool, arguments, *rest):
            if "--router" not in arguments:
                assert rest[-1]() is False
                raise Stalled("it goes on")
            step(tool, arguments, *rest)

        monkeypatch.setattr(flow, "step", once)
        run = flow.place(1, None, {})
    assert run.fmax_mhz > 1 and any("router2 tries again" in text for text in said)


def test_the_real_tools_refuse_too_many_pins(tmp_path):
    wide = tmp_path / "wide.v"
    wide.write_text(
        "module wide(input clk, input [44:0] i, output reg [44:0] o);\n"
        "  always @(posedge clk) o <= i;\nendmodule\n"
    )
    with pytest.raises(DoesNotFit) as refusal:
        synthesize(wide, "wide", target("ice40-up5k"), tmp_path / "out")
    assert str(refusal.value) == (
        "wide does not fit ice40-up5k: it needs 91 pins, 52 (133.3%) more than its 39."
    )


def test_the_real_yosys_quotes_a_syntax_error(tmp_path):
    broken = shutil.copy(PAIR, tmp_path / "broken.v")
    broken.write_text(PAIR.read_text().replace("kept;", "kept", 1))
    with pytest.raises(CheckError, match=r"(?s)yosys .* failed on pair .*ERROR: syntax error"):
        synthesize(broken, "pair", target("ecp5-25f"), tmp_path / "out")


@pytest.mark.full
@pytest.mark.parametrize("part", ["ice40-up5k", "ecp5-25f"])
@pytest.mark.parametrize("width", [1, 12, 24])
def test_the_real_reference_adder(part, width):
    # From one cell's delay to a carry chain: the wider adder is the slower one.
    assert synthesis.reference_fmax(width, target(part)) > 50
