"""The words of a script, and what one thread reckons for a clip: levels in decibels, factors."""

from __future__ import annotations

import math

import numpy as np

from sliceforge.engine.cuda.launch import inlined

LIMIT = 2
"""Column of numbers: the amplitude that the guard keeps a clip's peak under; infinite where no step happens."""

ROUNDS_ON = 2
"""Column of places: 1 where a level depends on the final loudness."""

MIX_RMS, MIX_ACTIVE, GAIN = 0, 1, 2
KIND, VERSION, STEM, NUMBER, PLACE, COUNT = range(6)
"""Columns of a script: what happens; which row of the measures holds; the added stem; the column of numbers with the
factor asked for; the column of places that says whether, and of a gain how; and how many stems were measured."""

PLAIN, TO_RMS = 1, 2
"""A gain's factor as it is, or over the RMS of the sum."""

SILENT, NON_FINITE = 1, 2
"""What a status says: see `REASONS`."""

LOUDNESS, SCALE, LEVEL, DONE, ABOVE, MARGIN = range(6)
"""What the threads of a block share; the first two are the columns of a clip's state."""

MOST_STEMS = 16
OCTAVES, GROUP = 25, 8
"""P.56 thresholds, from 2⁻²⁴ to 1, and how many are counted in one pass."""

_ZERO, _ONE = np.float32(0), np.float32(1)
_MARGIN_DB = np.float32(15.9)
_TEN, _TWENTY, _TO_RATIO = np.float32(10), np.float32(20), np.float32(math.log(10) / 20)


@inlined
def settle_level(counts, lowest, length, level, shared):  # type: ignore[no-untyped-def]
    """One thread goes up a group of thresholds until one leaves no more than the margin: `loudness.active` in dB."""
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
                shared[LEVEL] = level * math.exp(between * _TO_RATIO)
            shared[DONE] = _ONE
            return
        shared[ABOVE], shared[MARGIN] = above, margin
        lowest += lowest


@inlined
def total_rms(grams, version, b, count, parts, length):  # type: ignore[no-untyped-def]
    """The RMS of the sum of `count` stems, each by its factor in parts (MOST_STEMS,)."""
    power = _ZERO
    for s in range(count):
        power += parts[s] * parts[s] * grams[version, b, s, s]
        for other in range(s + 1, count):
            twice = parts[s] * parts[other] * grams[version, b, s, other]
            power += twice + twice
    return math.sqrt(max(power, _ZERO) / np.float32(length))


@inlined
def mix_factor(over, under, asked, louder, parts, stem, status, b):  # type: ignore[no-untyped-def]
    """Write what the added stem is multiplied by, from both levels; nothing to measure is silent."""
    parts[stem] = _ZERO
    if over > _ZERO and under > _ZERO:
        parts[stem] = over / under * asked / louder
    else:
        status[b] = SILENT


@inlined
def scale_parts(parts, count, factor, shared):  # type: ignore[no-untyped-def]
    """Everything louder or softer."""
    for s in range(count):
        parts[s] *= factor
    shared[LOUDNESS] *= factor
