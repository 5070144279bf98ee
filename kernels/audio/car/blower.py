"""The climate blower: broadband hiss from 200 Hz to 6 kHz and the tone of its blades, at one of four speeds.

A fan's sound power grows with the fifth power of its speed, and its blades pass in proportion to it (the fan laws).
"""

import math

import numpy as np

from sliceforge.kernels import sound
from sliceforge.kernels.audio.car.engine import glide
from sliceforge.kernels.audio.car.hiss import Key, falling

FAN_LAW = 50.0  # dB a decade of the fan's speed
TONE = np.array([1, 2])  # the blades' tone and its octave
TONE_DB = np.array([0.0, -8.0])
UNSTEADY, UNSTEADY_RATE = 0.003, 1.0  # a motor's speed: of it, and hertz


def share_of_speed(stage: float) -> float:
    """Speed of the fan against that of stage 4: 0.4, 0.6, 0.8, 1."""
    return 0.2 + 0.2 * stage


def blower_db(row: dict[str, float]) -> float:
    """Level of the hiss against the road."""
    return row["blower_level"] + FAN_LAW * math.log10(share_of_speed(row["blower"]))


def blower_shape(hertz: np.ndarray, row: dict[str, float]) -> np.ndarray:
    """Amplitude at each frequency: from 200 Hz, falling by `blower_slope`, and 24 dB an octave down from 6 kHz."""
    low, high = np.square(hertz * np.float32(1 / 200)), np.square(hertz * np.float32(1 / 6000))
    return low / np.sqrt(1 + low * low) * falling(low, row["blower_slope"]) / (1 + high * high)


def add_blades(out: np.ndarray, rate: int, row: dict[str, float], key: Key) -> None:
    """Add the blades' tone, at `blade` Hz times the fan's speed, `blade_level` dB against the hiss."""
    hertz = row["blade"] * share_of_speed(row["blower"])
    level = 10 ** ((blower_db(row) + row["blade_level"] + TONE_DB) / 20) * math.sqrt(2 / np.sum(10 ** (TONE_DB / 10)))
    level = np.where(TONE * hertz * (1 + UNSTEADY) < rate / 2, level, 0.0)
    step = glide(hertz / rate, UNSTEADY, UNSTEADY_RATE / rate, len(out) // sound.BLOCK, 8, key)
    sound.harmonics_cpu(out, step, TONE, level, 9, *key)
