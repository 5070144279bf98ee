"""The kernel that works out what every stem of a clip is multiplied by; one block for each clip.

A stem's samples do not depend on any factor, and a power of their sum follows from the sums of their products. So a
chain of mixes and gains is a few numbers for each clip, and the loop "measure at the final loudness" of
`engine/sound.py` goes round in here: only counts of active samples and the peak need the samples again.
"""

from __future__ import annotations

import numpy as np
from numba import cuda, float32, int32

from sliceforge.engine.cuda.launch import THREADS, inlined
from sliceforge.engine.cuda.pairs import divide, multiply
from sliceforge.engine.cuda.waves import LENGTH
from sliceforge.engine.cuda.words import (
    DONE,
    GAIN,
    GROUP,
    KIND,
    LEVEL,
    LIMIT,
    LIMIT_LOW,
    LOUDNESS,
    LOUDNESS_LOW,
    MARGIN,
    MIX_ACTIVE,
    MOST_STEMS,
    NUMBER,
    OCTAVES,
    PLACE,
    ROUNDS_ON,
    SCALE,
    SHARED,
    SILENT,
    STEM,
    VERSION,
    gain_parts,
    rms,
    scale_parts,
    settle_level,
)

_ZERO, _ONE = np.float32(0), np.float32(1)
_BELOW = np.float32(10 ** (-15.9 / 20) / 4)  # two octaves under the lowest threshold that can be the one
_LOWEST = np.float32(2.0**-24)
_STEP, _SETTLED = np.float32(2.0**-15), np.float32(1e-4)


@inlined
def block_max(shared, value):
    """The largest of every thread's values, in all threads; shared (THREADS,) float32 is overwritten."""
    i = cuda.threadIdx.x
    cuda.syncthreads()
    shared[i] = value
    step = THREADS // 2
    while step > 0:
        cuda.syncthreads()
        if i < step:
            shared[i] = max(shared[i], shared[i + step])
        step //= 2
    cuda.syncthreads()
    return shared[0]


@inlined
def count_active(held, version, b, length, gain, lowest, counts):
    """counts[q, 0] becomes the samples of which `gain` · held reaches lowest · 2^q; counts (GROUP, THREADS), shared."""
    i = cuda.threadIdx.x
    mine = cuda.local.array(GROUP, int32)
    for q in range(GROUP):
        mine[q] = 0
    for t in range(i, length, THREADS):
        value, threshold = held[version, b, t] * gain, lowest
        for q in range(GROUP):
            if value >= threshold:
                mine[q] += 1
            threshold += threshold
    cuda.syncthreads()
    for q in range(GROUP):
        counts[q, i] = mine[q]
    step = THREADS // 2
    while step > 0:
        cuda.syncthreads()
        if i < step:
            for q in range(GROUP):
                counts[q, i] += counts[q, i + step]
        step //= 2
    cuda.syncthreads()


@inlined
def active_level(held, version, b, length, gain, level, counts, shared):
    """The active speech level of gain · foreground over its RMS, which is `level`, in shared[LEVEL]."""
    lowest, octave = _LOWEST, 0
    while octave < OCTAVES - 1 and lowest + lowest < level * _BELOW:
        lowest, octave = lowest + lowest, octave + 1
    if cuda.threadIdx.x == 0:
        shared[LEVEL], shared[DONE], shared[MARGIN] = _ONE, _ZERO, _ZERO
    cuda.syncthreads()
    while octave < OCTAVES and shared[DONE] == _ZERO:
        count_active(held, version, b, length, gain, lowest, counts)
        if cuda.threadIdx.x == 0:
            settle_level(counts, lowest, length, level, shared)
        cuda.syncthreads()
        for _ in range(GROUP):
            lowest += lowest
        octave += GROUP


