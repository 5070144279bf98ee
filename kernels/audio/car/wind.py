"""The wind around the body: hiss from 500 Hz that grows with speed, comes in through a window, and gusts."""

import math

import numpy as np

from sliceforge.kernels.audio.car.hiss import falling

FULL_SPEED = 130.0  # km/h, at which `wind` is given
SPEED_LAW = 30.0  # dB a decade: wind grows with the 6th power of speed (dipoles), road with about the 3rd
WINDOW_DB = 10.0  # what an open window adds to what comes from outside


def wind_db(row: dict[str, float]) -> float:
    """Level of the wind against the road."""
    return row["wind"] + SPEED_LAW * math.log10(row["speed"] / FULL_SPEED) + WINDOW_DB * row["window"]


def wind_shape(hertz: np.ndarray, row: dict[str, float]) -> np.ndarray:
    """Amplitude at each frequency: a shelf from 500 Hz, 12 dB an octave down below, falling by `wind_slope`."""
    f2 = np.square(hertz * np.float32(1 / 500))
    return f2 / np.sqrt(1 + f2 * f2) * falling(f2, row["wind_slope"])


def gust_share(depth: float) -> float:
    """Fraction by which the amplitude swings to either side, so that its extremes are `depth` dB apart."""
    return math.tanh(depth * math.log(10) / 40)
