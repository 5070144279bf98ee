"""Clipping cuts off at its level, keeps what is below bit for bit, and makes odd harmonics."""

import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.engine.parse import from_config
from sliceforge.engine.stepwise import make
from sliceforge.kernels.audio.clip import Clip, clip_value

RATE = 16000


def clipped(x: np.ndarray, level: float) -> np.ndarray:
    recipe = from_config({"steps": {"clip": {"op": "audio/clip", "level": level}}})
    return make(recipe, x.astype(np.float32), RATE, {"clip.level": np.float32(level)}).item


@pytest.mark.parametrize("level", [-20.0, -6.0])
def test_the_peak_is_the_level_and_what_lies_below_keeps_its_bits(level: float) -> None:
    x = np.rint(np.random.default_rng(2).uniform(-0.9, 0.9, 4001) * 32768) / 32768
    limit = 10 ** (level / 20)
    made = clipped(x, level)
    below = np.abs(x) < limit
    assert (made[below] == x[below].astype(np.float32)).all()
    assert np.abs(made[~below]) == pytest.approx(limit, abs=1 / 32768)
    assert (np.sign(made) == np.sign(x)).all()


def test_a_softer_clip_is_left_as_it_is() -> None:
    x = np.rint(0.09 * np.sin(np.arange(1000)) * 32768) / 32768
    assert (clipped(x, -20.0) == x.astype(np.float32)).all()


def test_a_tone_gets_the_odd_harmonics_of_its_fourier_series_and_no_even_ones() -> None:
    amplitude, limit, cycles = 0.8, 10 ** (-8 / 20), 40
    t = np.arange(RATE) / RATE
    spectrum = np.abs(np.fft.rfft(clipped(amplitude * np.sin(2 * np.pi * cycles * t), -8.0))) / (RATE / 2)
    fine = (np.arange(1 << 16) + 0.5) / (1 << 16)  # one period, of which the series is integrated numerically
    wave = np.clip(amplitude * np.sin(2 * np.pi * fine), -limit, limit)
    for k in range(1, 8):
        series = abs(2 * np.mean(wave * np.sin(2 * np.pi * k * fine)))
        assert spectrum[k * cycles] == pytest.approx(series, abs=2e-4)
        assert (series > 1e-3) == (k % 2 == 1)


def test_the_scalar_function_is_plain_python() -> None:
    row = build(Clip, {}, "steps.clip").row(1, 5, level=-20.0)
    assert [float(clip_value(np.float32(v), 0, 0, row)) for v in (-1, 0.05, 1)] == pytest.approx([-0.1, 0.05, 0.1])
