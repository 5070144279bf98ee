"""Sixteen float32 that one instruction works on at once: loads, sums, products, sixteen rows turned into columns.

LLVM turns a loop into such code only where it can prove that no store meets a later load. In a Fourier transform in
place it cannot, hence this type, `lanes` for short: values of it live in compiled functions alone.
"""

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import PrimitiveModel
from numba.extending import intrinsic, overload, register_model

WIDTH = 16
_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
_INDEX = ir.VectorType(ir.IntType(32), WIDTH)


class Lanes(types.Type):
    """The Numba type of sixteen float32."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANES = Lanes()


@register_model(Lanes)
class LanesModel(PrimitiveModel):
    """How it is held: one LLVM vector."""

    def __init__(self, manager, kind):
        super().__init__(manager, kind, _VECTOR)


def _place(context, builder, kind, array, at):
    # The array's first value and `at` further on, as a pointer to sixteen.
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer())


@intrinsic
def load(typing, array, at):
    """Sixteen values of a contiguous float32 array from flat position `at` on; no bound is checked."""

    def code(context, builder, signature, arguments):
        return builder.load(_place(context, builder, signature.args[0], *arguments), align=4)

    return LANES(array, types.int64), code


@intrinsic
def store(typing, array, at, value):
    """Write sixteen values to a contiguous float32 array from flat position `at` on; no bound is checked."""

    def code(context, builder, signature, arguments):
        builder.store(arguments[2], _place(context, builder, signature.args[0], *arguments[:2]), align=4)
        return context.get_dummy_value()

    return types.void(array, types.int64, LANES), code


def _splat(builder, scalar):
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), ir.Constant(_INDEX, [0] * WIDTH))


@intrinsic
def splat(typing, value):
    """The same float32 sixteen times."""
    return LANES(types.float32), lambda context, builder, signature, arguments: _splat(builder, arguments[0])


@intrinsic
def repeat(typing, array, at):
    """One value of a contiguous float32 array, sixteen times; no bound is checked."""

    def code(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return _splat(builder, builder.load(builder.gep(data, [arguments[1]])))

    return LANES(array, types.int64), code


def _binary(name):
    @intrinsic
    def both(typing, a, b):
        def code(context, builder, signature, arguments):
            return getattr(builder, name)(*arguments, flags=("contract",))

        return LANES(LANES, LANES), code

    return both


def _overload(symbol, name):
    both = _binary(name)

    @overload(symbol, inline="always")
    def lanes(a, b):
        if isinstance(a, Lanes) and isinstance(b, Lanes):
            return lambda a, b: both(a, b)
        return None


for _symbol, _name in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _overload(_symbol, _name)


def _called(name, count):
    # An LLVM function on vectors, such as llvm.maxnum.
    def code(context, builder, signature, arguments):
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * count)
        function = cgutils.get_or_insert_function(builder.module, kind, f"{name}.v{WIDTH}f32")
        return builder.call(function, arguments)

    return code


@intrinsic
def larger(typing, a, b):
    """The larger of each two."""
    return LANES(LANES, LANES), _called("llvm.maxnum", 2)


@intrinsic
def smaller(typing, a, b):
    """The smaller of each two."""
    return LANES(LANES, LANES), _called("llvm.minnum", 2)


@intrinsic
def size(typing, a):
    """Absolute values."""
    return LANES(LANES), _called("llvm.fabs", 1)


@intrinsic
def rounded(typing, a):
    """The nearest whole numbers, half to even."""
    return LANES(LANES), _called("llvm.rint", 1)


@intrinsic
def lane(typing, a, at):
    """One of the sixteen."""

    def code(context, builder, signature, arguments):
        return builder.extract_element(*arguments)

    return types.float32(LANES, types.int64), code


def _turned(builder, rows):
    # Four rounds of exchanging blocks of 1, 2, 4 and 8 between pairs of rows.
    for block in (1, 2, 4, 8):
        low = [i + WIDTH - block if i & block else i for i in range(WIDTH)]
        high = [i + WIDTH if i & block else i + block for i in range(WIDTH)]
        for i in range(WIDTH):
            if not i & block:
                pair = rows[i], rows[i + block]
                rows[i] = builder.shuffle_vector(*pair, ir.Constant(_INDEX, low))
                rows[i + block] = builder.shuffle_vector(*pair, ir.Constant(_INDEX, high))
    return rows


@intrinsic
def turn(typing, source, at, stride, target, to, stride_to):
    """Read sixteen rows of sixteen at `at`, `at + stride`, … and write their columns at `to`, `to + stride_to`, …"""

    def code(context, builder, signature, arguments):
        source, at, stride, target, to, stride_to = arguments
        rows = []
        for _ in range(WIDTH):
            rows.append(builder.load(_place(context, builder, signature.args[0], source, at), align=4))
            at = builder.add(at, stride)
        for row in _turned(builder, rows):
            builder.store(row, _place(context, builder, signature.args[3], target, to), align=4)
            to = builder.add(to, stride_to)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(source, whole, whole, target, whole, whole), code
