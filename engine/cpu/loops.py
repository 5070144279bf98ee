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
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.engine.cpu.ends import fetch_float, fetch_whole, put_float, put_whole
from sliceforge.engine.cpu.positions import affine, carry, line_of, near, start, start_on
from sliceforge.engine.cpu.sampling import gather_cover, pack
from sliceforge.engine.cpu.tile import TILE, inline, opened, tile

install()

_ZERO, _ONE = np.float32(0), np.float32(1)
MATRIX = -1
"""The kind of a part of a map that is a matrix; a displacement's kind is its place among the recipe's."""

Point = tuple[Callable[..., Any], bool]
"""The function of a point step, and whether it paints."""

Shift = tuple[Callable[..., Any], Callable[..., Any] | None, Callable[..., Any] | None]
"""A warp's `shift`, and its `line` and `along` or None."""


@inline
def _nothing(*arguments):
    pass


def _displace(shift: Shift, kind: int, rest: Any) -> Any:
    one = inline(shift[0])

    @inline
    def anywhere(px, py, count, level, which, row, line):
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
    def quicker(px, py, count, level, which, row, line):
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
    def plain(values, span, here, points, row, marks):
        (channels, x0, y), on, starts, full = here, points[0], points[1], span[1]
        if on[step]:
            own = row[starts[step] : starts[step + 1]]
            for c in range(channels):
                value = values[c]
                for t in range(full):
                    value[t] = one(value[t], np.float32(np.int32(x0 + np.int32(t))), y, own)
        rest(values, span, here, points, row, marks)

    @inline
    def painted(values, span, here, points, row, marks):
        (count, _, place), (channels, x0, y), (on, starts, above, slots, _) = span, here, points
        if on[step]:
            own, least = row[starts[step] : starts[step + 1]], above[step]
            for c in range(channels):
                value = values[c]
                for t in range(count):
                    before = value[t]
                    after = one(before, np.float32(np.int32(x0 + np.int32(t))), y, own)
                    value[t] = after
                    if abs(after - before) >= least:
                        marks[slots[step], place + t] = _ONE
        rest(values, span, here, points, row, marks)

    return painted if paints else plain


@cache
def compiled(points: tuple[Point, ...], shifts: tuple[Shift, ...], whole_in: bool, whole_out: bool) -> Any:
    """The loop over items `lo` to `hi` of a batch.

    Args:
        points: the point steps, in order.
        shifts: the displacements that its warps have.
        whole_in: a source is (H, W, C) uint8, else (C, H, W) float32.
        whole_out: so is what is made of it.
    """
    displace: Any = _nothing
    for kind in reversed(range(len(shifts))):
        displace = _displace(shifts[kind], kind, displace)
    pointed: Any = _nothing
    for step in reversed(range(len(points))):
        pointed = _pointed(points[step][0], step, points[step][1], pointed)
    prepare, fetch = (pack, fetch_whole) if whole_in else (_nothing, fetch_float)
    put = put_whole if whole_out else put_float
    lines = bool(whole_in)
    ours = all(one[0].__module__.startswith("sliceforge.") for one in (*shifts, *points))

    @inline
    def place_tile(px, py, count, x0, y, maps, kinds, rows, numbers, line):
        # Level: a part of a row is a part of a straight line.
        last, level = len(kinds) - 1, True
        if kinds[last] == MATRIX and affine(maps[last]):
            start_on(px, py, count, line_of(maps[last], x0, y))
            last -= 1
        else:
            start(px, py, count, x0, y)
        for p in range(last, -1, -1):
            if kinds[p] == MATRIX:
                carry(px, py, count, maps[p])
            else:
                displace(px, py, count, level, kinds[p], rows[numbers[p] : numbers[p + 1]], line)
                level = False

    @njit(cache=ours, nogil=True, error_model="numpy", fastmath={"contract"}, _nrt=False)
    def pass_cpu(sources, outs, ends, sides, quads, line, masks, moves, points, flaws, lo, hi):
        (covers, moved, there), (kinds, maps, rows, numbers) = masks, moves
        table = points[4]
        values, places = tile(), tile()
        px, py = places[0], places[1]
        high, wide, channels = sides
        height, width = np.int32(high), np.int32(wide)
        size = height, width, channels
        warped, masked = len(kinds) > 0, False
        for k in range(len(there)):
            masked = masked or there[k]
        begin = _ZERO, _ZERO, _ZERO, _ZERO
        for n in range(lo, hi):
            item, made = (
                opened(sources[n], ends[0], high, wide, channels),
                opened(outs[n], ends[1], high, wide, channels),
            )
            before, after = covers[n], moved[n]
            marks = after.reshape(after.shape[0], high * wide)
            own, row, flaw = rows[n], table[n], np.int32(0)
            simple = lines and len(kinds) == 1 and kinds[0] == MATRIX and affine(maps[n, 0])
            if warped:
                prepare(item, quads)
            for y in range(high):
                for x0 in range(0, wide, TILE):
                    count, place = np.int32(min(TILE, wide - x0)), np.int32(y * wide + x0)
                    # All but loads and stores go on to a whole vector: nobody reads what lies beyond.
                    full = np.int32(np.int32(count + np.int32(15)) & np.int32(-16))
                    straight = False
                    if simple:
                        begin = line_of(maps[n, 0], np.int32(x0), y)
                        straight = near(begin[0], begin[2], full, width) and near(begin[1], begin[3], full, height)
                    if warped and (masked or not straight):
                        place_tile(px, py, full, np.int32(x0), y, maps[n], kinds, own, numbers, line)
                        for k in range(len(there)):
                            if there[k]:
                                base, value = np.int32(k * high * wide), values[0]
                                gather_cover(before, base, px, py, count, height, width, value)
                                for t in range(count):
                                    marks[k, place + t] = value[t]
                    span = count, full, place
                    fetch(item, quads, px, py, (warped, straight, begin), span, size, values)
                    here = channels, np.int32(x0), np.float32(y)
                    pointed(values, span, here, points, row, marks)
                    flaw |= put(made, span, size, values)
            flaws[n] = flaw

    return pass_cpu
