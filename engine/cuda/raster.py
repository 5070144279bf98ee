"""The kernel of a pass over images: positions, one resampling, every point step, the rounding; one thread a pixel.

`engine/cpu/loops.py` is the same on a CPU. Here each item of a batch has a script of its own, so that one launch does
a pass of all of them, whichever steps happen to each. A value goes through all of its steps in a register.

Shapes: pixels (B, H, W, C) uint8; planes (B, C, H, W) float32; covers (B, K, H, W), uint8 where they are given or end
and float32 between passes, all of them flat and of less than 2³¹ values; script (B, …) int32; numbers (N,) float32, to
which the script points.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import cuda

from sliceforge.engine.cuda.launch import inlined, rest
from sliceforge.engine.cuda.sampling import carried, corner, coverage, grey, mark, mirrored, seen

FLAGS, PARTS, STEPS, HEAD = range(4)
"""Columns of a script: what is done, how many parts the map has, how many points follow, and where the parts begin.
A part is two columns, `kind` and the first of its numbers; it comes before those that act on what it gives. A step is
three: `kind`, the first of its numbers, the least change that it marks before them, and the cover that it marks, or −1.
A cover is one: `ABSENT`, or which of `LEAST` it counts from."""

WORKS, WHOLE_IN, WHOLE_OUT, GIVEN, ENDS = 1, 2, 4, 8, 16
"""Flags: there is a pass; what comes is `pixels`; what is made is; it is an item's first pass; it is its last."""

ABSENT, THICK, THIN = 0, 1, 2
"""Kinds of covers."""

_ZERO, _ONE, _HALF, _QUARTER = np.float32(0), np.float32(1), np.float32(0.5), np.float32(0.25)


def _displaced(shift: Callable[..., Any] | None, kind: int, others: Callable[..., Any] | None) -> Callable[..., Any]:
    # A chain of closures, each the beginning of the next: which of the recipe's functions it is, is data.
    if shift is None or others is None:

        @inlined
        def nowhere(which, x, y, row):
            return _ZERO, _ZERO

        return nowhere
    one = inlined(shift)

    @inlined
    def displaced(which, x, y, row):
        if which == kind:
            dx, dy = one(x, y, row)
        else:
            dx, dy = others(which, x, y, row)
        return np.float32(dx), np.float32(dy)

    return displaced


def _pointed(pixel: Callable[..., Any] | None, kind: int, others: Callable[..., Any] | None) -> Callable[..., Any]:
    if pixel is None or others is None:

        @inlined
        def unchanged(which, value, x, y, row):
            return value

        return unchanged
    one = inlined(pixel)

    @inlined
    def pointed(which, value, x, y, row):
        if which == kind:
            value = np.float32(one(value, x, y, row))
        else:
            value = others(which, value, x, y, row)
        return value

    return pointed


@cache
def compiled(points: tuple[Callable[..., Any], ...], shifts: tuple[Callable[..., Any], ...]) -> Callable[..., None]:
    """The kernel of a recipe.

    Args:
        points: the functions of its point steps, each once; a script's `kind` is the place among them.
        shifts: the displacements of its warps, likewise.
    """
    displaced, pointed = _displaced(None, 0, None), _pointed(None, 0, None)
    for kind in reversed(range(len(shifts))):
        displaced = _displaced(shifts[kind], kind, displaced)
    for kind in reversed(range(len(points))):
        pointed = _pointed(points[kind], kind, pointed)

    def raster_cuda(
        pixels, planes, given, before_planes, before_covers, script, numbers, steps_at, covers_at, kinds, brought,
        made_pixels, made_planes, marks, after_planes, after_covers, flaws, channels, tall, wide,
    ):  # fmt: skip
        n, height, width = np.int32(cuda.blockIdx.y), np.int32(tall), np.int32(wide)
        flags, size, deep = script[n, FLAGS], np.int32(height * width), np.int32(channels)
        if flags == 0:
            return
        whole_in, whole_out = flags & WHOLE_IN != 0, flags & WHOLE_OUT != 0
        fresh, ends = flags & GIVEN != 0, flags & ENDS != 0
        parts, steps = script[n, PARTS], script[n, STEPS]
        apart = deep if whole_in else np.int32(1)
        source, made = planes if fresh else before_planes, made_planes if ends else after_planes
        for index in range(cuda.grid(1), size, cuda.gridsize(1)):
            place = np.int32(index)
            y = np.int32(place // width)
            x = np.int32(place - np.int32(y * width))
            left, top = np.float32(x), np.float32(y)
            px, py = left, top
            for q in range(parts):
                kind, at = script[n, HEAD + 2 * q], script[n, HEAD + 2 * q + 1]
                if kind < 0:
                    px, py = carried(numbers, at, kind, px, py)
                else:
                    dx, dy = displaced(kind, px, py, rest(numbers, at))
                    px, py = px + dx, py + dy
            for k in range(kinds):
                kind, value = script[n, covers_at + k], _ZERO
                if kind != ABSENT:
                    origin = np.int32(np.int32(n * (brought if fresh else kinds)) + k) * size
                    value = coverage(given, before_covers, fresh, np.int32(origin), px, py, height, width)
                at = np.int32(np.int32(np.int32(n * kinds) + k) * size) + place
                mark(marks, after_covers, ends, at, value, _QUARTER if kind == THIN else _HALF)
            px, py = mirrored(px, width), mirrored(py, height)
            j, i = corner(px, width), corner(py, height)
            right, down = px - np.float32(j), py - np.float32(i)
            at = np.int32(np.int32(np.int32(i * width) + j) * apart)
            beside = apart if width > 1 else np.int32(0)
            below = np.int32(width * apart) if height > 1 else np.int32(0)
            for c in range(deep):
                plane = np.int32(np.int32(np.int32(n * deep) + np.int32(c)) * size)
                around = np.int32(np.int32(np.int32(n * size) * deep) + np.int32(c))
                value = seen(pixels, source, whole_in, around if whole_in else plane, at, beside, below, right, down)
                for s in range(steps):
                    column = steps_at + 3 * s
                    first, slot, before = script[n, column + 1], script[n, column + 2], value
                    value = pointed(script[n, column], value, left, top, rest(numbers, first + 1))
                    if slot >= 0 and abs(value - before) >= numbers[first]:
                        cover = np.int32(np.int32(np.int32(n * kinds) + slot) * size) + place
                        mark(marks, after_covers, ends, cover, _ONE, _HALF)
                if value - value != _ZERO:
                    flaws[n], value = 1, _ZERO
                if whole_out:
                    made_pixels[np.uint32(np.int32(around + np.int32(place * deep)))] = grey(value)
                else:
                    made[np.uint32(np.int32(plane + place))] = value

    return raster_cuda
