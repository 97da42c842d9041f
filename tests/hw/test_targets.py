"""The table of parts, and what a name that is not in it is told."""

import pytest
from sylvan.hw.targets import TARGETS, target
from sylvan.model.errors import UserError

MAPPED = [part for part in TARGETS.values() if part.mapped]


def test_the_names_that_users_type():
    assert list(TARGETS) == [
        "verilog",
        "ice40-up5k",
        "ice40-hx8k",
        "ecp5-25f",
        "ecp5-45f",
        "ecp5-85f",
        "xilinx-7a35t",
        "xilinx-7a100t",
        "xilinx-7z020",
        "gowin-gw1n9",
        "gowin-gw2a18",
    ]
    assert all(target(name) is TARGETS[name] for name in TARGETS)


def test_verilog_is_no_part():
    part = target("verilog")
    assert not part.mapped and not part.placed
    assert part.luts is part.brams is part.pins is part.dsps is None


@pytest.mark.parametrize("part", MAPPED, ids=lambda part: part.name)
def test_a_part_counts_everything(part):
    assert part.family == part.name.split("-")[0]
    assert min(part.luts, part.ffs, part.brams) >= 26
    assert min(part.sprams, part.dsps) >= 0
    assert part.bram_bits % part.bram_width == 0
    assert (part.speed == "6") == (part.family == "ecp5")


def test_a_part_that_is_not_placed_has_no_package():
    for part in MAPPED:
        assert part.placed == (part.family in ("ice40", "ecp5"))
        assert (part.pins is not None) == (part.package is not None) == part.placed
        assert not part.placed or part.pins >= 30


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ice40-up5", "ice40-up5k"),
        ("ECP5-25F", "ecp5-25f"),
        ("hx8k", "ice40-hx8k"),
        ("7a35t", "xilinx-7a35t"),
    ],
)
def test_an_unknown_target_is_told_the_nearest(name, meant):
    with pytest.raises(UserError) as refusal:
        target(name)
    assert str(refusal.value) == (
        f"there is no target {name!r}; did you mean {meant}? Known: verilog, ice40-up5k, "
        "ice40-hx8k, ecp5-25f, ecp5-45f, ecp5-85f, xilinx-7a35t, xilinx-7a100t, xilinx-7z020, "
        "gowin-gw1n9, gowin-gw2a18."
    )


def test_nothing_like_a_target_is_told_the_known_ones_only():
    with pytest.raises(UserError, match=r"^there is no target ''. Known: verilog, "):
        target("")
