"""Vectors of LANES numbers for compiled loops: to numba what intrinsics are to C.

numba leaves vectors to LLVM's guess, and LLVM guesses only at the innermost loop: it neither holds
sums in registers nor shuffles lanes. Here a row of LANES numbers is a value, `load` and `store`
move it, and the rest computes on it; LLVM maps it to whatever registers the processor has, and sums
come in the order that is written. `compiled` is the decorator of all such loops.
"""

import contextlib
import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.core.caching import FunctionCache
from numba.extending import intrinsic, models, register_model

LANES = 16
STAMP = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


class Cache(FunctionCache):
    """Compiles again when this file changes; numba itself looks at the loop's own file only."""

    def _index_key(self, signature: Any, codegen: Any) -> Any:
        return (*super()._index_key(signature, codegen), STAMP)


def compiled(function: Callable[..., Any]) -> Any:
    """Compiled at the first call, kept beside its file or in the user's cache where there is one.

    "contract" allows multiply-adds and nothing else: no sum changes its order. A compiled function
    may call those of its own file only, or the cache would miss a change.
    """
    loop: Any = numba.njit(nogil=True, fastmath={"contract"}, error_model="numpy")(function)
    # It raises in a read-only installation without a home: compiled once per process then.
    with contextlib.suppress(RuntimeError):
        loop._cache = Cache(function)
    return loop


class Vector(types.Type):
    """LANES numbers of one type in a register (or two, where registers are shorter)."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """Stands for an LLVM vector."""

    def __init__(self, manager: Any, kind: Vector) -> None:
        element = manager.lookup(kind.dtype).get_value_type()
        super().__init__(manager, kind, ir.VectorType(element, LANES))


FUSED = ("contract",)


def _pointer(context: Any, builder: Any, array: Any, value: Any, index: Any) -> Any:
    data = context.make_array(array)(context, builder, value=value).data
    kind = ir.VectorType(context.get_value_type(array.dtype), LANES)
    return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())


def _aligned(context: Any, array: Any) -> int:
    return int(context.get_abi_sizeof(context.get_value_type(array.dtype)))


def _spread(builder: Any, scalar: Any) -> Any:
    kind = ir.VectorType(scalar.type, LANES)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, _int(0))
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), _order([0] * LANES))


def _int(value: int) -> Any:
    return ir.Constant(ir.IntType(32), value)


def _order(lanes: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), LANES), lanes)


def _shuffled(builder: Any, vector: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), _order(lanes))


@intrinsic
def load(typing, array, index):
    def code(context, builder, signature, values):
        pointer = _pointer(context, builder, signature.args[0], *values)
        return builder.load(pointer, align=_aligned(context, signature.args[0]))

    return Vector(array.dtype)(array, types.intp), code


@intrinsic
def store(typing, array, index, vector):
    def code(context, builder, signature, values):
        pointer = _pointer(context, builder, signature.args[0], *values[:2])
        builder.store(values[2], pointer, align=_aligned(context, signature.args[0]))
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), code


@intrinsic
def zeros(typing, array):
    """A vector of zeros of the array's type."""

    def code(context, builder, signature, values):
        return ir.Constant(context.get_value_type(signature.return_type), None)

    return Vector(array.dtype)(array), code


@intrinsic
def add(typing, a, b):
    def code(context, builder, signature, values):
        return builder.fadd(*values, flags=FUSED)

    return a(a, b), code


@intrinsic
def fma(typing, scalar, a, b):
    """`scalar * a + b`."""

    def code(context, builder, signature, values):
        wide = _spread(builder, values[0])
        return builder.fadd(builder.fmul(wide, values[1], flags=FUSED), values[2], flags=FUSED)

    return a(a.dtype, a, b), code


@intrinsic
def dot(typing, a, b, total):
    """`a * b + total`, lane by lane."""

    def code(context, builder, signature, values):
        return builder.fadd(builder.fmul(*values[:2], flags=FUSED), values[2], flags=FUSED)

    return a(a, a, a), code


@intrinsic
def relu_of_sum(typing, a, scalar):
    """`max(a + scalar, 0)`; what is no number stays none, as in torch."""

    def code(context, builder, signature, values):
        shifted = builder.fadd(values[0], _spread(builder, values[1]), flags=FUSED)
        zero = ir.Constant(shifted.type, None)
        return builder.select(builder.fcmp_ordered("<", shifted, zero), zero, shifted)

    return a(a, a.dtype), code


