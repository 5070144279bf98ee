"""Gaussian noise of a shape: a spectrum of random bins, and its period."""

import math
from collections.abc import Callable

import numpy as np
from scipy.fft import irfft, next_fast_len

from sliceforge.kernels import sound
from sliceforge.kernels.passes import product_cpu

Key = tuple[float, float, float]

SILENT = -60.0
"""dB against the road; what is softer is not made."""


def heard(level: float) -> bool:
    """Whether a part of `level` dB is worth making."""
    return level > SILENT


def amplitude(level: float) -> np.float32:
    """The factor of a level in dB."""
    return np.float32(10 ** (level / 20))


def energy(shape: np.ndarray) -> float:
    """Sum of squares; a dot product would depend on the number of BLAS threads."""
    return float(product_cpu(shape, shape))


def scaled(shape: np.ndarray, points: int, level: float = 0.0) -> np.ndarray:
    """A shape (points // 2,) float32, from the first bin on, whose noise has an expected power of `level` dB."""
    return shape * np.float32(10 ** (level / 20) * points / math.sqrt(2 * energy(shape)))


def hiss(channel: int, shape: np.ndarray, points: int, key: Key) -> np.ndarray:
    """Spectrum (points // 2 + 1,) of Gaussian noise of a scaled shape."""
    bins = np.zeros(points // 2 + 1, np.complex64)
    sound.gaussians_cpu(bins[1:].view(np.float32), channel, *key)
    bins[1:] *= shape
    return bins


def sounded(bins: np.ndarray, points: int) -> np.ndarray:
    """The period (points,) of a spectrum; `bins` is used up."""
    return irfft(bins, points, overwrite_x=True, workers=1)


def bins_of(points: int, rate: int) -> np.ndarray:
    """Hertz of each bin (points // 2,) float32 from the first one on."""
    return (np.arange(1, points // 2 + 1) * (rate / points)).astype(np.float32)


def loop(channel: int, shape: Callable[[np.ndarray], np.ndarray], rate: int, key: Key) -> np.ndarray:
    """About a second of noise with an expected power of one: enough for what never sounds longer at a time."""
    points = next_fast_len(max(rate, 2), real=True)
    return sounded(hiss(channel, scaled(shape(bins_of(points, rate)), points), points, key), points)


def falling(f2: np.ndarray, slope: float) -> np.ndarray:
    """Amplitude that is flat to a corner and then falls by `slope` dB an octave; `f2`: (frequency / corner)²."""
    return (1 + f2) ** np.float32(-slope / (40 * math.log10(2)))
