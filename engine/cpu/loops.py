"""One pass over an image: positions, one resampling, every point step, and the rounding, a part of a row at a time.

All of a recipe's steps are compiled into one loop, once; which of them happen in a pass, and with which numbers, is
data. The loop is a chain of closures over the steps' own scalar functions, each a plain loop over a tile that LLVM
vectorises; tiles stay in the first cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import carray, njit

from sliceforge.engine.cache import install
from sliceforge.engine.cpu.tile import DEEPEST, TILE, inline, peek, poke, tile
from sliceforge.kernels.approx import bits, floored, rounded

install()

_ZERO, _ONE = np.float32(0), np.float32(1)
_WHITE, _UNIT = np.float32(255), np.float32(1 / 255)
_BYTE, _S8, _S16, _S24 = (np.uint32(value) for value in (255, 8, 16, 24))
_INFINITE = np.int32(0x7F800000)
_FAR = np.float32(4)  # pixels outside: from there on nothing of a mask is near
MATRIX = -1
"""The kind of a part of a map that is a matrix; a displacement's kind is its place among the recipe's."""

Point = tuple[Callable[..., Any], bool]
"""The function of a point step, and whether it paints."""

Shift = tuple[Callable[..., Any], Callable[..., Any] | None, Callable[..., Any] | None]
"""A warp's `shift`, and its `line` and `along` or None."""


@inline
def _start(px, py, count, x0, y):  # type: ignore[no-untyped-def]
    for t in range(count):
        px[t] = np.float32(np.int32(x0 + np.int32(t)))
        py[t] = np.float32(y)


@inline
def _start_through(px, py, count, x0, y, m):  # type: ignore[no-untyped-def]
    # The positions of a part of a row through an affine matrix; where it begins is reckoned in doubles.
    a, d = np.float32(m[0]), np.float32(m[3])
    left, top = np.float32(m[0] * x0 + m[1] * y + m[2]), np.float32(m[3] * x0 + m[4] * y + m[5])
    for t in range(count):
        px[t] = a * np.float32(np.int32(t)) + left
        py[t] = d * np.float32(np.int32(t)) + top


@inline
def _carry(px, py, count, m):  # type: ignore[no-untyped-def]
    # Positions through one matrix, nine numbers.
    a, b, c = np.float32(m[0]), np.float32(m[1]), np.float32(m[2])
    d, e, f = np.float32(m[3]), np.float32(m[4]), np.float32(m[5])
    g, h, i = np.float32(m[6]), np.float32(m[7]), np.float32(m[8])
    if g == _ZERO and h == _ZERO and i == _ONE:
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
def _mirrored(x, size):  # type: ignore[no-untyped-def]
    # reflect_101 of a position: the row goes on as its mirror image, ends not repeated.
    period = np.float32(max(np.int32(np.int32(2 * size) - np.int32(2)), np.int32(1)))
    x = x - period * np.float32(floored(x * (_ONE / period)))
    return max(min(x, period - x), _ZERO)


@inline
def _left(x, size):  # type: ignore[no-untyped-def]
    # The pixel before a position in 0 … size − 1, with one after it.
    return np.int32(max(min(np.int32(x), np.int32(size - np.int32(2))), np.int32(0)))


@inline
def _pack(pixels, quads):  # type: ignore[no-untyped-def]
    # Each value of (H, W, C) uint8 with its right, lower and lower right neighbour in one word of (C, H, W) uint32.
    height, width, channels = pixels.shape
    step = np.int32(channels)
    for c in range(channels):
        for y in range(height):
            here = np.int32(y * width * channels + c)
            below = np.int32(min(y + 1, height - 1) * width * channels + c)
            to = np.int32((c * height + y) * width)
            for x in range(np.int32(width - 1)):
                at = np.int32(np.int32(x) * step)
                beside = np.int32(at + step)
                upper = _pair(peek(pixels, np.int32(here + at)), peek(pixels, np.int32(here + beside)))
                lower = _pair(peek(pixels, np.int32(below + at)), peek(pixels, np.int32(below + beside)))
                poke(quads, np.int32(to + np.int32(x)), np.uint32(upper | np.uint32(lower << _S16)))
            end = np.int32((width - 1) * channels)
            upper, lower = peek(pixels, np.int32(here + end)), peek(pixels, np.int32(below + end))
            last = np.uint32(_pair(upper, upper) | np.uint32(_pair(lower, lower) << _S16))
            poke(quads, np.int32(to + np.int32(width - 1)), last)


