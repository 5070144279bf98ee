"""What one thread does with its chunk of a tile: the smoothers of ITU-T P.56, and running maxima."""

from __future__ import annotations

import math

import numpy as np

from sliceforge.engine.cuda.launch import THREADS, inlined

HANG = 1
"""Column of places: samples."""

GAP, SLOPE = 0, 1
"""Columns of numbers: 1 − e^(−slope), and 1 / samples of a smoother's time constant."""

CHUNK = 15
"""Samples of a thread; odd, so that the threads of a warp find their chunks in different banks of shared memory."""

TILE = THREADS * CHUNK


@inlined
def smooth(tile, first, gap, once, twice, keep):
    """Both smoothers through a chunk of |x|; returns where they end.

    Args:
        tile: (TILE,) float32; becomes what comes out where `keep` is true.
        first: where the chunk begins.
        once, twice: what the smoothers hold there.
    """
    for k in range(first, first + CHUNK):
        once += gap * (tile[k] - once)
        twice += gap * (once - twice)
        if keep:
            tile[k] = twice
    return once, twice


@inlined
def before(ends, i, carried, gap, slope):
    """What the smoothers hold where thread i's chunk begins.

    Args:
        ends: (2, THREADS) float32: what they hold at each chunk's end if they began the tile at rest.
        carried: (3,) float32: what they held where the tile began.
    """
    samples = np.float32(i * CHUNK)
    left = math.exp(-samples * slope)
    once, twice = left * carried[0], left * (carried[1] + samples * gap * carried[0])
    if i > 0:
        once, twice = once + ends[0, i - 1], twice + ends[1, i - 1]
    return once, twice


@inlined
def since(tile, first, start, segment, running, keep):
    """The maximum since the segment began, at the end of a chunk; of each of its samples, in `tile`, if `keep`.

    Args:
        start: sample of the clip that the tile begins with.
        segment: samples; the clip begins with one.
        running: the maximum before the chunk.
    """
    # Counted, for a remainder in each round is a hundred instructions and most of the registers.
    place = (start + first) % segment
    for k in range(first, first + CHUNK):
        running = tile[k] if place == 0 else max(running, tile[k])
        place = place + 1 if place + 1 < segment else 0
        if keep:
            tile[k] = running
    return running


@inlined
def until(tile, first, start, segment, running, keep):
    """The maximum up to the segment's end, as `since` from the other side."""
    place = (start + first + CHUNK) % segment
    for k in range(first + CHUNK - 1, first - 1, -1):
        running = tile[k] if place == 0 else max(running, tile[k])
        place = place - 1 if place > 0 else segment - 1
        if keep:
            tile[k] = running
    return running
