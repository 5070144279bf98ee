"""Noise, smooth (value noise) or white (Gaussian): a function of (key, position) alone.

Every number is float32 and every step is +, −, ×, ÷, √ or a whole-number operation, so that the plain functions and the
compiled ones give the same bits.
"""

import math

import numpy as np
from numba.extending import register_jitable

from sliceforge.engine.distribution import _A, _B, _C, _C_END, _D

_MASK = 0xFFFFFFFF
_UNIT = np.float32(2.0**-24)
_WORD = np.float32(2.0**-32)
_ZERO, _HALF, _ONE, _TWO, _THREE = (np.float32(value) for value in (0, 0.5, 1, 2, 3))
_LN2, _ROOT = np.float32(0.6931471805599453), np.float32(1.4142135)
_ARTANH = tuple(np.float32(1 / n) for n in (11, 9, 7, 5, 3, 1))
# Where the quantile's middle ends, of 2³², and its coefficients, of the middle (numerator, denominator) and the tail.
_TAIL = int(0.02425 * 2**32)
_MIDDLE, _UNDER, _OUTER, _UNDER_OUTER = (
    tuple(np.float32(value) for value in values) for values in (_A, _B, (*_C, *_C_END), _D)
)


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
def word(i, j, key0, key1, key2):  # type: ignore[no-untyped-def]
    """32 random bits of one lattice point, from whole numbers i, j and the key's pieces."""
    mixed = _mixed(((i & _MASK) + int(key0) * 0x9E3779B1) & _MASK)
    mixed = _mixed(((mixed ^ (j & _MASK)) + int(key1) * 0x85EBCA77) & _MASK)
    return _mixed((mixed + int(key2) * 0xC2B2AE3D) & _MASK)


@register_jitable
def lattice(i, j, key0, key1, key2):  # type: ignore[no-untyped-def]
    """The random value of one lattice point: [−1, 1) float32 of whole numbers i, j and the key's pieces."""
    return np.float32(word(i, j, key0, key1, key2) >> 8) * _UNIT * _TWO - _ONE


@register_jitable
def _horner(coefficients, x):  # type: ignore[no-untyped-def]
    total = _ZERO
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


@register_jitable
def _minus_log(count):  # type: ignore[no-untyped-def]
    # −ln(count · 2⁻³²) of a whole number: ln 2 · powers, and 2 · artanh((m − 1)/(m + 1)) of a mantissa in [√½, √2].
    m, power = np.float32(count), 0
    while m > _ROOT:
        m, power = m * _HALF, power + 1
    z = (m - _ONE) / (m + _ONE)
    return np.float32(32 - power) * _LN2 - _TWO * z * _horner(_ARTANH, z * z)


@register_jitable
def gaussian(i, j, key0, key1, key2):  # type: ignore[no-untyped-def]
    """A standard normal number, float32, of one lattice point; up to ±6.3 (Acklam's quantile, 2003)."""
    bits = word(i, j, key0, key1, key2)
    tail = (bits >> 1) | 1  # of 2³², the smaller side: odd, so that the two halves mirror each other
    if tail > _TAIL:
        middle = _HALF - np.float32(tail) * _WORD
        r = middle * middle
        size = middle * _horner(_MIDDLE, r) / (_horner(_UNDER, r) * r + _ONE)
    else:
        q = np.float32(math.sqrt(_TWO * _minus_log(tail)))
        size = -_horner(_OUTER, q) / (_horner(_UNDER_OUTER, q) * q + _ONE)
    return size if bits & 1 else -size


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
