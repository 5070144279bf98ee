"""Value noise: smooth random curves and surfaces, a function of (key, position) alone.

Every number is float32 and every step is +, −, × or a whole-number operation, so that the plain functions and the
compiled ones give the same bits.
"""

import math

import numpy as np
from numba.extending import register_jitable

_MASK = 0xFFFFFFFF
_UNIT = np.float32(2.0**-24)
_ZERO, _ONE, _TWO, _THREE = np.float32(0), np.float32(1), np.float32(2), np.float32(3)


def pieces(key: int) -> tuple[float, float, float]:
    """A 63-bit key as three whole numbers of 21 bits, which float32 holds exactly: what a plan row carries."""
    return float(key & 0x1FFFFF), float(key >> 21 & 0x1FFFFF), float(key >> 42 & 0x1FFFFF)


@register_jitable
def _mixed(word):  # type: ignore[no-untyped-def]
    # Only the low 32 bits of a product are kept: the same for Python's whole numbers and for wrapping 64-bit ones.
    word = ((word ^ (word >> 16)) * 0x7FEB352D) & _MASK
    word = ((word ^ (word >> 15)) * 0x846CA68B) & _MASK
    return word ^ (word >> 16)


@register_jitable
def lattice(i, j, key0, key1, key2):  # type: ignore[no-untyped-def]
    """The random value of one lattice point: [−1, 1) float32 of whole numbers i, j and the key's pieces."""
    word = _mixed(((i & _MASK) + int(key0) * 0x9E3779B1) & _MASK)
    word = _mixed(((word ^ (j & _MASK)) + int(key1) * 0x85EBCA77) & _MASK)
    word = _mixed((word + int(key2) * 0xC2B2AE3D) & _MASK)
    return np.float32(word >> 8) * _UNIT * _TWO - _ONE


@register_jitable
def eased(f):  # type: ignore[no-untyped-def]
    """Smoothstep 3f² − 2f³ of f cut to 0…1."""
    f = min(max(f, _ZERO), _ONE)
    return f * f * (_THREE - _TWO * f)


@register_jitable
def curve(x, channel, key0, key1, key2):  # type: ignore[no-untyped-def]
    """Value noise in one dimension, −1…1, with one random value at each whole x; `channel` picks another curve."""
    i = math.floor(x)
    left, right = lattice(i, channel, key0, key1, key2), lattice(i + 1, channel, key0, key1, key2)
    return left + (right - left) * eased(x - np.float32(i))


@register_jitable
def surface(x, y, channel, key0, key1, key2):  # type: ignore[no-untyped-def]
    """Value noise in two dimensions, −1…1, with one random value at each pair of whole numbers."""
    j = math.floor(y)
    # Rows of one surface lie 64 curves apart from those of the next channel.
    row = j * 64 + channel
    upper, lower = curve(x, row, key0, key1, key2), curve(x, row + 64, key0, key1, key2)
    return upper + (lower - upper) * eased(y - np.float32(j))
