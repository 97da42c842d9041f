"""The clock rate of adders in a row, on delays made by hand."""

import pytest
from sylvan.hw import clock
from sylvan.hw.adders import optimize
from sylvan.hw.clock import Delays, Path, fmax_mhz
from sylvan.hw.operators.graph import GraphMatVec
from sylvan.hw.targets import target
from sylvan.model.matrices import sylvester
from sylvan.model.numbers import Format


def test_a_path_is_a_register_and_adders_and_the_widest_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """1 + 2 * (0.5 + 0.01 * 20) + 10 * 0.06 ns."""
    delays = Delays(register=1.0, adder=0.5, way=0.01, bit=0.06)
    monkeypatch.setitem(clock.DELAYS, "ecp5", delays)
    assert fmax_mhz(Path(2, 10), 400, target("ecp5-25f")) == pytest.approx(1000 / 3)
    assert fmax_mhz(Path(2, 10), 400, target("ice40-up5k")) is None


@pytest.mark.parametrize(("levels", "adders"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_the_path_of_an_unrolled_graph(levels: int, adders: int) -> None:
    graph = optimize(sylvester(8), input_bits=4)
    operator = GraphMatVec(graph, Format(-8, 7), Format(-64, 56), 1, levels)
    assert operator.path == Path(adders, 7)