@inline
def _pair(left, right):  # type: ignore[no-untyped-def]
    return np.uint32(np.uint32(left) | np.uint32(np.uint32(right) << _S8))


@inline
def _gather_packed(quads, base, px, py, count, height, width, value):  # type: ignore[no-untyped-def]
    for t in range(count):
        x, y = _mirrored(px[t], width), _mirrored(py[t], height)
        j, i = _left(x, width), _left(y, height)
        right, down = x - np.float32(j), y - np.float32(i)
        quad = peek(quads, np.int32(base + np.int32(np.int32(i * width) + j)))
        a, b = np.float32(np.int32(quad & _BYTE)), np.float32(np.int32(np.uint32(quad >> _S8) & _BYTE))
        c, d = np.float32(np.int32(np.uint32(quad >> _S16) & _BYTE)), np.float32(np.int32(quad >> _S24))
        upper, lower = a + (b - a) * right, c + (d - c) * right
        value[t] = (upper + (lower - upper) * down) * _UNIT


@inline
def _gather(plane, base, px, py, count, height, width, value):  # type: ignore[no-untyped-def]
    for t in range(count):
        x, y = _mirrored(px[t], width), _mirrored(py[t], height)
        j, i = _left(x, width), _left(y, height)
        right, down = x - np.float32(j), y - np.float32(i)
        row = np.int32(base + np.int32(np.int32(i * width) + j))
        beside = np.int32(min(width - np.int32(1), np.int32(1)))
        below = np.int32(row + np.int32(width * np.int32(min(height - np.int32(1), np.int32(1)))))
        a, b = peek(plane, row), peek(plane, np.int32(row + beside))
        c, d = peek(plane, below), peek(plane, np.int32(below + beside))
        upper, lower = a + (b - a) * right, c + (d - c) * right
        value[t] = upper + (lower - upper) * down


@inline
def _inside(cover, base, i, j, height, width):  # type: ignore[no-untyped-def]
    # A cover's value, 0 beyond its border.
    near = peek(cover, np.int32(base + np.int32(np.int32(min(max(i, 0), height - 1) * width) + min(max(j, 0), width - 1))))
    return near if i >= 0 and i < height and j >= 0 and j < width else _ZERO


@inline
def _gather_cover(cover, base, px, py, count, height, width, value):  # type: ignore[no-untyped-def]
    high, wide = np.float32(height) + _FAR, np.float32(width) + _FAR
    for t in range(count):
        x, y = min(max(px[t], -_FAR), wide), min(max(py[t], -_FAR), high)
        j, i = floored(x), floored(y)
        right, down = x - np.float32(j), y - np.float32(i)
        a, b = _inside(cover, base, i, j, height, width), _inside(cover, base, i, j + 1, height, width)
        c, d = _inside(cover, base, i + 1, j, height, width), _inside(cover, base, i + 1, j + 1, height, width)
        upper, lower = a + (b - a) * right, c + (d - c) * right
        value[t] = upper + (lower - upper) * down


@inline
def _flaw(x):  # type: ignore[no-untyped-def]
    return np.int32((bits(x) & _INFINITE) == _INFINITE)


