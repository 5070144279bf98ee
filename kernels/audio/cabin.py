"""Procedural car noise from its parts: road, wind, engine, blower, rain, hits, and what happens at moments."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.fft import next_fast_len

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Real, Shapes, Source, Whole, setting
from sliceforge.kernels import sound
from sliceforge.kernels.audio.car.blower import add_blades, blower_db, blower_shape
from sliceforge.kernels.audio.car.engine import add_orders
from sliceforge.kernels.audio.car.events import add_clicks, add_strokes
from sliceforge.kernels.audio.car.hiss import Key, bins_of, heard, hiss, scaled, sounded
from sliceforge.kernels.audio.car.hits import add_hits
from sliceforge.kernels.audio.car.passing import add_passing
from sliceforge.kernels.audio.car.rain import patter
from sliceforge.kernels.audio.car.road import BUMPS, road_shape
from sliceforge.kernels.audio.car.wind import gust_share, wind_db, wind_shape
from sliceforge.kernels.audio.car.window import add_buffeting
from sliceforge.kernels.loudness import rms
from sliceforge.kernels.noise import pieces


@dataclass(frozen=True)
class Cabin(Source):
    """What a microphone hears in a moving car: the sum of the parts in `car/`, brought to an RMS of one.

    Levels are powers in the clip's band, in dB against the road's noise. A part that is off, or below −60 dB, is not
    made. Conditions are settings of their own, so that each is a column of the plan.

    Args:
        speed: km/h; raises the wind by 30 dB a decade, and sets how soon the rear axle follows the front one.
        rpm: turns a minute, drawn apart from the speed, as gears are.
        cylinders: 4 or 6 of a four-stroke engine; half as many firings a turn.
        window: 0 closed … 1 open; raises wind and passing cars by up to 10 dB, and lets the cabin buffet.
        rain: 0 none … 1 heavy, in drops; half of it is 3 dB less.
        road_low: hertz, below which the road's noise falls by 12 dB an octave.
        road_corner: hertz, from where the road's noise falls.
        road_slope: dB an octave by which it falls.
        bumps: how many resonances the road's noise has.
        bump_frequency: hertz, of each.
        bump_gain: dB, of each.
        wind: dB at 130 km/h, window closed.
        wind_slope: dB an octave by which it falls from 500 Hz.
        gust_rate: hertz, the quickest change of the wind's amplitude.
        gust_depth: dB from the weakest to the strongest wind.
        engine: dB of all orders together; lines at rpm/60 · cylinders/2 · {½, 1, 1½, 2, 3, 4}.
        engine_fall: dB for each whole order away from the first.
        drift: fraction by which the rpm wander to either side.
        drift_rate: hertz, the quickest change of the rpm.
        blower: stage of the climate blower, 0 off … 4; stages 1 to 3 turn at 0.4, 0.6 and 0.8 of its speed.
        blower_level: dB of its hiss at stage 4; 20 dB less at stage 1.
        blower_slope: dB an octave by which it falls from 200 Hz.
        blade: hertz of the blades' tone at stage 4; in proportion to the speed.
        blade_level: dB of the tone against the blower's hiss.
        rain_level: dB of heavy rain.
        hits: hits of the wheels a second, of both axles together.
        hit_level: dB of all hits together.
        hit_frequency: hertz at which the body rings, up to half an octave to either side for each hit.
        hit_length: milliseconds in which a hit falls by 20 dB, likewise.
        buffet: dB of the buffeting with the window open.
        buffet_frequency: hertz of its tone.
        passing: oncoming cars a second, each as fast as the own one.
        passing_level: dB of each where it is nearest, window open.
        indicator: flashes a second, 0 off; a click when it goes on and one when it goes off.
        indicator_level: dB of the clicks.
        wiper: times a second there and back, 0 off; runs in rain alone.
        wiper_level: dB of its strokes.
    """

    version: ClassVar[int] = 3

    speed: Real = setting([30, 130], "km/h", low=1, high=300)
    rpm: Real = setting([800, 4500], "1/min", low=300, high=9000)
    cylinders: Whole = setting(["choice", 4, 6], "", low=2, high=16)
    window: Real = setting(["choice", 0, 0, 0, 0.2, 1], "0 closed … 1 open", low=0, high=1)
    rain: Real = setting(["choice", 0, 0, 0, 0.2, 1], "0 none … 1 heavy", low=0, high=1)
    road_low: Real = setting(["log", 15, 300], "Hz", low=1, high=1000)
    road_corner: Real = setting(["log", 40, 500], "Hz", low=20, high=20000)
    road_slope: Real = setting([2, 22], "dB/octave", low=0, high=48)
    bumps: Whole = setting([1, 3], "", low=0, high=BUMPS)
    bump_frequency: Real = setting(["log", 40, 1200], "Hz", low=10, high=20000)
    bump_gain: Real = setting([3, 18], "dB", low=0, high=30)
    wind: Real = setting([-34, -2], "dB against the road", low=-80, high=40)
    wind_slope: Real = setting([0, 6], "dB/octave", low=0, high=48)
    gust_rate: Real = setting(["log", 0.3, 4], "Hz", low=0.01, high=20)
    gust_depth: Real = setting([0, 4], "dB", low=0, high=40)
    engine: Real = setting([-20, 0], "dB against the road", low=-80, high=40)
    engine_fall: Real = setting([2, 6], "dB an order", low=0, high=40)
    drift: Real = setting([0.02, 0.1], "of the rpm", low=0, high=0.5)
    drift_rate: Real = setting(["log", 0.05, 0.5], "Hz", low=0.001, high=10)
    blower: Whole = setting(["choice", 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], "stage, 0 off", low=0, high=4)
    blower_level: Real = setting([-12, 10], "dB against the road", low=-80, high=40)
    blower_slope: Real = setting([0, 6], "dB/octave", low=0, high=48)
    blade: Real = setting([250, 400], "Hz", low=20, high=5000)
    blade_level: Real = setting([-20, -8], "dB against the blower", low=-80, high=20)
    rain_level: Real = setting([-12, 8], "dB against the road", low=-80, high=40)
    hits: Real = setting(["choice", 0, 0, 0, 0.5], "1/s", low=0, high=50)
    hit_level: Real = setting([-15, -5], "dB against the road", low=-80, high=40)
    hit_frequency: Real = setting(["log", 28, 106], "Hz", low=5, high=2000)
    hit_length: Real = setting(["log", 15, 42], "ms", low=1, high=1000)
    buffet: Real = setting([-20, -6], "dB against the road", low=-80, high=40)
    buffet_frequency: Real = setting([10, 25], "Hz", low=2, high=200)
    passing: Real = setting(["choice", 0, 0, 0, 0.1], "1/s", low=0, high=10)
    passing_level: Real = setting([-6, 6], "dB against the road", low=-80, high=40)
    indicator: Real = setting(["choice", 0, 0, 0, 0, 0, 0, 1.2, 1.6], "Hz", low=0, high=5)
    indicator_level: Real = setting([-36, -24], "dB against the road", low=-80, high=40)
    wiper: Real = setting([0.5, 1], "Hz", low=0, high=5)
    wiper_level: Real = setting([-24, -12], "dB against the road", low=-80, high=40)

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
        hertz = bins_of(points, rate)
        total = tones(length, rate, row, key)
        add_moments(total, rate, row, key)
        total += steady(hertz, points, rate, row, key)[:length]
        if heard(level := wind_db(row)):
            wind = sounded(hiss(1, scaled(wind_shape(hertz, row), points, level), points, key), points)
            slow = np.empty(length, np.float32)
            sound.wander_cpu(slow, 2 * row["gust_rate"] / rate, 4, *key)
            sound.gusty_cpu(total, wind, np.float32(1), slow, np.float32(gust_share(row["gust_depth"])))
        power = rms(total)
        return total * np.float32(1 / power) if power > 0 else np.ones(length, np.float32)


def steady(hertz: np.ndarray, points: int, rate: int, row: dict[str, float], key: Key) -> np.ndarray:
    """(points,) road, blower and rain: what is the same from beginning to end."""
    shape = scaled(road_shape(hertz, row), points)
    if row["blower"] > 0 and heard(level := blower_db(row)):
        # Two independent Gaussian noises are one whose powers are their sum.
        blower = scaled(blower_shape(hertz, row), points, level)
        shape = np.sqrt(shape * shape + blower * blower)
    bins = hiss(0, shape, points, key)
    if row["rain"] > 0 and heard(row["rain_level"]):
        bins += patter(hertz, points, rate, row, key)
    return sounded(bins, points)


def tones(length: int, rate: int, row: dict[str, float], key: Key) -> np.ndarray:
    """(length,) engine, blades and buffeting."""
    out = np.zeros(-(-length // sound.BLOCK) * sound.BLOCK, np.float32)
    if heard(row["engine"]):
        add_orders(out, rate, row, key)
    if row["blower"] > 0 and heard(blower_db(row) + row["blade_level"]):
        add_blades(out, rate, row, key)
    if row["window"] > 0:
        add_buffeting(out, rate, row, key)
    return out[:length]


def add_moments(out: np.ndarray, rate: int, row: dict[str, float], key: Key) -> None:
    """Add what happens at moments: hits, passing cars, clicks, strokes of the wiper."""
    if row["hits"] > 0 and heard(row["hit_level"]):
        add_hits(out, rate, row, key)
    if row["passing"] > 0:
        add_passing(out, rate, row, key)
    if row["indicator"] > 0 and heard(row["indicator_level"]):
        add_clicks(out, rate, row, key)
    if row["wiper"] > 0 and row["rain"] > 0 and heard(row["wiper_level"]):
        add_strokes(out, rate, row, key)
