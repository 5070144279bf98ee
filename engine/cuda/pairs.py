"""Numbers of twice float32's precision, as a pair whose second is what the first leaves: levels, and factors from them.

A level that is off by 1e-7 moves one sample in a thousand over a rounding of 16 bits (Dekker, "A floating-point
technique for extending the available precision", 1971).
"""

from __future__ import annotations

import math

import numpy as np
from numba import cuda

from sliceforge.engine.cuda.launch import SIMULATED, inlined

_ZERO = np.float32(0)


@inlined
def _fused(a, b, c):
    return cuda.fma(a, b, c)


def _plain_fused(a, b, c):
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


fused = _plain_fused if SIMULATED else _fused
"""fused(a, b, c): a · b + c, rounded once."""


@inlined
def total(a, b):
    """The sum of two float32, and what its rounding left."""
    both = a + b
    share = both - a
    return both, (a - (both - share)) + (b - share)


@inlined
def add(a, a_low, b, b_low):
    """The sum of two pairs."""
    both, left = total(a, b)
    return total(both, left + (a_low + b_low))


@inlined
def multiply(a, a_low, b, b_low):
    """The product of two pairs."""
    both = a * b
    return total(both, fused(a, b, -both) + (a * b_low + a_low * b))


@inlined
def divide(a, a_low, b, b_low):
    """The quotient of two pairs, the second of which is not 0."""
    share = a / b
    back, back_low = multiply(share, _ZERO, b, b_low)
    return total(share, (((a - back) - back_low) + a_low) / b)


@inlined
def root(a, a_low):
    """The square root of a pair; 0 of less."""
    side = np.float32(math.sqrt(max(a, _ZERO)))
    low = _ZERO
    if side > _ZERO:
        back, back_low = multiply(side, _ZERO, side, _ZERO)
        low = (((a - back) - back_low) + a_low) / (side + side)
    return total(side, low)