@inline
def _fetch_whole(item, quads, px, py, count, warped, place, height, width, channels, values):  # type: ignore[no-untyped-def]
    for c in range(channels):
        value = values[c]
        if warped:
            _gather_packed(quads, np.int32(c * height * width), px, py, count, height, width, values[c])
        elif channels == 1:
            for t in range(count):
                value[t] = np.float32(np.int32(peek(item, np.int32(place + np.int32(t))))) * _UNIT
        else:
            for t in range(count):
                whole = peek(item, np.int32(np.int32(np.int32(place + np.int32(t)) * channels) + c))
                value[t] = np.float32(np.int32(whole)) * _UNIT


@inline
def _fetch_float(item, quads, px, py, count, warped, place, height, width, channels, values):  # type: ignore[no-untyped-def]
    for c in range(channels):
        value, base = values[c], np.int32(c * height * width)
        if warped:
            _gather(item, base, px, py, count, height, width, values[c])
        else:
            for t in range(count):
                value[t] = peek(item, np.int32(base + np.int32(place + np.int32(t))))


@inline
def _grey(x):  # type: ignore[no-untyped-def]
    return np.uint8(np.int32(rounded(min(max(x, _ZERO), _ONE) * _WHITE)))


@inline
def _put_whole(item, place, count, height, width, channels, values):  # type: ignore[no-untyped-def]
    flaw = np.int32(0)
    for c in range(channels):
        value = values[c]
        for t in range(count):
            flaw |= _flaw(value[t])
        if channels == 1:
            for t in range(count):
                poke(item, np.int32(place + np.int32(t)), _grey(value[t]))
        else:
            for t in range(count):
                poke(item, np.int32(np.int32(np.int32(place + np.int32(t)) * channels) + c), _grey(value[t]))
    return flaw


@inline
def _put_float(item, place, count, height, width, channels, values):  # type: ignore[no-untyped-def]
    flaw = np.int32(0)
    for c in range(channels):
        value, base = values[c], np.int32(c * height * width)
        for t in range(count):
            x = value[t]
            flaw |= _flaw(x)
            poke(item, np.int32(base + np.int32(place + np.int32(t))), x)
    return flaw


@inline
def _nothing(*arguments):  # type: ignore[no-untyped-def]
    pass


def _displace(shift: Shift, kind: int, rest: Any) -> Any:
    one = inline(shift[0])

    @inline
    def anywhere(px, py, count, level, which, row, line):  # type: ignore[no-untyped-def]
        if which == kind:
            for t in range(count):
                dx, dy = one(px[t], py[t], row)
                px[t] += dx
                py[t] += dy
        rest(px, py, count, level, which, row, line)

    if shift[1] is None or shift[2] is None:
        return anywhere
    lined, along = inline(shift[1]), inline(shift[2])

    @inline
    def quicker(px, py, count, level, which, row, line):  # type: ignore[no-untyped-def]
        if which == kind and level and py[0] == py[count - 1]:
            lined(py[0], px[0], px[count - 1], row, line)
            for t in range(count):
                dx, dy = along(px[t], row, line)
                px[t] += dx
                py[t] += dy
            rest(px, py, count, level, which, row, line)
        else:
            anywhere(px, py, count, level, which, row, line)

    return quicker


def _pointed(pixel: Callable[..., Any], step: int, paints: bool, rest: Any) -> Any:
    one = inline(pixel)

    @inline
    def plain(values, count, channels, x0, y, on, table, starts, above, slots, marks, place):  # type: ignore[no-untyped-def]
        if on[step]:
            row = table[starts[step] : starts[step + 1]]
            for c in range(channels):
                value = values[c]
                for t in range(count):
                    value[t] = one(value[t], np.float32(np.int32(x0 + np.int32(t))), y, row)
        rest(values, count, channels, x0, y, on, table, starts, above, slots, marks, place)

    @inline
    def painted(values, count, channels, x0, y, on, table, starts, above, slots, marks, place):  # type: ignore[no-untyped-def]
        if on[step]:
            row, least = table[starts[step] : starts[step + 1]], above[step]
            for c in range(channels):
                value = values[c]
                for t in range(count):
                    before = value[t]
                    after = one(before, np.float32(np.int32(x0 + np.int32(t))), y, row)
                    value[t] = after
                    if abs(after - before) >= least:
                        marks[slots[step], place + t] = _ONE
        rest(values, count, channels, x0, y, on, table, starts, above, slots, marks, place)

    return painted if paints else plain


