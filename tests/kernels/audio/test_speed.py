"""Speed moves every frequency and every moment by its factor, as an independent resampler would."""

from typing import Any

import numpy as np
import pytest
import torch
import torchaudio
from signals import voice

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.parse import from_config
from sliceforge.engine.read import resample
from sliceforge.engine.stepwise import make, measure
from sliceforge.kernels import sinc
from sliceforge.kernels.audio.speed import Speed, length_at, moved

RATE = 16000


def sped(x: np.ndarray, factor: float) -> np.ndarray:
    return apply_sound(build(Speed, {}, "steps.speed"), x.astype(np.float32), RATE, {"factor": np.float32(factor)})


def tone(hertz: float, samples: int = RATE, factor: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * factor * np.arange(samples) / RATE)


@pytest.mark.parametrize("factor", [0.9, 0.95123, 1.0371, 1.1, 1.7])
@pytest.mark.parametrize("hertz", [60.0, 440.0, 3000.0])
def test_a_tone_becomes_the_tone_of_the_other_frequency(factor: float, hertz: float) -> None:
    made = sped(tone(hertz), factor)
    inside = slice(200, -200)  # the filter reaches 64 samples beyond the ends
    assert np.abs(made - tone(hertz, len(made), round(factor, 6)))[inside].max() < 2e-5


def test_what_would_pass_half_the_rate_is_gone() -> None:
    assert np.abs(sped(tone(7900.0), 1.1)[200:-200]).max() < 1e-5
    assert np.abs(sped(tone(7000.0), 1.2)[200:-200]).max() < 1e-5
    assert np.abs(sped(tone(6000.0), 1.2)[200:-200]).max() > 0.49


@pytest.mark.parametrize(("factor", "rates"), [(0.9, (9, 10)), (1.1, (11, 10)), (0.8, (4, 5))])
def test_it_is_what_other_resamplers_make_of_it(factor: float, rates: tuple[int, int]) -> None:
    x = voice(0.5, RATE)[:-13]
    made = sped(x, factor)
    own = resample(x, *rates)
    assert len(made) == len(own)
    assert np.abs(made - own).max() < 3e-6
    sharp: dict[str, Any] = {
        "lowpass_filter_width": 64,
        "rolloff": 0.97,
        "resampling_method": "sinc_interp_kaiser",
        "beta": 12.0,
    }
    peer = torchaudio.functional.resample(torch.from_numpy(x), *rates, **sharp).numpy()
    assert np.abs(made - peer).max() < 1e-3


@pytest.mark.parametrize("length", [1, 7, 63, 100, 9000, 11000, 16001])
def test_the_length_is_divided_by_the_factor_and_rounded_up(length: int) -> None:
    for factor in (0.9, 1.0, 1.1, 0.973):
        whole = -(-length * 1000 // round(1000 * factor))
        assert len(sped(np.ones(length), factor)) == length_at(length, np.float32(factor)) == whole


def test_the_factor_of_one_keeps_every_bit() -> None:
    x = voice(0.2, RATE)
    assert sped(x, 1.0).tobytes() == x.tobytes()


def test_a_moment_moves_to_where_its_sound_is() -> None:
    x = np.zeros(RATE)
    x[6000] = 0.9
    for factor in (0.9, 1.063, 1.1):
        assert np.argmax(np.abs(sped(x, factor))) == pytest.approx(moved(6000 / RATE, factor) * RATE, abs=0.5001)


def test_the_table_is_the_formula() -> None:
    v = np.array([0.0, 0.25, 1.5, 10.0, 63.0])
    beta = 0.1102 * (120 - 8.7)
    window = np.i0(beta * np.sqrt(1 - (v / 64) ** 2)) / np.i0(beta)
    assert sinc.table()[(v * 512).astype(int)] == pytest.approx(0.97 * np.sinc(0.97 * v) * window, abs=1e-15)
    assert 2 * sinc.table().sum() / 512 - sinc.table()[0] / 512 == pytest.approx(1, abs=1e-5)


def test_speech_and_noise_keep_their_snr_before_and_after_a_mix() -> None:
    mix = {"op": "audio/mix", "snr": 4, "source": "cabin"}
    speed = {"op": "audio/speed"}
    for steps in ({"speed": speed, "mix": mix}, {"mix": mix, "speed": speed}):
        recipe = from_config({"steps": {"cabin": {"op": "audio/cabin"}, **steps}, "gates": {"snr": {"step": "mix"}}})
        one = np.ones(1, np.int64)
        columns = recipe.draw(Keys.of(2, ["a"]), Shapes(one * 8000, one * RATE, one * 0, one * 0))
        row = {name: column[0] for name, column in columns.items()}
        made = make(recipe, voice(0.5, RATE), RATE, row)
        assert len(made.item) == len(made.stems["mix"]) == length_at(8000, row["speed.factor"])
        assert measure(recipe, made, row)["snr"].ok
