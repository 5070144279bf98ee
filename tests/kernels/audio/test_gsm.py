"""GSM's full-rate codec is the Recommendation's, bit for bit: libsndfile's, which others wrote, makes the same."""

import io

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter
from signals import voice

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.kernels.audio.gsm import Gsm, heard

RATE, FRAME = 8000, 160


def by_libsndfile(pcm: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, pcm, RATE, subtype="GSM610", format="WAV")
    file.seek(0)
    return soundfile.read(file, dtype="int16")[0][: len(pcm)]


def signals() -> dict[str, np.ndarray]:
    """Speech-like, hiss, silence, and what overflows."""
    generator = np.random.default_rng(0)
    return {
        "voice": (voice(1.0, RATE) * 30000).astype(np.int16),
        "soft voice": (voice(1.0, RATE, 210.0) * 60).astype(np.int16),
        "hiss": generator.normal(0, 900, RATE).astype(np.int16),
        "noise of all values": generator.integers(-32768, 32768, RATE).astype(np.int16),
        "square of full scale": np.where(np.arange(RATE) // 37 % 2, 32767, -32768).astype(np.int16),
        "silence and a click": np.where(np.arange(RATE) == 4000, 32767, 0).astype(np.int16),
        "offset": np.full(RATE, -20000, np.int16),
    }


@pytest.mark.parametrize("name", signals())
def test_it_makes_the_samples_of_another_implementation(name: str) -> None:
    pcm = signals()[name]
    assert len(pcm) % (2 * FRAME) == 0
    assert (heard(pcm) == by_libsndfile(pcm)).all()


def test_what_comes_after_a_frame_changes_nothing_in_it() -> None:
    pcm = signals()["voice"]
    whole = heard(pcm)
    for count in (FRAME, 5 * FRAME, 5 * FRAME + 1, 7 * FRAME - 1):
        cut = heard(pcm[:count])
        assert len(cut) == count
        assert (cut[: count // FRAME * FRAME] == whole[: count // FRAME * FRAME]).all()


def test_a_resonance_stays_where_it_is_though_the_waveform_is_lost() -> None:
    source = np.random.default_rng(1).normal(0, 1, 2 * RATE)
    for hertz in (500, 1500):
        pole = 0.97 * np.exp(2j * np.pi * hertz / RATE)
        rung = lfilter([1], [1, -2 * pole.real, abs(pole) ** 2], source)  # a hiss that rings
        pcm = (rung / np.abs(rung).max() * 20000).astype(np.int16)
        made = heard(pcm).astype(np.float64)
        error = 10 * np.log10(np.mean(pcm.astype(np.float64) ** 2) / np.mean((made - pcm) ** 2))
        assert 2 < error < 20
        peaks = [
            np.argmax(np.abs(np.fft.rfft(y.reshape(-1, 200) * np.hanning(200), 1600)).mean(0)) for y in (pcm, made)
        ]
        assert abs(int(peaks[0]) - int(peaks[1])) * RATE / 1600 < 40


def test_the_operator_brings_another_rate_to_that_of_the_codec_and_back() -> None:
    x = voice(0.5, 16000)
    made = apply_sound(build(Gsm, {}, "steps.gsm"), x, 16000, {"level": np.float32(-26)})
    assert made.shape == x.shape
    power = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
    assert power[2100:].sum() < 1e-5 * power.sum()  # 2 Hz apart: from 4200 Hz on
    lag = np.argmax(np.correlate(made, x, "full")) - (len(x) - 1)
    assert abs(lag) <= 8  # no delay, but for the phase of its filters: half a millisecond
