"""One bit a sample whose weight grows while the same bit comes again: a slope that follows the syllables."""

from numba import njit

from sliceforge.engine.cache import install

install()

POINT = 20
"""Bits behind the point of what the coder remembers."""

DECAY, SLACK = 5, 10
"""Of 2⁻⁵ the signal and of 2⁻¹⁰ the slope is forgotten with each bit."""

LEAST, MOST = 10, 1280
"""Steps of 16 bits: bounds of the slope, the least being what it grows by."""

RUN = 4
"""Bits that must agree for the slope to grow."""


@njit(nogil=True, cache=True, error_model="numpy")
def coded_cpu(pcm, out):
    """Fill (N,) int16 with what is heard of (N,) int16 at 64 kHz, a bit each."""
    full, least, most = 32768 << POINT, LEAST << POINT, MOST << POINT
    guess, slope, bits = 0, least, 0b0101
    for n in range(len(out)):
        up = int(pcm[n]) << POINT >= guess
        bits = (bits << 1 | int(up)) & (1 << RUN) - 1
        agree = bits == 0 or bits == (1 << RUN) - 1
        slope = min(slope + least, most) if agree else max(slope - (slope >> SLACK), least)
        reached = min(max(guess + (slope if up else -slope), -full), full - 1)
        guess = reached - (reached >> DECAY)
        out[n] = reached >> POINT
