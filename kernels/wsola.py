"""A clip made longer or shorter at its own pitch: overlapping pieces, each taken from where it goes on best (WSOLA).

W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity for high quality time-scale
modification of speech", ICASSP 1993.
"""

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()

HOP = 0.012
"""Seconds from one piece to the next; each is twice as long."""

REACH = 0.007
"""Seconds to either side of its place that a piece is looked for: more than half a period of any voice."""

FINE = 16000
"""Hertz at which likeness is judged at most."""


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def likeness_cpu(x, one, other, count, skip):
    """Σ x·y of two places of x, over the root of the second one's energy."""
    both, energy = np.float32(0), np.float32(1e-12)
    for i in range(0, count, skip):
        both += x[one + i] * x[other + i]
        energy += x[other + i] * x[other + i]
    return both / np.sqrt(energy)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def stretch_cpu(x, factor, hop, reach, skip, window, out):
    """Add to (N,) what (T,) is when it lasts `factor` times as long.

    Args:
        x: float32, with 2 · hop + reach zeros and more on both sides.
        factor: above 0.
        hop, reach: samples.
        skip: samples from one that is compared to the next.
        window: (2 · hop,) float32, of which two that are one hop apart add up to 1.
        out: float32 zeros.
    """
    ahead = 2 * hop + reach
    at = ahead - hop
    for k in range(len(out) // hop + 2):
        place = ahead - hop + int(np.rint(k * hop / factor))
        if k > 0 and place + reach + 2 * hop <= len(x):
            # What would come next if nothing were stretched.
            follows, at, most = at + hop, place, np.float32(-np.inf)
            for shift in range(-reach, reach + 1):
                alike = likeness_cpu(x, follows, place + shift, 2 * hop, skip)
                if alike > most:
                    most, at = alike, place + shift
        start = (k - 1) * hop
        for i in range(max(-start, 0), min(2 * hop, len(out) - start)):
            out[start + i] += window[i] * x[at + i]


def stretched(x: np.ndarray, rate: int, factor: float, count: int) -> np.ndarray:
    """`count` samples of a clip that lasts `factor` times as long, (count,) float32.

    Args:
        x: (T,) float32.
        rate: hertz.
        factor: 0.5 to 2.
        count: samples, about T · factor.
    """
    hop, reach = max(round(HOP * rate), 1), round(REACH * rate)
    padded = np.zeros(len(x) + 8 * hop + 4 * reach, np.float32)
    padded[2 * hop + reach :][: len(x)] = x
    window = (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)).astype(np.float32)
    out = np.zeros(count, np.float32)
    stretch_cpu(padded, factor, hop, reach, max(rate // FINE, 1), window, out)
    return out