@inline
def _sides_whole(source):  # type: ignore[no-untyped-def]
    return source.shape[1], source.shape[2], source.shape[3]


@inline
def _sides_float(source):  # type: ignore[no-untyped-def]
    return source.shape[2], source.shape[3], source.shape[1]


@cache
def compiled(points: tuple[Point, ...], shifts: tuple[Shift, ...], whole_in: bool, whole_out: bool) -> Any:
    """The loop over items `lo` to `hi` of a batch.

    Args:
        points: the point steps, in order.
        shifts: the displacements that its warps have.
        whole_in: the source is (B, H, W, C) uint8, else (B, C, H, W) float32.
        whole_out: so is the result.
    """
    displace: Any = _nothing
    for kind in reversed(range(len(shifts))):
        displace = _displace(shifts[kind], kind, displace)
    pointed: Any = _nothing
    for step in reversed(range(len(points))):
        pointed = _pointed(points[step][0], step, points[step][1], pointed)
    sides, prepare, fetch = (
        (_sides_whole, _pack, _fetch_whole) if whole_in else (_sides_float, _nothing, _fetch_float)
    )
    put = _put_whole if whole_out else _put_float
    ours = all(one[0].__module__.startswith("sliceforge.") for one in (*shifts, *points))

    @inline
    def place_tile(px, py, count, x0, y, maps, kinds, rows, numbers, line):  # type: ignore[no-untyped-def]
        # Level: a part of a row is a part of a straight line.
        last, level = len(kinds) - 1, True
        if kinds[last] == MATRIX and maps[last, 6] == 0 and maps[last, 7] == 0 and maps[last, 8] == 1:
            _start_through(px, py, count, x0, y, maps[last])
            last -= 1
        else:
            _start(px, py, count, x0, y)
        for p in range(last, -1, -1):
            if kinds[p] == MATRIX:
                _carry(px, py, count, maps[p])
            else:
                displace(px, py, count, level, kinds[p], rows[numbers[p] : numbers[p + 1]], line)
                level = False

    @njit(cache=ours, nogil=True, error_model="numpy", fastmath={"contract"})
    def pass_cpu(source, quads, out, covers, moved, there, maps, kinds, rows, numbers, on, table, starts, above, slots, flaws, lo, hi):  # type: ignore[no-untyped-def]  # fmt: skip
        values, px, py = carray(tile(), (DEEPEST, TILE)), carray(tile(), (TILE,)), carray(tile(), (TILE,))
        high, wide, channels = sides(source)
        height, width = np.int32(high), np.int32(wide)
        warped, line = len(kinds) > 0, np.empty(rows.shape[1], np.float32)
        for n in range(lo, hi):
            item, made, before, after = source[n], out[n], covers[n], moved[n]
            marks = after.reshape(after.shape[0], high * wide)
            own, row, flaw = rows[n], table[n], np.int32(0)
            if warped:
                prepare(item, quads)
            for y in range(high):
                for x0 in range(0, wide, TILE):
                    count, place = np.int32(min(TILE, wide - x0)), np.int32(y * wide + x0)
                    if warped:
                        place_tile(px, py, count, np.int32(x0), y, maps[n], kinds, own, numbers, line)
                        for k in range(len(there)):
                            if there[k]:
                                base = np.int32(k * high * wide)
                                near = values[0]
                                _gather_cover(before, base, px, py, count, height, width, near)
                                for t in range(count):
                                    marks[k, place + t] = near[t]
                    fetch(item, quads, px, py, count, warped, place, height, width, channels, values)
                    pointed(values, count, channels, np.int32(x0), np.float32(y), on, row, starts, above, slots, marks, place)  # fmt: skip
                    flaw |= put(made, place, count, height, width, channels, values)
            flaws[n] = flaw

    return pass_cpu
