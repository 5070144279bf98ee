"""How active a clip is, as ITU-T P.56 (2011) method B says: what an active speech level is worked out from."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()

MARGIN = 15.9  # dB between the active level and its threshold
SMOOTHER, HANGOVER = 0.03, 0.2  # seconds
THRESHOLDS = 2.0 ** np.arange(-24, 1)
"""Of full scale, an octave apart. G.191 has those from 2⁻¹⁵; lower ones only serve clips that 16 bits cannot hold."""

CHUNK = 64
"""Samples whose greatest and smallest smoothed value are known, so that a count need not look at each."""


class Activity:
    """What ITU-T P.56 needs to know of a clip: how active it is at any threshold.

    |x| is smoothed twice; a sample is active at a threshold that this reached at it or up to 0.2 s before. Scaled
    with the clip, so that one pass serves for any loudness.

    Args:
        x: (T,) samples.
        rate: hertz.
    """

    def __init__(self, x: np.ndarray, rate: int) -> None:
        self.hangover = round(rate * HANGOVER)
        self._envelope = np.empty(len(x))
        self._ranges = np.empty((-(-len(x) // CHUNK), 2))
        envelope_cpu(x, math.exp(-1 / (rate * SMOOTHER)), self._envelope, self._ranges)

    def count(self, threshold: float) -> int:
        """How many samples are active at a threshold above 0."""
        return int(count_cpu(self._envelope, self._ranges, self.hangover, threshold))


def active_level(activity: Activity, length: int, level: float, scale: float) -> float:
    """The active level of a clip that is `scale` times as loud as the one measured; `level` is its RMS then."""
    before = None
    # The level lies above the RMS: no threshold further down can have a margin of 15.9 dB or less.
    first = int(np.searchsorted(THRESHOLDS, level * 10 ** (-MARGIN / 20)))
    for j in range(max(first - 1, 0), len(THRESHOLDS)):
        count = activity.count(THRESHOLDS[j] / scale)
        if count == 0:
            break
        above = 10 * math.log10(length / count)
        margin = above + 20 * math.log10(level / THRESHOLDS[j])
        if margin <= MARGIN:
            if before is None:
                break
            share = (before[1] - MARGIN) / (before[1] - margin)
            return level * 10 ** ((before[0] + share * (above - before[0])) / 20)
        before = above, margin
    return level


@njit(nogil=True, cache=True, fastmath={"contract"})
def envelope_cpu(x, decay, out, ranges):
    """Fill (T,) with |x| smoothed twice, and (⌈T / CHUNK⌉, 2) with the smallest and greatest value of each chunk."""
    once, twice = 0.0, 0.0
    for chunk in range(len(ranges)):
        low, high = np.inf, 0.0
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(x))):
            once = decay * once + (1.0 - decay) * np.float64(abs(x[i]))
            twice = decay * twice + (1.0 - decay) * once
            out[i] = twice
            low, high = min(low, twice), max(high, twice)
        ranges[chunk, 0], ranges[chunk, 1] = low, high


@njit(nogil=True, cache=True)
def count_cpu(envelope, ranges, hangover, threshold):
    """How many samples of (T,) reached a threshold then or up to `hangover` before."""
    total, until = 0, 0  # samples before `until` are active still
    for chunk in range(len(ranges)):
        start, end = chunk * CHUNK, min((chunk + 1) * CHUNK, len(envelope))
        if ranges[chunk, 1] < threshold:
            total += max(min(until, end) - start, 0)
        elif ranges[chunk, 0] >= threshold:
            total, until = total + end - start, end + hangover
        else:
            for i in range(start, end):
                if envelope[i] >= threshold:
                    until = i + 1 + hangover
                if i < until:
                    total += 1
    return total
