"""Lumps and cells: octaves of gradient noise, and the borders between random points; of (key, position) alone.

Plain functions, compiled into every loop that calls them, on CPU and CUDA alike, as those of `kernels/noise.py`.
"""

import math

import numpy as np
from numba import njit

from sliceforge.kernels.approx import floored
from sliceforge.kernels.noise import gradient, word

_ZERO, _HALF, _ONE, _TWO = (np.float32(value) for value in (0, 0.5, 1, 2))
_S16 = np.uint32(16)
_LOW16 = np.uint32(0xFFFF)
_COS, _SIN = np.float32(0.8), np.float32(0.6)  # a turn between octaves, so that no two lattices show together
_ASIDE, _BELOW = np.float32(37.3), np.float32(91.7)
_JITTER, _MARGIN = np.float32(0.9 / 65536), np.float32(0.05)


@njit(inline="always")
def fbm(x, y, second, third, channel, key0, key1, key2):
    """Fractional Brownian motion: gradient noise and its octaves at twice and four times the frequency.

    Args:
        x, y: in lumps of the first octave.
        second, third: weights of the further octaves; the first weighs 1.
        channel: three from this one on are used.
    """
    total, weight = _ZERO, _ONE
    for k in range(3):
        total += weight * gradient(x, y, channel + k, key0, key1, key2)
        weight = second if k == 0 else third
        x, y = _TWO * (_COS * x - _SIN * y) + _ASIDE, _TWO * (_SIN * x + _COS * y) + _BELOW
    return total


@njit(inline="always")
def seeded(i, j, channel, key0, key1, key2):
    """The one point of a cell, anywhere in it but for a twentieth at each side: (x, y) in cells."""
    drawn = word(i, j * 64 + channel, key0, key1, key2)
    x = np.float32(i) + _MARGIN + np.float32(np.int32(drawn & _LOW16)) * _JITTER
    return x, np.float32(j) + _MARGIN + np.float32(np.int32(drawn >> _S16)) * _JITTER


@njit(inline="always")
def border(x, y, channel, key0, key1, key2):
    """How far it is to the nearest border between the cells of random points, in units of the points' lattice.

    It is the distance to the line halfway between the two nearest points: exact at the border (Worley, "A cellular
    texture basis function", SIGGRAPH 1996).
    """
    i, j = floored(x), floored(y)
    first = second = np.float32(99)
    x1 = y1 = x2 = y2 = _ZERO
    for k in range(9):
        px, py = seeded(i + k % 3 - 1, j + k // 3 - 1, channel, key0, key1, key2)
        px, py = px - x, py - y
        square = px * px + py * py
        if square < first:
            second, x2, y2 = first, x1, y1
            first, x1, y1 = square, px, py
        elif square < second:
            second, x2, y2 = square, px, py
    dx, dy = x2 - x1, y2 - y1
    return (second - first) * _HALF / math.sqrt(max(dx * dx + dy * dy, np.float32(1e-6)))
