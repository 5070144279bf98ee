"""The 16-bit arithmetic of ETSI's and ITU-T's speech codecs, on whole numbers that are never cut off by their type.

Words have 15 bits behind the point; what leaves 16 bits is saturated.
"""

from numba import njit

from sliceforge.engine.cache import install

install()

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def saturated(value):
    """A word."""
    return min(max(value, -32768), 32767)


@_compiled
def product(a, b):
    """a · b, cut off."""
    return min(a * b >> 15, 32767)


@_compiled
def rounded_product(a, b):
    """a · b, rounded."""
    return min(a * b + 16384 >> 15, 32767)


@_compiled
def headroom(value):
    """By how many bits a number other than 0 can be shifted to the left within 32 bits."""
    size = value if value >= 0 else -value - 1
    bits = 0
    while size < 1 << 30:
        size = size << 1 | 1
        bits += 1
    return bits


@_compiled
def quotient(a, b):
    """a / b of 0 ≤ a ≤ b, b above 0, as a word."""
    return min((a << 15) // b, 32767)
