"""CVSD keeps to its slope: what is soft drowns in grains, what is steep is cut, and a plain loop makes the same."""

import math

import numpy as np
import pytest

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.kernels.audio.cvsd import Cvsd, heard
from sliceforge.kernels.cvsd import coded_cpu

RATE = 8000


def plain(pcm: np.ndarray) -> np.ndarray:
    """The coder of the Bluetooth specification in doubles."""
    guess, slope, bits, out = 0.0, 10.0, [0, 1, 0, 1], []
    for sample in pcm:
        bits = [*bits[1:], 1 if sample >= guess else 0]
        slope = min(slope + 10, 1280) if len(set(bits)) == 1 else max(slope * (1 - 1 / 1024), 10)
        reached = min(max(guess + (slope if bits[-1] else -slope), -32768), 32767)
        out.append(reached)
        guess = reached * (1 - 1 / 32)
    return np.array(out)


def test_it_is_the_coder_of_the_specification_to_what_lies_behind_the_point() -> None:
    t = np.arange(6400) / 64000
    pcm = (9000 * np.sin(2 * np.pi * 300 * t) * np.sin(2 * np.pi * 9 * t)).astype(np.int16)
    out = np.empty_like(pcm)
    coded_cpu(pcm, out)
    # Twenty bits behind the point: within a tenth of a second no bit falls otherwise than in doubles.
    assert np.abs(out - np.floor(plain(pcm))).max() <= 1


def through(x: np.ndarray, level: float) -> np.ndarray:
    return apply_sound(build(Cvsd, {}, "steps.cvsd"), x.astype(np.float32), RATE, {"level": np.float32(level)})


def noise_db(hertz: float, level: float) -> float:
    """Signal to noise in dB of a tone, at `level` dBFS in the codec, beside the ends."""
    x = 0.1 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
    error = (through(x, level) - x)[800:-800]
    return 10 * math.log10(np.mean(x**2) / np.mean(error**2))


def test_a_tone_comes_through_best_where_the_slope_fits() -> None:
    assert noise_db(400, -20) > 25
    # A slope of 10 steps a bit is coarse for a tone of a few steps.
    assert noise_db(400, -65) < noise_db(400, -20) - 15
    # 1280 steps a bit: a steep sound, high and loud, cannot be followed.
    assert noise_db(3000, -6) < noise_db(400, -6) - 12


def test_nothing_is_delayed_and_any_length_is_kept() -> None:
    x = np.zeros(RATE)
    x[3000:3040] = np.hanning(40) * 0.5
    assert abs(int(np.argmax(through(x, -26))) - int(np.argmax(x))) <= 2
    for length in (1, 7, 63, 100):
        assert heard(np.full(length, 500, np.int16)).shape == (length,)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_other_rates_keep_their_length(rate: int) -> None:
    x = np.random.default_rng(0).normal(0, 0.1, 701).astype(np.float32)
    made = apply_sound(build(Cvsd, {}, "steps.cvsd"), x, rate, {"level": np.float32(-26)})
    assert made.shape == x.shape
