"""Linear prediction of order 8 in whole numbers, as GSM's full-rate codec does it on frames of 160 samples.

Written from GSM 06.10 (ETSI EN 300 961), whose clauses are named; the bits are those of the Recommendation.
"""

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.fixed import headroom, product, quotient, rounded_product, saturated

install()

FRAME, ORDER = 160, 8

# Of each log area ratio: slope, offset, and range of its code (table 4.1), and the slope's inverse (table 4.2).
_SLOPE = np.array([20480, 20480, 20480, 20480, 13964, 15360, 8534, 9036])
_OFFSET = np.array([0, 0, 2048, -2560, 94, -1792, -341, -1144])
_MOST = np.array([31, 31, 15, 15, 7, 7, 3, 3])
_INVERSE = np.array([13107, 13107, 13107, 13107, 19223, 17476, 31454, 29708])
_PARTS = np.array([0, 13, 27, 40, FRAME])
"""Where a frame's coefficients change from those of the frame before it to its own."""

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def prepared(pcm, state, out):
    """Fill (160,) with samples freed of their mean and with their upper half raised (4.2.1 to 4.2.3)."""
    for k in range(FRAME):
        given = pcm[k] >> 3 << 2
        step = given - state[0] << 15
        state[0] = given
        high = state[1] >> 15
        step += rounded_product(state[1] - (high << 15), 32735)
        state[1] = min(max(high * 32735 + step, -(1 << 31)), (1 << 31) - 1)
        before = rounded_product(state[2], -28180)
        state[2] = min(state[1] + 16384, (1 << 31) - 1) >> 15
        out[k] = saturated(state[2] + before)


@_compiled
def correlated(x, out):
    """Fill (9,) with the correlation of (160,) with itself; x loses the bits that would not fit (4.2.4)."""
    most = 0
    for k in range(FRAME):
        most = max(most, min(abs(x[k]), 32767))
    shift = 4 - headroom(most << 16) if most else 0
    if shift > 0:
        for k in range(FRAME):
            x[k] = rounded_product(x[k], 16384 >> shift - 1)
    for lag in range(ORDER + 1):
        total = 0
        for k in range(lag, FRAME):
            total += x[k] * x[k - lag]
        out[lag] = total << 1
    if shift > 0:
        for k in range(FRAME):
            x[k] = x[k] << shift


@_compiled
def reflected(correlation, out):
    """Fill (8,) with reflection coefficients from a correlation (9,), by Schur's recursion (4.2.5)."""
    for i in range(ORDER):
        out[i] = 0
    if correlation[0] == 0:
        return
    shift = headroom(correlation[0])
    p, q = np.zeros(ORDER + 1, np.int64), np.zeros(ORDER + 1, np.int64)
    for i in range(ORDER + 1):
        p[i] = correlation[i] << shift >> 16
        q[i] = p[i]
    for n in range(ORDER):
        size = min(abs(p[1]), 32767)
        if p[0] < size:
            return
        r = quotient(size, p[0])
        r = -r if p[1] > 0 else r
        out[n] = r
        p[0] = saturated(p[0] + rounded_product(p[1], r))
        for m in range(1, ORDER - n):
            ahead = p[m + 1]
            p[m] = saturated(ahead + rounded_product(q[m], r))
            q[m] = saturated(q[m] + rounded_product(ahead, r))


@_compiled
def coarse(r, out):
    """Fill (8,) with the log area ratios of (8,) reflection coefficients as a receiver has them (4.2.6 to 4.2.8)."""
    for i in range(ORDER):
        size = min(abs(r[i]), 32767)
        if size < 22118:
            size = size >> 1
        elif size < 31130:
            size -= 11059
        else:
            size = size - 26112 << 2
        ratio = -size if r[i] < 0 else size
        code = saturated(saturated(product(_SLOPE[i], ratio) + _OFFSET[i]) + 256) >> 9
        code = min(max(code, -_MOST[i] - 1), _MOST[i])
        half = rounded_product(_INVERSE[i], saturated((code << 10) - (_OFFSET[i] << 1)))
        out[i] = saturated(2 * half)


@_compiled
def between(before, now, part, out):
    """Fill (8,) with the reflection coefficients of one part of a frame, from log area ratios (4.2.9)."""
    for i in range(ORDER):
        if part == 0:
            ratio = (before[i] >> 2) + (now[i] >> 2) + (before[i] >> 1)
        elif part == 1:
            ratio = (before[i] >> 1) + (now[i] >> 1)
        elif part == 2:
            ratio = (before[i] >> 2) + (now[i] >> 2) + (now[i] >> 1)
        else:
            ratio = now[i]
        ratio = saturated(ratio)
        size = min(abs(ratio), 32767)
        if size < 11059:
            size = size << 1
        elif size < 20070:
            size += 11059
        else:
            size = saturated((size >> 2) + 26112)
        out[i] = -size if ratio < 0 else size


@_compiled
def whitened(x, before, now, state):
    """Take what the past predicts out of (160,), in place (4.2.10)."""
    r = np.zeros(ORDER, np.int64)
    for part in range(4):
        between(before, now, part, r)
        for k in range(_PARTS[part], _PARTS[part + 1]):
            left = along = x[k]
            for i in range(ORDER):
                held = state[i]
                state[i] = along
                along = saturated(held + rounded_product(r[i], left))
                left = saturated(left + rounded_product(r[i], held))
            x[k] = left


@_compiled
def coloured(x, before, now, state):
    """Put it back into (160,), in place (4.3.3)."""
    r = np.zeros(ORDER, np.int64)
    for part in range(4):
        between(before, now, part, r)
        for k in range(_PARTS[part], _PARTS[part + 1]):
            left = x[k]
            for i in range(ORDER - 1, -1, -1):
                left = saturated(left - rounded_product(r[i], state[i]))
                state[i + 1] = saturated(state[i] + rounded_product(r[i], left))
            x[k] = state[0] = left
