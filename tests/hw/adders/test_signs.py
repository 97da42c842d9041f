"""Signs of nodes: the matrix stays, what would be negated or borrow does not."""

import numpy as np
import pytest
from sylvan.hw.adders import AdderGraph, optimize
from sylvan.hw.adders.graph import GraphBuilder
from sylvan.hw.adders.signs import arranged
from sylvan.model.arrays import Array

BYTES = [(-128, 127)] * 3


def negated(graph: AdderGraph) -> int:
    return int((graph.output_sign < 0).sum())


def test_a_difference_is_turned() -> None:
    builder = GraphBuilder(BYTES)
    x, y, _ = builder.inputs()
    graph = builder.graph([-builder.add(x, -y)])
    assert negated(graph) == 1 and negated(arranged(graph)) == 0
    assert arranged(graph).matrix().tolist() == [[-1, 1, 0]]


def test_a_sum_is_turned_by_way_of_its_operand() -> None:
    """-((x - y) + z) is (y - x) - z: neither node saves anything by itself."""
    builder = GraphBuilder(BYTES)
    x, y, z = builder.inputs()
    graph = builder.graph([-builder.add(builder.add(x, -y), z)])
    assert negated(graph) == 1 and negated(arranged(graph)) == 0
    assert arranged(graph).matrix().tolist() == [[-1, 1, -1]]


def test_a_sum_of_inputs_cannot_be_turned() -> None:
    builder = GraphBuilder(BYTES)
    x, y, _ = builder.inputs()
    assert negated(arranged(builder.graph([-builder.add(x, y)]))) == 1


def test_the_shifted_operand_is_the_one_subtracted() -> None:
    """4 x - y as -(y - 4 x), whose two low bits pass, where a later sum takes either sign."""
    builder = GraphBuilder(BYTES)
    x, y, z = builder.inputs()
    graph = builder.graph([builder.add(z, builder.add(x << 2, -y))])
    assert graph.shift_a[0] == 2 and graph.subtracts[0]
    turned = arranged(graph)
    assert turned.shift_b[0] == 2 and turned.subtracts[0]
    assert turned.matrix().tolist() == [[4, -1, 1]] and negated(turned) == 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (7, 9), (16, 16)])
def test_the_matrix_and_the_adders_stay(shape: tuple[int, int], seed: int) -> None:
    matrix: Array = np.random.default_rng([seed, *shape]).integers(-5, 5, shape)
    graph = optimize(matrix, input_bits=4)
    turned = arranged(graph)
    turned.check(matrix)
    assert (turned.adders, turned.depth) == (graph.adders, graph.depth)
    assert negated(turned) <= negated(graph)
