"""Procedural car noise: road, wind and rain as shaped Gaussian noise and drops, and the orders of the engine."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Real, Shapes, Source, Whole, setting
from sliceforge.kernels import sound
from sliceforge.kernels.loudness import rms
from sliceforge.kernels.noise import pieces
from sliceforge.kernels.passes import product_cpu

Key = tuple[float, float, float]

BUMPS = 3
FULL_SPEED = 130.0  # km/h, at which `wind` is given
SPEED_LAW = 30.0  # dB a decade: wind grows with the 6th power of speed (dipoles), road with about the 3rd
WINDOW_DB = 10.0  # what an open window adds to the wind
RAIN_DB = -8.0  # heavy rain against the road
DROPS = 3000.0  # a second, in heavy rain


@dataclass(frozen=True)
class Cabin(Source):
    """What a microphone hears in a moving car: road + wind + engine + rain, brought to an RMS of one.

    Road: Gaussian, 12 dB/octave down below 25 Hz, flat to a corner, then falling, with one to three resonances.
    Wind: Gaussian from 500 Hz (12 dB/octave down below), falling, in gusts; its level against the road is
    `wind` + 30·log10(speed/130) + 10·window dB. Engine: lines at rpm/60 · cylinders/2 · {½, 1, 1½, 2, 3, 4} that fall
    by `engine_fall` for each whole order away from the first. Rain: drops at random moments above 1 kHz, −8 dB against
    the road in heavy rain. Levels are powers in the clip's band; ½ of `rain` is 3 dB less.

    Args:
        speed: km/h; raises the wind.
        rpm: turns a minute, drawn apart from the speed, as gears are.
        cylinders: 4 or 6 of a four-stroke engine; half as many firings a turn.
        window: 0 closed … 1 open.
        rain: 0 none … 1 heavy.
        road_corner: hertz, from where the road's noise falls.
        road_slope: dB an octave by which it falls.
        bumps: how many resonances the road's noise has.
        bump_frequency: hertz, of each.
        bump_gain: dB, of each.
        wind: dB of the wind against the road at 130 km/h, window closed.
        wind_slope: dB an octave by which it falls from 500 Hz.
        gust_rate: hertz, the quickest change of the wind's amplitude.
        gust_depth: fraction of the wind's amplitude.
        engine: dB of all orders together against the road.
        engine_fall: dB an order.
        drift: fraction by which the rpm wander to either side.
        drift_rate: hertz, the quickest change of the rpm.
    """

    version: ClassVar[int] = 2

    speed: Real = setting([30, 130], "km/h", low=1, high=300)
    rpm: Real = setting([800, 4500], "1/min", low=300, high=9000)
    cylinders: Whole = setting(["choice", 4, 6], "", low=2, high=16)
    window: Real = setting(["choice", 0, 0, 0, 0.2, 1], "0 closed … 1 open", low=0, high=1)
    rain: Real = setting(["choice", 0, 0, 0, 0.2, 1], "0 none … 1 heavy", low=0, high=1)
    road_corner: Real = setting([60, 400], "Hz", low=20, high=20000)
    road_slope: Real = setting([3, 12], "dB/octave", low=0, high=48)
    bumps: Whole = setting([1, 3], "", low=0, high=BUMPS)
    bump_frequency: Real = setting(["log", 40, 900], "Hz", low=10, high=20000)
    bump_gain: Real = setting([3, 10], "dB", low=0, high=30)
    wind: Real = setting([-16, -8], "dB against the road", low=-80, high=40)
    wind_slope: Real = setting([0, 4], "dB/octave", low=0, high=48)
    gust_rate: Real = setting(["log", 0.3, 3], "Hz", low=0.01, high=20)
    gust_depth: Real = setting([0, 0.2], "of the amplitude", low=0, high=1)
    engine: Real = setting([-18, -3], "dB against the road", low=-80, high=40)
    engine_fall: Real = setting([2, 6], "dB an order", low=0, high=40)
    drift: Real = setting([0.02, 0.1], "of the rpm", low=0, high=0.5)
    drift_rate: Real = setting(["log", 0.05, 0.5], "Hz", low=0.001, high=10)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting, `bump_frequency_1` … `bump_gain_3` (0 dB where there is no bump), and the noise's `key`."""
        plan = super().draw(keys, shapes)
        del plan["bump_frequency"], plan["bump_gain"]
        for i in range(1, BUMPS + 1):
            plan[f"bump_frequency_{i}"] = self.bump_frequency.draw(keys, f"bump_frequency_{i}")
            gain = self.bump_gain.draw(keys, f"bump_gain_{i}")
            plan[f"bump_gain_{i}"] = np.where(plan["bumps"] >= i, gain, 0).astype(np.float32)
        plan["key"] = keys.field()
        return plan

    def wave(self, length: int, rate: int, /, **plan: Any) -> np.ndarray:
        """(length,) float32 with an RMS of one."""
        key = pieces(int(plan["key"]))
        # A plan that was read again holds doubles: reckon in them always, so that the bytes are the same.
        row = {name: float(value) for name, value in plan.items()}
        # An eighth of a second more than is heard keeps the end of the period from the beginning.
        points = next_fast_len(length + rate // 8, real=True)
        hertz = (np.arange(1, points // 2 + 1) * (rate / points)).astype(np.float32)
        steady = hiss(0, road_shape(hertz, row), points, key)
        if row["rain"] > 0:
            steady += patter(row["rain"], hertz, points, rate, key) * np.float32(10 ** (RAIN_DB / 20))
        wind = sounded(hiss(1, wind_shape(hertz, row), points, key), points)
        level, share = np.float32(10 ** (wind_db(row) / 20)), np.float32(10 ** (row["engine"] / 20))
        slow, lines = np.empty(length, np.float32), orders(length, rate, row, key)
        sound.wander_cpu(slow, 2 * row["gust_rate"] / rate, 4, *key)
        total = np.empty(length, np.float32)
        depth = np.float32(row["gust_depth"]) * level
        sound.gusty_cpu(sounded(steady, points), wind, level, slow, depth, lines, share, total)
        power = rms(total)
        return total * np.float32(1 / power) if power > 0 else np.ones(length, np.float32)


def wind_db(row: dict[str, float]) -> float:
    """Level of the wind against the road."""
    return row["wind"] + SPEED_LAW * math.log10(row["speed"] / FULL_SPEED) + WINDOW_DB * row["window"]


def road_shape(hertz: np.ndarray, row: dict[str, float]) -> np.ndarray:
    """Amplitude of the road's noise at each frequency."""
    f2 = hertz * hertz
    shape = f2 / np.sqrt(f2 * f2 + np.float32(25.0**4))
    shape *= (1 + f2 / np.float32(row["road_corner"] ** 2)) ** np.float32(-row["road_slope"] / (40 * math.log10(2)))
    for i in range(1, BUMPS + 1):
        gain = 10 ** (row[f"bump_gain_{i}"] / 10)
        if gain > 1:
            middle = np.float32(row[f"bump_frequency_{i}"])
            detuned = hertz / middle - middle / hertz
            shape *= np.sqrt(1 + np.float32(gain - 1) / (1 + 9 * detuned * detuned))  # a resonance of Q = 3
    return shape


def wind_shape(hertz: np.ndarray, row: dict[str, float]) -> np.ndarray:
    """Amplitude of the wind's noise at each frequency: a shelf from 500 Hz."""
    f2 = np.square(hertz * np.float32(1 / 500))
    return f2 / np.sqrt(1 + f2 * f2) * (1 + f2) ** np.float32(-row["wind_slope"] / (40 * math.log10(2)))


def rain_shape(hertz: np.ndarray) -> np.ndarray:
    """Spectrum of a drop: from 1 kHz, 24 dB/octave down below, 6 dB/octave down above 5 kHz."""
    f2 = np.square(hertz * np.float32(1 / 1000))
    return f2 * f2 / (1 + f2 * f2) / np.sqrt(1 + f2 / 25)


def energy(shape: np.ndarray) -> float:
    """Sum of squares; a dot product would depend on the number of BLAS threads."""
    return float(product_cpu(shape, shape))


def hiss(channel: int, shape: np.ndarray, points: int, key: Key) -> np.ndarray:
    """Spectrum (points // 2 + 1,) of Gaussian noise of a shape, with an expected power of one."""
    bins = np.zeros(points // 2 + 1, np.complex64)
    shape *= np.float32(points / math.sqrt(2 * energy(shape)))
    sound.gaussians_cpu(bins[1:].view(np.float32), channel, *key)
    bins[1:] *= shape
    return bins


def patter(rain: float, hertz: np.ndarray, points: int, rate: int, key: Key) -> np.ndarray:
    """Spectrum (points // 2 + 1,) of drops at random moments, with an expected power of `rain`."""
    density = DROPS * rain / rate
    drops = np.zeros(points, np.float32)
    sound.drops_cpu(drops, density, 7, *key)
    bins, shape = rfft(drops, workers=1), rain_shape(hertz)
    bins[0] = 0
    bins[1:] *= shape * np.float32(math.sqrt(rain * points / (4 * density * energy(shape))))
    return bins


def sounded(bins: np.ndarray, points: int) -> np.ndarray:
    """The period (points,) of a spectrum; `bins` is used up."""
    return irfft(bins, points, overwrite_x=True, workers=1)


def orders(length: int, rate: int, row: dict[str, float], key: Key) -> np.ndarray:
    """The engine's orders (at least `length`,), with an expected power of one; none that would pass half the rate."""
    firing = row["rpm"] / 60 * row["cylinders"] / 2
    halves = np.array([1, 2, 3, 4, 6, 8])  # in half orders
    level = 10 ** (-row["engine_fall"] * np.abs(halves / 2 - 1) / 20)
    level = np.where(halves / 2 * firing * (1 + row["drift"]) < rate / 2, level, 0.0)
    level *= math.sqrt(2 / max(energy(level), 1e-30))
    blocks = -(-length // sound.BLOCK)
    slow, out = np.empty(blocks, np.float32), np.zeros(blocks * sound.BLOCK, np.float32)
    sound.wander_cpu(slow, 2 * row["drift_rate"] * sound.BLOCK / rate, 5, *key)
    step = 0.5 * firing / rate * (1 + row["drift"] * slow.astype(np.float64))
    sound.harmonics_cpu(out, step, halves, level, 6, *key)
    return out
