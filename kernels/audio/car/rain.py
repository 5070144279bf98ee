"""Rain on the roof: drops at random moments, each a bright tap."""

import math

import numpy as np
from scipy.fft import rfft

from sliceforge.kernels import sound
from sliceforge.kernels.audio.car.hiss import Key, energy

DROPS = 3000.0  # a second, in heavy rain


def rain_shape(hertz: np.ndarray) -> np.ndarray:
    """Spectrum of a drop: from 1 kHz, 24 dB an octave down below, 6 dB an octave down above 5 kHz."""
    f2 = np.square(hertz * np.float32(1 / 1000))
    return f2 * f2 / (1 + f2 * f2) / np.sqrt(1 + f2 / 25)


def patter(hertz: np.ndarray, points: int, rate: int, row: dict[str, float], key: Key) -> np.ndarray:
    """Spectrum (points // 2 + 1,) of drops, with an expected power of `rain` times that of `rain_level` dB."""
    density = DROPS * row["rain"] / rate
    drops = np.zeros(points, np.float32)
    sound.drops_cpu(drops, density, 7, *key)
    bins, shape = rfft(drops, workers=1), rain_shape(hertz)
    power = row["rain"] * 10 ** (row["rain_level"] / 10)
    bins[0] = 0
    bins[1:] *= shape * np.float32(math.sqrt(power * points / (4 * density * energy(shape))))
    return bins
