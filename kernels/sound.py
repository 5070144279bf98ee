"""What procedural sounds are made of: Gaussian spectra, slow curves, harmonics and drops, from (key, position) alone.

Uniforms are `noise.lattice`; each `channel` is another, unrelated stream of them.
"""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.noise import lattice

install()

_HALF, ONE, _TWO, _THREE, _FOUR, _QUARTER = (np.float32(value) for value in (0.5, 1, 2, 3, 4, 0.25))
_OPEN = np.float32(0.5 + 2.0**-25)
_LN2, _TAU = np.float32(math.log(2)), np.float32(2 * math.pi)
_THIRD, _FIFTH, _SEVENTH, _NINTH = (np.float32(1 / n) for n in (3, 5, 7, 9))
_S3, _S5, _S7 = (np.float32(value) for value in (-1 / 6, 1 / 120, -1 / 5040))
_C2, _C4, _C6, _C8 = (np.float32(value) for value in (-1 / 2, 1 / 24, -1 / 720, 1 / 40320))
"""Taylor's, which on an eighth of a turn err by 3·10⁻⁷ of one."""

BLOCK = 16
"""Samples for which a gliding tone keeps its frequency; its phase runs on."""


def _between(i, channel, key0, key1, key2):
    # In (0, 1), so that its logarithm is finite.
    return 0.5 * float(lattice(i, channel, key0, key1, key2)) + 0.5 + 2.0**-26


_between_cpu = njit(inline="always")(_between)


@njit(inline="always")
def _minus_log(x):
    # −ln x of a float32 above 0: ln 2 · its exponent, and 2 · artanh((m − 1)/(m + 1)) of a mantissa m in [¾, 3/2).
    bits = np.int32(np.float32(x).view(np.int32) - np.int32(0x3F400000))
    m = np.int32((bits & np.int32(0x7FFFFF)) + np.int32(0x3F400000)).view(np.float32)
    z = (m - ONE) / (m + ONE)
    z2 = z * z
    series = ONE + z2 * (_THIRD + z2 * (_FIFTH + z2 * (_SEVENTH + z2 * _NINTH)))
    return -np.float32(bits >> np.int32(23)) * _LN2 - _TWO * z * series


