"""What the kernel of images asks of a position and at it: matrices, reflected borders, bilinear values, coverage."""

from __future__ import annotations

import numpy as np

from sliceforge.engine.cuda.launch import inlined
from sliceforge.kernels.approx import floored, rounded

MATRIX, AFFINE = -1, -2
"""Kinds of parts: nine numbers; or six, and six that are what float32 leaves of each. Displacements count from 0."""

COARSE = 2.0**11
"""Of the coarse six numbers of an affine part the unit is 1 / COARSE: products with whole positions are then exact."""

_ZERO, _ONE = np.float32(0), np.float32(1)
_WHITE, _UNIT, _FAR = np.float32(255), np.float32(1 / 255), np.float32(4)
_COVER, _NONE = np.uint8(1), np.uint8(0)


@inlined
def get(array, at):
    """array[at]; unsigned, so that nobody asks whether it is counted from the end."""
    return array[np.uint32(at)]


@inlined
def line(numbers, at, x, y):
    """Three numbers, of a matrix, at a position."""
    return get(numbers, at) * x + (get(numbers, at + 1) * y + get(numbers, at + 2))


@inlined
def carried(numbers, at, kind, x, y):
    """A position through one matrix."""
    right, down = line(numbers, at, x, y), line(numbers, at + 3, x, y)
    if kind == AFFINE:
        return right + line(numbers, at + 6, x, y), down + line(numbers, at + 9, x, y)
    scale = line(numbers, at + 6, x, y)
    if scale != _ONE:
        right, down = right / scale, down / scale
    return right, down


@inlined
def mirrored(x, size):
    """reflect_101 of a position: the row goes on as its mirror image, ends not repeated."""
    period = np.float32(max(np.int32(2 * size - 2), np.int32(1)))
    x = x - period * np.float32(floored(x * (_ONE / period)))
    return max(min(x, period - x), _ZERO)


@inlined
def corner(x, size):
    """The pixel before a position in 0 … size − 1, with one after it where there are two."""
    return np.int32(max(min(np.int32(x), np.int32(size - 2)), np.int32(0)))


@inlined
def blended(a, b, c, d, right, down):
    """Bilinear between a b (upper) and c d (lower)."""
    upper, lower = a + (b - a) * right, c + (d - c) * right
    return upper + (lower - upper) * down


@inlined
def seen(pixels, planes, whole, origin, place, beside, below, right, down):
    """The source between four pixels: at `place` from `origin`, one `beside` it, and both of the row `below`."""
    first, third = np.int32(origin + place), np.int32(origin + place + below)
    second, fourth = np.int32(first + beside), np.int32(third + beside)
    if whole:
        a, b = np.float32(get(pixels, first)), np.float32(get(pixels, second))
        c, d = np.float32(get(pixels, third)), np.float32(get(pixels, fourth))
        return blended(a, b, c, d, right, down) * _UNIT
    a, b, c, d = get(planes, first), get(planes, second), get(planes, third), get(planes, fourth)
    return blended(a, b, c, d, right, down)


@inlined
def covered(given, covers, whole, origin, i, j, height, width):
    """A cover's value, 0 beyond its border."""
    if i < 0 or i >= height or j < 0 or j >= width:
        return _ZERO
    at = np.int32(origin + np.int32(i * width) + j)
    return np.float32(get(given, at)) if whole else get(covers, at)


@inlined
def coverage(given, covers, whole, origin, x, y, height, width):
    """A cover at a position, with nothing beyond its border."""
    x = min(max(x, -_FAR), np.float32(width) + _FAR)
    y = min(max(y, -_FAR), np.float32(height) + _FAR)
    j, i = floored(x), floored(y)
    a = covered(given, covers, whole, origin, i, j, height, width)
    b = covered(given, covers, whole, origin, i, j + 1, height, width)
    c = covered(given, covers, whole, origin, i + 1, j, height, width)
    d = covered(given, covers, whole, origin, i + 1, j + 1, height, width)
    return blended(a, b, c, d, x - np.float32(j), y - np.float32(i))


@inlined
def mark(marks, after, ends, at, value, least):
    """Write a cover: as it is, or, where it ends, whether it counts."""
    if ends:
        marks[np.uint32(at)] = _COVER if value >= least else _NONE
    else:
        after[np.uint32(at)] = value


@inlined
def grey(value):
    """0…1 as uint8, half to even; what lies outside is cut."""
    return np.uint8(np.int32(rounded(min(max(value, _ZERO), _ONE) * _WHITE)))
