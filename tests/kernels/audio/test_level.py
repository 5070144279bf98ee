"""The level operator brings a mix to an RMS and changes nothing else."""

import numpy as np
import pytest
import reference_sound as reference
from signals import voice

from sliceforge.engine.build import build
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.parse import from_config
from sliceforge.engine.stepwise import make
from sliceforge.kernels.audio.level import Level


@pytest.mark.parametrize("length", [1, 63, 4001])
def test_the_mix_has_the_rms_that_was_drawn(length: int) -> None:
    sound = np.random.default_rng(length).normal(0, 0.2, length).astype(np.float32)
    for level in (-35.0, -15.0):
        factor = build(Level, {}, "steps.level").factor(sound, 8000, level=level)
        assert reference.db(reference.rms(sound * factor)) == pytest.approx(level, abs=1e-6)  # float32


def test_silence_has_no_level() -> None:
    with pytest.raises(InputError) as caught:
        build(Level, {}, "steps.level").factor(np.zeros(100, np.float32), 8000, level=-20.0)
    assert caught.value.reason == "silent"


def test_a_level_above_full_scale_is_refused() -> None:
    with pytest.raises(SettingError, match=r"steps\.level\.level: 3: expected at least -80 and at most 0 dBFS"):
        build(Level, {"level": 3}, "steps.level")


def test_the_guard_takes_back_what_would_clip() -> None:
    recipe = from_config({"steps": {"level": {"op": "audio/level", "level": -3}}})
    made = make(recipe, voice(0.3, 8000), 8000, {"level.level": -3.0})
    assert reference.db(float(np.abs(made.item).max())) == pytest.approx(recipe.guard_db, abs=1e-3)
    assert made.gain == pytest.approx(float(made.stems["foreground"][1000] / made.parent[1000]), rel=1e-6)
