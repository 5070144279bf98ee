"""Where a pass begins and ends: bytes or float32 in, one rounding to bytes or float32 out."""

from __future__ import annotations

import numpy as np

from sliceforge.engine.cpu.sampling import gather, gather_line, gather_packed
from sliceforge.engine.cpu.tile import inline, peek, poke
from sliceforge.kernels.approx import bits, rounded

_ZERO, _ONE = np.float32(0), np.float32(1)
_WHITE, _UNIT = np.float32(255), np.float32(1 / 255)
_INFINITE, _MAGNITUDE = np.int32(0x7F800000), np.int32(0x7FFFFFFF)


@inline
def _size(x):
    # Grows with |x|, and is `_INFINITE` or more of what is not finite.
    return np.int32(bits(x) & _MAGNITUDE)


@inline
def fetch_whole(item, quads, px, py, how, span, sides, values):
    (warped, straight, line), (count, full, place), (height, width, channels) = how, span, sides
    for c in range(channels):
        value = values[c]
        if straight:
            gather_line(quads, np.int32(c * height * width), line, full, height, width, value)
        elif warped:
            gather_packed(quads, np.int32(c * height * width), px, py, full, height, width, value)
        elif channels == 1:
            for t in range(count):
                value[t] = np.float32(np.int32(peek(item, np.int32(place + np.int32(t))))) * _UNIT
        else:
            for t in range(count):
                whole = peek(item, np.int32(np.int32(np.int32(place + np.int32(t)) * channels) + c))
                value[t] = np.float32(np.int32(whole)) * _UNIT


@inline
def fetch_float(item, quads, px, py, how, span, sides, values):
    warped, (count, full, place), (height, width, channels) = how[0], span, sides
    for c in range(channels):
        value, base = values[c], np.int32(c * height * width)
        if warped:
            gather(item, base, px, py, full, height, width, value)
        else:
            for t in range(count):
                value[t] = peek(item, np.int32(base + np.int32(place + np.int32(t))))


@inline
def _grey(x):
    return np.uint8(np.int32(rounded(min(max(x, _ZERO), _ONE) * _WHITE)))


@inline
def put_whole(item, span, sides, values):
    count, place, channels = span[0], span[2], sides[2]
    flaw = np.int32(0)
    for c in range(channels):
        value = values[c]
        if channels == 1:
            for t in range(count):
                flaw = max(flaw, _size(value[t]))
                poke(item, np.int32(place + np.int32(t)), _grey(value[t]))
        else:
            for t in range(count):
                flaw = max(flaw, _size(value[t]))
                poke(item, np.int32(np.int32(np.int32(place + np.int32(t)) * channels) + c), _grey(value[t]))
    return np.int32(flaw >= _INFINITE)


@inline
def put_float(item, span, sides, values):
    (count, _, place), (height, width, channels) = span, sides
    flaw = np.int32(0)
    for c in range(channels):
        value, base = values[c], np.int32(c * height * width)
        for t in range(count):
            x = value[t]
            flaw = max(flaw, _size(x))
            poke(item, np.int32(base + np.int32(place + np.int32(t))), x)
    return np.int32(flaw >= _INFINITE)
