"""Cars that come the other way: the noise of their tyres, which swells, falls in pitch and fades.

Level 1/r and delay r/c of r(t) = √(d² + (vt)²): the delay is the Doppler shift. Tyres are loudest near 1 kHz (Sandberg,
The multi-coincidence peak around 1000 Hz in tyre/road noise spectra, Euronoise 2003).
"""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.audio.car.hiss import Key, amplitude, heard, loop
from sliceforge.kernels.audio.car.hits import moments
from sliceforge.kernels.audio.car.wind import WINDOW_DB
from sliceforge.kernels.sound import uniforms

install()

SOUND = 343.0  # metres a second
NEAR, FAR = 2.5, 5.0  # metres between the lanes
REACH = 20  # times as far away as where it is nearest, at which a car falls silent


def tyre_shape(hertz: np.ndarray) -> np.ndarray:
    """Amplitude at each frequency: 12 dB an octave down on either side of 1 kHz."""
    f2 = np.square(hertz * np.float32(1 / 1000))
    return f2 / (1 + f2 * f2)


def add_passing(out: np.ndarray, rate: int, row: dict[str, float], key: Key) -> None:
    """Add `passing` cars a second, each as fast as the own one, `passing_level` dB where it is nearest, window open."""
    level = row["passing_level"] + WINDOW_DB * (row["window"] - 1)
    speed = 2 * row["speed"] / 3.6
    around = REACH * FAR / speed
    when = moments(row["passing"], -around, len(out) / rate + around, 14, key)
    if not len(when) or not heard(level):
        return
    noise = loop(16, tyre_shape, rate, key)
    away = NEAR + (FAR - NEAR) * uniforms(len(when), 15, key)
    for moment, distance in zip(when, away, strict=True):
        passing_cpu(out, noise, moment, distance, speed, amplitude(level), rate, SOUND)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def passing_cpu(out, noise, moment, distance, speed, level, rate, sound):
    """Add to (T,) a source that passes: `noise`, a loop, later by r / sound and softer by distance / r.

    r is √(distance² + (speed · t)²), in metres, t in seconds from `moment`. It fades towards REACH distances, and
    so does not begin with a step.
    """
    reach = REACH * distance / speed
    for i in range(max(0, math.ceil((moment - reach) * rate)), min(len(out), math.ceil((moment + reach) * rate))):
        late = i / rate - moment
        r, fade = math.sqrt(distance * distance + speed * speed * late * late), 1 - (late / reach) * (late / reach)
        place = i - r * (rate / sound)
        whole = math.floor(place)
        part = np.float32(place - whole)
        at = int(whole) % len(noise)
        left, right = noise[at], noise[at + 1 if at + 1 < len(noise) else 0]
        out[i] += np.float32(level * fade * (distance / r)) * (left + part * (right - left))
