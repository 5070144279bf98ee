"""The gain is relative: twice as loud before is twice as loud after, and no SNR changes."""

import numpy as np
import pytest
from signals import voice

from sliceforge.engine.parse import from_config
from sliceforge.engine.stepwise import make

STEP = 1 / 32768


@pytest.mark.parametrize(("db", "factor"), [(-20, 0.1), (0, 1.0), (6.020599913, 2.0)])
def test_it_multiplies_by_what_the_decibels_say(db: float, factor: float) -> None:
    parent = voice(0.3, 8000) * np.float32(0.4)
    recipe = from_config({"steps": {"gain": {"op": "audio/gain", "gain": db}}})
    for softer in (1.0, 0.5):
        x = parent * np.float32(softer)
        made = make(recipe, x, 8000, {"gain.gain": db})
        assert np.abs(made.item - factor * x).max() <= STEP
        assert made.gain == pytest.approx(factor, rel=1e-6)


def test_foreground_and_noise_are_scaled_alike() -> None:
    steps = {"cabin": {"op": "audio/cabin"}, "mix": {"op": "audio/mix", "reference": "rms", "snr": 5}}
    with_gain = from_config({"steps": {**steps, "gain": {"op": "audio/gain", "gain": -9}}})
    from sliceforge.engine.keys import Keys
    from sliceforge.engine.op import Shapes

    none = np.zeros(1, np.int64)
    columns = with_gain.draw(Keys.of(1, ["a"]), Shapes(none + 4000, none + 8000, none, none))
    row = {name: column[0] for name, column in columns.items()}
    stems = make(with_gain, voice(0.5, 8000), 8000, row).stems
    power = {name: np.mean(np.square(stem, dtype=np.float64)) for name, stem in stems.items()}
    assert 10 * np.log10(power["foreground"] / power["mix"]) == pytest.approx(5, abs=1e-4)
