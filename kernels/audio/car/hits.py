"""Hits of the wheels on stones, joints and holes: the body rings, first under the front axle, then under the rear."""

import math

import numpy as np

from sliceforge.kernels import sound
from sliceforge.kernels.audio.car.hiss import Key

WHEELBASE = 2.7  # metres
REAR = 0.7  # amplitude under the rear axle, farther from the driver's ear
SPAN_DB = 12.0  # between the hardest hit and the softest


def moments(rate_a_second: float, begin: float, end: float, channel: int, key: Key) -> np.ndarray:
    """(N,) float64 seconds of a Poisson process between two moments."""
    expected = rate_a_second * (end - begin)
    gaps = -np.log(sound.uniforms(math.ceil(expected + 6 * math.sqrt(expected) + 10), channel, key))
    found = begin + np.cumsum(gaps) / rate_a_second
    return found[found < end]


def ring_energy(hertz: np.ndarray, fade: np.ndarray) -> np.ndarray:
    """∫ (e^(−fade·t) sin(2π·hertz·t))² dt in seconds, `fade` a second."""
    turn = (2 * math.pi * hertz / fade) ** 2
    return turn / (1 + turn) / (4 * fade)


def add_hits(out: np.ndarray, rate: int, row: dict[str, float], key: Key) -> None:
    """Add `hits` hits a second of both axles together, with an expected power of `hit_level` dB.

    Each rings at `hit_frequency` and falls by 20 dB in `hit_length`, both of them up to half an octave away.
    """
    lag = WHEELBASE / (row["speed"] / 3.6)
    front = moments(row["hits"] / 2, -lag - 0.5, len(out) / rate, 12, key)
    own = sound.uniforms(3 * len(front), 13, key).reshape(-1, 3)
    hertz = row["hit_frequency"] * 2 ** (own[:, 0] - 0.5)
    fade = math.log(10) / (row["hit_length"] / 1000 * 2 ** (own[:, 1] - 0.5))
    # The mean power of levels that are spread evenly over SPAN_DB is to be one.
    spread = 10 ** (-own[:, 2] * SPAN_DB / 10) * SPAN_DB * math.log(10) / 10 / (1 - 10 ** (-SPAN_DB / 10))
    each = 10 ** (row["hit_level"] / 10) / (row["hits"] / 2 * (1 + REAR**2))
    height = np.sqrt(each * spread / ring_energy(hertz, fade))
    for delay, share in ((0.0, 1.0), (lag, REAR)):
        sound.strikes_cpu(out, (front + delay) * rate, hertz / rate, fade / rate, share * height)