@njit(inline="always")
def _unit(turns):
    # (cos, sin) of an angle in turns, float32, 0…1: polynomials on an eighth to either side of a quarter turn.
    quarter = np.floor(_FOUR * turns + _HALF)
    t = _TAU * (turns - _QUARTER * quarter)
    t2 = t * t
    sine = t * (ONE + t2 * (_S3 + t2 * (_S5 + t2 * _S7)))
    cosine = ONE + t2 * (_C2 + t2 * (_C4 + t2 * (_C6 + t2 * _C8)))
    q = np.int32(quarter)
    odd = q & np.int32(1)
    re, im = (sine if odd else cosine), (cosine if odd else sine)
    return (-re if (q + np.int32(1)) & np.int32(2) else re), (-im if q & np.int32(2) else im)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def gaussians_cpu(out, channel, key0, key1, key2):
    """Fill (2N,) float32 with N complex normals of power one (Box and Muller)."""
    for i in range(len(out) // 2):
        # Of 2⁻²⁴, never 0; lattice() of an even and an odd place.
        far = np.float32(lattice(2 * i, channel, key0, key1, key2)) * _HALF + _OPEN
        turns = np.float32(lattice(2 * i + 1, channel, key0, key1, key2)) * _HALF + _HALF
        size = np.sqrt(_minus_log(far))
        cosine, sine = _unit(turns)
        out[2 * i], out[2 * i + 1] = size * cosine, size * sine


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def wander_cpu(out, step, channel, key0, key1, key2):
    """Fill (T,) float32 with a smooth random curve, −1…1, that meets a new random value every 1 / step samples."""
    start = _between_cpu(-1, channel, key0, key1, key2)
    n, knot = 0, 0
    while n < len(out):
        knot = int(start + n * step)
        left, right = lattice(knot, channel, key0, key1, key2), lattice(knot + 1, channel, key0, key1, key2)
        end = min(max(math.ceil((knot + 1 - start) / step), n + 1), len(out))
        first, rise, narrow = np.float32(start + n * step - knot), right - left, np.float32(step)
        for i in range(end - n):
            f = first + np.float32(i) * narrow
            out[n + i] = left + rise * f * f * (_THREE - _TWO * f)
        n = end


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def harmonics_cpu(out, step, multiples, levels, channel, key0, key1, key2):
    """Add to (T,) float32 the multiples of a gliding tone, Σ level · cos(multiple · phase + its own random phase).

    `step` (⌈T / BLOCK⌉,) is the tone's frequency in turns a sample, new at each block of samples, and `out` has
    room for all of the last block.
    """
    blocks = len(step)
    begins = np.empty(blocks)
    turns = 0.0
    for b in range(blocks):
        begins[b] = turns
        turns += BLOCK * np.float64(step[b])
        turns -= math.floor(turns)
    re, im = np.empty(blocks, np.float32), np.empty(blocks, np.float32)
    turn_re, turn_im = np.empty(blocks, np.float32), np.empty(blocks, np.float32)
    total = np.zeros((BLOCK, blocks), np.float32)
    for k in range(len(levels)):
        if levels[k] == 0.0:
            continue
        own, multiple, level = _between_cpu(k, channel, key0, key1, key2), float(multiples[k]), np.float32(levels[k])
        for b in range(blocks):
            phase = multiple * begins[b] + own
            cosine, sine = _unit(np.float32(phase - np.floor(phase)))
            each = multiple * np.float64(step[b])
            re[b], im[b] = level * cosine, level * sine
            turn_re[b], turn_im[b] = _unit(np.float32(each - np.floor(each)))
        for n in range(BLOCK):
            row = total[n]
            for b in range(blocks):
                row[b] += re[b]
                x = re[b] * turn_re[b] - im[b] * turn_im[b]
                im[b] = re[b] * turn_im[b] + im[b] * turn_re[b]
                re[b] = x
    for b in range(blocks):
        for n in range(BLOCK):
            out[b * BLOCK + n] += total[n, b]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def gusty_cpu(out, wind, level, slow, depth):
    """Add to (T,) float32 wind · (level + depth · slow), both at least as long."""
    for i in range(len(out)):
        out[i] += wind[i] * (level + depth * slow[i])


@njit(nogil=True, cache=True)
def drops_cpu(out, density, channel, key0, key1, key2):
    """Add to (T,) impulses at random moments, `density` a sample, of either sign; their mean square is 2 each."""
    i, moment = 0, 0.0
    while True:
        moment -= math.log(_between_cpu(3 * i, channel, key0, key1, key2)) / density
        if moment >= len(out):
            return
        height = -math.log(_between_cpu(3 * i + 1, channel, key0, key1, key2))
        sign = 1.0 if _between_cpu(3 * i + 2, channel, key0, key1, key2) < 0.5 else -1.0
        out[int(moment)] += sign * height
        i += 1


@njit(nogil=True, cache=True)
def _uniforms_cpu(out, channel, key0, key1, key2):
    for i in range(len(out)):
        out[i] = _between_cpu(i, channel, key0, key1, key2)


def uniforms(count, channel, key):
    """(count,) float64 in (0, 1)."""
    out = np.empty(count)
    _uniforms_cpu(out, channel, *key)
    return out


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def strikes_cpu(out, moments, step, fade, height):
    """Add to (T,) strikes that ring: height · e^(−fade·n) · sin(2π · step · n), n samples after their moment.

    All (N,) float64: moments in samples, which may lie before the clip; step in turns and fade a sample. A strike ends
    60 dB down.
    """
    for k in range(len(moments)):
        begin = max(math.ceil(moments[k]), 0)
        end = min(math.ceil(moments[k] + 6.9 / fade[k]), len(out))
        if begin >= end:
            continue
        turn, late = 2 * math.pi * step[k], begin - moments[k]
        size, shrink = height[k] * math.exp(-fade[k] * late), math.exp(-fade[k])
        re, im = size * math.cos(turn * late), size * math.sin(turn * late)
        turn_re, turn_im = shrink * math.cos(turn), shrink * math.sin(turn)
        for i in range(begin, end):
            out[i] += np.float32(im)
            re, im = re * turn_re - im * turn_im, re * turn_im + im * turn_re
