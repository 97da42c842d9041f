"""The adder-bit floor: what a recurrence costs at the least, however it is scheduled."""

from sylvan.model.matrices import Hadamard, Matrix
from sylvan.model.numbers import Format
from sylvan.model.operations.arithmetic import Lerp, Mul
from sylvan.model.operations.constants import MatVec
from sylvan.model.operations.phased import PhasedMatVec
from sylvan.model.program import Layer, Program

from .adders import optimize


def floor_adder_bits(program: Program) -> int | None:
    """Full-adder cells that one timestep's recurrence cannot do without.

    The adder graphs of the recurrent matrices of all layers, plus one add per state element at the
    state's width. None for programs that multiply elementwise, or by another matrix in each phase.
    """
    floors = [_floor_of(layer) for layer in program.layers]
    known = [floor for floor in floors if floor is not None]
    return sum(known) if len(known) == len(floors) else None


def _floor_of(layer: Layer) -> int | None:
    recurrent = {state.value.name for state in layer.states}
    total = sum(s.value.size * s.value.format.width for s in layer.states)
    for node in layer.body:
        if not recurrent & {v.name for v in node.operands}:
            continue
        recurrent.add(node.result.name)
        operation = node.operation
        if isinstance(operation, Mul | Lerp | PhasedMatVec):
            return None
        if isinstance(operation, MatVec):
            total += graph_bits(operation.matrix, node.operands[0].format)
    return total


def graph_bits(matrix: Matrix, operand: Format) -> int:
    """Full-adder cells of the matrix's adder graph; a transform's are known without drawing it."""
    if isinstance(matrix, Hadamard):
        return sum(len(matrix.signs) * (operand.width + stage) for stage in range(matrix.stages))
    ends = [(operand.lo, operand.hi)] * matrix.shape[1]
    return optimize(matrix.dense(), intervals=ends, interruptible=False).adder_bits
