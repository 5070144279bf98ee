"""G.711 is the Recommendation's, on every input of 16 bits; its noise follows the signal."""

import importlib.util
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.kernels.audio.g711 import G711, heard

PCM = np.arange(-32768, 32768)
RATE = 8000


def a_law(sample: int) -> int:
    """A-law as the Recommendation's table 1 has it: decision values and, halfway between two, what is decoded."""
    size = sample // 8 if sample >= 0 else (-1 - sample) // 8  # of 4096
    low, step = 0, 2
    for end in (64, 128, 256, 512, 1024, 2048, 4096):
        if size < end:
            break
        low, step = end, end // 16
    middle = (low + (size - low) // step * step + step // 2) * 8
    return middle if sample >= 0 else -middle


def mu_law(sample: int) -> int:
    """µ-law as the Recommendation's table 2 has it; sizes are 14 bits with their sign, of 8159."""
    short = sample // 4
    size, low, step = min(abs(short), 8158), -1, 2
    for end in (31, 95, 223, 479, 991, 2015, 4063, 8159):
        if size < end:
            break
        low, step = end, 2 * step
    middle = low + (size - low) // step * step + step // 2
    return 4 * middle if short >= 0 else -4 * middle


@pytest.mark.parametrize(("law", "table"), [("a", a_law), ("mu", mu_law)])
def test_every_value_is_decoded_as_the_recommendation_says(law: str, table: Callable[[int], int]) -> None:
    assert (heard(law) == [table(int(sample)) for sample in PCM]).all()
    assert len(np.unique(heard(law))) == (256 if law == "a" else 255)


@pytest.mark.skipif(importlib.util.find_spec("audioop") is None, reason="Python has no audioop from 3.13 on")
def test_every_value_is_decoded_as_by_python() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
    sent = PCM.astype("<i2").tobytes()
    for law, back in (
        ("a", audioop.alaw2lin(audioop.lin2alaw(sent, 2), 2)),
        ("mu", audioop.ulaw2lin(audioop.lin2ulaw(sent, 2), 2)),
    ):
        assert (heard(law) == np.frombuffer(back, "<i2")).all()


def noise_db(law: str, level: float, into: float = -20.0) -> float:
    """Signal to noise in dB of a tone through the operator, `level` dBFS soft, coded at `into` dBFS."""
    t = np.arange(RATE) / RATE
    x = (2**0.5 * 10 ** (level / 20) * np.sin(2 * np.pi * 441.7 * t)).astype(np.float32)
    made = apply_sound(build(G711, {"law": law}, "steps.g711"), x, RATE, {"level": np.float32(into)})
    return float(10 * np.log10(np.mean(x.astype(np.float64) ** 2) / np.mean((made.astype(np.float64) - x) ** 2)))


@pytest.mark.parametrize("law", ["a", "mu"])
def test_the_noise_lies_38_decibels_below_whatever_comes(law: str) -> None:
    found = [noise_db(law, -20, into) for into in (-35, -30, -25, -20, -15, -10)]
    assert min(found) > 35
    assert max(found) < 40.5
    # Below the smallest segment steps are even: 20 dB less of sound is 20 dB more of noise.
    assert noise_db(law, -20, -50) - noise_db(law, -20, -70) == pytest.approx(20, abs=5)


def test_how_loud_the_clip_is_changes_nothing_but_how_loud_it_is() -> None:
    assert noise_db("a", -60, -26) == pytest.approx(noise_db("a", -20, -26), abs=0.2)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("length", [1, 7, 100])
def test_short_clips_and_silence_keep_their_length(length: int, rate: int) -> None:
    op = build(G711, {}, "steps.g711")
    for x in (np.zeros(length, np.float32), np.full(length, 0.3, np.float32)):
        made = apply_sound(op, x, rate, {"level": np.float32(-26)})
        assert made.shape == x.shape
        assert np.isfinite(made).all()
