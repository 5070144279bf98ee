"""Kernels that measure a clip, one block for each: powers of its stems, and the held envelope of ITU-T P.56.

`kernels/loudness.py` says what a level is. There one sample after the other goes through two smoothers; here each
thread has a chunk of `CHUNK` samples, goes through it from rest, and a scan over the block adds what came before: a
smoother forgets by e^(−n·slope) in n samples. A sample is active at a threshold that was reached now or up to `hang`
samples ago, so that the envelope's maximum over the last hang + 1 samples says it of all thresholds at once. That
maximum is the larger of two, from the left and from the right end of neighbouring segments of that length
(van Herk, 1992; Gil and Werman, 1993).
"""

from __future__ import annotations

import math

import numpy as np
from numba import cuda, float32

from sliceforge.engine.cuda.launch import THREADS, inlined
from sliceforge.engine.cuda.pairs import add, fused, total
from sliceforge.engine.cuda.smoothers import CHUNK, GAP, HANG, SLOPE, TILE, before, since, smooth, until
from sliceforge.engine.cuda.waves import LENGTH

_ZERO = np.float32(0)


@inlined
def block_sum(shared, value, low):
    """The sum of every thread's pair, left in shared[0, 0] and shared[1, 0]; shared (2, THREADS) float32."""
    i = cuda.threadIdx.x
    cuda.syncthreads()
    shared[0, i], shared[1, i] = value, low
    step = THREADS // 2
    while step > 0:
        cuda.syncthreads()
        if i < step:
            high, left = add(shared[0, i], shared[1, i], shared[0, i + step], shared[1, i + step])
            shared[0, i], shared[1, i] = high, left
        step //= 2
    cuda.syncthreads()


@inlined
def scan_smoothers(ends, gap, slope):
    """From each chunk's end as if it began at rest to its end after all chunks of the tile before it.

    Args:
        ends: (2, THREADS) float32, shared: both smoothers.
    """
    i = cuda.threadIdx.x
    step = 1
    while step < THREADS:
        cuda.syncthreads()
        once, twice = ends[0, i], ends[1, i]
        if i >= step:
            samples = np.float32(step * CHUNK)
            left = math.exp(-samples * slope)
            once += left * ends[0, i - step]
            twice += left * (ends[1, i - step] + samples * gap * ends[0, i - step])
        cuda.syncthreads()
        ends[0, i], ends[1, i] = once, twice
        step *= 2
    cuda.syncthreads()


@inlined
def scan_maxima(maxima, first, segment, step_to):
    """Each chunk's maximum joined by those of its neighbours on one side that lie in the same segment.

    Args:
        maxima: (THREADS,) float32, shared: over the samples of the segment that the chunk's far end lies in.
        first: sample of the clip that the far end of chunk 0 is; the far end of chunk i is CHUNK · i further.
        segment: samples.
        step_to: −1: neighbours before it, 1: behind it.
    """
    i = cuda.threadIdx.x
    own = (first + i * CHUNK) // segment
    step = 1
    while step < THREADS:
        cuda.syncthreads()
        value, j = maxima[i], i + step * step_to
        if 0 <= j < THREADS and (first + j * CHUNK) // segment == own:
            value = max(value, maxima[j])
        cuda.syncthreads()
        maxima[i] = value
        step *= 2
    cuda.syncthreads()


@inlined
def rise(tile, ends, maxima, carried, start, segment, gap, slope):
    """A tile of |x| becomes its envelope, and each sample's maximum since its segment began is what is returned last.

    The caller passes on `carried` (3,), shared: both smoothers and the running maximum at the end of the tile before.
    """
    i = cuda.threadIdx.x
    first = i * CHUNK
    ends[0, i], ends[1, i] = smooth(tile, first, gap, _ZERO, _ZERO, False)
    scan_smoothers(ends, gap, slope)
    once, twice = before(ends, i, carried, gap, slope)
    once, twice = smooth(tile, first, gap, once, twice, True)
    maxima[i] = since(tile, first, start, segment, _ZERO, False)
    scan_maxima(maxima, start + CHUNK - 1, segment, -1)
    running = maxima[i - 1] if i > 0 else _ZERO
    if start > 0 and (start - 1) // segment == (start + first - 1) // segment:
        running = max(running, carried[2])
    cuda.syncthreads()
    if i == THREADS - 1:
        carried[0], carried[1] = once, twice
    cuda.syncthreads()
    return running


