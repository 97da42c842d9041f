"""The clock rate of adders in a row, on delays made by hand."""

import pytest
from sylvan.hw import clock
from sylvan.hw.adders import optimize
from sylvan.hw.clock import GraphDelays, Path, fmax_mhz
from sylvan.hw.operators.graph import GraphMatVec
from sylvan.hw.targets import target
from sylvan.model.matrices import sylvester
from sylvan.model.numbers import Format


def test_a_path_is_a_register_and_adders_and_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 + 2 * (0.5 + 0.01 * 20) ns, and 10.4 * (1 / 4)**2 more in a part that is a quarter full."""
    delays = GraphDelays(register=1.0, adder=0.5, way=0.01, full=10.4)
    monkeypatch.setitem(clock.DELAYS, "ecp5", delays)
    part = target("ecp5-25f")
    assert part.ffs is not None
    assert fmax_mhz(Path(2, 400), part.ffs // 4, part) == pytest.approx(1000 / 3.05)
    assert fmax_mhz(Path(2, 400), 0, part) == pytest.approx(1000 / 2.4)
    assert fmax_mhz(Path(2, 400), 0, target("ice40-up5k")) is None


@pytest.mark.parametrize(("levels", "adders"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_the_path_of_an_unrolled_graph(levels: int, adders: int) -> None:
    graph = optimize(sylvester(8), input_bits=4)
    operator = GraphMatVec(graph, [(8, Format(-8, 7))], Format(-64, 56), 1, levels)
    assert operator.path == Path(adders, 8 * (5 + 6 + 7) // 3)
