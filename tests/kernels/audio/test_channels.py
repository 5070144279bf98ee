"""Telephone, levels, speed and raised voice: each recipe has one mark of its own, which all of its siblings miss."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.signal import welch
from signals import voice

from sliceforge.engine.compose import load_recipe
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.stepwise import make

RATE, COUNT = 16000, 16
SIBLINGS = ("car_noise", "general", "far_field")
Item = tuple[np.ndarray, np.ndarray, dict[str, Any]]


def parent(i: int) -> np.ndarray:
    """Harmonics up to 1.3 kHz, and a hiss of sibilants 20 dB below them; silence at either end."""
    hiss = np.random.default_rng(i).normal(0, 0.012, RATE)
    spoken = (voice(1.0, RATE, 110.0 + i) + hiss * (np.arange(RATE) % 5000 < 2500)).astype(np.float32)
    return np.pad(0.7 * spoken, 800)


@cache
def made(name: str) -> tuple[Item, ...]:
    """Parent, item and plan row of some items, both at the recipe's rate."""
    recipe = load_recipe(f"speech/{name}")
    none = np.zeros(COUNT, np.int64)
    shapes = Shapes(none + RATE + 1600, none + RATE, none, none)
    plan = recipe.draw(Keys.of(9, [f"{name} {i}" for i in range(COUNT)]), shapes)
    rows = [{key: column[i] for key, column in plan.items()} for i in range(COUNT)]
    return tuple((parent(i), make(recipe, parent(i), RATE, row).item, row) for i, row in enumerate(rows))


def dulled(x: np.ndarray, y: np.ndarray) -> float:
    """Decibels that 4 to 8 kHz lost against 300 Hz to 3 kHz."""

    def high(z: np.ndarray) -> float:
        hertz, power = welch(z, RATE, nperseg=1024)
        return 10 * np.log10(power[hertz > 4100].sum() / power[(hertz > 300) & (hertz < 3000)].sum() + 1e-12)

    return high(x) - high(y)


def flat(x: np.ndarray, y: np.ndarray) -> float:
    """The share of samples that lie at the ceiling, both ways."""
    peak = np.abs(y).max()
    return float(min(np.mean(y > 0.9995 * peak), np.mean(y < -0.9995 * peak)))


def in_three(x: np.ndarray, y: np.ndarray) -> float:
    """Whether the length is the 10/9 or the 10/11 of Kaldi's three speeds, to a sample."""
    return float(min(abs(len(y) - len(x) / factor) for factor in (0.9, 1.1)) <= 1)


def pitch_of(x: np.ndarray) -> float:
    """Hertz of the comb of eight harmonics that holds the most."""
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 17)) ** 0.5
    hertz = np.fft.rfftfreq(1 << 17, 1 / RATE)
    grid = np.arange(95, 165, 0.25)
    combs = [np.interp(np.arange(1, 9) * f, hertz, spectrum).sum() for f in grid]
    return float(grid[int(np.argmax(combs))])


def apart(x: np.ndarray, y: np.ndarray) -> float:
    """What pitch and length changed by together: nothing, where both follow one speed."""
    return pitch_of(y) / pitch_of(x) * len(y) / len(x)


MARKS: dict[str, tuple[Callable[[np.ndarray, np.ndarray], float], float, float]] = {
    # What is measured, above which value, and by which share of the items at least.
    "phone": (dulled, 25.0, 0.9),
    "levels": (flat, 0.002, 0.2),
    "speed": (in_three, 0.5, 0.4),
    "car_lombard": (apart, 1.012, 0.5),
}


@pytest.mark.parametrize("name", MARKS)
def test_a_recipe_has_its_mark_and_its_siblings_have_not(name: str) -> None:
    measure, floor, share = MARKS[name]
    found = {other: np.mean([measure(x, y) > floor for x, y, _ in made(other)]) for other in (*MARKS, *SIBLINGS)}
    assert found.pop(name) >= share
    assert max(found.values()) < share / 2, found


def test_a_telephone_takes_each_codec_and_says_which() -> None:
    recipe = load_recipe("speech/phone", "steps.loss.p=0")
    assert recipe.facts({"codec.choice": "gsm", "loss.loss": 0.01}) == {"codec": "gsm", "loss": 0.01}
    none = np.zeros(16, np.int64)
    plan = recipe.draw(Keys.of(9, [str(i) for i in range(16)]), Shapes(none + 8000, none + 8000, none, none))
    assert set(plan["codec.choice"]) == {"a_law", "mu_law", "gsm", "cvsd"}
    for i, codec in enumerate(plan["codec.choice"]):
        y = make(recipe, voice(1.0, 8000), 8000, {key: column[i] for key, column in plan.items()}).item
        # G.711 has 256 values for a sample, whatever factor comes after it; the other two have as many as they like.
        assert (len(np.unique(y)) <= 256) == (codec in ("a_law", "mu_law"))
        assert len(y) == 8000


def test_levels_are_cut_at_the_ceiling_that_was_drawn_and_then_turned_down() -> None:
    for _, y, row in made("levels"):
        ceiling = 10 ** ((row["clip.level"] + row["gain.gain"]) / 20)
        assert not row["clip.on"] or np.abs(y).max() <= ceiling + 2 / 32768
        if row["clip.on"] and flat(y, y) > 0.002:
            assert np.abs(y).max() == pytest.approx(ceiling, abs=1 / 32768)
