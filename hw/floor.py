"""The adder-bit floor: what a recurrence costs at the least, however it is scheduled."""

from sylvan.model.matrices import Hadamard
from sylvan.model.operations.arithmetic import Lerp, Mul
from sylvan.model.operations.constants import MatVec
from sylvan.model.program import Layer


def floor_adder_bits(layer: Layer) -> int | None:
    """Full-adder cells that one timestep's recurrence cannot do without.

    The fast transforms of the recurrent matrices, plus one add per state element at the state's
    width. None for programs that multiply elementwise, or whose recurrent matrices have no known
    graph.
    """
    recurrent = {state.value.name for state in layer.states}
    total = sum(s.value.size * s.value.format.width for s in layer.states)
    for node in layer.body:
        if not recurrent & {v.name for v in node.operands}:
            continue
        recurrent.add(node.result.name)
        operation = node.operation
        if isinstance(operation, Mul | Lerp):
            return None
        if isinstance(operation, MatVec):
            if not isinstance(operation.matrix, Hadamard):
                return None
            width = node.operands[0].format.width
            stages = range(operation.matrix.stages)
            total += sum(node.result.size * (width + stage) for stage in stages)
    return total
