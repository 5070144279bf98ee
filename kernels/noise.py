"""Noise, smooth (value noise) or white (Gaussian): a function of (key, position) alone.

The functions are plain, compiled into every loop that calls them, on CPU and CUDA alike: float32 and 32-bit whole
numbers throughout, and no branch, so that a loop over pixels does many at a time. What depends on the second position
and the key alone is worked out once for a row.
"""

import numpy as np
from numba import njit

from sliceforge.kernels.approx import floored, parted

_MASK = 0xFFFFFFFF
_UNIT = np.float32(2.0**-24)
_ZERO, _ONE, _TWO, _THREE = (np.float32(value) for value in (0, 1, 2, 3))
_I, _J, _K1, _K2 = (np.uint32(value) for value in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F))
_MIX_A, _MIX_B = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_S1, _S8, _S15, _S16 = (np.uint32(value) for value in (1, 8, 15, 16))
# The normal quantile of a two-sided tail p is (1 − p) · a polynomial in −log₂ p, one up to 8 and one from there to 31,
# within 5e-4.
_MIDDLE = tuple(
    np.float32(value)
    for value in (5.440886e-06, -0.00017012705, 0.0022635495, -0.017180266, 0.07804802, 0.041261845, 1.2451337)
)
_TAIL = tuple(np.float32(value) for value in (-1.5721465e-06, 0.00017678558, -0.0085804832, 0.31733118, 0.8236961))
_RARE = np.float32(8)
# log₂(1 + m) / m, within 2e-5 once it is multiplied by m.
_LOG = tuple(np.float32(value) for value in (0.24239271, -0.39246483, 0.4882264, -0.72040099, 1.4425216))
_SHARE = np.float32(2.0**-31)
# Slopes from two halves of a word, and what makes the noise about −1…1.
_LOW16, _HALF_UNIT, _GAIN = np.uint32(0xFFFF), np.float32(2.0**-15), np.float32(1.7)


def pieces(key):
    """63-bit keys as three whole numbers of 21 bits, which float32 holds exactly: what a plan row carries.

    Args:
        key: a whole number, or a column (B,) of them.
    """
    key = np.asarray(key, np.int64)
    return tuple((key >> shift & 0x1FFFFF).astype(np.float32) for shift in (0, 21, 42))


@njit(inline="always")
def _mixed(word):
    # A bijection of 32 bits in which every bit of the input reaches every bit of the output (Ettinger's search, 2018).
    a = np.uint32(np.uint32(word ^ np.uint32(word >> _S16)) * _MIX_A)
    b = np.uint32(np.uint32(a ^ np.uint32(a >> _S15)) * _MIX_B)
    return np.uint32(b ^ np.uint32(b >> _S16))


@njit(inline="always")
def word(i, j, key0, key1, key2):
    """32 random bits of one lattice point, from whole numbers i, j and the key's pieces."""
    column, row = np.uint32(int(i) & _MASK), np.uint32(int(j) & _MASK)
    first = _mixed(np.uint32(np.uint32(row * _J) + np.uint32(key0) * _I))
    second = _mixed(np.uint32(first + np.uint32(np.uint32(key1) * _K1)))
    third = _mixed(np.uint32(second + np.uint32(np.uint32(key2) * _K2)))
    a = np.uint32(column + second)
    b = np.uint32(np.uint32(a ^ np.uint32(a >> _S16)) * _MIX_A)
    # The second half of the row's key comes in here: else two rows would be one sequence from different places.
    c = np.uint32(b ^ third)
    d = np.uint32(np.uint32(c ^ np.uint32(c >> _S15)) * _MIX_B)
    return np.uint32(d ^ np.uint32(d >> _S16))


@njit(inline="always")
def lattice(i, j, key0, key1, key2):
    """The random value of one lattice point: [−1, 1) float32 of whole numbers i, j and the key's pieces."""
    return np.float32(np.int32(word(i, j, key0, key1, key2) >> _S8)) * _UNIT * _TWO - _ONE


