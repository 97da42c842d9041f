"""Toggles are counted within the core, once a net, without the clock, between two resets."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"
HEADER = """\
$timescale 1ns $end
 $scope module sylvan_harness $end
  $var wire 1 ! clk $end
  $var wire 1 " rst $end
  $var wire 8 # held [7:0] $end
  $scope module core $end
   $var wire 1 ! clk $end
   $var wire 1 " rst $end
   $var wire 4 $ $1 [3:0] $end
   $var wire 4 $ alias [3:0] $end
   $scope module part $end
    $var wire 1 % strobe $end
   $upscope $end
  $upscope $end
 $upscope $end
$enddefinitions $end
"""
BEFORE = '#0\n0!\n1"\nb0 #\nbxxxx $\n0%\n#1\n1%\nb1111 $\n'
RUN = '#2\n1!\n0"\nb1010 $\n#3\n0!\nb11111111 #\n1%\n#4\nb101 $\n0%\n'
AFTER = '#5\n1"\n#6\nb0 $\n1%\n'


@pytest.fixture(scope="module")
def toggles() -> Iterator[ModuleType]:
    sys.path.append(str(BENCH))
    try:
        yield importlib.import_module("toggles")
    finally:
        sys.path.remove(str(BENCH))


def test_bits_that_change_in_the_core_are_counted(toggles: ModuleType, tmp_path: Path) -> None:
    """1111 to 1010 is two bits, 1010 to 0101 four, and the strobe falls; so does the reset."""
    waves = tmp_path / "waves.vcd"
    waves.write_text(HEADER + BEFORE + RUN + AFTER)
    assert toggles.first_run(waves) == 2 + 4 + 1 + 1
    waves.write_text(HEADER + BEFORE + RUN.replace("b101 $", "b100 $") + AFTER)
    assert toggles.first_run(waves) == 2 + 3 + 1 + 1


def test_a_waveform_without_a_second_reset_is_refused(toggles: ModuleType, tmp_path: Path) -> None:
    waves = tmp_path / "waves.vcd"
    waves.write_text(HEADER + BEFORE + RUN)
    with pytest.raises(ValueError, match="holds no whole run between two resets"):
        toggles.first_run(waves)
