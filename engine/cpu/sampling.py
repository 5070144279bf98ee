"""Values at positions: bilinear from packed bytes or from float32, and the coverage of masks, sixteen at a time."""

from __future__ import annotations

import numpy as np

from sliceforge.engine.cpu.positions import mirrored, period
from sliceforge.engine.cpu.tile import inline, peek, poke
from sliceforge.kernels.approx import floored

_ZERO, _UNIT = np.float32(0), np.float32(1 / 255)
_BYTE, _S8, _S16, _S24 = (np.uint32(value) for value in (255, 8, 16, 24))
_FAR = np.float32(4)  # pixels outside: from there on nothing of a mask is near


@inline
def _left(x, last):
    # The pixel before a position, at most `last`; whatever is no position at all is `last` too.
    return np.int32(min(np.uint32(np.int32(x)), np.uint32(last)))


@inline
def pack(pixels, quads):
    # Each value of (H, W, C) uint8 with its right, lower and lower right neighbour in one word of (C, H, W) uint32.
    height, width, channels = pixels.shape
    for c in range(channels):
        for y in range(height):
            here = np.int32(y * width * channels + c)
            below = np.int32(min(y + 1, height - 1) * width * channels + c)
            to = np.int32((c * height + y) * width)
            if channels == 1:
                _pack_row(pixels, here, below, np.int32(1), np.int32(width - 1), quads, to)
            else:
                _pack_row(pixels, here, below, np.int32(channels), np.int32(width - 1), quads, to)


@inline
def _pack_row(pixels, here, below, step, count, quads, to):
    for x in range(count):
        at = np.int32(np.int32(x) * step)
        beside = np.int32(at + step)
        upper = _pair(peek(pixels, np.int32(here + at)), peek(pixels, np.int32(here + beside)))
        lower = _pair(peek(pixels, np.int32(below + at)), peek(pixels, np.int32(below + beside)))
        poke(quads, np.int32(to + np.int32(x)), np.uint32(upper | np.uint32(lower << _S16)))
    # The last one has itself to its right: the weight there is 0.
    end = np.int32(count * step)
    upper, lower = peek(pixels, np.int32(here + end)), peek(pixels, np.int32(below + end))
    poke(quads, np.int32(to + count), np.uint32(_pair(upper, upper) | np.uint32(_pair(lower, lower) << _S16)))


@inline
def _pair(left, right):
    return np.uint32(np.uint32(left) | np.uint32(np.uint32(right) << _S8))


@inline
def _blended(quads, base, x, y, height, width):
    # Bilinear at a position inside, 0…1.
    j, i = _left(x, np.int32(width - 1)), _left(y, np.int32(height - 1))
    right, down = x - np.float32(j), y - np.float32(i)
    quad = peek(quads, np.int32(base + np.int32(np.int32(i * width) + j)))
    a, b = np.float32(np.int32(quad & _BYTE)), np.float32(np.int32(np.uint32(quad >> _S8) & _BYTE))
    c, d = np.float32(np.int32(np.uint32(quad >> _S16) & _BYTE)), np.float32(np.int32(quad >> _S24))
    upper, lower = a + (b - a) * right, c + (d - c) * right
    return (upper + (lower - upper) * down) * _UNIT


@inline
def gather_packed(quads, base, px, py, count, height, width, value):
    across, down = period(width), period(height)
    for t in range(count):
        x, y = mirrored(px[t], across), mirrored(py[t], down)
        value[t] = _blended(quads, base, x, y, height, width)


@inline
def gather_line(quads, base, line, count, height, width, value):
    # The same for positions on a straight line that is reflected once at most.
    left, top, a, d = line
    across, down = period(width), period(height)
    for t in range(count):
        step = np.float32(np.int32(t))
        x, y = abs(a * step + left), abs(d * step + top)
        x, y = min(x, across - x), min(y, down - y)
        value[t] = _blended(quads, base, x, y, height, width)


@inline
def gather(plane, base, px, py, count, height, width, value):
    across, along = period(width), period(height)
    beside = np.int32(min(np.int32(width - 1), np.int32(1)))
    under = np.int32(width * np.int32(min(np.int32(height - 1), np.int32(1))))
    for t in range(count):
        x, y = mirrored(px[t], across), mirrored(py[t], along)
        j, i = _left(x, np.int32(max(width - 2, 0))), _left(y, np.int32(max(height - 2, 0)))
        right, down = x - np.float32(j), y - np.float32(i)
        row = np.int32(base + np.int32(np.int32(i * width) + j))
        below = np.int32(row + under)
        a, b = peek(plane, row), peek(plane, np.int32(row + beside))
        c, d = peek(plane, below), peek(plane, np.int32(below + beside))
        upper, lower = a + (b - a) * right, c + (d - c) * right
        value[t] = upper + (lower - upper) * down


@inline
def _inside(cover, base, i, j, height, width):
    # A cover's value, 0 beyond its border.
    near = peek(
        cover, np.int32(base + np.int32(np.int32(min(max(i, 0), height - 1) * width) + min(max(j, 0), width - 1)))
    )
    return near if i >= 0 and i < height and j >= 0 and j < width else _ZERO


@inline
def gather_cover(cover, base, px, py, count, height, width, value):
    high, wide = np.float32(height) + _FAR, np.float32(width) + _FAR
    for t in range(count):
        x, y = min(max(px[t], -_FAR), wide), min(max(py[t], -_FAR), high)
        j, i = floored(x), floored(y)
        right, down = x - np.float32(j), y - np.float32(i)
        a, b = _inside(cover, base, i, j, height, width), _inside(cover, base, i, j + 1, height, width)
        c, d = _inside(cover, base, i + 1, j, height, width), _inside(cover, base, i + 1, j + 1, height, width)
        upper, lower = a + (b - a) * right, c + (d - c) * right
        value[t] = upper + (lower - upper) * down
