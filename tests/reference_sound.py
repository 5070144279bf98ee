"""What the levels and the car noise mean, in slow, plain Python and numpy; nothing here is shared with the engine."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.signal import lfilter

MARGIN = 15.9


def db(amplitude: float) -> float:
    return 20 * math.log10(amplitude)


def rms(x: np.ndarray) -> float:
    return math.sqrt(math.fsum(float(v) ** 2 for v in x) / len(x))


def active_counts(x: np.ndarray, rate: int, thresholds: Sequence[float]) -> list[int]:
    """ITU-T P.56's loop as its text has it: a hangover counter for each threshold."""
    g = math.exp(-1 / (rate * 0.03))
    hangover = round(rate * 0.2)
    p = q = 0.0
    active, held = [0] * len(thresholds), [hangover] * len(thresholds)
    for v in x:
        p = g * p + (1 - g) * abs(float(v))
        q = g * q + (1 - g) * p
        for j, c in enumerate(thresholds):
            if q >= c:
                active[j] += 1
                held[j] = 0
            elif held[j] < hangover:
                active[j] += 1
                held[j] += 1
    return active


def held_envelope(x: np.ndarray, rate: int) -> np.ndarray:
    """The smoothed |x| and the greatest of its last 0.2 s: a sample is active at any threshold that this reaches."""
    g = math.exp(-1 / (rate * 0.03))
    once = lfilter([1 - g], [1, -g], np.abs(x.astype(np.float64)))
    twice = lfilter([1 - g], [1, -g], once)
    size = round(rate * 0.2) + 1
    padded = np.concatenate([np.zeros(size - 1), twice])
    return maximum_filter1d(padded, size, origin=(size - 1) // 2, mode="constant")[size - 1 :]


def level_on(held: np.ndarray, energy: float, thresholds: np.ndarray) -> float:
    """The active level in dB on one grid of thresholds, linear in dB between neighbours; NaN where there is none."""
    before = None
    for c in thresholds:
        count = int((held >= c).sum())
        if count == 0:
            return math.nan
        level = 10 * math.log10(energy / count)
        margin = level - db(c)
        if margin <= MARGIN:
            if before is None:
                return level
            share = (before[1] - MARGIN) / (before[1] - margin)
            return before[0] + share * (level - before[0])
        before = level, margin
    return math.nan


def active(x: np.ndarray, rate: int) -> float:
    """Active level in dB of full scale on the thresholds of ITU-T G.191, continued downwards."""
    found = level_on(held_envelope(x, rate), float(np.square(x.astype(np.float64)).sum()), 2.0 ** np.arange(-24, 1))
    return db(rms(x)) if math.isnan(found) else found


def road_db(hertz: float, row: Mapping[str, float]) -> float:
    """The road's noise in dB at one frequency, up to a constant: a high-pass, a corner, resonances."""
    level = -10 * math.log10(1 + (row["road_low"] / hertz) ** 4)
    level -= row["road_slope"] / 2 * math.log2(1 + (hertz / row["road_corner"]) ** 2)
    for i in (1, 2, 3):
        middle, gain = row[f"bump_frequency_{i}"], 10 ** (row[f"bump_gain_{i}"] / 10)
        level += 10 * math.log10(1 + (gain - 1) / (1 + 9 * (hertz / middle - middle / hertz) ** 2))
    return level


def wind_db(hertz: float, row: Mapping[str, float]) -> float:
    """The wind's noise in dB at one frequency, up to a constant: a shelf from 500 Hz."""
    return -10 * math.log10(1 + (500 / hertz) ** 4) - row["wind_slope"] / 2 * math.log2(1 + (hertz / 500) ** 2)


def chain(
    parent: np.ndarray, rate: int, steps: Sequence[tuple[str, Any, Any, Any]], guard_db: float
) -> tuple[np.ndarray, float]:
    """What a recipe for sound means, in doubles: the finished item in whole 16-bit steps, and the foreground's gain.

    A mix adds noise so that level(foreground) / level(noise) is what was asked, the foreground being measured as loud
    as it ends up; a level scales everything; a guard scales everything once more where the peak is too high; one
    rounding, half to even. How loud the foreground ends up is found by trying again with what came out.

    Args:
        steps: ("mix", noise, snr in dB, "active" or "rms"), or ("level", dBFS, None, None).
    """
    scale = 1.0
    for _ in range(30):
        foreground, noises, gain = parent.astype(np.float64), np.zeros(len(parent)), 1.0
        for kind, value, snr, reference in steps:
            if kind == "mix":
                finished = parent.astype(np.float64) * scale
                loud = 10 ** (active(finished, rate) / 20) if reference == "active" else rms(finished)
                noises = noises + value * (loud * gain / scale / rms(value) * 10 ** (-snr / 20))
            else:
                factor = 10 ** (value / 20) / rms(foreground + noises)
                foreground, noises, gain = foreground * factor, noises * factor, gain * factor
        peak, limit = np.abs(foreground + noises).max(), 10 ** (guard_db / 20)
        gain, factor = gain * min(1.0, limit / peak), min(1.0, limit / peak)
        if gain == scale:
            break
        scale = gain
    return np.rint((foreground + noises) * factor * 32768) / 32768, gain