@njit(inline="always")
def gaussian(i, j, key0, key1, key2):
    """A standard normal number, float32, of one lattice point; up to ±6.2."""
    drawn = word(i, j, key0, key1, key2)
    # Odd, so that it is never 0 and the two halves mirror each other; the lowest bit is the sign.
    share = np.float32(np.int32(np.uint32(drawn >> _S1) | _S1)) * _SHARE
    power, m = parted(share)
    w = _LOG[0]
    w = w * m + _LOG[1]
    w = w * m + _LOG[2]
    w = w * m + _LOG[3]
    w = w * m + _LOG[4]
    w = -(w * m + power)
    q = _MIDDLE[0]
    q = q * w + _MIDDLE[1]
    q = q * w + _MIDDLE[2]
    q = q * w + _MIDDLE[3]
    q = q * w + _MIDDLE[4]
    q = q * w + _MIDDLE[5]
    q = q * w + _MIDDLE[6]
    rare = _TAIL[0]
    rare = rare * w + _TAIL[1]
    rare = rare * w + _TAIL[2]
    rare = rare * w + _TAIL[3]
    rare = rare * w + _TAIL[4]
    q = rare if w > _RARE else q
    size = (_ONE - share) * q
    return size if drawn & _S1 else -size


@njit(inline="always")
def eased(f):
    """Smoothstep 3f² − 2f³ of f cut to 0…1."""
    f = min(max(f, _ZERO), _ONE)
    return f * f * (_THREE - _TWO * f)


@njit(inline="always")
def curve(x, channel, key0, key1, key2):
    """Value noise in one dimension, −1…1, with one random value at each whole x; `channel` picks another curve."""
    i = floored(x)
    left, right = lattice(i, channel, key0, key1, key2), lattice(i + 1, channel, key0, key1, key2)
    return left + (right - left) * eased(x - np.float32(i))


@njit(inline="always")
def surface(x, y, channel, key0, key1, key2):
    """Value noise in two dimensions, −1…1, with one random value at each pair of whole numbers."""
    j = floored(y)
    # Rows of one surface lie 64 curves apart from those of the next channel.
    row = j * 64 + channel
    upper, lower = curve(x, row, key0, key1, key2), curve(x, row + 64, key0, key1, key2)
    return upper + (lower - upper) * eased(y - np.float32(j))


@njit(inline="always")
def jagged(x, channel, key0, key1, key2):
    """As `curve`, with straight lines between the random values, as a fracture runs: (value, slope for a unit of x)."""
    i = floored(x)
    value, slope = _ZERO, _ZERO
    for k in range(2):  # a loop, not two calls: it compiles sooner
        drawn = lattice(i + k, channel, key0, key1, key2)
        share = x - np.float32(i)
        value += drawn * (share if k else _ONE - share)
        slope += drawn if k else -drawn
    return value, slope


@njit(inline="always")
def kinked(x, coarse, fine, weight, channel, key0, key1, key2):
    """Two `jagged` curves, the second weighing `weight`, each with its own distance from kink to kink: (value, slope).

    Args:
        x: pixels; the slope is for one of them.
        coarse, fine: pixels from kink to kink.
        weight: of the second curve; the first weighs 1.
        channel: this and the next one are used.
    """
    value, slope = _ZERO, _ZERO
    for k in range(2):
        cell, share = (fine, weight) if k else (coarse, _ONE)
        height, rise = jagged(x / cell, channel + k, key0, key1, key2)
        value += share * height
        slope += share * rise / cell
    return value, slope


@njit(inline="always")
def gradient(x, y, channel, key0, key1, key2):
    """Gradient noise in two dimensions, about −1…1: 0 at pairs of whole numbers, where its slope is random.

    Ken Perlin, "An image synthesizer", SIGGRAPH 1985; the slopes here are of any length.
    """
    i, j = floored(x), floored(y)
    x, y = x - np.float32(i), y - np.float32(j)
    total = _ZERO
    for k in range(4):  # a loop, not four calls: it compiles in a quarter of the time
        drawn = word(i + (k & 1), (j + (k >> 1)) * 64 + channel, key0, key1, key2)
        dx, dy = x - np.float32(k & 1), y - np.float32(k >> 1)
        ramp = (np.float32(np.int32(drawn & _LOW16)) * _HALF_UNIT - _ONE) * dx
        ramp += (np.float32(np.int32(drawn >> _S16)) * _HALF_UNIT - _ONE) * dy
        total += ramp * eased(_ONE - abs(dx)) * eased(_ONE - abs(dy))
    return total * _GAIN
