"""64 bits that say what a picture looks like or a clip sounds like; near things differ in few of them."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numba import njit
from scipy.fft import next_fast_len, rfft

from sliceforge.engine.cache import install

install()

SIDE, LOW = 32, 8
BANDS, SEGMENTS = 9, 9
LOWEST, HIGHEST = 300.0, 2000.0
"""Hertz between which a clip is compared, as Haitsma and Kalker have it: a telephone passes them."""

FAINT = 1e-5
"""Of the greatest energy: less is no move up, so that what rounding leaves in a pause decides nothing."""

FEWEST = 256
"""Samples of a segment's transform at least."""


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def project_cpu(image, down, along, out):
    """out (K, K) = down (K, H) · (sum over channels of image (H, W, C)) · along (W, K), row by row."""
    height, width, channels = image.shape
    size = out.shape[0]
    out[:] = 0
    line = np.empty(size)
    for y in range(height):
        line[:] = 0
        for x in range(width):
            value = 0.0
            for c in range(channels):
                value += image[y, x, c]
            for k in range(size):
                line[k] += value * along[x, k]
        for j in range(size):
            for k in range(size):
                out[j, k] += down[j, y] * line[k]


@lru_cache(maxsize=64)
def _waves(length: int) -> np.ndarray:
    """(LOW, length): the first cosines of 32 cells, each cell the mean of the pixels it covers."""
    edges = np.linspace(0, length, SIDE + 1)
    pixels = np.arange(length)
    inside = np.minimum(pixels + 1, edges[1:, None]) - np.maximum(pixels, edges[:-1, None])
    cells = np.maximum(inside, 0) * SIDE / length
    cosines = np.cos(np.pi / SIDE * np.outer(np.arange(LOW), np.arange(SIDE) + 0.5))
    return np.ascontiguousarray(cosines @ cells)


def of_image(image: np.ndarray) -> int:
    """The signs of the 63 lowest cosines but the mean, of the image in 32 × 32 cells: the perceptual hash of Zauner
    (2010), with the sign in the place of the median.

    Args:
        image: (H, W, C) uint8 or uint16.
    """
    out = np.empty((LOW, LOW))
    project_cpu(image, _waves(image.shape[0]), np.ascontiguousarray(_waves(image.shape[1]).T), out)
    bits = out > 0
    bits[0, 0] = False
    return _number(bits)


def of_sound(x: np.ndarray, rate: int) -> int:
    """Whether energy moves up or down between 9 bands of 300…2000 Hz from one ninth of the clip to the next: the
    sub-fingerprint of Haitsma and Kalker (2002), on a grid that is as long as the clip.

    Each ninth is heard through a Hann window of twice its length.

    Args:
        x: (T,) float32.
        rate: hertz.
    """
    hop = len(x) / SEGMENTS
    span = max(math.ceil(2 * hop), 1)
    size = next_fast_len(max(span, FEWEST), real=True)
    bands = np.geomspace(LOWEST, HIGHEST, BANDS + 1)
    bins = np.minimum(np.ceil(bands * size / rate).astype(int), size // 2 + 1)
    padded = np.concatenate([np.zeros(span, np.float32), x, np.zeros(span, np.float32)])
    window, energy = np.hanning(span + 2)[1:-1].astype(np.float32), np.empty((SEGMENTS, BANDS))
    for row in range(SEGMENTS):
        first = round((row + 0.5) * hop) + span - span // 2
        spectrum = rfft(padded[first : first + span] * window, size, workers=1)
        power = np.square(spectrum.real[: bins[-1]], dtype=np.float64) + np.square(spectrum.imag[: bins[-1]])
        energy[row] = np.diff(np.concatenate([[0.0], np.cumsum(power)])[bins])
    return _number(np.diff(np.diff(energy, axis=1), axis=0) > FAINT * energy.max())


def _number(bits: np.ndarray) -> int:
    """64 bits as one whole number, the first the highest."""
    return int.from_bytes(np.packbits(bits.reshape(-1)).tobytes(), "big")


def apart(one: int, other: int) -> int:
    """How many bits differ."""
    return (one ^ other).bit_count()
