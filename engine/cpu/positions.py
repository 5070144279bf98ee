"""Where the pixels of a part of a row lie in the source: straight lines, matrices, and the mirror at the border."""

from __future__ import annotations

import numpy as np

from sliceforge.engine.cpu.tile import inline
from sliceforge.kernels.approx import rounded

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@inline
def start(px, py, count, x0, y):
    for t in range(count):
        px[t] = np.float32(np.int32(x0 + np.int32(t)))
        py[t] = np.float32(y)


@inline
def line_of(m, x0, y):
    # Where a part of a row begins through an affine matrix, reckoned in doubles, and how it goes on.
    left, top = np.float32(m[0] * x0 + m[1] * y + m[2]), np.float32(m[3] * x0 + m[4] * y + m[5])
    return left, top, np.float32(m[0]), np.float32(m[3])


@inline
def affine(m):
    return m[6] == 0 and m[7] == 0 and m[8] == 1


@inline
def start_on(px, py, count, line):
    left, top, a, d = line
    for t in range(count):
        px[t] = a * np.float32(np.int32(t)) + left
        py[t] = d * np.float32(np.int32(t)) + top


@inline
def carry(px, py, count, m):
    # Positions through one matrix, nine numbers.
    a, b, c = np.float32(m[0]), np.float32(m[1]), np.float32(m[2])
    d, e, f = np.float32(m[3]), np.float32(m[4]), np.float32(m[5])
    g, h, i = np.float32(m[6]), np.float32(m[7]), np.float32(m[8])
    if affine(m):
        for t in range(count):
            x, y = px[t], py[t]
            px[t] = a * x + (b * y + c)
            py[t] = d * x + (e * y + f)
    else:
        for t in range(count):
            x, y = px[t], py[t]
            scale = _ONE / (g * x + (h * y + i))
            px[t] = (a * x + (b * y + c)) * scale
            py[t] = (d * x + (e * y + f)) * scale


@inline
def mirrored(x, period):
    # reflect_101 of a position: the row goes on as its mirror image, ends not repeated, with a period of 2 · size − 2.
    x = abs(x - period * rounded(x * (_ONE / period) - _HALF))
    return min(x, period - x)


@inline
def period(size):
    return np.float32(max(np.int32(np.int32(2 * size) - np.int32(2)), np.int32(1)))


@inline
def near(start, slope, count, size):
    end, most = start + slope * np.float32(count), np.float32(np.int32(size - 1))
    return min(start, end) >= -most and max(start, end) <= most + most
