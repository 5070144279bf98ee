"""What the driver switches on: the indicator's clicks and the wiper's strokes, both in time."""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.audio.car.hiss import Key, loop
from sliceforge.kernels.audio.car.hits import ring_energy
from sliceforge.kernels.sound import strikes_cpu, uniforms

install()

CLICK = ((2600.0, 700.0, 1.0), (900.0, 400.0, 0.5))  # a relay: hertz, fading a second, amplitude
TOCK = 0.8  # falling back it is softer, and duller by as much
THUMP, THUMP_FADE, THUMP_SHARE = 45.0, 60.0, 0.3  # of the wiper's arm where it turns: hertz, a second, of the power
STROKE = 0.4  # of a period: one way, then back, then rest


def beats(out: np.ndarray, rate: int, hertz: float, channel: int, key: Key) -> np.ndarray:
    """(N,) float64 samples at which periods begin, from one before the clip on, at a phase of their own."""
    period = rate / hertz
    return (np.arange(-1, math.ceil(len(out) / period) + 1) + uniforms(1, channel, key)[0]) * period


def add_clicks(out: np.ndarray, rate: int, row: dict[str, float], key: Key) -> None:
    """Add the indicator: on and off `indicator` times a second, with a power of `indicator_level` dB."""
    begin = beats(out, rate, row["indicator"], 17, key)
    alone = sum(share**2 * float(ring_energy(np.array(hertz), np.array(fade))) for hertz, fade, share in CLICK)
    height = math.sqrt(10 ** (row["indicator_level"] / 10) / (row["indicator"] * (1 + TOCK**2) * alone))
    for delay, softer in ((0.0, 1.0), (0.5 / row["indicator"], TOCK)):
        for hertz, fade, share in CLICK:
            if hertz < rate / 2:
                of_each = np.ones(len(begin))
                pitch, loud = softer * hertz / rate * of_each, softer * share * height * of_each
                strikes_cpu(out, begin + delay * rate, pitch, fade / rate * of_each, loud)


def wipe_shape(hertz: np.ndarray) -> np.ndarray:
    """Amplitude of rubber on wet glass at each frequency: 300 Hz to 3 kHz."""
    low, high = np.square(hertz * np.float32(1 / 300)), np.square(hertz * np.float32(1 / 3000))
    return low / np.sqrt(1 + low * low) / (1 + high)


def add_strokes(out: np.ndarray, rate: int, row: dict[str, float], key: Key) -> None:
    """Add the wiper: there and back `wiper` times a second, with a power of `wiper_level` dB, a thump at each turn."""
    begin = beats(out, rate, row["wiper"], 18, key)
    noise = loop(19, wipe_shape, rate, key)
    power = 10 ** (row["wiper_level"] / 10)
    # 4q(1 − q), 0 ≤ q ≤ 1, has a mean square of 8/15.
    stroke = math.sqrt((1 - THUMP_SHARE) * power / (2 * STROKE * 8 / 15))
    period, ones = rate / row["wiper"], np.ones(len(begin))
    thump = float(ring_energy(np.array(THUMP), np.array(THUMP_FADE)))
    height = math.sqrt(THUMP_SHARE * power / (2 * row["wiper"] * thump))
    for part in (0.0, STROKE):
        strokes_cpu(out, noise, begin + part * period, STROKE * period, np.float32(stroke))
        turns = begin + (part + STROKE) * period
        strikes_cpu(out, turns, THUMP / rate * ones, THUMP_FADE / rate * ones, height * ones)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def strokes_cpu(out, noise, begins, length, level):
    """Add to (T,) a loop of noise in strokes of `length` samples from each of `begins` on, as loud as 4q(1 − q)."""
    narrow = np.float32(1 / length)
    for begin in begins:
        first, end = max(math.ceil(begin), 0), min(math.ceil(begin + length), len(out))
        place, early = first % len(noise), np.float32(first - begin)
        for i in range(first, end):
            q = (np.float32(i - first) + early) * narrow
            out[i] += level * np.float32(4) * q * (np.float32(1) - q) * noise[place]
            place = place + 1 if place + 1 < len(noise) else 0
