"""Each recipe of a car sounds as no other does: one measurement apiece, which all of its siblings fail."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt, welch

from sliceforge.engine.compose import load_recipe
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes, Source

RATE, SECONDS, DRAWS = 16000, 4, 15
Row = dict[str, Any]


@cache
def made(name: str) -> tuple[tuple[np.ndarray, Row], ...]:
    """Noises of a recipe, without speech, and the plan rows of its cabin."""
    recipe = load_recipe(f"speech/{name}")
    length, none = np.full(DRAWS, SECONDS * RATE), np.zeros(DRAWS, np.int64)
    shapes = Shapes(length, none + RATE, none, none)
    plan = recipe.draw(Keys.of(5, [f"{name} {i}" for i in range(DRAWS)]), shapes)
    op = recipe.step("cabin").op
    assert isinstance(op, Source)
    rows = [
        {key.removeprefix("cabin."): column[i] for key, column in plan.items() if key.startswith("cabin.")}
        for i in range(DRAWS)
    ]
    return tuple((op.wave(SECONDS * RATE, RATE, **row).astype(np.float64), row) for row in rows)


def through(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Between two frequencies, without the half seconds in which the filter begins and ends."""
    return sosfiltfilt(butter(4, (low, high), "bandpass", fs=RATE, output="sos"), x)[RATE // 2 : -RATE // 2]


def level(x: np.ndarray, low: float, high: float) -> float:
    hertz, power = welch(x, RATE, nperseg=8192)
    return 10 * np.log10(power[(hertz >= low) & (hertz < high)].sum())


def kurtosis(x: np.ndarray) -> np.ndarray:
    """Along the last axis; 3 of Gaussian noise."""
    return np.mean(x**4, -1) / np.mean(x**2, -1) ** 2


def line(x: np.ndarray, hertz: float, near: float, points: int) -> float:
    """Decibels by which a line stands above what is to either side of it, in the mean of short spectra."""
    frames = x[: len(x) // points * points].reshape(-1, points) * np.hanning(points)
    power = np.abs(np.fft.rfft(frames, 4 * points)) ** 2
    off = np.fft.rfftfreq(4 * points, 1 / RATE) / hertz - 1
    top = power[:, np.abs(off) <= near].max(1)
    beside = np.median(power[:, (np.abs(off) > near + 0.06) & (np.abs(off) < near + 0.3)], 1)
    return float(np.mean(10 * np.log10(top / beside)))


def drops(x: np.ndarray, row: Row) -> float:
    """Kurtosis of 50 ms at 4 to 7.5 kHz: rain alone is made of drops; the median is not moved by a few clicks."""
    return float(np.median(kurtosis(through(x, 4000, 7500).reshape(-1, RATE // 20))))


def orders(x: np.ndarray, row: Row) -> float:
    """The line at the firing frequency, wherever the rpm wander to in half a second."""
    return line(x, row["rpm"] / 60 * row["cylinders"] / 2, 0.1, RATE // 2)


def gusts(x: np.ndarray, row: Row) -> float:
    """Decibels from the weakest to the strongest tenth of 1 to 4 kHz, where that is as loud as the road."""
    wind, road = (np.mean(through(x, *band).reshape(-1, RATE // 5) ** 2, 1) for band in ((1000, 4000), (30, 300)))
    if np.median(wind) < 0.5 * np.median(road):
        return 0.0
    weak, strong = np.quantile(10 * np.log10(wind), (0.1, 0.9))
    return float(strong - weak)


def hits(x: np.ndarray, row: Row) -> float:
    """Kurtosis at 20 to 150 Hz, where the body rings."""
    return float(kurtosis(through(x, 20, 150)))


def blades(x: np.ndarray, row: Row) -> float:
    """The line of the blades at the blower's speed; with the blower off, at its highest."""
    return line(x, row["blade"] * (0.2 + 0.2 * (row["blower"] or 4)), 0.006, RATE)


def buffeting(x: np.ndarray, row: Row) -> float:
    """Decibels at 9 to 27 Hz against 30 to 200 Hz."""
    return level(x, 9, 27) - level(x, 30, 200)


MARKS = {
    # What is measured, above which value, and by which share of the draws at least: not every car is out in the rain.
    "car_noise": (drops, 4.0, 0.2),
    "car_city": (orders, 16.5, 0.7),
    "car_highway": (gusts, 1.0, 0.7),
    "car_cobbles": (hits, 6.0, 0.7),
    "car_hvac": (blades, 12.0, 0.7),
    "car_window": (buffeting, -2.0, 0.7),
}


@pytest.mark.parametrize("name", MARKS)
def test_a_car_has_the_mark_of_its_recipe_and_its_siblings_have_not(name: str) -> None:
    measure, floor, share = MARKS[name]
    above = {other: np.mean([measure(x, row) > floor for x, row in made(other)]) for other in MARKS}
    assert above.pop(name) >= share
    assert max(above.values()) < share, above
