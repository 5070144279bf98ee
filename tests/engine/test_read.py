"""Resampling is physics; batches are padded and know their lengths."""

import numpy as np
import pytest
import torch
import torchaudio

from sliceforge.engine.read import length_at, pad, resample

RATES = [(44100, 16000), (48000, 16000), (8000, 16000), (16000, 8000), (22050, 44100)]
FLAT = 3e-6  # below −110 dB: the pass band's ripple
STOPPED = 1e-5  # −100 dB


def _tone(hertz: float, rate: int) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(rate) / rate).astype(np.float32)


@pytest.mark.parametrize(("rate", "new"), RATES)
def test_a_tone_below_the_cutoff_survives_in_place(rate: int, new: int) -> None:
    for hertz in (100, 1000, 0.45 * min(rate, new)):
        y = resample(_tone(hertz, rate), rate, new)
        ideal = np.sin(2 * np.pi * hertz * np.arange(len(y)) / new)
        assert np.abs(y - ideal)[400:-400].max() < FLAT


@pytest.mark.parametrize(("rate", "new"), [pair for pair in RATES if pair[0] > pair[1]])
def test_a_tone_above_the_cutoff_dies(rate: int, new: int) -> None:
    y = resample(_tone(new / 2 * 1.04, rate), rate, new)
    assert np.abs(y)[400:-400].max() < STOPPED


@pytest.mark.parametrize(("rate", "new"), RATES)
def test_length_and_values_agree_with_torchaudio(rate: int, new: int) -> None:
    x = np.random.default_rng(0).normal(size=rate // 3).astype(np.float32)
    smooth = resample(resample(x, rate, 4000), 4000, rate)[: len(x)]
    theirs = torchaudio.functional.resample(
        torch.from_numpy(smooth), rate, new, 64, 0.9476, "sinc_interp_kaiser", 14.77
    ).numpy()
    ours = resample(smooth, rate, new)
    assert len(ours) == len(theirs) == length_at(len(smooth), rate, new)
    # Their kernel's gain is off by up to 1e-4 (its taps do not add up to one).
    assert np.abs(ours - theirs)[500:-500].max() < 1e-3 * np.abs(ours).max()


@pytest.mark.parametrize("length", [1, 2, 63, 441])
def test_short_clips_have_their_length(length: int) -> None:
    assert len(resample(np.ones(length, np.float32), 44100, 16000)) == length_at(length, 44100, 16000)


def test_the_same_rate_changes_nothing() -> None:
    x = np.random.default_rng(1).normal(size=777).astype(np.float32)
    assert (resample(x, 16000, 16000) == x).all()


def test_a_batch_is_padded_with_zeros_and_knows_its_lengths() -> None:
    batch = pad([np.ones(3, np.float32), np.ones(5, np.float32), np.ones(1, np.float32)])
    assert batch["audio"].shape == (3, 5)
    assert batch["length"].tolist() == [3, 5, 1]
    assert batch["audio"].sum(1).tolist() == [3, 5, 1]
