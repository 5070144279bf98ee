"""A car of which road alone is heard, and what tests measure of its noise."""

from typing import Any

import numpy as np
from scipy.signal import welch

from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.kernels.audio.cabin import Cabin

RATE = 16000
OP = build(Cabin, {}, "steps.cabin")
QUIET: dict[str, Any] = {
    "speed": 80.0,
    "rpm": 2400.0,
    "cylinders": 4,
    "window": 0.0,
    "rain": 0.0,
    "road_corner": 100.0,
    "road_slope": 6.0,
    "bumps": 0,
    "wind": -80.0,
    "wind_slope": 2.0,
    "gust_rate": 1.0,
    "gust_depth": 0.0,
    "engine": -80.0,
    "engine_fall": 3.0,
    "drift": 0.0,
    "drift_rate": 0.1,
    "road_low": 25.0,
    "blower": 0,
    "blower_level": 0.0,
    "blower_slope": 0.0,
    "blade": 300.0,
    "blade_level": -15.0,
    "rain_level": -8.0,
    "hits": 0.0,
    "hit_level": 0.0,
    "hit_frequency": 60.0,
    "hit_length": 25.0,
    "buffet": -80.0,
    "buffet_frequency": 16.0,
    "passing": 0.0,
    "passing_level": 0.0,
    "indicator": 0.0,
    "indicator_level": -30.0,
    "wiper": 0.0,
    "wiper_level": -18.0,
    "key": 0x123456789ABCDEF,
} | {f"bump_{what}_{i}": value for i in (1, 2, 3) for what, value in (("frequency", 300.0), ("gain", 0.0))}
"""A plan row of which road alone is heard."""

OFF = ("engine", "rain", "window", "gust_depth", "blower", "hits", "passing", "indicator")


def wave(seconds: float = 30.0, rate: int = RATE, **changed: Any) -> np.ndarray:
    return OP.wave(round(seconds * rate), rate, **(QUIET | changed))


def spectrum(x: np.ndarray, rate: int = RATE, points: int = 8192) -> tuple[np.ndarray, np.ndarray]:
    return welch(x.astype(np.float64), rate, nperseg=points)


def band(x: np.ndarray, low: float, high: float, rate: int = RATE) -> float:
    """Mean power density in dB between two frequencies."""
    hertz, power = spectrum(x, rate)
    return 10 * np.log10(power[(hertz >= low) & (hertz < high)].mean())


def drawn(count: int, seed: int = 11) -> list[dict[str, Any]]:
    none = np.zeros(count, np.int64)
    plan = OP.draw(Keys.of(seed, [str(i) for i in range(count)]).at("cabin"), Shapes(none, none, none, none))
    return [{name: column[i] for name, column in plan.items()} for i in range(count)]