@inlined
def fall(tile, maxima, carried, start, segment):
    """A tile of the envelope becomes each sample's maximum up to the end of its segment; tiles come last first."""
    i = cuda.threadIdx.x
    first = i * CHUNK
    maxima[i] = until(tile, first, start, segment, _ZERO, False)
    scan_maxima(maxima, start, segment, 1)
    running = carried[2] if (start + TILE) // segment == (start + first + CHUNK) // segment else _ZERO
    if i < THREADS - 1:
        running = max(running, maxima[i + 1])
    cuda.syncthreads()
    running = until(tile, first, start, segment, running, True)
    if i == 0:
        carried[2] = running


@inlined
def multiply_stems(stems, b, length, version, grams, shared):
    """The sum of the product of each two stems of a clip; shared (2, THREADS) float32 is overwritten."""
    i, count = cuda.threadIdx.x, grams.shape[2]
    for s in range(stems.shape[0]):
        for other in range(s, stems.shape[0]):
            value, low = _ZERO, _ZERO
            for t in range(i, length, THREADS):
                here, there = stems[s, b, t], stems[other, b, t]
                product = here * there
                value, left = total(value, product)
                low += left + fused(here, there, -product)
            block_sum(shared, value, low)
            if i == 0:
                grams[version, b, s, other], grams[version, b, s, count + other] = shared[0, 0], shared[1, 0]


@inlined
def climb(tile, running, start, segment, carried):
    """A tile of the envelope becomes each sample's maximum since its segment began."""
    i = cuda.threadIdx.x
    cuda.syncthreads()
    running = since(tile, i * CHUNK, start, segment, running, True)
    if i == THREADS - 1:
        carried[2] = running
    cuda.syncthreads()


def measure_cuda(stems, places, numbers, active, version, grams, envelope, held):
    """One block for each clip.

    Args:
        stems: (S, B, T) float32.
        active: 1 where the foreground's held envelope is wanted, 0 where products are enough.
        version: which row of `grams`, and of `held` where it is wanted.
        grams: (V, B, S, 2 · S) float32, written at [version] for stems up to each other: the sum over the clip of
            their product, the row being the smaller number; and, S columns further, what float32 leaves of it.
        envelope: (B, T) float32, scratch.
        held: (V, B, T) float32: the largest envelope of the last `hang` + 1 samples.
    """
    # A line for each: the simulator takes arrays that were made on one line for one array.
    tile = cuda.shared.array(TILE, float32)
    maxima = cuda.shared.array(THREADS, float32)
    ends = cuda.shared.array((2, THREADS), float32)
    carried = cuda.shared.array(3, float32)
    i, b = cuda.threadIdx.x, cuda.blockIdx.x
    length, segment = places[b, LENGTH], places[b, HANG] + 1
    multiply_stems(stems, b, length, version, grams, ends)
    if i < 3:
        carried[i] = _ZERO
    tiles = (length + TILE - 1) // TILE if active == 1 else 0
    for start in range(0, tiles * TILE, TILE):
        cuda.syncthreads()
        for k in range(i, TILE, THREADS):
            tile[k] = abs(stems[0, b, start + k]) if start + k < length else _ZERO
        cuda.syncthreads()
        running = rise(tile, ends, maxima, carried, start, segment, numbers[b, GAP], numbers[b, SLOPE])
        for k in range(i, min(TILE, length - start), THREADS):
            envelope[b, start + k] = tile[k]
        climb(tile, running, start, segment, carried)
        for k in range(i, min(TILE, length - start), THREADS):
            held[version, b, start + k] = tile[k]
    cuda.syncthreads()
    if i == 0:
        carried[2] = _ZERO
    for start in range((tiles - 1) * TILE, -1, -TILE):
        cuda.syncthreads()
        for k in range(i, TILE, THREADS):
            tile[k] = envelope[b, start + k] if start + k < length else _ZERO
        cuda.syncthreads()
        fall(tile, maxima, carried, start, segment)
        cuda.syncthreads()
        for later in range(start + segment - 1 + i, min(start + TILE + segment - 1, length), THREADS):
            held[version, b, later] = max(held[version, b, later], tile[later - start - segment + 1])
