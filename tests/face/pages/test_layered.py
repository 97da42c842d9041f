"""Layouts: by hand where there is one right answer, and what must hold of any graph."""

from itertools import pairwise

import numpy as np
import pytest

from sylvan.pages.layered import GAP, Layout, layered

Sizes = dict[str, tuple[float, float]]
Edges = list[tuple[str, str]]


def test_a_chain_is_a_straight_line() -> None:
    sizes = {"a": (40.0, 10.0), "b": (100.0, 30.0), "c": (20.0, 10.0)}
    layout = layered(sizes, [("a", "b"), ("b", "c")])
    assert {round(x, 6) for x, _ in layout.centres.values()} == {50.0}
    assert layout.width == 100.0
    heights = [y for _, y in layout.centres.values()]
    assert heights == sorted(heights)


def test_a_constant_stands_just_above_what_takes_it() -> None:
    sizes = dict.fromkeys("abcdk", (10.0, 10.0))
    layout = layered(sizes, [*pairwise("abcd"), ("k", "d")])
    assert layout.rows["k"] == layout.rows["c"]


def test_edges_that_need_not_cross_do_not() -> None:
    """Sources in an order that crosses: the sweeps mend it."""
    sizes = dict.fromkeys(["a", "b", "c", "x", "y", "z"], (10.0, 10.0))
    layout = layered(sizes, [("a", "z"), ("b", "y"), ("c", "x")])
    across = {name: x for name, (x, _) in layout.centres.items()}
    for upper, lower in ("az", "by", "cx"):
        assert across[upper] == pytest.approx(across[lower])


@pytest.mark.parametrize("count", [0, 1])
def test_the_smallest_graphs(count: int) -> None:
    layout = layered({"a": (30.0, 20.0)} if count else {}, [])
    assert (layout.width, layout.height) == ((30.0, 20.0) if count else (0.0, 0.0))


def random_graph(seed: int) -> tuple[Sizes, Edges]:
    """Nodes of all sizes, in an order that says nothing, and edges that no cycle closes."""
    rng = np.random.default_rng(seed)
    names = [f"n{k}" for k in range(int(rng.integers(2, 30)))]
    edges = [(names[int(rng.integers(k))], names[k]) for k in range(1, len(names))]
    for _ in range(len(names) // 2):
        a, b = sorted(rng.integers(len(names), size=2).tolist())
        if a < b:
            edges.append((names[a], names[b]))
    sizes = {n: (float(rng.integers(10, 200)), float(rng.integers(10, 80))) for n in names}
    return {name: sizes[name] for name in rng.permutation(names).tolist()}, edges


def corners(layout: Layout, sizes: Sizes, name: str) -> tuple[float, float, float, float]:
    (x, y), (width, height) = layout.centres[name], sizes[name]
    return x - width / 2, x + width / 2, y - height / 2, y + height / 2


@pytest.mark.parametrize("seed", range(40))
def test_nothing_overlaps_and_every_edge_goes_down_beside_the_boxes(seed: int) -> None:
    sizes, edges = random_graph(seed)
    layout = layered(sizes, edges)
    boxes = {name: corners(layout, sizes, name) for name in sizes}
    for k, (a, one) in enumerate(boxes.items()):
        assert one[0] + 1e-6 >= 0 and one[1] <= layout.width + 1e-6
        assert one[2] >= 0 and one[3] <= layout.height
        for b, other in list(boxes.items())[k + 1 :]:
            apart = one[1] + GAP <= other[0] + 1e-6 or other[1] + GAP <= one[0] + 1e-6
            assert apart or one[3] < other[2] or other[3] < one[2], (a, b, seed)
    assert set(layout.routes) == set(edges)
    for (start, end), route in layout.routes.items():
        assert route[0] == (layout.centres[start][0], boxes[start][3])
        assert route[-1] == (layout.centres[end][0], boxes[end][2])
        heights = [y for _, y in route]
        assert heights == sorted(heights), (start, end, seed)
        for x, y in route[1:-1]:
            for name, (left, right, top, bottom) in boxes.items():
                assert not (left < x < right and top <= y <= bottom), (start, end, name, seed)
