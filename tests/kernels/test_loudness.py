"""Levels: the standards' own numbers, tones through filters, and ITU-T P.56 against plain references."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import reference_sound as reference
import soundfile
from scipy.signal import butter, cheby1, sosfilt
from signals import voice

from sliceforge.kernels import loudness
from sliceforge.kernels.activity import Activity
from sliceforge.kernels.loudness import a_weight, a_weighted, active, g712, rms, snr


def tone(hertz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def gain(level: Callable[..., float], hertz: float, rate: int) -> float:
    sound = tone(hertz, rate)
    return reference.db(level(sound, rate) / rms(sound))


def test_rms_is_of_all_samples() -> None:
    assert rms(np.array([3, -3, 3, -3], np.float32)) == 3
    assert rms(tone(100, 8000)) == pytest.approx(math.sqrt(0.5), rel=1e-6)
    assert rms(np.zeros(0, np.float32)) == 0


@pytest.mark.parametrize(("length", "rate"), [(1, 8000), (63, 8000), (3999, 8000), (1600, 16000), (5000, 1000)])
def test_activity_is_counted_as_p56_says(length: int, rate: int) -> None:
    sound = np.random.default_rng(length).normal(0, 0.1, length) * np.sin(np.arange(length) * 30 / rate)
    thresholds = 2.0 ** np.arange(-20, 0)
    activity = Activity(sound, rate)
    assert [activity.count(c) for c in thresholds] == reference.active_counts(sound, rate, thresholds.tolist())


@pytest.mark.parametrize("factor", [1.0, 0.7, 0.1, 0.01])
@pytest.mark.parametrize(("seconds", "rate"), [(0.01, 8000), (0.31, 8000), (1.37, 8000), (0.7, 16000), (0.5, 44100)])
def test_the_active_level_is_that_of_the_standard(seconds: float, rate: int, factor: float) -> None:
    sound = voice(seconds, rate) * np.float32(factor)
    assert reference.db(active(sound, rate)) == pytest.approx(reference.active(sound, rate), abs=1e-6)


@pytest.mark.parametrize("seconds", [0.4, 2.0])
def test_the_active_level_follows_octaves_exactly(seconds: float) -> None:
    sound = voice(seconds, 8000).astype(np.float64)
    for factor in (0.0625, 0.5, 2.0):
        assert active(sound * factor, 8000) == pytest.approx(factor * active(sound, 8000), rel=1e-9)


def test_a_steady_tone_is_active_throughout() -> None:
    sound = tone(440, 8000, 4.0)
    assert reference.db(active(sound, 8000) / rms(sound)) == pytest.approx(0, abs=0.05)


def test_silence_around_speech_moves_the_rms_and_not_the_active_level() -> None:
    sound = tone(440, 8000, 2.0)
    padded = np.concatenate([sound, np.zeros(3 * 8000, np.float32)])
    assert reference.db(rms(padded) / rms(sound)) == pytest.approx(-3.98, abs=0.01)
    # After the tone it stays active for 0.2 s and while the smoothers fall by 12.9 dB: 0.32 s of 2, or 0.65 dB.
    assert reference.db(active(padded, 8000) / active(sound, 8000)) == pytest.approx(-0.65, abs=0.1)


def test_short_and_silent_clips_have_finite_levels() -> None:
    for length in (0, 1, 2, 7):
        assert active(np.zeros(length, np.float32), 8000) == 0
        assert active(np.full(length, 0.5, np.float32), 8000) == pytest.approx(0.5 if length else 0)
        assert all(np.isfinite(level(np.ones(length), 8000)) for level in (g712, a_weighted))
    assert math.isfinite(snr(voice(0.1, 8000), np.zeros(800), 8000, "rms"))
    assert math.isfinite(snr(np.zeros(800), voice(0.1, 8000), 8000, "active"))


def test_the_active_level_of_real_speech_moves_with_its_gain(real: Path) -> None:
    files = sorted(real.glob("fsdd/*.wav"))
    if not files:
        pytest.skip("needs fsdd among the real material")
    gains = 10 ** (np.arange(-8, 4.6, 0.5) / 20)
    moved = []
    for path in files[::10]:
        sound, rate = soundfile.read(path)
        levels = [reference.db(active(sound * gain, rate) / gain) for gain in gains]
        moved.append(max(levels) - min(levels))
    assert 0.05 < np.mean(np.array(moved) > 0.1) < 0.2
    assert max(moved) < 1.5


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_the_telephone_band_passes_and_the_rest_dies(rate: int) -> None:
    for hertz in (320, 500, 1000, 2000, 3000, 3350):
        assert gain(g712, hertz, rate) == pytest.approx(-0.25, abs=0.4)
    for hertz in (50, 100, 150):  # with the filter's onset
        assert gain(g712, hertz, rate) < -40
    assert gain(g712, 3900, rate) < -14
    if rate > 8000:
        assert gain(g712, 4600, rate) < -30


@pytest.mark.parametrize("rate", [1000, 8000, 16000, 44100])
@pytest.mark.parametrize("seconds", [0.02, 0.3, 1.0, 5.0])
def test_both_weightings_are_the_filters_from_rest_until_they_have_rung_out(seconds: float, rate: int) -> None:
    length = round(seconds * rate)
    edges = cheby1(6, 0.5, [300, 3400], "bandpass", fs=rate, output="sos") if rate > 7000 else None
    sections = butter(2, 250, "highpass", fs=rate, output="sos") if edges is None else edges
    for sound in (np.random.default_rng(rate).normal(0, 0.1, length), voice(seconds, rate), tone(60, rate, seconds)):
        padded = np.concatenate([sound, np.zeros(rate)])
        telephone = math.sqrt(np.sum(sosfilt(sections, padded) ** 2) / length)
        spectrum = np.fft.rfft(padded) * a_weight(np.fft.rfftfreq(len(padded), 1 / rate))
        ear = math.sqrt(np.sum(np.fft.irfft(spectrum, len(padded)) ** 2) / length)
        assert reference.db(g712(sound, rate) / telephone) == pytest.approx(0, abs=0.01)
        assert reference.db(a_weighted(sound, rate) / ear) == pytest.approx(0, abs=0.01)


def test_below_seven_kilohertz_only_the_lower_edge_is_left() -> None:
    for rate in (1000, 4000, 6000):
        assert gain(g712, 10, rate) < -20
        assert gain(g712, rate * 0.4, rate) == pytest.approx(0, abs=0.5)


IEC = {31.5: -39.4, 63: -26.2, 125: -16.1, 250: -8.6, 500: -3.2, 1000: 0, 2000: 1.2, 4000: 1.0, 8000: -1.1, 16000: -6.6}


def test_a_weighting_is_that_of_the_standard() -> None:
    for hertz, level in IEC.items():
        # The standard rounds to 0.1 dB and names bands whose exact middles lie up to 0.8 % beside.
        assert reference.db(float(a_weight(np.array([hertz]))[0])) == pytest.approx(level, abs=0.16)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_a_tone_has_its_weighted_level_at_any_rate(rate: int) -> None:
    for hertz, level in IEC.items():
        if 100 < hertz < rate / 2:
            assert gain(a_weighted, hertz, rate) == pytest.approx(level, abs=0.2)


def test_an_snr_is_a_ratio_of_levels_and_the_noise_of_an_active_one_is_its_rms() -> None:
    speech, noise = voice(1.0, 8000), np.random.default_rng(0).normal(0, 0.1, 8000)
    for name in loudness.REFERENCES:
        # Spectra are float32, in which a tenth is rounded.
        assert snr(speech, noise / 10, 8000, name) == pytest.approx(snr(speech, noise, 8000, name) + 20, abs=1e-5)
    assert snr(speech, noise, 8000, "active") == pytest.approx(
        reference.active(speech, 8000) - reference.db(rms(noise))
    )


@pytest.mark.parametrize("rate", [8000, 16000])
def test_activity_ends_with_the_clip_and_padding_does_not_move_its_level(rate: int) -> None:
    # A batch pads its clips: what is measured is cut at `length`, within 0.1 dB of the standard's own loop.
    for seconds in (0.6, 1.5):
        sound = voice(seconds, rate)
        padded = np.concatenate([sound, np.zeros(rate // 2, np.float32)])
        cut = active(padded[: len(sound)], rate)
        counts = reference.active_counts(sound, rate, (2.0 ** np.arange(-24, 1)).tolist())
        held = reference.held_envelope(sound, rate)
        assert counts == [int((held >= c).sum()) for c in 2.0 ** np.arange(-24, 1)]
        assert reference.db(cut) == pytest.approx(reference.active(sound, rate), abs=0.1)
        assert cut == active(sound, rate)
        assert reference.db(active(padded, rate) / cut) < -0.1  # the hangover, where nobody cuts
