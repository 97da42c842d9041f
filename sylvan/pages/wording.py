"""How a page words what a program is made of: formats, values, operations."""

import numpy as np

from sylvan.model.matrices import Dense, Hadamard, Matrix
from sylvan.model.numbers import Format
from sylvan.model.operations import Operation, Value
from sylvan.model.operations.constants import Lookup, MatVec
from sylvan.model.operations.moves import Narrow, Slice

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(exp: int) -> str:
    """2 to that power, as it is read."""
    return f"2{str(exp).translate(RAISED)}"


def format_words(format: Format) -> str:
    """`s12·2⁻⁴`: signed, 12 bits, and what a raw 1 stands for."""
    kind = "s" if format.signed else "u"
    return f"{kind}{format.width}" + (f"·{power(format.exp)}" if format.exp else "")


def value_words(value: Value) -> str:
    """How many elements, and their format."""
    return f"{value.size} \N{MULTIPLICATION SIGN} {format_words(value.format)}"


def interval_words(value: Value) -> str:
    """A value's interval in full, for whoever points at it."""
    unit = f", times {power(value.format.exp)}" if value.format.exp else ""
    return (
        f"{value.name}: {value.size} element{'s' * (value.size > 1)} "
        f"in [{value.format.lo:,}, {value.format.hi:,}]{unit}"
    )


def operation_words(operation: Operation) -> str:
    """An operation and what tells it from others of its kind, in a few words."""
    said = operation.kind.replace("_", " ")
    if isinstance(operation, MatVec):
        return f"{said} {matrix_words(operation.matrix)}"
    if isinstance(operation, Lookup):
        return f"{said} of {operation.table.shape[1]}"
    if isinstance(operation, Slice):
        return f"{said} {operation.start} to {operation.stop - 1}"
    if isinstance(operation, Narrow):
        return f"{said} {operation.rounding.value.replace('_', ' ')}, {operation.overflow.value}"
    return said


def matrix_words(matrix: Matrix) -> str:
    """A matrix by its structure and size."""
    rows, columns = matrix.shape
    if isinstance(matrix, Hadamard):
        return f"Hadamard {rows}" + f", blocks of {matrix.block}" * (matrix.block < rows)
    kind = matrix.kind
    if isinstance(matrix, Dense):
        least, largest = int(matrix.weights.min()), int(matrix.weights.max())
        zeros = bool(np.any(matrix.weights == 0))
        if max(-least, largest) <= 1:
            kind = "ternary" if zeros else "binary"
        else:
            kind = f"{Format(least, largest).width}-bit"
    return f"{kind} {rows} \N{MULTIPLICATION SIGN} {columns}"
