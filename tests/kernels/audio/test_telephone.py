"""The band of a telephone is that of two Butterworth filters, whatever stands beside a clip in its batch."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.kernels.audio.telephone import Telephone

ROW = {"low": np.float32(300), "high": np.float32(3400), "order": np.int64(8)}


def through(x: np.ndarray, rate: int, **changed: object) -> np.ndarray:
    return apply_sound(build(Telephone, {}, "steps.telephone"), x.astype(np.float32), rate, ROW | changed)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_it_is_what_another_filter_makes(rate: int) -> None:
    x = np.random.default_rng(0).normal(0, 0.1, 3000).astype(np.float32)
    expected = x.astype(np.float64)
    for edge, kind in ((300, "highpass"), (3400, "lowpass")):
        expected = sosfilt(butter(8, edge, kind, fs=rate, output="sos"), expected)
    assert np.abs(through(x, rate) - expected).max() < 1e-6


def test_a_voice_passes_and_what_a_telephone_has_not_is_gone() -> None:
    t = np.arange(16000) / 16000
    level = {f: np.abs(through(np.sin(2 * np.pi * f * t), 16000)[4000:]).max() for f in (100, 500, 1000, 3000, 4500)}
    assert level[100] < 1e-3
    assert level[4500] < 0.2
    assert min(level[f] for f in (500, 1000, 3000)) > 0.9


def test_an_edge_near_half_the_rate_is_left_out() -> None:
    x = np.random.default_rng(1).normal(0, 0.1, 500).astype(np.float32)
    assert np.array_equal(through(x, 8000, high=np.float32(3950)), through(x, 8000, high=np.float32(9000)))
