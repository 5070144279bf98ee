"""Elementary functions from +, −, ×, ÷ and √ of IEEE doubles, so that a plan is the same on every machine.

Compiled without leave to fuse or reorder, they give the bits of the same formulas in plain Python.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()

_compiled = njit(error_model="numpy", nogil=True, cache=True)


@_compiled
def exp2(x: float) -> float:
    """2ˣ from IEEE operations alone, within 2 ulp: Taylor's series of 2ʳ for |r| ≤ ½, Horner's scheme."""
    whole = np.rint(x)
    r = (x - whole) * 0.6931471805599453
    total = 1.0
    for n in range(14, 0, -1):
        total = 1.0 + total * r / n
    return math.ldexp(total, int(whole))


@_compiled
def log2(x: float) -> float:
    """log₂ x from IEEE operations alone: 2/ln 2 · artanh((m − 1)/(m + 1)) of the mantissa m in [√½, √2)."""
    mantissa, power = math.frexp(x)
    if mantissa < 0.7071067811865476:
        mantissa, power = 2 * mantissa, power - 1
    z = (mantissa - 1) / (mantissa + 1)
    total = 0.0
    for n in range(27, 0, -2):
        total = 1.0 / n + total * z * z
    return power + 2.8853900817779268 * z * total
