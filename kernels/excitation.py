"""What a voice's filter is driven by, coded as regular pulses upon its own past: 40 samples in 56 bits.

Written from GSM 06.10 (ETSI EN 300 961), whose clauses are named; the bits are those of the Recommendation.
"""

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.fixed import headroom, product, rounded_product, saturated
from sliceforge.kernels.predictor import FRAME, ORDER, coarse, coloured, correlated, prepared, reflected, whitened

install()

PART, SHORTEST, LONGEST, PULSES = 40, 40, 120, 13

_LIMITS = np.array([6554, 16384, 26214])  # table 4.3a
_GAINS = np.array([3277, 11469, 21299, 32767])  # table 4.3b
_WEIGHTS = np.array([-134, -374, 0, 2054, 5741, 8192, 5741, 2054, 0, -374, -134])  # table 4.4
_DOWN = np.array([29128, 26215, 23832, 21846, 20165, 18725, 17476, 16384])  # table 4.5
_UP = np.array([18431, 20479, 22527, 24575, 26623, 28671, 30719, 32767])  # table 4.6

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def repeated(x, start, past, at):
    """Of 40 samples of x from `start` and a past that ends before `at`: how far back they are most alike, and the gain
    (4.2.11)."""
    most = 0
    for k in range(PART):
        most = max(most, min(abs(x[start + k]), 32767))
    room = headroom(most << 16) if most else 0
    shift = 0 if most == 0 or room > 6 else 6 - room
    best, lag = 0, SHORTEST
    for back in range(SHORTEST, LONGEST + 1):
        alike = 0
        for k in range(PART):
            alike += (x[start + k] >> shift) * past[at + k - back]
        if alike > best:
            best, lag = alike, back
    best = best << 1 >> 6 - shift
    power = 0
    for k in range(PART):
        short = past[at + k - lag] >> 3
        power += short * short
    power = power << 1
    if best <= 0:
        return lag, _GAINS[0]
    if best >= power:
        return lag, _GAINS[3]
    room = headroom(power)
    over, under = best << room >> 16, power << room >> 16
    code = 0
    while code < 3 and over > product(under, _LIMITS[code]):
        code += 1
    return lag, _GAINS[code]


@_compiled
def gridded(left, out):
    """Fill (13,) with every third of 40 smoothed samples, from the first of them that has the most energy, and return
    its place (4.2.13, 4.2.14)."""
    smooth = np.zeros(PART, np.int64)
    for k in range(PART):
        total = 4096
        for i in range(11):
            if 0 <= k + i - 5 < PART:
                total += left[k + i - 5] * _WEIGHTS[i]
        smooth[k] = saturated(total >> 13)
    best, first = -1, 0
    for m in range(4):
        energy = 0
        for i in range(PULSES):
            short = smooth[m + 3 * i] >> 2
            energy += short * short
        if energy > best:
            best, first = energy, m
    for i in range(PULSES):
        out[i] = smooth[first + 3 * i]
    return first


@_compiled
def quantised(pulses):
    """Pulses (13,) as 3 bits each and a maximum of 6 bits say them, in place (4.2.15, 4.2.16)."""
    most = 0
    for i in range(PULSES):
        most = max(most, min(abs(pulses[i]), 32767))
    exponent = 0
    while exponent < 6 and most >> 9 + exponent > 0:
        exponent += 1
    code = (most >> exponent + 5) + (exponent << 3)
    exponent = (code >> 3) - 1 if code > 15 else 0
    mantissa = code - (exponent << 3)
    if mantissa == 0:
        exponent, mantissa = -4, 15
    while mantissa <= 7:
        mantissa = mantissa << 1 | 1
        exponent -= 1
    mantissa -= 8
    half = 1 << 5 - exponent if exponent < 6 else 0
    for i in range(PULSES):
        level = (product(pulses[i] << 6 - exponent, _DOWN[mantissa]) >> 12) + 4
        back = rounded_product(_UP[mantissa], 2 * level - 7 << 12)
        pulses[i] = saturated(back + half) >> 6 - exponent


@_compiled
def driven(x, past):
    """What a receiver is driven by in the place of (160,), and past (120 + 160,) goes on (4.2.12, 4.2.17, 4.2.18)."""
    left, pulses = np.zeros(PART, np.int64), np.zeros(PULSES, np.int64)
    for start in range(0, FRAME, PART):
        at = LONGEST + start
        lag, gain = repeated(x, start, past, at)
        for k in range(PART):
            past[at + k] = rounded_product(gain, past[at + k - lag])
            left[k] = saturated(x[start + k] - past[at + k])
        first = gridded(left, pulses)
        quantised(pulses)
        for i in range(PULSES):
            k = at + first + 3 * i
            past[k] = saturated(past[k] + pulses[i])
    for k in range(FRAME):
        x[k] = past[LONGEST + k]
    for k in range(LONGEST):
        past[k] = past[FRAME + k]


@_compiled
def coded_cpu(pcm, out):
    """Fill (T,) int16 with what is heard of (T,) int16 at 8 kHz: frames of 160, the last one filled with zeros."""
    ahead, behind, filters = np.zeros(3, np.int64), np.zeros(ORDER + 1, np.int64), np.zeros(ORDER, np.int64)
    past, x, given = np.zeros(LONGEST + FRAME, np.int64), np.zeros(FRAME, np.int64), np.zeros(FRAME, np.int64)
    correlation, r = np.zeros(ORDER + 1, np.int64), np.zeros(ORDER, np.int64)
    before, now, level = np.zeros(ORDER, np.int64), np.zeros(ORDER, np.int64), 0
    for start in range(0, len(pcm), FRAME):
        count = min(FRAME, len(pcm) - start)
        for k in range(FRAME):
            given[k] = pcm[start + k] if k < count else 0
        prepared(given, ahead, x)
        correlated(x, correlation)
        reflected(correlation, r)
        coarse(r, now)
        whitened(x, before, now, filters)
        driven(x, past)
        coloured(x, before, now, behind)
        for i in range(ORDER):
            before[i] = now[i]
        for k in range(count):
            level = saturated(x[k] + rounded_product(level, 28180))
            out[start + k] = saturated(2 * level) & -8
