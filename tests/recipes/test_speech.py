"""Babble, radio and rooms: each a measurement of what is added to speech, which all other speech recipes fail."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import butter, sosfilt
from signals import voice

from sliceforge.engine import fuse
from sliceforge.engine.codecs import audio
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(path.stem for path in (ROOT / "recipes" / "speech").glob("*.yaml"))
RATE, SECONDS, DRAWS = 16000, 3, 6
CLIPS = {path.stem: audio.decode(path)[0].mean(axis=1) for path in sorted((ROOT / "material/speech").glob("*.flac"))}
VOICES = Inventory(list(CLIPS), np.array([len(clip) / RATE for clip in CLIPS.values()]), groups=[*CLIPS])


class Voices:
    """The clips that come with the package, whole."""

    def sound(self, bank: str, item: str, rate: int, channel: float | None = None) -> np.ndarray:
        return CLIPS[item].astype(np.float32)


@cache
def made(name: str) -> list[Made]:
    """Speech of two seconds, and one of silence, as a recipe makes it."""
    recipe = load_recipe(f"speech/{name}")
    rate = recipe.rate or RATE
    none = np.zeros(DRAWS, np.int64)
    shapes = Shapes(
        none + SECONDS * rate, none + rate, none, none, {"voices": VOICES}, np.full(DRAWS, "nobody", object)
    )
    columns = recipe.draw(Keys.of(2, [str(i) for i in range(DRAWS)]), shapes)
    parent = np.zeros(SECONDS * rate, np.float32)
    parent[: 2 * rate] = voice(2, rate)
    rows = [{column: value[i] for column, value in columns.items()} for i in range(DRAWS)]
    done = fuse.make(recipe, [fuse.Task(parent, rate, row) for row in rows], Voices())
    assert all(isinstance(one, Made) for one in done)
    return done


def added(one: Made) -> np.ndarray | None:
    """The last sound that was mixed in."""
    stems = [sound for name, sound in one.stems.items() if name != "foreground"]
    return stems[-1] if stems else None


def modulation(x: np.ndarray, rate: int) -> float:
    """How much of the loudness from 300 to 3400 Hz comes and goes 2 to 8 times a second, against its mean."""
    band = sosfilt(butter(4, [300, 3400], "bandpass", fs=rate, output="sos"), x)
    step = rate // 100
    envelope = np.sqrt(np.square(band[: len(band) // step * step]).reshape(-1, step).mean(axis=1))
    slow, hertz = np.abs(np.fft.rfft(envelope)) * 2 / len(envelope), np.fft.rfftfreq(len(envelope), 0.01)
    return float(np.sqrt(np.square(slow[(hertz >= 2) & (hertz <= 8)]).sum() / 2) / envelope.mean())


def in_tune(x: np.ndarray, rate: int) -> float:
    """Share of the power between 250 and 1200 Hz within 20 cents of a tone of equal temperament (A = 440)."""
    power, hertz = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2, np.fft.rfftfreq(len(x), 1 / rate)
    band = (hertz > 250) & (hertz < 1200)
    away = np.abs((12 * np.log2(hertz[band] / 440) + 0.5) % 1 - 0.5)
    return float(power[band][away < 0.2].sum() / power[band].sum())


def babble(one: Made) -> bool:
    """What is added comes and goes as syllables do, and is no music."""
    noise = added(one)
    return noise is not None and modulation(noise, one.rate) > 0.3 and in_tune(noise, one.rate) < 0.65


def radio(one: Made) -> bool:
    """What is added is in tune."""
    noise = added(one)
    return noise is not None and in_tune(noise, one.rate) > 0.65


def room(one: Made) -> bool:
    """20 ms after its end the speech goes on, and falls by 60 dB in 0.17 s at least (a line through −5…−25 dB)."""
    heard = one.stems["foreground"].astype(np.float64)
    rest, before = heard[-one.rate + one.rate // 50 :], np.square(heard[: -one.rate]).mean()
    if np.square(rest[: one.rate // 50]).mean() < 10**-2.5 * before:
        return False
    left = np.cumsum(np.square(rest)[::-1])[::-1]
    level = 10 * np.log10(np.maximum(left / left[0], 1e-30)) if left[0] > 0 else np.zeros(1)
    at = np.flatnonzero((level <= -5) & (level >= -25))
    return len(at) > 1 and -60 / np.polyfit(at / one.rate, level[at], 1)[0] > 0.17


MARKS: dict[str, Any] = {"car_babble": babble, "car_radio": radio, "far_field": room}


@pytest.mark.parametrize("name", MARKS)
def test_a_recipe_has_its_mark_and_no_sibling_has_it(name: str) -> None:
    share = {other: np.mean([MARKS[name](one) for one in made(other)]) for other in RECIPES}
    assert share.pop(name) >= 0.8, share
    assert max(share.values()) <= 0.2, share
