"""Short buffers on the stack, and loads and stores that LLVM may do sixteen at a time.

A loop that gathers from an array and writes to another one is compiled value by value, for the two might overlap. What
lies on the stack overlaps nothing: stages of a pass hand a part of a row on to each other there.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

TILE = 256
"""Pixels of a row that all stages work on before the next ones."""

DEEPEST = 4
"""Channels of an image, at most."""


inline = register_jitable(error_model="numpy", fastmath={"contract"}, forceinline=True)
"""Makes a plain function part of every compiled one that calls it.

Numba keeps one version of a function: whatever compiles an operator's does it so. A closure over such a one is found
again in Numba's disk cache, unlike one over an `njit`.
"""


@intrinsic
def tile(context):  # type: ignore[no-untyped-def]
    """A pointer to TILE · DEEPEST float32 on the caller's stack, for `numba.carray`; nothing is in it yet."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return cgutils.alloca_once(builder, ir.FloatType(), size=ir.Constant(ir.IntType(64), TILE * DEEPEST))

    return types.CPointer(types.float32)(), code


@intrinsic
def peek(context, array, at):  # type: ignore[no-untyped-def]
    """array.flat[at] of a contiguous array, with a whole number of 32 bits; no bound is checked."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load(builder.gep(data, [builder.sext(arguments[1], ir.IntType(64))], inbounds=True))

    return array.dtype(array, types.int32), code


@intrinsic
def poke(context, array, at, value):  # type: ignore[no-untyped-def]
    """array.flat[at] = value, as `peek`."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        at = builder.sext(arguments[1], ir.IntType(64))
        builder.store(arguments[2], builder.gep(data, [at], inbounds=True))
        return context.get_dummy_value()

    return types.void(array, types.int32, array.dtype), code


def _address(kind: types.Type) -> Any:
    @intrinsic
    def pointer(context, address):  # type: ignore[no-untyped-def]
        """A whole number as a pointer, for `numba.carray`."""

        def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), code

    return pointer


bytes_at, floats_at = _address(types.uint8), _address(types.float32)
