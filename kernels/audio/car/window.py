"""Buffeting of an open window: the cabin's air as a Helmholtz resonator that the stream past the opening drives.

The stream locks to the resonance, so that it is heard, and felt, as a tone of 10 to 25 Hz.
"""

import math

import numpy as np

from sliceforge.kernels import sound
from sliceforge.kernels.audio.car.engine import glide
from sliceforge.kernels.audio.car.hiss import Key, heard

TONE = np.array([1, 2, 3])
TONE_DB = np.array([0.0, -12.0, -20.0])
WANDER, WANDER_RATE = 0.03, 0.5  # of the frequency, and hertz: the stream is never quite steady


def add_buffeting(out: np.ndarray, rate: int, row: dict[str, float], key: Key) -> None:
    """Add the tone to whole blocks of samples: `buffet` dB with the window open, in proportion to how far it is."""
    level = row["buffet"] + 20 * math.log10(row["window"])
    if not heard(level):
        return
    levels = 10 ** ((level + TONE_DB) / 20) * math.sqrt(2 / np.sum(10 ** (TONE_DB / 10)))
    step = glide(row["buffet_frequency"] / rate, WANDER, WANDER_RATE / rate, len(out) // sound.BLOCK, 10, key)
    sound.harmonics_cpu(out, step, TONE, levels, 11, *key)