@intrinsic
def where_positive(typing, feature, value):
    """`value` where `feature > 0`, else 0."""

    def code(context, builder, signature, values):
        zero = ir.Constant(values[0].type, None)
        return builder.select(builder.fcmp_ordered(">", values[0], zero), values[1], zero)

    return value(feature, value), code


@intrinsic
def total(typing, a):
    """The sum over the lanes, as a balanced tree."""

    def code(context, builder, signature, values):
        vector, half = values[0], LANES // 2
        while half:
            other = _shuffled(builder, vector, [(k + half) % LANES for k in range(LANES)])
            vector, half = builder.fadd(vector, other), half // 2
        return builder.extract_element(vector, _int(0))

    return a.dtype(a), code


@intrinsic
def maximum(typing, a, b):
    def code(context, builder, signature, values):
        return builder.select(builder.fcmp_ordered(">", *values), *values)

    return a(a, b), code


@intrinsic
def exp_of_difference(typing, a, b):
    """`exp(a - b)` for a <= b, to the last bit or two; below the smallest normal number, that.

    `exp(x) = 2^k exp(x - k ln 2)`, and a Taylor series that is exact to 2^-53 for |x| <= ln(2) / 2.
    """

    def code(context, builder, signature, values):
        kind = values[0].type
        double = kind.element == ir.DoubleType()
        whole = ir.VectorType(ir.IntType(64 if double else 32), LANES)
        low, mantissa, bias = (-708.0, 52, 1023) if double else (-87.0, 23, 127)
        # ln 2 in two parts, so that k times the first is exact.
        high = 0.693147180369123816490 if double else 0.693359375

        def wide(value, of=kind):
            return ir.Constant(of, [value] * LANES)

        def multiply_add(p, q, r):
            return builder.fadd(builder.fmul(p, q, flags=FUSED), r, flags=FUSED)

        x = builder.fsub(*values)
        x = builder.select(builder.fcmp_ordered("<", x, wide(low)), wide(low), x)
        half_down = multiply_add(x, wide(1 / math.log(2)), wide(-0.5))
        k = builder.fptosi(half_down, whole)  # towards zero, that is up
        floating = builder.sitofp(k, kind)
        x = multiply_add(floating, wide(-high), x)
        x = multiply_add(floating, wide(high - math.log(2)), x)
        series = wide(1 / math.factorial(13 if double else 7))
        for power in range(12 if double else 6, -1, -1):
            series = multiply_add(series, x, wide(1 / math.factorial(power)))
        bits = builder.shl(builder.add(k, wide(bias, whole)), wide(mantissa, whole))
        return builder.fmul(series, builder.bitcast(bits, kind))

    return a(a, b), code


def _butterflies(radix: int) -> Any:
    """In place on rows first, first + stride, ...: `radix` rows times S_radix, in registers."""

    @intrinsic
    def turn(typing, array, first, stride):
        def code(context, builder, signature, values):
            kind, aligned = signature.args[0], _aligned(context, signature.args[0])
            step = builder.mul(values[2], ir.Constant(values[2].type, LANES))
            index, pointers = builder.mul(values[1], ir.Constant(values[1].type, LANES)), []
            for _ in range(radix):
                pointers.append(_pointer(context, builder, kind, values[0], index))
                index = builder.add(index, step)
            rows = [builder.load(pointer, align=aligned) for pointer in pointers]
            half = 1
            while half < radix:
                for i in range(radix):
                    if not i & half:
                        a, b = rows[i], rows[i + half]
                        rows[i], rows[i + half] = builder.fadd(a, b), builder.fsub(a, b)
                half *= 2
            for row, pointer in zip(rows, pointers, strict=True):
                builder.store(row, pointer, align=aligned)
            return context.get_dummy_value()

        return types.void(array, types.intp, types.intp), code

    return turn


def _within(size: int) -> Any:
    """`(I (x) S_size)` on the lanes of one vector, size <= LANES."""

    @intrinsic
    def turn(typing, vector):
        def code(context, builder, signature, values):
            result, half = values[0], 1
            while half < size:
                other = _shuffled(builder, result, [k ^ half for k in range(LANES)])
                signs = [-1.0 if k & half else 1.0 for k in range(LANES)]
                product = builder.fmul(result, ir.Constant(result.type, signs), flags=FUSED)
                result, half = builder.fadd(product, other, flags=FUSED), half * 2
            return result

        return vector(vector), code

    return turn


turn2, turn4, turn8, turn16 = (_butterflies(radix) for radix in (2, 4, 8, 16))
within2, within4, within8, within16 = (_within(size) for size in (2, 4, 8, 16))
