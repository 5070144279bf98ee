"""Short buffers on the stack, and loads and stores that LLVM may do sixteen at a time.

A loop that gathers from an array and writes to another one is compiled value by value, for the two might overlap. What
lies on the stack overlaps nothing: stages of a pass hand a part of a row on to each other there.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable
from numba.np import arrayobj

TILE = 1024
"""Pixels of a row that all stages work on before the next ones."""

DEEPEST = 4
"""Channels of an image, at most."""


inline = register_jitable(error_model="numpy", fastmath={"contract"}, forceinline=True, _nrt=False)
"""Makes a plain function part of every compiled one that calls it.

Numba keeps one version of a function: whatever compiles an operator's does it so. A closure over such a one is found
again in Numba's disk cache, unlike one over an `njit`.
"""


def _array(context, builder, kind, data, shape):
    # An array that owns nothing, over what a pointer points to.
    array = context.make_array(kind)(context, builder)
    whole = ir.IntType(64)
    sides = [side if isinstance(side, ir.Value) else ir.Constant(whole, side) for side in shape]
    size = ir.Constant(whole, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    steps = [size]
    for side in reversed(sides[1:]):
        steps.insert(0, builder.mul(steps[0], side))
    arrayobj.populate_array(array, data=data, shape=sides, strides=steps, itemsize=size, meminfo=None)
    return array._getvalue()


@intrinsic
def tile(context):
    """(DEEPEST, TILE) float32 on the caller's stack; nothing is in it yet."""
    kind = types.Array(types.float32, 2, "C")

    def code(context, builder, signature, arguments):
        size = ir.Constant(ir.IntType(64), TILE * DEEPEST)
        return _array(context, builder, kind, cgutils.alloca_once(builder, ir.FloatType(), size=size), (DEEPEST, TILE))

    return kind(), code


@intrinsic
def peek(context, array, at):
    """array.flat[at] of a contiguous array, with a whole number of 32 bits; no bound is checked."""

    def code(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load(builder.gep(data, [builder.sext(arguments[1], ir.IntType(64))], inbounds=True))

    return array.dtype(array, types.int32), code


@intrinsic
def poke(context, array, at, value):
    """array.flat[at] = value, as `peek`."""

    def code(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        at = builder.sext(arguments[1], ir.IntType(64))
        builder.store(arguments[2], builder.gep(data, [at], inbounds=True))
        return context.get_dummy_value()

    return types.void(array, types.int32, array.dtype), code


@intrinsic
def opened(context, address, like, a, b, c):
    """The contiguous array (a, b, c) of the type of another one, that begins at an address."""
    kind = types.Array(like.dtype, 3, "C")

    def code(context, builder, signature, arguments):
        data = builder.inttoptr(arguments[0], context.get_data_type(kind.dtype).as_pointer())
        return _array(context, builder, kind, data, arguments[2:])

    return kind(types.int64, like, types.int64, types.int64, types.int64), code
