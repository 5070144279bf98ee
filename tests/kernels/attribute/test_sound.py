"""Each attribute of sound is what physics says of a signal whose numbers are known, at any rate and length."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quiet_car import OP, QUIET, drawn
from signals import voice

from sliceforge.engine import anatomy
from sliceforge.engine.loop.rows.attributes import known, of_item
from sliceforge.kernels.heard import Heard
from sliceforge.kernels.loudness import Levels, rms

RATES = (8000, 11025, 16000, 44100, 48000)


def of(name: str, x: np.ndarray, rate: int) -> float:
    (value,) = of_item("audio", Heard(np.asarray(x, np.float32), rate), [name])
    assert value is not None
    return value


def white(seconds: float, rate: int, level: float = 0.05) -> np.ndarray:
    return np.random.default_rng(rate).normal(0, level, round(seconds * rate))


def coloured(seconds: float, rate: int, slope: float) -> np.ndarray:
    """Noise whose power per hertz falls by `slope` dB an octave, RMS 0.1."""
    spectrum = np.fft.rfft(white(seconds, rate))
    hertz = np.fft.rfftfreq(round(seconds * rate), 1 / rate)
    spectrum[1:] *= hertz[1:] ** (slope / 20 / math.log10(2))
    spectrum[0] = 0
    x = np.fft.irfft(spectrum, round(seconds * rate))
    return 0.1 * x / x.std()


def tone(hertz: float, seconds: float, rate: int, peak: float = 0.5) -> np.ndarray:
    return peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("slope", [0.0, -3.0, -6.0, 3.0])
def test_tilt_is_the_slope_of_coloured_noise(rate: int, slope: float) -> None:
    x = coloured(3, rate, slope)
    assert of("tilt", x, rate) == pytest.approx(slope, abs=0.6)  # a few dozen independent powers in the lowest band
    assert of("noise_tilt", x, rate) == pytest.approx(slope, abs=2)  # of a tenth as many
    assert of("tilt", x / 50, rate) == pytest.approx(of("tilt", x, rate), abs=1e-3)


@pytest.mark.parametrize("rate", RATES)
def test_the_low_share_is_that_of_the_tones_below_300_hertz(rate: int) -> None:
    x = tone(150, 1.01, rate, 0.1) + tone(900, 1.01, rate, 0.2)
    assert of("low_share", x, rate) == pytest.approx(0.2, abs=0.01)
    assert of("low_share", x + 0.3, rate) == pytest.approx(0.2, abs=0.01)  # an offset is no sound
    assert of("low_share", white(2, rate), rate) == pytest.approx(600 / rate, rel=0.15)


@pytest.mark.parametrize("rate", RATES)
def test_bandwidth_ends_where_the_sound_ends(rate: int) -> None:
    assert of("bandwidth", white(2, rate), rate) == pytest.approx(0.99 * rate / 2, rel=0.01)
    assert of("bandwidth", tone(1000, 0.5, rate), rate) == pytest.approx(
        1000, abs=2 * rate / Heard(white(1, rate), rate).frame
    )


@pytest.mark.parametrize("rate", RATES)
def test_crest_of_known_waves(rate: int) -> None:
    assert of("crest", tone(100, 1, rate), rate) == pytest.approx(10 * math.log10(2), abs=0.01)
    assert of("crest", np.sign(tone(101, 1, rate) + 1e-9), rate) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_a_flat_top_is_clipped_at_any_gain_and_a_round_one_is_not(rate: int) -> None:
    x = tone(100, 1, rate, 1)
    cut = np.clip(x, -0.5, 0.5)
    share = float(np.mean(np.abs(x) >= 0.5))  # two thirds of a sine lie above half of its peak
    for gain in (1.9, 1.0, 0.3):
        assert of("clipped", np.rint(cut * gain * 32767) / 32768, rate) == pytest.approx(share, abs=0.01)
        assert of("clipped", np.rint(x * 0.9 * gain / 1.9 * 32767) / 32768, rate) < 0.02
    assert of("clipped", white(1, rate), rate) == 0


@pytest.mark.parametrize("rate", RATES)
def test_levels_are_those_that_were_put_in(rate: int) -> None:
    pause, speech = white(0.5, rate, 0.004), white(1.5, rate, 0.1)
    x = np.concatenate([pause, speech, pause])
    active = 1.5 + 0.2 + 0.06  # P.56's hangover and what its smoothers take are of the pause
    assert of("level", x, rate) == pytest.approx(10 * math.log10(0.01 * 1.5 / active), abs=0.15)
    assert of("pause_level", x, rate) == pytest.approx(-48, abs=1)
    assert of("seconds", x, rate) == pytest.approx(len(x) / rate)
    assert of("level", x / 4, rate) == pytest.approx(of("level", x, rate) - 12.04, abs=0.7)


ABOUT = 4.5
"""dB by which a blind estimate may be wrong on the average: that of even noise under something like speech."""


def mixed(kind: str, snr: float, seconds: float, rate: int, key: int) -> np.ndarray:
    """Speech-like sound under noise at an active SNR, rounded to 16 bits."""
    speech = voice(seconds, rate, 100 + 20 * key) * 0.3
    even = np.random.default_rng(key).normal(0, 1, len(speech))
    return under(speech, road(len(speech), rate, key=key) if kind == "road" else even, snr, rate)


def road(length: int, rate: int, **changed: Any) -> np.ndarray:
    return OP.wave(length, rate, **(QUIET | changed))


def under(speech: np.ndarray, noise: np.ndarray, snr: float, rate: int) -> np.ndarray:
    factor = Levels(speech, rate).level("active", True) / rms(noise.astype(np.float32)) * 10 ** (-snr / 20)
    return np.rint((speech + noise * factor) * 32768) / 32768


@pytest.mark.parametrize(("rate", "seconds"), [(8000, 0.7), (8000, 3.0), (16000, 0.7), (44100, 1.0)])
@pytest.mark.parametrize("kind", ["road", "white"])
def test_the_estimated_snr_follows_the_true_one(rate: int, kind: str, seconds: float) -> None:
    asked = np.arange(-5, 31, 5)
    found = [[of("snr_est", mixed(kind, snr, seconds, rate, key), rate) for snr in asked] for key in range(3)]
    means = np.mean(found, axis=0)
    assert (np.diff(means) > 1).all()
    assert np.abs(means - asked).max() < ABOUT


@pytest.mark.parametrize("kind", ["road", "white"])
def test_padding_and_dither_change_no_estimate(kind: str) -> None:
    for snr in (-5, 5, 15):
        x = mixed(kind, snr, 1.1, 8000, 1)
        padded = np.concatenate([np.zeros(3001), x, np.zeros(5000)])
        steps = np.random.default_rng(2).integers(-1, 2, len(padded)) / 32768
        for other in (padded, padded + steps):
            assert of("snr_est", other, 8000) == pytest.approx(of("snr_est", x, 8000), abs=1)
            assert of("pause_level", other, 8000) == pytest.approx(of("pause_level", x, 8000), abs=1)


def test_noise_alone_has_the_lowest_snr_and_clean_speech_a_high_one() -> None:
    assert of("snr_est", white(3, 8000), 8000) < -5
    clean = np.concatenate([np.zeros(2000), voice(1, 8000), np.zeros(2000), voice(1, 8000), np.zeros(2000)])
    assert of("snr_est", clean, 8000) > 25


def test_real_digits_under_noise_are_told_apart(real: Path) -> None:
    from sliceforge.engine.read import read_audio

    paths = sorted((real / "fsdd").glob("*_1.wav"))[::3]
    found = []
    for plan, path in zip(drawn(len(paths)), paths, strict=True):
        speech, rate = read_audio(path)
        noise = OP.wave(len(speech), rate, **plan)
        found.append([of("snr_est", under(speech, noise, snr, rate), rate) for snr in (-5, 0, 5, 10)])
    means = np.mean(found, axis=0)
    assert np.abs(means - [-5, 0, 5, 10]).max() < 4
    assert (np.diff(found, axis=1) > 0).mean() > 0.95


@pytest.mark.parametrize("length", [1, 2, 31, 32, 33, 100, 257, 8191])
@pytest.mark.parametrize("fill", ["silence", "offset", "square", "noise"])
def test_a_number_is_finite_or_there_is_none(length: int, fill: str) -> None:
    generator = np.random.default_rng(length)
    sounds = {"silence": np.zeros(length), "offset": np.full(length, 0.25), "square": np.resize([1.0, -1.0], length)}
    x = sounds.get(fill, generator.normal(0, 0.1, length)).astype(np.float32)
    for rate in (8000, 48000):
        for value in of_item("audio", Heard(x, rate), list(known("audio"))):
            assert value is None or math.isfinite(value)


@pytest.mark.parametrize("kind", ["audio", "image"])
def test_what_an_attribute_acts_on_is_a_setting(kind: str) -> None:
    for name, one in known(kind).items():
        assert one.unit or name == "", name
        if one.acts_on:
            operator, _, setting = one.acts_on.partition(".")
            part = anatomy.part(operator)
            assert operator.startswith(f"{kind}/")
            assert part is not None
            assert setting in part.settings, name
