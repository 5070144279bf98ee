"""The words of a script, and what one thread reckons for a clip: levels in decibels, factors."""

from __future__ import annotations

import math

import numpy as np

from sliceforge.engine.cuda.launch import inlined
from sliceforge.engine.cuda.pairs import add, divide, multiply, root

LIMIT, LIMIT_LOW = 2, 3
"""Columns of numbers, a pair: the amplitude that the guard keeps a peak under; infinite where no step happens."""

ROUNDS_ON = 2
"""Column of places: 1 where a level depends on the final loudness."""

MIX_RMS, MIX_ACTIVE, GAIN = 0, 1, 2
KIND, VERSION, STEM, NUMBER, PLACE, COUNT = range(6)
"""Columns of a script: what happens; which row of the measures holds; the added stem; the first of the two columns of
numbers with the factor asked for; the column of places that says whether, and of a gain how; and how many stems were
measured."""

PLAIN, TO_RMS = 1, 2
"""A gain's factor as it is, or over the RMS of the sum."""

SILENT, NON_FINITE = 1, 2
"""What a status says: see `REASONS`."""

LOUDNESS, SCALE, LEVEL, DONE, ABOVE, MARGIN, LOUDNESS_LOW, SHARED = range(8)
"""What the threads of a block share, and how much it is; the first two are the columns of a clip's state."""

MOST_STEMS = 16
OCTAVES, GROUP = 25, 8
"""P.56 thresholds, from 2⁻²⁴ to 1, and how many are counted in one pass."""

_ZERO, _ONE, _TWO = np.float32(0), np.float32(1), np.float32(2)
_MARGIN_DB = np.float32(15.9)
_TEN, _TWENTY, _TO_RATIO = np.float32(10), np.float32(20), np.float32(math.log(10) / 20)


@inlined
def settle_level(counts, lowest, length, level, shared):
    """One thread goes up a group of thresholds until one leaves no more than the margin.

    What is left in shared[LEVEL] is `loudness.active` over the RMS, `level`.
    """
    for q in range(GROUP):
        if shared[DONE] != _ZERO or lowest > _ONE:
            return
        if counts[q, 0] == 0:
            shared[DONE] = _ONE
            return
        above = _TEN * math.log10(np.float32(length) / np.float32(counts[q, 0]))
        margin = above + _TWENTY * math.log10(level / lowest)
        if margin <= _MARGIN_DB:
            if shared[MARGIN] > _MARGIN_DB:
                share = (shared[MARGIN] - _MARGIN_DB) / (shared[MARGIN] - margin)
                between = shared[ABOVE] + share * (above - shared[ABOVE])
                shared[LEVEL] = math.exp(between * _TO_RATIO)
            shared[DONE] = _ONE
            return
        shared[ABOVE], shared[MARGIN] = above, margin
        lowest += lowest


@inlined
def total_rms(grams, version, b, count, parts, length):
    """The RMS of the sum of `count` stems, each by its factor in parts (2, MOST_STEMS): a pair."""
    power, low, stems = _ZERO, _ZERO, grams.shape[2]
    for s in range(count):
        for other in range(s, count):
            twice = _ONE if s == other else _TWO
            factor, left = multiply(parts[0, s], parts[1, s], twice * parts[0, other], twice * parts[1, other])
            gram, rest = grams[version, b, s, other], grams[version, b, s, stems + other]
            factor, left = multiply(factor, left, gram, rest)
            power, low = add(power, low, factor, left)
    return rms(power, low, length)


@inlined
def rms(power, low, length):
    """The root of a sum over its samples: a pair."""
    power, low = divide(power, low, np.float32(length), _ZERO)
    return root(power, low)


@inlined
def scale_parts(parts, count, factor, low, shared):
    """Everything louder or softer."""
    for s in range(count):
        high, left = multiply(parts[0, s], parts[1, s], factor, low)
        parts[0, s], parts[1, s] = high, left
    high, left = multiply(shared[LOUDNESS], shared[LOUDNESS_LOW], factor, low)
    shared[LOUDNESS], shared[LOUDNESS_LOW] = high, left


@inlined
def gain_parts(k, script, b, length, numbers, grams, parts, shared, status, how):
    """One thread multiplies everything as row k of the script, a gain, asks for."""
    column = script[k, NUMBER]
    factor, low = numbers[b, column], numbers[b, column + 1]
    if how == TO_RMS:
        loud, loud_low = total_rms(grams, script[k, VERSION], b, script[k, COUNT], parts, length)
        if loud > _ZERO:
            factor, low = divide(factor, low, loud, loud_low)
        else:
            factor, low = _ZERO, _ZERO
            status[b] = SILENT
    scale_parts(parts, MOST_STEMS, factor, low, shared)
