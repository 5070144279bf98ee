"""A shift moves whole samples and changes none of them."""

import numpy as np
import pytest
from signals import voice

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.engine.errors import InputError
from sliceforge.kernels.audio.shift import Shift


def shifted(x: np.ndarray, seconds: float, fill: str = "zero", rate: int = 8000) -> np.ndarray:
    return apply_sound(build(Shift, {"fill": fill}, "steps.shift"), x, rate, {"shift": np.float32(seconds)})


@pytest.mark.parametrize("length", [801, 4000])
@pytest.mark.parametrize("samples", [-800, -1, 0, 1, 63, 800])
def test_what_is_left_stands_so_many_samples_later_bit_for_bit(length: int, samples: int) -> None:
    x = voice(0.5, 8000)[:length]
    made = shifted(x, samples / 8000)
    late = max(samples, 0)
    kept = length - abs(samples)
    assert len(made) == length
    assert made[late : late + kept].tobytes() == x[late - samples : late - samples + kept].tobytes()
    assert np.count_nonzero(made) <= kept
    assert shifted(x, samples / 8000, "roll").tobytes() == np.roll(x, samples).tobytes()


def test_the_place_of_the_peak_moves_by_the_seconds_at_any_rate() -> None:
    for rate in (8000, 44100):
        x = np.zeros(rate, np.float32)
        x[rate // 2] = 1
        assert np.argmax(shifted(x, -0.0721, rate=rate)) / rate == pytest.approx(0.5 - 0.0721, abs=0.5 / rate)


def test_a_clip_that_would_be_gone_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"silent: a shift by 0\.2 s leaves nothing of 1600 samples"):
        shifted(voice(0.2, 8000), 0.2)
    assert shifted(voice(0.2, 8000), 0.2, "roll").any()
