"""The picture names what the graph has, and refuses what nobody could read."""

from xml.etree import ElementTree

import numpy as np
import pytest
from sylvan.hw.adders import optimize, svg


def test_the_picture_has_a_box_for_everything_and_a_line_for_every_operand() -> None:
    graph = optimize([[1, 1, 4], [1, -1, 0], [0, 0, 0], [-2, 0, 0]])
    root = ElementTree.fromstring(svg(graph))
    tags = [element.tag.rpartition("}")[2] for element in root]
    boxes = graph.inputs + graph.adders + len(graph.outputs)
    assert tags.count("rect") == boxes
    assert tags.count("path") == 2 * graph.adders + 3
    texts = [element.text for element in root if element.tag.endswith("text")]
    assert {"x0", "x2", "y0", "y2 = 0", "<<2", "<<1", "-256..254"} <= set(texts)
    dashed = [element for element in root if element.get("stroke-dasharray")]
    assert len(dashed) == int(graph.subtracts.sum()) + int((graph.output_sign < 0).sum())


def test_a_large_graph_has_no_picture() -> None:
    matrix = np.kron(np.eye(64, dtype=np.int64), [[1, 1, 1, 1], [1, -1, 1, -1]])
    with pytest.raises(ValueError, match=r"at most 200 adders, this graph has \d+"):
        svg(optimize(matrix))