@inlined
def happen(k, script, b, length, places, numbers, grams, held, parts, counts, shared, status):
    """Row k of the script, for one clip; every thread of the block takes part."""
    kind, version, stem = script[k, KIND], script[k, VERSION], script[k, STEM]
    how = places[b, script[k, PLACE]]
    leads = cuda.threadIdx.x == 0
    cuda.syncthreads()
    if how == 0:
        return
    if kind == GAIN:
        if leads:
            gain_parts(k, script, b, length, numbers, grams, parts, shared, status, how)
        return
    louder, louder_low = divide(shared[SCALE], _ZERO, shared[LOUDNESS], shared[LOUDNESS_LOW])
    over, over_low = rms(grams[version, b, 0, 0], grams[version, b, 0, grams.shape[2]], length)
    under, under_low = rms(grams[version, b, stem, stem], grams[version, b, stem, grams.shape[2] + stem], length)
    gain, gain_low = multiply(parts[0, 0], parts[1, 0], louder, louder_low)
    over, over_low = multiply(over, over_low, gain, gain_low)
    cuda.syncthreads()
    if leads:
        shared[LEVEL] = _ONE
    loud = over >= _STEP and under >= _STEP
    if loud and kind == MIX_ACTIVE:
        active_level(held, version, b, length, gain, over, counts, shared)
    cuda.syncthreads()
    if leads and loud:
        over, over_low = multiply(over, over_low, shared[LEVEL], _ZERO)
        under, under_low = multiply(under, under_low, louder, louder_low)
        over, over_low = multiply(over, over_low, numbers[b, script[k, NUMBER]], numbers[b, script[k, NUMBER] + 1])
        over, over_low = divide(over, over_low, under, under_low)
        parts[0, stem], parts[1, stem] = over, over_low
    elif leads:
        parts[0, stem], parts[1, stem] = _ZERO, _ZERO
        status[b] = SILENT


@inlined
def guard(stems, b, length, limit, limit_low, parts, sums, shared):
    """Scale everything so that the peak stays under the limit; an infinite limit asks for no look at the samples."""
    cuda.syncthreads()
    if limit - limit != _ZERO:
        return
    peak = _ZERO
    for t in range(cuda.threadIdx.x, length, THREADS):
        value = _ZERO
        for s in range(stems.shape[0]):
            value += parts[0, s] * stems[s, b, t]
        peak = max(peak, abs(value))
    peak = block_max(sums, peak)
    if cuda.threadIdx.x == 0 and peak > limit:
        factor, low = divide(limit, limit_low, peak, _ZERO)
        scale_parts(parts, MOST_STEMS, factor, low, shared)


def solve_cuda(
    stems, places, numbers, script, first, count, grams, held, start, begun, rounds, last, factors, state, status
):
    """One block for each clip.

    Args:
        stems: (S, B, T) float32, as they are after the script.
        script: (K, 6) int32; `count` rows from `first` are what happens.
        grams, held: as `measure_cuda` writes them.
        start: (B, S) float32, the factors before.
        begun: (B, 2) float32, the product of all gains before, and of all gains as far as it is known.
        rounds: how often at most; 1 where what follows has a say, too.
        last: 1 where the guard follows.
        factors: (B, S) float32, written; 0 of stems that are not there yet.
        state: (B, 2) float32, written: the product of all gains now, and the one that it was measured for, or the new
            one where they differ and something is measured by it.
        status: (B,) int32, written where it is not 0.
    """
    sums = cuda.shared.array(THREADS, float32)
    counts = cuda.shared.array((GROUP, THREADS), int32)
    parts = cuda.shared.array((2, MOST_STEMS), float32)
    shared = cuda.shared.array(SHARED, float32)
    i, b = cuda.threadIdx.x, cuda.blockIdx.x
    length = places[b, LENGTH]
    if i == 0:
        shared[SCALE] = begun[b, SCALE]
    for turn in range(rounds):
        cuda.syncthreads()
        if i == 0:
            shared[LOUDNESS], shared[LOUDNESS_LOW] = begun[b, LOUDNESS], _ZERO
            for s in range(MOST_STEMS):
                parts[0, s], parts[1, s] = start[b, s] if s < stems.shape[0] else _ZERO, _ZERO
        for k in range(first, first + count):
            happen(k, script, b, length, places, numbers, grams, held, parts, counts, shared, status)
        cuda.syncthreads()
        if last == 1:
            guard(stems, b, length, numbers[b, LIMIT], numbers[b, LIMIT_LOW], parts, sums, shared)
        cuda.syncthreads()
        moved = abs(shared[LOUDNESS] / shared[SCALE] - _ONE) > _SETTLED and places[b, ROUNDS_ON] == 1
        cuda.syncthreads()
        if i == 0:
            state[b, LOUDNESS], state[b, SCALE] = shared[LOUDNESS], shared[SCALE]
            if moved and last == 1:
                state[b, SCALE] = shared[LOUDNESS]
                if turn < rounds - 1:
                    shared[SCALE] = shared[LOUDNESS]
        if not moved:
            break
    for s in range(i, factors.shape[1], THREADS):
        factors[b, s] = parts[0, s]
